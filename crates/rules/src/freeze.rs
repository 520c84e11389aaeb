//! From bound rules to the immutable set: feature calls become slots, expressions get their numbers, gates are derived.

use crate::bind::{ConditionDraft, RuleDraft, VariantDraft};
use crate::catalogue::{Cost, Feature};
use crate::compile::Interner;
use crate::document::FileStatus;
use crate::load::Reference;
use crate::logic::Logic;
use crate::set::{Comparison, Condition, Exclusion, Formula, Gate, On, Rule, RuleSet, ScoreItem, SlotId, Status, Variant};
use crate::template::{Part, Template};
use crate::value::{Arg, FeatureCall, Value};

/// Builds the set of the rules in force, in order of id.
pub(crate) fn freeze(drafts: Vec<RuleDraft>, reference: Reference, hash: String) -> RuleSet {
    let drafts: Vec<RuleDraft> = drafts.into_iter().filter(|draft| draft.file.status.in_force()).collect();
    let mut slots: Vec<FeatureCall> = Vec::new();
    for call in drafts.iter().flat_map(|draft| &draft.variants).flat_map(variant_calls) {
        if !slots.contains(call) {
            slots.push(call.clone());
        }
    }
    // Stable: within a cost, slots stay in the order in which rules name them.
    slots.sort_by_key(|call| call.feature.entry().cost == Cost::Costly);
    let cheap_slots = slots.iter().filter(|call| call.feature.entry().cost == Cost::Cheap).count();
    let mut freezer = Freezer { slots, cheap_slots, interner: Interner::default() };
    let rules = drafts.into_iter().map(|draft| freezer.rule(draft)).collect();
    RuleSet {
        hash,
        rules,
        slots: freezer.slots,
        cheap_slots,
        calendar: reference.calendar,
        lists: reference.lists.into_iter().map(|list| (list.name, list.members)).collect(),
        tags: reference.tags,
    }
}

/// Calls in the order in which people meet them in the file: require, exclude, score, sentences.
fn variant_calls(variant: &VariantDraft) -> impl Iterator<Item = &FeatureCall> {
    let conditions = variant
        .require
        .iter()
        .chain(variant.exclude.iter().map(|exclusion| &exclusion.when))
        .chain(variant.score.iter().map(|item| &item.when));
    let sentences = std::iter::once(&variant.reason).chain(variant.score.iter().map(|item| &item.reason));
    conditions.flat_map(|condition| &condition.calls).chain(sentences.flatten().filter_map(|part| match part {
        Part::Value(call, _) => Some(call),
        Part::Text(_) => None,
    }))
}

struct Freezer {
    slots: Vec<FeatureCall>,
    cheap_slots: usize,
    interner: Interner,
}

impl Freezer {
    fn rule(&mut self, draft: RuleDraft) -> Rule {
        let RuleDraft { file, variants, rule_hits } = draft;
        Rule {
            id: file.id.text,
            version: file.revision,
            title: file.title,
            status: if file.status == FileStatus::Shadow { Status::Shadow } else { Status::Active },
            basis: file.basis,
            subject: file.subject,
            scope: file.scope,
            on: match file.day_end {
                None => On::Instant,
                Some(watch) => On::DayEnd { watch: watch.into_iter().map(|id| id.text).collect() },
            },
            quiet: file.quiet,
            variants: variants.into_iter().map(|variant| self.variant(variant, file.base)).collect(),
            levels: file.levels,
            uses_rule_hits: !rule_hits.is_empty(),
        }
    }

    fn variant(&mut self, draft: VariantDraft, base: i64) -> Variant {
        let mut slots: Vec<SlotId> = Vec::new();
        let mut batch_size = None;
        for call in variant_calls(&draft) {
            let slot = self.slot(call);
            if !slots.contains(&slot) {
                slots.push(slot);
            }
            if let (Feature::OutBatches, None, Some(Arg::Int(size))) = (call.feature, batch_size, call.args.get(1)) {
                batch_size = Some(*size);
            }
        }
        let require: Vec<Condition> = draft.require.into_iter().map(|condition| self.condition(condition)).collect();
        let gates = self.gates(&require);
        Variant {
            name: draft.name,
            zh: draft.zh,
            window: draft.window,
            params: draft.params,
            require,
            exclude: draft
                .exclude
                .into_iter()
                .map(|exclusion| Exclusion {
                    when: self.condition(exclusion.when),
                    reason: exclusion.reason,
                    owner: exclusion.owner,
                    until: exclusion.until,
                })
                .collect(),
            base,
            score: draft
                .score
                .into_iter()
                .map(|item| ScoreItem { when: self.condition(item.when), points: item.points, reason: self.template(item.reason) })
                .collect(),
            reason: self.template(draft.reason),
            gates,
            slots,
            batch_size,
        }
    }

    fn slot(&self, call: &FeatureCall) -> SlotId {
        self.slots.iter().position(|slot| slot == call).expect("every call of a frozen rule was given a slot")
    }

    fn condition(&mut self, draft: ConditionDraft) -> Condition {
        let slots: Vec<SlotId> = draft.calls.iter().map(|call| self.slot(call)).collect();
        let predicate = self.interner.intern(&draft.planned, slots.clone());
        let logic = |formula: &Formula| Logic::of(formula, &|call| self.slot(call));
        let leaves = draft.leaves.iter().map(|leaf| (leaf.clone(), logic(leaf))).collect();
        let is_gated = self.collect_comparisons(&draft.formula, &mut Vec::new());
        Condition {
            logic: logic(&draft.formula),
            text: draft.text,
            clause: draft.clause,
            formula: draft.formula,
            predicate: Some(predicate),
            cheap: slots.iter().all(|slot| *slot < self.cheap_slots),
            slots,
            leaves,
            is_gated,
        }
    }

    fn template(&self, parts: Vec<Part<FeatureCall>>) -> Template {
        Template::new(
            parts
                .into_iter()
                .map(|part| match part {
                    Part::Text(text) => Part::Text(text),
                    Part::Value(call, filter) => Part::Value(self.slot(&call), filter),
                })
                .collect(),
        )
    }

    /// The comparisons of cheap slots with literals that the conjunction implies, counts first.
    fn gates(&self, require: &[Condition]) -> Vec<Gate> {
        let mut gates: Vec<Gate> = Vec::new();
        for condition in require {
            self.collect_comparisons(&condition.formula, &mut gates);
        }
        gates.retain(|gate| gate.slot < self.cheap_slots);
        gates.sort_by_key(|gate| (!matches!(gate.literal, Value::Int(_)), gate.slot));
        gates
    }

    /// Adds the comparisons of slots with literals that a condition implies; whether it is nothing else.
    fn collect_comparisons(&self, formula: &Formula, found: &mut Vec<Gate>) -> bool {
        match formula {
            Formula::And(left, right) => {
                let is_left = self.collect_comparisons(left, found);
                self.collect_comparisons(right, found) && is_left
            }
            Formula::Between(of, low, high) => {
                let is_low = self.add_comparison(Comparison::GreaterOrEqual, of, low, found);
                self.add_comparison(Comparison::LessOrEqual, of, high, found) && is_low
            }
            Formula::Compare(comparison, of, with) => self.add_comparison(*comparison, of, with, found),
            _ => false,
        }
    }

    fn add_comparison(&self, comparison: Comparison, of: &Formula, with: &Formula, found: &mut Vec<Gate>) -> bool {
        // Yes-or-no literals do not occur.
        let (Formula::Call(call), Formula::Literal(literal)) = (of, with) else { return false };
        found.push(Gate { slot: self.slot(call), comparison, literal: *literal });
        true
    }
}
