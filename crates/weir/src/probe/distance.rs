//! How far a value is from what was asked of it: exact, in the unit of its feature, and in words.
//!
//! Values come as an alert tells them, as text; they are compared as whole numbers, never as floats. Nothing is decided here: whether a condition
//! holds, the alert says.

use weir_model::Span;
use weir_model::alert::Condition;
use weir_rules::Unit;

use crate::language::{Lang, say};

/// How far a value is from what was asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Distance {
    /// A decimal; for lengths of time as they are measured, `1d 2h`.
    pub(crate) by: String,
    /// Of what.
    pub(crate) unit: Unit,
}

impl Distance {
    /// By how much a condition misses; `None` where it holds or cannot be evaluated.
    pub(crate) fn of(condition: &Condition, unit: Option<Unit>) -> Option<Self> {
        let (unit, measured, threshold) = (unit?, condition.measured.as_deref()?, condition.threshold.as_deref()?);
        if condition.met != Some(false) {
            return None;
        }
        let read = if unit == Unit::Time { seconds } else { millionths };
        let measured = read(measured)?;
        // Between two bounds the nearer one counts.
        let apart = threshold.split(" – ").filter_map(|bound| Some(measured.abs_diff(read(bound)?))).min()?;
        let by = match unit {
            Unit::Time => length(apart),
            Unit::Points => decimal(apart * 100),
            _ => decimal(apart),
        };
        Some(Self { by, unit })
    }

    /// `差 1 人`, `off by 1 person`.
    pub(crate) fn words(&self, lang: Lang) -> String {
        let Self { by, unit } = self;
        if matches!(by.as_str(), "0" | "0s") {
            return lang.of("恰在界上", "exactly at the limit").to_owned();
        }
        let by = match (unit, lang) {
            (Unit::Time, Lang::Zh) => by.replace('d', "天").replace('h', "小时").replace('m', "分钟").replace('s', "秒").replace(' ', ""),
            (Unit::Yuan, _) => grouped(by),
            _ => by.clone(),
        };
        match unit {
            Unit::Time => say!(lang, "差 {by}", "off by {by}"),
            _ => {
                let unit = lang.of(unit.zh(), singular(unit.en(), &by));
                say!(lang, "差 {by} {unit}", "off by {by} {unit}")
            }
        }
    }
}

/// A decimal of at most six places, in millionths; `None` for anything else.
fn millionths(text: &str) -> Option<i128> {
    const PLACES: usize = 6;
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_decimal = !whole.is_empty() && fraction.len() <= PLACES && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: i128 = is_decimal.then(|| format!("{whole}{fraction:0<PLACES$}").parse().ok())??;
    Some(sign * value)
}

/// Millionths without zeros at the end.
fn decimal(millionths: u128) -> String {
    let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2d 3h` in seconds.
fn seconds(text: &str) -> Option<i128> {
    text.split(' ').map(|part| Span::parse(part).or_else(|| (part == "0s").then_some(Span(0)))).try_fold(0, |sum, part| {
        let span = part?;
        Some(sum + i128::from(span.0 / weir_model::time::MICROS_PER_SEC))
    })
}

/// Seconds as lengths of time are measured.
fn length(seconds: u128) -> String {
    let mut rest = seconds;
    let mut parts = Vec::new();
    for (unit, length) in [("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)] {
        let count = rest / length;
        rest %= length;
        if count > 0 {
            parts.push(format!("{count}{unit}"));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

/// An English unit behind a number: the forms that [`Unit::en`] gives are those of many.
fn singular(unit: &'static str, by: &str) -> &'static str {
    match unit {
        "people" if by == "1" => "person",
        "times" | "people" => unit,
        _ if by == "1" => unit.trim_end_matches('s'),
        _ => unit,
    }
}

/// Yuan with thousands apart; fen are shown where there are any.
fn grouped(yuan: &str) -> String {
    let (whole, fraction) = yuan.split_once('.').unwrap_or((yuan, ""));
    let fraction = if fraction.is_empty() { String::new() } else { format!(".{fraction:0<2}") };
    whole.parse().map_or_else(|_| yuan.to_owned(), |whole| format!("{}{fraction}", crate::terminal::grouped(whole)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(measured: &str, threshold: &str, unit: Unit, expected: Option<&str>) {
        let condition = Condition {
            text: String::new(),
            measured: Some(measured.to_owned()),
            threshold: Some(threshold.to_owned()),
            met: Some(false),
            points: None,
            clause: None,
            explain: String::new(),
            parts: None,
        };
        let found = Distance::of(&condition, Some(unit)).map(|distance| distance.words(Lang::En));
        assert_eq!(found.as_deref(), expected, "{measured} {threshold}");
        let met = Condition { met: Some(true), ..condition.clone() };
        assert_eq!(Distance::of(&met, Some(unit)), None);
        assert_eq!(Distance::of(&condition, None), None);
    }

    #[test]
    fn distances_are_exact_and_have_units() {
        check("14", "15", Unit::People, Some("off by 1 person"));
        check("12", "15", Unit::People, Some("off by 3 people"));
        check("499999.99", "500000.00", Unit::Yuan, Some("off by 0.01 yuan"));
        check("1000000.50", "2000000.00", Unit::Yuan, Some("off by 999,999.50 yuan"));
        check("0.61", "0.7", Unit::Points, Some("off by 9 percentage points"));
        check("2.1", "3", Unit::Multiples, Some("off by 0.9 times"));
        check("2d 3h", "2d", Unit::Time, Some("off by 3h"));
        check("0s", "1d", Unit::Time, Some("off by 1d"));
        check("84", "85 – 97", Unit::Days, Some("off by 1 day"));
        check("99", "85 – 97", Unit::Days, Some("off by 2 days"));
        check("10", "10", Unit::People, Some("exactly at the limit"));
        check("a", "b, c", Unit::None, None);
        check("-1", "1", Unit::Hits, Some("off by 2 hits"));
    }

    #[test]
    fn lengths_of_time_are_told_in_chinese() {
        let distance = Distance { by: "1d 2h".to_owned(), unit: Unit::Time };
        assert_eq!(distance.words(Lang::Zh), "差 1天2小时");
        assert_eq!(Distance { by: "0.09".to_owned(), unit: Unit::Points }.words(Lang::Zh), "差 0.09 个百分点");
    }
}
