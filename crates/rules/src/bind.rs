//! A rule bound to its parameters, variant by variant: every condition parsed, typed and planned, every sentence resolved.
//!
//! Values come, from weak to strong, from the default, the variant, `--set RULE.param`, `--set RULE.variant.param`. Feature calls are still
//! written out; slots are given when the whole set is known ([`crate::freeze`]).

use weir_model::Day;

use crate::catalogue::Feature;
use crate::contradiction::{Pair, Said, within};
use crate::diagnostic::{Code, Diagnostic, Place, Severity, SourceFile, Text};
use crate::document::{ConditionFile, RuleFile, VariantFile};
use crate::expression::{Fault, Scope, always_same, parse_condition};
use crate::load::{Reference, RuleSettings, unknown_variant};
use crate::param::{Bindings, ParamType, ParamValue, unknown_param};
use crate::plan::{Planned, plan};
use crate::read::Scalar;
use crate::set::Formula;
use crate::template::{self, Part};
use crate::value::{Arg, FeatureCall, Window};

/// A rule with its variants bound.
#[derive(Debug)]
pub(crate) struct RuleDraft {
    pub(crate) file: RuleFile,
    /// Variants that were kept; fewer than in the file where one could not be bound.
    pub(crate) variants: Vec<VariantDraft>,
    /// Rules named by `rule_hits`, with the places.
    pub(crate) rule_hits: Vec<NamedRule>,
}

/// One variant.
#[derive(Debug)]
pub(crate) struct VariantDraft {
    pub(crate) name: String,
    pub(crate) zh: String,
    pub(crate) window: Window,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) require: Vec<ConditionDraft>,
    pub(crate) exclude: Vec<ExclusionDraft>,
    pub(crate) score: Vec<ScoreDraft>,
    pub(crate) reason: Vec<Part<FeatureCall>>,
}

/// A condition, planned.
#[derive(Debug)]
pub(crate) struct ConditionDraft {
    pub(crate) text: String,
    pub(crate) clause: Option<String>,
    pub(crate) formula: Formula,
    pub(crate) planned: Planned,
    /// Those behind its columns.
    pub(crate) calls: Vec<FeatureCall>,
    /// Its comparisons; empty where it is a single one.
    pub(crate) leaves: Vec<Formula>,
}

/// An exclusion.
#[derive(Debug)]
pub(crate) struct ExclusionDraft {
    pub(crate) when: ConditionDraft,
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) until: Day,
}

/// A score item.
#[derive(Debug)]
pub(crate) struct ScoreDraft {
    pub(crate) when: ConditionDraft,
    pub(crate) points: i64,
    pub(crate) reason: Vec<Part<FeatureCall>>,
}

/// The name of a parameter that stands, as `$name`, in a stretch of characters.
fn name_in<'t>(text: &'t str, range: &std::ops::Range<usize>) -> &'t str {
    let at = |index: usize| text.char_indices().nth(index).map_or(text.len(), |(at, _)| at);
    text[at(range.start)..at(range.end)].trim_start_matches('$')
}

/// A condition as written and as bound.
type Written<'a> = (&'a Scalar, &'a ConditionDraft);

/// A rule that another names in `rule_hits`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NamedRule {
    pub(crate) id: String,
    pub(crate) place: Place,
    /// Only points depend on it: one that is off gives none.
    pub(crate) is_for_points: bool,
}

/// Binds all variants of a rule.
pub(crate) fn bind_rule(
    file: RuleFile,
    settings: &RuleSettings,
    reference: &Reference,
    sources: &[SourceFile],
    problems: &mut Vec<Diagnostic>,
) -> RuleDraft {
    let mut binder = Binder {
        file: &file,
        settings,
        reference,
        sources,
        problems,
        used: Vec::new(),
        rule_hits: Vec::new(),
        idle: Vec::new(),
        has_failed: false,
    };
    binder.check_test_settings();
    let variants: Vec<_> = if file.variants.is_empty() {
        binder.kept(&[]);
        binder.variant(None).into_iter().collect()
    } else {
        binder.kept(&file.variants).into_iter().filter_map(|variant| binder.variant(Some(variant))).collect()
    };
    binder.report_unused();
    binder.report_idle(variants.len());
    let Binder { mut rule_hits, .. } = binder;
    rule_hits.dedup();
    RuleDraft { file, variants, rule_hits }
}

struct Binder<'a> {
    file: &'a RuleFile,
    settings: &'a RuleSettings,
    reference: &'a Reference,
    sources: &'a [SourceFile],
    problems: &'a mut Vec<Diagnostic>,
    /// Parameters that occur anywhere in the rule.
    used: Vec<String>,
    rule_hits: Vec<NamedRule>,
    /// Points and exclusions for all variants that never count in one of them, once for each of these.
    idle: Vec<Diagnostic>,
    /// Some condition cannot be used: what it names and uses is not known, and is no fault of anybody else's.
    has_failed: bool,
}

impl<'a> Binder<'a> {
    /// The variants that `--set RULE.variants=` leaves.
    fn kept(&mut self, variants: &'a [VariantFile]) -> Vec<&'a VariantFile> {
        let Some(wanted) = &self.settings.variants else { return variants.iter().collect() };
        for name in wanted {
            if variants.iter().all(|variant| variant.name.text != name.text) {
                self.problems.push(unknown_variant(self.file, name));
            }
        }
        variants.iter().filter(|variant| wanted.iter().any(|name| name.text == variant.name.text)).collect()
    }

    fn check_test_settings(&mut self) {
        for (name, value) in &self.file.test_settings {
            match self.file.params.iter().find(|param| param.name == name.text) {
                Some(param) => self.problems.extend(param.value(value).err().map(|problem| *problem)),
                None => self.unknown_param(name),
            }
        }
    }

    /// Says that there is no such parameter, unless one is declared that cannot be used, of which all has been said.
    fn unknown_param(&mut self, name: &Scalar) {
        if !self.is_unusable(&name.text) {
            self.problems.push(unknown_param(&name.text, self.param_names(), name.place()));
        }
    }

    fn is_unusable(&self, name: &str) -> bool {
        self.file.declared.iter().any(|declared| declared == name) && self.file.params.iter().all(|param| param.name != name)
    }

    fn param_names(&self) -> impl Iterator<Item = &'a str> + Clone + use<'a> {
        self.file.params.iter().map(|param| param.name.as_str())
    }

    fn report_unused(&mut self) {
        if self.has_failed {
            return;
        }
        for param in self.file.params.iter().filter(|param| !self.used.contains(&param.name)) {
            let message = Text::new(format!("parameter `{}` is not used", param.name), format!("参数 `{}` 没有被使用", param.name));
            self.problems.push(Diagnostic::warning(Code::UnusedParam, message).at(param.place.clone()));
        }
    }

    /// Values of the parameters under a variant.
    fn bindings(&mut self, variant: Option<&VariantFile>) -> Bindings {
        let mut bindings = Bindings::defaults(&self.file.params);
        let settings = self.settings;
        let own = variant.into_iter().flat_map(|variant| variant.params.iter()).map(|(name, value)| (name, value));
        let for_all = settings.params.iter().map(|(name, value)| (name, value));
        let for_this = settings
            .variant_params
            .iter()
            .filter(|(of, ..)| variant.is_some_and(|variant| variant.name.text == of.text))
            .map(|(_, name, value)| (name, value));
        for (name, value) in own.chain(for_all).chain(for_this) {
            let Some(param) = self.file.params.iter().find(|param| param.name == name.text) else {
                self.unknown_param(name);
                continue;
            };
            match param.value(value) {
                Ok(value) => bindings.set(&param.name, value),
                Err(problem) => self.problems.push(*problem),
            }
        }
        bindings
    }

    fn variant(&mut self, variant: Option<&VariantFile>) -> Option<VariantDraft> {
        let bindings = self.bindings(variant);
        let reference = self.reference;
        let scope = Scope { bindings: &bindings, tags: &reference.tag_names, lists: &reference.list_names };
        let file = self.file;
        let window = file.window.as_ref().and_then(|written| self.window(written, &bindings));
        let (more_require, more_score) = variant.map_or((&[][..], &[][..]), |variant| (&variant.require[..], &variant.score[..]));

        let require: Vec<_> = file.require.iter().chain(more_require).map(|condition| self.condition(condition, &scope)).collect();
        let exclude: Vec<_> = file
            .exclude
            .iter()
            .map(|exclusion| {
                let when = self.condition_of(&exclusion.when, None, &scope)?;
                Some(ExclusionDraft { when, reason: exclusion.reason.clone(), owner: exclusion.owner.clone(), until: exclusion.until })
            })
            .collect();
        let asked = self.rule_hits.len();
        let scored: Vec<_> = file.score.iter().chain(more_score).map(|item| (item, self.condition(&item.when, &scope))).collect();

        self.rule_hits[asked..].iter_mut().for_each(|named| named.is_for_points = true);

        let required = file.require.iter().chain(more_require).map(|condition| &condition.when).zip(&require);
        let required: Vec<Written<'_>> = required.filter_map(|(written, when)| Some((written, when.as_ref()?))).collect();
        let excluded = file.exclude.iter().map(|exclusion| &exclusion.when).zip(&exclude);
        let excluded: Vec<Written<'_>> = excluded.filter_map(|(written, item)| Some((written, &item.as_ref()?.when))).collect();
        let items: Vec<Written<'_>> = scored.iter().filter_map(|(item, when)| Some((&item.when.when, when.as_ref()?))).collect();
        // Where an item could not be bound, the set is refused anyway.
        self.report_never(&required, &excluded, &items, file.score.len());

        // Sentences may name what any condition of the variant measures, in this order.
        let conditions = require.iter().flatten().chain(exclude.iter().flatten().map(|exclusion| &exclusion.when));
        let conditions = conditions.chain(scored.iter().filter_map(|(_, when)| when.as_ref()));
        let mut calls: Vec<FeatureCall> = Vec::new();
        for call in conditions.flat_map(|condition| &condition.calls) {
            if !calls.contains(call) {
                calls.push(call.clone());
            }
        }
        let score: Vec<_> = scored
            .into_iter()
            .map(|(item, when)| {
                let reason = self.sentence(&item.reason, &scope, &own_first(when.as_ref(), &calls));
                Some(ScoreDraft { when: when?, points: item.points, reason: reason? })
            })
            .collect();
        let own_reason = variant.and_then(|variant| variant.reason.as_ref());
        let reason = own_reason.or(file.reason.as_ref()).and_then(|reason| self.sentence(reason, &scope, &calls));

        Some(VariantDraft {
            name: variant.map_or(String::new(), |variant| variant.name.text.clone()),
            zh: variant.and_then(|variant| variant.zh.clone()).unwrap_or_default(),
            window: window?,
            params: bindings.texts(),
            require: require.into_iter().collect::<Option<_>>()?,
            exclude: exclude.into_iter().collect::<Option<_>>()?,
            score: score.into_iter().collect::<Option<_>>()?,
            reason: reason?,
        })
    }

    /// Says which conditions of a variant never hold beside the others it requires. `shared` of the points are for all variants.
    fn report_never<'w>(&mut self, require: &[Written<'w>], exclude: &[Written<'w>], scored: &[Written<'w>], shared: usize) {
        let mut said = Said::default();
        for (written, when) in require.iter().filter(is_sound) {
            let mut with = said.clone();
            match with.add(&when.formula) {
                None => said = with,
                Some(pair) => {
                    let problem = self.never(pair, written);
                    self.problems.push(problem);
                }
            }
        }
        let own = scored.get(shared..).unwrap_or_default();
        let (for_all, for_this) = (exclude.iter().chain(&scored[..scored.len() - own.len()]), own.iter());
        for (written, when) in for_all.filter(is_sound) {
            if let Some(pair) = said.clone().add(&when.formula) {
                let problem = self.never(pair, written);
                self.idle.push(problem);
            }
        }
        for (written, when) in for_this.filter(is_sound) {
            if let Some(pair) = said.clone().add(&when.formula) {
                let problem = self.never(pair, written);
                self.problems.push(problem);
            }
        }
    }

    fn never(&self, [other, this]: Pair<'_>, written: &Scalar) -> Diagnostic {
        let message = Text::new(format!("`{this}` never holds where `{other}` does"), format!("`{this}` 与 `{other}` 不可能同时成立"));
        let place = written.part(&self.sources[written.file], 0..written.text.chars().count());
        Diagnostic::warning(Code::NeverTogether, message).at(place)
    }

    /// Points and exclusions that count in none of so many variants.
    fn report_idle(&mut self, variants: usize) {
        let idle = std::mem::take(&mut self.idle);
        for (at, problem) in idle.iter().enumerate() {
            let is_same = |other: &&Diagnostic| other.place == problem.place;
            if !idle[..at].iter().any(|other| is_same(&other)) && idle.iter().filter(is_same).count() == variants {
                self.problems.push(problem.clone());
            }
        }
    }

    /// `window:` of the rule: a parameter or a literal.
    fn window(&mut self, written: &Scalar, bindings: &Bindings) -> Option<Window> {
        let Some(name) = written.text.strip_prefix('$') else {
            let window = Window::parse(&written.text);
            if window.is_none() {
                let message = Text::new(format!("`{}` is no possible window", written.text), format!("`{}` 不是可用的窗口", written.text));
                self.problems.push(Diagnostic::error(Code::BadWindow, message).at(written.place()));
            }
            return window;
        };
        let Some(value) = bindings.get(name) else {
            if !self.is_unusable(name) {
                self.problems.push(unknown_param(name, self.param_names(), written.place()));
            }
            return None;
        };
        self.used.push(name.to_owned());
        if let ParamValue::Window(window) = value {
            return Some(*window);
        }
        let wanted = ParamType::Window.name();
        let message = Text::new(format!("`${name}` is not of type {wanted}"), format!("参数 `${name}` 不是 {wanted} 类型"));
        self.problems.push(Diagnostic::error(Code::WrongValue, message).at(written.place()));
        None
    }

    fn condition(&mut self, condition: &ConditionFile, scope: &Scope<'_>) -> Option<ConditionDraft> {
        self.condition_of(&condition.when, condition.clause.as_deref(), scope)
    }

    fn condition_of(&mut self, written: &Scalar, clause: Option<&str>, scope: &Scope<'_>) -> Option<ConditionDraft> {
        let (bound, mut faults) = parse_condition(&written.text, scope, &mut self.used);
        let warned = !faults.is_empty();
        faults.retain(|fault| fault.code != Code::UnknownParam || !self.is_unusable(name_in(&written.text, &fault.range)));
        self.report(written, faults);
        self.has_failed |= bound.is_none();
        let bound = bound?;
        for (call, range) in bound.calls.iter().filter(|(call, _)| call.feature == Feature::RuleHits) {
            let place = written.part(&self.sources[written.file], range.clone());
            self.rule_hits.extend(call.args.iter().filter_map(|arg| match arg {
                Arg::RuleId(id) => Some(NamedRule { id: id.clone(), place: place.clone(), is_for_points: false }),
                _ => None,
            }));
        }
        let calls: Vec<FeatureCall> = bound.calls.into_iter().map(|(call, _)| call).collect();
        let planned = match plan(&bound.sql, &bound.literals, &calls) {
            Ok(planned) => planned,
            Err(error) => {
                let message = Text::new(format!("cannot be compiled: {error}"), format!("无法编译：{error}"));
                self.problems.push(Diagnostic::error(Code::TooComplex, message).at(written.place()));
                return None;
            }
        };
        let is_single = matches!(bound.leaves.as_slice(), [leaf] if *leaf == bound.formula);
        let leaves = if is_single { Vec::new() } else { bound.leaves };
        match (planned.constant, within(&bound.formula)) {
            (Some(outcome), _) if !warned => {
                let message = always_same(outcome, bound.formula.may_be_null());
                self.problems.push(Diagnostic::warning(Code::AlwaysSame, message).at(written.place()));
            }
            (_, Some(pair)) => {
                let problem = self.never(pair, written);
                self.problems.push(problem);
            }
            _ => {}
        }
        let clause = clause.map(str::to_owned);
        Some(ConditionDraft { text: written.text.clone(), clause, formula: bound.formula, planned, calls, leaves })
    }

    fn sentence(&mut self, written: &Scalar, scope: &Scope<'_>, calls: &[FeatureCall]) -> Option<Vec<Part<FeatureCall>>> {
        let (parts, mut faults) = template::parse(&written.text, scope, calls, &mut self.used);
        faults.retain(|fault| fault.code != Code::UnknownTemplateName || !self.has_failed);
        let failed = faults.iter().any(|fault| fault.severity == Severity::Error);
        self.report(written, faults);
        (!failed).then_some(parts)
    }

    fn report(&mut self, written: &Scalar, faults: Vec<Fault>) {
        for fault in faults {
            let place = written.part(&self.sources[written.file], fault.range);
            self.problems.push(Diagnostic {
                code: fault.code,
                severity: fault.severity,
                place: Some(place),
                message: fault.message,
                help: fault.help,
            });
        }
    }
}

/// Whether a condition does not contradict itself, which has been told already where it does.
fn is_sound((_, when): &&Written<'_>) -> bool {
    within(&when.formula).is_none()
}

/// A score item's sentence speaks of its own condition first.
fn own_first(when: Option<&ConditionDraft>, calls: &[FeatureCall]) -> Vec<FeatureCall> {
    let own = when.map_or(&[][..], |condition| &condition.calls);
    own.iter().chain(calls).cloned().collect()
}
