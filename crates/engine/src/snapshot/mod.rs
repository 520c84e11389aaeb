//! The snapshot codec: the whole state of a partition as bytes, and back.
//!
//! A snapshot is only a cache of the fold at a position of the log, so the reader trusts nothing: a magic number, a format version, and
//! blocks with a BLAKE3 checksum each. Strings stand in full and nothing refers to a number of the shard, so snapshots of any number of
//! shards load into any number of shards. What can be computed from the rest (cursors, identities, totals of open days) is not written.
//!
//! ```text
//! "WEIRSNAP" version:u32le block*        block = length:u32le blake3:32 payload
//! ```
//!
//! The first block is the [`Head`], the others are lists of [`PartyRecord`](records::PartyRecord)s in postcard encoding. Changes since a base have
//! the same form, with the parties that have changed alone; the head still counts them all, so neither is taken for the other.
//!
//! `blocks` is the frame, `records` what is said of a party, `write` and `read` the two directions.

mod blocks;
mod read;
mod records;
mod write;

use serde::{Deserialize, Serialize};
use weir_model::Day;

use self::blocks::{Blocks, damaged, decode};
pub(crate) use self::write::Taking;
use crate::SnapshotError;
use crate::partition::Engine;

const MAGIC: &[u8; 8] = b"WEIRSNAP";
/// Raised with every change of [`Head`], of [`records`], or of what they hold of the model as it is, the fields of [`weir_model::Alert`] among them: the
/// encoding names no fields.
const VERSION: u32 = 5;

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    lateness: i64,
    reevaluate_max: u64,
    party_legs_max: u64,
    report_transactions_max: u64,
    /// Instants after which a set is in force, and its hash.
    editions: Vec<(i64, String)>,
    last_tick: Option<(i64, i64)>,
    complete_from: i32,
    day_ends_done: Option<i32>,
    parties: u64,
}

impl Head {
    /// Whether it can be of changes since a base with this head.
    fn is_later_than(&self, base: &Self) -> bool {
        let of = |head: &Self| (head.lateness, head.reevaluate_max, head.party_legs_max, head.report_transactions_max);
        of(self) == of(base)
            && self.editions == base.editions
            && self.last_tick >= base.last_tick
            && self.complete_from >= base.complete_from
            && self.parties >= base.parties
    }
}

impl Engine {
    fn head(&self) -> Head {
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Head {
            lateness: self.settings.lateness.0,
            reevaluate_max: count(self.settings.reevaluate_max),
            party_legs_max: count(self.settings.party_legs_max),
            report_transactions_max: count(self.settings.report_transactions_max),
            editions: self.editions.iter().map(|edition| (edition.after.0, edition.rules.hash.clone())).collect(),
            last_tick: self.last_tick.map(|tick| (tick.clock.0, tick.frontier.0)),
            complete_from: self.complete_from.0,
            day_ends_done: self.day_ends_done.map(|day| day.0),
            parties: count(self.parties.len()),
        }
    }

    /// Totals of earlier days may not change any more.
    fn open_from(&self) -> Day {
        self.last_tick.map_or(Day(i32::MIN), |tick| tick.frontier.day())
    }
}

/// The head of a snapshot, and the blocks after it.
fn open(bytes: &[u8]) -> Result<(Head, Blocks<'_>), SnapshotError> {
    let mut blocks = Blocks::open(bytes)?;
    let (head, rest): (Head, &[u8]) = decode(blocks.next().ok_or(damaged("no head"))??, "head")?;
    if rest.is_empty() { Ok((head, blocks)) } else { Err(damaged("something follows the head")) }
}
