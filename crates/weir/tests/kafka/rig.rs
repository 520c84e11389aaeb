//! A service of a test's own: topics, settings, processes, and the demo as its feed.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use weir_kafka::{Connection, TopicRecord, read_topic, standing};

use super::{WEIR, repository};

const SIGTERM: i32 = 15;
/// A stream that has not caught up by then hangs.
const CATCH_UP_MAX: Duration = Duration::from_secs(180);
static RIGS: AtomicU32 = AtomicU32::new(0);

/// How a service is set up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) transaction_partitions: u32,
    pub(super) leg_partitions: u32,
    pub(super) session_timeout: &'static str,
    pub(super) transaction_timeout: &'static str,
    /// How late a record may be in the bank's own time.
    pub(super) lateness_days: i64,
    pub(super) roles: &'static [&'static str],
    /// Which time ticks follow.
    pub(super) time: &'static str,
    /// Port of an object store on loopback with a bucket `weir`; without one, snapshots and archive are folders.
    pub(super) object_store: Option<u16>,
}

impl Default for Shape {
    fn default() -> Self {
        Self {
            transaction_partitions: 1,
            leg_partitions: 3,
            session_timeout: "6s",
            transaction_timeout: "3s",
            lateness_days: 3,
            roles: &["split", "detect", "archive"],
            time: "event",
            object_store: None,
        }
    }
}

/// A service of its own.
pub(super) struct Rig {
    pub(super) folder: tempfile::TempDir,
    pub(super) connection: Connection,
    pub(super) prefix: String,
    shape: Shape,
    /// Further tables of the settings.
    tables: String,
}

impl Rig {
    /// Topics are there, party data and the shipped rules on theirs.
    pub(super) fn new(brokers: &str, shape: Shape) -> Self {
        Self::connected(Connection { brokers: brokers.to_owned(), properties: BTreeMap::new() }, "", shape)
    }

    /// The same by a connection that takes more than an address, as these tables of the settings say it.
    pub(super) fn connected(connection: Connection, tables: &str, shape: Shape) -> Self {
        let rig = Self::bare(connection, tables, shape);
        rig.done(&["rules", "publish", &rules()]);
        rig.done(&["feed", "--parties", &parties()]);
        rig
    }

    /// Topics are there and empty.
    pub(super) fn bare(connection: Connection, tables: &str, shape: Shape) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let prefix = format!("test{}-{}", std::process::id(), RIGS.fetch_add(1, Ordering::Relaxed));
        let feed = fs::read_to_string(repository().join("fixtures/demo/feed.yaml")).expect("the demo's feed file");
        fs::write(folder.path().join("feed.yaml"), feed.replace("format: csv\n", "")).expect("written");
        let rig = Self { folder, connection, prefix, shape, tables: tables.to_owned() };
        rig.configure("one");
        rig.done(&["topics", "create"]);
        rig
    }

    /// Writes the settings of an instance. That of `one` is what other commands read.
    pub(super) fn configure(&self, instance: &str) {
        let Shape {
            transaction_partitions,
            leg_partitions,
            session_timeout,
            transaction_timeout,
            lateness_days,
            roles,
            time,
            object_store,
        } = self.shape;
        let (prefix, brokers) = (&self.prefix, &self.connection.brokers);
        let place = if object_store.is_some() { "s3://weir/" } else { "" };
        let mut settings = format!(
            "app = \"{prefix}\"\ninstance = \"{instance}\"\nworkers = 1\nroles = {roles:?}\n\
             [kafka]\nbrokers = \"{brokers}\"\nsession_timeout = \"{session_timeout}\"\ntransaction_timeout = \"{transaction_timeout}\"\n\
             [topics]\nprefix = \"{prefix}\"\ntransaction_partitions = {transaction_partitions}\nleg_partitions = {leg_partitions}\n\
             output_partitions = 1\nreplication = 1\n[split]\nfeed = \"feed.yaml\"\ntime = \"{time}\"\n\
             [detect]\nlateness = \"{lateness_days}d\"\n[snapshots]\nfolder = \"{place}state\"\ninterval = \"1s\"\n\
             [archive]\nfolder = \"{place}archive\"\ninterval = \"1s\"\n[http]\nlisten = \"\"\n"
        );
        settings += &self.tables;
        if let Some(port) = object_store {
            settings += &format!(
                "[object_store.properties]\nendpoint = \"http://127.0.0.1:{port}\"\nallow_http = \"true\"\n\
                 [object_store.secrets]\naccess_key_id = {{ env = \"WEIR_TEST_KEY\" }}\nsecret_access_key = {{ env = \"WEIR_TEST_KEY\" }}\n"
            );
        }
        fs::write(self.path(&settings_of(instance)), settings).expect("written");
    }

    /// Lets instance `one` be asked from its next start on; returns where.
    pub(super) fn listen(&self) -> u16 {
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let settings = fs::read_to_string(self.path("weir.toml")).expect("settings");
        fs::write(self.path("weir.toml"), settings.replace("listen = \"\"", &format!("listen = \"127.0.0.1:{port}\""))).expect("written");
        port
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where snapshots lie, a folder a partition.
    pub(super) fn snapshots(&self) -> String {
        let prefix = &self.prefix;
        format!("state/{prefix}/{prefix}.legs")
    }

    pub(super) fn weir(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(WEIR);
        command.args(arguments).current_dir(self.folder.path()).env("LC_ALL", "C").env("WEIR_TEST_KEY", "test");
        command
    }

    /// Runs to the end and must succeed.
    pub(super) fn done(&self, arguments: &[&str]) -> String {
        let output = self.weir(arguments).output().expect("weir starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Starts `weir run` as an instance that was configured.
    pub(super) fn start(&self, instance: &'static str) -> Node {
        let log = fs::File::options().create(true).append(true).open(self.path("run.log")).expect("a log");
        let child = self.weir(&["run", "--config", &settings_of(instance)]).stderr(log).stdout(Stdio::null()).spawn();
        Node { child: child.expect("weir starts"), instance }
    }

    /// The same on a disk that is full after so many KiB a file; its words still arrive.
    pub(super) fn start_on_full_disk(&self, instance: &'static str, kib: u32) -> Node {
        let script = format!("exec 2> >(cat >>run.log); ulimit -f {kib}; exec '{WEIR}' run --config {}", settings_of(instance));
        let mut command = Command::new("bash");
        command.args(["-c", &script]).current_dir(self.folder.path()).env("LC_ALL", "C").stdout(Stdio::null());
        Node { child: command.spawn().expect("bash starts"), instance }
    }

    /// Plays a file at a rate, as a process that can be stopped.
    pub(super) fn start_feed(&self, file: &str, rate: u64) -> Node {
        let log = fs::File::options().create(true).append(true).open(self.path("run.log")).expect("a log");
        let child = self.weir(&["feed", "--rate", &rate.to_string(), file]).stderr(log).stdout(Stdio::null()).spawn();
        Node { child: child.expect("weir starts"), instance: "feeder" }
    }

    /// Plays a file to its end.
    pub(super) fn feed_all(&self, file: &str) {
        self.done(&["feed", file]);
    }

    /// Waits for a word in the log.
    pub(super) fn wait_for(&self, word: &str) {
        let begun = Instant::now();
        while !self.log().contains(word) {
            assert!(begun.elapsed() < CATCH_UP_MAX, "`{word}` is not said:\n{}", self.log());
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Begins a new log; what was said before is told.
    pub(super) fn turn_log(&self) -> String {
        let log = self.log();
        fs::write(self.path("run.log"), "").expect("written");
        log
    }

    /// Plays a file in the background, over and over until it is complete: a feed that a broker's death ended goes on where it was.
    pub(super) fn feed(&self, file: &str, rate: u64) -> thread::JoinHandle<()> {
        let rate = rate.to_string();
        let arguments = ["feed", "--rate", &rate, file];
        let mut commands: Vec<Command> = (0..20).map(|_| self.weir(&arguments)).collect();
        thread::spawn(move || {
            let is_complete = commands.iter_mut().any(|command| {
                let ended = command.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("weir starts");
                ended.success()
            });
            assert!(is_complete, "the feed is complete");
        })
    }

    pub(super) fn log(&self) -> String {
        fs::read_to_string(self.path("run.log")).unwrap_or_default()
    }

    /// Whether all transactions are split and all of the leg log is folded, as the committed marks say: they go beyond the last record to the marks of
    /// transactions, with which feed and splitter end their logs.
    pub(super) fn is_caught_up(&self) -> bool {
        let roles = [("transactions", "split"), ("legs", "detect")];
        roles.into_iter().all(|(topic, role)| {
            let all = standing(&self.connection, &format!("{}.{topic}", self.prefix), &format!("{}.{role}", self.prefix));
            all.is_ok_and(|all| all.values().all(|progress| progress.lag() == 0))
        })
    }

    pub(super) fn wait_until_caught_up(&self) {
        let begun = Instant::now();
        // Some times in a row, for longer than a splitter takes to look around: between the roles there is a moment in which neither has anything to do yet.
        let mut seen = 0;
        while seen < 4 {
            assert!(begun.elapsed() < CATCH_UP_MAX, "does not catch up:\n{}", self.log());
            seen = if self.is_caught_up() { seen + 1 } else { 0 };
            thread::sleep(Duration::from_millis(300));
        }
        // What an archiver has gathered and not written shows nowhere; it reads along, so it is given a moment.
        if self.shape.roles.contains(&"archive") {
            thread::sleep(Duration::from_secs(1));
        }
    }

    pub(super) fn topic(&self, name: &str) -> Vec<TopicRecord> {
        read_topic(&self.connection, &format!("{}.{name}", self.prefix)).expect("the topic can be read")
    }
}

/// A process of the service.
pub(super) struct Node {
    child: Child,
    pub(super) instance: &'static str,
}

impl Node {
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("ends");
    }

    /// SIGSTOP: alive to everybody but itself.
    pub(super) fn pause(&self) {
        self.signal("-STOP");
    }

    pub(super) fn resume(&self) {
        self.signal("-CONT");
    }

    pub(super) fn terminate(mut self) {
        self.signal("-TERM");
        assert!(self.child.wait().expect("ends").success(), "SIGTERM is a good end");
    }

    /// The same of one that may just have begun, and not listen yet, or have ended by itself: 0, its own code, or none where the signal ended it.
    pub(super) fn terminate_early(mut self) -> Option<i32> {
        self.signal("-TERM");
        let status = self.child.wait().expect("ends");
        assert!(matches!(status.signal(), None | Some(SIGTERM)), "{status}");
        status.code()
    }

    /// Tells it to end and, before it can have ended, once more; returns its exit code.
    pub(super) fn terminate_twice(mut self) -> Option<i32> {
        self.signal("-TERM");
        // A signal that is still to be delivered takes a second one of its kind in.
        thread::sleep(Duration::from_millis(5));
        self.signal("-TERM");
        self.child.wait().expect("ends").code()
    }

    /// The exit code if it has ended by itself.
    pub(super) fn ended(&mut self) -> Option<Option<i32>> {
        self.child.try_wait().expect("can be asked").map(|status| status.code())
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args([name, &self.child.id().to_string()]).status().expect("kill").success());
    }
}

impl Drop for Node {
    /// A test that fails leaves no process behind.
    fn drop(&mut self) {
        let (_, _) = (self.child.kill(), self.child.wait());
    }
}

/// What a service answers; nothing while it does not.
pub(super) fn ask(port: u16, what: &str) -> String {
    let ask = || -> std::io::Result<String> {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.write_all(format!("GET /{what} HTTP/1.0\r\n\r\n").as_bytes())?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        Ok(text)
    };
    ask().unwrap_or_default()
}

fn settings_of(instance: &str) -> String {
    if instance == "one" { "weir.toml".to_owned() } else { format!("weir-{instance}.toml") }
}

pub(super) fn rules() -> String {
    repository().join("rules").to_str().expect("UTF-8").to_owned()
}

pub(super) fn parties() -> String {
    repository().join("fixtures/demo/parties.csv").to_str().expect("UTF-8").to_owned()
}

/// The demo's transactions as JSON lines, columns as they are.
pub(super) fn transactions() -> String {
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
