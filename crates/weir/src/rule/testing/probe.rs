//! How near a rule was to an alert that did not come: which condition missed, by how much, at the nearest instant.
//!
//! The answer comes from the detector itself. A copy of the rule set is changed so that what the rule requires becomes points instead: the
//! rule then hits at every instant, its score is minus the number of conditions that do not hold, and the revision with the highest score
//! explains the nearest instant with the very conditions that decide.

use std::sync::Arc;

use weir_model::Level;
use weir_model::alert::{Alert, Condition};
use weir_rules::{Rule, RuleSet, RuleTest, ScoreItem};

use super::case;
use crate::language::{Lang, say};

/// Conditions a rule may miss before instants are told apart no more.
const MISSES_TOLD_APART: i64 = 3;

/// Why `rule` did not speak of `party`, in a few lines.
pub(crate) fn nearest(mut set: RuleSet, test: &RuleTest, rule: &str, party: &str, lang: Lang) -> String {
    let Some(probed) = set.rules.iter_mut().find(|other| other.id == rule) else {
        return say!(lang, "{rule} 不在生效的规则中", "{rule} is not among the rules in force");
    };
    let required = turn_into_points(probed);
    let outcome = match case::run(&Arc::new(set), test, lang) {
        Ok(outcome) => outcome,
        Err(problem) => return problem,
    };
    let of_party = outcome.revisions.iter().filter(|alert| alert.rule.id == rule && alert.subject.party == party);
    match of_party.max_by_key(|alert| alert.score) {
        Some(nearest) => describe(nearest, &required, lang),
        None => {
            let mut parties: Vec<&str> = outcome.revisions.iter().map(|alert| alert.subject.party.as_str()).collect();
            parties.sort_unstable();
            parties.dedup();
            let parties = parties.join(lang.of("、", ", "));
            say!(
                lang,
                "规则没有在 {party} 的任何时刻评估（主体类型不符，或没有流水）；评估过的主体：{parties}",
                "the rule was evaluated at no instant of {party} (its kind does not fit, or it has no legs); parties evaluated: {parties}"
            )
        }
    }
}

/// How many conditions each variant requires, by its name; the items after them are its exclusions.
type Required = Vec<(String, usize)>;

fn turn_into_points(rule: &mut Rule) -> Required {
    rule.levels = vec![
        (Level::Low, i64::MIN),
        (Level::Medium, -MISSES_TOLD_APART),
        (Level::High, 1 - MISSES_TOLD_APART),
        (Level::Urgent, 2 - MISSES_TOLD_APART),
    ];
    let mut required = Vec::new();
    for variant in &mut rule.variants {
        let conditions = std::mem::take(&mut variant.require);
        let exclusions = std::mem::take(&mut variant.exclude);
        required.push((variant.name.clone(), conditions.len()));
        variant.base = -i64::try_from(conditions.len()).unwrap_or(i64::MAX);
        variant.gates.clear();
        let must = conditions.into_iter().map(|when| (when, 1));
        let must_not = exclusions.into_iter().map(|exclusion| (exclusion.when, 0));
        variant.score = must.chain(must_not).map(|(when, points)| ScoreItem { when, points, reason: variant.reason.clone() }).collect();
    }
    required
}

fn describe(nearest: &Alert, required: &Required, lang: Lang) -> String {
    let count = required.iter().find(|(name, _)| *name == nearest.rule.variant).map_or(0, |(_, count)| *count);
    let (must, must_not) = nearest.conditions.split_at(count.min(nearest.conditions.len()));
    let at = &nearest.last_hit_at;
    let variant = if nearest.rule.variant.is_empty() { String::new() } else { format!(" {}", nearest.rule.variant) };
    let missed: Vec<String> = must.iter().filter(|condition| condition.met != Some(true)).map(|condition| miss(condition, lang)).collect();
    if !missed.is_empty() {
        let missed = missed.join("\n  ");
        return say!(lang, "最接近的时刻 {at}{variant}，差在：\n  {missed}", "nearest at {at}{variant}, missed by:\n  {missed}");
    }
    let excluded: Vec<&str> = must_not.iter().filter(|one| one.met == Some(true)).map(|one| one.text.as_str()).collect();
    if excluded.is_empty() {
        return say!(
            lang,
            "{at}{variant} 条件全部满足，但得分不到最低级别",
            "at {at}{variant} every condition holds, but the score reaches no level"
        );
    }
    let excluded = excluded.join("\n  ");
    say!(
        lang,
        "{at}{variant} 条件全部满足，但被排除：\n  {excluded}",
        "at {at}{variant} every condition holds, but it is excluded by:\n  {excluded}"
    )
}

/// `natural_payers($window) >= $min_payers：转入人数 14 ≥ 15，未满足，差 1`.
fn miss(condition: &Condition, lang: Lang) -> String {
    let gap = match (&condition.measured, &condition.threshold) {
        (Some(measured), Some(threshold)) => gap(measured, threshold),
        _ => None,
    };
    let gap = gap.map(|gap| say!(lang, "，差 {gap}", ", off by {gap}")).unwrap_or_default();
    let (text, explain) = (&condition.text, &condition.explain);
    say!(lang, "{text}：{explain}{gap}", "{text}: {explain}{gap}")
}

/// The distance between two decimals as written; `None` for anything else, durations for instance.
fn gap(measured: &str, threshold: &str) -> Option<String> {
    const PLACES: usize = 6;
    let millionths = |text: &str| {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_decimal = !whole.is_empty() && fraction.len() <= PLACES && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        is_decimal.then(|| format!("{whole}{fraction:0<PLACES$}").parse::<i128>().ok())?.map(|value| sign * value)
    };
    let distance = (millionths(measured)? - millionths(threshold)?).unsigned_abs();
    let text = format!("{}.{:06}", distance / 1_000_000, distance % 1_000_000);
    Some(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_exact() {
        for (measured, threshold, expected) in [
            ("14", "15", Some("1")),
            ("499999.99", "500000", Some("0.01")),
            ("0.61", "0.7", Some("0.09")),
            ("-1", "1", Some("2")),
            ("2d 3h", "2d", None),
        ] {
            assert_eq!(gap(measured, threshold).as_deref(), expected, "{measured} {threshold}");
        }
    }
}
