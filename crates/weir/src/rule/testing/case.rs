//! One test in memory: its transactions through reader and detector.
//!
//! A row that cannot be used is named by its line in the rule file; the reader sees the table alone, with repetitions written out.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_engine::{Effects, Engine, Input as EngineInput, Settings};
use weir_feed::{Error, Format, Input, Mapping, Options, Parties, Reader, Step, Tick};
use weir_model::Alert;
use weir_rules::{CsvTable, RuleSet, RuleTest, SourceFile};

use crate::input_error;
use crate::language::{Lang, plural, say};

/// What came out.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Alerts in their final state, by alert id.
    pub(crate) alerts: Vec<Alert>,
    /// Every revision, in order.
    pub(crate) revisions: Vec<Alert>,
}

/// Runs a test under a rule set. `source` is the file it stands in, whose lines are named.
///
/// # Errors
/// A sentence on rows or party data that cannot be used: a test is written by hand and means every row of it.
pub(crate) fn run(rules: &Arc<RuleSet>, test: &RuleTest, source: Option<&SourceFile>, lang: Lang) -> Result<Outcome, String> {
    let failure = |error| input_error::failure(&error, lang).text;
    let parties = match &test.parties {
        Some(table) => {
            let read = Parties::read(&Input::bytes("parties.csv", table.to_csv()), "");
            read.map_err(|error| failure(in_rule_file(error, table, source)))?
        }
        None => Parties::default(),
    };
    let options = Options { format: Some(Format::Csv), tags: rules.tags.keywords(), ..Options::default() };
    let table = test.transactions.table();
    let transactions = Input::bytes("transactions", table.to_csv());
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
        let mut sample = sample.clone();
        if let Some((path, line)) = place(&table, sample.line, source) {
            (sample.source, sample.line) = (path, line);
        }
        let sample = input_error::sample(&sample, lang);
        return Err(say!(lang, "测试数据有不可用的行：{sample}", "a row of the test cannot be used: {sample}"));
    }
    if let Some(Tick { record, clock }) = reader.end_tick() {
        engine.step(&[EngineInput::Tick { record, clock }], &mut effects);
    }
    if let Some(problem) = set_aside(&effects, &table, source, lang) {
        return Err(problem);
    }
    let revisions: Vec<Alert> = effects.alerts.into_iter().map(|effect| effect.alert).collect();
    let mut last: BTreeMap<String, Alert> = revisions.iter().map(|alert| (alert.alert_id.clone(), alert.clone())).collect();
    last.extend(engine.live_alerts().into_iter().map(|effect| (effect.alert.alert_id.clone(), effect.alert)));
    Ok(Outcome { alerts: last.into_values().collect(), revisions })
}

/// Where line `line` of a table as the reader sees it, repetitions written out, stands in the rule file: path and line.
fn place(table: &CsvTable, line: u64, source: Option<&SourceFile>) -> Option<(String, u64)> {
    // The header is line 1.
    let row = table.rows.get(usize::try_from(line).ok()?.checked_sub(2)?)?;
    let source = source?;
    let before = source.text.get(..row.place.span.start)?.matches('\n').count();
    Some((source.path.clone(), u64::try_from(before).ok()? + 1))
}

/// Mistakes in party data by the lines of the rule file, where all of them are in rows.
fn in_rule_file(mut error: Error, table: &CsvTable, source: Option<&SourceFile>) -> Error {
    if let Error::Problems(all) = &mut error {
        let places: Option<Vec<(String, u64)>> = all.problems.iter().map(|problem| place(table, problem.line, source)).collect();
        for (problem, (path, line)) in all.problems.iter_mut().zip(places.unwrap_or_default()) {
            problem.line = line;
            all.path = path;
        }
    }
    error
}

/// Rows that the detector did not take: a test that says `nothing` must not pass because of them.
fn set_aside(effects: &Effects, table: &CsvTable, source: Option<&SourceFile>, lang: Lang) -> Option<String> {
    let first = effects.rejects.first()?;
    let (count, txn, at, reason) = (effects.rejects.len(), &first.txn_id, first.at, first.reason.code());
    let were = plural(count, "leg was set aside, that", "legs were set aside, first that");
    let row = place(table, first.rejected_record + 1, source);
    let row = row.map_or_else(String::new, |(path, line)| say!(lang, "，{path}:{line}", ", {path}:{line}"));
    Some(say!(
        lang,
        "{count} 笔未被采用，首笔为 {at} 的 {txn}（{reason}{row}）。按时间先后书写，或在测试中放宽 settings: {{lateness: 10d}}",
        "{count} {were} of {txn} at {at} ({reason}{row}). Write rows in the order of time, or allow for it with settings: {{lateness: 10d}}"
    ))
}

fn engine_input(step: Step<'_>) -> EngineInput<'_> {
    match step {
        Step::Leg { record, clock, view } => EngineInput::Leg { record, clock, leg: view.leg },
        Step::Tick(Tick { record, clock }) => EngineInput::Tick { record, clock },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The problem of a test whose last row, on line 16, is `row`.
    fn problem(row: &str) -> String {
        let text = format!(
            "version: 1\nid: T-1\ntitle: t\nstatus: shadow\nbasis: [b]\nwindow: 14d\nscore: {{base: 50}}\nlevels: {{low: 1}}\nreason: r\n\
             require: [\"in_count('14d') >= 9\"]\ntests:\n  - name: n\n    transactions: |\n      \
             occurred_at,payer_account,payee_account,amount,repeat,every\n      2025-03-03 09:00,p#,corp,10,5,1h\n      {row}\n    \
             expect: nothing\n"
        );
        let loaded = weir_rules::load(&[SourceFile { path: "t.yaml".to_owned(), text }], &[]).expect("good");
        let test = &loaded.documents[0].tests[0];
        let source = loaded.warnings.sources.get(test.place.file);
        run(&Arc::new(loaded.rules), test, source, Lang::En).expect_err("a row that cannot be used")
    }

    #[test]
    fn a_row_behind_a_repeated_one_is_named_by_its_line_in_the_rule_file() {
        for row in ["2025-03-04 09:00,q,corp,x", "2025-01-04 09:00,q,corp,10"] {
            let problem = problem(row);
            assert!(problem.contains("t.yaml:16"), "{problem}");
        }
    }
}
