//! What the parties of a shard share: strings, identities, profiles, rare facts.
//!
//! Nothing here says anything about a party: it only saves memory. Sharing is invisible in every answer.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use smallvec::SmallVec;
use weir_model::{Direction, EventTime, Profile};

use crate::intern::Interner;
use crate::row::{Extras, Row};
use crate::view::ProfileData;

/// Shared tables of a shard.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Counterparty keys, one reference a pair.
    pub(crate) strings: Interner,
    /// Transaction ids, one reference a row that is remembered or a removal that waits.
    pub(crate) txns: Interner<Legs>,
    /// Foreign amounts and balances.
    pub(crate) extras: Extras,
    /// Every profile ever stamped.
    profiles: Vec<ProfileData>,
    profile_index: HashMap<ProfileData, u32, FixedState>,
    /// The profile stamped last: legs of one party come in runs.
    last_profile: u32,
}

/// The remembered rows of a transaction: mostly two, payer's and payee's. They stand beside its id, so that finding one costs no memory access of
/// its own.
#[derive(Debug, Default)]
pub(crate) struct Legs(SmallVec<[KnownLeg; 2]>);

/// Whose row it is, and when it was: with the time a row is found in a long history.
#[derive(Debug, Clone, Copy)]
struct KnownLeg {
    party: u32,
    direction: Direction,
    at: EventTime,
}

impl Legs {
    /// When the remembered row of a party and direction was.
    pub(crate) fn at(&self, party: u32, direction: Direction) -> Option<EventTime> {
        self.0.iter().find(|leg| leg.is_of(party, direction)).map(|leg| leg.at)
    }

    /// Remembers a row, in the place of an older one of the same identity.
    pub(crate) fn remember(&mut self, party: u32, direction: Direction, at: EventTime) {
        match self.0.iter_mut().find(|leg| leg.is_of(party, direction)) {
            Some(leg) => leg.at = at,
            None => self.0.push(KnownLeg { party, direction, at }),
        }
    }

    /// Forgets a row, unless a later one has taken its place.
    fn forget(&mut self, party: u32, direction: Direction, at: EventTime) {
        self.0.retain(|leg| !(leg.is_of(party, direction) && leg.at == at));
    }
}

impl KnownLeg {
    fn is_of(&self, party: u32, direction: Direction) -> bool {
        self.party == party && self.direction == direction
    }
}

impl Tables {
    /// Gives back the transaction id of a row that is no longer remembered.
    pub(crate) fn forget_row(&mut self, party: u32, row: &Row) {
        self.txns.known_mut(row.txn).forget(party, row.direction(), row.at);
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
