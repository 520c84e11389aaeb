//! Conditions on Arrow: from a bound SQL expression to a DataFusion physical expression, and its evaluation on batches of slot values.

use arrow::array::BooleanArray;

use crate::set::{Condition, RuleSet, SlotId};
use crate::value::Value;

/// A compiled condition over the columns of the rule set's slots.
#[derive(Debug)]
pub struct Predicate {}

/// Rows of slot values, column by column, waiting to be evaluated.
#[derive(Debug)]
pub struct SlotBatch {}

impl SlotBatch {
    /// Columns for all slots of `set`, or for its cheap ones only.
    #[must_use]
    pub fn new(_set: &RuleSet, _cheap_only: bool) -> Self {
        Self {}
    }

    /// Appends a row; `values[slot]` for every column, NULL where the row's rules do not need the slot.
    pub fn push(&mut self, _values: &[Value]) {}

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        0
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        true
    }

    /// Drops all rows, keeps the memory.
    pub fn clear(&mut self) {}

    /// Outcome of a condition for every row: true, false, or NULL.
    #[must_use]
    pub fn evaluate(&self, _condition: &Condition) -> BooleanArray {
        BooleanArray::from(Vec::<bool>::new())
    }
}

/// What one condition measured on one row, as people read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The left side of a comparison (of the first one, in a condition with several).
    pub measured: Option<String>,
    /// Its right side.
    pub threshold: Option<String>,
    /// The outcome.
    pub met: Option<bool>,
    /// One sentence in Chinese, built from the features' names, the values and the outcome.
    pub explain: String,
}

impl RuleSet {
    /// Evaluates a condition on one row of slot values with the same compiled expression that decides, and says what it measured.
    #[must_use]
    pub fn explain(&self, _condition: &Condition, _values: &[Value]) -> Explained {
        Explained { measured: None, threshold: None, met: None, explain: String::new() }
    }

    /// The slot of a call.
    #[must_use]
    pub fn slot(&self, call: &crate::value::FeatureCall) -> Option<SlotId> {
        self.slots.iter().position(|slot| slot == call)
    }
}
