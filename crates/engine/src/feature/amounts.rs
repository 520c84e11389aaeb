//! `in_count`, `out_count`, `amount_in`, `amount_out`, `payers`, `payees`, `natural_payers`, `natural_payees`, `pass_through`,
//! `amount_per_payer`, `cash_share_in`, `cash_share_out`, `organisation_amount_in`: what flowed and between how many.
//!
//! Cheap: all are read off the running aggregates of their window, kept by `cursor`.

use weir_rules::{Feature, Value};

use crate::cursor::{Aggregates, Flow};

/// One of them, from the aggregates of its window.
pub(super) fn evaluate(feature: Feature, a: &Aggregates) -> Value {
    match feature {
        Feature::InCount => Value::Int(a.inflow.count.into()),
        Feature::OutCount => Value::Int(a.outflow.count.into()),
        Feature::AmountIn => Value::Money(a.inflow.amount),
        Feature::AmountOut => Value::Money(a.outflow.amount),
        Feature::Payers => Value::Int(a.inflow.parties.into()),
        Feature::Payees => Value::Int(a.outflow.parties.into()),
        Feature::NaturalPayers => natural(&a.inflow),
        Feature::NaturalPayees => natural(&a.outflow),
        Feature::PassThrough => Value::ratio(a.outflow.amount, a.inflow.amount),
        Feature::AmountPerPayer => match natural(&a.inflow) {
            Value::Int(people) if people > 0 => Value::Money(a.inflow.amount / i128::from(people)),
            _ => Value::Null,
        },
        Feature::CashShareIn => Value::ratio(a.inflow.cash, a.inflow.amount),
        Feature::CashShareOut => Value::ratio(a.outflow.cash, a.outflow.amount),
        Feature::OrganisationAmountIn => Value::Money(a.inflow.organisations),
        other => unreachable!("{other} is no running aggregate"),
    }
}

/// Those known to be natural are a lower bound, whatever else is unknown; where nobody's kind is known, there is no bound.
fn natural(flow: &Flow) -> Value {
    if flow.known > 0 || flow.identified == 0 { Value::Int(flow.natural.into()) } else { Value::Null }
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn counts_sums_and_people() {
        let legs = "
            03-01 09:00 in  A 100.00
            03-01 09:00 in  A 50.50
            03-02 09:00 in  B 10.00 org
            03-03 09:00 out C 80.00
            03-03 10:00 out C 1.00 return";
        check(legs, "in_count(14d)", "3");
        check(legs, "out_count(14d)", "2");
        check(legs, "amount_in(14d)", "160.50");
        check(legs, "payers(14d)", "2");
        check(legs, "natural_payers(14d)", "1");
        check(legs, "amount_per_payer(14d)", "160.50");
        check(legs, "payees(14d)", "1");
        check(legs, "pass_through(14d)", "0.504672");
    }

    #[test]
    fn cash_is_a_share_of_each_direction() {
        let legs = "
            03-06 09:00 in  A 60.00 cash
            03-07 09:00 in  A 40.00
            03-09 09:00 out B 100.00";
        check(legs, "cash_share_in(14d)", "0.6");
        check(legs, "cash_share_out(14d)", "0");
        check("03-01 09:00 in A 1.00", "cash_share_out(14d)", "null");
    }

    #[test]
    fn what_organisations_pay_in_is_counted_and_nothing_else() {
        let legs = "
            03-01 09:00 in A 30.00 org
            03-01 10:00 in B 20.00 org
            03-02 09:00 in C 10.00
            03-02 10:00 in - 10.00 cash
            03-03 09:00 in A 5.00 unknown
            03-04 09:00 out A 7.00 org
            03-05 09:00 in A 2.00 org";
        check(legs, "organisation_amount_in(14d)", "52.00");
        check(legs, "organisation_amount_in(30d)", "52.00");
        check("03-01 09:00 in A 1.00", "organisation_amount_in(14d)", "0.00");
    }

    #[test]
    fn a_window_is_open_at_its_beginning() {
        let legs = "
            03-01 10:00 in A 1.00
            03-15 10:00 in B 1.00";
        check(legs, "in_count(14d)", "1");
        check(legs, "in_count(337h)", "2");
        check(legs, "in_count(30d)", "2");
        check(legs, "in_count(10wd)", "1");
    }

    #[test]
    fn people_count_as_far_as_their_kind_is_known() {
        check("03-01 10:00 in A 1.00 unknown", "natural_payers(14d)", "null");
        check("03-01 10:00 in A 1.00 unknown", "amount_per_payer(14d)", "null");
        check("03-01 10:00 in A 1.00 org", "amount_per_payer(14d)", "null");
        check("03-01 10:00 in A 1.00\n03-01 10:00 in B 1.00\n03-01 10:00 in C 0.99", "amount_per_payer(14d)", "0.99");
        check("03-01 10:00 in A 1.00 unknown\n03-01 10:00 in B 1.00", "natural_payers(14d)", "1");
        check("03-01 10:00 in A 1.00 unknown\n03-01 10:00 in B 1.00 org", "natural_payers(14d)", "0");
        check("03-01 10:00 in - 1.00 unknown", "natural_payers(14d)", "0");
        check("03-01 10:00 out A 1.00", "pass_through(14d)", "null");
    }
}
