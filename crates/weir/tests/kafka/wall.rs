//! A service whose time goes on though no record comes, as a bank's own feed has it.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::{Connection, Entry};

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
    assert!(!rig.log().contains("stopped"), "{}", rig.log());
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
