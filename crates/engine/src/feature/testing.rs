//! Feature tests in text: legs in, one value out, as of the last leg.
//!
//! A line is `MM-DD HH:MM in|out COUNTERPARTY AMOUNT [facts…]` in 2026; `-` is no counterparty; the counterparty is natural unless a fact
//! says otherwise. The calendar has no holidays; tag names are bit numbers; list 0 holds `a:LISTED` and `a:OTHER`.

use weir_model::leg::{LegAmount, Tags};
use weir_model::{
    AgreementKind, Agreements, Calendar, Channel, Currency, Day, Direction, Division, EventTime, Flags, Leg, LegKind, PartyKind, Profile,
};
use weir_rules::catalogue::{ArgKind, Cost};
use weir_rules::{Arg, Feature, FeatureCall, Value, Window};

use crate::cursor::Horizons;
use crate::describe;
use crate::history::{Accepted, Moment, Named, Party};
use crate::tables::Tables;
use crate::view::View;

/// Checks that `call` as of the last leg is `expected`, whatever order the legs come in.
#[track_caller]
pub(crate) fn check(legs: &str, call: &str, expected: &str) {
    let lines: Vec<&str> = legs.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let reversed: Vec<&str> = lines.iter().rev().copied().collect();
    assert_eq!(evaluate(&lines, call), expected, "{call} in order");
    assert_eq!(evaluate(&reversed, call), expected, "{call} in reverse order");
}

fn evaluate(lines: &[&str], call: &str) -> String {
    let mut tables = Tables::default();
    let mut party = Party::new("c:1");
    let calendar = Calendar::default();
    let horizons = Horizons::default();
    for line in lines {
        let facts: Vec<&str> = line.split_whitespace().collect();
        // A transaction id that does not depend on the order of the lines.
        let txn_id = line.replace(' ', "_");
        accept(&mut party, &mut tables, &facts, &txn_id, &horizons);
    }
    let t = party.rows.last().expect("a test has legs").at;
    let lists = [("watched".to_owned(), vec!["a:LISTED".to_owned(), "a:OTHER".to_owned()])];
    let view = View {
        rows: &party.rows,
        pairs: &party.pairs,
        t,
        profile: tables.profile_data(party.rows.last().expect("a test has legs").profile),
        history_from: party.history_from,
        forget_before: Day(i32::MIN),
        calendar: &calendar,
        extras: &tables.extras,
        strings: &tables.strings,
        gone: party.gone.as_deref(),
        profiles: tables.profiles(),
        lists: &lists,
        scans: &party.scans,
    };
    show(describe::value(&parse_call(call), &view, &|_, _| Value::Null))
}

fn accept(party: &mut Party, tables: &mut Tables, facts: &[&str], txn_id: &str, horizons: &Horizons) {
    let at = EventTime(day(facts[0]).start().0 + minutes(facts[1]) * 60_000_000);
    let key = format!("a:{}", facts[3]);
    let mut leg = Leg {
        party: "c:1",
        txn_id,
        direction: if facts[2] == "in" { Direction::In } else { Direction::Out },
        kind: LegKind::Movement,
        at,
        amount: LegAmount::cny(fen(facts[4])),
        counterparty: (facts[3] != "-").then_some(key.as_str()),
        counterparty_kind: PartyKind::Natural,
        counterparty_division: Division::UNKNOWN,
        channel: None,
        flags: Flags::HAS_TIME,
        tags: Tags::default(),
        balance_after: None,
        profile: Profile::default(),
    };
    for fact in &facts[5..] {
        apply(&mut leg, fact);
    }
    let moment = Moment {
        record: 1,
        clock: at,
        frontier: EventTime::MIN,
        memory_day: Day(i32::MIN),
        forget_before: Day(i32::MIN),
        reevaluate_max: usize::MAX,
        horizons,
    };
    let accepted = party.accept(0, &leg, Named::of(&leg), &moment, tables);
    assert!(matches!(accepted, Accepted::Inserted(_)), "{txn_id} enters the history");
}

fn apply<'t>(leg: &mut Leg<'t>, fact: &'t str) {
    let flag = |leg: &mut Leg<'_>, flag: Flags| leg.flags = leg.flags.with(flag);
    let (name, value) = fact.split_once('=').unwrap_or((fact, ""));
    match name {
        "org" => leg.counterparty_kind = PartyKind::Organisation,
        "unknown" => leg.counterparty_kind = PartyKind::Unknown,
        "internal" => leg.counterparty_kind = PartyKind::Internal,
        "return" => leg.kind = LegKind::Return,
        "cash" => flag(leg, Flags::CASH),
        "cross_border" => flag(leg, Flags::CROSS_BORDER),
        "same_name" => flag(leg, Flags::SAME_NAME),
        "retained" => flag(leg, Flags::RETAINED.with(Flags::OWN)),
        "young" => flag(leg, Flags::AGE_KNOWN),
        "elderly" => flag(leg, Flags::AGE_KNOWN.with(Flags::ELDERLY)),
        "date_only" => leg.flags = Flags(leg.flags.0 & !Flags::HAS_TIME.0),
        "tags" => {
            flag(leg, Flags::HAS_MEMO);
            leg.tags = Tags(1 << value.parse::<u16>().expect("a bit number"));
        }
        "div" => leg.counterparty_division = Division::parse(value).expect("a division"),
        "channel" => leg.channel = Channel::parse(value),
        "balance" => leg.balance_after = Some(fen(value)),
        "member" => leg.profile.member = value,
        "own" => leg.profile.kind = PartyKind::parse(value).expect("a kind"),
        "opened" => {
            leg.profile.opened_at = Some(day(value));
            leg.profile.registered = true;
        }
        "payroll" => {
            leg.profile.registered = true;
            let mut agreements = Agreements::default();
            agreements.insert(AgreementKind::Payroll);
            agreements.payroll_people = value.parse().expect("a head count");
            leg.profile.agreements = agreements;
        }
        other => panic!("a test says {other}"),
    }
}

fn day(text: &str) -> Day {
    Day::parse(&format!("2026-{text}")).expect("MM-DD")
}

fn minutes(text: &str) -> i64 {
    let (hours, minutes) = text.split_once(':').expect("HH:MM");
    hours.parse::<i64>().expect("hours") * 60 + minutes.parse::<i64>().expect("minutes")
}

fn fen(text: &str) -> i64 {
    weir_model::money::parse_amount(text, Currency::CNY, weir_model::money::AmountFormat::default()).expect("an amount")
}

fn parse_call(text: &str) -> FeatureCall {
    let (name, rest) = text.split_once('(').expect("name(arguments)");
    let feature = Feature::by_name(name).expect("a feature");
    let arguments = rest.trim_end_matches(')').split(',').map(str::trim).filter(|argument| !argument.is_empty());
    let args = feature.entry().args.iter().zip(arguments).map(|(kind, text)| match kind {
        ArgKind::Window | ArgKind::LongWindow => Arg::Window(Window::parse(text).expect("a window")),
        ArgKind::Int(_) => Arg::Int(text.parse().expect("a number")),
        ArgKind::Money => Arg::Money(fen(text)),
        ArgKind::Channel => Arg::Channel(Channel::parse(text).expect("a channel")),
        ArgKind::Tag => Arg::Tag(text.parse().expect("a bit number"), text.to_owned()),
        ArgKind::List => Arg::List(text.parse().expect("a number"), text.to_owned()),
        ArgKind::Agreement => Arg::Agreement(AgreementKind::parse(text).expect("a kind")),
        ArgKind::PartyKind => Arg::PartyKind(PartyKind::parse(text).expect("a kind")),
        ArgKind::RuleId => Arg::RuleId(text.to_owned()),
    });
    let call = FeatureCall { feature, args: args.collect() };
    assert!(feature.entry().cost == Cost::Cheap || call.args.len() == feature.entry().args.len(), "{text} has all its arguments");
    call
}

/// Ratios without trailing zeros, money as yuan, durations in their largest unit.
fn show(value: Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Int(n) => n.to_string(),
        Value::Money(fen) => weir_model::money::yuan(fen),
        Value::Ratio(millionths) => {
            let text = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        Value::Duration(micros) => weir_model::Span(micros).to_string(),
        Value::Bool(value) => value.to_string(),
    }
}
