//! The parties of a snapshot, decoded beside their being taken in where somebody lends a thread for it.
//!
//! To check and decode blocks needs nothing of the engine, and is a good part of what reading takes. The engine has no threads, but whoever restores may lend
//! it one ([`Beside`]); the parties are taken in by the other, in the same order. What one thread allocates and another frees costs more than decoding
//! does, so what has been taken in goes back to be freed.

use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use super::blocks::{Blocks, decode};
use super::records::PartyRecord;
use crate::SnapshotError;

/// Runs both at once, the first in a thread of its own, and returns when both have ended. They wait for each other: one after the other they would not end.
pub type Beside<'a> = &'a dyn Fn(&mut (dyn FnMut() + Send), &mut dyn FnMut());

/// Parties handed over together: few enough that they are still near when they are taken in.
const LOT: usize = 128;
/// Lots that may wait to be taken in.
const LOTS: usize = 4;

type Lot<'a> = Vec<PartyRecord<'a>>;

/// Hands the parties of `blocks` to `take`, checked and in their order, until one of them fails.
pub(super) fn each_party<'a>(
    blocks: Blocks<'a>,
    beside: Option<Beside<'_>>,
    take: &mut dyn FnMut(&mut PartyRecord<'a>) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    let mut parties = Parties { blocks, rest: &[] };
    let Some(beside) = beside else {
        return parties.try_for_each(|record| take(&mut record?));
    };
    let (ready, lots) = sync_channel(LOTS);
    let (used, returned) = channel();
    // Each runs once, and lets go of its ends when it has: then the other ends too.
    let mut decodes = Some((parties, ready, returned));
    let mut takes = Some((lots, used));
    let mut taken = Ok(());
    beside(
        &mut || {
            if let Some((parties, ready, returned)) = decodes.take() {
                decode_lots(parties, ready, &returned);
            }
        },
        &mut || {
            if let Some((lots, used)) = takes.take() {
                taken = take_lots(lots, &used, take);
            }
        },
    );
    taken
}

fn decode_lots<'a>(mut parties: Parties<'a>, ready: SyncSender<Result<Lot<'a>, SnapshotError>>, returned: &Receiver<Lot<'a>>) {
    loop {
        let mut lot = returned.try_recv().unwrap_or_default();
        // Freed here, where it was allocated.
        lot.clear();
        let decoded = parties.by_ref().take(LOT).try_for_each(|record| record.map(|record| lot.push(record)));
        let is_last = decoded.is_err() || lot.is_empty();
        // The other side ends early where a party cannot be taken in.
        if ready.send(decoded.map(|()| lot)).is_err() || is_last {
            break;
        }
    }
    drop(ready);
    returned.iter().for_each(drop);
}

fn take_lots<'a>(
    lots: Receiver<Result<Lot<'a>, SnapshotError>>,
    used: &Sender<Lot<'a>>,
    take: &mut dyn FnMut(&mut PartyRecord<'a>) -> Result<(), SnapshotError>,
) -> Result<(), SnapshotError> {
    for lot in lots {
        let mut lot = lot?;
        lot.iter_mut().try_for_each(&mut *take)?;
        // Whoever decodes waits for it, or has failed.
        _ = used.send(lot);
    }
    Ok(())
}

/// The parties of a snapshot, each checked.
struct Parties<'a> {
    blocks: Blocks<'a>,
    /// Of the block that is being gone through.
    rest: &'a [u8],
}

impl<'a> Iterator for Parties<'a> {
    type Item = Result<PartyRecord<'a>, SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rest.is_empty() {
            match self.blocks.next()? {
                Ok(block) => self.rest = block,
                Err(error) => return Some(Err(error)),
            }
        }
        let decoded: Result<(PartyRecord<'a>, &'a [u8]), SnapshotError> = decode(self.rest, "party");
        self.rest = decoded.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(decoded.and_then(|(record, _)| record.check().map(|()| record)))
    }
}
