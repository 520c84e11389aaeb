//! `elderly_share`: people of 60 and more among the natural payers. One scan.

use weir_model::Flags;
use weir_rules::{Value, Window};

use crate::feature::{ByPair, enough_known, share};
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    // Per natural payer: whether the age is known, whether it is 60 or more, from any In movement of the window.
    let mut payers = ByPair::<(bool, bool, bool)>::default();
    for row in view.inflow(window).filter(|row| row.makes_party()) {
        let (natural, known, elderly) = payers.entry(row.pair).or_default();
        *natural |= row.is_natural();
        *known |= row.has(Flags::AGE_KNOWN);
        *elderly |= row.has(Flags::AGE_KNOWN) && row.has(Flags::ELDERLY);
    }
    let natural: Vec<_> = payers.values().filter(|(natural, ..)| *natural).collect();
    let known = natural.iter().filter(|(_, known, _)| *known).count();
    if natural.is_empty() || !enough_known(known, natural.len()) {
        return Value::Null;
    }
    share(natural.iter().filter(|(_, _, elderly)| *elderly).count(), known)
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
