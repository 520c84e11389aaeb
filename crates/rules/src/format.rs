//! How values read: for machines and English (`1268400.00`, `0.94`, `2d 3h`), and in Chinese sentences (126.84万元, 94%, 3.1倍, 2天3小时).

use weir_model::Span;
use weir_model::money::yuan;
use weir_model::time::MICROS_PER_SEC;

use crate::param::ratio_text;
use crate::unit::Unit;
use crate::value::{Value, Window};

/// The value as `conditions[].measured` of an alert shows it; `None` for NULL.
pub(crate) fn plain(value: Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Int(n) => n.to_string(),
        Value::Money(fen) => yuan(fen),
        Value::Ratio(millionths) => ratio_text(millionths),
        Value::Duration(micros) => duration(micros, ["d", "h", "m", "s"], " "),
        Value::Bool(value) => value.to_string(),
    })
}

/// The value inside a Chinese sentence.
pub(crate) fn zh(value: Value) -> String {
    match value {
        Value::Null => "未知".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Money(fen) => exact_zh(fen),
        Value::Ratio(millionths) => format!("{}%", trimmed_signed(millionths, 4)),
        Value::Duration(micros) => duration_zh(micros),
        Value::Bool(true) => "是".to_owned(),
        Value::Bool(false) => "否".to_owned(),
    }
}

/// The value of a feature, or what it is compared with, inside a Chinese sentence. A ratio that is a multiple is told in times: nobody reads three
/// times as 300 %.
pub(crate) fn zh_in(value: Value, unit: Option<Unit>) -> String {
    match (value, unit) {
        (Value::Ratio(millionths), Some(Unit::Multiples)) => format!("{}{}", trimmed_signed(millionths, 6), Unit::Multiples.zh()),
        (value, _) => zh(value),
    }
}

/// Fen without a digit lost: `572万元`, `126.84万元` where two decimals of 万 say it all, else `499,999.99元`.
pub(crate) fn exact_zh(fen: i128) -> String {
    if fen.unsigned_abs() >= 1_000_000 && fen % 10_000 == 0 {
        return format!("{}万元", trimmed_signed(fen / 10_000, 2));
    }
    let text = trimmed_signed(fen, 2);
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), String::new()), |(whole, cents)| (whole, format!(".{cents:0<2}")));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut grouped = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}{fraction}元")
}

fn trimmed_signed(scaled: i128, places: u32) -> String {
    format!("{}{}", if scaled < 0 { "-" } else { "" }, trimmed(scaled.unsigned_abs(), places))
}

/// Fen as 万元, two decimals half-up, without trailing zeros: `126.84万元`.
pub(crate) fn wan(fen: i128) -> String {
    let hundredths = (fen.unsigned_abs() + 5_000) / 10_000;
    format!("{}{}万元", sign(fen, hundredths), trimmed(hundredths, 2))
}

/// Millionths as per cent, one decimal half-up, without a trailing zero: `93.5%`.
pub(crate) fn percent(millionths: i128) -> String {
    let tenths = (millionths.unsigned_abs() + 500) / 1_000;
    format!("{}{}%", sign(millionths, tenths), trimmed(tenths, 1))
}

/// Millionths as a bare number, one decimal half-up, without a trailing zero: `3.1`.
pub(crate) fn times(millionths: i128) -> String {
    let tenths = (millionths.unsigned_abs() + 50_000) / 100_000;
    format!("{}{}", sign(millionths, tenths), trimmed(tenths, 1))
}

/// No minus before a rounded zero.
fn sign(exact: i128, rounded: u128) -> &'static str {
    if exact < 0 && rounded > 0 { "-" } else { "" }
}

fn trimmed(scaled: u128, places: u32) -> String {
    let unit = 10_u128.pow(places);
    let (whole, fraction) = (scaled / unit, scaled % unit);
    if fraction == 0 {
        return whole.to_string();
    }
    let width = usize::try_from(places).unwrap_or_default();
    format!("{whole}.{}", format!("{fraction:0width$}").trim_end_matches('0'))
}

/// `1天6小时`.
pub(crate) fn duration_zh(micros: i64) -> String {
    duration(micros, ["天", "小时", "分钟", "秒"], "")
}

/// Days, hours, minutes and seconds, those that are not zero; finer parts are cut off.
fn duration(micros: i64, units: [&str; 4], separator: &str) -> String {
    let negative = if micros < 0 { "-" } else { "" };
    let mut secs = micros.unsigned_abs() / MICROS_PER_SEC.unsigned_abs();
    let mut parts = Vec::new();
    for (unit, length) in units.into_iter().zip([86_400, 3_600, 60, 1]) {
        let count = secs / length;
        secs %= length;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    if parts.is_empty() {
        return format!("0{}", units[3]);
    }
    format!("{negative}{}", parts.join(separator))
}

/// `14天`, `36小时`, `10个工作日`.
pub(crate) fn window_zh(window: Window) -> String {
    match window {
        Window::Exact(span) => span_zh(span),
        Window::Days(days) => format!("{days}天"),
        Window::WorkingDays(days) => format!("{days}个工作日"),
    }
}

/// One unit, as the window is written: `36h` stays 36小时.
fn span_zh(span: Span) -> String {
    let text = span.to_string();
    let unit = match text.chars().last() {
        Some('d') => "天",
        Some('h') => "小时",
        Some('m') => "分钟",
        _ => "秒",
    };
    format!("{}{unit}", text.trim_end_matches(|c: char| c.is_ascii_alphabetic()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_ratios_round_half_up_and_drop_zeros() {
        for (fen, text) in [
            (126_840_000, "126.84万元"),
            (50_000_000, "50万元"),
            (5_000, "0.01万元"),
            (4_999, "0万元"),
            (-4_999, "0万元"),
            (-126_845_000, "-126.85万元"),
        ] {
            assert_eq!(wan(fen), text);
        }
        for (millionths, text) in [(940_000, "94%"), (935_500, "93.6%"), (1_000_000, "100%"), (499, "0%"), (-500, "-0.1%")] {
            assert_eq!(percent(millionths), text);
        }
        for (millionths, text) in
            [(3_000_000, "3"), (3_142_857, "3.1"), (3_150_000, "3.2"), (49_999, "0"), (-49_999, "0"), (-50_000, "-0.1")]
        {
            assert_eq!(times(millionths), text);
        }
    }

    #[test]
    fn multiples_are_told_in_times() {
        for (millionths, text) in [(3_000_000, "3倍"), (7_209_046, "7.209046倍"), (0, "0倍"), (500_000, "0.5倍")] {
            assert_eq!(zh_in(Value::Ratio(millionths), Some(Unit::Multiples)), text);
        }
        assert_eq!(zh_in(Value::Ratio(600_000), Some(Unit::Points)), "60%");
        assert_eq!(zh_in(Value::Ratio(600_000), None), "60%");
        assert_eq!(zh_in(Value::Null, Some(Unit::Multiples)), "未知");
    }

    #[test]
    fn measured_values_in_sentences_keep_every_digit() {
        for (fen, text) in [
            (572_000_000, "572万元"),
            (126_840_000, "126.84万元"),
            (49_999_999, "499,999.99元"),
            (1_000_000, "1万元"),
            (999_900, "9,999元"),
            (50, "0.50元"),
            (0, "0元"),
            (-123_456_789_01, "-123,456,789.01元"),
        ] {
            assert_eq!(zh(Value::Money(fen)), text);
        }
        for (millionths, text) in [(918_531, "91.8531%"), (600_000, "60%"), (1_200_000, "120%"), (0, "0%"), (-5_000, "-0.5%")] {
            assert_eq!(zh(Value::Ratio(millionths)), text);
        }
    }

    #[test]
    fn durations_name_their_parts() {
        let hours = |n: i64| Span::hours(n).0;
        assert_eq!(plain(Value::Duration(hours(51))).as_deref(), Some("2d 3h"));
        assert_eq!(duration_zh(hours(30)), "1天6小时");
        assert_eq!(duration_zh(0), "0秒");
        assert_eq!(plain(Value::Duration(90_000_001)).as_deref(), Some("1m 30s"));
        assert_eq!(window_zh(Window::Exact(Span::hours(36))), "36小时");
        assert_eq!(window_zh(Window::WorkingDays(10)), "10个工作日");
        assert_eq!(window_zh(Window::Days(90)), "90天");
    }

    #[test]
    fn measured_values_are_exact() {
        assert_eq!(plain(Value::Money(126_840_000)).as_deref(), Some("1268400.00"));
        assert_eq!(plain(Value::Ratio(940_000)).as_deref(), Some("0.94"));
        assert_eq!(plain(Value::Null), None);
    }
}
