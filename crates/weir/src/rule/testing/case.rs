//! One test in memory: its transactions through reader and detector.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_engine::{Effects, Engine, Input as EngineInput, Settings};
use weir_feed::{Format, Input, Mapping, Options, Parties, Reader, Step, Tick};
use weir_model::Alert;
use weir_rules::{RuleSet, RuleTest};

use crate::input_error;
use crate::language::{Lang, say};

/// What came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Alerts in their final state, by alert id.
    pub(crate) alerts: Vec<Alert>,
    /// Every revision, in order.
    pub(crate) revisions: Vec<Alert>,
}

/// Runs a test under a rule set.
///
/// # Errors
/// A sentence on rows or party data that cannot be used: a test is written by hand and means every row of it.
pub(crate) fn run(rules: &Arc<RuleSet>, test: &RuleTest, lang: Lang) -> Result<Outcome, String> {
    let failure = |error| input_error::failure(&error, lang).text;
    let parties = match &test.parties {
        Some(table) => Parties::read(&Input::bytes("parties.csv", table.to_csv()), "").map_err(failure)?,
        None => Parties::default(),
    };
    let options = Options { format: Some(Format::Csv), tags: rules.tags.keywords(), ..Options::default() };
    let transactions = Input::bytes("transactions", test.transactions.to_csv());
    let mut reader = Reader::open(&[transactions], Mapping::default(), Arc::new(parties), options).map_err(failure)?;
    let defaults = Settings::default();
    let settings = Settings { lateness: test.lateness.unwrap_or(defaults.lateness), ..defaults };
    let mut engine = Engine::new(settings, Arc::clone(rules));
    let mut effects = Effects::default();
    for batch in reader.by_ref() {
        let batch = batch.map_err(failure)?;
        let inputs: Vec<EngineInput<'_>> = batch.steps(0, 1).map(engine_input).collect();
        engine.step(&inputs, &mut effects);
    }
    if let Some(sample) = reader.samples().first() {
        let sample = input_error::sample(sample, lang);
        return Err(say!(lang, "测试数据有不可用的行：{sample}", "a row of the test cannot be used: {sample}"));
    }
    if let Some(Tick { record, clock }) = reader.end_tick() {
        engine.step(&[EngineInput::Tick { record, clock }], &mut effects);
    }
    if let Some(problem) = set_aside(&effects, lang) {
        return Err(problem);
    }
    let revisions: Vec<Alert> = effects.alerts.into_iter().map(|effect| effect.alert).collect();
    let mut last: BTreeMap<String, Alert> = revisions.iter().map(|alert| (alert.alert_id.clone(), alert.clone())).collect();
    last.extend(engine.live_alerts().into_iter().map(|effect| (effect.alert.alert_id.clone(), effect.alert)));
    Ok(Outcome { alerts: last.into_values().collect(), revisions })
}

/// Rows that the detector did not take: a test that says `nothing` must not pass because of them.
fn set_aside(effects: &Effects, lang: Lang) -> Option<String> {
    let first = effects.rejects.first()?;
    let (count, txn, at, reason) = (effects.rejects.len(), &first.txn_id, first.at, first.reason.code());
    Some(say!(
        lang,
        "{count} 笔未被采用，首笔为 {at} 的 {txn}（{reason}）。按时间先后书写，或在测试中放宽 settings: {{lateness: 10d}}",
        "{count} legs were set aside, first that of {txn} at {at} ({reason}). Write rows in the order of time, or allow for it with settings: {{lateness: 10d}}"
    ))
}

fn engine_input(step: Step<'_>) -> EngineInput<'_> {
    match step {
        Step::Leg { record, clock, view } => EngineInput::Leg { record, clock, leg: view.leg },
        Step::Tick(Tick { record, clock }) => EngineInput::Tick { record, clock },
    }
}
