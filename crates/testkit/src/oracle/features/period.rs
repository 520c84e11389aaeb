//! The table of periods of section 7.

use weir_model::{Calendar, Day};

/// How two payments follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::oracle) enum Period {
    Daily,
    Weekly,
    TenDays,
    HalfMonth,
    Monthly,
    Quarterly,
}

/// The first line of the table that fits payments on days `a` < `b`.
pub(in crate::oracle) fn period(a: Day, b: Day, calendar: &Calendar) -> Option<Period> {
    let gap = b.0 - a.0;
    let works_between = (a.0 + 1..b.0).any(|day| calendar.is_working(Day(day)));
    if gap == 1 || ((2..=12).contains(&gap) && !works_between) {
        return Some(Period::Daily);
    }
    match gap {
        6..=8 => return Some(Period::Weekly),
        9..=11 => return Some(Period::TenDays),
        13..=17 => return Some(Period::HalfMonth),
        _ => {}
    }
    if is_months_later(a, b, 1, 3, calendar) {
        return Some(Period::Monthly);
    }
    is_months_later(a, b, 3, 5, calendar).then_some(Period::Quarterly)
}

/// Within `slack` days of the same day `months` later, or on the working day next to it on either side.
fn is_months_later(a: Day, b: Day, months: u32, slack: i32, calendar: &Calendar) -> bool {
    let aim = a.plus_months(months);
    let next = (aim.0..).map(Day).find(|day| calendar.is_working(*day));
    let previous = (0..).map(|n| Day(aim.0 - n)).find(|day| calendar.is_working(*day));
    (b.0 - aim.0).abs() <= slack || Some(b) == next || Some(b) == previous
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// National Day 2024 as it was: 1–7 October off, 29 September and 12 October worked.
    fn calendar() -> Calendar {
        let day = |d| Day::from_ymd(2024, 10, d).expect("exists");
        let holidays = (1..=7).map(day).filter(|d| d.is_weekday()).collect();
        Calendar::new(BTreeSet::from([2024]), holidays, BTreeSet::from([Day::from_ymd(2024, 9, 29).expect("exists"), day(12)]))
    }

    fn check(a: &str, b: &str, expected: Option<Period>) {
        let day = |text| Day::parse(text).expect("a date");
        assert_eq!(period(day(a), day(b), &calendar()), expected, "{a} {b}");
    }

    #[test]
    fn periods_fit_by_the_first_line() {
        check("2024-03-04", "2024-03-05", Some(Period::Daily));
        check("2024-03-08", "2024-03-11", Some(Period::Daily)); // Friday, Monday
        check("2024-09-30", "2024-10-08", Some(Period::Daily)); // the holidays between
        check("2024-03-04", "2024-03-06", None);
        check("2024-03-04", "2024-03-10", Some(Period::Weekly));
        check("2024-03-04", "2024-03-15", Some(Period::TenDays));
        check("2024-03-04", "2024-03-16", None);
        check("2024-03-04", "2024-03-21", Some(Period::HalfMonth));
        check("2024-01-31", "2024-02-29", Some(Period::Monthly));
        check("2024-01-31", "2024-03-03", Some(Period::Monthly));
        check("2024-09-01", "2024-09-28", Some(Period::Monthly));
        check("2024-09-01", "2024-09-27", None);
        check("2024-09-03", "2024-10-08", Some(Period::Monthly)); // 3 October is off, 8 October the first working day after
        check("2024-11-30", "2025-02-28", Some(Period::Quarterly));
        check("2024-11-30", "2025-03-06", None);
    }
}
