//! Large-amount reports: when a total's change is said, and when a day is final.
//!
//! Totals and their limits are `large_amount`'s. Only a tick ends a day, whatever legs are stamped with.

use weir_model::{LargeAmountReport, ReportStatus};

use super::{Cause, Engine};
use crate::{Effects, ReportEffect};

impl Engine {
    pub(super) fn report_change(&mut self, number: u32, total: usize, record: u64, effects: &mut Effects) {
        let day = self.parties[number as usize].day_totals[total].key.day;
        let is_over = self.is_over(day);
        let Some(status) = self.parties[number as usize].day_totals[total].after_change(is_over) else {
            return;
        };
        if status == ReportStatus::Opened {
            self.opened_reports.insert((day, number));
        }
        self.send_report(number, total, status, (record, false), effects);
    }

    pub(super) fn send_report(
        &mut self,
        number: u32,
        total: usize,
        status: ReportStatus,
        (record, tick): (u64, bool),
        effects: &mut Effects,
    ) {
        self.keep_and_change(number);
        let party = &mut self.parties[number as usize];
        party.note_next_revision(total, status);
        let report = self.report_of(number, total, status);
        effects.reports.push(ReportEffect { record, tick, report });
    }

    fn report_of(&self, number: u32, total: usize, status: ReportStatus) -> LargeAmountReport {
        let calendar = &self.editions.last().expect("a partition has a rule set from the beginning").rules.calendar;
        self.parties[number as usize].report(total, status, &self.tables, calendar, self.settings.report_transactions_max)
    }

    /// The reports of days that are not over, with their totals as they stand: what a file run adds at its end to those sent. In order of
    /// (customer, day, direction, item); the record is that of no line.
    #[must_use]
    pub fn open_reports(&self) -> Vec<ReportEffect> {
        let mut open = Vec::new();
        for (day, number) in &self.opened_reports {
            for (at, total) in self.parties[*number as usize].day_totals.iter().enumerate() {
                if total.key.day == *day && total.sent() == Some(ReportStatus::Opened) {
                    let report = self.report_of(*number, at, ReportStatus::Opened);
                    open.push(ReportEffect { record: u64::MAX, tick: false, report });
                }
            }
        }
        open.sort_by(|a, b| a.key().cmp(&b.key()));
        open
    }

    /// Reports of days that are over become final.
    pub(super) fn finish_days(&mut self, cause: &Cause, effects: &mut Effects) {
        while let Some((day, number)) = self.opened_reports.first().copied().filter(|(day, _)| self.is_over(*day)) {
            self.opened_reports.remove(&(day, number));
            let totals: Vec<usize> = (0..self.parties[number as usize].day_totals.len())
                .filter(|at| {
                    let total = &self.parties[number as usize].day_totals[*at];
                    total.key.day == day && total.sent() == Some(ReportStatus::Opened) && total.is_reached()
                })
                .collect();
            for total in totals {
                self.send_report(number, total, ReportStatus::Final, (cause.record, cause.tick), effects);
            }
        }
    }
}
