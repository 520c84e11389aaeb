//! The state of a partition: the detector, the names it has learned, what offices were told, and where it stands.
//!
//! ```text
//! "WEIRPART" version:u32le zstd( part* )   part = length:u64le bytes;  parts: head (postcard), directory (postcard), engine snapshot
//! ```
//!
//! A snapshot is whole, a *base*, or says what has changed since a base, whose name its head bears: always since the base itself and not since
//! the changes before, so that two files are enough.
//!
//! A snapshot is named by the hash of its bytes and checked against it before anything of it is read; the engine's part checks its blocks
//! once more by itself.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use serde::{Deserialize, Serialize};
use weir_engine::{Engine, Input};
use weir_model::{EventTime, LegKind, Span};
use weir_office::{Desk, Directory, SavedParty, Side};
use weir_rules::RuleSet;

use super::snapshot::Finished;
use crate::digest::Digest;
use crate::wire::{Entry, Source, StampedLeg};

const MAGIC: &[u8; 8] = b"WEIRPART";
const VERSION: u32 = 3;
/// Of zstd: a snapshot is written far more often than read.
const COMPRESSION_LEVEL: i32 = 1;
/// About what a row of the directory takes.
const ROW_BYTES: usize = 64;

/// A partition.
#[derive(Default)]
pub(crate) struct State {
    /// `None` before the log's first switch record.
    pub(crate) engine: Option<Engine>,
    pub(crate) directory: Directory,
    pub(crate) desk: Desk,
    pub(crate) digest: Digest,
    /// Largest stamp so far.
    pub(crate) clock: Option<EventTime>,
    /// Where removals were read that may still wait for their target: by offset, with the time they wait from.
    pub(crate) waiting: BTreeMap<u64, (Source, i64)>,
    /// The newest snapshot, be it the one it was restored from; and when it was written, where that is known.
    pub(crate) snapshot: Option<(i64, String)>,
    pub(crate) snapshot_time: Option<SystemTime>,
    /// The base that the engine knows its changes since.
    pub(crate) base: Option<Base>,
    /// Offset of the base that is being written of this very state.
    pub(crate) next_base: Option<i64>,
    /// The snapshot that is being taken.
    pub(crate) taking: Option<Taking>,
    pub(crate) last_snapshot: Option<Instant>,
    /// The committed offset, while this is its state; and the one written out last.
    pub(crate) committed: Option<i64>,
    pub(crate) written: Option<i64>,
}

/// A base: its first offset that is not folded, the hash of its bytes, and how much it held before it was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Base {
    pub(crate) offset: i64,
    pub(crate) hash: String,
    pub(crate) size: usize,
}

#[derive(Serialize, Deserialize)]
struct Head {
    /// Offset and hash of the base, where this says what has changed since one.
    base: Option<(i64, String)>,
    /// Partition, and the first offset that is not folded.
    position: (i32, i64),
    digest: Digest,
    clock: Option<i64>,
    desk: Desk,
    waiting: BTreeMap<u64, (i32, i64, i64)>,
}

/// A snapshot that is being taken, the engine's part of it by the engine itself.
pub(crate) struct Taking {
    position: (i32, i64),
    /// Offset of the base; `None` for a base.
    base: Option<i64>,
    head: Vec<u8>,
    /// Rows of the directory, in pieces, and how many.
    directory: Vec<Vec<u8>>,
    rows: usize,
    /// Parties of the directory that are still to be written, and the records at which what is written was learned.
    names: Range<usize>,
    records: Range<u64>,
}

/// A snapshot that is still to be packed, which takes longer than taking it does and needs nothing of the state.
pub(crate) struct Parts {
    /// Offset of the base; `None` for a base.
    pub(crate) base: Option<i64>,
    head: Vec<u8>,
    /// How many rows the directory has, as a list of them begins.
    rows: Vec<u8>,
    directory: Vec<Vec<u8>>,
    engine: Vec<Vec<u8>>,
}

impl Parts {
    pub(crate) fn size(&self) -> usize {
        let of = |pieces: &[Vec<u8>]| pieces.iter().map(Vec::len).sum::<usize>();
        self.head.len() + self.rows.len() + of(&self.directory) + of(&self.engine)
    }

    /// The bytes of the snapshot.
    pub(crate) fn pack(self) -> io::Result<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        let mut packer = zstd::Encoder::new(bytes, COMPRESSION_LEVEL)?;
        let directory: Vec<Vec<u8>> = [self.rows].into_iter().chain(self.directory).collect();
        for part in [vec![self.head], directory, self.engine] {
            let length: usize = part.iter().map(Vec::len).sum();
            packer.write_all(&(length as u64).to_le_bytes())?;
            part.iter().try_for_each(|piece| packer.write_all(piece))?;
        }
        packer.finish()
    }
}

/// The bytes of a base by offset and hash, checked.
pub(crate) type BaseOf<'a> = dyn Fn(i64, &str) -> Result<Vec<u8>, StateError> + 'a;

/// Why a snapshot is of no use.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("is not what its name says: damaged or exchanged")]
    Hash,
    #[error("was written by another version of weir (form {0})")]
    Version(u32),
    #[error("is damaged")]
    Damaged,
    #[error("is of partition {0} at offset {1}: exchanged")]
    Elsewhere(i32, i64),
    #[error("the base it rests on, of offset {0}, {1}")]
    Base(i64, Box<StateError>),
    #[error("{0}")]
    Engine(#[from] weir_engine::SnapshotError),
}

impl StateError {
    /// Whether the store did not give it just now, which says nothing of the snapshot.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Io(error) => error.kind() != io::ErrorKind::NotFound,
            Self::Base(_, error) => error.is_passing(),
            _ => false,
        }
    }
}

impl State {
    /// Learns names, and remembers where removals were read.
    pub(crate) fn learn(&mut self, entries: &[(u64, Entry<'_>)]) {
        let mut sides = Vec::with_capacity(entries.len());
        let mut time = self.clock.unwrap_or(EventTime::MIN);
        for (record, entry) in entries {
            let stamped = match entry {
                Entry::Leg(stamped) => stamped,
                Entry::Tick { clock } => {
                    time = time.max(*clock);
                    continue;
                }
                Entry::Switch { .. } => continue,
            };
            let StampedLeg { leg, name, account, basis, .. } = *stamped;
            sides.push(Side { party: leg.party, record: *record, name, account, basis });
            if matches!(leg.kind, LegKind::Removal { .. }) {
                // The engine lets it wait from the last tick on, where that is later than its stamp.
                self.waiting.insert(*record, (stamped.source, time.max(stamped.clock).0));
            }
        }
        self.directory.learn(&sides);
    }

    /// The clock after `inputs`.
    pub(crate) fn note_time(&mut self, inputs: &[Input<'_>]) {
        let clock_of = |input: &Input<'_>| match input {
            Input::Leg { clock, .. } | Input::Tick { clock, .. } => Some(*clock),
            Input::Switch { .. } => None,
        };
        self.clock = self.clock.max(inputs.iter().filter_map(clock_of).max());
    }

    /// Forgets what only the time before `inputs` needed. All that came of them has been said: how a log is cut into steps must not decide what is
    /// said of a removal that waited in vain. Ticks alone decide: a leg of a source that is ahead says nothing of what others still bring.
    pub(crate) fn forget(&mut self, inputs: &[Input<'_>], lateness: Span) {
        let last_tick = inputs.iter().rev().find_map(|input| match input {
            Input::Tick { clock, .. } => Some(*clock),
            _ => None,
        });
        if let Some(tick) = last_tick {
            self.desk.settle(tick.minus(lateness));
            // A day more than a removal waits: what expires at this tick is still to be told where it was read.
            self.waiting.retain(|_, (_, stamp)| EventTime(*stamp).plus(lateness).plus(Span::days(1)) >= tick);
        }
    }

    /// Begins to take a snapshot of this very moment: what has changed since the base, or everything, which is a base then. `position` is
    /// partition and first offset not folded. Nothing before the first switch record.
    pub(crate) fn begin_snapshot(&mut self, position: (i32, i64)) {
        let Some(engine) = &mut self.engine else { return };
        let base = self.base.as_ref().filter(|_| engine.begin_changes()).map(|base| (base.offset, base.hash.clone()));
        if base.is_none() {
            engine.begin_base();
            (self.base, self.next_base) = (None, Some(position.1));
        }
        // Records from the base's offset on; those of one number stay together.
        let since = base.as_ref().map_or(0, |(offset, _)| offset.unsigned_abs());
        let head = Head {
            base,
            position,
            digest: self.digest,
            clock: self.clock.map(|clock| clock.0),
            desk: self.desk.clone(),
            waiting: self.waiting.iter().map(|(record, (source, stamp))| (*record, (source.partition, source.offset, *stamp))).collect(),
        };
        self.taking = Some(Taking {
            position,
            base: head.base.as_ref().map(|(offset, _)| *offset),
            head: postcard::to_stdvec(&head).expect("plain values always encode into memory"),
            directory: Vec::new(),
            rows: 0,
            names: 0..self.directory.len(),
            records: since..position.1.unsigned_abs(),
        });
    }

    /// Goes on taking it, by about so many bytes; when it is complete, what it is made of, and its offset. `None` also where none is being taken.
    pub(crate) fn continue_snapshot(&mut self, bytes: usize) -> Option<(i64, Parts)> {
        let taking = self.taking.as_mut()?;
        if !taking.names.is_empty() {
            // Names are short, and most are not written again: as many are looked at as would be so many bytes if all were.
            let end = taking.names.end.min(taking.names.start.saturating_add(bytes / ROW_BYTES));
            let stretch = std::mem::replace(&mut taking.names.start, end)..end;
            let mut piece = Vec::new();
            for row in self.directory.save_some(stretch, taking.records.clone()) {
                piece = postcard::to_extend(&row, piece).expect("plain values always encode into memory");
                taking.rows += 1;
            }
            taking.directory.push(piece);
            if !taking.names.is_empty() {
                return None;
            }
        }
        let engine = self.engine.as_mut()?.continue_snapshot(bytes)?;
        let Taking { position: (_, offset), base, head, directory, rows, .. } = self.taking.take()?;
        let rows = postcard::to_stdvec(&rows).expect("plain values always encode into memory");
        let parts = Parts { base, head, rows, directory, engine };
        // So much has changed that the next had better be whole.
        self.base.take_if(|base| parts.base.is_some() && parts.size() >= base.size / 2);
        Some((offset, parts))
    }

    /// A snapshot of this partition has been written. `false` if it is of no use: the partition was elsewhere meanwhile, and there is a newer one.
    pub(crate) fn take_up(&mut self, Finished { offset, hash, base_size }: Finished, now: SystemTime) -> bool {
        if self.snapshot.as_ref().is_some_and(|(newest, _)| *newest > offset) {
            return false;
        }
        // Without a base the next snapshot is one again. One that is not of this state is none: what this engine has changed since is something else.
        if let Some(size) = base_size
            && self.next_base.take() == Some(offset)
        {
            self.base = Some(Base { offset, hash: hash.clone(), size });
        }
        (self.snapshot, self.snapshot_time) = (Some((offset, hash)), Some(now));
        true
    }

    /// Reads a snapshot whose hash was checked; `base_of` gives the bytes of a base, checked too. The hash says that the bytes are whole, not
    /// that they belong to this partition.
    pub(crate) fn decode(
        (bytes, hash): (&[u8], &str),
        position: (i32, i64),
        settings: weir_engine::Settings,
        rules: &dyn Fn(&str) -> Option<Arc<RuleSet>>,
        base_of: &BaseOf<'_>,
    ) -> Result<Self, StateError> {
        let unpacked = Unpacked::read(bytes, position)?;
        let mut directory = Directory::default();
        let of = |offset: i64, hash: &str, size| Base { offset, hash: hash.to_owned(), size };
        let (engine, base) = if let Some((offset, hash)) = &unpacked.head.base {
            let on_base = |error| StateError::Base(*offset, Box::new(error));
            let base = base_of(*offset, hash).and_then(|bytes| Unpacked::read(&bytes, (position.0, *offset))).map_err(on_base)?;
            if base.head.base.is_some() {
                return Err(on_base(StateError::Damaged));
            }
            base.directory.into_iter().for_each(|row| directory.restore(row));
            let engine = Engine::restore_changed(settings, &base.engine, &unpacked.engine, rules)?;
            (engine, of(*offset, hash, base.size))
        } else {
            let mut engine = Engine::restore(settings, &[&unpacked.engine], rules, &|_| true)?;
            engine.rebase();
            (engine, of(position.1, hash, unpacked.size))
        };
        unpacked.directory.into_iter().for_each(|row| directory.restore(row));
        let head = unpacked.head;
        let waiting = head.waiting.into_iter().map(|(record, (partition, offset, stamp))| (record, (Source { partition, offset }, stamp)));
        Ok(Self {
            engine: Some(engine),
            directory,
            desk: head.desk,
            digest: head.digest,
            clock: head.clock.map(EventTime),
            waiting: waiting.collect(),
            snapshot: None,
            snapshot_time: None,
            base: Some(base),
            next_base: None,
            taking: None,
            last_snapshot: None,
            committed: None,
            written: Some(position.1),
        })
    }
}

/// A snapshot taken apart.
struct Unpacked {
    head: Head,
    directory: Vec<SavedParty>,
    engine: Vec<u8>,
    size: usize,
}

impl Unpacked {
    fn read(bytes: &[u8], position: (i32, i64)) -> Result<Self, StateError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(StateError::Damaged)?;
        let (version, packed) = rest.split_first_chunk::<4>().ok_or(StateError::Damaged)?;
        let version = u32::from_le_bytes(*version);
        if version != VERSION {
            return Err(StateError::Version(version));
        }
        let parts = zstd::decode_all(packed).map_err(|_| StateError::Damaged)?;
        let mut rest = parts.as_slice();
        let mut part = || {
            let (length, after) = rest.split_first_chunk::<8>().ok_or(StateError::Damaged)?;
            let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| StateError::Damaged)?;
            let (part, after) = after.split_at_checked(length).ok_or(StateError::Damaged)?;
            rest = after;
            Ok::<_, StateError>(part)
        };
        let (head, directory, engine) = (part()?, part()?, part()?);
        let size = head.len() + directory.len() + engine.len();
        let head: Head = postcard::from_bytes(head).map_err(|_| StateError::Damaged)?;
        if head.position != position {
            return Err(StateError::Elsewhere(head.position.0, head.position.1));
        }
        let directory = postcard::from_bytes(directory).map_err(|_| StateError::Damaged)?;
        Ok(Self { head, directory, engine: engine.to_vec(), size })
    }
}

#[cfg(test)]
mod tests {
    use weir_model::leg::{LegAmount, Tags};
    use weir_model::{Alert, AlertStatus, Direction, Division, Flags, Leg, Level, PartyKind, Profile};

    use super::*;

    #[test]
    fn a_store_that_does_not_answer_is_told_from_one_that_has_nothing() {
        let io = |kind: io::ErrorKind| StateError::Io(kind.into());
        assert!(io(io::ErrorKind::TimedOut).is_passing());
        assert!(StateError::Base(7, Box::new(io(io::ErrorKind::Other))).is_passing());
        assert!(!io(io::ErrorKind::NotFound).is_passing());
        assert!(!StateError::Hash.is_passing() && !StateError::Version(9).is_passing());
    }

    fn removal(clock: EventTime) -> Entry<'static> {
        let leg = Leg {
            party: "c:1",
            txn_id: "r",
            direction: Direction::In,
            kind: LegKind::Removal { target: "t" },
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
        Entry::Leg(StampedLeg { clock, source: Source { partition: 2, offset: 9 }, leg, name: "", account: "", basis })
    }

    #[test]
    fn an_older_snapshot_than_the_newest_is_not_pointed_to() {
        let finished = |offset: i64| Finished { offset, hash: "ab".to_owned(), base_size: Some(1) };
        let mut state = State { next_base: Some(7), ..State::default() };
        assert!(state.take_up(finished(7), SystemTime::now()));
        assert!(state.base.as_ref().is_some_and(|base| base.offset == 7));
        assert!(!state.take_up(finished(5), SystemTime::now()), "it was written for who had the partition before");
        assert_eq!(state.snapshot, Some((7, "ab".to_owned())));
    }

    /// Of two sources one is weeks ahead: what the other still brings may open a withdrawn alert again.
    #[test]
    fn what_offices_were_told_is_forgotten_by_ticks_alone() {
        let day = |day: i64| EventTime(0).plus(Span::days(day));
        let mut alert: Alert = serde_json::from_str(include_str!("../../../weir/tests/alert.json")).expect("is an alert");
        alert.status = AlertStatus::Withdrawn;
        let settings = weir_office::Settings { min_level: Level::Medium, bank_contact: String::new(), release: weir_office::Release::Auto };
        let mut state = State { clock: Some(day(10)), ..State::default() };
        state.desk.addressees(&alert.alert_id, Vec::new);
        state.desk.messages(&alert, &settings, day(10));
        let Entry::Leg(StampedLeg { clock, leg, .. }) = removal(day(40)) else { unreachable!("it is a leg") };
        let mut is_known_after = |input: Input<'_>| {
            let inputs = [input];
            state.note_time(&inputs);
            state.forget(&inputs, Span::days(3));
            state.desk.saved(&alert.alert_id).is_some()
        };
        assert!(is_known_after(Input::Leg { record: 7, clock, leg }));
        assert!(is_known_after(Input::Tick { record: 8, clock: day(14) }), "it may come back for a day");
        assert!(!is_known_after(Input::Tick { record: 9, clock: day(15) }));
    }

    /// The engine lets a removal wait from the last tick, if its own stamp is earlier, and says where it was read when it has waited in vain.
    #[test]
    fn where_a_removal_was_read_is_known_as_long_as_it_waits() {
        let day = |day: i64| EventTime(0).plus(Span::days(day));
        let tick = |at: i64| [Input::Tick { record: 0, clock: day(at) }];
        for entries in [vec![(4, Entry::Tick { clock: day(10) }), (5, removal(day(5)))], vec![(5, removal(day(10)))]] {
            let mut state = State::default();
            state.learn(&entries);
            state.forget(&tick(13), Span::days(3));
            assert!(state.waiting.contains_key(&5));
            state.forget(&tick(15), Span::days(3));
            assert!(state.waiting.is_empty(), "it has been told by then");
        }
    }
}
