//! The engine against the oracle, on random logs: every line and the final state, however the log is cut, sharded or interrupted.
//!
//! A failure prints the seed's log as rows that `weir_testkit::log::parse` reads back, how the engine was run, and the first difference.

mod damage;
mod golden;
mod swept;

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};
use weir_engine::{AlertEffect, Effects, Engine, Input};
use weir_model::alert::AlertStatus;
use weir_model::{Alert, LargeAmountReport, Span};
use weir_rules::RuleSet;
use weir_testkit::difference::first_difference;
use weir_testkit::log::{Event, Row, stamp_apart};
use weir_testkit::oracle::{self, Answer, Reject, Sent, Settings};
use weir_testkit::{rule_sets, streams};

/// How a log is fed to the engine.
#[derive(Debug, Clone, Copy)]
struct Feeding {
    /// Records a call takes.
    batch: usize,
    shards: usize,
    /// Whether every shard is written out and read back, again and again; and by how many bytes the writing goes on after every call.
    restores: Option<usize>,
}

/// Sources of the records, each with a clock of its own: a file is one, a topic has its partitions.
const SOURCES: [usize; 2] = [1, 3];

const FEEDINGS: [Feeding; 6] = [
    Feeding { batch: usize::MAX, shards: 1, restores: None },
    Feeding { batch: 1, shards: 1, restores: None },
    Feeding { batch: 7, shards: 3, restores: None },
    Feeding { batch: usize::MAX, shards: 3, restores: None },
    Feeding { batch: 1, shards: 1, restores: Some(usize::MAX) },
    Feeding { batch: 1, shards: 1, restores: Some(300) },
];

fn engine_settings(settings: Settings) -> weir_engine::Settings {
    weir_engine::Settings {
        lateness: settings.lateness,
        reevaluate_max: settings.reevaluate_max,
        party_legs_max: settings.party_legs_max,
        report_transactions_max: settings.report_transactions_max,
    }
}

fn record_of(event: &Event) -> u64 {
    match event {
        Event::Leg { record, .. } | Event::Tick { record, .. } | Event::Switch { record, .. } => *record,
    }
}

fn input(event: &Event) -> Input<'_> {
    match event {
        Event::Leg { record, clock, leg } => Input::Leg { record: *record, clock: *clock, leg: leg.as_leg() },
        Event::Tick { record, clock } => Input::Tick { record: *record, clock: *clock },
        Event::Switch { record, clock, rules } => Input::Switch { record: *record, clock: *clock, rules: Arc::clone(rules) },
    }
}

/// The shard of a party: any function of its key.
fn shard_of(party: &str, shards: usize) -> usize {
    party.bytes().map(usize::from).sum::<usize>() % shards
}

/// Calls of at most `batch` records each; the rows of one record stay together.
fn calls(log: &[Event], batch: usize) -> Vec<Vec<&Event>> {
    let mut calls: Vec<Vec<&Event>> = Vec::new();
    let mut first = 0;
    let Some(last) = log.last() else { return calls };
    for event in log {
        let record = record_of(event);
        let fits = record.saturating_sub(first) < batch as u64;
        match calls.last_mut() {
            // The tick at the end bears the last record's number but stands after it: it comes alone.
            Some(call) if fits && !std::ptr::eq(event, last) => call.push(event),
            _ => {
                first = record;
                calls.push(vec![event]);
            }
        }
    }
    calls
}

fn engine_answer(settings: Settings, sets: &[Arc<RuleSet>], log: &[Event], feeding: Feeding) -> Result<Answer, String> {
    let mut effects = Effects::default();
    let (mut live, mut open) = (Vec::new(), Vec::new());
    for shard in 0..feeding.shards {
        let owns = |party: &str| shard_of(party, feeding.shards) == shard;
        let mut engine = Engine::new(engine_settings(settings), Arc::clone(&sets[0]));
        let mut restarts = Restarts::default();
        let calls = calls(log, feeding.batch);
        let inputs = |at: usize| -> Vec<Input<'_>> {
            let owned = calls[at].iter().filter(|event| !matches!(event, Event::Leg { leg, .. } if !owns(&leg.party)));
            owned.map(|event| input(event)).collect()
        };
        for at in 0..calls.len() {
            engine.step(&inputs(at), &mut effects);
            let Some(bytes) = feeding.restores else { continue };
            if let Some((restored, from)) = restarts.after(&mut engine, at, bytes, settings, sets)? {
                engine = restored;
                for at in from..=at {
                    engine.step(&inputs(at), &mut Effects::default());
                }
            }
        }
        live.extend(engine.live_alerts());
        open.extend(engine.open_reports().into_iter().map(|effect| effect.report));
    }
    Ok(merged(effects, live, &open))
}

/// Restarts of a shard: from a whole snapshot, then a few times from that as a base and what has changed since, then from a whole one again. The
/// shard goes on while a snapshot is being taken, so that a restart begins with calls that have been made before.
#[derive(Default)]
struct Restarts {
    base: Vec<u8>,
    /// The call after which the snapshot that is being taken was begun, and whether it is one of changes.
    taking: Option<(usize, bool)>,
    /// What its parties were at that moment.
    expected: Vec<u8>,
}

impl Restarts {
    /// After the call `at`, takes `bytes` more of a snapshot. Once it is complete, the shard as it was then, and the call that it has not seen.
    fn after(
        &mut self,
        engine: &mut Engine,
        at: usize,
        bytes: usize,
        settings: Settings,
        sets: &[Arc<RuleSet>],
    ) -> Result<Option<(Engine, usize)>, String> {
        let (begun, is_changes) = *self.taking.get_or_insert_with(|| {
            let is_changes = !at.is_multiple_of(9) && engine.begin_changes();
            let at_once =
                if is_changes { engine.continue_snapshot(usize::MAX).map(|pieces| pieces.concat()) } else { Some(engine.snapshot()) };
            self.expected = damage::contents(&at_once.expect("all of it was asked for"));
            if is_changes {
                engine.begin_changes();
            } else {
                engine.begin_base();
            }
            (at, is_changes)
        });
        let Some(snapshot) = engine.continue_snapshot(bytes).map(|pieces| pieces.concat()) else { return Ok(None) };
        self.taking = None;
        if damage::contents(&snapshot) != self.expected {
            return Err(format!("the snapshot begun after call {begun} and complete after {at} is not of the moment of its beginning"));
        }
        let engine = if is_changes {
            restored_changed(settings, sets, &self.base, &snapshot)
        } else {
            self.base = snapshot;
            // Every other time the shard goes on that wrote the base: changes are told by it then, not by one that began with the base.
            if begun.is_multiple_of(2) {
                return Ok(None);
            }
            restored(settings, sets, &self.base).map(|mut engine| {
                engine.rebase();
                engine
            })
        };
        engine.map(|engine| Some((engine, begun + 1))).map_err(|error| format!("restore: {error}"))
    }
}

fn restored(settings: Settings, sets: &[Arc<RuleSet>], snapshot: &[u8]) -> Result<Engine, weir_engine::SnapshotError> {
    let rules = |hash: &str| sets.iter().find(|set| set.hash == hash).cloned();
    Engine::restore(engine_settings(settings), &[snapshot], &rules, &|_| true)
}

fn restored_changed(settings: Settings, sets: &[Arc<RuleSet>], base: &[u8], changes: &[u8]) -> Result<Engine, weir_engine::SnapshotError> {
    let rules = |hash: &str| sets.iter().find(|set| set.hash == hash).cloned();
    Engine::restore_changed(engine_settings(settings), base, changes, &rules)
}

/// Effects of all shards as one answer, merged as a run merges them.
fn merged(effects: Effects, live: Vec<AlertEffect>, open: &[LargeAmountReport]) -> Answer {
    let alerts: Vec<Sent<Alert>> = effects.alerts.into_iter().map(|e| Sent { record: e.record, tick: e.tick, revision: e.alert }).collect();
    let reports: Vec<Sent<LargeAmountReport>> =
        effects.reports.into_iter().map(|e| Sent { record: e.record, tick: e.tick, revision: e.report }).collect();
    let rejects = effects.rejects.into_iter().map(|e| Reject {
        record: e.record,
        tick: e.tick,
        rejected_record: e.rejected_record,
        reason: e.reason,
        party: e.party,
        txn_id: e.txn_id,
        direction: e.direction,
        at: e.at,
        amount: e.amount,
        frontier: e.frontier,
        report_ids: e.report_ids,
    });
    let mut answer = Answer {
        alerts,
        reports,
        rejects: rejects.collect(),
        duplicates: effects.counts.duplicates,
        reversed: effects.counts.reversed,
        ..Answer::default()
    };
    // Before the lines are sorted: the tick at the end stands after the last record, though it bears its number.
    answer.last_alerts = last_alerts(&answer.alerts, live);
    answer.last_reports = last_reports(&answer.reports, open);
    answer.sort_lines();
    answer
}

/// Live alerts as they stand, the others as last sent.
fn last_alerts(sent: &[Sent<Alert>], live: Vec<AlertEffect>) -> Vec<(u64, Alert)> {
    let mut gone: BTreeMap<&str, (u64, &Alert)> = BTreeMap::new();
    for line in sent {
        gone.entry(&line.revision.alert_id).or_insert((line.record, &line.revision)).1 = &line.revision;
    }
    gone.retain(|_, (_, alert)| matches!(alert.status, AlertStatus::Quiet | AlertStatus::Withdrawn));
    let mut last: Vec<(u64, Alert)> = gone.into_values().map(|(record, alert)| (record, alert.clone())).collect();
    last.extend(live.into_iter().map(|effect| (effect.record, effect.alert)));
    oracle::sort_last_alerts(&mut last);
    last
}

/// Reports of days that are not over as they stand, the others as last sent.
fn last_reports(sent: &[Sent<LargeAmountReport>], open: &[LargeAmountReport]) -> Vec<LargeAmountReport> {
    let mut last: BTreeMap<&str, &LargeAmountReport> = BTreeMap::new();
    for report in sent.iter().map(|line| &line.revision).chain(open) {
        last.insert(&report.report_id, report);
    }
    let mut last: Vec<LargeAmountReport> = last.into_values().cloned().collect();
    oracle::sort_last_reports(&mut last);
    last
}

fn describe(alert: &Alert) -> String {
    let (rule, party) = (&alert.rule.id, &alert.subject.party);
    format!("{rule} on {party}, {:?} r{}, hits {} to {}", alert.status, alert.revision, alert.first_hit_at, alert.last_hit_at)
}

fn describe_report(report: &LargeAmountReport) -> String {
    let item = report.item.number();
    format!("{} {} {:?} item {item}, {:?} r{}", report.customer, report.day, report.direction, report.status, report.revision)
}

/// The first difference between two answers, as text.
fn difference(expected: &Answer, found: &Answer) -> Option<String> {
    let place = |record: u64, tick: bool| format!("{} {record}", if tick { "tick before record" } else { "record" });
    let alert = |sent: &Sent<Alert>| format!("{}: {}", place(sent.record, sent.tick), describe(&sent.revision));
    let report = |sent: &Sent<LargeAmountReport>| format!("{}: {}", place(sent.record, sent.tick), describe_report(&sent.revision));
    let reject = |r: &Reject| format!("{}: {} {} of record {}", place(r.record, r.tick), r.reason.code(), r.txn_id, r.rejected_record);
    first_difference("reject", reject, &expected.rejects, &found.rejects)
        .or_else(|| first_difference("alert line", alert, &expected.alerts, &found.alerts))
        .or_else(|| first_difference("report line", report, &expected.reports, &found.reports))
        .or_else(|| first_difference("last alert", |(_, last)| describe(last), &expected.last_alerts, &found.last_alerts))
        .or_else(|| first_difference("last report", describe_report, &expected.last_reports, &found.last_reports))
        .or_else(|| {
            let counts = |answer: &Answer| (answer.duplicates, answer.reversed);
            let (expected, found) = (counts(expected), counts(found));
            (expected != found).then(|| format!("duplicates and legs taken out: expected {expected:?}, found {found:?}"))
        })
}

/// Sentences are the rule files' and the engine's own affair; what they rest on is compared.
fn without_wording(settings: Settings, mut answer: Answer) -> Answer {
    let sent = answer.alerts.iter_mut().map(|line| &mut line.revision);
    for alert in sent.chain(answer.last_alerts.iter_mut().map(|(_, alert)| alert)) {
        alert.data_gaps.clear();
        if settings.party_legs_max < Settings::default().party_legs_max {
            // Of an episode whose first window lost legs early, what came in since then is only as good as what is left (section 9).
            alert.amount_since_first.clear();
        }
        for condition in &mut alert.conditions {
            condition.explain.clear();
            condition.parts = None;
        }
    }
    answer
}

fn check(settings: Settings, sets: &[Arc<RuleSet>], rows: &[Row]) -> Result<(), String> {
    for sources in SOURCES {
        let log = stamp_apart(rows, &sets[1..], sources);
        let expected = without_wording(settings, oracle::answer(settings, &sets[0], &log));
        for feeding in FEEDINGS {
            let found = without_wording(settings, engine_answer(settings, sets, &log, feeding)?);
            if let Some(difference) = difference(&expected, &found) {
                let rows: Vec<String> = rows.iter().map(ToString::to_string).collect();
                return Err(format!("{sources} sources, {feeding:?}\n{difference}\nrows:\n{}\n", rows.join("\n")));
            }
        }
    }
    Ok(())
}

/// Runs `cases` random logs drawn from one seed, and as many from each seed of `WEIR_FUZZ_SEEDS`, a range such as `100..200`.
fn check_random(settings: Settings, seed: u64, cases: u32, steps: usize) {
    let more = std::env::var("WEIR_FUZZ_SEEDS").ok().map_or(0..0, |text| {
        let (from, to) = text.split_once("..").expect("WEIR_FUZZ_SEEDS is a range such as 100..200");
        from.parse().expect("a number")..to.parse().expect("a number")
    });
    for seed in [seed].into_iter().chain(more) {
        // Half of them under rules that look back a fortnight only, so that legs leave and what is remembered of them counts.
        check_seed(settings, &rule_sets::all(), seed, cases / 2, steps);
        check_seed(settings, &[rule_sets::short()], seed, cases / 2, steps);
    }
}

fn check_seed(settings: Settings, sets: &[Arc<RuleSet>], seed: u64, cases: u32, steps: usize) {
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let outcome =
        TestRunner::new_with_rng(config, rng).run(&streams::logs(steps), |rows| check(settings, sets, &rows).map_err(TestCaseError::fail));
    if let Err(failure) = outcome {
        let text = match failure {
            proptest::test_runner::TestError::Fail(reason, _) => reason.to_string(),
            abort => abort.to_string(),
        };
        panic!("seed {seed}, {steps} steps: {text}");
    }
}

/// Logs that once disagreed, `tests/logs/*.txt`: rows as a failure prints them, after lines `# key: value` for what is not the default.
#[test]
fn logs_that_once_disagreed_agree() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/logs");
    let mut paths: Vec<_> = std::fs::read_dir(folder).expect("can be listed").map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("is text");
        let value = |key: &str| text.lines().find_map(|line| line.strip_prefix("# ")?.strip_prefix(key)?.strip_prefix(": "));
        let mut settings = Settings::default();
        let number = |key: &str, default: usize| value(key).map_or(default, |text| text.parse().expect("a number"));
        settings.reevaluate_max = number("reevaluate_max", settings.reevaluate_max);
        settings.party_legs_max = number("party_legs_max", settings.party_legs_max);
        settings.report_transactions_max = number("report_transactions_max", settings.report_transactions_max);
        settings.lateness = Span::hours(i64::try_from(number("lateness_hours", 72)).expect("hours"));
        let sets = if value("rules") == Some("short") { vec![rule_sets::short()] } else { rule_sets::all() };
        let rows = weir_testkit::log::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        check(settings, &sets, &rows).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
    }
}

/// Many pay much, then little comes, then payments out are taken back: by then no rule could hit the account any more, and its windows have not been
/// moved for so long that the rows they stood on have left.
#[test]
fn a_reversal_where_no_rule_could_hit_any_more_agrees() {
    const RULE: &str = r#"
version: 1
id: T-100
revision: 1
title: 分散转入
status: active
basis: [测试]
window: 14d
require:
  - "natural_payers('14d') >= 15"
  - "amount_in('14d') >= 500000"
score: {base: 50}
levels: {medium: 50}
reason: "{natural_payers}人转入"
"#;
    let date = |day: usize| format!("2024-{:02}-{:02}", 1 + day / 28, 1 + day % 28);
    let much = (0..36).map(|n| format!("{}T{:02}:00:00 c:A in 40000 p{} m{n} natural\n", date(n / 18), n % 18, n % 18));
    let little = (3..26).flat_map(|day| (9..12).map(move |hour| (day, hour)));
    let little = little.map(|(day, hour)| format!("{}T{hour:02}:00:00 c:A in 10 p1 l{day}-{hour} natural\n", date(day)));
    let back = (26..60).map(|day| {
        let date = date(day);
        format!("{date}T09:00:00 c:A out 10 x o{day} natural\n{date}T10:00:00 c:A out 10 x r{day} natural reverses=o{day}\n")
    });
    let rows = weir_testkit::log::parse(&much.chain(little).chain(back).collect::<String>()).expect("rows");
    check(Settings::default(), &[rule_sets::of(&[("t100.yaml", RULE)], &[])], &rows).unwrap_or_else(|why| panic!("{why}"));
}

/// Much comes on one day, then a rule set that looks back further than the one before, and at last a leg of the day after that one: the instants behind it are
/// far from where its windows stand, and belong to two sets.
#[test]
fn a_late_leg_before_a_switch_to_a_longer_look_back_agrees() {
    let rule = |window: &str, least: u32| {
        format!(
            "version: 1\nid: T-101\nrevision: 1\ntitle: 频繁转入\nstatus: active\nbasis: [测试]\nquiet: 9d\nwindow: {window}\nrequire:\n  - \"in_count('{window}') \
             >= {least}\"\nscore: {{base: 50}}\nlevels: {{medium: 50}}\nreason: \"{{in_count}}笔\"\n"
        )
    };
    let sets = [("36h", 60), ("14d", 40)].map(|(window, least)| rule_sets::of(&[("t101.yaml", &rule(window, least))], &[]));
    let much: String = (0..40).map(|n| format!("2024-01-10T12:00:{n:02} c:A in 100 p{n} m{n} natural\n")).collect();
    // Others keep the clock going.
    let rest = "2024-01-11T12:00:00 c:B in 1 q q1 natural\n2024-01-12T11:00:00 c:B in 1 q q2 natural\n\
                2024-01-12T13:00:00 c:A in 100 x x natural\nswitch\n2024-01-12T20:00:00 c:A in 100 y y natural\n\
                2024-01-11T12:00:00 c:A in 100 l l natural\n2024-01-12T21:00:00 c:A in 100 z z natural\n";
    let rows = weir_testkit::log::parse(&format!("{much}{rest}")).expect("rows");
    check(Settings::default(), &sets, &rows).unwrap_or_else(|why| panic!("{why}"));
}

#[test]
fn short_logs_agree() {
    check_random(Settings::default(), 1, 100, 8);
}

#[test]
fn long_logs_agree() {
    check_random(Settings::default(), 2, 16, 30);
}

/// Bounds that are met all the time.
#[test]
fn logs_beyond_the_bounds_agree() {
    let settings = Settings { reevaluate_max: 3, party_legs_max: 12, report_transactions_max: 2, ..Settings::default() };
    check_random(settings, 3, 60, 14);
}

/// Nothing may come late, and everything may.
#[test]
fn other_latenesses_agree() {
    for lateness in [Span::hours(1), Span::days(20)] {
        check_random(Settings { lateness, ..Settings::default() }, 4, 30, 14);
    }
}
