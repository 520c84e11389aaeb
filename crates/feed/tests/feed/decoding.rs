//! One record at a time: fields, amounts, dates, reversals, ledger rows, encodings.

use crate::show::{check, run};

/// A JSON line with the fields every record needs, and `more`.
fn line(txn_id: &str, more: &str) -> String {
    format!(r#"{{"txn_id":"{txn_id}","occurred_at":"2026-03-07T12:00:00","payer_customer":"P","payee_customer":"Q",{more}}}"#)
}

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

/// What one record comes to: the amount in minor units, or reason and field.
fn outcome(feed: &str, name: &str, bytes: &str) -> String {
    let line = run(feed, name, bytes).lines().into_iter().next().unwrap_or_default();
    let words: Vec<&str> = line.split(' ').collect();
    match words.as_slice() {
        [_, "Out" | "In", _, _, _, amount, ..] => (*amount).to_owned(),
        [_, _, reason @ ..] => reason.join(" "),
        _ => line,
    }
}

#[test]
fn amounts_are_exact_or_refused_with_their_reason() {
    for (amount, expected) in [
        (r#""0.1""#, "10"),
        ("5000", "500000"),
        ("1e3", "100000"),
        ("5000.000", "500000"),
        ("123456789012.34", "12345678901234"),
        (r#"" 7.5 ""#, "750"),
        ("0.001", "amount_too_precise amount"),
        ("0", "amount_zero amount"),
        ("-1", "amount_negative amount"),
        ("1e16", "amount_too_large amount"),
        (r#""NaN""#, "bad_amount amount"),
        (r#""1,234.50""#, "bad_amount amount"),
        (r#""""#, "missing_field amount"),
        ("null", "missing_field amount"),
        ("true", "bad_amount amount"),
        ("[1]", "bad_amount amount"),
        ("NaN", "malformed"),
    ] {
        assert_eq!(outcome("", "a.jsonl", &line("T", &format!("\"amount\":{amount}"))), expected, "{amount}");
    }
    let feed = |amount: &str| {
        format!(
            "version: 1\nfields: {{txn_id: id, occurred_at: at, payer_customer: who, amount: {amount}, reverses: {{column: of, optional: true}}}}"
        )
    };
    for (amount, value, expected) in [
        ("{column: v, grouping: true}", "\"1,234.50\"", "123450"),
        ("{column: v, grouping: true}", "\"12,34.50\"", "bad_amount amount"),
        ("{column: v, unit: fen}", "123450", "123450"),
        ("{column: v, unit: fen}", "1.5", "amount_too_precise amount"),
        ("{column: v, unit: 万元}", "1.2345", "1234500"),
        ("{column: v, scale: 3}", "1.5", "150000"),
        ("{column: v, negative: cancel}", "-5", "missing_field reverses"),
    ] {
        assert_eq!(outcome(&feed(amount), "a.csv", &format!("id,at,who,v\n1,2026-01-02,P,{value}\n")), expected, "{amount} {value}");
    }
}

#[test]
fn every_field_is_checked_and_named() {
    let amount = "\"amount\":1,";
    let long = "x".repeat(129);
    for (more, expected) in [
        (r#""payer_kind":"person""#, "bad_value payer_kind".to_owned()),
        (r#""payee_division":"99""#, "bad_value payee_division".to_owned()),
        (r#""payee_division":"000000""#, "100".to_owned()),
        (r#""payee_division":530522"#, "100".to_owned()),
        (r#""payer_birth_year":"1949-10-01""#, "bad_value payer_birth_year".to_owned()),
        (r#""channel":"fax""#, "bad_value channel".to_owned()),
        (r#""cash":"yes""#, "bad_value cash".to_owned()),
        (r#""cash":0"#, "100".to_owned()),
        (r#""currency":"人民币""#, "bad_value currency".to_owned()),
        (r#""account_class":"savings""#, "bad_value account_class".to_owned()),
        (r#""reversal_kind":"undo""#, "bad_value reversal_kind".to_owned()),
        (r#""reversal_kind":"cancel""#, "missing_field reverses".to_owned()),
        (r#""payer_account":6.2e18"#, "bad_value payer_account".to_owned()),
        (r#""payer_account":6222020200112233445"#, "100".to_owned()),
        (r#""payer_name":{"first":"x"}"#, "bad_value payer_name".to_owned()),
        (r#""balance_after":"much""#, "bad_amount balance_after".to_owned()),
        (r#""amount_usd":"0.001""#, "amount_too_precise amount_usd".to_owned()),
        (r#""anything":{"else":[1]}"#, "100".to_owned()),
    ] {
        assert_eq!(outcome("", "a.jsonl", &line("T", &format!("{amount}{more}"))), expected, "{more}");
    }
    assert_eq!(outcome("", "a.jsonl", &line(&long, "\"amount\":1")), "bad_value txn_id");
    assert_eq!(outcome("", "a.jsonl", &line(" ", "\"amount\":1")), "missing_field txn_id");
}

#[test]
fn reversals_take_out_or_return() {
    let lines = [
        line("T1", r#""amount":5,"reverses":"T0""#),
        line("T2", r#""amount":5,"reverses":"T0","reversal_kind":"correction""#),
        line("T3", r#""amount":5,"reversal_kind":"return""#),
    ];
    check(
        "",
        "a.jsonl",
        lines.join("\n"),
        &[
            "1 Out c:P T1 2026-03-07T12:00:00+08:00 500 removes T0 | c:Q",
            "1 In c:Q T1 2026-03-07T12:00:00+08:00 500 removes T0 | c:P",
            "2 Out c:P T2 2026-03-07T12:00:00+08:00 500 removes T0 | c:Q",
            "2 In c:Q T2 2026-03-07T12:00:00+08:00 500 removes T0 | c:P",
            "3 Out c:P T3 2026-03-07T12:00:00+08:00 500 return | c:Q",
            "3 In c:Q T3 2026-03-07T12:00:00+08:00 500 return | c:P",
        ],
    );
}

#[test]
fn foreign_money_keeps_its_currency_and_equivalents() {
    let lines = [
        line("T1", r#""amount":"100","currency":"JPY","amount_cny":"4.83","amount_usd":"0.67""#),
        line("T2", r#""amount":"10","currency":"usd""#),
        line("T3", r#""amount":"10","currency":"RMB","amount_cny":"999","amount_usd":"1.4""#),
        line("T4", r#""amount":"10.5","currency":"JPY""#),
    ];
    check(
        "",
        "a.jsonl",
        lines.join("\n").replace("\"payee_customer\":\"Q\"", "\"payee_bank\":\"B\""),
        &[
            "1 Out c:P T1 2026-03-07T12:00:00+08:00 100 JPY cny=Some(483) usd=Some(67) | nobody",
            "2 Out c:P T2 2026-03-07T12:00:00+08:00 1000 USD cny=None usd=Some(1000) | nobody TIME+UNCONVERTED",
            "3 Out c:P T3 2026-03-07T12:00:00+08:00 1000 CNY cny=Some(1000) usd=Some(140) | nobody",
            "4 a.jsonl:4 amount_too_precise amount",
        ],
    );
}

#[test]
fn a_feed_file_renames_joins_and_translates() {
    let feed = "
version: 1
institution: SZYH
zone: \"+09:00\"
csv: {delimiter: '|', skip_lines: 2}
nulls: [\"\\\\N\", 无]
fields:
  txn_id: [日期, 网点, 流水]
  occurred_at: {columns: [日期, 时间], formats: ['%Y%m%d %H%M%S', '%Y%m%d']}
  amount: 金额
  payer_customer: 付款客户
  payee_account: 收款账号
  payee_name: 收款户名
  payee_kind: {column: 类型, values: {个人: natural, 单位: organisation, 其他: ~}, other: unknown}
  channel: {column: 渠道, values: {柜面: counter}}
  memo: [摘要, 附言]
  purpose: {column: 用途, optional: true}
";
    let rows = "报表\n\n日期|网点|流水|时间|金额|付款客户|收款账号|收款户名|类型|渠道|摘要|附言\n\
        20260307|01|7|230001|1.5|P|6222|张三|个人|柜面|货款|三月\n\
        20260307|01|8||1.5|P|6222|无|军队|\\N||\n\
        20260307||9||1.5|P|||||||\n\
        20260307|01|10||1.5|P||||传真||\n";
    check(
        feed,
        "a.csv",
        rows,
        &[
            "1 Out c:SZYH/P 20260307-01-7 2026-03-07T22:00:01+08:00 150 | a:6222 natural counter TIME+MEMO",
            "2 Out c:SZYH/P 20260307-01-8 2026-03-06T23:00:00+08:00 150 | a:6222",
            "3 a.csv:6 missing_field txn_id",
            "4 a.csv:7 bad_value channel",
        ],
    );
}

#[test]
fn files_without_header_or_quotes_are_read_by_what_the_feed_says() {
    let feed = "version: 1\ncsv: {columns: [id, at, v, who, note], quote: none, delimiter: tab}\n\
        fields: {txn_id: id, occurred_at: {column: at, epoch: seconds}, amount: v, payer_account: who, memo: note}\n";
    check(
        feed,
        "a.csv",
        "1\t1772895600\t5\tA\t\"open\n2\t1772895600\t5\tA\n",
        &["1 Out a:A 1 2026-03-07T23:00:00+08:00 500 | nobody TIME+MEMO", "2 a.csv:2 malformed"],
    );
}

#[test]
fn ledger_rows_are_legs_of_their_own_side() {
    let feed = "
version: 1
rows: ledger_side
fields:
  txn_id: id
  occurred_at: at
  amount: {in: 收入, out: 支出, grouping: true}
  balance_after: 余额
  account: 账号
  account_class: 类别
  counter_account: 对方
  counter_customer: 对方客户
";
    let rows = "id,at,收入,支出,余额,账号,类别,对方,对方客户\n\
        1,2026-01-02T10:00,\"1,000.00\",,1000,A,current,B,\n\
        2,2026-01-02T10:01,0.00,400,600,A,,,C2\n\
        3,2026-01-02T10:02,1,2,,A,,B,\n\
        4,2026-01-02T10:03,,,,A,,B,\n\
        5,2026-01-02T10:04,5,,,,,B,\n";
    check(
        feed,
        "a.csv",
        rows,
        &[
            "1 In a:A 1 2026-01-02T10:00:00+08:00 100000 | a:B balance=100000",
            "2 Out a:A 2 2026-01-02T10:01:00+08:00 40000 | c:C2 balance=60000",
            "3 a.csv:4 bad_value amount",
            "4 a.csv:5 missing_field amount",
            "5 a.csv:6 no_party",
        ],
    );
}

#[test]
fn red_entries_take_out_or_go_the_other_way() {
    let feed = |negative: &str| {
        format!(
            "version: 1\nrows: ledger_side\nfields: {{txn_id: id, occurred_at: at, amount: {{column: v, negative: {negative}}}, \
             account: own, counter_account: other, direction: way, reverses: of, balance_after: rest}}\n"
        )
    };
    let rows = "id,at,v,own,other,way,of,rest\n1,2026-01-02,-5,A,B,out,0,7\n2,2026-01-02,-5,A,B,in,0,7\n";
    check(
        &feed("correction"),
        "a.csv",
        rows,
        &[
            "1 Out a:A 1 2026-01-02T00:00:00+08:00 500 removes 0 | a:B balance=700",
            "2 In a:A 2 2026-01-02T00:00:00+08:00 500 removes 0 | a:B balance=700",
        ],
    );
    check(
        &feed("return"),
        "a.csv",
        rows,
        &[
            "1 In a:A 1 2026-01-02T00:00:00+08:00 500 return | a:B balance=700",
            "2 Out a:A 2 2026-01-02T00:00:00+08:00 500 return | a:B balance=700",
        ],
    );
    check(&feed("reject"), "a.csv", rows, &["1 a.csv:2 amount_negative amount", "2 a.csv:3 amount_negative amount"]);
}

#[test]
fn gb18030_is_read_and_bad_bytes_cost_one_record() {
    let feed = "version: 1\nencoding: gb18030\nfields: {txn_id: 流水号, occurred_at: 时间, amount: 金额, payer_name: 户名, payer_customer: 客户}\n";
    let mut bytes = encoding_rs::GB18030.encode("流水号,时间,金额,户名,客户\n1,2026-01-02,1,䶮,P\n2,2026-01-02,1,").0.into_owned();
    bytes.extend(b"\xB0\xFF,P\n3,2026-01-02,1,\xD5,P\n4,2026-01-02,1,x,P\n");
    let expected = [
        "1 Out c:P 1 2026-01-02T00:00:00+08:00 100 | nobody",
        "2 a.csv:3 bad_encoding",
        "3 a.csv:4 bad_encoding",
        "4 Out c:P 4 2026-01-02T00:00:00+08:00 100 | nobody",
    ];
    check(feed, "a.csv", bytes.clone(), &expected);
    let mut marked = b"\x84\x31\x95\x33".to_vec();
    marked.extend(bytes.clone());
    check(&feed.replace("gb18030", "utf-8"), "a.csv", marked, &expected);
    check(
        &feed.replace("gb18030", "utf-8"),
        "a.csv",
        bytes,
        &["error: a.csv:1: the header is not UTF-8; if the feed is in GB18030 or GBK, its feed file says `encoding: gb18030`"],
    );
    let utf8 = "\u{feff}流水号,时间,金额,户名,客户\n1,2026-01-02,1,x,P\n";
    check(feed, "a.csv", utf8, &["1 Out c:P 1 2026-01-02T00:00:00+08:00 100 | nobody"]);
    check(
        "",
        "a.csv",
        b"\xFF\xFEt\0x\0".to_vec(),
        &["error: a.csv: the text is UTF-16; convert it first, for example with iconv -f UTF-16 -t UTF-8"],
    );
}

#[test]
fn a_wrong_feed_is_told_by_its_columns() {
    let feed = "version: 1\nfields: {txn_id: 流水号, occurred_at: 交易时间, amount: 金额, payer_account: 付款账号, memo: {column: 摘要, optional: true}}\n";
    check(
        feed,
        "a.csv",
        "流水号,交易日间,金额,收款账号\n",
        &[
            "error: a.csv: wrong feed? no column `交易时间` (for occurred_at), did you mean `交易日间`?; no column `付款账号` (for payer_account), \
         did you mean `收款账号`?; the columns are `流水号`, `交易日间`, `金额`, `收款账号`",
        ],
    );
    check(
        "",
        "a.csv",
        "txn_id,amuont,occurred_at,payer\n",
        &[
            "error: a.csv: wrong feed? no column `amount` (for amount), did you mean `amuont`?; no column `payer_account` (for payer_account); \
         the columns are `txn_id`, `amuont`, `occurred_at`, `payer`",
        ],
    );
    check(
        feed,
        "a.csv",
        "流水号,交易时间,金额,付款账号,金额\n",
        &["error: a.csv:1: the column `金额` stands in the header twice; which one is meant cannot be told"],
    );
    let skipping = "version: 1\ncsv: {skip_lines: 1}\nfields: {txn_id: id, occurred_at: at, amount: v, payer_account: who}\n";
    let no_header = "error: a.csv:2: there is no header line; name the columns under `csv: columns:` in the feed file";
    check(skipping, "a.csv", "a title and nothing more\n", &[no_header]);
    check(
        "",
        "a.jsonl",
        "[{\"txn_id\":1}]",
        &["error: a.jsonl: it is one JSON list; write one object a line, for example with jq -c '.[]'"],
    );
    check("", "a.dat", "x", &["error: a.dat: format unknown; name it with --format or `format:` in the feed file (jsonl, csv or parquet)"]);
}

#[test]
fn tags_come_from_memo_and_purpose() {
    let mut run = run("", "a.jsonl", line("T1", r#""amount":1,"payee_bank":"x","memo":"理财本金","purpose":"三月利息""#));
    run.options.tags = vec![
        ("invest".to_owned(), vec!["理财".to_owned(), "投资".to_owned()]),
        ("charity".to_owned(), vec!["捐款".to_owned()]),
        ("interest".to_owned(), vec!["利息".to_owned()]),
    ];
    assert_eq!(run.lines()[0], "1 Out c:P T1 2026-03-07T12:00:00+08:00 100 | c:Q TIME+MEMO tags=101");
}

#[test]
fn what_lies_in_the_future_is_refused_if_somebody_knows_the_time() {
    let mut run = run("", "a.jsonl", [line("T1", "\"amount\":1"), line("T2", "\"amount\":1").replace("12:00:00", "12:00:01")].join("\n"));
    let noon = weir_model::Day::from_ymd(2026, 3, 7).expect("exists").start().plus(weir_model::Span::hours(12));
    run.options.now = Some(noon.minus(weir_model::Span(600_000_000)));
    let lines = run.lines();
    assert_eq!((lines.len(), lines[2].as_str()), (3, "2 a.jsonl:2 future_dated occurred_at"));
}
