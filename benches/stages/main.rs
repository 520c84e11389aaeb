//! Per stage: what a record costs on its way, in one thread.
//!
//! `cargo bench -p weir-benches`. Rates are items a second of the stage named; the traffic is `weir_benches::Traffic`.

mod set;

use std::sync::Arc;

use divan::Bencher;
use divan::counter::ItemsCount;
use weir_benches::{Dials, Traffic};
use weir_engine::{Effects, Engine, Input as EngineInput, Settings};
use weir_feed::{Input, Item, Mapping, Options, Parties, Reader, RecordBatch};
use weir_rules::{RuleSet, SlotBatch, Value};

const TRANSFERS: u64 = 200_000;

fn main() {
    divan::main();
}

fn traffic() -> String {
    Traffic::new(Dials { transfers: TRANSFERS, parties: 20_000, days: 30, ..Dials::default() }).text()
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
            .items()
            .filter_map(|item| match item {
                Item::Leg { record, clock, view } => Some(EngineInput::Leg { record, clock, leg: view.leg }),
                Item::Tick(tick) => Some(EngineInput::Tick { record: tick.record, clock: tick.clock }),
                Item::Rejected(_) => None,
            })
            .collect();
        engine.step(&inputs, &mut effects);
    }
    effects.alerts.len()
}

/// Legs to histories, running windows and large-amount totals; a rule that no party's gate opens.
#[divan::bench(sample_count = 10)]
fn windows(bencher: Bencher<'_, '_>) {
    let batches = read(&traffic());
    let rules = set::load(&["SET-001.min_payers=1000000"]);
    bencher.counter(ItemsCount::new(TRANSFERS)).bench(|| run(&rules, &batches));
}

/// The same with gates that open for busy parties: costly features by scanning, conditions on Arrow.
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

/// State to bytes and back, per party.
#[divan::bench(sample_count = 10)]
fn snapshot_and_restore(bencher: Bencher<'_, '_>) {
    let batches = read(&traffic());
    let rules = set::load(&["SET-001.min_payers=1000000"]);
    let mut engine = Engine::new(Settings::default(), Arc::clone(&rules));
    let mut effects = Effects::default();
    for batch in &batches {
        for item in batch.items() {
            if let Item::Leg { record, clock, view } = item {
                engine.step(&[EngineInput::Leg { record, clock, leg: view.leg }], &mut effects);
            }
        }
    }
    bencher.counter(ItemsCount::new(engine.parties())).bench_local(|| {
        let bytes = engine.snapshot();
        let find = |_: &str| Some(Arc::clone(&rules));
        Engine::restore(Settings::default(), &[&bytes], &find, &|_| true).map(|engine| engine.parties())
    });
}
