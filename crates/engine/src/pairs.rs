//! What a party remembers of each counterparty beyond its rows.
//!
//! A pair is named by an index, which rows hold. First payments are exact over all history; sums here hold only what rows that have left
//! carried, the rest is still in the rows. A pair silent for 24 months is forgotten at the next tick: nothing is done then, it is only no
//! longer believed ([`Pair::is_forgotten`]) and begins anew with its next leg, whatever older rows of it are still there
//! ([`Pair::begins`]). Forgotten pairs without rows give their memory back ([`Pairs::retain`]).

use hashbrown::HashTable;
use weir_model::{Day, EventTime};

use crate::history::make_room;
use crate::intern::NONE;

/// No such moment.
pub(crate) const NEVER: EventTime = EventTime(i64::MAX);

/// Memory of one counterparty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pair {
    /// Interned key of the counterparty.
    pub(crate) key: u32,
    /// Rows before this moment are forgotten.
    pub(crate) begins: EventTime,
    /// First In movement counted; [`NEVER`] without one.
    pub(crate) first_in: EventTime,
    /// First Out movement counted; [`NEVER`] without one.
    pub(crate) first_out: EventTime,
    /// Sum of In movements of rows that have left, fen.
    pub(crate) past_in: i64,
    /// Sum of Out movements of rows that have left, fen.
    pub(crate) past_out: i64,
    /// Day of the last counted leg, removed ones included.
    pub(crate) last_day: Day,
}

/// A day before all others.
const NO_DAY: Day = Day(i32::MIN);

impl Pair {
    pub(crate) fn new(key: u32) -> Self {
        Self { key, begins: EventTime::MIN, first_in: NEVER, first_out: NEVER, past_in: 0, past_out: 0, last_day: NO_DAY }
    }

    /// The pair as it begins anew: all its legs are before `forget_before`.
    pub(crate) fn renewed(&self, forget_before: Day) -> Self {
        Self { begins: forget_before.start(), ..Self::new(self.key) }
    }

    /// Whether a row of the pair is part of all history.
    pub(crate) fn remembers(&self, at: EventTime, forget_before: Day) -> bool {
        at >= self.begins && !self.is_forgotten(forget_before)
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
    /// Built once there are more than [`LINEAR_MAX`]; most parties have a handful.
    index: Option<Box<HashTable<u32>>>,
}

const LINEAR_MAX: usize = 12;

fn hash(key: u32) -> u64 {
    u64::from(key).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Pairs {
    pub(crate) fn find(&self, key: u32) -> Option<u32> {
        match &self.index {
            Some(index) => index.find(hash(key), |at| self.list[*at as usize].key == key).copied(),
            None => self.list.iter().position(|pair| pair.key == key).and_then(|at| u32::try_from(at).ok()),
        }
    }

    /// Adds a pair that [`Pairs::find`] did not find.
    pub(crate) fn push(&mut self, pair: Pair) -> u32 {
        let at = u32::try_from(self.list.len()).ok().filter(|at| *at != NONE).expect("fewer than 2^32 pairs fit in memory");
        make_room(&mut self.list);
        self.list.push(pair);
        let list = &self.list;
        if let Some(index) = &mut self.index {
            index.insert_unique(hash(pair.key), at, |at| hash(list[*at as usize].key));
        } else if list.len() > LINEAR_MAX {
            let mut index = HashTable::with_capacity(list.len() * 2);
            for (at, pair) in (0_u32..).zip(list) {
                index.insert_unique(hash(pair.key), at, |at| hash(list[*at as usize].key));
            }
            self.index = Some(Box::new(index));
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

    pub(crate) fn as_slice(&self) -> &[Pair] {
        &self.list
    }

    /// Keeps the pairs that `is_wanted` by index; returns the new index of each, [`NONE`] for those that have left, whose keys go to `left`.
    pub(crate) fn retain(&mut self, is_wanted: impl Fn(u32) -> bool, mut left: impl FnMut(u32)) -> Vec<u32> {
        let old = std::mem::take(self);
        (0_u32..)
            .zip(old.list)
            .map(|(at, pair)| {
                if is_wanted(at) {
                    self.push(pair)
                } else {
                    left(pair.key);
                    NONE
                }
            })
            .collect()
    }
}
