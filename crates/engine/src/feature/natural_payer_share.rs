//! `natural_payer_share`: people among the payers whose kind is known. One scan, which moves.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::share;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    view.people(Direction::In, window, |payers| {
        let (known, natural) = payers.kinds();
        if known == 0 { Value::Null } else { share(natural, known) }
    })
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn people_among_payers_of_known_kind() {
        let legs = "
            03-01 09:00 in A 1.00
            03-01 10:00 in B 1.00 org
            03-01 11:00 in C 1.00 unknown
            03-01 12:00 in A 1.00 unknown
            03-01 13:00 in - 1.00 cash
            03-01 14:00 out D 1.00 org";
        check(legs, "natural_payer_share(14d)", "0.5");
        check("03-01 09:00 in A 1.00 unknown", "natural_payer_share(14d)", "null");
        check("03-01 09:00 out A 1.00", "natural_payer_share(14d)", "null");
    }
}
