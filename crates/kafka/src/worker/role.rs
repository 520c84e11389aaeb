//! What a worker asks of a role, and what it tells it.

use rdkafka::message::Message;

use super::WorkerError;
use crate::mark::Mark;
use crate::outbox::Outbox;
use crate::stop::Stop;

/// A record of the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'m> {
    pub(crate) offset: i64,
    /// When the broker took it, milliseconds; `None` where it does not say.
    pub(crate) received: Option<i64>,
    pub(crate) key: &'m [u8],
    pub(crate) value: &'m [u8],
}

/// Where a partition begins to be read.
pub(crate) struct Opening<S> {
    pub(crate) state: S,
    /// The first offset to read: at most the committed one.
    pub(crate) from: i64,
}

/// Where a partition stands when it is opened.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    pub(crate) partition: i32,
    /// The committed offset.
    pub(crate) committed: i64,
    /// The first offset that is still there.
    pub(crate) low: i64,
}

/// What a worker does with its records.
pub(crate) trait Role: Send + 'static {
    /// Of one partition.
    type State: Send + 'static;

    /// Partitions have changed hands, and are taken up next, or go on as they were: what is known of others may be old.
    fn reassigned(&mut self) {}

    /// State and beginning for a partition; `mark` is that of the committed offset.
    fn open(&mut self, standing: Standing, mark: &Mark) -> Result<Opening<Self::State>, Stop>;

    /// The state that a partition was opened with last has not led to what was committed. `true` if [`Role::open`] may have another to begin with.
    fn distrust(&mut self, _partition: i32) -> bool {
        false
    }

    /// Folds records. Where `is_replay`, outputs are thrown away by the caller, and must be made all the same for the digest.
    fn fold(
        &mut self,
        partition: i32,
        state: &mut Self::State,
        records: &[Record<'_>],
        is_replay: bool,
        outbox: &mut Outbox,
    ) -> Result<(), Stop>;

    /// The event time a partition has come to, microseconds, where partitions are to be kept in step; `None` where their order among each other does
    /// not matter.
    fn time(&self, _state: &Self::State) -> Option<i64> {
        None
    }

    /// Whether records may be folded yet. A partition that is not ready is not read.
    fn is_ready(&self, _partition: i32, _state: &Self::State) -> bool {
        true
    }

    /// Looks around, once a step, whatever the partitions are at: a partition that waits to be ready waits for this. An error ends the worker: it concerns all
    /// partitions, and nothing that is not committed is.
    fn look(&mut self) -> Result<(), WorkerError> {
        Ok(())
    }

    /// Looks at what no record causes, in a partition that is not being replayed. `true` if the mark changed and wants to be committed.
    fn tend(&mut self, partition: i32, state: &mut Self::State, outbox: &mut Outbox) -> Result<bool, Stop>;

    /// What the next committed offset carries.
    fn mark(&self, state: &Self::State) -> Mark;

    /// Told after every commit: the state is exactly that of the committed offset.
    fn committed(&mut self, partition: i32, state: &mut Self::State, offset: i64);

    /// The worker is about to end, with everything committed: what spares the next one work may be begun now, and [`Role::tend`] asks for
    /// what is to be committed of it.
    fn close(&mut self, _partition: i32, _state: &mut Self::State) {}

    /// Whether all that was begun of a partition is done and committed.
    fn is_closed(&self, _partition: i32) -> bool {
        true
    }
}

impl<'m> Record<'m> {
    pub(super) fn of<M: Message>(message: &'m M) -> Self {
        Self {
            offset: message.offset(),
            received: message.timestamp().to_millis(),
            key: message.key().unwrap_or_default(),
            value: message.payload().unwrap_or_default(),
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }
}
