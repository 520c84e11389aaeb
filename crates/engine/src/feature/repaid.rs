//! `repaid_share`, `payout_ratio`, `payout_ratio_spread`: whether those who are paid had paid in before, and at what rate they are paid
//! (还本付息).
//!
//! The first payment of a pair is exact over all history; principals add the memory of rows that have left to the rows still there. One
//! scan of the window, one of all rows for the principals; both move.

use weir_model::{Day, Direction};
use weir_rules::{Value, Window};

use crate::feature;
use crate::pairs::NEVER;
use crate::scans::Payment;
use crate::view::View;

/// A natural payee of the window.
#[derive(Debug, Clone, Copy)]
struct Payee {
    first_paid: Day,
    last_paid: Day,
    /// Paid on the last day.
    last_amount: i128,
}

pub(super) fn share(view: &View<'_>, window: Window) -> Value {
    view.people(Direction::Out, window, |payees| {
        let had_paid_in = |(pair, payments): (u32, &[Payment])| payments.first().map(|first| had_paid_in(view, pair, first.day));
        let (repaid, all) =
            payees.natural().filter_map(had_paid_in).fold((0, 0), |(repaid, all), had| (repaid + usize::from(had), all + 1));
        feature::share(repaid, all)
    })
}

pub(super) fn payout_ratio(view: &View<'_>, window: Window) -> Value {
    let ratios = ratios(view, window);
    if ratios.len() < 5 { Value::Null } else { feature::lower_median(&ratios).map_or(Value::Null, Value::Ratio) }
}

pub(super) fn payout_ratio_spread(view: &View<'_>, window: Window) -> Value {
    let ratios = ratios(view, window);
    if ratios.len() < 5 {
        return Value::Null;
    }
    let last = ratios.len() - 1;
    Value::Ratio(ratios[3 * last / 4] - ratios[last / 4])
}

fn payees(view: &View<'_>, window: Window) -> Vec<(u32, Payee)> {
    let payee = |payments: &[Payment]| {
        let (first, last) = (payments.first()?, payments.last()?);
        Some(Payee { first_paid: first.day, last_paid: last.day, last_amount: last.amount })
    };
    view.people(Direction::Out, window, |payees| payees.natural().filter_map(|(pair, payments)| Some((pair, payee(payments)?))).collect())
}

fn had_paid_in(view: &View<'_>, pair: u32, first_paid: Day) -> bool {
    let first_in = view.pair(pair).first_in;
    first_in != NEVER && first_in.day() < first_paid
}

/// Last payout over principal, in millionths and in order.
fn ratios(view: &View<'_>, window: Window) -> Vec<i128> {
    let mut repaid = payees(view, window);
    repaid.retain(|(pair, payee)| had_paid_in(view, *pair, payee.first_paid));
    let mut ratios: Vec<i128> = view.people_of_all_rows(Direction::In, |payers| {
        let ratio = |(pair, payee): &(u32, Payee)| {
            // A pair that began anew did so with a day.
            let is_remembered = |paid: &&Payment| view.pairs.remembers(*pair, paid.day.start(), view.forget_before);
            let earlier = payers.payments_of(*pair).iter().take_while(|paid| paid.day < payee.last_paid);
            let in_rows: i128 = earlier.filter(is_remembered).map(|paid| paid.amount).sum();
            match Value::ratio(payee.last_amount, i128::from(view.past(*pair).paid_in) + in_rows) {
                Value::Ratio(ratio) => Some(ratio),
                _ => None,
            }
        };
        repaid.iter().filter_map(ratio).collect()
    });
    ratios.sort_unstable();
    ratios
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn those_who_had_paid_in_on_an_earlier_day() {
        let legs = "
            01-01 09:00 in  A 1000.00
            01-02 09:00 in  B 1000.00
            02-01 09:00 out A 10.00
            02-01 09:00 out C 10.00
            02-02 09:00 in  D 1000.00
            02-02 10:00 out D 10.00
            02-02 11:00 out E 10.00 org";
        check(legs, "repaid_share(14d)", "0.333333");
        check(legs, "payout_ratio(14d)", "null");
    }

    #[test]
    fn the_rate_is_the_last_payout_over_the_principal_before_it() {
        let mut legs = String::new();
        for (name, paid) in [("A", "10.00"), ("B", "15.00"), ("C", "15.00"), ("D", "15.00"), ("E", "30.00")] {
            legs += &format!("01-01 09:00 in {name} 1000.00\n02-01 09:00 out {name} 99.00\n03-01 09:00 out {name} {paid}\n");
        }
        check(&legs, "payout_ratio(60d)", "0.015");
        check(&legs, "payout_ratio_spread(60d)", "0");
    }
}
