//! Folds one party again from the archive: what the detector must have said of it, worked out from the records alone.
//!
//! The same fold as the *detect* role's, over the control records of a partition and the legs of one party; parties do not see each other, so
//! the rest is not needed. It begins where the log began: a snapshot would have to be believed.

use std::io;
use std::sync::Arc;

use serde::Deserialize;

use super::{all_of, segment};
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
    /// The last offset that matters.
    pub until: i64,
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
    let mut done = Refolded { revisions: Vec::new(), legs: 0, controls: 0, files: 0 };
    let mut next = 0;
    let gap = |from, to| RefoldError::Gap { partition: question.partition, from, to };
    for place in all_of(&**store, question.partition)? {
        if place.from > question.until {
            break;
        }
        let (head, records) = segment::records(store.get(&place.path())?, Some(question.party))?;
        if head.partition != question.partition || head.from != place.from {
            return Err(io::Error::new(io::ErrorKind::InvalidData, format!("{} is another file under this name", place.path())).into());
        }
        if head.from != next {
            return Err(gap(next, head.from));
        }
        next = head.next;
        done.files += 1;
        for step in records.chunks(STEP) {
            let step: Vec<Record<'_>> = step
                .iter()
                .filter(|(offset, _)| *offset <= question.until)
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
    if next <= question.until {
        return Err(gap(next, question.until + 1));
    }
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
