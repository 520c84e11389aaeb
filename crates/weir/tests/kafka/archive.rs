//! The archive has every record of the leg log once, and an alert can be proved from it, or refuted.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_kafka::{Folder, Store, archived};

use super::broker::Broker;
use super::rig::{Rig, Shape, parties, rules, transactions};

const COMPLETE_MAX: Duration = Duration::from_secs(60);

/// Of a rig whose service has ended, killed now and then before.
pub(super) fn check(rig: &Rig) {
    assert_complete(rig);
    let lines: Vec<String> = rig.topic("alerts").into_iter().map(|record| String::from_utf8(record.value).expect("UTF-8")).collect();
    let alerts: Vec<Value> = lines.iter().map(|line| serde_json::from_str(line).expect("an alert")).collect();
    let most = alerts.iter().max_by_key(|alert| alert["revision"].as_u64()).expect("an alert");
    let id = most["alert_id"].as_str().expect("an id");

    let proved = rig.done(&["verify-alert", id]);
    assert!(proved.starts_with(&format!("proved  alert {id}, {} revisions", most["revision"])), "{proved}");

    // The last revision is held back: on a broker's word of how far the detector is, and by the end of the archive alone.
    let of_it: Vec<String> = lines.iter().filter(|line| line.contains(id)).cloned().collect();
    fs::write(rig.path("held-back.jsonl"), of_it[..of_it.len() - 1].join("\n")).expect("written");
    let pack = rules();
    for further in [vec![], vec!["--rules", pack.as_str()]] {
        let words: Vec<&str> = ["verify-alert", id, "--alerts", "held-back.jsonl"].into_iter().chain(further).collect();
        let output = rig.weir(&words).output().expect("weir starts");
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{text}");
        assert!(text.contains(&format!("revision {}: the records give it, but it was not said", most["revision"])), "{text}");
    }

    // A figure that is another than the one that was said.
    let forged = of_it.join("\n").replacen("\"people_in\":", "\"people_in\":1", 1);
    fs::write(rig.path("forged.jsonl"), forged).expect("written");
    let output = rig.weir(&["verify-alert", id, "--alerts", "forged.jsonl"]).output().expect("weir starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("revision 1: first difference: people_in\n"), "{text}");

    // A revision that was said twice.
    fs::write(rig.path("twice.jsonl"), of_it.iter().chain(&of_it[..1]).map(|line| line.clone() + "\n").collect::<String>())
        .expect("written");
    let output = rig.weir(&["verify-alert", id, "--alerts", "twice.jsonl"]).output().expect("weir starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("revision 1: it was said more than once"));

    // From the files, too, and a revision that was left out.
    let of_file = ["verify-alert", id, "--alerts", "alerts.jsonl", "--feed", "feed.yaml", "--parties", &parties(), "--rules", &rules()];
    let proved = rig.done(&[&of_file[..], &["t.jsonl"]].concat());
    assert!(proved.starts_with("proved"), "{proved}");
    let text = fs::read_to_string(rig.path("alerts.jsonl")).expect("an output");
    let last = text.lines().rfind(|line| line.contains(id)).expect("a line");
    fs::write(rig.path("short.jsonl"), text.replacen(&format!("{last}\n"), "", 1)).expect("written");
    let short: Vec<&str> = of_file.iter().map(|word| if *word == "alerts.jsonl" { "short.jsonl" } else { word }).collect();
    let output = rig.weir(&[&short[..], &["t.jsonl"]].concat()).output().expect("weir starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("but it was not said"));

    // A file that is missing: neither proved nor refuted.
    let partition = most["detected_from"]["partition"].as_i64().expect("a partition");
    let first = files(rig).into_iter().find(|path| path.to_string_lossy().contains(&format!("{partition:05}-"))).expect("a file");
    fs::remove_file(first).expect("removed");
    let output = rig.weir(&["verify-alert", id]).output().expect("weir starts");
    let text = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("has nothing from offset 0 to"), "{text}");
}

/// Waits until the archive has every record of the leg log, once: it follows the log in its own time.
pub(super) fn wait_until_complete(rig: &Rig, archive: &dyn Store) {
    let begun = Instant::now();
    while let Some(difference) = difference(rig, archive) {
        assert!(begun.elapsed() < COMPLETE_MAX, "{difference}\n{}", rig.log());
        thread::sleep(Duration::from_millis(200));
    }
}

/// The same of a folder and a service that has ended.
fn assert_complete(rig: &Rig) {
    assert_eq!(difference(rig, &folder(rig)), None);
}

/// Where the archive lies without an object store.
pub(super) fn folder(rig: &Rig) -> Folder {
    Folder(rig.path("archive"))
}

/// What of the archive is not as in the leg log.
fn difference(rig: &Rig, archive: &dyn Store) -> Option<String> {
    let mut by_partition: BTreeMap<i32, Vec<(i64, Vec<u8>)>> = BTreeMap::new();
    for record in rig.topic("legs") {
        by_partition.entry(record.partition).or_default().push((record.offset, record.value));
    }
    by_partition.into_iter().find_map(|(partition, records)| {
        let found = archived(archive, partition).expect("the archive can be read");
        let text = || format!("partition {partition}: {} records in the archive, {} in the log", found.len(), records.len());
        (found != records).then(text)
    })
}

#[test]
fn an_archiver_that_was_overtaken_goes_on_behind_the_other() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(
        &broker.address,
        Shape { transaction_partitions: 1, leg_partitions: 1, roles: &["split", "detect", "archive"], ..Shape::default() },
    );
    let lines = transactions();
    let all: Vec<&str> = lines.lines().take(3000).collect();
    let feed = |part: usize| {
        fs::write(rig.path("part.jsonl"), all[part * 1000..(part + 1) * 1000].join("\n") + "\n").expect("written");
        rig.done(&["feed", "part.jsonl", "--name", &format!("part {part}")]);
    };
    let run_and_feed = |part: usize| {
        let service = rig.start("one");
        feed(part);
        rig.wait_until_caught_up();
        wait_until_complete(&rig, &folder(&rig));
        service.terminate();
        files(&rig)
    };
    let before = run_and_feed(0);
    let after = run_and_feed(1);
    // What is written of the second part was written by another, while this one gathers it too.
    let others: Vec<(PathBuf, Vec<u8>)> =
        after.into_iter().filter(|path| !before.contains(path)).map(|path| (path.clone(), fs::read(path).expect("read"))).collect();
    assert!(!others.is_empty());
    others.iter().for_each(|(path, _)| fs::remove_file(path).expect("removed"));
    let settings = fs::read_to_string(rig.path("weir.toml")).expect("settings");
    let patient =
        settings.replace("[archive]\nfolder = \"archive\"\ninterval = \"1s\"", "[archive]\nfolder = \"archive\"\ninterval = \"5s\"");
    assert_ne!(patient, settings);
    fs::write(rig.path("weir.toml"), patient).expect("written");
    rig.turn_log();
    let service = rig.start("one");
    rig.wait_for("archiving");
    others.iter().for_each(|(path, bytes)| fs::write(path, bytes).expect("written"));
    feed(2);
    rig.wait_for("another archiver has written here");
    rig.wait_until_caught_up();
    wait_until_complete(&rig, &folder(&rig));
    service.terminate();
    assert_complete(&rig);
}

/// All files of the archive, in order.
fn files(rig: &Rig) -> Vec<PathBuf> {
    let entries = |path: PathBuf| fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<PathBuf> = entries(rig.path("archive")).filter(|path| path.is_dir()).flat_map(entries).collect();
    files.sort();
    files
}
