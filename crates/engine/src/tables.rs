//! What the parties of a shard share: strings, identities, profiles, rare facts.
//!
//! Nothing here says anything about a party: it only saves memory. Sharing is invisible in every answer.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use weir_model::{Direction, EventTime, Profile};

use crate::intern::{Interner, NONE};
use crate::row::{Extras, Row};
use crate::view::ProfileData;

/// Shared tables of a shard.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Counterparty keys, one reference a pair.
    pub(crate) strings: Interner,
    /// Transaction ids, one reference a row that is remembered or a removal that waits.
    pub(crate) txns: Interner<Legs>,
    /// Remembered rows that do not stand beside their transaction's id: of groups, and those of other moments than its first.
    other_legs: HashMap<u32, Vec<KnownLeg>, FixedState>,
    /// Foreign amounts and balances.
    pub(crate) extras: Extras,
    /// Every profile ever stamped.
    profiles: Vec<ProfileData>,
    profile_index: HashMap<ProfileData, u32, FixedState>,
    /// The profile stamped last: legs of one party come in runs.
    last_profile: u32,
}

/// The remembered rows of a transaction: mostly two, payee's and payer's, of one moment. They stand beside its id, so that finding one costs no memory
/// access of its own; any others stand in a table.
#[derive(Debug)]
pub(crate) struct Legs {
    at: EventTime,
    /// Whose rows they are, In and Out; [`NONE`] for no row.
    parties: [u32; 2],
}

impl Default for Legs {
    fn default() -> Self {
        Self { at: EventTime::MIN, parties: [NONE; 2] }
    }
}

/// Whose row it is, and when it was: with the time a row is found in a long history.
#[derive(Debug, Clone, Copy)]
struct KnownLeg {
    party: u32,
    direction: Direction,
    at: EventTime,
}

impl Legs {
    /// Takes a row in if it is of the same moment as the other and its place is free.
    fn take(&mut self, leg: KnownLeg) -> bool {
        let own = leg.direction as usize;
        let is_alone = self.parties[1 - own] == NONE;
        let may = self.parties[own] == NONE && (is_alone || self.at == leg.at);
        if may {
            self.parties[own] = leg.party;
            self.at = leg.at;
        }
        may
    }

    /// The place of the row of a party and direction, if it stands here.
    fn place(&mut self, party: u32, direction: Direction) -> Option<&mut u32> {
        let place = &mut self.parties[direction as usize];
        (*place == party).then_some(place)
    }
}

impl KnownLeg {
    fn is_of(&self, party: u32, direction: Direction) -> bool {
        self.party == party && self.direction == direction
    }
}

impl Tables {
    /// When the remembered row of a transaction, party and direction was.
    pub(crate) fn remembered(&self, txn: u32, party: u32, direction: Direction) -> Option<EventTime> {
        let legs = self.txns.known(txn);
        if legs.parties[direction as usize] == party {
            return Some(legs.at);
        }
        let others = if self.other_legs.is_empty() { None } else { self.other_legs.get(&txn) };
        others?.iter().find(|leg| leg.is_of(party, direction)).map(|leg| leg.at)
    }

    /// Remembers a row, in the place of an older one of the same identity.
    pub(crate) fn remember(&mut self, txn: u32, party: u32, direction: Direction, at: EventTime) {
        if let Some(older) = self.remembered(txn, party, direction) {
            self.forget(txn, KnownLeg { party, direction, at: older });
        }
        let leg = KnownLeg { party, direction, at };
        if !self.txns.known_mut(txn).take(leg) {
            self.other_legs.entry(txn).or_default().push(leg);
        }
    }

    /// Forgets a row, unless a later one has taken its place.
    fn forget(&mut self, txn: u32, leg: KnownLeg) {
        let legs = self.txns.known_mut(txn);
        let at = legs.at;
        if let Some(place) = legs.place(leg.party, leg.direction) {
            if at == leg.at {
                *place = NONE;
            }
        } else if let Some(others) = self.other_legs.get_mut(&txn) {
            others.retain(|other| !(other.is_of(leg.party, leg.direction) && other.at == leg.at));
            if others.is_empty() {
                self.other_legs.remove(&txn);
            }
        }
    }

    /// Gives back the transaction id of a row that is no longer remembered.
    pub(crate) fn forget_row(&mut self, party: u32, row: &Row) {
        self.forget(row.txn, KnownLeg { party, direction: row.direction(), at: row.at });
        self.txns.release(row.txn);
    }

    /// The number of a profile.
    pub(crate) fn profile(&mut self, profile: &Profile<'_>) -> u32 {
        if self.profiles.get(self.last_profile as usize).is_some_and(|last| last.matches(profile)) {
            return self.last_profile;
        }
        let data = ProfileData::from(profile);
        let next = u32::try_from(self.profiles.len()).expect("fewer than 2^32 profiles fit in memory");
        self.last_profile = *self.profile_index.entry(data.clone()).or_insert_with(|| {
            self.profiles.push(data);
            next
        });
        self.last_profile
    }

    /// The profile of a number.
    pub(crate) fn profile_data(&self, id: u32) -> &ProfileData {
        &self.profiles[id as usize]
    }

    /// All profiles, by number.
    pub(crate) fn profiles(&self) -> &[ProfileData] {
        &self.profiles
    }
}
