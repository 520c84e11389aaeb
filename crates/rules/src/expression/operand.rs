//! Literals and parameters: bound, and fitted exactly to the type they are compared with.

use std::ops::Range;

use datafusion_sql::sqlparser::ast::{Expr, UnaryOperator, Value as SqlValue, ValueWithSpan};
use weir_model::Span;

use super::{Lowered, Walk, type_words, unnest};
use crate::catalogue::ValueType;
use crate::diagnostic::{Code, Text, suggest};
use crate::param::{NumberError, ParamValue, fixed};
use crate::set::Formula;
use crate::value::Value;

/// A literal or parameter as written.
#[derive(Debug, Clone)]
pub(super) enum Constant {
    /// A number, with its sign.
    Number(String),
    /// A quoted text.
    Quoted(String),
    /// A parameter with its value.
    Param(String, ParamValue),
}

impl Walk<'_> {
    pub(super) fn constant(&mut self, expr: &Expr) -> Option<Constant> {
        let range = self.range(expr);
        match unnest(expr) {
            Expr::UnaryOp { op: UnaryOperator::Minus, expr: inner } => match self.constant(inner)? {
                Constant::Number(digits) => Some(Constant::Number(format!("-{digits}"))),
                _ => {
                    let message = Text::new("a minus sign stands before numbers only", "负号只能用于数字");
                    self.fault(Code::NotAllowed, range, message, None);
                    None
                }
            },
            Expr::Value(ValueWithSpan { value: SqlValue::Number(digits, false), .. }) => Some(Constant::Number(digits.clone())),
            Expr::Value(ValueWithSpan { value: SqlValue::SingleQuotedString(text), .. }) => Some(Constant::Quoted(text.clone())),
            Expr::Value(ValueWithSpan { value: SqlValue::Placeholder(name), .. }) => self.param(name.trim_start_matches('$'), range),
            Expr::Function(_) => {
                let message = Text::new("a literal or parameter belongs here, not a feature", "此处应为数值或参数，不能是指标");
                self.fault(Code::NotAllowed, range, message, None);
                None
            }
            other => {
                self.refuse(other);
                None
            }
        }
    }

    fn param(&mut self, name: &str, range: Range<usize>) -> Option<Constant> {
        let Some(value) = self.scope.bindings.get(name) else {
            let message = Text::new(format!("unknown parameter `${name}`"), format!("参数 `${name}` 不存在"));
            let help = suggest(name, self.scope.bindings.names());
            self.fault(Code::UnknownParam, range, message, Some(help));
            return None;
        };
        if !self.used.iter().any(|used| used == name) {
            self.used.push(name.to_owned());
        }
        Some(Constant::Param(name.to_owned(), value.clone()))
    }

    /// Fits a constant exactly to a type and gives it a numbered place.
    pub(super) fn fit(&mut self, constant: &Constant, at: &Expr, kind: ValueType) -> Option<Lowered> {
        let range = self.range(at);
        let value = match (constant, kind) {
            (Constant::Number(digits), ValueType::Int) => Some(Value::Int(self.number(digits, 0, range)?)),
            (Constant::Number(digits), ValueType::Money) => Some(Value::Money(self.number(digits, 2, range)?.into())),
            (Constant::Number(digits), ValueType::Ratio) => Some(Value::Ratio(self.number(digits, 6, range)?.into())),
            (Constant::Quoted(text), ValueType::Duration) => Span::parse(text).map(|span| Value::Duration(span.0)),
            (Constant::Param(_, ParamValue::Int(n)), ValueType::Int) => Some(Value::Int(*n)),
            (Constant::Param(_, ParamValue::Money(fen)), ValueType::Money) => Some(Value::Money((*fen).into())),
            (Constant::Param(_, ParamValue::Ratio(n)), ValueType::Ratio) => Some(Value::Ratio((*n).into())),
            (Constant::Param(_, ParamValue::Duration(span)), ValueType::Duration) => Some(Value::Duration(span.0)),
            _ => None,
        };
        let Some(value) = value else {
            self.misfit(constant, at, kind);
            return None;
        };
        self.literals.push(value);
        let place = SqlValue::Placeholder(format!("${}", self.literals.len()));
        Some((Formula::Literal(value), Expr::Value(place.with_empty_span())))
    }

    /// `digits × 10^places`; `None` where the number was refused and reported.
    pub(super) fn number(&mut self, digits: &str, places: usize, at: Range<usize>) -> Option<i64> {
        let (message, help) = match fixed(digits, places) {
            Ok(value) => return Some(value),
            Err(NumberError::TooPrecise) if places == 0 => (
                Text::new("this is compared with a count, which has no decimals", "与计数比较，不能带小数"),
                Text::new("write a whole number", "请写整数"),
            ),
            Err(NumberError::TooPrecise) => (
                Text::new(
                    format!("more than {places} decimals: it would have to be rounded"),
                    format!("超过 {places} 位小数，只能取整，因此拒绝"),
                ),
                Text::new(format!("at most {places} decimals"), format!("至多 {places} 位小数")),
            ),
            Err(NumberError::NotPlain) => (
                Text::new("not a plain number", "不是普通数字"),
                Text::new("write the digits out, without an exponent", "请写出全部数字，不用指数"),
            ),
            Err(NumberError::TooLarge) => {
                (Text::new("this number is too large", "数字过大"), Text::new("check its unit: money is in yuan", "请核对单位：金额以元计"))
            }
        };
        self.fault(Code::LiteralPrecision, at, message, Some(help));
        None
    }

    fn misfit(&mut self, constant: &Constant, at: &Expr, kind: ValueType) {
        let wanted = type_words(kind);
        let found = match constant {
            Constant::Number(digits) => Text::new(format!("the number {digits}"), format!("数字 {digits}")),
            Constant::Quoted(text) => Text::new(format!("the text '{text}'"), format!("文字 '{text}'")),
            Constant::Param(name, value) => {
                let kind = value.kind().name();
                Text::new(format!("`${name}` of type {kind}"), format!("{kind} 类型的参数 `${name}`"))
            }
        };
        let message = Text::new(format!("{} is compared with {}", wanted.en, found.en), format!("{}不能与{}比较", wanted.zh, found.zh));
        let help = match kind {
            ValueType::Int => Text::new("write a whole number or a parameter of type int", "请写整数或 int 类型的参数"),
            ValueType::Money => {
                Text::new("write yuan, e.g. 500000, or a parameter of type money", "请写以元为单位的金额，如 500000，或 money 类型的参数")
            }
            ValueType::Ratio => {
                Text::new("write a decimal, e.g. 0.8, or a parameter of type ratio", "请写小数，如 0.8，或 ratio 类型的参数")
            }
            ValueType::Duration => Text::new(
                "write a duration in quotes, e.g. '2d', or a parameter of type duration",
                "请写带引号的时长，如 '2d'，或 duration 类型的参数",
            ),
            ValueType::Bool => Text::new("it stands alone", "应单独使用"),
        };
        let range = self.range(at);
        self.fault(Code::TypeMismatch, range, message, Some(help));
    }
}
