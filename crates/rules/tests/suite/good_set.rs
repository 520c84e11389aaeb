//! The sample rule set loads to what it says.

use std::fmt::Write;

use expect_test::{Expect, expect};
use weir_model::PartyKind;
use weir_rules::{Override, RuleSet, Value, load};

use crate::support::{files, good, rule_of};

/// A set as text: slots, then rule by rule what was bound.
fn show(set: &RuleSet) -> String {
    let mut text = String::new();
    for (i, slot) in set.slots.iter().enumerate() {
        let _ = writeln!(text, "{i}{} {slot}", if i < set.cheap_slots { "" } else { "*" });
    }
    for rule in &set.rules {
        let _ = writeln!(
            text,
            "{} v{} {:?} {:?} quiet {} hits {} levels {:?}",
            rule.id, rule.version, rule.status, rule.on, rule.quiet, rule.uses_rule_hits, rule.levels
        );
        for variant in &rule.variants {
            let params: Vec<String> = variant.params.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let _ = writeln!(text, "  [{}] {} {}", variant.name, variant.window, params.join(" "));
            let gates: Vec<String> =
                variant.gates.iter().map(|gate| format!("{} {:?} {:?}", set.slots[gate.slot], gate.comparison, gate.literal)).collect();
            let _ = writeln!(text, "    gates {gates:?} slots {:?} batch {:?}", variant.slots, variant.batch_size);
            for condition in &variant.require {
                let _ = writeln!(text, "    {} cheap {} {:?}", condition.text, condition.cheap, condition.clause);
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
    check(
        &[],
        &expect![[r#"
            0 natural_payers(14d)
            1 amount_in(14d)
            2 pass_through(14d)
            3 out_count(14d)
            4 agreement(acquiring)
            5 agreement(payroll)
            6 payees(14d)
            7 natural_payers(30d)
            8 amount_in(30d)
            9 pass_through(30d)
            10 out_count(30d)
            11 payees(30d)
            12 natural_payers(90d)
            13 amount_in(90d)
            14 pass_through(90d)
            15 out_count(90d)
            16 payees(90d)
            17* top_share_out(14d, 3)
            18* periodic_payees(2, 90d)
            19* holding_time(14d)
            20* list_hits(14d, prior_alerts)
            21* top_share_out(30d, 3)
            22* holding_time(30d)
            23* list_hits(30d, prior_alerts)
            24* top_share_out(90d, 3)
            25* active_days(90d)
            26* holding_time(90d)
            27* list_hits(90d, prior_alerts)
            28* first_time_payers(90d)
            29* rule_hits(FZ-001, 14d)
            FZ-001 v2 Active Instant quiet 30d hits false levels [(Medium, 50), (High, 65), (Urgent, 75)]
              [days14] 14d window=14d min_payers=15 min_amount=500000.00 max_outlets=3 out_share=0.8 pass_through=0.7 fast=2d
                gates ["natural_payers(14d) GreaterOrEqual Int(15)", "out_count(14d) GreaterOrEqual Int(1)", "out_count(14d) LessOrEqual Int(5000)", "amount_in(14d) GreaterOrEqual Money(50000000)", "pass_through(14d) GreaterOrEqual Ratio(700000)"] slots [0, 1, 2, 3, 17, 4, 18, 19, 20, 5, 6] batch None
                natural_payers($window) >= $min_payers cheap true None
                amount_in($window) >= $min_amount cheap true Some("国发〔2015〕59号")
                pass_through($window) >= $pass_through AND out_count($window) BETWEEN 1 AND 5000 cheap true None
                top_share_out($window, $max_outlets) >= $out_share cheap false None
                unless agreement('acquiring') AND periodic_payees(2, '90d') = 0 (已核实收单商户 运营部 2027-12-31)
                +15 holding_time($window) <= $fast OR list_hits($window, 'prior_alerts') > 0 Some("令〔2006〕第2号")
                +10 NOT agreement('payroll') None
              [days30] 30d window=30d min_payers=25 min_amount=1000000.00 max_outlets=3 out_share=0.8 pass_through=0.7 fast=2d
                gates ["natural_payers(30d) GreaterOrEqual Int(25)", "out_count(30d) GreaterOrEqual Int(1)", "out_count(30d) LessOrEqual Int(5000)", "amount_in(30d) GreaterOrEqual Money(100000000)", "pass_through(30d) GreaterOrEqual Ratio(700000)"] slots [7, 8, 9, 10, 21, 4, 18, 22, 23, 5, 11] batch None
                natural_payers($window) >= $min_payers cheap true None
                amount_in($window) >= $min_amount cheap true Some("国发〔2015〕59号")
                pass_through($window) >= $pass_through AND out_count($window) BETWEEN 1 AND 5000 cheap true None
                top_share_out($window, $max_outlets) >= $out_share cheap false None
                unless agreement('acquiring') AND periodic_payees(2, '90d') = 0 (已核实收单商户 运营部 2027-12-31)
                +15 holding_time($window) <= $fast OR list_hits($window, 'prior_alerts') > 0 Some("令〔2006〕第2号")
                +10 NOT agreement('payroll') None
              [days90] 90d window=90d min_payers=40 min_amount=2000000.50 max_outlets=3 out_share=0.8 pass_through=0.6 fast=2d
                gates ["natural_payers(90d) GreaterOrEqual Int(40)", "out_count(90d) GreaterOrEqual Int(1)", "out_count(90d) LessOrEqual Int(5000)", "amount_in(90d) GreaterOrEqual Money(200000050)", "pass_through(90d) GreaterOrEqual Ratio(600000)"] slots [12, 13, 14, 15, 24, 25, 4, 18, 26, 27, 5, 28, 16] batch None
                natural_payers($window) >= $min_payers cheap true None
                amount_in($window) >= $min_amount cheap true Some("国发〔2015〕59号")
                pass_through($window) >= $pass_through AND out_count($window) BETWEEN 1 AND 5000 cheap true None
                top_share_out($window, $max_outlets) >= $out_share cheap false None
                active_days($window) >= 10 cheap false None
                unless agreement('acquiring') AND periodic_payees(2, '90d') = 0 (已核实收单商户 运营部 2027-12-31)
                +15 holding_time($window) <= $fast OR list_hits($window, 'prior_alerts') > 0 Some("令〔2006〕第2号")
                +10 NOT agreement('payroll') None
                +5 first_time_payers($window) >= 20 None
            FZ-020 v1 Shadow DayEnd { watch: ["FZ-001"] } quiet 90d hits true levels [(Medium, 50)]
              [] 10wd 
                gates [] slots [29] batch None
                rule_hits('FZ-001', '14d') >= 2 cheap false None
        "#]],
    );
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
    assert_eq!(set.tags.tags[1].name, "invest");
    assert!(set.rules[0].fits(PartyKind::Unknown) && !set.rules[0].fits(PartyKind::Internal));
}

/// A row of the sample set: values by the name of their slot, NULL elsewhere.
fn row(set: &RuleSet, values: &[(&str, Value)]) -> Vec<Value> {
    let value = |slot: String| values.iter().find(|(name, _)| *name == slot).map_or(Value::Null, |(_, value)| *value);
    set.slots.iter().map(|slot| value(slot.to_string())).collect()
}

#[test]
fn a_gap_names_the_feature_it_is_of() {
    let set = good(&[]).rules;
    for call in &set.slots {
        assert_eq!(RuleSet::feature_of_gap(&set.gap_zh(call)), Some(call.feature), "{call}");
    }
    assert_eq!(RuleSet::feature_of_gap("3笔外币交易无人民币折算，金额按零计"), None);
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
    let conditions =
        variant.require.iter().chain(variant.score.iter().map(|item| &item.when)).chain(variant.exclude.iter().map(|e| &e.when));
    let mut text = String::new();
    for e in conditions.map(|condition| set.explain(condition, &values, variant.window)) {
        let _ = writeln!(text, "{:?} {:?} {:?} {}", e.measured, e.threshold, e.met, e.explain);
    }
    let _ = writeln!(text, "{}\n{}", variant.reason.render(&values), variant.score[0].reason.render(&values));
    expect![[r#"
        Some("14") Some("15") Some(false) 转入人数 14（须 ≥ 15），未满足
        Some("1268400.00") Some("500000.00") Some(true) 转入金额 126.84万元 ≥ 50万元，满足
        Some("0.9355") Some("0.7") Some(false) 转出转入比 93.55% ≥ 70%，且转出笔数 0（须 介于 1 与 5000）；未满足
        Some("0.94") Some("0.8") Some(true) 前3去向占比 94% ≥ 80%，满足
        Some("2d 3h") Some("2d") Some(false) 资金停留时间 2天3小时（须 ≤ 2天），或prior_alerts名单命中数 0（须 > 0）；未满足
        Some("false") None Some(true) 无代发工资协议，满足
        None None None 收单协议（无法评估），且近90天定期收款人数（每人至少2次）（须 = 0）（无法评估）；无法评估
        14天内14人转入126.84万元，94%转至2个账户
        资金停留2天3小时，快进快出
    "#]]
    .assert_eq(&text);
    let hits = set.slots.iter().find(|call| call.to_string() == "rule_hits(FZ-001, 14d)").expect("a rule asks for them");
    assert_eq!(set.name_zh(hits), "分散转入集中转出（FZ-001）命中次数", "who reads it may not know rules by their numbers");
}

#[test]
fn what_holds_behind_a_not_is_said_to_hold() {
    let conditions = ["NOT payees('14d') IS NULL", "NOT payees('14d') BETWEEN 5 AND 9", "NOT payees('14d') IN (5, 6)"];
    let set = load(&[rule_of(&conditions.map(str::to_owned))], &[]).expect("good").rules;
    let variant = &set.rules[0].variants[0];
    let said = |payees: i64| {
        let values = row(&set, &[("payees(14d)", Value::Int(payees))]);
        let explained = variant.require.iter().map(|condition| set.explain(condition, &values, variant.window).explain);
        explained.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(said(3), "收款方数有数据；满足\n收款方数 3 不介于 5 与 9；满足\n收款方数 3 不属于 5、6；满足");
    assert_eq!(said(5), "收款方数有数据；满足\n收款方数 5（须 不介于 5 与 9）；未满足\n收款方数 5（须 不属于 5、6）；未满足");
}

#[test]
fn inline_tests_write_their_rows_out() {
    let loaded = good(&[]);
    let tests = &loaded.documents[0].tests;
    let mut text = String::new();
    for test in tests {
        let _ = writeln!(text, "{} {:?} {:?}", test.name, test.overrides, test.lateness);
        let csv = test.transactions.table().to_csv();
        let lines: Vec<&str> = csv.lines().collect();
        let _ = writeln!(text, "{}\n…\n{}", lines[..3].join("\n"), lines[lines.len() - 2..].join("\n"));
        for expected in &test.expect {
            let _ = writeln!(
                text,
                "{} {} {:?} {:?} {:?} {:?}",
                expected.rule, expected.party, expected.level, expected.people, expected.amount_in, expected.opened_at
            );
        }
    }
    let written_out = tests[0].transactions.table();
    let last = written_out.rows.last().expect("rows");
    let source = &loaded.warnings.sources[last.place.file];
    let _ = writeln!(text, "{}", &source.text[last.place.span.clone()]);
    expect![[r#"
        十五人转入、一人转出 [Override { text: "FZ-001.min_payers=15" }] Some(Span(86400000000))
        txn_id,occurred_at,payer_account,payee_account,amount,payer_kind
        t1,2025-03-03T10:00:00+08:00,p1,corp,40000,natural
        t2,2025-03-03T11:00:00+08:00,p2,corp,40000,natural
        …
        t15,2025-03-04T00:00:00+08:00,p15,corp,40000,natural
        t16,2025-03-04T12:00:00+08:00,corp,out,590000,
        FZ-001 a:corp Some(Medium) Some(15) Some(60000000) Some(Day(Day(20151)))
        少一人 [] None
        txn_id,occurred_at,payer_account,payee_account,amount,payer_kind
        t1,2025-03-03,p1,corp,50000,natural
        t2,2025-04-03,p2,corp,50000,natural
        …
        t14,2026-04-03,p14,corp,50000,natural
        t15,2025-03-04T12:00:00+08:00,corp,out,590000,
        2025-03-04 12:00,corp,out,590000
    "#]]
    .assert_eq(&text);
}
