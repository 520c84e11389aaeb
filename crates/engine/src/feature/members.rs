//! `collecting_members`, `shared_payers`: what the members of a group do each for itself, and from whom they collect together. One scan.
//!
//! A row of a group carries its member in the profile; rows of customers have none, and both features are 0 for them.

use std::collections::BTreeMap;

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::feature::{Distinct, count};
use crate::view::View;

pub(super) fn collecting(view: &View<'_>, window: Window, least: i64) -> Value {
    let least = usize::try_from(least).unwrap_or(usize::MAX);
    count(natural_payers(view, window).values().filter(|payers| payers.len() >= least).count())
}

pub(super) fn shared_payers(view: &View<'_>, window: Window) -> Value {
    let mut members: BTreeMap<u32, usize> = BTreeMap::new();
    natural_payers(view, window).into_values().flatten().for_each(|payer| *members.entry(payer).or_default() += 1);
    count(members.into_values().filter(|members| *members >= 2).count())
}

/// Pairs of natural payers, by member.
fn natural_payers<'a>(view: &View<'a>, window: Window) -> BTreeMap<&'a str, Distinct<u32>> {
    let mut payers: BTreeMap<&str, Distinct<u32>> = BTreeMap::new();
    view.people(Direction::In, window, |people| {
        for row in view.inflow(window).filter(|row| row.makes_party()) {
            let member = &*view.profile_of(row).member;
            if !member.is_empty() && people.is_natural(row.pair) {
                payers.entry(member).or_default().insert(row.pair);
            }
        }
    });
    payers
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn members_and_whom_they_share() {
        let legs = "
            03-01 09:00 in A 1.00 member=x
            03-01 10:00 in B 1.00 member=x
            03-01 11:00 in B 1.00 member=y unknown
            03-01 12:00 in C 1.00 member=y org
            03-02 09:00 in A 1.00 member=z
            03-02 10:00 out D 1.00 member=z
            03-03 10:00 in - 1.00 member=z cash";
        for window in ["14d", "30d"] {
            check(legs, &format!("collecting_members({window}, 1)"), "3");
            check(legs, &format!("collecting_members({window}, 2)"), "1");
            check(legs, &format!("shared_payers({window})"), "2");
        }
        check("03-01 09:00 in A 1.00", "collecting_members(14d, 1)", "0");
        check("03-01 09:00 in A 1.00", "shared_payers(14d)", "0");
    }
}
