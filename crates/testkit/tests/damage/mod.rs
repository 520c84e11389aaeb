//! Damaged snapshots: whatever a byte becomes, restoring gives an error or an engine that goes on, and never a panic.
//!
//! A changed byte is caught by its block's checksum. That tells nothing of a snapshot whose writer was mistaken, or malicious, so here the
//! checksums are made to fit again: the reader's own checks have to hold.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use weir_engine::{Effects, Engine, SnapshotError};
use weir_rules::RuleSet;
use weir_testkit::log::{Event, stamp};
use weir_testkit::oracle::Settings;
use weir_testkit::{rule_sets, streams};

use super::{engine_settings, input, restored};

/// Magic number and version.
const HEAD_BYTES: usize = 12;
const LENGTH_BYTES: usize = 4;
const CHECKSUM_BYTES: usize = 32;

/// An engine's snapshot in the middle of a random log, and the rest of the log.
fn interrupted(runner: &mut TestRunner, sets: &[Arc<RuleSet>]) -> (Vec<u8>, Vec<Event>) {
    let rows = streams::logs(40).new_tree(runner).expect("nothing is filtered").current();
    let mut events = stamp(&rows, &sets[1..]);
    let rest = events.split_off(events.len() * 2 / 3);
    let mut engine = Engine::new(engine_settings(Settings::default()), Arc::clone(&sets[0]));
    engine.step(&events.iter().map(input).collect::<Vec<_>>(), &mut Effects::default());
    (engine.snapshot(), rest)
}

/// Where the payloads of the blocks stand.
fn payloads(snapshot: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut payloads = Vec::new();
    let mut at = HEAD_BYTES;
    while let Some(length) = snapshot.get(at..at + LENGTH_BYTES) {
        let length = u32::from_le_bytes(length.try_into().expect("four bytes")) as usize;
        let from = at + LENGTH_BYTES + CHECKSUM_BYTES;
        payloads.push(from..from + length);
        at = from + length;
    }
    payloads
}

/// The bytes of all payloads in an order of their own: the same for two snapshots of one moment, in whatever order those have the parties.
pub(super) fn contents(snapshot: &[u8]) -> Vec<u8> {
    let mut bytes: Vec<u8> = payloads(snapshot).into_iter().flat_map(|range| &snapshot[range]).copied().collect();
    bytes.sort_unstable();
    bytes
}

/// The snapshot with one byte of a payload changed and the checksum made to fit.
fn changed(snapshot: &[u8], block: &std::ops::Range<usize>, at: usize, byte: u8) -> Vec<u8> {
    let mut bytes = snapshot.to_vec();
    bytes[block.start + at] = byte;
    let checksum = *blake3::hash(&bytes[block.clone()]).as_bytes();
    bytes[block.start - CHECKSUM_BYTES..block.start].copy_from_slice(&checksum);
    bytes
}

#[test]
fn a_byte_changed_anywhere_is_seen() {
    let sets = rule_sets::all();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[11; 32]));
    let (snapshot, _) = interrupted(&mut runner, &sets);
    for at in 0..snapshot.len() {
        let mut bytes = snapshot.clone();
        bytes[at] ^= 1;
        assert!(restored(Settings::default(), &sets, &bytes).is_err(), "byte {at}");
    }
    for cut in [0, 7, HEAD_BYTES, HEAD_BYTES + 20, snapshot.len() / 2, snapshot.len() - 1] {
        let error = restored(Settings::default(), &sets, &snapshot[..cut]).err();
        assert!(matches!(error, Some(SnapshotError::Damaged { .. })), "cut at {cut}: {error:?}");
    }
}

#[test]
fn no_snapshot_with_fitting_checksums_makes_the_engine_panic() {
    let sets = rule_sets::all();
    let mut runner = TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &[13; 32]));
    // Panics are counted and told at the end, not printed one by one.
    std::panic::set_hook(Box::new(|_| {}));
    let mut panics = Vec::new();
    let (mut refused, mut loaded) = (0, 0);
    for log in 0..12 {
        let (snapshot, rest) = interrupted(&mut runner, &sets);
        let blocks = payloads(&snapshot);
        for _ in 0..250 {
            let (block, at, byte) = {
                let draw = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>());
                let (block, at, byte) = draw.new_tree(&mut runner).expect("nothing is filtered").current();
                let block = &blocks[block.index(blocks.len())];
                (block.clone(), at.index(block.len()), byte)
            };
            let bytes = changed(&snapshot, &block, at, byte);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                let Ok(mut engine) = restored(Settings::default(), &sets, &bytes) else { return false };
                engine.step(&rest.iter().map(input).collect::<Vec<_>>(), &mut Effects::default());
                let (live, snapshot) = (engine.live_alerts(), engine.snapshot());
                live.len() < snapshot.len()
            }));
            match outcome {
                Ok(true) => loaded += 1,
                Ok(false) => refused += 1,
                Err(cause) => {
                    let text =
                        cause.downcast_ref::<String>().cloned().or_else(|| cause.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                    panics.push(format!("log {log}, byte {at} of {block:?} to {byte}: {}", text.unwrap_or_default()));
                }
            }
        }
    }
    drop(std::panic::take_hook());
    assert!(panics.is_empty(), "{} panics:\n{}", panics.len(), panics.join("\n"));
    assert!(refused > 300 && loaded > 300, "{refused} refused, {loaded} loaded: the test should see both");
}
