//! What the parties of a shard share: strings, identities, profiles, rare facts.
//!
//! Nothing here says anything about a party: it only saves memory. Sharing is invisible in every answer.

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use weir_model::{Direction, EventTime, Profile};

use crate::intern::Interner;
use crate::row::Extras;
use crate::view::ProfileData;

/// Shared tables of a shard.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Counterparty keys, one reference a pair.
    pub(crate) strings: Interner,
    /// Transaction ids, one reference a row that is remembered or a removal that waits.
    pub(crate) txns: Interner,
    /// (party, txn, direction) of every remembered row, and when it was: with the time a row is found in a long history.
    pub(crate) identities: HashMap<u64, EventTime, FixedState>,
    /// Foreign amounts and balances.
    pub(crate) extras: Extras,
    /// Every profile ever stamped.
    profiles: Vec<ProfileData>,
    profile_index: HashMap<ProfileData, u32, FixedState>,
    /// The profile stamped last: legs of one party come in runs.
    last_profile: u32,
}

/// An identity as one number. Transaction numbers stay below 2^31 (`Interner::intern`).
pub(crate) fn identity(party: u32, txn: u32, direction: Direction) -> u64 {
    u64::from(party) << 32 | u64::from(txn) << 1 | u64::from(direction == Direction::Out)
}

impl Tables {
    /// Forgets the identity of a row, unless a later row has taken it over.
    pub(crate) fn forget_identity(&mut self, identity: u64, at: EventTime) {
        if let Entry::Occupied(known) = self.identities.entry(identity)
            && *known.get() == at
        {
            known.remove();
        }
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
