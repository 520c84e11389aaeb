//! `weir detect --explain-silence`: what kept a party from an alert, told by the real binary over small inputs.

use std::fmt::Write as _;

use serde_json::Value;

use crate::{Bench, RULE};

/// Every kind of thing that may keep a rule silent.
const RULES: &str = r#"version: 1
id: T-002
title: 人数、金额与去向
status: active
basis: [测试依据]
window: $window
params:
  window: {type: window, default: 3d, why: 测试}
  least: {type: money, default: 1000, why: 测试}
require:
  - "natural_payers($window) >= 6"
  - {when: "amount_in($window) >= $least", clause: 测试条款}
  - "pass_through($window) >= 0.5 OR (outlets($window) >= 2 AND NOT agreement('payroll'))"
exclude:
  - {when: "agreement('acquiring')", reason: 已核实收单商户, owner: 运营部, until: 2027-12-31}
  - {when: "agreement('charity')", reason: 已登记慈善组织, owner: 合规部, until: 2020-12-31}
score: {base: 50, add: []}
levels: {medium: 50}
reason: "{natural_payers}人转入"
"#;

/// A rule for groups.
const OF_GROUPS: &str = r#"version: 1
id: T-003
title: 关联客户组
status: shadow
basis: [测试依据]
scope: group
window: 3d
require: ["in_count('3d') >= 100"]
score: {base: 50, add: []}
levels: {medium: 50}
reason: "{in_count}笔"
"#;

/// A rule on a multiple.
const OF_MULTIPLES: &str = r#"version: 1
id: T-004
title: 付款相差
status: active
basis: [测试依据]
window: 3d
require: ["out_count('3d') >= 1", "spread_out('3d') >= 2"]
score: {base: 50, add: []}
levels: {medium: 50}
reason: "付款相差{spread_out}倍"
"#;

/// A rule on what is not known.
const OF_MISSING: &str = r#"version: 1
id: T-006
title: 类型未知
status: active
basis: [测试依据]
window: 3d
require: ["in_count('3d') >= 100", "natural_payers('3d') IS NULL", "account_age() IS NOT NULL",
  "NOT (in_count('3d') >= 100 AND payers('3d') >= 2)"]
score: {base: 50, add: []}
levels: {medium: 50}
reason: "{in_count}笔"
"#;

/// A rule that asks the same of two windows.
const OF_TWO_WINDOWS: &str = r#"version: 1
id: T-005
title: 还给付款人
status: active
basis: [测试依据]
window: 3d
require: ["in_count('3d') >= 1", "repaid_share('3d') >= 0.3 OR repaid_share('10d') >= 0.5"]
score: {base: 50, add: []}
levels: {medium: 50}
reason: "{in_count}笔"
"#;

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("rules/t002.yaml", RULES);
    bench.write("rules/t003.yaml", OF_GROUPS);
    bench
}

/// `people` pay 200 yuan each to customer 1001 on one day, an hour apart.
fn paid_by(people: u32, kind: &str) -> String {
    let mut text = String::new();
    for i in 1..=people {
        let _ = writeln!(
            text,
            "{{\"txn_id\":\"t{i}\",\"occurred_at\":\"2026-03-02T{:02}:00:00+08:00\",\"amount\":\"200.00\",\"payer_account\":\"p{i}\"{kind},\
             \"payee_customer\":\"1001\",\"payee_account\":\"corp\",\"payee_kind\":\"organisation\"}}",
            8 + i
        );
    }
    text
}

/// Customer 1001 pays these sums to one natural person each, an hour apart.
fn paying(sums: &[u32]) -> String {
    let mut text = String::new();
    for (i, sum) in sums.iter().enumerate() {
        let _ = writeln!(
            text,
            "{{\"txn_id\":\"o{i}\",\"occurred_at\":\"2026-03-02T{:02}:00:00+08:00\",\"amount\":\"{sum}\",\"payer_customer\":\"1001\",\
             \"payee_account\":\"p{i}\",\"payee_kind\":\"natural\"}}",
            10 + i
        );
    }
    text
}

const NATURAL: &str = ",\"payer_kind\":\"natural\"";

fn explained(bench: &Bench, arguments: &str) -> Value {
    let done = bench.check(&format!("detect --json --explain-silence {arguments}"), 0, &[]);
    serde_json::from_str(&done.stdout).expect("is JSON")
}

fn rule<'v>(explanation: &'v Value, id: &str) -> &'v Value {
    explanation["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == id).expect("is there")
}

/// Holds what a terminal would show against what it must say.
fn shows(bench: &Bench, arguments: &str, words: &[&str]) -> String {
    let text = bench.check(&format!("detect --explain-silence {arguments}"), 0, &[]).stdout;
    for word in words {
        assert!(text.contains(word), "no `{word}` in\n{text}");
    }
    text
}

#[test]
fn a_near_miss_says_by_how_much_and_when() {
    let bench = bench();
    bench.write("in.jsonl", paid_by(5, NATURAL));
    let before = bench.names();
    let found = explained(&bench, "c:1001 in.jsonl");
    assert_eq!((&found["legs"], &found["first"]), (&5.into(), &"2026-03-02T09:00:00+08:00".into()));
    let near = &rule(&found, "T-001")["variants"][0];
    assert_eq!((&near["why"], &near["nearest"]["at"]), (&"conditions".into(), &"2026-03-02T13:00:00+08:00".into()));
    let condition = &near["nearest"]["conditions"][0];
    assert_eq!((&condition["measured"], &condition["threshold"], &condition["met"]), (&"5".into(), &"6".into(), &false.into()));
    assert_eq!(condition["distance"], serde_json::json!({"by": "1", "unit": "people"}));
    // Two of three hold nowhere; the money is there from the fifth payment on.
    let nearest = &rule(&found, "T-002")["variants"][0]["nearest"];
    assert_eq!((&nearest["required"], &nearest["met"]), (&3.into(), &1.into()));
    assert_eq!(nearest["conditions"][1]["met"], true);
    let joint = &nearest["conditions"][2];
    assert_eq!((&joint["joint"], &joint["met"]), (&"any".into(), &false.into()));
    let comparisons = joint["operands"][1]["comparisons"].as_array().expect("comparisons");
    assert_eq!(comparisons[0]["text"], "outlets(3d) >= 2");
    assert_eq!(comparisons[0]["distance"], serde_json::json!({"by": "2", "unit": "outlets"}));
    assert_eq!(rule(&found, "T-003")["variants"][0]["why"], "scope");
    shows(
        &bench,
        "c:1001 --lang zh in.jsonl",
        &[
            "T-001 测试规则  最接近于 2026-03-02 13:00：1 项条件满足 0 项",
            "差 1 人",
            "转入人数 5（须 ≥ 6）",
            "以下任一成立",
            "无法评估：代发工资协议、收单协议、慈善组织协议——主体没有在客户资料中登记",
            "不适用（只看关联客户组）：T-003",
        ],
    );
    shows(
        &bench,
        "c:1001 --lang en in.jsonl",
        &["off by 1 person", "nearest at 2026-03-02 13:00", "outlets(3d) >= 2   is 0", "natural_payers(3d) >= 6   is 5"],
    );
    assert_eq!(bench.names(), before, "nothing is written");
}

#[test]
fn a_multiple_is_told_in_times() {
    let bench = Bench::new();
    bench.write("rules/t004.yaml", OF_MULTIPLES);
    bench.write("even.jsonl", paying(&[100, 100, 100, 100]));
    shows(&bench, "c:1001 --lang zh even.jsonl", &["近3天付款金额四分位倍数 1倍（须 ≥ 2倍）", "差 1 倍"]);
    shows(&bench, "c:1001 --lang en even.jsonl", &["spread_out(3d) >= 2   is 1", "off by 1 times"]);
    bench.write("apart.jsonl", paying(&[100, 100, 310, 500]));
    bench.check("detect --alerts alerts apart.jsonl", 0, &[]);
    let alert: Value = serde_json::from_str(&bench.read("alerts")).expect("is one alert");
    assert_eq!(alert["reason"], "付款相差3.1倍");
    assert_eq!(alert["conditions"][1]["explain"], "付款金额四分位倍数 3.1倍 ≥ 2倍，满足");
}

#[test]
fn of_instants_that_are_equally_near_the_latest_is_told() {
    let bench = bench();
    // Five people at one time, and a single one weeks later: both miss the one condition of T-001, but T-002 has its money only before.
    let late = "{\"txn_id\":\"x\",\"occurred_at\":\"2026-04-20T10:00:00+08:00\",\"amount\":\"5\",\"payer_account\":\"p9\",\"payer_kind\":\"natural\",\"payee_customer\":\"1001\"}\n";
    bench.write("in.jsonl", paid_by(5, NATURAL) + late);
    let found = explained(&bench, "c:1001 in.jsonl");
    assert_eq!(rule(&found, "T-001")["variants"][0]["nearest"]["at"], "2026-04-20T10:00:00+08:00");
    assert_eq!(rule(&found, "T-002")["variants"][0]["nearest"]["at"], "2026-03-02T13:00:00+08:00");
}

#[test]
fn an_exclusion_that_held_names_its_owner_and_end() {
    let bench = bench();
    let out = "{\"txn_id\":\"o\",\"occurred_at\":\"2026-03-02T20:00:00+08:00\",\"amount\":\"900\",\"payer_customer\":\"1001\",\"payee_account\":\"x\"}\n";
    bench.write("in.jsonl", paid_by(6, NATURAL) + out);
    bench.write("p.csv", "customer,kind,agreements\n1001,organisation,acquiring:2027-01-01;charity:2027-01-01\n");
    let found = explained(&bench, "c:1001 --parties p.csv --set T-001.min_payers=7 in.jsonl");
    let variant = &rule(&found, "T-002")["variants"][0];
    assert_eq!((&variant["why"], &variant["nearest"]["met"]), (&"excluded".into(), &3.into()));
    // The other one is past its end.
    let expected = serde_json::json!([
        {"text": "agreement('acquiring')", "reason": "已核实收单商户", "owner": "运营部", "until": "2027-12-31"}
    ]);
    assert_eq!(variant["nearest"]["exclusions"], expected);
    shows(
        &bench,
        "c:1001 --lang zh --parties p.csv in.jsonl",
        &["条件全部满足，但属于可排除的情形", "排除情形成立：已核实收单商户（运营部负责，至 2027-12-31）"],
    );
}

#[test]
fn what_cannot_be_evaluated_says_what_data_it_lacks() {
    let bench = bench();
    bench.write("in.jsonl", paid_by(9, ""));
    let found = explained(&bench, "c:1001 in.jsonl");
    let nearest = &rule(&found, "T-001")["variants"][0]["nearest"];
    assert_eq!((&nearest["conditions"][0]["met"], &nearest["conditions"][0]["distance"]), (&Value::Null, &Value::Null));
    let unknown = &nearest["not_evaluable"][0];
    assert_eq!(unknown["feature"], "natural_payers(3d)");
    assert_eq!((&unknown["lacks"][0]["code"], &unknown["lacks"][0]["of_data"]), (&"counterparty_kinds".into(), &true.into()));
    shows(&bench, "c:1001 --lang zh in.jsonl", &["无法评估：近3天转入人数——流水没有写明对手方类型（payer_kind"]);
    // What is asked for being missing is so, or is not.
    bench.write("rules/t006.yaml", OF_MISSING);
    let words = [
        "natural_payers(3d) IS NULL   holds",
        "account_age() IS NOT NULL   does not hold",
        "NOT (in_count(3d) >= 100 AND payers(3d) >= 2)   holds",
    ];
    shows(&bench, "c:1001 --lang en in.jsonl", &words);
    shows(&bench, "c:1001 --lang zh in.jsonl", &["近3天转入人数缺数据", "开户时长缺数据（须 有数据）"]);
    // One feature over two windows is two things that lack something.
    bench.write("rules/t005.yaml", OF_TWO_WINDOWS);
    bench.write("in.jsonl", paid_by(2, NATURAL));
    shows(&bench, "c:1001 --lang zh in.jsonl", &["无法评估：近3天收款人中曾付款者占比、近10天收款人中曾付款者占比——"]);
}

#[test]
fn a_party_that_alerted_has_one_line() {
    let bench = bench();
    bench.write("in.jsonl", paid_by(6, NATURAL));
    bench.check("detect --alerts alerts in.jsonl", 0, &[]);
    let alert: Value = serde_json::from_str(&bench.read("alerts")).expect("is one alert");
    let found = explained(&bench, "c:1001 in.jsonl");
    let given = rule(&found, "T-001");
    assert_eq!(given["variants"], serde_json::json!([]));
    assert_eq!((&given["alerts"][0]["alert_id"], &given["alerts"][0]["level"]), (&alert["alert_id"], &alert["level"]));
    let text = shows(&bench, "c:1001 --lang zh in.jsonl", &["T-001 测试规则  已预警：2026-03-02 14:00 首次命中，中"]);
    assert_eq!(text.lines().filter(|line| line.contains("T-001")).count(), 1, "{text}");
}

#[test]
fn a_party_that_is_not_there_is_an_error_with_a_hint() {
    let bench = bench();
    bench.write("in.jsonl", paid_by(6, NATURAL));
    bench.write("p.csv", "customer,accounts\n1001,corp\n2002,idle\n");
    for (arguments, words) in [
        ("1001 in.jsonl", "party 1001; did you mean c:1001?"),
        ("a:corp in.jsonl", "did you mean c:1001?"),
        ("c:1011 in.jsonl", "did you mean c:1001?"),
        ("a:idle --parties p.csv in.jsonl", "note: a:idle is an account of customer c:2002, who is explained"),
        ("a:idle --parties p.csv in.jsonl", "c:2002 is in the party data, but"),
        ("c:2002 --parties p.csv in.jsonl", "c:2002 is in the party data, but"),
        ("c:1999 in.jsonl", "party c:1999; write c:CUSTOMER"),
        ("什么都不像的主体 in.jsonl", "c:CUSTOMER"),
        ("c:1001 missing.jsonl", "missing.jsonl"),
    ] {
        let done = bench.check(&format!("detect --explain-silence {arguments}"), 2, &[words]);
        assert!(done.stdout.is_empty());
    }
    bench.check("detect --lang zh --explain-silence 1001 in.jsonl", 2, &["输入中没有主体 1001 的流水；是否指 c:1001？"]);
    // Customers of one bank are not near to each other for that.
    bench.write("bank.jsonl", paid_by(2, NATURAL).replace("{\"txn_id\"", "{\"institution\":\"402753000018\",\"txn_id\""));
    let of_bank = |customer: &str, words: &str| {
        bench.check(&format!("detect --explain-silence c:402753000018/{customer} bank.jsonl"), 2, &[words]);
    };
    of_bank("1002", "did you mean c:402753000018/1001?");
    of_bank("7777", "party c:402753000018/7777; write c:CUSTOMER");
    bench.check("detect --explain-silence= in.jsonl", 3, &["--explain-silence names no party"]);
    bench.check("detect --lang zh --explain-silence= in.jsonl", 3, &["--explain-silence 没有写主体"]);
    bench.check("detect --explain-silence c:1001 --alerts out in.jsonl", 3, &["goes with no --alerts"]);
    bench.check("detect --lang zh --explain-silence c:1001 --to-state s in.jsonl", 3, &["不能与 --to-state 同用"]);
}

#[test]
fn an_account_that_party_data_knows_is_its_customers() {
    let bench = bench();
    bench.write("in.jsonl", paid_by(3, NATURAL));
    bench.write("p.csv", "customer,accounts\n1001,corp;other\n");
    for asked in ["corp", "a:corp", "other"] {
        assert_eq!(explained(&bench, &format!("{asked} --parties p.csv in.jsonl"))["party"], "c:1001", "{asked}");
    }
    bench.check("detect --lang zh --explain-silence corp --parties p.csv in.jsonl", 0, &["corp 是客户 c:1001 的账户，以下说明该客户"]);
}

#[test]
fn a_group_is_asked_by_its_own_key() {
    let bench = bench();
    bench.write("in.jsonl", paid_by(3, NATURAL));
    bench.write("p.csv", "customer,group\n1001,七家\n");
    let found = explained(&bench, "g:七家 --parties p.csv in.jsonl");
    let variant = &rule(&found, "T-003")["variants"][0];
    assert_eq!(variant["nearest"]["conditions"][0]["distance"], serde_json::json!({"by": "97", "unit": "transactions"}));
    assert_eq!(rule(&found, "T-001")["variants"][0]["why"], "scope");
    shows(&bench, "c:1001 --lang zh --parties p.csv in.jsonl", &["属于关联客户组 g:七家"]);
}

#[test]
fn a_failed_test_of_a_rule_names_the_nearest_instant() {
    let bench = Bench::new();
    bench.write("rules/t001.yaml", RULE.to_owned() + crate::FAILING_TEST);
    let told = bench.check("rule test --lang zh", 1, &[]).stdout;
    assert!(told.contains("最接近的时刻 2026-03-02T14:00:00+08:00") && told.contains("差 1 人"), "{told}");
}

#[test]
fn a_test_that_passes_because_its_rule_was_never_looked_at_says_so() {
    let bench = Bench::new();
    let day_end = |tests: &str| {
        format!(
            "version: 1\nid: T-002\ntitle: 日终\nstatus: active\nbasis: [测试依据]\nwindow: 7d\non: {{day_end: {{watch: [T-001]}}}}\n\
             require: [\"in_count('7d') >= 100\"]\nscore: {{base: 50, add: []}}\nlevels: {{medium: 50}}\nreason: \"{{in_count}}笔\"\n{tests}"
        )
    };
    let test = |name: &str, people: u32, row: &str| {
        format!(
            "  - name: {name}\n    transactions: |\n      occurred_at,payer_account,payee_account,amount,payer_kind,repeat,every\n      \
             2026-03-02 10:00,p#,corp,100,natural,{people},1h\n{row}    expect: nothing\n"
        )
    };
    let after = "      2026-03-03 10:00,q,other,1,natural,3,1d\n";
    bench.write("rules/t002.yaml", day_end(&format!("tests:\n{}{}", test("五人", 5, after), test("六人", 6, after))));
    let told = bench.check("rule test --lang zh --junit out.xml", 0, &[]).stdout;
    assert_eq!(told.matches("规则没有在任何日终评估，没有预警不说明条件不成立：T-001 命中后的 180 天内").count(), 1, "{told}");
    let (_, of_five) = told.split_once("五人").expect("was run");
    assert!(of_five.split_once("六人").expect("was run").0.contains("规则没有在任何日终评估"), "{told}");
    assert_eq!(bench.read("out.xml").matches("<system-out>").count(), 1);
}
