//! A condition on one row of slot values: SQL's three-valued logic over the typed tree, with slots in the place of calls.
//!
//! Rows come to costly features a few at a time, and Arrow has a price for every condition before it looks at a row: one row is decided here, many
//! are Arrow's ([`crate::compile`]). A value is asked for only where the outcome rests on it, so that no window is scanned for what an
//! agreement that is not there would have excluded. That both readings say the same is held by `tests/suite/evaluation.rs`. Nothing here is
//! converted: both sides of a comparison have one type.

use std::cmp::Ordering;

use crate::set::{Comparison, Formula, SlotId};
use crate::value::{FeatureCall, Value};

/// True, false, or NULL (`None`) for a row.
#[derive(Debug, Clone)]
pub(crate) enum Logic {
    /// A yes-or-no value.
    Truth(Term),
    Compare(Comparison, Term, Term),
    Between(Term, Term, Term),
    In(Term, Vec<Term>),
    IsNull(Term),
    Not(Box<Logic>),
    And(Box<Logic>, Box<Logic>),
    Or(Box<Logic>, Box<Logic>),
}

/// What stands in a comparison.
#[derive(Debug, Clone)]
pub(crate) enum Term {
    Slot(SlotId),
    Literal(Value),
}

impl Logic {
    /// Of a formula whose calls have slots.
    ///
    /// # Panics
    /// Where a condition stands in the place of a value: the reader of conditions lets none through.
    pub(crate) fn of(formula: &Formula, slot: &dyn Fn(&FeatureCall) -> SlotId) -> Self {
        let logic = |formula: &Formula| Box::new(Self::of(formula, slot));
        let term = |formula: &Formula| match formula {
            Formula::Literal(value) => Term::Literal(*value),
            Formula::Call(call) => Term::Slot(slot(call)),
            other => unreachable!("{other} is no value"),
        };
        match formula {
            Formula::Literal(_) | Formula::Call(_) => Self::Truth(term(formula)),
            Formula::Compare(comparison, left, right) => Self::Compare(*comparison, term(left), term(right)),
            Formula::Between(of, low, high) => Self::Between(term(of), term(low), term(high)),
            Formula::In(of, list) => Self::In(term(of), list.iter().map(term).collect()),
            Formula::IsNull(of) => Self::IsNull(term(of)),
            Formula::Not(inner) => Self::Not(logic(inner)),
            Formula::And(left, right) => Self::And(logic(left), logic(right)),
            Formula::Or(left, right) => Self::Or(logic(left), logic(right)),
        }
    }

    /// Over the values of slots, asked for where they matter.
    pub(crate) fn outcome(&self, value: &mut dyn FnMut(SlotId) -> Value) -> Option<bool> {
        match self {
            Self::Truth(of) => match of.value(value) {
                Value::Bool(truth) => Some(truth),
                _ => None,
            },
            Self::Compare(comparison, left, right) => compare(*comparison, left.value(value), right.value(value)),
            Self::Between(of, low, high) => {
                let of = of.value(value);
                let is_above = compare(Comparison::GreaterOrEqual, of, low.value(value));
                and(is_above, || compare(Comparison::LessOrEqual, of, high.value(value)))
            }
            Self::In(of, list) => {
                let of = of.value(value);
                let mut found = Some(false);
                for item in list {
                    found = or(found, || compare(Comparison::Equal, of, item.value(value)));
                }
                found
            }
            Self::IsNull(of) => Some(of.value(value) == Value::Null),
            Self::Not(inner) => inner.outcome(value).map(|truth| !truth),
            Self::And(left, right) => and(left.outcome(value), || right.outcome(value)),
            Self::Or(left, right) => or(left.outcome(value), || right.outcome(value)),
        }
    }

    /// Whether the outcome is true: of AND, a side that is not true is enough to know.
    pub(crate) fn holds(&self, value: &mut dyn FnMut(SlotId) -> Value) -> bool {
        match self {
            Self::And(left, right) => left.holds(value) && right.holds(value),
            Self::Or(left, right) => left.holds(value) || right.holds(value),
            _ => self.outcome(value) == Some(true),
        }
    }
}

impl Term {
    fn value(&self, value: &mut dyn FnMut(SlotId) -> Value) -> Value {
        match self {
            Self::Slot(slot) => value(*slot),
            Self::Literal(literal) => *literal,
        }
    }
}

/// SQL's AND; the right side is asked where it matters.
pub(crate) fn and(left: Option<bool>, right: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match left {
        Some(false) => Some(false),
        Some(true) => right(),
        None => right().filter(|truth| !truth),
    }
}

/// SQL's OR, likewise.
pub(crate) fn or(left: Option<bool>, right: impl FnOnce() -> Option<bool>) -> Option<bool> {
    match left {
        Some(true) => Some(true),
        Some(false) => right(),
        None => right().filter(|truth| *truth),
    }
}

/// NULL where either side is, or where they are of different types, which does not happen.
pub(crate) fn compare(comparison: Comparison, left: Value, right: Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Int(left), Value::Int(right)) | (Value::Duration(left), Value::Duration(right)) => left.cmp(&right),
        (Value::Money(left), Value::Money(right)) | (Value::Ratio(left), Value::Ratio(right)) => left.cmp(&right),
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    })
}
