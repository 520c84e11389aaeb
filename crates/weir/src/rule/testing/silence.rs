//! Why a rule did not speak of a party of a test, in a few lines: what missed at the nearest instant, and by how much.
//!
//! The detector itself says it ([`crate::probe`]); here it is put into words for those who write rules, condition by condition as written.

use std::collections::BTreeSet;
use std::sync::Arc;

use weir_rules::{On, RuleSet, RuleTest};

use super::case;
use crate::language::{Lang, say};
use crate::probe::{Distance, Nearest, Probe};

/// Why `rule` did not speak of `party`.
pub(crate) fn nearest(mut set: RuleSet, test: &RuleTest, rule: &str, party: &str, lang: Lang) -> String {
    let Some(on) = set.rules.iter().find(|other| other.id == rule).map(|own| own.on.clone()) else {
        return say!(lang, "{rule} 不在生效的规则中", "{rule} is not among the rules in force");
    };
    let probe = Probe::put_into(&mut set, |other| other.id == rule);
    // What cannot be used has been told by its place before it comes to this.
    let outcome = match case::run(&Arc::new(set), test, None, lang) {
        Ok(outcome) => outcome,
        Err(problem) => return problem,
    };
    // Of several variants the one that missed least, the first of equals.
    if let Some(nearest) = probe.nearest(outcome.alerts.iter(), party).iter().min_by_key(|nearest| nearest.misses) {
        return describe(nearest, lang);
    }
    let parties = evaluated(&outcome);
    let parties = if parties.is_empty() { lang.of("无", "none").to_owned() } else { parties.join(lang.of("、", ", ")) };
    if let On::DayEnd { watch } = on {
        let when = when_evaluated(&watch, lang);
        return say!(
            lang,
            "规则没有在 {party} 的任何日终评估：{when}；评估过的主体：{parties}",
            "the rule was evaluated at no day end of {party}: {when}; parties evaluated: {parties}"
        );
    }
    say!(
        lang,
        "规则没有在 {party} 的任何时刻评估（主体类型不符，或没有流水）；评估过的主体：{parties}",
        "the rule was evaluated at no instant of {party} (its kind does not fit, or it has no legs); parties evaluated: {parties}"
    )
}

/// What to know of a test that expects nothing of a rule `on: day_end` and passes because the rule was looked at on no day: such a test cannot fail, whatever the
/// conditions say. `None` where it was looked at. Rules of instants are looked at wherever a leg of a fitting party is.
pub(crate) fn looked_at_nowhere(mut set: RuleSet, test: &RuleTest, rule: &str, lang: Lang) -> Option<String> {
    let On::DayEnd { watch } = set.rules.iter().find(|other| other.id == rule)?.on.clone() else { return None };
    Probe::put_into(&mut set, |other| other.id == rule);
    let outcome = case::run(&Arc::new(set), test, None, lang).ok()?;
    let when = when_evaluated(&watch, lang);
    evaluated(&outcome).is_empty().then(|| {
        say!(
            lang,
            "规则没有在任何日终评估，没有预警不说明条件不成立：{when}",
            "the rule was evaluated at no day end, so that nothing came says nothing of its conditions: {when}"
        )
    })
}

/// The parties that copies of a rule were looked at for.
fn evaluated(outcome: &case::Outcome) -> Vec<&str> {
    let copies = outcome.revisions.iter().filter(|alert| Probe::is_copy(&alert.rule.id));
    let parties: BTreeSet<&str> = copies.map(|alert| alert.subject.party.as_str()).collect();
    parties.into_iter().collect()
}

fn when_evaluated(watch: &[String], lang: Lang) -> String {
    let watch = watch.join(lang.of("、", ", "));
    say!(
        lang,
        "{watch} 命中后的 180 天内才逐日评估，且记录要推到日终之后（每条记录最多推进一天，可用一行重复的小额流水补足）",
        "it looks on days within 180 days of a hit of {watch}, once records have moved the clock past their ends (each moves it a day at most; a repeated \
         row of small amounts does)"
    )
}

fn describe(nearest: &Nearest, lang: Lang) -> String {
    let at = &nearest.at;
    let variant = if nearest.variant.is_empty() { String::new() } else { format!(" {}", nearest.variant) };
    let missed: Vec<String> = nearest.required.iter().filter(|one| one.condition.met != Some(true)).map(|one| miss(one, lang)).collect();
    if !missed.is_empty() {
        let missed = missed.join("\n  ");
        return say!(lang, "最接近的时刻 {at}{variant}，差在：\n  {missed}", "nearest at {at}{variant}, missed by:\n  {missed}");
    }
    let excluded: Vec<&str> = nearest.held().map(|one| one.condition.text.as_str()).collect();
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

/// `natural_payers($window) >= $min_payers：转入人数 14 ≥ 15，未满足，差 1 人`.
fn miss(required: &crate::probe::Required, lang: Lang) -> String {
    let gap = |distance: &Option<Distance>| {
        let words = distance.as_ref().map(|distance| distance.words(lang));
        words.map(|words| say!(lang, "，{words}", ", {words}")).unwrap_or_default()
    };
    let (text, explain, gap) = (&required.condition.text, &required.condition.explain, gap(&required.distance));
    say!(lang, "{text}：{explain}{gap}", "{text}: {explain}{gap}")
}
