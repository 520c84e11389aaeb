//! Aggregates of a party with few rows: each window is counted anew when somebody asks for it.
//!
//! Most parties have few rows, and most of their instants end at the first comparison. For them a [`Cursor`](crate::cursor::Cursor), which
//! moves all windows along, costs more to build and to keep than it saves.

use weir_model::{Calendar, EventTime};

use crate::cursor::{Aggregates, AsOf, Horizons, Met};
use crate::row::Row;

/// Memory that is used for one party after another.
#[derive(Debug, Default)]
pub(crate) struct Few {
    /// Per horizon, whether it was asked for, and what was found then.
    is_known: Vec<bool>,
    known: Vec<Aggregates>,
    /// By pair; nobody is met while nothing is being counted.
    met: Vec<Met>,
}

/// One party as of an instant.
#[derive(Debug)]
pub(crate) struct FewAsOf<'a> {
    few: &'a mut Few,
    rows: &'a [Row],
    t: EventTime,
    horizons: &'a Horizons,
    calendar: &'a Calendar,
}

impl Few {
    /// `rows` are those up to `t`, of a party with `pairs` pairs.
    pub(crate) fn as_of<'a>(
        &'a mut self,
        rows: &'a [Row],
        pairs: usize,
        t: EventTime,
        horizons: &'a Horizons,
        calendar: &'a Calendar,
    ) -> FewAsOf<'a> {
        self.is_known.clear();
        self.is_known.resize(horizons.windows.len(), false);
        self.known.resize(horizons.windows.len(), Aggregates::default());
        if self.met.len() < pairs {
            self.met.resize(pairs, Met::default());
        }
        FewAsOf { few: self, rows, t, horizons, calendar }
    }
}

impl AsOf for FewAsOf<'_> {
    fn aggregates(&mut self, horizon: usize) -> &Aggregates {
        if !std::mem::replace(&mut self.few.is_known[horizon], true) {
            self.few.known[horizon] = self.count(horizon);
        }
        &self.few.known[horizon]
    }
}

impl FewAsOf<'_> {
    fn count(&mut self, horizon: usize) -> Aggregates {
        let start = self.horizons.windows[horizon].start(self.t, self.calendar);
        let inside = self.rows.iter().rev().take_while(|row| row.at >= start).filter(|row| row.is_counted());
        let mut aggregates = Aggregates::default();
        for row in inside.clone() {
            let mut nobody = Met::default();
            aggregates.count(row, self.few.met.get_mut(row.pair as usize).unwrap_or(&mut nobody));
        }
        for row in inside {
            if let Some(met) = self.few.met.get_mut(row.pair as usize) {
                *met = Met::default();
            }
        }
        aggregates
    }
}
