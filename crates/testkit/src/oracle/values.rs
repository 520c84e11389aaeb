//! Section 6 of the definition: what an alert says, as of the last hit of its episode.
//!
//! Builds the whole alert from the history each time. Revision, status, trigger and place in the log are put in by `alerts`.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::alert::{
    AlertRule, Batch, Condition, CounterpartyFlow, Evidence, EvidenceTransaction, ExclusionConsidered, FundClass, LogPosition,
    PrefectureCount, SCHEMA_VERSION, Scope, Subject, WindowSpan,
};
use weir_model::money::yuan;
use weir_model::{Alert, AlertStatus, Day, Direction, Division, EventTime, Flags, PartyKind};
use weir_rules::{Rule, RuleSet, Status, Value, Variant, Window};

use super::features::{self, Facts, Hits, batch_days, ratio};
use super::formula::holds;
use super::history::{Held, History};
use super::hits::{Episode, Sets, slot_values, view_under, windows};
use super::view::{Flow, View, naturals, parties, sum, sums_by_party};

/// Largest payers and payees listed.
const PARTIES_MAX: usize = 50;
/// Latest batches listed.
const BATCHES_MAX: usize = 20;
/// Latest transactions listed.
const TRANSACTIONS_MAX: usize = 100;

/// What alerts of one rule on one party are described from: the history as it stands.
pub(super) struct Describer<'a> {
    pub(super) party: &'a str,
    pub(super) rule: &'a str,
    pub(super) history: &'a History,
    pub(super) sets: &'a Sets,
    pub(super) hits: &'a Hits,
    pub(super) memory_day: Option<Day>,
    /// A window that begins earlier may lack legs.
    pub(super) complete_from: Option<Day>,
}

/// The numbers that decide whether a revision is due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) people: i128,
    pub(super) amount_in: i128,
    pub(super) amount_out: i128,
}

impl Describer<'_> {
    /// How large the episode is as of its last hit.
    pub(super) fn size(&self, episode: &Episode) -> Size {
        let view = view_under(self.history, &self.sets.0[episode.hit.set].1, episode.last);
        let flows = view.flows(self.sets.behind(episode.hit, self.rule).1.window);
        let people = &naturals(&flows, Direction::In) | &naturals(&flows, Direction::Out);
        Size { people: people.len() as i128, amount_in: sum(&flows, Direction::In), amount_out: sum(&flows, Direction::Out) }
    }

    /// What an alert says of the episode.
    pub(super) fn alert(&self, episode: &Episode) -> Alert {
        let (rule, variant) = self.sets.behind(episode.hit, self.rule);
        let set: &RuleSet = &self.sets.0[episode.hit.set].1;
        let view = view_under(self.history, set, episode.last);
        let facts = Facts::new(&view, set, self.hits);
        let slots = slot_values(variant, &facts);
        let flows = view.flows(variant.window);
        let size = self.size(episode);
        let (payers, payees) = (naturals(&flows, Direction::In), naturals(&flows, Direction::Out));
        let people = &payers | &payees;
        let first_view = view_under(self.history, &self.sets.0[episode.first_hit.set].1, episode.start);
        let first_day = view.first_of(windows(set, variant));
        let is_warming = self.complete_from.is_some_and(|day| day > first_day);
        let is_cut = self.history.left_early_to().is_some_and(|at| at.day() >= first_day);
        let first_window = self.sets.behind(episode.first_hit, self.rule).1.window;
        Alert {
            schema_version: SCHEMA_VERSION,
            alert_id: String::new(),
            revision: 0,
            status: AlertStatus::Opened,
            withdrawal: None,
            rule: AlertRule { shadow: is_warming || rule.status == Status::Shadow, ..alert_rule(rule, variant, set) },
            subject: subject(self.party, &view),
            level: episode.level,
            score: episode.hit.score,
            first_hit_at: episode.start.to_string(),
            last_hit_at: episode.last.to_string(),
            peak_at: episode.peak.to_string(),
            window: WindowSpan { from: beginning(variant.window, &view).to_string(), to: view.t.to_string() },
            people_in: length(payers.len()),
            people_out: length(payees.len()),
            people: length(people.len()),
            amount_in: yuan(size.amount_in),
            amount_out: yuan(size.amount_out),
            amount_since_first: yuan(amount_since_first(&view, &first_view, first_window)),
            outstanding_estimate: yuan(outstanding(&view)),
            scope: scope(&flows),
            conditions: conditions(variant, &facts, &slots),
            exclusions_considered: exclusions(variant, &facts),
            evidence: evidence(variant, &view, &flows, self.memory_day, is_cut),
            addressees: Vec::new(),
            history_from: view.history_from.map(|day| day.to_string()).unwrap_or_default(),
            data_gaps: data_gaps(variant, set, &slots),
            reason: variant.reason.render(&slots),
            triggered_by: None,
            detected_from: LogPosition { source: String::new(), partition: 0, offset: 0 },
        }
    }
}

fn length(count: usize) -> u64 {
    count as u64
}

fn alert_rule(rule: &Rule, variant: &Variant, set: &RuleSet) -> AlertRule {
    AlertRule {
        id: rule.id.clone(),
        version: rule.version,
        title: rule.title.clone(),
        basis: rule.basis.clone(),
        set_hash: set.hash.clone(),
        variant: variant.name.clone(),
        variant_zh: variant.zh.clone(),
        shadow: rule.status == Status::Shadow,
    }
}

fn subject(party: &str, view: &View<'_>) -> Subject {
    let profile = view.profile();
    let key = party.split_once(':').map_or(party, |(_, key)| key);
    Subject {
        party: party.to_owned(),
        kind: profile.kind,
        name: String::new(),
        accounts: Vec::new(),
        institution: key.split_once('/').map(|(institution, _)| institution.to_owned()).unwrap_or_default(),
        division: division(profile.division),
        industry: profile.industry.clone(),
        opened_at: profile.opened_at.map(|day| day.to_string()),
    }
}

/// Six digits, empty where unknown.
fn division(division: Division) -> String {
    if division.is_known() { division.to_string() } else { String::new() }
}

/// Where the window begins: exclusive in exact windows.
fn beginning(window: Window, view: &View<'_>) -> EventTime {
    match window {
        Window::Exact(span) => view.t.minus(span),
        Window::Days(_) | Window::WorkingDays(_) => view.first_day(window).start(),
    }
}

/// Counted inflow inside or after the first hit's window.
fn amount_since_first(view: &View<'_>, first: &View<'_>, window: Window) -> i128 {
    let is_since = |at: EventTime| at > first.t || first.covers(window, at);
    // A leg that left counts if the first hit was settled by then.
    let is_known = |held: &&&Held| held.left.is_none_or(|tick_frontier| first.t < tick_frontier);
    let legs = view.left.iter().chain(&view.live).filter(is_known).filter(|held| held.is_counted() && is_since(held.leg.at));
    legs.filter(|held| held.leg.direction == Direction::In).map(|held| i128::from(super::view::fen(&held.leg))).sum()
}

fn outstanding(view: &View<'_>) -> i128 {
    let history = view.all_history();
    let paid_out = sums_by_party(&history, Direction::Out);
    let owed = sums_by_party(&history, Direction::In).into_iter();
    owed.map(|(id, paid_in)| (paid_in - paid_out.get(id).copied().unwrap_or(0)).max(0)).sum()
}

fn scope(flows: &[Flow<'_>]) -> Scope {
    let all = &parties(flows, Direction::In) | &parties(flows, Direction::Out);
    let known: Vec<Division> = all.iter().filter_map(|id| last_division(flows.iter().filter(|flow| is_party(flow, id)))).collect();
    let provinces = known.iter().map(|division| division.province()).collect::<BTreeSet<_>>().len();
    let known_share = match ratio(known.len() as i128, all.len() as i128) {
        Value::Ratio(millionths) => Some(format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)),
        _ => None,
    };
    Scope {
        prefectures: length(known.iter().map(|division| division.prefecture()).collect::<BTreeSet<_>>().len()),
        provinces: length(provinces),
        cross_province: provinces > 1,
        known_share,
        payers_by_prefecture: payers_by_prefecture(flows),
    }
}

fn payers_by_prefecture(flows: &[Flow<'_>]) -> Vec<PrefectureCount> {
    let place = |id: &&str| match last_division(flows.iter().filter(|flow| is_party(flow, id))) {
        Some(division) => format!("{:04}", division.prefecture()),
        None => "unknown".to_owned(),
    };
    let mut places: Vec<String> = naturals(flows, Direction::In).iter().map(place).collect();
    places.sort();
    let counts = places.chunk_by(|a, b| a == b);
    counts.map(|of_one| PrefectureCount { prefecture: of_one[0].clone(), people: length(of_one.len()) }).collect()
}

fn is_party(flow: &Flow<'_>, id: &str) -> bool {
    flow.is_movement && flow.counterparty == Some(id)
}

fn last_division<'a>(flows: impl Iterator<Item = &'a Flow<'a>>) -> Option<Division> {
    flows.filter(|flow| flow.division.is_known()).map(|flow| (flow.at.day(), flow.division)).max().map(|(_, division)| division)
}

fn conditions(variant: &Variant, facts: &Facts<'_>, slots: &[Value]) -> Vec<Condition> {
    let condition = |condition: &weir_rules::Condition, points| {
        let told = facts.set.explain(condition, slots, variant.window);
        Condition {
            text: condition.text.clone(),
            measured: told.measured,
            threshold: told.threshold,
            met: holds(&condition.formula, &|call| features::value(call, facts)),
            points,
            clause: condition.clause.clone(),
            explain: told.explain,
            parts: told.parts,
        }
    };
    let required = variant.require.iter().map(|required| condition(required, None));
    required.chain(variant.score.iter().map(|item| condition(&item.when, Some(item.points)))).collect()
}

fn exclusions(variant: &Variant, facts: &Facts<'_>) -> Vec<ExclusionConsidered> {
    let considered = variant.exclude.iter().map(|exclusion| ExclusionConsidered {
        text: exclusion.when.text.clone(),
        reason: exclusion.reason.clone(),
        owner: exclusion.owner.clone(),
        until: exclusion.until.to_string(),
        held: holds(&exclusion.when.formula, &|call| features::value(call, facts)),
    });
    considered.collect()
}

/// The calls that could not be evaluated.
fn data_gaps(variant: &Variant, set: &RuleSet, slots: &[Value]) -> Vec<String> {
    let missing = variant.slots.iter().filter(|slot| slots[**slot] == Value::Null);
    missing.map(|slot| set.slots[*slot].to_string()).collect::<BTreeSet<_>>().into_iter().collect()
}

fn evidence(variant: &Variant, view: &View<'_>, flows: &[Flow<'_>], memory_day: Option<Day>, is_cut: bool) -> Evidence {
    let mut payers = counterparties(view, flows, Direction::In);
    let mut payees = counterparties(view, flows, Direction::Out);
    let mut batches = variant.batch_size.map(|n| batches(flows, n)).unwrap_or_default();
    let legs = view.legs(variant.window);
    let totals = [payers.len(), payees.len(), batches.len(), legs.len()];
    payers.truncate(PARTIES_MAX);
    payees.truncate(PARTIES_MAX);
    batches.drain(..batches.len().saturating_sub(BATCHES_MAX));
    let latest = &legs[legs.len().saturating_sub(TRANSACTIONS_MAX)..];
    let transactions: Vec<EvidenceTransaction> = (latest.iter())
        .filter(|leg| memory_day.is_none_or(|day| leg.at.day() >= day))
        .map(|leg| EvidenceTransaction {
            txn_id: leg.txn_id.clone(),
            occurred_at: leg.at.to_string(),
            direction: leg.direction,
            amount: yuan(i128::from(super::view::fen(leg))),
            counterparty: leg.counterparty.clone(),
        })
        .collect();
    let listed = [payers.len(), payees.len(), batches.len(), transactions.len()];
    Evidence {
        payers,
        payers_total: length(totals[0]),
        payees,
        payees_total: length(totals[1]),
        batches,
        batches_total: length(totals[2]),
        transactions,
        transactions_total: length(totals[3]),
        funds_from: funds(flows, Direction::In),
        funds_to: funds(flows, Direction::Out),
        truncated: is_cut || listed != totals,
    }
}

/// All payers or payees, the largest first.
fn counterparties(view: &View<'_>, flows: &[Flow<'_>], direction: Direction) -> Vec<CounterpartyFlow> {
    let other = if direction == Direction::In { Direction::Out } else { Direction::In };
    let back = sums_by_party(&view.all_history(), other);
    let mut sums: Vec<(&str, i128)> = sums_by_party(flows, direction).into_iter().collect();
    sums.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(b.0)));
    let flow_of = |(id, amount): (&str, i128)| {
        let own: Vec<&Flow<'_>> = flows.iter().filter(|flow| flow.party_of(direction) == Some(id)).collect();
        let known = own.iter().filter(|flow| flow.kind != PartyKind::Unknown);
        let kind = known.map(|flow| (flow.at.day(), flow.kind)).max().map(|(_, kind)| kind);
        let time = |flow: Option<&&Flow<'_>>| flow.map(|flow| flow.at.to_string()).unwrap_or_default();
        CounterpartyFlow {
            id: id.to_owned(),
            kind: kind.unwrap_or_default(),
            division: last_division(own.iter().copied()).map(division).unwrap_or_default(),
            amount: yuan(amount),
            count: own.iter().map(|flow| flow.count).sum::<i64>().unsigned_abs(),
            first: time(own.first()),
            last: time(own.last()),
            amount_back: yuan(back.get(id).copied().unwrap_or(0)),
        }
    };
    sums.into_iter().map(flow_of).collect()
}

/// All batches of size `n`, by day.
fn batches(flows: &[Flow<'_>], n: i64) -> Vec<Batch> {
    let days = batch_days(flows, n);
    let batch = |(index, (day, paid)): (usize, &features::BatchDay<'_>)| {
        let before = index.checked_sub(1).map(|before| &days[before].1);
        Batch {
            day: day.to_string(),
            payees: length(paid.len()),
            amount: yuan(paid.values().sum()),
            again: before.map(|before| length(paid.keys().filter(|id| before.contains_key(*id)).count())),
        }
    };
    days.iter().enumerate().map(batch).collect()
}

/// Amounts by class of source or destination.
fn funds(flows: &[Flow<'_>], direction: Direction) -> Vec<FundClass> {
    let mut classes: BTreeMap<&str, (i128, i64, BTreeSet<&str>)> = BTreeMap::new();
    for flow in flows.iter().filter(|flow| flow.direction == direction) {
        let class = classes.entry(fund_class(flow)).or_default();
        class.0 += flow.amount;
        class.1 += flow.count;
        class.2.extend(flow.party_of(direction));
    }
    let fund = |(class, (amount, count, people)): (&str, (i128, i64, BTreeSet<&str>))| FundClass {
        class: class.to_owned(),
        amount: yuan(amount),
        count: count.unsigned_abs(),
        people: length(people.len()),
    };
    classes.into_iter().map(fund).collect()
}

/// The first class that fits.
fn fund_class(flow: &Flow<'_>) -> &'static str {
    let ways =
        [(Flags::CASH, "cash"), (Flags::SAME_NAME, "same_name"), (Flags::SECURITIES, "securities"), (Flags::CROSS_BORDER, "cross_border")];
    ways.into_iter().find(|(flag, _)| flow.flags.has(*flag)).map_or(flow.kind.name(), |(_, class)| class)
}
