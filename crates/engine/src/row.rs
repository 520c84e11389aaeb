//! A leg as it is kept: 40 bytes, numbers for strings, rare facts beside.
//!
//! Rows of a party stand in event-time order, In before Out, then by txn id. A row taken out by a removal stays as a tombstone, because its
//! identity must still be recognised; every reader goes through [`Row::is_live`] or [`Row::is_counted`].

use weir_model::{Currency, Direction, Division, EventTime, Flags, PartyKind};

use crate::intern::NONE;

/// One leg of a party's history.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Event time.
    pub(crate) at: EventTime,
    /// Fen; 0 where there is no equivalent in CNY.
    pub(crate) amount: i64,
    /// Index into the party's pairs; [`NONE`] without a counterparty.
    pub(crate) pair: u32,
    /// Transaction id; [`NONE`] once older than the memory for identities.
    pub(crate) txn: u32,
    /// Index into the shard's profiles.
    pub(crate) profile: u32,
    /// Index into the shard's extras; [`NONE`] for most.
    pub(crate) extra: u32,
    /// What takes a few bits each.
    pub(crate) facts: Facts,
}

/// Rows at an end that are looked at before all are searched.
const NEAR: usize = 8;

/// [`slice::partition_point`] of a history, asked mostly of its latest rows: each step of a search through a long one misses the cache.
pub(crate) fn latest_point(rows: &[Row], is_before: impl Fn(&Row) -> bool) -> usize {
    let near = rows.len().saturating_sub(NEAR);
    if rows.get(near).is_some_and(&is_before) {
        near + rows[near..].partition_point(is_before)
    } else {
        rows[..near].partition_point(is_before)
    }
}

/// [`slice::partition_point`] of rows of which nearly always the first few are looked for.
pub(crate) fn earliest_point(rows: &[Row], is_before: impl Fn(&Row) -> bool) -> usize {
    let near = rows.len().min(NEAR);
    let point = rows[..near].iter().position(|row| !is_before(row)).unwrap_or(near);
    if point < near { point } else { near + rows[near..].partition_point(is_before) }
}

/// From the lowest bit: [`Bits`], the counterparty's division, memo tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts(u64);

const DIVISION_SHIFT: u32 = 26;
const TAGS_SHIFT: u32 = 46;
const BITS_MASK: u32 = (1 << DIVISION_SHIFT) - 1;
const DIVISION_MASK: u32 = (1 << (TAGS_SHIFT - DIVISION_SHIFT)) - 1;
const _: () = assert!(Division::CODE_MAX <= DIVISION_MASK && CHANNEL_SHIFT + 4 == DIVISION_SHIFT);

impl Facts {
    pub(crate) fn new(bits: Bits, division: Division, tags: u16) -> Self {
        Self(u64::from(bits.0) | u64::from(division.code()) << DIVISION_SHIFT | u64::from(tags) << TAGS_SHIFT)
    }
}

/// The flags of the leg in the low half; above them direction, kind of leg, tombstone, counterparty kind and channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bits(pub(crate) u32);

const OUT: u32 = 1 << 16;
const RETURN: u32 = 1 << 17;
const REMOVED: u32 = 1 << 18;
const KIND_SHIFT: u32 = 19;
const CHANNEL_SHIFT: u32 = 22;
const NOT_COUNTED: u32 = REMOVED | Flags::OWN.0 as u32 | Flags::RETAINED.0 as u32;

impl Bits {
    pub(crate) fn new(flags: Flags, direction: Direction, is_return: bool, kind: PartyKind, channel: Option<weir_model::Channel>) -> Self {
        let channel = channel.map_or(0, |channel| channel as u32 + 1);
        Self(
            u32::from(flags.0)
                | if direction == Direction::Out { OUT } else { 0 }
                | if is_return { RETURN } else { 0 }
                | u32::from(kind.index()) << KIND_SHIFT
                | channel << CHANNEL_SHIFT,
        )
    }

    pub(crate) fn is_out(self) -> bool {
        self.0 & OUT != 0
    }

    /// Whether some row has these bits: a kind and a channel there are, and nothing above them.
    pub(crate) fn is_possible(self) -> bool {
        (self.0 >> KIND_SHIFT & 7) < 5 && (self.0 >> CHANNEL_SHIFT & 15) <= 9 && self.0 <= BITS_MASK
    }
}

impl Row {
    pub(crate) fn bits(&self) -> Bits {
        Bits(low(self.facts.0) & BITS_MASK)
    }

    /// The counterparty's division.
    pub(crate) fn division(&self) -> Division {
        Division::from_code(low(self.facts.0 >> DIVISION_SHIFT) & DIVISION_MASK).unwrap_or_default()
    }

    /// Memo tags.
    pub(crate) fn tags(&self) -> u16 {
        half(low(self.facts.0 >> TAGS_SHIFT))
    }

    /// The model's flags.
    pub(crate) fn flags(&self) -> Flags {
        Flags(half(self.bits().0))
    }

    /// Whether a flag is set.
    pub(crate) fn has(&self, flag: Flags) -> bool {
        self.bits().0 & u32::from(flag.0) != 0
    }

    /// Direction.
    pub(crate) fn direction(&self) -> Direction {
        if self.is_out() { Direction::Out } else { Direction::In }
    }

    pub(crate) fn is_out(&self) -> bool {
        self.bits().is_out()
    }

    pub(crate) fn is_in(&self) -> bool {
        !self.is_out()
    }

    pub(crate) fn is_return(&self) -> bool {
        self.bits().0 & RETURN != 0
    }

    /// Part of the history.
    pub(crate) fn is_live(&self) -> bool {
        self.bits().0 & REMOVED == 0
    }

    /// Part of inflow or outflow: live, no own-account move, nothing retained.
    pub(crate) fn is_counted(&self) -> bool {
        self.bits().0 & NOT_COUNTED == 0
    }

    /// Whether it is counted, or was until it was removed.
    pub(crate) fn is_countable(&self) -> bool {
        self.bits().0 & (NOT_COUNTED & !REMOVED) == 0
    }

    /// Makes its counterparty a payer or payee: a counted movement with a counterparty.
    pub(crate) fn makes_party(&self) -> bool {
        self.bits().0 & (NOT_COUNTED | RETURN) == 0 && self.pair != NONE
    }

    /// Turns the row into a tombstone.
    pub(crate) fn remove(&mut self) {
        self.facts.0 |= u64::from(REMOVED);
    }

    pub(crate) fn counterparty_kind(&self) -> PartyKind {
        PartyKind::ALL[(self.bits().0 >> KIND_SHIFT & 7) as usize]
    }

    /// Whether its counterparty is said to be an organisation or a sole trader.
    pub(crate) fn is_organisation(&self) -> bool {
        matches!(self.counterparty_kind(), PartyKind::Organisation | PartyKind::SoleTrader)
    }

    pub(crate) fn is_natural(&self) -> bool {
        self.counterparty_kind() == PartyKind::Natural
    }

    /// Channel + 1 as stored; 0 where unknown.
    pub(crate) fn channel_code(&self) -> u32 {
        self.bits().0 >> CHANNEL_SHIFT & 15
    }
}

/// The low half.
fn low(word: u64) -> u32 {
    u32::try_from(word & u64::from(u32::MAX)).unwrap_or(0)
}

/// The low half.
fn half(word: u32) -> u16 {
    u16::try_from(word & u32::from(u16::MAX)).unwrap_or(0)
}

/// What most rows do not have: a foreign amount, equivalents, a balance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extra {
    pub(crate) currency: Currency,
    /// Minor units of `currency`.
    pub(crate) minor: i64,
    pub(crate) cny: Option<i64>,
    pub(crate) usd: Option<i64>,
    pub(crate) balance: Option<i64>,
}

/// Extras of a shard, slots used again.
#[derive(Debug, Default)]
pub(crate) struct Extras {
    slots: Vec<Extra>,
    free: Vec<u32>,
}

impl Extras {
    pub(crate) fn insert(&mut self, extra: Extra) -> u32 {
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = extra;
            return slot;
        }
        self.slots.push(extra);
        u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 rows fit in memory")
    }

    pub(crate) fn get(&self, id: u32) -> Option<&Extra> {
        if id == NONE { None } else { self.slots.get(id as usize) }
    }

    pub(crate) fn release(&mut self, id: u32) {
        if id != NONE {
            self.free.push(id);
        }
    }

    /// The amount of a row in its own currency and in equivalents.
    pub(crate) fn amount(&self, row: &Row) -> weir_model::leg::LegAmount {
        match self.get(row.extra) {
            Some(extra) => weir_model::leg::LegAmount { currency: extra.currency, minor: extra.minor, cny: extra.cny, usd: extra.usd },
            None => weir_model::leg::LegAmount::cny(row.amount),
        }
    }
}
#[cfg(test)]
pub(crate) mod testing {
    //! Rows drawn at random, for property tests of what counts them.

    use proptest::prelude::*;
    use weir_model::time::MICROS_PER_DAY;

    use super::*;

    /// Counterparties of [`row`].
    pub(crate) const PAIRS: u32 = 4;

    /// The beginning of a half day, by number.
    pub(crate) fn half_day(at: i64) -> EventTime {
        EventTime(at * MICROS_PER_DAY / 2)
    }

    /// Within thirty days, of a few fen, of any kind that counting tells apart.
    pub(crate) fn row() -> impl Strategy<Value = Row> {
        let kind = prop_oneof![Just(PartyKind::Natural), Just(PartyKind::Unknown), Just(PartyKind::Organisation)];
        let pair = prop_oneof![4 => 0..PAIRS, 1 => Just(NONE)];
        (0_i64..60, 1_i64..5, pair, kind, any::<[bool; 5]>()).prop_map(|(at, amount, pair, kind, [out, returned, own, cash, removed])| {
            let direction = if out { Direction::Out } else { Direction::In };
            let mut flags = Flags::default();
            flags.set(Flags::OWN, own);
            flags.set(Flags::CASH, cash);
            let bits = Bits::new(flags, direction, returned, kind, None);
            let facts = Facts::new(bits, Division::UNKNOWN, 0);
            let mut row = Row { at: half_day(at), amount, pair, txn: NONE, profile: 0, extra: NONE, facts };
            if removed {
                row.remove();
            }
            row
        })
    }
}
