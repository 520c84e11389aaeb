//! Per stage: what a record costs on its way, in one thread.
//!
//! `cargo bench -p weir-benches`. Rates are items a second of the stage named; the traffic is `weir_benches::Traffic`.

mod set;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use weir_benches::{DAY, Dials, Traffic};
use weir_engine::{Effects, Engine, Input as EngineInput, Settings};
use weir_feed::{Input, Mapping, Options, Parties, Reader, RecordBatch, Step};
use weir_rules::{RuleSet, SlotBatch, Value};

const TRANSFERS: u64 = 200_000;

fn main() {
    divan::main();
}

/// Among many accounts: twenty legs each, which is much for most customers of a bank.
fn traffic() -> String {
    Traffic::new(Dials { transfers: TRANSFERS, parties: 20_000, seconds: 30 * DAY, ..Dials::default() }).text()
}

/// Among few: four hundred legs each, so that windows have something to move.
fn busy_traffic() -> String {
    Traffic::new(Dials { transfers: TRANSFERS, parties: 1_000, seconds: 30 * DAY, ..Dials::default() }).text()
}

fn read(text: &str) -> Vec<RecordBatch> {
    let reader = Reader::open(&[Input::bytes("traffic.jsonl", text)], Mapping::default(), Arc::new(Parties::default()), Options::default());
    reader.expect("the default mapping reads the traffic").map(|batch| batch.expect("it has no errors")).collect()
}

/// Bytes to legs: frame, decode, map, validate, split, stamp.
#[divan::bench(sample_count = 10)]
fn decode(bencher: Bencher<'_, '_>) {
    let text = traffic();
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| read(divan::black_box(&text)).len());
}

/// The floor of any JSON reader: serde_json over the same lines into an unchecked value.
#[divan::bench(sample_count = 10)]
fn decode_floor_serde_json(bencher: Bencher<'_, '_>) {
    let text = traffic();
    bencher
        .counter(ItemsCount::new(TRANSFERS))
        .bench(|| text.lines().filter(|line| serde_json::from_str::<serde_json::Value>(divan::black_box(line)).is_ok()).count());
}

fn run(rules: &Arc<RuleSet>, batches: &[RecordBatch]) -> usize {
    let mut engine = Engine::new(Settings::default(), Arc::clone(rules));
    let mut effects = Effects::default();
    for batch in batches {
        let inputs: Vec<EngineInput<'_>> = batch
            .steps(0, 1)
            .map(|step| match step {
                Step::Leg { record, clock, view } => EngineInput::Leg { record, clock, leg: view.leg },
                Step::Tick(tick) => EngineInput::Tick { record: tick.record, clock: tick.clock },
            })
            .collect();
        engine.step(&inputs, &mut effects);
    }
    effects.alerts.len()
}

/// Legs to histories, identities and large-amount totals; no party has what the rule asks for, so no window is looked at.
#[divan::bench(sample_count = 10)]
fn histories(bencher: Bencher<'_, '_>) {
    let batches = read(&traffic());
    let rules = set::load(&["SET-001.min_payers=1000000"]);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// The same of busy parties: what to compare the next two with.
#[divan::bench(sample_count = 10)]
fn busy_histories(bencher: Bencher<'_, '_>) {
    let batches = read(&busy_traffic());
    let rules = set::load(&["SET-001.min_payers=1000000"]);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// Running windows: rows enter and leave so many horizons, with their sums and distinct counterparties; the comparisons never hold.
#[divan::bench(args = [1, 4, 12], sample_count = 10)]
fn busy_windows(bencher: Bencher<'_, '_>, horizons: usize) {
    let batches = read(&busy_traffic());
    let days: Vec<usize> = (1..=horizons).map(|at| 2 * at).collect();
    let conditions: Vec<String> = (0..horizons).map(|at| format!("pass_through($w{at}) > 100000")).collect();
    let rules = set::asking(&days, &conditions);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// A costly feature at every instant, after a cheap condition that always holds; the condition on it never does.
#[divan::bench(
    args = [
        "top_share_in($w0, 1) > 2",
        "median_in($w0) > 1000000",
        "outlets($w0) > 1000000",
        "first_time_payers($w0) > 1000000",
        "holding_time($w0) > $long",
        "modal_share_in($w0) > 2",
        "out_batches($w0, 5) > 1000000",
        "periodic_payees(3, $w0) > 1000000",
        "repaid_share($w0) > 2",
        "commission_days($w0) > 1000000",
    ],
    sample_count = 3
)]
fn busy_costly_feature(bencher: Bencher<'_, '_>, condition: &str) {
    let batches = read(&busy_traffic());
    let rules = set::asking(&[14], &["in_count($w0) >= 0".to_owned(), condition.to_owned()]);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// The detector alone, over decoded transfers, under the shipped rules: the two patterns of the notices, and the whole pack.
#[divan::bench(args = ["two", "all"], sample_count = 5)]
fn detector(bencher: Bencher<'_, '_>, rules: &str) {
    let batches = read(&traffic());
    let rules = weir_benches::shipped(rules == "two");
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// Windows, features and rules where conditions hold now and then; no alert.
#[divan::bench(sample_count = 10)]
fn windows_features_and_rules(bencher: Bencher<'_, '_>) {
    let batches = read(&traffic());
    let rules = set::load(&["SET-001.min_payers=5", "SET-001.min_amount=100000000"]);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// The same with alerts: episodes, descriptions, evidence.
#[divan::bench(sample_count = 10)]
fn windows_features_rules_and_evidence(bencher: Bencher<'_, '_>) {
    let batches = read(&traffic());
    let rules = set::load(&["SET-001.min_payers=5", "SET-001.min_amount=100"]);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// One condition on a batch of rows.
#[divan::bench(args = [1, 64, 1024, 4096])]
fn one_condition(bencher: Bencher<'_, '_>, rows: usize) {
    let rules = set::load(&[]);
    let condition = &rules.rules[0].variants[0].require[0];
    let mut values = vec![Value::Null; rules.slots.len()];
    values[condition.slots[0]] = Value::Int(3);
    bencher.counter(ItemsCount::new(rows)).bench_local(|| SlotBatch::new(&rules, vec![&values; rows]).evaluate(condition).len());
}

/// An engine that has seen the traffic.
fn full(rules: &Arc<RuleSet>) -> Engine {
    let batches = read(&traffic());
    let mut engine = Engine::new(Settings::default(), Arc::clone(rules));
    let mut effects = Effects::default();
    for batch in &batches {
        for step in batch.steps(0, 1) {
            if let Step::Leg { record, clock, view } = step {
                engine.step(&[EngineInput::Leg { record, clock, leg: view.leg }], &mut effects);
            }
        }
    }
    engine
}

/// State to bytes, per party.
#[divan::bench(sample_count = 10)]
fn snapshot_write(bencher: Bencher<'_, '_>) {
    let engine = full(&set::load(&["SET-001.min_payers=1000000"]));
    bencher.counter(ItemsCount::new(engine.parties())).bench_local(|| engine.snapshot().len());
}

/// And back.
#[divan::bench(sample_count = 10)]
fn snapshot_read(bencher: Bencher<'_, '_>) {
    let rules = set::load(&["SET-001.min_payers=1000000"]);
    let engine = full(&rules);
    let bytes = engine.snapshot();
    let find = |_: &str| Some(Arc::clone(&rules));
    bencher
        .counter(ItemsCount::new(engine.parties()))
        .bench_local(|| Engine::restore(Settings::default(), &[&bytes], &find, &|_| true).map(|engine| engine.parties()));
}
