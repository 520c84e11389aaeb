//! What gets lost or damaged around a service: snapshots, disk space, records, offsets, topics. Either it costs time and nothing else, or the
//! partition stops by name and skips nothing.

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use weir_kafka::standing;

use super::assert_same_as_files;
use super::broker::Broker;
use super::rig::{Rig, Shape, rules, transactions};

const CALL_MAX: Duration = Duration::from_secs(15);

/// Something that happens to the folder of snapshots while the service is down.
type Damage = fn(&Rig);

#[test]
fn damaged_snapshots_and_a_full_disk_cost_time_and_nothing_else() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { roles: &["split", "detect"], ..Shape::default() });
    let lines = transactions();
    fs::write(rig.path("t.jsonl"), &lines).expect("written");
    let damages: [(&str, Damage, &str); 7] = [
        ("missing", |rig| newest(rig).iter().for_each(|path| fs::remove_file(path).expect("removed")), ""),
        ("truncated", |rig| damage_newest(rig, |bytes| bytes.truncate(bytes.len() / 2)), "is not what its name says"),
        ("a bit flipped", |rig| damage_newest(rig, |bytes| *bytes.last_mut().expect("not empty") ^= 1), "is not what its name says"),
        ("bases alone damaged", |rig| damage(&of_kind(rig, "base"), |bytes| bytes.truncate(40)), "is not what its name says"),
        ("exchanged", exchange, "is of partition"),
        ("written by another version", |rig| renamed_newest(rig, |bytes| bytes[8] ^= 0x40), "was written by another version"),
        ("all gone", |rig| fs::remove_dir_all(rig.path("state")).expect("removed"), ""),
    ];
    let all: Vec<&str> = lines.lines().collect();
    let parts: Vec<&[&str]> = all.chunks(all.len().div_ceil(damages.len() + 2)).collect();
    let mut part = 0;
    let mut feed_part = || {
        fs::write(rig.path("part.jsonl"), parts[part].join("\n") + "\n").expect("written");
        rig.done(&["feed", "part.jsonl", "--name", &format!("part {part}")]);
        part += 1;
    };
    feed_part();
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();
    for (what, damage, word) in damages {
        rig.turn_log();
        assert_eq!(newest(&rig).len(), 3, "every partition was written out at the end");
        damage(&rig);
        let service = rig.start("one");
        feed_part();
        rig.wait_until_caught_up();
        service.terminate();
        let log = rig.turn_log();
        assert!(log.contains(word), "{what}: `{word}` is not said:\n{log}");
        assert!(!log.contains("stopped: "), "{what}:\n{log}");
    }
    // A disk that takes no snapshot any more: a failure that is counted and told, and the work goes on.
    let service = rig.start_on_full_disk("one", 4);
    feed_part();
    rig.wait_for("a snapshot could not be written");
    rig.wait_until_caught_up();
    service.terminate();
    assert_same_as_files(&rig);
}

#[test]
fn lost_records_offsets_and_topics_stop_a_partition_by_name() {
    let Some(broker) = Broker::find() else { return };
    let rig =
        Rig::new(&broker.address, Shape { transaction_partitions: 2, leg_partitions: 2, roles: &["split", "detect"], ..Shape::default() });
    let thieves = Thieves::new(&rig, &broker.address);
    let lines = transactions();
    let (first, second) = lines.split_at(lines.match_indices('\n').nth(3000).expect("many lines").0 + 1);
    fs::write(rig.path("first.jsonl"), first).expect("written");
    fs::write(rig.path("second.jsonl"), second).expect("written");
    rig.feed_all("first.jsonl");
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();

    // Records that must be read again are gone: the log was truncated and the snapshots before that are lost.
    fs::remove_dir_all(rig.path(&format!("{}/0", rig.snapshots()))).expect("snapshots of partition 0");
    thieves.truncate("legs", 0, 10);
    assert_stops(&rig, "log_truncated", "legs", "detect", 0);

    // Somebody moved an offset.
    let (before, _) = thieves.look("legs", "detect", 1);
    thieves.commit("legs", "detect", 1, 0, "");
    assert_stops(&rig, "offset_foreign", "legs", "detect", 1);
    assert_eq!(thieves.look("legs", "detect", 1).0, 0, "the service does not touch it, though it was at {before}");

    // The transactions topic was made anew: Kafka forgets the group's offsets with the old one.
    let (offset, mark) = thieves.look("transactions", "split", 0);
    thieves.recreate("transactions", 2);
    assert_stops(&rig, "offset_missing", "transactions", "split", 0);
    // Somebody puts them back: the new topic is shorter than what was read, then longer, but with other records.
    thieves.commit("transactions", "split", 0, offset, &mark);
    assert_stops(&rig, "log_shrunk", "transactions", "split", 0);
    rig.feed_all("second.jsonl");
    assert_stops(&rig, "digest_differs", "transactions", "split", 0);

    // A group is deleted. To begin it anew is nobody's to decide in passing: alerts of these legs are there.
    thieves.forget("detect");
    assert_stops(&rig, "offset_missing", "legs", "detect", 1);
    assert_refuses(&rig, &["topics", "create"], 1, "has no offset in partitions 0 1 of");
    assert_eq!(committed(&rig, "legs", "detect"), [None, None]);
    // Who wants it all once more can have it, where it is all still there.
    assert_refuses(&rig, &["topics", "create", "--begin-anew"], 1, "has no offset in partitions 0 of");
    assert_eq!(committed(&rig, "legs", "detect"), [None, Some(0)]);

    // A topic that was made anew and has nothing in it has lost nothing.
    thieves.recreate("transactions", 2);
    assert_refuses(&rig, &["topics", "create"], 1, "has no offset in partitions 0 of");
    assert_eq!(committed(&rig, "transactions", "split"), [Some(0), Some(0)]);
}

#[test]
fn partitions_that_were_added_to_the_leg_log_end_the_service_by_name() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { transaction_partitions: 1, leg_partitions: 2, roles: &["split"], ..Shape::default() });
    let mut service = rig.start("one");
    rig.wait_for("rule set announced");
    Thieves::new(&rig, &broker.address).add_partitions("legs", 4);
    rig.wait_for("legs_repartitioned");
    until(|| service.ended().is_some());
    assert_eq!(service.ended(), Some(Some(70)));
    assert_refuses(&rig, &["run"], 3, "has 4 partitions");
    assert_refuses(&rig, &["topics", "create"], 1, "has 4 partitions");
}

#[test]
fn a_leg_log_that_was_deleted_is_made_anew_only_by_who_says_so() {
    let Some(broker) = Broker::find() else { return };
    let rig =
        Rig::new(&broker.address, Shape { transaction_partitions: 2, leg_partitions: 2, roles: &["split", "detect"], ..Shape::default() });
    let lines = transactions();
    let (first, second) = lines.split_at(lines.match_indices('\n').nth(3000).expect("many lines").0 + 1);
    fs::write(rig.path("first.jsonl"), first).expect("written");
    fs::write(rig.path("second.jsonl"), second).expect("written");
    rig.feed_all("first.jsonl");
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();

    Thieves::new(&rig, &broker.address).delete("legs");
    assert_refuses(&rig, &["topics", "create"], 1, "the history of parties");
    assert_refuses(&rig, &["run"], 3, "is not there, though legs were written");
    rig.done(&["topics", "create", "--begin-anew"]);
    rig.feed_all("second.jsonl");
    rig.turn_log();
    let service = rig.start("one");
    // No leg comes before the rule set, though splitters had held it for announced.
    rig.wait_for("rule set announced");
    rig.wait_until_caught_up();
    service.terminate();
    let log = rig.log();
    assert!(!log.contains("stopped: "), "{log}");
}

#[test]
fn what_the_broker_refuses_was_not_published() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker.address, Shape { transaction_partitions: 1, leg_partitions: 1, roles: &["split"], ..Shape::default() });
    Thieves::new(&rig, &broker.address).limit("rules", 200);
    let refused = "Message size too large";
    assert_refuses(&rig, &["rules", "publish", &rules(), "--set", "FZ-001.min_payers=16"], 3, refused);
    assert_refuses(&rig, &["rules", "publish", &rules()], 3, refused);
}

fn assert_refuses(rig: &Rig, arguments: &[&str], code: i32, word: &str) {
    let output = rig.weir(arguments).output().expect("weir starts");
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{told}");
    assert!(told.contains(word), "{told}");
}

/// The service stops a partition with this code, goes on living, ends well, and has not moved the partition's offset.
fn assert_stops(rig: &Rig, code: &str, topic: &str, role: &str, partition: usize) {
    let before = committed(rig, topic, role)[partition];
    rig.turn_log();
    let service = rig.start("one");
    rig.wait_for(&format!("partition={partition} code=\"{code}\""));
    service.terminate();
    assert_eq!(committed(rig, topic, role)[partition], before, "{code}: nothing is skipped");
}

fn committed(rig: &Rig, topic: &str, role: &str) -> Vec<Option<i64>> {
    let all = standing(&rig.connection, &format!("{}.{topic}", rig.prefix), &format!("{}.{role}", rig.prefix)).expect("Kafka answers");
    all.values().map(|progress| progress.committed).collect()
}

/// The newest snapshot of each partition, and at a tie whichever comes last by name.
fn newest(rig: &Rig) -> Vec<PathBuf> {
    let Ok(folders) = fs::read_dir(rig.path(&rig.snapshots())) else { return Vec::new() };
    let mut all: Vec<PathBuf> = folders
        .filter_map(|folder| {
            let files = fs::read_dir(folder.expect("an entry").path()).expect("a folder").map(|file| file.expect("an entry").path());
            files.filter(|path| path.extension().is_some_and(|extension| extension == "base" || extension == "delta")).max()
        })
        .collect();
    all.sort();
    all
}

/// All snapshots of a kind.
fn of_kind(rig: &Rig, kind: &str) -> Vec<PathBuf> {
    let entries = |path: PathBuf| fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries(rig.path(&rig.snapshots()))
        .flat_map(entries)
        .filter(|path| path.extension().is_some_and(|extension| extension == kind))
        .collect()
}

fn damage_newest(rig: &Rig, how: fn(&mut Vec<u8>)) {
    damage(&newest(rig), how);
}

fn damage(paths: &[PathBuf], damage: fn(&mut Vec<u8>)) {
    for path in paths {
        let mut bytes = fs::read(path).expect("a snapshot");
        damage(&mut bytes);
        fs::write(path, bytes).expect("written");
    }
}

/// Damaged, under a name that fits.
fn renamed_newest(rig: &Rig, damage: fn(&mut Vec<u8>)) {
    for path in newest(rig) {
        let mut bytes = fs::read(&path).expect("a snapshot");
        damage(&mut bytes);
        let name = path.file_name().expect("a name").to_str().expect("UTF-8");
        let (offsets, rest) = name.rsplit_once('-').expect("offsets and hash");
        let (_, kind) = rest.split_once('.').expect("hash and kind");
        fs::write(path.with_file_name(format!("{offsets}-{}.{kind}", blake3::hash(&bytes).to_hex())), bytes).expect("written");
        fs::remove_file(path).expect("removed");
    }
}

/// Each partition has the newest snapshot of the next one under an offset of its own, and no other.
fn exchange(rig: &Rig) {
    let all = newest(rig);
    let contents: Vec<Vec<u8>> = all.iter().map(|path| fs::read(path).expect("a snapshot")).collect();
    for (at, path) in all.iter().enumerate() {
        let other = &contents[(at + 1) % contents.len()];
        let folder = path.parent().expect("a folder");
        let (offset, _) = path.file_name().expect("a name").to_str().expect("UTF-8").split_once('-').expect("offset and hash");
        for file in fs::read_dir(folder).expect("a folder") {
            fs::remove_file(file.expect("an entry").path()).expect("removed");
        }
        fs::write(folder.join(format!("{offset}-{}.base", blake3::hash(other).to_hex())), other).expect("written");
    }
}

/// What others may do to topics and offsets.
struct Thieves {
    admin: AdminClient<DefaultClientContext>,
    brokers: String,
    prefix: String,
}

impl Thieves {
    fn new(rig: &Rig, brokers: &str) -> Self {
        let admin = ClientConfig::new().set("bootstrap.servers", brokers).create().expect("a client");
        Self { admin, brokers: brokers.to_owned(), prefix: rig.prefix.clone() }
    }

    fn topic(&self, name: &str) -> String {
        format!("{}.{name}", self.prefix)
    }

    /// Deletes the records before an offset.
    fn truncate(&self, topic: &str, partition: i32, before: i64) {
        let mut list = TopicPartitionList::new();
        list.add_partition_offset(&self.topic(topic), partition, Offset::Offset(before)).expect("an offset");
        block_on(self.admin.delete_records(&list, &AdminOptions::new())).expect("deleted");
    }

    fn recreate(&self, topic: &str, partitions: i32) {
        let name = self.topic(topic);
        block_on(self.admin.delete_topics(&[&name], &AdminOptions::new())).expect("deleted");
        let topic = NewTopic::new(&name, partitions, TopicReplication::Fixed(1)).set("message.timestamp.type", "LogAppendTime");
        // Deletion takes its time.
        until(|| block_on(self.admin.create_topics([&topic], &AdminOptions::new())).expect("Kafka answers")[0].is_ok());
    }

    /// Until nobody sees it any more.
    fn delete(&self, topic: &str) {
        let name = self.topic(topic);
        block_on(self.admin.delete_topics(&[&name], &AdminOptions::new())).expect("deleted");
        let consumer = self.consumer("nobody");
        until(|| {
            let metadata = consumer.fetch_metadata(None, CALL_MAX).expect("Kafka answers");
            metadata.topics().iter().all(|topic| topic.name() != name)
        });
    }

    fn add_partitions(&self, topic: &str, total: usize) {
        let name = self.topic(topic);
        let more = NewPartitions::new(&name, total);
        block_on(self.admin.create_partitions(&[more], &AdminOptions::new())).expect("Kafka answers")[0].as_ref().expect("added");
    }

    /// Deletes a group with all its offsets; the broker does it once it holds the members, which leave no word, for gone.
    fn forget(&self, role: &str) {
        let group = format!("{}.{role}", self.prefix);
        until(|| block_on(self.admin.delete_groups(&[&group], &AdminOptions::new())).expect("Kafka answers")[0].is_ok());
    }

    /// Lets a topic take no larger records.
    fn limit(&self, topic: &str, bytes: u32) {
        let (name, bytes) = (self.topic(topic), bytes.to_string());
        let change = AlterConfig::new(ResourceSpecifier::Topic(&name)).set("max.message.bytes", &bytes);
        block_on(self.admin.alter_configs([&change], &AdminOptions::new())).expect("Kafka answers")[0].as_ref().expect("altered");
    }

    /// Commits an offset for a group: in a transaction, which needs no member to be gone (`beliefs.rs`), while an operator's tool is told to wait.
    fn commit(&self, topic: &str, role: &str, partition: i32, offset: i64, metadata: &str) {
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(&self.topic(topic), partition);
        element.set_offset(Offset::Offset(offset)).expect("an offset");
        element.set_metadata(metadata);
        let group = self.consumer(role).group_metadata().expect("metadata");
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("transactional.id", format!("{}.thief", self.prefix));
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
        producer.init_transactions(CALL_MAX).expect("initialised");
        producer.begin_transaction().expect("begun");
        producer.send_offsets_to_transaction(&list, &group, CALL_MAX).expect("taken");
        producer.commit_transaction(CALL_MAX).expect("committed");
    }

    /// The committed offset of a group, and what stands beside it.
    fn look(&self, topic: &str, role: &str, partition: i32) -> (i64, String) {
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.topic(topic), partition);
        let found = self.consumer(role).committed_offsets(list, CALL_MAX).expect("Kafka answers");
        let element = &found.elements()[0];
        (element.offset().to_raw().expect("an offset"), element.metadata().to_owned())
    }

    fn consumer(&self, role: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("group.id", format!("{}.{role}", self.prefix));
        config.create().expect("a client")
    }
}

fn until(mut is_done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_done() {
        assert!(begun.elapsed() < Duration::from_secs(60), "Kafka does not do as it is told");
        thread::sleep(Duration::from_millis(200));
    }
}
