//! Strings as small numbers, per shard.
//!
//! Counterparty keys and transaction ids repeat; a row holds a number instead. A number is freed with its last reference and used again, so
//! it means nothing outside the shard and must never reach an alert or a snapshot: both hold the string itself.

use std::hash::BuildHasher;

use compact_str::CompactString;
use foldhash::fast::FixedState;
use hashbrown::HashTable;

/// No string.
pub(crate) const NONE: u32 = u32::MAX;

/// Reference-counted strings.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    index: HashTable<u32>,
    entries: Vec<Entry>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Entry {
    /// Inline up to 24 bytes, which most keys and ids are.
    text: CompactString,
    references: u32,
}

/// The shard's hash of a text: fixed, so that nothing depends on the process.
pub(crate) fn hash(text: &str) -> u64 {
    FixedState::with_seed(0x7765_6972).hash_one(text)
}

impl Interner {
    /// The number of `text`, if it has one.
    pub(crate) fn find(&self, text: &str) -> Option<u32> {
        self.index.find(hash(text), |id| self.entries[*id as usize].text == text).copied()
    }

    /// The number of `text`, with one more reference.
    pub(crate) fn intern(&mut self, text: &str) -> u32 {
        if let Some(id) = self.find(text) {
            self.entries[id as usize].references += 1;
            return id;
        }
        let entry = Entry { text: CompactString::new(text), references: 1 };
        let id = match self.free.pop() {
            Some(id) => {
                self.entries[id as usize] = entry;
                id
            }
            None => {
                self.entries.push(entry);
                // 2^31 strings are more than any shard's memory holds; identities pack a number into 31 bits.
                u32::try_from(self.entries.len() - 1).ok().filter(|id| *id < 1 << 31).expect("fewer than 2^31 strings fit in memory")
            }
        };
        self.index.insert_unique(hash(text), id, |id| hash(&self.entries[*id as usize].text));
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
        if let Ok(found) = self.index.find_entry(hash(&text), |other| *other == id) {
            found.remove();
        }
        self.free.push(id);
    }

    /// The text of a number; empty for [`NONE`].
    pub(crate) fn text(&self, id: u32) -> &str {
        if id == NONE { "" } else { &self.entries[id as usize].text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_freed_with_its_last_reference() {
        let mut interner = Interner::default();
        let first = interner.intern("T1");
        assert_eq!(interner.intern("T1"), first);
        interner.release(first);
        assert_eq!(interner.find("T1"), Some(first));
        interner.release(first);
        assert_eq!(interner.find("T1"), None);
        assert_eq!(interner.intern("T2"), first, "the number is used again");
        assert_eq!(interner.text(first), "T2");
    }
}
