//! Whom a name stands for: the customer of an account that party data knows; and for a party that the inputs do not know, near keys, so that a
//! mistyped one is found at once.
//!
//! Keys are kept only until the party is met, and bounded: those beyond the bound are no candidates for a near miss, but the same number under
//! another prefix is still found. Never looks at anything of a leg but its party's key and account.

use weir_feed::{LegView, Parties};
use weir_model::party::unit_of;
use weir_model::{KeyKind, Party};

use crate::failure::Failure;
use crate::language::{Lang, say};

/// Keys remembered.
const KEYS_MAX: usize = 100_000;
/// Keys named.
const NAMED_MAX: usize = 3;
/// Slips in a number that is still taken for another one, whatever its length: among the customers of a bank some number is near to any.
const SLIPS_MAX: usize = 2;

/// The customer whose account is asked for, as a party key: legs on an account that party data knows are its customer's. A bare number is looked for
/// among the accounts of all institutions, unless it is a customer's. `None` where `asked` is no such account, or several have it.
pub(super) fn holder(asked: &str, parties: &Parties) -> Option<String> {
    if KeyKind::Account.is_of(asked) {
        return parties.by_key(asked).map(Party::key);
    }
    if KeyKind::Customer.is_of(asked) || KeyKind::Group.is_of(asked) {
        return None;
    }
    if let Some(party) = parties.by_key(&KeyKind::Account.key("", asked)) {
        return Some(party.key());
    }
    let mut holders = parties.iter().filter(|party| party.accounts.iter().any(|own| own == asked));
    match (holders.next(), holders.next()) {
        (Some(party), None) if parties.iter().all(|other| other.customer != asked) => Some(party.key()),
        _ => None,
    }
}

/// Parties met.
#[derive(Debug)]
pub(super) struct Acquaintance<'p> {
    party: &'p str,
    keys: hashbrown::HashSet<Box<str>, foldhash::fast::FixedState>,
    /// Same number under another prefix or institution, or the party of a leg on the account of this number.
    akin: Vec<String>,
}

impl<'p> Acquaintance<'p> {
    pub(super) fn new(party: &'p str) -> Self {
        Self { party, keys: hashbrown::HashSet::default(), akin: Vec::new() }
    }

    /// Remembers a leg's party.
    pub(super) fn meet(&mut self, view: &LegView<'_>) {
        let key = view.leg.party;
        let (_, number) = unit_of(self.party);
        let is_akin = unit_of(key).1 == number || (!view.account.is_empty() && view.account == number);
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
        let is_registered = parties.by_key(party).is_some();
        if self.akin.is_empty() {
            self.akin.extend(near(party, self.keys.iter().map(|key| &**key)).map(str::to_owned));
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

/// The key whose number was most likely meant: at most a quarter of it away, and never more than a slip or two. Prefix and institution are left out:
/// all parties of a bank share them, and would seem alike for that reason. Of several at one distance the first in order.
fn near<'k>(party: &str, keys: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let (_, number) = unit_of(party);
    let slips_max = (number.chars().count() / 4).min(SLIPS_MAX);
    keys.map(|key| (strsim::osa_distance(number, unit_of(key).1), key)).filter(|(slips, _)| *slips <= slips_max).min().map(|(_, key)| key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_in_the_number_is_found_and_another_number_of_the_bank_is_not() {
        const KEYS: [&str; 3] = ["c:402753000018/97414020", "c:402753000018/25807089", "a:402753000018/6222000258070890"];
        for (party, expected) in [
            ("c:402753000018/97414021", Some(KEYS[0])),
            ("c:402753000018/97414201", Some(KEYS[0])),
            ("c:97414O2O", Some(KEYS[0])),
            ("c:402753000018/97411111", None),
            ("c:402753000018/12345678", None),
            ("a:402753000018/6222000258070809", Some(KEYS[2])),
            ("a:402753000018/6222000258079999", None),
            ("c:7", None),
        ] {
            assert_eq!(near(party, KEYS.into_iter()), expected, "{party}");
        }
    }

    #[test]
    fn an_account_stands_for_its_customer() {
        let mut parties = Parties::default();
        let party = |institution: &str, customer: &str, accounts: &[&str]| Party {
            institution: institution.to_owned(),
            customer: customer.to_owned(),
            accounts: accounts.iter().map(|account| (*account).to_owned()).collect(),
            ..Party::default()
        };
        for party in [party("", "1", &["6222"]), party("A", "2", &["6223", "6224"]), party("B", "3", &["6224", "6225"])] {
            parties.insert(party).expect("customers and accounts of their own");
        }
        for (asked, expected) in [
            ("6222", Some("c:1")),
            ("a:6222", Some("c:1")),
            ("6223", Some("c:A/2")),
            ("a:B/6224", Some("c:B/3")),
            ("A/6224", Some("c:A/2")),
            ("6224", None),
            ("a:A/6225", None),
            ("c:6225", None),
            ("g:6225", None),
            ("6", None),
        ] {
            assert_eq!(holder(asked, &parties).as_deref(), expected, "{asked}");
        }
    }
}
