//! `median_in`: what people usually pay in at a time: a meal, a fee, or savings. One scan.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let mut amounts: Vec<i128> = view.people(Direction::In, window, |payers| {
        payers.natural().flat_map(|(_, payments)| payments).map(|payment| payment.amount).collect()
    });
    let Some(middle) = amounts.len().checked_sub(1) else { return Value::Null };
    Value::Money(*amounts.select_nth_unstable(middle / 2).1)
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
