//! The service on a real broker: what it says is what `weir detect` says of the same records, also when it is killed over and over.
//!
//! The broker is that of `WEIR_TEST_BROKERS`, else one that `deploy/kafka/broker` starts for the test. Where neither can be had the test says
//! so in one line; in CI that is a failure.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_kafka::{Connection, TopicRecord, read_topic, standing};

const WEIR: &str = env!("CARGO_BIN_EXE_weir");
/// A stream that has not caught up by then hangs.
const CATCH_UP_MAX: Duration = Duration::from_secs(120);

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A broker for one test.
struct Broker {
    address: String,
    /// Its folder, where this test started it.
    own: Option<tempfile::TempDir>,
}

impl Broker {
    fn find() -> Option<Self> {
        if let Ok(address) = std::env::var("WEIR_TEST_BROKERS") {
            return Some(Self { address, own: None });
        }
        let folder = tempfile::tempdir().expect("a temporary folder");
        let started =
            Command::new(repository().join("deploy/kafka/broker")).arg("start").arg("--dir").arg(folder.path().join("kafka")).output();
        match started {
            Ok(output) if output.status.success() => {
                let address = String::from_utf8_lossy(&output.stdout).trim().to_owned();
                Some(Self { address, own: Some(folder) })
            }
            other => {
                let why = other.map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stderr).into_owned());
                assert!(std::env::var_os("CI").is_none(), "no broker, and CI must have one: {why}");
                eprintln!("SKIPPED: no Kafka broker to test with: {why}");
                None
            }
        }
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if let Some(folder) = &self.own {
            let wiped =
                Command::new(repository().join("deploy/kafka/broker")).arg("wipe").arg("--dir").arg(folder.path().join("kafka")).output();
            wiped.expect("the script that started the broker can end it");
        }
    }
}

/// A service of its own: topics, settings, state.
struct Rig {
    folder: tempfile::TempDir,
    connection: Connection,
    prefix: String,
}

impl Rig {
    fn new(broker: &Broker, leg_partitions: u32) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let prefix = format!("test{}", std::process::id());
        let feed = fs::read_to_string(repository().join("fixtures/demo/feed.yaml")).expect("the demo's feed file");
        fs::write(folder.path().join("feed.yaml"), feed.replace("format: csv\n", "")).expect("written");
        let settings = format!(
            "app = \"{prefix}\"\ninstance = \"one\"\nworkers = 1\n[kafka]\nbrokers = \"{}\"\nsession_timeout = \"6s\"\n\
             [topics]\nprefix = \"{prefix}\"\ntransaction_partitions = 1\nleg_partitions = {leg_partitions}\noutput_partitions = 1\n\
             replication = 1\n[split]\nfeed = \"feed.yaml\"\ntime = \"event\"\n[snapshots]\ninterval = \"1s\"\n[http]\nlisten = \"\"\n",
            broker.address
        );
        fs::write(folder.path().join("weir.toml"), settings).expect("written");
        let connection = Connection { brokers: broker.address.clone(), properties: BTreeMap::new() };
        Self { folder, connection, prefix }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn weir(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(WEIR);
        command.args(arguments).current_dir(self.folder.path()).env("LC_ALL", "C");
        command
    }

    /// Runs to the end and must succeed.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.weir(arguments).output().expect("weir starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    fn start(&self) -> Child {
        let log = fs::File::options().create(true).append(true).open(self.path("run.log")).expect("a log");
        self.weir(&["run"]).stderr(log).stdout(Stdio::null()).spawn().expect("weir starts")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("run.log")).unwrap_or_default()
    }

    /// Whether everything that a reader is given is committed.
    fn is_caught_up(&self) -> bool {
        let roles = [("transactions", "split"), ("legs", "detect")];
        roles.into_iter().all(|(topic, role)| {
            let all = standing(&self.connection, &format!("{}.{topic}", self.prefix), &format!("{}.{role}", self.prefix));
            let mut ends: BTreeMap<i32, i64> = BTreeMap::new();
            self.topic(topic).iter().for_each(|record| {
                ends.insert(record.partition, record.offset + 1);
            });
            all.is_ok_and(|all| ends.iter().all(|(partition, end)| all[partition].committed >= Some(*end)))
        })
    }

    fn wait_until_caught_up(&self) {
        let begun = Instant::now();
        // Twice in a row: between the roles there is a moment in which neither has anything to do yet.
        let mut seen = 0;
        while seen < 3 {
            assert!(begun.elapsed() < CATCH_UP_MAX, "does not catch up:\n{}", self.log());
            seen = if self.is_caught_up() { seen + 1 } else { 0 };
            thread::sleep(Duration::from_millis(200));
        }
    }

    fn topic(&self, name: &str) -> Vec<TopicRecord> {
        read_topic(&self.connection, &format!("{}.{name}", self.prefix)).expect("the topic can be read")
    }

    /// The demo's transactions as JSON lines, columns as they are.
    fn transactions(&self) -> String {
        let packed = fs::read(repository().join("fixtures/demo/transactions.csv.gz")).expect("the demo's transactions");
        let mut text = String::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_string(&mut text).expect("unpacks");
        let mut rows = csv::Reader::from_reader(text.as_bytes());
        let heads = rows.headers().expect("a header").clone();
        let mut lines = String::new();
        for row in rows.records() {
            let row = row.expect("a row");
            let cells = heads.iter().zip(&row).filter(|(_, cell)| !cell.is_empty());
            let object: serde_json::Map<String, Value> = cells.map(|(head, cell)| (head.to_owned(), Value::from(cell))).collect();
            lines += &Value::from(object).to_string();
            lines.push('\n');
        }
        lines
    }
}

fn kill(child: &mut Child) {
    child.kill().expect("SIGKILL");
    child.wait().expect("ends");
}

fn terminate(mut child: Child) {
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
    assert!(child.wait().expect("ends").success(), "SIGTERM is a good end");
}

/// Lines as values, without where the log stood, which differs between a file and a topic; in an order of their own.
fn said<'a>(values: impl Iterator<Item = &'a [u8]>) -> Vec<String> {
    let mut all: Vec<String> = values
        .map(|bytes| {
            let mut value: Value = serde_json::from_slice(bytes).expect("JSON");
            value.as_object_mut().expect("an object").remove("detected_from");
            value.to_string()
        })
        .collect();
    all.sort();
    all
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read(path).expect("an output");
    said(text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()))
}

fn assert_equal(what: &str, stream: &[String], files: &[String]) {
    let only = |some: &[String], others: &[String]| some.iter().filter(|line| !others.contains(line)).take(3).cloned().collect::<Vec<_>>();
    assert!(
        stream == files,
        "{what}: {} from the stream, {} from files; only in the stream: {:#?}; only from files: {:#?}",
        stream.len(),
        files.len(),
        only(stream, files),
        only(files, stream)
    );
}

#[test]
fn the_stream_says_what_files_say_though_it_is_killed() {
    let Some(broker) = Broker::find() else { return };
    let rig = Rig::new(&broker, 3);
    let lines_in = rig.transactions();
    fs::write(rig.path("t.jsonl"), &lines_in).expect("written");
    let (rules, parties) = (repository().join("rules"), repository().join("fixtures/demo/parties.csv"));
    let (rules, parties) = (rules.to_str().expect("UTF-8"), parties.to_str().expect("UTF-8"));
    rig.done(&["topics", "create"]);
    assert_eq!(rig.done(&["topics", "check"]), "");
    rig.done(&["rules", "publish", rules]);
    rig.done(&["feed", "--parties", parties]);

    let mut service = rig.start();
    let mut feeding = rig.weir(&["feed", "--rate", "1200", "t.jsonl"]).stderr(Stdio::null()).spawn().expect("weir starts");
    // Each time somewhere else in the work, and a few times before it has begun.
    for pause in [1900, 700, 1300, 400, 2100, 1700] {
        thread::sleep(Duration::from_millis(pause));
        kill(&mut service);
        service = rig.start();
    }
    assert!(feeding.wait().expect("ends").success(), "the feed is complete");
    rig.wait_until_caught_up();
    terminate(service);

    rig.done(&[
        "detect",
        "--feed",
        "feed.yaml",
        "--format",
        "jsonl",
        "--parties",
        parties,
        "--rules",
        rules,
        "--revisions",
        "--to-state",
        "state.bin",
        "--alerts",
        "alerts.jsonl",
        "--office",
        "office.jsonl",
        "--large-amount",
        "large.jsonl",
        "--dead-letters",
        "dead.jsonl",
        "--late",
        "late.jsonl",
        "t.jsonl",
    ]);
    for (topic, file) in [("alerts", "alerts.jsonl"), ("office", "office.jsonl"), ("large-amount", "large.jsonl")] {
        let records = rig.topic(topic);
        let stream = said(records.iter().map(|record| record.value.as_slice()));
        let files = lines(&rig.path(file));
        assert!(!files.is_empty(), "{topic}: nothing to compare");
        assert_equal(topic, &stream, &files);
    }
    // Every dead letter once, its bytes untouched, with its reason.
    let dead = rig.topic("dead-letter");
    let dead_in_files = fs::read_to_string(rig.path("dead.jsonl")).expect("an output");
    assert_eq!(dead.len(), dead_in_files.lines().count());
    for letter in &dead {
        let original = String::from_utf8(letter.value.clone()).expect("UTF-8");
        assert!(lines_in.lines().any(|line| line == original), "not a line of the input");
        assert!(dead_in_files.contains(&letter.headers["__connect.errors.exception.class.name"]));
    }
    assert_eq!(rig.topic("late").len(), fs::read_to_string(rig.path("late.jsonl")).expect("an output").lines().count());
    // Nothing of the bank's own goes to an office.
    for message in rig.topic("office") {
        let message = String::from_utf8(message.value).expect("UTF-8");
        for inside in ["score", "conditions", "evidence", "set_hash", "report_id"] {
            assert!(!message.contains(&format!("\"{inside}\"")), "{inside} has left the bank");
        }
    }
}
