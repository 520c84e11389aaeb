//! One record at a time: fields, formats, amounts, dates, encodings.

use crate::show::check;

#[test]
fn json_lines_without_a_feed_file() {
    let lines = [
        r#"{"txn_id":"T1","occurred_at":"2026-03-07T23:00:00+08:00","amount":"5000.00","payer_account":"6222","payer_customer":"P1","payer_kind":"natural","payee_account":"7333","payee_customer":"C9"}"#,
        r#"{"txn_id":"T2","occurred_at":"2026-03-07T23:00:00","amount":1e3,"payer_customer":"P1","payee_bank":"102100099996","payee_account":"88"}"#,
        "",
        r#"{"txn_id":"T3","occurred_at":"2026-03-08","amount":0.1,"payee_customer":"C9","cash":true,"memo":"现金"}"#,
        r#"{"txn_id":"T4","amount":1}"#,
        r#"{"txn_id":"T5","occurred_at":"2026-02-30","amount":1,"payee_customer":"C9"}"#,
        "{",
        r#"{"txn_id":"T6","occurred_at":"2026-03-09","amount":1,"payee_account":"nobody of ours"}"#,
    ];
    check(
        "",
        "a.jsonl",
        lines.join("\n"),
        &[
            "1 Out c:P1 T1 2026-03-07T23:00:00+08:00 500000 | c:C9 | natural",
            "1 In c:C9 T1 2026-03-07T23:00:00+08:00 500000 | c:P1 natural",
            "2 Out c:P1 T2 2026-03-07T23:00:00+08:00 100000 | a:102100099996/88",
            "tick before 3 at 2026-03-08T00:00:00+08:00",
            "3 In c:C9 T3 2026-03-08T00:00:00+08:00 10 | nobody CASH+MEMO",
            "4 a.jsonl:5 missing_field occurred_at",
            "5 a.jsonl:6 bad_time occurred_at",
            "6 a.jsonl:7 malformed",
            "7 a.jsonl:8 no_party",
        ],
    );
}
