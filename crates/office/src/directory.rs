//! Names and accounts of parties, for people: the detector works without them.
//!
//! Party data come first; what they do not say is learned from the transactions. Every entry carries the number of the record it was learned
//! at, and an alert shows what was known at *its* record: what is written therefore does not depend on how a run was cut into batches and
//! shards. A party is learned where its legs go, so a directory lives in its shard and needs no lock. Where a party was found to be (its
//! division's basis) may change with party data; the latest two findings are kept, so that the one before is there for an earlier record of
//! the same batch.

use std::hash::BuildHasher;
use std::hint::black_box;
use std::ops::Range;

use compact_str::CompactString;
use foldhash::fast::FixedState;
use indexmap::IndexMap;
use indexmap::map::raw_entry_v1::RawEntryApiV1;
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;
use weir_model::division::DivisionBasis;

/// Accounts remembered of one party; a customer with more is an institution of its own.
const ACCOUNTS_MAX: usize = 200;

/// Sides looked up together, so that the processor waits for the memory of many at once.
const STRETCH: usize = 32;

/// What a record says of a party: nothing where a text is empty.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Key of the party.
    pub party: &'a str,
    /// Number of the record.
    pub record: u64,
    /// Name of the party.
    pub name: &'a str,
    /// Its account.
    pub account: &'a str,
    /// What decided its division.
    pub basis: DivisionBasis,
}

/// What transactions said of parties.
#[derive(Debug, Default)]
pub struct Directory {
    /// In the order in which they were met.
    parties: IndexMap<CompactString, Known, FixedState>,
}

/// What is known of one party.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Known {
    /// The first name seen: a later spelling does not rename a party within a run.
    name: Option<Entry>,
    /// In order of record. Mostly one, and it stands here: a leg that says nothing new costs one memory access.
    accounts: SmallVec<[Entry; 1]>,
    /// What decided its division: the present finding, and the record it holds from.
    #[serde(default)]
    basis: (DivisionBasis, u64),
    /// The finding before.
    #[serde(default)]
    basis_before: DivisionBasis,
}

impl Known {
    /// The record at which something was learned last.
    fn last_record(&self) -> u64 {
        let entries = self.name.iter().chain(self.accounts.last()).map(|entry| entry.record);
        entries.chain([self.basis.1]).max().unwrap_or(0)
    }

    /// What was known before `record`. Of findings the one before the last is kept without its record, so that one which was displaced since is
    /// forgotten.
    fn before(&self, record: u64) -> Self {
        let is_earlier = |entry: &&Entry| entry.record < record;
        let basis = if self.basis.1 < record { self.basis } else { (self.basis_before, 0) };
        Self {
            name: self.name.as_ref().filter(is_earlier).cloned(),
            accounts: self.accounts.iter().take_while(is_earlier).cloned().collect(),
            basis,
            basis_before: self.basis_before,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    text: CompactString,
    record: u64,
}

/// One party's row in a saved state.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SavedParty {
    party: CompactString,
    known: Known,
}

impl Directory {
    /// Learns from sides of records, which come in rising order.
    pub fn learn(&mut self, sides: &[Side<'_>]) {
        for stretch in sides.chunks(STRETCH) {
            let mut hashes = [0; STRETCH];
            stretch.iter().zip(&mut hashes).for_each(|(side, hashed)| *hashed = self.parties.hasher().hash_one(side.party));
            // Whom the table points at first is nearly always the one looked for.
            let pointed = hashes.map(|hashed| self.parties.raw_entry_v1().index_from_hash(hashed, |_| true));
            for (party, known) in pointed.into_iter().flatten().filter_map(|at| self.parties.get_index(at)) {
                black_box((party.len(), known.name.is_some(), known.accounts.len(), known.basis));
            }
            for ((side, hashed), pointed) in stretch.iter().zip(hashes).zip(pointed) {
                self.learn_side(side, hashed, pointed);
            }
        }
    }

    /// `pointed` is where the table pointed at first before the stretch; parties keep their numbers while others come.
    fn learn_side(&mut self, side: &Side<'_>, hashed: u64, pointed: Option<usize>) {
        let Side { party, record, name, account, basis } = *side;
        if name.is_empty() && account.is_empty() && basis == DivisionBasis::Unknown {
            return;
        }
        let is_it = |at: &usize| self.parties.get_index(*at).is_some_and(|(key, _)| key == party);
        let known = match pointed.filter(is_it) {
            Some(at) => &mut self.parties[at],
            None => {
                let entry = self.parties.raw_entry_mut_v1().from_key_hashed_nocheck(hashed, party);
                entry.or_insert_with(|| (party.into(), Known::default())).1
            }
        };
        if !name.is_empty() && known.name.is_none() {
            known.name = Some(Entry { text: name.into(), record });
        }
        if basis != DivisionBasis::Unknown && basis != known.basis.0 {
            known.basis_before = known.basis.0;
            known.basis = (basis, record);
        }
        let is_new = !account.is_empty() && !known.accounts.iter().any(|entry| &*entry.text == account);
        if is_new && known.accounts.len() < ACCOUNTS_MAX {
            known.accounts.push(Entry { text: account.into(), record });
        }
    }

    /// The name known at `record`; empty where none is.
    #[must_use]
    pub fn name(&self, party: &str, record: u64) -> &str {
        let name = self.parties.get(party).and_then(|known| known.name.as_ref());
        name.filter(|entry| entry.record <= record).map_or("", |entry| &entry.text)
    }

    /// The accounts known at `record`, sorted.
    #[must_use]
    pub fn accounts(&self, party: &str, record: u64) -> Vec<String> {
        let Some(known) = self.parties.get(party) else { return Vec::new() };
        let mut accounts: Vec<String> =
            known.accounts.iter().take_while(|entry| entry.record <= record).map(|entry| entry.text.to_string()).collect();
        accounts.sort();
        accounts
    }

    /// What decided the party's division, as known at `record`.
    #[must_use]
    pub fn basis(&self, party: &str, record: u64) -> DivisionBasis {
        let known = self.parties.get(party);
        known.map_or(DivisionBasis::Unknown, |known| if known.basis.1 <= record { known.basis.0 } else { known.basis_before })
    }

    /// All parties, in order, for a saved state.
    #[must_use]
    pub fn save(&self) -> Vec<SavedParty> {
        let mut rows: Vec<_> =
            self.parties.iter().map(|(party, known)| SavedParty { party: party.clone(), known: known.clone() }).collect();
        rows.sort_by(|a, b| a.party.cmp(&b.party));
        rows
    }

    /// Parties that something was learned of. They keep their numbers, and a new one has the next.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parties.len()
    }

    /// Whether nothing was learned yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parties.is_empty()
    }

    /// Those of the parties with these numbers of which something was learned at one of `records`, as they were known at the end of those: for a
    /// state that is saved a stretch at a time while more is learned. Numbers beyond the last are nobody's.
    pub fn save_some(&self, numbers: Range<usize>, records: Range<u64>) -> impl Iterator<Item = SavedParty> + '_ {
        let stretch = self.parties.get_range(numbers.start..numbers.end.min(self.parties.len()));
        let learned = stretch.into_iter().flatten().filter(move |(_, known)| known.last_record() >= records.start);
        learned.filter_map(move |(party, known)| {
            let known = if known.last_record() < records.end { known.clone() } else { known.before(records.end) };
            (known != Known::default()).then(|| SavedParty { party: party.clone(), known })
        })
    }

    /// Takes back a saved row, in the place of an older one.
    pub fn restore(&mut self, saved: SavedParty) {
        self.parties.insert(saved.party, saved.known);
    }
}

impl SavedParty {
    /// Whose row it is.
    #[must_use]
    pub fn party(&self) -> &str {
        &self.party
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side<'a>(party: &'a str, record: u64, name: &'a str, account: &'a str, basis: DivisionBasis) -> Side<'a> {
        Side { party, record, name, account, basis }
    }

    #[test]
    fn an_alert_sees_what_was_known_at_its_record() {
        let mut directory = Directory::default();
        directory.learn(&[side("c:1", 1, "", "A2", DivisionBasis::Record)]);
        directory.learn(&[side("c:1", 3, "甲公司", "A1", DivisionBasis::Unknown)]);
        directory.learn(&[side("c:1", 5, "乙公司", "A2", DivisionBasis::Operation)]);
        assert_eq!(directory.name("c:1", 2), "");
        assert_eq!(directory.name("c:1", 9), "甲公司");
        assert_eq!(directory.accounts("c:1", 2), ["A2"]);
        assert_eq!(directory.accounts("c:1", 3), ["A1", "A2"]);
        assert_eq!(directory.accounts("c:2", 3), [""; 0]);
        assert_eq!([1, 4, 5].map(|record| directory.basis("c:1", record).name()), ["record", "record", "operation"]);
        assert_eq!(directory.basis("c:2", 3), DivisionBasis::Unknown);
    }

    #[test]
    fn a_stretch_is_saved_as_it_was_known_at_its_end() {
        let mut directory = Directory::default();
        directory.learn(&[side("c:1", 1, "", "A2", DivisionBasis::Record)]);
        directory.learn(&[side("c:2", 2, "丙公司", "", DivisionBasis::Unknown)]);
        let then = directory.save();
        directory.learn(&[side("c:1", 3, "甲公司", "A1", DivisionBasis::Record)]);
        directory.learn(&[side("c:3", 4, "丁公司", "", DivisionBasis::Unknown)]);
        let restored = |saved: &mut dyn Iterator<Item = SavedParty>| {
            let mut directory = Directory::default();
            saved.for_each(|row| directory.restore(row));
            directory.save()
        };
        assert_eq!(restored(&mut directory.save_some(0..9, 0..3)), then, "what came later is not there");
        let parts = directory.save_some(0..1, 0..5).chain(directory.save_some(1..2, 0..5)).chain(directory.save_some(2..3, 0..5));
        assert_eq!(restored(&mut { parts }), directory.save(), "stretches make the whole");
        let whose: Vec<_> = directory.save_some(0..9, 3..5).map(|row| row.party).collect();
        assert_eq!(whose, ["c:1", "c:3"], "who has news");
        assert_eq!(directory.save_some(7..9, 0..5).count(), 0);

        directory.learn(&[side("c:1", 5, "", "", DivisionBasis::Operation)]);
        let mut earlier = Directory::default();
        directory.save_some(0..9, 0..5).for_each(|row| earlier.restore(row));
        assert_eq!(earlier.basis("c:1", 9).name(), "record", "the finding before the one that came later");
    }
}
