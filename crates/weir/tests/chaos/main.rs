//! `make chaos`: the service under faults drawn by chance, against an engine that nothing happens to and against the oracle.
//!
//! A program of its own and no part of `make test`: it takes minutes, with `WEIR_CHAOS=1` far longer. `WEIR_CHAOS_SEED` repeats the
//! choice of faults, not their moments.

#[allow(dead_code, reason = "shared with the tests of the command line, which use the rest")]
#[path = "../kafka/broker.rs"]
mod broker;
mod faults;
#[allow(dead_code, reason = "shared with the tests of the command line, which use the rest")]
#[path = "../kafka/proxy.rs"]
mod proxy;
mod reference;
#[allow(dead_code, reason = "shared with the tests of the command line, which use the rest")]
#[path = "../kafka/rig.rs"]
mod rig;

use std::path::{Path, PathBuf};
use std::time::Duration;

use self::broker::Broker;
use self::faults::{Fault, Plan, Trial, shuffled, wire_faults, with_malformed};
use self::proxy::Proxy;
use self::rig::transactions;

const WEIR: &str = env!("CARGO_BIN_EXE_weir");

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn two_processes_say_what_the_oracle_says_whatever_happens_to_them() {
    let plan = Plan::read();
    eprintln!("{plan}");
    let broker = Broker::start(None).expect("a broker of the trial's own");
    let mut faults = vec![Fault::Kill; plan.times(12, 200)];
    for (fault, few, many) in [
        (Fault::SleepPastSession, 3, 12),
        (Fault::SleepPastTransaction, 1, 10),
        (Fault::Come, 1, 20),
        (Fault::Twin, 1, 10),
        (Fault::BrokerDies, 1, 10),
    ] {
        faults.extend(vec![fault; plan.times(few, many)]);
    }
    let faults = shuffled(&plan, faults);
    let rate = if plan.is_whole { 20 } else { 250 };
    Trial::new(&broker, None, &plan, transactions().as_bytes()).run("processes and broker", rate, &faults, Duration::from_millis(1500));
}

#[test]
fn requests_and_replies_may_be_lost_late_or_cut() {
    let plan = Plan::read();
    eprintln!("{plan}");
    let proxy = Proxy::start();
    let broker = Broker::start(Some(proxy.port)).expect("a broker of the trial's own");
    proxy.lead_to(&broker.address);
    let mut faults = wire_faults();
    for _ in 1..plan.times(1, 6) {
        faults.extend(wire_faults());
    }
    let faults = shuffled(&plan, faults);
    let rate = if plan.is_whole { 60 } else { 300 };
    Trial::new(&broker, Some(&proxy), &plan, transactions().as_bytes()).run(
        "requests and replies",
        rate,
        &faults,
        Duration::from_millis(700),
    );
    assert!(proxy.played() * 10 >= u32::try_from(faults.len()).expect("few") * 6, "most of the faults have happened: {}", proxy.played());
}

#[test]
fn malformed_records_are_set_aside_once_and_harm_no_others() {
    let plan = Plan::read();
    eprintln!("{plan}");
    let broker = Broker::start(None).expect("a broker of the trial's own");
    let lines = with_malformed(&transactions(), plan.times(50_000, 1_000_000));
    Trial::new(&broker, None, &plan, &lines).run("malformed records", 20_000, &[Fault::Kill; 3], Duration::from_millis(3000));
}
