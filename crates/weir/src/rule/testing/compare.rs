//! Expected against actual alerts.
//!
//! Each expectation takes the first alert of its rule and party that fits it entirely; what is left over on either side is a problem. An
//! expectation whose party has an alert that merely differs is told by its differences, not as one missing and one too many.

use weir_model::Alert;
use weir_rules::{ExpectedAlert, ExpectedTime, RuleTest};

use super::case::Outcome;
use crate::language::{Lang, plural, say};

/// What came of a comparison.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// One sentence each; empty where all is well.
    pub(crate) problems: Vec<String>,
    /// Alerts that did not come at all.
    pub(crate) missing: Vec<Missing>,
}

/// An alert that did not come.
#[derive(Debug)]
pub(crate) struct Missing {
    /// Of which rule.
    pub(crate) rule: String,
    /// On which party.
    pub(crate) party: String,
}

/// Compares what a test of `rule` expects with what came.
pub(crate) fn compare(rule: &str, test: &RuleTest, outcome: &Outcome, lang: Lang) -> Compared {
    let concerns = |alert: &&Alert| alert.rule.id == rule || test.expect.iter().any(|expected| expected.rule == alert.rule.id);
    let mut left: Vec<&Alert> = outcome.alerts.iter().filter(concerns).collect();
    left.sort_by(|a, b| (&a.first_hit_at, &a.rule.id, &a.subject.party).cmp(&(&b.first_hit_at, &b.rule.id, &b.subject.party)));
    let mut unmatched = Vec::new();
    for expected in &test.expect {
        match left.iter().position(|alert| is_about(expected, alert) && differences(expected, alert, lang).is_empty()) {
            Some(at) => drop(left.remove(at)),
            None => unmatched.push(expected),
        }
    }
    let mut compared = Compared::default();
    for expected in unmatched {
        let (party, rule) = (&expected.party, &expected.rule);
        if let Some(at) = left.iter().position(|alert| is_about(expected, alert)) {
            let differences = differences(expected, left.remove(at), lang).join(lang.of("；", "; "));
            compared.problems.push(format!("{rule} {party}: {differences}"));
        } else {
            compared.problems.push(say!(lang, "{rule} {party}: 期望的预警没有出现", "{rule} {party}: the expected alert did not come"));
            compared.missing.push(Missing { rule: rule.clone(), party: party.clone() });
        }
    }
    for alert in left {
        let (id, party, reason, score) = (&alert.rule.id, &alert.subject.party, &alert.reason, alert.score);
        let level = crate::render::level_name(alert.level, lang);
        let points = plural(score, "point", "points");
        compared.problems.push(say!(
            lang,
            "{id} {party}: 出现了不应有的预警（{level} {score} 分）：{reason}",
            "{id} {party}: an alert that was not expected ({level}, {score} {points}): {reason}"
        ));
    }
    compared
}

fn is_about(expected: &ExpectedAlert, alert: &Alert) -> bool {
    expected.rule == alert.rule.id && expected.party == alert.subject.party
}

/// Where an alert is not what was expected of it.
fn differences(expected: &ExpectedAlert, alert: &Alert, lang: Lang) -> Vec<String> {
    let mut all = Vec::new();
    let mut look = |what: &str, wanted: Option<String>, found: &str| {
        if let Some(wanted) = wanted.filter(|wanted| wanted != found) {
            all.push(say!(lang, "{what} 期望 {wanted}，实际 {found}", "{what} should be {wanted}, is {found}"));
        }
    };
    look("variant", expected.variant.clone(), &alert.rule.variant);
    look("level", expected.level.map(|level| level.name().to_owned()), alert.level.name());
    look("score", expected.score.map(|score| score.to_string()), &alert.score.to_string());
    look("people", expected.people.map(|people| people.to_string()), &alert.people.to_string());
    look("amount_in", expected.amount_in.map(|fen| weir_model::Fen(fen).to_string()), &alert.amount_in);
    look("status", expected.status.map(|status| status.name().to_owned()), alert.status.name());
    look("revisions", expected.revisions.map(|revisions| revisions.to_string()), &alert.revision.to_string());
    match expected.opened_at {
        Some(ExpectedTime::Moment(moment)) => look("opened_at", Some(moment.to_string()), &alert.first_hit_at),
        Some(ExpectedTime::Day(day)) => look("opened_at", Some(day.to_string()), alert.first_hit_at.get(..10).unwrap_or_default()),
        None => {}
    }
    all
}
