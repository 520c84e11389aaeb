//! A process that was stopped for longer than its session wakes with work in its hands that has long been another's: it must neither say it
//! again nor take back what the other has committed.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::Duration;

use weir_kafka::Entry;

use super::broker::Broker;
use super::rig::{Node, Rig, Shape, transactions};

const SHAPE: Shape = Shape {
    transaction_partitions: 2,
    leg_partitions: 4,
    session_timeout: "6s",
    transaction_timeout: "3s",
    lateness_days: 30,
    roles: &["split", "detect"],
    time: "event",
    object_store: None,
};

#[test]
fn who_sleeps_past_the_session_takes_nothing_back() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, SHAPE);
    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    rig.configure("two");
    let nodes = [rig.start("one"), rig.start("two")];
    let feeding = rig.feed("t.jsonl", 300);
    for at in [0, 1, 0] {
        thread::sleep(Duration::from_millis(1500));
        nodes[at].pause();
        thread::sleep(Duration::from_secs(9));
        nodes[at].resume();
    }
    feeding.join().expect("the feed is complete");
    rig.wait_until_caught_up();
    nodes.into_iter().for_each(Node::terminate);
    assert!(!rig.log().contains("stopped: "), "{}", rig.log());

    let quiet = Rig::new(&broker.address, SHAPE);
    fs::write(quiet.path("t.jsonl"), transactions()).expect("written");
    quiet.feed_all("t.jsonl");
    let service = quiet.start("one");
    quiet.wait_until_caught_up();
    service.terminate();
    let (found, expected) = (legs(&rig), legs(&quiet));
    assert_eq!(found.values().sum::<usize>(), expected.values().sum::<usize>());
    assert!(found == expected, "the leg log is not that of a quiet run");
}

/// How often each leg is in the leg log.
fn legs(rig: &Rig) -> BTreeMap<(String, String, String), usize> {
    let mut all = BTreeMap::new();
    for record in rig.topic("legs") {
        if let Ok(Entry::Leg(stamped)) = Entry::decode(&record.value) {
            let leg = stamped.leg;
            *all.entry((leg.txn_id.to_owned(), leg.party.to_owned(), format!("{:?}", leg.direction))).or_default() += 1;
        }
    }
    all
}
