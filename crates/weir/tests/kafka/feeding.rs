//! What is fed arrives once, whoever feeds it: the broker alone can say what becomes of a feeder that slept while another took its name.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use super::broker::Broker;
use super::rig::{Rig, Shape, transactions};

const END_MAX: Duration = Duration::from_secs(60);

#[test]
fn a_feeder_that_wakes_behind_another_sends_nothing_twice() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { roles: &["split"], ..Shape::default() });
    let lines: Vec<String> = transactions().lines().take(3000).map(str::to_owned).collect();
    fs::write(rig.path("t.jsonl"), lines.join("\n") + "\n").expect("written");
    let mut sleeper = rig.start_feed("t.jsonl", 500);
    until("something is sent", || !rig.topic("transactions").is_empty());
    sleeper.pause();
    let sent = rig.topic("transactions").len();
    assert!(sent < lines.len(), "it sleeps in the middle");
    rig.feed_all("t.jsonl");
    sleeper.resume();
    until("the first feeder ends", || sleeper.ended().is_some());
    assert_eq!(sleeper.ended(), Some(Some(3)), "{}", rig.log());
    assert!(rig.log().contains("has taken over"), "{}", rig.log());
    assert_once(&rig, &lines);
}

fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < END_MAX, "{what}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Each of these lines is on the topic as often as it is among them.
fn assert_once(rig: &Rig, lines: &[String]) {
    let mut count: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    lines.iter().for_each(|line| *count.entry(line.as_bytes().to_vec()).or_default() -= 1);
    rig.topic("transactions").into_iter().for_each(|record| *count.entry(record.value).or_default() += 1);
    let wrong = count.values().filter(|count| **count != 0).count();
    assert_eq!(wrong, 0, "records that are missing or there twice");
}
