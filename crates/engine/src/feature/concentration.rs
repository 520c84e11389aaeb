//! `top_share_in`, `top_share_out`, `hhi_in`, `hhi_out`: how concentrated a flow is.
//!
//! In goes by payer (movements), out by outlet; both over the whole flow, so money without a name dilutes. One scan and one sort of the
//! window's counterparties.

use weir_model::Direction;
use weir_rules::{Value, Window};

use crate::scans::Measure;
use crate::view::View;

pub(super) fn top_share_in(view: &View<'_>, window: Window, k: i64) -> Value {
    top_share(by_payer(view, window), k, view.sum(window, Measure::Amount(Direction::In)))
}

pub(super) fn top_share_out(view: &View<'_>, window: Window, k: i64) -> Value {
    top_share(by_outlet(view, window), k, view.sum(window, Measure::Amount(Direction::Out)))
}

pub(super) fn hhi_in(view: &View<'_>, window: Window) -> Value {
    hhi(&by_payer(view, window), view.sum(window, Measure::Amount(Direction::In)))
}

pub(super) fn hhi_out(view: &View<'_>, window: Window) -> Value {
    hhi(&by_outlet(view, window), view.sum(window, Measure::Amount(Direction::Out)))
}

fn by_payer(view: &View<'_>, window: Window) -> Vec<i128> {
    view.people(Direction::In, window, |payers| payers.sums().collect())
}

fn by_outlet(view: &View<'_>, window: Window) -> Vec<i128> {
    view.outlets(window, |outlets| outlets.sums().collect())
}

fn top_share(mut sums: Vec<i128>, k: i64, total: i128) -> Value {
    let k = usize::try_from(k).unwrap_or(usize::MAX);
    if k < sums.len() {
        sums.select_nth_unstable_by(k, |a, b| b.cmp(a));
    }
    Value::ratio(sums.iter().take(k).sum(), total)
}

fn hhi(sums: &[i128], total: i128) -> Value {
    if total == 0 {
        return Value::Null;
    }
    // Squares of fen overflow i128 only above 10^19 yuan; scaling the shares first would lose exactness for nothing.
    let squares: i128 = sums.iter().map(|sum| sum.saturating_mul(*sum)).fold(0, i128::saturating_add);
    ratio_of_large(squares, total.saturating_mul(total))
}

/// `numerator / denominator` in millionths for numbers whose product with a million may not fit: long division, digit by digit.
fn ratio_of_large(numerator: i128, denominator: i128) -> Value {
    let mut quotient = numerator / denominator;
    let mut remainder = numerator % denominator;
    for _ in 0..6 {
        remainder = remainder.saturating_mul(10);
        quotient = quotient * 10 + remainder / denominator;
        remainder %= denominator;
    }
    Value::Ratio(quotient)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    const LEGS: &str = "
        03-01 09:00 in  A 50.00
        03-01 10:00 in  B 30.00
        03-01 11:00 in  A 10.00
        03-01 12:00 in  - 10.00
        03-02 09:00 out C 40.00
        03-02 10:00 out - 40.00 cash
        03-02 11:00 out - 20.00";

    #[test]
    fn the_largest_over_everything_that_flowed() {
        check(LEGS, "top_share_in(14d, 1)", "0.6");
        check(LEGS, "top_share_in(14d, 5)", "0.9");
        check(LEGS, "top_share_out(14d, 1)", "0.4");
        check(LEGS, "top_share_out(14d, 2)", "0.8");
        check("03-01 09:00 in A 1.00", "top_share_out(14d, 1)", "null");
    }

    #[test]
    fn herfindahl_is_the_sum_of_squared_shares() {
        check(LEGS, "hhi_in(14d)", "0.45");
        check(LEGS, "hhi_out(14d)", "0.32");
        check("03-01 09:00 in A 1000000000000000.00", "hhi_in(14d)", "1");
    }
}
