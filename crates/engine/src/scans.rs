//! Scans of a window that several features are made of, kept while one instant is looked at.
//!
//! Batches, periods, shares and rates of payouts all begin with the same list of payments; without this each would scan the window for
//! itself. An instant's scans are dropped with it, so nothing can be stale.

use std::cell::RefCell;
use std::rc::Rc;

use weir_model::Day;
use weir_rules::Window;

use crate::feature::ByPair;

/// What each natural payee was paid, day by day in order.
pub(crate) type Payments = ByPair<Vec<(Day, i128)>>;
/// Batches in order of day: what each natural payee got, in order of pairs.
pub(crate) type Batches = Vec<(Day, Vec<(u32, i128)>)>;

/// What was scanned, by what for.
type Kept<K, T> = RefCell<Vec<(K, Rc<T>)>>;

/// The scans of one instant of a party.
#[derive(Debug, Default)]
pub(crate) struct Scans {
    payments: Kept<Window, Payments>,
    batches: Kept<(Window, i64), Batches>,
}

impl Scans {
    pub(crate) fn payments(&self, window: Window, scan: impl FnOnce() -> Payments) -> Rc<Payments> {
        kept(&self.payments, window, scan)
    }

    pub(crate) fn batches(&self, window: Window, least: i64, scan: impl FnOnce() -> Batches) -> Rc<Batches> {
        kept(&self.batches, (window, least), scan)
    }
}

/// A handful of windows: a list is looked through faster than a table is hashed. Not borrowed while scanning, since one scan may use another.
fn kept<K: Copy + PartialEq, T>(list: &Kept<K, T>, key: K, scan: impl FnOnce() -> T) -> Rc<T> {
    if let Some((_, found)) = list.borrow().iter().find(|(other, _)| *other == key) {
        return Rc::clone(found);
    }
    let made = Rc::new(scan());
    list.borrow_mut().push((key, Rc::clone(&made)));
    made
}
