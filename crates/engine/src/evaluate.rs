//! From rows worth a look to hits: gates, then cheap conditions on Arrow batches, then costly features one by one for the survivors.
//!
//! 1. *Gate.* For every instant the comparisons with literals that a variant's conjunction implies are checked on running aggregates,
//!    natively; nearly all rows end here.
//! 2. *Cheap.* What passed waits as a [`PendingRow`] with its cheap values; the conditions that read cheap slots only and say more than gates do
//!    run on the whole batch.
//! 3. *Costly.* The rows still alive are few, and are decided one by one: the remaining conditions, then exclusions, then score items, each only
//!    if the step before left the row alive, and each value computed, by scanning, when an outcome rests on it.
//!
//! Which rows share a batch cannot be observed: a row's values are those of its own party as of its own instant.

use std::cell::OnceCell;
use std::sync::Arc;

use weir_model::EventTime;
use weir_rules::{Condition, Gate, On, Rule, RuleSet, Scope, SlotBatch, SlotId, Value, Variant, Window};

use crate::ask::Need;
use crate::bounds::Bounds;
use crate::cursor::{AsOf, Horizons};
use crate::describe::{self, RuleHits};
use crate::detection::Hit;
use crate::feature;
use crate::standing::Lacks;
use crate::view::View;

/// A rule set in force for the instants after `after`, with what the detector derives from it.
#[derive(Debug)]
pub(crate) struct Edition {
    pub(crate) after: EventTime,
    pub(crate) rules: Arc<RuleSet>,
    pub(crate) horizons: Horizons,
    /// Per cheap slot: the horizon of its window.
    slot_horizons: Vec<Option<usize>>,
    /// By whether they are of groups, then of day ends.
    plans: [[Vec<Plan>; 2]; 2],
    /// By whether they are of groups: what plans ask of a party at least, without what asks for more than another.
    floors: [Vec<Bounds>; 2],
    /// The longest window any slot names, in days.
    pub(crate) reach_days: u32,
    pub(crate) has_day_end_rules: bool,
    /// Per rule: its number in this shard.
    pub(crate) numbers: Vec<u32>,
}

/// A variant and its gates.
#[derive(Debug)]
struct Plan {
    rule: usize,
    variant: usize,
    /// Each with what it needs once it has failed.
    gates: Vec<(Gate, Need)>,
    /// A party whose bounds do not reach this passes them at no instant.
    least: Bounds,
}

/// What gates say of an instant.
#[derive(Debug)]
pub(crate) struct Gated {
    /// The row of the instant, if any variant passes its gates there.
    pub(crate) row: Option<PendingRow>,
    /// What has to come before one can pass that does not.
    pub(crate) lacks: Lacks,
}

/// Of whom and of what gates are asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked<'p> {
    pub(crate) party: u32,
    /// What no window of the party can exceed.
    pub(crate) bounds: &'p Bounds,
    pub(crate) is_group: bool,
    /// A day end rather than an instant with a leg.
    pub(crate) is_day_end: bool,
    /// Index of the edition that is asked.
    pub(crate) edition: usize,
}

/// An instant of a party at which some variant may hit.
#[derive(Debug, Default)]
pub(crate) struct PendingRow {
    pub(crate) party: u32,
    pub(crate) t: EventTime,
    pub(crate) edition: usize,
    /// A day end rather than an instant with a leg.
    pub(crate) is_day_end: bool,
    candidates: Vec<Candidate>,
    values: Vec<Value>,
    computed: Vec<bool>,
    /// Hits by index of the rule within the edition.
    pub(crate) hits: Vec<(usize, Hit)>,
}

/// A variant of a rule that may hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Candidate {
    rule: usize,
    variant: usize,
}

impl PendingRow {
    /// Of another instant, of which nothing is known yet.
    fn begin(&mut self, party: u32, t: EventTime, edition: usize, is_day_end: bool, slots: usize) {
        (self.party, self.t, self.edition, self.is_day_end) = (party, t, edition, is_day_end);
        self.candidates.clear();
        self.hits.clear();
        self.values.clear();
        self.values.resize(slots, Value::Null);
        self.computed.clear();
        self.computed.resize(slots, false);
    }
}

impl Edition {
    pub(crate) fn new(rules: Arc<RuleSet>, after: EventTime, generation: u32, numbers: Vec<u32>) -> Self {
        let mut windows: Vec<Window> = Vec::new();
        let mut slot_horizons = Vec::new();
        for call in &rules.slots[..rules.cheap_slots] {
            slot_horizons.push(call.window().map(|window| {
                windows.iter().position(|other| *other == window).unwrap_or_else(|| {
                    windows.push(window);
                    windows.len() - 1
                })
            }));
        }
        let plans = plans(&rules);
        let floors = [floor(plans[0].iter().flatten()), floor(plans[1].iter().flatten())];
        let reach_days = reach_days(&rules);
        let has_day_end_rules = rules.rules.iter().any(is_day_end);
        Self {
            after,
            horizons: Horizons { generation, windows },
            slot_horizons,
            plans,
            floors,
            reach_days,
            has_day_end_rules,
            numbers,
            rules,
        }
    }

    /// The value of a cheap slot as of the windows' instant.
    fn cheap_value(&self, slot: SlotId, windows: &mut dyn AsOf, view: &View<'_>) -> Value {
        feature::cheap(&self.rules.slots[slot], |_| windows.aggregates(self.horizon(slot)), view)
    }

    /// The horizon of a cheap slot with a window.
    fn horizon(&self, slot: SlotId) -> usize {
        self.slot_horizons[slot].expect("every cheap window is a horizon")
    }

    /// Whether a party could pass any gates at all: most never do, and need no cursor.
    pub(crate) fn may_pass(&self, is_group: bool, bounds: &Bounds) -> bool {
        self.floors[usize::from(is_group)].iter().any(|floor| bounds.reaches(floor))
    }

    /// Holds an instant against all gates: that of the view and the windows. `spare` has rows whose memory is used again.
    pub(crate) fn gate(&self, asked: Asked<'_>, windows: &mut dyn AsOf, view: &View<'_>, spare: &mut Vec<PendingRow>) -> Gated {
        let Asked { party, bounds, is_group, is_day_end, edition } = asked;
        let mut gated = Gated { row: None, lacks: Lacks::default() };
        for plan in &self.plans[usize::from(is_group)][usize::from(is_day_end)] {
            if let Some(lack) = bounds.below(&plan.least) {
                gated.lacks.enough(lack);
            } else if self.rules.rules[plan.rule].fits(view.profile.kind) {
                match self.passes(plan, windows, view) {
                    Ok(()) => {
                        gated.lacks.need_nothing();
                        let begin = || {
                            let mut row = spare.pop().unwrap_or_default();
                            row.begin(party, view.t, edition, is_day_end, self.rules.slots.len());
                            row
                        };
                        gated.row.get_or_insert_with(begin).candidates.push(Candidate { rule: plan.rule, variant: plan.variant });
                    }
                    Err(Need::Ask(lack)) => gated.lacks.enough(lack),
                    Err(Need::Profile) => {}
                    Err(Need::Unknown) => gated.lacks.need_nothing(),
                }
            }
        }
        if let Some(row) = &mut gated.row {
            for candidate in &row.candidates {
                for slot in self.variant(*candidate).slots.iter().copied().filter(|slot| *slot < self.rules.cheap_slots) {
                    if !row.computed[slot] {
                        row.values[slot] = self.cheap_value(slot, windows, view);
                        row.computed[slot] = true;
                    }
                }
            }
        }
        gated
    }

    /// Whether a plan's gates let an instant pass; if not, what has to happen first, as far as one of them tells.
    fn passes(&self, plan: &Plan, windows: &mut dyn AsOf, view: &View<'_>) -> Result<(), Need> {
        let mut passes = true;
        for (gate, need) in &plan.gates {
            // Once one has failed, only those count that can tell.
            if !passes && *need == Need::Unknown {
                continue;
            }
            if !gate.holds(self.cheap_value(gate.slot, windows, view)) {
                passes = false;
                match need {
                    Need::Ask(ask) => {
                        if let Some(lack) = ask.beyond(windows.aggregates(self.horizon(gate.slot))) {
                            return Err(Need::Ask(lack));
                        }
                    }
                    Need::Profile => return Err(Need::Profile),
                    Need::Unknown => {}
                }
            }
        }
        if passes { Ok(()) } else { Err(Need::Unknown) }
    }

    fn variant(&self, candidate: Candidate) -> &Variant {
        &self.rules.rules[candidate.rule].variants[candidate.variant]
    }
}

fn is_day_end(rule: &Rule) -> bool {
    matches!(rule.on, On::DayEnd { .. })
}

fn plans(rules: &RuleSet) -> [[Vec<Plan>; 2]; 2] {
    let mut plans = <[[Vec<Plan>; 2]; 2]>::default();
    for (at, rule) in rules.rules.iter().enumerate() {
        for (variant_at, variant) in rule.variants.iter().enumerate() {
            let needs = variant.gates.iter().map(|gate| (*gate, Need::of(gate, &variant.gates, &rules.slots)));
            let gates: Vec<(Gate, Need)> = needs.collect();
            let asks = gates.iter().filter_map(|(_, need)| if let Need::Ask(ask) = need { Some(*ask) } else { None });
            let least = Bounds::least(asks);
            plans[usize::from(rule.scope == Scope::Group)][usize::from(is_day_end(rule))].push(Plan {
                rule: at,
                variant: variant_at,
                least,
                gates,
            });
        }
    }
    plans
}

/// The least that some plan asks for: whoever reaches none of these reaches no plan.
fn floor<'p>(plans: impl Iterator<Item = &'p Plan>) -> Vec<Bounds> {
    let mut floor: Vec<Bounds> = Vec::new();
    for Plan { least, .. } in plans {
        if !floor.iter().any(|lower| least.reaches(lower)) {
            floor.retain(|higher| !higher.reaches(least));
            floor.push(*least);
        }
    }
    floor
}

/// Days back from an instant that some window of a rule may cover.
fn reach_days(rules: &RuleSet) -> u32 {
    let variants = rules.rules.iter().flat_map(|rule| &rule.variants);
    variants.flat_map(|variant| variant_windows(rules, variant)).map(days_of).max().unwrap_or(0)
}

/// Every window a variant looks at: its own and those of what it measures.
pub(crate) fn variant_windows<'a>(rules: &'a RuleSet, variant: &'a Variant) -> impl Iterator<Item = Window> + 'a {
    variant.slots.iter().flat_map(|slot| rules.slots[*slot].windows()).chain([variant.window])
}

/// Calendar days that a window may cover, its own day included; the definition (section 9) names these figures.
fn days_of(window: Window) -> u32 {
    match window {
        Window::Exact(_) => 16,
        Window::Days(days) => days,
        // Ten working days take at most 24 calendar days around the longest holidays; nine in five, plus a fortnight, is above any count.
        Window::WorkingDays(count) => count * 9 / 5 + 14,
    }
}

/// A party as of an instant, for a row.
pub(crate) type ViewOf<'a> = dyn Fn(&PendingRow) -> View<'a> + 'a;

/// Decides the candidates of rows that share an edition, either those of rules that use `rule_hits` or of those that do not, and puts the
/// hits into the rows. Returns for how many rows it came to costly features.
pub(crate) fn decide<'a>(
    edition: &Edition,
    rows: &mut [&mut PendingRow],
    uses_rule_hits: bool,
    view_of: &ViewOf<'a>,
    rule_hits: &dyn Fn(u32, EventTime, &str, Window) -> Value,
) -> usize {
    let set = &*edition.rules;
    let mut candidates: Vec<(usize, Candidate)> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let of_phase = row.candidates.iter().filter(|candidate| set.rules[candidate.rule].uses_rule_hits == uses_rule_hits);
        candidates.extend(of_phase.map(|candidate| (at, *candidate)));
    }
    require_cheap(edition, rows, &mut candidates);
    let mut scanned = 0;
    // Candidates of a row stand together.
    for of_row in candidates.chunk_by(|(one, _), (other, _)| one == other) {
        scanned += 1;
        let row = &mut *rows[of_row[0].0];
        let costly = Costly { edition, view: OnceCell::new(), view_of, rule_hits };
        for (_, candidate) in of_row {
            let Some(hit) = costly.hit(row, *candidate) else { continue };
            match row.hits.iter_mut().find(|(rule, _)| *rule == candidate.rule) {
                // Of a rule's variants the one with the highest score, the earliest listed among equals.
                Some((_, best)) if best.score >= hit.score => {}
                Some((_, best)) => *best = hit,
                None => row.hits.push((candidate.rule, hit)),
            }
        }
    }
    scanned
}

/// Keeps the candidates whose cheap `require` conditions are all true. Those that are nothing but comparisons were gates.
fn require_cheap(edition: &Edition, rows: &[&mut PendingRow], candidates: &mut Vec<(usize, Candidate)>) {
    let is_open = |condition: &&Condition| condition.cheap && !condition.is_gated;
    if !candidates.iter().any(|(_, candidate)| edition.variant(*candidate).require.iter().any(|condition| is_open(&condition))) {
        return;
    }
    let (batch, places) = batch(edition, rows, candidates);
    for candidate in distinct(candidates) {
        for condition in edition.variant(candidate).require.iter().filter(is_open) {
            if !candidates.iter().any(|(_, other)| *other == candidate) {
                break;
            }
            let outcome = batch.evaluate(condition);
            candidates.retain(|(at, other)| *other != candidate || is_true(&outcome, places[*at]));
        }
    }
}

/// What computing costly slots of a row takes.
struct Costly<'c, 'a> {
    edition: &'c Edition,
    /// As of the row, once something is computed.
    view: OnceCell<View<'a>>,
    view_of: &'c ViewOf<'a>,
    rule_hits: &'c dyn Fn(u32, EventTime, &str, Window) -> Value,
}

impl Costly<'_, '_> {
    /// The hit of a variant whose cheap conditions hold. Each condition is come to only if those before have let it, and each value computed only if
    /// a condition rests on it: most rows fail the first, and shops and payrolls that a bank has verified need no score, hit after hit.
    fn hit(&self, row: &mut PendingRow, candidate: Candidate) -> Option<Hit> {
        let (rule, variant) = (&self.edition.rules.rules[candidate.rule], self.edition.variant(candidate));
        let day = row.t.day();
        let mut holds = |condition: &Condition| condition.holds(|slot| self.value(row, slot));
        let is_met = variant.require.iter().filter(|condition| !condition.cheap).all(&mut holds);
        if !is_met || variant.exclude.iter().any(|exclusion| day <= exclusion.until && holds(&exclusion.when)) {
            return None;
        }
        let points: i64 = variant.score.iter().filter(|item| holds(&item.when)).map(|item| item.points).sum();
        let score = variant.base + points;
        let level = rule.level(score)?;
        let short = |index: usize| u16::try_from(index).unwrap_or(u16::MAX);
        Some(Hit { t: row.t, score, level, variant: short(candidate.variant), edition: short(row.edition), quiet: rule.quiet })
    }

    fn value(&self, row: &mut PendingRow, slot: SlotId) -> Value {
        if !std::mem::replace(&mut row.computed[slot], true) {
            let hits: &RuleHits<'_> = &|id, window| (self.rule_hits)(row.party, row.t, id, window);
            let view = self.view.get_or_init(|| (self.view_of)(row));
            row.values[slot] = describe::value(&self.edition.rules.slots[slot], view, hits);
        }
        row.values[slot]
    }
}

/// The values of the candidates' rows as columns, and each row's place in them.
fn batch<'b>(edition: &'b Edition, rows: &'b [&mut PendingRow], candidates: &[(usize, Candidate)]) -> (SlotBatch<'b>, Vec<usize>) {
    let mut of_candidates: Vec<&[Value]> = Vec::with_capacity(candidates.len());
    let mut places = vec![usize::MAX; rows.len()];
    for (at, _) in candidates {
        if places[*at] == usize::MAX {
            places[*at] = of_candidates.len();
            of_candidates.push(&rows[*at].values);
        }
    }
    (SlotBatch::new(&edition.rules, of_candidates), places)
}

/// Variants among the candidates, in the order of the rule set.
fn distinct(candidates: &[(usize, Candidate)]) -> Vec<Candidate> {
    let mut distinct: Vec<Candidate> = candidates.iter().map(|(_, candidate)| *candidate).collect();
    distinct.sort_unstable_by_key(|candidate| (candidate.rule, candidate.variant));
    distinct.dedup();
    distinct
}

fn is_true(outcome: &arrow::array::BooleanArray, place: usize) -> bool {
    use arrow::array::Array;
    outcome.is_valid(place) && outcome.value(place)
}
