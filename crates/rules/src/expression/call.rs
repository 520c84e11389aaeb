//! Feature calls: names, arguments, windows, held against the catalogue.

use std::ops::Range;

use datafusion_sql::sqlparser::ast::{Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident, Spanned};
use weir_model::{AgreementKind, Channel, PartyKind};

use super::operand::Constant;
use super::{Lowered, Walk};
use crate::catalogue::{ArgKind, CATALOGUE, Feature, Windows};
use crate::diagnostic::{Code, Text, suggest};
use crate::param::ParamValue;
use crate::set::Formula;
use crate::value::{Arg, EXACT_WINDOW_MAX, FeatureCall, Window};

impl Walk<'_> {
    pub(super) fn call(&mut self, function: &Function) -> Option<(FeatureCall, Lowered)> {
        let expr = Expr::Function(function.clone());
        let range = self.range(&expr);
        let name = function.name.to_string();
        let name_range = self.span_range(function.name.span());
        let plain = plain_args(function);
        let Some(feature) = Feature::by_name(&name) else {
            let message = Text::new(format!("unknown feature `{name}`"), format!("指标 `{name}` 不存在"));
            self.fault(Code::UnknownFeature, name_range, message, Some(suggest(&name, CATALOGUE.iter().map(|entry| entry.name))));
            // Parameters inside count as used all the same: one slip should not be reported twice.
            for arg in plain.unwrap_or_default() {
                let _ = self.constant(arg);
            }
            return None;
        };
        let Some(written) = plain else {
            let message = Text::new("a feature is called with plain arguments only", "指标调用只接受普通参数");
            self.fault(Code::NotAllowed, range, message, None);
            return None;
        };
        let entry = feature.entry();
        if written.len() != entry.args.len() {
            let (wanted, got) = (entry.args.len(), written.len());
            let arguments = if wanted == 1 { "argument" } else { "arguments" };
            let message = Text::new(
                format!("`{name}` takes {wanted} {arguments}, found {got}"),
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
            let message = Text::new("a window above 15 days belongs here", "此处应为 超过 15 天的窗口");
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
/// What stands in an argument place, with an article.
pub(crate) fn arg_words(kind: ArgKind) -> Text {
    match kind {
        ArgKind::Window => Text::new("a window in quotes or a window parameter", "窗口（带引号）或窗口参数"),
        ArgKind::LongWindow => Text::new("a window above 15 days", "超过 15 天的窗口"),
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
