//! Comparisons that never hold together: of one call, at least 15 and at most 10.
//!
//! Only conjunctions of comparisons of calls with literals are looked at: what an OR leaves open stays open. A value is whole in its smallest
//! unit, so that more than 7 is at least 8. Whatever is found can never be; what is not found may still be impossible for other reasons.

use std::collections::BTreeMap;

use crate::expression::number;
use crate::set::{Comparison, Formula};
use crate::value::FeatureCall;

/// Two comparisons of one call that never hold together, the earlier one first.
pub(crate) type Pair<'a> = [&'a Formula; 2];

/// What the members of a conjunction have said of their calls so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct Said<'a>(BTreeMap<&'a FeatureCall, Bounds<'a>>);

/// Of one call, each with the comparison that says it.
#[derive(Debug, Clone, Copy, Default)]
struct Bounds<'a> {
    low: Option<(i128, &'a Formula)>,
    high: Option<(i128, &'a Formula)>,
    /// It has a value at all.
    known: Option<&'a Formula>,
    /// It has none.
    null: Option<&'a Formula>,
}

impl<'a> Said<'a> {
    /// Adds a member. The first of its comparisons that never holds with something said before, or with another of its own; what comes behind it
    /// is then not added.
    pub(crate) fn add(&mut self, formula: &'a Formula) -> Option<Pair<'a>> {
        match formula {
            Formula::And(left, right) => self.add(left).or_else(|| self.add(right)),
            Formula::Compare(comparison, of, with) => self.compare(*comparison, of, with, formula),
            Formula::Between(of, low, high) => {
                let (Formula::Call(call), Some(low), Some(high)) = (&**of, literal(low), literal(high)) else { return None };
                // A range that ends before it begins is told as always false.
                if low > high { None } else { self.bound(call, Some(low), Some(high), formula) }
            }
            Formula::In(of, list) => {
                let Formula::Call(call) = &**of else { return None };
                let numbers = || list.iter().filter_map(literal);
                self.bound(call, numbers().min(), numbers().max(), formula)
            }
            Formula::Call(call) => self.bound(call, Some(1), Some(1), formula),
            Formula::IsNull(of) => {
                let Formula::Call(call) = &**of else { return None };
                let bounds = self.0.entry(call).or_default();
                bounds.null = Some(formula);
                bounds.known.map(|other| [other, formula])
            }
            Formula::Not(inner) => match &**inner {
                Formula::Call(call) => self.bound(call, Some(0), Some(0), formula),
                Formula::Compare(comparison, of, with) => self.compare(opposite(*comparison), of, with, formula),
                // Not true of a value that is missing, whatever the range.
                Formula::IsNull(of) | Formula::Between(of, ..) | Formula::In(of, _) => {
                    let Formula::Call(call) = &**of else { return None };
                    self.bound(call, None, None, formula)
                }
                _ => None,
            },
            Formula::Or(..) | Formula::Literal(_) => None,
        }
    }

    /// Says that a comparison of a call with a literal holds; of anything else nothing.
    fn compare(&mut self, comparison: Comparison, of: &'a Formula, with: &'a Formula, by: &'a Formula) -> Option<Pair<'a>> {
        let (Formula::Call(call), Some(value)) = (of, literal(with)) else { return None };
        let (low, high) = range(comparison, value);
        self.bound(call, low, high, by)
    }

    /// Says that a call has a value, within these bounds.
    fn bound(&mut self, call: &'a FeatureCall, low: Option<i128>, high: Option<i128>, by: &'a Formula) -> Option<Pair<'a>> {
        let bounds = self.0.entry(call).or_default();
        if let Some(other) = bounds.null {
            return Some([other, by]);
        }
        bounds.known = bounds.known.or(Some(by));
        if let (Some(low), Some((high, other))) = (low, bounds.high)
            && low > high
        {
            return Some([other, by]);
        }
        if let (Some(high), Some((low, other))) = (high, bounds.low)
            && low > high
        {
            return Some([other, by]);
        }
        if let Some(low) = low.filter(|low| bounds.low.is_none_or(|(before, _)| *low > before)) {
            bounds.low = Some((low, by));
        }
        if let Some(high) = high.filter(|high| bounds.high.is_none_or(|(before, _)| *high < before)) {
            bounds.high = Some((high, by));
        }
        None
    }
}

/// Two comparisons that never hold together in some conjunction within a condition.
pub(crate) fn within(formula: &Formula) -> Option<Pair<'_>> {
    Said::default().add(formula).or_else(|| match formula {
        Formula::And(left, right) | Formula::Or(left, right) => within(left).or_else(|| within(right)),
        Formula::Not(inner) => within(inner),
        _ => None,
    })
}

/// The number inside a literal.
fn literal(formula: &Formula) -> Option<i128> {
    if let Formula::Literal(value) = formula { Some(number(*value)) } else { None }
}

/// What is true of a value exactly where a comparison is false.
fn opposite(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal => Comparison::NotEqual,
        Comparison::NotEqual => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    }
}

/// Least and greatest value of which a comparison is true.
fn range(comparison: Comparison, with: i128) -> (Option<i128>, Option<i128>) {
    match comparison {
        Comparison::Equal => (Some(with), Some(with)),
        Comparison::NotEqual => (None, None),
        Comparison::Less => (None, Some(with.saturating_sub(1))),
        Comparison::LessOrEqual => (None, Some(with)),
        Comparison::Greater => (Some(with.saturating_add(1)), None),
        Comparison::GreaterOrEqual => (Some(with), None),
    }
}

#[cfg(test)]
mod tests {
    use weir_model::Span;

    use super::*;
    use crate::catalogue::Feature;
    use crate::value::{Arg, Value, Window};

    fn call() -> Box<Formula> {
        let args = vec![Arg::Window(Window::Exact(Span::days(14)))];
        Box::new(Formula::Call(FeatureCall { feature: Feature::InCount, args }))
    }

    fn is(comparison: Comparison, n: i64) -> Box<Formula> {
        Box::new(Formula::Compare(comparison, call(), int(n)))
    }

    fn int(n: i64) -> Box<Formula> {
        Box::new(Formula::Literal(Value::Int(n)))
    }

    fn not(formula: Box<Formula>) -> Box<Formula> {
        Box::new(Formula::Not(formula))
    }

    fn among(numbers: &[i64]) -> Box<Formula> {
        Box::new(Formula::In(call(), numbers.iter().map(|n| *int(*n)).collect()))
    }

    fn between(low: i64, high: i64) -> Box<Formula> {
        Box::new(Formula::Between(call(), int(low), int(high)))
    }

    fn missing() -> Box<Formula> {
        Box::new(Formula::IsNull(call()))
    }

    #[test]
    fn what_never_holds_together_is_found_and_nothing_else() {
        use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
        for (left, right, is_possible) in [
            (is(GreaterOrEqual, 3), is(LessOrEqual, 3), true),
            (is(GreaterOrEqual, 4), is(LessOrEqual, 3), false),
            (is(Greater, 3), is(Less, 5), true),
            (is(Greater, 3), is(Less, 4), false),
            (is(Equal, 3), is(Equal, 3), true),
            (is(Equal, 3), is(Equal, 4), false),
            (is(Equal, 3), is(NotEqual, 4), true),
            (is(Less, 4), missing(), false),
            (not(missing()), is(Less, 4), true),
            (not(is(GreaterOrEqual, 3)), is(GreaterOrEqual, 3), false),
            (not(is(Less, 3)), is(LessOrEqual, 3), true),
            (not(is(Greater, 3)), is(Equal, 4), false),
            (not(is(LessOrEqual, 3)), is(Less, 5), true),
            (not(is(NotEqual, 3)), is(Greater, 3), false),
            (not(is(Equal, 3)), is(GreaterOrEqual, 3), true),
            (not(is(Equal, 3)), missing(), false),
            (between(2, 4), is(Greater, 4), false),
            (between(2, 4), is(GreaterOrEqual, 4), true),
            (among(&[9, 7, 8]), is(Less, 7), false),
            (among(&[9, 7, 8]), is(GreaterOrEqual, 9), true),
            (not(among(&[7])), is(Equal, 8), true),
            (not(among(&[7])), missing(), false),
            (not(between(2, 4)), missing(), false),
        ] {
            let both = Formula::And(left.clone(), right.clone());
            assert_eq!(within(&both).is_none(), is_possible, "{both}");
            let turned = Formula::And(right.clone(), left.clone());
            assert_eq!(within(&turned).is_none(), is_possible, "{turned}");
            let either = Formula::Or(left, right);
            assert_eq!(within(&either), None, "{either}");
        }
        let inside = Formula::Or(is(Equal, 1), Box::new(Formula::And(is(Less, 2), is(Greater, 2))));
        assert!(within(&inside).is_some(), "{inside}");
    }
}
