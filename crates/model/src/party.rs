//! Parties: who is monitored, of what kind, under which verified agreements.
//!
//! [`Party`] is a row of reference data; [`Profile`] is the part of it that rules need, stamped on every leg by the splitter so that
//! detection depends on the leg log alone. What the data does not say is unknown, never a default. How legs name a party is said here
//! alone ([`KeyKind`]).

use crate::division::Division;
use crate::time::Day;

/// What kind of person a party is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PartyKind {
    /// Nothing said.
    #[default]
    Unknown,
    /// 自然人.
    Natural,
    /// 法人、其他组织.
    Organisation,
    /// 个体工商户: 非自然人 for large-amount reporting.
    SoleTrader,
    /// An account of the bank itself.
    Internal,
}

impl PartyKind {
    /// Every kind, in the order of [`PartyKind::index`].
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Natural, Self::Organisation, Self::SoleTrader, Self::Internal];

    /// Reads the names used in records and rule files.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// The name used in records and rule files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Natural => "natural",
            Self::Organisation => "organisation",
            Self::SoleTrader => "sole_trader",
            Self::Internal => "internal",
        }
    }

    /// The name in Chinese sentences.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Unknown => "未知",
            Self::Natural => "自然人",
            Self::Organisation => "单位",
            Self::SoleTrader => "个体户",
            Self::Internal => "内部户",
        }
    }

    /// A small number for packed storage; the inverse of `ALL[index]`.
    #[must_use]
    pub const fn index(self) -> u8 {
        self as u8
    }
}

/// Whom a key names: `c:ICBC/1001`, and without an institution `c:1001`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// `c:`, a customer of the reporting bank.
    Customer,
    /// `a:`, an account whose customer nobody names; of a counterparty the scope is its bank.
    Account,
    /// `g:`, a group of related customers.
    Group,
    /// `n:`, a counterparty of which nothing but its name, and perhaps its bank, is known.
    Name,
}

impl KeyKind {
    /// What its keys begin with.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Customer => "c:",
            Self::Account => "a:",
            Self::Group => "g:",
            Self::Name => "n:",
        }
    }

    /// Whether a key is one of these.
    #[inline]
    #[must_use]
    pub fn is_of(self, key: &str) -> bool {
        key.starts_with(self.prefix())
    }

    /// The key of `id` at an institution; of an empty one the id stands alone.
    #[must_use]
    pub fn key(self, institution: &str, id: &str) -> String {
        let mut key = String::new();
        self.push_key(&mut key, institution, id);
        key
    }

    /// Appends the same to a text.
    pub fn push_key(self, text: &mut String, institution: &str, id: &str) {
        text.push_str(self.prefix());
        if !institution.is_empty() {
            text.push_str(institution);
            text.push('/');
        }
        text.push_str(id);
    }
}

/// The institution in a key, empty where the key has none, and the id there.
#[must_use]
pub fn unit_of(key: &str) -> (&str, &str) {
    let unit = key.split_once(':').map_or(key, |(_, unit)| unit);
    unit.split_once('/').unwrap_or(("", unit))
}

/// The institution in a key; empty where the key has none.
#[must_use]
pub fn institution_of(key: &str) -> &str {
    unit_of(key).0
}

/// What a verified agreement with the bank is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AgreementKind {
    /// 代发工资.
    Payroll,
    /// 收单.
    Acquiring,
    /// 监管账户: fund sales, presale housing, prepaid cards.
    Supervised,
    /// Registered charity.
    Charity,
    /// A financial licence.
    Licence,
    /// Registered cooperative with audited members.
    Cooperative,
    /// Contracted collection of tuition, property fees, utilities.
    Collection,
}

impl AgreementKind {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::Payroll, Self::Acquiring, Self::Supervised, Self::Charity, Self::Licence, Self::Cooperative, Self::Collection];

    /// Reads the names used in party data and rule files.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }

    /// The name used in party data and rule files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Payroll => "payroll",
            Self::Acquiring => "acquiring",
            Self::Supervised => "supervised",
            Self::Charity => "charity",
            Self::Licence => "licence",
            Self::Cooperative => "cooperative",
            Self::Collection => "collection",
        }
    }

    /// The name in Chinese sentences, before 协议.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        match self {
            Self::Payroll => "代发工资",
            Self::Acquiring => "收单",
            Self::Supervised => "监管账户",
            Self::Charity => "慈善组织",
            Self::Licence => "金融牌照",
            Self::Cooperative => "合作社",
            Self::Collection => "代收代付",
        }
    }
}

/// The agreements in force on the day of a leg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Agreements {
    bits: u8,
    /// Head count of the payroll agreement; 0 where there is none or it names none.
    pub payroll_people: u32,
}

impl Agreements {
    /// Adds a kind.
    pub fn insert(&mut self, kind: AgreementKind) {
        self.bits |= 1 << kind as u8;
    }

    /// Whether an agreement of this kind is in force.
    #[must_use]
    pub fn contains(self, kind: AgreementKind) -> bool {
        self.bits & (1 << kind as u8) != 0
    }

    /// Packed form for snapshots.
    #[must_use]
    pub fn bits(self) -> u8 {
        self.bits
    }

    /// The inverse of [`Agreements::bits`].
    #[must_use]
    pub fn from_bits(bits: u8, payroll_people: u32) -> Self {
        Self { bits, payroll_people }
    }
}

/// What rules need to know of a monitored party, as stamped on its legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Profile<'a> {
    /// Kind of the party.
    pub kind: PartyKind,
    /// Where it operates, else where it is registered, else its branch.
    pub division: Division,
    /// GB/T 4754 class; empty where unknown.
    pub industry: &'a str,
    /// When the relation with the bank began.
    pub opened_at: Option<Day>,
    /// Whether party data for this party was there at all: without it agreements are unknown, not absent.
    pub registered: bool,
    /// Agreements in force on the day of the leg.
    pub agreements: Agreements,
    /// On legs of a group the key of the member whose movement it is, empty on others: how many members collect, and from whom together, is asked of
    /// groups alone.
    pub member: &'a str,
}

/// One row of party data (`--parties FILE`, topic `weir.parties`). Empty text and `None` mean: not given.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    /// Reporting bank.
    pub institution: String,
    /// Customer number at that bank.
    pub customer: String,
    /// Accounts of the customer.
    pub accounts: Vec<String>,
    /// Display name.
    pub name: String,
    /// Kind.
    pub kind: PartyKind,
    /// GB/T 4754 class.
    pub industry: String,
    /// Division of registration.
    pub registered_division: Division,
    /// Division of operation.
    pub operating_division: Division,
    /// Branch that keeps the account.
    pub branch: String,
    /// First account opened.
    pub opened_at: Option<Day>,
    /// Relation ended.
    pub closed_at: Option<Day>,
    /// Birth year of a natural person.
    pub birth_year: Option<i32>,
    /// Verified agreements.
    pub agreements: Vec<Agreement>,
    /// Group of related customers it belongs to; empty for none.
    pub group: String,
}

impl Party {
    /// The key of the customer.
    #[must_use]
    pub fn key(&self) -> String {
        KeyKind::Customer.key(&self.institution, &self.customer)
    }

    /// The key of the group it belongs to; `None` where it belongs to none.
    #[must_use]
    pub fn group_key(&self) -> Option<String> {
        (!self.group.is_empty()).then(|| KeyKind::Group.key(&self.institution, &self.group))
    }
}

/// A verified agreement of a party with the bank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// What it is about.
    pub kind: AgreementKind,
    /// Last day it is in force; `None` without an end is refused by the loader.
    pub valid_to: Day,
    /// People it covers (payroll head count).
    pub people: Option<u32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_names_its_kind_and_its_institution() {
        for (kind, institution, id, key) in [
            (KeyKind::Customer, "ICBC", "1001", "c:ICBC/1001"),
            (KeyKind::Account, "", "6222", "a:6222"),
            (KeyKind::Group, "ICBC", "集团", "g:ICBC/集团"),
            (KeyKind::Name, "", "", "n:"),
        ] {
            assert_eq!(kind.key(institution, id), key);
            assert_eq!((unit_of(key), institution_of(key)), ((institution, id), institution));
            let kinds = [KeyKind::Customer, KeyKind::Account, KeyKind::Group, KeyKind::Name];
            assert_eq!(kinds.into_iter().filter(|kind| kind.is_of(key)).collect::<Vec<_>>(), [kind]);
        }
    }
}
