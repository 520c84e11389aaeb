//! Where a party stands before the gates: how much has to come before any of them can let an instant of it pass.
//!
//! A busy party is short of what a rule asks for by much more than one leg brings. So when an instant has been held against all gates and none let it
//! pass, what it lacked is kept, and counted down as rows come: until something of it has been made up, no later instant can pass, and none is
//! looked at. A window holds no more at a later instant than it held plus what came meanwhile, whatever has left it. It decides no answer; that it is never
//! too high is what tests against the oracle show.

use weir_model::{EventTime, Flags, Span};

use crate::ask::{Ask, Quantity};
use crate::cursor::{Cursor, Horizons};
use crate::row::Row;

/// Of one party.
#[derive(Debug, Default)]
pub(crate) struct Standing {
    /// What was found out last, as long as it holds.
    shut: Option<Shut>,
    /// Where it stands in its windows, if it has too many rows to count them anew each time.
    pub(crate) cursor: Option<Box<Cursor>>,
}

/// No instant from one on passes before something has been made up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shut {
    /// Which list of horizons, and so of rules, was asked.
    pub(crate) generation: u32,
    pub(crate) from: EventTime,
    /// Which rules are asked at all rests on who the party is.
    pub(crate) profile: u32,
    pub(crate) lacks: Lacks,
}

/// What has to come at least: any of it may be enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Lacks {
    inflow: Lack,
    outflow: Lack,
}

/// Of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lack {
    /// Fen.
    amount: u64,
    /// Fen of it in cash.
    cash: u64,
    count: u32,
}

impl Default for Lack {
    /// Nothing that comes helps.
    fn default() -> Self {
        Self { amount: u64::MAX, cash: u64::MAX, count: u32::MAX }
    }
}

impl Lack {
    fn is_nothing(&self) -> bool {
        self.amount == 0 || self.cash == 0 || self.count == 0
    }
}

impl Lacks {
    /// So much of one thing might be enough.
    pub(crate) fn enough(&mut self, ask: Ask) {
        let Self { inflow, outflow } = self;
        match ask.of {
            Quantity::AmountIn | Quantity::OrganisationsIn => inflow.amount = inflow.amount.min(ask.value),
            Quantity::AmountOut => outflow.amount = outflow.amount.min(ask.value),
            Quantity::CashIn => inflow.cash = inflow.cash.min(ask.value),
            Quantity::CashOut => outflow.cash = outflow.cash.min(ask.value),
            // A row brings one person at most.
            Quantity::CountIn | Quantity::Payers | Quantity::NaturalPayers => inflow.count = inflow.count.min(short(ask.value)),
            Quantity::CountOut | Quantity::Payees | Quantity::NaturalPayees => outflow.count = outflow.count.min(short(ask.value)),
        }
    }

    /// Nothing has to come.
    pub(crate) fn need_nothing(&mut self) {
        self.inflow.count = 0;
    }

    fn is_nothing(&self) -> bool {
        self.inflow.is_nothing() || self.outflow.is_nothing()
    }

    fn enter(&mut self, row: &Row) {
        let lack = if row.is_in() { &mut self.inflow } else { &mut self.outflow };
        let amount = row.amount.unsigned_abs();
        lack.amount = lack.amount.saturating_sub(amount);
        if row.has(Flags::CASH) {
            lack.cash = lack.cash.saturating_sub(amount);
        }
        lack.count = lack.count.saturating_sub(1);
    }
}

fn short(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

impl Standing {
    /// A row of the moment `t` is about to come in at `at`. The cursor may have to step back for it, unless it stands at that very instant: then the row joins it,
    /// which is the answer.
    pub(crate) fn before_row(&mut self, rows: &[Row], at: usize, t: EventTime, pairs: usize, horizons: &Horizons) -> bool {
        let Some(cursor) = &mut self.cursor else { return false };
        let joins = cursor.stands_at(rows, t, horizons);
        if at < rows.len() && !joins {
            // A row may only enter behind the cursor's tail, or at its very instant.
            cursor.retreat(rows, pairs, t.minus(Span(1)), horizons);
        }
        joins
    }

    /// A row has come.
    pub(crate) fn enter(&mut self, row: &Row) {
        let Some(shut) = &mut self.shut else { return };
        if row.is_countable() {
            shut.lacks.enter(row);
        }
        if shut.lacks.is_nothing() || shut.profile != row.profile {
            self.shut = None;
        }
    }

    /// The row that has come at `at` joins the cursor.
    pub(crate) fn join(&mut self, rows: &[Row], at: usize, pairs: usize) {
        if let Some(cursor) = &mut self.cursor {
            cursor.row_joined(rows, at, pairs);
        }
    }

    /// A row is about to become a tombstone.
    pub(crate) fn row_removed(&mut self, rows: &[Row], at: usize) {
        // Who the party is may be what it was before.
        self.shut = None;
        if let Some(cursor) = &mut self.cursor {
            cursor.row_removed(rows, at);
        }
    }

    /// The last instant was held against all gates, and this is what was found, if anything follows from it.
    pub(crate) fn note(&mut self, shut: Option<Shut>) {
        self.shut = shut.filter(|shut| !shut.lacks.is_nothing());
    }

    /// Whether no instant from `from` on passes.
    pub(crate) fn is_shut(&self, from: EventTime, generation: u32) -> bool {
        self.shut.as_ref().is_some_and(|shut| shut.from <= from && shut.generation == generation)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use weir_model::Calendar;
    use weir_rules::Window;

    use super::*;
    use crate::cursor::Aggregates;
    use crate::row::testing::{half_day, row};

    const QUANTITIES: [Quantity; 11] = [
        Quantity::AmountIn,
        Quantity::AmountOut,
        Quantity::CashIn,
        Quantity::CashOut,
        Quantity::OrganisationsIn,
        Quantity::CountIn,
        Quantity::CountOut,
        Quantity::Payers,
        Quantity::Payees,
        Quantity::NaturalPayers,
        Quantity::NaturalPayees,
    ];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        /// As long as it is shut, no window of the last instant has what was asked for; and it is shut while nothing has come.
        #[test]
        fn what_is_shut_lacks_all_that_is_asked_for(
            before in prop::collection::vec(row(), 1..30),
            coming in prop::collection::vec(row(), 1..12),
            asks in prop::collection::vec((0..QUANTITIES.len(), 1_u64..12), 1..4),
        ) {
            let calendar = Calendar::default();
            let windows = [Window::Days(10), Window::WorkingDays(5)];
            let inside = |rows: &[Row], window: Window, t: EventTime| {
                let start = window.start(t, &calendar);
                let inside: Vec<Row> = rows.iter().filter(|row| row.at >= start && row.at <= t).copied().collect();
                Aggregates::scan(&inside)
            };
            let mut rows = before;
            let from = rows.iter().map(|row| row.at).max().expect("there is one");
            let asks: Vec<(Ask, Window)> =
                (0..).zip(asks).map(|(at, (of, value))| (Ask { of: QUANTITIES[of], value }, windows[at % 2])).collect();
            let mut lacks = Lacks::default();
            for (ask, window) in &asks {
                match ask.beyond(&inside(&rows, *window, from)) {
                    Some(lack) => lacks.enough(lack),
                    None => lacks.need_nothing(),
                }
            }
            let mut standing = Standing::default();
            standing.note(Some(Shut { generation: 1, from, profile: 0, lacks }));
            prop_assert_eq!(standing.is_shut(from, 1), !lacks.is_nothing());
            for row in coming {
                // Some come late, before the last instant.
                let row = Row { at: row.at.max(half_day(20)), ..row };
                standing.enter(&row);
                rows.push(row);
                let last = rows.iter().map(|row| row.at).max().expect("there are some");
                if standing.is_shut(last, 1) {
                    for (ask, window) in &asks {
                        prop_assert!(ask.beyond(&inside(&rows, *window, last)).is_some(), "{ask:?} is there");
                    }
                }
            }
        }
    }
}
