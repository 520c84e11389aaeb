//! `rebates`: people who get 5–25 % back within three days of paying in (返点, 贴息). Quadratic only within one counterparty's legs.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::Span;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::row::Row;
use crate::view::View;

const SOON: Span = Span::days(3);

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let mut legs = BTreeMap::<u32, Vec<&Row>>::new();
    let mut natural = BTreeSet::new();
    for row in view.counted(window).filter(|row| row.makes_party()) {
        legs.entry(row.pair).or_default().push(row);
        if row.is_natural() {
            natural.insert(row.pair);
        }
    }
    count(natural.iter().filter(|pair| legs.get(pair).is_some_and(|legs| has_rebate(legs))).count())
}

fn has_rebate(legs: &[&Row]) -> bool {
    legs.iter().enumerate().filter(|(_, paid)| paid.is_in()).any(|(i, paid)| {
        legs[i + 1..]
            .iter()
            .take_while(|back| back.at.since(paid.at) <= SOON)
            .any(|back| back.is_out() && is_rebate(paid.amount, back.amount))
    })
}

fn is_rebate(paid: i64, back: i64) -> bool {
    let (paid, back) = (i128::from(paid), i128::from(back));
    back * 20 >= paid && back * 4 <= paid
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn five_to_twenty_five_percent_within_three_days() {
        let legs = "
            03-01 09:00 in  A 100.00
            03-04 09:00 out A 5.00
            03-01 09:00 in  B 100.00
            03-04 09:01 out B 5.00
            03-01 09:00 in  C 100.00
            03-01 10:00 out C 25.00
            03-01 09:00 in  D 100.00
            03-01 10:00 out D 25.01
            03-01 09:00 out E 10.00
            03-01 10:00 in  E 100.00";
        check(legs, "rebates(14d)", "2");
    }
}
