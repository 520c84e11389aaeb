//! `weir feed`: plays files into the transactions topic, for rehearsals and tests.
//!
//! Records go as they are (JSON) in the order `weir detect` would read them, the unusable ones too: they are the splitter's to refuse. How many
//! were sent is committed with them, so a feed that was interrupted goes on where it was.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_feed::{Format, Mapping, Options, Parties, Reader, inputs};
use weir_kafka::{Feeder, put_all};
use weir_model::Party;

use super::settings::Configured;
use super::{kafka, log_to_stderr};
use crate::arguments::FeedArgs;
use crate::failure::{Exit, Failure};
use crate::input_error;
use crate::interrupt::Interrupt;
use crate::language::{Lang, say};
use crate::terminal::mention;

/// Records a transaction: enough to pay for it, few enough to be seen soon.
const BATCH_RECORDS: usize = 2000;

/// Runs the verb.
pub(crate) fn feed(args: &FeedArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    log_to_stderr();
    let Configured { settings, .. } = Configured::load(&args.config, lang)?;
    if let Some(path) = &args.parties {
        let parties = Parties::load(path, "").map_err(|error| input_error::failure(&error, lang))?;
        let records = parties.iter().map(|party| (key_of(party), json_of(party)));
        let count = put_all(&settings.connection, &settings.topics.parties, records).map_err(|error| kafka(&error, lang))?;
        mention("note", "parties", &say!(lang, "已写入客户资料 {count} 条", "{count} parties are on their topic"), json);
    }
    if args.input.is_empty() {
        return Ok(Exit::Ok);
    }
    let inputs = inputs::expand(&args.input, Some(Format::Jsonl)).map_err(|error| input_error::failure(&error, lang))?;
    let options = Options { format: Some(Format::Jsonl), batch_records: BATCH_RECORDS, ..Options::default() };
    let reader = Reader::open(&inputs, Mapping::default(), Arc::default(), options).map_err(|error| input_error::failure(&error, lang))?;
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.input));
    let topics = &settings.topics;
    let mut feeder = Feeder::open(&settings.connection, &topics.transactions, &settings.app, &name).map_err(|error| kafka(&error, lang))?;
    let interrupt = Interrupt::install().map_err(|error| Failure::usage(error.to_string()))?;
    let before = feeder.sent();
    let begun = Instant::now();
    for batch in reader {
        let batch = batch.map_err(|error| input_error::failure(&error, lang))?;
        let first = batch.first_record();
        let last = first + u64::try_from(batch.len()).unwrap_or(0);
        for number in (first..last).filter(|number| *number > before) {
            if let Some(record) = batch.original(number) {
                feeder.push(record);
            }
        }
        feeder.commit().map_err(|error| kafka(&error, lang))?;
        interrupt.check(lang)?;
        if let Some(rate) = args.rate {
            let sent = feeder.sent().saturating_sub(before);
            let due = Duration::from_millis(sent.saturating_mul(1000) / rate.max(1));
            thread::sleep(due.saturating_sub(begun.elapsed()));
        }
    }
    let (sent, total) = (feeder.sent().saturating_sub(before), feeder.sent());
    mention("note", "fed", &say!(lang, "已送入 {sent} 条，累计 {total} 条", "{sent} records sent, {total} in all"), json);
    Ok(Exit::Ok)
}

/// A feed is known by the paths it plays.
fn name_of(paths: &[PathBuf]) -> String {
    let mut hasher = blake3::Hasher::new();
    for path in paths {
        hasher.update(canonical(path).as_os_str().as_encoded_bytes());
        hasher.update(b"\0");
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

fn key_of(party: &Party) -> String {
    if party.institution.is_empty() { party.customer.clone() } else { format!("{}/{}", party.institution, party.customer) }
}

fn json_of(party: &Party) -> Vec<u8> {
    let division = |division: weir_model::Division| if division.is_known() { format!("{:06}", division.code()) } else { String::new() };
    let day = |day: Option<weir_model::Day>| day.map(|day| day.to_string());
    let agreements: Vec<_> = party
        .agreements
        .iter()
        .map(|agreement| {
            serde_json::json!({ "kind": agreement.kind.name(), "valid_to": agreement.valid_to.to_string(), "people": agreement.people })
        })
        .collect();
    let value = serde_json::json!({
        "institution": party.institution, "customer": party.customer, "accounts": party.accounts, "name": party.name,
        "kind": party.kind.name(), "industry": party.industry, "registered_division": division(party.registered_division),
        "operating_division": division(party.operating_division), "branch": party.branch, "opened_at": day(party.opened_at),
        "closed_at": day(party.closed_at), "birth_year": party.birth_year, "agreements": agreements, "group": party.group,
    });
    value.to_string().into_bytes()
}
