//! What gates ask for at least: the part of a comparison that tells how far a party is from it.
//!
//! Sums and counts of a window grow by what comes and by nothing else. So a gate that asks for so much of one says how much has to come before it can
//! hold, and that a party which never had so much in all its rows cannot pass it (`bounds`, `standing`). An ask may be too low, and never too high.

use weir_rules::{Comparison, Feature, FeatureCall, Gate, Value};

use crate::cursor::Aggregates;

/// What grows with a party's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quantity {
    AmountIn,
    AmountOut,
    CashIn,
    CashOut,
    OrganisationsIn,
    CountIn,
    CountOut,
    Payers,
    Payees,
    NaturalPayers,
    NaturalPayees,
}

impl Quantity {
    /// The one that a feature is.
    fn of(feature: Feature) -> Option<Self> {
        Some(match feature {
            Feature::AmountIn => Self::AmountIn,
            Feature::AmountOut => Self::AmountOut,
            Feature::OrganisationAmountIn => Self::OrganisationsIn,
            Feature::InCount => Self::CountIn,
            Feature::OutCount => Self::CountOut,
            Feature::Payers => Self::Payers,
            Feature::Payees => Self::Payees,
            Feature::NaturalPayers => Self::NaturalPayers,
            Feature::NaturalPayees => Self::NaturalPayees,
            // Others may be more in a part of the rows than in all.
            _ => return None,
        })
    }

    /// How much of it there is in a window.
    fn inside(self, window: &Aggregates) -> i128 {
        match self {
            Self::AmountIn => window.inflow.amount,
            Self::AmountOut => window.outflow.amount,
            Self::CashIn => window.inflow.cash,
            Self::CashOut => window.outflow.cash,
            Self::OrganisationsIn => window.inflow.organisations,
            Self::CountIn => window.inflow.count.into(),
            Self::CountOut => window.outflow.count.into(),
            Self::Payers => window.inflow.parties.into(),
            Self::Payees => window.outflow.parties.into(),
            Self::NaturalPayers => window.inflow.natural.into(),
            Self::NaturalPayees => window.outflow.natural.into(),
        }
    }
}

/// So much of it, in fen or by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) of: Quantity,
    pub(crate) value: u64,
}

impl Ask {
    fn new(of: Quantity, value: i128) -> Self {
        Self { of, value: u64::try_from(value.max(0)).unwrap_or(u64::MAX) }
    }

    /// What of it a window lacks.
    pub(crate) fn beyond(self, window: &Aggregates) -> Option<Self> {
        let lack = i128::from(self.value) - self.of.inside(window);
        (lack > 0).then(|| Self::new(self.of, lack))
    }
}

/// What has to happen before a gate that has failed can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// There has to be so much in the window.
    Ask(Ask),
    /// The party has to become another.
    Profile,
    /// Time may be enough.
    Unknown,
}

impl Need {
    /// Of one of the `gates` of a variant, whose slots are these calls.
    pub(crate) fn of(gate: &Gate, gates: &[Gate], slots: &[FeatureCall]) -> Self {
        let call = &slots[gate.slot];
        let is_at_most = matches!(gate.comparison, Comparison::Less | Comparison::LessOrEqual);
        match call.feature {
            Feature::AgreementPeople => return Self::Profile,
            // Accounts grow older.
            Feature::AccountAge if is_at_most => return Self::Profile,
            _ => {}
        }
        if let Some(of) = Quantity::of(call.feature) {
            return at_least(gate).map_or(Self::Unknown, |value| Self::Ask(Ask::new(of, value)));
        }
        let also = |feature: Feature| {
            let of_same = gates.iter().filter(|other| slots[other.slot].feature == feature && slots[other.slot].args == call.args);
            of_same.filter_map(at_least).max()
        };
        Self::of_quotient(call.feature, gate, also).map_or(Self::Unknown, Self::Ask)
    }

    /// Where so much is asked for of what a quotient divides by, so much is asked for of what it divides.
    fn of_quotient(feature: Feature, gate: &Gate, also: impl Fn(Feature) -> Option<i128>) -> Option<Ask> {
        let (of, divisor) = match feature {
            Feature::CashShareIn => (Quantity::CashIn, also(Feature::AmountIn)?),
            Feature::CashShareOut => (Quantity::CashOut, also(Feature::AmountOut)?),
            Feature::PassThrough => (Quantity::AmountOut, also(Feature::AmountIn)?),
            Feature::AmountPerPayer => (Quantity::AmountIn, also(Feature::NaturalPayers)?),
            _ => return None,
        };
        let product = at_least(gate)?.max(0).saturating_mul(divisor.max(0));
        Some(Ask::new(of, if matches!(gate.literal, Value::Ratio(_)) { product / Value::RATIO_ONE } else { product }))
    }
}

/// The least value of which a gate holds, if there is one: a count, fen, or millionths.
fn at_least(gate: &Gate) -> Option<i128> {
    let beyond = match gate.comparison {
        Comparison::GreaterOrEqual | Comparison::Equal => 0,
        Comparison::Greater => 1,
        _ => return None,
    };
    match gate.literal {
        Value::Int(count) => Some(i128::from(count) + beyond),
        Value::Money(value) | Value::Ratio(value) => Some(value.saturating_add(beyond)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use weir_rules::{Arg, Window};

    use super::*;

    /// What gates need that compare these features, over one window, in this way.
    fn needs(gates: &[(Feature, Comparison, Value)]) -> Vec<Need> {
        let window = Arg::Window(Window::Days(14));
        let slots: Vec<FeatureCall> =
            gates.iter().map(|(feature, ..)| FeatureCall { feature: *feature, args: vec![window.clone()] }).collect();
        let gates: Vec<Gate> =
            (0..).zip(gates).map(|(slot, (_, comparison, literal))| Gate { slot, comparison: *comparison, literal: *literal }).collect();
        gates.iter().map(|gate| Need::of(gate, &gates, &slots)).collect()
    }

    #[test]
    fn a_share_of_so_much_is_so_much() {
        let asked = needs(&[
            (Feature::AmountIn, Comparison::GreaterOrEqual, Value::Money(1_000_000)),
            (Feature::CashShareIn, Comparison::GreaterOrEqual, Value::Ratio(800_000)),
            (Feature::PassThrough, Comparison::Greater, Value::Ratio(899_999)),
            (Feature::CashShareOut, Comparison::GreaterOrEqual, Value::Ratio(800_000)),
            (Feature::InCount, Comparison::LessOrEqual, Value::Int(3)),
            (Feature::NaturalPayers, Comparison::Greater, Value::Int(29)),
            (Feature::AmountPerPayer, Comparison::GreaterOrEqual, Value::Money(500)),
            (Feature::OutCount, Comparison::Equal, Value::Int(-1)),
        ]);
        let ask = |of, value| Need::Ask(Ask { of, value });
        assert_eq!(
            asked,
            [
                ask(Quantity::AmountIn, 1_000_000),
                ask(Quantity::CashIn, 800_000),
                ask(Quantity::AmountOut, 900_000),
                // Nothing is asked for of what has gone out.
                Need::Unknown,
                Need::Unknown,
                ask(Quantity::NaturalPayers, 30),
                ask(Quantity::AmountIn, 15_000),
                ask(Quantity::CountOut, 0),
            ]
        );
    }

    #[test]
    fn accounts_grow_older_and_never_younger() {
        let slots = [FeatureCall { feature: Feature::AccountAge, args: Vec::new() }];
        let need = |comparison| {
            let gate = Gate { slot: 0, comparison, literal: Value::Duration(1) };
            Need::of(&gate, &[gate], &slots)
        };
        assert_eq!([need(Comparison::LessOrEqual), need(Comparison::GreaterOrEqual)], [Need::Profile, Need::Unknown]);
    }

    #[test]
    fn a_window_lacks_what_is_not_in_it() {
        let ask = Ask { of: Quantity::CashIn, value: 800 };
        let mut window = Aggregates::default();
        (window.inflow.amount, window.inflow.cash) = (1000, 500);
        assert_eq!(ask.beyond(&window), Some(Ask { value: 300, ..ask }));
        window.inflow.cash = 800;
        assert_eq!(ask.beyond(&window), None);
    }
}
