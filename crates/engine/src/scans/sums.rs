//! Sums over single legs: how many, and how much, of some sort.

use weir_model::{Direction, Flags};

use super::Running;
use crate::intern::NONE;
use crate::row::Row;

/// What is summed: of counted legs, but for [`Measure::Extras`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Each leg is 1.
    Legs(Direction),
    /// Fen.
    Amount(Direction),
    /// Legs with a memo.
    Memos(Direction),
    /// Legs with a memo that has a tag, by its bit.
    Tagged(Direction, u8),
    /// Legs that have an equivalent in CNY.
    Converted(Direction),
    /// Live legs, counted or not, with something beside the row: a balance, or a foreign amount.
    Extras,
    /// Legs with an equivalent whose amount is a whole multiple of so many fen.
    Round(Direction, i64),
}

/// A sum.
#[derive(Debug)]
pub(crate) struct Sum {
    measure: Measure,
    value: i128,
}

impl Sum {
    pub(crate) fn value(&self) -> i128 {
        self.value
    }
}

impl Running for Sum {
    type Of = Measure;

    fn anew(measure: Measure) -> Self {
        Self { measure, value: 0 }
    }

    fn add(&mut self, row: &Row) {
        self.value += self.measure.of(row);
    }

    fn remove(&mut self, row: &Row) {
        self.value -= self.measure.of(row);
    }
}

impl Measure {
    fn of(self, row: &Row) -> i128 {
        let (Self::Legs(direction)
        | Self::Amount(direction)
        | Self::Memos(direction)
        | Self::Tagged(direction, _)
        | Self::Converted(direction)
        | Self::Round(direction, _)) = self
        else {
            return (row.is_live() && row.extra != NONE).into();
        };
        if !row.is_counted() || row.direction() != direction {
            return 0;
        }
        match self {
            Self::Legs(_) | Self::Extras => 1,
            Self::Amount(_) => row.amount.into(),
            Self::Memos(_) => row.has(Flags::HAS_MEMO).into(),
            Self::Tagged(_, bit) => (row.has(Flags::HAS_MEMO) && row.tags() >> bit & 1 == 1).into(),
            Self::Converted(_) => (!row.has(Flags::UNCONVERTED)).into(),
            Self::Round(_, unit) => (!row.has(Flags::UNCONVERTED) && row.amount % unit == 0).into(),
        }
    }
}
