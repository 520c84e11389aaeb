//! Where money went.

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::Running;
use crate::feature::Outlet;
use crate::row::Row;

/// Legs and fen by outlet. Their order means nothing.
#[derive(Debug)]
pub(crate) struct Outlets(HashMap<Outlet, (u32, i128), FixedState>);

impl Outlets {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Fen of each.
    pub(crate) fn sums(&self) -> impl Iterator<Item = i128> {
        self.0.values().map(|(_, sum)| *sum)
    }
}

fn outlet(row: &Row) -> Option<Outlet> {
    if row.is_counted() && row.is_out() { Outlet::of(row) } else { None }
}

impl Running for Outlets {
    type Of = ();

    fn anew((): ()) -> Self {
        Self(HashMap::default())
    }

    fn add(&mut self, row: &Row) {
        if let Some(outlet) = outlet(row) {
            let (legs, sum) = self.0.entry(outlet).or_default();
            *legs += 1;
            *sum += i128::from(row.amount);
        }
    }

    fn remove(&mut self, row: &Row) {
        let Some(outlet) = outlet(row) else { return };
        let (legs, sum) = self.0.get_mut(&outlet).expect("what is removed was added");
        *legs -= 1;
        *sum -= i128::from(row.amount);
        if *legs == 0 {
            self.0.remove(&outlet);
        }
    }
}
