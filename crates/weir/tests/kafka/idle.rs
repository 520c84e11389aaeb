//! A feed of the past comes all at once to a service that had nothing to do: time waits for every partition of it.
//!
//! A faster test cannot do it: what is late depends on when a broker shows one partition's records and when the other's.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::Value;
use weir_kafka::Entry;
use weir_model::time::MICROS_PER_SEC;

use super::broker::Broker;
use super::detect_files;
use super::rig::{Rig, Shape, transactions};

/// Longer than it takes to commit that nothing is left, and to look at it.
const IDLE: Duration = Duration::from_secs(3);
const TIME_MAX: Duration = Duration::from_secs(60);
const HOUR: i64 = 3600 * MICROS_PER_SEC;

#[test]
fn a_feed_after_idle_seconds_has_no_late_leg() {
    let Some(broker) = Broker::find() else { return };
    // As `docs/service.md` begins.
    let rig = Rig::new(&broker.address, Shape { transaction_partitions: 2, leg_partitions: 4, ..Shape::default() });
    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    let service = rig.start("one");
    rig.wait_for("assigned");
    thread::sleep(IDLE);
    rig.feed_all("t.jsonl");
    rig.wait_until_caught_up();
    wait_until_time_has_come(&rig);
    rig.wait_until_caught_up();
    service.terminate();

    detect_files(&rig);
    assert_eq!(fs::read_to_string(rig.path("late.jsonl")).expect("an output"), "", "the demo has no late leg");
    assert_eq!(rig.topic("late").len(), 0, "time has passed a partition that had something unread");
    let records = rig.topic("alerts");
    let stream = standing_alerts(records.iter().map(|record| record.value.as_slice()));
    let text = fs::read(rig.path("alerts.jsonl")).expect("an output");
    let files = standing_alerts(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()));
    assert!(!files.is_empty(), "nothing to compare");
    assert_eq!(stream, files);
    assert_time_passes_a_quiet_partition_0(&broker.address);
}

/// Nothing ever comes of partition 0, whose splitter keeps time: it goes on with the other.
fn assert_time_passes_a_quiet_partition_0(brokers: &str) {
    let rig = Rig::new(brokers, Shape { transaction_partitions: 2, leg_partitions: 1, roles: &["split"], ..Shape::default() });
    let service = rig.start("one");
    let producer: BaseProducer = ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a client");
    let topic = format!("{}.transactions", rig.prefix);
    for line in transactions().lines().take(2) {
        let record = BaseRecord::<(), str>::to(&topic).partition(1).payload(line);
        producer.send(record).map_err(|(error, _)| error).expect("it is queued");
    }
    producer.flush(TIME_MAX).expect("it is delivered");
    let is_tick = |value: &[u8]| matches!(Entry::decode(value), Ok(Entry::Tick { .. }));
    let begun = Instant::now();
    while !rig.topic("legs").iter().any(|record| is_tick(&record.value)) {
        assert!(begun.elapsed() < TIME_MAX, "time stands still:\n{}", rig.log());
        thread::sleep(Duration::from_millis(200));
    }
    service.terminate();
}

/// Rule and party of each alert that was not withdrawn. Not its id, which holds the first hit as it was first seen: that depends on how much of one
/// partition was split before the other's records of the same days, and those may lie some days apart.
fn standing_alerts<'a>(revisions: impl Iterator<Item = &'a [u8]>) -> Vec<(String, String)> {
    let mut last: BTreeMap<String, Value> = BTreeMap::new();
    for bytes in revisions {
        let alert: Value = serde_json::from_slice(bytes).expect("JSON");
        last.insert(alert["alert_id"].to_string(), alert);
    }
    let standing = last.into_values().filter(|alert| alert["status"] != "withdrawn");
    let mut all: Vec<(String, String)> =
        standing.map(|alert| (alert["rule"]["id"].to_string(), alert["subject"]["party"].to_string())).collect();
    all.sort();
    all
}

/// The splitter looks at the others twice a second: only then does it know that all is read.
fn wait_until_time_has_come(rig: &Rig) {
    let begun = Instant::now();
    while !has_time_come(rig) {
        assert!(begun.elapsed() < TIME_MAX, "time stands still:\n{}", rig.log());
        thread::sleep(Duration::from_millis(200));
    }
}

/// Whether there is a tick of the hour that partition 0 has reached, which keeps time for all.
fn has_time_come(rig: &Rig) -> bool {
    let (mut reached, mut ticked) = (i64::MIN, i64::MIN);
    for record in rig.topic("legs") {
        match Entry::decode(&record.value) {
            Ok(Entry::Leg(stamped)) if stamped.source.partition == 0 => reached = reached.max(stamped.clock.0),
            Ok(Entry::Tick { clock }) => ticked = ticked.max(clock.0),
            _ => {}
        }
    }
    reached > i64::MIN && ticked >= reached - HOUR
}
