//! Folds one party again from the archive: what the detector must have said of it, worked out from the records alone.
//!
//! The same fold as the *detect* role's, over the control records of a partition and the legs of one party; parties do not see each other, so
//! the rest is not needed. It begins where the log began: a snapshot would have to be believed. It ends where the archive ends, or where the
//! detector had come to, and not where the last of what was said stands: a revision that was held back would never be missed.

use std::io;
use std::sync::Arc;

use serde::Deserialize;

use super::{all_of, checked, segment};
use crate::detect::{Detect, State};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::rules::RuleLibrary;
use crate::settings::{DetectSettings, Topics};
use crate::stop::Stop;
use crate::store::Store;
use crate::wire::Entry;
use crate::worker::{Record, Role};

/// Records folded at a time.
const STEP: usize = 4096;

/// What is to be folded again.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// Leg partition.
    pub partition: i32,
    /// Party.
    pub party: &'q str,
    /// Alert whose revisions are wanted.
    pub alert_id: &'q str,
    /// The offset behind the last thing that was said: the archive must reach so far.
    pub at_least: i64,
    /// The last offset of which anything can have been said, where somebody knows; else all that the archive has is folded.
    pub at_most: Option<i64>,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refolded {
    /// Revisions of the alert as JSON, in order.
    pub revisions: Vec<Vec<u8>>,
    /// Legs of the party that were folded.
    pub legs: usize,
    /// Control records among them.
    pub controls: usize,
    /// Files read.
    pub files: usize,
    /// The last offset that was folded.
    pub until: i64,
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum RefoldError {
    /// The archive cannot be read.
    #[error("the archive cannot be read: {0}")]
    Store(#[from] io::Error),
    /// Records are missing.
    #[error(
        "the archive of partition {partition} has nothing from offset {from} to {to}: without these records nothing can be proved; put the \
         missing files back"
    )]
    Gap {
        /// Partition.
        partition: i32,
        /// The first missing offset.
        from: i64,
        /// The first offset that is there again.
        to: i64,
    },
    /// The fold stopped.
    #[error("{0}")]
    Stop(Stop),
}

/// Folds a party again.
///
/// # Errors
/// See [`RefoldError`].
pub fn refold(
    store: &Arc<dyn Store>,
    library: &Arc<RuleLibrary>,
    settings: &DetectSettings,
    topics: &Topics,
    question: Question<'_>,
) -> Result<Refolded, RefoldError> {
    let mut detect = Detect::new(settings.clone(), "", topics, Arc::clone(library), Arc::clone(store), Metrics::new());
    let mut state = State::default();
    let mut done = Refolded { revisions: Vec::new(), legs: 0, controls: 0, files: 0, until: 0 };
    let mut next = 0;
    let last = question.at_most.map_or(i64::MAX, |last| last.max(question.at_least));
    let gap = |from, to| RefoldError::Gap { partition: question.partition, from, to };
    for place in all_of(&**store, question.partition)? {
        if place.from > last {
            break;
        }
        let (head, records) = segment::records(store.get(&place.path())?, Some(question.party))?;
        let head = checked(head, place)?;
        if head.from != next {
            return Err(gap(next, head.from));
        }
        next = head.next;
        done.files += 1;
        for step in records.chunks(STEP) {
            let step: Vec<Record<'_>> = step
                .iter()
                .filter(|(offset, _)| *offset <= last)
                .map(|(offset, value)| Record { offset: *offset, received: None, key: &[], value })
                .collect();
            let mut outbox = Outbox::default();
            detect.fold(question.partition, &mut state, &step, true, &mut outbox).map_err(RefoldError::Stop)?;
            let alerts = outbox.iter().filter(|record| record.topic == &*topics.alerts && id_of(record.value) == question.alert_id);
            done.revisions.extend(alerts.map(|record| record.value.to_vec()));
            let legs = step.iter().filter(|record| matches!(Entry::decode(record.value), Ok(Entry::Leg(_)))).count();
            done.legs += legs;
            done.controls += step.len() - legs;
        }
    }
    if next <= question.at_least {
        return Err(gap(next, question.at_least.saturating_add(1)));
    }
    done.until = last.min(next - 1);
    Ok(done)
}

/// Offsets and bytes of everything the archive has of a partition, in order; ends before the first gap.
///
/// # Errors
/// Where the archive cannot be read.
pub fn archived(store: &dyn Store, partition: i32) -> io::Result<Vec<(i64, Vec<u8>)>> {
    let mut records = Vec::new();
    let mut next = None;
    for place in all_of(store, partition)? {
        let (head, found) = segment::records(store.get(&place.path())?, None)?;
        let head = checked(head, place)?;
        if next.is_some_and(|next| next != head.from) {
            break;
        }
        next = Some(head.next);
        records.extend(found);
    }
    Ok(records)
}

fn id_of(alert: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Id {
        alert_id: String,
    }
    serde_json::from_slice::<Id>(alert).map(|alert| alert.alert_id).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::ops::Range;
    use std::path::PathBuf;
    use std::time::Duration;

    use weir_model::leg::{LegAmount, Tags};
    use weir_model::{Direction, Division, EventTime, Flags, Leg, LegKind, Level, PartyKind, Profile};
    use weir_office::Release;

    use super::super::Place;
    use super::super::segment::Builder;
    use super::*;
    use crate::store::{Folder, Location};
    use crate::wire::{Source, StampedLeg};

    const PARTITION: i32 = 3;

    /// A file with legs of somebody who is not asked about.
    fn put(store: &dyn Store, offsets: Range<i64>) {
        let clock = EventTime(0);
        let leg = Leg {
            party: "c:2",
            txn_id: "t",
            direction: Direction::In,
            kind: LegKind::Movement,
            at: clock,
            amount: LegAmount::cny(100),
            counterparty: None,
            counterparty_kind: PartyKind::Unknown,
            counterparty_division: Division::UNKNOWN,
            channel: None,
            flags: Flags::default(),
            tags: Tags::default(),
            balance_after: None,
            profile: Profile::default(),
        };
        let basis = weir_model::division::DivisionBasis::Unknown;
        let entry = Entry::Leg(StampedLeg { clock, source: Source { partition: 0, offset: 9 }, leg, name: "", account: "", basis });
        let mut record = Vec::new();
        entry.encode(&mut record);
        let from = offsets.start;
        let mut builder = Builder::new();
        offsets.for_each(|offset| builder.push(offset, &entry, &record));
        let (bytes, _) = builder.finish(PARTITION, from, clock.day()).expect("a segment");
        assert!(store.put_new(&Place { day: clock.day(), partition: PARTITION, from }.path(), &bytes).expect("written"));
    }

    fn ask(store: &Arc<dyn Store>, at_least: i64, at_most: Option<i64>) -> Result<Refolded, RefoldError> {
        let settings = DetectSettings {
            engine: weir_engine::Settings::default(),
            office: weir_office::Settings { min_level: Level::Medium, bank_contact: String::new(), release: Release::Auto },
            routing: Arc::default(),
            snapshot_interval: Duration::from_secs(30),
            snapshots: Location::Folder(PathBuf::new()),
        };
        let library = Arc::new(RuleLibrary::of(std::iter::empty()));
        let question = Question { partition: PARTITION, party: "c:1", alert_id: "a", at_least, at_most };
        refold(store, &library, &settings, &Topics::with_prefix("weir"), question)
    }

    #[test]
    fn it_ends_where_the_archive_ends_or_the_detector_had_come_to() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let store: Arc<dyn Store> = Arc::new(Folder(folder.path().to_owned()));
        put(&*store, 0..3);
        put(&*store, 3..6);
        for (at_least, at_most, expected) in
            [(1, None, (5, 2)), (1, Some(2), (2, 1)), (1, Some(4), (4, 2)), (1, Some(100), (5, 2)), (4, Some(1), (4, 2))]
        {
            let found = ask(&store, at_least, at_most).expect("nothing is missing");
            assert_eq!((found.until, found.files), expected, "{at_least} {at_most:?}");
        }
        let missing = ask(&store, 7, None).expect_err("the archive does not reach what was said");
        assert!(matches!(missing, RefoldError::Gap { partition: PARTITION, from: 6, to: 8 }), "{missing}");
        // What was said is all there, but something behind it is not: whether that was all nobody can tell.
        put(&*store, 8..9);
        let missing = ask(&store, 1, None).expect_err("a file is missing");
        assert!(matches!(missing, RefoldError::Gap { partition: PARTITION, from: 6, to: 8 }), "{missing}");
        assert_eq!(ask(&store, 1, Some(5)).expect("nothing of it is missing").until, 5);
    }
}
