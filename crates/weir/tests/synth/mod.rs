//! A generated bank from its dials to the verdict on the alerts it gives rise to.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{Bench, lines};

/// The rules that ship.
const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");

/// A small bank with many schemes, in a folder of that name.
fn town(bench: &Bench, name: &str, more: &str) {
    bench.check(&format!("synth --out {name} --customers 300 --days 200 --per-scheme 50 --seed 3 {more}"), 0, &["schemes 6,"]);
}

fn detect(bench: &Bench, name: &str, file: &str) -> Vec<Value> {
    let with = format!("--rules {RULES} --feed {name}/feed.yaml --parties {name}/parties.csv --alerts {name}/alerts.jsonl");
    bench.check(&format!("detect {with} {name}/{file}"), 0, &[]);
    lines(&bench.read(&format!("{name}/alerts.jsonl")))
}

/// What alerts say apart from where it was read.
fn said(alerts: &[Value]) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut said: Vec<_> = alerts.iter().map(|alert| (text(&alert["alert_id"]), text(&alert["reason"]))).collect();
    said.sort();
    said
}

#[test]
fn a_bank_is_the_same_twice_and_says_the_same_in_every_form() {
    let bench = Bench::new();
    town(&bench, "a", "");
    town(&bench, "b", "");
    for file in ["transactions.jsonl", "parties.csv", "bank.json", "labels/customers.csv", "labels/schemes.csv", "labels/transactions.csv"]
    {
        let read = |town: &str| fs::read(bench.path(&format!("{town}/{file}"))).expect("a file");
        assert!(read("a") == read("b"), "{file}");
    }
    let of_lines = said(&detect(&bench, "a", "transactions.jsonl"));
    assert!(!of_lines.is_empty());
    for format in ["csv", "parquet"] {
        town(&bench, format, &format!("--format {format}"));
        assert_eq!(said(&detect(&bench, format, &format!("transactions.{format}"))), of_lines, "{format}");
    }
    // The same movements as rows of a ledger.
    town(&bench, "ledger", "--ledger");
    assert_eq!(said(&detect(&bench, "ledger", "transactions.jsonl")), of_lines);
}

#[test]
fn the_feed_says_nothing_of_the_labels() {
    let bench = Bench::new();
    for more in ["", "--ledger", "--without-parties"] {
        town(&bench, "a", more);
        let mapping = bench.read("a/feed.yaml");
        let mapped: BTreeSet<&str> = mapping.lines().filter_map(|line| Some(line.strip_prefix("  ")?.split_once(": ")?.1)).collect();
        let feed = bench.read("a/transactions.jsonl");
        for row in lines(&feed) {
            let unmapped: Vec<_> = row.as_object().expect("an object").keys().filter(|key| !mapped.contains(key.as_str())).collect();
            assert!(unmapped.is_empty(), "{more}: a column beside those of the feed: {unmapped:?}");
        }
        for word in ["scheme", "benign", "grey", "collector", "payout", "organiser", "mule"] {
            assert!(!feed.contains(word), "{more}: {word}");
        }
    }
}

#[test]
fn a_bank_that_ends_before_its_schemes_begin_says_so() {
    let bench = Bench::new();
    bench.check("synth --out a --customers 20 --days 5 --per-scheme 10", 0, &["schemes 2, of which 0 have been paid into, rows"]);
    bench.check("synth --lang zh --out a --customers 20 --days 5 --per-scheme 10", 0, &["团伙 2 个（0 个已有人付款），流水"]);
    bench.check("synth --out a --customers 20 --days 2 --per-scheme 0", 0, &["schemes 0, rows"]);
    // The last day that is known.
    bench.check("synth --out a --customers 20 --from 2030-12-30 --days 2", 0, &[]);
}

#[test]
fn a_second_bank_in_a_folder_leaves_nothing_of_the_first_behind() {
    let bench = Bench::new();
    bench.write("a/parties.csv", "somebody's own\n");
    bench.check("synth --out a --customers 20 --days 2 --without-parties --format csv", 0, &[]);
    assert_eq!(bench.read("a/parties.csv"), "somebody's own\n", "there was no bank before");
    bench.check("synth --out a --customers 20 --days 2", 0, &[]);
    assert!(!bench.path("a/transactions.csv").exists());
    bench.check("synth --out a --customers 20 --days 2 --without-parties --format parquet", 0, &[]);
    let left: BTreeSet<String> =
        fs::read_dir(bench.path("a")).expect("a folder").map(|file| file.expect("an entry").file_name().display().to_string()).collect();
    assert_eq!(left, BTreeSet::from(["bank.json", "feed.yaml", "labels", "transactions.parquet"].map(str::to_owned)));
    bench.check("synth --out a --customers 20 --days 2 --transactions ./a/transactions.jsonl", 0, &[]);
    assert!(
        bench.path("a/transactions.jsonl").exists() && !bench.path("a/transactions.parquet").exists(),
        "its own stays, however it is named"
    );
}

#[test]
fn alerts_are_judged_by_their_labels() {
    let bench = Bench::new();
    town(&bench, "a", "--hold investors=90 --hold visible=900 --hold payout=0 --hold pays_here=1 --hold begin=10");
    let alerts = detect(&bench, "a", "transactions.jsonl");
    let score = |alerts: &str, labels: &str| -> Value {
        let done = bench.check(&format!("eval --json --alerts {alerts} --labels {labels}"), 0, &[]);
        serde_json::from_str(&done.stdout).expect("JSON")
    };
    let judged = score("a/alerts.jsonl", "a");
    // Rules on trial say nothing yet.
    let alerts: Vec<Value> = alerts.into_iter().filter(|alert| alert["rule"]["shadow"] == false).collect();
    assert_eq!(judged["alerts"].as_u64(), Some(alerts.len() as u64));
    let all = &judged["sizes"][0]["found"];
    assert_eq!(all["of"].as_u64(), Some(6));
    assert!(all["hits"].as_u64() >= Some(3), "{all}");
    // Recounted from the files themselves.
    let customers = bench.read("a/labels/customers.csv");
    let is_own = |party: &str| {
        customers
            .lines()
            .map(|line| line.split(',').collect::<Vec<_>>())
            .any(|fields| fields[0] == party && fields[1] == "scheme" && ["collector", "pool", "payout", "group"].contains(&fields[4]))
    };
    let right = alerts.iter().filter(|alert| alert["subject"]["party"].as_str().is_some_and(is_own)).count();
    assert_eq!(judged["precision"]["hits"].as_u64(), Some(right as u64));
    // Nothing said is nothing found, and nothing wrong.
    bench.write("none.jsonl", "");
    let none = score("none.jsonl", "a/labels");
    assert_eq!((none["false_alerts"].as_u64(), none["sizes"][0]["found"]["hits"].as_u64()), (Some(0), Some(0)));
    // Scores added up are those of all banks judged at once.
    for (name, score) in [("judged.json", &judged), ("none.json", &none)] {
        bench.write(name, score.to_string());
    }
    let printed = |arguments: &str| -> Value {
        serde_json::from_str(&bench.check(&format!("eval --json {arguments}"), 0, &[]).stdout).expect("JSON")
    };
    let at_once = printed("--alerts a/alerts.jsonl --labels a --alerts none.jsonl --labels a");
    assert_eq!(printed("--scores judged.json none.json"), at_once);
    let twice = printed("--scores judged.json judged.json");
    assert!(twice["sizes"][0]["lead_days"].is_array());
    // Those that an earlier version wrote lack how many were found how long before: there are no quartiles of both.
    let mut earlier = judged.clone();
    earlier["sizes"][0].as_object_mut().expect("an object").remove("leads");
    earlier.as_object_mut().expect("an object").remove("at_payers");
    bench.write("earlier.json", earlier.to_string());
    let mixed = printed("--scores judged.json earlier.json");
    assert_eq!((&mixed["sizes"][0]["lead_days"], &mixed["at_payers"]), (&Value::Null, &Value::Array(Vec::new())));
    assert_eq!(twice["sizes"][0]["found"]["of"].as_u64(), Some(12));
    for name in ["false_per_10000_customers_and_month", "alerts_a_day"] {
        assert_eq!(twice[name], judged[name]);
    }
    let of_rule = |name: &str, field: &str| judged["rules"][name][field].as_u64().unwrap_or_default();
    let rules = judged["rules"].as_object().expect("rules").keys().filter(|name| !name.ends_with("on trial"));
    let alone: u64 = rules.map(|name| of_rule(name, "alone")).sum();
    assert!(alone <= judged["groups"]["recall"]["hits"].as_u64().expect("a count"), "who is found by one alone is found");
    // An investor who pays elsewhere is no payer here.
    let accounts = bench.read("a/labels/accounts.csv");
    let payers = |text: &str| text.lines().filter(|line| line.contains(",payer,") && line.contains("c:")).count();
    assert!((1..payers(&customers)).contains(&payers(&accounts)));
    bench.check("eval --scores a/bank.json", 2, &["no score of weir eval --json"]);
    let markdown = bench.check("eval --markdown --alerts a/alerts.jsonl --labels a", 0, &[]);
    assert!(markdown.stdout.contains("| schemes | found |"), "{}", markdown.stdout);
}

#[test]
fn an_interrupted_bank_leaves_no_file() {
    let bench = Bench::new();
    let mut command = bench.interruptible();
    command.args(["synth", "--out", "x", "--customers", "20000", "--from", "2020-01-01", "--days", "4000"]).stderr(Stdio::piped());
    let mut child = command.spawn().expect("runs");
    // It is under way once the labels of its rows are begun, and has eleven years to go.
    let labels = bench.path("x/labels");
    while !fs::read_dir(&labels).is_ok_and(|mut files| files.next().is_some()) {
        assert_eq!(child.try_wait().expect("can be asked"), None, "ended early");
        std::thread::yield_now();
    }
    assert!(Command::new("kill").arg("-INT").arg(child.id().to_string()).status().expect("runs").success());
    assert_eq!(child.wait().expect("ends").code(), Some(130));
    assert!(!bench.path("x").exists(), "no folder either");
}

#[test]
fn a_bank_that_cannot_be_written_leaves_nothing() {
    let bench = Bench::new();
    let before = bench.names();
    let synth = |out: &str, more: &str| format!("synth --out {out} --customers 20 --days 2 {more}");
    let nowhere = "--transactions nowhere/t.jsonl";
    bench.check(&synth("x/y", nowhere), 3, &["cannot write nowhere/t.jsonl", "check that the folder exists"]);
    for other in ["feed.yaml", "parties.csv", "bank.json", "labels/customers.csv", "labels/../labels/transactions.csv"] {
        bench.check(&synth("x/y", &format!("--transactions x/y/{other}")), 3, &["is the place of another file of the bank"]);
    }
    assert_eq!(bench.names(), before);
    bench.write("file", "");
    bench.check(&synth("file", ""), 3, &["cannot make the folder file/labels", "or name another"]);
    bench.check(&synth("file/x", "--lang zh"), 3, &["无法建立目录 file/x/labels"]);
    // What was there stays, and so does its folder.
    bench.write("x/own", "");
    bench.check(&synth("x", nowhere), 3, &[]);
    assert!(bench.path("x/own").exists() && !bench.path("x/labels").exists());
}

#[test]
fn labels_and_dials_that_are_none_are_told() {
    let bench = Bench::new();
    bench.check("synth --out x --hold investor=60", 3, &["did you mean `investors`?"]);
    bench.check("synth --out x --hold investors", 3, &["write DIAL=VALUE"]);
    for value in ["many", "0", "-5"] {
        bench.check(&format!("synth --out x --hold investors={value}"), 3, &["investors takes a whole number from 1 to 1000000 (people)"]);
    }
    bench.check("synth --lang zh --out x --hold visible=1001", 3, &["visible：取 0 至 1000 的整数（千分之）"]);
    bench.check("synth --out x --from 2024-02-30", 3, &["no date"]);
    bench.check("synth --out x --from 2035-01-01", 3, &["--from 2035-01-01 is not in the years 2019 to 2030"]);
    bench.check("synth --lang zh --out x --from 2018-12-31", 3, &["--from 2018-12-31：须在 2019 年至 2030 年之间"]);
    bench.check("synth --out x --days 4000", 3, &["--days 4000 from 2024-01-01 on end on 2034-12-13, after 2030"]);
    bench.check("synth --lang zh --out x --from 2030-12-31 --days 2", 3, &["到 2031-01-01 为止"]);
    bench.check("synth --out x --hold investors=5 --hold life=90 --hold investors=5", 3, &["--hold investors is given more than once"]);
    bench.check("synth --out x --with fee", 3, &["did you mean `fees`?", "fees, loans, zipf, devices"]);
    bench.check("synth --lang zh --out x --with fees,", 3, &["--with：没有 ``"]);
    bench.check("synth --out x --customers 3", 3, &["--customers takes 20 to", "not 3"]);
    bench.check("synth --out x --format xml", 3, &["--format is one of"]);
    bench.check("eval --alerts a --alerts b --labels x", 3, &["there are 2 and 1"]);
    bench.check("eval --alerts a --labels x", 2, &["cannot read x", "a folder written by weir synth"]);
    bench.check("eval --json --markdown --alerts a --labels x", 3, &["two forms of one answer"]);
    assert!(!bench.path("x").exists());
    // Nothing of a line that is no alert is quoted.
    bench.write("other.jsonl", r#"{"alert_id": "a", "status": "opened", "rule": "王某某"}"#);
    bench.check("synth --out w --customers 20 --days 2", 0, &[]);
    let told = bench.check("eval --alerts other.jsonl --labels w", 2, &["other.jsonl:1", "a field of another type; --alerts is"]);
    assert!(!told.stderr.contains("王某某"), "{}", told.stderr);
    bench.check("eval --alerts w/transactions.jsonl --labels w", 2, &["missing field `alert_id`; --alerts is"]);
    // Schemes that nobody could be asked to find have neither recall nor F1.
    bench.write("silent.jsonl", "");
    let silent = bench.check("eval --markdown --alerts silent.jsonl --labels w", 0, &[]).stdout;
    assert!(silent.contains("| F1, by scheme | – |"), "{silent}");
    bench.check("eval --scores nowhere.json", 2, &["cannot read nowhere.json", "--scores are files written by weir eval --json"]);
    // The alert is of March 2026.
    bench.write("alerts.jsonl", include_str!("../alert.json").replace('\n', " "));
    bench.check("synth --out y --customers 20 --days 2 --from 2026-03-01", 0, &[]);
    bench.check("eval --alerts alerts.jsonl --labels y", 2, &["none of the customers alerted is in y/parties.csv"]);
    // Party data need not name an institution.
    bench.write("y/parties.csv", "customer,name,kind\n1001,某某,natural\n");
    bench.check("eval --alerts alerts.jsonl --labels y", 0, &[]);
    // Labels of one's own need to be told of the bank.
    let about = bench.read("y/bank.json");
    fs::remove_file(bench.path("y/bank.json")).expect("was there");
    bench.check("eval --alerts alerts.jsonl --labels y", 2, &["there is no bank.json beside it", "all_customers"]);
    bench.write("bank.json", about.replace("\"all_customers\": 2", "\"all_customers\": 9"));
    bench.write("y/labels/bank.json", &about);
    bench.check("eval --alerts alerts.jsonl --labels y/labels/customers.csv", 0, &[]);
    fs::rename(bench.path("y/labels"), bench.path("mine")).expect("a folder");
    let judged = bench.check("eval --json --alerts alerts.jsonl --labels mine", 0, &[]).stdout;
    let (judged, about): (Value, Value) = (serde_json::from_str(&judged).expect("JSON"), serde_json::from_str(&about).expect("JSON"));
    assert_eq!(judged["customers"], about["all_customers"], "not those of another bank.json above the folder");
    bench.check("synth --out y --customers 20 --days 2 --from 2026-03-02", 0, &[]);
    bench.check("eval --alerts alerts.jsonl --labels y", 2, &["alerts.jsonl:1", "before the bank's first day"]);
}
