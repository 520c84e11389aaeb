//! What conditions may not contain, and what to write instead.

use datafusion_sql::sqlparser::ast::{BinaryOperator, Expr, Value as SqlValue, ValueWithSpan};

use super::Walk;
use crate::diagnostic::{Code, Text};

impl Walk<'_> {
    pub(super) fn refuse(&mut self, expr: &Expr) {
        let range = self.range(expr);
        let (en, zh, help) = refusal(expr);
        self.fault(Code::NotAllowed, range, Text::new(format!("{en} is not used in conditions"), format!("条件中不使用{zh}")), Some(help));
    }
}

/// Name of the thing refused, in both languages, and what to do instead.
fn refusal(expr: &Expr) -> (&'static str, &'static str, Text) {
    let compare = Text::new("join comparisons of features by AND, OR and NOT", "请用 AND、OR、NOT 连接指标的比较");
    let ratio = Text::new(
        "ratios are features: `pass_through`, `top_share_in`, …; see `weir rule features`",
        "比率本身就是指标：`pass_through`、`top_share_in` 等，见 `weir rule features`",
    );
    match expr {
        Expr::BinaryOp {
            op: BinaryOperator::Plus | BinaryOperator::Minus | BinaryOperator::Multiply | BinaryOperator::Divide | BinaryOperator::Modulo,
            ..
        } => ("arithmetic", "算术运算", ratio),
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
            Text::new("features have brackets, parameters a dollar sign, texts single quotes", "指标带括号，参数带 $，文字用单引号"),
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
        Expr::Case { .. } => ("CASE", " CASE", Text::new("write several score items", "请写成多个得分项")),
        Expr::Cast { .. } | Expr::Convert { .. } => ("a cast", "类型转换", compare),
        _ => ("this form", "此写法", compare),
    }
}
