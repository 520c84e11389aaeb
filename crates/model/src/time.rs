//! Event time and calendar days.
//!
//! Event time is whole microseconds since 1970-01-01T00:00:00Z; finer digits of a feed are cut off. A day is a calendar day at UTC+8, the
//! offset of Asia/Shanghai since 1991-09-15; earlier summer time is not modelled. No function here asks what time it is.

use std::fmt;

use chrono::{Datelike, Months, NaiveDate};

/// Microseconds in a second.
pub const MICROS_PER_SEC: i64 = 1_000_000;
/// Microseconds in a day.
pub const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SEC;
/// UTC+8.
const SHANGHAI_SECS: i32 = 8 * 3600;

/// A moment of event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct EventTime(pub i64);

/// A length of event time in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(pub i64);

impl Span {
    /// A span of whole days.
    #[must_use]
    pub const fn days(days: i64) -> Self {
        Self(days * MICROS_PER_DAY)
    }

    /// A span of whole hours.
    #[must_use]
    pub const fn hours(hours: i64) -> Self {
        Self(hours * 3600 * MICROS_PER_SEC)
    }

    /// Reads `3d`, `36h`, `90m`, `15s`. `None` for anything else, zero and negative lengths included.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let unit = text.chars().last()?;
        let count: i64 = text[..text.len() - unit.len_utf8()].parse().ok()?;
        let secs = match unit {
            'd' => 86_400,
            'h' => 3600,
            'm' => 60,
            's' => 1,
            _ => return None,
        };
        let micros = count.checked_mul(secs)?.checked_mul(MICROS_PER_SEC)?;
        (micros > 0).then_some(Self(micros))
    }
}

impl fmt::Display for Span {
    /// The largest unit that divides it: `3d`, `36h`, `90m`, `15s`; below a second `250us`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, secs) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
            if self.0 % (secs * MICROS_PER_SEC) == 0 {
                return write!(f, "{}{unit}", self.0 / (secs * MICROS_PER_SEC));
            }
        }
        write!(f, "{}us", self.0)
    }
}

impl EventTime {
    /// The earliest representable moment, before everything.
    pub const MIN: Self = Self(i64::MIN);

    /// The Shanghai day this moment belongs to.
    #[must_use]
    pub fn day(self) -> Day {
        let local = self.0.saturating_add(i64::from(SHANGHAI_SECS) * MICROS_PER_SEC);
        Day(i32::try_from(local.div_euclid(MICROS_PER_DAY)).unwrap_or(if local < 0 { i32::MIN } else { i32::MAX }))
    }

    /// Microseconds since the Shanghai midnight before it, `0..MICROS_PER_DAY`.
    #[must_use]
    pub fn micros_of_day(self) -> i64 {
        self.0.saturating_add(i64::from(SHANGHAI_SECS) * MICROS_PER_SEC).rem_euclid(MICROS_PER_DAY)
    }

    /// `self − span`, saturating.
    #[must_use]
    pub fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// `self + span`, saturating.
    #[must_use]
    pub fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// Time from `earlier` to `self`; negative when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Display for EventTime {
    /// RFC 3339 at UTC+8, with the fraction only where there is one: `2026-03-07T23:00:00+08:00`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let date = self.day().date();
        let (year, month, day) = (date.year(), date.month(), date.day());
        // RFC 3339 has years of four digits; what is far beyond them is no moment of a bank.
        if !(0..=9999).contains(&year) {
            return write!(f, "{}us", self.0);
        }
        let micros = self.micros_of_day();
        let (seconds, micros) = (micros / MICROS_PER_SEC, micros % MICROS_PER_SEC);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        match micros {
            0 => {}
            micros if micros % 1000 == 0 => write!(f, ".{:03}", micros / 1000)?,
            micros => write!(f, ".{micros:06}")?,
        }
        f.write_str("+08:00")
    }
}

/// A calendar day in Asia/Shanghai: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

impl Day {
    /// Days between 0001-01-01 and 1970-01-01, plus one: what `chrono` counts from.
    const CE_OFFSET: i32 = 719_163;

    /// The day of a civil date; `None` for a date that does not exist.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, day).map(Self::from_date)
    }

    /// Reads `2026-03-07`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().map(Self::from_date)
    }

    /// The day of a `chrono` date.
    #[must_use]
    pub fn from_date(date: NaiveDate) -> Self {
        Self(date.num_days_from_ce() - Self::CE_OFFSET)
    }

    /// As a `chrono` date; days outside its range are clamped to its ends.
    #[must_use]
    pub fn date(self) -> NaiveDate {
        let fallback = if self.0 < 0 { NaiveDate::MIN } else { NaiveDate::MAX };
        NaiveDate::from_num_days_from_ce_opt(self.0.saturating_add(Self::CE_OFFSET)).unwrap_or(fallback)
    }

    /// The first moment of the day; days 292,000 years away are clamped.
    #[must_use]
    pub fn start(self) -> EventTime {
        EventTime(i64::from(self.0).saturating_mul(MICROS_PER_DAY).saturating_sub(i64::from(SHANGHAI_SECS) * MICROS_PER_SEC))
    }

    /// The last microsecond of the day: what a rule `on: day_end` is evaluated as of.
    #[must_use]
    pub fn end(self) -> EventTime {
        EventTime(self.start().0.saturating_add(MICROS_PER_DAY - 1))
    }

    /// `self + days`, saturating.
    #[must_use]
    pub fn plus(self, days: i32) -> Self {
        Self(self.0.saturating_add(days))
    }

    /// The same day of the month `months` later, or that month's last day where it is shorter.
    #[must_use]
    pub fn plus_months(self, months: u32) -> Self {
        self.date().checked_add_months(Months::new(months)).map_or(self, Self::from_date)
    }

    /// Civil year.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// Monday to Friday, before any holiday is considered.
    #[must_use]
    pub fn is_weekday(self) -> bool {
        // 1970-01-01 was a Thursday.
        (self.0.rem_euclid(7) + 3) % 7 < 5
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.date().format("%Y-%m-%d"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_shanghai_midnight() {
        let day = Day::from_ymd(2026, 3, 7).expect("exists");
        assert_eq!(day.start().to_string(), "2026-03-07T00:00:00+08:00");
        assert_eq!(day.start().day(), day);
        assert_eq!(day.end().day(), day);
        assert_eq!(day.end().plus(Span(1)).day(), day.plus(1));
        assert_eq!(day.start().minus(Span(1)).day(), day.plus(-1));
        assert!(!day.is_weekday() && day.plus(2).is_weekday() && day.plus(-1).is_weekday());
    }

    #[test]
    fn a_moment_shows_the_digits_it_has() {
        let at = |micros: i64| Day::from_ymd(1999, 12, 31).expect("exists").start().plus(Span(micros)).to_string();
        assert_eq!(at(86_399 * MICROS_PER_SEC), "1999-12-31T23:59:59+08:00");
        assert_eq!(at(3_723 * MICROS_PER_SEC + 40_000), "1999-12-31T01:02:03.040+08:00");
        assert_eq!(at(7), "1999-12-31T00:00:00.000007+08:00");
        assert_eq!(at(-1), "1999-12-30T23:59:59.999999+08:00");
        assert_eq!(Day::from_ymd(12, 3, 4).expect("exists").start().to_string(), "0012-03-04T00:00:00+08:00");
        assert_eq!(EventTime(i64::MAX).to_string(), "9223372036854775807us");
    }

    #[test]
    fn months_clamp_to_their_last_day() {
        let day = Day::from_ymd(2024, 1, 31).expect("exists");
        assert_eq!(day.plus_months(1).to_string(), "2024-02-29");
        assert_eq!(day.plus_months(13).to_string(), "2025-02-28");
    }

    #[test]
    fn spans_read_and_show_their_unit() {
        for text in ["3d", "36h", "90m", "15s"] {
            assert_eq!(Span::parse(text).map(|s| s.to_string()).as_deref(), Some(text));
        }
        assert_eq!(Span::parse("0d"), None);
        assert_eq!(Span::parse("3"), None);
        assert_eq!(Span::parse("3天"), None);
    }
}
