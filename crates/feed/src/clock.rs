//! The stamped clock and the ticks of a run (`docs/definition.md`, section 1).
//!
//! The clock follows event time, never the wall: `clock = max(clock, min(event time, clock + 1 day))`, so that one wrong date moves it by a
//! day at most. The first record sets it. A tick comes before the first record whose stamp has reached a full hour that the stamp before it
//! had not, and is stamped with the last full hour reached.

use weir_model::time::MICROS_PER_SEC;
use weir_model::{EventTime, Span};

/// How far one record may move the clock.
const STEP_MAX: Span = Span::days(1);
const HOUR_MICROS: i64 = 3600 * MICROS_PER_SEC;

/// A tick: fires timers in every shard, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The record it comes before; the last record for the one at the end.
    pub record: u64,
    /// Its time.
    pub clock: EventTime,
}

/// The clock of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Clock {
    now: Option<EventTime>,
}

impl Clock {
    /// A clock that stands where an earlier run left it.
    #[must_use]
    pub fn resume(now: EventTime) -> Self {
        Self { now: Some(now) }
    }

    /// The largest stamp so far; `None` before the first record.
    #[must_use]
    pub fn now(&self) -> Option<EventTime> {
        self.now
    }

    /// Stamps record `record`. Also yields the tick that comes before it, where one does.
    pub fn stamp(&mut self, record: u64, at: EventTime) -> (EventTime, Option<Tick>) {
        let Some(before) = self.now else {
            self.now = Some(at);
            return (at, None);
        };
        let stamp = before.max(at.min(before.plus(STEP_MAX)));
        self.now = Some(stamp);
        let hour = stamp.0.div_euclid(HOUR_MICROS);
        let tick = (hour > before.0.div_euclid(HOUR_MICROS)).then_some(Tick { record, clock: EventTime(hour * HOUR_MICROS) });
        (stamp, tick)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_follows_event_time_and_ticks_on_full_hours() {
        let at = |minutes: i64| EventTime(1_767_196_800_000_000 + minutes * 60 * MICROS_PER_SEC);
        let mut clock = Clock::default();
        let mut check = |record, minutes, stamp: i64, tick: Option<i64>| {
            let tick = tick.map(|minutes| Tick { record, clock: at(minutes) });
            assert_eq!(clock.stamp(record, at(minutes)), (at(stamp), tick), "{minutes}");
        };
        check(1, 30, 30, None);
        check(2, 10, 30, None);
        check(3, 59, 59, None);
        check(4, 60, 60, Some(60));
        check(5, 60, 60, None);
        check(6, 200, 200, Some(180));
        check(7, 100_000, 200 + 1440, Some(1620));
        check(8, 100_000, 200 + 2880, Some(3060));
        check(9, -100, 3080, None);
        assert_eq!(Clock::resume(at(59)).stamp(1, at(61)), (at(61), Some(Tick { record: 1, clock: at(60) })));
    }
}
