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

use std::ops::Range;

use datafusion_sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned, UnaryOperator, Value as SqlValue,
    ValueWithSpan,
};
use datafusion_sql::sqlparser::dialect::Dialect;
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Location, Span as SqlSpan, Token, TokenWithSpan, Tokenizer};
use weir_model::{AgreementKind, Channel, PartyKind, Span};

use crate::catalogue::{ArgKind, CATALOGUE, Feature, ValueType, Windows};
use crate::diagnostic::{Code, Severity, Text, suggest};
use crate::param::{Bindings, NumberError, ParamValue, fixed};
use crate::set::{Comparison, Formula};
use crate::value::{Arg, EXACT_WINDOW_MAX, FeatureCall, Value, Window};

/// Brackets nested deeper than this are refused.
const DEPTH_MAX: usize = 64;
/// ANDs and ORs of one condition; the planner walks them recursively.
const JOINS_MAX: usize = 64;

/// The SQL that conditions are written in: identifiers, `$name` parameters, and none of any dialect's extras.
#[derive(Debug)]
struct ConditionDialect;

impl Dialect for ConditionDialect {
    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphanumeric() || ch == '_'
    }

    // Without it `$a$` would begin a dollar-quoted text.
    fn supports_dollar_placeholder(&self) -> bool {
        true
    }
}

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
    /// Its comparisons, in order, in both readings: what explanations speak of one by one.
    pub(crate) leaves: Vec<(Formula, Expr)>,
}

/// A feature call that stands alone, as in a sentence.
pub(crate) fn parse_call(text: &str, scope: &Scope<'_>, used: &mut Vec<String>) -> (Option<FeatureCall>, Vec<Fault>) {
    let mut walk = Walk::new(text, scope, used);
    let call = match walk.parse() {
        Ok(Expr::Function(function)) => walk.call(&function),
        Ok(other) => {
            let range = walk.range(&other);
            walk.fault(Code::UnknownFeature, range, Text::new("this is no feature call", "这不是特征调用"), None);
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
    Call(Lowered, ValueType),
    /// A literal or parameter, to be fitted to the other side.
    Constant(Constant, &'e Expr),
}

/// A literal or parameter as written.
#[derive(Debug, Clone)]
enum Constant {
    /// A number, with its sign.
    Number(String),
    /// A quoted text.
    Quoted(String),
    /// A parameter with its value.
    Param(String, ParamValue),
}

struct Walk<'a> {
    text: &'a str,
    scope: &'a Scope<'a>,
    used: &'a mut Vec<String>,
    tokens: Vec<TokenWithSpan>,
    faults: Vec<Fault>,
    literals: Vec<Value>,
    calls: Vec<(FeatureCall, Range<usize>)>,
    leaves: Vec<Lowered>,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str, scope: &'a Scope<'a>, used: &'a mut Vec<String>) -> Self {
        Self { text, scope, used, tokens: Vec::new(), faults: Vec::new(), literals: Vec::new(), calls: Vec::new(), leaves: Vec::new() }
    }

    // Parsing.

    fn parse(&mut self) -> Result<Expr, Fault> {
        let tokens = Tokenizer::new(&ConditionDialect, self.text).tokenize_with_location().map_err(|error| {
            let at = self.char_at(error.location);
            self.syntax(at..at + 1, &error.message, &error.message)
        })?;
        let joins =
            tokens.iter().filter(|token| matches!(&token.token, Token::Word(word) if matches!(word.keyword, Keyword::AND | Keyword::OR)));
        if joins.count() > JOINS_MAX {
            return Err(self.too_complex(&format!("more than {JOINS_MAX} AND and OR"), &format!("AND 和 OR 超过 {JOINS_MAX} 个")));
        }
        self.tokens.clone_from(&tokens);
        let mut parser = Parser::new(&ConditionDialect).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens);
        let expr = parser.parse_expr().map_err(|error| self.parser_fault(error))?;
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            let range = self.span_range(rest.span);
            let found = &rest.token;
            return Err(self.syntax(
                range,
                &format!("nothing may follow here, found `{found}`"),
                &format!("此处不应再有内容，实为 `{found}`"),
            ));
        }
        Ok(expr)
    }

    /// The parser gives the place in its message only, and none at the end of the text.
    fn parser_fault(&self, error: ParserError) -> Fault {
        let end = self.text.chars().count();
        let message = match error {
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
            ParserError::RecursionLimitExceeded => return self.too_complex("brackets are nested too deeply", "括号嵌套过深"),
        };
        let Some((message, place)) = message.rsplit_once(" at Line: ") else {
            return self.syntax(end..end, &message.replace("EOF", "the end"), &expected_zh(&message));
        };
        let location = place
            .split_once(", Column: ")
            .and_then(|(line, column)| Some(Location { line: line.trim().parse().ok()?, column: column.trim().parse().ok()? }));
        let at = location.map_or(0, |location| self.char_at(location));
        let token = self.tokens.iter().find(|token| self.char_at(token.span.start) == at);
        let range = token.map_or(at..at + 1, |token| self.span_range(token.span));
        self.syntax(range, message, &expected_zh(message))
    }

    fn too_complex(&self, en: &str, zh: &str) -> Fault {
        Fault {
            code: Code::TooComplex,
            severity: Severity::Error,
            range: 0..self.text.chars().count(),
            message: Text::new(format!("the condition is too complex: {en}"), format!("条件过于复杂：{zh}")),
            help: Some(Text::new("write several conditions under `require:`", "请在 `require:` 下写成多个条件")),
        }
    }

    fn syntax(&self, range: Range<usize>, en: &str, zh: &str) -> Fault {
        let at: String = self.text.chars().skip(range.start).take(1).collect();
        let full_width = at.chars().any(|c| "（），、；‘’“”＝＞＜≥≤．".contains(c));
        let help = if full_width {
            Text::new("use the half-width forms: ( ) , ' = >= <=", "请使用半角符号：( ) , ' = >= <=")
        } else {
            Text::new(
                "a condition looks like `natural_payers($window) >= $min_payers`",
                "条件形如 `natural_payers($window) >= $min_payers`",
            )
        };
        Fault {
            code: Code::Syntax,
            severity: Severity::Error,
            range,
            message: Text::new(format!("syntax error: {en}"), format!("语法错误：{zh}")),
            help: Some(help),
        }
    }

    // Places.

    /// Index of the character at a location; locations count lines and characters from 1.
    fn char_at(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(location.column).unwrap_or(usize::MAX).saturating_sub(1);
        let before: usize = self.text.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
        before.saturating_add(column).min(self.text.chars().count())
    }

    fn span_range(&self, span: SqlSpan) -> Range<usize> {
        let start = self.char_at(span.start);
        start..self.char_at(span.end).max(start)
    }

    /// The characters of an expression; those of a function with its closing bracket, which the parser's own span leaves out.
    fn range(&self, expr: &Expr) -> Range<usize> {
        let span = expr.span();
        if span == SqlSpan::empty() {
            return 0..self.text.chars().count();
        }
        let mut range = self.span_range(span);
        let mut open = 0_usize;
        for token in &self.tokens {
            let at = self.span_range(token.span);
            if at.start < range.start {
                continue;
            }
            if at.start >= range.end && open == 0 {
                break;
            }
            match token.token {
                Token::LParen => open += 1,
                Token::RParen => {
                    open = open.saturating_sub(1);
                    range.end = range.end.max(at.end);
                }
                _ => {}
            }
        }
        // A call without arguments: the parser's span ends with its name.
        if matches!(expr, Expr::Function(_))
            && let Some(end) = self.call_end(range.start)
        {
            range.end = range.end.max(end);
        }
        range
    }

    /// End of the bracket that opens right after the token at `start`.
    fn call_end(&self, start: usize) -> Option<usize> {
        let mut tokens =
            self.tokens.iter().filter(|t| !matches!(t.token, Token::Whitespace(_))).map(|t| (&t.token, self.span_range(t.span)));
        tokens.find(|(_, at)| at.start == start)?;
        let mut open = 0_usize;
        for (token, at) in tokens {
            match token {
                Token::LParen => open += 1,
                Token::RParen if open == 1 => return Some(at.end),
                Token::RParen => open -= 1,
                _ if open == 0 => return None,
                _ => {}
            }
        }
        None
    }

    fn fault(&mut self, code: Code, range: Range<usize>, message: Text, help: Option<Text>) {
        self.faults.push(Fault { code, severity: Severity::Error, range, message, help });
    }

    fn warn_same(&mut self, range: Range<usize>, outcome: bool) {
        let (en, zh) = if outcome { ("true", "真") } else { ("false", "假") };
        self.faults.push(Fault {
            code: Code::AlwaysSame,
            severity: Severity::Warning,
            range,
            message: Text::new(format!("this is always {en}"), format!("该条件恒为{zh}")),
            help: None,
        });
    }

    // Conditions.

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
                self.leaves.push(leaf.clone());
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
            let message = Text::new("only a feature can be asked for being missing", "只有特征可以判断是否缺失");
            self.fault(Code::NotAllowed, range, message, Some(Text::new("write `feature(…) IS NULL`", "请写成 `特征(…) IS NULL`")));
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
                let message = Text::new("this comparison measures nothing", "该比较没有用到任何特征");
                self.fault(Code::NothingMeasured, range, message, Some(Text::new("put a feature on one side", "请在一侧写特征")));
                return None;
            }
            (Side::Call(a, a_type), Side::Call(b, b_type)) => return self.two_features(range, comparison, (a, a_type), (b, b_type), op),
            (Side::Call(call, kind), Side::Constant(constant, at)) => ((call, kind), (constant, at), false),
            (Side::Constant(constant, at), Side::Call(call, kind)) => ((call, kind), (constant, at), true),
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
            && let Some(outcome) = always(of.feature, read, *value)
        {
            self.warn_same(range, outcome);
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
        let message = Text::new("a yes-or-no feature stands alone, it is not compared", "是非类特征应单独使用，不作比较");
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
        if let (Formula::Literal(a), Formula::Literal(b)) = (&low_value, &high_value)
            && number(*a) > number(*b)
        {
            let range = self.range(expr);
            self.warn_same(range, negated);
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
            Side::Call(lowered, kind) => Some((lowered, kind)),
            Side::Constant(..) => {
                let message = Text::new("a feature belongs here", "此处应为特征");
                self.fault(Code::NothingMeasured, range, message, None);
                None
            }
        }
    }

    fn side<'e>(&mut self, expr: &'e Expr) -> Option<Side<'e>> {
        let inner = unnest(expr);
        if let Expr::Function(function) = inner {
            let (call, lowered) = self.call(function)?;
            return Some(Side::Call(lowered, call.feature.entry().result));
        }
        Some(Side::Constant(self.constant(inner)?, inner))
    }

    // Constants.

    fn constant(&mut self, expr: &Expr) -> Option<Constant> {
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
                let message = Text::new("a literal or parameter belongs here, not a feature", "此处应为数值或参数，不能是特征");
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
    fn fit(&mut self, constant: &Constant, at: &Expr, kind: ValueType) -> Option<Lowered> {
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
    fn number(&mut self, digits: &str, places: usize, at: Range<usize>) -> Option<i64> {
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

    // Feature calls.

    fn call(&mut self, function: &Function) -> Option<(FeatureCall, Lowered)> {
        let expr = Expr::Function(function.clone());
        let range = self.range(&expr);
        let name = function.name.to_string();
        let name_range = self.span_range(function.name.span());
        let plain = plain_args(function);
        let Some(feature) = Feature::by_name(&name) else {
            let message = Text::new(format!("unknown feature `{name}`"), format!("特征 `{name}` 不存在"));
            self.fault(Code::UnknownFeature, name_range, message, Some(suggest(&name, CATALOGUE.iter().map(|entry| entry.name))));
            // Parameters inside count as used all the same: one slip should not be reported twice.
            for arg in plain.unwrap_or_default() {
                let _ = self.constant(arg);
            }
            return None;
        };
        let Some(written) = plain else {
            let message = Text::new("a feature is called with plain arguments only", "特征调用只接受普通参数");
            self.fault(Code::NotAllowed, range, message, None);
            return None;
        };
        let entry = feature.entry();
        if written.len() != entry.args.len() {
            let (wanted, got) = (entry.args.len(), written.len());
            let message = Text::new(
                format!("`{name}` takes {wanted} arguments, found {got}"),
                format!("`{name}` 需要 {wanted} 个参数，实有 {got} 个"),
            );
            let help = crate::docs::signature(entry);
            self.fault(Code::ArgumentCount, range, message, Some(Text::new(help.clone(), help)));
            return None;
        }
        let args: Vec<Option<Arg>> = written.iter().zip(entry.args).map(|(arg, kind)| self.arg(feature, arg, *kind)).collect();
        let args: Vec<Arg> = args.into_iter().collect::<Option<_>>()?;
        let call = FeatureCall { feature, args };
        if self.calls.iter().all(|(known, _)| *known != call) {
            self.calls.push((call.clone(), range));
        }
        let column = Expr::Identifier(Ident::with_quote('"', call.to_string()));
        Some((call.clone(), (Formula::Call(call), column)))
    }

    fn arg(&mut self, feature: Feature, expr: &Expr, kind: ArgKind) -> Option<Arg> {
        let constant = self.constant(expr)?;
        let range = self.range(expr);
        let text = match &constant {
            Constant::Quoted(text) | Constant::Param(_, ParamValue::Text(text)) => Some(text.as_str()),
            _ => None,
        };
        let arg = match (kind, &constant) {
            (ArgKind::Window | ArgKind::LongWindow, Constant::Quoted(text)) => {
                return self.window(feature, kind, Window::parse(text), text, range);
            }
            (ArgKind::Window | ArgKind::LongWindow, Constant::Param(_, ParamValue::Window(window))) => {
                return self.window(feature, kind, Some(*window), "", range);
            }
            (ArgKind::Int(least), Constant::Number(digits)) => {
                let value = self.number(digits, 0, range.clone())?;
                return self.at_least(Arg::Int(value), value, least, range);
            }
            (ArgKind::Int(least), Constant::Param(_, ParamValue::Int(value))) => {
                return self.at_least(Arg::Int(*value), *value, least, range);
            }
            (ArgKind::Money, Constant::Number(digits)) => {
                let fen = self.number(digits, 2, range.clone())?;
                return self.at_least(Arg::Money(fen), fen, 1, range);
            }
            (ArgKind::Money, Constant::Param(_, ParamValue::Money(fen))) => return self.at_least(Arg::Money(*fen), *fen, 1, range),
            _ => text.and_then(|text| self.named(kind, text, &range)),
        };
        if arg.is_none() && (text.is_none() || matches!(kind, ArgKind::Window | ArgKind::LongWindow | ArgKind::Int(_) | ArgKind::Money)) {
            let wanted = arg_words(kind);
            let message = Text::new(format!("{} belongs here", wanted.en), format!("此处应为{}", wanted.zh));
            self.fault(Code::BadArgument, range, message, None);
        }
        arg
    }

    fn at_least(&mut self, arg: Arg, value: i64, least: i64, range: Range<usize>) -> Option<Arg> {
        if value >= least {
            return Some(arg);
        }
        let least = if matches!(arg, Arg::Money(_)) { "0.01".to_owned() } else { least.to_string() };
        let message = Text::new(format!("at least {least} belongs here"), format!("此处不得小于 {least}"));
        self.fault(Code::BadArgument, range, message, None);
        None
    }

    fn window(&mut self, feature: Feature, kind: ArgKind, window: Option<Window>, text: &str, range: Range<usize>) -> Option<Arg> {
        let Some(window) = window else {
            let message = Text::new(format!("'{text}' is no possible window"), format!("'{text}' 不是可用的窗口"));
            let help = Text::new(
                "e.g. '14d', '36h', '10wd'; above 15 days whole days, at most 400",
                "例如 '14d'、'36h'、'10wd'；超过 15 天须为整天，至多 400 天",
            );
            self.fault(Code::BadWindow, range, message, Some(help));
            return None;
        };
        let long = matches!(window, Window::Days(_));
        if kind == ArgKind::LongWindow && !long {
            let message = Text::new("a window above 15 days belongs here", "此处应为 15 天以上的窗口");
            self.fault(Code::WindowMisfit, range, message, Some(Text::new("e.g. '180d'", "例如 '180d'")));
            return None;
        }
        if feature.entry().windows == Windows::SingleLegs && window.is_day_window() {
            let days = EXACT_WINDOW_MAX;
            let message = Text::new(
                format!("`{feature}` looks at single movements, which are seen for {days} only; {window} sees whole days"),
                format!("`{feature}` 需要逐笔明细，只能用 {days} 以内的窗口；{window} 按天汇总"),
            );
            self.fault(
                Code::WindowMisfit,
                range,
                message,
                Some(Text::new("use a window of at most 15d, not in wd", "请用不超过 15d 的窗口，不能用 wd")),
            );
            return None;
        }
        Some(Arg::Window(window))
    }

    /// A name of a closed or listed set; reports an unknown one. Rule ids are checked when all rules are read.
    fn named(&mut self, kind: ArgKind, text: &str, range: &Range<usize>) -> Option<Arg> {
        let position = |names: &[String]| names.iter().position(|name| name == text);
        let (arg, known): (Option<Arg>, Vec<&str>) = match kind {
            ArgKind::Channel => (Channel::parse(text).map(Arg::Channel), Channel::ALL.iter().map(|c| c.name()).collect()),
            ArgKind::Agreement => (AgreementKind::parse(text).map(Arg::Agreement), AgreementKind::ALL.iter().map(|k| k.name()).collect()),
            ArgKind::PartyKind => (PartyKind::parse(text).map(Arg::PartyKind), PartyKind::ALL.iter().map(|k| k.name()).collect()),
            ArgKind::Tag => {
                let bit = position(self.scope.tags).and_then(|at| u8::try_from(at).ok());
                (bit.map(|bit| Arg::Tag(bit, text.to_owned())), self.scope.tags.iter().map(String::as_str).collect())
            }
            ArgKind::List => {
                let at = position(self.scope.lists);
                (at.map(|at| Arg::List(at, text.to_owned())), self.scope.lists.iter().map(String::as_str).collect())
            }
            ArgKind::RuleId => return Some(Arg::RuleId(text.to_owned())),
            ArgKind::Window | ArgKind::LongWindow | ArgKind::Int(_) | ArgKind::Money => return None,
        };
        if arg.is_none() {
            let wanted = arg_words(kind);
            let message = Text::new(format!("'{text}' is not {}", wanted.en), format!("'{text}' 不是{}", wanted.zh));
            let help = suggest(text, known.iter().copied());
            self.fault(Code::UnknownName, range.clone(), message, Some(help));
        }
        arg
    }

    // What is refused.

    fn refuse(&mut self, expr: &Expr) {
        let range = self.range(expr);
        let (en, zh, help) = refusal(expr);
        self.fault(Code::NotAllowed, range, Text::new(format!("{en} is not used in conditions"), format!("条件中不使用{zh}")), Some(help));
    }
}

fn negation((formula, sql): Lowered) -> Lowered {
    // The brackets are the syntax tree's own: NOT of a lowered comparison must not be read as a comparison of a NOT.
    let sql = Expr::UnaryOp { op: UnaryOperator::Not, expr: Box::new(Expr::Nested(Box::new(sql))) };
    (Formula::Not(Box::new(formula)), sql)
}

/// The parser's "Expected: A, found: B" in Chinese; other messages as they are.
fn expected_zh(message: &str) -> String {
    let Some((expected, found)) = message.strip_prefix("Expected: ").and_then(|rest| rest.split_once(", found: ")) else {
        return message.to_owned();
    };
    let expected = if expected == "an expression" { "表达式" } else { expected };
    let found = if found == "EOF" { "结尾" } else { found };
    format!("此处应为 {expected}，实为 {found}")
}

/// Name of the thing refused, in both languages, and what to do instead.
fn refusal(expr: &Expr) -> (&'static str, &'static str, Text) {
    let compare = Text::new("join comparisons of features by AND, OR and NOT", "请用 AND、OR、NOT 连接特征的比较");
    let ratio = Text::new(
        "ratios are features: `pass_through`, `top_share_in`, …; see `weir rule features`",
        "比率本身就是特征：`pass_through`、`top_share_in` 等，见 `weir rule features`",
    );
    match expr {
        Expr::BinaryOp { op, .. }
            if matches!(
                op,
                BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo
            ) =>
        {
            ("arithmetic", "算术运算", ratio)
        }
        Expr::UnaryOp { .. } => ("arithmetic", "算术运算", ratio),
        Expr::Interval(_) => ("INTERVAL", " INTERVAL", Text::new("write durations in quotes: '2d', '36h'", "时长写成 '2d'、'36h'")),
        Expr::Value(ValueWithSpan { value: SqlValue::Boolean(_), .. })
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_) => {
            ("TRUE or FALSE", " TRUE 或 FALSE", Text::new("write the condition itself, or NOT before it", "请直接写条件，或在前面加 NOT"))
        }
        Expr::Value(ValueWithSpan { value: SqlValue::Null, .. }) => {
            ("NULL", " NULL", Text::new("write `… IS NULL` or `… IS NOT NULL`", "请写 `… IS NULL` 或 `… IS NOT NULL`"))
        }
        Expr::Value(_) => ("a bare value", "单独的值", compare),
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => (
            "a bare name",
            "单独的名称",
            Text::new("features have brackets, parameters a dollar sign, texts single quotes", "特征带括号，参数带 $，文字用单引号"),
        ),
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ("a subquery", "子查询", compare),
        Expr::Like { .. } | Expr::ILike { .. } | Expr::SimilarTo { .. } | Expr::RLike { .. } => (
            "text matching",
            "文本匹配",
            Text::new(
                "memo texts are matched by tags: `memo_share_in($window, 'interest')`",
                "附言通过标签匹配：`memo_share_in($window, 'interest')`",
            ),
        ),
        Expr::Case { .. } => ("CASE", " CASE", Text::new("write several score items", "请写成多个加分项")),
        Expr::Cast { .. } | Expr::Convert { .. } => ("a cast", "类型转换", compare),
        _ => ("this form", "此写法", compare),
    }
}

fn unnest(mut expr: &Expr) -> &Expr {
    while let Expr::Nested(inner) = expr {
        expr = inner;
    }
    expr
}

/// The arguments, if the call has nothing but arguments: no OVER, FILTER, DISTINCT, named arguments or wildcards.
fn plain_args(function: &Function) -> Option<Vec<&Expr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let bare = function.filter.is_none()
        && function.over.is_none()
        && function.null_treatment.is_none()
        && function.within_group.is_empty()
        && matches!(function.parameters, FunctionArguments::None)
        && list.duplicate_treatment.is_none()
        && list.clauses.is_empty();
    if !bare {
        return None;
    }
    list.args
        .iter()
        .map(|arg| match arg {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
            _ => None,
        })
        .collect()
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

/// The number inside a literal, in its smallest unit.
fn number(value: Value) -> i128 {
    match value {
        Value::Int(n) | Value::Duration(n) => n.into(),
        Value::Money(n) | Value::Ratio(n) => n,
        Value::Null | Value::Bool(_) => 0,
    }
}

/// Whether a feature's range decides the comparison: nothing measured is negative, and shares end at 1.
fn always(feature: Feature, comparison: Comparison, threshold: Value) -> Option<bool> {
    let threshold = number(threshold);
    let max = (feature.entry().result == ValueType::Ratio && is_share(feature)).then_some(1_000_000_i128);
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

/// Ratios that are parts of a whole; the others compare two different sums.
fn is_share(feature: Feature) -> bool {
    !matches!(
        feature,
        Feature::PassThrough | Feature::BalanceLeft | Feature::InflowRatio | Feature::PayoutRatio | Feature::PayoutRatioSpread
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

/// What stands in an argument place, with an article.
pub(crate) fn arg_words(kind: ArgKind) -> Text {
    match kind {
        ArgKind::Window => Text::new("a window in quotes or a window parameter", "窗口（带引号）或窗口参数"),
        ArgKind::LongWindow => Text::new("a window above 15 days", "15 天以上的窗口"),
        ArgKind::Int(_) => Text::new("a whole number", "整数"),
        ArgKind::Money => Text::new("an amount in yuan", "以元为单位的金额"),
        ArgKind::Channel => Text::new("a channel", "渠道"),
        ArgKind::Tag => Text::new("a tag of tags.yaml", "tags.yaml 中的标签"),
        ArgKind::List => Text::new("a list of lists/", "lists/ 中的名单"),
        ArgKind::Agreement => Text::new("a kind of agreement", "协议种类"),
        ArgKind::PartyKind => Text::new("a kind of party", "主体类型"),
        ArgKind::RuleId => Text::new("the id of a rule", "规则编号"),
    }
}
