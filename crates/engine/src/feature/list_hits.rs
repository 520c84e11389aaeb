//! `list_hits`: counterparties that stand on a list of the rule set. One scan, one search in a sorted list per counterparty.

use std::collections::BTreeSet;

use weir_rules::{Value, Window};

use crate::feature::count;
use crate::view::View;

pub(super) fn evaluate(view: &View<'_>, window: Window, list: usize) -> Value {
    let Some((_, members)) = view.lists.get(list) else {
        return Value::Null;
    };
    let pairs: BTreeSet<u32> = view.counted(window).filter(|row| row.makes_party()).map(|row| row.pair).collect();
    count(pairs.into_iter().filter(|pair| members.binary_search_by(|member| member.as_str().cmp(view.key(*pair))).is_ok()).count())
}

#[cfg(test)]
mod tests {
    use crate::feature::testing::check;

    #[test]
    fn each_listed_counterparty_once() {
        // The test list holds `a:LISTED` and `a:OTHER`.
        check("03-01 09:00 in LISTED 1.00\n03-01 09:00 out LISTED 1.00\n03-01 09:00 in A 1.00", "list_hits(14d, 0)", "1");
    }
}
