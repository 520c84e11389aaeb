//! Aggregates of a party with few rows: each window is counted anew when somebody asks for it.
//!
//! Most parties have few rows, and most of their instants end at the first comparison. For them a [`Cursor`](crate::cursor::Cursor), which
//! moves all windows along, costs more to build and to keep than it saves.

use weir_model::{Calendar, EventTime};

use crate::cursor::{Aggregates, AsOf, Horizons, PairCount};
use crate::row::Row;

/// Memory that is used for one party after another.
#[derive(Debug, Default)]
pub(crate) struct Few {
    /// Per horizon, if it was asked for.
    known: Vec<Option<Aggregates>>,
    /// By pair; all zero while nothing is being counted.
    counts: Vec<PairCount>,
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
        self.known.clear();
        self.known.resize(horizons.windows.len(), None);
        if self.counts.len() < pairs {
            self.counts.resize(pairs, PairCount::default());
        }
        FewAsOf { few: self, rows, t, horizons, calendar }
    }
}

impl AsOf for FewAsOf<'_> {
    fn aggregates(&mut self, horizon: usize) -> Aggregates {
        if let Some(known) = self.few.known[horizon] {
            return known;
        }
        let start = self.horizons.windows[horizon].start(self.t, self.calendar);
        let inside = self.rows.iter().rev().take_while(|row| row.at >= start).filter(|row| row.is_counted());
        let mut aggregates = Aggregates::default();
        for row in inside.clone() {
            let counts = self.few.counts.get_mut(row.pair as usize);
            aggregates.count(row, counts, true);
        }
        for row in inside {
            if let Some(counts) = self.few.counts.get_mut(row.pair as usize) {
                *counts = PairCount::default();
            }
        }
        self.few.known[horizon] = Some(aggregates);
        aggregates
    }
}
