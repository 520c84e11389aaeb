//! What a service must have said, given the records on its topics: worked out by the oracle from the leg log, and from the transactions.
//!
//! Two steps, like the service. Split: every transaction has its legs in the leg log once, or its dead letter once. Detect: an engine that
//! nothing happens to reads each leg partition from its beginning, and everything it says must be on the topics, byte for byte, each once
//! and nothing else. That engine in turn must say what the oracle says of one party at a time (parties do not see each other); the oracle is
//! too slow for parties of many legs, of which `crates/testkit` compares the two on shorter logs. Names and addressees are no business of
//! the engine's; messages to offices are worked out from the alerts that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use weir_engine::{Effects, Engine, Input, RejectEffect};
use weir_feed::{Decoded, Mapping, Message, MessageDecoder, Parties};
use weir_kafka::{Entry, Source, TopicRecord};
use weir_model::{Alert, EventTime, Level, Span};
use weir_office::{Desk, Release};
use weir_rules::{Override, RuleSet, SourceFile};
use weir_testkit::log::{Event, OwnedLeg};
use weir_testkit::oracle;

use super::rig::{Rig, parties, rules};

/// Half a year goes by in half a minute: what a partition knows of the others, half a second old, is some days old in the bank's time.
pub(super) const LATENESS_DAYS: i64 = 30;

/// Parties of more legs are not asked of the oracle, which sorts the whole history at each tick.
const ORACLE_LEGS_MAX: usize = 400;

/// Parties of a partition that the oracle is asked of, and those among them that nothing is said of: each costs it all ticks of the log.
const ASKED: (usize, usize) = (6, 2);
/// The same for a whole trial.
const ASKED_WHOLE: (usize, usize) = (usize::MAX, 20);

/// What was compared.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Compared {
    pub(super) transactions: usize,
    pub(super) legs: usize,
    pub(super) alerts: usize,
    pub(super) by_oracle: usize,
    pub(super) reports: usize,
    pub(super) office: usize,
    pub(super) set_aside: usize,
}

/// The shipped rules with settings, as `weir rules publish --set` makes them.
pub(super) fn rule_set(settings: &[&str]) -> Arc<RuleSet> {
    let folder = rules();
    let mut files = Vec::new();
    collect(Path::new(&folder), Path::new(&folder), &mut files);
    let overrides: Vec<Override> = settings.iter().map(|text| Override::new(*text)).collect();
    let loaded = weir_rules::load(&files, &overrides).unwrap_or_else(|problems| panic!("the shipped rules load: {problems:?}"));
    Arc::new(loaded.rules)
}

fn collect(root: &Path, folder: &Path, files: &mut Vec<SourceFile>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            let below = path.strip_prefix(root).expect("below").to_str().expect("UTF-8").to_owned();
            files.push(SourceFile { path: below, text: std::fs::read_to_string(&path).expect("a rule file") });
        }
    }
}

/// Holds everything on the topics of a rig against what must be there.
pub(super) fn check(rig: &Rig, sets: &[Arc<RuleSet>], is_whole: bool) -> Compared {
    let transactions = rig.topic("transactions");
    let legs = rig.topic("legs");
    let dead = rig.topic("dead-letter");
    let mut compared = Compared { transactions: transactions.len(), legs: legs.len(), ..Compared::default() };
    check_split(rig, &transactions, &legs, &dead);
    let asked = if is_whole { ASKED_WHOLE } else { ASKED };
    check_detect(rig, (&legs, &dead), sets, asked, &mut compared);
    compared
}

fn check_split(rig: &Rig, transactions: &[TopicRecord], legs: &[TopicRecord], dead: &[TopicRecord]) {
    let mapping = Mapping::load(&rig.path("feed.yaml")).expect("the feed file");
    let institution = mapping.institution().to_owned();
    let mut decoder = MessageDecoder::new(mapping).expect("a mapping for messages");
    for party in Parties::load(Path::new(&parties()), &institution).expect("parties").iter() {
        decoder.put_party(party.clone()).expect("a party");
    }
    let messages = transactions.iter().map(|record| Message { bytes: &record.value, received: None });
    let decoded = decoder.decode(messages);
    let (mut expected, mut expected_dead) = (BTreeSet::new(), BTreeSet::new());
    for (record, outcome) in transactions.iter().zip(decoded.iter()) {
        let source = (record.partition, record.offset);
        match outcome {
            Decoded::Rejected { .. } => {
                expected_dead.insert(source);
            }
            Decoded::Legs { legs, .. } => expected.extend(legs.filter_map(|number| decoded.leg(number)).map(|view| {
                let leg = &view.leg;
                (source, leg.party.to_owned(), format!("{:?}", leg.direction), leg.txn_id.to_owned(), leg.at.0, leg.amount.minor)
            })),
        }
    }
    let mut found = BTreeSet::new();
    // Legs of one transactions partition keep their order in every leg partition.
    let mut last: BTreeMap<(i32, i32), i64> = BTreeMap::new();
    for record in legs {
        let Ok(Entry::Leg(stamped)) = Entry::decode(&record.value) else { continue };
        let (leg, source) = (&stamped.leg, stamped.source);
        let row = (
            (source.partition, source.offset),
            leg.party.to_owned(),
            format!("{:?}", leg.direction),
            leg.txn_id.to_owned(),
            leg.at.0,
            leg.amount.minor,
        );
        assert!(found.insert(row), "a leg is twice in the leg log: {}/{}", record.partition, record.offset);
        let before = last.insert((record.partition, source.partition), source.offset);
        assert!(before <= Some(source.offset), "legs out of order at {}/{}", record.partition, record.offset);
    }
    let missing = expected.difference(&found).count();
    let strange = found.difference(&expected).count();
    assert!(missing + strange == 0, "leg log: {missing} legs missing, {strange} strange");

    let split = dead.iter().filter(|letter| letter.headers["__connect.errors.stage"] == "VALUE_CONVERTER");
    let places: Vec<(i32, i64)> = split
        .map(|letter| {
            let number = |name: &str| letter.headers[name].parse::<i64>().expect("a number");
            let partition = i32::try_from(number("__connect.errors.partition")).expect("a partition");
            (partition, number("__connect.errors.offset"))
        })
        .collect();
    let found_dead: BTreeSet<(i32, i64)> = places.iter().copied().collect();
    assert_eq!(places.len(), found_dead.len(), "a dead letter is there twice");
    assert_eq!(found_dead, expected_dead, "dead letters of the splitter");
}

/// What the engine says of all partitions' logs.
#[derive(Default)]
struct Expected {
    alerts: Vec<String>,
    reports: Vec<String>,
    rejects: Vec<String>,
    /// Alerts and reports that the oracle found too.
    by_oracle: usize,
}

fn check_detect(
    rig: &Rig,
    (legs, dead): (&[TopicRecord], &[TopicRecord]),
    sets: &[Arc<RuleSet>],
    asked: (usize, usize),
    compared: &mut Compared,
) {
    let partitions: BTreeSet<i32> = legs.iter().map(|record| record.partition).collect();
    let mut expected = Expected::default();
    for partition in partitions {
        let log: Vec<&TopicRecord> = legs.iter().filter(|record| record.partition == partition).collect();
        expect(partition, &log, sets, asked, &mut expected);
    }
    compared.by_oracle = expected.by_oracle;
    let alerts = rig.topic("alerts");
    let said = alerts.iter().map(|record| alert_line(&serde_json::from_slice(&record.value).expect("an alert"))).collect();
    compared.alerts = assert_same("alerts", said, expected.alerts);
    let reports = rig.topic("large-amount");
    let said = reports.iter().map(|record| String::from_utf8(record.value.clone()).expect("UTF-8")).collect();
    compared.reports = assert_same("large-amount reports", said, expected.reports);
    let detect = dead.iter().filter(|letter| letter.headers["__connect.errors.stage"] == "TRANSFORMATION").cloned();
    let set_aside: Vec<TopicRecord> = rig.topic("late").into_iter().chain(detect).collect();
    let said = set_aside.iter().map(|record| reject_line(&serde_json::from_slice(&record.value).expect("JSON"))).collect();
    compared.set_aside = assert_same("legs set aside", said, expected.rejects) + dead.len();
    compared.office = check_office(rig, &alerts);
}

/// What is said of one partition, by an engine and, party by party, by the oracle.
fn expect(partition: i32, log: &[&TopicRecord], sets: &[Arc<RuleSet>], asked: (usize, usize), expected: &mut Expected) {
    let set = |hash: &str| sets.iter().find(|set| set.hash == hash).cloned().expect("a rule set that was published");
    let mut first = None;
    let mut events = Vec::new();
    let mut sources: BTreeMap<u64, Source> = BTreeMap::new();
    for record in log {
        let number = record.offset.unsigned_abs();
        match Entry::decode(&record.value).expect("a record of the leg log") {
            Entry::Leg(stamped) => {
                sources.insert(number, stamped.source);
                let leg = Box::new(OwnedLeg::from(&stamped.leg));
                events.push(Event::Leg { record: number, clock: stamped.clock, leg });
            }
            Entry::Tick { clock } => events.push(Event::Tick { record: number, clock }),
            Entry::Switch { clock, rules } if first.is_none() => {
                assert_eq!(clock, EventTime::MIN, "the first set is in force from the beginning");
                first = Some(set(rules));
            }
            Entry::Switch { clock, rules } => events.push(Event::Switch { record: number, clock, rules: set(rules) }),
        }
    }
    let first = first.expect("a log begins with a rule set");
    let effects = fold(&first, &events);
    expected.by_oracle += ask_oracle(&first, &events, &effects, asked);
    expected.alerts.extend(effects.alerts.into_iter().map(|mut sent| {
        sent.alert.detected_from.partition = partition;
        sent.alert.detected_from.offset = sent.record;
        alert_line(&sent.alert)
    }));
    expected.reports.extend(effects.reports.iter().map(|sent| json(&sent.report)));
    let set_aside = effects.rejects.iter().map(|reject| expected_reject(reject, sources.get(&reject.rejected_record)));
    expected.rejects.extend(set_aside);
}

fn fold(first: &Arc<RuleSet>, events: &[Event]) -> Effects {
    let settings = weir_engine::Settings { lateness: Span::days(LATENESS_DAYS), ..weir_engine::Settings::default() };
    let mut effects = Effects::default();
    let inputs: Vec<Input<'_>> = events
        .iter()
        .map(|event| match event {
            Event::Leg { record, clock, leg } => Input::Leg { record: *record, clock: *clock, leg: leg.as_leg() },
            Event::Tick { record, clock } => Input::Tick { record: *record, clock: *clock },
            Event::Switch { record, clock, rules } => Input::Switch { record: *record, clock: *clock, rules: Arc::clone(rules) },
        })
        .collect();
    Engine::new(settings, Arc::clone(first)).step(&inputs, &mut effects);
    effects
}

/// Holds what the engine said of each party of not too many legs against the oracle; how many alerts and reports both have.
fn ask_oracle(first: &Arc<RuleSet>, events: &[Event], effects: &Effects, (asked, silent_asked): (usize, usize)) -> usize {
    let mut legs: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events {
        if let Event::Leg { leg, .. } = event {
            *legs.entry(&leg.party).or_default() += 1;
        }
    }
    let is_told = |party: &str| {
        effects.alerts.iter().any(|sent| sent.alert.subject.party == party)
            || effects.reports.iter().any(|sent| sent.report.customer == party)
    };
    let (told, silent): (Vec<&str>, Vec<&str>) =
        legs.iter().filter(|(_, legs)| **legs <= ORACLE_LEGS_MAX).map(|(party, _)| *party).partition(|party| is_told(party));
    let settings = oracle::Settings { lateness: Span::days(LATENESS_DAYS), ..oracle::Settings::default() };
    let mut both = 0;
    for party in told.into_iter().take(asked).chain(silent.into_iter().take(silent_asked)) {
        let of_party = |event: &&Event| !matches!(event, Event::Leg { leg, .. } if leg.party != party);
        let events: Vec<Event> = events.iter().filter(of_party).cloned().collect();
        let answer = oracle::answer(settings, first, &events);
        let found = answer.alerts.iter().map(|sent| without_wording(sent.record, &sent.revision)).collect();
        let of_engine = effects.alerts.iter().filter(|sent| sent.alert.subject.party == party);
        both += assert_same("the oracle's alerts", of_engine.map(|sent| without_wording(sent.record, &sent.alert)).collect(), found);
        let of_engine = effects.reports.iter().filter(|sent| sent.report.customer == party);
        let found = answer.reports.iter().map(|sent| json(&sent.revision)).collect();
        both += assert_same("the oracle's reports", of_engine.map(|sent| json(&sent.report)).collect(), found);
    }
    both
}

/// An alert as far as the oracle knows it: sentences are the engine's own affair.
fn without_wording(record: u64, alert: &Alert) -> String {
    let mut alert = alert.clone();
    alert.data_gaps.clear();
    for condition in &mut alert.conditions {
        condition.explain.clear();
        condition.parts = None;
    }
    format!("{record} {}", json(&alert))
}

/// An alert without what the engine does not know.
fn alert_line(alert: &Alert) -> String {
    let mut alert = alert.clone();
    alert.subject.name.clear();
    alert.subject.accounts.clear();
    alert.addressees.clear();
    alert.detected_from.source.clear();
    json(&alert)
}

fn expected_reject(reject: &RejectEffect, source: Option<&Source>) -> String {
    let position = source.map(|source| (source.partition, source.offset));
    let direction = serde_json::to_value(reject.direction).expect("a value");
    let reason = serde_json::to_value(reject.reason).expect("a value");
    let frontier = reject.frontier.to_string();
    format!("{reason} {} {} {direction} {} {frontier} {:?} {position:?}", reject.party, reject.txn_id, reject.at, reject.report_ids)
}

fn reject_line(row: &Value) -> String {
    let text = |name: &str| row[name].as_str().expect("a text").to_owned();
    let ids: Vec<&str> = row["report_ids"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let place = &row["transaction"];
    let position = place["offset"].as_i64().map(|offset| (place["partition"].as_i64().unwrap_or(-1), offset));
    let (reason, direction) = (&row["reason"], &row["direction"]);
    format!("{reason} {} {} {direction} {} {} {ids:?} {position:?}", text("party"), text("txn_id"), text("occurred_at"), text("frontier"))
}

/// Messages to offices follow from the alerts: the allow-list of each revision from the level on, to its addressees, each once.
fn check_office(rig: &Rig, alerts: &[TopicRecord]) -> usize {
    let settings = weir_office::Settings { min_level: Level::Medium, bank_contact: String::new(), release: Release::Auto };
    let mut alerts: Vec<Alert> = alerts.iter().map(|record| serde_json::from_slice(&record.value).expect("an alert")).collect();
    alerts.sort_by(|a, b| (&a.alert_id, a.revision).cmp(&(&b.alert_id, b.revision)));
    let mut desk = Desk::default();
    let mut expected = Vec::new();
    for alert in &alerts {
        desk.addressees(&alert.alert_id, || alert.addressees.clone());
        expected.extend(desk.messages(alert, &settings, EventTime::MIN).iter().map(json));
    }
    let said = rig.topic("office").iter().map(|record| String::from_utf8(record.value.clone()).expect("UTF-8")).collect();
    assert_same("messages to offices", said, expected)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("plain values")
}

/// How many there are, when both are the same lines.
fn assert_same(what: &str, mut said: Vec<String>, mut expected: Vec<String>) -> usize {
    said.sort();
    expected.sort();
    if said != expected {
        let only = |some: &[String], others: &[String]| {
            let mut left = others.iter().collect::<Vec<_>>();
            let missing = some.iter().filter(|line| match left.iter().position(|other| other == line) {
                Some(at) => {
                    left.swap_remove(at);
                    false
                }
                None => true,
            });
            missing.take(3).cloned().collect::<Vec<_>>()
        };
        panic!(
            "{what}: {} said, {} expected; said and not expected: {:#?}; expected and not said: {:#?}",
            said.len(),
            expected.len(),
            only(&said, &expected),
            only(&expected, &said)
        );
    }
    said.len()
}
