//! What state costs: `cargo run --release -p weir-benches --bin state -- [--parties N]`.
//!
//! An engine takes in ten legs and five counterparties a party within thirty days, under the shipped rules, and stays as it is after them. Printed
//! are the bytes it holds, in all and a party; how long writing it takes at once; the longest slice when it is written little by little, as the service does,
//! while legs keep coming; how long reading takes, by one and by two at once; and what a process holds that has begun with reading. Nothing is decoded, so
//! nothing else is in the figures.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_engine::{Effects, Engine, Input, Settings};
use weir_model::{Channel, Direction, Division, EventTime, Flags, Leg, LegKind, PartyKind, Profile, Span, leg::LegAmount, leg::Tags};

/// Transfers a party makes, and so legs it has two of; each goes to one of three others, the last of which pays back.
const TRANSFERS: u64 = 5;
/// 2026-01-01T00:00:00+08:00.
const BEGIN: EventTime = EventTime(1_767_196_800_000_000);
const DAYS: u64 = 30;
const HOUR: i64 = 3_600_000_000;
/// Of the service: what it writes between two steps.
const SLICE_BYTES: usize = 4 << 20;
/// Legs between two slices: a step of the service at a hundred thousand legs a second.
const LEGS_A_STEP: u64 = 2000;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let parties = match arguments.as_slice() {
        // How it asks another process of itself.
        [name, path] if name == "--read" => {
            read_alone(Path::new(path));
            return ExitCode::SUCCESS;
        }
        [] => Some(1_000_000),
        [name, value] if name == "--parties" => value.replace('_', "").parse().ok(),
        _ => None,
    };
    let Some(parties) = parties.filter(|parties| *parties >= 100) else {
        eprintln!("usage: state [--parties N]   at least 100; 1000000 unless said otherwise");
        return ExitCode::from(3);
    };
    run(parties);
    ExitCode::SUCCESS
}

fn run(parties: u64) {
    let rules = weir_benches::shipped(false);
    let mut engine = Engine::new(Settings::default(), Arc::clone(&rules));
    let mut effects = Effects::default();
    let empty = resident("VmRSS");
    let begun = Instant::now();
    let mut transfers = Transfers { parties, next: 0 };
    while transfers.step(&mut engine, &mut effects, LEGS_A_STEP) {}
    let legs = transfers.next * 2;
    say("legs taken in", &format!("{legs}, {} s", seconds(begun.elapsed())));
    let held = resident("VmRSS") - empty;
    say("held", &format!("{} MiB: {} bytes a party, of {} legs and 5 counterparties", held >> 20, held / parties, legs / parties));

    let begun = Instant::now();
    let size = engine.snapshot().len();
    say("written at once", &format!("{} MiB, {} s", size >> 20, seconds(begun.elapsed())));

    let (mut slices, mut longest, mut steps) = (0, Duration::ZERO, Duration::ZERO);
    let begun = Instant::now();
    engine.begin_base();
    let beginning = begun.elapsed();
    let bytes = loop {
        let begun = Instant::now();
        let written = engine.continue_snapshot(SLICE_BYTES);
        longest = longest.max(begun.elapsed());
        slices += 1;
        if let Some(pieces) = written {
            break pieces.concat();
        }
        let begun = Instant::now();
        transfers.step(&mut engine, &mut effects, LEGS_A_STEP);
        steps = steps.max(begun.elapsed());
    };
    say(
        "written little by little",
        &format!("{slices} slices, the longest {} ms; its beginning {} ms", millis(longest), millis(beginning)),
    );
    say("the longest step meanwhile", &format!("{} ms for {} legs", millis(steps), LEGS_A_STEP * 2));
    drop(engine);

    let find = |_: &str| Some(Arc::clone(&rules));
    let begun = Instant::now();
    let restored = Engine::restore(Settings::default(), &[&bytes], &find, &|_| true).expect("what was written can be read");
    say("read", &format!("{} parties, {} s", restored.parties(), seconds(begun.elapsed())));
    say("the most held in all", &format!("{} MiB", resident("VmHWM") >> 20));
    drop(restored);
    have_read(&bytes);

    // As a service with two workers does: each reads its own partitions.
    let halves = [0, 1].map(|half| {
        let owns = |key: &str| key.bytes().last().is_some_and(|byte| byte % 2 == half);
        Engine::restore(Settings::default(), &[&bytes], &find, &owns).expect("what was written can be read").snapshot()
    });
    let begun = Instant::now();
    let read =
        |bytes: &[u8]| Engine::restore(Settings::default(), &[bytes], &find, &|_| true).expect("what was written can be read").parties();
    let parties: usize = thread::scope(|scope| {
        let workers = halves.each_ref().map(|bytes| scope.spawn(|| read(bytes)));
        workers.into_iter().map(|worker| worker.join().expect("reading does not panic")).sum()
    });
    say("read by two, half each", &format!("{parties} parties, {} s", seconds(begun.elapsed())));
}

/// Another process reads, whose heap has nothing else in it, as that of a service which starts.
fn have_read(bytes: &[u8]) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    file.write_all(bytes).expect("a temporary file can be written");
    let itself = std::env::current_exe().expect("a process knows its program");
    let read = Command::new(itself).arg("--read").arg(file.path()).status().expect("the program can be run");
    assert!(read.success(), "the other process has failed");
}

fn read_alone(path: &Path) {
    let bytes = fs::read(path).expect("the snapshot can be read");
    let rules = weir_benches::shipped(false);
    let empty = resident("VmRSS");
    let restored = Engine::restore(Settings::default(), &[&bytes], &|_| Some(Arc::clone(&rules)), &|_| true);
    let restored = restored.expect("what was written can be read");
    let (held, parties) = (resident("VmRSS") - empty, restored.parties() as u64);
    say("held by who has read it", &format!("{} MiB: {} bytes a party", held >> 20, held / parties));
}

/// Transfers in order of time: every party makes its first, then every party its second.
struct Transfers {
    parties: u64,
    next: u64,
}

impl Transfers {
    /// Some transfers more; `false` once all that there are to begin with have been made.
    fn step(&mut self, engine: &mut Engine, effects: &mut Effects, transfers: u64) -> bool {
        let first = self.next;
        self.next += transfers;
        let made: Vec<Transfer> = (first..self.next).map(|number| Transfer::new(number, self.parties)).collect();
        let mut inputs = Vec::with_capacity(made.len() * 2 + 1);
        let tick = made[0].at.0.div_euclid(HOUR) * HOUR;
        inputs.push(Input::Tick { record: first, clock: EventTime(tick) });
        for transfer in &made {
            for direction in [Direction::Out, Direction::In] {
                inputs.push(Input::Leg { record: transfer.number, clock: transfer.at, leg: transfer.leg(direction) });
            }
        }
        engine.step(&inputs, effects);
        effects.alerts.clear();
        effects.reports.clear();
        effects.rejects.clear();
        self.next < self.parties * TRANSFERS
    }
}

struct Transfer {
    number: u64,
    at: EventTime,
    txn_id: String,
    payer: String,
    payee: String,
}

impl Transfer {
    fn new(number: u64, parties: u64) -> Self {
        let (round, payer) = (number / parties, number % parties);
        let distance = [1, 7, parties / 2][usize::try_from(round % 3).expect("less than three")];
        let micros = DAYS * 86_400_000_000 / TRANSFERS * round + DAYS * 86_400_000_000 / TRANSFERS * payer / parties;
        Self {
            number,
            at: BEGIN.plus(Span(i64::try_from(micros).expect("some years"))),
            txn_id: format!("T{number:015}"),
            payer: format!("c:{payer:012}"),
            payee: format!("c:{:012}", (payer + distance) % parties),
        }
    }

    fn leg(&self, direction: Direction) -> Leg<'_> {
        let (party, counterparty) = if direction == Direction::Out { (&self.payer, &self.payee) } else { (&self.payee, &self.payer) };
        Leg {
            party,
            txn_id: &self.txn_id,
            direction,
            kind: LegKind::Movement,
            at: self.at,
            amount: LegAmount::cny(i64::try_from(10_000 + self.number % 90_000).expect("some hundred yuan")),
            counterparty: Some(counterparty),
            counterparty_kind: PartyKind::Natural,
            counterparty_division: Division::UNKNOWN,
            channel: Some(Channel::Mobile),
            flags: Flags::HAS_TIME,
            tags: Tags::default(),
            balance_after: None,
            profile: Profile { kind: PartyKind::Natural, ..Profile::default() },
        }
    }
}

/// A line of `/proc/self/status`, in bytes; 0 on systems without it.
fn resident(name: &str) -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

fn say(what: &str, found: &str) {
    println!("{what:28} {found}");
}

fn seconds(time: Duration) -> String {
    format!("{}.{:02}", time.as_secs(), time.subsec_millis() / 10)
}

fn millis(time: Duration) -> String {
    format!("{}.{}", time.as_millis(), time.subsec_micros() % 1000 / 100)
}
