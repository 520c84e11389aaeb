//! `pass_through_before`: what went out over what came in, before the window began. When more leaves than comes after months of the contrary,
//! a pool is being emptied (兑付风险). One scan, which moves.

use weir_rules::{Value, Window};

use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, history: Window) -> Value {
    let until = window.first_day(view.t, view.calendar);
    view.days(history, |days| {
        let before = days.flows().take_while(|(day, ..)| *day < until);
        let (came, went) = before.fold((0, 0), |(came, went), (_, amount_in, amount_out)| (came + amount_in, went + amount_out));
        Value::ratio(went, came)
    })
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn what_the_window_sees_is_left_out() {
        let legs = "
            01-01 09:00 in  A 500.00
            02-10 09:00 in  A 100.00
            02-11 09:00 out B 50.00
            03-09 09:00 out B 75.00
            03-10 09:00 out B 900.00";
        check(legs, "pass_through_before(9h, 60d)", "1.25");
        check(legs, "pass_through_before(2d, 60d)", "0.5");
        check(legs, "pass_through_before(60d, 30d)", "null");
    }
}
