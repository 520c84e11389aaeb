//! Where the money of a customer goes in the end: to its main payee, from there to that one's, and on.
//!
//! 1. A payee is a main payee of a customer where it takes so much of what leaves it (`--payee-share`) and so much in all (`--payee-amount`).
//!    One whom many customers pay (`--payee-customers`) is a shop, a landlord, an institution: no chain leads to it or through it.
//! 2. From every main payee the chains are followed back, three hops at most. Customers whose money comes to it by the hands of different
//!    payers are related there; those whose money comes by one hand have met at that one already.
//! 3. From every collector they are followed on: the customers of this bank that its money passes are related to one another, each with the
//!    next (collector → pool → paying account). A person who does not collect is where that ends.
//!
//! Who is in between has passed money on: half or more of what leaves it, and half or more of what came over the hop before. Each hop takes as
//! much as a main payee takes, so that the least along the way is never less. All of it is about sums over the inputs and not about their order
//! in time: what went on may have gone before the other came.
//!
//! A chain leads only through customers of this bank, since nobody here sees what others pay.
//!
//! Most of what a person pays goes to a home, a spouse, or the scheme that took the money. People who do not collect are therefore no source of
//! money that is followed back, or being paid by the same victims would relate them, and none whose money is followed on: shop, owner, spouse
//! and builder are no group. They may stand in between where chains are followed back, for pools and paying accounts are often somebody's card;
//! there it takes two chains that end at one party, and one spouse or home seldom makes two.

use std::collections::BTreeSet;

use weir_model::KeyKind;

use super::evidence::{Bounds, Candidates, Evidence, Reason, number, swapped};
use super::ledger::{Closed, Key, Sum, stretch};

/// Collector, pool, paying account, and where that pays to: organisers seldom put more between. Each further hop relates more of those who
/// only trade with one another.
const HOPS_MAX: usize = 3;
/// Per cent of what leaves a customer that must go on so that money is followed through it, also where less is asked of the first hop.
const PASSED_ON_SHARE: u8 = 50;
/// Where the money of more customers ends is an institution, however few of them pay it themselves. More than a group may have, so that one
/// that is too large is still told of.
const SOURCES_MAX: usize = 50;

/// Customers in between, as the money goes.
pub(super) type Way = [Option<Key>; HOPS_MAX - 1];

/// What a customer pays a main payee.
#[derive(Debug, Clone, Copy)]
struct Flow {
    customer: Key,
    payee: Key,
    /// In fen.
    paid: i64,
    /// Of what leaves the customer, in per cent.
    share: u8,
    /// How many customers pay the payee anything at all.
    customers: u32,
}

/// Who pays whom most of what it pays, those left out whom everybody pays.
#[derive(Debug)]
struct MainPayees {
    /// In order of payees, then of customers.
    by_payee: Vec<Flow>,
    /// The same in order of customers, then of payees.
    by_customer: Vec<Flow>,
}

/// A customer whose money comes to a party.
#[derive(Debug, Clone, Copy)]
struct Source {
    /// The first hop.
    flow: Flow,
    way: Way,
}

/// Relates customers by where their money goes.
pub(super) fn relate(candidates: &Candidates, ledger: &Closed, bounds: &Bounds, evidence: &mut Evidence) {
    let is_looked_at = |customer: Key| candidates.contains_key(&customer) || !ledger.people.contains(&customer);
    let main = MainPayees::of(ledger, bounds, is_looked_at, &mut evidence.common[1]);
    for payers in main.by_payee.chunk_by(|a, b| a.payee == b.payee) {
        let Flow { payee, customers, .. } = payers[0];
        let mut sources = main.sources(payee);
        sources.retain(|source| is_looked_at(source.flow.customer));
        if sources.len() > SOURCES_MAX.max(bounds.payee_customers) {
            evidence.common[1] += 1;
            continue;
        }
        relate_sources(payee, customers, &sources, evidence);
    }
    relate_passages(candidates, &main, ledger, evidence);
}

fn relate_sources(payee: Key, customers: u32, sources: &[Source], evidence: &mut Evidence) {
    for (at, a) in sources.iter().enumerate() {
        for b in sources[at + 1..].iter().filter(|b| b.last_payer() != a.last_payer()) {
            evidence.add(a.flow.customer, b.flow.customer, |is_swapped| Reason::CommonPayee {
                payee,
                share: swapped([a.flow.share, b.flow.share], is_swapped),
                ways: swapped([a.way, b.way], is_swapped),
                customers,
            });
        }
    }
}

/// Step by step from all collectors at once, so that each passage is looked at once, and at its shortest distance from a collector.
fn relate_passages(candidates: &Candidates, main: &MainPayees, ledger: &Closed, evidence: &mut Evidence) {
    let is_ours = |flow: &&Flow| KeyKind::Customer.is_of(ledger.text(flow.payee));
    let mut seen = BTreeSet::new();
    let mut here: Vec<Flow> = candidates.keys().flat_map(|customer| main.payees_of(*customer)).filter(is_ours).copied().collect();
    for _ in 0..HOPS_MAX {
        here.retain(|flow| seen.insert((flow.customer, flow.payee)));
        for Flow { customer, payee, share, customers, .. } in here.iter().copied() {
            evidence.add(customer, payee, |is_swapped| Reason::MainPayee { payee, is_payee_second: !is_swapped, share, customers });
        }
        // From a person who collects the first hop has begun.
        here.retain(|flow| !ledger.people.contains(&flow.payee));
        let next = here.iter().flat_map(|before| main.payees_of(before.payee).iter().filter(move |flow| flow.passes_on(before)));
        here = next.filter(is_ours).copied().collect();
    }
}

impl Flow {
    /// That of a main payee.
    fn of(sum: &Sum, customers: u32, ledger: &Closed, bounds: &Bounds) -> Option<Self> {
        let share = percent(sum.fen, ledger.totals.get(&sum.customer).copied().unwrap_or(0));
        let is_main = sum.fen >= bounds.payee_amount && u64::from(share) >= bounds.payee_share;
        is_main.then_some(Self { customer: sum.customer, payee: sum.other, paid: sum.fen, share, customers })
    }

    /// Whether what came to the customer over the hop before goes on over this one: where most of it stays, its way ends.
    fn passes_on(&self, before: &Self) -> bool {
        self.share >= PASSED_ON_SHARE && i128::from(self.paid) * 2 >= i128::from(before.paid)
    }
}

impl MainPayees {
    /// Leaves out payees of more customers than may pay one, whether or not those pay them most, and counts to `common` those of them that would
    /// have related somebody.
    fn of(ledger: &Closed, bounds: &Bounds, is_looked_at: impl Fn(Key) -> bool, common: &mut u64) -> Self {
        let mut by_payee = Vec::<Flow>::new();
        for paid in ledger.outflows.chunk_by(|a, b| a.other == b.other) {
            let flows = paid.iter().filter_map(|sum| Flow::of(sum, number(paid.len()), ledger, bounds));
            if paid.len() <= bounds.payee_customers {
                by_payee.extend(flows);
            } else {
                *common += u64::from(flows.filter(|flow| is_looked_at(flow.customer)).count() >= 2);
            }
        }
        let mut by_customer = by_payee.clone();
        by_customer.sort_unstable_by_key(|flow| (flow.customer, flow.payee));
        Self { by_payee, by_customer }
    }

    fn payees_of(&self, customer: Key) -> &[Flow] {
        stretch(&self.by_customer, customer, |flow| flow.customer)
    }

    fn payers_of(&self, payee: Key) -> &[Flow] {
        stretch(&self.by_payee, payee, |flow| flow.payee)
    }

    /// Customers whose money comes to a party within three hops, the nearest first, each once and by its shortest way. A circle ends where it
    /// comes back.
    fn sources(&self, end: Key) -> Vec<Source> {
        let mut seen = BTreeSet::from([end]);
        let mut sources = Vec::new();
        let mut here: Vec<Source> = self.payers_of(end).iter().map(|flow| Source { flow: *flow, way: Way::default() }).collect();
        for hop in 1..=HOPS_MAX {
            here.retain(|source| seen.insert(source.flow.customer));
            sources.extend_from_slice(&here);
            if hop < HOPS_MAX {
                here = here.iter().flat_map(|source| self.before(*source)).collect();
            }
        }
        sources
    }

    /// Those whose money a source passes on.
    fn before(&self, source: Source) -> impl Iterator<Item = Source> {
        let payers = self.payers_of(source.flow.customer).iter().filter(move |before| source.flow.passes_on(before));
        payers.map(move |flow| Source { flow: *flow, way: [Some(source.flow.customer), source.way[0]] })
    }
}

impl Source {
    /// Who hands the money over: the last one in between, else the customer itself.
    fn last_payer(&self) -> Key {
        self.way.into_iter().flatten().next_back().unwrap_or(self.flow.customer)
    }
}

/// Per cent of the whole, cut: a fen less than half is 49.
fn percent(part: i64, whole: i64) -> u8 {
    let percent = i128::from(part) * 100 / i128::from(whole.max(1));
    u8::try_from(percent.clamp(0, 100)).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fen_less_than_half_is_not_half() {
        assert_eq!([percent(50_000_00, 100_000_00), percent(49_999_99, 100_000_00), percent(50_000_00, 100_000_01)], [50, 49, 49]);
        assert_eq!([percent(0, 0), percent(i64::MAX, i64::MAX), percent(5, 0), percent(-5, 0)], [0, 100, 100, 0]);
    }

    #[test]
    fn a_flow_takes_the_bytes_that_the_figure_of_all_memory_counts_on() {
        assert_eq!(size_of::<Flow>(), 24);
    }
}
