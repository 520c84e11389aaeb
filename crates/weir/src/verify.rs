//! `weir verify-alert`: is what was said of a party what its records say?
//!
//! One party is folded again, from the service's archive or from the files `weir detect` read, and every revision of the alert is held
//! against what comes out, byte by byte. Addressees are left out: they come from the bank's routing file, not from records. Nothing here
//! believes a saved state, an earlier run or the detector's own memory.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use weir_kafka::{Folder, Question, RefoldError, RuleLibrary, Store, read_topic, refold};
use weir_model::Alert;

use crate::arguments::{DetectArgs, VerifyArgs};
use crate::detect;
use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::pack::{self, Pack};
use crate::service::{Configured, kafka};
use crate::terminal::Palette;

/// Values longer than this are cut where they are shown.
const SHOWN_CHARS: usize = 120;

/// What was folded, for the person who asks.
struct Source {
    zh: String,
    en: String,
}

/// How what was said differs from what the records say.
#[derive(Debug, PartialEq, Eq)]
enum Difference {
    /// The records give no such revision.
    NotFolded(u32),
    /// The records give a revision that was not said.
    NotSaid(u32),
    /// A field differs.
    Field { revision: u32, path: String, said: String, folded: String },
    /// All fields agree, but not the bytes: there is something in what was said that weir does not write.
    Bytes(u32),
}

/// Runs the verb.
pub(crate) fn run(args: VerifyArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let (said, folded, source) = if args.input.is_empty() { from_archive(&args, lang)? } else { from_files(&args, lang)? };
    let found = difference(&said, &folded);
    tell(&args.alert_id, said.len(), found.as_ref(), &source, json, lang);
    Ok(if found.is_none() { Exit::Ok } else { Exit::Findings })
}

type Revisions = Vec<Vec<u8>>;

fn from_archive(args: &VerifyArgs, lang: Lang) -> Result<(Revisions, Revisions, Source), Failure> {
    let Configured { settings, detect, archive, .. } = Configured::load(&args.config, lang)?;
    let said = match &args.said {
        Some(path) => said_in(path, &args.alert_id, lang)?,
        None => {
            let records = read_topic(&settings.connection, &settings.topics.alerts).map_err(|error| kafka(&error, lang))?;
            records.into_iter().map(|record| record.value).filter(|value| is_of(value, &args.alert_id)).collect()
        }
    };
    let alerts = parsed(&said, &args.alert_id, lang)?;
    let library = match &args.pack.rules {
        Some(dir) => {
            let found = Pack::find(Some(dir), lang)?;
            RuleLibrary::of([pack::load(&found, &args.pack.set, false, lang)?.rules])
        }
        None => RuleLibrary::new(&settings.connection, &settings.topics.rules).map_err(|error| kafka(&error, lang))?,
    };
    let folder = args.archive.clone().unwrap_or(archive);
    let name = folder.display().to_string();
    let store: Arc<dyn Store> = Arc::new(Folder(folder));
    let first = &alerts[0];
    let question = Question {
        partition: first.detected_from.partition,
        party: &first.subject.party,
        alert_id: &args.alert_id,
        until: alerts.iter().map(|alert| i64::try_from(alert.detected_from.offset).unwrap_or(i64::MAX)).max().unwrap_or(0),
    };
    let folded =
        refold(&store, &Arc::new(library), &detect, &settings.topics, question).map_err(|error| not_folded(&name, &error, lang))?;
    let (legs, controls, files) = (folded.legs, folded.controls, folded.files);
    let (partition, until) = (question.partition, question.until);
    let source = Source {
        zh: format!("归档 {name}：分区 {partition}，位点 0 至 {until}，{files} 个文件，该主体流水 {legs} 条，控制记录 {controls} 条"),
        en: format!(
            "archive {name}: partition {partition}, offsets 0 to {until}, {files} files, {legs} legs of the party, {controls} control records"
        ),
    };
    Ok((said, folded.revisions, source))
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

fn from_files(args: &VerifyArgs, lang: Lang) -> Result<(Revisions, Revisions, Source), Failure> {
    let path = args.said.as_deref().expect("the parser asks for --alerts with files");
    let said = said_in(path, &args.alert_id, lang)?;
    let alerts = parsed(&said, &args.alert_id, lang)?;
    let party = alerts[0].subject.party.clone();
    let folder = tempfile::tempdir().map_err(|error| Failure::usage(error.to_string()))?;
    let fold = |revisions: bool| -> Result<Revisions, Failure> {
        let output = folder.path().join(if revisions { "revisions.jsonl" } else { "last.jsonl" });
        detect::run_for_one(detect_arguments(args, &output, revisions), &party, lang)?;
        said_in(&output, &args.alert_id, lang)
    };
    // A file of final states has one line an alert, and so has one of revisions where there was one.
    let mut folded = fold(said.len() > 1)?;
    if said.len() == 1 && difference(&said, &folded).is_some() {
        let revisions = fold(true)?;
        if difference(&said, &revisions).is_none() {
            folded = revisions;
        }
    }
    let files = args.input.len();
    let source = Source {
        zh: format!("由 {files} 个输入重算该主体"),
        en: format!("the party folded again from {files} input{}", if files == 1 { "" } else { "s" }),
    };
    Ok((said, folded, source))
}

fn detect_arguments(args: &VerifyArgs, output: &Path, revisions: bool) -> DetectArgs {
    DetectArgs {
        input: args.input.clone(),
        feed: args.feed.clone(),
        format: args.format.clone(),
        parties: args.parties.clone(),
        pack: crate::arguments::PackArgs { rules: args.pack.rules.clone(), set: args.pack.set.clone() },
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
        from_state: None,
        to_state: None,
        lateness: args.lateness.clone(),
        now: args.now.clone(),
        sort: args.sort,
        // Whatever share is bad: it was tolerated then.
        max_bad_ratio: "1".to_owned(),
        shards: Some(1),
        batch: None,
    }
}

/// The lines of a file that are revisions of an alert.
fn said_in(path: &Path, alert_id: &str, lang: Lang) -> Result<Revisions, Failure> {
    let name = path.display();
    let bytes = fs::read(path)
        .map_err(|error| Failure::bad_input(say!(lang, "无法读取预警 {name}：{error}", "cannot read the alerts {name}: {error}")))?;
    Ok(bytes.split(|byte| *byte == b'\n').filter(|line| is_of(line, alert_id)).map(<[u8]>::to_vec).collect())
}

fn is_of(alert: &[u8], alert_id: &str) -> bool {
    #[derive(serde::Deserialize)]
    struct Id<'a> {
        alert_id: &'a str,
    }
    serde_json::from_slice::<Id<'_>>(alert).is_ok_and(|alert| alert.alert_id == alert_id)
}

/// What was said, as alerts; at least one.
fn parsed(said: &[Vec<u8>], alert_id: &str, lang: Lang) -> Result<Vec<Alert>, Failure> {
    if said.is_empty() {
        return Err(Failure::bad_input(say!(lang, "没有编号为 {alert_id} 的预警", "there is no alert {alert_id}")));
    }
    let alerts: Result<Vec<Alert>, _> = said.iter().map(|line| serde_json::from_slice(line)).collect();
    alerts.map_err(|error| {
        Failure::bad_input(say!(
            lang,
            "预警 {alert_id} 不是 weir 所写的形式：{error}",
            "alert {alert_id} is not in the form weir writes: {error}"
        ))
    })
}

/// The first difference, revision by revision.
fn difference(said: &[Vec<u8>], folded: &[Vec<u8>]) -> Option<Difference> {
    let read = |line: &Vec<u8>| serde_json::from_slice::<Alert>(line).ok();
    let (said, folded): (Vec<_>, Vec<_>) = (
        said.iter().filter_map(|line| Some((read(line)?, line))).collect(),
        folded.iter().filter_map(|line| Some((read(line)?, line))).collect(),
    );
    for (alert, line) in &said {
        let revision = alert.revision;
        let Some((other, _)) = folded.iter().find(|(other, _)| other.revision == revision) else {
            return Some(Difference::NotFolded(revision));
        };
        let bare = |alert: &Alert| serde_json::to_value(Alert { addressees: Vec::new(), ..alert.clone() }).unwrap_or_default();
        let (a, b) = (bare(alert), bare(other));
        // Rules first: where they differ, everything else follows from it.
        let rules = first_difference(&a["rule"], &b["rule"], "rule".to_owned());
        if let Some((path, said, folded)) = rules.or_else(|| first_difference(&a, &b, String::new())) {
            return Some(Difference::Field { revision, path, said, folded });
        }
        if serde_json::to_vec(alert).ok().as_ref() != Some(line) {
            return Some(Difference::Bytes(revision));
        }
    }
    let is_said = |revision: u32| said.iter().any(|(alert, _)| alert.revision == revision);
    folded.iter().map(|(alert, _)| alert.revision).find(|revision| !is_said(*revision)).map(Difference::NotSaid)
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

fn tell(alert_id: &str, revisions: usize, found: Option<&Difference>, source: &Source, json: bool, lang: Lang) {
    if json {
        let difference = found.map(|found| match found {
            Difference::NotFolded(revision) => serde_json::json!({"kind": "not_folded", "revision": revision}),
            Difference::NotSaid(revision) => serde_json::json!({"kind": "not_said", "revision": revision}),
            Difference::Bytes(revision) => serde_json::json!({"kind": "bytes", "revision": revision}),
            Difference::Field { revision, path, said, folded } => {
                serde_json::json!({"kind": "field", "revision": revision, "path": path, "said": said, "folded": folded})
            }
        });
        let row = serde_json::json!({
            "alert_id": alert_id, "proved": found.is_none(), "revisions": revisions, "source": source.en, "difference": difference,
        });
        println!("{row}");
        return;
    }
    let palette = Palette::of(&std::io::stdout());
    let mut text = String::new();
    let verdict = match found {
        None => palette.paint("1;32", lang.of("证实", "proved")),
        Some(_) => palette.paint("1;31", lang.of("不符", "refuted")),
    };
    let head = say!(lang, "{verdict}  预警 {alert_id}，{revisions} 次修订", "{verdict}  alert {alert_id}, {revisions} revisions");
    let source = match lang {
        Lang::Zh => &source.zh,
        Lang::En => &source.en,
    };
    let _ = writeln!(text, "{head}\n{}", palette.dim(source));
    match found {
        None => {}
        Some(Difference::NotFolded(revision)) => {
            let line = say!(lang, "第 {revision} 次修订：重算得不到它", "revision {revision}: the records do not give it");
            let _ = writeln!(text, "{line}");
        }
        Some(Difference::NotSaid(revision)) => {
            let line = say!(
                lang,
                "第 {revision} 次修订：重算得到它，当时却没有发出",
                "revision {revision}: the records give it, but it was not said"
            );
            let _ = writeln!(text, "{line}");
        }
        Some(Difference::Bytes(revision)) => {
            let line = say!(
                lang,
                "第 {revision} 次修订：各字段相同，但字节不同，含有并非 weir 所写的内容",
                "revision {revision}: all fields agree, the bytes do not: something in it was not written by weir"
            );
            let _ = writeln!(text, "{line}");
        }
        Some(Difference::Field { revision, path, said, folded }) => {
            let (said_word, folded_word) = (lang.of("发出", "said"), lang.of("重算", "folded"));
            let line = say!(lang, "第 {revision} 次修订，第一处不同：{path}", "revision {revision}, first difference: {path}");
            let _ = writeln!(text, "{line}\n  {said_word}  {}\n  {folded_word}  {}", shown(said), shown(folded));
        }
    }
    print!("{text}");
}

fn shown(value: &str) -> String {
    if value.chars().count() <= SHOWN_CHARS {
        value.to_owned()
    } else {
        format!("{}…", value.chars().take(SHOWN_CHARS).collect::<String>())
    }
}
