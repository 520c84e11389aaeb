//! A rule file as written: form checked, nothing bound yet.
//!
//! Mirrors the keys of `docs/rules.md`. What can be said of one file by itself is said here; parameters, expressions and references
//! between files are the business of [`mod@crate::load`].

use weir_model::{Day, Level, PartyKind, Span};

use crate::case::{RuleTest, TestSetting, read_tests};
use crate::diagnostic::{Code, Diagnostic, Text};
use crate::param::{Param, is_name, read_params};
use crate::read::{Fields, Reader, Scalar};
use crate::set::Scope;
use crate::yaml::{Kind, Node};

/// Default of `quiet`.
const QUIET: Span = Span::days(30);

/// Where a rule stands in its life, as the file (or `--set RULE.status=`) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileStatus {
    /// Being written: checked, not evaluated.
    Draft,
    /// On trial: evaluated, alerts marked `shadow`.
    Shadow,
    /// In force.
    Active,
    /// Out of use: checked, not evaluated.
    Retired,
}

impl FileStatus {
    /// The choices of `status:`.
    pub(crate) const CHOICES: [(&'static str, Self); 4] =
        [("draft", Self::Draft), ("shadow", Self::Shadow), ("active", Self::Active), ("retired", Self::Retired)];

    /// The name in rule files.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::CHOICES.iter().find(|(_, status)| *status == self).map_or("", |(name, _)| name)
    }

    /// Whether the rule is evaluated.
    #[must_use]
    pub fn in_force(self) -> bool {
        matches!(self, Self::Shadow | Self::Active)
    }
}

/// A rule file.
#[derive(Debug)]
pub(crate) struct RuleFile {
    pub(crate) file: usize,
    pub(crate) id: Scalar,
    pub(crate) revision: u32,
    pub(crate) title: String,
    pub(crate) status: FileStatus,
    pub(crate) basis: Vec<String>,
    pub(crate) subject: Vec<PartyKind>,
    pub(crate) scope: Scope,
    /// Watched rules; `None` for rules that run at instants.
    pub(crate) day_end: Option<Vec<Scalar>>,
    pub(crate) quiet: Span,
    /// `$window` or a literal.
    pub(crate) window: Option<Scalar>,
    pub(crate) params: Vec<Param>,
    /// Names of all parameters, those that cannot be used included.
    pub(crate) declared: Vec<String>,
    pub(crate) variants: Vec<VariantFile>,
    pub(crate) exclude: Vec<ExclusionFile>,
    pub(crate) require: Vec<ConditionFile>,
    pub(crate) base: i64,
    pub(crate) score: Vec<ScoreFile>,
    pub(crate) levels: Vec<(Level, i64)>,
    pub(crate) reason: Option<Scalar>,
    pub(crate) tests: Vec<RuleTest>,
    /// Parameters that tests set.
    pub(crate) test_settings: Vec<TestSetting>,
}

/// A variant: other values, more conditions, more points.
#[derive(Debug)]
pub(crate) struct VariantFile {
    pub(crate) name: Scalar,
    pub(crate) params: Vec<(Scalar, Scalar)>,
    pub(crate) require: Vec<ConditionFile>,
    pub(crate) score: Vec<ScoreFile>,
    /// Name for people.
    pub(crate) zh: Option<String>,
    /// The alert's sentence; else the rule's.
    pub(crate) reason: Option<Scalar>,
}

/// A condition with its clause.
#[derive(Debug)]
pub(crate) struct ConditionFile {
    pub(crate) when: Scalar,
    pub(crate) clause: Option<String>,
}

/// An exclusion.
#[derive(Debug)]
pub(crate) struct ExclusionFile {
    pub(crate) when: Scalar,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) until: Day,
}

/// A score item.
#[derive(Debug)]
pub(crate) struct ScoreFile {
    pub(crate) when: ConditionFile,
    pub(crate) points: i64,
    pub(crate) reason: Scalar,
}

/// Reads a rule file. `None` where it has no usable id; its other problems are reported all the same.
pub(crate) fn read_rule(reader: &mut Reader<'_>, root: &Node) -> Option<RuleFile> {
    let mut fields = Fields::of(reader, root)?;
    let id = fields.need_text(reader, "id").filter(|id| check_id(reader, id));
    fields.version(reader);
    let revision = fields.get("revision").and_then(|node| positive(reader, node)).unwrap_or(1);
    let title = fields.need_text(reader, "title").map_or(String::new(), |title| title.text);
    let status = fields.need_text(reader, "status").and_then(|status| reader.choice(&status, &FileStatus::CHOICES));
    let basis = read_basis(reader, &mut fields);
    let subject = fields.get("subject").map_or_else(all_subjects, |node| read_subject(reader, node));
    let scope =
        fields.text(reader, "scope").and_then(|scope| reader.choice(&scope, &[("customer", Scope::Customer), ("group", Scope::Group)]));
    let day_end = fields.get("on").and_then(|node| read_on(reader, node));
    let quiet = fields.text(reader, "quiet").map_or(QUIET, |quiet| read_span(reader, &quiet));
    let window = fields.need_text(reader, "window");
    let params = fields.get("params");
    let declared = params.map_or(Vec::new(), keys);
    let params = params.map_or(Vec::new(), |node| read_params(reader, node));
    let variants = fields.get("variants").map_or(Vec::new(), |node| read_variants(reader, node));
    let exclude = fields.get("exclude").map_or(Vec::new(), |node| read_each(reader, node, read_exclusion));
    let require = fields.need(reader, "require").map_or(Vec::new(), |node| read_each(reader, node, read_condition));
    let (base, score) = fields.need(reader, "score").map_or((0, Vec::new()), |node| read_score(reader, node));
    let levels = fields.need(reader, "levels").map_or(Vec::new(), |node| read_levels(reader, node));
    let reason = fields.need_text(reader, "reason");
    let (tests, test_settings) =
        fields.get("tests").map_or_else(Default::default, |node| read_tests(reader, node, id.as_ref().map_or("", |id| &id.text)));
    fields.finish(reader);
    let id = id?;
    if tests.is_empty() && status == Some(FileStatus::Active) {
        let message = Text::new(format!("active rule {} has no tests", id.text), format!("生效规则 {} 没有内嵌测试", id.text));
        let help = Text::new("add a hit and a near miss under `tests:`", "请在 `tests:` 下至少各写一个命中和一个未命中的例子");
        reader.problems.push(Diagnostic::warning(Code::UntestedRule, message).at(id.place()).help(help));
    }
    Some(RuleFile {
        file: reader.file,
        id,
        revision,
        title,
        status: status.unwrap_or(FileStatus::Draft),
        basis,
        subject,
        scope: scope.unwrap_or(Scope::Customer),
        day_end,
        quiet,
        window,
        params,
        declared,
        variants,
        exclude,
        require,
        base,
        score,
        levels,
        reason,
        tests,
        test_settings,
    })
}

fn check_id(reader: &mut Reader<'_>, id: &Scalar) -> bool {
    let fits = id.text.starts_with(|c: char| c.is_ascii_uppercase())
        && id.text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'-');
    if !fits {
        let message = Text::new(format!("`{}` is no rule id", id.text), format!("`{}` 不能用作规则编号", id.text));
        let help = Text::new("capital letters, digits and dashes, e.g. FZ-001", "用大写字母、数字和短横线，如 FZ-001");
        reader.error(Code::BadName, id.place(), message, Some(help));
    }
    fits
}

fn positive(reader: &mut Reader<'_>, node: &Node) -> Option<u32> {
    let value = reader.integer(node)?;
    let positive = u32::try_from(value).ok().filter(|n| *n > 0);
    if positive.is_none() {
        let place = reader.place(node);
        reader.error(Code::WrongValue, place, Text::new("at least 1 belongs here", "此处至少为 1"), None);
    }
    positive
}

fn read_basis(reader: &mut Reader<'_>, fields: &mut Fields<'_>) -> Vec<String> {
    let basis: Vec<String> = fields.get("basis").map_or(Vec::new(), |node| reader.texts(node)).into_iter().map(|item| item.text).collect();
    if basis.is_empty() {
        let place = fields.head(reader, "basis");
        let help = Text::new("e.g. `basis: [令〔2006〕第2号 第十一条(一)]`", "例如 `basis: [令〔2006〕第2号 第十一条(一)]`");
        reader.error(Code::NoBasis, place, Text::new("the rule names no basis", "规则没有写明依据"), Some(help));
    }
    basis
}

fn all_subjects() -> Vec<PartyKind> {
    vec![PartyKind::Organisation, PartyKind::SoleTrader, PartyKind::Natural]
}

fn read_subject(reader: &mut Reader<'_>, node: &Node) -> Vec<PartyKind> {
    let choices = [PartyKind::Natural, PartyKind::Organisation, PartyKind::SoleTrader, PartyKind::Internal].map(|kind| (kind.name(), kind));
    let items = reader.texts(node);
    let items = reader.distinct(items);
    items.iter().filter_map(|item| reader.choice(item, &choices)).collect()
}

fn read_span(reader: &mut Reader<'_>, written: &Scalar) -> Span {
    Span::parse(&written.text).unwrap_or_else(|| {
        let message = Text::new(format!("`{}` is no duration", written.text), format!("`{}` 不是时长", written.text));
        reader.error(Code::WrongValue, written.place(), message, Some(Text::new("e.g. 30d or 36h", "例如 30d 或 36h")));
        QUIET
    })
}

/// `on: {day_end: {watch: [FZ-001]}}`.
fn read_on(reader: &mut Reader<'_>, node: &Node) -> Option<Vec<Scalar>> {
    let mut on = Fields::of(reader, node)?;
    let day_end = on.need(reader, "day_end");
    on.finish(reader);
    let mut fields = Fields::of(reader, day_end?)?;
    let watch = fields.need(reader, "watch").map_or(Vec::new(), |node| reader.texts(node));
    fields.finish(reader);
    Some(reader.distinct(watch))
}

fn read_each<T>(reader: &mut Reader<'_>, node: &Node, read: fn(&mut Reader<'_>, &Node) -> Option<T>) -> Vec<T> {
    reader.list(node).iter().filter_map(|item| read(reader, item)).collect()
}

/// A text, or `{when, clause}`.
fn read_condition(reader: &mut Reader<'_>, node: &Node) -> Option<ConditionFile> {
    if matches!(node.kind, Kind::Scalar { .. }) {
        return Some(ConditionFile { when: reader.text(node)?, clause: None });
    }
    let mut fields = Fields::of(reader, node)?;
    let when = fields.need_text(reader, "when");
    let clause = fields.text(reader, "clause").map(|clause| clause.text);
    fields.finish(reader);
    Some(ConditionFile { when: when?, clause })
}

fn read_exclusion(reader: &mut Reader<'_>, node: &Node) -> Option<ExclusionFile> {
    let mut fields = Fields::of(reader, node)?;
    let when = fields.need_text(reader, "when");
    let [reason, owner, until] = ["reason", "owner", "until"].map(|key| {
        let found = fields.text(reader, key);
        if found.is_none() {
            let place = fields.head(reader, key);
            let message = Text::new(format!("an exclusion needs `{key}`"), format!("排除条件必须写明 `{key}`"));
            let help =
                Text::new("why it may silence the rule, who answers for it, and the last day it counts", "写明理由、责任人和最后有效日期");
            reader.error(Code::BadExclusion, place, message, Some(help));
        }
        found
    });
    fields.finish(reader);
    let (when, reason, owner, until) = (when?, reason?, owner?, until?);
    let Some(day) = Day::parse(&until.text) else {
        let message = Text::new(format!("`{}` is no date", until.text), format!("`{}` 不是日期", until.text));
        reader.error(Code::BadExclusion, until.place(), message, Some(Text::new("e.g. 2027-12-31", "例如 2027-12-31")));
        return None;
    };
    Some(ExclusionFile { when, reason: reason.text, owner: owner.text, until: day })
}

/// The names that a mapping gives values to.
fn keys(node: &Node) -> Vec<String> {
    match &node.kind {
        Kind::Mapping(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => Vec::new(),
    }
}

fn read_score(reader: &mut Reader<'_>, node: &Node) -> (i64, Vec<ScoreFile>) {
    let Some(mut fields) = Fields::of(reader, node) else { return (0, Vec::new()) };
    let base = fields.need(reader, "base").and_then(|node| reader.integer(node)).unwrap_or(0);
    let add = fields.get("add").map_or(Vec::new(), |node| read_each(reader, node, read_score_item));
    fields.finish(reader);
    (base, add)
}

fn read_score_item(reader: &mut Reader<'_>, node: &Node) -> Option<ScoreFile> {
    let mut fields = Fields::of(reader, node)?;
    let when = fields.need_text(reader, "when");
    let points = fields.need(reader, "points");
    let reason = fields.need_text(reader, "reason");
    let clause = fields.text(reader, "clause").map(|clause| clause.text);
    fields.finish(reader);
    let points_value = reader.integer(points?)?;
    if points_value == 0 {
        let place = points.map_or_else(|| reader.place(node), |points| reader.place(points));
        reader.error(Code::ZeroPoints, place, Text::new("an item of no points changes nothing", "零分项不起作用"), None);
    }
    Some(ScoreFile { when: ConditionFile { when: when?, clause }, points: points_value, reason: reason? })
}

fn read_levels(reader: &mut Reader<'_>, node: &Node) -> Vec<(Level, i64)> {
    let Some(mut fields) = Fields::of(reader, node) else { return Vec::new() };
    let mut levels: Vec<(Level, i64)> = Vec::new();
    let mut none = true;
    for level in Level::ALL {
        let Some(node) = fields.get(level.name()) else { continue };
        none = false;
        let Some(score) = reader.integer(node) else { continue };
        if levels.last().is_some_and(|(_, below)| *below >= score) {
            let place = reader.place(node);
            let message = Text::new(
                format!("`{}` needs a higher score than the level below", level.name()),
                format!("`{}` 的分数必须高于下一级", level.name()),
            );
            reader.error(Code::LevelsNotRising, place, message, None);
        }
        levels.push((level, score));
    }
    let place = reader.place(node);
    fields.finish(reader);
    if none {
        reader.error(Code::MissingKey, place, Text::new("a rule has at least one level", "规则至少要有一个级别"), None);
    }
    levels
}

fn read_variants(reader: &mut Reader<'_>, node: &Node) -> Vec<VariantFile> {
    let mut variants: Vec<VariantFile> = Vec::new();
    for item in reader.list(node) {
        let Some(variant) = read_variant(reader, item) else { continue };
        if variants.iter().any(|earlier| earlier.name.text == variant.name.text) {
            let name = &variant.name.text;
            let message = Text::new(format!("there is another variant `{name}`"), format!("变体 `{name}` 已存在"));
            reader.error(Code::DuplicateVariant, variant.name.place(), message, None);
        }
        variants.push(variant);
    }
    variants
}

fn read_variant(reader: &mut Reader<'_>, node: &Node) -> Option<VariantFile> {
    let mut fields = Fields::of(reader, node)?;
    let name = fields.need_text(reader, "name");
    let zh = fields.text(reader, "zh").map(|zh| zh.text);
    let _ = fields.text(reader, "why");
    let params = fields.get("params").map_or(Vec::new(), |node| read_pairs(reader, node));
    let require = fields.get("require").map_or(Vec::new(), |node| read_each(reader, node, read_condition));
    let score = fields.get("score").map_or(Vec::new(), |node| read_each(reader, node, read_score_item));
    let reason = fields.text(reader, "reason");
    fields.finish(reader);
    let name = name?;
    if !is_name(&name.text) {
        let message = Text::new(format!("`{}` is no name for a variant", name.text), format!("`{}` 不能用作变体名", name.text));
        let help = Text::new("small letters, digits and underscores, e.g. days14", "用小写字母、数字和下划线，如 days14");
        reader.error(Code::BadName, name.place(), message, Some(help));
    }
    Some(VariantFile { name, zh, params, require, score, reason })
}

/// A mapping of free names to single values.
pub(crate) fn read_pairs(reader: &mut Reader<'_>, node: &Node) -> Vec<(Scalar, Scalar)> {
    if Fields::of(reader, node).is_none() {
        return Vec::new();
    }
    let Kind::Mapping(entries) = &node.kind else { return Vec::new() };
    entries
        .iter()
        .filter_map(|entry| {
            let value = reader.scalar(&entry.value)?;
            let kind = Kind::Scalar { text: entry.key.clone(), style: granit_parser::ScalarStyle::Plain };
            let node = Node { span: entry.key_span.clone(), kind };
            Some((Scalar { file: reader.file, text: entry.key.clone(), node }, value))
        })
        .collect()
}
