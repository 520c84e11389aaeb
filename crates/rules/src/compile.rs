//! Conditions on Arrow: compiled predicates and their evaluation on batches of slot values.
//!
//! A [`SlotBatch`] keeps rows column by column in plain vectors. An Arrow array is made of a column when the first condition that reads it
//! is evaluated, and kept until the next row comes; each predicate is evaluated over a batch of its own columns only, because DataFusion's
//! AND filters every column it is given. Equal predicates of different rules share one number and thus one evaluation. Combining the
//! outcomes of several conditions is the caller's business.

use std::cell::{Cell, OnceCell};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Int64Array, RecordBatch};
use arrow::buffer::{BooleanBuffer, NullBuffer, ScalarBuffer};
use arrow::datatypes::SchemaRef;
use datafusion_physical_expr::PhysicalExpr;

use crate::catalogue::ValueType;
use crate::plan::{MONEY_SCALE, PRECISION, Planned, RATIO_SCALE};
use crate::set::{Condition, Formula, RuleSet, SlotId};
use crate::value::{FeatureCall, Value};

/// Sums never come near it; a value beyond would not fit 38 digits and is cut to them.
const DECIMAL_MAX: i128 = 10_i128.pow(37);

/// A compiled condition over the columns of the rule set's slots.
#[derive(Debug)]
pub struct Predicate {
    pub(crate) whole: Compiled,
    /// Its comparisons one by one, in both readings; empty where the condition is a single one.
    pub(crate) leaves: Vec<(Formula, Compiled)>,
}

impl Predicate {
    /// A number that equal predicates of a rule set share, below [`RuleSet::predicates`].
    #[must_use]
    pub fn id(&self) -> usize {
        self.whole.id
    }
}

/// A physical expression and where its columns come from.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    id: usize,
    expr: Arc<dyn PhysicalExpr>,
    schema: SchemaRef,
    /// Slot of each column of `schema`.
    columns: Vec<SlotId>,
}

impl Compiled {
    /// Three-valued outcome for each of `rows` rows.
    fn evaluate(&self, columns: Vec<ArrayRef>, rows: usize) -> BooleanArray {
        let outcome = RecordBatch::try_new(Arc::clone(&self.schema), columns)
            .map_err(datafusion_common::DataFusionError::from)
            .and_then(|batch| self.expr.evaluate(&batch))
            .and_then(|value| value.into_array(rows))
            .expect("comparisons of equal types over columns of the planned schema cannot fail");
        outcome.as_boolean().clone()
    }

    /// The outcome for one row of slot values; `None` for NULL.
    pub(crate) fn evaluate_row(&self, slots: &[FeatureCall], values: &[Value]) -> Option<bool> {
        let columns = self
            .columns
            .iter()
            .map(|slot| {
                let mut column = Column::new(&slots[*slot]);
                column.push(values[*slot]);
                column.to_array()
            })
            .collect();
        let outcome = self.evaluate(columns, 1);
        outcome.is_valid(0).then(|| outcome.value(0))
    }
}

/// Numbers equal expressions alike.
#[derive(Debug, Default)]
pub(crate) struct Interner {
    known: Vec<(Arc<dyn PhysicalExpr>, SchemaRef)>,
}

impl Interner {
    /// The compiled form of a planned expression whose columns are these slots.
    pub(crate) fn intern(&mut self, planned: &Planned, columns: Vec<SlotId>) -> Compiled {
        let found = self.known.iter().position(|(expr, schema)| **expr == *planned.expr && *schema == planned.schema);
        let id = found.unwrap_or_else(|| {
            self.known.push((Arc::clone(&planned.expr), Arc::clone(&planned.schema)));
            self.known.len() - 1
        });
        let (expr, schema) = self.known[id].clone();
        Compiled { id, expr, schema, columns }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.known.len()
    }
}

/// Rows of slot values, column by column, waiting to be evaluated.
#[derive(Debug)]
pub struct SlotBatch {
    columns: Vec<Column>,
    rows: usize,
    /// Outcome by predicate number, kept until the rows change.
    outcomes: Vec<OnceCell<BooleanArray>>,
    /// Whether an array or an outcome is kept: most pushes follow another push and have nothing to forget.
    evaluated: Cell<bool>,
}

impl SlotBatch {
    /// Columns for all slots of `set`, or for its cheap ones only.
    #[must_use]
    pub fn new(set: &RuleSet, cheap_only: bool) -> Self {
        let slots = if cheap_only { &set.slots[..set.cheap_slots] } else { &set.slots[..] };
        let outcomes = std::iter::repeat_with(OnceCell::new).take(set.predicates).collect();
        Self { columns: slots.iter().map(Column::new).collect(), rows: 0, outcomes, evaluated: Cell::new(false) }
    }

    /// Appends a row; `values[slot]` for every column, NULL where the row's rules do not need the slot. Further values are ignored.
    ///
    /// # Panics
    /// When `values` is shorter than the columns, or a value is of another type than its slot: a fault of the caller.
    pub fn push(&mut self, values: &[Value]) {
        assert!(values.len() >= self.columns.len(), "a row has a value for every column");
        self.forget();
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(*value);
        }
        self.rows += 1;
    }

    /// Rows so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Drops all rows, keeps the memory.
    pub fn clear(&mut self) {
        self.forget();
        for column in &mut self.columns {
            column.clear();
        }
        self.rows = 0;
    }

    /// Drops what was made of the rows so far.
    fn forget(&mut self) {
        if !self.evaluated.replace(false) {
            return;
        }
        for column in &mut self.columns {
            column.array.take();
        }
        for outcome in &mut self.outcomes {
            outcome.take();
        }
    }

    /// Outcome of a condition for every row: true, false, or NULL.
    ///
    /// # Panics
    /// When the condition reads a slot this batch has no column for, or belongs to another rule set: a fault of the caller.
    #[must_use]
    pub fn evaluate(&self, condition: &Condition) -> BooleanArray {
        let compiled = &condition.predicate.whole;
        self.evaluated.set(true);
        let outcome = self.outcomes[compiled.id].get_or_init(|| {
            let columns = compiled.columns.iter().map(|slot| self.columns[*slot].array()).collect();
            compiled.evaluate(columns, self.rows)
        });
        outcome.clone()
    }
}

/// The values of one slot.
#[derive(Debug)]
struct Column {
    kind: ValueType,
    values: Values,
    valid: Vec<bool>,
    array: OnceCell<ArrayRef>,
}

#[derive(Debug)]
enum Values {
    Int(Vec<i64>),
    Decimal(Vec<i128>, i8),
    Bool(Vec<bool>),
}

impl Column {
    fn new(call: &FeatureCall) -> Self {
        let kind = call.feature.entry().result;
        let values = match kind {
            ValueType::Int | ValueType::Duration => Values::Int(Vec::new()),
            ValueType::Money => Values::Decimal(Vec::new(), MONEY_SCALE),
            ValueType::Ratio => Values::Decimal(Vec::new(), RATIO_SCALE),
            ValueType::Bool => Values::Bool(Vec::new()),
        };
        Self { kind, values, valid: Vec::new(), array: OnceCell::new() }
    }

    fn push(&mut self, value: Value) {
        match (&mut self.values, value) {
            (Values::Int(values), Value::Int(n) | Value::Duration(n)) => values.push(n),
            (Values::Decimal(values, _), Value::Money(n) | Value::Ratio(n)) => values.push(n.clamp(-DECIMAL_MAX, DECIMAL_MAX)),
            (Values::Bool(values), Value::Bool(value)) => values.push(value),
            (Values::Int(values), _) => values.push(0),
            (Values::Decimal(values, _), _) => values.push(0),
            (Values::Bool(values), _) => values.push(false),
        }
        let kind = value.value_type();
        assert!(kind.is_none_or(|kind| kind == self.kind), "a value has the type of its slot");
        self.valid.push(kind.is_some());
    }

    fn clear(&mut self) {
        match &mut self.values {
            Values::Int(values) => values.clear(),
            Values::Decimal(values, _) => values.clear(),
            Values::Bool(values) => values.clear(),
        }
        self.valid.clear();
    }

    fn array(&self) -> ArrayRef {
        Arc::clone(self.array.get_or_init(|| self.to_array()))
    }

    fn to_array(&self) -> ArrayRef {
        let nulls = self.valid.contains(&false).then(|| NullBuffer::from(self.valid.as_slice()));
        match &self.values {
            Values::Int(values) => Arc::new(Int64Array::new(ScalarBuffer::from(values.clone()), nulls)),
            Values::Decimal(values, scale) => Arc::new(
                Decimal128Array::new(ScalarBuffer::from(values.clone()), nulls)
                    .with_precision_and_scale(PRECISION, *scale)
                    .expect("38 digits with these scales are a valid type"),
            ),
            Values::Bool(values) => Arc::new(BooleanArray::new(BooleanBuffer::from(values.as_slice()), nulls)),
        }
    }
}
