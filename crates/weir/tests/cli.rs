//! The real binary, driven as people and schedulers drive it: exit codes, outputs, and what is left behind when something goes wrong.
//!
//! Everything slower tests could show of answers is shown elsewhere; here is what only a process can show.

mod kafka;
mod link;
mod malformed;
mod schemas;
mod silence;
mod synth;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

/// A rule with a low threshold, so that a few transactions make an alert.
const RULE: &str = r#"version: 1
id: T-001
revision: 1
title: 测试规则
status: active
basis: [测试依据]
subject: [organisation, sole_trader, natural]
scope: customer
quiet: 5d
window: $window
params:
  window: {type: window, default: 3d, why: 测试}
  min_payers: {type: int, default: 6, min: 1, max: 1000, why: 测试}
require:
  - "natural_payers($window) >= $min_payers"
score:
  base: 50
  add:
    - {when: "amount_in($window) >= 200000", points: 20, reason: "转入{amount_in|万元}"}
levels: {medium: 50, high: 70}
reason: "{window|zh}内{natural_payers}人转入{amount_in|万元}"
tests:
  - name: 六人转入
    transactions: |
      occurred_at,payer_account,payee_account,amount,payer_kind,repeat,every
      2026-03-02 10:00,p#,corp,100,natural,6,1h
    expect:
      - {party: 'a:corp', level: medium, people: 6}
  - name: 五人转入
    transactions: |
      occurred_at,payer_account,payee_account,amount,payer_kind,repeat,every
      2026-03-02 10:00,p#,corp,100,natural,5,1h
    expect: nothing
"#;

/// A test that expects what does not come.
const FAILING_TEST: &str = r"  - name: 少一人也要命中
    transactions: |
      occurred_at,payer_account,payee_account,amount,payer_kind,repeat,every
      2026-03-02 10:00,p#,corp,100,natural,5,1h
    expect:
      - {party: 'a:corp'}
";

/// A folder of its own for each test.
struct Bench {
    folder: tempfile::TempDir,
}

/// What a run left.
struct Outcome {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Bench {
    /// With the rule above in `rules/`.
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().expect("a folder") };
        fs::create_dir(bench.path("rules")).expect("a folder");
        bench.write("rules/t001.yaml", RULE);
        bench
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("is in the folder")).expect("a folder");
        fs::write(path, content).expect("writes");
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names in the folder, hidden ones included.
    fn names(&self) -> BTreeSet<String> {
        fs::read_dir(self.folder.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name().display().to_string())
            .collect()
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).env("LC_ALL", "C.UTF-8").env_remove("NO_COLOR").stdin(Stdio::null());
        command
    }

    /// The program with the signals of a terminal as a terminal leaves them. A shell starts its background jobs with some of them ignored,
    /// the test would hand that on, and a run that ignores what it is sent never ends.
    fn interruptible(&self) -> Command {
        let mut command = self.command(Path::new("env"));
        command.args(["--default-signal=INT,HUP,TERM", env!("CARGO_BIN_EXE_weir")]);
        command
    }

    fn weir(&self, arguments: &str) -> Outcome {
        let mut command = self.command(Path::new(env!("CARGO_BIN_EXE_weir")));
        let output = command.args(arguments.split_whitespace()).output().expect("runs");
        Outcome {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("is UTF-8"),
        }
    }

    /// Runs, and holds the exit code and the words on standard error against what is expected.
    fn check(&self, arguments: &str, code: i32, words: &[&str]) -> Outcome {
        let outcome = self.weir(arguments);
        assert_eq!(outcome.code, Some(code), "weir {arguments}\n{}", outcome.stderr);
        for word in words {
            assert!(outcome.stderr.contains(word), "weir {arguments}: no `{word}` in\n{}", outcome.stderr);
        }
        outcome
    }

    /// Runs with every output, expecting success; returns the outputs' bytes.
    fn outputs(&self, options: &str, input: &str) -> Vec<String> {
        const NAMES: [&str; 5] = ["alerts", "office", "large", "dead", "late"];
        let arguments =
            format!("detect {options} --alerts alerts --office office --large-amount large --dead-letters dead --late late {input}");
        self.check(&arguments, 0, &[]);
        NAMES.map(|name| self.read(name)).to_vec()
    }
}

/// Twenty days of transfers among a few hundred accounts, with every kind of record that is not plain.
fn transactions(records: u64) -> String {
    let mut text = String::new();
    for i in 1..=records {
        let line = match i {
            i if i.is_multiple_of(97) => "{\"txn_id\": \"broken\", \"amo".to_owned(),
            i if i.is_multiple_of(101) => transfer(i, i, "0", ""),
            i if i.is_multiple_of(211) => transfer(i - 1, i - 1, &amount(i - 1), ""),
            i if i.is_multiple_of(307) => transfer(i - 1, i - 1, "7.77", ""),
            i if i.is_multiple_of(401) => {
                transfer(i, i - 5, &amount(i - 5), &format!(",\"reverses\":\"t{}\",\"reversal_kind\":\"cancel\"", i - 5))
            }
            i if i.is_multiple_of(1009) => transfer(i, i - 1000, "10.00", ""),
            i => transfer(i, i, &amount(i), ""),
        };
        text.push_str(&line);
        text.push('\n');
    }
    text
}

fn amount(i: u64) -> String {
    if i.is_multiple_of(53) { "600000.00".to_owned() } else { format!("{}.00", 100 + i * 37 % 9000) }
}

/// Transfer `id` as of the time and between the sides of the `like`-th.
fn transfer(id: u64, like: u64, amount: &str, more: &str) -> String {
    let minutes = like * 10;
    let (day, hour, minute) = (1 + minutes / 1440, minutes / 60 % 24, minutes % 60);
    let (payer, payee) = (like * 7 % 300, like * like % 41);
    format!(
        "{{\"txn_id\":\"t{id}\",\"occurred_at\":\"2026-03-{day:02}T{hour:02}:{minute:02}:00+08:00\",\"amount\":\"{amount}\",\
         \"payer_account\":\"p{payer}\",\"payer_kind\":\"natural\",\"payer_name\":\"人{payer}\",\"payee_account\":\"corp{payee}\",\
         \"payee_kind\":\"organisation\",\"payee_name\":\"公司{payee}\",\"payee_division\":\"4690{:02}\"{more}}}",
        payee % 40 + 10
    )
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).expect("is JSON")).collect()
}

#[test]
fn outputs_do_not_depend_on_shards_and_batches() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    for mode in ["", "--revisions"] {
        let expected = bench.outputs(&format!("{mode} --shards 1"), "in.jsonl");
        for output in &expected[..4] {
            assert!(!output.is_empty(), "the input must reach every output");
        }
        for shards in [1, 2, 3, 8] {
            for batch in [1, 777, 100_000] {
                let found = bench.outputs(&format!("{mode} --shards {shards} --batch {batch}"), "in.jsonl");
                assert!(found == expected, "{mode} --shards {shards} --batch {batch}");
            }
        }
    }
}

#[test]
fn a_run_cut_in_two_says_what_one_run_says() {
    let bench = Bench::new();
    let all = transactions(2800);
    let cut = all.match_indices('\n').nth(1399).expect("has that many lines").0 + 1;
    bench.write("in.jsonl", &all);
    bench.write("in1.jsonl", &all[..cut]);
    bench.write("in2.jsonl", &all[cut..]);
    let whole = bench.outputs("--revisions", "in.jsonl");
    let first = bench.outputs("--revisions --to-state state --shards 3", "in1.jsonl");
    let second = bench.outputs("--revisions --from-state state --shards 2", "in2.jsonl");
    for (at, name) in ["alerts", "office", "large", "dead", "late"].into_iter().enumerate() {
        let said: Vec<Value> = lines(&whole[at]).into_iter().map(without_place).collect();
        let said_in_parts: Vec<Value> = lines(&(first[at].clone() + &second[at])).into_iter().map(without_place).collect();
        assert_eq!(said, said_in_parts, "{name}");
    }
}

/// An alert is proved from its inputs, and refuted where what was said of it ends too early.
#[test]
fn a_revision_that_was_held_back_is_missed() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    let all = bench.outputs("--revisions", "in.jsonl").swap_remove(0);
    let most = lines(&all).into_iter().max_by_key(|alert| alert["revision"].as_u64()).expect("an alert");
    let (id, last) = (most["alert_id"].as_str().expect("an id"), most["revision"].as_u64().expect("a number"));
    assert!(last > 2, "{last} revisions are too few to leave some out");
    let of_it: Vec<&str> = all.lines().filter(|line| line.contains(id)).collect();
    let verify = |said: &[&str], code: i32| {
        bench.write("said.jsonl", said.join("\n"));
        bench.check(&format!("verify-alert {id} --alerts said.jsonl in.jsonl"), code, &[]).stdout
    };
    assert!(verify(&of_it, 0).starts_with(&format!("proved  alert {id}, {last} revisions")));
    assert!(verify(&of_it[of_it.len() - 1..], 0).starts_with("proved"), "a file of final states has the last alone");
    let missing = |number: u64| format!("revision {number}: the records give it, but it was not said");
    let held_back = verify(&of_it[..of_it.len() - 1], 1);
    assert!(held_back.contains(&missing(last)), "{held_back}");
    let first_alone = verify(&of_it[..1], 1);
    assert!(first_alone.contains(&missing(2)), "{first_alone}");
}

/// Without what names the file: the same record stands elsewhere in a part.
fn without_place(mut line: Value) -> Value {
    let fields = line.as_object_mut().expect("is an object");
    for field in ["detected_from", "source", "record", "line", "offset"] {
        fields.remove(field);
    }
    line
}

#[test]
fn alerts_name_their_subject_and_place_and_the_office_sees_no_more_than_it_may() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(1500));
    let outputs = bench.outputs("--bank-contact 行内联系人", "in.jsonl");
    let (alerts, office) = (lines(&outputs[0]), lines(&outputs[1]));
    for alert in &alerts {
        let party = alert["subject"]["party"].as_str().expect("has a party");
        let account = party.strip_prefix("a:").expect("is an account");
        assert_eq!(alert["subject"]["name"], account.replace("corp", "公司"));
        assert_eq!(alert["subject"]["accounts"], serde_json::json!([account]));
        assert_eq!(alert["detected_from"]["source"], "in.jsonl");
        assert_eq!(alert["addressees"][0]["division"], alert["subject"]["division"]);
    }
    assert_eq!(office.len(), alerts.len());
    let expected: BTreeSet<&str> = [
        "schema_version",
        "alert_id",
        "revision",
        "status",
        "pattern",
        "subject",
        "level",
        "window",
        "people_in",
        "people_out",
        "people",
        "amount_in",
        "amount_out",
        "amount_since_first",
        "outstanding_estimate",
        "scope",
        "narrative",
        "basis",
        "addressee",
        "bank_contact",
    ]
    .into();
    for message in &office {
        let found: BTreeSet<&str> = message.as_object().expect("is an object").keys().map(String::as_str).collect();
        assert_eq!(found, expected);
        assert_eq!(message["bank_contact"], "行内联系人");
    }
}

#[test]
fn an_alert_on_a_group_shows_the_accounts_of_its_members() {
    let bench = Bench::new();
    let of_group = RULE.replace("scope: customer", "scope: group");
    assert_ne!(of_group, RULE);
    bench.write("rules/t001.yaml", of_group);
    bench.write("p.csv", "customer,accounts,name,group\n1,corp0,甲,七家\n2,corp1,乙,七家\n");
    bench.write("in.jsonl", transactions(300));
    bench.check("detect --parties p.csv --alerts a.jsonl in.jsonl", 0, &[]);
    let alerts = lines(&bench.read("a.jsonl"));
    assert!(!alerts.is_empty());
    for alert in &alerts {
        assert_eq!(alert["subject"]["party"], "g:七家");
        assert_eq!(alert["subject"]["accounts"], serde_json::json!(["corp0", "corp1"]));
        assert_eq!(alert["subject"]["name"], "", "nobody's name is the group's");
    }
}

#[test]
fn dead_letters_keep_the_record_untouched() {
    let bench = Bench::new();
    let mut input = transactions(120).into_bytes();
    input.extend(b"\xff\xfe not text\n");
    bench.write("in.jsonl", input);
    let dead = lines(&bench.outputs("", "in.jsonl")[3]);
    let found: Vec<_> = dead.iter().map(|row| (row["reason"].as_str().expect("a reason"), row["line"].as_u64().expect("a line"))).collect();
    assert_eq!(found, [("malformed", 97), ("amount_zero", 101), ("bad_encoding", 121)]);
    assert_eq!(dead[0]["original"], "{\"txn_id\": \"broken\", \"amo");
    assert_eq!((&dead[1]["field"], &dead[1]["source"]), (&"amount".into(), &"in.jsonl".into()));
    assert_eq!(dead[2]["original_base64"], "//4gbm90IHRleHQ=");
}

#[test]
fn the_summary_counts_what_the_outputs_hold() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    let outcome = bench.check("detect --json --alerts alerts --large-amount large --summary summary in.jsonl", 0, &[]);
    let summary: Value = serde_json::from_str(&outcome.stderr).expect("is JSON");
    assert_eq!(summary, serde_json::from_str::<Value>(&bench.read("summary")).expect("is JSON"));
    assert_eq!(summary["records"], 2800);
    let count = |name: &str| summary[name].as_u64().expect("a count");
    assert!(count("instants_gated") >= count("instants_scanned") && count("instants_scanned") >= count("hits") && count("hits") > 0);
    let total = |counts: &Value| counts.as_object().expect("is an object").values().filter_map(Value::as_u64).sum::<u64>();
    let alerts = lines(&bench.read("alerts"));
    let withdrawn = alerts.iter().filter(|alert| alert["status"] == "withdrawn").count() as u64;
    assert_eq!(total(&summary["alerts"]["T-001"]) + withdrawn, alerts.len() as u64);
    assert_eq!(
        total(&summary["large_amount"]) + summary["large_amount_withdrawn"].as_u64().expect("a count"),
        lines(&bench.read("large")).len() as u64
    );
    assert_eq!(summary["dead_letters"]["malformed"], 2800 / 97);
}

#[test]
fn what_cannot_run_says_what_to_do_and_leaves_nothing() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(1500));
    bench.write("in.csv", "流水号,when,sum\n1,2026-03-01,5\n");
    bench.write("record.csv", "6222020200112233445,李四,2026-03-01,5\n6222020200112233446,王五,2026-03-01,5\n");
    bench.write("returns.csv", "流水号,时间,金额,账号\r1,2026-03-01,5,A\r");
    bench.write("sheet.csv", b"PK\x03\x04 and more");
    bench.write("feed.yaml", "version: 1\nfields:\n  txn_id: 流水号\n  occurred_at: 时间\n  amount: 金额\n  payer_account: 账号\n");
    bench.write("wrong.jsonl", "{\"id\":1,\"sum\":2}\n".repeat(1500));
    bench.write("short.jsonl.gz", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03\xab");
    bench.write("state", "not a state");
    fs::create_dir(bench.path("none")).expect("a folder");
    bench.write("none/tags.yaml", "version: 1\ntags:\n  - {name: invest, zh: 投资, keywords: [投资]}\n");
    fs::create_dir(bench.path("bad")).expect("a folder");
    bench.write("bad/t.yaml", RULE.replace("natural_payers($window)", "natural_payer($window)"));
    let before = bench.names();
    let all = "--alerts out --large-amount out2 --dead-letters out3";
    for (arguments, code, words) in [
        (format!("detect {all} --rules bad in.jsonl"), 2, &["R0403", "t.yaml", "natural_payers"][..]),
        (format!("detect {all} --rules nowhere in.jsonl"), 2, &["nowhere"]),
        (format!("detect {all} missing.jsonl"), 2, &["missing.jsonl"]),
        (format!("detect {all} short.jsonl.gz"), 2, &["short.jsonl.gz", "too early"]),
        (format!("detect {all} --feed feed.yaml in.csv"), 2, &["时间", "`when`"]),
        (format!("detect {all} --feed feed.yaml record.csv"), 2, &["金额", "looks like a record", "csv: columns:", "skip_lines"]),
        (format!("detect {all} --lang zh --feed feed.yaml record.csv"), 2, &["金额", "首行像是一条记录"]),
        (format!("detect {all} --feed feed.yaml returns.csv"), 2, &["carriage returns", "tr "]),
        (format!("detect {all} --lang zh sheet.csv"), 2, &["ZIP", ".xlsx"]),
        (format!("detect {all} wrong.jsonl"), 2, &["1000 of the first 1000", "wrong.jsonl:1: missing_field", "--feed"]),
        (format!("detect {all} --lang zh wrong.jsonl"), 2, &["错误：", "缺少必填字段", "--feed"]),
        (format!("detect {all} --from-state state in.jsonl"), 2, &["state"]),
        (format!("detect {all} --set T-001.min_payer=5 in.jsonl"), 3, &["min_payers"]),
        (format!("detect {all} --set T-002.min_payers=5 in.jsonl"), 3, &["T-001"]),
        (format!("detect {all} --format xml in.jsonl"), 3, &["--format"]),
        (format!("detect {all} --shard 2 in.jsonl"), 3, &["--shards"]),
        (format!("detect {all} --lang zh --shard 2 in.jsonl"), 3, &["没有选项 `--shard`；是否想写 `--shards`？"]),
        ("detect --alerts nowhere/out in.jsonl".to_owned(), 3, &["nowhere/out"]),
        ("detect --alerts in.jsonl in.jsonl".to_owned(), 3, &["would overwrite"]),
        ("detect --alerts ./in.jsonl .".to_owned(), 3, &["would overwrite"]),
        ("detect --alerts out --late out in.jsonl".to_owned(), 3, &["same place"]),
        ("detect --alerts /dev/full in.jsonl".to_owned(), 3, &["disk is full", "/dev/full"]),
        ("detect --alerts out --large-amount /dev/full in.jsonl".to_owned(), 3, &["/dev/full"]),
        ("detect --large-amount a/ in.jsonl".to_owned(), 3, &["--large-amount a/", "folder"]),
        ("detect --shards 100000 in.jsonl".to_owned(), 3, &["--shards", "256"]),
        ("detect --json in.jsonl missing.jsonl".to_owned(), 2, &["{\"error\":{", "\"code\":\"bad_input\"", "\"exit\":2"]),
        ("detect --json --lang zh --shard 2 in.jsonl".to_owned(), 3, &["\"code\":\"usage\"", "没有选项 `--shard`"]),
        (format!("detect {all} --rules none in.jsonl"), 2, &["none holds no rule"]),
        ("rule check none".to_owned(), 2, &["none holds no rule"]),
        ("rule list --lang zh none".to_owned(), 2, &["none 中没有规则"]),
        ("rule test --run nothing".to_owned(), 3, &["`nothing`", "--run"]),
        ("detekt in.jsonl".to_owned(), 3, &["`detect`"]),
        ("rule features natural_payrs".to_owned(), 3, &["natural_payers"]),
        ("rule explain-code R9999".to_owned(), 3, &["R9999"]),
    ] {
        let outcome = bench.check(&arguments, code, words);
        assert!(outcome.stdout.is_empty(), "weir {arguments}: {}", outcome.stdout);
        assert_eq!(bench.names(), before, "weir {arguments} left something");
    }
}

#[test]
fn a_file_that_may_grow_no_further_is_not_left_half() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    let before = bench.names();
    // A bound on file sizes is the full disk that needs no disk: 8 blocks of 512 bytes or of 1 KiB, whichever the shell means.
    let script = format!("ulimit -f 8; exec {} detect --alerts out in.jsonl", env!("CARGO_BIN_EXE_weir"));
    let output = bench.command(Path::new("sh")).arg("-c").arg(script).output().expect("runs");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{words}");
    assert!(words.contains("ulimit -f") && !words.contains(".part"), "{words}");
    assert_eq!(bench.names(), before);
}

#[test]
fn an_open_descriptor_is_written_through() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    bench.check("detect --alerts expected in.jsonl", 0, &[]);
    let before = bench.names();
    let weir = env!("CARGO_BIN_EXE_weir");
    for (script, expected) in [
        (format!("{weir} detect --alerts /proc/self/fd/1 in.jsonl > expected2"), bench.read("expected")),
        (
            format!("echo before > expected2; {weir} detect --alerts /dev/fd/3 in.jsonl 3>> expected2"),
            format!("before\n{}", bench.read("expected")),
        ),
    ] {
        let output = bench.command(Path::new("sh")).arg("-c").arg(&script).output().expect("runs");
        assert!(output.status.success(), "{script}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(bench.read("expected2") == expected, "{script}");
        fs::remove_file(bench.path("expected2")).expect("is there");
        assert_eq!(bench.names(), before);
    }
}

#[test]
fn temporary_files_say_where_they_would_lie() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(500));
    let before = bench.names();
    for (options, words) in [("--sort --large-amount large", "sorting"), ("", "a temporary file")] {
        let mut command = bench.command(Path::new(env!("CARGO_BIN_EXE_weir")));
        command.args(["detect", "--alerts", "out", "in.jsonl"]).args(options.split_whitespace()).env("TMPDIR", bench.path("nowhere"));
        let output = command.output().expect("runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{text}");
        assert!(text.contains(words) && text.contains("nowhere") && text.contains("TMPDIR"), "{text}");
        assert_eq!(bench.names(), before);
    }
}

#[test]
fn a_signal_ends_a_run_that_waits_for_its_first_input() {
    use std::os::unix::process::ExitStatusExt;
    for (signal, number) in [("INT", 2), ("TERM", 15)] {
        let bench = Bench::new();
        let made = Command::new("mkfifo").arg(bench.path("pipe")).status().expect("runs");
        assert!(made.success());
        let before = bench.names();
        let mut command = bench.interruptible();
        let mut child = command.args(["detect", "--parties", "pipe", "--alerts", "out", "in.jsonl"]).spawn().expect("runs");
        // Nobody writes into the pipe, so opening it waits: once the process sleeps there, or wherever before, a signal ends it.
        let status = format!("/proc/{}/status", child.id());
        while !fs::read_to_string(&status).is_ok_and(|text| text.contains("State:\tS")) {
            assert_eq!(child.try_wait().expect("can be asked"), None, "ended early");
            std::thread::yield_now();
        }
        assert!(Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().expect("runs").success());
        assert_eq!(child.wait().expect("ends").signal(), Some(number));
        assert_eq!(bench.names(), before);
    }
}

#[test]
fn parquet_from_a_pipe_is_refused_at_once() {
    let bench = Bench::new();
    assert!(Command::new("mkfifo").arg(bench.path("in.parquet")).status().expect("runs").success());
    let pipe = bench.path("in.parquet");
    let writer = std::thread::spawn(move || fs::write(pipe, b"PAR1 and what follows"));
    bench.check("detect in.parquet", 2, &["in.parquet: Parquet cannot be read from a pipe"]);
    // It may have met a reader that was gone already.
    let _ = writer.join().expect("does not panic");
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_utf_8_is_read() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    let name = std::ffi::OsStr::from_bytes(b"\xC1\xF7\xCB\xAE.jsonl");
    fs::write(bench.folder.path().join(name), transactions(500)).expect("writes");
    for argument in [name, std::ffi::OsStr::new("*.jsonl"), std::ffi::OsStr::new(".")] {
        let mut command = bench.command(Path::new(env!("CARGO_BIN_EXE_weir")));
        let output = command.args(["detect", "--json", "--alerts", "out"]).arg(argument).output().expect("runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).expect("is JSON")["records"], 500);
    }
}

#[test]
fn links_are_kept_and_rights_are_not_widened() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(500));
    bench.write("real", "");
    fs::set_permissions(bench.path("real"), fs::Permissions::from_mode(0o600)).expect("sets");
    std::os::unix::fs::symlink("real", bench.path("link")).expect("links");
    bench.check("detect --alerts link in.jsonl", 0, &[]);
    assert!(bench.path("link").symlink_metadata().expect("is there").is_symlink());
    assert_eq!(bench.path("real").metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    assert!(!bench.read("real").is_empty());
}

#[test]
fn a_short_input_that_is_mostly_bad_is_refused() {
    let bench = Bench::new();
    let good: Vec<String> = (1..=4).map(|i| transfer(i, i, "5", "")).collect();
    bench.write("in.jsonl", format!("{}\nbad\nbad\nbad\nbad\nbad\n", good.join("\n")));
    bench.check("detect --alerts out in.jsonl", 2, &["5 of 9 records cannot be used", "in.jsonl:5: malformed", "in.jsonl:7: malformed"]);
    bench.check("detect --lang zh --alerts out in.jsonl", 2, &["9 条记录中 5 条无法使用"]);
    bench.check("detect --max-bad-ratio 0.6 --alerts out in.jsonl", 0, &[]);
    bench.check("detect --max-bad-ratio 0 --alerts out in.jsonl", 2, &["5 of 9"]);
}

#[test]
fn an_empty_file_is_an_input_without_records() {
    let bench = Bench::new();
    for content in ["", "\u{feff}"] {
        bench.write("in.csv", content);
        let outcome = bench.check("detect --json --alerts out in.csv", 0, &[]);
        assert_eq!(serde_json::from_str::<Value>(&outcome.stderr).expect("is JSON")["records"], 0);
        bench.write("in.jsonl", transactions(500));
        bench.check("detect --parties in.csv in.jsonl", 2, &["in.csv:1", "no header"]);
    }
}

#[test]
fn all_files_of_a_rule_folder_have_their_problems_told() {
    let bench = Bench::new();
    bench.write("rules/t001.yaml", RULE.replace("title:", "titel:"));
    bench.write("rules/t000.yaml", b"version: 1\nid: T-000\ntitle: \xB2\xE2\xCA\xD4\n");
    bench.write("in.jsonl", transactions(10));
    let checked = bench.check("rule check", 2, &[]);
    for words in ["t000.yaml", "not UTF-8", "titel", "errors"] {
        assert!(checked.stdout.contains(words), "no `{words}` in\n{}", checked.stdout);
    }
    let report: Value = serde_json::from_str(&bench.check("rule check --json --lang zh", 2, &[]).stdout).expect("is JSON");
    let problems = report["problems"].as_array().expect("is a list");
    assert!(problems.iter().any(|one| one["file"] == "t000.yaml" && one["message"].as_str().is_some_and(|text| text.contains("UTF-8"))));
    bench.check("detect in.jsonl", 2, &["t000.yaml", "titel", "errors in the rules"]);
    let told = bench.check("detect --json in.jsonl", 2, &[]).stderr;
    let objects = lines(&told);
    assert!(objects.len() > 2 && objects[..objects.len() - 1].iter().all(|one| one["problem"]["code"].is_string()), "{told}");
    assert_eq!(objects[objects.len() - 1]["error"]["code"], "bad_input");
}

#[test]
fn rules_none_of_which_is_in_force_are_mentioned() {
    let bench = Bench::new();
    bench.write("rules/t001.yaml", RULE.replace("status: active", "status: draft"));
    bench.write("in.jsonl", transactions(500));
    bench.check("detect --alerts out in.jsonl", 0, &["no rule of rules is in force"]);
    let checked = bench.check("rule check --lang zh", 0, &[]).stdout;
    assert!(checked.contains("没有生效的规则"), "{checked}");
}

#[test]
fn a_reader_that_leaves_does_not_cost_the_state_or_the_summary() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    for (options, left) in [("--to-state st", &["st"][..]), ("--summary sm", &["sm"]), ("--to-state st --summary sm", &["st", "sm"])] {
        let mut command = bench.command(Path::new(env!("CARGO_BIN_EXE_weir")));
        command.args(["detect", "--revisions"]).args(options.split(' ')).arg("in.jsonl");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("runs");
        drop(child.stdout.take());
        assert_eq!(child.wait().expect("ends").code(), Some(0));
        for name in left {
            assert!(bench.path(name).metadata().is_ok_and(|meta| meta.len() > 0), "{options}");
            fs::remove_file(bench.path(name)).expect("is there");
        }
    }
}

#[test]
fn an_interrupted_run_leaves_nothing() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let bench = Bench::new();
        let before = bench.names();
        let mut command = bench.interruptible();
        command.args(["detect", "--alerts", "out", "--format", "jsonl", "-"]).stdin(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("runs");
        let mut stdin = child.stdin.take().expect("is piped");
        stdin.write_all(transactions(2000).as_bytes()).expect("writes");
        // The run is under way once its temporary output is there; it cannot end, because its input stays open.
        while !bench.names().iter().any(|name| name.ends_with(".part")) {
            assert_eq!(child.try_wait().expect("can be asked"), None, "ended early");
            std::thread::yield_now();
        }
        let killed = Command::new("kill").arg(format!("-{signal}")).arg(child.id().to_string()).status().expect("runs");
        assert!(killed.success());
        assert_eq!(child.wait().expect("ends").code(), Some(code));
        let mut words = String::new();
        child.stderr.take().expect("is piped").read_to_string(&mut words).expect("is UTF-8");
        assert!(words.contains("interrupted"), "{words}");
        assert_eq!(bench.names(), before);
        drop(stdin);
    }
}

#[test]
fn a_reader_that_leaves_standard_output_is_no_error() {
    let bench = Bench::new();
    bench.write("in.jsonl", transactions(2800));
    let mut command = bench.command(Path::new(env!("CARGO_BIN_EXE_weir")));
    let mut child =
        command.args(["detect", "--revisions", "in.jsonl"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("runs");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("ends");
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn too_much_that_is_late_is_a_finding_and_sorting_mends_it() {
    let bench = Bench::new();
    let text = transactions(2800);
    let mut sound: Vec<&str> = text.lines().filter(|line| line.ends_with('}')).collect();
    sound.reverse();
    bench.write("in.jsonl", sound.join("\n") + "\n");
    let outcome = bench.check("detect --alerts alerts --late late in.jsonl", 1, &["--sort", "--lateness"]);
    assert!(outcome.stdout.is_empty() && !bench.read("late").is_empty());
    let told = lines(&bench.check("detect --json --alerts alerts --late late in.jsonl", 1, &[]).stderr);
    assert!(told.len() == 2 && told[0]["input_bytes"].as_u64() == Some(bench.path("in.jsonl").metadata().expect("is there").len()));
    assert_eq!((&told[1]["warning"]["code"], told[1]["warning"]["message"].is_string()), (&"late".into(), true));
    bench.check("detect --alerts sorted --late late --sort in.jsonl", 0, &[]);
    assert_eq!(bench.read("late"), "");
    assert!(bench.read("sorted").len() > bench.read("alerts").len());
}

#[test]
fn a_date_from_the_future_is_named_as_a_cause_of_lateness() {
    let bench = Bench::new();
    let mut text = transactions(90);
    // Three wrong dates move the clock by a day each, and the lateness allowed is two.
    for (i, month) in [(91, "07"), (92, "08"), (93, "09")] {
        text += &transfer(i, i, "5", "").replace("2026-03-", &format!("2026-{month}-"));
        text.push('\n');
    }
    text += &(94..=96).map(|i| transfer(i, i, "5", "") + "\n").collect::<String>();
    bench.write("in.jsonl", text);
    let words = ["came too late", "3 records were dated more than a day after", "--now"];
    bench.check("detect --lateness 2d --alerts alerts in.jsonl", 1, &words);
    bench.check("detect --lateness 2d --now 2026-03-20T00:00:00+08:00 --alerts alerts in.jsonl", 0, &[]);
}

#[test]
fn rules_are_checked_listed_and_tested() {
    let bench = Bench::new();
    let checked = bench.check("rule check", 0, &[]);
    assert!(checked.stdout.contains("1 rule, all good"), "{}", checked.stdout);
    let listed = lines(&bench.check("rule list --json --set T-001.min_payers=9", 0, &[]).stdout);
    assert_eq!((&listed[0]["id"], &listed[0]["tests"]), (&"T-001".into(), &2.into()));
    assert_eq!(listed[0]["variants"][0]["params"], serde_json::json!([["window", "3d"], ["min_payers", "9"]]));
    let tested = bench.check("rule test --junit junit.xml", 0, &[]);
    assert!(tested.stdout.ends_with("2 passed, 0 failed\n"), "{}", tested.stdout);
    assert!(bench.read("junit.xml").contains("tests=\"2\" failures=\"0\""));
    // With another threshold one case fails, unless the test says its own.
    let set = bench.check("rule test --set T-001.min_payers=7", 1, &[]);
    assert!(set.stdout.ends_with("1 passed, 1 failed\n"), "{}", set.stdout);
    bench.write("rules/t001.yaml", RULE.replace("  - name: 六人转入\n", "  - name: 六人转入\n    set: {min_payers: 6}\n"));
    bench.check("rule test --set T-001.min_payers=7", 0, &[]);
    bench.check("rule test --set T-001.status=draft", 0, &[]);
    bench.check("rule test --set T-001.min_payer=7", 3, &["min_payers"]);

    bench.write("rules/t001.yaml", RULE.to_owned() + FAILING_TEST);
    let failed = bench.check("rule test --lang zh --run 少一人", 1, &[]);
    let text = failed.stdout;
    for words in ["FAIL T-001 少一人也要命中", "t001.yaml:", "期望的预警没有出现", "natural_payers($window) >= $min_payers", "差 1"]
    {
        assert!(text.contains(words), "no `{words}` in\n{text}");
    }
    bench.write("rules/t001.yaml", RULE.replace("title:", "titel:"));
    let bad = bench.check("rule check --json", 2, &[]);
    let report: Value = serde_json::from_str(&bad.stdout).expect("is JSON");
    let problem = report["problems"].as_array().and_then(|all| all.iter().find(|one| one["code"] == "R0102")).expect("is reported");
    assert_eq!((&problem["file"], &problem["line"]), (&"t001.yaml".into(), &4.into()));
}

#[test]
fn the_shipped_rules_are_built_in_and_their_tests_pass() {
    let bench = Bench::new();
    fs::remove_dir_all(bench.path("rules")).expect("is there");
    let outcome = bench.check("rule test --json", 0, &[]);
    let tests = lines(&outcome.stdout);
    let mut failed = String::new();
    for test in tests.iter().filter(|test| test["passed"] == false) {
        writeln!(failed, "{test}").expect("a string takes text");
    }
    assert!(failed.is_empty() && tests.len() >= 16, "{failed}");
}

#[test]
fn help_and_version_end_well() {
    let bench = Bench::new();
    for (arguments, code, word) in [
        ("--version", 0, "weir 0."),
        ("--help", 0, "Example:"),
        ("--lang zh rule test --help", 0, "示例："),
        ("detect -h", 0, "--lateness"),
    ] {
        let outcome = bench.check(arguments, code, &[]);
        assert!(outcome.stdout.contains(word), "{}", outcome.stdout);
    }
    bench.check("", 3, &["Usage:"]);
    bench.check("detect", 3, &["Usage:"]);
}
