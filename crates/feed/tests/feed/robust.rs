//! Whatever bytes come: no panic, and no record lost.

use proptest::prelude::*;
use weir_feed::{Format, Input, Mapping, Options, RECORD_BYTES_MAX, Sort, Step};

use crate::show::{Run, run};

const LEDGER: &str = "version: 1
encoding: gb18030
rows: ledger_side
csv: {delimiter: '|'}
fields: {txn_id: [a, b], occurred_at: {columns: [c, d], formats: ['%Y%m%d %H%M%S', '%Y%m%d']}, amount: {column: e, grouping: true}, account: f, direction: {column: g, values: {收: in}, other: out}}
";

/// Bytes made of the pieces that matter to a framer or a parser, and of noise.
fn soup() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\"\"".to_vec()),
        Just(b",".to_vec()),
        Just(b"|".to_vec()),
        Just(b"{\"txn_id\":\"1\",".to_vec()),
        Just(b"\"occurred_at\":\"2026-01-02\",\"amount\":1,\"payer_account\":\"x\"}".to_vec()),
        Just(b"1|2|20260102|100000|1,234.5|A|\xCA\xD5".to_vec()),
        Just(b"T,2026-01-02,5,A".to_vec()),
        Just(b"\\u0000".to_vec()),
        Just(b"\x81".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just(b"\0".to_vec()),
        Just("九万".as_bytes().to_vec()),
        any::<u8>().prop_map(|byte| vec![byte]),
        "[0-9eE+.,:TZ-]{1,12}".prop_map(String::into_bytes),
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

fn account(feed: &str, format: Format, front: &[u8], soup: &[u8], sort: bool) {
    let mut bytes = front.to_vec();
    bytes.extend_from_slice(soup);
    let mut run = Run { feed, inputs: vec![Input::bytes("soup", bytes)], ..Run::default() };
    run.options = Options { format: Some(format), batch_records: 7, sort: sort.then(Sort::default), ..Options::default() };
    // Some soups begin with what is no text or no header at all: an error, not a panic.
    let Ok(mut reader) = run.open() else { return };
    let mut numbers = 0;
    let mut legs = 0;
    let mut held = Vec::new();
    for batch in reader.by_ref() {
        let batch = batch.expect("bytes in memory do not fail");
        for number in batch.first_record()..batch.first_record() + u64::try_from(batch.len()).unwrap() {
            numbers += 1;
            assert_eq!(number, numbers);
            held.extend_from_slice(&batch.original(number).expect("every record has its bytes"));
        }
        legs += batch.steps(0, 1).filter(|step| matches!(step, Step::Leg { .. })).count();
    }
    let counts = reader.counts();
    assert_eq!((counts.records, counts.legs), (numbers, u64::try_from(legs).unwrap()));
    assert_eq!(counts.records, counts.good + counts.rejected());
    // What is in no record is line ends, blank lines and the marks and header at the front.
    let significant = |bytes: &[u8]| bytes.iter().filter(|byte| !byte.is_ascii_whitespace()).count();
    assert!(significant(&held) <= significant(front) + significant(soup));
    if matches!(format, Format::Jsonl) && !soup.starts_with(b"\xEF\xBB\xBF") && !soup.starts_with(b"\x84\x31\x95\x33") {
        assert_eq!(significant(&held), significant(soup), "nothing but blanks may be left out");
    }
}

/// Legs without their record numbers; how many records were refused.
fn legs(name: &str, bytes: Vec<u8>) -> (Vec<String>, usize) {
    let lines = run("", name, bytes).lines();
    let (legs, others): (Vec<&String>, Vec<&String>) =
        lines.iter().filter(|line| !line.starts_with("tick")).partition(|line| line.contains(" Out ") || line.contains(" In "));
    (legs.into_iter().filter_map(|line| line.split_once(' ')).map(|(_, leg)| leg.to_owned()).collect(), others.len())
}

#[test]
fn good_records_come_through_whatever_stands_between_them() {
    let long = "x".repeat(RECORD_BYTES_MAX + 1);
    let good_json =
        |i: usize| format!("{{\"txn_id\":\"{i}\",\"occurred_at\":\"2026-01-02\",\"amount\":{},\"payer_account\":\"A\"}}", i + 1);
    let good_csv = |i: usize| format!("{i},2026-01-02,{},\"A, \"\"B\"\"\"", i + 1);
    let bad_json: [&[u8]; 9] =
        [b"{", b"\"", b"[1,2]", b"\xFF\xFE", b"{\"txn_id\":\"\xB0\"}", b"\0", long.as_bytes(), b"{\"txn_id\":1,\"txn_id\":2}", b"{}{}"];
    let bad_csv: [&[u8]; 10] =
        [b"x", b"a,\"b,c,d", b"\"", b"\"\"\"", b"1,2,3,4,5", b"\xFF,,,", b"\0,,,", long.as_bytes(), b"a,b,\"c\"d,e", b"a,\"\"b,c,d"];
    let check = |name: &str, header: &str, good: &dyn Fn(usize) -> String, bad: &[&[u8]]| {
        let mut clean = header.as_bytes().to_vec();
        let mut mixed = clean.clone();
        for i in 0..200 {
            clean.extend(format!("{}\n", good(i)).bytes());
            mixed.extend(format!("{}\n", good(i)).bytes());
            // Each kind after each other: what a stray quote opens must not reach the next good record.
            for kind in [bad[i % bad.len()], bad[(i / bad.len()) % bad.len()]] {
                mixed.extend_from_slice(kind);
                mixed.push(b'\n');
            }
        }
        let (expected, none) = legs(name, clean);
        let (legs, refused) = legs(name, mixed);
        assert_eq!((expected.len(), none), (200, 0), "{name}");
        assert_eq!(refused, 400, "{name}");
        assert!(legs == expected, "{name}: {} of {} legs", legs.len(), expected.len());
    };
    check("a.jsonl", "", &good_json, &bad_json);
    check("a.csv", "txn_id,occurred_at,amount,payer_account\n", &good_csv, &bad_csv);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_bytes_panic_and_none_are_lost(soup in soup(), sort in any::<bool>()) {
        account("", Format::Jsonl, b"", &soup, sort);
        account("", Format::Csv, b"txn_id,occurred_at,amount,payer_account\n", &soup, sort);
        account(LEDGER, Format::Csv, b"a|b|c|d|e|f|g\n", &soup, sort);
    }

    #[test]
    fn no_feed_file_panics(text in "[a-z:{}\\[\\] \n'\",~&*!|>#%@0-9-]{0,200}") {
        let _ = Mapping::parse(&text, "f.yaml");
    }
}
