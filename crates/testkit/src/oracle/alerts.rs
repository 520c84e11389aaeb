//! Section 5 of the definition: which episode an alert speaks of, when it speaks, and when it falls silent.
//!
//! [`Alerts::follow`] runs after every input that may have changed a party's hits; [`Alerts::settle`] at every tick. Both take the hits as given.

use std::collections::BTreeMap;

use weir_model::alert::{Trigger, Withdrawal};
use weir_model::{Alert, AlertId, AlertStatus, EventTime, Level, Span};

use super::hits::Episode;
use super::values::{Describer, Size};

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
    sent: Alert,
    sent_size: Size,
    sent_level: Level,
    sent_last: EventTime,
    /// The description of a last hit, made when a tick's frontier was past it, and that hit.
    settled: Option<(EventTime, Alert)>,
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

impl Alerts {
    /// Hits up to this moment belong to quiet alerts.
    pub(super) fn settled(&self) -> Option<EventTime> {
        self.settled
    }

    /// Steps 1 to 4: claims, withdrawals, updates, openings.
    pub(super) fn follow(&mut self, episodes: &[Episode], describe: &Describer<'_>, cause: &Cause) -> Vec<Alert> {
        self.live.sort_by_key(|live| live.opened);
        let claims = self.claim(episodes);
        let mut revisions = self.withdraw(episodes, &claims, cause);
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
                revisions.push(self.open(episode, describe, cause));
            }
        }
        revisions
    }

    /// The episode of each live alert: first that which holds its opening instant, then the earliest that is near.
    fn claim(&self, episodes: &[Episode]) -> Vec<Option<usize>> {
        let mut claims: Vec<Option<usize>> = vec![None; self.live.len()];
        let holds = |live: &Live, episode: &Episode| episode.start <= live.opened && live.opened <= episode.last;
        for fits in [holds as fn(&Live, &Episode) -> bool, Live::is_near] {
            for (at, live) in self.live.iter().enumerate() {
                let is_free = |index: &usize| !claims.contains(&Some(*index));
                if claims[at].is_none() {
                    claims[at] = (0..episodes.len()).filter(is_free).find(|index| fits(live, &episodes[*index]));
                }
            }
        }
        claims
    }

    fn withdraw(&mut self, episodes: &[Episode], claims: &[Option<usize>], cause: &Cause) -> Vec<Alert> {
        let mut revisions = Vec::new();
        for (live, _) in self.live.iter().zip(claims).filter(|(_, claim)| claim.is_none()) {
            let overlapping = (0..episodes.len()).find(|index| live.is_near(&episodes[*index]));
            let heir = overlapping.and_then(|index| claims.iter().position(|claim| *claim == Some(index)));
            let mut alert = live.sent.clone();
            alert.withdrawal = Some(heir.map_or(Withdrawal::Unfounded, |at| Withdrawal::Merged { into: self.live[at].id.hex() }));
            stamp(&mut alert, live.sent.revision + 1, AlertStatus::Withdrawn, cause);
            self.gone.insert(live.id, (live.first_record, alert.clone()));
            revisions.push(alert);
        }
        revisions
    }

    fn open(&mut self, episode: &Episode, describe: &Describer<'_>, cause: &Cause) -> Alert {
        let id = AlertId::new(describe.rule, describe.party, episode.start);
        let (first_record, revision) = match self.gone.remove(&id) {
            Some((first_record, before)) => (first_record, before.revision + 1),
            None => (cause.record, 1),
        };
        let mut sent = describe.alert(episode);
        sent.alert_id = id.hex();
        stamp(&mut sent, revision, AlertStatus::Opened, cause);
        self.live.push(Live {
            id,
            opened: episode.start,
            episode: episode.clone(),
            first_record,
            sent: sent.clone(),
            sent_size: describe.size(episode),
            sent_level: episode.level,
            sent_last: episode.last,
            settled: None,
        });
        sent
    }

    /// At a tick: descriptions of hits behind the frontier are settled; alerts without a hit for long enough become quiet.
    pub(super) fn settle(&mut self, tick_frontier: EventTime, describe: &Describer<'_>, cause: &Cause) -> Vec<Alert> {
        for live in self.live.iter_mut().filter(|live| live.settled().is_none() && live.episode.last < tick_frontier) {
            live.settled = Some((live.episode.last, describe.alert(&live.episode)));
        }
        self.live.sort_by_key(|live| live.episode.start);
        let is_over = |live: &Live| live.episode.last.plus(live.episode.quiet) < tick_frontier;
        let (over, live): (Vec<Live>, Vec<Live>) = std::mem::take(&mut self.live).into_iter().partition(is_over);
        self.live = live;
        let mut revisions = Vec::new();
        for live in over {
            let mut alert = live.present(describe);
            stamp(&mut alert, live.sent.revision + 1, AlertStatus::Quiet, cause);
            self.settled = self.settled.max(Some(live.episode.last));
            self.gone.insert(live.id, (live.first_record, alert.clone()));
            revisions.push(alert);
        }
        revisions
    }

    /// Every alert in its last state, with the record of its first revision: what is gone as sent, what lives with present values.
    pub(super) fn last(&self, describe: &Describer<'_>) -> Vec<(u64, Alert)> {
        let live = self.live.iter().map(|live| {
            let mut alert = live.present(describe);
            alert.revision = live.sent.revision;
            alert.status = if alert.revision == 1 { AlertStatus::Opened } else { AlertStatus::Updated };
            alert.triggered_by.clone_from(&live.sent.triggered_by);
            alert.detected_from = live.sent.detected_from.clone();
            (live.first_record, alert)
        });
        self.gone.values().cloned().chain(live).collect()
    }
}

impl Live {
    /// Whether the episode comes within `quiet` of the span claimed last.
    fn is_near(&self, episode: &Episode) -> bool {
        let quiet = self.episode.quiet;
        episode.start <= self.episode.last.plus(quiet) && episode.last >= self.episode.start.minus(quiet)
    }

    /// The description settled for the present last hit.
    fn settled(&self) -> Option<&Alert> {
        self.settled.as_ref().filter(|(last, _)| *last == self.episode.last).map(|(_, alert)| alert)
    }

    /// The alert as of its last hit, settled or as the history stands.
    fn present(&self, describe: &Describer<'_>) -> Alert {
        let mut alert = self.settled().cloned().unwrap_or_else(|| describe.alert(&self.episode));
        alert.alert_id = self.id.hex();
        alert
    }

    /// A revision, if the episode has grown enough since the last one sent.
    fn update(&mut self, describe: &Describer<'_>, cause: &Cause) -> Option<Alert> {
        let now = describe.size(&self.episode);
        let grown = |now: i128, sent: i128| now > sent && 4 * now >= 5 * sent;
        let is_due = self.episode.level > self.sent_level
            || grown(now.people, self.sent_size.people)
            || grown(now.amount_in, self.sent_size.amount_in)
            || grown(now.amount_out, self.sent_size.amount_out)
            || self.episode.last.since(self.sent_last) >= UPDATE_AFTER;
        if !is_due {
            return None;
        }
        let mut alert = describe.alert(&self.episode);
        alert.alert_id = self.id.hex();
        stamp(&mut alert, self.sent.revision + 1, AlertStatus::Updated, cause);
        (self.sent_size, self.sent_level, self.sent_last) = (now, self.episode.level, self.episode.last);
        self.sent = alert.clone();
        Some(alert)
    }
}

/// What the input behind a revision puts into it.
fn stamp(alert: &mut Alert, revision: u32, status: AlertStatus, cause: &Cause) {
    alert.revision = revision;
    alert.status = status;
    alert.triggered_by.clone_from(&cause.trigger);
    alert.detected_from.offset = cause.record;
}
