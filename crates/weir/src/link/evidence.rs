//! What relates two customers: people who pay both, one party where the money of both ends, one that the other's money passes, one device or
//! agent.
//!
//! Candidates are customers whom several natural people have paid in earnest: they collect. Shared payers are looked for among them alone, for
//! who collects from nobody has none; where money goes is the business of [`chains`]; one hand on two customers says something whoever they
//! are. Each kind of evidence has a bound above which it says nothing, because what everybody shares relates nobody, and there are no more
//! pairs than asked for. Everything is in order of keys, so that the same inputs give the same lines.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::chains;
use super::ledger::{Key, Ledger, Mark};
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
    /// Pairs remembered each way, and pairs related.
    pub(super) pairs_max: usize,
}

/// Customers who collect, each with those who paid it in earnest and what they paid, in fen.
pub(super) type Candidates = BTreeMap<Key, Vec<(Key, i64)>>;

/// Why two customers may belong together. Amounts in fen, the customer with the smaller key first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    /// People who paid both, and what they paid each.
    SharedPayers { people: usize, paid: [i64; 2] },
    /// One party where the money of both ends: the share of each one's outflow that goes there or, where others are in between (`ways`), to the
    /// first of them, in per cent (cut); and how many customers pay that party.
    CommonPayee { payee: Key, share: [u64; 2], ways: [Vec<Key>; 2], customers: usize },
    /// One is the main payee of the other, on the way of what a collector takes in: its share of the other's outflow in per cent (cut), and how
    /// many customers pay it.
    MainPayee { payee: Key, is_payee_second: bool, share: u64, customers: usize },
    /// A device or an agent and how many customers it has.
    Mark { mark: Mark, customers: usize },
}

/// All evidence.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    /// Customers with a natural payer.
    pub(super) with_payers: usize,
    /// Those paid in earnest by enough people.
    pub(super) candidates: usize,
    /// Reasons by pair of customers, the one with the smaller key first.
    pub(super) pairs: BTreeMap<(String, String), Vec<Reason>>,
    /// What everybody shares, passed over: payers, payees, devices and agents.
    pub(super) common: [u64; 3],
    /// Reasons left out because they would relate a new pair beyond the bound.
    pub(super) left_out: u64,
    pairs_max: usize,
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
            pairs_max: count("--pairs", args.pairs, 1, 4_000_000_000)?,
        })
    }
}

/// Everything that relates two customers.
pub(super) fn find(ledger: &Ledger, bounds: &Bounds) -> Evidence {
    let mut candidates = Candidates::new();
    let mut with_payers = BTreeSet::new();
    for ((customer, payer), paid) in &ledger.inflows {
        with_payers.insert(*customer);
        if *paid >= bounds.payer_amount {
            candidates.entry(*customer).or_default().push((*payer, *paid));
        }
    }
    candidates.retain(|_, payers| payers.len() >= bounds.shared_payers);
    let mut evidence =
        Evidence { with_payers: with_payers.len(), candidates: candidates.len(), pairs_max: bounds.pairs_max, ..Evidence::default() };
    shared_payers(&candidates, ledger, bounds, &mut evidence);
    chains::relate(&candidates, ledger, bounds, &mut evidence);
    marks(ledger, bounds, &mut evidence);
    for reasons in evidence.pairs.values_mut() {
        reasons.sort_by_cached_key(|reason| reason.order(ledger));
    }
    evidence
}

fn shared_payers(candidates: &Candidates, ledger: &Ledger, bounds: &Bounds, evidence: &mut Evidence) {
    let mut by_payer = BTreeMap::<Key, Vec<(Key, i64)>>::new();
    for (customer, payers) in candidates {
        for (payer, paid) in payers {
            by_payer.entry(*payer).or_default().push((*customer, *paid));
        }
    }
    let mut shared = BTreeMap::<(Key, Key), (usize, [i64; 2])>::new();
    for customers in by_payer.values() {
        if customers.len() > PAYER_CANDIDATES_MAX {
            evidence.common[0] += 1;
            continue;
        }
        for (at, (a, paid_a)) in customers.iter().enumerate() {
            for (b, paid_b) in &customers[at + 1..] {
                let (people, paid) = shared.entry((*a, *b)).or_default();
                *people += 1;
                paid[0] = paid[0].saturating_add(*paid_a);
                paid[1] = paid[1].saturating_add(*paid_b);
            }
        }
    }
    for ((a, b), (people, paid)) in shared {
        let fewer = candidates[&a].len().min(candidates[&b].len());
        let is_enough = people as u64 * 100 >= fewer as u64 * bounds.payer_share;
        if people >= bounds.shared_payers && is_enough {
            evidence.add(ledger, a, b, |is_swapped| Reason::SharedPayers { people, paid: swapped(paid, is_swapped) });
        }
    }
}

/// Whoever they are: nobody need collect to be used by the hand that uses a collector.
fn marks(ledger: &Ledger, bounds: &Bounds, evidence: &mut Evidence) {
    for ((mark, _), customers) in &ledger.marks {
        if customers.len() > bounds.mark_customers {
            evidence.common[2] += 1;
            continue;
        }
        for (at, a) in customers.iter().enumerate() {
            for b in &customers[at + 1..] {
                evidence.add(ledger, *a, *b, |_| Reason::Mark { mark: *mark, customers: customers.len() });
            }
        }
    }
}

/// Two values in the order of the keys of their customers.
pub(super) fn swapped<T>([a, b]: [T; 2], is_swapped: bool) -> [T; 2] {
    if is_swapped { [b, a] } else { [a, b] }
}

impl Evidence {
    /// Adds a reason to a pair, unless it would be a new one beyond the bound; `reason` is told whether the second of the two has the smaller
    /// key.
    pub(super) fn add(&mut self, ledger: &Ledger, a: Key, b: Key, reason: impl FnOnce(bool) -> Reason) {
        let (first, second) = (ledger.text(a), ledger.text(b));
        let is_swapped = second < first;
        let pair = if is_swapped { (second.to_owned(), first.to_owned()) } else { (first.to_owned(), second.to_owned()) };
        let is_full = self.pairs.len() >= self.pairs_max;
        match self.pairs.entry(pair) {
            Entry::Vacant(_) if is_full => self.left_out += 1,
            entry => entry.or_default().push(reason(is_swapped)),
        }
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

    /// The strongest kind first, then by what does not depend on the order of a table.
    fn order(&self, ledger: &Ledger) -> (u8, String) {
        match self {
            Self::SharedPayers { .. } => (0, String::new()),
            Self::CommonPayee { payee, .. } => (1, ledger.text(*payee).to_owned()),
            Self::MainPayee { payee, .. } => (2, ledger.text(*payee).to_owned()),
            Self::Mark { mark: Mark::Device, customers } => (3, format!("{customers:09}")),
            Self::Mark { mark: Mark::Agent, customers } => (4, format!("{customers:09}")),
        }
    }
}
