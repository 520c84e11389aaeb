//! A list that grows without being moved.
//!
//! A bank has millions of parties and ids. A list that doubles is copied each time it does, which takes a leg a quarter of a second and for a while twice the
//! memory, the more so where the allocator cannot have the kernel move pages ([decision 0023](../../../docs/decisions/0023-the-allocator.md)).

use std::ops::{Index, IndexMut};

const SHIFT: u32 = 12;
const CHUNK: usize = 1 << SHIFT;

/// A list in chunks, all of which but the last are full.
#[derive(Debug)]
pub(crate) struct Chunks<T> {
    chunks: Vec<Vec<T>>,
}

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self { chunks: Vec::new() }
    }
}

impl<T> Chunks<T> {
    pub(crate) fn len(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    pub(crate) fn push(&mut self, item: T) {
        if self.chunks.last().is_none_or(|last| last.len() == CHUNK) {
            self.chunks.push(Vec::with_capacity(CHUNK));
        }
        self.chunks.last_mut().expect("one was added where there was none").push(item);
    }

    pub(crate) fn get(&self, at: usize) -> Option<&T> {
        self.chunks.get(at >> SHIFT)?.get(at & (CHUNK - 1))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.chunks.iter().flatten()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.chunks.iter_mut().flatten()
    }
}

impl<T> Index<usize> for Chunks<T> {
    type Output = T;

    fn index(&self, at: usize) -> &T {
        &self.chunks[at >> SHIFT][at & (CHUNK - 1)]
    }
}

impl<T> IndexMut<usize> for Chunks<T> {
    fn index_mut(&mut self, at: usize) -> &mut T {
        &mut self.chunks[at >> SHIFT][at & (CHUNK - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list() {
        let mut list = Chunks::default();
        assert_eq!((list.len(), list.get(0)), (0, None));
        (0..CHUNK * 2 + 1).for_each(|at| list.push(at));
        assert_eq!(
            (list.len(), list[CHUNK], list.get(CHUNK * 2), list.get(CHUNK * 2 + 1)),
            (CHUNK * 2 + 1, CHUNK, Some(&(CHUNK * 2)), None)
        );
        list[CHUNK - 1] = 7;
        list.iter_mut().for_each(|item| *item += 1);
        assert_eq!(list.iter().sum::<usize>(), CHUNK * (2 * CHUNK + 1) - (CHUNK - 1) + 7 + 2 * CHUNK + 1);
    }
}
