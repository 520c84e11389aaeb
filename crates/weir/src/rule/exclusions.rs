//! Exclusions whose last day has passed: from then on they silence nothing, and without a word nobody would know why alerts come again.
//!
//! Whoever checks or publishes a set hears of those that have ended by today, whoever runs over files of those that ended before the last
//! record's day. Alerts themselves show which of them would have applied. Nothing is decided here.

use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use weir_model::{Day, EventTime};
use weir_rules::RuleSet;

use crate::language::{Lang, plural, say};
use crate::terminal::mention;

/// Exclusions named at the end of a run: a pack whose owners looked at none of it has dozens.
const MENTIONED_MAX: usize = 6;

/// An exclusion that has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Ended {
    rule: String,
    reason: String,
    owner: String,
    until: String,
}

/// Those of the rules in force whose last day is before `day`, each once, whatever variants share it.
pub(crate) fn ended(rules: &RuleSet, day: Day) -> Vec<Ended> {
    let mut all: Vec<Ended> = Vec::new();
    for rule in &rules.rules {
        let exclusions = rule.variants.iter().flat_map(|variant| &variant.exclude);
        for exclusion in exclusions.filter(|exclusion| exclusion.until < day) {
            let (reason, owner, until) = (exclusion.reason.clone(), exclusion.owner.clone(), exclusion.until.to_string());
            let one = Ended { rule: rule.id.clone(), reason, owner, until };
            if !all.contains(&one) {
                all.push(one);
            }
        }
    }
    all
}

/// Today in Shanghai; a clock that stands before 1970 is taken for its beginning.
pub(crate) fn today() -> Day {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    EventTime(i64::try_from(since.as_micros()).unwrap_or(i64::MAX)).day()
}

/// What is said of them, the first of them on a line each; empty where there are none.
pub(crate) fn words(ended: &[Ended], lines_max: usize, lang: Lang) -> String {
    if ended.is_empty() {
        return String::new();
    }
    let one = |Ended { rule, reason, owner, until }: &Ended| {
        say!(lang, "\n  {rule} {reason}（{owner}负责，至 {until}）", "\n  {rule} {reason} ({owner} answers for it, until {until})")
    };
    let count = ended.len();
    let mut list: String = ended.iter().take(lines_max).map(one).collect();
    if count > lines_max {
        let more = count - lines_max;
        list += &say!(lang, "\n  另有 {more} 种，weir rule check 逐条列出", "\n  and {more} more, which weir rule check names");
    }
    let have_ended = plural(count, "exclusion has ended and excludes", "exclusions have ended and exclude");
    say!(
        lang,
        "警告：有 {count} 种排除情形已到期，不再排除；仍然适用的，请责任人核实后在规则文件中改写 until：{list}",
        "warning: {count} {have_ended} no more; where one still applies, let its owner verify it and write another `until` into the rule \
         file:{list}"
    )
}

/// Says it to standard error, where there is something to say.
pub(crate) fn mention_ended(ended: &[Ended], json: bool, lang: Lang) {
    if !ended.is_empty() {
        let lines_max = if json { ended.len() } else { MENTIONED_MAX };
        mention("warning", "exclusion_ended", &words(ended, lines_max, lang), json);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use weir_rules::{SourceFile, load};

    const RULE: &str = "version: 1\nid: T-1\ntitle: t\nstatus: shadow\nbasis: [b]\nwindow: 14d\nscore: {base: 50}\nlevels: {low: 1}\nreason: r\n\
        variants: [{name: a}, {name: b}]\nrequire: [\"in_count('14d') >= 1\"]\nexclude:\n  \
        - {when: \"agreement('licence')\", reason: 持牌机构, owner: 合规部, until: 2025-01-31}\n";

    #[test]
    fn an_exclusion_has_ended_on_the_day_after_its_last_and_is_named_once() {
        let file = SourceFile { path: "t.yaml".to_owned(), text: RULE.to_owned() };
        let rules = load(&[file], &[]).expect("good").rules;
        let on = |day: &str| ended(&rules, Day::parse(day).expect("a day"));
        assert_eq!(words(&on("2025-01-31"), 1, Lang::Zh), "");
        let text = words(&on("2025-02-01"), 1, Lang::Zh);
        assert!(text.contains("有 1 种") && text.ends_with("：\n  T-1 持牌机构（合规部负责，至 2025-01-31）"), "{text}");
        assert!(words(&on("2025-02-01"), 1, Lang::En).starts_with("warning: 1 exclusion has ended and excludes no more; "));
        assert!(words(&on("2025-02-01"), 0, Lang::En).ends_with("\n  and 1 more, which weir rule check names"));
    }
}
