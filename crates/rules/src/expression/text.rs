//! The text of a condition: parsing it, and where in it things stand.
//!
//! The parser gives lines and columns, for some nodes only their beginning, for syntax errors a sentence. Here they become ranges of
//! characters.

use std::ops::Range;

use datafusion_sql::sqlparser::ast::{Expr, Spanned};
use datafusion_sql::sqlparser::dialect::Dialect;
use datafusion_sql::sqlparser::keywords::Keyword;
use datafusion_sql::sqlparser::parser::{Parser, ParserError};
use datafusion_sql::sqlparser::tokenizer::{Location, Span as SqlSpan, Token, Tokenizer};

use super::{Fault, Walk};
use crate::diagnostic::{Code, Severity, Text};

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

impl Walk<'_> {
    pub(super) fn parse(&mut self) -> Result<Expr, Fault> {
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
        let end = self.length;
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

    pub(super) fn too_complex(&self, en: &str, zh: &str) -> Fault {
        Fault {
            code: Code::TooComplex,
            severity: Severity::Error,
            range: 0..self.length,
            message: Text::new(format!("the condition is too complex: {en}"), format!("条件过于复杂：{zh}")),
            help: Some(Text::new("write several conditions under `require:`", "请在 `require:` 下写成多个条件")),
        }
    }

    pub(super) fn syntax(&self, range: Range<usize>, en: &str, zh: &str) -> Fault {
        let at: String = self.text.chars().skip(range.start).take(1).collect();
        let full_width = at.chars().any(|c| "（），、；‘’“”＝＞＜≥≤．".contains(c));
        let help = if full_width {
            Text::new("use the half-width forms: ( ) , ' = >= <=", "请使用半角符号：( ) , ' = >= <=")
        } else {
            slip(self.text).unwrap_or_else(|| {
                Text::new(
                    "a condition looks like `natural_payers($window) >= $min_payers`",
                    "条件形如 `natural_payers($window) >= $min_payers`",
                )
            })
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
    pub(super) fn char_at(&self, location: Location) -> usize {
        let line = usize::try_from(location.line).unwrap_or(usize::MAX).saturating_sub(1);
        let column = usize::try_from(location.column).unwrap_or(usize::MAX).saturating_sub(1);
        let before: usize = self.text.split_inclusive('\n').take(line).map(|line| line.chars().count()).sum();
        before.saturating_add(column).min(self.length)
    }

    pub(super) fn span_range(&self, span: SqlSpan) -> Range<usize> {
        let start = self.char_at(span.start);
        start..self.char_at(span.end).max(start)
    }

    /// The characters of an expression; those of a function with its closing bracket, which the parser's own span leaves out.
    pub(super) fn range(&self, expr: &Expr) -> Range<usize> {
        let span = expr.span();
        if span == SqlSpan::empty() {
            return 0..self.length;
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

/// What people write who are used to another notation.
fn slip(text: &str) -> Option<Text> {
    // Every other piece stands in quotes.
    let bare: String = text.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let is_span = |word: &str| {
        let unit = word.trim_start_matches(|c: char| c.is_ascii_digit());
        unit.len() < word.len() && ["d", "h", "m", "wd"].contains(&unit)
    };
    if bare.contains('%') {
        Some(Text::new("shares are decimals: 30 % is 0.3", "占比写成小数：30% 写作 0.3"))
    } else if bare.contains("&&") || bare.contains("||") {
        Some(Text::new("use AND and OR", "请用 AND、OR"))
    } else if bare.contains(['万', '元', '亿']) {
        Some(Text::new("amounts are yuan in digits: 600000", "金额以元为单位写数字：600000"))
    } else if bare.split(|c: char| !c.is_ascii_alphanumeric()).any(is_span) {
        Some(Text::new("windows and durations stand in single quotes: '14d'", "窗口和时长要加单引号：'14d'"))
    } else {
        None
    }
}
