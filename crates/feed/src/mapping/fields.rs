//! The fields of a record: types, names in rows of either kind, and what a feed file may write for each.
//!
//! The list of a transfer's fields is the model's ([`weir_model::transaction::FIELDS`]); a test holds the two together.

use weir_model::{AccountClass, Channel, Currency, Division, PartyKind, ReversalKind};

/// What rows of a feed are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RowKind {
    /// A whole transaction: payer and payee.
    Transfer,
    /// One side of it: an account's ledger, with its counterparty.
    LedgerSide,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    Serial,
    Text,
    Time,
    Amount,
    Currency,
    Kind,
    Division,
    Year,
    Class,
    Channel,
    Flag,
    Direction,
    ReversalKind,
    /// Part of the record, read by no part of the detector yet.
    Unread,
}

const SIDE: [(&str, FieldType); 8] = [
    ("account", FieldType::Text),
    ("customer", FieldType::Text),
    ("name", FieldType::Text),
    ("bank", FieldType::Text),
    ("kind", FieldType::Kind),
    ("division", FieldType::Division),
    ("birth_year", FieldType::Year),
    ("industry", FieldType::Text),
];

const PAYER: [&str; 9] = [
    "payer_account",
    "payer_customer",
    "payer_name",
    "payer_bank",
    "payer_kind",
    "payer_division",
    "payer_birth_year",
    "payer_industry",
    "account_class",
];
const PAYEE: [&str; 9] = [
    "payee_account",
    "payee_customer",
    "payee_name",
    "payee_bank",
    "payee_kind",
    "payee_division",
    "payee_birth_year",
    "payee_industry",
    "counter_account_class",
];
const OWN: [&str; 9] = ["account", "customer", "name", "bank", "kind", "division", "birth_year", "industry", "account_class"];
const COUNTER: [&str; 9] = [
    "counter_account",
    "counter_customer",
    "counter_name",
    "counter_bank",
    "counter_kind",
    "counter_division",
    "counter_birth_year",
    "counter_industry",
    "counter_account_class",
];

const COMMON: [(&str, FieldType); 18] = [
    ("txn_id", FieldType::Serial),
    ("institution", FieldType::Text),
    ("occurred_at", FieldType::Time),
    ("amount", FieldType::Amount),
    ("currency", FieldType::Currency),
    ("amount_cny", FieldType::Amount),
    ("amount_usd", FieldType::Amount),
    ("account_class", FieldType::Class),
    ("counter_account_class", FieldType::Class),
    ("channel", FieldType::Channel),
    ("cash", FieldType::Flag),
    ("cross_border", FieldType::Flag),
    ("memo", FieldType::Text),
    ("purpose", FieldType::Text),
    ("balance_after", FieldType::Amount),
    ("reverses", FieldType::Serial),
    ("reversal_kind", FieldType::ReversalKind),
    ("direction", FieldType::Direction),
];

const UNREAD: [&str; 9] = [
    "network_ref",
    "ultimate_payer",
    "ultimate_payee",
    "payment_institution",
    "merchant_no",
    "agent_name",
    "agent_id_hash",
    "ip",
    "device",
];

impl RowKind {
    /// Field names of the two sides, in the order of `SidePlan`.
    pub(crate) const fn side_fields(self) -> ([&'static str; 9], [&'static str; 9]) {
        match self {
            Self::Transfer => (PAYER, PAYEE),
            Self::LedgerSide => (OWN, COUNTER),
        }
    }

    /// Every field a feed file of these rows may map.
    pub(crate) fn names(self) -> Vec<&'static str> {
        let (first, second) = self.side_fields();
        let common = COMMON.iter().map(|(name, _)| *name).filter(|name| self == Self::LedgerSide || *name != "direction");
        let sides = first.into_iter().chain(second).filter(|name| !name.ends_with("account_class"));
        common.chain(sides).chain(UNREAD).collect()
    }
}

/// The type of a field of these rows; `None` for what is no field of theirs.
pub(crate) fn field_type(rows: RowKind, name: &str) -> Option<(&'static str, FieldType)> {
    let name = rows.names().into_iter().find(|known| *known == name)?;
    if UNREAD.contains(&name) {
        return Some((name, FieldType::Unread));
    }
    if let Some((_, kind)) = COMMON.iter().find(|(known, _)| *known == name) {
        return Some((name, *kind));
    }
    let bare = ["payer_", "payee_", "counter_"].into_iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    SIDE.iter().find(|(known, _)| *known == bare).map(|(_, kind)| (name, *kind))
}

impl FieldType {
    /// Whether `text` is a value of this type; for those with a closed list, else what the values are.
    pub(crate) fn check(self, text: &str) -> Result<(), String> {
        let (known, expected) = match self {
            Self::Currency => (Currency::parse(text).is_some(), "three letters of ISO 4217".to_owned()),
            Self::Kind => (PartyKind::parse(text).is_some(), list(PartyKind::ALL.iter().map(|kind| kind.name()))),
            Self::Division => (division(text).is_some(), "six digits of GB/T 2260".to_owned()),
            Self::Year => (year(text).is_some(), "a year of four digits".to_owned()),
            Self::Class => (AccountClass::parse(text).is_some(), list(["current", "term", "wealth"].into_iter())),
            Self::Channel => (Channel::parse(text).is_some(), list(Channel::ALL.iter().map(|channel| channel.name()))),
            Self::Flag => (flag(text).is_some(), "true or false".to_owned()),
            Self::Direction => (matches!(text, "in" | "out"), "in or out".to_owned()),
            Self::ReversalKind => (reversal_kind(text).is_some(), list(["cancel", "correction", "return"].into_iter())),
            Self::Serial | Self::Text | Self::Time | Self::Amount | Self::Unread => (true, String::new()),
        };
        if known { Ok(()) } else { Err(expected) }
    }
}

fn list<'a>(names: impl Iterator<Item = &'a str>) -> String {
    format!("one of {}", names.collect::<Vec<_>>().join(", "))
}

/// `true`, `false`, `1`, `0`.
pub(crate) fn flag(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

/// Six digits; `000000` says nothing.
pub(crate) fn division(text: &str) -> Option<Division> {
    if text == "000000" { Some(Division::UNKNOWN) } else { Division::parse(text) }
}

/// A year of birth.
pub(crate) fn year(text: &str) -> Option<i32> {
    let year: i32 = text.parse().ok()?;
    (1850..=2199).contains(&year).then_some(year)
}

/// How one transaction takes another back.
pub(crate) fn reversal_kind(text: &str) -> Option<ReversalKind> {
    match text {
        "cancel" => Some(ReversalKind::Cancel),
        "correction" => Some(ReversalKind::Correction),
        "return" => Some(ReversalKind::Return),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use weir_model::transaction::FIELDS;

    use super::*;

    #[test]
    fn every_field_of_the_record_table_has_a_type() {
        for field in FIELDS {
            assert!(field_type(RowKind::Transfer, field).is_some(), "{field}");
        }
        assert_eq!(RowKind::Transfer.names().len(), FIELDS.len());
        for field in RowKind::LedgerSide.names() {
            assert!(field_type(RowKind::LedgerSide, field).is_some(), "{field}");
        }
        assert_eq!(field_type(RowKind::Transfer, "direction"), None);
        assert_eq!(field_type(RowKind::LedgerSide, "payer_account"), None);
        assert_eq!(field_type(RowKind::LedgerSide, "counter_birth_year"), Some(("counter_birth_year", FieldType::Year)));
    }
}
