//! Section 5 of the definition: which episode an alert speaks of, when it speaks, and when it falls silent.
//!
//! [`Alerts::follow`] runs after every input that may have changed a party's hits; [`Alerts::settle`] at every tick. Both take the hits as given.

use std::collections::BTreeMap;

use weir_model::alert::{Trigger, Withdrawal};
use weir_model::{Alert, AlertId, AlertStatus, EventTime, Level, Span};

use super::hits::Episode;
use super::values::Values;

/// A day of event time after the last revision is a reason for another.
const UPDATE_AFTER: Span = Span::days(1);

/// The input behind a revision.
#[derive(Debug, Clone)]
pub(super) struct Cause {
    pub(super) record: u64,
    pub(super) tick: bool,
    pub(super) trigger: Option<Trigger>,
}

/// An alert that may still change.
#[derive(Debug, Clone)]
struct Live {
    id: AlertId,
    /// Opening instant.
    opened: EventTime,
    /// The episode it claimed last.
    episode: Episode,
    /// Record of its first revision.
    first_record: u64,
    /// The last revision sent, and what of it is compared with.
    sent: Values,
    sent_level: Level,
    sent_last: EventTime,
}

/// The alerts of one rule on one party.
#[derive(Debug, Clone, Default)]
pub(super) struct Alerts {
    live: Vec<Live>,
    /// Withdrawn and quiet alerts as sent, with the record of their first revision.
    gone: BTreeMap<AlertId, (u64, Alert)>,
    /// Last hit of the latest quiet alert: hits up to it are settled.
    settled: Option<EventTime>,
}

/// How an episode's values are computed.
pub(super) type Describe<'a> = &'a dyn Fn(&Episode) -> Values;

impl Alerts {
    /// Hits up to this moment belong to quiet alerts.
    pub(super) fn settled(&self) -> Option<EventTime> {
        self.settled
    }

    /// Steps 1 to 4: claims, withdrawals, updates, openings.
    pub(super) fn follow(
        &mut self,
        (rule, party): (&str, &str),
        quiet: Span,
        episodes: &[Episode],
        describe: Describe<'_>,
        cause: &Cause,
    ) -> Vec<Alert> {
        self.live.sort_by_key(|live| live.opened);
        let claims = self.claim(quiet, episodes);
        let mut revisions = self.withdraw(quiet, episodes, &claims, cause);
        let mut claimants: Vec<(usize, usize)> = Vec::new();
        for (at, claim) in claims.iter().enumerate() {
            if let Some(episode) = claim {
                self.live[at].episode = episodes[*episode].clone();
                claimants.push((*episode, at));
            }
        }
        claimants.sort_unstable();
        for (_, at) in &claimants {
            revisions.extend(self.live[*at].update(describe, cause));
        }
        let mut at = 0;
        self.live.retain(|_| {
            at += 1;
            claims[at - 1].is_some()
        });
        for (index, episode) in episodes.iter().enumerate() {
            if !claims.contains(&Some(index)) {
                revisions.push(self.open(rule, party, episode, describe, cause));
            }
        }
        revisions
    }

    /// The episode of each live alert.
    fn claim(&self, quiet: Span, episodes: &[Episode]) -> Vec<Option<usize>> {
        let mut claims: Vec<Option<usize>> = Vec::new();
        for live in &self.live {
            let is_free = |index: &usize| !claims.contains(&Some(*index));
            let claimed = (0..episodes.len()).filter(is_free).find(|index| live.is_near(&episodes[*index], quiet));
            claims.push(claimed);
        }
        claims
    }

    fn withdraw(&mut self, quiet: Span, episodes: &[Episode], claims: &[Option<usize>], cause: &Cause) -> Vec<Alert> {
        let mut revisions = Vec::new();
        for (live, _) in self.live.iter().zip(claims).filter(|(_, claim)| claim.is_none()) {
            let overlapping = (0..episodes.len()).find(|index| live.is_near(&episodes[*index], quiet));
            let heir = overlapping.and_then(|index| claims.iter().position(|claim| *claim == Some(index)));
            let mut alert = live.sent.alert.clone();
            alert.withdrawal = Some(heir.map_or(Withdrawal::Unfounded, |at| Withdrawal::Merged { into: self.live[at].id.hex() }));
            stamp(&mut alert, live.sent.alert.revision + 1, AlertStatus::Withdrawn, cause);
            self.gone.insert(live.id, (live.first_record, alert.clone()));
            revisions.push(alert);
        }
        revisions
    }

    fn open(&mut self, rule: &str, party: &str, episode: &Episode, describe: Describe<'_>, cause: &Cause) -> Alert {
        let id = AlertId::new(rule, party, episode.start);
        let (first_record, revision) = match self.gone.remove(&id) {
            Some((first_record, before)) => (first_record, before.revision + 1),
            None => (cause.record, 1),
        };
        let mut sent = describe(episode);
        sent.alert.alert_id = id.hex();
        stamp(&mut sent.alert, revision, AlertStatus::Opened, cause);
        let alert = sent.alert.clone();
        let (opened, sent_level, sent_last) = (episode.start, episode.level, episode.last);
        self.live.push(Live { id, opened, episode: episode.clone(), first_record, sent, sent_level, sent_last });
        alert
    }

    /// At a tick: alerts without a hit for long enough become quiet.
    pub(super) fn settle(&mut self, quiet: Span, tick_frontier: EventTime, describe: Describe<'_>, cause: &Cause) -> Vec<Alert> {
        self.live.sort_by_key(|live| live.episode.start);
        let is_over = |live: &Live| live.episode.last.plus(quiet) < tick_frontier;
        let (over, live): (Vec<Live>, Vec<Live>) = std::mem::take(&mut self.live).into_iter().partition(is_over);
        self.live = live;
        let mut revisions = Vec::new();
        for live in over {
            let mut alert = describe(&live.episode).alert;
            alert.alert_id = live.id.hex();
            stamp(&mut alert, live.sent.alert.revision + 1, AlertStatus::Quiet, cause);
            self.settled = self.settled.max(Some(live.episode.last));
            self.gone.insert(live.id, (live.first_record, alert.clone()));
            revisions.push(alert);
        }
        revisions
    }

    /// Every alert in its last state, with the record of its first revision: what is gone as sent, what lives with present values.
    pub(super) fn last(&self, describe: Describe<'_>) -> Vec<(u64, Alert)> {
        let live = self.live.iter().map(|live| {
            let mut alert = describe(&live.episode).alert;
            alert.alert_id = live.id.hex();
            alert.revision = live.sent.alert.revision;
            alert.status = if alert.revision == 1 { AlertStatus::Opened } else { AlertStatus::Updated };
            alert.triggered_by.clone_from(&live.sent.alert.triggered_by);
            alert.detected_from = live.sent.alert.detected_from.clone();
            (live.first_record, alert)
        });
        self.gone.values().cloned().chain(live).collect()
    }
}

impl Live {
    /// Whether the episode comes within `quiet` of the span claimed last.
    fn is_near(&self, episode: &Episode, quiet: Span) -> bool {
        episode.start <= self.episode.last.plus(quiet) && episode.last >= self.episode.start.minus(quiet)
    }

    /// A revision, if the episode has grown enough since the last one sent.
    fn update(&mut self, describe: Describe<'_>, cause: &Cause) -> Option<Alert> {
        let mut now = describe(&self.episode);
        let grown = |now: i128, sent: i128| now > sent && 4 * now >= 5 * sent;
        let is_due = self.episode.level > self.sent_level
            || grown(now.people, self.sent.people)
            || grown(now.amount_in, self.sent.amount_in)
            || grown(now.amount_out, self.sent.amount_out)
            || self.episode.last.since(self.sent_last) >= UPDATE_AFTER;
        if !is_due {
            return None;
        }
        now.alert.alert_id = self.id.hex();
        stamp(&mut now.alert, self.sent.alert.revision + 1, AlertStatus::Updated, cause);
        (self.sent_level, self.sent_last) = (self.episode.level, self.episode.last);
        self.sent = now;
        Some(self.sent.alert.clone())
    }
}

/// What the input behind a revision puts into it.
fn stamp(alert: &mut Alert, revision: u32, status: AlertStatus, cause: &Cause) {
    alert.revision = revision;
    alert.status = status;
    alert.triggered_by.clone_from(&cause.trigger);
    alert.detected_from.offset = cause.record;
}
