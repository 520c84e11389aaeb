//! A process that was stopped for longer than its session wakes with work in its hands that has long been another's: it must neither say it
//! again nor take back what the other has committed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

use weir_feed::{Decoded, Mapping, Message, MessageDecoder, Parties};
use weir_kafka::Entry;
use weir_model::{Direction, Leg};

use super::broker::Broker;
use super::rig::{Node, Rig, Shape, parties, transactions};

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

    let (found, expected) = (legs_of_log(&rig), legs_of_feed(&rig));
    assert_eq!(found.values().sum::<usize>(), expected.values().sum::<usize>());
    assert!(found == expected, "the leg log is not what the feed comes to");
}

/// How often there is a leg of a transaction, a party and a direction.
type Legs = BTreeMap<(String, String, Direction), usize>;

fn count(legs: &mut Legs, leg: &Leg<'_>) {
    *legs.entry((leg.txn_id.to_owned(), leg.party.to_owned(), leg.direction)).or_default() += 1;
}

/// What is in the leg log.
fn legs_of_log(rig: &Rig) -> Legs {
    let mut all = Legs::new();
    for record in rig.topic("legs") {
        if let Ok(Entry::Leg(stamped)) = Entry::decode(&record.value) {
            count(&mut all, &stamped.leg);
        }
    }
    all
}

/// What must be there: the feed, decoded without any service.
fn legs_of_feed(rig: &Rig) -> Legs {
    let mapping = Mapping::load(&rig.path("feed.yaml")).expect("the feed file");
    let institution = mapping.institution().to_owned();
    let mut decoder = MessageDecoder::new(mapping).expect("a mapping for messages");
    for party in Parties::load(Path::new(&parties()), &institution).expect("parties").iter() {
        decoder.put_party(party.clone()).expect("a party");
    }
    let text = transactions();
    let decoded = decoder.decode(text.lines().map(|line| Message { bytes: line.as_bytes(), received: None }));
    let mut all = Legs::new();
    for outcome in decoded.iter() {
        let Decoded::Legs { legs, .. } = outcome else { continue };
        legs.filter_map(|number| decoded.leg(number)).for_each(|view| count(&mut all, &view.leg));
    }
    all
}
