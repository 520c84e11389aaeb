//! Money: exact counts of minor units, and the one parser of amounts.
//!
//! Inside weir an amount is an `i64` of minor units (fen for CNY); sums are `i128`. Text becomes an amount through `rust_decimal`, never
//! through a float, so `"0.1"` is ten fen and `1e3` is a thousand yuan. This module does not know exchange rates: equivalents arrive with
//! the transaction.

use std::fmt;

use rust_decimal::Decimal;

/// The largest amount accepted in one transaction, in units of its currency: 10^15. More is a broken column, not a payment.
pub const AMOUNT_MAX_UNITS: i64 = 1_000_000_000_000_000;

/// An amount of CNY in fen (1/100 yuan). May be negative in differences; amounts of transactions are positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Fen(pub i64);

impl fmt::Display for Fen {
    /// Yuan with two decimals, no grouping: `1268400.00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&yuan(i128::from(self.0)))
    }
}

/// A sum of fen as yuan with two decimals: `yuan(126_840_000) == "1268400.00"`.
#[must_use]
pub fn yuan(fen: i128) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let magnitude = fen.unsigned_abs();
    format!("{sign}{}.{:02}", magnitude / 100, magnitude % 100)
}

/// ISO 4217 alphabetic code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency([u8; 3]);

impl Currency {
    /// Renminbi, the default of every feed.
    pub const CNY: Self = Self(*b"CNY");
    /// US dollar, the currency of the foreign limits of Article 5.
    pub const USD: Self = Self(*b"USD");

    /// Reads three ASCII letters in either case; `RMB`, which many ledgers write, is CNY. Anything else is `None`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes: [u8; 3] = text.trim().as_bytes().try_into().ok()?;
        if !bytes.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let code = Self(bytes.map(|b| b.to_ascii_uppercase()));
        Some(if code.0 == *b"RMB" { Self::CNY } else { code })
    }

    /// The three letters.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("???")
    }

    /// Decimal places of the minor unit (ISO 4217); two where the list has no exception.
    #[must_use]
    pub fn exponent(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"UGX" | b"XAF" | b"XOF" | b"XPF" | b"PYG" | b"RWF" | b"VUV" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why a text is no amount. The text itself is not carried: it may hold personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Not a decimal number, `NaN` and infinities included.
    #[error("is not a decimal number")]
    NotANumber,
    /// More significant decimals than the currency has.
    #[error("has more decimals than its currency allows")]
    TooPrecise,
    /// Zero.
    #[error("is zero")]
    Zero,
    /// Below zero.
    #[error("is negative")]
    Negative,
    /// Above [`AMOUNT_MAX_UNITS`].
    #[error("is above 10^15")]
    TooLarge,
}

/// How amounts of a feed are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct AmountFormat {
    /// Commas group thousands: `1,234.50`. Without it a comma is an error.
    pub grouping: bool,
    /// The written number is multiplied by 10^`scale` to give units: −2 for a feed in fen, 4 for one in 万元.
    pub scale: i32,
}

/// Reads a signed decimal exactly and returns minor units of `currency`, which may be zero or negative (balances).
///
/// Accepts sign, digits, one point, and an exponent (`1e3`). Trailing zeros do not count as precision: `5000.000` is fine.
///
/// # Errors
/// [`AmountError::NotANumber`], [`AmountError::TooPrecise`], [`AmountError::TooLarge`].
pub fn parse_signed(text: &str, currency: Currency, format: AmountFormat) -> Result<i64, AmountError> {
    let text = text.trim();
    if let Some(minor) = parse_plain(text, currency, format) {
        return Ok(minor);
    }
    let ungrouped;
    let digits = if format.grouping && text.contains(',') {
        ungrouped = strip_grouping(text).ok_or(AmountError::NotANumber)?;
        ungrouped.as_str()
    } else {
        text
    };
    let value = parse_decimal(digits)?;
    to_minor(value, currency.exponent(), format.scale)
}

/// Like [`parse_signed`], for the amount of a transaction: more than zero.
///
/// # Errors
/// Those of [`parse_signed`], and [`AmountError::Zero`], [`AmountError::Negative`].
pub fn parse_amount(text: &str, currency: Currency, format: AmountFormat) -> Result<i64, AmountError> {
    match parse_signed(text, currency, format)? {
        0 => Err(AmountError::Zero),
        minor if minor < 0 => Err(AmountError::Negative),
        minor => Ok(minor),
    }
}

/// The common shape `digits[.digits]` with at most two decimals, without going through a general decimal. `None` means: use the general way.
fn parse_plain(text: &str, currency: Currency, format: AmountFormat) -> Option<i64> {
    if format.scale != 0 || currency != Currency::CNY || text.is_empty() || text.len() > 16 {
        return None;
    }
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || fraction.len() > 2 || (fraction.is_empty() && whole.len() != text.len()) {
        return None;
    }
    let mut minor: i64 = 0;
    for byte in whole.bytes().chain(fraction.bytes()) {
        if !byte.is_ascii_digit() {
            return None;
        }
        minor = minor.checked_mul(10)?.checked_add(i64::from(byte - b'0'))?;
    }
    for _ in fraction.len()..2 {
        minor = minor.checked_mul(10)?;
    }
    (minor <= AMOUNT_MAX_UNITS * 100).then_some(minor)
}

/// Removes thousands commas that stand where they belong (`1,234,567.8`); `None` where they do not.
fn strip_grouping(text: &str) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let unsigned = whole.trim_start_matches(['+', '-']);
    let mut groups = unsigned.split(',');
    let first = groups.next()?;
    if first.is_empty() || first.len() > 3 || groups.any(|g| g.len() != 3) || fraction.contains(',') {
        return None;
    }
    Some(text.replace(',', ""))
}

/// Bounds the work before `Decimal` sees the text: its own parser rounds what does not fit, and rounding is not parsing.
fn parse_decimal(text: &str) -> Result<Decimal, AmountError> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], text[at + 1..].parse::<i32>().map_err(|_| AmountError::NotANumber)?),
        None => (text, 0),
    };
    let (negative, unsigned) = match mantissa.as_bytes().first() {
        Some(b'-') => (true, &mantissa[1..]),
        Some(b'+') => (false, &mantissa[1..]),
        _ => (false, mantissa),
    };
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !is_digits(whole) || !is_digits(fraction) {
        return Err(AmountError::NotANumber);
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    if whole.is_empty() && fraction.is_empty() {
        return Ok(Decimal::ZERO);
    }
    if !(-40..=40).contains(&exponent) || whole.len() > 26 || whole.len() + fraction.len() > 28 {
        // Beyond what an exact decimal can hold the amount is either too large or too precise; the larger part decides which.
        let too_large = i64::from(exponent) + i64::try_from(whole.len()).unwrap_or(i64::MAX) > 16;
        return Err(if too_large { AmountError::TooLarge } else { AmountError::TooPrecise });
    }
    let digits = format!("{whole}{fraction}");
    let mantissa: i128 = digits.parse().map_err(|_| AmountError::NotANumber)?;
    let mantissa = if negative { -mantissa } else { mantissa };
    let fraction_len = i32::try_from(fraction.len()).map_err(|_| AmountError::TooPrecise)?;
    scale_exactly(mantissa, exponent - fraction_len)
}

/// `mantissa × 10^power` as an exact decimal.
fn scale_exactly(mut mantissa: i128, mut power: i32) -> Result<Decimal, AmountError> {
    while power < 0 && mantissa % 10 == 0 {
        mantissa /= 10;
        power += 1;
    }
    if power >= 0 {
        let factor = 10_i128.checked_pow(power.unsigned_abs()).ok_or(AmountError::TooLarge)?;
        let value = mantissa.checked_mul(factor).ok_or(AmountError::TooLarge)?;
        return Decimal::try_from_i128_with_scale(value, 0).map_err(|_| AmountError::TooLarge);
    }
    Decimal::try_from_i128_with_scale(mantissa, power.unsigned_abs()).map_err(|_| AmountError::TooPrecise)
}

/// Units × 10^scale → minor units, refusing any remainder.
fn to_minor(value: Decimal, exponent: u32, scale: i32) -> Result<i64, AmountError> {
    let exponent = i32::try_from(exponent).map_err(|_| AmountError::TooPrecise)?;
    let shift = exponent + scale;
    let places = i32::try_from(value.scale()).map_err(|_| AmountError::TooPrecise)?;
    let minor = scale_exactly(value.mantissa(), shift - places)?;
    if minor.scale() != 0 {
        return Err(AmountError::TooPrecise);
    }
    let limit = i128::from(AMOUNT_MAX_UNITS) * 10_i128.pow(exponent.unsigned_abs());
    if minor.mantissa().abs() > limit {
        return Err(AmountError::TooLarge);
    }
    i64::try_from(minor.mantissa()).map_err(|_| AmountError::TooLarge)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<i64, AmountError>) {
        assert_eq!(parse_amount(text, Currency::CNY, AmountFormat::default()), expected, "{text}");
    }

    #[test]
    fn amounts_parse_exactly() {
        check("0.1", Ok(10));
        check("5000", Ok(500_000));
        check("1e3", Ok(100_000));
        check("1.5E2", Ok(15_000));
        check("5000.000", Ok(500_000));
        check("+7", Ok(700));
        check(".5", Ok(50));
        check("5.", Ok(500));
        check("1000000000000000", Ok(100_000_000_000_000_000));
        check("0.010000000000000000000000000000000000000", Ok(1));
    }

    #[test]
    fn what_is_no_amount_is_refused_with_its_reason() {
        check("0.001", Err(AmountError::TooPrecise));
        check("1e-3", Err(AmountError::TooPrecise));
        check("0", Err(AmountError::Zero));
        check("0.00", Err(AmountError::Zero));
        check("-5", Err(AmountError::Negative));
        check("NaN", Err(AmountError::NotANumber));
        check("inf", Err(AmountError::NotANumber));
        check("", Err(AmountError::NotANumber));
        check(".", Err(AmountError::NotANumber));
        check("1,234.50", Err(AmountError::NotANumber));
        check("1e999999999999", Err(AmountError::NotANumber));
        check("1e99", Err(AmountError::TooLarge));
        check("1000000000000000.01", Err(AmountError::TooLarge));
        check("123456789012345678901234567890123456789", Err(AmountError::TooLarge));
        check("１２", Err(AmountError::NotANumber));
    }

    #[test]
    fn grouping_and_scale_are_the_feeds_choice() {
        let grouped = AmountFormat { grouping: true, scale: 0 };
        assert_eq!(parse_amount("1,234.50", Currency::CNY, grouped), Ok(123_450));
        assert_eq!(parse_amount("12,34.50", Currency::CNY, grouped), Err(AmountError::NotANumber));
        let fen = AmountFormat { grouping: false, scale: -2 };
        assert_eq!(parse_amount("123450", Currency::CNY, fen), Ok(123_450));
        let wan = AmountFormat { grouping: false, scale: 4 };
        assert_eq!(parse_amount("1.2345", Currency::CNY, wan), Ok(1_234_500));
    }

    #[test]
    fn yuan_shows_two_decimals() {
        assert_eq!(yuan(126_840_000), "1268400.00");
        assert_eq!(yuan(-5), "-0.05");
    }
}
