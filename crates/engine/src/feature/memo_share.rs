//! `memo_share_in`, `memo_share_out`: how often a memo speaks of something (利息, 返利, 投资 …). One scan of single legs.

use weir_model::Flags;
use weir_rules::Value;

use crate::feature::{enough_known, share};
use crate::row::Row;

pub(super) fn evaluate<'a>(rows: impl Iterator<Item = &'a Row> + Clone, bit: u8) -> Value {
    let total = rows.clone().count();
    let with_memo = rows.filter(|row| row.has(Flags::HAS_MEMO));
    let known = with_memo.clone().count();
    if !enough_known(known, total) {
        return Value::Null;
    }
    share(with_memo.filter(|row| row.tags >> bit & 1 == 1).count(), known)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn among_those_with_a_memo() {
        let legs = "
            03-01 09:00 out A 1.00 tags=0
            03-01 09:00 out B 1.00 tags=1
            03-01 09:00 out C 1.00";
        check(legs, "memo_share_out(14d, 0)", "0.5");
        check(legs, "memo_share_in(14d, 0)", "null");
        check("03-01 09:00 out C 1.00", "memo_share_out(14d, 0)", "null");
    }
}
