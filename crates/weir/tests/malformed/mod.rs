//! A million lines, every seventh of them bad in one of the ways a line can be bad: each bad one is one dead letter with its reason and its
//! untouched bytes, the good ones come to what they come to alone, and memory does not grow with the length of the file.
//!
//! A file of that size, because only then a leak of a few bytes a bad line, a queue without a bound or a line lost at the seam of two blocks
//! would show.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};

use serde_json::Value;
use weir_model::{Day, EventTime, Span};

use super::{Bench, lines, without_place};

const LINES: u64 = 1_000_000;
/// A shorter file of the same kind: more than what is remembered of a party, so that state has reached its full size.
const FEWER_LINES: u64 = 200_000;
/// A line longer than a record may be stands in place of so many.
const TOO_LONG_EVERY: u64 = 199_999;
/// Bytes kept of it.
const RECORD_MAX: usize = 1 << 20;
/// When the file is said to have been received; good lines end before it.
const NOW: &str = "2026-06-01T00:00:00+08:00";

/// One way to be bad: what a good line becomes, and the reason and field of its dead letter.
type Flaw = (fn(&Good) -> Vec<u8>, &'static str, Option<&'static str>);

const FLAWS: [Flaw; 34] = [
    (|_| b"not json at all".to_vec(), "malformed", None),
    (|good| good.line().as_bytes()[..60].to_vec(), "malformed", None),
    (|good| format!("{} trailing", good.line()).into_bytes(), "malformed", None),
    (|good| format!("[{}]", good.line()).into_bytes(), "malformed", None),
    (|_| b"\"a text\"".to_vec(), "malformed", None),
    (|_| b"17".to_vec(), "malformed", None),
    (|_| b"null".to_vec(), "malformed", None),
    (|_| vec![b'['; 5000], "malformed", None),
    (|good| good.having("\"amount\":NaN"), "malformed", None),
    (|good| good.having("\"txn_id\":\"twice\",\"amount\":\"1\""), "malformed", None),
    (|good| format!("{}\0", good.line()).into_bytes(), "malformed", None),
    (|good| good.line().replace('人', "\u{1}").into_bytes(), "malformed", None),
    (|good| [good.line().as_bytes(), b"\xff\xfe"].concat(), "bad_encoding", None),
    (|good| good.line().replace("txn_id", "txnid").into_bytes(), "missing_field", Some("txn_id")),
    (|good| good.line().replace("occurred_at", "occured_at").into_bytes(), "missing_field", Some("occurred_at")),
    (|good| good.having("\"amount\":null"), "missing_field", Some("amount")),
    (|good| good.having("\"amount\":\"\""), "missing_field", Some("amount")),
    (|good| good.having("\"amount\":\"5\",\"reversal_kind\":\"cancel\""), "missing_field", Some("reverses")),
    (|good| good.having("\"amount\":true"), "bad_amount", Some("amount")),
    (|good| good.having("\"amount\":\"NaN\""), "bad_amount", Some("amount")),
    (|good| good.having("\"amount\":\"1,234.50\""), "bad_amount", Some("amount")),
    (|good| good.having("\"amount\":\"0x10\""), "bad_amount", Some("amount")),
    (|good| good.having("\"amount\":0.001"), "amount_too_precise", Some("amount")),
    (|good| good.having("\"amount\":0"), "amount_zero", Some("amount")),
    (|good| good.having("\"amount\":-5"), "amount_negative", Some("amount")),
    (|good| good.having("\"amount\":1e16"), "amount_too_large", Some("amount")),
    (|good| good.having("\"amount\":1e400"), "amount_too_large", Some("amount")),
    (|good| good.having("\"amount\":\"5\",\"payer_division\":\"99\""), "bad_value", Some("payer_division")),
    (|good| good.having("\"amount\":\"5\",\"channel\":\"fax\""), "bad_value", Some("channel")),
    (|good| good.having("\"amount\":\"5\",\"cash\":\"maybe\""), "bad_value", Some("cash")),
    (|good| good.at("yesterday"), "bad_time", Some("occurred_at")),
    (|good| good.at("2025-02-30T10:00:00+08:00"), "bad_time", Some("occurred_at")),
    (|good| good.at("2027-01-01T00:00:00+08:00"), "future_dated", Some("occurred_at")),
    (|good| good.line().replace("payer_account", "x").replace("payee_account", "y").into_bytes(), "no_party", None),
];

/// The `n`-th line, were it good: a minute after the one before.
struct Good(u64);

impl Good {
    fn line(&self) -> String {
        let yuan = if self.0.is_multiple_of(53) { 600_000 } else { 100 + self.0 * 37 % 9000 };
        format!("{{\"txn_id\":\"t{}\",\"occurred_at\":\"{}\",\"amount\":\"{yuan}.00\",{}}}", self.0, self.time(), self.sides())
    }

    /// With these fields in place of its amount.
    fn having(&self, amount: &str) -> Vec<u8> {
        format!("{{\"txn_id\":\"t{}\",\"occurred_at\":\"{}\",{amount},{}}}", self.0, self.time(), self.sides()).into_bytes()
    }

    /// At this time.
    fn at(&self, time: &str) -> Vec<u8> {
        format!("{{\"txn_id\":\"t{}\",\"occurred_at\":\"{time}\",\"amount\":\"5\",{}}}", self.0, self.sides()).into_bytes()
    }

    fn time(&self) -> EventTime {
        let start = Day::from_ymd(2024, 1, 1).expect("a date").start();
        start.plus(Span(i64::try_from(self.0).expect("a count of lines") * 60_000_000))
    }

    fn sides(&self) -> String {
        let (payer, payee) = (self.0 * 7 % 300, self.0 * self.0 % 41);
        format!(
            "\"payer_account\":\"p{payer}\",\"payer_kind\":\"natural\",\"payer_name\":\"人{payer}\",\"payee_account\":\"corp{payee}\",\"payee_kind\":\"organisation\""
        )
    }
}

/// The bad line in the place of the `n`-th, with its dead letter's reason and field.
fn bad(n: u64) -> Option<(Vec<u8>, &'static str, Option<&'static str>)> {
    if n.is_multiple_of(TOO_LONG_EVERY) {
        return Some((vec![b'x'; RECORD_MAX + 17], "too_long", None));
    }
    let which = usize::try_from(n / 7).expect("a count of lines") % FLAWS.len();
    let (line, reason, field) = FLAWS[which];
    n.is_multiple_of(7).then(|| (line(&Good(n)), reason, field))
}

fn write(bench: &Bench, name: &str, count: u64, with_bad: bool) {
    let mut file = BufWriter::new(File::create(bench.path(name)).expect("creates"));
    for n in 1..=count {
        let line = match bad(n) {
            Some((line, ..)) if with_bad => line,
            Some(_) => continue,
            None => Good(n).line().into_bytes(),
        };
        file.write_all(&line).and_then(|()| file.write_all(b"\n")).expect("writes");
    }
    file.flush().expect("writes");
}

/// Runs and returns the summary.
fn detect(bench: &Bench, name: &str) -> Value {
    let arguments =
        format!("detect --json --now {NOW} --alerts {name}.alerts --large-amount {name}.large --dead-letters {name}.dead {name}.jsonl");
    serde_json::from_str(&bench.check(&arguments, 0, &[]).stderr).expect("is JSON")
}

/// The untouched bytes that a dead letter keeps.
fn original(letter: &Value) -> Vec<u8> {
    match (&letter["original"], &letter["original_base64"]) {
        (Value::String(text), Value::Null) => text.clone().into_bytes(),
        (Value::Null, Value::String(text)) => from_base64(text),
        _ => panic!("one of the two forms: {letter}"),
    }
}

fn from_base64(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => 0,
    };
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    let mut bytes = Vec::new();
    for group in text.as_bytes().chunks(4) {
        let bits = group.iter().fold(0_u32, |bits, byte| bits << 6 | u32::from(digit(*byte)));
        bytes.extend(&bits.to_be_bytes()[1..]);
    }
    bytes.truncate(bytes.len() - padding);
    bytes
}

#[test]
fn a_million_lines_with_every_flaw_among_them_lose_nothing_and_cost_no_memory() {
    let bench = Bench::new();
    write(&bench, "mixed.jsonl", LINES, true);
    write(&bench, "good.jsonl", LINES, false);
    write(&bench, "fewer.jsonl", FEWER_LINES, true);
    let mixed = detect(&bench, "mixed");
    let good = detect(&bench, "good");
    let fewer = detect(&bench, "fewer");

    // Each bad line is one dead letter, in its place, with its reason and its bytes.
    let mut letters = BufReader::new(File::open(bench.path("mixed.dead")).expect("opens")).lines();
    let mut count = 0_u64;
    for (n, (line, reason, field)) in (1..=LINES).filter_map(|n| Some((n, bad(n)?))) {
        let text = letters.next().unwrap_or_else(|| panic!("line {n} has no dead letter")).expect("is text");
        let letter: Value = serde_json::from_str(&text).expect("is JSON");
        let found = (letter["line"].as_u64(), letter["record"].as_u64(), letter["reason"].as_str(), letter["field"].as_str());
        assert_eq!(found, (Some(n), Some(n), Some(reason), field));
        assert!(original(&letter) == line[..line.len().min(RECORD_MAX)], "line {n}, {reason}: other bytes");
        count += 1;
    }
    assert!(letters.next().is_none(), "a dead letter too many");
    assert!(count > LINES / 7);

    // The good lines come to what they come to alone.
    assert_eq!(bench.read("good.dead"), "");
    for output in ["alerts", "large"] {
        let [with, alone] = ["mixed", "good"].map(|run| bench.read(&format!("{run}.{output}")));
        assert!(!alone.is_empty(), "the input must reach every output");
        let said = |text: &str| lines(text).into_iter().map(without_place).collect::<Vec<Value>>();
        assert_eq!(said(&with), said(&alone), "{output}");
    }
    assert_eq!((&mixed["legs"], &mixed["duplicates"]), (&good["legs"], &0.into()));

    // Five times the lines take no more memory, up to how full queues happen to be; the bad lines alone would be 40 MiB.
    let peak = |summary: &Value| summary["peak_memory_kib"].as_u64();
    if let (Some(mixed), Some(fewer)) = (peak(&mixed), peak(&fewer)) {
        assert!(mixed < fewer + fewer / 2, "{mixed} KiB against {fewer} KiB");
    }
}
