//! Examples worked out by hand from the definition, section by section: what the oracle itself is held against.

use std::sync::Arc;

use weir_model::{AgreementKind, Channel, EventTime, PartyKind};
use weir_rules::catalogue::ArgKind;
use weir_rules::{Arg, Feature, FeatureCall, RuleSet, Value, Window};

use super::features::{self, Facts, Hits};
use super::hits::{Sets, view_at};
use super::*;
use crate::log::{Row, parse, stamp, units};
use crate::rule_sets;

/// National Day 2024: 1–7 October off, 29 September and 12 October worked.
const CALENDAR: (&str, &str) = (
    "calendar/2024.yaml",
    "{version: 1, years: [2024], holidays: [{name: 国庆节, from: 2024-10-01, to: 2024-10-07}], workdays: [2024-09-29, 2024-10-12]}",
);

fn no_rules() -> Arc<RuleSet> {
    rule_sets::of(&[CALENDAR, ("lists/watch.yaml", "{version: 1, name: watch, owner: tests, members: [p1, p3]}")], &[])
}

/// `top_share_in(14d, 2)` as the loader would bind it; tags are written as their bit.
fn call(text: &str) -> FeatureCall {
    let (name, rest) = text.split_once('(').expect("a call");
    let feature = Feature::by_name(name).expect("a feature");
    let words = rest.trim_end_matches(')').split(',').map(str::trim).filter(|word| !word.is_empty());
    let arg = |(kind, word): (&ArgKind, &str)| match kind {
        ArgKind::Window | ArgKind::LongWindow => Arg::Window(Window::parse(word).expect("a window")),
        ArgKind::Int(_) => Arg::Int(word.parse().expect("a number")),
        ArgKind::Money => Arg::Money(word.parse::<i64>().expect("yuan") * 100),
        ArgKind::Channel => Arg::Channel(Channel::parse(word).expect("a channel")),
        ArgKind::Tag => Arg::Tag(word.parse().expect("a bit"), word.to_owned()),
        ArgKind::List => Arg::List(0, word.to_owned()),
        ArgKind::Agreement => Arg::Agreement(AgreementKind::parse(word).expect("an agreement")),
        ArgKind::PartyKind => Arg::PartyKind(PartyKind::parse(word).expect("a kind")),
        ArgKind::RuleId => Arg::RuleId(word.to_owned()),
    };
    FeatureCall { feature, args: feature.entry().args.iter().zip(words).map(arg).collect() }
}

fn show(value: Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Money(fen) => weir_model::money::yuan(fen),
        Value::Ratio(n) => format!("{}.{:06}", n / 1_000_000, n % 1_000_000),
        Value::Duration(micros) => Span(micros).to_string(),
        Value::Bool(truth) => truth.to_string(),
    }
}

fn run(rules: &Arc<RuleSet>, rows: &[Row]) -> Run {
    let mut run = Run::new(Settings::default(), rules);
    for event in stamp(rows, &[]) {
        run.input(&event);
    }
    run
}

/// Values of calls on `c:A` as of a moment. Rows without a party are `c:A`'s; `expected` has one `call = value` a line.
fn check_features(rows: &str, at: &str, expected: &str) {
    let rules = no_rules();
    let rows = parse(rows).expect("rows");
    let marker = parse(&format!("{at} c:A in 1 - marker")).expect("a moment");
    let Row::Leg { leg: marker, .. } = &marker[0] else { unreachable!("a leg") };
    let run = run(&rules, &rows);
    assert!(run.answer.rejects.is_empty(), "{:?}", run.answer.rejects);
    let sets = Sets(vec![(EventTime::MIN, rules)]);
    let view = view_at(&run.parties["c:A"].history, &sets, marker.at);
    let hits = Hits::new();
    let facts = Facts::new(&view, sets.at(marker.at).1, &hits);
    for line in expected.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (text, value) = line.split_once(" = ").expect("call = value");
        assert_eq!(show(features::value(&call(text), &facts)), value, "{text}");
    }
}

/// What did not enter a history, one `record (rejected record) reason` a line, and the numbers of duplicates and legs taken out.
fn check_history(rows: &str, expected: &str) {
    let answer = run(&no_rules(), &parse(rows).expect("rows")).close();
    let mut lines: Vec<String> =
        answer.rejects.iter().map(|r| format!("{} ({}) {}", r.record, r.rejected_record, r.reason.code())).collect();
    lines.push(format!("{} duplicates, {} reversed", answer.duplicates, answer.reversed));
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected);
}

/// Report revisions, one line each.
fn check_reports(rows: &str, expected: &str) {
    let answer = run(&no_rules(), &parse(rows).expect("rows")).close();
    let line = |sent: &Sent<LargeAmountReport>| {
        let r = &sent.revision;
        let status = format!("{:?}", r.status).to_lowercase();
        let tick = if sent.tick { "tick " } else { "" };
        let (cny, usd) = (&r.cny_total, &r.fx_usd_total);
        format!(
            "{tick}{} {status} r{} {} {:?} {} cny {cny} usd {usd} n {}",
            sent.record,
            r.revision,
            r.day,
            r.direction,
            r.item.number(),
            r.count
        )
    };
    let lines: Vec<String> = answer.reports.iter().map(line).collect();
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected);
}

#[test]
fn a_row_reads_back_as_it_was_shown() {
    let text = "2024-02-03T10:15:00 c:A in 5000.00 p1 t1 reverses=t0 natural currency=USD cny=35000.00 div=330100 channel=atm tags=3 \
                balance=-1.50 kind=organisation home=330200 industry=6499 opened=2020-01-01 agreements=3/20 cash cross_border elderly";
    assert_eq!(parse(text).expect("reads")[0].to_string(), text);
    assert_eq!(units(5, weir_model::Currency::CNY), "0.05");
}

#[test]
fn exact_windows_are_open_at_their_beginning_and_day_windows_take_whole_days() {
    let rows = "2024-03-01T10:00 c:A in 100 p1 t1 natural
                2024-03-02T09:59:59 c:A in 10 p2 t2 natural
                2024-03-15T10:00 c:A in 1 p3 t3 natural";
    check_features(
        rows,
        "2024-03-15T10:00",
        "amount_in(14d) = 11.00
         amount_in(15d) = 111.00
         amount_in(16d) = 111.00
         amount_in(10wd) = 1.00
         amount_in(11wd) = 111.00
         natural_payers(14d) = 2",
    );
    check_features(rows, "2024-03-16T00:00", "amount_in(16d) = 111.00\namount_in(10wd) = 1.00\namount_in(11wd) = 111.00");
    check_features("2024-09-30T10:00 c:A in 7 p1 t1", "2024-10-09T10:00", "in_count(2wd) = 0\nin_count(3wd) = 1");
}

#[test]
fn own_account_moves_and_retained_money_are_not_counted() {
    check_features(
        "2024-03-01T10:00 c:A in 100 p1 t1 natural
         2024-03-01T11:00 c:A out 60 w t2 retained
         2024-03-01T12:00 c:A in 20 w t3 retained
         2024-03-01T13:00 c:A out 30 me t4 own
         2024-03-01T14:00 c:A out 30 p2 t5 natural
         2024-03-01T15:00 c:A in 5 p2 t6 natural return
         2024-03-01T16:00 c:A in 80 p9 t7 natural currency=USD unconverted",
        "2024-03-02T00:00",
        "amount_in(3d) = 105.00
         in_count(3d) = 3
         payers(3d) = 2
         out_count(3d) = 1
         retained(3d) = 40.00
         pass_through(3d) = 0.285714
         active_days(3d) = 1",
    );
}

#[test]
fn a_share_over_what_is_mostly_unknown_is_null() {
    check_features(
        "2024-03-01T10:00 c:A in 1 p1 t1 natural
         2024-03-01T10:01 c:A in 1 p2 t2
         2024-03-01T10:02 c:A in 1 p3 t3
         2024-03-01T23:00 c:A in 1 p4 t4 has_time channel=atm
         2024-03-01T10:00 c:A out 1 q t5 natural has_time channel=qr",
        "2024-03-02T10:00",
        "natural_payers(2d) = 1
         natural_payees(2d) = 1
         payers(2d) = 4
         night_share(2d) = 0.500000
         channel_share(2d, atm) = 0.500000
         memo_share_in(2d, 0) = null
         elderly_share(2d) = null
         payer_provinces(2d) = null",
    );
}

#[test]
fn concentration_counts_outlets_not_accounts() {
    check_features(
        "2024-03-01T10:00 c:A in 600 p1 t1
         2024-03-01T10:01 c:A in 300 p2 t2
         2024-03-01T10:02 c:A in 100 p3 t3
         2024-03-02T10:00 c:A out 100 x t4 same_name
         2024-03-02T10:01 c:A out 100 y t5 same_name
         2024-03-02T10:02 c:A out 150 x t6
         2024-03-02T10:03 c:A out 50 - t7
         2024-03-02T10:04 c:A out 100 - t8 cash",
        "2024-03-02T11:00",
        "top_share_in(3d, 2) = 0.900000
         hhi_in(3d) = 0.460000
         outlets(3d) = 3
         top_share_out(3d, 1) = 0.400000
         cash_share_out(3d) = 0.200000
         list_hits(3d, watch) = 2",
    );
}

#[test]
fn holding_time_is_the_median_fen_first_in_first_out() {
    let rows = "2024-03-01T08:00 c:A in 100 p1 t1
                2024-03-01T10:00 c:A in 50 p2 t2
                2024-03-01T12:00 c:A out 120 x t3
                2024-03-03T10:00 c:A out 100 y t4";
    check_features(rows, "2024-03-03T10:00", "holding_time(14d) = 4h\nholding_time(20d) = 0d\nholding_time(1h) = null");
}

#[test]
fn regular_amounts_limits_and_balances() {
    check_features(
        "2024-03-01T08:00 c:A in 45000 p1 t1 cash kind=natural
         2024-03-01T09:00 c:A in 49999.99 p2 t2 cash kind=natural
         2024-03-01T10:00 c:A in 50000 p3 t3 cash kind=natural balance=5000
         2024-03-01T11:00 c:A out 449999 x t4 kind=natural
         2024-03-02T12:00 c:A in 45000 p3 t5 kind=natural balance=-3",
        "2024-03-02T12:00",
        "near_limit(3d) = 2
         round_share_in(3d, 1000) = 0.750000
         modal_share_in(3d) = 0.500000
         balance_left(3d) = 0.000000
         low_balance_days(3d) = 1.000000
         near_limit(24h) = 0",
    );
}

#[test]
fn batches_are_days_with_enough_natural_payees() {
    check_features(
        "2024-09-23T10:00 c:A out 100 p1 t1 natural
         2024-09-23T10:01 c:A out 100 p2 t2 natural
         2024-09-25T10:01 c:A out 900 p2 t3 natural
         2024-09-30T10:00 c:A out 100 p1 t4 natural
         2024-09-30T10:01 c:A out 100 p2 t5
         2024-10-08T10:00 c:A out 120 p3 t6 natural
         2024-10-08T10:01 c:A out 100 p1 t7 natural",
        "2024-10-08T12:00",
        "out_batches(30d, 2) = 3
         batch_period(30d, 2) = 7
         batch_regularity(30d, 2) = 0.500000
         batch_overlap(30d, 2) = 0.500000
         batch_modal_share(30d, 2) = 0.833333
         small_share_out(30d, 100) = 0.714285
         periodic_payees(2, 30d) = 1
         holiday_share(30d) = 0.000000",
    );
}

#[test]
fn payouts_are_measured_against_what_was_paid_in_before() {
    let rows = (1..=5).fold(String::new(), |rows, n| {
        let paid_in = format!("2024-01-01T10:0{n} c:A in 1000 p{n} i{n} natural\n");
        rows + &paid_in
    }) + "2024-03-01T10:00 c:A out 10 p1 o1 natural
          2024-03-01T10:00 c:A out 20 p2 o2 natural
          2024-03-01T10:00 c:A out 30 p3 o3 natural
          2024-03-01T10:00 c:A out 40 p4 o4 natural
          2024-03-01T10:00 c:A out 50 p5 o5 natural
          2024-03-01T10:00 c:A out 60 p6 o6 natural
          2024-03-02T10:00 c:A in 100 p7 i7 natural
          2024-03-02T10:00 c:A out 25 p7 o7 natural";
    check_features(
        &rows,
        "2024-03-02T12:00",
        "repaid_share(30d) = 0.714285
         payout_ratio(30d) = 0.030000
         payout_ratio_spread(30d) = 0.020000
         rebates(3d) = 1
         first_time_payers(3d) = 1
         first_time_payees(3d) = 7
         dormant_before(3d) = 60d",
    );
}

#[test]
fn profile_features_know_what_is_unknown() {
    check_features(
        "2024-01-01T10:00 c:A in 100 p1 t0
         2024-03-01T10:00 c:A in 100 p1 t1 kind=organisation opened=2024-02-01 agreements=1/20",
        "2024-03-01T10:00",
        "account_age() = 29d
         agreement(payroll) = true
         agreement(acquiring) = false
         agreement_people(payroll) = 20
         agreement_people(acquiring) = null
         subject_is(organisation) = true
         inflow_ratio(10d, 20d) = null
         inflow_ratio(10d, 90d) = null
         inflow_ratio(10d, 61d) = 5.100000",
    );
    check_features("2024-03-01T10:00 c:A in 1 p1 t1", "2024-03-01T10:00", "agreement(payroll) = null\nsubject_is(natural) = null");
}

#[test]
fn identity_decides_duplicates_and_the_frontier_what_is_late() {
    check_history(
        "2024-03-01T10:00 c:A in 100 p1 t1
         2024-03-01T10:00 c:A in 100 p1 t1
         2024-03-01T10:00 c:A in 101 p1 t1
         2024-03-01T10:00 c:A out 100 p1 t1
         2024-03-02T10:00 c:A in 1 p1 t2
         2024-03-03T10:00 c:A in 1 p1 t3
         2024-03-04T10:00 c:A in 1 p1 t4
         2024-03-01T09:59:59 c:A in 1 p1 t5
         2024-03-01T10:00:00 c:A in 1 p1 t6",
        "3 (3) conflicting_duplicate
         8 (8) late
         1 duplicates, 0 reversed",
    );
}

#[test]
fn a_removal_takes_both_directions_before_or_after_their_coming() {
    check_history(
        "2024-03-01T10:00 c:A in 100 p1 t1
         2024-03-01T10:01 c:A in 100 p1 r1 reverses=t1
         2024-03-01T10:02 c:A in 100 p1 r2 reverses=t1
         2024-03-01T10:00 c:A out 100 p1 t1
         2024-03-01T10:00 c:A in 100 p1 t1
         2024-03-01T11:00 c:A in 50 p1 r3 reverses=t2
         2024-03-01T11:00 c:A in 50 p1 r4 reverses=t2
         2024-03-01T11:00 c:A in 60 p1 t2
         2024-03-01T11:30 c:A in 70 p1 r5 reverses=t2
         2024-03-01T11:30 c:A in 60 p1 r6 reverses=t3
         2024-03-02T10:00 c:A in 1 p1 u1
         2024-03-03T10:00 c:A in 1 p1 u2
         2024-03-04T11:30 c:A in 1 p1 u3
         2024-03-04T11:31 c:A in 60 p1 r7 reverses=t2
         2024-03-04T13:00 c:A in 1 p1 u4",
        "8 (6) partial_reversal
         9 (9) partial_reversal
         14 (14) reversal_too_late
         15 (10) reversal_target_missing
         3 duplicates, 2 reversed",
    );
}

#[test]
fn reports_open_become_final_and_are_corrected() {
    check_reports(
        "2024-03-01T10:00 c:A in 30000 p1 t1 cash kind=natural
         2024-03-01T11:00 c:A in 20000 p2 t2 cash kind=natural
         2024-03-01T12:00 c:A in 20000 p2 r2 reverses=t2 kind=natural
         2024-03-01T13:00 c:A in 25000 p2 t3 cash kind=natural
         2024-03-02T09:00 c:A in 1 p1 t4 kind=natural
         2024-03-01T14:00 c:A in 5 p1 t5 cash exempt_term kind=natural
         2024-03-01T15:00 c:A in 500000 p1 t6 kind=organisation
         2024-03-01T15:00 c:A in 1500000 p1 t7 kind=organisation
         2024-03-02T09:30 c:A in 25000 p2 r3 reverses=t3",
        "2 opened r1 2024-03-01 In 1 cny 50000.00 usd 0.00 n 2
         3 withdrawn r2 2024-03-01 In 1 cny 30000.00 usd 0.00 n 1
         4 opened r3 2024-03-01 In 1 cny 55000.00 usd 0.00 n 2
         tick 5 final r4 2024-03-01 In 1 cny 55000.00 usd 0.00 n 2
         6 corrected r5 2024-03-01 In 1 cny 55000.00 usd 0.00 n 2
         8 corrected r1 2024-03-01 In 2 cny 2000000.00 usd 0.00 n 2
         9 withdrawn r6 2024-03-01 In 1 cny 30000.00 usd 0.00 n 1",
    );
}

#[test]
fn days_with_both_moneys_are_also_taken_together() {
    check_reports(
        "2024-03-01T10:00 c:A out 100000 p1 t1 cross_border kind=natural
         2024-03-01T10:30 g:A out 900000 p1 t1 cross_border kind=natural
         2024-03-01T11:00 c:A out 9999.99 p2 t2 currency=USD cny=70000 cross_border kind=natural
         2024-03-01T12:00 c:A out 100 p2 t3 currency=EUR cny=30000 cross_border kind=natural",
        "3 opened r1 2024-03-01 Out 4 cny 100000.00 usd 9999.99 n 2",
    );
}

/// Hits where at least two people paid in within two days; quiet after two days.
const TWO_PAYERS: &str = "
version: 1
id: R-1
title: 二人
status: shadow
basis: [测试]
quiet: 2d
window: 2d
params: {people: {type: int, default: 2, why: test}}
require: [\"natural_payers('2d') >= $people\"]
score: {base: 10, add: [{when: \"amount_in('2d') >= 1000\", points: 10, reason: 多}]}
levels: {low: 10, high: 20}
reason: \"{natural_payers}人\"
";

/// Alert revisions under `rules`, one line each: place, id's opening order, status, level, span in days and hours of March 2024, people, inflow.
fn check_alerts(rules: &[Arc<RuleSet>], rows: &str, expected: &str) {
    let log = stamp(&parse(rows).expect("rows"), &rules[1..]);
    let answer = answer(Settings::default(), &rules[0], &log);
    let mut ids: Vec<String> = Vec::new();
    let mut name = |id: &str| {
        let known = ids.iter().position(|known| known == id);
        let at = known.unwrap_or_else(|| {
            ids.push(id.to_owned());
            ids.len() - 1
        });
        char::from(b'A' + u8::try_from(at).expect("few alerts")).to_string()
    };
    let hour = |text: &str| text[8..13].replace('T', ".");
    let mut line = |place: String, alert: &Alert| {
        let status = format!("{:?}", alert.status).to_lowercase();
        let level = alert.level.name();
        let span = format!("{}..{}", hour(&alert.first_hit_at), hour(&alert.last_hit_at));
        let id = name(&alert.alert_id);
        let into = match &alert.withdrawal {
            Some(weir_model::alert::Withdrawal::Merged { into }) => format!(" into {}", name(into)),
            Some(weir_model::alert::Withdrawal::Unfounded) => " unfounded".to_owned(),
            None => String::new(),
        };
        let (people, amount, revision) = (alert.people, &alert.amount_in, alert.revision);
        format!("{place} {id} {} {status}{into} r{revision} {level} {span} people {people} in {amount}", alert.rule.id)
    };
    let mut lines: Vec<String> = Vec::new();
    for sent in &answer.alerts {
        lines.push(line(format!("{}{}", if sent.tick { "tick " } else { "" }, sent.record), &sent.revision));
    }
    for (first, alert) in &answer.last_alerts {
        lines.push(line(format!("last {first}"), alert));
    }
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, expected, "\n{}\n", lines.join("\n"));
}

fn two_payers(settings: &[&str]) -> Arc<RuleSet> {
    let overrides: Vec<weir_rules::Override> = settings.iter().map(|text| weir_rules::Override { text: (*text).to_owned() }).collect();
    rule_sets::of(&[CALENDAR, ("r1.yaml", TWO_PAYERS)], &overrides)
}

#[test]
fn an_alert_opens_grows_and_falls_quiet() {
    check_alerts(
        &[two_payers(&[])],
        "2024-03-01T10:00 c:A in 100 p1 t1 natural
         2024-03-01T11:00 c:A in 100 p2 t2 natural
         2024-03-01T12:00 c:A in 10 p2 t3 natural
         2024-03-01T13:00 c:A in 20 p2 t4 natural
         2024-03-01T14:00 c:A in 800 p2 t5 natural
         2024-03-02T15:00 c:A out 1 p2 t6 natural
         2024-03-03T15:00 c:X in 1 p1 x1
         2024-03-04T15:00 c:X in 1 p1 x2
         2024-03-05T15:00 c:X in 1 p1 x3
         2024-03-06T15:00 c:X in 1 p1 x4
         2024-03-07T15:00 c:X in 1 p1 x5
         2024-03-08T15:00 c:X in 1 p1 x6",
        "2 A R-1 opened r1 low 01.11..01.11 people 2 in 200.00
         5 A R-1 updated r2 high 01.11..01.14 people 2 in 1030.00
         6 A R-1 updated r3 high 01.11..02.15 people 2 in 1030.00
         tick 12 A R-1 quiet r4 high 01.11..02.15 people 2 in 1030.00
         last 2 A R-1 quiet r4 high 01.11..02.15 people 2 in 1030.00",
    );
}

#[test]
fn a_late_leg_joins_two_episodes_and_a_reversal_takes_one_away() {
    check_alerts(
        &[two_payers(&[])],
        "2024-03-01T10:00 c:A in 100 p1 t1 natural
         2024-03-01T11:00 c:A in 100 p2 t2 natural
         2024-03-03T21:00 c:A in 100 p3 t3 natural
         2024-03-03T22:00 c:A in 100 p4 t4 natural
         2024-03-02T22:00 c:A out 5 p4 t5 natural
         2024-03-03T23:00 c:A in 100 p4 r4 reverses=t4 natural
         2024-03-03T23:00 c:A out 5 p4 r5 reverses=t5 natural
         2024-03-03T22:00 c:A in 100 p5 t6 natural",
        "2 A R-1 opened r1 low 01.11..01.11 people 2 in 200.00
         4 B R-1 opened r1 low 03.22..03.22 people 2 in 200.00
         5 B R-1 withdrawn into A r2 low 03.22..03.22 people 2 in 200.00
         5 A R-1 updated r2 low 01.11..03.22 people 2 in 200.00
         6 A R-1 updated r3 low 01.11..02.22 people 3 in 200.00
         8 B R-1 opened r3 low 03.22..03.22 people 2 in 200.00
         last 2 A R-1 updated r3 low 01.11..01.11 people 2 in 200.00
         last 4 B R-1 updated r3 low 03.22..03.22 people 2 in 200.00",
    );
    check_alerts(
        &[two_payers(&[])],
        "2024-03-01T10:00 c:A in 100 p1 t1 natural
         2024-03-01T11:00 c:A in 100 p2 t2 natural
         2024-03-01T12:00 c:A in 100 p2 r2 reverses=t2
         2024-03-01T11:00 c:A in 900 p3 t3 natural",
        "2 A R-1 opened r1 low 01.11..01.11 people 2 in 200.00
         3 A R-1 withdrawn unfounded r2 low 01.11..01.11 people 2 in 200.00
         4 A R-1 opened r3 high 01.11..01.11 people 2 in 1000.00
         last 2 A R-1 updated r3 high 01.11..01.11 people 2 in 1000.00",
    );
}

#[test]
fn instants_up_to_the_clock_of_a_switch_keep_the_old_rules() {
    check_alerts(
        &[two_payers(&[]), two_payers(&["R-1.people=3"])],
        "2024-03-01T10:00 c:A in 100 p1 t1 natural
         2024-03-01T12:00 c:B in 100 p1 t2 natural
         switch
         2024-03-01T13:00 c:A in 100 p2 t3 natural
         2024-03-01T12:00 c:A in 100 p2 t4 natural
         2024-03-01T14:00 c:A in 100 p3 t5 natural",
        "4 A R-1 opened r1 low 01.12..01.12 people 2 in 200.00
         5 A R-1 updated r2 low 01.12..01.14 people 3 in 400.00
         last 4 A R-1 updated r2 low 01.12..01.14 people 3 in 400.00",
    );
}

#[test]
fn a_day_end_rule_sees_what_does_not_come() {
    let silence = "
version: 1
id: R-2
title: 静默
status: shadow
basis: [测试]
on: {day_end: {watch: [R-1]}}
quiet: 30d
window: 1d
require: [\"in_count('1d') = 0\"]
score: {base: 10}
levels: {low: 10}
reason: 静默
";
    check_alerts(
        &[rule_sets::of(&[CALENDAR, ("r1.yaml", TWO_PAYERS), ("r2.yaml", silence)], &[])],
        "2024-03-01T10:00 c:A in 100 p1 t1 natural
         2024-03-01T11:00 c:A in 100 p2 t2 natural
         2024-03-02T01:00 c:X in 1 p1 x1
         2024-03-03T01:00 c:X in 1 p1 x2
         2024-03-04T02:00 c:X in 1 p1 x3
         2024-03-02T12:00 c:A in 1 p1 t3 natural",
        "2 A R-1 opened r1 low 01.11..01.11 people 2 in 200.00
         tick 4 B R-2 opened r1 low 02.23..02.23 people 0 in 0.00
         tick 5 B R-2 updated r2 low 02.23..03.23 people 0 in 0.00
         6 A R-1 updated r2 low 01.11..02.12 people 2 in 201.00
         last 2 A R-1 updated r2 low 01.11..02.12 people 2 in 201.00
         last 4 B R-2 updated r2 low 03.23..03.23 people 0 in 0.00",
    );
}

#[test]
fn evidence_lists_the_largest_and_says_what_they_got_back() {
    let log = stamp(
        &parse(
            "2024-02-01T09:00 c:B/A out 40 p2 o1 natural
             2024-03-01T10:00 c:B/A in 100 p1 t1 natural div=330100
             2024-03-01T11:00 c:B/A in 300 p2 t2 natural div=330200 kind=organisation home=330106
             2024-03-01T11:30 c:B/A in 50 p1 t3 div=440300 cash kind=organisation
             2024-03-01T11:40 c:B/A in 7 p1 t4 return kind=organisation
             2024-03-01T12:00 c:B/A out 20 p9 t5 cross_border kind=organisation",
        )
        .expect("rows"),
        &[],
    );
    let answer = answer(Settings::default(), &two_payers(&[]), &log);
    let alert = &answer.last_alerts[0].1;
    let payers: Vec<String> =
        alert.evidence.payers.iter().map(|p| format!("{} {} {} {} {}", p.id, p.division, p.amount, p.count, p.amount_back)).collect();
    assert_eq!(payers, ["p2 330200 300.00 1 40.00", "p1 440300 150.00 2 0.00"]);
    let funds: Vec<String> = (alert.evidence.funds_from.iter().chain(&alert.evidence.funds_to))
        .map(|f| format!("{} {} {} {}", f.class, f.amount, f.count, f.people))
        .collect();
    assert_eq!(funds, ["cash 50.00 1 1", "natural 400.00 2 2", "unknown 7.00 1 0", "cross_border 20.00 1 1"]);
    assert_eq!((alert.outstanding_estimate.as_str(), alert.amount_since_first.as_str()), ("410.00", "457.00"));
    let scope = &alert.scope;
    assert_eq!((scope.prefectures, scope.provinces, scope.known_share.as_deref()), (2, 2, Some("0.666666")));
    assert_eq!((alert.subject.institution.as_str(), alert.subject.division.as_str(), alert.history_from.as_str()), ("B", "", "2024-02-01"));
    assert_eq!((alert.window.from.as_str(), alert.evidence.transactions_total), ("2024-02-28T12:00:00+08:00", 5));
}
