//! What is too old to matter is let go in time. No answer shows it, so the comparison with the oracle cannot: a snapshot's size does.

use std::sync::Arc;

use weir_engine::{Effects, Engine, Input};
use weir_testkit::log::{Event, parse, stamp};
use weir_testkit::oracle::Settings;
use weir_testkit::rule_sets;

use super::{engine_settings, input, restored};

/// More than one tick sweeps.
const PARTIES: usize = 2000;
const LEGS: usize = 6;

/// Legs of every party within an hour; then half a year, in which a few others have legs or nobody has any.
fn log(has_traffic: bool) -> Vec<Event> {
    let first = (0..PARTIES * LEGS).map(|number| {
        let (party, leg) = (number % PARTIES, number / PARTIES);
        format!("2024-02-03T10:{:02}:00 c:A{party} in 5000 p1 t{number} natural\n", leg * 5)
    });
    let later = (0..180).map(|day: usize| {
        let of_day =
            |leg: usize| format!("2024-{:02}-{:02}T09:00:00 c:B{leg} in 5000 p1 d{day}-{leg} natural\n", 3 + day / 28, 1 + day % 28);
        if has_traffic { (0..100).map(of_day).collect() } else { "pass 1\n".to_owned() }
    });
    let rows = parse(&first.chain(later).collect::<String>()).expect("rows");
    stamp(&rows, &[])
}

fn settings() -> weir_engine::Settings {
    engine_settings(Settings::default())
}

/// Bytes that the parties of the first hour take after it, and after all: what is there of the others is taken off.
fn sizes(has_traffic: bool, restarts: bool) -> (usize, usize) {
    let rules = rule_sets::short();
    let events = log(has_traffic);
    let (first, later) = events.split_at(events.iter().position(is_later).expect("time passes"));
    let feed = |engine: &mut Engine, events: &[Event]| {
        // A record a call, as in a quiet partition.
        events.iter().for_each(|event| engine.step(&[input(event)] as &[Input<'_>], &mut Effects::default()));
    };
    let mut engine = Engine::new(settings(), Arc::clone(&rules));
    feed(&mut engine, first);
    let before = engine.snapshot();
    if restarts {
        engine = restored(Settings::default(), &[Arc::clone(&rules)], &before).expect("what was written can be read");
    }
    feed(&mut engine, later);
    let mut others = Engine::new(settings(), rules);
    let of_others = |event: &&Event| !matches!(event, Event::Leg { leg, .. } if leg.party.starts_with("c:A"));
    feed(&mut others, &events.iter().filter(of_others).cloned().collect::<Vec<_>>());
    (before.len(), engine.snapshot().len() - others.snapshot().len())
}

/// Whether the first hour is over.
fn is_later(event: &Event) -> bool {
    match event {
        Event::Tick { clock, .. } => clock.to_string().as_str() > "2024-02-03T12",
        Event::Leg { leg, .. } => leg.party.starts_with("c:B"),
        Event::Switch { .. } => false,
    }
}

#[test]
fn what_is_too_old_is_let_go_with_legs_and_without() {
    for has_traffic in [false, true] {
        for restarts in [false, true] {
            let (before, after) = sizes(has_traffic, restarts);
            // A party's key, its counterparty and what is left of sums stay; of six rows nothing does.
            assert!(after * 2 < before, "{before} bytes before and {after} after; traffic {has_traffic}, restarts {restarts}");
        }
    }
}
