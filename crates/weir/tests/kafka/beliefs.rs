//! What weir believes of Kafka, asked of a real broker: `docs/decisions/0012-beliefs-about-kafka.md` says what follows from each answer.

use std::time::{Duration, Instant};

use futures_executor::block_on;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerGroupMetadata};
use rdkafka::error::KafkaError;
use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::broker::Broker;

const CALL_MAX: Duration = Duration::from_secs(15);
const TOPIC: &str = "beliefs";

/// A group on a topic of one partition, and whoever commits for it.
struct Group<'b> {
    brokers: &'b str,
    name: &'static str,
}

impl Group<'_> {
    fn consumer(&self, instance: Option<&str>) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.brokers).set("group.id", self.name).set("session.timeout.ms", "6000");
        config.set("partition.assignment.strategy", "range");
        if let Some(instance) = instance {
            config.set("group.instance.id", instance);
        }
        config.create().expect("a consumer")
    }

    /// A consumer that has joined and has its assignment.
    fn member(&self, instance: Option<&str>) -> BaseConsumer {
        let consumer = self.consumer(instance);
        consumer.subscribe(&[TOPIC]).expect("subscribed");
        let begun = Instant::now();
        while consumer.assignment().expect("an assignment").count() == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "no assignment");
            let _ = consumer.poll(Duration::from_millis(50));
        }
        consumer
    }

    /// Commits an offset in a transaction, on behalf of `member`: the error's code, or nothing.
    fn commit(&self, member: &ConsumerGroupMetadata, offset: i64, metadata: &str) -> String {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.brokers).set("transactional.id", format!("{}-writer", self.name));
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
        producer.init_transactions(CALL_MAX).expect("initialised");
        producer.begin_transaction().expect("begun");
        let mut list = TopicPartitionList::new();
        let mut element = list.add_partition(TOPIC, 0);
        element.set_offset(Offset::Offset(offset)).expect("an offset");
        element.set_metadata(metadata);
        let done = producer.send_offsets_to_transaction(&list, member, CALL_MAX).and_then(|()| producer.commit_transaction(CALL_MAX));
        match done {
            Ok(()) => "committed".to_owned(),
            Err(KafkaError::Transaction(error)) => format!("{:?}", error.code()),
            Err(error) => error.to_string(),
        }
    }
}

#[test]
fn what_is_believed_of_kafka_holds_on_a_real_broker() {
    let Some(broker) = Broker::find() else { return };
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", &broker.address).create().expect("a client");
    let topic = NewTopic::new(TOPIC, 1, TopicReplication::Fixed(1));
    block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("Kafka answers");
    let metadata = |consumer: &BaseConsumer| consumer.group_metadata().expect("metadata");
    let mut found = Vec::new();
    let mut note = |what: &str, outcome: String| found.push(format!("{what}: {outcome}"));

    let group = Group { brokers: &broker.address, name: "beliefs-a" };
    let stranger = group.consumer(None);
    note("group empty, never joined", group.commit(&metadata(&stranger), 1, ""));
    let member = group.member(None);
    note("group has a member, never joined", group.commit(&metadata(&stranger), 2, ""));
    note("group has a member, never joined, with instance id", group.commit(&metadata(&group.consumer(Some("x"))), 3, ""));
    note("its member", group.commit(&metadata(&member), 4, ""));
    let old = metadata(&member);
    drop(member);
    note("member that has left", group.commit(&old, 5, ""));

    let group = Group { brokers: &broker.address, name: "beliefs-b" };
    let first = group.member(Some("one"));
    let old = metadata(&first);
    note("static member", group.commit(&old, 1, ""));
    let second = group.member(Some("one"));
    note("static member whose name another has taken", group.commit(&old, 2, ""));
    note("the one that took it", group.commit(&metadata(&second), 3, ""));
    note("metadata of 4096 bytes", group.commit(&metadata(&second), 4, &"x".repeat(4096)));
    note("metadata of 4097 bytes", group.commit(&metadata(&second), 5, &"x".repeat(4097)));
    assert_eq!(
        found,
        [
            "group empty, never joined: committed",
            // Nobody is fenced who does not say who he is: static membership is what makes the broker look.
            "group has a member, never joined: committed",
            "group has a member, never joined, with instance id: UnknownMemberId",
            "its member: committed",
            "member that has left: UnknownMemberId",
            "static member: committed",
            "static member whose name another has taken: FencedInstanceId",
            "the one that took it: committed",
            "metadata of 4096 bytes: committed",
            "metadata of 4097 bytes: OffsetMetadataTooLarge",
        ]
    );
}
