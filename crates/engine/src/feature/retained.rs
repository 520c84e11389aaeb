//! `retained`: money put into own deposits and wealth products and not taken out again. One scan; the only feature that reads RETAINED rows.

use weir_model::Flags;
use weir_rules::{Value, Window};

use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let net: i128 = view
        .live(window)
        .filter(|row| row.has(Flags::RETAINED))
        .map(|row| if row.is_out() { i128::from(row.amount) } else { -i128::from(row.amount) })
        .sum();
    Value::Money(net.max(0))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn what_came_back_is_not_retained() {
        let legs = "
            03-01 09:00 out - 100.00 retained
            03-02 09:00 in  - 30.00 retained";
        check(legs, "retained(14d)", "70.00");
        check(legs, "amount_out(14d)", "0.00");
        check("03-01 09:00 in - 30.00 retained", "retained(14d)", "0.00");
    }
}
