//! `outlets`: to how many places money leaves.
//!
//! Cash, the own name at other banks, and securities firms count as one outlet each, however many accounts stand behind them; everyone else
//! by counterparty. One scan of the window.

use weir_model::Flags;
use weir_rules::{Value, Window};

use crate::feature::count;
use crate::intern::NONE;
use crate::row::Row;
use crate::scans::Outlets;
use crate::view::View;

/// Where an Out leg goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Outlet {
    Cash,
    SameName,
    Securities,
    /// Index of the pair.
    Counterparty(u32),
}

impl Outlet {
    /// The outlet of a counted Out row; `None` where nothing tells.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        if row.has(Flags::CASH) {
            Some(Self::Cash)
        } else if row.has(Flags::SAME_NAME) {
            Some(Self::SameName)
        } else if row.has(Flags::SECURITIES) {
            Some(Self::Securities)
        } else if row.pair != NONE {
            Some(Self::Counterparty(row.pair))
        } else {
            None
        }
    }
}

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    count(view.outlets(window, Outlets::count))
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn cash_and_the_own_name_are_one_outlet_each() {
        let legs = "
            03-01 09:00 out A 10.00
            03-01 10:00 out - 10.00 cash
            03-01 11:00 out B 10.00 cash
            03-01 12:00 out C 10.00 same_name
            03-01 13:00 out D 10.00 same_name
            03-01 14:00 out - 10.00";
        check(legs, "outlets(14d)", "3");
    }
}
