//! Who else the inputs know, for a party that they do not: near keys, so that a mistyped one is found at once.
//!
//! Kept only until the party is met, and bounded: keys beyond the bound are no candidates for a near miss, but the same number under another
//! prefix is still found. Never looks at anything of a leg but keys.

use weir_feed::{LegView, Parties};

use crate::failure::Failure;
use crate::language::{Lang, say};
use crate::terminal::nearest;

/// Keys remembered.
const KEYS_MAX: usize = 100_000;
/// Keys named.
const NAMED_MAX: usize = 3;

/// Parties met.
#[derive(Debug)]
pub(super) struct Acquaintance<'p> {
    party: &'p str,
    keys: hashbrown::HashSet<Box<str>, foldhash::fast::FixedState>,
    /// Same number under another prefix or institution, or the customer of an account.
    akin: Vec<String>,
}

impl<'p> Acquaintance<'p> {
    pub(super) fn new(party: &'p str) -> Self {
        Self { party, keys: hashbrown::HashSet::default(), akin: Vec::new() }
    }

    /// Remembers a leg's party.
    pub(super) fn meet(&mut self, view: &LegView<'_>) {
        let key = view.leg.party;
        let number = number_of(self.party);
        let is_akin = number_of(key) == number || (!view.account.is_empty() && view.account == number);
        if is_akin && self.akin.len() < NAMED_MAX && !self.akin.iter().any(|known| known == key) {
            self.akin.push(key.to_owned());
        }
        if self.keys.len() < KEYS_MAX && !self.keys.contains(key) {
            self.keys.insert(key.into());
        }
    }

    /// What is said where the inputs have no leg of the party.
    pub(super) fn unknown(mut self, parties: &Parties, lang: Lang) -> Failure {
        let party = self.party;
        let registered = parties.by_key(party).or_else(|| parties.by_key(&format!("a:{party}")));
        let customer = registered.map(|party| match party.institution.as_str() {
            "" => format!("c:{}", party.customer),
            institution => format!("c:{institution}/{}", party.customer),
        });
        let is_registered = customer.as_deref() == Some(party);
        if let Some(customer) = customer.filter(|_| !is_registered)
            && !self.akin.contains(&customer)
        {
            self.akin.insert(0, customer);
        }
        if self.akin.is_empty() {
            // In order, so that of several at one distance the same one is named each time.
            let mut keys: Vec<&str> = self.keys.iter().map(|key| &**key).collect();
            keys.sort_unstable();
            self.akin.extend(nearest(party, keys.into_iter()).map(str::to_owned));
        }
        let near = self.akin.join(lang.of("、", ", "));
        let hint = if near.is_empty() {
            say!(
                lang,
                "；主体写作 c:客户号、a:账号或 g:组名，有机构时为 c:机构/客户号",
                "; write c:CUSTOMER, a:ACCOUNT or g:GROUP, with an institution c:INSTITUTION/CUSTOMER"
            )
        } else {
            say!(lang, "；是否指 {near}？", "; did you mean {near}?")
        };
        Failure::bad_input(if is_registered {
            say!(
                lang,
                "主体 {party} 在客户资料中，但输入中没有它的流水：没有可说明的；请检查输入文件和时间范围",
                "party {party} is in the party data, but the inputs have no transaction of it: there is nothing to explain; check files and dates"
            )
        } else {
            say!(lang, "输入中没有主体 {party} 的流水{hint}", "the inputs have no transaction of party {party}{hint}")
        })
    }
}

/// The number of a key, without prefix and institution.
fn number_of(key: &str) -> &str {
    let unit = key.split_once(':').map_or(key, |(_, unit)| unit);
    unit.rsplit_once('/').map_or(unit, |(_, number)| number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_behind_prefix_and_institution() {
        for (key, number) in [("c:ICBC/1001", "1001"), ("c:1001", "1001"), ("1001", "1001"), ("a:b/c/6222", "6222")] {
            assert_eq!(number_of(key), number);
        }
    }
}
