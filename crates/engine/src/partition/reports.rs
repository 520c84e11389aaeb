//! Large-amount reports: when a total's change is said, and when a day is final.

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
        let calendar = &self.editions.last().expect("a partition has a rule set from the beginning").rules.calendar;
        let max = self.settings.report_transactions_max;
        let report: LargeAmountReport = self.parties[number as usize].report(total, status, &self.tables, calendar, max);
        effects.reports.push(ReportEffect { record, tick, report });
    }

    /// Reports of days that are over become final.
    pub(super) fn finish_days(&mut self, cause: &Cause, effects: &mut Effects) {
        while let Some((day, number)) = self.opened_reports.first().copied().filter(|(day, _)| self.is_over(*day)) {
            self.opened_reports.remove(&(day, number));
            let totals: Vec<usize> = (0..self.parties[number as usize].day_totals.len())
                .filter(|at| {
                    let total = &self.parties[number as usize].day_totals[*at];
                    total.key.day == day && total.sent == Some(ReportStatus::Opened) && total.is_reached()
                })
                .collect();
            for total in totals {
                self.send_report(number, total, ReportStatus::Final, (cause.record, cause.tick), effects);
            }
        }
    }
}
