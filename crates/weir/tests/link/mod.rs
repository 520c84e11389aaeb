//! `weir link`: what relates customers, told by the real binary over small inputs and over a generated bank.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use crate::Bench;

/// Rows of a feed, each with a serial of its own.
#[derive(Default)]
struct Rows(String, u32);

impl Rows {
    /// A person pays a customer.
    fn paid(&mut self, person: &str, customer: &str, yuan: u32) -> &mut Self {
        self.row(&format!("\"payer_account\":\"{person}\",\"payer_kind\":\"natural\",\"payee_customer\":\"{customer}\""), yuan, "")
    }

    /// A customer pays an account elsewhere.
    fn pays(&mut self, customer: &str, account: &str, yuan: u32, more: &str) -> &mut Self {
        self.row(&format!("\"payer_customer\":\"{customer}\",\"payee_account\":\"{account}\""), yuan, more)
    }

    /// A customer pays another.
    fn hands(&mut self, customer: &str, other: &str, yuan: u32, more: &str) -> &mut Self {
        self.row(&format!("\"payer_customer\":\"{customer}\",\"payee_customer\":\"{other}\""), yuan, more)
    }

    fn row(&mut self, sides: &str, yuan: u32, more: &str) -> &mut Self {
        self.1 += 1;
        let (number, hour) = (self.1, self.1 % 24);
        writeln!(
            self.0,
            "{{\"txn_id\":\"t{number}\",\"occurred_at\":\"2026-03-02T{hour:02}:00:00+08:00\",\"amount\":\"{yuan}\",{sides}{more}}}"
        )
        .expect("a string takes text");
        self
    }

    /// Three people of its own for each customer, so that it is looked at.
    fn candidates(&mut self, customers: &[&str]) -> &mut Self {
        for customer in customers {
            for person in 0..3 {
                self.paid(&format!("own-{customer}-{person}"), customer, 6000);
            }
        }
        self
    }
}

struct Linked {
    lines: Vec<BTreeMap<String, String>>,
    summary: Value,
}

impl Linked {
    fn groups(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut groups = BTreeMap::<&str, BTreeSet<&str>>::new();
        for line in &self.lines {
            groups.entry(&line["group"]).or_default().insert(&line["customer"]);
        }
        groups
    }

    /// Customer, related customer and reason of every line.
    fn reasons(&self) -> Vec<(&str, &str, &str)> {
        self.lines.iter().map(|line| (&*line["customer"], &*line["related"], &*line["reason"])).collect()
    }

    /// Reasons cut from what was too large, the weakest first, and customers left in no group by that.
    fn cuts(&self) -> [u64; 4] {
        ["cut_marks", "cut_main_payee", "cut_common_payee", "cut_customers"].map(|name| self.count(name))
    }

    fn count(&self, name: &str) -> u64 {
        self.summary[name].as_u64().unwrap_or_else(|| panic!("{name} in {}", self.summary))
    }
}

/// All that is related, whether or not anybody collects.
fn link(bench: &Bench, arguments: &str) -> Linked {
    proposed(bench, &format!("--households {arguments}"))
}

/// As shipped.
fn proposed(bench: &Bench, arguments: &str) -> Linked {
    let done = bench.check(&format!("link --json --out groups.csv {arguments}"), 0, &[]);
    let mut reader = csv::Reader::from_path(bench.path("groups.csv")).expect("a file");
    let lines = reader.deserialize().map(|line| line.expect("a line")).collect();
    Linked { lines, summary: serde_json::from_str(&done.stderr).expect("is JSON") }
}

#[test]
fn people_who_pay_both_in_earnest_relate_two_customers() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    for person in ["p1", "p2", "p3"] {
        // In two parts to the first: what counts is what came in all.
        rows.paid(person, "1001", 3000).paid(person, "1001", 2000).paid(person, "1002", 7000);
        // Not enough to this one.
        rows.paid(person, "1003", 4999);
    }
    // A payer of everything does not relate those who share only two.
    rows.candidates(&["1003", "1004"]).paid("q1", "1003", 9000).paid("q1", "1004", 9000).paid("q2", "1003", 9000).paid("q2", "1004", 9000);
    bench.write("in.jsonl", &rows.0);
    bench.write("p.csv", "customer,group\n1001,旧组\n1002,\n");
    let found = link(&bench, "--parties p.csv in.jsonl");
    assert_eq!(found.groups(), BTreeMap::from([("关联-001", BTreeSet::from(["1001", "1002"]))]));
    let line = &found.lines[0];
    let expected = [
        ("members", "2"),
        ("customer", "1001"),
        ("known_group", "旧组"),
        ("related", "c:1002"),
        ("reason", "shared_payers"),
        ("shared_payers", "3"),
        ("amount", "15000.00"),
        ("related_amount", "21000.00"),
        ("payee", ""),
        ("explain", "3名自然人既付给本户（共15000.00元），也付给c:1002（共21000.00元）"),
    ];
    for (column, value) in expected {
        assert_eq!(line[column], value, "{column}");
    }
    assert_eq!(found.lines[1]["amount"], "21000.00", "told from the other side");
    // Neither the order of the input nor a second run changes a byte.
    let before = bench.read("groups.csv");
    let mut reversed: Vec<&str> = rows.0.lines().collect();
    reversed.reverse();
    bench.write("in2.jsonl", reversed.join("\n") + "\n");
    link(&bench, "--parties p.csv in2.jsonl");
    assert_eq!(bench.read("groups.csv"), before);
    // With less asked, the third comes in; with a share asked that three of many are not, nobody does.
    assert_eq!(link(&bench, "--payer-amount 4000 in.jsonl").groups()["关联-001"].len(), 3);
    for extra in 0..20 {
        rows.paid(&format!("x{extra}"), "1001", 8000).paid(&format!("y{extra}"), "1002", 8000);
    }
    bench.write("in.jsonl", &rows.0);
    assert!(link(&bench, "in.jsonl").groups().is_empty());
    assert_eq!(link(&bench, "--payer-share 0 in.jsonl").groups().len(), 1);
}

#[test]
fn one_payee_that_takes_most_of_both_relates_them() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    rows.candidates(&["1", "2", "3", "4"]);
    rows.pays("1", "end", 60_000, "").pays("1", "shop", 40_000, "").pays("2", "end", 50_000, "").pays("2", "shop2", 50_000, "");
    // Less than half; and too little.
    rows.pays("3", "end", 49_000, "").pays("3", "shop3", 51_000, "").pays("4", "end", 49_999, "");
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    assert_eq!(found.groups(), BTreeMap::from([("关联-001", BTreeSet::from(["1", "2"]))]));
    let line = &found.lines[0];
    assert_eq!((&*line["reason"], &*line["payee"], &*line["share"], &*line["related_share"]), ("common_payee", "a:end", "60%", "50%"));
    assert_eq!(line["customers"], "4");
    // More customers than that are those of a shop, also where the others are no candidates.
    assert_eq!(link(&bench, "--payee-customers 3 in.jsonl").count("common_payees"), 1);
    // Where money only passes through, it has not ended.
    for passes in [
        ",\"cash\":true",
        ",\"payee_kind\":\"internal\"",
        ",\"payee_industry\":\"6711\"",
        ",\"channel\":\"third_party\"",
        ",\"payer_name\":\"甲\",\"payee_name\":\"甲\",\"payee_bank\":\"elsewhere\"",
    ] {
        let mut rows = Rows::default();
        rows.candidates(&["1", "2"]).pays("1", "end", 90_000, passes).pays("2", "end", 90_000, passes);
        bench.write("in.jsonl", &rows.0);
        assert!(link(&bench, "in.jsonl").lines.is_empty(), "{passes}");
    }
}

#[test]
fn a_device_or_an_agent_relates_few_and_a_terminal_nobody() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    let customers = ["1", "2", "3", "4", "5", "6", "7", "8"];
    rows.candidates(&customers);
    rows.pays("1", "x", 10, ",\"device\":\"secret-device\"").pays("2", "y", 10, ",\"device\":\"secret-device\"");
    // Who brings cash is at the counter.
    rows.row("\"payee_customer\":\"3\"", 10, ",\"cash\":true,\"agent_id_hash\":\"secret-agent\"");
    rows.pays("4", "y", 10, ",\"agent_id_hash\":\"secret-agent\"");
    for customer in customers {
        rows.pays(customer, "z", 10, ",\"device\":\"terminal\"");
    }
    // Whom a payer's device belongs to is not the payee.
    rows.row("\"payer_account\":\"p\",\"payer_kind\":\"natural\",\"payee_customer\":\"5\"", 10, ",\"device\":\"secret-device\"");
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    let expected = BTreeMap::from([("关联-001", BTreeSet::from(["1", "2"])), ("关联-002", BTreeSet::from(["3", "4"]))]);
    assert_eq!(found.groups(), expected);
    assert_eq!(found.lines.iter().map(|line| &*line["reason"]).collect::<Vec<_>>(), ["device", "device", "agent", "agent"]);
    assert_eq!(found.count("common_devices"), 1);
    assert!(!bench.read("groups.csv").contains("secret"), "a device is nobody's business");
    // The same under a column of the bank's own.
    let feed = "version: 1\nfields:\n  txn_id: txn_id\n  occurred_at: occurred_at\n  amount: amount\n  payer_customer: payer_customer\n  \
                payer_account: {column: payer_account, optional: true}\n  payer_kind: {column: payer_kind, optional: true}\n  \
                payee_account: {column: payee_account, optional: true}\n  payee_customer: payee_customer\n  device: 设备\n";
    bench.write("feed.yaml", feed);
    let mut csv = "txn_id,occurred_at,amount,payer_account,payer_kind,payer_customer,payee_account,payee_customer,设备\n".to_owned();
    for customer in ["1", "2"] {
        for person in 0..3 {
            let _ = writeln!(csv, "i{customer}{person},2026-03-02 10:00:00,6000,p{customer}{person},natural,,,{customer},phone");
        }
        let _ = writeln!(csv, "o{customer},2026-03-02 11:00:00,5,,,{customer},x,,tablet");
    }
    bench.write("in.csv", csv);
    let found = link(&bench, "--feed feed.yaml in.csv");
    assert_eq!(
        found.lines.iter().map(|line| (&*line["customer"], &*line["reason"])).collect::<Vec<_>>(),
        [("1", "device"), ("2", "device")]
    );
}

#[test]
fn a_family_in_which_nobody_collects_is_proposed_only_where_that_is_asked_for() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    rows.candidates(&["A"]).pays("A", "shop", 1, ",\"device\":\"one\"").pays("B", "shop", 1, ",\"device\":\"one\"");
    rows.pays("C", "shop", 1, ",\"device\":\"two\"").pays("D", "shop", 1, ",\"device\":\"two\"").pays(
        "E",
        "shop",
        1,
        ",\"device\":\"two\"",
    );
    bench.write("in.jsonl", &rows.0);
    let found = proposed(&bench, "in.jsonl");
    assert_eq!(found.reasons(), [("A", "c:B", "device"), ("B", "c:A", "device")]);
    assert_eq!((found.count("groups"), found.count("households"), found.count("household_customers")), (1, 1, 3));
    let found = link(&bench, "in.jsonl");
    assert_eq!((found.count("groups"), found.count("households"), found.count("household_customers")), (2, 0, 0));
}

#[test]
fn one_hand_on_few_customers_relates_them_whoever_they_are() {
    for (customers, is_proposed) in [(2, true), (5, true), (6, false)] {
        for (field, kind) in [("device", "natural"), ("agent_id_hash", "organisation")] {
            let bench = Bench::new();
            let mut rows = Rows::default();
            // Nobody pays them, and each pays somebody else a little.
            for customer in 0..customers {
                rows.pays(
                    &customer.to_string(),
                    &format!("x{customer}"),
                    10,
                    &format!(",\"payer_kind\":\"{kind}\",\"{field}\":\"secret\""),
                );
            }
            bench.write("in.jsonl", &rows.0);
            let found = link(&bench, "in.jsonl");
            let members = found.groups().get("关联-001").map_or(0, BTreeSet::len);
            assert_eq!(members, if is_proposed { customers } else { 0 }, "{field} of {customers}");
            assert_eq!((found.count("candidates"), found.count("common_devices")), (0, u64::from(!is_proposed)));
        }
    }
}

/// A collector, a pool that takes 60 of its 100, a paying account that takes 55 of the pool's 60, and on.
fn layered() -> Rows {
    let mut rows = Rows::default();
    rows.candidates(&["1"]).hands("1", "2", 60_000, "").pays("1", "shop", 40_000, "");
    rows.hands("2", "3", 55_000, "").pays("2", "fees", 5_000, "");
    rows.hands("3", "4", 55_000, "").hands("4", "5", 55_000, "").pays("5", "elsewhere", 55_000, "");
    rows
}

#[test]
fn what_a_collector_takes_in_is_followed_through_three_customers() {
    let bench = Bench::new();
    bench.write("in.jsonl", &layered().0);
    let found = link(&bench, "in.jsonl");
    let steps = [("1", "c:2"), ("2", "c:1"), ("2", "c:3"), ("3", "c:2"), ("3", "c:4"), ("4", "c:3")];
    assert_eq!(found.reasons(), steps.map(|(customer, related)| (customer, related, "main_payee")));
    assert_eq!(found.count("main_payee"), 3);
    let (payer, payee) = (&found.lines[0], &found.lines[1]);
    for (line, share, related_share, explain) in
        [(payer, "60%", "", "本户转出的60%到了c:2，向其付款的客户共1户"), (payee, "", "60%", "c:1转出的60%到了本户，向本户付款的客户共1户")]
    {
        assert_eq!((&*line["payee"], &*line["share"], &*line["related_share"]), ("c:2", share, related_share));
        assert_eq!((&*line["customers"], &*line["explain"]), ("1", explain));
    }
    // Nobody collects: then these are customers who trade with one another.
    let layered_rows = layered().0;
    let trade: Vec<&str> = layered_rows.lines().filter(|line| !line.contains("natural")).collect();
    bench.write("trade.jsonl", trade.join("\n"));
    assert!(link(&bench, "trade.jsonl").lines.is_empty());
    // A pool that five more customers pay, be it a yuan, is an institution: neither it nor what lies behind it is related.
    let mut rows = layered();
    for customer in ["6", "7", "8", "9", "10"] {
        rows.hands(customer, "2", 1, "");
    }
    bench.write("in.jsonl", &rows.0);
    assert!(link(&bench, "in.jsonl").lines.is_empty());
    assert_eq!(link(&bench, "--payee-customers 6 in.jsonl").groups()["关联-001"].len(), 4);
    // What comes back ends nowhere, and is told from both sides.
    let mut rows = Rows::default();
    rows.candidates(&["1"]).hands("1", "2", 90_000, "").hands("2", "1", 80_000, "");
    bench.write("in.jsonl", &rows.0);
    assert_eq!(
        link(&bench, "in.jsonl").reasons(),
        [("1", "c:2", "main_payee"); 2].into_iter().chain([("2", "c:1", "main_payee"); 2]).collect::<Vec<_>>()
    );
}

#[test]
fn what_a_collector_pays_is_not_followed_through_a_person_nor_through_who_keeps_it() {
    let bench = Bench::new();
    // Shop, owner, spouse, builder: the owner is where the shop's money ends. Who is no person is followed through, and who collects.
    for (kind, collects, steps) in [("natural", false, 1), ("organisation", false, 3), ("natural", true, 3)] {
        let mut rows = Rows::default();
        let of = format!(",\"payer_kind\":\"{kind}\"");
        rows.candidates(&["1"]).hands("1", "2", 90_000, "").hands("2", "3", 80_000, &of).hands("3", "4", 70_000, &of);
        if collects {
            rows.candidates(&["2", "3"]);
        }
        bench.write("in.jsonl", &rows.0);
        let found = link(&bench, "in.jsonl");
        let expected = [("1", "c:2"), ("2", "c:1"), ("2", "c:3"), ("3", "c:2"), ("3", "c:4"), ("4", "c:3")];
        let expected = expected.map(|(customer, related)| (customer, related, "main_payee"));
        assert_eq!(found.reasons(), expected[..if steps == 1 { 2 } else { 6 }], "{kind}, collects: {collects}");
        assert_eq!(found.count("main_payee"), steps);
    }
    // Half of what came is passed on, or a yuan less.
    for (came, pairs) in [(120_000, 2), (120_001, 1)] {
        let mut rows = Rows::default();
        rows.candidates(&["1"]).hands("1", "2", came, "").hands("2", "3", 60_000, "");
        bench.write("in.jsonl", &rows.0);
        assert_eq!(link(&bench, "in.jsonl").count("main_payee"), pairs, "60,000 of {came}");
    }
}

/// Two customers, each of whom hands what it takes to one of its own, who pays one account elsewhere.
fn two_ways(kind: &str, passed: u32, kept: u32) -> Rows {
    let mut rows = Rows::default();
    let kind = format!(",\"payer_kind\":\"{kind}\"");
    rows.hands("1", "3", 90_000, &kind).hands("2", "4", 80_000, &kind).pays("2", "shop", 20_000, &kind);
    rows.pays("3", "end", passed, &kind).pays("3", "kept", kept, &kind).pays("4", "end", 80_000, &kind);
    rows
}

#[test]
fn customers_whose_money_ends_at_one_party_are_related() {
    let bench = Bench::new();
    let rows = two_ways("organisation", 50_000, 50_000);
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    assert_eq!(found.groups(), BTreeMap::from([("关联-001", BTreeSet::from(["1", "2", "3", "4"]))]));
    assert_eq!((found.count("common_payee"), found.count("candidates")), (4, 0));
    let line = &found.lines[0];
    let expected = [
        ("customer", "1"),
        ("related", "c:2"),
        ("reason", "common_payee"),
        ("payee", "a:end"),
        ("share", "100%"),
        ("related_share", "80%"),
        ("customers", "2"),
        ("via", "c:3"),
        ("related_via", "c:4"),
        (
            "explain",
            "本户转出的100%（经c:3，每户至少转出上一方所付的一半）、c:2转出的80%（经c:4，每户至少转出上一方所付的一半）都流向a:end，向其付款的客户共2户",
        ),
    ];
    for (column, value) in expected {
        assert_eq!(line[column], value, "{column}");
    }
    let direct = found.lines.iter().find(|line| (&*line["customer"], &*line["related"]) == ("3", "c:2")).expect("is related");
    assert_eq!((&*direct["share"], &*direct["via"], &*direct["related_via"]), ("50%", "", "c:4"));
    // The order of the input, by which parties are numbered, changes no byte.
    let before = bench.read("groups.csv");
    bench.write("in2.jsonl", rows.0.lines().rev().collect::<Vec<_>>().join("\n"));
    link(&bench, "in2.jsonl");
    assert_eq!(bench.read("groups.csv"), before);
    // A yuan less than half is not passed on; the other chain alone relates nobody.
    bench.write("in.jsonl", two_ways("organisation", 50_000, 50_001).0);
    assert!(link(&bench, "in.jsonl").lines.is_empty());
    // Where three customers pay the end, it takes one more than two may.
    let mut rows = two_ways("organisation", 90_000, 1);
    rows.pays("5", "end", 1, "");
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "--payee-customers 2 in.jsonl");
    assert_eq!((found.lines.len(), found.count("common_payees")), (0, 1));
    // People have a main payee for reasons of their own, unless they collect.
    let mut rows = two_ways("natural", 90_000, 1);
    bench.write("in.jsonl", &rows.0);
    assert!(link(&bench, "in.jsonl").lines.is_empty());
    rows.candidates(&["1", "2"]);
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    assert_eq!((found.count("common_payee"), found.count("main_payee")), (1, 2));
    assert_eq!(found.groups()["关联-001"].len(), 4);
}

#[test]
fn money_is_followed_only_through_who_passes_on_half_of_what_came() {
    let bench = Bench::new();
    let chains = |came: u32, went: u32| {
        let mut rows = Rows::default();
        rows.hands("1", "3", came, "").pays("3", "end", went, "").pays("2", "end", 60_000, "");
        bench.write("in.jsonl", &rows.0);
        link(&bench, "in.jsonl").groups().remove("关联-001").map(|group| group.into_iter().collect::<Vec<_>>().join(" "))
    };
    // All that leaves the one in between goes to the end. Of what came, half did, or a yuan less, or next to nothing.
    for (came, went, group) in [(100_000, 50_000, "1 2 3"), (100_001, 50_000, "2 3"), (10_000_000, 50_000, "2 3")] {
        assert_eq!(chains(came, went).as_deref(), Some(group), "{went} of {came}");
    }
    // A second hop is held against the first, and not against what began.
    let mut rows = Rows::default();
    rows.hands("1", "3", 200_000, "").hands("3", "4", 100_000, "").pays("4", "end", 50_000, "").pays("2", "end", 60_000, "");
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    assert_eq!((found.count("common_payee"), &*found.lines[0]["via"]), (3, "c:3 → c:4"));
}

#[test]
fn what_is_too_large_or_beyond_the_bound_is_counted() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    let customers = ["1", "2", "3", "4"];
    rows.candidates(&customers);
    for customer in customers {
        rows.pays(customer, "end", 60_000, "");
    }
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "--group-max 3 in.jsonl");
    assert!(found.lines.is_empty());
    assert_eq!(found.cuts(), [0, 0, 6, 4]);
    assert_eq!((found.count("too_large"), found.count("related_pairs")), (0, 6));
    // What shared payers alone hold together is not taken apart.
    let mut shared = Rows::default();
    for person in ["p1", "p2", "p3"] {
        for customer in customers {
            shared.paid(person, customer, 6000);
        }
    }
    bench.write("shared.jsonl", &shared.0);
    let found = link(&bench, "--group-max 3 shared.jsonl");
    assert!(found.lines.is_empty());
    assert_eq!((found.count("too_large"), found.count("too_large_customers"), found.cuts()), (1, 4, [0; 4]));
    // Twelve pairs of payers and four of payees, of which ten and two are left out; two payees' customers make one related pair.
    let found = link(&bench, "--pairs 2 in.jsonl");
    assert_eq!((found.count("left_out"), found.count("candidates"), found.count("related_pairs")), (12, 0, 1));
    // Three customers of one device make three reasons, and only as many are kept as pairs each way.
    let mut rows = Rows::default();
    for customer in ["1", "2", "3"] {
        rows.row(&format!("\"payee_customer\":\"{customer}\""), 10, ",\"cash\":true,\"device\":\"phone\"");
    }
    bench.write("devices.jsonl", &rows.0);
    let found = link(&bench, "--pairs 2 devices.jsonl");
    assert_eq!((found.count("left_out"), found.count("related_pairs")), (1, 2));
    let told = bench.check("link --lang zh --out groups.csv in.jsonl", 0, &["建议的组", "候选客户"]);
    assert!(told.stdout.is_empty());
}

/// Two collectors whom four people pay, and a telephone of theirs.
fn collectors() -> Rows {
    let mut rows = Rows::default();
    for person in ["p1", "p2", "p3", "p4"] {
        rows.paid(person, "A", 6000).paid(person, "B", 6000);
    }
    rows.pays("A", "shop", 1, ",\"device\":\"theirs\"").pays("B", "shop", 1, ",\"device\":\"theirs\"");
    rows
}

#[test]
fn a_chain_of_households_does_not_hide_the_collectors_whose_telephone_it_touches() {
    let bench = Bench::new();
    let mut rows = collectors();
    // Each household has a telephone with the one before, the first with a collector.
    let chain: Vec<String> = std::iter::once("A".to_owned()).chain((1..=20).map(|household| format!("h{household:02}"))).collect();
    for (number, pair) in chain.windows(2).enumerate() {
        for customer in pair {
            rows.pays(customer, "shop", 1, &format!(",\"device\":\"{number}\""));
        }
    }
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    let expected = [("A", "c:B", "shared_payers"), ("A", "c:B", "device"), ("B", "c:A", "shared_payers"), ("B", "c:A", "device")];
    assert_eq!(found.reasons(), expected, "theirs is told of, although such reasons are cut");
    assert_eq!((found.cuts(), found.count("too_large")), ([20, 0, 0, 20], 0));
    assert_eq!((found.count("groups"), found.count("customers")), (1, 2));
    // Where it fits it is one group, as it hangs together.
    let whole = link(&bench, "--group-max 22 in.jsonl");
    assert_eq!((whole.groups()["关联-001"].len(), whole.cuts()), (22, [0; 4]));
    let told = bench.check("link --lang zh --out groups.csv in.jsonl", 0, &["为拆开过大的而不计", "因此不属任何组的客户"]);
    assert!(told.stdout.is_empty());
}

#[test]
fn what_is_too_large_is_taken_apart_by_its_weakest_reasons_only() {
    let bench = Bench::new();
    // A pays C, and D pays where B pays; a neighbour has a telephone with A.
    let mut rows = collectors();
    rows.hands("A", "C", 90_000, "").pays("B", "end", 90_000, "").pays("D", "end", 90_000, "");
    rows.pays("A", "shop", 1, ",\"device\":\"other\"").pays("N", "shop", 1, ",\"device\":\"other\"");
    bench.write("in.jsonl", &rows.0);
    for (group_max, members, cuts) in
        [(5, "A B C D N", [0, 0, 0, 0]), (4, "A B C D", [1, 0, 0, 1]), (3, "A B D", [1, 1, 0, 2]), (2, "A B", [1, 1, 1, 3])]
    {
        let found = link(&bench, &format!("--group-max {group_max} in.jsonl"));
        let expected = BTreeMap::from([("关联-001", members.split(' ').collect::<BTreeSet<_>>())]);
        assert_eq!((found.groups(), found.cuts()), (expected, cuts), "--group-max {group_max}");
    }
    // What is elsewhere and fits is left as it is.
    rows.pays("X", "shop", 1, ",\"device\":\"far\"").pays("Y", "shop", 1, ",\"device\":\"far\"");
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "--group-max 2 in.jsonl");
    let expected = BTreeMap::from([("关联-001", BTreeSet::from(["A", "B"])), ("关联-002", BTreeSet::from(["X", "Y"]))]);
    assert_eq!((found.groups(), found.cuts()), (expected, [1, 1, 1, 3]));
}

#[test]
fn what_the_bound_leaves_out_does_not_hang_on_the_order_of_the_inputs() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    for customer in ["3", "1", "5", "2", "4"] {
        rows.row(&format!("\"payee_customer\":\"{customer}\""), 10, ",\"cash\":true,\"device\":\"phone\"");
    }
    bench.write("in.jsonl", &rows.0);
    bench.write("in2.jsonl", rows.0.lines().rev().collect::<Vec<_>>().join("\n"));
    // Five customers of one device make ten pairs.
    let found = link(&bench, "--pairs 4 in.jsonl");
    assert_eq!((found.count("left_out"), found.count("related_pairs")), (6, 4));
    assert_eq!(found.reasons()[..4], ["c:2", "c:3", "c:4", "c:5"].map(|related| ("1", related, "device")));
    let before = bench.read("groups.csv");
    link(&bench, "--pairs 4 in2.jsonl");
    assert_eq!(bench.read("groups.csv"), before);
    // What is left out is of the weakest kind, and a pair that is there takes no more of it either.
    let mut rows = Rows::default();
    for customer in ["1", "2"] {
        for device in 0..6 {
            rows.pays(customer, "shop", 1, &format!(",\"device\":\"{device}\""));
        }
        rows.paid("p1", customer, 6000).paid("p2", customer, 6000).paid("p3", customer, 6000);
    }
    bench.write("in.jsonl", &rows.0);
    assert_eq!(link(&bench, "in.jsonl").lines.len(), 14);
    let found = link(&bench, "--pairs 6 in.jsonl");
    assert_eq!((found.lines.len(), found.count("left_out"), found.count("shared_payers")), (12, 1, 1));
}

#[test]
fn a_full_disk_is_told_of_also_in_the_middle_of_the_rows() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    for device in 0..150 {
        for customer in 0..5 {
            rows.pays(&customer.to_string(), "shop", 1, &format!(",\"device\":\"{device}\""));
        }
    }
    bench.write("in.jsonl", &rows.0);
    assert_eq!(link(&bench, "in.jsonl").lines.len(), 150 * 10 * 2);
    assert!(bench.read("groups.csv").len() > 256 * 1024, "more than is gathered before a write");
    bench.check("link --out /dev/full in.jsonl", 3, &["the disk is full while writing /dev/full"]);
}

#[test]
fn what_cannot_run_says_what_to_do() {
    let bench = Bench::new();
    bench.write("in.jsonl", Rows::default().candidates(&["1"]).0.clone());
    bench.write("wrong.jsonl", "{\"id\":1}\n".repeat(9));
    bench.write("ow/in.jsonl", bench.read("in.jsonl"));
    bench.write("feed.yaml", "version: 1\n");
    bench.write("p.csv", "customer,group\n1,\n");
    std::os::unix::fs::symlink("in.jsonl", bench.path("link.csv")).expect("links");
    let before = bench.names();
    let read = ["in.jsonl", "ow/in.jsonl", "feed.yaml", "p.csv"];
    let contents = read.map(|name| bench.read(name));
    for (arguments, code, words) in [
        ("--out in.jsonl in.jsonl", 3, "--out would overwrite in.jsonl, which INPUT reads"),
        // Every other spelling of what is read.
        ("--out ./in.jsonl in.jsonl", 3, "would overwrite"),
        ("--out in.jsonl ow/../in.jsonl", 3, "would overwrite"),
        ("--out link.csv in.jsonl", 3, "would overwrite"),
        ("--out ow/in.jsonl ow", 3, "would overwrite"),
        ("--out ow/in.jsonl ow/*.jsonl", 3, "would overwrite"),
        ("--out ./p.csv --parties p.csv in.jsonl", 3, "which --parties reads"),
        ("--out ./feed.yaml --feed feed.yaml in.jsonl", 3, "which --feed reads"),
        ("--out g.csv --payee-share 101 in.jsonl", 3, "--payee-share takes 1 to 100"),
        ("--out g.csv --group-max 1 in.jsonl", 3, "--group-max takes 2 to"),
        ("--out g.csv wrong.jsonl", 2, "not one record can be used"),
        ("--out g.csv missing.jsonl", 2, "missing.jsonl"),
        ("in.jsonl", 3, "--out"),
    ] {
        bench.check(&format!("link {arguments}"), code, &[words]);
        assert_eq!(bench.names(), before, "weir link {arguments} left something");
        assert_eq!(read.map(|name| bench.read(name)), contents, "weir link {arguments} changed what it read");
    }
}

#[test]
fn a_file_in_the_memory_of_dev_shm_is_not_replaced_by_what_is_made_of_it() {
    let bench = Bench::new();
    let memory = tempfile::tempdir_in("/dev/shm").expect("a folder in memory");
    let input = memory.path().join("in.jsonl");
    let rows = Rows::default().candidates(&["1"]).0.clone();
    std::fs::write(&input, &rows).expect("writes");
    let name = input.display();
    for verb in [format!("link --out {name}"), format!("detect --alerts {name}"), format!("detect --alerts alerts --late {name}")] {
        bench.check(&format!("{verb} {name}"), 3, &["would overwrite"]);
        assert_eq!(std::fs::read_to_string(&input).expect("is there"), rows, "weir {verb}");
    }
}

#[test]
fn a_proposal_confirmed_is_a_party_of_its_own() {
    let bench = Bench::new();
    let mut rows = Rows::default();
    rows.candidates(&["1", "2"]).pays("1", "end", 90_000, "").pays("2", "end", 90_000, "");
    bench.write("in.jsonl", &rows.0);
    let found = link(&bench, "in.jsonl");
    let confirmed: BTreeSet<String> = found.lines.iter().map(|line| format!("{},{}\n", line["customer"], line["group"])).collect();
    bench.write("p.csv", "customer,group\n".to_owned() + &confirmed.into_iter().collect::<String>());
    let told = bench.check("detect --json --explain-silence g:关联-001 --parties p.csv in.jsonl", 0, &[]).stdout;
    assert_eq!(serde_json::from_str::<Value>(&told).expect("is JSON")["legs"], 8);
}

/// Customers of the schemes of a generated bank who collect, hold or pay out, by scheme.
fn schemes(labels: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut schemes = BTreeMap::<String, BTreeSet<String>>::new();
    let mut reader = csv::Reader::from_reader(labels.as_bytes());
    for line in reader.deserialize::<BTreeMap<String, String>>() {
        let line = line.expect("a line");
        if line["label"] == "scheme" && ["collector", "pool", "payout"].contains(&&*line["role"]) {
            schemes.entry(line["part"].clone()).or_default().insert(line["party"].clone());
        }
    }
    schemes
}

#[test]
fn schemes_of_a_generated_bank_are_proposed_and_hardly_anybody_else() {
    let bench = Bench::new();
    let dials = "--hold collectors=3 --hold investors=90 --hold visible=900 --hold begin=10 --hold outlets=1";
    bench.check(&format!("synth --out bank --customers 1500 --days 240 --per-scheme 150 --seed 3 {dials}"), 0, &[]);
    let found = proposed(&bench, "--feed bank/feed.yaml --parties bank/parties.csv bank/transactions.jsonl");
    let schemes = schemes(&bench.read("bank/labels/customers.csv"));
    let mut proposed = BTreeSet::new();
    let mut wrong = 0;
    let mut members = BTreeMap::<&str, BTreeSet<String>>::new();
    for line in &found.lines {
        members.entry(&line["group"]).or_default().insert(format!("c:{}/{}", line["institution"], line["customer"]));
    }
    for group in members.values() {
        match schemes.iter().find(|(_, own)| own.intersection(group).count() >= 2) {
            Some((scheme, _)) => drop(proposed.insert(scheme)),
            None => wrong += 1,
        }
    }
    assert!(proposed.len() * 2 >= schemes.len(), "{} of {}", proposed.len(), schemes.len());
    assert!(wrong <= 1, "{wrong} of {}", members.len());
}
