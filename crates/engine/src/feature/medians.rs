//! `median_in`, `median_out`, `spread_out`: how large payments are as a rule, and how unlike each other. A payment is what one natural person
//! moved on one day, so that paying in three parts is one payment. One scan, which moves.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::view::View;

pub(super) fn median(view: &View<'_>, window: Window, direction: Direction) -> Value {
    view.people(direction, window, |people| {
        let Some(last) = people.payments().checked_sub(1) else { return Value::Null };
        let [median] = people.ranked([last / 2]);
        Value::Money(median)
    })
}

pub(super) fn spread(view: &View<'_>, window: Window, direction: Direction) -> Value {
    view.people(direction, window, |people| {
        let Some(last) = people.payments().checked_sub(1) else { return Value::Null };
        let [lower, upper] = people.ranked([last / 4, 3 * last / 4]);
        Value::ratio(upper, lower)
    })
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
        check("03-01 09:00 out A 10.00", "median_out(7d)", "10.00");
    }

    #[test]
    fn quarters_of_what_was_paid_lie_apart() {
        let legs = "
            03-01 09:00 out A 10.00
            03-01 10:00 out B 20.00
            03-02 09:00 out A 50.00
            03-02 10:00 out C 80.00
            03-02 11:00 out D 90.00
            03-02 12:00 out E 900.00 org";
        check(legs, "spread_out(7d)", "4");
        check("03-01 09:00 in A 10.00", "spread_out(7d)", "null");
    }
}
