//! What offices have been told: messages of an alert, revision by revision.
//!
//! The office is fixed when an alert opens: a change of address does not send a case from town to town. An office hears of a withdrawal only
//! if it had heard of the alert, and of every revision once it has. Rules on trial never get here. All that must outlive a restart is in the desk, which is saved with the state
//! it belongs to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use weir_model::alert::Addressee;
use weir_model::{Alert, AlertStatus, EventTime, Level, OfficeAlert, Span};

/// A withdrawn alert may come back under its id while its opening instant can still change; no instant is more than a day ahead of the clock.
const COMES_BACK_WITHIN: Span = Span::days(1);

/// How alerts are handed to offices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Levels below stay in the bank.
    pub min_level: Level,
    /// Whom to call at the bank.
    pub bank_contact: String,
    /// Who lets them go.
    pub release: Release,
}

/// Who lets an alert go to the office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// It goes with the alert.
    Auto,
    /// People, after review: nothing goes from here.
    Reviewed,
}

/// What has been said of each alert that may still change.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Desk {
    told: BTreeMap<String, Told>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Told {
    addressees: Vec<Addressee>,
    /// Whether the office has had it.
    at_office: bool,
    /// Clock, in microseconds, at which it was withdrawn.
    withdrawn: Option<i64>,
}

impl Desk {
    /// The addressees of a revision: those it opened with, else `now`, which are remembered.
    pub fn addressees(&mut self, alert_id: &str, now: impl FnOnce() -> Vec<Addressee>) -> Vec<Addressee> {
        let fresh = || Told { addressees: now(), at_office: false, withdrawn: None };
        match self.told.get(alert_id) {
            Some(told) => told.addressees.clone(),
            None => self.told.entry(alert_id.to_owned()).or_insert_with(fresh).addressees.clone(),
        }
    }

    /// The messages of a revision that [`Desk::addressees`] was asked for. `clock` is the time of what caused it.
    pub fn messages(&mut self, alert: &Alert, settings: &Settings, clock: EventTime) -> Vec<OfficeAlert> {
        let Some(told) = self.told.get_mut(&alert.alert_id) else { return Vec::new() };
        told.withdrawn = (alert.status == AlertStatus::Withdrawn).then_some(clock.0);
        // Who has had it hears of it to the end, also when its level has come down.
        let concerns = told.at_office || alert.status != AlertStatus::Withdrawn && alert.level >= settings.min_level;
        let goes = concerns && !alert.rule.shadow && settings.release == Release::Auto;
        told.at_office |= goes;
        let to = if goes { told.addressees.as_slice() } else { &[] };
        let messages = to.iter().map(|addressee| alert.for_office(addressee, &settings.bank_contact)).collect();
        if alert.status == AlertStatus::Quiet {
            self.told.remove(&alert.alert_id);
        }
        messages
    }

    /// Forgets what can say nothing more, given that nothing before `frontier` can change.
    pub fn settle(&mut self, frontier: EventTime) {
        self.told.retain(|_, told| told.withdrawn.is_none_or(|clock| EventTime(clock).plus(COMES_BACK_WITHIN) >= frontier));
    }

    /// Takes back what [`Desk::saved`] gave out.
    pub fn recall(&mut self, alert_id: String, addressees: Vec<Addressee>, at_office: bool) {
        self.told.insert(alert_id, Told { addressees, at_office, withdrawn: None });
    }

    /// Addressees of an alert, and whether the office has had it; `None` of one nothing was said of.
    #[must_use]
    pub fn saved(&self, alert_id: &str) -> Option<(&[Addressee], bool)> {
        self.told.get(alert_id).map(|told| (told.addressees.as_slice(), told.at_office))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_had_an_alert_hears_of_it_to_the_end() {
        let sample = include_str!("../../weir/tests/alert.json");
        let mut alert: Alert = serde_json::from_str(sample).expect("is an alert");
        let settings = Settings { min_level: Level::High, bank_contact: String::new(), release: Release::Auto };
        let mut desk = Desk::default();
        let addressees = alert.addressees.clone();
        assert!(!addressees.is_empty());
        desk.addressees(&alert.alert_id, || addressees);
        let revisions = [
            (Level::Medium, AlertStatus::Opened, 0),
            (Level::High, AlertStatus::Updated, 1),
            (Level::Medium, AlertStatus::Updated, 1),
            (Level::Medium, AlertStatus::Withdrawn, 1),
            (Level::Medium, AlertStatus::Opened, 1),
            (Level::Medium, AlertStatus::Quiet, 1),
            (Level::High, AlertStatus::Updated, 0),
        ];
        for (level, status, expected) in revisions {
            (alert.level, alert.status) = (level, status);
            assert_eq!(desk.messages(&alert, &settings, EventTime(0)).len(), expected, "{level:?} {status:?}");
        }
    }

    /// People let alerts go: nothing goes from here, and the office is fixed all the same.
    #[test]
    fn what_is_reviewed_first_goes_to_nobody() {
        let mut alert: Alert = serde_json::from_str(include_str!("../../weir/tests/alert.json")).expect("is an alert");
        let settings = Settings { min_level: Level::Medium, bank_contact: String::new(), release: Release::Reviewed };
        let mut desk = Desk::default();
        let addressees = alert.addressees.clone();
        assert_eq!(desk.addressees(&alert.alert_id, || addressees.clone()), addressees);
        for (level, status) in
            [(Level::Urgent, AlertStatus::Opened), (Level::Urgent, AlertStatus::Updated), (Level::Urgent, AlertStatus::Withdrawn)]
        {
            (alert.level, alert.status) = (level, status);
            assert!(desk.messages(&alert, &settings, EventTime(0)).is_empty(), "{status:?}");
        }
        assert_eq!(desk.addressees(&alert.alert_id, Vec::new), addressees, "it does not move");
    }

    #[test]
    fn what_no_office_has_had_is_withdrawn_in_silence() {
        let mut alert: Alert = serde_json::from_str(include_str!("../../weir/tests/alert.json")).expect("is an alert");
        let settings = Settings { min_level: Level::Urgent, bank_contact: String::new(), release: Release::Auto };
        let mut desk = Desk::default();
        let addressees = alert.addressees.clone();
        desk.addressees(&alert.alert_id, || addressees);
        for (level, status) in [(Level::High, AlertStatus::Opened), (Level::Urgent, AlertStatus::Withdrawn)] {
            (alert.level, alert.status) = (level, status);
            assert!(desk.messages(&alert, &settings, EventTime(0)).is_empty());
        }
    }
}
