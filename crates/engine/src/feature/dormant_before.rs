//! `dormant_before`: how long an account had slept before the window's first movement.
//!
//! The last day before comes from the rows, and from the memory of pairs where rows have left. Interest and fees, which the bank itself
//! books, wake nobody.

use weir_model::{Day, PartyKind, Span};
use weir_rules::{Value, Window};

use crate::row::Row;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let is_own_doing = |row: &&Row| row.is_counted() && row.counterparty_kind() != PartyKind::Internal;
    let inside = view.slice(window);
    let Some(first) = inside.iter().find(is_own_doing).map(|row| row.at.day()) else {
        return Value::Null;
    };
    let outside = &view.rows[..view.rows.len() - inside.len()];
    let in_rows = outside.iter().rev().filter(is_own_doing).map(|row| row.at.day()).find(|day| *day < first);
    let Some(last) = in_rows.or_else(|| view.gone.and_then(|gone| gone.active).filter(|day| *day < first)) else {
        return Value::Null;
    };
    Value::Duration(Span::days(days_between(last, first)).0)
}

fn days_between(from: Day, to: Day) -> i64 {
    i64::from(to.0) - i64::from(from.0)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn interest_does_not_wake_an_account() {
        let legs = "
            01-01 09:00 in A 1.00
            02-20 09:00 in I 1.00 internal
            03-11 09:00 in A 1.00
            03-12 09:00 in A 1.00";
        check(legs, "dormant_before(14d)", "69d");
        check("03-12 09:00 in A 1.00", "dormant_before(14d)", "null");
    }
}
