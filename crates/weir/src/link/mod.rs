//! `weir link`: which customers may belong together, for a person to confirm.
//!
//! ```text
//! reader ──legs──▶ ledger (who paid whom, how much; whose device) ──▶ evidence between two customers ──▶ groups ──▶ CSV
//!                                                                      └ chains: where money goes in the end
//! ```
//!
//! One pass over the inputs, in one thread, in bounded memory; what the bound leaves out is counted. Nothing here decides anything for the
//! detector: a group exists for rules only once somebody has written it into the `group` column of the party data. The output names keys of
//! the feed and numbers, never a device, a name or a memo.

mod chains;
mod evidence;
mod groups;
mod ledger;
mod table;

use std::io::Write;
use std::sync::Arc;

use serde_json::Value;
use weir_feed::{Format, Input, Mapping, Options, Parties, Reader, RecordBatch, Step, inputs};

use self::evidence::Bounds;
use self::ledger::{Closed, Ledger, Mark};
use crate::arguments::LinkArgs;
use crate::detect::{self, Bar};
use crate::failure::{Exit, Failure};
use crate::input_error;
use crate::interrupt::Interrupt;
use crate::language::{Lang, say};
use crate::outputs::{Output, publish, refuse_overwriting};

/// Records a batch: enough to pay for passing it on.
const BATCH_RECORDS: usize = 4096;

/// Runs the verb.
pub(crate) fn run(args: &LinkArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let bounds = Bounds::check(args, lang)?;
    let input_failure = |error| input_error::failure(&error, lang);
    let format = args.format.as_deref().map(|name| detect::format_of(name, lang)).transpose()?;
    let inputs = find_inputs(args, format, lang)?;
    let mapping = args.feed.as_deref().map_or_else(|| Ok(Mapping::default()), Mapping::load).map_err(input_failure)?;
    let parties = match &args.parties {
        Some(path) => Parties::load(path, mapping.institution()).map_err(input_failure)?,
        None => Parties::default(),
    };
    let parties = Arc::new(parties);
    let options = Options { format, batch_records: BATCH_RECORDS, ..Options::default() };
    let reader = Reader::open(&inputs, mapping, Arc::clone(&parties), options).map_err(input_failure)?;
    let mut output = Output::open(&args.groups, lang)?;
    let interrupt = Interrupt::install(lang)?;
    let bar = Bar::new(reader.progress(), !json, lang);
    let ledger = read(reader, &bounds, &interrupt, &bar, lang)?;
    bar.clear();
    let evidence = evidence::find(&ledger, &bounds);
    let found = groups::propose(&evidence, &ledger, &bounds);
    table::write(&mut output, &found, &ledger, &parties).map_err(|error| output.failure(&error))?;
    interrupt.check(lang)?;
    publish(vec![output])?;
    let summary = table::Summary::new(&ledger, &evidence, &found);
    let text = if json { serde_json::to_string(&summary).unwrap_or_default() } else { summary.table(lang).trim_fmt() };
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(std::io::stderr(), "{text}");
    Ok(Exit::Ok)
}

/// The files behind the arguments. The proposals may replace none of them, nor the feed file or the party data.
fn find_inputs(args: &LinkArgs, format: Option<Format>, lang: Lang) -> Result<Vec<Input>, Failure> {
    let inputs = inputs::expand(&args.input, format).map_err(|error| input_error::failure(&error, lang))?;
    let found = inputs.iter().filter_map(|input| match input {
        Input::File { path, .. } => Some(("INPUT", path.as_path())),
        Input::Stdin | Input::Bytes { .. } => None,
    });
    let given = [("--feed", &args.feed), ("--parties", &args.parties)];
    let given = given.into_iter().filter_map(|(option, path)| Some((option, path.as_deref()?)));
    for (read_by, read) in given.chain(found) {
        refuse_overwriting(&[("--out", args.groups.as_path())], read_by, read, lang)?;
    }
    Ok(inputs)
}

/// Puts every leg into a ledger and closes it.
fn read(mut reader: Reader, bounds: &Bounds, interrupt: &Interrupt, bar: &Bar, lang: Lang) -> Result<Closed, Failure> {
    let columns = [Mark::Device, Mark::Agent].map(|mark| (mark, reader.mapping().column_of(mark.field()).to_owned()));
    let mut ledger = Ledger::new(bounds.pairs_max, bounds.mark_customers);
    while let Some(batch) = reader.next() {
        interrupt.check(lang)?;
        let batch = batch.map_err(|error| input_error::failure(&error, lang))?;
        for step in batch.steps(0, 1) {
            if let Step::Leg { record, view, .. } = step
                && let Some(customer) = ledger.leg(&view.leg)
            {
                for (mark, word) in marks(&reader, &batch, record, &columns) {
                    ledger.mark(customer, mark, &word);
                }
            }
        }
        ledger.records += batch.len() as u64;
        bar.update(ledger.records);
    }
    let counts = reader.counts();
    if counts.records > 0 && counts.good == 0 {
        let samples: Vec<String> = reader.samples().iter().map(|sample| input_error::sample(sample, lang)).collect();
        let samples = samples.join("\n  ");
        return Err(Failure::bad_input(say!(
            lang,
            "没有一条记录可用：数据源映射（--feed）与文件相符吗？\n  {samples}",
            "not one record can be used: is this the right feed (--feed)?\n  {samples}"
        )));
    }
    ledger.unusable = counts.rejected();
    Ok(ledger.close())
}

/// Device and agent of a record, which legs do not carry because no rule reads them.
fn marks(reader: &Reader, batch: &RecordBatch, record: u64, columns: &[(Mark, String)]) -> Vec<(Mark, String)> {
    // A record that does not even name the column need not be taken apart.
    let is_named = |bytes: &[u8], name: &str| bytes.windows(name.len()).any(|window| window == name.as_bytes());
    let is_delimited = reader.mapping().has_column_of(Mark::Device.field()) || reader.mapping().has_column_of(Mark::Agent.field());
    let names_any = |bytes: &[u8]| columns.iter().any(|(_, name)| is_named(bytes, name));
    if !is_delimited && !batch.original(record).is_some_and(|bytes| names_any(&bytes)) {
        return Vec::new();
    }
    let Some(message) = reader.message(batch, record) else { return Vec::new() };
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(&message) else { return Vec::new() };
    let word = |(mark, column): &(Mark, String)| {
        let word = match fields.get(column)? {
            Value::String(word) => word.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        (!word.is_empty()).then_some((*mark, word))
    };
    columns.iter().filter_map(word).collect()
}
