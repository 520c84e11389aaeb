//! Which leading-group office an alert goes to.
//!
//! The office of the division where the subject operates, else where it is registered, else where its records say it is; which of them
//! decided stands in the message. A subject without any of them is `unresolved`: counted, and never dropped. Names of offices and of the
//! departments by industry come from a routing table of the bank, which file runs do not have.

use weir_model::Party;
use weir_model::alert::{Addressee, Subject};

/// Division of a message whose office is not known.
pub(crate) const UNRESOLVED: &str = "unresolved";

/// The addressees of an alert on `subject`, of whom party data may say more.
pub(crate) fn addressees(subject: &Subject, party: Option<&Party>) -> Vec<Addressee> {
    let (division, basis) = match party {
        _ if subject.division.is_empty() => (UNRESOLVED, ""),
        Some(party) if party.operating_division.is_known() => (subject.division.as_str(), "operation"),
        Some(party) if party.registered_division.is_known() => (subject.division.as_str(), "registration"),
        _ => (subject.division.as_str(), "record"),
    };
    vec![Addressee { division: division.to_owned(), office: String::new(), basis: basis.to_owned(), departments: Vec::new() }]
}
