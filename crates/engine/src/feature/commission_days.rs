//! `commission_days`: days on which people who never paid in get one and the same part of what came in (业务员提成). Two scans, which move.

use std::collections::BTreeMap;

use weir_model::{Day, Direction};
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::View;

/// Commissions there are, in millionths of the day's inflow.
const RATES: std::ops::RangeInclusive<i128> = 20_000..=300_000;
/// What counts as one rate.
const WIDTH: i128 = 4_000;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let mut paid = BTreeMap::<Day, i128>::new();
    view.people(Direction::Out, window, |payees| {
        for (pair, payments) in payees.natural() {
            let first_in = view.pair(pair).first_in;
            // Without a first payment this is after all days.
            payments
                .iter()
                .filter(|payment| first_in > payment.day.end())
                .for_each(|payment| *paid.entry(payment.day).or_default() += payment.amount);
        }
    });
    let mut rates: Vec<i128> = view.days(window, |days| {
        let rate = |(day, amount_in, _): (Day, i128, i128)| match Value::ratio(*paid.get(&day)?, amount_in) {
            Value::Ratio(rate) => RATES.contains(&rate).then_some(rate),
            _ => None,
        };
        days.flows().filter_map(rate).collect()
    });
    rates.sort_unstable();
    let within = |(at, low): (usize, &i128)| rates[at..].iter().take_while(|rate| **rate <= low + WIDTH).count();
    count(rates.iter().enumerate().map(within).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn one_rate_on_several_days() {
        let legs = "
            03-01 09:00 in  A 1000.00
            03-01 18:00 out X 100.00
            03-02 09:00 in  B 2000.00
            03-02 18:00 out X 150.00
            03-02 18:30 out Y 58.00
            03-03 09:00 in  C 1000.00
            03-03 18:00 out X 105.00
            03-04 09:00 in  C 1000.00
            03-04 18:00 out A 100.00
            03-05 09:00 in  C 1000.00
            03-05 18:00 out X 19.99
            03-06 18:00 out X 100.00";
        // 10 %, 10.4 % and 10.5 %; A had paid in, the fifth's rate is none, on the sixth nothing came in.
        check(legs, "commission_days(14d)", "2");
        check("03-01 09:00 in A 1.00", "commission_days(14d)", "0");
    }
}
