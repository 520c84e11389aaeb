//! The sample feeds under `fixtures/feeds`, each with the sample file beside it.

use std::path::PathBuf;
use std::sync::Arc;

use crate::show::read;
use weir_feed::{Mapping, Message, MessageDecoder, Options, Parties, Reader, Step, inputs};

fn check(name: &str, expected: &[&str]) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/feeds");
    let mapping = Mapping::load(&folder.join(format!("{name}.yaml"))).expect("a feed file");
    let file = folder.join(format!("{name}.csv")).display().to_string();
    let inputs = inputs::expand(std::slice::from_ref(&file), None).expect("a file");
    let reader = Reader::open(&inputs, mapping, Arc::new(Parties::default()), Options::default()).expect("opens");
    let lines: Vec<String> = read(reader).into_iter().map(|line| line.replace(&file, "FILE")).collect();
    assert_eq!(lines, expected);
}

#[test]
fn amlsim() {
    check(
        "amlsim",
        &[
            "1 Out a:17 amlsim.csv:1 2026-01-02T00:00:00+08:00 25050 | a:4 natural | natural",
            "1 In a:4 amlsim.csv:1 2026-01-02T00:00:00+08:00 25050 | a:17 natural | natural",
            "2 Out a:18 amlsim.csv:2 2026-01-02T00:00:00+08:00 25000 | a:4 natural | natural",
            "2 In a:4 amlsim.csv:2 2026-01-02T00:00:00+08:00 25000 | a:18 natural | natural",
            "tick before 3 at 2026-01-03T00:00:00+08:00",
            "3 Out a:19 amlsim.csv:3 2026-01-03T00:00:00+08:00 24999 | a:4 natural | natural",
            "3 In a:4 amlsim.csv:3 2026-01-03T00:00:00+08:00 24999 | a:19 natural | natural",
            "tick before 4 at 2026-01-04T00:00:00+08:00",
            "4 Out a:4 amlsim.csv:4 2026-01-04T00:00:00+08:00 74000 | a:90 natural | natural",
            "4 In a:90 amlsim.csv:4 2026-01-04T00:00:00+08:00 74000 | a:4 natural | natural",
        ],
    );
}

#[test]
fn core_ledger() {
    check(
        "core_ledger",
        &[
            "1 In c:SZYH/C20001 2603070001 2026-03-07T09:15:02+08:00 1000000 | a:102741000013/6217000000000010001 530502 mobile TIME+MEMO balance=1000000 | organisation",
            "2 In c:SZYH/C20001 2603070002 2026-03-07T09:20:44+08:00 5000000 | a:102741000013/6217000000000010002 530581 counter TIME+MEMO balance=6000000 | organisation",
            "tick before 3 at 2026-03-07T10:00:00+08:00",
            "3 In c:SZYH/C20001 2603070003 2026-03-07T10:01:30+08:00 5000000 removes 2603070002 | a:102741000013/6217000000000010002 530581 counter balance=1000000 | organisation",
            "tick before 4 at 2026-03-07T15:00:00+08:00",
            "4 Out c:SZYH/C20001 2603070004 2026-03-07T15:30:00+08:00 900000 | a:313741000019/6217000000000099999 532822 batch TIME+MEMO balance=100000 | organisation",
            "tick before 5 at 2026-03-07T16:00:00+08:00",
            "5 In c:SZYH/C10003 2603070005 2026-03-07T16:00:00+08:00 2000000 | nobody counter CASH+TIME+MEMO balance=2000000 | natural",
            "tick before 6 at 2026-03-07T17:00:00+08:00",
            "6 Out c:SZYH/C10003 2603070006 2026-03-07T17:45:10+08:00 50000 USD cny=Some(343000) usd=Some(50000) | a:GB29NWBK60161331926819 online CROSS_BORDER+TIME+MEMO | natural",
        ],
    );
}

#[test]
fn pboc_investigation() {
    check(
        "pboc_investigation",
        &[
            "1 In a:8811000000000001 pboc_investigation.csv:1 2026-03-02T00:00:00+08:00 1200000 | a:云南某银行/6231000000000001 online balance=1200000",
            "tick before 2 at 2026-03-02T11:00:00+08:00",
            "2 In a:8811000000000001 pboc_investigation.csv:2 2026-03-02T11:05:09+08:00 850050 | a:云南某银行/6231000000000002 mobile balance=2050050",
            "tick before 3 at 2026-03-03T00:00:00+08:00",
            "3 Out a:8811000000000001 pboc_investigation.csv:3 2026-03-03T00:00:00+08:00 2000000 | nobody counter CASH balance=50050",
            "4 FILE:6 missing_field occurred_at",
        ],
    );
}

fn doc(name: &str) -> String {
    std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name)).unwrap()
}

#[test]
fn every_example_of_the_manual_is_a_feed() {
    let manual = doc("feeds.md");
    let fields = ["txn_id", "occurred_at", "amount", "reverses", "reversal_kind", "direction"];
    let mut seen = 0;
    for line in manual.lines().filter_map(|line| line.strip_prefix("    ")).map(str::trim_start) {
        let Some((field, _)) = line.split_once(": ").filter(|(field, _)| fields.contains(field)) else { continue };
        let mut feed = format!("version: 1\nrows: ledger_side\nfields:\n  account: 账号\n  {line}\n");
        for other in ["txn_id", "occurred_at", "amount", "direction", "reverses"].into_iter().filter(|other| *other != field) {
            feed.push_str(&format!("  {other}: x\n"));
        }
        if let Err(problems) = Mapping::parse(&feed, "feeds.md") {
            panic!("{line}\n{problems}");
        }
        seen += 1;
    }
    assert!(seen >= 18, "{seen} examples found");
}

#[test]
fn the_record_table_has_every_field() {
    let table = doc("records.md");
    for field in weir_model::transaction::FIELDS {
        assert!(table.contains(&format!("`{field}`")), "{field}");
    }
    for reason in weir_model::Reason::ALL {
        assert!(table.contains(&format!("`{}`", reason.code())), "{}", reason.code());
    }
}

/// Played into a topic record by record, files say what they say when they are read.
#[test]
fn records_of_files_are_the_same_as_messages() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/feeds");
    let mut compared = 0;
    for entry in std::fs::read_dir(&folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "csv") {
            continue;
        }
        let mapping = Mapping::load(&path.with_extension("yaml")).expect("a feed file");
        // Serials made of row numbers need files.
        let Ok(decoder) = MessageDecoder::new(mapping.clone()) else { continue };
        let inputs = inputs::expand(&[path.display().to_string()], None).expect("a file");
        let mut reader = Reader::open(&inputs, mapping, Arc::new(Parties::default()), Options::default()).expect("opens");
        while let Some(batch) = reader.next() {
            let batch = batch.expect("can be read");
            for number in batch.first_record()..batch.first_record() + batch.len() as u64 {
                let bytes = reader.message(&batch, number).expect("of this batch");
                let decoded = decoder.decode(std::iter::once(Message { bytes: &bytes, received: None }));
                let legs: Vec<String> = (0..).map_while(|at| decoded.leg(at)).map(|view| format!("{view:?}")).collect();
                let of_file = batch.steps(0, 1).filter_map(|step| match step {
                    Step::Leg { record, view, .. } if record == number => Some(format!("{view:?}")),
                    _ => None,
                });
                assert_eq!(legs, of_file.collect::<Vec<_>>(), "{} {number}", path.display());
                compared += legs.len();
            }
        }
    }
    assert!(compared > 0, "nothing was compared");
}
