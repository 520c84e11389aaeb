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
    let mut sleeper = rig.start_feed("t.jsonl", 100);
    // A topic that is still written to has no end at which reading it could stop.
    let mut sent = 0;
    until("something is sent", || {
        sleeper.resume();
        thread::sleep(Duration::from_secs(1));
        sleeper.pause();
        sent = rig.topic("transactions").len();
        sent > 0
    });
    assert!(sent < lines.len(), "it sleeps in the middle");
    rig.feed_all("t.jsonl");
    sleeper.resume();
    until("the first feeder ends", || sleeper.ended().is_some());
    assert_eq!(sleeper.ended(), Some(Some(3)), "{}", rig.log());
    assert!(rig.log().contains("has taken over"), "{}", rig.log());
    assert_once(&rig, &lines);
}

#[test]
fn a_feed_goes_on_only_where_its_input_is_what_was_sent() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { roles: &["split"], ..Shape::default() });
    let lines: Vec<String> = transactions().lines().take(300).map(str::to_owned).collect();
    let write = |lines: &[String]| fs::write(rig.path("day.jsonl"), lines.join("\n") + "\n").expect("written");
    write(&lines[..100]);
    rig.feed_all("day.jsonl");
    // What was appended is sent, and nothing else.
    write(&lines[..150]);
    rig.feed_all("day.jsonl");
    assert_once(&rig, &lines[..150]);
    for (other, word) in [(&lines[150..300], "is not the one that was sent last"), (&lines[..149], "has fewer than the 150 records")] {
        write(other);
        let output = rig.weir(&["feed", "day.jsonl"]).output().expect("weir starts");
        let told = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(word) && told.contains("--name"), "{told}");
    }
    assert_once(&rig, &lines[..150]);
    // Under another name it is another feed, and what may be there already is told.
    write(&lines[150..]);
    let output = rig.weir(&["feed", "--name", "next", "day.jsonl"]).output().expect("weir starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && told.contains("has records already"), "{told}");
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
