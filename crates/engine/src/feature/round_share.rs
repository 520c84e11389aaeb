//! `round_share_in`, `round_share_out`: amounts on a grid (整数倍), the mark of shares sold at a price. One scan of single legs.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::scans::Measure;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, direction: Direction, unit_fen: i64) -> Value {
    Value::ratio(view.sum(window, Measure::Round(direction, unit_fen)), view.sum(window, Measure::Converted(direction)))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn multiples_of_the_unit_are_round() {
        let legs = "
            03-01 09:00 in A 3000.00
            03-01 10:00 in B 1000.00
            03-01 11:00 in C 1000.01
            03-01 12:00 out D 500.00";
        check(legs, "round_share_in(14d, 1000)", "0.666666");
        check(legs, "round_share_out(14d, 1000)", "0");
        check("03-01 12:00 out D 500.00", "round_share_in(14d, 1000)", "null");
    }
}
