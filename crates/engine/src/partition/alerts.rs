//! Changed episodes become alert revisions, described as of their last hit.
//!
//! That something is to be said `detection` has found; here it gets its number, its cause and its contents (`describe`), under the rule set that
//! decided the hit, which need not be the one in force.

use weir_model::alert::{LogPosition, Trigger, Withdrawal};
use weir_model::{Alert, AlertId, AlertStatus, EventTime, Span};
use weir_rules::Window;

use super::{Cause, Engine, Group, edition_at, state};
use crate::describe::{self, Occasion};
use crate::detection::{Change, Detection, Episode, Figures, Hit, LiveAlert, RuleState, Withdrawn};
use crate::evaluate::{Edition, variant_windows};
use crate::history::Party;
use crate::row::latest_point;
use crate::view::{ProfileData, View};
use crate::{AlertEffect, Effects};

impl Engine {
    /// Says what a changed answer asks to be said.
    pub(super) fn speak(&mut self, group: &Group, effects: &mut Effects) {
        if self.parties[group.party as usize].detection.is_none() {
            return;
        }
        self.keep_and_change(group.party);
        let Some(mut detection) = self.parties[group.party as usize].detection.take() else {
            return;
        };
        let rules: Vec<u32> = detection.rules.keys().copied().collect();
        for rule in rules {
            let changes = detection.rules.get_mut(&rule).map(RuleState::reconcile).unwrap_or_default();
            for change in changes {
                self.speak_of(group, rule, &mut detection, change, effects);
            }
            if let Some(state) = detection.rules.get_mut(&rule) {
                state.alerts.sort_by_key(|alert| alert.opened);
            }
        }
        self.parties[group.party as usize].detection = Some(detection);
    }

    fn speak_of(&self, group: &Group, rule: u32, detection: &mut Detection, change: Change, effects: &mut Effects) {
        let party = &self.parties[group.party as usize];
        match change {
            Change::Withdraw { alert, into } => {
                let mut sent = *alert.sent;
                sent.revision += 1;
                sent.status = AlertStatus::Withdrawn;
                sent.withdrawal = Some(match into {
                    Some(opened) => Withdrawal::Merged { into: self.alert_id(rule, party, opened) },
                    None => Withdrawal::Unfounded,
                });
                let withdrawn = Withdrawn { opened: alert.opened, revision: sent.revision, first_record: alert.first_record };
                state(detection, rule).withdrawn.push(withdrawn);
                send(sent, &group.cause, effects);
            }
            Change::Claim { alert, episode } => {
                let live = &mut state(detection, rule).alerts[alert];
                let is_same = live.span == episode.span();
                live.claim(&episode);
                // Nothing before the change is other than it was when this was last asked.
                if is_same && episode.last.t < group.from {
                    return;
                }
                let view = self.view(party, episode.last.t, self.edition_of(&episode.last));
                let figures = || describe::figures(&view, self.window(rule, &episode));
                if !live.is_outgrown(&episode, figures) {
                    return;
                }
                let revision = live.sent.revision + 1;
                let (alert_now, figures) = self.describe(party, rule, detection, &episode);
                let live = &mut state(detection, rule).alerts[alert];
                live.renew(alert_now, revision, AlertStatus::Updated, &episode, figures);
                stamp(&mut live.sent, &group.cause);
                effects.alerts.push(AlertEffect { record: group.cause.record, tick: group.cause.tick, alert: (*live.sent).clone() });
            }
            Change::Open { episode } => self.open(group, rule, detection, &episode, effects),
        }
    }

    fn open(&self, group: &Group, rule: u32, detection: &mut Detection, episode: &Episode, effects: &mut Effects) {
        let party = &self.parties[group.party as usize];
        let (mut alert, figures) = self.describe(party, rule, detection, episode);
        let opened = episode.first.t;
        let state = state(detection, rule);
        let before = state.withdrawn.iter().position(|withdrawn| withdrawn.opened == opened).map(|at| state.withdrawn.remove(at));
        alert.alert_id = self.alert_id(rule, party, opened);
        alert.revision = before.map_or(0, |withdrawn| withdrawn.revision) + 1;
        alert.status = AlertStatus::Opened;
        stamp(&mut alert, &group.cause);
        state.alerts.push(LiveAlert {
            opened,
            span: episode.span(),
            quiet: episode.last.quiet,
            sent: Box::new(alert.clone()),
            sent_figures: figures,
            sent_level: episode.level,
            sent_last: episode.last.t,
            first_record: before.map_or(group.cause.record, |withdrawn| withdrawn.first_record),
            settled: None,
        });
        effects.alerts.push(AlertEffect { record: group.cause.record, tick: group.cause.tick, alert });
    }

    fn alert_id(&self, rule: u32, party: &Party, opened: EventTime) -> String {
        AlertId::new(&self.rules[rule as usize], &party.key, opened).hex()
    }
}

/// Says what caused this revision.
fn stamp(alert: &mut Alert, cause: &Cause) {
    let trigger = cause.trigger.as_ref();
    alert.triggered_by = trigger.map(|(txn_id, at)| Trigger { txn_id: txn_id.to_string(), occurred_at: at.to_string() });
    alert.detected_from = LogPosition { source: String::new(), partition: 0, offset: cause.record };
}

/// Sends a last revision: nothing is kept of it.
pub(super) fn send(mut alert: Alert, cause: &Cause, effects: &mut Effects) {
    stamp(&mut alert, cause);
    effects.alerts.push(AlertEffect { record: cause.record, tick: cause.tick, alert });
}

impl LiveAlert {
    /// Takes the next revision in.
    fn renew(&mut self, alert: Alert, revision: u32, status: AlertStatus, episode: &Episode, figures: Figures) {
        *self.sent = Alert { alert_id: self.sent.alert_id.clone(), revision, status, ..alert };
        self.sent_figures = figures;
        self.sent_level = episode.level;
        self.sent_last = episode.last.t;
    }
}

impl Engine {
    /// The edition in force at an instant.
    pub(super) fn edition(&self, t: EventTime) -> &Edition {
        &self.editions[edition_at(&self.editions, t)]
    }

    /// The edition a hit was decided under.
    fn edition_of(&self, hit: &Hit) -> &Edition {
        &self.editions[usize::from(hit.edition)]
    }

    /// The window of the variant that hit last.
    fn window(&self, rule: u32, episode: &Episode) -> Window {
        self.window_of(rule, &episode.last)
    }

    fn window_of(&self, rule: u32, hit: &Hit) -> Window {
        let (edition, at) = self.rule_of(rule, hit);
        edition.rules.rules[at].variants[usize::from(hit.variant)].window
    }

    /// The edition a hit was decided under, and the index of the rule in it.
    pub(super) fn rule_of(&self, rule: u32, hit: &Hit) -> (&Edition, usize) {
        let edition = self.edition_of(hit);
        let at = edition.numbers.iter().position(|number| *number == rule);
        (edition, at.expect("a rule that hit is in the set it was decided under"))
    }

    pub(super) fn view<'a>(&'a self, party: &'a Party, t: EventTime, edition: &'a Edition) -> View<'a> {
        self.view_of_rows(party, latest_point(&party.rows, |row| row.at <= t), t, edition)
    }

    pub(super) fn view_of_rows<'a>(&'a self, party: &'a Party, rows: usize, t: EventTime, edition: &'a Edition) -> View<'a> {
        static NOBODY: std::sync::LazyLock<ProfileData> = std::sync::LazyLock::new(ProfileData::default);
        let rows = &party.rows[..rows];
        let last = rows.iter().rev().find(|row| row.is_live()).map(|row| row.profile).or_else(|| party.gone().profile);
        View {
            rows,
            pairs: &party.pairs,
            t,
            profile: last.map_or(&NOBODY, |profile| self.tables.profile_data(profile)),
            history_from: party.history_from,
            forget_before: self.forget_before(),
            calendar: &edition.rules.calendar,
            extras: &self.tables.extras,
            strings: &self.tables.strings,
            gone: party.gone.as_deref(),
            profiles: self.tables.profiles(),
            lists: &edition.rules.lists,
            scans: &party.scans,
        }
    }

    /// Inflow before the window of an episode's first hit.
    pub(super) fn inflow_before(&self, party: &Party, rule: u32, first: &Hit) -> i128 {
        let start = self.window_of(rule, first).start(first.t, &self.edition_of(first).rules.calendar);
        party.inflow_before(start)
    }

    pub(super) fn describe(&self, party: &Party, rule: u32, detection: &Detection, episode: &Episode) -> (Alert, Figures) {
        let t = episode.last.t;
        let (edition, at) = self.rule_of(rule, &episode.last);
        let view = self.view(party, t, edition);
        let variant = &edition.rules.rules[at].variants[usize::from(episode.last.variant)];
        let before = episode.inflow_before.unwrap_or_else(|| self.inflow_before(party, rule, &episode.first));
        let windows = variant_windows(&edition.rules, variant);
        let first_day = windows.map(|window| window.first_day(t, view.calendar)).min().unwrap_or(t.day());
        let occasion = Occasion {
            party: &party.key,
            set: &edition.rules,
            rule: &edition.rules.rules[at],
            episode,
            txns: &self.tables.txns,
            memory_day: self.memory_day(),
            inflow_since_first: party.inflow_before(t.plus(Span(1))) - before,
            is_shadow: self.complete_from > first_day,
            is_truncated: party.gone().dropped_to.is_some_and(|dropped| dropped.day() >= first_day),
            rule_hits: &|id, window| self.rule_hits(Some(detection), t, id, window),
        };
        (describe::describe(&view, &occasion), describe::figures(&view, variant.window))
    }

    /// A live alert as of its last hit, in the form of its last revision.
    pub(super) fn present_state(
        &self,
        party: &Party,
        rule: u32,
        detection: &Detection,
        live: &LiveAlert,
        episodes: &[Episode],
    ) -> AlertEffect {
        let described = match live.settled() {
            Some(settled) => settled.clone(),
            None => match episodes.iter().find(|episode| episode.span() == live.span) {
                Some(episode) => self.describe(party, rule, detection, episode).0,
                None => (*live.sent).clone(),
            },
        };
        let sent = &live.sent;
        let status = if sent.revision == 1 { AlertStatus::Opened } else { AlertStatus::Updated };
        let alert = Alert {
            alert_id: sent.alert_id.clone(),
            revision: sent.revision,
            status,
            withdrawal: None,
            triggered_by: sent.triggered_by.clone(),
            detected_from: sent.detected_from.clone(),
            ..described
        };
        AlertEffect { record: live.first_record, tick: false, alert }
    }
}
