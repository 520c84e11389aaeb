//! From pairs of customers to groups: connected components, the large ones left out.
//!
//! A component beyond the bound is no group but a sign that some evidence is too common; proposing it would cost its reader a day. Groups are
//! numbered in order of their smallest member.

use std::collections::{BTreeMap, BTreeSet};

use super::evidence::{Evidence, Reason};

/// What is proposed.
#[derive(Debug, Default)]
pub(super) struct Found<'e> {
    /// In order of their smallest member.
    pub(super) groups: Vec<Group<'e>>,
    /// Sizes of the components that are too large, falling.
    pub(super) too_large: Vec<usize>,
}

/// A proposed group.
#[derive(Debug)]
pub(super) struct Group<'e> {
    /// `关联-001`.
    pub(super) name: String,
    /// Party keys in order.
    pub(super) members: Vec<&'e str>,
    /// Related pairs with their reasons, in order.
    pub(super) pairs: Vec<(&'e str, &'e str, &'e [Reason])>,
}

/// Groups of at most `group_max` customers.
pub(super) fn propose<'e>(evidence: &'e Evidence, group_max: usize) -> Found<'e> {
    let mut neighbours = BTreeMap::<&str, BTreeSet<&str>>::new();
    for (a, b) in evidence.pairs.keys() {
        neighbours.entry(a).or_default().insert(b);
        neighbours.entry(b).or_default().insert(a);
    }
    let mut found = Found::default();
    let mut seen = BTreeSet::new();
    for start in neighbours.keys() {
        if !seen.insert(*start) {
            continue;
        }
        let mut members = vec![*start];
        let mut at = 0;
        while let Some(member) = members.get(at).copied() {
            at += 1;
            members.extend(neighbours[member].iter().copied().filter(|next| seen.insert(*next)));
        }
        if members.len() > group_max {
            found.too_large.push(members.len());
            continue;
        }
        members.sort_unstable();
        let pairs = members.iter().flat_map(|&member| pairs_of(evidence, member)).collect();
        found.groups.push(Group { name: format!("关联-{:03}", found.groups.len() + 1), members, pairs });
    }
    found.too_large.sort_unstable_by(|a, b| b.cmp(a));
    found
}

/// The pairs of which a customer is the first, in order. Looked up and not searched for: one device in many a household makes many groups.
fn pairs_of<'e>(evidence: &'e Evidence, first: &'e str) -> impl Iterator<Item = (&'e str, &'e str, &'e [Reason])> {
    let from = (first.to_owned(), String::new());
    evidence.pairs.range(from..).take_while(move |((a, _), _)| a == first).map(|((a, b), reasons)| (&**a, &**b, &**reasons))
}
