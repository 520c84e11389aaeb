//! `weir eval`: alerts held against labels.
//!
//! [`truth`] reads what is true and what was said, [`score`] counts, [`report`] lays it out: tables on a terminal, JSON, Markdown. Several banks
//! may be pooled; customers of different banks never meet. A withdrawn alert was not said.

mod report;
mod score;
mod truth;

use std::io::{self, Write};

use crate::arguments::EvalArgs;
use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::write_failure;

/// Runs the verb.
pub(crate) fn run(args: &EvalArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
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
        let said = truth::alerts(alerts, lang)?;
        banks.push((truth, said));
    }
    let score = score::Score::of(&banks);
    let text = if json {
        serde_json::to_string_pretty(&score).map_err(|error| Failure::usage(error.to_string()))? + "\n"
    } else if args.markdown {
        report::markdown(&score)
    } else {
        report::tables(&score, lang)
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(write_failure("-", &error, lang)),
        _ => Ok(Exit::Ok),
    }
}
