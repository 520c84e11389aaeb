//! Where the money of a customer goes in the end: to its main payee, from there to that one's, and on.
//!
//! 1. A payee is a main payee of a customer where it takes so much of what leaves it (`--payee-share`) and so much in all (`--payee-amount`).
//!    One whom many customers pay (`--payee-customers`) is a shop, a landlord, an institution: no chain leads to it or through it.
//! 2. From every main payee the chains are followed back, three hops at most. Customers whose money comes to it by the hands of different
//!    payers are related there; those whose money comes by one hand have met at that one already.
//! 3. From every collector they are followed on: the customers of this bank that its money passes are related to one another, each with the
//!    next (collector → pool → paying account).
//!
//! A chain leads only through customers of this bank, since nobody here sees what others pay. People are looked at only where they collect: most
//! of what a person pays goes to a home, a spouse, or the scheme that took the money, and who was paid by victims is no reason to relate them.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Bounds, Candidates, Evidence, Reason, swapped};
use super::ledger::{Key, Ledger};

/// Collector, pool, paying account, and where that pays to: organisers seldom put more between. Each further hop relates more of those who
/// only trade with one another.
const HOPS_MAX: usize = 3;
/// Per cent that a customer must pass on so that money is followed through it, also where less is asked of the first hop: what passes on less
/// is where most of the money stays.
const PASSED_ON_SHARE: u64 = 50;
/// Where the money of more customers ends is an institution, however few of them pay it themselves. More than a group may have, so that one
/// that is too large is still told of.
const SOURCES_MAX: usize = 50;

/// Parties by a party, each with the share of the payer's outflow in per cent (cut).
type Shares = BTreeMap<Key, Vec<(Key, u64)>>;

/// Who pays whom most of what it pays, those left out whom everybody pays.
#[derive(Debug, Default)]
struct MainPayees {
    /// Payers of a main payee, in order of their texts: keys are numbered as they come, and the order of the input is to change nothing.
    payers: Shares,
    /// Main payees of a customer.
    payees: Shares,
    /// How many customers pay a payee anything at all.
    customers: BTreeMap<Key, usize>,
}

/// A customer whose money comes to a party.
#[derive(Debug)]
struct Source {
    customer: Key,
    /// What the first hop takes of its outflow, in per cent.
    share: u64,
    /// Customers in between, as the money goes.
    way: Vec<Key>,
}

/// Relates customers by where their money goes.
pub(super) fn relate(candidates: &Candidates, ledger: &Ledger, bounds: &Bounds, evidence: &mut Evidence) {
    let mut main = MainPayees::of(ledger, bounds);
    let is_looked_at = |customer: Key| candidates.contains_key(&customer) || !ledger.people.contains(&customer);
    evidence.common[1] += main.leave_out_common(bounds.payee_customers, is_looked_at);
    main.index(ledger);
    for end in main.payers.keys() {
        let mut sources = main.sources(*end);
        sources.retain(|source| is_looked_at(source.customer));
        if sources.len() > SOURCES_MAX.max(bounds.payee_customers) {
            evidence.common[1] += 1;
            continue;
        }
        relate_sources(*end, main.customers_of(*end), &sources, ledger, evidence);
    }
    relate_passages(candidates, &main, ledger, evidence);
}

fn relate_sources(end: Key, customers: usize, sources: &[Source], ledger: &Ledger, evidence: &mut Evidence) {
    for (at, a) in sources.iter().enumerate() {
        for b in sources[at + 1..].iter().filter(|b| b.last_payer() != a.last_payer()) {
            evidence.add(ledger, a.customer, b.customer, |is_swapped| Reason::CommonPayee {
                payee: end,
                share: swapped([a.share, b.share], is_swapped),
                ways: swapped([a.way.clone(), b.way.clone()], is_swapped),
                customers,
            });
        }
    }
}

/// Step by step from all collectors at once, so that each passage is looked at once.
fn relate_passages(candidates: &Candidates, main: &MainPayees, ledger: &Ledger, evidence: &mut Evidence) {
    let mut seen: BTreeSet<Key> = candidates.keys().copied().collect();
    let mut payers: Vec<Key> = candidates.keys().copied().collect();
    for hop in 1..=HOPS_MAX {
        let mut next = Vec::new();
        for payer in payers {
            for (payee, share) in main.payees.get(&payer).into_iter().flatten() {
                let is_followed = hop == 1 || *share >= PASSED_ON_SHARE;
                if !is_followed || !ledger.text(*payee).starts_with("c:") {
                    continue;
                }
                evidence.add(ledger, payer, *payee, |is_swapped| Reason::MainPayee {
                    payee: *payee,
                    is_payee_second: !is_swapped,
                    share: *share,
                    customers: main.customers_of(*payee),
                });
                if seen.insert(*payee) {
                    next.push(*payee);
                }
            }
        }
        payers = next;
    }
}

impl MainPayees {
    /// Everybody's, common ones too.
    fn of(ledger: &Ledger, bounds: &Bounds) -> Self {
        let mut main = Self::default();
        for ((customer, payee), paid) in &ledger.outflows {
            *main.customers.entry(*payee).or_default() += 1;
            let share = percent(*paid, ledger.totals.get(customer).copied().unwrap_or(0));
            if *paid >= bounds.payee_amount && share >= bounds.payee_share {
                main.payers.entry(*payee).or_default().push((*customer, share));
            }
        }
        main
    }

    /// Leaves out payees of more customers than that, whether or not those pay them most. Returns how many of them would have related somebody.
    fn leave_out_common(&mut self, customers_max: usize, is_looked_at: impl Fn(Key) -> bool) -> u64 {
        let customers = &self.customers;
        let mut common = 0;
        self.payers.retain(|payee, payers| {
            let is_common = customers.get(payee).is_some_and(|customers| *customers > customers_max);
            let relates = payers.iter().filter(|(payer, _)| is_looked_at(*payer)).count() >= 2;
            common += u64::from(is_common && relates);
            !is_common
        });
        common
    }

    /// Puts payers in order and notes for each whom it pays.
    fn index(&mut self, ledger: &Ledger) {
        for (payee, payers) in &mut self.payers {
            payers.sort_by_key(|(payer, _)| ledger.text(*payer));
            for (payer, share) in payers {
                self.payees.entry(*payer).or_default().push((*payee, *share));
            }
        }
    }

    fn customers_of(&self, payee: Key) -> usize {
        self.customers.get(&payee).copied().unwrap_or(0)
    }

    /// Customers whose money comes to a party within three hops, the nearest first, each once and by its shortest way. A circle ends where it
    /// comes back.
    fn sources(&self, end: Key) -> Vec<Source> {
        let mut seen = BTreeSet::from([end]);
        let mut sources = Vec::new();
        let mut here = self.payers_of(end, &[]);
        for hop in 1..=HOPS_MAX {
            let mut before = Vec::new();
            for source in here {
                if !seen.insert(source.customer) {
                    continue;
                }
                if hop < HOPS_MAX && source.share >= PASSED_ON_SHARE {
                    let way: Vec<Key> = std::iter::once(source.customer).chain(source.way.iter().copied()).collect();
                    before.extend(self.payers_of(source.customer, &way));
                }
                sources.push(source);
            }
            here = before;
        }
        sources
    }

    /// Those whose main payee a party is, with the way from there.
    fn payers_of(&self, payee: Key, way: &[Key]) -> Vec<Source> {
        let payers = self.payers.get(&payee).into_iter().flatten();
        payers.map(|(customer, share)| Source { customer: *customer, share: *share, way: way.to_vec() }).collect()
    }
}

impl Source {
    /// Who hands the money over: the last one in between, else the customer itself.
    fn last_payer(&self) -> Key {
        self.way.last().copied().unwrap_or(self.customer)
    }
}

/// Per cent of the whole, cut: a fen less than half is 49.
fn percent(part: i64, whole: i64) -> u64 {
    u64::try_from(i128::from(part) * 100 / i128::from(whole.max(1))).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fen_less_than_half_is_not_half() {
        assert_eq!([percent(50_000_00, 100_000_00), percent(49_999_99, 100_000_00), percent(50_000_00, 100_000_01)], [50, 49, 49]);
        assert_eq!([percent(0, 0), percent(i64::MAX, i64::MAX), percent(5, 0)], [0, 100, 500]);
    }
}
