//! Working days of the PRC: weekends, public holidays and the make-up working days (调休) that go with them.
//!
//! A value built from the rule set's calendar file; this module reads no file. Outside the years the file knows, weekdays count as working
//! days and [`Calendar::knows`] says so, so that an answer resting on an unpublished year can be marked.

use std::collections::BTreeSet;

use crate::time::Day;

/// Days of a weekend, the shortest break there is.
const WEEKEND: i32 = 2;

/// Which days are worked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Calendar {
    years: BTreeSet<i32>,
    /// The first day that is not as its weekday says.
    first: Day,
    /// Of it and every day up to the last such one whether it is worked: features ask millions of times.
    worked: Vec<bool>,
    /// Of the same days, how many up to and with each are worked.
    counts: Vec<u32>,
    /// Those that are, in order.
    working: Vec<Day>,
    longest_break: i32,
}

impl Default for Calendar {
    fn default() -> Self {
        Self::new(BTreeSet::new(), BTreeSet::new(), BTreeSet::new())
    }
}

impl Calendar {
    /// `years` are those the data covers; `holidays` are weekdays off, `workdays` weekend days worked.
    #[must_use]
    pub fn new(years: BTreeSet<i32>, holidays: BTreeSet<Day>, workdays: BTreeSet<Day>) -> Self {
        let first = holidays.first().into_iter().chain(workdays.first()).min().copied().unwrap_or(Day(0));
        let last = holidays.last().into_iter().chain(workdays.last()).max().copied().unwrap_or(first.plus(-1));
        let is_worked = |day: Day| if day.is_weekday() { !holidays.contains(&day) } else { workdays.contains(&day) };
        let worked: Vec<bool> = (first.0..=last.0).map(|day| is_worked(Day(day))).collect();
        let counted = worked.iter().scan(0, |count, worked| {
            *count += u32::from(*worked);
            Some(*count)
        });
        let counts = counted.collect();
        let working = (first.0..).map(Day).zip(&worked).filter_map(|(day, worked)| worked.then_some(day)).collect();
        let mut calendar = Self { years, first, worked, counts, working, longest_break: WEEKEND };
        calendar.longest_break = calendar.find_longest_break();
        calendar
    }

    fn find_longest_break(&self) -> i32 {
        let days = i32::try_from(self.worked.len()).unwrap_or(i32::MAX);
        // A break at an end of the data may begin or end with a weekend outside it.
        let days = (-WEEKEND..days.saturating_add(WEEKEND)).map(|day| self.first.plus(day));
        let breaks = days.scan(0, |free, day| {
            *free = if self.is_working(day) { 0 } else { *free + 1 };
            Some(*free)
        });
        breaks.max().unwrap_or(0).max(WEEKEND)
    }

    /// Days of the longest stretch without a working day.
    #[must_use]
    pub fn longest_break(&self) -> i32 {
        self.longest_break
    }

    /// Whether the data covers the day's year.
    #[must_use]
    pub fn knows(&self, day: Day) -> bool {
        self.years.contains(&day.year())
    }

    /// Whether banks' business counts the day as a working day (工作日).
    #[must_use]
    pub fn is_working(&self, day: Day) -> bool {
        self.of(day, &self.worked).unwrap_or_else(|| day.is_weekday())
    }

    /// What a list has of the day that has an entry for each from the first on; `None` outside.
    fn of<T: Copy>(&self, day: Day, list: &[T]) -> Option<T> {
        let place = usize::try_from(i64::from(day.0) - i64::from(self.first.0)).ok()?;
        list.get(place).copied()
    }

    /// The day `count` working days after `day`, not counting `day` itself: the due date of 「5个工作日内」.
    #[must_use]
    pub fn working_days_after(&self, day: Day, count: u32) -> Day {
        let mut at = day;
        let mut left = count;
        while left > 0 {
            at = at.plus(1);
            if self.is_working(at) {
                left -= 1;
            }
        }
        at
    }

    /// The first day of the window of `count` working days that ends with `day`: the `count`-th working day counted back, `day` included
    /// where it is one.
    #[must_use]
    pub fn working_window_start(&self, day: Day, count: u32) -> Day {
        let before = self.of(day, &self.counts).and_then(|counted| counted.checked_sub(count.max(1)));
        if let Some(first) = before.and_then(|before| self.working.get(before as usize)) {
            return *first;
        }
        // It begins before the data does, or ends after.
        let mut at = day;
        let mut left = count;
        loop {
            if self.is_working(at) {
                left = left.saturating_sub(1);
                if left == 0 {
                    return at;
                }
            }
            at = at.plus(-1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a date")
    }

    /// National Day 2025: 1–8 October off, 28 September and 11 October worked.
    fn october_2025() -> Calendar {
        let holidays = (1..=8).filter_map(|d| Day::from_ymd(2025, 10, d)).filter(|d| d.is_weekday()).collect();
        Calendar::new(BTreeSet::from([2025]), holidays, BTreeSet::from([day("2025-09-28"), day("2025-10-11")]))
    }

    #[test]
    fn a_break_may_begin_with_a_weekend_before_the_data() {
        assert_eq!(october_2025().longest_break(), 8);
        assert_eq!(Calendar::default().longest_break(), 2);
        // Monday off.
        let monday = Calendar::new(BTreeSet::new(), BTreeSet::from([day("2025-03-03")]), BTreeSet::new());
        assert_eq!(monday.longest_break(), 3);
        let friday = Calendar::new(BTreeSet::new(), BTreeSet::from([day("2025-03-07")]), BTreeSet::new());
        assert_eq!(friday.longest_break(), 3);
    }

    #[test]
    fn due_dates_skip_holidays_and_count_make_up_days() {
        let calendar = october_2025();
        assert_eq!(calendar.working_days_after(day("2025-09-30"), 5).to_string(), "2025-10-14");
        assert!(calendar.is_working(day("2025-10-11")) && !calendar.is_working(day("2025-10-08")));
        assert!(calendar.knows(day("2025-01-01")) && !calendar.knows(day("2026-01-01")));
    }

    #[test]
    fn working_windows_hold_as_many_working_days_as_they_say() {
        let calendar = october_2025();
        let from = day("2025-08-20");
        for day in (0..90).map(|days| from.plus(days)) {
            for count in 1..30 {
                let first = calendar.working_window_start(day, count);
                let held = (first.0..=day.0).filter(|day| calendar.is_working(Day(*day))).count();
                assert!(calendar.is_working(first) && held == count as usize, "{count} working days up to {day} begin on {first}");
            }
        }
    }

    #[test]
    fn working_windows_reach_back_over_holidays() {
        let calendar = october_2025();
        assert_eq!(calendar.working_window_start(day("2025-10-10"), 1).to_string(), "2025-10-10");
        assert_eq!(calendar.working_window_start(day("2025-10-10"), 3).to_string(), "2025-09-30");
        assert_eq!(calendar.working_window_start(day("2025-10-12"), 1).to_string(), "2025-10-11");
    }
}
