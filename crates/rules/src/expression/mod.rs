//! From the text of a condition to the typed tree: SQL parsing, the list of what is allowed, binding of parameters, exact literals.
//!
//! The text is parsed by DataFusion's SQL parser. This module then walks the syntax tree once and does three things at every node:
//!
//! 1. refuses what conditions may not contain, with the place of the very sub-expression and what to write instead;
//! 2. binds parameters and fits each literal exactly to the type of the feature it is compared with, so that no conversion is left for
//!    evaluation (a float literal against a money column would cast the whole column, and off by a fraction);
//! 3. builds the [`Formula`] and, side by side, a copy of the syntax tree in which feature calls have become columns and literals have become
//!    numbered places. The copy goes to DataFusion's planner ([`crate::plan`]), so operators and their precedence are read from the syntax tree
//!    twice, independently.
//!
//! It evaluates nothing and knows no rule.
mod call;
mod operand;
mod refusal;
mod text;

use std::ops::Range;

use datafusion_sql::sqlparser::ast::{BinaryOperator, Expr, Function, UnaryOperator};
use datafusion_sql::sqlparser::tokenizer::TokenWithSpan;
use weir_model::time::MICROS_PER_DAY;

pub(crate) use self::call::arg_words;
use self::operand::Constant;
use crate::catalogue::{Feature, ValueType};
use crate::diagnostic::{Code, Severity, Text};
use crate::logic::and;
use crate::param::Bindings;
use crate::set::{Comparison, Formula};
use crate::value::{FeatureCall, Value, Window};

/// What names a condition may use.
pub(crate) struct Scope<'a> {
    /// Parameters of the rule under one variant.
    pub(crate) bindings: &'a Bindings,
    /// Names of tags; their position is their bit.
    pub(crate) tags: &'a [String],
    /// Names of lists; their position is their index.
    pub(crate) lists: &'a [String],
}

/// A problem inside a condition: characters of its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Code.
    pub(crate) code: Code,
    /// Error or warning.
    pub(crate) severity: Severity,
    /// Characters (not bytes) of the text.
    pub(crate) range: Range<usize>,
    /// What is wrong.
    pub(crate) message: Text,
    /// What to do.
    pub(crate) help: Option<Text>,
}

/// A condition that passed.
#[derive(Debug, Clone)]
pub(crate) struct Bound {
    /// The typed tree.
    pub(crate) formula: Formula,
    /// The syntax tree with calls as quoted identifiers and literals as `$k` for `literals[k]`.
    pub(crate) sql: Expr,
    /// Values of the numbered places.
    pub(crate) literals: Vec<Value>,
    /// Distinct feature calls with the characters where each is written first, in order.
    pub(crate) calls: Vec<(FeatureCall, Range<usize>)>,
    /// Its comparisons, in order: what explanations speak of one by one.
    pub(crate) leaves: Vec<Formula>,
}

/// A feature call that stands alone, as in a sentence.
pub(crate) fn parse_call(text: &str, scope: &Scope<'_>, used: &mut Vec<String>) -> (Option<FeatureCall>, Vec<Fault>) {
    let mut walk = Walk::new(text, scope, used);
    let call = match walk.parse() {
        Ok(Expr::Function(function)) => walk.call(&function),
        Ok(other) => {
            let range = walk.range(&other);
            walk.fault(Code::UnknownFeature, range, Text::new("this is no feature call", "这不是指标调用"), None);
            None
        }
        Err(fault) => {
            walk.faults.push(fault);
            None
        }
    };
    (call.map(|(call, _)| call), walk.faults)
}

/// Reads a condition. Faults hold all problems found; a result beside them means that they are warnings. `used` collects the names of the
/// parameters that occur.
pub(crate) fn parse_condition(text: &str, scope: &Scope<'_>, used: &mut Vec<String>) -> (Option<Bound>, Vec<Fault>) {
    let mut walk = Walk::new(text, scope, used);
    let lowered = match walk.parse() {
        Ok(expr) => walk.condition(&expr),
        Err(fault) => {
            walk.faults.push(fault);
            None
        }
    };
    let failed = walk.faults.iter().any(|fault| fault.severity == Severity::Error);
    let Walk { literals, calls, leaves, faults, .. } = walk;
    let bound = lowered.filter(|_| !failed).map(|(formula, sql)| Bound { formula, sql, literals, calls, leaves });
    (bound, faults)
}

/// The two readings of a sub-expression.
type Lowered = (Formula, Expr);

/// One side of a comparison before its type is settled.
enum Side<'e> {
    /// A feature of a type.
    Call(Box<Lowered>, ValueType),
    /// A literal or parameter, to be fitted to the other side.
    Constant(Constant, &'e Expr),
}

struct Walk<'a> {
    text: &'a str,
    /// Characters of the text.
    length: usize,
    scope: &'a Scope<'a>,
    used: &'a mut Vec<String>,
    tokens: Vec<TokenWithSpan>,
    faults: Vec<Fault>,
    literals: Vec<Value>,
    calls: Vec<(FeatureCall, Range<usize>)>,
    leaves: Vec<Formula>,
}
impl<'a> Walk<'a> {
    fn new(text: &'a str, scope: &'a Scope<'a>, used: &'a mut Vec<String>) -> Self {
        Self {
            text,
            length: text.chars().count(),
            scope,
            used,
            tokens: Vec::new(),
            faults: Vec::new(),
            literals: Vec::new(),
            calls: Vec::new(),
            leaves: Vec::new(),
        }
    }

    fn fault(&mut self, code: Code, range: Range<usize>, message: Text, help: Option<Text>) {
        self.faults.push(Fault { code, severity: Severity::Error, range, message, help });
    }

    fn warn_same(&mut self, range: Range<usize>, outcome: bool, may_be_null: bool) {
        let message = always_same(outcome, may_be_null);
        self.faults.push(Fault { code: Code::AlwaysSame, severity: Severity::Warning, range, message, help: None });
    }

    /// An expression that is true or false.
    fn condition(&mut self, expr: &Expr) -> Option<Lowered> {
        match expr {
            Expr::Nested(inner) => {
                let (formula, sql) = self.condition(inner)?;
                Some((formula, Expr::Nested(Box::new(sql))))
            }
            Expr::BinaryOp { left, op: op @ (BinaryOperator::And | BinaryOperator::Or), right } => {
                // Both sides are walked before either is given up, so that one condition shows all its problems.
                let (left, right) = (self.condition(left), self.condition(right));
                let ((left, left_sql), (right, right_sql)) = (left?, right?);
                let sql = Expr::BinaryOp { left: Box::new(left_sql), op: op.clone(), right: Box::new(right_sql) };
                let join = if *op == BinaryOperator::And { Formula::And } else { Formula::Or };
                Some((join(Box::new(left), Box::new(right)), sql))
            }
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } if !matches!(unnest(inner), Expr::Function(_)) => {
                Some(negation(self.condition(inner)?))
            }
            _ => {
                let leaf = self.leaf(expr)?;
                self.leaves.push(leaf.0.clone());
                Some(leaf)
            }
        }
    }

    /// A condition that joins no others.
    fn leaf(&mut self, expr: &Expr) -> Option<Lowered> {
        match expr {
            Expr::BinaryOp { left, op, right } => self.comparison(expr, left, op, right),
            Expr::Between { expr: of, negated, low, high } => self.between(expr, of, *negated, low, high),
            Expr::InList { expr: of, list, negated } => self.in_list(of, list, *negated),
            Expr::IsNull(of) | Expr::IsNotNull(of) => self.is_null(of, matches!(expr, Expr::IsNotNull(_))),
            Expr::Function(function) => self.bare_call(expr, function),
            // `NOT agreement('payroll')` is one statement, not a negated one.
            Expr::UnaryOp { op: UnaryOperator::Not, expr: inner } => Some(negation(self.leaf(unnest(inner))?)),
            _ => {
                self.refuse(expr);
                None
            }
        }
    }

    fn bare_call(&mut self, expr: &Expr, function: &Function) -> Option<Lowered> {
        let (call, lowered) = self.call(function)?;
        if call.feature.entry().result != ValueType::Bool {
            let range = self.range(expr);
            let message =
                Text::new(format!("`{}` is a value, not a condition", call.feature), format!("`{}` 是数值，不是条件", call.feature));
            let help = Text::new("compare it: `… >= …`", "请与阈值比较：`… >= …`");
            self.fault(Code::NotACondition, range, message, Some(help));
            return None;
        }
        Some(lowered)
    }

    fn is_null(&mut self, of: &Expr, negated: bool) -> Option<Lowered> {
        let Expr::Function(function) = unnest(of) else {
            let range = self.range(of);
            let message = Text::new("only a feature can be asked for being missing", "只有指标可以判断是否缺失");
            self.fault(Code::NotAllowed, range, message, Some(Text::new("write `feature(…) IS NULL`", "请写成 `指标(…) IS NULL`")));
            return None;
        };
        let (_, (formula, sql)) = self.call(function)?;
        let formula = Formula::IsNull(Box::new(formula));
        if negated {
            return Some((Formula::Not(Box::new(formula)), Expr::IsNotNull(Box::new(sql))));
        }
        Some((formula, Expr::IsNull(Box::new(sql))))
    }

    fn comparison(&mut self, expr: &Expr, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Lowered> {
        let Some(comparison) = comparison_of(op) else {
            self.refuse(expr);
            return None;
        };
        let (left_side, right_side) = (self.side(left), self.side(right));
        let range = self.range(expr);
        let (measured, threshold, flipped) = match (left_side?, right_side?) {
            (Side::Constant(..), Side::Constant(..)) => {
                let message = Text::new("this comparison measures nothing", "该比较没有用到任何指标");
                self.fault(Code::NothingMeasured, range, message, Some(Text::new("put a feature on one side", "请在一侧写指标")));
                return None;
            }
            (Side::Call(a, a_type), Side::Call(b, b_type)) => return self.two_features(range, comparison, (*a, a_type), (*b, b_type), op),
            (Side::Call(call, kind), Side::Constant(constant, at)) => ((*call, kind), (constant, at), false),
            (Side::Constant(constant, at), Side::Call(call, kind)) => ((*call, kind), (constant, at), true),
        };
        let ((call, call_sql), kind) = measured;
        if kind == ValueType::Bool {
            self.bool_compared(range);
            return None;
        }
        let (literal, literal_sql) = self.fit(&threshold.0, threshold.1, kind)?;
        // The formula always measures on the left, so that explanations read one way; the planner sees what was written.
        let read = if flipped { mirrored(comparison) } else { comparison };
        if let (Formula::Call(of), Formula::Literal(value)) = (&call, &literal)
            && let Some(outcome) = always(of, read, *value)
        {
            self.warn_same(range, outcome, call.may_be_null());
        }
        let (left_sql, right_sql) = if flipped { (literal_sql, call_sql) } else { (call_sql, literal_sql) };
        let sql = Expr::BinaryOp { left: Box::new(left_sql), op: op.clone(), right: Box::new(right_sql) };
        Some((Formula::Compare(read, Box::new(call), Box::new(literal)), sql))
    }

    fn two_features(
        &mut self,
        range: Range<usize>,
        comparison: Comparison,
        (left, left_type): (Lowered, ValueType),
        (right, right_type): (Lowered, ValueType),
        op: &BinaryOperator,
    ) -> Option<Lowered> {
        if left_type == ValueType::Bool {
            self.bool_compared(range);
            return None;
        }
        if left_type != right_type {
            let (a, b) = (type_words(left_type), type_words(right_type));
            let message = Text::new(format!("{} is compared with {}", a.en, b.en), format!("{}与{}不能比较", a.zh, b.zh));
            self.fault(Code::TypeMismatch, range, message, None);
            return None;
        }
        let sql = Expr::BinaryOp { left: Box::new(left.1), op: op.clone(), right: Box::new(right.1) };
        Some((Formula::Compare(comparison, Box::new(left.0), Box::new(right.0)), sql))
    }

    fn bool_compared(&mut self, range: Range<usize>) {
        let message = Text::new("a yes-or-no feature stands alone, it is not compared", "是非类指标应单独使用，不作比较");
        let help = Text::new(
            "write `agreement('payroll')` or `NOT agreement('payroll')`",
            "请写 `agreement('payroll')` 或 `NOT agreement('payroll')`",
        );
        self.fault(Code::TypeMismatch, range, message, Some(help));
    }

    fn between(&mut self, expr: &Expr, of: &Expr, negated: bool, low: &Expr, high: &Expr) -> Option<Lowered> {
        let measured = self.measured(of);
        let (low_constant, high_constant) = (self.constant(low), self.constant(high));
        let ((call, call_sql), kind) = measured?;
        let (low_value, high_value) = (self.fit(&low_constant?, low, kind), self.fit(&high_constant?, high, kind));
        let ((low_value, low_sql), (high_value, high_sql)) = (low_value?, high_value?);
        if let (Formula::Call(of), Formula::Literal(a), Formula::Literal(b)) = (&call, &low_value, &high_value)
            && let Some(outcome) = always_between(of, *a, *b)
        {
            let range = self.range(expr);
            self.warn_same(range, outcome != negated, call.may_be_null());
        }
        let formula = Formula::Between(Box::new(call), Box::new(low_value), Box::new(high_value));
        let sql = Expr::Between { expr: Box::new(call_sql), negated, low: Box::new(low_sql), high: Box::new(high_sql) };
        Some((if negated { Formula::Not(Box::new(formula)) } else { formula }, sql))
    }

    fn in_list(&mut self, of: &Expr, list: &[Expr], negated: bool) -> Option<Lowered> {
        let measured = self.measured(of);
        let constants: Vec<Option<Constant>> = list.iter().map(|item| self.constant(item)).collect();
        let ((call, call_sql), kind) = measured?;
        let mut values = Vec::with_capacity(list.len());
        let mut sqls = Vec::with_capacity(list.len());
        for (constant, at) in constants.into_iter().zip(list) {
            let fitted = constant.and_then(|constant| self.fit(&constant, at, kind));
            if let Some((value, sql)) = fitted {
                values.push(value);
                sqls.push(sql);
            }
        }
        if values.len() != list.len() {
            return None;
        }
        let formula = Formula::In(Box::new(call), values);
        let sql = Expr::InList { expr: Box::new(call_sql), list: sqls, negated };
        Some((if negated { Formula::Not(Box::new(formula)) } else { formula }, sql))
    }

    /// A feature with an order, on the left of BETWEEN or IN.
    fn measured(&mut self, expr: &Expr) -> Option<(Lowered, ValueType)> {
        let range = self.range(expr);
        match self.side(expr)? {
            Side::Call(_, ValueType::Bool) => {
                self.bool_compared(range);
                None
            }
            Side::Call(lowered, kind) => Some((*lowered, kind)),
            Side::Constant(..) => {
                let message = Text::new("a feature belongs here", "此处应为指标");
                self.fault(Code::NothingMeasured, range, message, None);
                None
            }
        }
    }

    fn side<'e>(&mut self, expr: &'e Expr) -> Option<Side<'e>> {
        let inner = unnest(expr);
        if let Expr::Function(function) = inner {
            let (call, lowered) = self.call(function)?;
            return Some(Side::Call(Box::new(lowered), call.feature.entry().result));
        }
        Some(Side::Constant(self.constant(inner)?, inner))
    }
}

fn negation((formula, sql): Lowered) -> Lowered {
    // The brackets are the syntax tree's own: NOT of a lowered comparison must not be read as a comparison of a NOT.
    let sql = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(sql))) };
    (Formula::Not(Box::new(formula)), sql)
}
fn unnest(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}
fn comparison_of(op: &BinaryOperator) -> Option<Comparison> {
    Some(match op {
        BinaryOperator::Eq => Comparison::Equal,
        BinaryOperator::NotEq => Comparison::NotEqual,
        BinaryOperator::Lt => Comparison::Less,
        BinaryOperator::LtEq => Comparison::LessOrEqual,
        BinaryOperator::Gt => Comparison::Greater,
        BinaryOperator::GtEq => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

/// The operator with its sides exchanged.
fn mirrored(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Less => Comparison::Greater,
        Comparison::LessOrEqual => Comparison::GreaterOrEqual,
        Comparison::Greater => Comparison::Less,
        Comparison::GreaterOrEqual => Comparison::LessOrEqual,
        same => same,
    }
}

/// What is said of a condition whose outcome is always the same.
pub(crate) fn always_same(outcome: bool, may_be_null: bool) -> Text {
    let (en, zh) = if outcome { ("true", "真") } else { ("false", "假") };
    if may_be_null {
        return Text::new(format!("this is always {en}, or cannot be evaluated"), format!("该条件恒为{zh}，或无法评估"));
    }
    Text::new(format!("this is always {en}"), format!("该条件恒为{zh}"))
}

/// The number inside a literal, in its smallest unit; of yes and no 1 and 0.
pub(crate) fn number(value: Value) -> i128 {
    match value {
        Value::Int(n) | Value::Duration(n) => n.into(),
        Value::Money(n) | Value::Ratio(n) => n,
        Value::Bool(truth) => truth.into(),
        Value::Null => 0,
    }
}

/// Whether a feature's range decides the comparison: nothing measured is negative, and some have a greatest value.
fn always(call: &FeatureCall, comparison: Comparison, threshold: Value) -> Option<bool> {
    let threshold = number(threshold);
    let max = most(call);
    let above = max.is_some_and(|max| threshold > max);
    match comparison {
        Comparison::GreaterOrEqual if threshold <= 0 => Some(true),
        Comparison::Greater if threshold < 0 => Some(true),
        Comparison::Less if threshold <= 0 => Some(false),
        Comparison::LessOrEqual | Comparison::Equal if threshold < 0 => Some(false),
        Comparison::NotEqual if threshold < 0 => Some(true),
        Comparison::GreaterOrEqual | Comparison::Greater | Comparison::Equal if above => Some(false),
        Comparison::Less | Comparison::LessOrEqual | Comparison::NotEqual if above => Some(true),
        Comparison::Greater if max == Some(threshold) => Some(false),
        Comparison::LessOrEqual if max == Some(threshold) => Some(true),
        _ => None,
    }
}

/// The same of a range, which may also end before it begins.
fn always_between(call: &FeatureCall, low: Value, high: Value) -> Option<bool> {
    if number(low) > number(high) {
        return Some(false);
    }
    and(always(call, Comparison::GreaterOrEqual, low), || always(call, Comparison::LessOrEqual, high))
}

/// The greatest value there can be, in its smallest unit: shares end at 1, days and stays with their window. `None` where nothing bounds it.
fn most(call: &FeatureCall) -> Option<i128> {
    let days = || call.window().map(Window::days_most);
    match call.feature {
        Feature::ActiveDays
        | Feature::CashDaysIn
        | Feature::CashDaysOut
        | Feature::OrganisationDaysIn
        | Feature::SamePayeeDays
        | Feature::CommissionDays
        | Feature::OutBatches => days(),
        Feature::BatchPeriod => days().map(|days| days - 1),
        // What came at the very beginning of an exact window came after it.
        Feature::HoldingTime => match call.window()? {
            Window::Exact(span) => Some(i128::from(span.0) - 1),
            window => Some((window.days_most() - 1) * i128::from(MICROS_PER_DAY)),
        },
        feature => (feature.entry().result == ValueType::Ratio && is_share(feature)).then_some(1_000_000),
    }
}

/// Ratios that are parts of a whole; the others compare two different sums. A new one that may be above 1 must be among these, or its conditions are
/// said never to hold: no compiler notices.
fn is_share(feature: Feature) -> bool {
    !matches!(
        feature,
        Feature::PassThrough
            | Feature::PassThroughBefore
            | Feature::SpreadOut
            | Feature::BalanceLeft
            | Feature::InflowRatio
            | Feature::PayoutRatio
            | Feature::PayoutRatioSpread
            | Feature::FirstTimeSurge
    )
}

/// The name of a type, with an article.
pub(crate) fn type_words(kind: ValueType) -> Text {
    match kind {
        ValueType::Int => Text::new("a count", "计数"),
        ValueType::Money => Text::new("an amount", "金额"),
        ValueType::Ratio => Text::new("a ratio", "比率"),
        ValueType::Duration => Text::new("a duration", "时长"),
        ValueType::Bool => Text::new("a yes-or-no value", "是非值"),
    }
}
