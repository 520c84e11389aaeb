//! Hits, episodes and alerts of one party.
//!
//! Hits are what rules said of instants; neighbours at most `quiet` apart form an episode; an episode is one alert. After every change the
//! episodes are formed anew and the live alerts claim theirs ([`RuleState::reconcile`]); what follows for the outside is a list of
//! [`Change`]s, which the partition turns into revisions. This module decides *that* something is said, never *what*: values and evidence
//! are the business of `describe`. Sections 4 and 5 of `docs/definition.md`.
//!
//! How far apart hits of one episode may lie is the `quiet` of the rule set that decided the earlier of them: a new set changes no episode
//! that stands.
//!
//! Hits behind the frontier cannot change any more. They are *settled*: folded into the beginning of their episode, and kept
//! beside it only as long as `rule_hits` may ask for them.

use weir_model::{Alert, EventTime, Level, Span};

/// `rule_hits` looks back at most so far from a hit that is described (`Windows::SingleLegs`).
const RULE_HITS_MAX: Span = Span::days(15);
/// Most hits are described at the first tick whose frontier is past them, and from one tick to the next the frontier moves by a day and an hour at most.
const HITS_KEPT: Span = Span(RULE_HITS_MAX.0 + Span::days(3).0);

/// More than any rule file may ask for.
const QUIET_MAX: Span = Span::days(4_000);

/// A rule held at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) t: EventTime,
    pub(crate) score: i64,
    pub(crate) level: Level,
    /// Index of the variant within the rule.
    pub(crate) variant: u16,
    /// Index of the edition it was decided under.
    pub(crate) edition: u16,
    /// The rule's `quiet` in that edition: how long the hit keeps its episode open.
    pub(crate) quiet: Span,
}

/// Hits at most their `quiet` apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Episode {
    pub(crate) first: Hit,
    pub(crate) last: Hit,
    pub(crate) level: Level,
    pub(crate) peak_at: EventTime,
    /// Inflow of the party before the window of the first hit, once that can no longer change.
    pub(crate) inflow_before: Option<i128>,
}

impl Episode {
    fn new(hit: Hit) -> Self {
        Self { first: hit, last: hit, level: hit.level, peak_at: hit.t, inflow_before: None }
    }

    fn extend(&mut self, hit: Hit) {
        self.last = hit;
        if hit.level > self.level {
            self.level = hit.level;
            self.peak_at = hit.t;
        }
    }

    fn takes(&self, hit: Hit) -> bool {
        hit.t.since(self.last.t) <= self.last.quiet
    }

    /// First and last hit.
    pub(crate) fn span(&self) -> (EventTime, EventTime) {
        (self.first.t, self.last.t)
    }
}

/// Figures by which a revision is judged worth sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Figures {
    pub(crate) people: u64,
    pub(crate) amount_in: i128,
    pub(crate) amount_out: i128,
}

/// An alert that may still change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LiveAlert {
    /// First hit when it was first sent: part of its identity.
    pub(crate) opened: EventTime,
    /// First and last hit of the episode it claimed last.
    pub(crate) span: (EventTime, EventTime),
    /// How long the last of them keeps the episode open.
    pub(crate) quiet: Span,
    /// As sent last.
    pub(crate) sent: Box<Alert>,
    pub(crate) sent_figures: Figures,
    pub(crate) sent_level: Level,
    pub(crate) sent_last: EventTime,
    /// Record of its first revision.
    pub(crate) first_record: u64,
    /// The description of its last settled hit, and that hit: it outlives the rows it was made from.
    pub(crate) settled: Option<(EventTime, Box<Alert>)>,
}

/// An alert that was withdrawn and might come back under the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Withdrawn {
    pub(crate) opened: EventTime,
    pub(crate) revision: u32,
    pub(crate) first_record: u64,
}

/// One rule on one party.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleState {
    /// In order of time; the first `settled_hits` are part of `settled`.
    pub(crate) hits: Vec<Hit>,
    pub(crate) settled_hits: usize,
    /// The episode of the settled hits that may still go on.
    pub(crate) settled: Option<Episode>,
    /// In order of `opened`.
    pub(crate) alerts: Vec<LiveAlert>,
    pub(crate) withdrawn: Vec<Withdrawn>,
    /// Last hit of the episodes that are over.
    pub(crate) last_hit: Option<EventTime>,
}

/// All rules on one party, by rule number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Detection {
    pub(crate) rules: std::collections::BTreeMap<u32, RuleState>,
}

/// What reconciling found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    /// The alert has lost its episode; `into` is the `opened` of the one that took its place.
    Withdraw { alert: LiveAlert, into: Option<EventTime> },
    /// The alert at this index goes on with this episode.
    Claim { alert: usize, episode: Episode },
    /// A new episode.
    Open { episode: Episode },
}

impl Detection {
    /// Whether nothing would be lost by dropping it.
    pub(crate) fn is_empty(&self) -> bool {
        self.rules
            .values()
            .all(|state| state.hits.is_empty() && state.alerts.is_empty() && state.withdrawn.is_empty() && state.last_hit.is_none())
    }

    /// Lets hits go that `rule_hits` will ask for no more, after every rule has settled those before `frontier`. An alert whose later hits are taken away
    /// falls back on the last one that was settled, however long ago, and may say so: `uses_rule_hits` says of which rule's hits that matters.
    pub(crate) fn drop_hits(&mut self, frontier: EventTime, uses_rule_hits: impl Fn(u32, &Hit) -> bool) {
        let settled = self.rules.iter().filter_map(|(rule, state)| Some((*rule, state.settled?.last)));
        let asked_from = settled.filter(|(rule, last)| uses_rule_hits(*rule, last)).map(|(_, last)| last.t.minus(RULE_HITS_MAX)).min();
        let before = frontier.minus(HITS_KEPT).min(asked_from.unwrap_or(frontier));
        self.rules.values_mut().for_each(|state| state.drop_hits(before));
    }
}

impl RuleState {
    /// Replaces the hits from `from` on; `hits` are in order. Whether anything is different now.
    pub(crate) fn replace_from(&mut self, from: EventTime, hits: &[Hit]) -> bool {
        let at = self.hits.partition_point(|hit| hit.t < from);
        debug_assert!(at >= self.settled_hits, "settled hits do not change");
        if self.hits[at..] == *hits {
            return false;
        }
        self.hits.truncate(at);
        self.hits.extend_from_slice(hits);
        true
    }

    /// Episodes in order.
    pub(crate) fn episodes(&self) -> Vec<Episode> {
        let mut episodes: Vec<Episode> = self.settled.into_iter().collect();
        for hit in &self.hits[self.settled_hits..] {
            match episodes.last_mut().filter(|episode| episode.takes(*hit)) {
                Some(episode) => episode.extend(*hit),
                None => episodes.push(Episode::new(*hit)),
            }
        }
        episodes
    }

    /// Every hit it holds.
    pub(crate) fn hits(&self) -> impl Iterator<Item = &Hit> {
        self.hits.iter().chain(self.settled.iter().flat_map(|episode| [&episode.first, &episode.last]))
    }

    /// Whether what a saved state says could be after a tick with this frontier: hits in order, settled ones behind it, each live alert on an
    /// episode, nothing that arithmetic would stumble over.
    pub(crate) fn is_consistent(&self, frontier: EventTime) -> bool {
        let quiets = self.hits().map(|hit| hit.quiet).chain(self.alerts.iter().map(|alert| alert.quiet));
        let are_quiets_possible = { quiets }.all(|quiet| quiet.0 >= 0 && quiet <= QUIET_MAX);
        let is_in_order = self.settled_hits <= self.hits.len() && self.hits.is_sorted_by(|a, b| a.t < b.t);
        let is_later =
            self.settled.is_none_or(|episode| self.hits[self.settled_hits.min(self.hits.len())..].iter().all(|hit| hit.t > episode.last.t));
        let settled = self.hits.iter().take(self.settled_hits).map(|hit| hit.t).chain(self.settled.map(|episode| episode.last.t));
        let is_behind = { settled }.all(|t| t < frontier);
        if !(are_quiets_possible && is_in_order && is_later && is_behind) {
            return false;
        }
        let episodes = self.episodes();
        let stands = |alert: &LiveAlert| alert.settled().is_some() || episodes.iter().any(|episode| episode.span() == alert.span);
        let is_revision = |revision: u32| revision < 1 << 30;
        self.alerts.iter().all(|alert| stands(alert) && is_revision(alert.sent.revision))
            && self.withdrawn.iter().all(|past| is_revision(past.revision))
    }

    /// Instants within (t − w, t] at which the rule hit.
    pub(crate) fn hits_within(&self, t: EventTime, window: Span) -> usize {
        self.hits.iter().rev().skip_while(|hit| hit.t > t).take_while(|hit| hit.t > t.minus(window)).count()
    }

    /// Lets the live alerts claim the episodes; withdrawals first, then claims, then openings. Withdrawn alerts have left `alerts`.
    pub(crate) fn reconcile(&mut self) -> Vec<Change> {
        let episodes = self.episodes();
        let mut claimed = vec![None; episodes.len()];
        let mut claims = vec![None; self.alerts.len()];
        // First the episode that holds the instant an alert was opened at: so no other alert can open at that instant while it lives.
        for is_own_wanted in [true, false] {
            for (alert, live) in self.alerts.iter().enumerate() {
                let fits = |at: &usize| if is_own_wanted { live.is_within(&episodes[*at]) } else { live.reaches(&episodes[*at]) };
                let free = (0..episodes.len()).filter(|at| claimed[*at].is_none()).find(fits);
                if let Some(at) = free.filter(|_| claims[alert].is_none()) {
                    claimed[at] = Some(live.opened);
                    claims[alert] = Some(at);
                }
            }
        }
        let mut changes = Vec::new();
        let mut kept = Vec::new();
        let mut going_on = Vec::new();
        for (live, claim) in std::mem::take(&mut self.alerts).into_iter().zip(claims) {
            match claim {
                Some(at) => {
                    going_on.push(at);
                    kept.push(live);
                }
                None => {
                    let into = (0..episodes.len()).find(|at| live.reaches(&episodes[*at])).and_then(|at| claimed[at]);
                    changes.push(Change::Withdraw { alert: live, into });
                }
            }
        }
        self.alerts = kept;
        let mut updates: Vec<(usize, usize)> = going_on.into_iter().enumerate().collect();
        updates.sort_by_key(|(_, at)| *at);
        changes.extend(updates.into_iter().map(|(alert, at)| Change::Claim { alert, episode: episodes[at] }));
        let open = (0..episodes.len()).filter(|at| claimed[*at].is_none());
        changes.extend(open.map(|at| Change::Open { episode: episodes[at] }));
        changes
    }

    /// Folds hits before `frontier` into the settled episode; `inflow_before` is asked for an episode whose first hit settles. The rule's
    /// alert on an episode that thereby ends must have been closed before.
    pub(crate) fn settle(&mut self, frontier: EventTime, mut inflow_before: impl FnMut(Hit) -> i128) {
        while let Some(hit) = self.hits.get(self.settled_hits).copied().filter(|hit| hit.t < frontier) {
            match self.settled.as_mut().filter(|episode| episode.takes(hit)) {
                Some(episode) => episode.extend(hit),
                None => {
                    self.end_settled();
                    let mut episode = Episode::new(hit);
                    episode.inflow_before = Some(inflow_before(hit));
                    self.settled = Some(episode);
                }
            }
            self.settled_hits += 1;
        }
        if self.settled.is_some_and(|episode| episode.last.t.plus(episode.last.quiet) < frontier) {
            self.end_settled();
        }
        self.withdrawn.retain(|withdrawn| withdrawn.opened >= frontier);
    }

    /// Lets settled hits before a moment go.
    fn drop_hits(&mut self, before: EventTime) {
        let old = self.hits[..self.settled_hits].partition_point(|hit| hit.t < before);
        self.hits.drain(..old);
        self.settled_hits -= old;
    }

    /// The settled episode is over: only its last hit is remembered.
    fn end_settled(&mut self) {
        let last = self.settled.take().map(|episode| episode.last.t);
        self.last_hit = self.last_hit.max(last);
    }
}

impl LiveAlert {
    /// The settled description of its last hit, if that hit is settled.
    pub(crate) fn settled(&self) -> Option<&Alert> {
        self.settled.as_ref().filter(|(last, _)| *last == self.span.1).map(|(_, alert)| &**alert)
    }

    /// Whether the episode comes near the one claimed last.
    fn reaches(&self, episode: &Episode) -> bool {
        episode.first.t <= self.span.1.plus(self.quiet) && episode.last.t >= self.span.0.minus(self.quiet)
    }

    /// Whether the alert was opened within the episode.
    fn is_within(&self, episode: &Episode) -> bool {
        episode.first.t <= self.opened && self.opened <= episode.last.t
    }

    /// Takes the episode as its own.
    pub(crate) fn claim(&mut self, episode: &Episode) {
        self.span = episode.span();
        self.quiet = episode.last.quiet;
    }

    /// Whether the episode, now with these figures, is worth a revision.
    pub(crate) fn is_outgrown(&self, episode: &Episode, figures: impl FnOnce() -> Figures) -> bool {
        if episode.level > self.sent_level || episode.last.t.since(self.sent_last) >= Span::days(1) {
            return true;
        }
        let (now, sent) = (figures(), self.sent_figures);
        let grew = |now: i128, sent: i128| now > sent && now * 4 >= sent * 5;
        grew(i128::from(now.people), i128::from(sent.people))
            || grew(now.amount_in, sent.amount_in)
            || grew(now.amount_out, sent.amount_out)
    }
}
