//! What a service tells operators of itself: `/readyz` when it is at work, `/metrics` and `weir status` how old its snapshots are, also after a restart. A real broker
//! decides whether a worker gets partitions, and keeps what is committed.

use std::collections::BTreeMap;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_kafka::Connection;

use super::broker::Broker;
use super::rig::{Rig, Shape, ask, rules, transactions};

const WAIT_MAX: Duration = Duration::from_secs(60);

#[test]
fn a_service_is_ready_when_all_of_it_is_at_work() {
    let Some(broker) = Broker::find() else { return };
    let connection = Connection { brokers: broker.address.clone(), properties: BTreeMap::new() };
    let rig = Rig::bare(connection, "", Shape { roles: &["split", "detect"], ..Shape::default() });
    let port = rig.listen();
    let service = rig.start("one");
    // Nothing is published yet, so no partition may be read.
    until(&rig, || ask(port, "readyz").contains("wait to begin"));
    let told = ask(port, "readyz");
    assert!(told.contains(" 503 "), "{told}");
    // Who restarts what has died must leave it alone.
    assert!(ask(port, "healthz").contains(" 200 "));
    rig.done(&["rules", "publish", &rules()]);
    until(&rig, || ask(port, "readyz").contains(" 200 "));
    assert_eq!(service.terminate_twice(), Some(143), "who will not wait need not");
}

#[test]
fn a_group_that_the_broker_refuses_ends_the_service_with_what_to_do() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { roles: &["split"], session_timeout: "2000s", ..Shape::default() });
    let mut service = rig.start("one");
    let mut ended = None;
    until(&rig, || {
        ended = service.ended();
        ended.is_some()
    });
    assert_eq!(ended, Some(Some(70)), "{}", rig.log());
    assert!(rig.log().contains("`kafka.session_timeout` must lie between"), "{}", rig.log());
}

#[test]
fn who_is_told_to_end_does_not_wait_for_brokers_first() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::bare(Connection { brokers: broker.address.clone(), properties: BTreeMap::new() }, "", Shape::default());
    let settings = fs::read_to_string(rig.path("weir.toml")).expect("settings");
    fs::write(rig.path("weir.toml"), settings.replace(&broker.address, "127.0.0.1:1")).expect("written");
    let service = rig.start("one");
    rig.wait_for("Connection refused");
    service.terminate();
}

#[test]
fn snapshots_keep_their_age_over_a_restart() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { leg_partitions: 1, roles: &["split", "detect"], ..Shape::default() });
    let lines: Vec<String> = transactions().lines().take(300).map(str::to_owned).collect();
    fs::write(rig.path("t.jsonl"), lines.join("\n") + "\n").expect("written");
    rig.feed_all("t.jsonl");
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();

    let port = rig.listen();
    let service = rig.start("one");
    until(&rig, || ask(port, "readyz").contains(" 200 "));
    // Nothing has come since, so nothing is written: what is told is what was restored.
    let told = ask(port, "metrics");
    for metric in ["weir_snapshot_offset", "weir_snapshot_timestamp_seconds"] {
        assert!(told.contains(&format!("{metric}{{partition=\"0\"}}")), "{metric}: {told}");
    }
    service.terminate();
    let status = rig.done(&["status", "--json"]);
    let rows: Vec<Value> = status.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let detect = rows.iter().find(|row| row["role"] == "detect").expect("a row");
    assert!(detect["snapshot_age_seconds"].as_u64().is_some_and(|age| age < 600), "{detect}");
    assert!(rows.iter().all(|row| row["stop"].is_null()), "{status}");
}

fn until(rig: &Rig, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < WAIT_MAX, "{}", rig.log());
        thread::sleep(Duration::from_millis(100));
    }
}
