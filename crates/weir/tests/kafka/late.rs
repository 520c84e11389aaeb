//! The end of a transaction that arrives in the next one: librdkafka sends it again by itself where a connection breaks, and says nothing of it.
//!
//! Chance alone meets the moment in which it does harm once in hours (docs/faults-found.md); here a proxy waits for it.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::broker::Broker;
use super::proxy::{END_TXN, Proxy, Trick};
use super::rig::{Rig, Shape, transactions};
use super::{assert_same_as_files, rig};

const SHAPE: Shape = Shape {
    transaction_partitions: 1,
    leg_partitions: 1,
    session_timeout: "10s",
    transaction_timeout: "10s",
    lateness_days: 3,
    roles: &["split", "detect"],
    time: "event",
    object_store: None,
};
/// `PRODUCER_FENCED` and `INVALID_PRODUCER_EPOCH`: a new producer has the name.
const REFUSED: [i16; 2] = [90, 47];
const ENDS: usize = 6;

#[test]
fn the_end_of_a_transaction_that_arrives_in_the_next_one_does_not_end_it() {
    let proxy = Proxy::start();
    let Some(broker) = Broker::start(Some(proxy.port)) else { return };
    proxy.lead_to(&broker.address);
    let rig = Rig::new(&broker.address, SHAPE);
    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    let port = rig.listen();
    let service = rig.start("one");
    let feeding = rig.feed("t.jsonl", 800);
    let begun = Instant::now();
    while proxy.answers().len() < ENDS {
        assert!(begun.elapsed() < Duration::from_secs(60), "{:?}\n{}", proxy.answers(), rig.log());
        proxy.disarm();
        proxy.arm(END_TXN, Trick::DeliverBehindOutputs);
        thread::sleep(Duration::from_millis(700));
    }
    proxy.disarm();
    let answers = proxy.answers();
    assert!(answers.iter().all(|code| REFUSED.contains(code)), "{answers:?}");
    feeding.join().expect("the feed is complete");
    rig.wait_until_caught_up();
    let metrics = rig::ask(port, "metrics");
    service.terminate();

    assert!(metrics.contains("weir_producers_replaced_total"), "{metrics}");
    assert_same_as_files(&rig);
}
