//! A leg arrives: what it does to its party, and which instants it asks to be looked at again.

use weir_model::alert::Trigger;
use weir_model::{Day, EventTime, Leg, LegKind, Reason, Span};

use super::{BATCH_ROWS, Cause, Engine, Group, edition_at};
use crate::history::{Accepted, Moment, Party, PendingRemoval};
use crate::large_amount::{ReportKey, item_of, report_id};
use crate::row::Row;
use crate::{Effects, RejectEffect};

impl Engine {
    pub(super) fn leg(&mut self, record: u64, clock: EventTime, leg: &Leg<'_>, effects: &mut Effects) {
        effects.counts.legs += 1;
        self.clock = self.clock.max(clock);
        let number = self.party_number(leg.party);
        if self.parties[number as usize].is_pending || self.pending_rows.len() >= BATCH_ROWS {
            self.flush(effects);
        }
        let newest = self.editions.last().expect("a partition has a rule set from the beginning");
        let moment = Moment {
            record,
            clock,
            frontier: self.clock.minus(self.settings.lateness),
            memory_day: self.memory_day(),
            forget_before: self.forget_before(),
            reevaluate_max: self.settings.reevaluate_max,
            horizons: &newest.horizons,
            calendar: &newest.rules.calendar,
        };
        let frontier = moment.frontier;
        let party = &mut self.parties[number as usize];
        let accepted = party.accept(number, leg, &moment, &mut self.tables);
        if matches!(leg.kind, LegKind::Removal { .. }) && !party.pending.is_empty() {
            self.waiting.insert(number);
        }
        match accepted {
            Accepted::Silent => {}
            Accepted::TakenAtOnce => effects.counts.reversed += 1,
            Accepted::Duplicate => effects.counts.duplicates += 1,
            Accepted::Rejected(reason) => effects.rejects.push(reject(record, leg, reason, frontier)),
            Accepted::Inserted(at) => {
                self.changed(number, &[self.parties[number as usize].rows[at]], true, record, leg, effects);
            }
            Accepted::InsertedAgainst(removal, at) => {
                let party = &self.parties[number as usize];
                effects.rejects.push(reject_removal(record, false, party, &removal, Reason::PartialReversal, frontier));
                self.changed(number, &[party.rows[at]], true, record, leg, effects);
            }
            Accepted::Removed(rows) => {
                effects.counts.reversed += rows.len() as u64;
                self.changed(number, &rows, false, record, leg, effects);
            }
        }
        self.drop_excess(number, effects);
    }

    /// Rows have entered or left a history: totals of their days, then the instants from the earliest on.
    fn changed(&mut self, number: u32, rows: &[Row], add: bool, record: u64, leg: &Leg<'_>, effects: &mut Effects) {
        let mut totals: Vec<usize> =
            rows.iter().filter_map(|row| self.parties[number as usize].count_large_amount(row, add, &self.tables)).collect();
        totals.sort_unstable();
        totals.dedup();
        for total in totals {
            self.report_change(number, total, record, effects);
        }
        if let Some(from) = rows.iter().map(|row| row.at).min() {
            self.touch(number, from, record, leg);
        }
    }

    /// Gates every instant from `from` on; what passes waits in a group.
    fn touch(&mut self, number: u32, from: EventTime, record: u64, leg: &Leg<'_>) {
        let begin = self.pending_rows.len();
        let from = self.renewed_from(number, from);
        let first = self.parties[number as usize].rows.partition_point(|row| row.at < from);
        let mut last = EventTime::MIN;
        let mut at = first;
        while let Some(row) = self.parties[number as usize].rows.get(at) {
            at += 1;
            if row.is_live() && row.at != last {
                last = row.at;
                self.gate(number, last, false);
            }
        }
        if let Some(done) = self.day_ends_done.filter(|_| self.editions.iter().any(|edition| edition.has_day_end_rules)) {
            for day in from.day().0..=done.0 {
                self.gate(number, Day(day).end(), true);
            }
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
        let trigger = Trigger { txn_id: leg.txn_id.to_owned(), occurred_at: leg.at.to_string() };
        let cause = Cause { record, tick: false, trigger: Some(trigger) };
        self.groups.push(Group { party: number, cause, from, rows, is_day_end: false });
    }

    /// The earliest instant a change renews: that of the change, or of a rule set that has come since the last one. What is settled stays.
    fn renewed_from(&mut self, number: u32, from: EventTime) -> EventTime {
        let seen = std::mem::replace(&mut self.parties[number as usize].editions_seen, self.editions.len());
        let settled = self.last_tick.map_or(EventTime::MIN, |tick| tick.frontier);
        let switches = self.editions.iter().skip(seen).map(|edition| edition.after.plus(Span(1)).max(settled));
        switches.chain([from]).min().unwrap_or(from)
    }

    /// Puts the instant on the list of pending rows if a variant passes its gates there.
    pub(super) fn gate(&mut self, number: u32, t: EventTime, is_day_end: bool) {
        let at = edition_at(&self.editions, t);
        let edition = &self.editions[at];
        let party = &mut self.parties[number as usize];
        party.cursor.seek(&party.rows, party.pairs.len(), t, &edition.horizons, &edition.rules.calendar);
        let party = &self.parties[number as usize];
        let view = self.view_of_rows(party, party.cursor.tail(), t, edition);
        let row = edition.gate(number, at, (party.is_group(), is_day_end), &party.cursor, &view);
        self.pending_rows.extend(row);
    }

    /// `party_legs_max`: the oldest sixteenth leaves at once, so that a full party does not pay for every leg.
    fn drop_excess(&mut self, number: u32, effects: &mut Effects) {
        let max = self.settings.party_legs_max;
        if self.parties[number as usize].rows.len() <= max {
            return;
        }
        self.flush(effects);
        let party = &mut self.parties[number as usize];
        let count = (party.rows.len() - max + max / 16).min(party.rows.len() - 1);
        party.dropped_to = Some(party.rows[count - 1].at);
        party.drop_rows(number, count, &mut self.tables);
        effects.counts.legs_dropped += count as u64;
    }
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
        amount: (removal.currency == weir_model::Currency::CNY).then_some(removal.minor),
        frontier,
        report_ids: Vec::new(),
    }
}
