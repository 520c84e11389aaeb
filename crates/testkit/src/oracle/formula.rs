//! Conditions in SQL's three-valued logic: `None` is NULL.
//!
//! Reads the typed tree of a condition over values handed to it; computes none itself.

use std::cmp::Ordering;

use weir_rules::set::Comparison;
use weir_rules::{FeatureCall, Formula, Value};

/// The outcome of a condition.
pub(super) fn holds(formula: &Formula, value: &dyn Fn(&FeatureCall) -> Value) -> Option<bool> {
    match formula {
        Formula::And(a, b) => and(holds(a, value), holds(b, value)),
        Formula::Or(a, b) => or(holds(a, value), holds(b, value)),
        Formula::Not(a) => holds(a, value).map(|truth| !truth),
        Formula::Compare(op, a, b) => compare(*op, operand(a, value), operand(b, value)),
        Formula::Between(x, low, high) => {
            let x = operand(x, value);
            let above = compare(Comparison::GreaterOrEqual, x, operand(low, value));
            and(above, compare(Comparison::LessOrEqual, x, operand(high, value)))
        }
        Formula::In(x, list) => {
            let x = operand(x, value);
            let mut any = Some(false);
            for item in list {
                any = or(any, compare(Comparison::Equal, x, operand(item, value)));
            }
            any
        }
        Formula::IsNull(x) => Some(operand(x, value) == Value::Null),
        Formula::Literal(_) | Formula::Call(_) => truth(operand(formula, value)),
    }
}

/// The value of anything that may stand in a comparison; a condition there counts as its truth value.
fn operand(formula: &Formula, value: &dyn Fn(&FeatureCall) -> Value) -> Value {
    match formula {
        Formula::Literal(literal) => *literal,
        Formula::Call(call) => value(call),
        condition => holds(condition, value).map_or(Value::Null, Value::Bool),
    }
}

fn truth(value: Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(truth),
        _ => None,
    }
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn compare(op: Comparison, a: Value, b: Value) -> Option<bool> {
    let order = number(a)?.cmp(&number(b)?);
    Some(match op {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::NotEqual => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    })
}

/// Both sides of a comparison have one type, so its plain number says all.
fn number(value: Value) -> Option<i128> {
    match value {
        Value::Null => None,
        Value::Int(n) | Value::Duration(n) => Some(i128::from(n)),
        Value::Money(n) | Value::Ratio(n) => Some(n),
        Value::Bool(truth) => Some(i128::from(truth)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_rules::Feature;

    fn call(feature: Feature) -> Formula {
        Formula::Call(FeatureCall { feature, args: Vec::new() })
    }

    /// `amount_in` is NULL, everything else is 3.
    fn check(formula: &Formula, expected: Option<bool>) {
        let value = |call: &FeatureCall| if call.feature == Feature::AmountIn { Value::Null } else { Value::Int(3) };
        assert_eq!(holds(formula, &value), expected, "{formula:?}");
    }

    #[test]
    fn null_is_neither_true_nor_false() {
        let three = || Box::new(call(Feature::Payers));
        let null = || Box::new(call(Feature::AmountIn));
        let int = |n| Box::new(Formula::Literal(Value::Int(n)));
        let yes = || Box::new(Formula::Compare(Comparison::Equal, three(), int(3)));
        let unknown = || Box::new(Formula::Compare(Comparison::GreaterOrEqual, null(), int(0)));
        check(&unknown(), None);
        check(&Formula::Not(unknown()), None);
        check(&Formula::Or(unknown(), yes()), Some(true));
        check(&Formula::And(unknown(), yes()), None);
        check(&Formula::And(unknown(), Box::new(Formula::Not(yes()))), Some(false));
        check(&Formula::IsNull(null()), Some(true));
        check(&Formula::Between(three(), int(3), int(3)), Some(true));
        check(&Formula::Between(null(), int(3), int(3)), None);
        check(&Formula::Between(three(), null(), int(2)), Some(false));
        check(&Formula::In(three(), vec![*int(1), *int(3)]), Some(true));
        check(&Formula::In(three(), vec![*int(1), *null()]), None);
    }
}
