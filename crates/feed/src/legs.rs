//! Legs of a block, packed: one text for all names, fixed-size entries beside it.
//!
//! A batch of legs costs two growing buffers and no allocation per leg. [`weir_model::Leg`]s are views into it. Each entry carries a hash of
//! its party, computed once, by which any number of shards can pick its legs.

use weir_model::division::DivisionBasis;
use weir_model::leg::{LegAmount, Tags};
use weir_model::transaction::Channel;
use weir_model::{Agreements, Day, Direction, Division, EventTime, Flags, Leg, LegKind, PartyKind, Profile};

/// The shard of a party: a function of its key and the number of shards alone, the same in every version and on every machine.
#[must_use]
pub fn shard_of(party: &str, shards: usize) -> usize {
    shard_of_hash(party_hash(party), shards)
}

/// FNV-1a with a final mix, because its low bits alone spread short keys badly.
pub(crate) fn party_hash(party: &str) -> u64 {
    let hash = party.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

pub(crate) fn shard_of_hash(hash: u64, shards: usize) -> usize {
    let shards = u64::try_from(shards.max(1)).unwrap_or(1);
    usize::try_from(hash % shards).unwrap_or(0)
}

/// Where a text lies in the text of a batch, which is far shorter than 4 GiB: a block or a poll's messages become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct TextSpan {
    start: u32,
    end: u32,
}

/// A leg before it is packed; texts have been put into the batch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LegDraft {
    pub(crate) party: TextSpan,
    pub(crate) txn_id: TextSpan,
    pub(crate) direction: Direction,
    pub(crate) kind: DraftKind,
    pub(crate) at: EventTime,
    pub(crate) amount: LegAmount,
    pub(crate) counterparty: Option<TextSpan>,
    pub(crate) counterparty_kind: PartyKind,
    pub(crate) counterparty_division: Division,
    pub(crate) channel: Option<Channel>,
    pub(crate) flags: Flags,
    pub(crate) tags: Tags,
    pub(crate) balance_after: Option<i64>,
    pub(crate) profile_kind: PartyKind,
    pub(crate) profile_division: Division,
    pub(crate) profile_industry: TextSpan,
    pub(crate) member: TextSpan,
    pub(crate) opened_at: Option<Day>,
    pub(crate) registered: bool,
    pub(crate) agreements: Agreements,
    pub(crate) name: TextSpan,
    pub(crate) account: TextSpan,
    pub(crate) basis: DivisionBasis,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum DraftKind {
    Movement,
    Return,
    Removal(TextSpan),
}

/// Legs in log order.
#[derive(Debug, Clone, Default)]
pub(crate) struct LegBatch {
    text: String,
    legs: Vec<(u64, LegDraft)>,
}

/// A leg with what sinks want to know beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegView<'b> {
    /// The leg.
    pub leg: Leg<'b>,
    /// Name of the party as the record or party data has it; empty where neither does. Empty for groups.
    pub name: &'b str,
    /// Account of the party in this record, for groups that of the member; empty where it names none.
    pub account: &'b str,
    /// What decided the party's division. Unknown for groups.
    pub basis: DivisionBasis,
    hash: u64,
}

impl LegView<'_> {
    /// The shard of its party; equal to [`shard_of`].
    #[must_use]
    pub fn shard(&self, shards: usize) -> usize {
        shard_of_hash(self.hash, shards)
    }
}

impl LegBatch {
    /// How many legs.
    pub(crate) fn len(&self) -> usize {
        self.legs.len()
    }

    /// The `index`-th leg; `None` beyond the end.
    pub(crate) fn get(&self, index: usize) -> Option<LegView<'_>> {
        self.legs.get(index).map(|(hash, draft)| self.view(*hash, draft))
    }

    /// The hash of the party of the `index`-th leg.
    pub(crate) fn hash(&self, index: usize) -> Option<u64> {
        self.legs.get(index).map(|(hash, _)| *hash)
    }

    /// Room for the legs of so many records of so many bytes in all, so that a batch need hardly grow: two legs a record, and about as much text as was read.
    pub(crate) fn for_records(records: usize, bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), legs: Vec::with_capacity(2 * records) }
    }

    pub(crate) fn put(&mut self, text: &str) -> TextSpan {
        self.put_with(|all| all.push_str(text))
    }

    /// Puts what `write` appends.
    pub(crate) fn put_with(&mut self, write: impl FnOnce(&mut String)) -> TextSpan {
        let start = self.end();
        write(&mut self.text);
        TextSpan { start, end: self.end() }
    }

    fn end(&self) -> u32 {
        u32::try_from(self.text.len()).expect("a batch is far shorter than 4 GiB")
    }

    pub(crate) fn push(&mut self, draft: LegDraft) {
        let hash = party_hash(self.read(draft.party));
        self.legs.push((hash, draft));
    }

    #[inline]
    fn read(&self, span: TextSpan) -> &str {
        // Half of the texts of a leg are empty.
        if span.start == span.end {
            return "";
        }
        &self.text[span.start as usize..span.end as usize]
    }

    fn view(&self, hash: u64, draft: &LegDraft) -> LegView<'_> {
        let leg = Leg {
            party: self.read(draft.party),
            txn_id: self.read(draft.txn_id),
            direction: draft.direction,
            kind: match draft.kind {
                DraftKind::Movement => LegKind::Movement,
                DraftKind::Return => LegKind::Return,
                DraftKind::Removal(target) => LegKind::Removal { target: self.read(target) },
            },
            at: draft.at,
            amount: draft.amount,
            counterparty: draft.counterparty.map(|span| self.read(span)),
            counterparty_kind: draft.counterparty_kind,
            counterparty_division: draft.counterparty_division,
            channel: draft.channel,
            flags: draft.flags,
            tags: draft.tags,
            balance_after: draft.balance_after,
            profile: Profile {
                kind: draft.profile_kind,
                division: draft.profile_division,
                industry: self.read(draft.profile_industry),
                opened_at: draft.opened_at,
                registered: draft.registered,
                agreements: draft.agreements,
                member: self.read(draft.member),
            },
        };
        LegView { leg, name: self.read(draft.name), account: self.read(draft.account), basis: draft.basis, hash }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_spread_evenly_and_stay_where_they_are() {
        let mut counts = [0_u32; 8];
        for customer in 0..8000 {
            counts[shard_of(&format!("c:{customer}"), 8)] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
        // Stored nowhere, but two weirs of different versions in one consumer group must agree.
        assert_eq!((shard_of("c:1001", 8), shard_of("g:ICBC/集团", 1024), shard_of("c:1", 1)), (4, 268, 0));
    }
}
