//! `night_share`: legs at 22:00–06:00. Feeds that give dates only make it NULL. One scan of single legs.

use weir_model::Flags;
use weir_model::time::MICROS_PER_DAY;
use weir_rules::{Value, Window};

use crate::feature::{count128, enough_known, share};
use crate::view::View;

const NIGHT_FROM: i64 = MICROS_PER_DAY / 24 * 22;
const NIGHT_TO: i64 = MICROS_PER_DAY / 24 * 6;

pub(super) fn evaluate(view: &View<'_>, window: Window) -> Value {
    let rows = view.counted(window);
    let timed = rows.clone().filter(|row| row.has(Flags::HAS_TIME));
    let known = timed.clone().count();
    if !enough_known(count128(known), count128(rows.count())) {
        return Value::Null;
    }
    let night = timed.filter(|row| {
        let of_day = row.at.micros_of_day();
        !(NIGHT_TO..NIGHT_FROM).contains(&of_day)
    });
    share(night.count(), known)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn from_ten_to_six() {
        let legs = "
            03-01 05:59 in A 1.00
            03-01 06:00 in A 1.00
            03-01 21:59 in A 1.00
            03-01 22:00 in A 1.00";
        check(legs, "night_share(14d)", "0.5");
        check("03-01 00:00 in A 1.00 date_only", "night_share(14d)", "null");
    }
}
