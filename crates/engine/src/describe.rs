//! What an alert says: the values as of a hit, every condition measured, and the evidence.
//!
//! All of it is computed from a [`View`] when a revision is sent, by scanning; nothing here is kept. Conditions are measured by the same logic
//! that decided. Names, accounts and offices are left to the sink, which knows people. Section 6 of `docs/definition.md`.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::alert::{
    AlertRule, Batch, Condition, CounterpartyFlow, Evidence, EvidenceTransaction, ExclusionConsidered, FundClass, LogPosition,
    PrefectureCount, SCHEMA_VERSION, Scope, Subject, WindowSpan,
};
use weir_model::money::yuan;
use weir_model::party::institution_of;
use weir_model::{Alert, AlertStatus, Day, Direction, Division, EventTime, Flags, PartyKind};
use weir_rules::{Arg, Cost, Feature, FeatureCall, Rule, RuleSet, SlotId, Status, Value, Variant, Window};

use crate::cursor::Aggregates;
use crate::detection::{Episode, Figures};
use crate::feature::{self, ByPair, Distinct};
use crate::intern::{Interner, NONE};
use crate::row::Row;
use crate::scans::Measure;
use crate::tables::Legs;
use crate::view::{View, sum};

const COUNTERPARTIES_MAX: usize = 50;
const BATCHES_MAX: usize = 20;
const TRANSACTIONS_MAX: usize = 100;

/// Hits of a rule within a window as of the view's instant, for `rule_hits`.
pub(crate) type RuleHits<'a> = dyn Fn(&str, Window) -> Value + 'a;

/// The hit to be described, and what of the party is not in the view.
pub(crate) struct Occasion<'a> {
    pub(crate) party: &'a str,
    pub(crate) set: &'a RuleSet,
    pub(crate) rule: &'a Rule,
    pub(crate) episode: &'a Episode,
    pub(crate) txns: &'a Interner<Legs>,
    /// Transactions on earlier days are not listed any more.
    pub(crate) memory_day: Day,
    /// Inflow from the beginning of the first hit's window to the last hit.
    pub(crate) inflow_since_first: i128,
    /// Rule on trial, or reaching further back than what is kept.
    pub(crate) is_shadow: bool,
    /// Legs of the window left early.
    pub(crate) is_truncated: bool,
    pub(crate) rule_hits: &'a RuleHits<'a>,
}

/// Any feature as of the view's instant, by scanning.
pub(crate) fn value(call: &FeatureCall, view: &View<'_>, rule_hits: &RuleHits<'_>) -> Value {
    match (call.feature, call.args.as_slice()) {
        (Feature::RuleHits, [Arg::RuleId(id), Arg::Window(window)]) => rule_hits(id, *window),
        _ if call.feature.entry().cost == Cost::Costly => feature::costly(call, view),
        _ => feature::cheap(call, |window| Aggregates::scan(view.slice(window)), view),
    }
}

/// People and amounts of the window: what decides whether a revision is sent.
pub(crate) fn figures(view: &View<'_>, window: Window) -> Figures {
    let payees: Vec<u32> = view.people(Direction::Out, window, |payees| payees.natural().map(|(pair, _)| pair).collect());
    let people = view.people(Direction::In, window, |payers| {
        payers.natural().count() + payees.iter().filter(|payee| !payers.is_natural(**payee)).count()
    });
    let amount = |direction| view.sum(window, Measure::Amount(direction));
    Figures { people: people as u64, amount_in: amount(Direction::In), amount_out: amount(Direction::Out) }
}

/// The alert as of the view's instant, which is the episode's last hit. Identity, status, revision and position are the caller's.
pub(crate) fn describe(view: &View<'_>, occasion: &Occasion<'_>) -> Alert {
    let Occasion { set, rule, episode, .. } = *occasion;
    let variant = &rule.variants[usize::from(episode.last.variant)];
    let window = variant.window;
    let mut values = vec![Value::Null; set.slots.len()];
    // Many slots share a window.
    let mut scanned: Vec<(Window, Aggregates)> = Vec::new();
    let mut aggregates = |window: Window| match scanned.iter().find(|(other, _)| *other == window) {
        Some((_, aggregates)) => *aggregates,
        None => {
            scanned.push((window, Aggregates::scan(view.slice(window))));
            scanned[scanned.len() - 1].1
        }
    };
    for slot in &variant.slots {
        let call = &set.slots[*slot];
        let is_cheap = call.feature.entry().cost == Cost::Cheap;
        values[*slot] = if is_cheap { feature::cheap(call, &mut aggregates, view) } else { value(call, view, occasion.rule_hits) };
    }
    Alert {
        schema_version: SCHEMA_VERSION,
        alert_id: String::new(),
        revision: 0,
        status: AlertStatus::Opened,
        withdrawal: None,
        rule: AlertRule {
            id: rule.id.clone(),
            version: rule.version,
            title: rule.title.clone(),
            basis: rule.basis.clone(),
            set_hash: set.hash.clone(),
            variant: variant.name.clone(),
            variant_zh: variant.zh.clone(),
            shadow: occasion.is_shadow || rule.status == Status::Shadow,
        },
        subject: subject(occasion.party, view),
        level: episode.level,
        score: episode.last.score,
        first_hit_at: episode.first.t.to_string(),
        last_hit_at: episode.last.t.to_string(),
        peak_at: episode.peak_at.to_string(),
        window: span(view, window),
        people_in: natural(view.inflow(window)).len() as u64,
        people_out: natural(view.outflow(window)).len() as u64,
        people: natural(view.counted(window)).len() as u64,
        amount_in: yuan(sum(view.inflow(window))),
        amount_out: yuan(sum(view.outflow(window))),
        amount_since_first: yuan(occasion.inflow_since_first),
        outstanding_estimate: yuan(outstanding(view)),
        scope: scope(view, window),
        conditions: conditions(set, variant, &values),
        exclusions_considered: exclusions(variant, &values),
        evidence: evidence(view, window, variant.batch_size, occasion),
        addressees: Vec::new(),
        history_from: view.history_from.to_string(),
        data_gaps: data_gaps(view, set, variant, &values),
        reason: variant.reason.render(&values),
        triggered_by: None,
        detected_from: LogPosition { source: String::new(), partition: 0, offset: 0 },
    }
}

/// Distinct natural payers and payees among the rows.
fn natural<'a>(rows: impl Iterator<Item = &'a Row>) -> Distinct<u32> {
    rows.filter(|row| row.makes_party() && row.is_natural()).map(|row| row.pair).collect()
}

fn subject(party: &str, view: &View<'_>) -> Subject {
    Subject {
        party: party.to_owned(),
        kind: view.profile.kind,
        name: String::new(),
        accounts: Vec::new(),
        institution: institution_of(party).to_owned(),
        division: division(view.profile.division),
        industry: view.profile.industry.to_string(),
        opened_at: view.profile.opened_at.map(|day| day.to_string()),
    }
}

fn division(division: Division) -> String {
    if division.is_known() { division.to_string() } else { String::new() }
}

fn span(view: &View<'_>, window: Window) -> WindowSpan {
    let from = match window {
        Window::Exact(span) => view.t.minus(span),
        Window::Days(_) | Window::WorkingDays(_) => window.start(view.t, view.calendar),
    };
    WindowSpan { from: from.to_string(), to: view.t.to_string() }
}

/// Σ over payers of max(0, in − out), over all history that is not forgotten.
fn outstanding(view: &View<'_>) -> i128 {
    let mut balances: Vec<(bool, i128)> = view
        .pairs
        .iter()
        .map(|(pair, past)| {
            let is_known = !pair.is_forgotten(view.forget_before);
            let balance = if is_known { i128::from(past.paid_in) - i128::from(past.paid_out) } else { 0 };
            (is_known && past.paid_in > 0, balance)
        })
        .collect();
    for row in view.rows.iter().filter(|row| row.makes_party() && view.remembers(row)) {
        let (is_payer, balance) = &mut balances[row.pair as usize];
        *is_payer |= row.is_in();
        *balance += if row.is_in() { i128::from(row.amount) } else { -i128::from(row.amount) };
    }
    balances.into_iter().filter(|(is_payer, _)| *is_payer).map(|(_, balance)| balance.max(0)).sum()
}

fn scope(view: &View<'_>, window: Window) -> Scope {
    let mut places = ByPair::<Option<(Day, Division)>>::default();
    for row in view.counted(window).filter(|row| row.makes_party()) {
        let place = places.entry(row.pair).or_default();
        *place = (*place).max(row.division().is_known().then(|| (row.at.day(), row.division())));
    }
    let mut payers = BTreeMap::<String, u64>::new();
    for pair in natural(view.inflow(window)) {
        let place = places[&pair].map_or_else(|| "unknown".to_owned(), |(_, place)| place.prefecture().to_string());
        *payers.entry(place).or_default() += 1;
    }
    let known: Vec<Division> = places.values().flatten().map(|(_, place)| *place).collect();
    let distinct = |area: fn(Division) -> u32| known.iter().map(|place| area(*place)).collect::<BTreeSet<_>>().len() as u64;
    let provinces = distinct(Division::province);
    Scope {
        prefectures: distinct(Division::prefecture),
        provinces,
        cross_province: provinces > 1,
        known_share: match feature::share(known.len(), places.len()) {
            Value::Ratio(millionths) => Some(format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)),
            _ => None,
        },
        // Digits sort before letters.
        payers_by_prefecture: payers.into_iter().map(|(prefecture, people)| PrefectureCount { prefecture, people }).collect(),
    }
}

fn conditions(set: &RuleSet, variant: &Variant, values: &[Value]) -> Vec<Condition> {
    let required = variant.require.iter().map(|condition| {
        let explained = set.explain(condition, values, variant.window);
        Condition {
            text: condition.text.clone(),
            measured: explained.measured,
            threshold: explained.threshold,
            met: explained.met,
            points: None,
            clause: condition.clause.clone(),
            explain: explained.explain,
            parts: explained.parts,
        }
    });
    let scored = variant.score.iter().map(|item| {
        let explained = set.explain(&item.when, values, variant.window);
        // An item without a sentence of its own, which no rule file has, shows what it measured.
        let speaks = explained.met == Some(true) && !item.reason.is_empty();
        let explain = if speaks { item.reason.render(values) } else { explained.explain };
        Condition {
            text: item.when.text.clone(),
            measured: explained.measured,
            threshold: explained.threshold,
            met: explained.met,
            points: Some(item.points),
            clause: item.when.clause.clone(),
            explain,
            parts: explained.parts,
        }
    });
    required.chain(scored).collect()
}

/// All of them: one that holds on an alert has ended, which is for whoever reads it to know.
fn exclusions(variant: &Variant, values: &[Value]) -> Vec<ExclusionConsidered> {
    let considered = variant.exclude.iter().map(|exclusion| ExclusionConsidered {
        text: exclusion.when.text.clone(),
        reason: exclusion.reason.clone(),
        owner: exclusion.owner.clone(),
        until: exclusion.until.to_string(),
        held: exclusion.when.outcome(values),
    });
    considered.collect()
}

fn data_gaps(view: &View<'_>, set: &RuleSet, variant: &Variant, values: &[Value]) -> Vec<String> {
    // A registered party without an agreement has no head count: that is no gap.
    let is_gap = |slot: &&SlotId| set.slots[**slot].feature != Feature::AgreementPeople || !view.profile.registered;
    let unknown = variant.slots.iter().filter(|slot| values[**slot] == Value::Null).filter(is_gap);
    let mut gaps: Vec<String> = unknown.map(|slot| set.gap_zh(&set.slots[*slot])).collect();
    let unconverted = view.counted(variant.window).filter(|row| row.has(Flags::UNCONVERTED)).count();
    if unconverted > 0 {
        gaps.push(format!("{unconverted}笔外币交易无人民币折算，金额按零计"));
    }
    gaps
}

/// Sums of one counterparty in one direction.
#[derive(Debug)]
struct Flow {
    amount: i128,
    count: u64,
    first: EventTime,
    last: EventTime,
    /// Of the latest day that knows it; of several on one day the greatest, since day rows have no order within a day.
    kind: Option<(Day, PartyKind)>,
    division: Option<(Day, Division)>,
}

fn evidence(view: &View<'_>, window: Window, batch_size: Option<i64>, occasion: &Occasion<'_>) -> Evidence {
    let (payers, payers_total) = counterparties(view, window, Direction::In);
    let (payees, payees_total) = counterparties(view, window, Direction::Out);
    let (batches, batches_total) = batch_size.map_or((Vec::new(), 0), |n| batches(view, window, n));
    let (transactions, transactions_total) = transactions(view, window, occasion);
    let is_cut = (payers.len() as u64) < payers_total
        || (payees.len() as u64) < payees_total
        || (batches.len() as u64) < batches_total
        || (transactions.len() as u64) < transactions_total;
    Evidence {
        payers,
        payers_total,
        payees,
        payees_total,
        batches,
        batches_total,
        transactions,
        transactions_total,
        funds_from: fund_classes(view.inflow(window)),
        funds_to: fund_classes(view.outflow(window)),
        truncated: is_cut || occasion.is_truncated,
    }
}

fn counterparties(view: &View<'_>, window: Window, direction: Direction) -> (Vec<CounterpartyFlow>, u64) {
    let at = |row: &Row| if window.is_day_window() { row.at.day().start() } else { row.at };
    let mut flows = ByPair::<Flow>::default();
    for row in view.counted(window).filter(|row| row.makes_party() && row.direction() == direction) {
        let flow = flows.entry(row.pair).or_insert_with(|| Flow {
            amount: 0,
            count: 0,
            first: at(row),
            last: at(row),
            kind: None,
            division: None,
        });
        flow.amount += i128::from(row.amount);
        flow.count += 1;
        flow.last = at(row);
        let kind = row.counterparty_kind();
        flow.kind = flow.kind.max((kind != PartyKind::Unknown).then(|| (row.at.day(), kind)));
        flow.division = flow.division.max(row.division().is_known().then(|| (row.at.day(), row.division())));
    }
    let total = flows.len() as u64;
    let mut flows: Vec<(u32, Flow)> = flows.into_iter().collect();
    flows.sort_by(|(a, left), (b, right)| right.amount.cmp(&left.amount).then_with(|| view.key(*a).cmp(view.key(*b))));
    flows.truncate(COUNTERPARTIES_MAX);
    let back = amounts_back(view, flows.iter().map(|(pair, _)| *pair), direction);
    let listed = flows.into_iter().map(|(pair, flow)| CounterpartyFlow {
        id: view.key(pair).to_owned(),
        kind: flow.kind.map_or(PartyKind::Unknown, |(_, kind)| kind),
        division: flow.division.map_or_else(String::new, |(_, place)| division(place)),
        amount: yuan(flow.amount),
        count: flow.count,
        first: flow.first.to_string(),
        last: flow.last.to_string(),
        amount_back: yuan(back[&pair]),
    });
    (listed.collect(), total)
}

/// What each pair moved in the other direction, over all history that is not forgotten.
fn amounts_back(view: &View<'_>, pairs: impl Iterator<Item = u32>, direction: Direction) -> ByPair<i128> {
    let mut back: ByPair<i128> = pairs
        .map(|at| {
            let pair = view.pair(at);
            let past = view.past(at);
            let past = if direction == Direction::In { past.paid_out } else { past.paid_in };
            (at, if pair.is_forgotten(view.forget_before) { 0 } else { i128::from(past) })
        })
        .collect();
    for row in view.rows.iter().filter(|row| row.makes_party() && row.direction() != direction && view.remembers(row)) {
        if let Some(amount) = back.get_mut(&row.pair) {
            *amount += i128::from(row.amount);
        }
    }
    back
}

fn batches(view: &View<'_>, window: Window, n: i64) -> (Vec<Batch>, u64) {
    view.people(Direction::Out, window, |payees| {
        let days = payees.batches(n);
        let batch = |at: usize| {
            let (day, batch) = days[at];
            let again = at.checked_sub(1).map(|before| feature::in_both(days[before].1, batch) as u64);
            Batch { day: day.to_string(), payees: batch.len() as u64, amount: yuan(batch.iter().map(|(_, amount)| amount).sum()), again }
        };
        (((days.len().saturating_sub(BATCHES_MAX))..days.len()).map(batch).collect(), days.len() as u64)
    })
}

fn transactions(view: &View<'_>, window: Window, occasion: &Occasion<'_>) -> (Vec<EvidenceTransaction>, u64) {
    let total = view.counted(window).count() as u64;
    let latest = view.counted(window).rev().take(TRANSACTIONS_MAX).take_while(|row| row.at.day() >= occasion.memory_day);
    let mut listed: Vec<EvidenceTransaction> = latest
        .map(|row| EvidenceTransaction {
            txn_id: occasion.txns.text(row.txn).to_owned(),
            occurred_at: row.at.to_string(),
            direction: row.direction(),
            amount: yuan(i128::from(row.amount)),
            counterparty: (row.pair != NONE).then(|| view.key(row.pair).to_owned()),
        })
        .collect();
    listed.reverse();
    (listed, total)
}

fn fund_classes<'a>(rows: impl Iterator<Item = &'a Row>) -> Vec<FundClass> {
    let mut classes = BTreeMap::<&'static str, (i128, u64, Distinct<u32>)>::new();
    for row in rows {
        let (amount, count, people) = classes.entry(fund_class(row)).or_default();
        *amount += i128::from(row.amount);
        *count += 1;
        if row.makes_party() {
            people.insert(row.pair);
        }
    }
    let listed = classes.into_iter().map(|(class, (amount, count, people))| FundClass {
        class: class.to_owned(),
        amount: yuan(amount),
        count,
        people: people.len() as u64,
    });
    listed.collect()
}

fn fund_class(row: &Row) -> &'static str {
    if row.has(Flags::CASH) {
        "cash"
    } else if row.has(Flags::SAME_NAME) {
        "same_name"
    } else if row.has(Flags::SECURITIES) {
        "securities"
    } else if row.has(Flags::CROSS_BORDER) {
        "cross_border"
    } else {
        row.counterparty_kind().name()
    }
}
