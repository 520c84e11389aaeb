//! What can go wrong, done on purpose, while a feed runs, and how much of it.
//!
//! Decides nothing about answers: once all is folded, `reference` checks what was said. Every trial prints its seed; `WEIR_CHAOS_SEED` takes it
//! up again (the faults are the same, the moments are the machine's).

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use weir_rules::RuleSet;

use super::broker::Broker;
use super::proxy::{self, Proxy, Trick};
use super::reference;
use super::rig::{Node, Rig, Shape, rules};

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// SIGKILL of a process, which is started again.
    Kill,
    /// A process sleeps past its session: its partitions go to others, and what it commits when it wakes must be refused.
    SleepPastSession,
    /// A process sleeps past its transaction only.
    SleepPastTransaction,
    /// A third process joins and leaves, well or badly.
    Come,
    /// A process is started under the name of another: one of the two must lose, and say so.
    Twin,
    /// The broker is killed and started again.
    BrokerDies,
    /// Another rule set is published.
    Switch,
    /// A request or reply is lost, delayed, cut.
    Wire(i16, Trick),
}

/// How much is done, by the environment.
pub(super) struct Plan {
    pub(super) is_whole: bool,
    seed: u64,
}

impl Plan {
    pub(super) fn read() -> Self {
        let seed = std::env::var("WEIR_CHAOS_SEED").ok().map(|text| text.parse().expect("WEIR_CHAOS_SEED is a number"));
        Self { is_whole: std::env::var_os("WEIR_CHAOS").is_some(), seed: seed.unwrap_or_else(|| Rng::new().u64(..)) }
    }

    /// `few`, or `many` where `WEIR_CHAOS` is set.
    pub(super) fn times(&self, few: usize, many: usize) -> usize {
        if self.is_whole { many } else { few }
    }
}

/// Settings of the rule sets that take turns: the second finds more.
const SETS: [&[&str]; 2] = [&[], &["FZ-001.min_payers=12"]];

/// A service of two processes whose feed runs.
pub(super) struct Trial<'b> {
    broker: &'b Broker,
    proxy: Option<&'b Proxy>,
    rig: Rig,
    nodes: Vec<Node>,
    rng: Rng,
    sets: Vec<Arc<RuleSet>>,
    switches: usize,
    is_whole: bool,
}

impl<'b> Trial<'b> {
    pub(super) fn new(broker: &'b Broker, proxy: Option<&'b Proxy>, plan: &Plan, lines: &[u8]) -> Self {
        let address = proxy.map_or_else(|| broker.address.clone(), |proxy| format!("127.0.0.1:{}", proxy.port));
        let rig = Rig::new(
            &address,
            Shape { transaction_partitions: 2, leg_partitions: 4, lateness_days: reference::LATENESS_DAYS, ..Shape::default() },
        );
        std::fs::write(rig.path("t.jsonl"), lines).expect("written");
        for instance in ["two", "three"] {
            rig.configure(instance);
        }
        let nodes = vec![rig.start("one"), rig.start("two")];
        let sets = SETS.iter().map(|settings| reference::rule_set(settings)).collect();
        Self { broker, proxy, rig, nodes, rng: Rng::with_seed(plan.seed), sets, switches: 0, is_whole: plan.is_whole }
    }

    /// Feeds the demo at `rate` records a second, lets the faults happen, one after another at odd moments, and checks all that was said.
    pub(super) fn run(mut self, name: &str, rate: u64, faults: &[Fault], pause: Duration) {
        let begun = Instant::now();
        let feeding = self.rig.feed("t.jsonl", rate);
        for fault in faults {
            let most = u64::try_from(pause.as_millis()).expect("a short time");
            thread::sleep(Duration::from_millis(self.rng.u64(most / 8..=most)));
            self.supervise();
            self.happen(*fault);
        }
        while !feeding.is_finished() {
            self.supervise();
            thread::sleep(Duration::from_millis(100));
        }
        feeding.join().expect("the feed is complete");
        if let Some(proxy) = self.proxy {
            proxy.disarm();
        }
        self.supervise();
        loop {
            self.rig.wait_until_caught_up();
            self.nodes.drain(..).for_each(Node::terminate);
            if self.rig.is_caught_up() {
                break;
            }
            // The splitter wrote a last tick that nobody folded any more.
            self.nodes.push(self.rig.start("one"));
        }
        let compared = reference::check(&self.rig, &self.sets, self.is_whole);
        assert!(compared.legs + compared.set_aside >= compared.transactions && compared.by_oracle > 0, "{name}: {compared:?}");
        assert!(compared.alerts > 0 && compared.reports > 0 && compared.office > 0 && compared.set_aside > 0, "{name}: {compared:?}");
        eprintln!("{name}: {} faults, {} switches, {} s: {compared:?}", faults.len(), self.switches, begun.elapsed().as_secs());
    }

    fn happen(&mut self, fault: Fault) {
        match fault {
            Fault::Kill => {
                let at = self.rng.usize(..self.nodes.len());
                self.nodes[at].kill();
                let instance = self.nodes[at].instance;
                self.nodes[at] = self.rig.start(instance);
            }
            Fault::SleepPastSession => self.sleep(Duration::from_secs(9)),
            Fault::SleepPastTransaction => self.sleep(Duration::from_millis(4500)),
            Fault::Come => {
                let mut guest = self.rig.start("three");
                thread::sleep(Duration::from_millis(self.rng.u64(200..2500)));
                if self.rng.bool() {
                    guest.kill();
                } else {
                    let code = guest.terminate_early();
                    assert!(matches!(code, None | Some(0 | 70)), "a guest ended with {code:?}:\n{}", self.rig.log());
                }
            }
            Fault::Twin => self.twin(),
            Fault::BrokerDies => {
                self.broker.kill();
                thread::sleep(Duration::from_millis(self.rng.u64(0..2000)));
                self.broker.restart();
            }
            Fault::Switch => {
                self.switches += 1;
                let mut arguments = vec!["rules", "publish"];
                let folder = rules();
                arguments.push(&folder);
                SETS[self.switches % 2].iter().for_each(|setting| arguments.extend(["--set", setting]));
                self.rig.done(&arguments);
            }
            Fault::Wire(api, trick) => self.proxy.expect("a proxy").arm(api, trick),
        }
    }

    fn sleep(&mut self, time: Duration) {
        let at = self.rng.usize(..self.nodes.len());
        self.nodes[at].pause();
        thread::sleep(time);
        self.nodes[at].resume();
    }

    fn twin(&mut self) {
        let at = self.rng.usize(..self.nodes.len());
        let mut twin = self.rig.start(self.nodes[at].instance);
        let begun = Instant::now();
        loop {
            if let Some(code) = self.nodes[at].ended() {
                assert_eq!(code, Some(70), "who loses says so:\n{}", self.rig.log());
                self.nodes[at] = twin;
                return;
            }
            if let Some(code) = twin.ended() {
                assert_eq!(code, Some(70), "who loses says so:\n{}", self.rig.log());
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "two of one name live side by side:\n{}", self.rig.log());
            thread::sleep(Duration::from_millis(50));
        }
    }

    /// What whoever runs a service does: a process that ended because it could not be sure of itself is started again.
    /// Brokers that have started again may take a member that returns to them for a second one of its name, and refuse it.
    fn supervise(&mut self) {
        for node in &mut self.nodes {
            if let Some(code) = node.ended() {
                assert_eq!(code, Some(70), "a process ended:\n{}", self.rig.log());
                *node = self.rig.start(node.instance);
            }
        }
    }
}

/// The demo's records with so many among them that are none, of every kind of wrong.
pub(super) fn with_malformed(lines: &str, malformed: usize) -> Vec<u8> {
    let good: Vec<&str> = lines.lines().collect();
    let each = malformed.div_ceil(good.len());
    let mut all = Vec::with_capacity(lines.len() + malformed * 60);
    let mut left = malformed;
    for (at, line) in good.iter().enumerate() {
        all.extend_from_slice(line.as_bytes());
        all.push(b'\n');
        for number in 0..each.min(left) {
            all.extend(malformed_line(at * each + number, line));
            all.push(b'\n');
        }
        left -= each.min(left);
    }
    all
}

fn malformed_line(number: usize, good: &str) -> Vec<u8> {
    match number % 8 {
        0 => format!("{{\"number\":{number}").into_bytes(),
        1 => b"\xff\xfe\x00 not text".to_vec(),
        2 => format!("[{number}]").into_bytes(),
        3 => good.as_bytes()[..good.len() / 2].to_vec(),
        4 => good.replacen(':', ":1e999,\"x\":", 1).into_bytes(),
        5 => format!("{{\"number\":{number}}}").into_bytes(),
        6 => "null".as_bytes().to_vec(),
        _ => format!("{}{number}{}", "[".repeat(300), "]".repeat(300)).into_bytes(),
    }
}

/// All requests that the commit of a transaction, and membership in a group, consist of, with everything that can happen to each.
pub(super) fn wire_faults() -> Vec<Fault> {
    let apis = [
        proxy::END_TXN,
        proxy::TXN_OFFSET_COMMIT,
        proxy::ADD_OFFSETS_TO_TXN,
        proxy::ADD_PARTITIONS_TO_TXN,
        proxy::INIT_PRODUCER_ID,
        proxy::PRODUCE,
        proxy::OFFSET_FETCH,
        proxy::FETCH,
        proxy::JOIN_GROUP,
        proxy::SYNC_GROUP,
        proxy::HEARTBEAT,
    ];
    let tricks = [
        Trick::LoseReply,
        Trick::LoseRequest,
        Trick::DelayRequest(Duration::from_millis(1200)),
        Trick::DelayReply(Duration::from_millis(1200)),
        Trick::DeliverLate(Duration::from_millis(2500)),
    ];
    apis.into_iter().flat_map(|api| tricks.map(|trick| Fault::Wire(api, trick))).collect()
}

/// Faults in an order of the seed's, a change of rule sets after every third.
pub(super) fn shuffled(plan: &Plan, mut faults: Vec<Fault>) -> Vec<Fault> {
    Rng::with_seed(plan.seed).shuffle(&mut faults);
    faults.chunks(3).flat_map(|three| three.iter().copied().chain([Fault::Switch])).collect()
}

impl Drop for Trial<'_> {
    /// A trial that failed leaves its logs where they can be looked at, and says how to have it again.
    fn drop(&mut self) {
        if thread::panicking() {
            let kept = std::env::temp_dir().join(format!("weir-trial-{}", self.rig.prefix));
            let _ = std::fs::rename(self.rig.folder.path(), &kept);
            eprintln!("WEIR_CHAOS_SEED: see above; settings, logs and snapshots are in {}", kept.display());
        }
    }
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WEIR_CHAOS_SEED={}", self.seed)
    }
}
