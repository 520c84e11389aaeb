//! A leg arrives: what it does to its party, and which instants it asks to be looked at again.
//!
//! No rule is decided here. An instant that no gate lets pass ends here, which is most of them; the others wait as pending rows, so that many are
//! decided together (`hits`). Before a party changes again, what waits of it is decided.

use std::collections::BTreeSet;
use std::ops::Range;

use weir_model::{Day, EventTime, Leg, LegKind, Reason};

use super::ahead::Ahead;
use super::{BATCH_ROWS, Cause, Engine, Group, edition_at};
use crate::cursor::Cursor;
use crate::evaluate::Asked;
use crate::history::{Accepted, Gone, MEMORY_DAYS, Moment, Party, PendingRemoval, TIDY_DAYS};
use crate::large_amount::{ReportKey, item_of, report_id};
use crate::row::{Row, latest_point};
use crate::standing::{Shut, Standing};
use crate::{Effects, RejectEffect};

/// Parties with so many rows or fewer have no cursor of their own.
const FEW_ROWS: usize = 32;

impl Engine {
    /// `ahead` is what was known of the leg before it came.
    pub(super) fn leg(&mut self, record: u64, clock: EventTime, leg: &Leg<'_>, ahead: Ahead, effects: &mut Effects) {
        effects.counts.legs += 1;
        let clock = self.clock().max(clock);
        let frontier = clock.minus(self.settings.lateness);
        if leg.at < frontier {
            effects.rejects.push(reject(record, leg, Reason::Late, frontier));
            return;
        }
        let number = ahead.number.unwrap_or_else(|| self.party_number(leg.party));
        if self.parties[number as usize].is_pending || self.pending_rows.len() >= BATCH_ROWS {
            self.flush(effects);
        }
        self.keep_and_change(number);
        let newest = self.editions.last().expect("a partition has a rule set from the beginning");
        let moment = Moment {
            record,
            clock,
            frontier,
            memory_day: self.memory_day(),
            forget_before: self.forget_before(),
            reevaluate_max: self.settings.reevaluate_max,
            horizons: &newest.horizons,
        };
        let party = &mut self.parties[number as usize];
        party.be_due(number, leg.at.day().plus(MEMORY_DAYS + TIDY_DAYS), &mut self.agenda);
        if let Some(tick) = &self.last_tick {
            party.drop_totals(tick.today);
        }
        let accepted = party.accept(number, leg, ahead.named, &moment, &mut self.tables);
        if matches!(leg.kind, LegKind::Removal { .. }) && !party.pending.is_empty() {
            self.waiting.insert(number);
        }
        match accepted {
            Accepted::Silent => {}
            Accepted::Duplicate => effects.counts.duplicates += 1,
            Accepted::Rejected(reason) => effects.rejects.push(reject(record, leg, reason, frontier)),
            Accepted::NotRemoved(reason, rows) => {
                let mut reject = reject(record, leg, reason, frontier);
                reject.report_ids = self.report_ids(number, &rows);
                effects.rejects.push(reject);
            }
            Accepted::Inserted(row) => self.changed(number, &[row], true, record, leg, effects),
            Accepted::Awaited { row, taken, against } => {
                let party = &self.parties[number as usize];
                let refused =
                    against.iter().map(|removal| reject_removal(record, false, party, removal, Reason::PartialReversal, frontier));
                effects.rejects.extend(refused);
                if taken {
                    effects.counts.reversed += 1;
                    self.touch(number, row.at, || cause_of(record, leg));
                } else {
                    self.changed(number, &[row], true, record, leg, effects);
                }
            }
            Accepted::Removed(rows) => {
                effects.counts.reversed += rows.len() as u64;
                self.changed(number, &rows, false, record, leg, effects);
            }
        }
        self.drop_excess(number, effects);
    }

    /// The large-amount reports that rows of a party belong to, each once.
    fn report_ids(&self, number: u32, rows: &[Row]) -> Vec<String> {
        let party = &self.parties[number as usize];
        let keys = rows.iter().filter(|_| !party.is_group()).filter_map(|row| party.report_key(row, &self.tables));
        let keys: BTreeSet<ReportKey> = keys.collect();
        keys.into_iter().map(|key| report_id(&party.key, key)).collect()
    }

    /// Rows have entered or left a history: totals of their days, then the instants from the earliest on.
    fn changed(&mut self, number: u32, rows: &[Row], add: bool, record: u64, leg: &Leg<'_>, effects: &mut Effects) {
        for total in self.parties[number as usize].count_rows(rows, add, &self.tables) {
            self.report_change(number, total, record, effects);
        }
        if let Some(from) = rows.iter().map(|row| row.at).min() {
            self.touch(number, from, || cause_of(record, leg));
        }
    }

    /// Gates every instant from `from` on; what passes waits in a group.
    pub(super) fn touch(&mut self, number: u32, from: EventTime, cause: impl FnOnce() -> Cause) {
        let begin = self.pending_rows.len();
        if self.may_pass(number, from) {
            self.gate_from(number, from);
        }
        let rows = begin..self.pending_rows.len();
        let party = &mut self.parties[number as usize];
        let had_hits = party
            .detection
            .as_ref()
            .is_some_and(|detection| detection.rules.values().any(|state| state.hits.last().is_some_and(|hit| hit.t >= from)));
        if rows.is_empty() && !had_hits {
            return;
        }
        party.is_pending = true;
        self.groups.push(Group { party: number, cause: cause(), from, rows, is_day_end: false });
    }

    /// Whether any instant from `from` on, or end of a day that has been evaluated, might pass.
    fn may_pass(&self, number: u32, from: EventTime) -> bool {
        let party = &self.parties[number as usize];
        let is_group = party.is_group();
        if !self.editions.iter().any(|edition| edition.may_pass(is_group, &party.bounds)) {
            return false;
        }
        let newest = self.editions.last().expect("a partition has a rule set from the beginning");
        let is_shut = party.standing.as_ref().is_some_and(|standing| standing.is_shut(from, newest.horizons.generation));
        !is_shut || !self.day_ends_from(from).is_empty()
    }

    /// Days from that of `from` on whose ends have been evaluated.
    fn day_ends_from(&self, from: EventTime) -> Range<i32> {
        let done = self.day_ends_done.filter(|_| self.editions.iter().any(|edition| edition.has_day_end_rules));
        done.map_or(0..0, |done| from.day().0..done.0.saturating_add(1))
    }

    /// Gates the instants of a party from `from` on, and the ends of days that have been evaluated.
    fn gate_from(&mut self, number: u32, from: EventTime) {
        let mut standing = self.parties[number as usize].standing.take().unwrap_or_default();
        let mut cursor = self.cursor_of(number, &mut standing);
        let mut at = latest_point(&self.parties[number as usize].rows, |row| row.at < from);
        let (mut last, mut shut) = (EventTime::MIN, None);
        let mut ahead: Option<(usize, Box<Cursor>)> = None;
        while let Some(row) = self.parties[number as usize].rows.get(at) {
            at += 1;
            if row.is_live() && row.at != last {
                let is_first = last == EventTime::MIN;
                last = row.at;
                if ahead.is_none() && !is_first {
                    let first = cursor.as_ref().and_then(|cursor| self.far(cursor, number, last));
                    ahead = first.map(|first| (first, Box::default()));
                }
                let cursor = match &mut ahead {
                    Some((first, ahead)) => Some((*first, ahead)),
                    None => cursor.as_mut().map(|cursor| (0, cursor)),
                };
                shut = self.gate_with(cursor, number, last, false);
            }
        }
        standing.note(shut);
        for day in self.day_ends_from(from) {
            self.gate_with(cursor.as_mut().map(|cursor| (0, cursor)), number, Day(day).end(), true);
        }
        standing.cursor = cursor;
        self.parties[number as usize].standing = Some(standing);
    }

    /// Puts the end of a day on the list of pending rows if a variant passes its gates there.
    pub(super) fn gate_day_end(&mut self, number: u32, day: Day) {
        let mut standing = self.parties[number as usize].standing.take().unwrap_or_default();
        let mut cursor = self.cursor_of(number, &mut standing);
        self.gate_with(cursor.as_mut().map(|cursor| (0, cursor)), number, day.end(), true);
        standing.cursor = cursor;
        self.parties[number as usize].standing = Some(standing);
    }

    /// Takes a party's cursor out; `None` where rows are few and need none.
    fn cursor_of(&self, number: u32, standing: &mut Standing) -> Option<Box<Cursor>> {
        let cursor = standing.cursor.take();
        (self.parties[number as usize].rows.len() > FEW_ROWS).then(|| cursor.unwrap_or_default())
    }

    /// A cursor comes with the row at which what it sees of the history begins. What is said of later instants is said if `t` is the last.
    fn gate_with(&mut self, cursor: Option<(usize, &mut Box<Cursor>)>, number: u32, t: EventTime, is_day_end: bool) -> Option<Shut> {
        let (mut spare, mut few) = (std::mem::take(&mut self.spare_rows), std::mem::take(&mut self.few));
        let at = edition_at(&self.editions, t);
        let edition = &self.editions[at];
        let party = &self.parties[number as usize];
        let (rows, pairs, horizons, calendar) = (&party.rows, party.pairs.len(), &edition.horizons, &edition.rules.calendar);
        let asked = Asked { party: number, bounds: &party.bounds, is_group: party.is_group(), is_day_end, edition: at };
        let gated = if let Some((first, cursor)) = cursor {
            let mut windows = cursor.as_of(&rows[first..], pairs, t, horizons, calendar);
            let view = self.view_of_rows(party, first + windows.tail(), t, edition);
            edition.gate(asked, &mut windows, &view, &mut spare)
        } else {
            let tail = rows.partition_point(|row| row.at <= t);
            let view = self.view_of_rows(party, tail, t, edition);
            edition.gate(asked, &mut few.as_of(&rows[..tail], pairs, t, horizons, calendar), &view, &mut spare)
        };
        let last = rows.last().filter(|last| last.at == t && last.is_live() && at + 1 == self.editions.len());
        let shut = last.map(|last| Shut { generation: horizons.generation, from: t, profile: last.profile, lacks: gated.lacks });
        (self.spare_rows, self.few) = (spare, few);
        self.pending_rows.extend(gated.row);
        shut
    }

    /// Where another cursor that looks at `t` and later had better begin, so that the party's may stay where it is. One wrong date decades ahead
    /// would otherwise make every later leg of a busy party empty all its windows and fill them again.
    fn far(&self, cursor: &Cursor, number: u32, t: EventTime) -> Option<usize> {
        // It sees later instants too, some perhaps of rule sets that look further back.
        let editions = &self.editions[edition_at(&self.editions, t)..];
        let start = |t| editions.iter().map(|edition| edition.horizons.start(t, &edition.rules.calendar)).min().unwrap_or(t);
        cursor.far(&self.parties[number as usize].rows, t, start)
    }

    /// `party_legs_max`: the oldest whole days leave early, a sixteenth of the bound more than must, so that a full party does not pay for
    /// every leg. Days that may still change stay, and those that no tick has closed.
    fn drop_excess(&mut self, number: u32, effects: &mut Effects) {
        let max = self.settings.party_legs_max;
        let Some(frontier) = self.last_tick.map(|tick| tick.today) else { return };
        let party = &self.parties[number as usize];
        let rows = &party.rows;
        if rows.len() <= max {
            return;
        }
        // Rows that no window reaches any more may still be there, and do not count.
        let old = party.rows_before(self.complete_from);
        let excess = (rows.len() - old).saturating_sub(max);
        let beyond = (old + excess + max / 16).min(rows.len() - 1);
        let day = rows[beyond].at.day().min(frontier);
        let count = rows.partition_point(|row| row.at < day.start());
        if excess == 0 || count <= old {
            return;
        }
        self.flush(effects);
        self.keep_and_change(number);
        let party = &mut self.parties[number as usize];
        let dropped_to = Some(party.rows[count - 1].at);
        party.drop_rows(number, count, &mut self.tables);
        party.set_gone(Gone { dropped_to, ..party.gone() });
        effects.counts.legs_dropped += (count - old) as u64;
    }
}

fn cause_of(record: u64, leg: &Leg<'_>) -> Cause {
    Cause { record, tick: false, trigger: Some((leg.txn_id.into(), leg.at)) }
}

fn reject(record: u64, leg: &Leg<'_>, reason: Reason, frontier: EventTime) -> RejectEffect {
    let is_customers = !leg.is_group() && !matches!(leg.kind, LegKind::Removal { .. });
    let item = item_of(leg.flags, leg.profile.kind).filter(|_| is_customers && reason.is_late());
    let key = item.map(|item| ReportKey { day: leg.at.day(), direction: leg.direction, item });
    RejectEffect {
        record,
        tick: false,
        rejected_record: record,
        reason,
        party: leg.party.to_owned(),
        txn_id: leg.txn_id.to_owned(),
        direction: leg.direction,
        at: leg.at,
        amount: leg.amount.cny,
        frontier,
        report_ids: key.map(|key| report_id(leg.party, key)).into_iter().collect(),
    }
}

pub(super) fn reject_removal(
    record: u64,
    tick: bool,
    party: &Party,
    removal: &PendingRemoval,
    reason: Reason,
    frontier: EventTime,
) -> RejectEffect {
    RejectEffect {
        record,
        tick,
        rejected_record: removal.record,
        reason,
        party: party.key.to_string(),
        txn_id: removal.txn_id.to_string(),
        direction: removal.direction,
        at: removal.at,
        amount: removal.cny,
        frontier,
        report_ids: Vec::new(),
    }
}
