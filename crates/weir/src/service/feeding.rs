//! `weir feed`: plays files into the transactions topic, for rehearsals and tests.
//!
//! Records go in the order `weir detect` would read them, as JSON: lines of JSON as they are, rows of CSV and Parquet as objects; the unusable
//! ones too, they are the splitter's to refuse. How many were sent is committed with them, so a feed that was interrupted goes on where it was.
//! The record that was sent last is read once more then: an input that has another one in its place, or ends before it, is not what was sent.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_feed::{Options, Parties, Reader, inputs};
use weir_kafka::{Feeder, FeederError, put_all};
use weir_model::{EventTime, Party};

use super::settings::Configured;
use super::{kafka, log_to_stderr};
use crate::arguments::FeedArgs;
use crate::detect;
use crate::failure::{Exit, Failure};
use crate::input_error;
use crate::interrupt::Interrupt;
use crate::language::{Lang, plural, say};
use crate::terminal::mention;

/// Records a transaction: enough to pay for it, few enough to be seen soon.
const BATCH_RECORDS: usize = 2000;
/// Records that are due within this time go together.
const PACE_STEP: Duration = Duration::from_millis(5);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Runs the verb.
pub(crate) fn feed(args: &FeedArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    log_to_stderr();
    let Configured { settings, mapping, .. } = Configured::load(&args.config, lang)?;
    if let Some(path) = &args.parties {
        let parties = Parties::load(path, "").map_err(|error| input_error::failure(&error, lang))?;
        let records = parties.iter().map(|party| (key_of(party), json_of(party)));
        let count = put_all(&settings.connection, &settings.topics.parties, records).map_err(|error| kafka(&error, lang))?;
        let are = plural(count, "party is on its topic", "parties are on their topic");
        mention("note", "parties", &say!(lang, "已写入客户资料 {count} 条", "{count} {are}"), json);
    }
    if args.input.is_empty() {
        return Ok(Exit::Ok);
    }
    let format = args.format.as_deref().map(|name| detect::format_of(name, lang)).transpose()?;
    let inputs = inputs::expand(&args.input, format).map_err(|error| input_error::failure(&error, lang))?;
    let options = Options { format, batch_records: BATCH_RECORDS, ..Options::default() };
    let mut reader = Reader::open(&inputs, mapping, Arc::default(), options).map_err(|error| input_error::failure(&error, lang))?;
    let name = args.name.clone().unwrap_or_else(|| name_of(&args.input));
    let topics = &settings.topics;
    let mut feeder = Feeder::open(&settings.connection, &topics.transactions, &settings.app, &name).map_err(|error| kafka(&error, lang))?;
    let interrupt = Interrupt::install(lang)?;
    let before = feeder.sent();
    if feeder.is_among_others() {
        mention("note", "fed_before", &among_others(&topics.transactions, &name, lang), json);
    }
    let mut pace = Pace { begun: Instant::now(), rate: args.rate, speed: args.speed, first: None };
    let mut is_resumed = before == 0;
    while let Some(batch) = reader.next() {
        let batch = batch.map_err(|error| input_error::failure(&error, lang))?;
        let first = batch.first_record();
        let last = first + u64::try_from(batch.len()).unwrap_or(0);
        if !is_resumed && last > before {
            let is_same = reader.message(&batch, before).is_some_and(|record| feeder.was_last(&record));
            if !is_same {
                return Err(other_input(before, &name, lang));
            }
            is_resumed = true;
        }
        for number in (first..last).filter(|number| *number > before) {
            let early = pace.early(number - before, batch.clock(number));
            if early > PACE_STEP {
                feeder.commit().map_err(|error| feeder_failure(&error, &name, lang))?;
                wait(early, &interrupt, lang)?;
            }
            if let Some(record) = reader.message(&batch, number) {
                feeder.push(&record);
            }
        }
        feeder.commit().map_err(|error| feeder_failure(&error, &name, lang))?;
        interrupt.check(lang)?;
    }
    if !is_resumed {
        return Err(short_input(before, &name, lang));
    }
    let (sent, total) = (feeder.sent().saturating_sub(before), feeder.sent());
    let noun = plural(sent, "record", "records");
    mention("note", "fed", &say!(lang, "已送入 {sent} 条，累计 {total} 条", "{sent} {noun} sent, {total} in all"), json);
    Ok(Exit::Ok)
}

fn feeder_failure(error: &FeederError, name: &str, lang: Lang) -> Failure {
    match error {
        FeederError::Kafka(error) => kafka(error, lang),
        FeederError::Overtaken { found, expected } => Failure::usage(say!(
            lang,
            "送入任务 {name} 已被同名的另一个 weir feed 接管：已送入 {found} 条，而本进程止于 {expected} 条；本进程未重复送入。请让另一个进程完成，或在它结束后重新运行本命令",
            "another weir feed of the same name ({name}) has taken over: it has come to record {found}, and this one had come to {expected} and has sent none twice. \
             Let the other one finish, or run this again when it has ended"
        )),
    }
}

fn among_others(topic: &str, name: &str, lang: Lang) -> String {
    say!(
        lang,
        "送入任务 {name} 没有进度（首次送入，或停顿过久、Kafka 已清除），从第一条开始送入；而主题 {topic} 已有记录。若其中已有这些输入，请立即中断，否则会重复",
        "nothing is known to have been sent under the name {name} (the first time, or so long ago that Kafka has forgotten it), so it begins at the first record; \
         {topic} has records already. If these inputs are among them, interrupt this at once: they would be there twice"
    )
}

fn other_input(before: u64, name: &str, lang: Lang) -> Failure {
    Failure::bad_input(say!(
        lang,
        "输入的第 {before} 条不是送入任务 {name} 上次最后送入的那条：文件已换或已改，未送入任何记录。新的文件请用 --name 另取名字从头送入；续送请恢复原文件",
        "record {before} of the input is not the one that was sent last under the name {name}: the file is another one or was changed, and nothing is sent. For a new file give \
         --name another name, and all of it is sent; to go on, put back the file that was"
    ))
}

fn short_input(before: u64, name: &str, lang: Lang) -> Failure {
    let that_were = plural(before, "record that was", "records that were");
    Failure::bad_input(say!(
        lang,
        "输入不足 {before} 条，而送入任务 {name} 已送入 {before} 条：文件已换或已截短，未送入任何记录。新的文件请用 --name 另取名字从头送入；续送请恢复原文件",
        "the input has fewer than the {before} {that_were} sent under the name {name}: the file is another one or was cut, and nothing is sent. For a new file give --name \
         another name, and all of it is sent; to go on, put back the file that was"
    ))
}

/// When records are due.
struct Pace {
    begun: Instant,
    rate: Option<u64>,
    speed: Option<u64>,
    /// Clock of the first record sent.
    first: Option<EventTime>,
}

impl Pace {
    /// How much too early the `number`-th record of this run is, whose stamped clock is given.
    fn early(&mut self, number: u64, clock: Option<EventTime>) -> Duration {
        let micros = if let Some(rate) = self.rate {
            number.saturating_mul(1_000_000) / rate.max(1)
        } else if let (Some(speed), Some(clock)) = (self.speed, clock) {
            let first = *self.first.get_or_insert(clock);
            (clock.0 - first.0).unsigned_abs() / speed.max(1)
        } else {
            return Duration::ZERO;
        };
        Duration::from_micros(micros).saturating_sub(self.begun.elapsed())
    }
}

fn wait(time: Duration, interrupt: &Interrupt, lang: Lang) -> Result<(), Failure> {
    let until = Instant::now() + time;
    loop {
        interrupt.check(lang)?;
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        thread::sleep(left.min(LOOK_EVERY));
    }
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
