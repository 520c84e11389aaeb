//! Reading of dates and times: the default form, strftime formats, integer steps, epochs.
//!
//! All of them end in whole microseconds since 1970-01-01T00:00:00Z; finer digits are cut off. A local time without an offset is taken at the
//! zone of the feed, by default UTC+8 (Asia/Shanghai). Zones are fixed offsets: China has had no summer time since 1991. A date that does
//! not exist, and one outside 1970 to 2199, is no date: it is a broken column.

use chrono::format::{Fixed, Item, Numeric, Pad, Parsed, StrftimeItems};
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Timelike};
use weir_model::time::{MICROS_PER_DAY, MICROS_PER_SEC};
use weir_model::{Day, EventTime, Span};

/// Years accepted for anything that happened.
const YEARS: std::ops::RangeInclusive<i32> = 1970..=2199;

/// A fixed offset from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Zone {
    pub(crate) offset_secs: i32,
}

impl Default for Zone {
    fn default() -> Self {
        Self { offset_secs: 8 * 3600 }
    }
}

impl Zone {
    /// `+08:00`, `-05:30`, `Z`, `UTC`, `Asia/Shanghai`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text {
            "Z" | "UTC" => return Some(Self { offset_secs: 0 }),
            "Asia/Shanghai" | "PRC" => return Some(Self::default()),
            _ => {}
        }
        let (offset_secs, rest) = offset(text.as_bytes())?;
        rest.is_empty().then_some(Self { offset_secs })
    }
}

/// A moment and whether its time of day was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) at: EventTime,
    pub(crate) has_time: bool,
}

/// How a feed writes its times.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeReading {
    pub(crate) zone: Zone,
    pub(crate) form: TimeForm,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum TimeForm {
    /// RFC 3339; `T` or a blank between date and time; seconds, fraction and offset may be missing, and so may the time.
    Default,
    /// The first format that fits.
    Formats(Vec<TimeFormat>),
    /// Whole steps of `unit` after `origin`.
    Steps { origin: EventTime, unit: Span },
    /// Whole units since 1970-01-01T00:00:00Z.
    Epoch { unit_micros: i64 },
}

impl TimeReading {
    /// `None` where the text is no time.
    pub(crate) fn read(&self, text: &str) -> Option<Moment> {
        match &self.form {
            TimeForm::Default => read_default(text, self.zone),
            TimeForm::Formats(formats) => formats.iter().find_map(|format| format.read(text, self.zone)),
            TimeForm::Steps { origin, unit } => {
                let step: i64 = text.parse().ok()?;
                let at = EventTime(origin.0.checked_add(step.checked_mul(unit.0)?)?);
                within_years(at).then_some(Moment { at, has_time: unit.0 < MICROS_PER_DAY })
            }
            TimeForm::Epoch { unit_micros } => {
                let count: i64 = text.parse().ok()?;
                let at = EventTime(count.checked_mul(*unit_micros)?);
                within_years(at).then_some(Moment { at, has_time: true })
            }
        }
    }
}

fn within_years(at: EventTime) -> bool {
    // One day short of i32 days is enough: `day` saturates, and the saturated years lie far outside.
    YEARS.contains(&at.day().year())
}

/// A strftime format, parsed once.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TimeFormat {
    /// Each with the digits it must have: those of a number that touches another one. `%H%M%S` would else read 12345 as 12:34:05.
    items: Vec<(Item<'static>, Option<usize>)>,
    has_time: bool,
}

impl TimeFormat {
    /// `None` for a format that strftime does not know or that does not say which day it was.
    pub(crate) fn parse(format: &str) -> Option<Self> {
        let items = StrftimeItems::new(format).parse_to_owned().ok()?;
        let has_time = items.iter().any(|item| {
            matches!(
                item,
                Item::Numeric(Numeric::Hour | Numeric::Hour12 | Numeric::Timestamp, _) | Item::Fixed(Fixed::RFC3339 | Fixed::RFC2822)
            )
        });
        let parsed = Self { items: with_widths(items), has_time };
        let sample = NaiveDate::from_ymd_opt(2024, 2, 29)?.and_hms_opt(13, 14, 15)?;
        let utc = chrono::FixedOffset::east_opt(0)?;
        let written = sample.and_local_timezone(utc).single()?.format(format).to_string();
        let read = parsed.read(&written, Zone { offset_secs: 0 })?;
        (read.at.0.div_euclid(MICROS_PER_DAY) == sample.and_utc().timestamp().div_euclid(86_400)).then_some(parsed)
    }

    fn read(&self, text: &str, zone: Zone) -> Option<Moment> {
        let mut parsed = Parsed::new();
        let mut rest = text;
        for (item, digits) in &self.items {
            rest = match digits {
                Some(digits) => {
                    let (number, rest) = rest.split_at_checked(*digits)?;
                    if !number.bytes().all(|byte| byte.is_ascii_digit() || byte == b' ' && pads_with_blanks(item)) {
                        return None;
                    }
                    chrono::format::parse(&mut parsed, number, std::iter::once(item)).ok()?;
                    rest
                }
                None => chrono::format::parse_and_remainder(&mut parsed, rest, std::iter::once(item)).ok()?,
            };
        }
        if !rest.is_empty() {
            return None;
        }
        let offset_secs = parsed.offset().unwrap_or(zone.offset_secs);
        let local = if self.has_time {
            parsed.to_naive_datetime_with_offset(offset_secs).ok()?
        } else {
            parsed.to_naive_date().ok()?.and_time(NaiveTime::MIN)
        };
        moment(local, offset_secs, self.has_time)
    }
}

/// Marks the numbers that stand beside another digit: only their full width says where one ends.
fn with_widths(items: Vec<Item<'static>>) -> Vec<(Item<'static>, Option<usize>)> {
    let touches = |at: usize| (at > 0 && ends_in_digit(&items[at - 1])) || items.get(at + 1).is_some_and(begins_with_digit);
    let widths: Vec<Option<usize>> = (0..items.len()).map(|at| width(&items[at]).filter(|_| touches(at))).collect();
    items.into_iter().zip(widths).collect()
}

/// Digits of a number in full; `None` for what is no number, or has no width of its own.
fn width(item: &Item<'_>) -> Option<usize> {
    let Item::Numeric(number, _) = item else { return None };
    Some(match number {
        Numeric::Year | Numeric::IsoYear => 4,
        Numeric::Quarter | Numeric::NumDaysFromSun | Numeric::WeekdayFromMon => 1,
        Numeric::Ordinal => 3,
        Numeric::Nanosecond => 9,
        Numeric::Timestamp | Numeric::Internal(_) => return None,
        _ => 2,
    })
}

fn pads_with_blanks(item: &Item<'_>) -> bool {
    matches!(item, Item::Numeric(_, Pad::Space))
}

fn begins_with_digit(item: &Item<'_>) -> bool {
    match item {
        Item::Numeric(..) | Item::Fixed(Fixed::Internal(_) | Fixed::RFC3339) => true,
        Item::Literal(text) => text.starts_with(|c: char| c.is_ascii_digit()),
        Item::OwnedLiteral(text) => text.starts_with(|c: char| c.is_ascii_digit()),
        _ => false,
    }
}

fn ends_in_digit(item: &Item<'_>) -> bool {
    match item {
        Item::Literal(text) => text.ends_with(|c: char| c.is_ascii_digit()),
        Item::OwnedLiteral(text) => text.ends_with(|c: char| c.is_ascii_digit()),
        Item::Fixed(Fixed::RFC2822) => false,
        other => begins_with_digit(other),
    }
}

fn moment(local: NaiveDateTime, offset_secs: i32, has_time: bool) -> Option<Moment> {
    let secs = local.and_utc().timestamp().checked_sub(i64::from(offset_secs))?;
    // `nanosecond` of a leap second is above 10^9, which makes it the first moment of the next minute.
    let at = EventTime(secs.checked_mul(MICROS_PER_SEC)?.checked_add(i64::from(local.nanosecond() / 1000))?);
    within_years(at).then_some(Moment { at, has_time })
}

/// The default form, by hand: it is the one on the hot path.
fn read_default(text: &str, zone: Zone) -> Option<Moment> {
    let bytes = text.as_bytes();
    let (date, rest) = bytes.split_at_checked(10)?;
    let day = read_date(date)?;
    if rest.is_empty() {
        return finish(day, 0, zone.offset_secs, false);
    }
    let (separator, rest) = rest.split_first()?;
    if !matches!(separator, b'T' | b't' | b' ') {
        return None;
    }
    let (hour, rest) = two_digits(rest)?;
    let (minute, mut rest) = two_digits(rest.strip_prefix(b":")?)?;
    let mut secs = 0;
    let mut micros = 0;
    if let Some(after) = rest.strip_prefix(b":") {
        (secs, rest) = two_digits(after)?;
        if let Some(after) = rest.strip_prefix(b".") {
            (micros, rest) = fraction(after)?;
        }
    }
    // A leap second is the first moment of the next minute.
    if hour > 23 || minute > 59 || secs > if minute == 59 { 60 } else { 59 } {
        return None;
    }
    let offset_secs = match rest {
        [] => zone.offset_secs,
        [b'Z' | b'z'] => 0,
        _ => {
            let (offset_secs, rest) = offset(rest)?;
            if !rest.is_empty() {
                return None;
            }
            offset_secs
        }
    };
    finish(day, (hour * 3600 + minute * 60 + secs) * MICROS_PER_SEC + micros, offset_secs, true)
}

fn finish(day: Day, micros_of_day: i64, offset_secs: i32, has_time: bool) -> Option<Moment> {
    let at = EventTime(i64::from(day.0) * MICROS_PER_DAY + micros_of_day - i64::from(offset_secs) * MICROS_PER_SEC);
    within_years(at).then_some(Moment { at, has_time })
}

/// `2026-03-07`, of the years accepted and one more on each side for what an offset may do.
fn read_date(bytes: &[u8]) -> Option<Day> {
    let (century, rest) = two_digits(bytes)?;
    let (year, rest) = two_digits(rest)?;
    let (month, rest) = two_digits(rest.strip_prefix(b"-")?)?;
    let (day, rest) = two_digits(rest.strip_prefix(b"-")?)?;
    if !rest.is_empty() {
        return None;
    }
    let year = i32::try_from(century * 100 + year).ok()?;
    Day::from_ymd(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

fn two_digits(bytes: &[u8]) -> Option<(i64, &[u8])> {
    match bytes {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] => Some((i64::from(tens - b'0') * 10 + i64::from(ones - b'0'), rest)),
        _ => None,
    }
}

/// Digits of a second as microseconds, cut after six.
fn fraction(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (digits, rest) = bytes.split_at(digits);
    let mut micros = 0;
    for i in 0..6 {
        micros = micros * 10 + digits.get(i).map_or(0, |byte| i64::from(byte - b'0'));
    }
    Some((micros, rest))
}

/// `+08:00`, `+0800`, `+08`.
fn offset(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let (sign, rest) = bytes.split_first()?;
    let sign = match sign {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = two_digits(rest)?;
    let (minutes, rest) = match rest.strip_prefix(b":") {
        Some(after) => two_digits(after)?,
        None => two_digits(rest).unwrap_or((0, rest)),
    };
    if hours > 18 || minutes > 59 {
        return None;
    }
    Some((i32::try_from(sign * (hours * 3600 + minutes * 60)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(moment: Option<Moment>) -> String {
        moment.map_or("-".to_owned(), |m| format!("{}{}", m.at, if m.has_time { "" } else { " (day)" }))
    }

    fn check(reading: &TimeReading, cases: &[(&str, &str)]) {
        for (text, expected) in cases {
            assert_eq!(show(reading.read(text)), *expected, "{text}");
        }
    }

    fn formats(list: &[&str]) -> TimeReading {
        let formats = list.iter().map(|format| TimeFormat::parse(format).expect(format)).collect();
        TimeReading { zone: Zone::default(), form: TimeForm::Formats(formats) }
    }

    #[test]
    fn the_default_form_takes_offsets_or_shanghai() {
        let reading = TimeReading { zone: Zone::default(), form: TimeForm::Default };
        check(
            &reading,
            &[
                ("2026-03-07T23:00:00+08:00", "2026-03-07T23:00:00+08:00"),
                ("2026-03-07T15:00:00Z", "2026-03-07T23:00:00+08:00"),
                ("2026-03-07 23:00", "2026-03-07T23:00:00+08:00"),
                ("2026-03-07 23:00:01.1234567-0530", "2026-03-08T12:30:01.123456+08:00"),
                ("2026-03-07", "2026-03-07T00:00:00+08:00 (day)"),
                ("2024-02-29", "2024-02-29T00:00:00+08:00 (day)"),
                ("2016-12-31T23:59:60Z", "2017-01-01T08:00:00+08:00"),
            ],
        );
        for bad in [
            "",
            "2023-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-03-07T24:00:00",
            "2026-03-07T23:60",
            "2026-03-07T23:59:61",
            "2026-03-07x23:00",
            "2026-03-07T23:00:00+",
            "2026-03-07T23:00:00.+08:00",
            "2026-03-07T23:00:00+19:00",
            "20260307",
            "0001-01-01",
            "9999-12-31",
            "1969-12-31",
            "2026-03-07T23:00:00Z ",
            "２０２６-03-07",
            "三月七日三月七日",
        ] {
            assert_eq!(reading.read(bad), None, "{bad}");
        }
    }

    #[test]
    fn formats_of_a_feed_are_tried_in_order() {
        check(
            &formats(&["%Y%m%d %H%M%S", "%Y%m%d", "%Y年%m月%d日 %H时%M分", "%d/%m/%Y %H:%M:%S %z"]),
            &[
                ("20260307 230001", "2026-03-07T23:00:01+08:00"),
                ("20260307", "2026-03-07T00:00:00+08:00 (day)"),
                ("2026年03月07日 23时05分", "2026-03-07T23:05:00+08:00"),
                ("07/03/2026 23:00:00 +0000", "2026-03-08T07:00:00+08:00"),
                ("20260230", "-"),
                ("20260307 250000", "-"),
                ("00000000", "-"),
            ],
        );
        assert_eq!(TimeFormat::parse("%Q"), None);
        assert_eq!(TimeFormat::parse("%H:%M"), None, "no day");
        assert_eq!(TimeFormat::parse("%m-%d"), None, "no year");
    }

    #[test]
    fn numbers_that_touch_have_their_full_width() {
        let reading = formats(&["%Y%m%d %H%M%S", "%Y%m%d%H%M%S", "%Y%m%d", "%Y%j", "%Y%m%d%H%M%S%3f", "%y%m%d.%H:%M"]);
        check(
            &reading,
            &[
                ("20260307 012345", "2026-03-07T01:23:45+08:00"),
                ("20260307 12345", "-"),
                ("20260307 1234", "-"),
                ("20260102030405", "2026-01-02T03:04:05+08:00"),
                ("2026010203040", "-"),
                ("2026111", "2026-04-21T00:00:00+08:00 (day)"),
                ("202611", "-"),
                ("2026 1 1", "-"),
                ("2026-1-1", "-"),
                ("20260102030405678", "2026-01-02T03:04:05.678+08:00"),
                ("260307.5:00", "2026-03-07T05:00:00+08:00"),
                ("26037.5:00", "-"),
            ],
        );
        check(&formats(&["%Y%m%d"]), &[("2026111", "-"), ("20260111", "2026-01-11T00:00:00+08:00 (day)"), ("20260111 ", "-")]);
        // Where separators say what ends where, short numbers are as good as long ones.
        check(&formats(&["%Y-%m-%d %H:%M"]), &[("2026-1-9 7:05", "2026-01-09T07:05:00+08:00")]);
        check(&formats(&["%Y%m%e"]), &[("202601 9", "2026-01-09T00:00:00+08:00 (day)"), ("2026019", "-")]);
    }

    #[test]
    fn steps_and_epochs_are_whole_numbers() {
        let origin = read_default("2026-01-01", Zone::default()).expect("a date").at;
        let days = TimeReading { zone: Zone::default(), form: TimeForm::Steps { origin, unit: Span::days(1) } };
        check(
            &days,
            &[
                ("0", "2026-01-01T00:00:00+08:00 (day)"),
                ("59", "2026-03-01T00:00:00+08:00 (day)"),
                ("1.5", "-"),
                ("9223372036854775807", "-"),
            ],
        );
        let millis = TimeReading { zone: Zone::default(), form: TimeForm::Epoch { unit_micros: 1000 } };
        check(&millis, &[("1772895600123", "2026-03-07T23:00:00.123+08:00"), ("9223372036854775807", "-"), ("x", "-")]);
    }
}
