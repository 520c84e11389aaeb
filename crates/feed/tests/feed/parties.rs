//! Party data and what splitting makes of it: profiles, groups, own-account moves, exemptions.

use crate::show::{Run, run};
use weir_feed::{Input, Parties};

const PARTIES: &str = "customer,accounts,name,kind,industry,operating_division,opened_at,birth_year,agreements,group
C1,A1;A2,甲公司,organisation,L7212,530522,2020-05-06,,payroll:2026-03-07:120;acquiring:2026-03-06,甲系
C2,A3,乙公司,organisation,J6711,,,,,甲系
P1,A9,老王,natural,,530502,,1960,,
";

fn check_run(run: &Run<'_>, expected: &[&str]) {
    assert_eq!(run.lines(), expected);
}

fn transfers(rows: &str) -> Run<'static> {
    let header = "txn_id,occurred_at,amount,payer_account,payee_account,payer_customer,payee_customer,payer_name,payee_name,payer_bank,payee_bank,account_class,counter_account_class,payee_birth_year,payee_kind";
    let mut run = run("", "a.csv", format!("{header}\n{rows}"));
    run.parties = PARTIES;
    run
}

#[test]
fn party_data_goes_before_the_record_and_the_record_fills_the_rest() {
    check_run(
        &transfers(
            "1,2026-03-07T09:00,1,A1,A9,,,,,,,,,1990,organisation\n\
             2,2026-03-08T09:00,1,A1,X,,,,张三,,B,,,1966,natural\n\
             3,2026-03-08T09:01,1,,Y,C9,,,,,,,,1967,\n",
        ),
        &[
            "1 Out c:C1 1 2026-03-07T09:00:00+08:00 100 | c:P1 natural 530502 AGE_KNOWN+ELDERLY+TIME | organisation 530522 L7212 2020-05-06 registered agreements=1/120",
            "1 Out g:甲系 1 2026-03-07T09:00:00+08:00 100 | c:P1 natural 530502 AGE_KNOWN+ELDERLY+TIME | unknown member=c:C1",
            "1 In c:P1 1 2026-03-07T09:00:00+08:00 100 | c:C1 organisation 530522 | natural 530502 registered",
            "tick before 2 at 2026-03-08T09:00:00+08:00",
            "2 Out c:C1 2 2026-03-08T09:00:00+08:00 100 | a:B/X natural AGE_KNOWN+ELDERLY+TIME | organisation 530522 L7212 2020-05-06 registered",
            "2 Out g:甲系 2 2026-03-08T09:00:00+08:00 100 | a:B/X natural AGE_KNOWN+ELDERLY+TIME | unknown member=c:C1",
            "3 Out c:C9 3 2026-03-08T09:01:00+08:00 100 | a:Y AGE_KNOWN+TIME",
        ],
    );
}

#[test]
fn money_between_members_stays_inside_the_group() {
    check_run(
        &transfers("1,2026-03-07T09:00,1,A1,A3,,,,,,,,,,\n2,2026-03-07T09:01,1,A1,A2,,,,,,,,,,\n"),
        &[
            "1 Out c:C1 1 2026-03-07T09:00:00+08:00 100 | c:C2 organisation SECURITIES+TIME | organisation 530522 L7212 2020-05-06 registered agreements=1/120",
            "1 Out g:甲系 1 2026-03-07T09:00:00+08:00 100 | c:C2 organisation OWN+SECURITIES+TIME | unknown member=c:C1",
            "1 In c:C2 1 2026-03-07T09:00:00+08:00 100 | c:C1 organisation 530522 | organisation J6711 registered",
            "1 In g:甲系 1 2026-03-07T09:00:00+08:00 100 | c:C1 organisation 530522 OWN+TIME | unknown member=c:C2",
            "2 Out c:C1 2 2026-03-07T09:01:00+08:00 100 | c:C1 organisation 530522 OWN+TIME | organisation 530522 L7212 2020-05-06 registered agreements=1/120",
            "2 Out g:甲系 2 2026-03-07T09:01:00+08:00 100 | c:C1 organisation 530522 OWN+TIME | unknown member=c:C1",
            "2 In c:C1 2 2026-03-07T09:01:00+08:00 100 | c:C1 organisation 530522 OWN+TIME | organisation 530522 L7212 2020-05-06 registered agreements=1/120",
            "2 In g:甲系 2 2026-03-07T09:01:00+08:00 100 | c:C1 organisation 530522 OWN+TIME | unknown member=c:C1",
        ],
    );
}

/// The flags of the payer's leg of one transfer between the given sides.
fn flags(row: &str) -> String {
    let lines = transfers(&format!("1,2026-03-07T09:00,1,{row}\n")).lines();
    let mid = lines[0].split(" | ").nth(1).unwrap_or_default().to_owned();
    mid.split(' ').filter(|word| word.contains("TIME") || word.contains('+')).collect::<Vec<_>>().join(" ")
}

#[test]
fn own_names_and_deposits_are_told_apart() {
    // payer_account, payee_account, payer_customer, payee_customer, names, banks, classes, birth year, kind
    for (row, expected) in [
        ("U,V,K1,K1,,,,,,,,", "OWN+TIME"),
        ("U,U,K1,,,,,,,,,", "OWN+TIME"),
        ("U,U,K1,,,,B1,B2,,,,", ""),
        ("U,V,K1,,张,张,,B2,,,,", "SAME_NAME+TIME"),
        ("U,V,K1,K2,张,张,,,,,,", ""),
        ("U,V,K1,K2,张,张,B1,B2,,,,", "SAME_NAME+TIME"),
        ("U,V,K1,K1,,,,,current,term,,", "OWN+RETAINED+TIME+EXEMPT_TERM"),
        ("U,V,K1,K1,,,,,term,current,,", "OWN+TIME+EXEMPT_TERM"),
        ("U,V,K1,K1,,,,,current,current,,", "OWN+TIME"),
        ("U,V,K1,K1,,,,,term,wealth,,", "OWN+RETAINED+TIME"),
        ("U,V,K1,K1,,,,,,term,,", "OWN+RETAINED+TIME"),
        ("U,V,K1,,张,张,,,current,term,,", "SAME_NAME+TIME+EXEMPT_TERM"),
        ("U,V,K1,,张,张,B1,B2,current,term,,", "SAME_NAME+TIME"),
        ("U,V,K1,,张,李,,,current,term,,", ""),
        ("U,V,K1,,,,,,,wealth,,internal", "RETAINED+TIME"),
        ("U,V,K1,,,,,,,,2027,", ""),
    ] {
        let flags = flags(row);
        assert_eq!(flags, expected, "{row}");
    }
}

#[test]
fn own_says_whom_we_monitor() {
    let rows = "id,at,v,from,to,fb,tb\n1,2026-01-02,1,U,V,B1,B2\n";
    let feed = |own: &str| {
        format!(
            "version: 1\n{own}\nfields: {{txn_id: id, occurred_at: at, amount: v, payer_account: from, payee_account: to, payer_bank: fb, payee_bank: tb}}\n"
        )
    };
    let legs = |own: &str, parties: &'static str| -> Vec<String> {
        let feed = feed(own);
        let mut run = run(&feed, "a.csv", rows);
        run.parties = parties;
        run.lines().iter().map(|line| line.split(' ').skip(1).take(2).collect::<Vec<_>>().join(" ")).collect()
    };
    assert_eq!(legs("", ""), ["Out a:U", "In a:V"]);
    assert_eq!(legs("own: all", ""), ["Out a:U", "In a:V"]);
    assert_eq!(legs("own: [B2, B9]", ""), ["In a:V"]);
    assert_eq!(legs("own: customer", ""), ["a.csv:2 no_party"]);
    assert_eq!(legs("own: customer", "customer,accounts\nK7,V\n"), ["In c:K7"]);
}

#[test]
fn party_files_are_read_whole_or_refused_with_their_mistakes() {
    let read = |name: &str, text: &str| match Parties::read(&Input::bytes(name, text), "SZYH") {
        Ok(parties) => format!("{} parties", parties.len()),
        Err(error) => error.to_string(),
    };
    assert_eq!(read("p.csv", PARTIES), "3 parties");
    let json = r#"{"customer":1001,"institution":"B","accounts":["6222",7333],"agreements":[{"kind":"charity","valid_to":"2027-01-01"}]}"#;
    let parties = Parties::read(&Input::bytes("p.jsonl", json), "SZYH").expect("a party");
    let party = parties.by_key("a:B/7333").expect("known by account");
    assert_eq!((party.customer.as_str(), party.agreements.len()), ("1001", 1));
    assert_eq!(parties.by_key("c:B/1001"), Some(party));
    assert_eq!(parties.by_key("c:SZYH/1001"), None);
    assert_eq!(
        read(
            "p.csv",
            "customer,acounts,kind,agreements\nK1,A,person,payroll\n,,,loan:2027-01-01\nK1,,,\nK1,,,charity:someday\nK1,,,payroll:2027-01-01:x\nK2\n"
        ),
        "p.csv:1: no field is called `acounts`; did you mean `accounts`?\n\
         p.csv:2: `kind` is not a value of this field\n\
         p.csv:2: the payroll agreement has no end date: somebody must answer for it anew from time to time\n\
         p.csv:3: an agreement is of no known kind (one of payroll, acquiring, supervised, charity, licence, cooperative, collection)\n\
         p.csv:3: `customer` is missing\n\
         p.csv:5: the end date of the charity agreement is no date (YYYY-MM-DD)\n\
         p.csv:6: `agreements` is not a list of kind, valid_to and people\n\
         p.csv:7: not a row of this file: wrong number of columns, broken quotes, JSON or character set"
    );
    assert_eq!(
        read("p.csv", "customer,accounts\nK1,A\nK1,B\nK2,A\n"),
        "p.csv:3: the customer stands in this file twice\np.csv:4: an account belongs to two customers"
    );
    assert_eq!(read("p.csv", "client\nK1\n"), "p.csv:1: there is no column `customer`");
}
