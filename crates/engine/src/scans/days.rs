//! What came and went on each day.

use std::collections::BTreeMap;

use weir_model::Day;

use super::Running;
use crate::row::Row;

/// Counted legs of a day.
#[derive(Debug, Default)]
struct Flow {
    legs: u32,
    legs_in: u32,
    amount_in: i128,
    amount_out: i128,
}

/// By day.
#[derive(Debug)]
pub(crate) struct Days(BTreeMap<Day, Flow>);

impl Days {
    /// Days with a counted leg.
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Day and In in fen of the days with something In, in order.
    pub(crate) fn inflows(&self) -> impl Iterator<Item = (Day, i128)> {
        self.0.iter().filter(|(_, flow)| flow.legs_in > 0).map(|(day, flow)| (*day, flow.amount_in))
    }

    /// Day, In and Out in fen, in order.
    pub(crate) fn flows(&self) -> impl Iterator<Item = (Day, i128, i128)> {
        self.0.iter().map(|(day, flow)| (*day, flow.amount_in, flow.amount_out))
    }
}

impl Running for Days {
    type Of = ();

    fn anew((): ()) -> Self {
        Self(BTreeMap::new())
    }

    fn add(&mut self, row: &Row) {
        if row.is_counted() {
            let flow = self.0.entry(row.at.day()).or_default();
            flow.legs += 1;
            flow.legs_in += u32::from(row.is_in());
            *flow.side(row) += i128::from(row.amount);
        }
    }

    fn remove(&mut self, row: &Row) {
        if !row.is_counted() {
            return;
        }
        let day = row.at.day();
        let flow = self.0.get_mut(&day).expect("what is removed was added");
        flow.legs -= 1;
        flow.legs_in -= u32::from(row.is_in());
        *flow.side(row) -= i128::from(row.amount);
        if flow.legs == 0 {
            self.0.remove(&day);
        }
    }
}

impl Flow {
    fn side(&mut self, row: &Row) -> &mut i128 {
        if row.is_out() { &mut self.amount_out } else { &mut self.amount_in }
    }
}
