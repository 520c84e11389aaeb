//! A backlog is split in order of time, though brokers give it a stretch of one partition and a stretch of the next.

use std::fs;

use weir_kafka::Entry;
use weir_model::time::MICROS_PER_DAY;

use super::broker::Broker;
use super::rig::{Rig, Shape, transactions};

/// Days that a leg may be behind one before it. A turn of one partition's records is two days of the demo.
const DAYS: i64 = 5;

#[test]
fn a_backlog_is_split_in_order_of_time() {
    let Some(broker) = Broker::find() else { return };
    let shape = Shape { transaction_partitions: 3, leg_partitions: 1, roles: &["split", "detect"], ..Shape::default() };
    let rig = Rig::new(&broker.address, shape);
    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    rig.feed_all("t.jsonl");
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();

    let legs = rig.topic("legs");
    let stamps = legs.iter().filter_map(|record| match Entry::decode(&record.value) {
        Ok(Entry::Leg(stamped)) => Some((stamped.clock.0, stamped.source.partition)),
        _ => None,
    });
    let (mut latest, mut behind, mut sources) = (i64::MIN, 0, [0; 3]);
    for (clock, source) in stamps {
        latest = latest.max(clock);
        behind = behind.max(latest - clock);
        sources[usize::try_from(source).expect("a partition")] += 1;
    }
    assert!(sources.iter().all(|legs| *legs > 1000), "the feed fills all partitions: {sources:?}");
    assert!(behind < DAYS * MICROS_PER_DAY, "a leg is {} days behind one before it", behind / MICROS_PER_DAY);
}
