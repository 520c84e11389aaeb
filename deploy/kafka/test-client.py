"""A client of the kind weir is: librdkafka, transactions, read_committed. deploy/kafka/test runs it in a throwaway environment.

    test-client.py PROPERTIES write TOPIC NODES   a transaction that commits, with a group's offset; one that aborts; one that is fenced
    test-client.py PROPERTIES check TOPIC         what `write` left is there, all of it and nothing else
    test-client.py PROPERTIES refused             this client is not let in
"""

import logging
import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic

RECORDS = 300
WAIT_SECS = 30
# A refused client retries until asked to give up; one that is let in answers long before.
REFUSED_SECS = 6


def properties(path):
    with open(path, encoding="utf-8") as lines:
        found = dict(line.rstrip("\n").split("=", 1) for line in lines if not line.startswith("#"))
    # What a client that is refused or fenced says about it is expected and is not shown.
    silent = logging.getLogger("silent")
    silent.addHandler(logging.NullHandler())
    silent.propagate = False
    return found | {"logger": silent}


def expect(condition, what):
    if not condition:
        sys.exit(f"test-client: {what}")


def produce(producer, topic, value):
    for number in range(RECORDS):
        producer.produce(topic, value, str(number))


def described(admin, topic):
    """Replicas and min.insync.replicas of a new topic, of which a node may hear a moment after it was created."""
    deadline = time.monotonic() + WAIT_SECS
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    while True:
        try:
            replicas = {len(part.replicas) for part in admin.list_topics(topic, WAIT_SECS).topics[topic].partitions.values()}
            minimum = admin.describe_configs([resource])[resource].result(WAIT_SECS)["min.insync.replicas"].value
        except KafkaException:
            replicas, minimum = set(), None
        if replicas or time.monotonic() > deadline:
            return replicas, minimum
        time.sleep(0.1)


def write(config, topic, nodes):
    admin = AdminClient(config)
    admin.create_topics([NewTopic(topic, num_partitions=2)])[topic].result(WAIT_SECS)
    replicas, minimum = described(admin, topic)
    expect(replicas == {nodes}, f"partitions have {replicas} replicas, not {nodes}")
    expect(minimum == ("2" if nodes == 3 else "1"), f"min.insync.replicas is {minimum}")

    zombie = Producer(config | {"transactional.id": topic})
    zombie.init_transactions(WAIT_SECS)
    zombie.begin_transaction()
    produce(zombie, topic, "zombie")
    zombie.flush(WAIT_SECS)

    producer = Producer(config | {"transactional.id": topic})
    producer.init_transactions(WAIT_SECS)
    reader = Consumer(config | {"group.id": topic})
    producer.begin_transaction()
    produce(producer, topic, "committed")
    offsets = [TopicPartition(topic, 0, 7)]
    producer.send_offsets_to_transaction(offsets, reader.consumer_group_metadata(), WAIT_SECS)
    producer.commit_transaction(WAIT_SECS)
    producer.begin_transaction()
    produce(producer, topic, "aborted")
    producer.abort_transaction(WAIT_SECS)
    reader.close()
    try:
        zombie.commit_transaction(WAIT_SECS)
        sys.exit("test-client: the zombie could commit")
    except KafkaException:
        pass


def check(config, topic):
    reading = {"isolation.level": "read_committed", "enable.auto.commit": False, "enable.partition.eof": True}
    consumer = Consumer(config | reading | {"group.id": f"{topic}-check"})
    parts = [TopicPartition(topic, part, 0) for part in range(2)]
    consumer.assign(parts)
    keys, ended = [], set()
    while len(ended) < len(parts):
        record = consumer.poll(WAIT_SECS)
        expect(record is not None, f"only {len(keys)} records within {WAIT_SECS} s")
        if record.error():
            expect(record.error().name() == "_PARTITION_EOF", str(record.error()))
            ended.add(record.partition())
            continue
        expect(record.value() == b"committed", f"a record that was not committed: {record.value()}")
        keys.append(int(record.key()))
    consumer.close()
    expect(sorted(keys) == list(range(RECORDS)), f"{len(keys)} records, not the {RECORDS} committed ones")

    group = Consumer(config | {"group.id": topic})
    offset = group.committed([TopicPartition(topic, 0)], WAIT_SECS)[0].offset
    group.close()
    expect(offset == 7, f"the group's offset is {offset}")


def refused(config):
    try:
        AdminClient(config).list_topics(timeout=REFUSED_SECS)
    except KafkaException:
        return
    sys.exit("test-client: let in")


config = properties(sys.argv[1])
match sys.argv[2:]:
    case ["write", topic, nodes]:
        write(config, topic, int(nodes))
    case ["check", topic]:
        check(config, topic)
    case ["refused"]:
        refused(config)
    case _:
        sys.exit(__doc__)
