//! From the files of a rule directory to a checked, compiled [`RuleSet`], or to every problem there is.
//!
//! 1. Each file is read by itself: calendar, lists, tags, rules ([`crate::reference`], [`crate::document`]).
//! 2. Settings from the command line are matched with rules, variants and parameters.
//! 3. Each rule is bound, variant by variant: parameters get their values, conditions and sentences are parsed, typed and planned
//!    ([`bind`](crate::bind)). Draft and retired rules go through this too, so that they do not rot.
//! 4. References between rules are checked: `watch`, `rule_hits`.
//! 5. If nothing is wrong, the rules in force are frozen: feature calls become slots, cheap ones first.
//!
//! Nothing depends on the order of the files: rules are taken by id, and the content hash sorts by path.

use std::collections::BTreeMap;

use weir_model::Calendar;
use weir_model::digest::{digest128, hex};

use crate::bind::{NamedRule, RuleDraft, bind_rule};
use crate::case::RuleTest;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Place, SourceFile, Text, suggest};
use crate::document::{FileStatus, RuleFile, read_rule};
use crate::freeze::freeze;
use crate::overrides::{Override, Setting, parse};
use crate::param::{ParamType, unknown_param};
use crate::read::{Reader, Scalar};
use crate::reference::{CalendarDays, ListFile, read_list, read_tags};
use crate::set::{RuleSet, TagFile};
use crate::yaml;
use crate::yaml::Kind;

/// A rule directory that passed.
#[derive(Debug)]
pub struct Loaded {
    /// The rules in force, compiled.
    pub rules: RuleSet,
    /// What is probably not meant so.
    pub warnings: Diagnostics,
    /// Every rule file, by id, draft and retired ones included: for listing, documenting and testing.
    pub documents: Vec<RuleDocument>,
}

/// A rule file as people list it.
#[derive(Debug, Clone)]
pub struct RuleDocument {
    /// Path.
    pub path: String,
    /// `FZ-001`.
    pub id: String,
    /// Revision of the rule.
    pub revision: u32,
    /// Title.
    pub title: String,
    /// Status, after `--set`.
    pub status: FileStatus,
    /// Clauses.
    pub basis: Vec<String>,
    /// Parameters as declared.
    pub params: Vec<ParamDocument>,
    /// Names of the variants; empty for a rule without.
    pub variants: Vec<String>,
    /// Inline tests.
    pub tests: Vec<RuleTest>,
}

/// A parameter as people list it; values as they are written in rule files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParamDocument {
    /// Name.
    pub name: String,
    /// Type.
    pub kind: ParamType,
    /// Default.
    pub default: String,
    /// Lowest value allowed.
    pub min: Option<String>,
    /// Highest value allowed.
    pub max: Option<String>,
    /// Name in Chinese; may be empty.
    pub zh: String,
    /// Reason for the default.
    pub why: String,
}

/// Everything beside the rules.
#[derive(Debug, Default)]
pub(crate) struct Reference {
    pub(crate) calendar: Calendar,
    pub(crate) lists: Vec<ListFile>,
    pub(crate) tags: TagFile,
    pub(crate) tag_names: Vec<String>,
    pub(crate) list_names: Vec<String>,
}

/// Checks and compiles the files of a rule directory.
///
/// `files` are all its files with `/` in their paths; those not ending in `.yaml` or `.yml` are passed over. `overrides` are the `--set` of
/// the command line; of several for one parameter the most specific wins, then the last.
///
/// # Errors
/// All problems of all files and settings at once, warnings included. With only warnings the set loads.
pub fn load(files: &[SourceFile], overrides: &[Override]) -> Result<Loaded, Diagnostics> {
    let mut sources: Vec<SourceFile> = files.iter().filter(|file| is_yaml(&file.path)).map(normalised).collect();
    sources.sort_by(|a, b| a.path.cmp(&b.path));
    let hash = content_hash(&sources, overrides);
    let first_setting = sources.len();
    sources.extend(overrides.iter().map(|over| SourceFile { path: "--set".to_owned(), text: over.text.clone() }));

    let mut problems = Vec::new();
    let (rule_files, reference) = read_files(&sources[..first_setting], &mut problems);
    let settings = overrides.iter().enumerate().filter_map(|(i, over)| match parse(first_setting + i, &over.text) {
        Ok(setting) => Some(setting),
        Err(problem) => {
            problems.push(*problem);
            None
        }
    });
    let settings: Vec<Setting> = settings.collect();
    let rule_files = apply(rule_files, &settings, &mut problems);
    let drafts: Vec<RuleDraft> =
        rule_files.into_iter().map(|(file, set)| bind_rule(file, &set, &reference, &sources, &mut problems)).collect();
    // A file that cannot be read may hold the rule that another names.
    let is_whole = drafts.len() == sources[..first_setting].iter().filter(|source| !is_reference(&source.path)).count();
    check_references(&drafts, is_whole, &mut problems);

    let diagnostics = Diagnostics::new(sources, problems);
    if diagnostics.errors() > 0 {
        return Err(diagnostics);
    }
    let documents = drafts.iter().map(|draft| document(draft, &diagnostics.sources)).collect();
    Ok(Loaded { rules: freeze(drafts, reference, hash), warnings: diagnostics, documents })
}

/// Whether a file is for all rules and holds none.
fn is_reference(path: &str) -> bool {
    ["tags.yaml", "tags.yml"].contains(&path) || path.starts_with("calendar/") || path.starts_with("lists/")
}

fn is_yaml(path: &str) -> bool {
    path.ends_with(".yaml") || path.ends_with(".yml")
}

/// Without byte order mark and carriage returns, which editors add and nobody means.
fn normalised(file: &SourceFile) -> SourceFile {
    let text = file.text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
    SourceFile { path: file.path.trim_start_matches("./").to_owned(), text }
}

fn content_hash(sources: &[SourceFile], overrides: &[Override]) -> String {
    let mut fields: Vec<&[u8]> = Vec::new();
    for source in sources {
        fields.extend([source.path.as_bytes(), source.text.as_bytes()]);
    }
    fields.push(b"--set");
    fields.extend(overrides.iter().map(|over| over.text.as_bytes()));
    hex(&digest128(&fields))
}

// Reading.

fn read_files(sources: &[SourceFile], problems: &mut Vec<Diagnostic>) -> (Vec<RuleFile>, Reference) {
    let mut rules: Vec<RuleFile> = Vec::new();
    let mut days = CalendarDays::default();
    let mut lists = Vec::new();
    let mut list_files = BTreeMap::new();
    let mut tags = TagFile::default();
    for (file, source) in sources.iter().enumerate() {
        let root = match yaml::parse(file, &source.text) {
            Ok(root) => root,
            Err(problem) => {
                problems.push(*problem);
                continue;
            }
        };
        let mut reader = Reader { file, source, problems };
        if source.path == "tags.yaml" || source.path == "tags.yml" {
            tags = read_tags(&mut reader, &root);
        } else if source.path.starts_with("calendar/") {
            days.read(&mut reader, &root);
        } else if source.path.starts_with("lists/") {
            lists.extend(read_list(&mut reader, &root, &mut list_files));
        } else if is_rule(&root) {
            rules.extend(read_rule(&mut reader, &root));
        } else {
            let place = reader.place(&root);
            let help = Text::new(
                "a rule begins with `id:`; other notes belong outside the rule directory",
                "规则以 `id:` 开头；其他文件请放到规则目录之外",
            );
            reader.error(Code::UnknownFile, place, Text::new("this file is no rule", "该文件不是规则"), Some(help));
        }
    }
    rules.sort_by(|a, b| a.id.text.cmp(&b.id.text));
    for pair in rules.windows(2) {
        if pair[0].id.text == pair[1].id.text {
            let id = &pair[1].id;
            let other = &sources[pair[0].file].path;
            let message = Text::new(format!("{} is the id of {other} as well", id.text), format!("{} 已是 {other} 的编号", id.text));
            problems.push(Diagnostic::error(Code::DuplicateRule, message).at(id.place()));
        }
    }
    lists.sort_by(|a, b| a.name.cmp(&b.name));
    let tag_names = tags.tags.iter().map(|tag| tag.name.clone()).collect();
    let list_names = lists.iter().map(|list| list.name.clone()).collect();
    (rules, Reference { calendar: days.finish(problems), lists, tags, tag_names, list_names })
}

/// A mapping with an id, or with so many keys of a rule that the id was forgotten.
fn is_rule(root: &yaml::Node) -> bool {
    let Kind::Mapping(entries) = &root.kind else { return false };
    entries.iter().any(|entry| ["id", "require", "levels"].contains(&entry.key.as_str()))
}

// Settings.

/// The settings that concern one rule.
#[derive(Debug, Default)]
pub(crate) struct RuleSettings {
    /// Variants kept; `None` for all.
    pub(crate) variants: Option<Vec<Scalar>>,
    /// Parameter and value, for all variants.
    pub(crate) params: Vec<(Scalar, Scalar)>,
    /// Variant, parameter and value.
    pub(crate) variant_params: Vec<(Scalar, Scalar, Scalar)>,
}

fn apply(mut rules: Vec<RuleFile>, settings: &[Setting], problems: &mut Vec<Diagnostic>) -> Vec<(RuleFile, RuleSettings)> {
    let mut by_rule: Vec<RuleSettings> = rules.iter().map(|_| RuleSettings::default()).collect();
    for setting in settings {
        let Some(at) = rules.iter().position(|rule| rule.id.text == setting.rule.text) else {
            let message = Text::new(format!("there is no rule {}", setting.rule.text), format!("规则 {} 不存在", setting.rule.text));
            let help = suggest(&setting.rule.text, rules.iter().map(|rule| rule.id.text.as_str()));
            problems.push(Diagnostic::error(Code::UnknownRule, message).at(setting.rule.place()).help(help));
            continue;
        };
        let (rule, own) = (&mut rules[at], &mut by_rule[at]);
        match (&setting.variant, setting.key.text.as_str()) {
            (None, "status") => set_status(rule, &setting.value, problems),
            (None, "variants") => own.variants = Some(names(&setting.value)),
            (variant, _) => set_param(rule, own, variant.as_ref(), setting, problems),
        }
    }
    rules.into_iter().zip(by_rule).collect()
}

fn set_status(rule: &mut RuleFile, value: &Scalar, problems: &mut Vec<Diagnostic>) {
    match FileStatus::CHOICES.iter().find(|(name, _)| *name == value.text) {
        Some((_, status)) => rule.status = *status,
        None => {
            let message = Text::new(format!("`{}` is no status", value.text), format!("`{}` 不是状态", value.text));
            let help = suggest(&value.text, FileStatus::CHOICES.iter().map(|(name, _)| *name));
            problems.push(Diagnostic::error(Code::BadOverride, message).at(value.place()).help(help));
        }
    }
}

fn set_param(rule: &RuleFile, own: &mut RuleSettings, variant: Option<&Scalar>, setting: &Setting, problems: &mut Vec<Diagnostic>) {
    let names = rule.params.iter().map(|param| param.name.as_str());
    if !names.clone().any(|name| name == setting.key.text) {
        problems.push(unknown_param(&setting.key.text, names.chain(["status", "variants"]), setting.key.place()));
        return;
    }
    match variant {
        None => own.params.push((setting.key.clone(), setting.value.clone())),
        Some(variant) if rule.variants.iter().any(|known| known.name.text == variant.text) => {
            own.variant_params.push((variant.clone(), setting.key.clone(), setting.value.clone()));
        }
        Some(variant) => problems.push(unknown_variant(rule, variant)),
    }
}

/// The comma-separated names of a value, each with its place.
fn names(value: &Scalar) -> Vec<Scalar> {
    let mut at = value.node.span.start;
    let mut names = Vec::new();
    for part in value.text.split(',') {
        let start = at + part.len() - part.trim_start().len();
        let text = part.trim().to_owned();
        let node = yaml::Node { span: start..start + text.len(), kind: value.node.kind.clone() };
        names.push(Scalar { file: value.file, text, node });
        at += part.len() + 1;
    }
    names
}

pub(crate) fn unknown_variant(rule: &RuleFile, variant: &Scalar) -> Diagnostic {
    let message =
        Text::new(format!("{} has no variant `{}`", rule.id.text, variant.text), format!("{} 没有变体 `{}`", rule.id.text, variant.text));
    Diagnostic::error(Code::UnknownVariant, message)
        .at(variant.place())
        .help(suggest(&variant.text, rule.variants.iter().map(|known| known.name.text.as_str())))
}

// References between rules.

fn check_references(drafts: &[RuleDraft], is_whole: bool, problems: &mut Vec<Diagnostic>) {
    let no_such_rule = || is_whole.then(|| Text::new("there is no such rule", "没有该规则"));
    for draft in drafts {
        for watched in draft.file.day_end.iter().flatten() {
            let target = drafts.iter().find(|other| other.file.id.text == watched.text);
            // A rule that is off itself may watch what is off: who turns a rule off turns off with it what watches it.
            let is_off = |target: &&RuleDraft| !draft.file.status.in_force() && !target.file.status.in_force();
            let fault = target.filter(|target| !is_off(target)).and_then(|target| unusable(target, false));
            let fault = if target.is_none() { no_such_rule() } else { fault };
            report(problems, Code::UnknownWatch, drafts, &watched.text, watched.place(), fault);
        }
        for NamedRule { id, place, is_for_points } in &draft.rule_hits {
            let target = drafts.iter().find(|other| other.file.id.text == *id);
            let fault = match target {
                Some(target) if *is_for_points && !target.file.status.in_force() => None,
                None => no_such_rule(),
                Some(target) if target.file.id.text == draft.file.id.text => Some(Text::new("it is this rule itself", "引用了规则自身")),
                Some(target) => unusable(target, true),
            };
            report(problems, Code::BadRuleHits, drafts, id, place.clone(), fault);
        }
    }
}

fn unusable(target: &RuleDraft, for_hits: bool) -> Option<Text> {
    if !target.file.status.in_force() {
        return Some(Text::new("it is neither active nor shadow", "它既非 active 也非 shadow"));
    }
    if target.file.day_end.is_some() {
        return Some(Text::new("it runs at day ends itself", "它本身在日终运行"));
    }
    (for_hits && !target.rule_hits.is_empty()).then(|| Text::new("it uses rule_hits itself", "它本身使用 rule_hits"))
}

fn report(problems: &mut Vec<Diagnostic>, code: Code, drafts: &[RuleDraft], id: &str, place: Place, fault: Option<Text>) {
    let Some(fault) = fault else { return };
    let message = Text::new(format!("`{id}` cannot be used here: {}", fault.en), format!("此处不能引用 `{id}`：{}", fault.zh));
    let mut problem = Diagnostic::error(code, message).at(place);
    if drafts.iter().all(|draft| draft.file.id.text != id) {
        let usable = drafts.iter().filter(|draft| unusable(draft, code == Code::BadRuleHits).is_none());
        problem = problem.help(suggest(id, usable.map(|draft| draft.file.id.text.as_str())));
    }
    if code == Code::UnknownWatch && drafts.iter().any(|draft| draft.file.id.text == id && !draft.file.status.in_force()) {
        problem = problem.help(Text::new(
            "a rule that watches has no use without what it watches: turn it off as well (--set RULE.status=draft), or take the other out of `watch`",
            "被关注的规则停用后，关注它的规则也应停用（--set 规则.status=draft），或者从 watch 中去掉它",
        ));
    }
    problems.push(problem);
}

fn document(draft: &RuleDraft, sources: &[SourceFile]) -> RuleDocument {
    let file = &draft.file;
    RuleDocument {
        path: sources[file.file].path.clone(),
        id: file.id.text.clone(),
        revision: file.revision,
        title: file.title.clone(),
        status: file.status,
        basis: file.basis.clone(),
        params: file
            .params
            .iter()
            .map(|param| ParamDocument {
                name: param.name.clone(),
                kind: param.kind,
                default: param.default.to_string(),
                min: param.min.as_ref().map(ToString::to_string),
                max: param.max.as_ref().map(ToString::to_string),
                zh: param.zh.clone(),
                why: param.why.clone(),
            })
            .collect(),
        variants: file.variants.iter().map(|variant| variant.name.text.clone()).collect(),
        tests: file.tests.clone(),
    }
}
