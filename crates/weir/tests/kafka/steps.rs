//! A backlog is split in order of time, though brokers give it a stretch of one partition and a stretch of the next.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::Entry;
use weir_model::EventTime;
use weir_model::time::MICROS_PER_DAY;

use super::broker::Broker;
use super::rig::{Rig, Shape, ask, transactions};

/// Days that a leg may be behind one before it. The first turn of a partition is folded before anybody knows what time it is elsewhere, and three of them are
/// some six days of the demo, which begins slowly.
const DAYS: i64 = 10;
/// Transactions of each partition where one is far denser than the other: some megabytes more than may wait.
const MANY: i64 = 30_000;
const SPLIT_MAX: Duration = Duration::from_secs(120);

#[test]
fn a_backlog_is_split_in_order_of_time() {
    let Some(broker) = Broker::find() else { return };
    let shape = Shape { transaction_partitions: 3, leg_partitions: 1, roles: &["split", "detect"], ..Shape::default() };
    let rig = Rig::new(&broker.address, shape);
    fs::write(rig.path("t.jsonl"), transactions()).expect("written");
    rig.feed_all("t.jsonl");
    let service = rig.start("one");
    rig.wait_until_caught_up();
    service.terminate();
    let sources = sources_in_order(&rig);
    assert!(sources.iter().take(3).all(|legs| *legs > 1000), "the feed fills all partitions: {sources:?}");
}

#[test]
fn a_partition_far_ahead_is_read_no_further_for_a_while_and_loses_nothing() {
    let Some(broker) = Broker::find() else { return };
    let shape = Shape { transaction_partitions: 2, leg_partitions: 1, roles: &["split"], ..Shape::default() };
    let rig = Rig::new(&broker.address, shape);
    // Records go round the partitions: one has a week, the other seven months in as many records.
    let mut lines = String::new();
    for number in 0..MANY {
        for (partition, seconds) in [(0, 20), (1, 600)] {
            let at = EventTime(1_735_700_000_000_000 + number * seconds * 1_000_000).to_string();
            let at = at[..19].replace('T', " ");
            let (payer, payee) = (number % 5000, 5000 + number % 3000);
            let _ = writeln!(
                lines,
                r#"{{"流水号":"{partition}-{number}","交易时间":"{at}","付款客户号":"QX{payer:05}","付款账号":"6299{payer:012}","付款行":"402753000018","付款方类型":"个人","付款方地区":"530502","收款客户号":"QX{payee:05}","收款账号":"6299{payee:012}","收款行":"402753000018","收款方类型":"个体户","收款方地区":"530502","金额":"35.73","币种":"CNY","渠道":"扫码","摘要":"消费"}}"#
            );
        }
    }
    fs::write(rig.path("t.jsonl"), lines).expect("written");
    rig.feed_all("t.jsonl");
    let port = rig.listen();
    let service = rig.start("one");
    let begun = Instant::now();
    while metric(port, r#"weir_records_total{role="split"}"#) < 2 * MANY {
        assert!(begun.elapsed() < SPLIT_MAX, "does not come to an end: {}", rig.log());
        thread::sleep(Duration::from_millis(100));
    }
    let pauses = metric(port, r#"weir_bound_reached_total{bound="waiting"}"#);
    service.terminate();
    assert!(pauses > 0, "the other partition has not come too far ahead");
    let sources = sources_in_order(&rig);
    assert_eq!(sources[..2], [2 * MANY; 2], "each transaction has its two legs, once");
}

/// Legs by partition of transactions; each is there once, and none is far behind one before it.
fn sources_in_order(rig: &Rig) -> [i64; 3] {
    let (mut latest, mut sources, mut seen) = ((i64::MIN, 0), [0; 3], BTreeSet::new());
    for record in rig.topic("legs") {
        let Ok(Entry::Leg(stamped)) = Entry::decode(&record.value) else { continue };
        latest = latest.max((stamped.clock.0, stamped.source.partition));
        let behind = latest.0 - stamped.clock.0;
        let (ahead, days) = (latest.1, behind / MICROS_PER_DAY);
        assert!(
            behind < DAYS * MICROS_PER_DAY,
            "a leg of partition {} is {days} days behind one of partition {ahead}, after legs {sources:?}: {}",
            stamped.source.partition,
            rig.log()
        );
        sources[usize::try_from(stamped.source.partition).expect("a partition")] += 1;
        let source = (stamped.source.partition, stamped.source.offset, stamped.leg.party.to_owned(), stamped.leg.direction);
        assert!(seen.insert(source), "a leg is there twice");
    }
    sources
}

/// A metric of the service; 0 while it does not answer.
fn metric(port: u16, name: &str) -> i64 {
    let text = ask(port, "metrics");
    text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok()).unwrap_or(0)
}
