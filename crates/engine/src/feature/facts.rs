//! `account_age`, `agreement`, `agreement_people`, `subject_is`: what party data says of the subject as of the instant.
//!
//! Cheap: read off the profile stamped on the last leg. What is not known is NULL.

use weir_model::{AgreementKind, PartyKind, Span};
use weir_rules::Value;

use crate::view::View;

pub(super) fn account_age(view: &View<'_>) -> Value {
    match view.profile.opened_at {
        Some(opened) => Value::Duration(Span::days((i64::from(view.t.day().0) - i64::from(opened.0)).max(0)).0),
        None => Value::Null,
    }
}

pub(super) fn agreement(view: &View<'_>, kind: AgreementKind) -> Value {
    if view.profile.registered { Value::Bool(view.profile.has(kind)) } else { Value::Null }
}

pub(super) fn agreement_people(view: &View<'_>, kind: AgreementKind) -> Value {
    match (kind, view.profile.agreements.payroll_people) {
        (AgreementKind::Payroll, people) if people > 0 && view.profile.has(kind) => Value::Int(people.into()),
        _ => Value::Null,
    }
}

pub(super) fn subject_is(view: &View<'_>, kind: PartyKind) -> Value {
    if view.profile.kind == PartyKind::Unknown { Value::Null } else { Value::Bool(view.profile.kind == kind) }
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn the_last_leg_says_who_the_subject_is() {
        let legs = "
            03-01 09:00 in A 1.00
            03-11 09:00 in A 1.00 own=organisation opened=03-01 payroll=40";
        check(legs, "account_age()", "10d");
        check(legs, "agreement(payroll)", "true");
        check(legs, "agreement(charity)", "false");
        check(legs, "agreement_people(payroll)", "40");
        check(legs, "subject_is(organisation)", "true");
        check(legs, "subject_is(natural)", "false");
    }

    #[test]
    fn without_party_data_nothing_is_known() {
        let legs = "03-01 09:00 in A 1.00";
        check(legs, "account_age()", "null");
        check(legs, "agreement(payroll)", "null");
        check(legs, "agreement_people(payroll)", "null");
        check(legs, "subject_is(natural)", "null");
    }
}
