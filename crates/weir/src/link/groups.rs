//! From reasons to groups: what hangs together is one, and what is too large is taken apart.
//!
//! A component beyond the bound is no group but a sign that some evidence is too common; proposing it would cost its reader a day. It is not
//! dropped whole either, or one telephone that a collector shares with a neighbour would hide the collectors behind a street:
//!
//! 1. All reasons bring customers together.
//! 2. A component that is too large is taken apart and brought together again without its weakest kind of reasons: first marks, then main
//!    payees, then common payees. Each time what fits by then is a group, and only the rest is taken further apart.
//! 3. What is too large by shared payers alone is not proposed.
//! 4. A group in which nobody collects is not either, but where that is asked for: it is a family with one telephone, mostly, and seldom a scheme that
//!    hardly anybody has paid yet.
//!
//! Within a group all reasons are told, also of a kind that was taken away elsewhere. Reasons between customers who end apart are cut, and are
//! counted with the customers who are left alone. Groups are numbered in order of their smallest member.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Bounds, Evidence, Related, Strength};
use super::ledger::{Closed, Key};

/// What is proposed.
#[derive(Debug, Default)]
pub(super) struct Found<'e> {
    /// What relates customers of one group, each with the group's smallest member: in order of groups, then of pairs.
    related: Vec<(Key, &'e Related)>,
    /// Sizes of the components that are too large, falling.
    pub(super) too_large: Vec<usize>,
    cut: BTreeMap<Strength, usize>,
    /// Customers whom nothing relates to anybody but reasons that are cut.
    pub(super) alone: usize,
    /// Sizes of the groups that are left out because nobody in them collects.
    pub(super) households: Vec<usize>,
}

/// A proposed group.
#[derive(Debug)]
pub(super) struct Group<'f> {
    /// `关联-001`.
    pub(super) name: String,
    /// In order.
    pub(super) members: Vec<Key>,
    /// Each with the smallest member, in order of pairs.
    related: &'f [(Key, &'f Related)],
}

/// Groups of at most `group_max` customers.
pub(super) fn propose<'e>(evidence: &'e Evidence, ledger: &Closed, bounds: &Bounds) -> Found<'e> {
    let group_max = bounds.group_max;
    let forest = Forest::of(evidence, ledger, group_max);
    let sizes = forest.sizes();
    let mut found = Found::default();
    let mut alone = BTreeSet::<Key>::new();
    for related in &evidence.related {
        let [a, b] = related.pair.map(|customer| forest.root(customer));
        if a != b {
            *found.cut.entry(related.reason.strength()).or_default() += 1;
            alone.extend([a, b].into_iter().filter(|root| sizes[root.index()] == 1));
        } else if sizes[a.index()] <= group_max {
            found.related.push((a, related));
        }
    }
    // Stable: within a group the order of pairs stays.
    found.related.sort_by_key(|(root, _)| *root);
    if !bounds.households {
        let collecting: BTreeSet<Key> = evidence.candidates.iter().map(|customer| forest.root(*customer)).collect();
        let left_out: BTreeSet<Key> = found.related.iter().map(|(root, _)| *root).filter(|root| !collecting.contains(root)).collect();
        found.related.retain(|(root, _)| !left_out.contains(root));
        found.households = left_out.into_iter().map(|root| sizes[root.index()]).collect();
    }
    found.alone = alone.len();
    found.too_large = sizes.into_iter().filter(|size| *size > group_max).collect();
    found.too_large.sort_unstable_by(|a, b| b.cmp(a));
    found
}

impl Found<'_> {
    /// How many reasons of a kind are cut.
    pub(super) fn cut(&self, strength: Strength) -> usize {
        self.cut.get(&strength).copied().unwrap_or(0)
    }

    /// In order of their smallest member.
    pub(super) fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        self.related.chunk_by(|(a, _), (b, _)| a == b).zip(1..).map(|(related, number)| Group::of(number, related))
    }
}

impl<'f> Group<'f> {
    fn of(number: usize, related: &'f [(Key, &'f Related)]) -> Self {
        let mut members: Vec<Key> = related.iter().flat_map(|(_, related)| related.pair).collect();
        members.sort_unstable();
        members.dedup();
        Self { name: format!("关联-{number:03}"), members, related }
    }

    /// What relates a member to others.
    pub(super) fn related_to(&self, member: Key) -> impl Iterator<Item = &Related> {
        self.related.iter().map(|(_, related)| *related).filter(move |related| related.pair.contains(&member))
    }
}

/// Which customers hang together: for every key, itself or a smaller one of its component. The smallest stands for all of them.
#[derive(Debug)]
struct Forest(Vec<Key>);

impl Forest {
    /// Brings together what is related, without the weakest kinds of reasons where it is too large.
    fn of(evidence: &Evidence, ledger: &Closed, group_max: usize) -> Self {
        let mut forest = Self(ledger.keys().collect());
        let mut related: Vec<&Related> = evidence.related.iter().collect();
        forest.join(&related);
        for weakest in [Strength::Mark, Strength::MainPayee, Strength::CommonPayee] {
            let sizes = forest.sizes();
            let is_too_large = |customer: Key| sizes[forest.root(customer).index()] > group_max;
            let apart: Vec<Key> = ledger.keys().filter(|customer| is_too_large(*customer)).collect();
            if apart.is_empty() {
                break;
            }
            related.retain(|related| is_too_large(related.pair[0]) && related.reason.strength() > weakest);
            for customer in apart {
                forest.0[customer.index()] = customer;
            }
            forest.join(&related);
        }
        forest
    }

    /// Brings together what is related.
    fn join(&mut self, related: &[&Related]) {
        for related in related {
            let [a, b] = related.pair.map(|customer| self.climb(customer));
            self.0[a.max(b).index()] = a.min(b);
        }
        // Whoever is smaller has its root by then.
        for at in 0..self.0.len() {
            self.0[at] = self.root(self.0[at]);
        }
    }

    /// The root of a key, with a shorter way for the next who asks.
    fn climb(&mut self, mut key: Key) -> Key {
        while self.root(key) != key {
            let above = self.root(self.root(key));
            self.0[key.index()] = above;
            key = above;
        }
        key
    }

    /// The smallest of a component, once all are joined.
    fn root(&self, key: Key) -> Key {
        self.0[key.index()]
    }

    /// How many there are in the component of each root; none in that of others.
    fn sizes(&self) -> Vec<usize> {
        let mut sizes = vec![0; self.0.len()];
        for root in &self.0 {
            sizes[root.index()] += 1;
        }
        sizes
    }
}
