//! A service whose time goes on though no record comes, as a bank's own feed has it.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::{Connection, Entry, PublishedRules, publish};

use super::broker::Broker;
use super::rig::{Rig, Shape, rules, transactions};

/// Longer than a splitter takes to look around some times.
const SOME_LOOKS: Duration = Duration::from_secs(3);
const ANNOUNCED_MAX: Duration = Duration::from_secs(60);

#[test]
fn a_leg_log_begins_with_a_rule_set_and_takes_others_while_nothing_comes() {
    let Some(broker) = Broker::find() else { return };
    let connection = Connection { brokers: broker.address.clone(), properties: BTreeMap::new() };
    let rig = Rig::bare(connection, "", Shape { leg_partitions: 1, roles: &["split", "detect"], time: "wall", ..Shape::default() });
    let service = rig.start("one");
    rig.wait_for("assigned");
    thread::sleep(SOME_LOOKS);
    assert_eq!(kinds(&rig), "", "nobody has published rules yet");
    rig.done(&["rules", "publish", &rules()]);
    wait_for_switches(&rig, 1);
    publish_what_is_refused(&rig);
    // So that there is a record to be read once more after a restart.
    let lines: Vec<String> = transactions().lines().take(5).map(str::to_owned).collect();
    fs::write(rig.path("t.jsonl"), lines.join("\n")).expect("written");
    rig.feed_all("t.jsonl");
    rig.wait_until_caught_up();
    service.terminate();

    let service = rig.start("one");
    rig.done(&["rules", "publish", &rules(), "--set", "FZ-001.min_payers=16"]);
    wait_for_switches(&rig, 2);
    rig.wait_until_caught_up();
    service.terminate();
    assert!(kinds(&rig).starts_with("ST"), "time has gone on: {}", kinds(&rig));
    assert_eq!(kinds(&rig).matches('S').count(), 2, "what cannot be loaded is not announced");
    assert!(!rig.log().contains("stopped"), "{}", rig.log());
}

/// A set that is no rules is not published; one that was, by a version that could load it, is refused by the splitter, and the one in force stays.
fn publish_what_is_refused(rig: &Rig) {
    let text = "no rule";
    fs::create_dir(rig.path("broken")).expect("a folder");
    fs::write(rig.path("broken/FZ-001.yaml"), text).expect("written");
    let output = rig.weir(&["rules", "publish", "broken"]).output().expect("weir starts");
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    let broken = PublishedRules { files: vec![("FZ-001.yaml".to_owned(), text.to_owned())], settings: Vec::new() };
    publish(&rig.connection, &format!("{}.rules", rig.prefix), "broken", &broken).expect("Kafka takes it");
    rig.wait_for("a published rule set is refused");
}

/// What the records of the leg log are, a letter each.
fn kinds(rig: &Rig) -> String {
    let records = rig.topic("legs");
    let kind = |value: &[u8]| match Entry::decode(value) {
        Ok(Entry::Leg(_)) => 'L',
        Ok(Entry::Tick { .. }) => 'T',
        Ok(Entry::Switch { .. }) => 'S',
        Err(_) => '?',
    };
    records.iter().map(|record| kind(&record.value)).collect()
}

fn wait_for_switches(rig: &Rig, count: usize) {
    let begun = Instant::now();
    while kinds(rig).matches('S').count() < count {
        assert!(begun.elapsed() < ANNOUNCED_MAX, "no switch {count} after {}: {}", kinds(rig), rig.log());
        thread::sleep(Duration::from_millis(200));
    }
}
