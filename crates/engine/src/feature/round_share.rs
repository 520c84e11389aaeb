//! `round_share_in`, `round_share_out`: amounts on a grid (整数倍), the mark of shares sold at a price. One scan of single legs.

use weir_model::Flags;
use weir_rules::Value;

use crate::feature::share;
use crate::row::Row;

pub(super) fn evaluate<'a>(rows: impl Iterator<Item = &'a Row>, unit_fen: i64) -> Value {
    let (mut round, mut all) = (0, 0);
    for row in rows.filter(|row| !row.has(Flags::UNCONVERTED)) {
        all += 1;
        round += usize::from(row.amount % unit_fen == 0);
    }
    share(round, all)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn multiples_of_the_unit_are_round() {
        let legs = "
            03-01 09:00 in A 3000.00
            03-01 10:00 in B 1000.00
            03-01 11:00 in C 1000.01
            03-01 12:00 out D 500.00";
        check(legs, "round_share_in(14d, 1000)", "0.666666");
        check(legs, "round_share_out(14d, 1000)", "0");
        check("03-01 12:00 out D 500.00", "round_share_in(14d, 1000)", "null");
    }
}
