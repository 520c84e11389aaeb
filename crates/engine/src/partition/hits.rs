//! Pending rows become hits: evaluated together, put in the place of the hits that stood before.
//!
//! Rules of instants come before those of day ends, which watch them, and rules without `rule_hits` before those that ask for hits. How many rows wait
//! for each other decides nothing; what follows of new hits for the outside is the business of `alerts`.

use std::collections::BTreeMap;

use weir_model::EventTime;
use weir_rules::{Value, Window};

use super::{BATCH_ROWS, Engine, Group};
use crate::Effects;
use crate::detection::{Detection, Hit};
use crate::evaluate::{PendingRow, decide};

impl Engine {
    /// Evaluates everything that waits and says what follows.
    pub(super) fn flush(&mut self, effects: &mut Effects) {
        if self.groups.is_empty() {
            return;
        }
        let groups = std::mem::take(&mut self.groups);
        let mut rows = std::mem::take(&mut self.pending_rows);
        effects.counts.instants_gated += rows.len() as u64;
        for is_day_end in [false, true] {
            effects.counts.instants_scanned += self.decide_in_turn(&groups, &mut rows, is_day_end);
        }
        effects.counts.hits += rows.iter().map(|row| row.hits.len() as u64).sum::<u64>();
        for group in &groups {
            self.parties[group.party as usize].is_pending = false;
            self.speak(group, effects);
        }
        self.spare_rows.append(&mut rows);
        self.spare_rows.truncate(BATCH_ROWS);
        self.pending_rows = rows;
    }

    /// Decides instants, then day ends, whose rules watch those of instants; of either first the rules that use no `rule_hits`. Each sees the hits
    /// of those before. Returns for how many rows it came to costly features.
    fn decide_in_turn(&mut self, groups: &[Group], rows: &mut [PendingRow], is_day_end: bool) -> u64 {
        if is_day_end && !rows.iter().any(|row| row.is_day_end) {
            return 0;
        }
        let uses_rule_hits = self.editions.iter().any(|edition| edition.rules.rules.iter().any(|rule| rule.uses_rule_hits));
        let mut scanned = 0;
        for of_rule_hits in [false, true].into_iter().filter(|of_rule_hits| uses_rule_hits || !of_rule_hits) {
            scanned += self.decide(rows, is_day_end, of_rule_hits);
            if is_day_end {
                self.drop_unwatched(rows);
            }
            self.apply(groups, rows, is_day_end);
        }
        scanned
    }

    /// Returns for how many rows it came to costly features.
    fn decide(&self, rows: &mut [PendingRow], is_day_end: bool, uses_rule_hits: bool) -> u64 {
        let mut scanned = 0;
        for (at, edition) in self.editions.iter().enumerate() {
            let is_wanted = |row: &&mut PendingRow| row.edition == at && row.is_day_end == is_day_end;
            let mut of_edition: Vec<&mut PendingRow> = rows.iter_mut().filter(is_wanted).collect();
            if of_edition.is_empty() {
                continue;
            }
            let view_of = |row: &PendingRow| self.view(&self.parties[row.party as usize], row.t, edition);
            let rule_hits = |party: u32, t: EventTime, id: &str, window: Window| {
                let detection = self.parties[party as usize].detection.as_deref();
                self.rule_hits(detection, t, id, window)
            };
            scanned += decide(edition, &mut of_edition, uses_rule_hits, &view_of, &rule_hits) as u64;
        }
        scanned
    }

    pub(super) fn rule_hits(&self, detection: Option<&Detection>, t: EventTime, id: &str, window: Window) -> Value {
        let Window::Exact(span) = window else {
            return Value::Null;
        };
        let number = self.rules.iter().position(|known| known == id).and_then(|at| u32::try_from(at).ok());
        let state = number.and_then(|number| detection?.rules.get(&number));
        Value::Int(state.map_or(0, |state| i64::try_from(state.hits_within(t, span)).unwrap_or(i64::MAX)))
    }

    /// Takes the hits of day ends away where none of the rules that the rule watches, as they hit now, hit in time.
    fn drop_unwatched(&self, rows: &mut [PendingRow]) {
        for row in rows.iter_mut().filter(|row| row.is_day_end) {
            let (party, day) = (row.party, row.t.day());
            let rules = &self.editions[row.edition].rules.rules;
            row.hits.retain(|(rule, _)| self.is_watched(party, &rules[*rule], day));
        }
    }

    /// Puts the rows' hits in the place of those that stood from each group's first instant on; those of day ends only `with_day_ends`.
    fn apply(&mut self, groups: &[Group], rows: &[PendingRow], with_day_ends: bool) {
        for group in groups {
            let mut hits = BTreeMap::<u32, Vec<Hit>>::new();
            for row in rows[group.rows.clone()].iter().filter(|row| with_day_ends || !row.is_day_end) {
                for (rule, hit) in &row.hits {
                    hits.entry(self.editions[row.edition].numbers[*rule]).or_default().push(*hit);
                }
            }
            if self.parties[group.party as usize].detection.is_none() && hits.is_empty() {
                continue;
            }
            self.keep_and_change(group.party);
            let party = &mut self.parties[group.party as usize];
            let detection = party.detection.get_or_insert_default();
            for rule in hits.keys() {
                detection.rules.entry(*rule).or_default();
            }
            for (rule, state) in &mut detection.rules {
                let mut hits = hits.remove(rule).unwrap_or_default();
                if group.is_day_end {
                    // Nothing changed but that a day ended: the new hits join the others.
                    hits.extend(state.hits.iter().filter(|hit| hit.t >= group.from));
                }
                hits.sort_by_key(|hit| hit.t);
                hits.dedup_by_key(|hit| hit.t);
                state.replace_from(group.from, &hits);
            }
            self.active.insert(group.party);
        }
    }
}
