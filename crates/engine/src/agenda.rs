//! Which parties are to be tidied on which day.
//!
//! Looking at every party every day would make a quiet customer cost as much as a busy one, and a day's end as long as the bank is large. So
//! each party stands under the first day on which something of it may be let go ([`Party::due`](crate::history::Party)). What is freed when
//! cannot be observed: an entry that comes too early is looked at in vain, one that is missing costs memory and nothing else.

use std::collections::BTreeMap;

use weir_model::Day;

/// Parties by the day they are due, in no order within a day.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    days: BTreeMap<Day, Vec<u32>>,
}

impl Agenda {
    /// Puts a party under a day. It may stand under later ones as well.
    pub(crate) fn add(&mut self, day: Day, party: u32) {
        self.days.entry(day).or_default().push(party);
    }

    /// Takes out a party of the earliest day, if that is not after `today`.
    pub(crate) fn next(&mut self, today: Day) -> Option<u32> {
        let mut first = self.days.first_entry().filter(|first| *first.key() <= today)?;
        let party = first.get_mut().pop();
        if first.get().is_empty() {
            first.remove();
        }
        party
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_due_comes_once_and_who_is_not_waits() {
        let mut agenda = Agenda::default();
        agenda.add(Day(5), 1);
        agenda.add(Day(3), 2);
        agenda.add(Day(5), 3);
        assert_eq!(agenda.next(Day(2)), None);
        assert_eq!(agenda.next(Day(5)), Some(2));
        assert_eq!([agenda.next(Day(5)), agenda.next(Day(5))].map(|party| party.is_some_and(|party| [1, 3].contains(&party))), [true; 2]);
        assert_eq!(agenda.next(Day(5)), None);
    }
}
