//! Reason sentences: Chinese text with places for values.
//!
//! `{natural_payers}` is the first call of that feature in the rule's variant, `{payees($window)}` a call written out, `{min_payers}` or
//! `{$min_payers}` a parameter (a name that could be either is refused, lest a sentence show a limit for a measurement); after a bar stands a filter: `万元` for money, `%` for ratios, `zh` for windows and durations. `{{` and `}}` are braces.
//! A multiple without a filter is a bare number, as counts are: the sentence itself says 倍 or 人 behind it. Parameters are put in when the rule set is
//! loaded; only feature values are left for rendering.

use std::ops::Range;

use crate::catalogue::{Feature, ValueType};
use crate::diagnostic::{Code, Severity, Text, suggest};
use crate::expression::{Fault, Scope, parse_call, type_words};
use crate::format;
use crate::param::ParamValue;
use crate::set::SlotId;
use crate::unit::Unit;
use crate::value::{FeatureCall, Value};

/// A checked template; the default one says nothing.
#[derive(Debug, Clone, Default)]
pub struct Template {
    parts: Vec<Part<SlotId>>,
}

/// A piece of a sentence; `S` is how it names a feature value.
#[derive(Debug, Clone)]
pub(crate) enum Part<S> {
    /// As it stands.
    Text(String),
    /// A value of a feature.
    Value(S, Filter),
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    /// As in any Chinese sentence.
    Plain,
    /// 万元.
    Wan,
    /// Per cent.
    Percent,
    /// A multiple as a bare number.
    Times,
}

impl Template {
    pub(crate) fn new(parts: Vec<Part<SlotId>>) -> Self {
        Self { parts }
    }

    /// Whether it says nothing at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The sentence for one row of slot values; NULL reads 未知.
    #[must_use]
    pub fn render(&self, values: &[Value]) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Value(slot, filter) => text.push_str(&show(values.get(*slot).copied().unwrap_or(Value::Null), *filter)),
            }
        }
        text
    }
}

fn show(value: Value, filter: Filter) -> String {
    match (value, filter) {
        (Value::Money(fen), Filter::Wan) => format::wan(fen),
        (Value::Ratio(millionths), Filter::Percent) => format::percent(millionths),
        (Value::Ratio(millionths), Filter::Times) => format::times(millionths),
        (value, _) => format::zh(value),
    }
}

/// Reads a sentence of a variant whose conditions make `calls`. Faults hold characters of the text.
pub(crate) fn parse(text: &str, scope: &Scope<'_>, calls: &[FeatureCall], used: &mut Vec<String>) -> (Vec<Part<FeatureCall>>, Vec<Fault>) {
    let mut parts = Vec::new();
    let mut faults = Vec::new();
    for piece in pieces(text, &mut faults) {
        match piece {
            Piece::Text(fixed) => parts.push(Part::Text(fixed)),
            Piece::Place(inner, start) => match resolve(&inner, start, scope, calls, used) {
                Ok(part) => parts.push(part),
                Err(more) => faults.extend(more),
            },
        }
    }
    (parts, faults)
}

enum Piece {
    Text(String),
    /// Text between braces and the character it begins at.
    Place(String, usize),
}

fn pieces(text: &str, faults: &mut Vec<Fault>) -> Vec<Piece> {
    let chars: Vec<char> = text.chars().collect();
    let mut pieces = Vec::new();
    let mut fixed = String::new();
    let mut at = 0;
    while let Some(&c) = chars.get(at) {
        if (c == '{' || c == '}') && chars.get(at + 1) == Some(&c) {
            fixed.push(c);
            at += 2;
            continue;
        }
        let close = if c == '{' { partner(&chars, at) } else { None };
        match (c, close) {
            ('{', Some(close)) if close > at + 1 => {
                if !fixed.is_empty() {
                    pieces.push(Piece::Text(std::mem::take(&mut fixed)));
                }
                pieces.push(Piece::Place(chars[at + 1..close].iter().collect(), at + 1));
                at = close + 1;
            }
            ('{' | '}', _) => {
                let (en, zh) = if close.is_some() {
                    ("nothing stands between the braces", "花括号中没有内容")
                } else {
                    ("this brace has no partner", "花括号不成对")
                };
                faults.push(fault(
                    Code::BadTemplate,
                    at..at + 1,
                    Text::new(en, zh),
                    Some(Text::new("write `{{` or `}}` for a brace itself", "花括号本身写成 `{{` 或 `}}`")),
                ));
                at += 1;
            }
            _ => {
                fixed.push(c);
                at += 1;
            }
        }
    }
    if !fixed.is_empty() {
        pieces.push(Piece::Text(fixed));
    }
    pieces
}

/// The closing brace of the one at `open`; a further opening brace before it leaves this one without.
fn partner(chars: &[char], open: usize) -> Option<usize> {
    let next = open + 1 + chars[open + 1..].iter().position(|c| *c == '{' || *c == '}')?;
    (chars[next] == '}').then_some(next)
}

fn fault(code: Code, range: Range<usize>, message: Text, help: Option<Text>) -> Fault {
    Fault { code, severity: Severity::Error, range, message, help }
}

fn resolve(
    inner: &str,
    start: usize,
    scope: &Scope<'_>,
    calls: &[FeatureCall],
    used: &mut Vec<String>,
) -> Result<Part<FeatureCall>, Vec<Fault>> {
    let (name, filter) = inner.split_once('|').map_or((inner, None), |(name, filter)| (name, Some(filter.trim())));
    let name_chars = name.chars().count();
    let name_range = start..start + name_chars;
    let filter_range = start + name_chars + 1..start + inner.chars().count();
    let name = name.trim();
    if name.contains('(') {
        let (call, mut faults) = parse_call(name, scope, used);
        for fault in &mut faults {
            fault.range = start + fault.range.start..start + fault.range.end;
        }
        return match call {
            Some(call) if faults.is_empty() => feature_part(call, filter, filter_range).map_err(|fault| vec![fault]),
            _ => Err(faults),
        };
    }
    let (parameter, is_explicit) = name.strip_prefix('$').map_or((name, false), |name| (name, true));
    let call = calls.iter().find(|call| !is_explicit && call.feature.entry().name == name);
    if let Some(value) = scope.bindings.get(parameter) {
        if let Some(call) = call {
            return Err(vec![ambiguous(name, call, name_range)]);
        }
        let name = parameter;
        if !used.iter().any(|known| known == name) {
            used.push(name.to_owned());
        }
        return param_text(value, filter, filter_range).map(Part::Text).map_err(|fault| vec![fault]);
    }
    if let Some(call) = call {
        return feature_part(call.clone(), filter, filter_range).map_err(|fault| vec![fault]);
    }
    let help = if Feature::by_name(name).is_some() {
        Text::new(
            format!("no condition of this variant uses it; write the call out: `{{{name}($window)}}`"),
            format!("该变体的条件没有用到它；请写出完整调用：`{{{name}($window)}}`"),
        )
    } else {
        suggest(name, scope.bindings.names().chain(calls.iter().map(|call| call.feature.entry().name)))
    };
    let message = Text::new(format!("unknown name `{name}`"), format!("名称 `{name}` 不存在"));
    Err(vec![fault(Code::UnknownTemplateName, name_range, message, Some(help))])
}

/// A parameter bears the name of a feature that the variant measures.
fn ambiguous(name: &str, call: &FeatureCall, range: Range<usize>) -> Fault {
    let message =
        Text::new(format!("`{name}` is a parameter and a feature of this variant"), format!("`{name}` 既是参数，又是该变体用到的指标"));
    let written = if call.args.is_empty() { format!("{name}()") } else { format!("{name}($window)") };
    let help = Text::new(
        format!("write `{{{written}}}` for what was measured, `{{${name}}}` for the parameter"),
        format!("测得的值写 `{{{written}}}`，参数写 `{{${name}}}`"),
    );
    fault(Code::AmbiguousName, range, message, Some(help))
}

fn feature_part(call: FeatureCall, filter: Option<&str>, range: Range<usize>) -> Result<Part<FeatureCall>, Fault> {
    let kind = call.feature.entry().result;
    let filter = match (filter, kind) {
        (None, ValueType::Ratio) if call.feature.unit() == Unit::Multiples => Filter::Times,
        (None, _) | (Some("zh"), ValueType::Duration) => Filter::Plain,
        (Some("万元"), ValueType::Money) => Filter::Wan,
        (Some("%"), ValueType::Ratio) => Filter::Percent,
        (Some(filter), _) => {
            let words = type_words(kind);
            return Err(bad_filter(filter, range, &words));
        }
    };
    Ok(Part::Value(call, filter))
}

fn param_text(value: &ParamValue, filter: Option<&str>, range: Range<usize>) -> Result<String, Fault> {
    Ok(match (value, filter) {
        (ParamValue::Money(fen), Some("万元")) => format::wan(i128::from(*fen)),
        (ParamValue::Money(fen), None) => format::zh(Value::Money(i128::from(*fen))),
        (ParamValue::Ratio(millionths), Some("%")) => format::percent(i128::from(*millionths)),
        (ParamValue::Window(window), Some("zh")) => format::window_zh(*window),
        (ParamValue::Duration(span), None | Some("zh")) => format::duration_zh(span.0),
        (value, None) => value.to_string(),
        (value, Some(filter)) => {
            let kind = value.kind().name();
            return Err(bad_filter(filter, range, &Text::new(format!("a parameter of type {kind}"), format!("{kind} 类型的参数"))));
        }
    })
}

fn bad_filter(filter: &str, range: Range<usize>, words: &Text) -> Fault {
    let (message, help) = if ["万元", "%", "zh"].contains(&filter) {
        (
            Text::new(format!("`{filter}` does not fit {}", words.en), format!("过滤器 `{filter}` 不适用于{}", words.zh)),
            Text::new(
                "`万元` is for money, `%` for ratios, `zh` for windows and durations",
                "`万元` 用于金额，`%` 用于比率，`zh` 用于窗口和时长",
            ),
        )
    } else {
        (
            Text::new(format!("unknown filter `{filter}`"), format!("过滤器 `{filter}` 不存在")),
            Text::new("there are `万元`, `%` and `zh`", "可用的有 `万元`、`%` 和 `zh`"),
        )
    };
    fault(Code::BadFilter, range, message, Some(help))
}
