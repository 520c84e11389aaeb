//! What the parties of a shard share: strings, identities, profiles, rare facts.
//!
//! Nothing here says anything about a party: it only saves memory. Sharing is invisible in every answer.

use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};
use weir_model::{Direction, EventTime, Profile};

use crate::intern::{Interner, NONE, hash};
use crate::row::{Extras, Row};
use crate::view::ProfileData;

/// Shared tables of a shard.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    /// Counterparty keys, one reference a pair.
    pub(crate) strings: Interner,
    /// Transaction ids, one reference a row that is remembered or a removal that waits.
    pub(crate) txns: Interner<Legs>,
    /// When the remembered rows were that do not stand beside their transaction's id: of groups, of other stretches than its first, and of all the others
    /// where a bank gives many transactions one id.
    other_legs: HashMap<Identity, Stretch, FixedState>,
    /// Foreign amounts and balances.
    pub(crate) extras: Extras,
    /// Every profile ever stamped.
    profiles: Vec<ProfileData>,
    profile_index: HashTable<u32>,
}

/// Two minutes of time, about: near enough to find a row in a long history, and half as large as a moment. No party remembers two rows of one
/// identity, so there is only one to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stretch(i32);

impl Stretch {
    /// 2^27 microseconds are 134 seconds.
    const SHIFT: u32 = 27;

    /// The stretch of a moment; those that no calendar has share the last or the first.
    pub(crate) fn of(at: EventTime) -> Self {
        let number = at.0 >> Self::SHIFT;
        Self(i32::try_from(number).unwrap_or(if number < 0 { i32::MIN } else { i32::MAX }))
    }
}

/// The remembered rows of a transaction: mostly two, payee's and payer's, of one moment. They stand beside its id, so that finding one costs no memory
/// access of its own; any others stand in a table.
#[derive(Debug)]
pub(crate) struct Legs {
    at: Stretch,
    /// Whose rows they are, In and Out; [`NONE`] for no row.
    parties: [u32; 2],
}

impl Default for Legs {
    fn default() -> Self {
        Self { at: Stretch::of(EventTime::MIN), parties: [NONE; 2] }
    }
}

/// What tells a row from all others: no party remembers two of one transaction and direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Identity {
    pub(crate) txn: u32,
    pub(crate) party: u32,
    pub(crate) direction: Direction,
}

impl Legs {
    /// Takes a row in if it is of the same stretch as the other and its place is free.
    fn take(&mut self, identity: Identity, at: Stretch) -> bool {
        let own = identity.direction as usize;
        let is_alone = self.parties[1 - own] == NONE;
        let may = self.parties[own] == NONE && (is_alone || self.at == at);
        if may {
            self.parties[own] = identity.party;
            self.at = at;
        }
        may
    }

    /// The place of a row, if it stands here.
    fn place(&mut self, identity: Identity) -> Option<&mut u32> {
        let place = &mut self.parties[identity.direction as usize];
        (*place == identity.party).then_some(place)
    }
}

impl Tables {
    /// About when a remembered row was: with that it is found in a long history.
    pub(crate) fn remembered(&self, identity: Identity) -> Option<Stretch> {
        let legs = self.txns.known(identity.txn);
        if legs.parties[identity.direction as usize] == identity.party {
            return Some(legs.at);
        }
        self.other_legs.get(&identity).copied()
    }

    /// Remembers a row, in the place of an older one of the same identity.
    pub(crate) fn remember(&mut self, identity: Identity, at: EventTime) {
        let at = Stretch::of(at);
        if let Some(older) = self.remembered(identity) {
            self.forget(identity, older);
        }
        if !self.txns.known_mut(identity.txn).take(identity, at) {
            self.other_legs.insert(identity, at);
        }
    }

    /// Forgets a row, unless a later one has taken its place.
    fn forget(&mut self, identity: Identity, at: Stretch) {
        if self.remembered(identity) != Some(at) {
            return;
        }
        match self.txns.known_mut(identity.txn).place(identity) {
            Some(place) => *place = NONE,
            None => _ = self.other_legs.remove(&identity),
        }
    }

    /// Gives back the transaction id of a row that is no longer remembered.
    pub(crate) fn forget_row(&mut self, party: u32, row: &Row) {
        self.forget(Identity { txn: row.txn, party, direction: row.direction() }, Stretch::of(row.at));
        self.txns.release(row.txn);
    }

    /// The number of a profile, which is nearly always that of the party's leg before.
    pub(crate) fn profile(&mut self, profile: &Profile<'_>, before: Option<u32>) -> u32 {
        if let Some(same) = before.filter(|before| self.profiles[*before as usize].matches(profile)) {
            return same;
        }
        let Self { profiles, profile_index, .. } = self;
        let hashed = hash(profile);
        if let Some(known) = profile_index.find(hashed, |other| profiles[*other as usize].matches(profile)) {
            return *known;
        }
        let next = u32::try_from(profiles.len()).expect("fewer than 2^32 profiles fit in memory");
        profiles.push(ProfileData::from(profile));
        profile_index.insert_unique(hashed, next, |other| hash(profiles[*other as usize].as_profile()));
        next
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_of_an_id_is_remembered_until_it_is_forgotten() {
        let mut tables = Tables::default();
        let txn = tables.txns.intern("T1");
        // Payee and payer, then a payer of another hour, and many more payees.
        let hour = |hours: i64| EventTime(hours * 3_600_000_000);
        let mut rows = vec![(7, Direction::In, 1), (8, Direction::Out, 1), (9, Direction::Out, 2)];
        rows.extend((10..100).map(|party| (party, Direction::In, 1)));
        let rows = rows.into_iter().map(|(party, direction, at)| (Identity { txn, party, direction }, hour(at)));
        let rows: Vec<(Identity, EventTime)> = rows.collect();
        rows.iter().for_each(|(identity, at)| tables.remember(*identity, *at));
        assert!(rows.iter().all(|(identity, at)| tables.remembered(*identity) == Some(Stretch::of(*at))));
        assert_eq!(tables.remembered(Identity { direction: Direction::Out, ..rows[0].0 }), None);

        tables.remember(rows[0].0, hour(5));
        tables.forget(rows[0].0, Stretch::of(hour(1)));
        assert_eq!(tables.remembered(rows[0].0), Some(Stretch::of(hour(5))), "a later one has taken its place");
        tables.forget(rows[0].0, Stretch::of(hour(5)));
        rows[1..].iter().for_each(|(identity, at)| tables.forget(*identity, Stretch::of(*at)));
        assert!(rows.iter().all(|(identity, _)| tables.remembered(*identity).is_none()) && tables.other_legs.is_empty());
    }

    #[test]
    fn a_later_moment_is_in_no_earlier_stretch() {
        let moments = [i64::MIN, -62_135_596_800_000_000, -1, 0, 1 << 27, 1_767_196_800_000_000, 253_402_300_799_999_999, i64::MAX];
        let stretches = moments.map(|at| Stretch::of(EventTime(at)));
        assert!(stretches.is_sorted() && stretches[3] != stretches[4] && stretches[6] < stretches[7], "{stretches:?}");
    }
}
