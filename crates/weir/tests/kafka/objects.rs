//! Snapshots and the archive in an object store, on a server that speaks like S3: the same answers, whoever is killed, and whether or not the
//! store is there.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use weir_kafka::{Bucket, Location};

use super::broker::Broker;
use super::rig::{Rig, Shape, transactions};
use super::{archive, assert_same_as_files, repository};

/// The server; ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let mut child = Command::new(repository().join("scripts/object-store"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the script starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut line).expect("its port");
        Self { port: line.trim().parse().expect("the server's port"), child }
    }

    fn location(&self, folder: &str) -> Location {
        let properties = [
            ("endpoint", format!("http://127.0.0.1:{}", self.port)),
            ("allow_http", "true".to_owned()),
            ("access_key_id", "test".to_owned()),
            ("secret_access_key", "test".to_owned()),
        ];
        let properties: BTreeMap<String, String> = properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        Location::Bucket(Bucket { url: format!("s3://weir/{folder}"), properties })
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill").success());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let (_, _) = (self.child.kill(), self.child.wait());
    }
}

#[test]
fn an_object_store_holds_snapshots_and_archive() {
    let Some(broker) = Broker::find() else { return };
    let server = Server::start();
    let rig = Rig::new(&broker.address, Shape { object_store: Some(server.port), ..Shape::default() });
    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    let state = server.location("state").open().expect("a store");
    let archive = server.location("archive").open().expect("a store");

    let mut service = rig.start("one");
    let feeding = rig.feed("t.jsonl", 1500);
    for pause in [500, 1500] {
        // Not before there is something to find again.
        while state.list("").expect("the store answers").is_empty() {
            thread::sleep(Duration::from_millis(100));
        }
        thread::sleep(Duration::from_millis(pause));
        service.kill();
        rig.turn_log();
        service = rig.start("one");
    }
    rig.wait_for("archiving");
    rig.wait_for("restored");
    // A store that does not answer holds nobody up but the archive.
    server.signal("-STOP");
    feeding.join().expect("the feed is complete");
    rig.wait_until_caught_up();
    server.signal("-CONT");
    service.terminate();
    assert!(!rig.path("state").exists() && !rig.path("archive").exists(), "nothing lies on the disk");

    // A snapshot that somebody damaged in the store is passed over, and the next one taken.
    let home = format!("{0}/{0}.legs", rig.prefix);
    for partition in state.list(&home).expect("partitions") {
        let newest = state.list(&format!("{home}/{partition}")).expect("snapshots").pop().expect("one at least");
        state.put(&format!("{home}/{partition}/{newest}"), b"WEIRPART").expect("damaged");
    }
    rig.turn_log();
    let service = rig.start("one");
    rig.wait_for("is not what its name says");
    rig.wait_until_caught_up();
    // What the archive could not write while the store stood still it reads again now, in its own time.
    archive::wait_until_complete(&rig, &*archive);
    service.terminate();
    assert!(!rig.log().contains("stopped: "), "{}", rig.log());

    assert_same_as_files(&rig);
    let alerts = fs::read_to_string(rig.path("alerts.jsonl")).expect("an output");
    let alert: serde_json::Value = serde_json::from_str(alerts.lines().next().expect("an alert")).expect("JSON");
    let proved = rig.done(&["verify-alert", alert["alert_id"].as_str().expect("an id")]);
    assert!(proved.contains("archive s3://weir/archive"), "{proved}");
}
