//! What relates two customers: people who pay both, one party where the money of both ends, one that the other's money passes, one device or
//! agent.
//!
//! Candidates are customers whom several natural people have paid in earnest: they collect. Shared payers are looked for among them alone, for
//! who collects from nobody has none; where money goes is the business of [`chains`]; one hand on two customers says something whoever they
//! are. Each kind of evidence has a bound above which it says nothing, because what everybody shares relates nobody.
//!
//! There are no more reasons than asked for; the stronger kinds come first, and everything is walked in order of keys, which is that of their
//! texts, so that it does not depend on the order of the inputs what the bound leaves out. A reason takes 56 bytes with its two customers, and
//! points to nothing else: there may be millions, and those of a pair are found by sorting.

use std::collections::BTreeMap;

use super::chains::{self, Way};
use super::ledger::{Closed, Key, Mark, Sum, stretch};
use crate::arguments::LinkArgs;
use crate::failure::Failure;
use crate::language::{Lang, say};

/// A payer of more candidates than that is a payer of everybody.
const PAYER_CANDIDATES_MAX: usize = 50;

/// The parameters, checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Fen a payer must have paid to a customer in all.
    payer_amount: i64,
    /// Payers that two customers must share.
    shared_payers: usize,
    /// Shared payers among all such payers of the customer that has fewer, in per cent.
    payer_share: u64,
    /// Share of a customer's outflow that its main payee must take, in per cent.
    pub(super) payee_share: u64,
    /// Fen it must take.
    pub(super) payee_amount: i64,
    /// Customers who may pay it.
    pub(super) payee_customers: usize,
    /// Customers who may share a device or agent.
    pub(super) mark_customers: usize,
    /// Customers of one group.
    pub(super) group_max: usize,
    /// Whether groups in which nobody collects are proposed too.
    pub(super) households: bool,
    /// Pairs remembered each way, devices and agents, and reasons.
    pub(super) pairs_max: usize,
}

/// Customers who collect, each with those who paid it in earnest and what they paid.
pub(super) type Candidates = BTreeMap<Key, Vec<Sum>>;

/// Why two customers may belong together. Amounts in fen, shares in per cent of what leaves a customer (cut), the smaller key first. In order:
/// the strongest kind first, then by what does not depend on the order of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Reason {
    /// People who paid both, and what they paid each.
    SharedPayers { people: u32, paid: [i64; 2] },
    /// One party where the money of both ends: the share that goes there or, where others are in between (`ways`), to the first of them; and
    /// how many customers pay that party.
    CommonPayee { payee: Key, share: [u8; 2], ways: [Way; 2], customers: u32 },
    /// One is the main payee of the other, on the way of what a collector takes in: its share of the other's outflow, and how many customers
    /// pay it.
    MainPayee { payee: Key, is_payee_second: bool, share: u8, customers: u32 },
    /// A device or an agent and how many customers it has.
    Mark { mark: Mark, customers: u32 },
}

/// Kinds of reasons by how much they say, the weakest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Strength {
    /// A telephone is passed round.
    Mark,
    /// Who pays whom is also trade.
    MainPayee,
    /// Two chains that meet are more than one.
    CommonPayee,
    /// Several people who pay both, and are a good part of those who pay one, are seldom chance.
    SharedPayers,
}

/// A reason and the two customers that it relates, the smaller key first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Related {
    pub(super) pair: [Key; 2],
    pub(super) reason: Reason,
}

/// All evidence.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Customers with a natural payer.
    pub(super) with_payers: usize,
    /// Those paid in earnest by enough people, in order: they collect.
    pub(super) candidates: Vec<Key>,
    /// In order of pairs, then of reasons.
    pub(super) related: Vec<Related>,
    /// What everybody shares, passed over: payers, payees, devices and agents.
    pub(super) common: [u64; 3],
    /// Reasons left out at the bound.
    pub(super) left_out: u64,
    reasons_max: usize,
}

impl Bounds {
    /// Checks what was given.
    pub(super) fn check(args: &LinkArgs, lang: Lang) -> Result<Self, Failure> {
        let within = |option: &str, given: u64, least: u64, most: u64| {
            if (least..=most).contains(&given) {
                return Ok(given);
            }
            Err(Failure::usage(say!(lang, "{option} 应为 {least} 至 {most}：{given}", "{option} takes {least} to {most}: {given}")))
        };
        let fen = |option: &str, yuan: u64| {
            within(option, yuan, 1, 1_000_000_000_000).map(|yuan| i64::try_from(yuan.saturating_mul(100)).unwrap_or(i64::MAX))
        };
        let count = |option: &str, given: u64, least: u64, most: u64| {
            within(option, given, least, most).map(|given| usize::try_from(given).unwrap_or(usize::MAX))
        };
        Ok(Self {
            payer_amount: fen("--payer-amount", args.payer_amount)?,
            shared_payers: count("--shared-payers", args.shared_payers, 1, 1_000_000)?,
            payer_share: within("--payer-share", args.payer_share, 0, 100)?,
            payee_share: within("--payee-share", args.payee_share, 1, 100)?,
            payee_amount: fen("--payee-amount", args.payee_amount)?,
            payee_customers: count("--payee-customers", args.payee_customers, 2, 1_000_000)?,
            mark_customers: count("--device-customers", args.device_customers, 2, 1_000_000)?,
            group_max: count("--group-max", args.group_max, 2, 100_000)?,
            households: args.households,
            pairs_max: count("--pairs", args.pairs, 1, 4_000_000_000)?,
        })
    }
}

/// Everything that relates two customers.
pub(super) fn find(ledger: &Closed, bounds: &Bounds) -> Evidence {
    let mut evidence = Evidence { reasons_max: bounds.pairs_max, ..Evidence::default() };
    let mut candidates = Candidates::new();
    for paid in ledger.inflows.chunk_by(|a, b| a.customer == b.customer) {
        evidence.with_payers += 1;
        let in_earnest = paid.iter().filter(|sum| sum.fen >= bounds.payer_amount);
        if in_earnest.clone().count() >= bounds.shared_payers {
            candidates.insert(paid[0].customer, in_earnest.copied().collect());
        }
    }
    evidence.candidates = candidates.keys().copied().collect();
    shared_payers(&candidates, bounds, &mut evidence);
    chains::relate(&candidates, ledger, bounds, &mut evidence);
    marks(ledger, bounds, &mut evidence);
    evidence.related.sort_unstable();
    evidence
}

/// One candidate after the other, so that no more pairs than one has are counted at a time.
fn shared_payers(candidates: &Candidates, bounds: &Bounds, evidence: &mut Evidence) {
    let mut by_payer: Vec<Sum> = candidates.values().flatten().copied().collect();
    by_payer.sort_unstable_by_key(|sum| (sum.other, sum.customer));
    let payers = by_payer.chunk_by(|a, b| a.other == b.other);
    evidence.common[0] += payers.filter(|paid| paid.len() > PAYER_CANDIDATES_MAX).count() as u64;
    for (customer, payers) in candidates {
        for (other, shared) in shared_with(*customer, payers, &by_payer) {
            let fewer = payers.len().min(candidates[&other].len());
            let is_enough = shared.people as u64 * 100 >= fewer as u64 * bounds.payer_share;
            if shared.people >= bounds.shared_payers && is_enough {
                let reason = Reason::SharedPayers { people: number(shared.people), paid: shared.paid };
                evidence.add(*customer, other, |_| reason);
            }
        }
    }
}

/// People who paid two customers, and what they paid each.
#[derive(Debug, Default)]
struct Shared {
    people: usize,
    paid: [i64; 2],
}

/// What a customer shares with each of those behind it in order.
fn shared_with(customer: Key, payers: &[Sum], by_payer: &[Sum]) -> BTreeMap<Key, Shared> {
    let mut others = BTreeMap::<Key, Shared>::new();
    for payer in payers {
        let paid = stretch(by_payer, payer.other, |sum| sum.other);
        if paid.len() > PAYER_CANDIDATES_MAX {
            continue;
        }
        for sum in paid.iter().filter(|sum| sum.customer > customer) {
            let shared = others.entry(sum.customer).or_default();
            shared.people += 1;
            shared.paid = [shared.paid[0].saturating_add(payer.fen), shared.paid[1].saturating_add(sum.fen)];
        }
    }
    others
}

/// Whoever they are: nobody need collect to be used by the hand that uses a collector.
fn marks(ledger: &Closed, bounds: &Bounds, evidence: &mut Evidence) {
    for (mark, customers) in &ledger.marks {
        if customers.len() > bounds.mark_customers {
            evidence.common[2] += 1;
            continue;
        }
        for (at, a) in customers.iter().enumerate() {
            for b in &customers[at + 1..] {
                evidence.add(*a, *b, |_| Reason::Mark { mark: *mark, customers: number(customers.len()) });
            }
        }
    }
}

/// A count as reasons keep it.
pub(super) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// Two values in the order of the keys of their customers.
pub(super) fn swapped<T>([a, b]: [T; 2], is_swapped: bool) -> [T; 2] {
    if is_swapped { [b, a] } else { [a, b] }
}

impl Evidence {
    /// Adds a reason, unless it is beyond the bound; `reason` is told whether the second of the two has the smaller key.
    pub(super) fn add(&mut self, a: Key, b: Key, reason: impl FnOnce(bool) -> Reason) {
        if self.related.len() >= self.reasons_max {
            self.left_out += 1;
            return;
        }
        let is_swapped = b < a;
        self.related.push(Related { pair: swapped([a, b], is_swapped), reason: reason(is_swapped) });
    }

    /// The reasons of each pair.
    pub(super) fn pairs(&self) -> impl Iterator<Item = &[Related]> {
        self.related.chunk_by(|a, b| a.pair == b.pair)
    }
}

impl Reason {
    /// Its name in the output.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::SharedPayers { .. } => "shared_payers",
            Self::CommonPayee { .. } => "common_payee",
            Self::MainPayee { .. } => "main_payee",
            Self::Mark { mark: Mark::Device, .. } => "device",
            Self::Mark { mark: Mark::Agent, .. } => "agent",
        }
    }

    /// How much its kind says.
    pub(super) const fn strength(&self) -> Strength {
        match self {
            Self::SharedPayers { .. } => Strength::SharedPayers,
            Self::CommonPayee { .. } => Strength::CommonPayee,
            Self::MainPayee { .. } => Strength::MainPayee,
            Self::Mark { .. } => Strength::Mark,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_takes_the_bytes_that_the_figure_of_all_memory_counts_on() {
        assert_eq!(size_of::<Related>(), 56);
    }
}
