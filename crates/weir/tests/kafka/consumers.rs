//! The programs of `docs/consume-alerts.md`, run as they stand there: killed in the midst, they end with what was said and nothing else.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use serde_json::Value;

use super::broker::Broker;
use super::rig::{parties, rules};
use super::{WEIR, repository};

const CALL_MAX: Duration = Duration::from_secs(15);
const TOPIC: &str = "alerts-to-read";

#[test]
fn documented_consumers_read_alerts_right_though_they_are_killed() {
    let Some(broker) = Broker::find() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let alerts = revisions(folder.path());
    fill(&broker.address, &alerts);
    let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
    for alert in &alerts {
        last.insert(alert["alert_id"].as_str().expect("an id"), alert);
    }
    let expected: Vec<String> = last.values().map(|alert| line(alert)).collect();
    for language in ["python", "java"] {
        let store = folder.path().join(language);
        let arguments = [language, &broker.address, TOPIC, "--store", store.to_str().expect("UTF-8")];
        // As soon as it has kept something that it had not before: handled, and perhaps not committed.
        let log = folder.path().join("consumers.log");
        for _ in 0..3 {
            let before = fs::read(&store).unwrap_or_default();
            let told = fs::File::options().create(true).append(true).open(&log).expect("a log");
            let mut child = consumers(&arguments).stdout(Stdio::null()).stderr(told).spawn().expect("starts");
            let begun = Instant::now();
            while fs::read(&store).unwrap_or_default() == before && begun.elapsed() < Duration::from_secs(20) {
                thread::sleep(Duration::from_millis(1));
            }
            let (_, _) = (child.kill(), child.wait());
        }
        let output: Output = consumers(&arguments).arg("--until-end").output().expect("runs");
        let told = fs::read_to_string(&log).expect("a log") + &String::from_utf8_lossy(&output.stderr);
        let said = String::from_utf8_lossy(&output.stdout);
        assert_eq!(said.lines().collect::<Vec<_>>(), expected, "{language}: {told}");
        assert!(told.contains("not an alert"), "{language}: the record that is none is told: {told}");
        fs::remove_file(log).expect("removed");
    }
}

fn consumers(arguments: &[&str]) -> Command {
    let mut command = Command::new(repository().join("scripts/consumers"));
    command.args(arguments);
    command
}

/// What the documented programs print of an alert.
fn line(alert: &Value) -> String {
    let fen = |name: &str| alert[name].as_str().expect("an amount").replace('.', "").parse::<i64>().expect("two decimals");
    let moved = fen("amount_in") + fen("amount_out");
    let (id, level, revision, status) = (&alert["alert_id"], &alert["level"], &alert["revision"], &alert["status"]);
    format!(
        "{{\"alert_id\":{id},\"level\":{level},\"moved\":\"{}.{:02}\",\"revision\":{revision},\"status\":{status}}}",
        moved / 100,
        moved % 100
    )
}

/// All revisions that the demo gives.
fn revisions(folder: &Path) -> Vec<Value> {
    let demo = |name: &str| repository().join("fixtures/demo").join(name).to_str().expect("UTF-8").to_owned();
    let output = folder.join("alerts.jsonl");
    let feed = demo("feed.yaml");
    let arguments = ["detect", "--feed", &feed, "--parties", &parties(), "--rules", &rules(), "--revisions", "--alerts"];
    let done = Command::new(WEIR).args(arguments).arg(&output).arg(demo("transactions.csv.gz")).stderr(Stdio::null()).status();
    assert!(done.expect("weir starts").success());
    let text = fs::read_to_string(output).expect("alerts");
    text.lines().map(|line| serde_json::from_str(line).expect("an alert")).collect()
}

/// The alerts, and what a reader must not be misled by: an aborted revision, one said twice, an older one again, a record that is none.
fn fill(brokers: &str, alerts: &[Value]) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a client");
    block_on(admin.create_topics([&NewTopic::new(TOPIC, 2, TopicReplication::Fixed(1))], &AdminOptions::new())).expect("Kafka answers");
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", brokers).set("transactional.id", "consumers-test");
    let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
    producer.init_transactions(CALL_MAX).expect("initialised");
    let send =
        |key: &str, value: &[u8]| producer.send(BaseRecord::to(TOPIC).key(key).payload(value)).map_err(|(error, _)| error).expect("sent");
    let say = |alert: &Value| send(alert["subject"]["party"].as_str().expect("a party"), alert.to_string().as_bytes());
    let (first, second) = alerts.split_at(alerts.len() / 2);

    producer.begin_transaction().expect("begun");
    first.iter().for_each(say);
    say(&first[0]);
    send("none", b"{\"alert_id\":");
    producer.commit_transaction(CALL_MAX).expect("committed");

    producer.begin_transaction().expect("begun");
    let mut forged = alerts[0].clone();
    forged["revision"] = 9999.into();
    say(&forged);
    producer.flush(CALL_MAX).expect("written");
    producer.abort_transaction(CALL_MAX).expect("aborted");

    producer.begin_transaction().expect("begun");
    second.iter().for_each(say);
    say(&first[0]);
    producer.commit_transaction(CALL_MAX).expect("committed");
}
