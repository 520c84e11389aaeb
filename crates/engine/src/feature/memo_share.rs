//! `memo_share_in`, `memo_share_out`: how often a memo speaks of something (利息, 返利, 投资 …). One scan of single legs.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::enough_known;
use crate::scans::Measure;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, direction: Direction, bit: u8) -> Value {
    let known = view.sum(window, Measure::Memos(direction));
    if !enough_known(known, view.sum(window, Measure::Legs(direction))) {
        return Value::Null;
    }
    Value::ratio(view.sum(window, Measure::Tagged(direction, bit)), known)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn among_those_with_a_memo() {
        let legs = "
            03-01 09:00 out A 1.00 tags=0
            03-01 09:00 out B 1.00 tags=1
            03-01 09:00 out C 1.00";
        check(legs, "memo_share_out(14d, 0)", "0.5");
        check(legs, "memo_share_in(14d, 0)", "null");
        check("03-01 09:00 out C 1.00", "memo_share_out(14d, 0)", "null");
    }
}
