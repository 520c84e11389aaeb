//! Strings as small numbers, per shard.
//!
//! Counterparty keys and transaction ids repeat; a row holds a number instead. A number is freed with its last reference and used again, so
//! it means nothing outside the shard and must never reach an alert or a snapshot: both hold the string itself.

use std::hash::{BuildHasher, Hash};

use compact_str::CompactString;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::chunks::Chunks;

/// No string.
pub(crate) const NONE: u32 = u32::MAX;

/// Reference-counted strings, with what is known of each.
#[derive(Debug, Default)]
pub(crate) struct Interner<T = ()> {
    index: HashTable<u32>,
    entries: Chunks<Entry<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Entry<T> {
    /// Inline up to 24 bytes, which most keys and ids are.
    text: CompactString,
    references: u32,
    /// Forgotten with the last reference.
    known: T,
}

/// The shard's hash of a text, or of something else: fixed, so that nothing depends on the process.
pub(crate) fn hash(what: impl Hash) -> u64 {
    FixedState::with_seed(0x7765_6972).hash_one(what)
}

impl<T: Default> Interner<T> {
    /// The number of `text`, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.find_hashed(hash(text), text)
    }

    /// The number of a text whose hash is `hashed`, or of another that the table takes for it at first sight.
    pub(crate) fn pointed(&self, hashed: u64) -> Option<u32> {
        self.index.find(hashed, |_| true).copied()
    }

    /// What the table points at for a number that goes with its next release.
    pub(crate) fn pointed_at_last(&self, id: u32) -> Option<u32> {
        let entry = self.entries.get(id as usize).filter(|entry| entry.references == 1)?;
        self.pointed(hash(&entry.text))
    }

    /// As [`Interner::find`], of a text whose hash is known.
    pub(crate) fn find_hashed(&self, hashed: u64, text: &str) -> Option<u32> {
        self.index.find(hashed, |id| self.entries[*id as usize].text == text).copied()
    }

    /// The number of `text`, with one more reference.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        self.intern_hashed(hash(text), text)
    }

    /// As [`Interner::intern`], of a text whose hash is known.
    pub(crate) fn intern_hashed(&mut self, hashed: u64, text: &str) -> u32 {
        if let Some(id) = self.find_hashed(hashed, text) {
            self.entries[id as usize].references += 1;
            return id;
        }
        let entry = Entry { text: CompactString::new(text), references: 1, known: T::default() };
        let id = match self.free.pop() {
            Some(id) => {
                self.entries[id as usize] = entry;
                id
            }
            None => {
                self.entries.push(entry);
                u32::try_from(self.entries.len() - 1).ok().filter(|id| *id != NONE).expect("fewer than 2^32 strings fit in memory")
            }
        };
        self.index.insert_unique(hashed, id, |id| hash(&self.entries[*id as usize].text));
        id
    }

    /// One reference less.
    pub(crate) fn release(&mut self, id: u32) {
        let entry = &mut self.entries[id as usize];
        assert!(entry.references > 0, "a string is released once per reference");
        entry.references -= 1;
        if entry.references > 0 {
            return;
        }
        let text = std::mem::take(&mut entry.text);
        entry.known = T::default();
        if let Ok(found) = self.index.find_entry(hash(&text), |other| *other == id) {
            found.remove();
        }
        self.free.push(id);
    }

    /// Numbers that were given back, in the order in which they are used again.
    pub(crate) fn vacant(&self) -> impl Iterator<Item = u32> {
        self.free.iter().rev().copied()
    }

    /// What is known of a number.
    pub(crate) fn known(&self, id: u32) -> &T {
        &self.entries[id as usize].known
    }

    pub(crate) fn known_mut(&mut self, id: u32) -> &mut T {
        &mut self.entries[id as usize].known
    }

    /// The text of a number; empty for [`NONE`].
    pub(crate) fn text(&self, id: u32) -> &str {
        if id == NONE { "" } else { &self.entries[id as usize].text }
    }
}

#[cfg(test)]
impl<T> Interner<T> {
    /// What a text takes, beside its place in the index.
    pub(crate) const ENTRY_BYTES: usize = size_of::<Entry<T>>();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_freed_with_its_last_reference() {
        let mut interner = Interner::<u32>::default();
        let first = interner.intern("T1");
        assert_eq!(interner.intern("T1"), first);
        *interner.known_mut(first) = 7;
        interner.release(first);
        assert_eq!(interner.find("T1"), Some(first));
        interner.release(first);
        assert_eq!(interner.find("T1"), None);
        assert_eq!(interner.intern("T2"), first, "the number is used again");
        assert_eq!((interner.text(first), *interner.known(first)), ("T2", 0), "and nothing is known of it");
    }
}
