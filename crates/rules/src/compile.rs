//! Conditions on Arrow: compiled predicates and their evaluation on batches of slot values, where there are many.
//!
//! A [`SlotBatch`] borrows rows. An Arrow array is made of a column when the first condition that reads it is evaluated, so that many rows
//! cost no more than what is asked of them; each predicate is evaluated over a batch of its own columns only, because DataFusion's
//! AND filters every column it is given. Equal predicates of different rules share one number and thus one evaluation. Combining the
//! outcomes of several conditions is the caller's business.

use std::cell::RefCell;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer};
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::catalogue::ValueType;
use crate::plan::{MONEY_SCALE, PRECISION, Planned, RATIO_SCALE};
use crate::set::{Condition, RuleSet, SlotId};
use crate::value::{FeatureCall, Value};

/// Sums never come near it; a value beyond would not fit 38 digits and is cut to them.
const DECIMAL_MAX: i128 = 10_i128.pow(37);

/// A condition as a physical expression over the columns of the rule set's slots.
#[derive(Debug, Clone)]
pub(crate) struct Predicate {
    /// A number that equal predicates of a rule set share.
    id: usize,
    expr: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// Slot of each column of `schema`.
    columns: Vec<SlotId>,
}

impl Predicate {
    /// Three-valued outcome for each of `rows` rows.
    fn evaluate(&self, columns: Vec<ArrayRef>, rows: usize) -> BooleanArray {
        let outcome = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(datafusion_common::DataFusionError::from)
            .and_then(|batch| self.expr.evaluate(&batch))
            .and_then(|value| value.into_array(rows))
            .expect("comparisons of equal types over columns of the planned schema cannot fail");
        outcome.as_boolean().clone()
    }
}

/// Numbers equal expressions alike.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    known: Vec<(Arc<dyn PhysicalExpr>, SchemaRef)>,
}

impl Interner {
    /// The compiled form of a planned expression whose columns are these slots.
    pub(crate) fn intern(&mut self, planned: &Planned, columns: Vec<SlotId>) -> Predicate {
        let found = self.known.iter().position(|(expr, schema)| **expr == *planned.expr && *schema == planned.schema);
        let id = found.unwrap_or_else(|| {
            self.known.push((Arc::clone(&planned.expr), Arc::clone(&planned.schema)));
            self.known.len() - 1
        });
        let (expr, schema) = self.known[id].clone();
        Predicate { id, expr, schema, columns }
    }
}

/// Rows of slot values waiting to be evaluated.
#[derive(Debug)]
pub struct SlotBatch<'a> {
    set: &'a RuleSet,
    rows: Vec<&'a [Value]>,
    /// Columns with their slots, as far as a condition has asked for them: few of the set's.
    columns: RefCell<Vec<(SlotId, ArrayRef)>>,
    /// Outcomes with the numbers of their predicates, likewise.
    outcomes: RefCell<Vec<(usize, BooleanArray)>>,
}

impl<'a> SlotBatch<'a> {
    /// Rows for the conditions of `set`: `row[slot]` for every slot a condition reads, NULL where the row's rules do not need the slot.
    #[must_use]
    pub fn new(set: &'a RuleSet, rows: Vec<&'a [Value]>) -> Self {
        Self { set, rows, columns: RefCell::default(), outcomes: RefCell::default() }
    }

    /// Outcome of a condition for every row: true, false, or NULL.
    ///
    /// # Panics
    /// When the condition reads a slot that a row has no value for, or belongs to another rule set, or a value is of another type than its
    /// slot: a fault of the caller.
    #[must_use]
    pub fn evaluate(&self, condition: &Condition) -> BooleanArray {
        let Some(predicate) = &condition.predicate else {
            return self.rows.iter().map(|row| condition.outcome(row)).collect();
        };
        known(&self.outcomes, predicate.id, || {
            let columns = predicate.columns.iter().map(|slot| self.column(*slot)).collect();
            predicate.evaluate(columns, self.rows.len())
        })
    }

    fn column(&self, slot: SlotId) -> ArrayRef {
        known(&self.columns, slot, || to_array(&self.set.slots[slot], self.rows.iter().map(|row| row[slot])))
    }
}

/// What stands under a key, made where nothing does.
fn known<T: Clone>(list: &RefCell<Vec<(usize, T)>>, key: usize, make: impl FnOnce() -> T) -> T {
    if let Some((_, found)) = list.borrow().iter().find(|(other, _)| *other == key) {
        return found.clone();
    }
    let made = make();
    list.borrow_mut().push((key, made.clone()));
    made
}

/// The values of one slot as an array.
fn to_array(call: &FeatureCall, values: impl ExactSizeIterator<Item = Value> + Clone) -> ArrayRef {
    let kind = call.feature.entry().result;
    let has_type = |value: &Value| value.value_type().is_none_or(|other| other == kind);
    assert!(values.clone().all(|value| has_type(&value)), "a value has the type of its slot");
    let nulls = values.clone().any(|value| value == Value::Null);
    let nulls = nulls.then(|| NullBuffer::from_iter(values.clone().map(|value| value != Value::Null)));
    let int = |value| if let Value::Int(n) | Value::Duration(n) = value { n } else { 0 };
    let decimal = |value| if let Value::Money(n) | Value::Ratio(n) = value { n.clamp(-DECIMAL_MAX, DECIMAL_MAX) } else { 0 };
    let decimals = |scale| {
        let array = Decimal128Array::new(values.clone().map(decimal).collect(), nulls.clone());
        Arc::new(array.with_precision_and_scale(PRECISION, scale).expect("38 digits with these scales are a valid type"))
    };
    match kind {
        ValueType::Int | ValueType::Duration => Arc::new(Int64Array::new(values.map(int).collect(), nulls)),
        ValueType::Money => decimals(MONEY_SCALE),
        ValueType::Ratio => decimals(RATIO_SCALE),
        ValueType::Bool => Arc::new(BooleanArray::new(values.map(|value| value == Value::Bool(true)).collect::<BooleanBuffer>(), nulls)),
    }
}
