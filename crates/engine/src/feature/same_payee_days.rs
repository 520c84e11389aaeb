//! `same_payee_days`: on how many days the one natural person was paid who was paid on most. One scan, which moves.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    view.people(Direction::Out, window, |payees| count(payees.natural().map(|(_, payments)| payments.len()).max().unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn days_of_one_person_are_counted() {
        let legs = "
            03-01 09:00 out A 1.00
            03-01 10:00 out A 1.00
            03-02 09:00 out A 1.00
            03-03 09:00 out B 1.00
            03-04 09:00 out C 1.00 org
            03-05 09:00 out C 1.00 org
            03-06 09:00 out C 1.00 org";
        check(legs, "same_payee_days(14d)", "2");
        check(legs, "same_payee_days(30d)", "2");
        check("03-01 09:00 in A 1.00", "same_payee_days(14d)", "0");
    }
}
