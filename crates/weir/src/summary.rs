//! What a run did, in numbers: the closing table and its JSON form.
//!
//! Counts only; nothing here names a party, an account or an amount of a record.

use std::collections::BTreeMap;
use std::time::Duration;

use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use weir_model::alert::{AlertStatus, Level};
use weir_model::{Reason, ReportItem, ReportStatus};

use crate::language::{Lang, say};
use crate::render::level_name;
use crate::terminal::{self, grouped};

/// The numbers of a run. Field names are those of `--json` and `--summary`.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Summary {
    /// Records read, dead letters included.
    pub(crate) records: u64,
    /// Blank lines, which are no records.
    pub(crate) blank_lines: u64,
    /// Legs offered to the detector.
    pub(crate) legs: u64,
    /// Records set aside, by reason code.
    pub(crate) dead_letters: BTreeMap<&'static str, u64>,
    /// Legs that came too late, by reason code.
    pub(crate) late: BTreeMap<&'static str, u64>,
    /// Legs seen before.
    pub(crate) duplicates: u64,
    /// Legs taken out by reversals.
    pub(crate) reversed: u64,
    /// Legs that left early because a party has too many.
    pub(crate) legs_dropped: u64,
    /// Instants that passed the integer gates of some rule and were looked at as columns.
    pub(crate) instants_gated: u64,
    /// Of them, those that also passed the cheap conditions, so that costly features were computed.
    pub(crate) instants_scanned: u64,
    /// Rule hits.
    pub(crate) hits: u64,
    /// Parties with a history.
    pub(crate) parties: u64,
    /// Alerts in their final state, by rule and level; withdrawn ones apart.
    pub(crate) alerts: BTreeMap<String, BTreeMap<&'static str, u64>>,
    /// Of these, those of rules on trial or without their history yet: for the bank's eyes alone.
    pub(crate) alerts_on_trial: u64,
    /// Alerts withdrawn in the end.
    pub(crate) alerts_withdrawn: u64,
    /// Messages to offices.
    pub(crate) office_messages: u64,
    /// Of them, those for which no office was found.
    pub(crate) office_unresolved: u64,
    /// Large-amount reports in their final state, by item of Article 5; withdrawn ones apart.
    pub(crate) large_amount: BTreeMap<ReportItem, u64>,
    /// Reports withdrawn in the end.
    pub(crate) large_amount_withdrawn: u64,
    /// Content hash of the rule set.
    pub(crate) rule_set: String,
    /// Bytes of input, as stored.
    pub(crate) input_bytes: u64,
    /// Wall time.
    pub(crate) elapsed_millis: u64,
    /// Records a second of wall time.
    pub(crate) records_per_second: u64,
    /// Largest resident size, where the system tells.
    pub(crate) peak_memory_kib: Option<u64>,
}

impl Summary {
    /// Counts an alert in its final state.
    pub(crate) fn count_alert(&mut self, rule: &str, level: Level, status: AlertStatus, is_trial: bool) {
        if status == AlertStatus::Withdrawn {
            self.alerts_withdrawn += 1;
            return;
        }
        *self.alerts.entry(rule.to_owned()).or_default().entry(level.name()).or_default() += 1;
        self.alerts_on_trial += u64::from(is_trial);
    }

    /// Counts a report in its final state.
    pub(crate) fn count_report(&mut self, item: ReportItem, status: ReportStatus) {
        match status {
            ReportStatus::Withdrawn => self.large_amount_withdrawn += 1,
            ReportStatus::Opened | ReportStatus::Final | ReportStatus::Corrected => *self.large_amount.entry(item).or_default() += 1,
        }
    }

    /// Counts a rejected record or leg.
    pub(crate) fn count_reject(&mut self, reason: Reason) {
        let counts = if reason.is_late() { &mut self.late } else { &mut self.dead_letters };
        *counts.entry(reason.code()).or_default() += 1;
    }

    /// Sets what is known at the end only.
    pub(crate) fn finish(&mut self, elapsed: Duration) {
        let millis = elapsed.as_millis().max(1);
        self.elapsed_millis = u64::try_from(millis).unwrap_or(u64::MAX);
        self.records_per_second = u64::try_from(u128::from(self.records) * 1000 / millis).unwrap_or(u64::MAX);
        self.peak_memory_kib = peak_memory_kib();
    }

    /// Legs behind the allowed lateness; other reasons of the late output have nothing to do with the order of the input.
    pub(crate) fn too_late(&self) -> u64 {
        self.late.get(Reason::Late.code()).copied().unwrap_or(0)
    }

    /// Whether more than one leg in a thousand came too late: the input is out of order, or the allowed lateness too short.
    pub(crate) fn is_too_late(&self) -> bool {
        self.too_late().saturating_mul(1000) > self.legs
    }

    /// The closing table.
    pub(crate) fn table(&self, lang: Lang) -> Table {
        let mut table = terminal::table();
        let mut row = |label: String, value: String| {
            table.add_row([label, value]);
        };
        let number = |n: u64| grouped(n.into());
        row(say!(lang, "记录", "records"), number(self.records));
        row(say!(lang, "单边流水", "legs"), number(self.legs));
        let dead: u64 = self.dead_letters.values().sum();
        row(say!(lang, "无法使用（死信）", "dead letters"), number(dead));
        by_reason(&self.dead_letters, lang, &mut row);
        row(say!(lang, "迟到", "late"), number(self.late.values().sum()));
        by_reason(&self.late, lang, &mut row);
        row(say!(lang, "重复", "duplicates"), number(self.duplicates));
        row(say!(lang, "冲正", "reversed"), number(self.reversed));
        if self.legs_dropped > 0 {
            row(say!(lang, "超限舍弃", "dropped at the bound"), number(self.legs_dropped));
        }
        row(say!(lang, "主体", "parties"), number(self.parties));
        row(say!(lang, "预警", "alerts"), number(self.alerts.values().flat_map(BTreeMap::values).sum()));
        for (rule, levels) in &self.alerts {
            for level in Level::ALL.into_iter().rev() {
                if let Some(count) = levels.get(level.name()) {
                    row(format!("  {rule} {}", level_name(level, lang)), number(*count));
                }
            }
        }
        if self.alerts_on_trial > 0 {
            row(say!(lang, "  其中试运行", "  of them on trial"), number(self.alerts_on_trial));
        }
        if self.alerts_withdrawn > 0 {
            row(say!(lang, "  已撤回", "  withdrawn"), number(self.alerts_withdrawn));
        }
        if self.office_messages > 0 {
            row(say!(lang, "报处非办", "for the office"), number(self.office_messages));
            row(say!(lang, "  未定地区", "  no office found"), number(self.office_unresolved));
        }
        row(say!(lang, "大额交易报告", "large-amount reports"), number(self.large_amount.values().sum()));
        for item in ReportItem::ALL {
            if let Some(count) = self.large_amount.get(&item) {
                row(format!("  {}", item_name(item, lang)), number(*count));
            }
        }
        row(say!(lang, "用时", "time"), self.elapsed());
        row(say!(lang, "速度", "rate"), say_rate(self.records_per_second, lang));
        if let Some(kib) = self.peak_memory_kib {
            row(say!(lang, "内存峰值", "peak memory"), format!("{} MiB", number(kib / 1024)));
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }

    fn elapsed(&self) -> String {
        let (secs, millis) = (self.elapsed_millis / 1000, self.elapsed_millis % 1000);
        if secs >= 60 { format!("{}m{:02}s", secs / 60, secs % 60) } else { format!("{secs}.{:02}s", millis / 10) }
    }
}

fn by_reason(counts: &BTreeMap<&'static str, u64>, lang: Lang, row: &mut impl FnMut(String, String)) {
    for reason in Reason::ALL {
        if let Some(count) = counts.get(reason.code()) {
            let code = reason.code();
            let meaning = reason.zh();
            row(say!(lang, "  {meaning}（{code}）", "  {code}"), grouped(u128::from(*count)));
        }
    }
}

fn say_rate(records_per_second: u64, lang: Lang) -> String {
    let rate = grouped(records_per_second.into());
    say!(lang, "{rate} 条/秒", "{rate} records/s")
}

fn item_name(item: ReportItem, lang: Lang) -> &'static str {
    match item {
        ReportItem::Cash => lang.of("(一) 现金", "(1) cash"),
        ReportItem::NonNatural => lang.of("(二) 非自然人转账", "(2) transfers, non-natural"),
        ReportItem::NaturalDomestic => lang.of("(三) 自然人境内转账", "(3) domestic transfers, natural"),
        ReportItem::NaturalCrossBorder => lang.of("(四) 自然人跨境转账", "(4) cross-border transfers, natural"),
    }
}

/// `VmHWM` of `/proc/self/status`; `None` on systems without it.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_trial_is_counted_among_alerts_and_apart() {
        let mut summary = Summary::default();
        for (status, is_trial) in [(AlertStatus::Opened, false), (AlertStatus::Quiet, true), (AlertStatus::Withdrawn, true)] {
            summary.count_alert("FZ-003", Level::Low, status, is_trial);
        }
        assert_eq!((summary.alerts["FZ-003"]["low"], summary.alerts_on_trial, summary.alerts_withdrawn), (2, 1, 1));
        assert!(summary.table(Lang::En).to_string().contains("of them on trial"));
    }

    #[test]
    fn only_what_came_too_late_is_too_late() {
        let mut summary = Summary { legs: 1000, ..Summary::default() };
        for reason in [Reason::ReversalTooLate, Reason::ReversalTargetMissing, Reason::TooCostly, Reason::Late] {
            summary.count_reject(reason);
        }
        summary.count_reject(Reason::ReversalTargetMissing);
        assert!(!summary.is_too_late());
        summary.count_reject(Reason::Late);
        assert!(summary.is_too_late());
    }
}
