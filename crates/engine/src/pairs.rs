//! What a party remembers of each counterparty beyond its rows.
//!
//! A pair is named by an index, which rows hold. First payments are exact over all history; sums here hold only what rows that have left
//! carried, the rest is still in the rows. A pair silent for 24 months is forgotten at the next tick: nothing is done then, it is only no
//! longer believed ([`Pair::is_forgotten`]) and begins anew with its next leg, whatever older rows of it are still there
//! ([`Pairs::begins`]). Forgotten pairs without rows give their memory back ([`Pairs::retain`]).

use hashbrown::HashTable;
use weir_model::{Day, EventTime};

use crate::history::make_room;
use crate::intern::NONE;
use crate::row::Row;

/// No such moment.
pub(crate) const NEVER: EventTime = EventTime(i64::MAX);

/// Memory of one counterparty: 24 bytes, what few have beside them in [`More`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Interned key of the counterparty.
    pub(crate) key: u32,
    /// Day of the last counted leg, removed ones included.
    pub(crate) last_day: Day,
    /// First In movement counted; [`NEVER`] without one.
    pub(crate) first_in: EventTime,
    /// First Out movement counted; [`NEVER`] without one.
    pub(crate) first_out: EventTime,
}

/// Movements of a pair whose rows have left, fen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Past {
    pub(crate) paid_in: i64,
    pub(crate) paid_out: i64,
}

/// A day before all others.
const NO_DAY: Day = Day(i32::MIN);

impl Pair {
    pub(crate) fn new(key: u32) -> Self {
        Self { key, last_day: NO_DAY, first_in: NEVER, first_out: NEVER }
    }

    /// Whether a tick has come since its last leg grew too old.
    pub(crate) fn is_forgotten(&self, forget_before: Day) -> bool {
        self.last_day != NO_DAY && self.last_day < forget_before
    }
}

/// The pairs of a party.
#[derive(Debug, Default)]
pub(crate) struct Pairs {
    list: Vec<Pair>,
    more: Option<Box<More>>,
}

/// What young parties with a handful of pairs do not have.
#[derive(Debug, Default)]
struct More {
    /// Built once there are more than [`LINEAR_MAX`] pairs; empty before.
    index: HashTable<u32>,
    /// By pair, as far as rows of any have left.
    past: Vec<Past>,
    /// By pair, as far as any has begun anew: its rows before this day are forgotten.
    begins: Vec<Day>,
}

const LINEAR_MAX: usize = 12;

fn hash(key: u32) -> u64 {
    u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Pairs {
    pub(crate) fn find(&self, key: u32) -> Option<u32> {
        match &self.more {
            Some(more) if self.list.len() > LINEAR_MAX => more.index.find(hash(key), |at| self.list[*at as usize].key == key).copied(),
            _ => self.list.iter().position(|pair| pair.key == key).and_then(|at| u32::try_from(at).ok()),
        }
    }

    /// Adds a pair that [`Pairs::find`] did not find.
    pub(crate) fn push(&mut self, pair: Pair) -> u32 {
        let at = u32::try_from(self.list.len()).ok().filter(|at| *at != NONE).expect("fewer than 2^32 pairs fit in memory");
        make_room(&mut self.list);
        self.list.push(pair);
        let list = &self.list;
        if list.len() > LINEAR_MAX {
            let index = &mut self.more.get_or_insert_default().index;
            let unknown = if index.is_empty() { 0 } else { at };
            for (at, pair) in (unknown..).zip(&list[unknown as usize..]) {
                index.insert_unique(hash(pair.key), at, |at| hash(list[*at as usize].key));
            }
        }
        at
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn get(&self, at: u32) -> &Pair {
        &self.list[at as usize]
    }

    pub(crate) fn get_mut(&mut self, at: u32) -> &mut Pair {
        &mut self.list[at as usize]
    }

    /// What is remembered of a pair's rows that have left.
    pub(crate) fn past(&self, at: u32) -> Past {
        self.more.as_ref().and_then(|more| more.past.get(at as usize)).copied().unwrap_or_default()
    }

    pub(crate) fn set_past(&mut self, at: u32, past: Past) {
        if past == self.past(at) {
            return;
        }
        let all = &mut self.more.get_or_insert_default().past;
        if all.len() <= at as usize {
            all.resize(self.list.len(), Past::default());
        }
        all[at as usize] = past;
    }

    /// Rows of a pair before this moment are forgotten.
    pub(crate) fn begins(&self, at: u32) -> EventTime {
        let day = self.begin_day(at);
        if day == NO_DAY { EventTime::MIN } else { day.start() }
    }

    fn begin_day(&self, at: u32) -> Day {
        self.more.as_ref().and_then(|more| more.begins.get(at as usize)).copied().unwrap_or(NO_DAY)
    }

    /// Rows of a pair before `day` are forgotten.
    pub(crate) fn begin(&mut self, at: u32, day: Day) {
        let all = &mut self.more.get_or_insert_default().begins;
        if all.len() <= at as usize {
            all.resize(self.list.len(), NO_DAY);
        }
        all[at as usize] = day;
    }

    /// Whether a row of a pair is part of all history.
    pub(crate) fn remembers(&self, at: u32, moment: EventTime, forget_before: Day) -> bool {
        moment >= self.begins(at) && !self.get(at).is_forgotten(forget_before)
    }

    /// A movement that counts leaves.
    pub(crate) fn add_past(&mut self, row: &Row) {
        let mut past = self.past(row.pair);
        let sum = if row.is_in() { &mut past.paid_in } else { &mut past.paid_out };
        *sum = sum.saturating_add(row.amount);
        self.set_past(row.pair, past);
    }

    /// A pair that is forgotten begins anew: all its legs are before `forget_before`.
    pub(crate) fn renew(&mut self, at: u32, forget_before: Day) {
        let pair = self.get_mut(at);
        if pair.is_forgotten(forget_before) {
            *pair = Pair::new(pair.key);
            self.begin(at, forget_before);
            self.set_past(at, Past::default());
        }
    }

    /// Each pair and what is remembered of its rows that have left.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Pair, Past)> {
        (0..).zip(&self.list).map(|(at, pair)| (pair, self.past(at)))
    }

    pub(crate) fn as_slice(&self) -> &[Pair] {
        &self.list
    }

    /// Keeps the pairs that `is_wanted` by index; returns the new index of each, [`NONE`] for those that have left, whose keys go to `left`.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(u32) -> bool, mut left: impl FnMut(u32)) -> Vec<u32> {
        let old = std::mem::take(self);
        let beside: Vec<(Past, Day)> = (0..).take(old.list.len()).map(|at| (old.past(at), old.begin_day(at))).collect();
        (0_u32..)
            .zip(old.list)
            .zip(beside)
            .map(|((at, pair), (past, begins))| {
                if is_wanted(at) {
                    let at = self.push(pair);
                    self.set_past(at, past);
                    if begins != NO_DAY {
                        self.begin(at, begins);
                    }
                    at
                } else {
                    left(pair.key);
                    NONE
                }
            })
            .collect()
    }
}
