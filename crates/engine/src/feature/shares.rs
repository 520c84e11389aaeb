//! `cross_border_share` (by amount), `holiday_share`, `channel_share` (by leg): what kind of traffic it is.
//!
//! One scan each.

use weir_model::{Channel, Flags};
use weir_rules::{Value, Window};

use crate::feature::{count128, enough_known, share};
use crate::row::Row;
use crate::view::{View, sum};

pub(super) fn cross_border(view: &View<'_>, window: Window) -> Value {
    let rows = view.counted(window);
    Value::ratio(sum(rows.clone().filter(|row| row.has(Flags::CROSS_BORDER))), sum(rows))
}

pub(super) fn holiday(view: &View<'_>, window: Window) -> Value {
    let rows = view.counted(window);
    share(rows.clone().filter(|row| !view.calendar.is_working(row.at.day())).count(), rows.count())
}

pub(super) fn channel<'a>(rows: impl Iterator<Item = &'a Row> + Clone, channel: Channel) -> Value {
    let total = rows.clone().count();
    let known = rows.clone().filter(|row| row.channel_code() != 0).count();
    if !enough_known(count128(known), count128(total)) {
        return Value::Null;
    }
    share(rows.filter(|row| row.channel_code() == channel as u32 + 1).count(), known)
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    const LEGS: &str = "
        03-06 09:00 in  A 60.00 channel=counter
        03-07 09:00 in  A 40.00 channel=qr
        03-09 09:00 out B 100.00 cross_border";

    #[test]
    fn by_amount() {
        check(LEGS, "cross_border_share(14d)", "0.5");
    }

    #[test]
    fn by_leg() {
        check(LEGS, "holiday_share(14d)", "0.333333");
        check(LEGS, "channel_share(14d, qr)", "0.5");
        check("03-01 09:00 in A 1.00", "channel_share(14d, qr)", "null");
    }
}
