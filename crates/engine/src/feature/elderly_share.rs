//! `elderly_share`: people of 60 and more among the natural payers. One scan.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::{count128, enough_known, share};
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    view.people(Direction::In, window, |payers| {
        let (known, elderly) = payers.elderly();
        let natural = payers.natural().count();
        if natural == 0 || !enough_known(count128(known), count128(natural)) { Value::Null } else { share(elderly, known) }
    })
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn by_person_and_within_the_known() {
        let legs = "
            03-01 09:00 in A 1.00 elderly
            03-01 10:00 in A 1.00
            03-01 11:00 in B 1.00 young
            03-01 12:00 in C 1.00";
        check(legs, "elderly_share(14d)", "0.5");
        check("03-01 12:00 in C 1.00", "elderly_share(14d)", "null");
        check("03-01 12:00 out C 1.00", "elderly_share(14d)", "null");
    }
}
