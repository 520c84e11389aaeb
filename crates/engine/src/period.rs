//! Periods: whether two payment days are a week, a month, a quarter apart, as payers of interest count.
//!
//! Months are civil months, moved by at most three days or by holidays; the table is section 7 of `docs/definition.md`.

use weir_model::{Calendar, Day};

/// A steady distance between payments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Period {
    Daily,
    Weekly,
    TenDays,
    HalfMonth,
    Monthly,
    Quarterly,
}

/// The longest stretch of free days, plus one: National Day with Mid-Autumn has reached 8, the Spring Festival of 2020 ten.
const DAILY_GAP_MAX: i32 = 12;

impl Period {
    /// The period between day `a` and a later day `b`; the first that fits.
    pub(crate) fn between(a: Day, b: Day, calendar: &Calendar) -> Option<Self> {
        let gap = b.0 - a.0;
        let only_free_days_between = || (a.0 + 1..b.0).all(|day| !calendar.is_working(Day(day)));
        match gap {
            1 => Some(Self::Daily),
            2..=DAILY_GAP_MAX if only_free_days_between() => Some(Self::Daily),
            6..=8 => Some(Self::Weekly),
            9..=11 => Some(Self::TenDays),
            13..=17 => Some(Self::HalfMonth),
            _ if is_months_later(a, b, &MONTH, calendar) => Some(Self::Monthly),
            _ if is_months_later(a, b, &QUARTER, calendar) => Some(Self::Quarterly),
            _ => None,
        }
    }
}

/// So many months, how many days they have at least and at most, and by how many a payment may be off.
struct Months {
    count: u32,
    days: (i32, i32),
    slack: i32,
}

const MONTH: Months = Months { count: 1, days: (28, 31), slack: 3 };
const QUARTER: Months = Months { count: 3, days: (89, 92), slack: 5 };

fn is_months_later(a: Day, b: Day, months: &Months, calendar: &Calendar) -> bool {
    let (gap, (shortest, longest)) = (b.0 - a.0, months.days);
    // Nearly all distances are told by their length: a payment is off by the slack, or by a break of the calendar, and no more.
    let off = months.slack.max(calendar.longest_break());
    if gap < shortest - off || gap > longest + off {
        return false;
    }
    if gap >= longest - months.slack && gap <= shortest + months.slack {
        return true;
    }
    let due = a.plus_months(months.count);
    if (b.0 - due.0).abs() <= months.slack {
        return true;
    }
    let is_free = |day: i32| !calendar.is_working(Day(day));
    // Moved to the first working day on or after the due day, or to the last one on or before it.
    calendar.is_working(b) && if b > due { (due.0..b.0).all(is_free) } else { (b.0 + 1..=due.0).all(is_free) }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn day(text: &str) -> Day {
        Day::parse(text).expect("a date")
    }

    fn check(a: &str, b: &str, expected: Option<Period>) {
        // National Day 2025: 1–8 October off.
        let holidays = (1..=8).filter_map(|d| Day::from_ymd(2025, 10, d)).filter(|d| d.is_weekday()).collect();
        let calendar = Calendar::new(BTreeSet::from([2025]), holidays, BTreeSet::new());
        assert_eq!(Period::between(day(a), day(b), &calendar), expected, "{a} → {b}");
    }

    #[test]
    fn short_periods() {
        check("2025-03-03", "2025-03-04", Some(Period::Daily));
        check("2025-03-07", "2025-03-10", Some(Period::Daily)); // over a weekend
        check("2025-03-03", "2025-03-05", None);
        check("2025-03-03", "2025-03-10", Some(Period::Weekly));
        check("2025-03-03", "2025-03-13", Some(Period::TenDays));
        check("2025-03-03", "2025-03-15", None);
        check("2025-03-03", "2025-03-18", Some(Period::HalfMonth));
    }

    #[test]
    fn a_length_that_tells_tells_the_truth() {
        let holidays: BTreeSet<Day> = (1..=8).filter_map(|d| Day::from_ymd(2025, 10, d)).filter(|d| d.is_weekday()).collect();
        for calendar in [Calendar::default(), Calendar::new(BTreeSet::from([2025]), holidays, BTreeSet::new())] {
            for a in day("2023-01-01").0..day("2026-01-01").0 {
                for b in a..a + 120 {
                    for months in [&MONTH, &QUARTER] {
                        let due = Day(a).plus_months(months.count);
                        let is_free = |day: i32| !calendar.is_working(Day(day));
                        let is_moved = if b > due.0 { (due.0..b).all(is_free) } else { (b + 1..=due.0).all(is_free) };
                        let expected = (b - due.0).abs() <= months.slack || is_moved && calendar.is_working(Day(b));
                        assert_eq!(is_months_later(Day(a), Day(b), months, &calendar), expected, "{} → {}", Day(a), Day(b));
                    }
                }
            }
        }
    }

    #[test]
    fn months_clamp_and_move_with_holidays() {
        check("2025-01-31", "2025-02-28", Some(Period::Monthly));
        check("2025-03-03", "2025-04-06", Some(Period::Monthly));
        check("2025-03-03", "2025-04-07", None);
        check("2025-09-02", "2025-10-09", Some(Period::Monthly)); // first working day after the holidays
        check("2025-09-08", "2025-09-30", Some(Period::Monthly)); // last working day before them
        check("2025-09-08", "2025-09-29", None);
        check("2025-09-08", "2025-10-09", Some(Period::Monthly));
        check("2025-01-15", "2025-04-18", Some(Period::Quarterly));
        check("2025-01-15", "2025-04-21", None);
    }
}
