//! Parameters of rules: their types, ranges and values, and the exact reading of numbers.
//!
//! A parameter has a type that fits the place it is used in, a default with the reason for it, and mostly a range. Numbers are read exactly
//! or refused; nothing is ever rounded to fit.

use std::cmp::Ordering;
use std::fmt;

use weir_model::Span;
use weir_model::money::yuan;

use crate::diagnostic::{Code, Diagnostic, Place, Problem, Text, suggest};
use crate::read::{Fields, Reader, Scalar};
use crate::value::Window;
use crate::yaml::{Kind, Node};

/// Beyond this many fen, millionths or counts a number in a rule is a slip of the keyboard.
const NUMBER_MAX: i128 = 100_000_000_000_000_000;
/// Names `--set` uses itself.
const RESERVED: [&str; 2] = ["status", "variants"];

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParamType {
    /// `14d`, `36h`, `10wd`.
    Window,
    /// A whole number.
    Int,
    /// Yuan, at most two decimals.
    Money,
    /// At most six decimals.
    Ratio,
    /// `2d`, `36h`.
    Duration,
    /// A name: channel, tag, list, agreement, kind of party, rule.
    Text,
}

impl ParamType {
    const CHOICES: [(&'static str, Self); 6] = [
        ("window", Self::Window),
        ("int", Self::Int),
        ("money", Self::Money),
        ("ratio", Self::Ratio),
        ("duration", Self::Duration),
        ("text", Self::Text),
    ];

    /// The name in rule files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::CHOICES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }

    /// What a value looks like, for messages.
    fn form(self) -> Text {
        match self {
            Self::Window => Text::new(
                "a window such as 14d, 36h or 10wd, at most 400 days or 250 working days",
                "窗口，如 14d、36h、10wd，不超过 400 天或 250 个工作日",
            ),
            Self::Int => Text::new("a whole number", "整数"),
            Self::Money => {
                Text::new("yuan with at most two decimals, such as 600000 or 0.01", "以元为单位、至多两位小数的金额，如 600000、0.01")
            }
            Self::Ratio => Text::new("a decimal with at most six decimals, such as 0.8", "至多六位小数的比率，如 0.8"),
            Self::Duration => Text::new("a duration such as 2d or 36h", "时长，如 2d、36h"),
            Self::Text => Text::new("a text", "文字"),
        }
    }
}

/// A value of a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParamValue {
    /// A window.
    Window(Window),
    /// A whole number.
    Int(i64),
    /// Fen.
    Money(i64),
    /// Millionths.
    Ratio(i64),
    /// A duration.
    Duration(Span),
    /// A name.
    Text(String),
}

impl ParamValue {
    /// Reads a value of a type; `None` for what does not fit.
    #[must_use]
    pub fn parse(kind: ParamType, text: &str) -> Option<Self> {
        match kind {
            ParamType::Window => Window::parse(text).map(Self::Window),
            ParamType::Int => text.parse().ok().filter(|n: &i64| i128::from(n.unsigned_abs()) <= NUMBER_MAX).map(Self::Int),
            ParamType::Money => fixed(text, 2).ok().map(Self::Money),
            ParamType::Ratio => fixed(text, 6).ok().map(Self::Ratio),
            ParamType::Duration => Span::parse(text).map(Self::Duration),
            ParamType::Text => (!text.trim().is_empty()).then(|| Self::Text(text.to_owned())),
        }
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> ParamType {
        match self {
            Self::Window(_) => ParamType::Window,
            Self::Int(_) => ParamType::Int,
            Self::Money(_) => ParamType::Money,
            Self::Ratio(_) => ParamType::Ratio,
            Self::Duration(_) => ParamType::Duration,
            Self::Text(_) => ParamType::Text,
        }
    }

    /// Order of two values of one type; windows by length, a working day counting as 1.4 days.
    fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) | (Self::Money(a), Self::Money(b)) | (Self::Ratio(a), Self::Ratio(b)) => Some(a.cmp(b)),
            (Self::Duration(a), Self::Duration(b)) => Some(a.cmp(b)),
            (Self::Window(a), Self::Window(b)) => Some(window_length(*a).cmp(&window_length(*b))),
            _ => None,
        }
    }
}

impl fmt::Display for ParamValue {
    /// As it would be written in a rule file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => write!(f, "{window}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Money(fen) => f.write_str(&yuan(i128::from(*fen))),
            Self::Ratio(millionths) => f.write_str(&ratio_text(i128::from(*millionths))),
            Self::Duration(span) => write!(f, "{span}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

fn window_length(window: Window) -> i64 {
    match window {
        Window::Exact(span) => span.0,
        Window::Days(days) => Span::days(i64::from(days)).0,
        Window::WorkingDays(days) => Span::days(i64::from(days) * 7).0 / 5,
    }
}

/// Why a number does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NumberError {
    /// No plain decimal (exponents included).
    NotPlain,
    /// More decimals than allowed.
    TooPrecise,
    /// Beyond any sensible threshold.
    TooLarge,
}

/// `text × 10^places` as a whole number, exactly.
pub(crate) fn fixed(text: &str, places: usize) -> Result<i64, NumberError> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let is_digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !is_digits(whole) || !is_digits(fraction) {
        return Err(NumberError::NotPlain);
    }
    let fraction = fraction.trim_end_matches('0');
    if fraction.len() > places {
        return Err(NumberError::TooPrecise);
    }
    let padded = format!("{whole}{fraction:0<places$}");
    let value: i128 = padded.parse().map_err(|_| NumberError::TooLarge)?;
    if value > NUMBER_MAX {
        return Err(NumberError::TooLarge);
    }
    i64::try_from(if negative { -value } else { value }).map_err(|_| NumberError::TooLarge)
}

/// Millionths as a decimal without trailing zeros: `0.94`, `12`, `-0.5`.
pub(crate) fn ratio_text(millionths: i128) -> String {
    let sign = if millionths < 0 { "-" } else { "" };
    let magnitude = millionths.unsigned_abs();
    let (whole, fraction) = (magnitude / 1_000_000, magnitude % 1_000_000);
    if fraction == 0 {
        return format!("{sign}{whole}");
    }
    let fraction = format!("{fraction:06}");
    format!("{sign}{whole}.{}", fraction.trim_end_matches('0'))
}

/// A declared parameter.
#[derive(Debug, Clone)]
pub(crate) struct Param {
    /// Name, without the dollar sign.
    pub(crate) name: String,
    /// The name where it is declared.
    pub(crate) place: Place,
    /// Type.
    pub(crate) kind: ParamType,
    /// Default.
    pub(crate) default: ParamValue,
    /// Lowest value allowed.
    pub(crate) min: Option<ParamValue>,
    /// Highest value allowed.
    pub(crate) max: Option<ParamValue>,
    /// Name in Chinese; empty where the file gives none.
    pub(crate) zh: String,
    /// Reason for the default.
    pub(crate) why: String,
}

impl Param {
    /// Reads a value for this parameter and checks its range.
    pub(crate) fn value(&self, written: &Scalar) -> Result<ParamValue, Problem> {
        let value = parse_scalar(self.kind, written)?;
        let below = self.min.as_ref().is_some_and(|min| value.compare(min) == Some(Ordering::Less));
        let above = self.max.as_ref().is_some_and(|max| value.compare(max) == Some(Ordering::Greater));
        if !below && !above {
            return Ok(value);
        }
        let name = &self.name;
        let bound = |bound: &Option<ParamValue>| bound.as_ref().map_or("…".to_owned(), ToString::to_string);
        let range = format!("{} – {}", bound(&self.min), bound(&self.max));
        let message = Text::new(format!("`{name}` = {value} is outside its range"), format!("`{name}` = {value} 超出允许范围"));
        let help = Text::new(format!("allowed: {range}"), format!("允许范围：{range}"));
        Err(Box::new(Diagnostic::error(Code::OutOfRange, message).at(written.place()).help(help)))
    }
}

fn parse_scalar(kind: ParamType, written: &Scalar) -> Result<ParamValue, Problem> {
    ParamValue::parse(kind, &written.text).ok_or_else(|| {
        let form = kind.form();
        let message = Text::new(format!("`{}` is not {}", written.text, form.en), format!("`{}` 不是{}", written.text, form.zh));
        Box::new(Diagnostic::error(Code::BadParamValue, message).at(written.place()))
    })
}

/// A name in small letters, digits and underscores, beginning with a letter.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Reads the block `params:`.
pub(crate) fn read_params(reader: &mut Reader<'_>, node: &Node) -> Vec<Param> {
    let Kind::Mapping(entries) = &node.kind else {
        reader.wrong(node, Text::new("a mapping of parameters", "参数映射"));
        return Vec::new();
    };
    // `Fields` reports keys that stand there twice; the entries themselves are free names.
    let _ = Fields::of(reader, node);
    let mut params: Vec<Param> = Vec::new();
    for entry in entries {
        let place = Place { file: reader.file, span: entry.key_span.clone() };
        if !is_name(&entry.key) || RESERVED.contains(&entry.key.as_str()) {
            let message = Text::new(format!("`{}` is no name for a parameter", entry.key), format!("`{}` 不能用作参数名", entry.key));
            let help = Text::new(
                "small letters, digits and underscores; not `status` or `variants`",
                "用小写字母、数字和下划线；不能是 status 或 variants",
            );
            reader.error(Code::BadName, place.clone(), message, Some(help));
        }
        if let Some(param) = read_param(reader, &entry.key, place, &entry.value)
            && params.iter().all(|earlier| earlier.name != param.name)
        {
            params.push(param);
        }
    }
    params
}

fn read_param(reader: &mut Reader<'_>, name: &str, place: Place, node: &Node) -> Option<Param> {
    let mut fields = Fields::of(reader, node)?;
    let kind = fields.need_text(reader, "type").and_then(|kind| reader.choice(&kind, &ParamType::CHOICES));
    let default = fields.need(reader, "default").and_then(|node| reader.scalar(node));
    let min = fields.get("min").and_then(|node| reader.scalar(node));
    let max = fields.get("max").and_then(|node| reader.scalar(node));
    let zh = fields.text(reader, "zh").map_or(String::new(), |zh| zh.text);
    let why = fields.text(reader, "why");
    fields.finish(reader);
    if why.is_none() {
        let message = Text::new(format!("`{name}` does not say why its default is what it is"), format!("`{name}` 没有说明默认值的理由"));
        let help =
            Text::new("add `why: \"…\"`: the law, the data or the practice it rests on", "请加上 `why: \"…\"`：所依据的规定、数据或经验");
        reader.error(Code::NoReason, place.clone(), message, Some(help));
    }
    let kind = kind?;
    let mut read = |scalar: Option<Scalar>| match parse_scalar(kind, &scalar?) {
        Ok(value) => Some(value),
        Err(problem) => {
            reader.problems.push(*problem);
            None
        }
    };
    let (min_value, max_value) = (read(min.clone()), read(max.clone()));
    let _ = read(default.clone());
    check_range(reader, kind, [(&min, &min_value), (&max, &max_value)]);
    let default = default?;
    let mut param = Param {
        name: name.to_owned(),
        place,
        kind,
        default: ParamValue::parse(kind, &default.text)?,
        min: min_value,
        max: max_value,
        zh,
        why: why.map_or(String::new(), |why| why.text),
    };
    match param.value(&default) {
        Ok(value) => param.default = value,
        Err(problem) => reader.problems.push(*problem),
    }
    Some(param)
}

fn check_range(reader: &mut Reader<'_>, kind: ParamType, [min, max]: [(&Option<Scalar>, &Option<ParamValue>); 2]) {
    let Some(written) = min.0.as_ref().or(max.0.as_ref()) else { return };
    if kind == ParamType::Text {
        let message = Text::new("texts have no order, so they have no range", "文字没有大小，不能设范围");
        reader.error(Code::BadRange, written.place(), message, None);
        return;
    }
    if let (Some(low), Some(high)) = (min.1, max.1)
        && low.compare(high) == Some(Ordering::Greater)
    {
        let message = Text::new(format!("the range {low} – {high} is empty"), format!("范围 {low} – {high} 为空"));
        reader.error(Code::BadRange, written.place(), message, None);
    }
}

/// The values of a rule's parameters under one variant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Bindings {
    values: Vec<(String, ParamValue)>,
}

impl Bindings {
    /// The defaults.
    pub(crate) fn defaults(params: &[Param]) -> Self {
        Self { values: params.iter().map(|param| (param.name.clone(), param.default.clone())).collect() }
    }

    /// Replaces a value.
    pub(crate) fn set(&mut self, name: &str, value: ParamValue) {
        if let Some(slot) = self.values.iter_mut().find(|(known, _)| known == name) {
            slot.1 = value;
        }
    }

    /// The value of a parameter.
    pub(crate) fn get(&self, name: &str) -> Option<&ParamValue> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The declared names.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.values.iter().map(|(name, _)| name.as_str())
    }

    /// Name and text of every parameter, in order of declaration.
    pub(crate) fn texts(&self) -> Vec<(String, String)> {
        self.values.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
    }
}

/// Reports a parameter that is not declared.
pub(crate) fn unknown_param<'a>(name: &str, known: impl Iterator<Item = &'a str> + Clone, place: Place) -> Diagnostic {
    Diagnostic::error(Code::UnknownParam, Text::new(format!("unknown parameter `{name}`"), format!("参数 `{name}` 不存在")))
        .at(place)
        .help(suggest(name, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact_or_refused() {
        assert_eq!(fixed("500000", 2), Ok(50_000_000));
        assert_eq!(fixed("0.10", 2), Ok(10));
        assert_eq!(fixed("-0.5", 6), Ok(-500_000));
        assert_eq!(fixed("1.000", 0), Ok(1));
        assert_eq!(fixed("0.001", 2), Err(NumberError::TooPrecise));
        assert_eq!(fixed("1e3", 2), Err(NumberError::NotPlain));
        assert_eq!(fixed(".", 2), Err(NumberError::NotPlain));
        assert_eq!(fixed("99999999999999999999999999999999999999999999", 2), Err(NumberError::TooLarge));
    }

    #[test]
    fn values_show_as_they_are_written() {
        for (kind, text) in [
            (ParamType::Window, "10wd"),
            (ParamType::Int, "-3"),
            (ParamType::Money, "500000.00"),
            (ParamType::Ratio, "0.8"),
            (ParamType::Duration, "36h"),
            (ParamType::Text, "payroll"),
        ] {
            assert_eq!(ParamValue::parse(kind, text).map(|v| v.to_string()).as_deref(), Some(text));
        }
    }
}
