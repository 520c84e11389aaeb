//! A day as the town knows it: weekday, holidays, what falls due.
//!
//! The calendar of the generator is its own: the one that rules use is a file of theirs, and a bank that took its holidays from there would
//! agree with it whatever stood in it.

use chrono::Datelike as _;
use weir_model::Day;

/// First day of Spring Festival's week off, by year.
const FESTIVALS: [(i32, u32, u32); 12] = [
    (2019, 2, 4),
    (2020, 1, 24),
    (2021, 2, 11),
    (2022, 1, 31),
    (2023, 1, 21),
    (2024, 2, 10),
    (2025, 1, 28),
    (2026, 2, 16),
    (2027, 2, 5),
    (2028, 1, 25),
    (2029, 2, 12),
    (2030, 2, 2),
];

/// First and last year whose Spring Festival is known: in others people would go home, and wages come, on the wrong days.
pub const YEARS: (i32, i32) = (FESTIVALS[0].0, FESTIVALS[FESTIVALS.len() - 1].0);

/// A day.
#[derive(Debug, Clone, Copy)]
pub struct Today {
    /// Which.
    pub day: Day,
    /// Seconds of its midnight in Shanghai.
    pub midnight: i64,
    /// Its date.
    pub month: u32,
    /// Day of the month.
    pub dom: u32,
    /// Days from the nearest beginning of Spring Festival: negative before it.
    pub from_festival: i32,
    /// Banks and offices work.
    pub is_working: bool,
    /// Days of the month, as bits, whose payments are made today because they are due today or on the days off that follow.
    due_before: u32,
    /// The same for what waits until after days off.
    due_after: u32,
}

impl Today {
    /// Of a day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        let date = day.date();
        let is_working = is_working(day);
        let mut today = Self {
            day,
            midnight: day.start().0 / 1_000_000,
            month: date.month(),
            dom: date.day(),
            from_festival: from_festival(day),
            is_working,
            due_before: 0,
            due_after: 0,
        };
        if is_working {
            let back = (1..16).map(|days| day.plus(-days)).take_while(|day| !self::is_working(*day));
            let ahead = (1..16).map(|days| day.plus(days)).take_while(|day| !self::is_working(*day));
            let bit = |day: Day| 1_u32 << day.date().day();
            today.due_after = back.map(bit).fold(bit(day), |bits, bit| bits | bit);
            today.due_before = ahead.map(bit).fold(bit(day), |bits, bit| bits | bit);
        }
        today
    }

    /// Whether a payment of this day of the month, which must not come late, is made today. Days that a month lacks are not drawn.
    #[must_use]
    pub const fn pays(&self, dom: u8) -> bool {
        self.due_before >> dom & 1 == 1
    }

    /// Whether a payment of this day of the month that waits for the next working day is made today.
    #[must_use]
    pub const fn collects(&self, dom: u8) -> bool {
        self.due_after >> dom & 1 == 1
    }

    /// Whether people are on their way home or celebrate.
    #[must_use]
    pub const fn is_festive(&self) -> bool {
        -12 <= self.from_festival && self.from_festival <= 6
    }

    /// [`month_number`] of the day.
    #[must_use]
    pub fn month_number(&self) -> i64 {
        month_number(self.day)
    }
}

/// Number of a day's month: twelve in every year.
#[must_use]
pub fn month_number(day: Day) -> i64 {
    i64::from(day.year()) * 12 + i64::from(day.date().month())
}

fn is_working(day: Day) -> bool {
    let date = day.date();
    let is_off = match (date.month(), date.day()) {
        (10, 1..=7) | (5, 1..=4) | (1, 1) => true,
        _ => (0..7).contains(&from_festival(day)),
    };
    !is_off && day.is_weekday()
}

fn from_festival(day: Day) -> i32 {
    let beginnings = FESTIVALS.iter().filter_map(|(year, month, dom)| Day::from_ymd(*year, *month, *dom));
    beginnings.map(|beginning| day.0 - beginning.0).min_by_key(|days| days.abs()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Today {
        Today::of(Day::parse(text).expect("a date"))
    }

    #[test]
    fn no_year_in_between_is_missing() {
        assert!(FESTIVALS.iter().zip(YEARS.0..=YEARS.1).all(|((year, ..), expected)| *year == expected));
        assert_eq!(YEARS, (2019, 2030));
    }

    #[test]
    fn wages_come_before_days_off_and_interest_after_them() {
        // The 10th of August 2024 is a Saturday.
        assert!(of("2024-08-09").pays(10) && !of("2024-08-10").pays(10));
        assert!(of("2024-08-12").collects(10) && !of("2024-08-12").pays(10));
        assert!(of("2024-09-30").pays(5), "before the week of National Day");
        assert!(of("2024-10-08").collects(5));
    }

    #[test]
    fn each_payment_is_made_once_a_month() {
        let first = Day::parse("2023-01-01").expect("a date");
        for dom in 1..=28 {
            let paid = (0..730).filter(|days| Today::of(first.plus(*days)).pays(dom)).count();
            let collected = (0..730).filter(|days| Today::of(first.plus(*days)).collects(dom)).count();
            assert!((23..=25).contains(&paid) && (23..=25).contains(&collected), "{dom}: {paid}, {collected}");
        }
    }
}
