//! The service on a real broker: `cargo run --release -p weir-benches --bin kafka -- --weir PATH [--transfers N] [--workers N] [--brokers HOST:PORT]`.
//!
//! Everything in one run on one machine, so that figures are ratios of each other: records consumed and dropped, the *detect* role from the
//! leg log, the *split* role, both together, and the time from the append of a transaction to a reader of committed alerts at half and at a tenth
//! of the load that both together carry. Broker, producer and reader run on the same cores; what the ratios leave out, `docs/performance.md`
//! says.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use weir_benches::{DAY, Dials, Traffic};

const PARTITIONS: i32 = 4;
const ASK_MAX: Duration = Duration::from_secs(15);
/// How often a service is asked how far it is, how long it folds nothing when it is done, and how long all may take.
const LOOK_EVERY: Duration = Duration::from_millis(20);
const SILENCE: Duration = Duration::from_secs(3);
const DRAIN_MAX: Duration = Duration::from_secs(600);
/// Transactions before the timed ones, and how long those last.
const WARM_UP: usize = 2000;
const TIMED_SECONDS: u64 = 10;
/// The traffic has accounts and no customer numbers: all accounts are monitored.
const FEED: &str = "version: 1\ntitle: traffic\nown: all\nfields:\n  txn_id: txn_id\n  occurred_at: occurred_at\n  amount: amount\n  \
                    currency: currency\n  payer_account: payer_account\n  payee_account: payee_account\n  payer_kind: payer_kind\n  \
                    payee_kind: payee_kind\n  payer_division: payer_division\n  payee_division: payee_division\n  memo: memo\n";
/// A rule that speaks often, for the latency: any account that is paid by four people in three days.
const OFTEN: &str = r#"version: 1
id: B-001
revision: 1
title: 基准
status: active
basis: [基准]
subject: [natural]
scope: customer
quiet: 5d
window: $window
params:
  window: {type: window, default: 3d, why: 基准}
require:
  - "natural_payers($window) >= 4"
score:
  base: 50
levels: {medium: 50, high: 70}
reason: "{natural_payers}人转入"
tests:
  - name: 四人转入
    transactions: |
      occurred_at,payer_account,payee_account,amount,payer_kind,payee_kind,repeat,every
      2026-03-02 10:00,p#,q,100,natural,natural,4,1h
    expect:
      - {party: 'a:q', level: medium, people: 4}
"#;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let value = |name: &str| arguments.iter().position(|word| word == name).and_then(|at| arguments.get(at + 1)).cloned();
    let Some(weir) = value("--weir") else {
        eprintln!("usage: kafka --weir PATH/TO/weir [--transfers 200000] [--workers 1] [--brokers HOST:PORT]");
        return ExitCode::from(3);
    };
    let transfers = value("--transfers").and_then(|text| text.replace('_', "").parse().ok()).unwrap_or(200_000);
    let workers = value("--workers").and_then(|text| text.parse().ok()).unwrap_or(1);
    let own = value("--brokers").is_none().then(OwnBroker::start);
    let brokers = value("--brokers").or_else(|| own.as_ref().map(|own| own.address.clone())).unwrap_or_default();
    Bench::new(&weir, &brokers, transfers, workers).run();
    ExitCode::SUCCESS
}

struct OwnBroker {
    folder: tempfile::TempDir,
    address: String,
}

impl OwnBroker {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = Self::script().args(["start", "--dir"]).arg(folder.path().join("kafka")).output().expect("the script runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        Self { folder, address: String::from_utf8_lossy(&output.stdout).trim().to_owned() }
    }

    fn script() -> Command {
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kafka/broker"))
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        let _ = Self::script().args(["wipe", "--dir"]).arg(self.folder.path().join("kafka")).status();
    }
}

struct Bench {
    weir: PathBuf,
    brokers: String,
    folder: tempfile::TempDir,
    transfers: u64,
    /// Of each role.
    workers: usize,
    /// Of the service's metrics.
    port: u16,
}

/// Records and the seconds they took.
struct Pace {
    records: i64,
    seconds: f64,
}

impl Pace {
    #[expect(clippy::cast_precision_loss, reason = "a rate to look at")]
    #[expect(clippy::float_arithmetic, reason = "a rate to look at, no money")]
    fn rate(&self) -> f64 {
        self.records as f64 / self.seconds
    }
}

impl Bench {
    fn new(weir: &str, brokers: &str, transfers: u64, workers: usize) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port();
        let weir = fs::canonicalize(weir).expect("weir is there");
        let bench = Self { weir, brokers: brokers.to_owned(), folder, transfers, workers, port };
        let dials = Dials { transfers, parties: transfers / 10, seconds: 30 * DAY, ..Dials::default() };
        fs::write(bench.path("traffic.jsonl"), Traffic::new(dials).text()).expect("written");
        fs::write(bench.path("feed.yaml"), FEED).expect("written");
        fs::create_dir(bench.path("often")).expect("a folder");
        fs::write(bench.path("often/b001.yaml"), OFTEN).expect("written");
        bench
    }

    fn run(&self) {
        self.prepare("one", &["split"]);
        self.feed("one", None);
        let split = self.drain("one", "split");
        let raw = self.consume_and_drop("one.legs");
        self.configure("one", &["detect"]);
        let detect = self.drain("one", "detect");
        self.prepare("two", &["split", "detect"]);
        self.feed("two", None);
        let both = self.drain("two", "detect");
        println!("{:44} {:>10} {:>10}", "", "records", "records/s");
        for (what, pace) in [
            ("legs consumed and dropped", &raw),
            ("detect role: legs to alerts", &detect),
            ("split role: transactions to legs", &split),
            ("both together: legs", &both),
        ] {
            println!("{what:44} {:>10} {:>10.0}", pace.records, pace.rate());
        }
        self.print_ratio("detect / consumed and dropped", detect.rate(), raw.rate());
        self.print_ratio("both together / consumed and dropped", both.rate(), raw.rate());
        // Two legs a transfer.
        self.latency("half", &both, 4.0);
        self.latency("tenth", &both, 20.0);
    }

    #[expect(clippy::float_arithmetic, reason = "a ratio to look at, no money")]
    fn print_ratio(&self, what: &str, a: f64, b: f64) {
        println!("{what:44} {:>21.0} %", a / b * 100.0);
    }

    /// Alerts at a part of the load that both roles carry, from a bank's own producer. The service is at work when it begins.
    #[expect(clippy::float_arithmetic, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a rate, no money")]
    fn latency(&self, app: &str, both: &Pace, part: f64) {
        let rate = (both.rate() / part) as u64;
        self.prepare(app, &["split", "detect"]);
        self.done(&["rules", "publish", "often", "--config", &format!("{app}.toml")]);
        // As it happens: a second's worth in a second.
        let transfers = WARM_UP as u64 + rate * TIMED_SECONDS;
        let text = Traffic::new(Dials { transfers, parties: transfers / 2, seconds: TIMED_SECONDS, ..Dials::default() }).text();
        let (warm, timed) = text.split_at(text.match_indices('\n').nth(WARM_UP).map_or(0, |(at, _)| at + 1));
        let topic = format!("{app}.transactions");
        let mut service = self.start(app);
        self.produce(&topic, warm, rate);
        let begun = Instant::now();
        while self.folded("detect") == 0 {
            assert!(begun.elapsed() < DRAIN_MAX, "detect does not begin: {}", self.log(app));
            thread::sleep(LOOK_EVERY);
        }
        thread::sleep(SILENCE);
        let consumer = self.consumer(&format!("{app}.alerts"));
        let first = now_millis();
        let mut seen: Vec<(String, i64)> = Vec::new();
        thread::scope(|scope| {
            let producing = scope.spawn(|| self.produce(&topic, timed, rate));
            let mut ended: Option<Instant> = None;
            while ended.is_none_or(|ended| ended.elapsed() < SILENCE) {
                if ended.is_none() && producing.is_finished() {
                    ended = Some(Instant::now());
                }
                let Some(Ok(message)) = consumer.poll(Duration::from_millis(1)) else { continue };
                let now = now_millis();
                let alert: serde_json::Value = serde_json::from_slice(message.payload().unwrap_or_default()).expect("an alert");
                if let Some(txn) = alert["triggered_by"]["txn_id"].as_str() {
                    seen.push((txn.to_owned(), now));
                }
            }
        });
        self.print_replaced(&["split", "detect"]);
        let _ = (service.kill(), service.wait());
        let appended = self.appended(&topic);
        let mut waits: Vec<i64> =
            seen.iter().filter_map(|(txn, at)| appended.get(txn).filter(|append| **append >= first).map(|append| at - append)).collect();
        waits.sort_unstable();
        if waits.is_empty() {
            println!("latency at {rate} transactions/s: no alert was seen: {}", self.log(app));
            return;
        }
        let at = |part: f64| waits[((waits.len() - 1) as f64 * part) as usize];
        println!(
            "append to committed alert, {rate} transactions/s: {} alerts, p50 {} ms, p99 {} ms, p99.9 {} ms, max {} ms",
            waits.len(),
            at(0.5),
            at(0.99),
            at(0.999),
            at(1.0)
        );
    }

    /// Puts lines on a topic at a rate, as a bank's system does: acknowledged by all replicas, in no transaction, gathered for 5 ms as Kafka's
    /// own client does since 4.0.
    fn produce(&self, topic: &str, text: &str, rate: u64) {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers).set("enable.idempotence", "true").set("linger.ms", "5");
        let producer: ThreadedProducer<DefaultProducerContext> = config.create().expect("a producer");
        let begun = Instant::now();
        for (number, line) in (0_u64..).zip(text.lines()) {
            let due = Duration::from_micros(number * 1_000_000 / rate.max(1));
            while begun.elapsed() < due {
                thread::sleep(Duration::from_millis(1));
            }
            let mut record: BaseRecord<'_, (), str> = BaseRecord::to(topic).payload(line);
            while let Err((_, again)) = producer.send(record) {
                record = again;
                thread::sleep(Duration::from_millis(1));
            }
        }
        producer.flush(ASK_MAX).expect("all is with the broker");
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn configure(&self, app: &str, roles: &[&str]) {
        let settings = format!(
            "app = \"{app}\"\ninstance = \"one\"\nroles = {roles:?}\nworkers = {}\n[kafka]\nbrokers = \"{}\"\nsession_timeout = \"10s\"\n\
             [topics]\nprefix = \"{app}\"\ntransaction_partitions = {PARTITIONS}\nleg_partitions = {PARTITIONS}\noutput_partitions = 1\n\
             replication = 1\n[split]\nfeed = \"feed.yaml\"\ntime = \"event\"\n[snapshots]\nfolder = \"state-{app}\"\n[http]\nlisten = \"127.0.0.1:{}\"\n",
            self.workers, self.brokers, self.port
        );
        fs::write(self.path(&format!("{app}.toml")), settings).expect("written");
    }

    fn prepare(&self, app: &str, roles: &[&str]) {
        self.configure(app, roles);
        let config = format!("{app}.toml");
        self.done(&["topics", "create", "--config", &config]);
        let rules = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules");
        self.done(&["rules", "publish", rules.to_str().expect("UTF-8"), "--config", &config]);
    }

    fn feed(&self, app: &str, rate: Option<u64>) {
        let config = format!("{app}.toml");
        let rate = rate.map(|rate| rate.to_string());
        let mut arguments = vec!["feed", "--config", &config];
        arguments.extend(rate.iter().flat_map(|rate| ["--rate", rate]));
        arguments.push("traffic.jsonl");
        self.done(&arguments);
    }

    fn weir(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.weir);
        command.args(arguments).current_dir(self.folder.path()).stdout(Stdio::null()).stderr(Stdio::null()).env("LC_ALL", "C");
        command
    }

    fn done(&self, arguments: &[&str]) {
        let output = self.weir(arguments).stderr(Stdio::piped()).output().expect("weir runs");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn start(&self, app: &str) -> Child {
        let log = fs::File::create(self.path(&format!("{app}.log"))).expect("a log");
        self.weir(&["run", "--config", &format!("{app}.toml")]).stderr(log).spawn().expect("weir runs")
    }

    /// Runs a service until a role folds nothing more; timed from the last look at which it had folded nothing to the one at which it had all.
    fn drain(&self, app: &str, role: &str) -> Pace {
        let mut service = self.start(app);
        let begun = Instant::now();
        let (mut first, mut last) = (begun, (begun, 0));
        while last.1 == 0 || last.0.elapsed() < SILENCE {
            assert!(begun.elapsed() < DRAIN_MAX, "{role} does not come to an end: {}", self.log(app));
            let done = self.folded(role);
            if done == 0 {
                first = Instant::now();
            }
            if done > last.1 {
                last = (Instant::now(), done);
            }
            thread::sleep(LOOK_EVERY);
        }
        self.print_replaced(&["split", "detect"]);
        let _ = Command::new("kill").args(["-TERM", &service.id().to_string()]).status();
        let _ = service.wait();
        Pace { records: last.1, seconds: last.0.duration_since(first).as_secs_f64() }
    }

    /// Records that a role has folded.
    fn folded(&self, role: &str) -> i64 {
        self.metric("weir_records_total", role)
    }

    /// How often the roles gave up a producer that may have sent twice, which costs them a new one each time.
    fn print_replaced(&self, roles: &[&str]) {
        for role in roles {
            let commits = self.metric("weir_commit_seconds_count", role);
            println!("{role}: {commits} transactions, then {} new producers", self.metric("weir_producers_replaced_total", role));
        }
    }

    /// A role's counter among the service's own metrics; 0 while it does not answer, or has not counted yet.
    fn metric(&self, name: &str, role: &str) -> i64 {
        let ask = || -> std::io::Result<String> {
            let mut stream = TcpStream::connect(("127.0.0.1", self.port))?;
            stream.write_all(b"GET /metrics HTTP/1.0\r\n\r\n")?;
            let mut text = String::new();
            stream.read_to_string(&mut text)?;
            Ok(text)
        };
        let text = ask().unwrap_or_default();
        let name = format!("{name}{{role=\"{role}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok()).unwrap_or(0)
    }

    fn log(&self, app: &str) -> String {
        fs::read_to_string(self.path(&format!("{app}.log"))).unwrap_or_default()
    }

    fn consumer(&self, topic: &str) -> BaseConsumer {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", "bench-reader")
            .set("isolation.level", "read_committed")
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "5");
        let consumer: BaseConsumer = config.create().expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(topic), ASK_MAX).expect("Kafka answers");
        let mut list = TopicPartitionList::new();
        for partition in metadata.topics()[0].partitions() {
            list.add_partition_offset(topic, partition.id(), Offset::Beginning).expect("an offset");
        }
        consumer.assign(&list).expect("assigned");
        consumer
    }

    /// Reads a topic to its end: what a message is, and how many partitions are left.
    fn read(&self, topic: &str, mut each: impl FnMut(&rdkafka::message::BorrowedMessage<'_>)) {
        let consumer = self.consumer(topic);
        let mut left = consumer.assignment().expect("assigned").count();
        while left > 0 {
            match consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => each(&message),
                Some(Err(KafkaError::PartitionEOF(_))) => left -= 1,
                Some(Err(error)) => panic!("{error}"),
                None => {}
            }
        }
    }

    fn consume_and_drop(&self, topic: &str) -> Pace {
        let (mut records, mut begun, mut bytes) = (0_i64, None, 0);
        self.read(topic, |message| {
            begun.get_or_insert_with(Instant::now);
            records += 1;
            bytes += message.payload_len();
        });
        let seconds = begun.map_or(0.0, |begun: Instant| begun.elapsed().as_secs_f64());
        println!(
            "{topic}: {records} records, {bytes} bytes; {} transfers, {PARTITIONS} partitions, {} workers a role",
            self.transfers, self.workers
        );
        Pace { records, seconds }
    }

    /// When the broker took each transaction, milliseconds.
    fn appended(&self, topic: &str) -> HashMap<String, i64> {
        let mut all = HashMap::new();
        self.read(topic, |message| {
            let fields: BTreeMap<String, serde_json::Value> = serde_json::from_slice(message.payload().unwrap_or_default()).expect("JSON");
            let txn = fields["txn_id"].as_str().expect("a serial").to_owned();
            all.insert(txn, message.timestamp().to_millis().unwrap_or(0));
        });
        all
    }
}

fn now_millis() -> i64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    i64::try_from(now.as_millis()).expect("before the year 292 million")
}
