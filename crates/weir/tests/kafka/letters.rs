//! Dead letters of records as long as a record may be.

use std::fs;

use super::broker::Broker;
use super::rig::{Rig, Shape, transactions};

#[test]
fn a_refused_record_as_long_as_may_be_becomes_a_letter_that_the_topic_takes() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { roles: &["split", "detect"], ..Shape::default() });
    let long = format!("{{\"流水号\": \"{}", "x".repeat((1 << 20) - 100));
    let good: Vec<String> = transactions().lines().take(20).map(str::to_owned).collect();
    fs::write(rig.path("t.jsonl"), [&good[..10], std::slice::from_ref(&long), &good[10..]].concat().join("\n")).expect("written");
    rig.feed_all("t.jsonl");
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();

    let letters = rig.topic("dead-letter");
    let [letter] = letters.as_slice() else { panic!("{} letters", letters.len()) };
    assert!(letter.value.len() > 900_000 && long.as_bytes().starts_with(&letter.value), "its beginning: {} bytes", letter.value.len());
    assert_eq!(letter.headers.get("weir.value.bytes"), Some(&long.len().to_string()));
    assert!(rig.topic("legs").len() > 20, "the others are split");
}
