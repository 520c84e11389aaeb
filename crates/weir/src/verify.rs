//! `weir verify-alert`: is what was said of a party what its records say?
//!
//! One party is folded again, from the service's archive or from the files `weir detect` read, and every revision of the alert is held
//! against what comes out, byte by byte. Addressees are left out: they come from the bank's routing file, not from records. Nothing here
//! believes a saved state, an earlier run or the detector's own memory.
//!
//! What was *not* said refutes as well, so the fold goes to the end of what there is and not to the last revision it is shown: to the end of
//! the inputs; of the archive; or, where a broker is asked, to the offset that *detect* had committed before what was said was read, because
//! of what lies behind it nothing can have been said yet.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_kafka::{Question, RefoldError, Refolded, RuleLibrary, Settings, read_some, refold, standing};
use weir_model::Alert;

use crate::arguments::{DetectArgs, VerifyArgs};
use crate::detect;
use crate::failure::{Exit, Failure};
use crate::input_error::json_fault;
use crate::language::{Lang, plural, say};
use crate::outputs::Output;
use crate::pack::{self, Pack};
use crate::service::{Configured, kafka, location};
use crate::terminal::Palette;

/// Values longer than this are cut where they are shown.
const SHOWN_CHARS: usize = 120;
/// How often a broker looks for transactions that have timed out.
const ABORT_EVERY: Duration = Duration::from_secs(10);
/// How often a topic is read again that may yet show what is missing.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What was folded, for the person who asks.
struct Source {
    zh: String,
    en: String,
}

/// A revision as it stands in its file or topic, and as it is read.
struct Revision {
    alert: Alert,
    line: Vec<u8>,
}

impl Revision {
    /// Of the record behind it.
    fn offset(&self) -> i64 {
        i64::try_from(self.alert.detected_from.offset).unwrap_or(i64::MAX)
    }
}

/// How what was said differs from what the records say, and in which revision.
#[derive(Debug, PartialEq, Eq)]
enum Difference {
    /// The records give no such revision.
    NotFolded,
    /// The records give a revision that was not said.
    NotSaid,
    /// It was said more than once.
    Repeated,
    /// A field differs.
    Field { path: String, said: String, folded: String },
    /// All fields agree, but not the bytes: there is something in what was said that weir does not write.
    Bytes,
}

/// Runs the verb.
pub(crate) fn run(args: VerifyArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let (said, folded, source) = if args.input.is_empty() { from_archive(&args, lang)? } else { from_files(&args, lang)? };
    let found = difference(&said, &folded);
    tell(&args.alert_id, said.len(), found.as_ref(), &source, json, lang)?;
    Ok(if found.is_none() { Exit::Ok } else { Exit::Findings })
}

type Compared = (Vec<Revision>, Vec<Revision>, Source);

fn from_archive(args: &VerifyArgs, lang: Lang) -> Result<Compared, Failure> {
    let Configured { settings, detect, archive, object_store, .. } = Configured::load(&args.config, lang)?;
    // Before what was said is read: whatever was said up to here is on the topic then.
    let committed = committed(args, &settings, lang)?;
    let read = || match &args.said {
        Some(path) => said_in(path, &args.alert_id, lang),
        None => said_on_topic(&settings, &args.alert_id, lang),
    };
    let said = read()?;
    let first = first_of(&said, &args.alert_id, lang)?;
    let library = library(args, &settings, lang)?;
    let place = args.archive.as_ref().map_or(archive, |text| location(text, Path::new(""), &object_store));
    let name = place.to_string();
    let store = place.open().map_err(|error| Failure::usage(format!("{name}: {error}")))?;
    let partition = first.detected_from.partition;
    let question = Question {
        partition,
        party: &first.subject.party,
        alert_id: &args.alert_id,
        at_least: said.iter().map(Revision::offset).max().unwrap_or(0),
        at_most: committed.get(&partition).map(|next| next - 1),
    };
    let Refolded { revisions: folded, legs, controls, files, until } =
        refold(&store, &Arc::new(library), &detect, &settings.topics, question).map_err(|error| not_folded(&name, &error, lang))?;
    let counted = [(files, "file", "files"), (legs, "leg", "legs"), (controls, "control record", "control records")];
    let [of_files, of_legs, of_controls] = counted.map(|(count, one, many)| plural(count, one, many));
    let source = Source {
        zh: format!("归档 {name}：分区 {partition}，位点 0 至 {until}，{files} 个文件，该主体流水 {legs} 条，控制记录 {controls} 条"),
        en: format!(
            "archive {name}: partition {partition}, offsets 0 to {until}, {files} {of_files}, {legs} {of_legs} of the party, {controls} {of_controls}"
        ),
    };
    let folded = revisions(folded.into_iter(), &args.alert_id, lang)?;
    let patience = if args.said.is_none() { settings.transaction_timeout + ABORT_EVERY } else { Duration::ZERO };
    let said = once_visible(said, &folded, until, patience, read)?;
    Ok((said, folded, source))
}

/// The next offset that *detect* reads, by partition. Empty where no broker is needed for anything else, and where it knows none.
fn committed(args: &VerifyArgs, settings: &Settings, lang: Lang) -> Result<BTreeMap<i32, i64>, Failure> {
    if args.said.is_some() && args.pack.rules.is_some() {
        return Ok(BTreeMap::new());
    }
    let all = standing(&settings.connection, &settings.topics.legs, &settings.group("detect")).map_err(|error| kafka(&error, lang))?;
    Ok(all.into_iter().filter_map(|(partition, progress)| Some((partition, progress.committed?))).collect())
}

fn said_on_topic(settings: &Settings, alert_id: &str, lang: Lang) -> Result<Vec<Revision>, Failure> {
    let is_wanted = |value: &[u8]| is_of(value, alert_id);
    let records = read_some(&settings.connection, &settings.topics.alerts, &is_wanted).map_err(|error| kafka(&error, lang))?;
    revisions(records.into_iter().map(|record| record.value), alert_id, lang)
}

fn library(args: &VerifyArgs, settings: &Settings, lang: Lang) -> Result<RuleLibrary, Failure> {
    let Some(dir) = &args.pack.rules else {
        return RuleLibrary::new(&settings.connection, &settings.topics.rules, Arc::default()).map_err(|error| kafka(&error, lang));
    };
    let found = Pack::find(Some(dir), lang)?;
    Ok(RuleLibrary::of([pack::load(&found, &args.pack.set, false, lang)?.rules]))
}

/// What was said, once all of it can be seen. A transaction of another worker that is still open hides what was committed behind it on the
/// same partition, until it ends or is aborted: what seems not to have been said is looked for as long as that may take.
fn once_visible(
    mut said: Vec<Revision>,
    folded: &[Revision],
    until: i64,
    patience: Duration,
    again: impl Fn() -> Result<Vec<Revision>, Failure>,
) -> Result<Vec<Revision>, Failure> {
    let deadline = Instant::now() + patience;
    while matches!(difference(&said, folded), Some((_, Difference::NotSaid))) && Instant::now() < deadline {
        thread::sleep(LOOK_EVERY.min(patience));
        said = again()?;
        // What has been said since, of later records, was not folded.
        said.retain(|one| one.offset() <= until);
    }
    Ok(said)
}

fn not_folded(name: &str, error: &RefoldError, lang: Lang) -> Failure {
    let text = match error {
        RefoldError::Gap { partition, from, to } => say!(
            lang,
            "归档 {name} 缺少分区 {partition} 自位点 {from} 至 {to} 之前的记录，无法证实也无法否定；请补回缺少的文件",
            "{name}: {error}"
        ),
        _ => format!("{name}: {error}"),
    };
    Failure::bad_input(text)
}

fn from_files(args: &VerifyArgs, lang: Lang) -> Result<Compared, Failure> {
    let path = args.said.as_deref().expect("the parser asks for --alerts with files");
    let said = said_in(path, &args.alert_id, lang)?;
    let party = first_of(&said, &args.alert_id, lang)?.subject.party.clone();
    let folder = tempfile::tempdir().map_err(|error| Failure::usage(error.to_string()))?;
    let fold = |has_revisions: bool| -> Result<Vec<Revision>, Failure> {
        let output = folder.path().join(if has_revisions { "revisions.jsonl" } else { "last.jsonl" });
        detect::run_for_one(detect_arguments(args, &output, has_revisions), &party, lang)?;
        said_in(&output, &args.alert_id, lang)
    };
    // A file of final states has one line an alert, and so has one of revisions where there was one.
    let mut folded = fold(said.len() > 1)?;
    if let [one] = said.as_slice()
        && difference(&said, &folded).is_some()
    {
        folded = from_revision(one.alert.revision, fold(true)?);
    }
    let files = args.input.len();
    let source = Source {
        zh: format!("由 {files} 个输入重算该主体，直至末尾"),
        en: format!("the party folded again from {files} {}, to the end", plural(files, "input", "inputs")),
    };
    Ok((said, folded, source))
}

/// What a single revision is held against that is not the last: it and those that follow it, which were not said. Those before it were no part
/// of a file of final states.
fn from_revision(number: u32, mut folded: Vec<Revision>) -> Vec<Revision> {
    folded.retain(|one| one.alert.revision >= number);
    folded
}

fn detect_arguments(args: &VerifyArgs, output: &Path, revisions: bool) -> DetectArgs {
    DetectArgs {
        input: args.input.clone(),
        read: args.read.clone(),
        pack: args.pack.clone(),
        alerts: Some(output.to_owned()),
        office: None,
        office_min_level: "medium".to_owned(),
        routing: None,
        bank_contact: String::new(),
        large_amount: None,
        dead_letters: None,
        late: None,
        summary: None,
        revisions,
        text: false,
        explain_silence: None,
        from_state: None,
        to_state: None,
        // Whatever share is bad: it was tolerated then.
        max_bad_ratio: "1".to_owned(),
        shards: Some(1),
        batch: None,
    }
}

/// The lines of a file that are revisions of an alert.
fn said_in(path: &Path, alert_id: &str, lang: Lang) -> Result<Vec<Revision>, Failure> {
    let name = path.display();
    let bytes = fs::read(path)
        .map_err(|error| Failure::bad_input(say!(lang, "无法读取预警 {name}：{error}", "cannot read the alerts {name}: {error}")))?;
    revisions(bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec), alert_id, lang)
}

/// Those of the lines that are revisions of an alert, in their order.
fn revisions(lines: impl Iterator<Item = Vec<u8>>, alert_id: &str, lang: Lang) -> Result<Vec<Revision>, Failure> {
    let read = |line: Vec<u8>| match serde_json::from_slice(&line) {
        Ok(alert) => Ok(Revision { alert, line }),
        Err(error) => {
            let what = json_fault(&error, lang);
            Err(Failure::bad_input(say!(
                lang,
                "预警 {alert_id} 不是 weir 所写的形式：{what}",
                "alert {alert_id} is not in the form weir writes: {what}"
            )))
        }
    };
    lines.filter(|line| is_of(line, alert_id)).map(read).collect()
}

fn first_of<'r>(said: &'r [Revision], alert_id: &str, lang: Lang) -> Result<&'r Alert, Failure> {
    let first = said.first().map(|one| &one.alert);
    first.ok_or_else(|| Failure::bad_input(say!(lang, "没有编号为 {alert_id} 的预警", "there is no alert {alert_id}")))
}

fn is_of(alert: &[u8], alert_id: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Id<'a> {
        alert_id: &'a str,
    }
    serde_json::from_slice::<Id<'_>>(alert).is_ok_and(|alert| alert.alert_id == alert_id)
}

/// The first difference, revision by revision.
fn difference(said: &[Revision], folded: &[Revision]) -> Option<(u32, Difference)> {
    let mut seen = BTreeSet::new();
    for Revision { alert, line } in said {
        let number = alert.revision;
        let found = match folded.iter().find(|other| other.alert.revision == number) {
            _ if !seen.insert(number) => Some(Difference::Repeated),
            None => Some(Difference::NotFolded),
            Some(other) => difference_of(alert, line, &other.alert),
        };
        if let Some(found) = found {
            return Some((number, found));
        }
    }
    let missing = folded.iter().map(|one| one.alert.revision).find(|number| !seen.contains(number))?;
    Some((missing, Difference::NotSaid))
}

fn difference_of(said: &Alert, line: &[u8], folded: &Alert) -> Option<Difference> {
    let bare = |alert: &Alert| serde_json::to_value(Alert { addressees: Vec::new(), ..alert.clone() }).unwrap_or_default();
    let (a, b) = (bare(said), bare(folded));
    // Rules first: where they differ, everything else follows from it.
    let rules = first_difference(&a["rule"], &b["rule"], "rule".to_owned());
    if let Some((path, said, folded)) = rules.or_else(|| first_difference(&a, &b, String::new())) {
        return Some(Difference::Field { path, said, folded });
    }
    (serde_json::to_vec(said).ok().as_deref() != Some(line)).then_some(Difference::Bytes)
}

/// Path and values of the first place in which two values differ.
fn first_difference(said: &Value, folded: &Value, path: String) -> Option<(String, String, String)> {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (said, folded) {
        (Value::Object(a), Value::Object(b)) => {
            let keys = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key)));
            let null = Value::Null;
            keys.into_iter().find_map(|key| first_difference(a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null), below(key)))
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(at, (a, b))| first_difference(a, b, format!("{path}[{at}]")))
        }
        _ if said == folded => None,
        _ => Some((path, said.to_string(), folded.to_string())),
    }
}

fn tell(
    alert_id: &str,
    revisions: usize,
    found: Option<&(u32, Difference)>,
    source: &Source,
    json: bool,
    lang: Lang,
) -> Result<(), Failure> {
    let mut output = Output::stdout(lang);
    if json {
        let difference = found.map(|(revision, found)| match found {
            Difference::Field { path, said, folded } => {
                serde_json::json!({"kind": "field", "revision": revision, "path": path, "said": said, "folded": folded})
            }
            other => serde_json::json!({"kind": other.name(), "revision": revision}),
        });
        let row = serde_json::json!({
            "alert_id": alert_id, "proved": found.is_none(), "revisions": revisions, "source": source.en, "difference": difference,
        });
        output.json(&row)?;
        return output.flush();
    }
    let palette = Palette::of(&std::io::stdout());
    let verdict = match found {
        None => palette.paint("1;32", lang.of("证实", "proved")),
        Some(_) => palette.paint("1;31", lang.of("不符", "refuted")),
    };
    let noun = plural(revisions, "revision", "revisions");
    let head = say!(lang, "{verdict}  预警 {alert_id}，{revisions} 次修订", "{verdict}  alert {alert_id}, {revisions} {noun}");
    let source = match lang {
        Lang::Zh => &source.zh,
        Lang::En => &source.en,
    };
    output.bytes(format!("{head}\n{}\n", palette.dim(source)).as_bytes())?;
    if let Some((revision, found)) = found {
        let words = found.words(lang);
        output.bytes(say!(lang, "第 {revision} 次修订：{words}\n", "revision {revision}: {words}\n").as_bytes())?;
    }
    output.flush()
}

impl Difference {
    const fn name(&self) -> &'static str {
        match self {
            Self::NotFolded => "not_folded",
            Self::NotSaid => "not_said",
            Self::Repeated => "repeated",
            Self::Field { .. } => "field",
            Self::Bytes => "bytes",
        }
    }

    fn words(&self, lang: Lang) -> String {
        match self {
            Self::NotFolded => lang.of("重算得不到它", "the records do not give it").to_owned(),
            Self::NotSaid => lang.of("重算得到它，当时却没有发出", "the records give it, but it was not said").to_owned(),
            Self::Repeated => lang.of("发出了不止一次", "it was said more than once").to_owned(),
            Self::Bytes => lang
                .of(
                    "各字段相同，但字节不同，含有并非 weir 所写的内容",
                    "all fields agree, the bytes do not: something in it was not written by weir",
                )
                .to_owned(),
            Self::Field { path, said, folded } => {
                let (said, folded) = (shown(said), shown(folded));
                say!(
                    lang,
                    "第一处不同：{path}\n  发出  {said}\n  重算  {folded}",
                    "first difference: {path}\n  said    {said}\n  folded  {folded}"
                )
            }
        }
    }
}

fn shown(value: &str) -> String {
    if value.chars().count() <= SHOWN_CHARS {
        value.to_owned()
    } else {
        format!("{}…", value.chars().take(SHOWN_CHARS).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Revisions of one alert, each of the record at ten times its number.
    fn some(numbers: impl IntoIterator<Item = u32>) -> Vec<Revision> {
        let alert: Alert = serde_json::from_str(include_str!("../tests/alert.json")).expect("an alert");
        let one = |number: u32| {
            let mut alert = alert.clone();
            alert.revision = number;
            alert.detected_from.offset = u64::from(number) * 10;
            Revision { line: serde_json::to_vec(&alert).expect("JSON"), alert }
        };
        numbers.into_iter().map(one).collect()
    }

    #[test]
    fn what_was_not_said_refutes_wherever_it_is_missing() {
        let folded = some(1..=4);
        assert_eq!(difference(&some(1..=4), &folded), None);
        for (said, missing) in [(vec![1, 2, 3], 4), (vec![1, 2, 4], 3), (vec![2, 3, 4], 1), (vec![1], 2)] {
            assert_eq!(difference(&some(said), &folded), Some((missing, Difference::NotSaid)));
        }
        assert_eq!(difference(&some(1..=5), &folded), Some((5, Difference::NotFolded)));
    }

    #[test]
    fn a_single_revision_is_held_against_those_that_follow_it() {
        for (number, expected) in
            [(1, Some((2, Difference::NotSaid))), (3, Some((4, Difference::NotSaid))), (4, None), (9, Some((9, Difference::NotFolded)))]
        {
            assert_eq!(difference(&some([number]), &from_revision(number, some(1..=4))), expected);
        }
    }

    #[test]
    fn what_an_open_transaction_hides_is_waited_for_and_nothing_else() {
        let asked = Cell::new(0);
        let look = |shows: fn() -> Vec<Revision>, patience: u64| {
            asked.set(0);
            let again = || {
                asked.set(asked.get() + 1);
                Ok(shows())
            };
            let said = once_visible(some(1..=3), &some(1..=4), 49, Duration::from_millis(patience), again);
            let said = said.unwrap_or_else(|failure| panic!("{}", failure.text));
            (difference(&said, &some(1..=4)), asked.get())
        };
        // By then a fifth has come, of a record that was not folded.
        assert_eq!(look(|| some(1..=5), 100), (None, 1));
        assert_eq!(look(|| some(1..=3), 100), (Some((4, Difference::NotSaid)), 1));
        assert_eq!(look(|| some(1..=4), 0), (Some((4, Difference::NotSaid)), 0));
    }
}
