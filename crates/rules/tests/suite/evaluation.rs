//! The two readings of a condition agree: the Arrow expression that decides, and the typed tree that people and the oracle read.
//!
//! The interpreter here is naive on purpose: SQL's three-valued logic, written down once, over the tree. Random conditions and rows guard
//! against conversions that the planner or the simplifier might slip in.

use proptest::prelude::*;
use weir_model::alert::{Part, Parts};
use weir_rules::set::Comparison;
use weir_rules::{CATALOGUE, Formula, RuleSet, SlotBatch, Value, ValueType, Window, load};

use crate::support::{files, rule_of};

/// A value as a number; NULL is `None`.
fn number(set: &RuleSet, formula: &Formula, row: &[Value]) -> Option<i128> {
    let value = match formula {
        Formula::Literal(value) => *value,
        Formula::Call(call) => row[set.slot(call).expect("a slot")],
        other => panic!("{other:?} is no value"),
    };
    match value {
        Value::Null => None,
        Value::Int(n) | Value::Duration(n) => Some(n.into()),
        Value::Money(n) | Value::Ratio(n) => Some(n),
        Value::Bool(value) => Some(value.into()),
    }
}

fn and(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

fn or(left: Option<bool>, right: Option<bool>) -> Option<bool> {
    match (left, right) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        (Some(false), Some(false)) => Some(false),
        _ => None,
    }
}

fn interpret(set: &RuleSet, formula: &Formula, row: &[Value]) -> Option<bool> {
    match formula {
        Formula::Compare(comparison, left, right) => {
            let (left, right) = (number(set, left, row)?, number(set, right, row)?);
            Some(match comparison {
                Comparison::Equal => left == right,
                Comparison::NotEqual => left != right,
                Comparison::Less => left < right,
                Comparison::LessOrEqual => left <= right,
                Comparison::Greater => left > right,
                Comparison::GreaterOrEqual => left >= right,
            })
        }
        Formula::And(left, right) => and(interpret(set, left, row), interpret(set, right, row)),
        Formula::Or(left, right) => or(interpret(set, left, row), interpret(set, right, row)),
        Formula::Not(inner) => interpret(set, inner, row).map(|value| !value),
        Formula::Between(of, low, high) => {
            let of = number(set, of, row)?;
            Some(of >= number(set, low, row)? && of <= number(set, high, row)?)
        }
        Formula::In(of, list) => {
            let of = number(set, of, row)?;
            Some(list.iter().any(|item| number(set, item, row) == Some(of)))
        }
        Formula::IsNull(of) => Some(number(set, of, row).is_none()),
        Formula::Call(_) => number(set, formula, row).map(|value| value == 1),
        Formula::Literal(_) => panic!("a literal is no condition"),
    }
}

/// Feature calls of every type.
const CALLS: [(&str, ValueType); 8] = [
    ("natural_payers('14d')", ValueType::Int),
    ("in_count('36h')", ValueType::Int),
    ("amount_in('14d')", ValueType::Money),
    ("amount_out('30d')", ValueType::Money),
    ("pass_through('14d')", ValueType::Ratio),
    ("holding_time('14d')", ValueType::Duration),
    ("agreement('payroll')", ValueType::Bool),
    ("subject_is('natural')", ValueType::Bool),
];

/// A literal near the values that rows take, so that both outcomes and equality occur.
fn literal(kind: ValueType, n: u8) -> String {
    match kind {
        ValueType::Int => format!("{}", i32::from(n) - 2),
        ValueType::Money => format!("{}.{:02}", n / 2, n),
        ValueType::Ratio => format!("0.{n:06}"),
        ValueType::Duration => format!("'{}h'", n + 1),
        ValueType::Bool => unreachable!("never compared"),
    }
}

fn value(kind: ValueType, n: u8) -> Value {
    match kind {
        ValueType::Int => Value::Int(i64::from(n) - 2),
        ValueType::Money => Value::Money(i128::from(n / 2) * 100 + i128::from(n)),
        ValueType::Ratio => Value::Ratio(n.into()),
        ValueType::Duration => Value::Duration((i64::from(n) + 1) * 3_600_000_000),
        ValueType::Bool => Value::Bool(n > 3),
    }
}

fn leaf() -> impl Strategy<Value = String> {
    (0..CALLS.len(), 0_u8..7, 0_u8..8, 0_u8..8, any::<bool>()).prop_map(|(at, form, a, b, flip)| {
        let (call, kind) = CALLS[at];
        if kind == ValueType::Bool {
            return if form == 0 { format!("{call} IS NULL") } else { call.to_owned() };
        }
        let (x, y) = (literal(kind, a), literal(kind, b));
        let op = ["=", "<>", "<", "<=", ">", ">="][usize::from(b) % 6];
        match form {
            0 => format!("{call} IS {}NULL", if flip { "NOT " } else { "" }),
            1 => format!("{call} {}BETWEEN {x} AND {y}", if flip { "NOT " } else { "" }),
            2 => format!("{call} {}IN ({x}, {y}, {})", if flip { "NOT " } else { "" }, literal(kind, 5)),
            _ if flip => format!("{x} {op} {call}"),
            _ => format!("{call} {op} {x}"),
        }
    })
}

fn condition() -> impl Strategy<Value = String> {
    leaf().prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} OR {b}")),
            inner.prop_map(|a| format!("NOT ({a})")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn both_readings_agree(conditions in prop::collection::vec(condition(), 1..4), seeds in prop::collection::vec(prop::collection::vec(0_u8..9, 8), 1..40)) {
        let set = load(&[rule_of(&conditions)], &[]).unwrap_or_else(|p| panic!("{}", p.render(weir_rules::Lang::En, false))).rules;
        // 8 stands for NULL.
        let rows: Vec<Vec<Value>> = seeds
            .iter()
            .map(|seed| {
                let of = |(i, n): (usize, &u8)| if *n == 8 { Value::Null } else { value(CALLS[i].1, *n) };
                let named: Vec<Value> = seed.iter().enumerate().map(of).collect();
                let call = |slot: &weir_rules::FeatureCall| {
                    let name = slot.to_string().replace(", ", ",");
                    CALLS.iter().position(|(text, _)| text.replace('\'', "") == name).expect("one of them")
                };
                set.slots.iter().map(|slot| named[call(slot)]).collect()
            })
            .collect();
        let batch = SlotBatch::new(&set, rows.iter().map(Vec::as_slice).collect());
        // What gates keep out could not hit, and where they say all, what passes does.
        for row in &rows {
            let variant = &set.rules[0].variants[0];
            let hits = variant.require.iter().all(|condition| interpret(&set, &condition.formula, row) == Some(true));
            let passes = variant.gates.iter().all(|gate| gate.holds(row[gate.slot]));
            prop_assert!(passes || !hits, "{:?}", variant.gates);
            let say_all = variant.require.iter().all(|condition| condition.is_gated && condition.cheap);
            prop_assert!(hits || !passes || !say_all, "{:?}", variant.gates);
        }
        for condition in &set.rules[0].variants[0].require {
            let expected: Vec<Option<bool>> = rows.iter().map(|row| interpret(&set, &condition.formula, row)).collect();
            let decided: Vec<Option<bool>> = batch.evaluate(condition).iter().collect();
            prop_assert_eq!(&decided, &expected, "{}", condition.text);
            let one_by_one: Vec<Option<bool>> = rows.iter().map(|row| condition.outcome(row)).collect();
            prop_assert_eq!(&one_by_one, &expected, "{}", condition.text);
            let holds: Vec<bool> = rows.iter().map(|row| condition.holds(|slot| row[slot])).collect();
            prop_assert_eq!(holds, expected.iter().map(|outcome| *outcome == Some(true)).collect::<Vec<_>>(), "{}", condition.text);
            for leaf in condition.leaves() {
                let decided: Vec<Option<bool>> = batch.evaluate(&leaf).iter().collect();
                let expected: Vec<Option<bool>> = rows.iter().map(|row| interpret(&set, &leaf.formula, row)).collect();
                prop_assert_eq!(decided, expected, "{}", leaf.text);
            }
            let explained = set.explain(condition, &rows[0], Window::Days(30));
            prop_assert_eq!(explained.met, expected[0], "{}", condition.text);
            // The parts that people read come to the same.
            let outcomes = |parts: &[Part]| parts.iter().map(|part| part.met).collect::<Vec<_>>();
            let of_parts = match &explained.parts {
                Some(Parts::Any(parts)) => outcomes(parts).into_iter().reduce(or).flatten(),
                Some(Parts::All(parts)) => outcomes(parts).into_iter().reduce(and).flatten(),
                None => explained.met,
            };
            prop_assert_eq!(of_parts, expected[0], "{}", condition.text);
        }
    }
}

/// The literals of a formula.
fn literals(formula: &Formula, found: &mut Vec<Value>) {
    match formula {
        Formula::Literal(value) => found.push(*value),
        Formula::Call(_) => {}
        Formula::Compare(_, a, b) | Formula::And(a, b) | Formula::Or(a, b) => [a, b].into_iter().for_each(|part| literals(part, found)),
        Formula::Between(a, b, c) => [a, b, c].into_iter().for_each(|part| literals(part, found)),
        Formula::Not(inner) | Formula::IsNull(inner) => literals(inner, found),
        Formula::In(of, list) => std::iter::once(&**of).chain(list).for_each(|part| literals(part, found)),
    }
}

/// What a slot may be worth where a condition has these literals: each of its type, a step beside it, nothing.
fn worth(kind: ValueType, literals: &[Value]) -> Vec<Value> {
    let near = literals.iter().filter(|literal| literal.value_type() == Some(kind)).flat_map(|literal| {
        [-1, 0, 1].map(|step| match *literal {
            Value::Int(n) => Value::Int(n + step),
            Value::Duration(n) => Value::Duration(n + step),
            Value::Money(n) => Value::Money(n + i128::from(step)),
            Value::Ratio(n) => Value::Ratio(n + i128::from(step)),
            other => other,
        })
    });
    let plain = match kind {
        ValueType::Int => vec![Value::Int(0), Value::Int(7)],
        ValueType::Duration => vec![Value::Duration(0)],
        ValueType::Money => vec![Value::Money(0)],
        ValueType::Ratio => vec![Value::Ratio(0)],
        ValueType::Bool => vec![Value::Bool(false), Value::Bool(true)],
    };
    near.chain(plain).chain([Value::Null]).collect()
}

#[test]
fn the_shipped_conditions_are_read_alike() {
    let set = load(&files("../../../rules"), &[]).expect("the shipped rules are sound").rules;
    let variants = set.rules.iter().flat_map(|rule| &rule.variants);
    let conditions = variants.flat_map(|variant| {
        let excluded = variant.exclude.iter().map(|exclusion| &exclusion.when);
        variant.require.iter().chain(excluded).chain(variant.score.iter().map(|item| &item.when))
    });
    let mut state = 1_u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let mut outcomes = [0; 3];
    for condition in conditions {
        let mut found = Vec::new();
        literals(&condition.formula, &mut found);
        let worths: Vec<_> = condition.slots.iter().map(|slot| (*slot, worth(set.slots[*slot].feature.entry().result, &found))).collect();
        let mut row = || {
            let mut row = vec![Value::Null; set.slots.len()];
            for (slot, worth) in &worths {
                row[*slot] = worth[draw(worth.len())];
            }
            row
        };
        let rows: Vec<Vec<Value>> = (0..400).map(|_| row()).collect();
        let decided = SlotBatch::new(&set, rows.iter().map(Vec::as_slice).collect()).evaluate(condition);
        for (row, decided) in rows.iter().zip(&decided) {
            assert_eq!(condition.outcome(row), decided, "{}", condition.text);
            assert_eq!(interpret(&set, &condition.formula, row), decided, "{}", condition.text);
            assert_eq!(condition.holds(|slot| row[slot]), decided == Some(true), "{}", condition.text);
            outcomes[decided.map_or(2, usize::from)] += 1;
        }
    }
    assert!(outcomes.iter().all(|count| *count > 1_000), "false, true, NULL: {outcomes:?}");
}

#[test]
fn money_and_ratios_beyond_all_measure_are_still_compared() {
    let set = load(&[rule_of(&["amount_in('14d') >= 0.01 AND pass_through('14d') > 5".to_owned()])], &[]).expect("good").rules;
    let condition = &set.rules[0].variants[0].require[0];
    let rows = [[Value::Money(i128::MAX), Value::Ratio(i128::MAX)], [Value::Money(i128::MIN), Value::Ratio(i128::MAX)]];
    let batch = SlotBatch::new(&set, rows.iter().map(<[Value; 2]>::as_slice).collect());
    assert_eq!(batch.evaluate(condition).iter().collect::<Vec<_>>(), [Some(true), Some(false)]);
    assert_eq!(rows.each_ref().map(|row| condition.outcome(row)), [Some(true), Some(false)]);
}

/// What contradicts itself is false of a value and NULL of none: simplified, it would be false of both, and its opposite would hold.
#[test]
fn a_contradiction_about_what_is_not_known_is_not_known() {
    let contradiction = "holding_time('14d') IN ('6h') AND holding_time('14d') NOT IN ('1h', '6h')";
    let conditions = [contradiction.to_owned(), format!("NOT ({contradiction})")];
    let set = load(&[rule_of(&conditions)], &[]).expect("good").rules;
    let rows = [[Value::Null], [Value::Duration(6 * 3_600_000_000)]];
    let batch = SlotBatch::new(&set, rows.iter().map(<[Value; 1]>::as_slice).collect());
    for (condition, expected) in set.rules[0].variants[0].require.iter().zip([[None, Some(false)], [None, Some(true)]]) {
        assert_eq!(batch.evaluate(condition).iter().collect::<Vec<_>>(), expected, "{}", condition.text);
        assert_eq!(rows.each_ref().map(|row| condition.outcome(row)), expected, "{}", condition.text);
    }
}

#[test]
fn a_conjunction_of_comparisons_is_nothing_else() {
    let conditions = [
        ("in_count('14d') BETWEEN 3 AND 9 AND amount_in('14d') > 5", true),
        ("in_count('14d') >= 3 AND (in_count('7d') >= 3 OR in_count('7d') < 1)", false),
        ("NOT in_count('14d') >= 3", false),
        ("in_count('14d') >= in_count('7d')", false),
    ];
    let texts = conditions.map(|(text, _)| text.to_owned());
    let set = load(&[rule_of(&texts)], &[]).expect("good").rules;
    let found = set.rules[0].variants[0].require.iter().map(|condition| condition.is_gated);
    assert_eq!(found.collect::<Vec<_>>(), conditions.map(|(_, expected)| expected));
}

#[test]
fn equal_conditions_of_different_windows_are_not_confused() {
    let conditions = ["in_count('14d') >= 3", "in_count('7d') >= 3", "in_count('14d')  >=  3"].map(str::to_owned);
    let set = load(&[rule_of(&conditions)], &[]).expect("good").rules;
    let row: Vec<Value> = set.slots.iter().map(|slot| Value::Int(if slot.to_string().contains("14d") { 3 } else { 2 })).collect();
    let batch = SlotBatch::new(&set, vec![&row]);
    let decided = set.rules[0].variants[0].require.iter().map(|condition| batch.evaluate(condition).value(0));
    assert_eq!(decided.collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(CATALOGUE.len(), weir_rules::docs::features().len());
}
