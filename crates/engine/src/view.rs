//! A party as of an instant: all that a feature, an alert's values and its evidence may look at.
//!
//! A view ends at its instant: later rows are not in it. It borrows and never changes anything.

use std::cell::RefCell;

use weir_model::{AgreementKind, Agreements, Calendar, Day, Direction, Division, EventTime, PartyKind, Profile};
use weir_rules::Window;

use crate::history::Gone;
use crate::intern::{Interner, NONE};
use crate::pairs::{Pair, Pairs, Past};
use crate::row::{Extras, Row};
use crate::scans::{Days, Measure, Outlets, People, Scans};

/// A profile with its own text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct ProfileData {
    pub(crate) kind: PartyKind,
    pub(crate) division: Division,
    pub(crate) industry: Box<str>,
    pub(crate) opened_at: Option<Day>,
    pub(crate) registered: bool,
    pub(crate) agreements: Agreements,
    pub(crate) member: Box<str>,
}

impl ProfileData {
    pub(crate) fn matches(&self, profile: &Profile<'_>) -> bool {
        let Profile { kind, division, industry, opened_at, registered, agreements, member } = *profile;
        // Nearly all industries and members of ordinary traffic are empty, and comparing two empty texts is not free (decision 0019).
        let is_same = |own: &str, other: &str| if other.is_empty() { own.is_empty() } else { own == other };
        let rest = (self.kind, self.division, self.opened_at, self.registered, self.agreements);
        rest == (kind, division, opened_at, registered, agreements) && is_same(&self.industry, industry) && is_same(&self.member, member)
    }

    pub(crate) fn as_profile(&self) -> Profile<'_> {
        Profile {
            kind: self.kind,
            division: self.division,
            industry: &self.industry,
            opened_at: self.opened_at,
            registered: self.registered,
            agreements: self.agreements,
            member: &self.member,
        }
    }

    pub(crate) fn has(&self, kind: AgreementKind) -> bool {
        self.agreements.contains(kind)
    }
}

impl From<&Profile<'_>> for ProfileData {
    fn from(profile: &Profile<'_>) -> Self {
        Self {
            kind: profile.kind,
            division: profile.division,
            industry: profile.industry.into(),
            opened_at: profile.opened_at,
            registered: profile.registered,
            agreements: profile.agreements,
            member: profile.member.into(),
        }
    }
}

/// A party as of `t`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    /// Rows up to `t`, tombstones among them.
    pub(crate) rows: &'a [Row],
    pub(crate) pairs: &'a Pairs,
    pub(crate) t: EventTime,
    /// As of the last live row.
    pub(crate) profile: &'a ProfileData,
    /// Day of the earliest leg ever accepted.
    pub(crate) history_from: Day,
    /// Pairs whose last leg is before this day are forgotten.
    pub(crate) forget_before: Day,
    pub(crate) calendar: &'a Calendar,
    pub(crate) extras: &'a Extras,
    pub(crate) strings: &'a Interner,
    /// What is known of rows that have left, if some have.
    pub(crate) gone: Option<&'a Gone>,
    /// All profiles of the shard.
    pub(crate) profiles: &'a [ProfileData],
    /// Members of the rule set's lists.
    pub(crate) lists: &'a [(String, Vec<String>)],
    /// What was scanned for earlier instants.
    pub(crate) scans: &'a RefCell<Scans>,
}

impl<'a> View<'a> {
    /// Live rows of the window, OWN and RETAINED included.
    pub(crate) fn live(&self, window: Window) -> impl DoubleEndedIterator<Item = &'a Row> + Clone + use<'a> {
        self.slice(window).iter().filter(|row| row.is_live())
    }

    /// Counted rows of the window.
    pub(crate) fn counted(&self, window: Window) -> impl DoubleEndedIterator<Item = &'a Row> + Clone + use<'a> {
        self.slice(window).iter().filter(|row| row.is_counted())
    }

    /// Counted In rows of the window.
    pub(crate) fn inflow(&self, window: Window) -> impl DoubleEndedIterator<Item = &'a Row> + Clone + use<'a> {
        self.counted(window).filter(|row| row.is_in())
    }

    /// Counted Out rows of the window.
    pub(crate) fn outflow(&self, window: Window) -> impl DoubleEndedIterator<Item = &'a Row> + Clone + use<'a> {
        self.counted(window).filter(|row| row.is_out())
    }

    /// All rows of the window, tombstones included.
    pub(crate) fn slice(&self, window: Window) -> &'a [Row] {
        let start = window.start(self.t, self.calendar);
        &self.rows[self.rows.partition_point(|row| row.at < start)..]
    }

    /// Index of the first row of a window.
    fn begin(&self, window: Window) -> usize {
        self.rows.len() - self.slice(window).len()
    }

    /// Those who paid in within a window, or were paid. Not to be asked for another scan by `read`.
    pub(crate) fn people<T>(&self, direction: Direction, window: Window, read: impl FnOnce(&mut People) -> T) -> T {
        read(self.scans.borrow_mut().people(direction, Some(window), self.rows, self.begin(window)))
    }

    /// The same over all rows there are.
    pub(crate) fn people_of_all_rows<T>(&self, direction: Direction, read: impl FnOnce(&mut People) -> T) -> T {
        read(self.scans.borrow_mut().people(direction, None, self.rows, 0))
    }

    /// Where the money of a window went.
    pub(crate) fn outlets<T>(&self, window: Window, read: impl FnOnce(&Outlets) -> T) -> T {
        read(self.scans.borrow_mut().outlets(window, self.rows, self.begin(window)))
    }

    /// What came and went on each day of a window.
    pub(crate) fn days<T>(&self, window: Window, read: impl FnOnce(&Days) -> T) -> T {
        read(self.scans.borrow_mut().days(window, self.rows, self.begin(window)))
    }

    /// A sum over the legs of a window.
    pub(crate) fn sum(&self, window: Window, measure: Measure) -> i128 {
        self.scans.borrow_mut().sum(measure, window, self.rows, self.begin(window))
    }

    /// Legs of a window with its most frequent amount, and all that have one.
    pub(crate) fn modes(&self, direction: Direction, window: Window) -> (usize, usize) {
        self.scans.borrow_mut().modes(direction, window, self.rows, self.begin(window)).most_and_all()
    }

    /// Natural people with a rebate in a window.
    pub(crate) fn rebates(&self, window: Window) -> usize {
        self.scans.borrow_mut().rebates(window, self.rows, self.begin(window))
    }

    /// Whether a row with a counterparty is part of all history: its pair has not been forgotten since.
    pub(crate) fn remembers(&self, row: &Row) -> bool {
        self.pairs.remembers(row.pair, row.at, self.forget_before)
    }

    /// What is remembered of a pair. Pairs with a row within any window are never forgotten.
    pub(crate) fn pair(&self, at: u32) -> &'a Pair {
        self.pairs.get(at)
    }

    /// What is remembered of a pair's rows that have left.
    pub(crate) fn past(&self, at: u32) -> Past {
        self.pairs.past(at)
    }

    /// The profile stamped on a row.
    pub(crate) fn profile_of(&self, row: &Row) -> &'a ProfileData {
        &self.profiles[row.profile as usize]
    }

    /// The counterparty key of a pair; empty for [`NONE`].
    pub(crate) fn key(&self, pair: u32) -> &'a str {
        if pair == NONE { "" } else { self.strings.text(self.pairs.get(pair).key) }
    }
}

/// Distinct days of rows, which are in order of time: counted as they change.
pub(crate) fn distinct_days<'a>(rows: impl Iterator<Item = &'a Row>) -> usize {
    let (mut days, mut last) = (0, None);
    for row in rows {
        let day = Some(row.at.day());
        if day != last {
            days += 1;
            last = day;
        }
    }
    days
}

/// Sum of amounts.
pub(crate) fn sum<'a>(rows: impl Iterator<Item = &'a Row>) -> i128 {
    rows.map(|row| i128::from(row.amount)).sum()
}
