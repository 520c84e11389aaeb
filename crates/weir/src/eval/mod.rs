//! `weir eval`: alerts held against labels.
//!
//! [`truth`] reads what is true and what was said, [`tally`] counts, [`score`] is what comes of it and how scores add up, [`share`] says how sure
//! that is, [`report`] lays it out: tables on a terminal, JSON, Markdown. Several banks may be pooled, at once or by the scores of each; customers of
//! different banks never meet. A withdrawn alert was not said.

mod report;
mod score;
mod share;
mod tally;
mod truth;

use std::io::{self, Write};
use std::path::Path;

use self::score::Score;
use crate::arguments::EvalArgs;
use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::write_failure;

/// Runs the verb.
pub(crate) fn run(args: &EvalArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    if json && args.markdown {
        return Err(Failure::usage(say!(
            lang,
            "--json 与 --markdown 只能取一种",
            "--json and --markdown are two forms of one answer: give one"
        )));
    }
    let score = match args.scores.split_first() {
        None => judged(args, lang)?,
        Some((first, others)) => others.iter().try_fold(read(first, lang)?, |sum, other| Ok(sum.plus(read(other, lang)?)))?,
    };
    let text = if json {
        serde_json::to_string_pretty(&score).map_err(|error| Failure::usage(error.to_string()))? + "\n"
    } else if args.markdown {
        report::markdown(&score, lang)
    } else {
        report::tables(&score, lang)
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(write_failure(lang.of("标准输出", "standard output"), &error, lang)),
        _ => Ok(Exit::Ok),
    }
}

fn judged(args: &EvalArgs, lang: Lang) -> Result<Score, Failure> {
    let (files, folders) = (args.alerts.len(), args.labels.len());
    if files != folders {
        return Err(Failure::usage(say!(
            lang,
            "每个 --alerts 配一个 --labels：现有 {files} 个与 {folders} 个",
            "each --alerts needs its --labels: there are {files} and {folders}"
        )));
    }
    let mut banks = Vec::new();
    for (alerts, labels) in args.alerts.iter().zip(&args.labels) {
        let truth = truth::Truth::read(labels, lang)?;
        let said = truth::alerts(alerts, &truth, lang)?;
        banks.push((truth, said));
    }
    Ok(Score::of(&banks))
}

/// A score that was written before.
fn read(file: &Path, lang: Lang) -> Result<Score, Failure> {
    let failure = |error: &dyn std::fmt::Display| {
        let file = file.display();
        Failure::bad_input(say!(
            lang,
            "{file}：不是 weir eval --json 写出的结果（{error}）；预警请用 --alerts 与 --labels",
            "{file}: no score of weir eval --json ({error}); alerts go with --alerts and --labels"
        ))
    };
    let text = std::fs::read_to_string(file).map_err(|error| {
        let file = file.display();
        Failure::bad_input(say!(
            lang,
            "读不了 {file}：{error}；--scores 指 weir eval --json 写出的结果",
            "cannot read {file}: {error}; --scores are files written by weir eval --json"
        ))
    })?;
    serde_json::from_str::<Score>(&text).map(Score::with_rates).map_err(|error| failure(&error))
}
