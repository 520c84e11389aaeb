//! `median_in`: what people usually pay in at a time: a meal, a fee, or savings. One scan.

use weir_model::Day;
use weir_rules::{Value, Window};

use crate::feature::{ByPair, lower_median};
use crate::row::Row;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let mut amounts: Vec<i128> = payments_by_pair(view.inflow(window)).values().flatten().map(|(_, amount)| *amount).collect();
    amounts.sort_unstable();
    lower_median(&amounts).map_or(Value::Null, Value::Money)
}

/// What each natural person paid in, day by day. Natural is who is so by any of the rows.
fn payments_by_pair<'a>(rows: impl Iterator<Item = &'a Row>) -> ByPair<Vec<(Day, i128)>> {
    let mut people = ByPair::<(bool, Vec<(Day, i128)>)>::default();
    for row in rows.filter(|row| row.makes_party()) {
        let (is_natural, payments) = people.entry(row.pair).or_default();
        *is_natural |= row.is_natural();
        let (day, amount) = (row.at.day(), i128::from(row.amount));
        match payments.last_mut() {
            Some((last, sum)) if *last == day => *sum += amount,
            _ => payments.push((day, amount)),
        }
    }
    people.into_iter().filter(|(_, (is_natural, _))| *is_natural).map(|(pair, (_, payments))| (pair, payments)).collect()
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn a_day_of_a_person_is_one_payment() {
        let legs = "
            03-01 09:00 in A 10.00
            03-01 10:00 in A 20.00
            03-02 09:00 in A 40.00
            03-02 10:00 in B 50.00
            03-02 11:00 in C 1.00 org";
        check(legs, "median_in(7d)", "40.00");
        check("03-01 09:00 out A 10.00", "median_in(7d)", "null");
    }
}
