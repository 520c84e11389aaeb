//! Where effects go: alerts, office messages, large-amount reports, dead letters, late rows, and the numbers of them all.
//!
//! Called with effects in the order of the run, subjects already named. Without `--revisions` an alert and a report are written once, in
//! their final state, at the end: until then they wait in a spool, not in memory. What goes to the office is the allow-list of
//! `Alert::for_office` and nothing else; rules on trial never go there.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal};
use std::path::Path;

use serde::{Deserialize, Serialize};
use weir_engine::{AlertEffect, ReportEffect};
use weir_model::alert::{Addressee, Alert, AlertStatus, Level, LogPosition};
use weir_model::{Day, Direction, EventTime, LargeAmountReport, ReportItem, ReportStatus};
use weir_office::{Desk, UNRESOLVED};

use super::settings::OutputSettings;
use crate::failure::Failure;
use crate::language::{Lang, say};
use crate::outputs::{Output, disk_of, write_failure};
use crate::render;
use crate::spool::Spool;
use crate::summary::Summary;
use crate::terminal::{self, Palette};

/// By what alerts in their final state are ordered.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct AlertOrder {
    first_record: u64,
    rule: String,
    party: String,
    /// How many were said before it.
    turn: usize,
}

/// By what reports in their final state are ordered.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct ReportOrder {
    day: String,
    customer: String,
    direction: Direction,
    item: ReportItem,
}

impl ReportOrder {
    fn of(report: &LargeAmountReport) -> Self {
        Self { day: report.day.clone(), customer: report.customer.clone(), direction: report.direction, item: report.item }
    }

    /// Before all reports of a day.
    fn beginning(day: Day) -> Self {
        Self { day: day.to_string(), customer: String::new(), direction: Direction::In, item: ReportItem::Cash }
    }
}

/// What was last said of an alert.
#[derive(Debug)]
struct Seen {
    order: AlertOrder,
    level: Level,
    status: AlertStatus,
    /// For the bank's eyes alone. Of an earlier run's alert it is known once that is said again, at the end at the latest.
    is_trial: bool,
    /// Where the log stood at the last revision.
    position: LogPosition,
}

/// All outputs of a run.
#[derive(Debug)]
pub(crate) struct Sinks {
    lang: Lang,
    alerts: Output,
    /// Alerts as text for eyes, where standard output is a terminal.
    readable: Option<Palette>,
    office: Option<Output>,
    office_settings: weir_office::Settings,
    /// What offices have been told, in this run or an earlier one.
    desk: Desk,
    reports: Option<Output>,
    pub(crate) dead_letters: Option<Output>,
    pub(crate) late: Option<Output>,
    /// `None` with `--revisions`.
    waiting: Option<Waiting>,
    seen: BTreeMap<String, Seen>,
    /// With `--revisions`: what was last said of each report that may still change.
    report_states: BTreeMap<ReportOrder, ReportStatus>,
    settled_before: Option<Day>,
    pub(crate) summary: Summary,
}

/// What a saved state keeps of a live alert for the sinks of the next run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct RememberedAlert {
    alert_id: String,
    first_record: u64,
    rule: String,
    party: String,
    level: Level,
    at_office: bool,
    position: LogPosition,
    addressees: Vec<Addressee>,
}

/// Final states in the making.
#[derive(Debug)]
struct Waiting {
    alerts: Spool<AlertOrder>,
    reports: Spool<ReportOrder>,
}

impl Sinks {
    /// Opens everything that was asked for.
    pub(crate) fn open(outputs: &OutputSettings, office: &weir_office::Settings, lang: Lang) -> Result<Self, Failure> {
        let open = |path: &Option<std::path::PathBuf>| path.as_deref().map(|path| Output::open(path, lang)).transpose();
        let is_stdout = outputs.alerts == Path::new("-");
        let is_terminal = is_stdout && io::stdout().is_terminal();
        let readable = (outputs.text || is_terminal).then(|| if is_stdout { Palette::of(&io::stdout()) } else { Palette::PLAIN });
        let waiting = if outputs.revisions { None } else { Some(Waiting::new(outputs, lang)?) };
        Ok(Self {
            lang,
            alerts: Output::open(&outputs.alerts, lang)?,
            readable,
            office: open(&outputs.office)?,
            office_settings: office.clone(),
            desk: Desk::default(),
            reports: open(&outputs.large_amount)?,
            dead_letters: open(&outputs.dead_letters)?,
            late: open(&outputs.late)?,
            waiting,
            seen: BTreeMap::new(),
            report_states: BTreeMap::new(),
            settled_before: None,
            summary: Summary::default(),
        })
    }

    /// Remembers an alert that an earlier run opened; to be called in the order of [`Engine::live_alerts`](weir_engine::Engine).
    pub(crate) fn recall(&mut self, alert: &RememberedAlert) {
        let (first_record, turn) = (alert.first_record, self.seen.len());
        let order = AlertOrder { first_record, rule: alert.rule.clone(), party: alert.party.clone(), turn };
        let position = alert.position.clone();
        let seen = Seen { order, level: alert.level, status: AlertStatus::Updated, is_trial: false, position };
        self.desk.recall(alert.alert_id.clone(), alert.addressees.clone(), alert.at_office);
        self.seen.insert(alert.alert_id.clone(), seen);
    }

    /// What a later run must remember of an alert that is live at the end of this one.
    pub(crate) fn remember(&self, live: &AlertEffect) -> RememberedAlert {
        let alert = &live.alert;
        let seen = self.seen.get(&alert.alert_id);
        let (addressees, at_office) = self.desk.saved(&alert.alert_id).unwrap_or((&alert.addressees, false));
        RememberedAlert {
            alert_id: alert.alert_id.clone(),
            first_record: live.record,
            rule: alert.rule.id.clone(),
            party: alert.subject.party.clone(),
            level: alert.level,
            at_office,
            position: seen.map_or(&alert.detected_from, |seen| &seen.position).clone(),
            addressees: addressees.to_vec(),
        }
    }

    /// A revision, as it comes.
    pub(crate) fn alert(&mut self, effect: AlertEffect) -> Result<(), Failure> {
        let AlertEffect { record, mut alert, .. } = effect;
        let order = self.note(&alert, record);
        alert.addressees = self.desk.addressees(&alert.alert_id, || std::mem::take(&mut alert.addressees));
        match &mut self.waiting {
            Some(waiting) => waiting.alerts.put(order, &alert).map_err(|error| spool_failure(waiting.alerts.folder(), &error, self.lang)),
            None => self.deliver(&alert),
        }
    }

    /// An alert that is live at the end: its final state, whether or not a revision said so.
    pub(crate) fn live_alert(&mut self, mut effect: AlertEffect) -> Result<(), Failure> {
        if let Some(seen) = self.seen.get(&effect.alert.alert_id) {
            effect.alert.detected_from = seen.position.clone();
        }
        if self.waiting.is_some() {
            return self.alert(effect);
        }
        // Every revision is out already; the numbers of the run include alerts of earlier runs that nothing was said of in this one.
        self.note(&effect.alert, effect.record);
        Ok(())
    }

    /// Records what was said; returns the alert's place in the final order.
    fn note(&mut self, alert: &Alert, record: u64) -> AlertOrder {
        let turn = self.seen.len();
        let seen = self.seen.entry(alert.alert_id.clone()).or_insert_with(|| Seen {
            order: AlertOrder { first_record: record, rule: alert.rule.id.clone(), party: alert.subject.party.clone(), turn },
            level: alert.level,
            status: alert.status,
            is_trial: alert.rule.shadow,
            position: alert.detected_from.clone(),
        });
        seen.position = alert.detected_from.clone();
        seen.level = alert.level;
        seen.status = alert.status;
        seen.is_trial = alert.rule.shadow;
        seen.order.clone()
    }

    /// Writes an alert and what of it goes to the office.
    fn deliver(&mut self, alert: &Alert) -> Result<(), Failure> {
        match self.readable {
            Some(palette) => self.alerts.bytes(render::alert(alert, self.lang, palette, terminal::columns()).as_bytes())?,
            None => self.alerts.json(alert)?,
        }
        self.hand_over(alert)
    }

    fn hand_over(&mut self, alert: &Alert) -> Result<(), Failure> {
        let Some(office) = &mut self.office else { return Ok(()) };
        // An alert that was withdrawn and comes back keeps its addressees: a file run forgets none.
        for message in self.desk.messages(alert, &self.office_settings, EventTime::MIN) {
            self.summary.office_messages += 1;
            self.summary.office_unresolved += u64::from(message.addressee.division == UNRESOLVED);
            office.json(&message)?;
        }
        Ok(())
    }

    /// A revision of a large-amount report, as it comes.
    pub(crate) fn report(&mut self, effect: ReportEffect) -> Result<(), Failure> {
        let report = effect.report;
        match &mut self.waiting {
            Some(waiting) => {
                let put = waiting.reports.put(ReportOrder::of(&report), &report);
                put.map_err(|error| spool_failure(waiting.reports.folder(), &error, self.lang))
            }
            None => {
                self.report_states.insert(ReportOrder::of(&report), report.status);
                self.reports.as_mut().map_or(Ok(()), |output| output.json(&report))
            }
        }
    }

    /// A report of a day that is not over at the end: its totals as they stand, whether or not a revision said so.
    pub(crate) fn open_report(&mut self, effect: ReportEffect) -> Result<(), Failure> {
        if self.waiting.is_some() { self.report(effect) } else { Ok(()) }
    }

    /// Writes the reports of days that nothing can change any more: those before the day of the frontier.
    pub(crate) fn settle(&mut self, frontier: EventTime) -> Result<(), Failure> {
        let day = frontier.day();
        if self.settled_before == Some(day) {
            return Ok(());
        }
        self.settled_before = Some(day);
        let bound = ReportOrder::beginning(day);
        let unsettled = self.report_states.split_off(&bound);
        for (order, status) in std::mem::replace(&mut self.report_states, unsettled) {
            self.summary.count_report(order.item, status);
        }
        self.deliver_reports(Some(&bound))
    }

    /// Whether somebody still reads what is written: false once the only output was standard output and its reader has gone.
    pub(crate) fn is_wanted(&self) -> bool {
        let others = [&self.office, &self.reports, &self.dead_letters, &self.late];
        !self.alerts.is_closed() || others.into_iter().flatten().any(|output| !output.is_closed())
    }

    /// Lets a reader of `--revisions` see what there is.
    pub(crate) fn flush(&mut self) -> Result<(), Failure> {
        if self.waiting.is_none() {
            self.alerts.flush()?;
        }
        Ok(())
    }

    /// Writes the final states and hands back all outputs, unpublished, with the numbers.
    pub(crate) fn finish(mut self) -> Result<(Vec<Output>, Summary), Failure> {
        self.deliver_reports(None)?;
        self.deliver_alerts()?;
        for seen in self.seen.values() {
            self.summary.count_alert(&seen.order.rule, seen.level, seen.status, seen.is_trial);
        }
        for (order, status) in &self.report_states {
            self.summary.count_report(order.item, *status);
        }
        let outputs = [Some(self.alerts), self.office, self.reports, self.dead_letters, self.late];
        Ok((outputs.into_iter().flatten().collect(), self.summary))
    }

    fn deliver_alerts(&mut self) -> Result<(), Failure> {
        let Some(mut waiting) = self.waiting.take() else { return Ok(()) };
        let lang = self.lang;
        let folder = waiting.alerts.folder().to_owned();
        for line in waiting.alerts.take_below(None).map_err(|error| spool_failure(&folder, &error, lang))? {
            let line = line.map_err(|error| spool_failure(&folder, &error, lang))?;
            let alert: Alert = serde_json::from_slice(&line).map_err(|error| spool_failure(&folder, &error.into(), lang))?;
            self.deliver(&alert)?;
        }
        Ok(())
    }

    fn deliver_reports(&mut self, bound: Option<&ReportOrder>) -> Result<(), Failure> {
        let Some(waiting) = &mut self.waiting else { return Ok(()) };
        let lang = self.lang;
        let folder = waiting.reports.folder().to_owned();
        for line in waiting.reports.take_below(bound).map_err(|error| spool_failure(&folder, &error, lang))? {
            let line = line.map_err(|error| spool_failure(&folder, &error, lang))?;
            let report: LargeAmountReport = serde_json::from_slice(&line).map_err(|error| spool_failure(&folder, &error.into(), lang))?;
            self.summary.count_report(report.item, report.status);
            if let Some(output) = &mut self.reports {
                output.bytes(&line)?;
            }
        }
        Ok(())
    }
}

impl Waiting {
    /// Spools beside the outputs they are for, so that a full disk is one and the same error.
    fn new(outputs: &OutputSettings, lang: Lang) -> Result<Self, Failure> {
        Ok(Self { alerts: spool(Some(&outputs.alerts), lang)?, reports: spool(outputs.large_amount.as_deref(), lang)? })
    }
}

fn spool<K: Ord>(path: Option<&Path>, lang: Lang) -> Result<Spool<K>, Failure> {
    let folder = path.filter(|path| *path != Path::new("-")).map_or_else(std::env::temp_dir, disk_of);
    Spool::new(&folder).map_err(|error| spool_failure(&folder, &error, lang))
}

/// Names the folder: lines that wait lie in a file without a name.
fn spool_failure(folder: &Path, error: &io::Error, lang: Lang) -> Failure {
    let is_ours_to_choose = folder == std::env::temp_dir();
    let folder = folder.display();
    let name = if is_ours_to_choose {
        say!(
            lang,
            "目录 {folder} 中的临时文件（可用环境变量 TMPDIR 另指目录）",
            "a temporary file in {folder} (the variable TMPDIR names another folder)"
        )
    } else {
        say!(lang, "目录 {folder} 中的临时文件", "a temporary file in {folder}")
    };
    write_failure(&name, error, lang)
}
