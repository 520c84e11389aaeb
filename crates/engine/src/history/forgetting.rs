//! What a party lets go of, and when: ids of old transactions, rows that no window reaches, pairs that are forgotten.
//!
//! Decides no answer: what is forgotten follows from the frontier of the last tick alone, and here only its memory is given back. `agenda` says
//! whose turn it is.

use weir_model::{Day, EventTime, PartyKind};

use super::{FORGET_DAYS, MEMORY_DAYS, Party, TIDY_DAYS};
use crate::agenda::Agenda;
use crate::intern::NONE;
use crate::tables::Tables;

/// Days between two looks at a party for pairs that are forgotten.
const SILENCE_DAYS: i32 = 32;

impl Party {
    /// Is to be tidied on `day` at the latest.
    pub(crate) fn be_due(&mut self, number: u32, day: Day, agenda: &mut Agenda) {
        if day < self.due {
            self.due = day;
            agenda.add(day, number);
        }
    }

    /// Lets go of what is too old to matter at the frontier, and says when there may be more. Rows before `keep_from` are in no window.
    pub(crate) fn tidy(&mut self, number: u32, frontier: EventTime, keep_from: Day, tables: &mut Tables) -> Day {
        let today = frontier.day();
        let (memory_day, forget_before) = (today.plus(-MEMORY_DAYS), today.plus(-FORGET_DAYS));
        self.age(number, memory_day, tables);
        // Moving the rest costs as much as it holds: wait until a quarter is old, or all is.
        let old = self.rows_before(keep_from);
        if old * 4 > self.rows.len() {
            self.drop_rows(number, old, tables);
        }
        // Two years of silence need no daily look: each party has its day of the month.
        let phase = forget_before.0.wrapping_add_unsigned(number).rem_euclid(SILENCE_DAYS);
        if phase < TIDY_DAYS {
            self.drop_forgotten_pairs(forget_before, tables);
        }
        self.drop_totals(today);
        if self.rows.last().is_some_and(|row| row.at < frontier) {
            self.standing = None;
            self.scans.take();
        }
        self.next_due(today, keep_from, today.plus(SILENCE_DAYS - phase))
    }

    /// The first day on which there may be something to let go, as of a party that was tidied today: rows before `keep_from` were old, and pairs
    /// are looked at next on the day `silence`. Not at once: what a few more days bring goes along.
    fn next_due(&self, today: Day, keep_from: Day, silence: Day) -> Day {
        let ages = self.rows.get(self.aged as usize).map(|row| row.at.day().plus(MEMORY_DAYS + 1));
        let kept = today.0.saturating_sub(keep_from.0).saturating_add(1);
        let leaves = self.rows.get(self.rows.len() / 4).map(|row| row.at.day().plus(kept));
        let has_cursor = self.standing.as_ref().is_some_and(|standing| standing.cursor.is_some());
        let is_scanned = has_cursor || self.scans.borrow().are_kept();
        let rests = self.rows.last().filter(|_| is_scanned).map(|row| row.at.day().plus(1));
        let silent = (self.pairs.len() > 0).then(|| {
            // No pair can have been silent so long before.
            let wait = self.history_from.0.saturating_add(FORGET_DAYS + 1).saturating_sub(silence.0);
            silence.plus(wait.max(0).saturating_add(SILENCE_DAYS - 1) / SILENCE_DAYS * SILENCE_DAYS)
        });
        [ages, leaves, rests, silent].into_iter().flatten().min().unwrap_or(Day(i32::MAX)).max(today.plus(TIDY_DAYS))
    }

    /// Gives back the memory of pairs that are forgotten and have no row left, once they are a quarter of all.
    fn drop_forgotten_pairs(&mut self, forget_before: Day, tables: &mut Tables) {
        let forgotten = self.pairs.as_slice().iter().filter(|pair| pair.is_forgotten(forget_before)).count();
        if forgotten == 0 || forgotten * 4 < self.pairs.len() {
            return;
        }
        let mut has_rows = vec![false; self.pairs.len()];
        self.rows.iter().filter(|row| row.pair != NONE).for_each(|row| has_rows[row.pair as usize] = true);
        let forgotten: Vec<bool> = self.pairs.as_slice().iter().map(|pair| pair.is_forgotten(forget_before)).collect();
        let is_wanted = |at: u32| has_rows[at as usize] || !forgotten[at as usize];
        // Pairs get new numbers.
        self.scans.take();
        let new = self.pairs.retain(is_wanted, |key| tables.strings.release(key));
        self.rows.iter_mut().filter(|row| row.pair != NONE).for_each(|row| row.pair = new[row.pair as usize]);
        self.standing = None;
    }

    /// Gives back the transaction ids of rows that are no longer remembered.
    fn age(&mut self, number: u32, memory_day: Day, tables: &mut Tables) {
        while let Some(row) = self.rows.get_mut(self.aged as usize).filter(|row| row.at.day() < memory_day) {
            tables.forget_row(number, row);
            row.txn = NONE;
            self.aged += 1;
        }
    }

    /// Rows on days before `day`: they are the first ones.
    pub(crate) fn rows_before(&self, day: Day) -> usize {
        // Mostly there is none, and the first row shows it.
        if self.rows.first().is_none_or(|row| row.at >= day.start()) { 0 } else { self.rows.partition_point(|row| row.at < day.start()) }
    }

    /// Lets the first `count` rows go; what pairs must keep of them is added to their memory.
    pub(crate) fn drop_rows(&mut self, number: u32, count: usize, tables: &mut Tables) {
        let mut gone = self.gone();
        for at in 0..count {
            let row = self.rows[at];
            if at >= self.aged as usize {
                tables.forget_row(number, &row);
            }
            tables.extras.release(row.extra);
            self.bounds.leave(&row);
            if row.is_live() {
                gone.profile = Some(row.profile);
            }
            if !row.is_counted() {
                continue;
            }
            if row.is_in() {
                gone.inflow += i128::from(row.amount);
            }
            if row.counterparty_kind() != PartyKind::Internal {
                gone.active = gone.active.max(Some(row.at.day()));
            }
            if row.pair == NONE {
                continue;
            }
            if row.makes_party() && row.at >= self.pairs.begins(row.pair) {
                self.pairs.add_past(&row);
            }
        }
        self.set_gone(gone);
        self.scans.get_mut().before_drop(&self.rows, count);
        if let Some(cursor) = self.standing.as_mut().and_then(|standing| standing.cursor.as_mut()) {
            cursor.before_drop(&self.rows, count);
        }
        self.rows.drain(..count);
        self.aged = self.aged.saturating_sub(u32::try_from(count).unwrap_or(u32::MAX));
    }
}
