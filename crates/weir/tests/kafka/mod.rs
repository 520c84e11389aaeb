//! The service on a real broker: what it says is what `weir detect` and the oracle say of the same records, whatever goes wrong meanwhile.

mod archive;
mod beliefs;
#[allow(dead_code, reason = "shared with the chaos trials, which use the rest")]
mod broker;
mod consumers;
mod feeding;
mod idle;
mod late;
mod letters;
mod losses;
mod objects;
#[allow(dead_code, reason = "shared with the chaos trials, which use the rest")]
mod proxy;
mod readiness;
#[allow(dead_code, reason = "shared with the chaos trials, which use the rest")]
mod rig;
mod secured;
mod steps;
mod wall;
mod zombies;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::thread;
use std::time::Duration;

use serde_json::Value;

use self::broker::Broker;
use self::rig::{Rig, Shape, parties, rules, transactions};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Lines as values, without where the log stood, which differs between a file and a topic; in an order of their own.
fn said<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut all: Vec<String> = values
        .map(|bytes| {
            let mut value: Value = serde_json::from_slice(bytes).expect("JSON");
            value.as_object_mut().expect("an object").remove("detected_from");
            value.to_string()
        })
        .collect();
    all.sort();
    all
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read(path).expect("an output");
    said(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()))
}

fn assert_equal(what: &str, stream: &[String], files: &[String]) {
    let only = |some: &[String], others: &[String]| some.iter().filter(|line| !others.contains(line)).take(3).cloned().collect::<Vec<_>>();
    assert!(
        stream == files,
        "{what}: {} from the stream, {} from files; only in the stream: {:#?}; only from files: {:#?}",
        stream.len(),
        files.len(),
        only(stream, files),
        only(files, stream)
    );
}

/// Puts beside `t.jsonl`, which must be the demo, what `weir detect` says of it: every revision, and what else it says. It is asked once for all tests.
fn detect_files(rig: &Rig) {
    const OUTPUTS: [&str; 5] = ["alerts.jsonl", "office.jsonl", "large.jsonl", "dead.jsonl", "late.jsonl"];
    static SAID: OnceLock<[Vec<u8>; 5]> = OnceLock::new();
    assert!(fs::read(rig.path("t.jsonl")).expect("the feed") == transactions().as_bytes(), "the feed is the demo");
    let said = SAID.get_or_init(|| {
        rig.done(&[
            "detect",
            "--feed",
            "feed.yaml",
            "--format",
            "jsonl",
            "--parties",
            &parties(),
            "--rules",
            &rules(),
            "--revisions",
            "--to-state",
            "state.bin",
            "--alerts",
            "alerts.jsonl",
            "--office",
            "office.jsonl",
            "--large-amount",
            "large.jsonl",
            "--dead-letters",
            "dead.jsonl",
            "--late",
            "late.jsonl",
            "t.jsonl",
        ]);
        OUTPUTS.map(|name| fs::read(rig.path(name)).expect("an output"))
    });
    for (name, bytes) in OUTPUTS.into_iter().zip(said) {
        fs::write(rig.path(name), bytes).expect("written");
    }
}

/// What is on the topics is what `weir detect` says of `t.jsonl`.
fn assert_same_as_files(rig: &Rig) {
    detect_files(rig);
    for (topic, file) in [("alerts", "alerts.jsonl"), ("office", "office.jsonl"), ("large-amount", "large.jsonl")] {
        let records = rig.topic(topic);
        let stream = said(records.iter().map(|record| record.value.as_slice()));
        let files = lines(&rig.path(file));
        assert!(!files.is_empty(), "{topic}: nothing to compare");
        assert_equal(topic, &stream, &files);
    }
}

#[test]
fn the_stream_says_what_files_say_though_it_is_killed() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape::default());
    let lines_in = transactions();
    fs::write(rig.path("t.jsonl"), &lines_in).expect("written");
    assert_eq!(rig.done(&["topics", "check"]), "");

    let mut service = rig.start("one");
    let feeding = rig.feed("t.jsonl", 1200);
    // Each time somewhere else in the work, and a few times before it has begun.
    for pause in [1900, 700, 1300, 400, 2100, 1700] {
        thread::sleep(Duration::from_millis(pause));
        service.kill();
        service = rig.start("one");
    }
    feeding.join().expect("the feed is complete");
    rig.wait_until_caught_up();
    archive::wait_until_complete(&rig, &archive::folder(&rig));
    service.terminate();

    assert_same_as_files(&rig);
    // Every dead letter once, its bytes untouched, with its reason.
    let dead = rig.topic("dead-letter");
    let dead_in_files = fs::read_to_string(rig.path("dead.jsonl")).expect("an output");
    assert_eq!(dead.len(), dead_in_files.lines().count());
    for letter in &dead {
        let original = String::from_utf8(letter.value.clone()).expect("UTF-8");
        assert!(lines_in.lines().any(|line| line == original), "not a line of the input");
        assert!(dead_in_files.contains(&letter.headers["__connect.errors.exception.class.name"]));
    }
    assert_eq!(rig.topic("late").len(), fs::read_to_string(rig.path("late.jsonl")).expect("an output").lines().count());
    // Nothing of the bank's own goes to an office.
    for message in rig.topic("office") {
        let message = String::from_utf8(message.value).expect("UTF-8");
        for inside in ["score", "conditions", "evidence", "set_hash", "report_id"] {
            assert!(!message.contains(&format!("\"{inside}\"")), "{inside} has left the bank");
        }
    }
    for (topic, schema) in [
        ("alerts", "alert.json"),
        ("office", "office-alert.json"),
        ("large-amount", "large-amount-report.json"),
        ("late", "leg-set-aside.json"),
    ] {
        check_schema(&rig, topic, schema);
    }
    check_headers(&rig);
    archive::check(&rig);
}

/// Alerts and office messages carry the attributes of a CloudEvent and nothing else beside their JSON, and lie under the keys that are promised.
fn check_headers(rig: &Rig) {
    let headers = |kind: &str, source: &str, id: &str, time: &str| -> BTreeMap<String, String> {
        let all = [
            ("ce_specversion", "1.0"),
            ("ce_type", kind),
            ("ce_source", source),
            ("ce_id", id),
            ("ce_time", time),
            ("content-type", "application/json; charset=utf-8"),
        ];
        all.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    };
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let mut said: BTreeMap<String, (String, String)> = BTreeMap::new();
    for record in rig.topic("alerts") {
        let alert: Value = serde_json::from_slice(&record.value).expect("JSON");
        let id = format!("{}/{}", text(&alert["alert_id"]), alert["revision"]);
        let source = format!("/weir/{}.legs/{}", rig.prefix, alert["detected_from"]["partition"]);
        let time = text(&alert["last_hit_at"]);
        assert_eq!(record.headers, headers("cn.weir.alert", &source, &id, &time));
        assert_eq!(record.key, text(&alert["subject"]["party"]).into_bytes());
        said.insert(id, (source, time));
    }
    for record in rig.topic("office") {
        let message: Value = serde_json::from_slice(&record.value).expect("JSON");
        let id = format!("{}/{}", text(&message["alert_id"]), message["revision"]);
        let division = text(&message["addressee"]["division"]);
        let (source, time) = &said[&id];
        assert_eq!(record.headers, headers("cn.weir.office-alert", source, &format!("{id}/{division}"), time));
        assert_eq!(record.key, division.into_bytes());
    }
}

/// Every record of a topic fits its schema, and the last one would not without any one of its fields.
fn check_schema(rig: &Rig, topic: &str, schema: &str) {
    let records = rig.topic(topic);
    let lines = records.iter().map(|record| String::from_utf8(record.value.clone()).expect("UTF-8") + "\n");
    let file = rig.path(&format!("{topic}.schema.jsonl"));
    fs::write(&file, lines.collect::<String>()).expect("written");
    let output = Command::new(repository().join("scripts/fits")).arg(repository().join("docs/schemas").join(schema)).arg(file).output();
    let output = output.expect("the script runs");
    assert!(output.status.success(), "{topic}: {}", String::from_utf8_lossy(&output.stderr));
}
