//! Topics: what each must be like, whether it is, and the one place that makes them.
//!
//! A running service never creates a topic: a misspelt name would become an empty one, and nobody would miss the alerts. It looks ([`check`]), and
//! names what would hurt answers and how to mend it. A topic that is there is never changed, enlarged or deleted here: it is the operator's.
//!
//! [`create`] makes what is missing, unless what is there bars it (`unfit`). It also commits the first offset of each partition for the groups of *split*
//! and *detect*, because from then on an offset that is missing means that something was lost. So it does that only where nothing can have been: begun a
//! second time, everything would be said twice. With `begins_anew` the operator answers for that.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::metadata::{Metadata, MetadataTopic};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use crate::client::{Connection, Talk, committed, metadata};
use crate::mark::Mark;
use crate::settings::{Topics, group};
use crate::stop::{counted, repartitioned};
use crate::worker::patiently;

const ASK_MAX: Duration = Duration::from_secs(30);
/// The least time the leg log and the transactions are kept: longer than a snapshot is old, and than a long weekend.
const RETENTION_MIN: Duration = Duration::from_secs(7 * 24 * 3600);
/// What topics must take that others write: a transaction record is bounded by 1 MiB.
pub(crate) const MESSAGE_BYTES_MIN: usize = 1 << 20;
/// What topics are made to take, and those must that a running service writes: a large-amount report may be as long, and what is sent together counts as one message.
pub(crate) const MESSAGE_BYTES: usize = 2 * MESSAGE_BYTES_MIN;

/// How topics are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// Partitions of the transactions topic, where it is not there yet.
    pub transaction_partitions: i32,
    /// Partitions of the leg log: changing it later is a migration.
    pub leg_partitions: i32,
    /// Partitions of the output topics.
    pub output_partitions: i32,
    /// Copies of everything.
    pub replication: i32,
    /// How long the leg log is kept.
    pub leg_retention: Duration,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            transaction_partitions: 8,
            leg_partitions: 64,
            output_partitions: 4,
            replication: 3,
            leg_retention: Duration::from_secs(30 * 24 * 3600),
        }
    }
}

/// A topic as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Name.
    pub name: String,
    /// Partitions.
    pub partitions: i32,
    /// Settings.
    pub config: Vec<(&'static str, String)>,
}

/// Something about a topic that answers would suffer from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicProblem {
    /// Topic.
    pub topic: String,
    /// What is wrong and how to mend it.
    pub text: String,
}

impl Shape {
    /// Copies that must have a record before it counts as written: with three of them one may be away, and one more be lost.
    const fn in_sync_min(&self) -> i32 {
        if self.replication >= 3 { 2 } else { 1 }
    }

    /// Every topic of a service.
    #[must_use]
    pub fn wanted(&self, topics: &Topics) -> Vec<Wanted> {
        let durable =
            || vec![("min.insync.replicas", self.in_sync_min().to_string()), ("unclean.leader.election.enable", "false".to_owned())];
        let topic = |name: &str, partitions: i32, more: &[(&'static str, String)]| Wanted {
            name: name.to_owned(),
            partitions,
            config: durable().into_iter().chain(more.iter().cloned()).collect(),
        };
        let kept = |time: Duration| ("retention.ms", time.as_millis().to_string());
        let large = ("max.message.bytes", MESSAGE_BYTES.to_string());
        let compacted = ("cleanup.policy", "compact".to_owned());
        let stamped = ("message.timestamp.type", "LogAppendTime".to_owned());
        let outputs = self.output_partitions;
        let mut all = vec![
            topic(&topics.transactions, self.transaction_partitions, &[kept(RETENTION_MIN), large.clone(), stamped.clone()]),
            topic(&topics.legs, self.leg_partitions, &[kept(self.leg_retention.max(RETENTION_MIN)), large.clone(), stamped]),
            topic(&topics.rules, 1, &[compacted.clone(), large.clone()]),
        ];
        if !topics.parties.is_empty() {
            all.push(topic(&topics.parties, outputs, &[compacted]));
        }
        // Nothing that was found may disappear before somebody has taken it.
        let for_ever = ("retention.ms", "-1".to_owned());
        for name in [&topics.alerts, &topics.office, &topics.large_amount, &topics.dead_letter, &topics.late] {
            all.push(topic(name, outputs, &[for_ever.clone(), large.clone()]));
        }
        all
    }
}

/// What [`create`] did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Created {
    /// Topics that were not there.
    pub topics: Vec<String>,
    /// What must be mended first: where there is any, nothing was made and nothing committed.
    pub unfit: Vec<TopicProblem>,
    /// Groups without an offset in some partitions of a topic, though there is output of theirs: nothing was committed for those.
    pub stranded: Vec<Stranded>,
    /// Groups that need a topic from its beginning, and partitions of it that have lost theirs: nothing was committed for those either.
    pub cut: Vec<Stranded>,
}

/// Partitions without an offset that were not begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    /// Consumer group.
    pub group: String,
    /// The topic it reads.
    pub topic: String,
    /// Which partitions.
    pub partitions: Vec<i32>,
}

/// Creates what is missing, and commits the first offsets of the groups of *split* and *detect* where none are and none can have been lost; with `begins_anew` also where one
/// was, and what was written from there on is then written again.
///
/// # Errors
/// Where Kafka refuses.
pub fn create(connection: &Connection, topics: &Topics, app: &str, shape: &Shape, begins_anew: bool) -> Result<Created, KafkaError> {
    let admin: AdminClient<Talk> = connection.config().create_with_context(Talk)?;
    let wanted = shape.wanted(topics);
    let mut created = Created { unfit: unfit(connection, topics, app, &wanted, begins_anew)?, ..Created::default() };
    if !created.unfit.is_empty() {
        return Ok(created);
    }
    let new: Vec<NewTopic<'_>> = wanted
        .iter()
        .map(|topic| {
            let new = NewTopic::new(&topic.name, topic.partitions, TopicReplication::Fixed(shape.replication));
            topic.config.iter().fold(new, |new, (key, value)| new.set(key, value))
        })
        .collect();
    let options = AdminOptions::new().request_timeout(Some(ASK_MAX)).operation_timeout(Some(ASK_MAX));
    for result in block_on(admin.create_topics(&new, &options))? {
        match result {
            Ok(name) => created.topics.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((_, code)) => return Err(KafkaError::AdminOp(code)),
        }
    }
    if begins_anew {
        take_back_announcement(connection, topics, app)?;
    }
    let of_detect = [&topics.alerts, &topics.office, &topics.large_amount, &topics.late];
    // A state is a fold of its whole log. Begun in the middle it would have no rule set, and its alerts could not be proved from the archive.
    let roles: [(&str, &str, &[&Arc<str>], bool); 2] =
        [("split", &topics.transactions, &[&topics.legs], false), ("detect", &topics.legs, &of_detect, true)];
    for (role, topic, outputs, needs_all) in roles {
        let is_new = begins_anew || created.topics.iter().any(|name| name == topic);
        let outputs = if is_new { &[] } else { outputs };
        let group = group(app, role);
        let Left { stranded, cut } = begin(connection, topic, &group, outputs, needs_all)?;
        for (partitions, list) in [(stranded, &mut created.stranded), (cut, &mut created.cut)] {
            if !partitions.is_empty() {
                list.push(Stranded { group: group.clone(), topic: topic.to_owned(), partitions });
            }
        }
    }
    Ok(created)
}

/// What bars the making of topics: those that are there have other partitions than they must, or the leg log has lost what was written to it, unless that
/// is to begin anew.
fn unfit(
    connection: &Connection,
    topics: &Topics,
    app: &str,
    wanted: &[Wanted],
    begins_anew: bool,
) -> Result<Vec<TopicProblem>, KafkaError> {
    let consumer: BaseConsumer<Talk> = connection.reader().create_with_context(Talk)?;
    let metadata = metadata(&consumer, None, ASK_MAX)?;
    let there = layouts(&metadata);
    let marks = split_marks(connection, topics, app, &there)?;
    let fault = |topic: &Wanted| {
        let text = partition_fault(topic, there.get(topic.name.as_str())?.partitions, topics, &marks)?;
        Some(TopicProblem { topic: topic.name.clone(), text })
    };
    let mut unfit: Vec<TopicProblem> = wanted.iter().filter_map(fault).collect();
    if !begins_anew {
        unfit.extend(loss_of_legs(connection, topics, &marks, &there)?);
    }
    Ok(unfit)
}

/// Whether the leg log has lost what was written to it. A rule set stands at the beginning of every leg partition once one was announced.
fn loss_of_legs(
    connection: &Connection,
    topics: &Topics,
    marks: &[Mark],
    there: &HashMap<&str, Layout>,
) -> Result<Option<TopicProblem>, KafkaError> {
    if marks.iter().all(|mark| mark.rules.is_empty()) {
        return Ok(None);
    }
    // Partitions that were added since are another fault.
    let written = written_partitions(marks).unwrap_or(i32::MAX);
    let partitions = there.get(&*topics.legs).map_or(0, |layout| layout.partitions.min(written));
    let empty = never_written(connection, &topics.legs, partitions)?;
    let is_lost = partitions == 0 || empty > 0;
    Ok(is_lost.then(|| TopicProblem { topic: topics.legs.to_string(), text: lost_legs(empty) }))
}

/// How many partitions the leg log had when legs were written to it, where splitters have said so.
fn written_partitions(marks: &[Mark]) -> Option<i32> {
    marks.iter().map(|mark| mark.leg_partitions).find(|written| *written != 0)
}

/// How many of the first partitions of a topic never had a record, be it one of a transaction that is not over everywhere yet.
fn never_written(connection: &Connection, topic: &str, partitions: i32) -> Result<usize, KafkaError> {
    let consumer: BaseConsumer<Talk> = connection.reader().set("isolation.level", "read_uncommitted").create_with_context(Talk)?;
    let no_end = AtomicBool::new(false);
    let mut empty = 0;
    for partition in 0..partitions {
        empty += usize::from(patiently(&no_end, || consumer.fetch_watermarks(topic, partition, ASK_MAX))?.1 <= 0);
    }
    Ok(empty)
}

/// Where the leg log is empty though a rule set was announced in it, takes that back: the splitter of partition 0 announces the set in force as the first one
/// then, and marks it together with the log, whatever dies in between. Where it stands in its topic stays, save that the last record is not read again: none is read
/// before there is a rule set.
fn take_back_announcement(connection: &Connection, topics: &Topics, app: &str) -> Result<(), KafkaError> {
    let mut config = connection.reader();
    config.set("group.id", group(app, "split"));
    let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
    let mut asked = TopicPartitionList::new();
    asked.add_partition(&topics.transactions, 0);
    let no_end = AtomicBool::new(false);
    let found = patiently(&no_end, || committed(&consumer, asked.clone(), ASK_MAX))?;
    let elements = found.elements();
    let of_first = elements.first().and_then(|element| Some((element.offset(), Mark::decode(element.metadata())?)));
    let Some((offset, mark)) = of_first.filter(|(_, mark)| !mark.rules.is_empty()) else { return Ok(()) };
    let partitions = partitions_of(&consumer, &topics.legs)?;
    if never_written(connection, &topics.legs, partitions)? == 0 {
        return Ok(());
    }
    let mut taken_back = TopicPartitionList::new();
    let mut element = taken_back.add_partition(&topics.transactions, 0);
    element.set_offset(offset)?;
    element.set_metadata(unannounced(mark).encode());
    // Refused while the group has members: those that have ended stay some until their session is over.
    patiently(&no_end, || consumer.commit(&taken_back, CommitMode::Sync))
}

/// The mark of partition 0 with no rule set announced.
fn unannounced(mark: Mark) -> Mark {
    Mark { rules: String::new(), last: None, ..mark }
}

/// Legs were written, and `empty` partitions (0: the whole topic) have none.
fn lost_legs(empty: usize) -> String {
    let (what, unless) = match empty {
        0 => ("is not there".to_owned(), " (or the right Describe on it is missing)"),
        _ => (format!("is empty in {}", counted(empty, "partition", "partitions")), ""),
    };
    format!(
        "{what}, though legs were written to it: it was deleted{unless}, and with it the history of parties, which cannot be had back by making it anew. Restore \
         it; or begin a new `app` with topics of its own and feed it what the bank still has; or go on without history by `weir topics create \
         --begin-anew`, and parties are judged by what comes from now on alone"
    )
}

/// The marks that splitters have committed, of those partitions that have one.
fn split_marks(connection: &Connection, topics: &Topics, app: &str, there: &HashMap<&str, Layout>) -> Result<Vec<Mark>, KafkaError> {
    let Some(last) = there.get(&*topics.transactions).map(|layout| layout.partitions - 1).filter(|last| *last >= 0) else {
        return Ok(Vec::new());
    };
    let mut config = connection.reader();
    config.set("group.id", group(app, "split"));
    let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(&topics.transactions, 0, last);
    let no_end = AtomicBool::new(false);
    // A right that is missing is missing a minute later too.
    let found = patiently(&no_end, || match committed(&consumer, asked.clone(), ASK_MAX) {
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::GroupAuthorizationFailed) => Ok(Err(error)),
        answer => answer.map(Ok),
    })??;
    let elements = found.elements();
    let begun = elements.iter().filter(|element| matches!(element.offset(), Offset::Offset(_)));
    let marks = begun.filter_map(|element| Mark::decode(element.metadata())).collect();
    Ok(marks)
}

/// Partitions without an offset that [`begin`] did not begin: because there are outputs, and because their beginning is gone.
#[derive(Default)]
struct Left {
    stranded: Vec<i32>,
    cut: Vec<i32>,
}

/// Commits the beginning of each partition for a group, where nothing is committed, and of those that have lost it only where the group does not need
/// it. Where one of its `outputs` has a record it commits nothing. Tells for which partitions it did not.
fn begin(connection: &Connection, topic: &str, group: &str, outputs: &[&Arc<str>], needs_all: bool) -> Result<Left, KafkaError> {
    let mut config = connection.reader();
    config.set("group.id", group);
    let consumer: BaseConsumer<Talk> = config.create_with_context(Talk)?;
    let partitions = partitions_of(&consumer, topic)?;
    let mut asked = TopicPartitionList::new();
    asked.add_partition_range(topic, 0, partitions - 1);
    let no_end = AtomicBool::new(false);
    // A topic that was just made has no leader yet, and a group that was just named no coordinator.
    let committed = patiently(&no_end, || committed(&consumer, asked.clone(), ASK_MAX))?;
    let elements = committed.elements();
    let missing = elements.iter().filter(|element| !matches!(element.offset(), Offset::Offset(_)));
    let missing: Vec<i32> = missing.map(TopicPartitionListElem::partition).collect();
    let mut left = Left::default();
    if missing.is_empty() {
        return Ok(left);
    }
    let has_records = |topic: &str| {
        for partition in 0..partitions_of(&consumer, topic)? {
            if patiently(&no_end, || consumer.fetch_watermarks(topic, partition, ASK_MAX))?.1 > 0 {
                return Ok(true);
            }
        }
        Ok::<bool, KafkaError>(false)
    };
    let mut has_outputs = false;
    for output in outputs {
        has_outputs |= has_records(output)?;
    }
    // Of nothing that was read nothing can have been written.
    if has_outputs && has_records(topic)? {
        left.stranded = missing;
        return Ok(left);
    }
    let mut first = TopicPartitionList::new();
    for partition in missing {
        let (low, _) = patiently(&no_end, || consumer.fetch_watermarks(topic, partition, ASK_MAX))?;
        if needs_all && low > 0 {
            left.cut.push(partition);
            continue;
        }
        let mut offset = first.add_partition(topic, partition);
        offset.set_offset(Offset::Offset(low))?;
        offset.set_metadata(Mark::default().encode());
    }
    if first.count() > 0 {
        patiently(&no_end, || consumer.commit(&first, CommitMode::Sync))?;
    }
    Ok(left)
}

/// Partitions of a topic that is known to be there; a new one may take a moment to be seen.
pub(crate) fn partitions_of(consumer: &BaseConsumer<Talk>, topic: &str) -> Result<i32, KafkaError> {
    let mut last = Err(KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition));
    for _ in 0..50 {
        let metadata = metadata(consumer, Some(topic), ASK_MAX)?;
        let found = metadata.topics().first().filter(|topic| topic.error().is_none()).map(|topic| topic.partitions());
        match found {
            Some(partitions) if !partitions.is_empty() && partitions.iter().all(|partition| partition.leader() >= 0) => {
                return Ok(i32::try_from(partitions.len()).unwrap_or(i32::MAX));
            }
            Some(_) => last = Err(KafkaError::MetadataFetch(RDKafkaErrorCode::LeaderNotAvailable)),
            None => {}
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    last
}

/// What is wrong with the topics of a service whose topics `create` would make in this shape.
///
/// # Errors
/// Where Kafka does not answer.
pub fn check(connection: &Connection, topics: &Topics, app: &str, shape: &Shape) -> Result<Vec<TopicProblem>, KafkaError> {
    let consumer: BaseConsumer<Talk> = connection.reader().create_with_context(Talk)?;
    let metadata = metadata(&consumer, None, ASK_MAX)?;
    let there = layouts(&metadata);
    let mut problems = Vec::new();
    let wanted = shape.wanted(topics);
    let (present, missing): (Vec<&Wanted>, Vec<&Wanted>) = wanted.iter().partition(|topic| there.contains_key(topic.name.as_str()));
    let marks = split_marks(connection, topics, app, &there)?;
    problems.extend(loss_of_legs(connection, topics, &marks, &there)?);
    for topic in missing {
        if problems.iter().any(|problem| problem.topic == topic.name) {
            continue;
        }
        let text = "is not there, or the right Describe on it is missing; `weir topics create` makes it";
        problems.push(TopicProblem { topic: topic.name.clone(), text: text.to_owned() });
    }
    for topic in &present {
        let layout = there.get(topic.name.as_str()).copied().unwrap_or_default();
        let faults = partition_fault(topic, layout.partitions, topics, &marks).into_iter().chain(copies_fault(layout.copies, shape));
        problems.extend(faults.map(|text| TopicProblem { topic: topic.name.clone(), text }));
    }
    let admin: AdminClient<Talk> = connection.config().create_with_context(Talk)?;
    let asked: Vec<ResourceSpecifier<'_>> = present.iter().map(|topic| ResourceSpecifier::Topic(&topic.name)).collect();
    if asked.is_empty() {
        return Ok(problems);
    }
    let options = AdminOptions::new().request_timeout(Some(ASK_MAX));
    for (topic, answer) in present.iter().zip(block_on(admin.describe_configs(&asked, &options))?) {
        let texts = match answer {
            Ok(resource) => {
                let value = |name: &str| resource.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
                faults(&topic.name, topics, shape, &value)
            }
            Err(RDKafkaErrorCode::TopicAuthorizationFailed) => vec![
                "its settings cannot be checked: the right DescribeConfigs on it is missing; grant it to whom weir signs in as".to_owned(),
            ],
            Err(code) => return Err(KafkaError::AdminOp(code)),
        };
        problems.extend(texts.into_iter().map(|text| TopicProblem { topic: topic.name.clone(), text }));
    }
    Ok(problems)
}

/// Partitions of a topic, and the fewest copies that one of them has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Layout {
    partitions: i32,
    copies: i32,
}

fn layouts(metadata: &Metadata) -> HashMap<&str, Layout> {
    let number = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    let layout = |topic: &MetadataTopic| {
        let copies = topic.partitions().iter().map(|partition| partition.replicas().len()).min().unwrap_or(0);
        Layout { partitions: number(topic.partitions().len()), copies: number(copies) }
    };
    metadata.topics().iter().map(|topic| (topic.name(), layout(topic))).collect()
}

/// What another number of partitions than is wanted would do to answers. How many the leg log has is a fact once legs were written: what splitters have
/// committed says it, and only before they have, the settings do.
fn partition_fault(topic: &Wanted, found: i32, topics: &Topics, marks: &[Mark]) -> Option<String> {
    let (name, wanted) = (topic.name.as_str(), topic.partitions);
    let counted = counted(found, "partition", "partitions");
    if name == &*topics.rules {
        return (found != 1).then(|| "must have exactly one partition".to_owned());
    }
    if name == &*topics.legs {
        if let Some(written) = written_partitions(marks) {
            return (found != written).then(|| repartitioned(name, found, written).text);
        }
        return (found != wanted).then(|| {
            format!(
                "has {counted}, and the settings say {wanted} (topics.leg_partitions): write there what is true. It cannot be changed \
                 once legs are written, for a party's partition follows from it; another number then needs a new `app` with a leg log of its own"
            )
        });
    }
    (name == &*topics.transactions && found != wanted).then(|| {
        format!(
            "has {counted}, and the settings say {wanted} (topics.transaction_partitions): end all processes of the app, write \
             {found} there if that is meant, run `weir topics create`, with --begin-anew where it tells of partitions without an offset (only those \
             are begun), and start again. Records of one account that lie in two partitions now may be read in another order"
        )
    })
}

/// What too few copies would do to answers.
fn copies_fault(found: i32, shape: &Shape) -> Option<String> {
    let wanted = shape.replication;
    (found < wanted).then(|| {
        let counted = counted(found, "copy", "copies");
        format!(
            "a partition has {counted}, and the settings say {wanted} (topics.replication): records could be lost with a disk. Give it more with \
             kafka-reassign-partitions, or write {found} there if that is meant"
        )
    })
}

/// What a topic's settings would do to answers.
fn faults(name: &str, topics: &Topics, shape: &Shape, value: &dyn Fn(&str) -> String) -> Vec<String> {
    let mut faults = Vec::new();
    let is_log = name == &*topics.legs || name == &*topics.transactions;
    let is_compacted = name == &*topics.rules || name == &*topics.parties;
    let policy = value("cleanup.policy");
    if is_compacted && policy != "compact" {
        faults.push(format!("cleanup.policy must be compact, not `{policy}`: old entries would disappear"));
    }
    if !is_compacted && policy != "delete" {
        faults.push(format!("cleanup.policy must be delete, not `{policy}`: records of one key are not versions of one thing"));
    }
    let retention: i64 = value("retention.ms").parse().unwrap_or(-1);
    let least = i64::try_from(RETENTION_MIN.as_millis()).unwrap_or(i64::MAX);
    if is_log && (0..least).contains(&retention) {
        faults.push(format!("retention.ms is {retention}: what a restart must read again would be gone; at least {least} (7 days)"));
    }
    if is_log && value("retention.bytes").parse().is_ok_and(|bytes: i64| bytes >= 0) {
        faults.push("retention.bytes is set: what a restart must read again would be gone as soon as there is much; -1".to_owned());
    }
    let stamp = value("message.timestamp.type");
    if is_log && stamp != "LogAppendTime" {
        faults.push(format!("message.timestamp.type must be LogAppendTime, not `{stamp}`: whoever writes could say when, and what is from the future is told by it"));
    }
    let bytes: usize = value("max.message.bytes").parse().unwrap_or(usize::MAX);
    let is_only_read = [&topics.transactions, &topics.parties, &topics.rules].into_iter().any(|read| &**read == name);
    let bytes_min = if is_only_read { MESSAGE_BYTES_MIN } else { MESSAGE_BYTES };
    if bytes < bytes_min {
        faults.push(format!(
            "max.message.bytes is {bytes}, and records of {bytes_min} must pass: one that does not is tried again for ever (kafka-configs --alter --add-config max.message.bytes={bytes_min})"
        ));
    }
    let (in_sync, in_sync_min): (i32, i32) = (value("min.insync.replicas").parse().unwrap_or(i32::MAX), shape.in_sync_min());
    if in_sync < in_sync_min {
        let copies = shape.replication;
        faults.push(format!(
            "min.insync.replicas is {in_sync}: of {copies} copies (topics.replication) at least {in_sync_min} must have a record, or it is lost with one disk"
        ));
    }
    if value("unclean.leader.election.enable") == "true" {
        faults.push("unclean.leader.election.enable must be false: records that were read could disappear".to_owned());
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, settings: &[(&str, &str)], expected: &[&str]) {
        let topics = Topics::with_prefix("weir");
        let good = [
            ("cleanup.policy", "delete"),
            ("retention.ms", "-1"),
            ("retention.bytes", "-1"),
            ("message.timestamp.type", "LogAppendTime"),
            ("max.message.bytes", "2097152"),
            ("min.insync.replicas", "2"),
        ];
        let value = |key: &str| {
            let found = settings.iter().chain(&good).find(|(name, _)| *name == key);
            found.map_or(String::new(), |(_, value)| (*value).to_owned())
        };
        let found = faults(name, &topics, &Shape::default(), &value);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (fault, expected) in found.iter().zip(expected) {
            assert!(fault.contains(expected), "{fault}");
        }
    }

    #[test]
    fn what_would_hurt_answers_is_named() {
        check("weir.legs", &[], &[]);
        check("weir.legs", &[("retention.ms", "3600000")], &["7 days"]);
        check("weir.legs", &[("retention.bytes", "1000000")], &["retention.bytes is set"]);
        check("weir.transactions", &[("message.timestamp.type", "CreateTime")], &["must be LogAppendTime"]);
        check("weir.alerts", &[("retention.ms", "3600000"), ("message.timestamp.type", "CreateTime"), ("retention.bytes", "9")], &[]);
        check("weir.alerts", &[("cleanup.policy", "compact"), ("max.message.bytes", "1000")], &["must be delete", "max.message.bytes"]);
        let default = [("max.message.bytes", "1048588")];
        for name in ["weir.legs", "weir.large-amount", "weir.dead-letter"] {
            check(name, &default, &["max.message.bytes=2097152"]);
        }
        check("weir.transactions", &default, &[]);
        check("weir.transactions", &[("max.message.bytes", "1000")], &["max.message.bytes=1048576"]);
        check("weir.rules", &[], &["must be compact"]);
        check("weir.rules", &[("cleanup.policy", "compact"), ("unclean.leader.election.enable", "true")], &["unclean"]);
        check("weir.alerts", &[("min.insync.replicas", "1")], &["min.insync.replicas is 1"]);
    }

    fn partitions(name: &str, found: i32, marks: &[Mark], expected: Option<&str>) {
        let topics = Topics::with_prefix("weir");
        let shape = Shape { transaction_partitions: 2, leg_partitions: 2, ..Shape::default() };
        let wanted = shape.wanted(&topics).into_iter().find(|topic| topic.name == name).expect("one of them");
        let fault = partition_fault(&wanted, found, &topics, marks);
        match expected {
            Some(expected) => assert!(fault.as_ref().is_some_and(|fault| fault.contains(expected)), "{fault:?}"),
            None => assert_eq!(fault, None),
        }
    }

    #[test]
    fn partitions_that_were_added_are_named() {
        let before = [Mark::default(), Mark { leg_partitions: 2, ..Mark::default() }];
        partitions("weir.legs", 2, &[], None);
        partitions("weir.legs", 4, &[], Some("topics.leg_partitions"));
        partitions("weir.legs", 2, &before, None);
        partitions("weir.legs", 4, &before, Some("4 partitions, and legs were written to 2"));
        // What was committed is true, whatever the settings say.
        partitions("weir.legs", 4, &[Mark { leg_partitions: 4, ..Mark::default() }], None);
        partitions("weir.transactions", 2, &before, None);
        partitions("weir.transactions", 3, &before, Some("topics.transaction_partitions"));
        partitions("weir.rules", 2, &[], Some("exactly one"));
        partitions("weir.alerts", 9, &[], None);
    }

    #[test]
    fn a_leg_log_that_is_gone_is_told_apart_from_one_that_is_empty() {
        assert!(lost_legs(0).starts_with("is not there, though legs were written"));
        assert!(lost_legs(1).starts_with("is empty in 1 partition, though"));
        assert!(lost_legs(2).starts_with("is empty in 2 partitions, though"));
    }

    #[test]
    fn an_announcement_that_is_taken_back_leaves_partition_0_where_it_stands() {
        let mark = Mark { clock: Some(7), rules: "ab".to_owned(), ticked: 5, last: Some(3), leg_partitions: 2, ..Mark::default() };
        let expected = Mark { clock: Some(7), ticked: 5, leg_partitions: 2, ..Mark::default() };
        assert_eq!(unannounced(mark), expected);
    }

    #[test]
    fn too_few_copies_are_named() {
        let shape = Shape::default();
        assert!(copies_fault(1, &shape).is_some_and(|fault| fault.contains("has 1 copy, and")));
        assert_eq!([copies_fault(3, &shape), copies_fault(5, &shape)], [None, None]);
        assert_eq!(copies_fault(1, &Shape { replication: 1, ..shape }), None);
    }
}
