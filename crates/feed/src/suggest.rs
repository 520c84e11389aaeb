//! "Did you mean": the nearest of a list of names, or none when nothing is near.

/// The candidate with the fewest edits from `name`, if they are few for its length. Ties go to the earlier candidate.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.trim().to_lowercase();
    let length = folded.chars().count();
    // A third of the letters, but one even for the two-letter names that Chinese headers often are.
    let allowed = (length / 3).max(1);
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let distance = strsim::osa_distance(&folded, &candidate.to_lowercase());
        let shared = distance < length.max(candidate.chars().count());
        if distance <= allowed && shared && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["amount", "occurred_at", "金额", "交易日期", "a"];
        assert_eq!(nearest("amout", names), Some("amount"));
        assert_eq!(nearest("Amount ", names), Some("amount"));
        assert_eq!(nearest("交易日", names), Some("交易日期"));
        assert_eq!(nearest("金颔", names), Some("金额"));
        assert_eq!(nearest("b", names), None);
        assert_eq!(nearest("customer", names), None);
    }
}
