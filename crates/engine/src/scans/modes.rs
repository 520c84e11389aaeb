//! The one most frequent amount: how many legs have it.

use weir_model::{Direction, Flags};

use super::Running;
use crate::row::Row;

/// Amounts of the counted legs of one direction that have an equivalent in CNY.
#[derive(Debug)]
pub(crate) struct Modes {
    direction: Direction,
    legs: usize,
    by_amount: hashbrown::HashMap<i64, usize, foldhash::fast::FixedState>,
    /// Amounts that so many legs have; the last is not 0.
    amounts_of: Vec<usize>,
}

impl Modes {
    /// Legs with the most frequent amount, and all.
    pub(crate) fn most_and_all(&self) -> (usize, usize) {
        (self.amounts_of.len().saturating_sub(1), self.legs)
    }

    fn is_of(&self, row: &Row) -> bool {
        row.is_counted() && row.direction() == self.direction && !row.has(Flags::UNCONVERTED)
    }
}

impl Running for Modes {
    type Of = Direction;

    fn anew(direction: Direction) -> Self {
        Self { direction, legs: 0, by_amount: hashbrown::HashMap::default(), amounts_of: Vec::new() }
    }

    fn add(&mut self, row: &Row) {
        if !self.is_of(row) {
            return;
        }
        let legs = self.by_amount.entry(row.amount).or_default();
        *legs += 1;
        if self.amounts_of.len() <= *legs {
            self.amounts_of.resize(*legs + 1, 0);
        }
        self.amounts_of[*legs] += 1;
        // Of amounts without a leg nothing is counted.
        self.amounts_of[*legs - 1] -= usize::from(*legs > 1);
        self.legs += 1;
    }

    fn remove(&mut self, row: &Row) {
        if !self.is_of(row) {
            return;
        }
        let legs = self.by_amount.get_mut(&row.amount).expect("what is removed was added");
        *legs -= 1;
        let left = *legs;
        if left == 0 {
            self.by_amount.remove(&row.amount);
        }
        self.amounts_of[left + 1] -= 1;
        self.amounts_of[left] += usize::from(left > 0);
        while self.amounts_of.last() == Some(&0) {
            self.amounts_of.pop();
        }
        self.legs -= 1;
    }
}
