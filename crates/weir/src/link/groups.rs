//! From pairs of customers to groups: connected components, the large ones left out.
//!
//! A component beyond the bound is no group but a sign that some evidence is too common; proposing it would cost its reader a day. Groups are
//! numbered in order of their smallest member.

use super::evidence::{Evidence, Related};
use super::ledger::{Closed, Key};

/// What is proposed.
#[derive(Debug)]
pub(super) struct Found<'e> {
    /// What relates customers of one group, each with the group's smallest member: in order of groups, then of pairs.
    related: Vec<(Key, &'e Related)>,
    /// Sizes of the components that are too large, falling.
    pub(super) too_large: Vec<usize>,
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
pub(super) fn propose<'e>(evidence: &'e Evidence, ledger: &Closed, group_max: usize) -> Found<'e> {
    let mut forest = Forest::new(ledger);
    forest.join(&evidence.related);
    let sizes = forest.sizes();
    let rooted = evidence.related.iter().map(|related| (forest.root(related.pair[0]), related));
    let mut related: Vec<(Key, &Related)> = rooted.filter(|(root, _)| sizes[root.index()] <= group_max).collect();
    // Stable: within a group the order of pairs stays.
    related.sort_by_key(|(root, _)| *root);
    let mut too_large: Vec<usize> = sizes.into_iter().filter(|size| *size > group_max).collect();
    too_large.sort_unstable_by(|a, b| b.cmp(a));
    Found { related, too_large }
}

impl Found<'_> {
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
    /// Nobody hangs together with anybody.
    fn new(ledger: &Closed) -> Self {
        Self(ledger.keys().collect())
    }

    /// Brings together what is related.
    fn join<'r>(&mut self, related: impl IntoIterator<Item = &'r Related>) {
        for Related { pair, .. } in related {
            let [a, b] = pair.map(|key| self.climb(key));
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
