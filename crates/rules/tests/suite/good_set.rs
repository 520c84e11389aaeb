//! The sample rule set loads to what it says.

use std::fmt::Write;

use expect_test::{Expect, expect};
use weir_model::PartyKind;
use weir_rules::{Lang, Override, RuleSet, Value, load, miss_text};

use crate::support::{files, good};

/// A set as text: slots, then rule by rule what was bound.
fn show(set: &RuleSet) -> String {
    let mut text = String::new();
    for (i, slot) in set.slots.iter().enumerate() {
        let _ = writeln!(text, "{i}{} {slot}", if i < set.cheap_slots { "" } else { "*" });
    }
    for rule in &set.rules {
        let _ = writeln!(text, "{} v{} {:?} {:?} quiet {} hits {} levels {:?}", rule.id, rule.version, rule.status, rule.on, rule.quiet, rule.uses_rule_hits, rule.levels);
        for variant in &rule.variants {
            let params: Vec<String> = variant.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = writeln!(text, "  [{}] {} {}", variant.name, variant.window, params.join(" "));
            let gates: Vec<String> = variant.gates.iter().map(|gate| format!("{} >= {}", set.slots[gate.slot], gate.at_least)).collect();
            let _ = writeln!(text, "    gates {gates:?} slots {:?} batch {:?}", variant.slots, variant.batch_size);
            for condition in &variant.require {
                let _ = writeln!(text, "    {} #{} cheap {} {:?}", condition.text, condition.predicate.id(), condition.cheap, condition.clause);
            }
            for exclusion in &variant.exclude {
                let _ = writeln!(text, "    unless {} ({} {} {})", exclusion.when.text, exclusion.reason, exclusion.owner, exclusion.until);
            }
            for item in &variant.score {
                let _ = writeln!(text, "    {:+} {} {:?}", item.points, item.when.text, item.when.clause);
            }
        }
    }
    text
}

fn check(overrides: &[&str], expected: &Expect) {
    expected.assert_eq(&show(&good(overrides).rules));
}

#[test]
fn the_sample_set_binds_three_variants() {
    check(&[], &expect![[""]]);
}

#[test]
fn settings_win_in_order_of_their_precision() {
    let set = good(&["FZ-001.min_payers=7", "FZ-001.days90.min_payers=9", "FZ-001.variants=days14,days90", "FZ-020.status=retired"]).rules;
    let payers: Vec<(&str, &str)> = set.rules[0].variants.iter().map(|v| (v.name.as_str(), v.params[1].1.as_str())).collect();
    assert_eq!(payers, [("days14", "7"), ("days90", "9")]);
    assert_eq!(set.rules.len(), 1);
}

#[test]
fn the_hash_knows_content_and_settings_but_not_order() {
    let hash = |files: &[weir_rules::SourceFile], overrides: &[Override]| load(files, overrides).expect("good").rules.hash;
    let mut sources = files("good");
    let first = hash(&sources, &[]);
    sources.reverse();
    sources[0].text = sources[0].text.replace('\n', "\r\n");
    assert_eq!(hash(&sources, &[]), first);
    assert_ne!(hash(&sources, &[Override::param("FZ-001", "min_payers", "16")]), first);
    sources[0].text.push_str("\n# a remark\n");
    assert_ne!(hash(&sources, &[]), first);
}

#[test]
fn calendar_lists_and_tags_come_along() {
    let set = good(&[]).rules;
    let day = |text| weir_model::Day::parse(text).expect("a date");
    assert!(!set.calendar.is_working(day("2025-10-08")) && set.calendar.is_working(day("2025-09-28")));
    assert_eq!(set.lists, [("prior_alerts".to_owned(), vec!["c:1001".to_owned(), "c:1002".to_owned()])]);
    assert_eq!(set.tags.tags[1].0, "invest");
    assert!(set.rules[0].fits(PartyKind::Unknown) && !set.rules[0].fits(PartyKind::Internal));
}

/// A row of the sample set: values by the name of their slot, NULL elsewhere.
fn row(set: &RuleSet, values: &[(&str, Value)]) -> Vec<Value> {
    let value = |slot: String| values.iter().find(|(name, _)| *name == slot).map_or(Value::Null, |(_, value)| *value);
    set.slots.iter().map(|slot| value(slot.to_string())).collect()
}

#[test]
fn explanations_and_sentences_read_as_people_write() {
    let set = good(&[]).rules;
    let variant = &set.rules[0].variants[0];
    let values = row(
        &set,
        &[
            ("natural_payers(14d)", Value::Int(14)),
            ("amount_in(14d)", Value::Money(126_840_000)),
            ("pass_through(14d)", Value::Ratio(935_500)),
            ("out_count(14d)", Value::Int(0)),
            ("top_share_out(14d, 3)", Value::Ratio(940_000)),
            ("holding_time(14d)", Value::Duration(183_600_000_000)),
            ("list_hits(14d, prior_alerts)", Value::Int(0)),
            ("agreement(payroll)", Value::Bool(false)),
            ("payees(14d)", Value::Int(2)),
        ],
    );
    let conditions = variant.require.iter().chain(variant.score.iter().map(|item| &item.when)).chain(variant.exclude.iter().map(|e| &e.when));
    let explained: Vec<_> = conditions.map(|condition| (condition, set.explain(condition, &values))).collect();
    let mut text = String::new();
    for (_, e) in &explained {
        let _ = writeln!(text, "{:?} {:?} {:?} {:?} {}", e.measured, e.threshold, e.met, e.short_by, e.explain);
    }
    let _ = writeln!(text, "{}\n{}", variant.reason.render(&values), variant.score[0].reason.render(&values));
    text.push_str(&miss_text(&explained, Lang::Zh));
    text.push_str(&miss_text(&explained, Lang::En));
    expect![[""]].assert_eq(&text);
}

#[test]
fn inline_tests_write_their_rows_out() {
    let loaded = good(&[]);
    let tests = &loaded.documents[0].tests;
    let mut text = String::new();
    for test in tests {
        let _ = writeln!(text, "{} {:?} {:?}", test.name, test.overrides, test.lateness);
        let csv = test.transactions.to_csv();
        let lines: Vec<&str> = csv.lines().collect();
        let _ = writeln!(text, "{}\n…\n{}", lines[..3].join("\n"), lines[lines.len() - 2..].join("\n"));
        for expected in &test.expect {
            let _ = writeln!(text, "{} {} {:?} {:?} {:?} {:?}", expected.rule, expected.party, expected.level, expected.people, expected.amount_in, expected.opened_at);
        }
    }
    let last = tests[0].transactions.rows.last().expect("rows");
    let source = &loaded.warnings.sources[last.place.file];
    let _ = writeln!(text, "{}", &source.text[last.place.span.clone()]);
    expect![[""]].assert_eq(&text);
}
