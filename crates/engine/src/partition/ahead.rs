//! Looking ahead: where the next legs will go is read shortly before they go there.
//!
//! A leg of ordinary traffic touches a score of places of memory that nobody has touched for days: its party, the party's last row, its
//! counterparty's key and pair, its transaction's id. One after the other each is waited for; asked for in a row, with nothing in between that
//! depends on them, the processor waits for many at once. So a stretch of inputs is gone through beforehand, in rounds, each of which reads one
//! thing of every leg: where the tables point, what stands there, what that refers to. Nothing is changed. Of all that is read the parties'
//! numbers are kept, which stay what they are, and hashes; a pair that was found is a hint. A sweep goes to as many places a party, and looks
//! ahead in the same way.

use std::hint::black_box;

use weir_model::{EventTime, Leg};

use super::Engine;
use crate::Input;
use crate::history::{Named, Party};
use crate::intern::{NONE, hash};
use crate::tables::Identity;

/// Inputs, or parties to be swept, looked at together: enough to wait for many at once, few enough that what was read is still near when it is needed.
pub(super) const STRETCH: usize = 32;

/// Rows of a swept party whose transactions are looked at: of most no more have grown old since they were swept last.
const AGED_ROWS: usize = 8;

/// Pairs that begin within one line of the cache, nearly.
const PAIRS_A_LINE: usize = 3;

/// What is known of a leg beforehand.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ahead {
    /// The number of its party, if the party was known before the stretch.
    pub(super) number: Option<u32>,
    pub(super) named: Named,
}

impl Engine {
    pub(super) fn look_ahead(&self, inputs: &[Input<'_>]) -> [Ahead; STRETCH] {
        let mut legs: [Option<(&Leg<'_>, u64, Named)>; STRETCH] = [None; STRETCH];
        for (input, known) in inputs.iter().zip(&mut legs) {
            if let Input::Leg { leg, .. } = input {
                *known = Some((leg, hash(leg.party), Named::of(leg)));
            }
        }
        // Whom a table points at first is nearly always the one looked for.
        let pointed = legs.map(|leg| {
            let (_, party, named) = leg?;
            let party = self.index.find(party, |_| true).copied();
            Some((party, self.tables.strings.pointed(named.counterparty), self.tables.txns.pointed(named.txn)))
        });
        // Where new ids will go: the places were left long ago.
        for id in self.tables.txns.vacant().take(inputs.len()) {
            black_box(self.tables.txns.text(id).len());
        }
        for (party, counterparty, txn) in pointed.into_iter().flatten() {
            if let Some(party) = party {
                touch(&self.parties[party as usize]);
            }
            black_box(counterparty.map(|id| self.tables.strings.text(id).len()));
            black_box(txn.map(|id| self.tables.txns.text(id).len()));
        }
        let mut ahead = [Ahead::default(); STRETCH];
        let mut keys = [NONE; STRETCH];
        for (at, leg) in legs.into_iter().enumerate() {
            let Some((leg, party, named)) = leg else { continue };
            ahead[at] = Ahead { number: self.find_party(party, leg.party), named };
            keys[at] = leg.counterparty.and_then(|key| self.tables.strings.find_hashed(named.counterparty, key)).unwrap_or(NONE);
        }
        for Ahead { number, .. } in &ahead {
            let Some(party) = number.map(|number| &self.parties[number as usize]) else { continue };
            // A row may lie across two lines of the cache.
            black_box(party.rows.last().map(|row| (row.at, row.profile)));
            black_box(party.pairs.as_slice().first().map(|pair| pair.key));
            black_box(party.pairs.as_slice().get(PAIRS_A_LINE).map(|pair| pair.key));
            black_box((party.day_kinds.first().map(|kinds| kinds.day), party.day_totals.first().map(|total| total.key.day)));
            // Whatever is asked of it reads it.
            black_box(party.standing.as_ref().map(|standing| standing.is_shut(EventTime::MIN, 0)));
        }
        // What is searched has been read: a search that waits for its first place lets nothing else be asked for.
        for (Ahead { number, named }, key) in ahead.iter_mut().zip(keys) {
            let Some(party) = number.map(|number| &self.parties[number as usize]) else { continue };
            named.pair = party.pairs.find(key);
            black_box(named.pair.map(|pair| party.pairs.get(pair).last_day));
        }
        ahead
    }

    /// Reads what sweeping these parties will read.
    pub(super) fn look_ahead_of_sweep(&self, parties: &[u32]) {
        for party in parties.iter().map(|number| &self.parties[*number as usize]) {
            touch(party);
            black_box(party.aged);
        }
        for Party { rows, aged, .. } in parties.iter().map(|number| &self.parties[*number as usize]) {
            let read = [rows.first(), rows.get(*aged as usize), rows.get(rows.len() / 4), rows.last()];
            black_box(read.map(|row| row.map(|row| row.at)));
        }
        let memory_from = self.memory_day().start();
        let mut aging = Vec::new();
        for number in parties {
            let party = &self.parties[*number as usize];
            let aged = party.rows.iter().skip(party.aged as usize).take_while(|row| row.at < memory_from && row.txn != NONE);
            aging.extend(aged.take(AGED_ROWS).map(|row| Identity { txn: row.txn, party: *number, direction: row.direction() }));
        }
        for identity in &aging {
            black_box((self.tables.remembered(*identity), self.tables.txns.text(identity.txn).len()));
        }
        for identity in &aging {
            black_box(self.tables.txns.pointed_at_last(identity.txn));
        }
    }
}

/// Reads of a party what every leg reads; it is several cache lines long.
fn touch(party: &Party) {
    black_box((party.key.len(), party.rows.len(), party.pairs.len(), party.day_totals.len(), party.day_kinds.len()));
    black_box((party.is_pending, party.due, party.history_from, party.pending.is_empty(), party.detection.is_some()));
}
