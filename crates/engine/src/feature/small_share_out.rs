//! `small_share_out`: the small in 定期批量小额转出. A payment is what one natural payee got on one day. One scan.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::share;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, limit_fen: i64) -> Value {
    view.people(Direction::Out, window, |payees| share(payees.small(limit_fen.into()), payees.payments()))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn a_day_is_one_payment_per_payee() {
        let legs = "
            03-01 09:00 out A 3000.00
            03-01 10:00 out A 3000.00
            03-02 10:00 out A 3000.00
            03-02 10:00 out B 5000.00
            03-02 10:00 out C 9000.00 org";
        check(legs, "small_share_out(14d, 5000)", "0.666666");
        check("03-02 10:00 out C 9000.00 org", "small_share_out(14d, 5000)", "null");
    }
}
