//! Random logs: small worlds in which everything that is rare at a bank happens all the time.
//!
//! A log is drawn as a list of [`Step`]s and then written out as rows, so that a failing log shrinks by dropping steps and simplifying them.
//! A handful of customers, two groups and a score of counterparties meet each other within hours; rows come late, twice, changed, reversed
//! before and after their target, at one and the same moment, around month ends, leap day and long holidays, before and after long pauses.
//! Nothing here knows what a log should come to.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use weir_model::leg::{LegAmount, Tags};
use weir_model::{AgreementKind, Agreements, Channel, Currency, Day, Direction, Division, EventTime, Flags, PartyKind, Span};

use crate::log::{OwnedKind, OwnedLeg, OwnedProfile, Row};

/// Monitored parties; the first is the busiest. The groups come last.
const PARTIES: [&str; 7] = ["c:B/hub", "c:B/ann", "c:B/shop", "a:B/6222", "c:desk", "g:B/ring", "g:pair"];
/// Who belongs to which group.
const GROUPS: [(&str, [&str; 2]); 2] = [("g:B/ring", ["c:B/hub", "c:B/ann"]), ("g:pair", ["c:B/shop", "c:desk"])];
/// Where logs begin: before leap day, Spring Festival, National Day, the turn of the year.
const BEGINNINGS: [&str; 4] = ["2024-02-26", "2024-02-05", "2024-09-25", "2024-12-28"];
/// Fen: around limits, round, odd, equal to each other often.
const AMOUNTS: [i64; 14] = [
    10_000,
    100_000,
    100_000,
    100_000,
    500_000,
    525_000,
    999_999,
    1_000_000,
    4_500_000,
    4_999_999,
    5_000_000,
    19_999_999,
    50_000_000,
    200_000_000,
];
/// Time from one row to the next, in seconds.
const GAPS: [i64; 9] = [0, 0, 1, 60, 3_600, 10_800, 43_200, 86_400, 86_400];
/// How far a row lies behind the latest one, in seconds: mostly not at all, at times within the lateness of three days, at its edge, beyond it.
const LAGS: [i64; 12] = [0, 0, 0, 0, 0, 3_600, 40_000, 86_400, 172_800, 259_000, 259_200, 300_000];
/// Pauses in days.
const PAUSES: [i64; 9] = [1, 2, 5, 7, 15, 30, 31, 120, 780];

/// Days from one payday to the next; 30 stands for a month.
const PERIODS: [i64; 6] = [1, 7, 10, 15, 30, 91];

/// One movement.
#[derive(Debug, Clone)]
pub struct Move {
    party: usize,
    inward: bool,
    counterparty: usize,
    amount: usize,
    gap: usize,
    lag: usize,
    /// Bits that choose the rarer facts.
    facts: u32,
}

/// One thing that happens.
#[derive(Debug, Clone)]
pub enum Step {
    /// A movement.
    Move(Move),
    /// Several counterparties, one after the other, a minute apart.
    Burst(Move, usize),
    /// So many people pay in, and then are paid a part of it so many times, that many days apart (`PERIODS`).
    Scheme(Move, usize, usize, usize),
    /// An earlier row again, `usize` rows back: unchanged, or with another amount. After a reversal: what it took back, under a new serial.
    Again(usize, bool),
    /// A reversal of the row `usize` rows back: of all of it, or of another amount.
    Reverse(usize, bool),
    /// A reversal whose target comes that many steps later, or never; at times after one of another amount.
    Ahead(Move, usize, bool),
    /// A large movement that is taken back so many days later, when its day has been reported.
    Undo(Move, usize),
    /// Several movements at one and the same moment, as a feed with dates alone has them.
    Together(Move, usize),
    /// Days without a row, which the clock knows nothing of.
    Pause(usize),
    /// Days without a row, with their ticks.
    Pass(usize),
    /// The next rule set.
    Switch,
}

/// Logs of up to `steps` steps.
pub fn logs(steps: usize) -> impl Strategy<Value = Vec<Row>> {
    (0..BEGINNINGS.len(), vec(step(), 1..=steps)).prop_map(|(beginning, steps)| write_out(BEGINNINGS[beginning], &steps))
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        24 => movement().prop_map(Step::Move),
        10 => (movement(), 2..7_usize).prop_map(|(movement, people)| Step::Burst(movement, people)),
        2 => (movement(), 2..8_usize, 1..5_usize, 0..PERIODS.len()).prop_map(|(m, people, times, period)| Step::Scheme(m, people, times, period)),
        2 => (0..6_usize, prop::bool::weighted(0.5)).prop_map(|(back, changed)| Step::Again(back, changed)),
        3 => (0..8_usize, prop::bool::weighted(0.2)).prop_map(|(back, changed)| Step::Reverse(back, changed)),
        1 => (8..60_usize).prop_map(|back| Step::Reverse(back, false)),
        2 => (movement(), 0..6_usize, prop::bool::weighted(0.3)).prop_map(|(m, wait, changed)| Step::Ahead(m, wait, changed)),
        1 => (movement(), 0..3_usize).prop_map(|(movement, days)| Step::Undo(movement, days)),
        1 => (movement(), 2..9_usize).prop_map(|(movement, count)| Step::Together(movement, count)),
        3 => (0..PAUSES.len()).prop_map(Step::Pause),
        3 => (0..PAUSES.len()).prop_map(Step::Pass),
        1 => Just(Step::Switch),
    ]
}

fn movement() -> impl Strategy<Value = Move> {
    let party = prop_oneof![6 => Just(0_usize), 2 => Just(1), 1 => Just(2), 1 => Just(3), 1 => Just(4)];
    (party, any::<bool>(), 0..24_usize, 0..AMOUNTS.len(), 0..GAPS.len(), 0..LAGS.len(), any::<u32>())
        .prop_map(|(party, inward, counterparty, amount, gap, lag, facts)| Move { party, inward, counterparty, amount, gap, lag, facts })
}

/// A log being written out.
struct Writer {
    rows: Vec<Row>,
    /// The latest event time so far.
    now: EventTime,
    /// Transactions so far.
    serial: usize,
    /// Rows that come later, by the step they wait for.
    waiting: BTreeMap<usize, Vec<Row>>,
}

fn write_out(beginning: &str, steps: &[Step]) -> Vec<Row> {
    let start = Day::parse(beginning).expect("a date").start().plus(Span::hours(9));
    let mut writer = Writer { rows: Vec::new(), now: start, serial: 0, waiting: BTreeMap::new() };
    for (number, step) in steps.iter().enumerate() {
        writer.step(number, step);
        let due = writer.waiting.remove(&number).unwrap_or_default();
        writer.rows.extend(due);
    }
    writer.rows
}

impl Writer {
    fn step(&mut self, number: usize, step: &Step) {
        match step {
            Step::Move(movement) => {
                let rows = self.transaction(movement);
                self.rows.extend(rows);
            }
            Step::Burst(movement, people) => {
                for person in 0..*people {
                    let gap = if person == 0 { movement.gap } else { 3 };
                    let one = Move { counterparty: (movement.counterparty + person) % 14, gap, ..movement.clone() };
                    let rows = self.transaction(&one);
                    self.rows.extend(rows);
                }
            }
            Step::Scheme(movement, people, times, period) => self.scheme(movement, *people, *times, PERIODS[*period]),
            Step::Again(back, changed) => {
                if let Some(mut leg) = self.earlier(*back) {
                    if matches!(leg.kind, OwnedKind::Removal { .. }) {
                        // What was taken back is booked anew at the same moment.
                        self.serial += 1;
                        (leg.kind, leg.txn_id) = (OwnedKind::Movement, format!("t{}", self.serial));
                    }
                    leg.amount = larger(leg.amount, *changed);
                    self.rows.push(Row::Leg { joined: false, leg: Box::new(leg) });
                }
            }
            Step::Reverse(back, changed) => {
                if let Some(leg) = self.earlier(*back) {
                    let row = self.reversal_of(&leg, *changed);
                    self.rows.push(row);
                }
            }
            Step::Ahead(movement, wait, changed) => {
                let rows = self.transaction(movement);
                for leg in legs_of(&rows) {
                    if *changed {
                        let of_another_amount = self.reversal_of(leg, true);
                        self.rows.push(of_another_amount);
                    }
                    let reversal = self.reversal_of(leg, false);
                    self.rows.push(reversal);
                }
                if *wait < 5 {
                    self.waiting.entry(number + wait).or_default().extend(rows);
                }
            }
            Step::Undo(movement, days) => {
                let rows = self.transaction(&Move { amount: AMOUNTS.len() - 1, lag: 0, ..movement.clone() });
                let reversals: Vec<Row> = legs_of(&rows).map(|leg| self.reversal_of(leg, false)).collect();
                self.rows.extend(rows);
                self.step(number, &Step::Pass(*days));
                self.rows.extend(reversals);
            }
            Step::Together(movement, count) => {
                for at in 0..*count {
                    let gap = if at == 0 { movement.gap } else { 0 };
                    let facts = movement.facts.rotate_left(u32::try_from(at).unwrap_or(0) * 5);
                    let counterparty = (movement.counterparty + at * 5) % 24;
                    let one = Move { inward: facts & 4 != 0, counterparty, gap, lag: 0, facts, ..movement.clone() };
                    let rows = self.transaction(&one);
                    self.rows.extend(rows);
                }
            }
            Step::Pause(days) => self.now = self.now.plus(Span::days(PAUSES[*days])),
            Step::Pass(days) => {
                self.now = self.now.plus(Span::days(PAUSES[*days]));
                self.rows.push(Row::Pass(u16::try_from(PAUSES[*days]).unwrap_or(u16::MAX)));
            }
            Step::Switch => self.rows.push(Row::Switch),
        }
    }

    /// Money collected at once, then paid back in parts.
    fn scheme(&mut self, movement: &Move, people: usize, times: usize, period: i64) {
        let pay = |inward, amount, person| Move { inward, amount, counterparty: person, gap: 3, lag: 0, ..movement.clone() };
        for person in 0..people {
            let rows = self.transaction(&pay(true, movement.amount.max(4), person));
            self.rows.extend(rows);
        }
        for _ in 0..times {
            self.now = if period == 30 { month_later(self.now) } else { self.now.plus(Span::days(period)) };
            for person in 0..people {
                let rows = self.transaction(&pay(false, person % 3, person));
                self.rows.extend(rows);
            }
        }
    }

    /// The leg of the row `back` rows back, if that row is one.
    fn earlier(&self, back: usize) -> Option<OwnedLeg> {
        match self.rows.iter().rev().nth(back)? {
            Row::Leg { leg, .. } => Some(OwnedLeg::clone(leg)),
            Row::Switch | Row::Pass(_) => None,
        }
    }

    fn reversal_of(&mut self, leg: &OwnedLeg, changed: bool) -> Row {
        self.serial += 1;
        let mut reversal = leg.clone();
        reversal.kind = OwnedKind::Removal { target: leg.txn_id.clone() };
        reversal.txn_id = format!("r{}", self.serial);
        reversal.amount = larger(reversal.amount, changed);
        if self.serial.is_multiple_of(2) {
            // Booked when it is found out, not when it happened.
            reversal.at = self.now;
        }
        Row::Leg { joined: false, leg: Box::new(reversal) }
    }

    /// The legs of one transaction: the party's, that of a counterparty who is monitored too, and those of their groups.
    fn transaction(&mut self, movement: &Move) -> Vec<Row> {
        self.serial += 1;
        self.now = self.now.plus(seconds(GAPS[movement.gap]));
        let at = self.now.minus(seconds(LAGS[movement.lag]));
        let leg = leg(movement, format!("t{}", self.serial), at);
        let mut legs = vec![leg.clone()];
        if let Some(other) = leg.counterparty.as_deref().filter(|id| PARTIES.contains(id)) {
            let direction = if leg.direction == Direction::In { Direction::Out } else { Direction::In };
            let party = PARTIES.iter().position(|party| *party == other).unwrap_or(0);
            let mirrored = OwnedLeg {
                party: other.to_owned(),
                direction,
                counterparty: Some(leg.party.clone()),
                counterparty_kind: leg.profile.kind,
                profile: profile(party, movement.facts),
                ..leg.clone()
            };
            legs.push(mirrored);
        }
        for (group, members) in GROUPS {
            let inside = |id: &str| members.contains(&id);
            if inside(&leg.party) && movement.facts & 0x3 != 0 {
                let profile = OwnedProfile { member: leg.party.clone(), ..OwnedProfile::default() };
                let mut of_group = OwnedLeg { party: group.to_owned(), profile, ..leg.clone() };
                of_group.flags.set(Flags::OWN, leg.counterparty.as_deref().is_some_and(inside));
                legs.push(of_group);
            }
        }
        let rows = legs.into_iter().enumerate();
        rows.map(|(n, leg)| Row::Leg { joined: n > 0, leg: Box::new(leg) }).collect()
    }
}

fn legs_of(rows: &[Row]) -> impl Iterator<Item = &OwnedLeg> {
    rows.iter().filter_map(|row| if let Row::Leg { leg, .. } = row { Some(&**leg) } else { None })
}

/// One minor unit more, where `changed`.
fn larger(amount: LegAmount, changed: bool) -> LegAmount {
    let more = i64::from(changed);
    let native = |currency, equivalent: Option<i64>| equivalent.map(|n| n + if amount.currency == currency { more } else { 0 });
    LegAmount { minor: amount.minor + more, cny: native(Currency::CNY, amount.cny), usd: native(Currency::USD, amount.usd), ..amount }
}

fn month_later(at: EventTime) -> EventTime {
    at.day().plus_months(1).start().plus(Span(at.micros_of_day()))
}

fn seconds(count: i64) -> Span {
    Span(count * 1_000_000)
}

fn leg(movement: &Move, txn_id: String, at: EventTime) -> OwnedLeg {
    let facts = movement.facts;
    let (counterparty, usual_kind, usual_division) = counterparty(movement.counterparty);
    let mut leg = OwnedLeg {
        party: PARTIES[movement.party].to_owned(),
        txn_id,
        direction: if movement.inward { Direction::In } else { Direction::Out },
        kind: if one_in(facts, 2, 32) { OwnedKind::Return } else { OwnedKind::Movement },
        at,
        amount: LegAmount::cny(AMOUNTS[movement.amount]),
        counterparty: counterparty.filter(|id| *id != PARTIES[movement.party]),
        counterparty_kind: if one_in(facts, 3, 16) { PartyKind::Unknown } else { usual_kind },
        counterparty_division: if one_in(facts, 4, 16) { division(110_101) } else { usual_division },
        channel: [None, Some(Channel::Online), Some(Channel::Atm), Some(Channel::Batch)][(facts >> 7) as usize % 4],
        flags: Flags::default(),
        tags: Tags(u16::from(one_in(facts, 5, 4)) | u16::from(one_in(facts, 6, 8)) << 1),
        balance_after: [None, None, Some(0), Some(-500), Some(45_000), Some(10_000_000)][(facts >> 9) as usize % 6],
        profile: profile(movement.party, facts),
    };
    let rare = [
        (Flags::CASH, 7, 12),
        (Flags::CROSS_BORDER, 8, 12),
        (Flags::OWN, 9, 24),
        (Flags::SAME_NAME, 10, 16),
        (Flags::SECURITIES, 11, 16),
        (Flags::RETAINED, 12, 24),
        (Flags::AGE_KNOWN, 13, 2),
        (Flags::HAS_TIME, 14, 2),
        (Flags::HAS_MEMO, 15, 2),
        (Flags::EXEMPT_TERM, 16, 24),
    ];
    for (flag, salt, odds) in rare {
        leg.flags.set(flag, one_in(facts, salt, odds));
    }
    leg.flags.set(Flags::ELDERLY, leg.has(Flags::AGE_KNOWN) && one_in(facts, 17, 3));
    if one_in(facts, 18, 10) {
        in_foreign_money(&mut leg, facts);
    } else if one_in(facts, 29, 12) {
        leg.amount.usd = Some(leg.amount.minor / 7 + 1);
    }
    leg
}

/// Dollars or yen, with and without equivalents.
fn in_foreign_money(leg: &mut OwnedLeg, facts: u32) {
    let minor = leg.amount.minor;
    let cny = one_in(facts, 19, 2).then_some(minor);
    let usd = one_in(facts, 20, 2).then_some(minor / 7 + 1);
    leg.amount = match Currency::parse("JPY") {
        Some(yen) if one_in(facts, 21, 2) => LegAmount { currency: yen, minor: minor / 5 + 1, cny, usd },
        _ => LegAmount { currency: Currency::USD, minor: minor / 7 + 1, cny, usd: Some(minor / 7 + 1) },
    };
    leg.flags.set(Flags::UNCONVERTED, cny.is_none());
}

fn division(code: u32) -> Division {
    Division::from_code(code).expect("six digits")
}

/// Fourteen people, some organisations, an internal account, some unknowns, monitored parties, and nobody.
fn counterparty(number: usize) -> (Option<String>, PartyKind, Division) {
    let division = division([0, 330_100, 330_106, 330_200, 440_300][number % 5]);
    let named = |kind| (Some(format!("p{number}")), kind, division);
    match number {
        0..=13 => named(PartyKind::Natural),
        14 | 15 => named(PartyKind::Organisation),
        16 => named(PartyKind::SoleTrader),
        17 => named(PartyKind::Internal),
        18 | 19 => named(PartyKind::Unknown),
        20..=22 => (Some(PARTIES[number - 20].to_owned()), PartyKind::Natural, division),
        _ => (None, PartyKind::Unknown, division),
    }
}

fn profile(party: usize, facts: u32) -> OwnedProfile {
    let usual = [PartyKind::Organisation, PartyKind::Natural, PartyKind::SoleTrader, PartyKind::Unknown, PartyKind::Natural][party % 5];
    let registered = one_in(facts, 28, 2);
    let mut agreements = Agreements::default();
    if registered && one_in(facts, 22, 3) {
        agreements.insert(AgreementKind::Payroll);
        agreements.payroll_people = [0, 5, 12][facts as usize % 3];
    }
    if registered && one_in(facts, 24, 3) {
        agreements.insert(AgreementKind::Acquiring);
    }
    OwnedProfile {
        kind: match facts {
            _ if one_in(facts, 25, 20) => PartyKind::Unknown,
            _ if one_in(facts, 30, 60) => PartyKind::Internal,
            _ => usual,
        },
        division: division(330_100),
        industry: if one_in(facts, 26, 2) { "6499".to_owned() } else { String::new() },
        opened_at: one_in(facts, 27, 2).then(|| Day::parse("2024-01-15").expect("a date")),
        registered,
        agreements,
        member: String::new(),
    }
}

/// True for about one in `odds` values of `facts`; different `salt`s are independent enough.
fn one_in(facts: u32, salt: u32, odds: u32) -> bool {
    let mixed = facts.wrapping_add(salt.wrapping_mul(0x9E37_79B9)).wrapping_mul(0x85EB_CA6B);
    (mixed ^ (mixed >> 15)).wrapping_mul(0xC2B2_AE35) >> 8 & 0xFFFF < 0x1_0000 / odds && facts != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::{parse, stamp};
    use crate::oracle::{Answer, Settings, answer};
    use crate::rule_sets;
    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
    use weir_model::alert::{AlertStatus, Withdrawal};
    use weir_model::{Reason, ReportStatus};

    /// Logs drawn from a fixed seed.
    fn drawn(count: usize) -> Vec<Vec<Row>> {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let draw = |_| logs(40).new_tree(&mut runner).expect("nothing is filtered").current();
        (0..count).map(draw).collect()
    }

    #[test]
    fn random_logs_reach_every_corner() {
        let sets = rule_sets::all();
        let logs = drawn(300);
        let answers: Vec<Answer> = logs.iter().map(|rows| answer(Settings::default(), &sets[0], &stamp(rows, &sets[1..]))).collect();
        // Of three hundred logs, at least so many must have at least one such line.
        let check = |what: &str, least: usize, has: &dyn Fn(&Answer) -> bool| {
            let found = answers.iter().filter(|answer| has(answer)).count();
            assert!(found >= least, "{what}: {found} of {} logs, expected {least}", answers.len());
        };
        let alert =
            |has: &'static dyn Fn(&weir_model::Alert) -> bool| move |answer: &Answer| answer.alerts.iter().any(|line| has(&line.revision));
        check("opened", 140, &alert(&|a| a.status == AlertStatus::Opened));
        check("updated", 120, &alert(&|a| a.status == AlertStatus::Updated));
        check("quiet", 60, &alert(&|a| a.status == AlertStatus::Quiet));
        check("unfounded", 30, &alert(&|a| a.withdrawal == Some(Withdrawal::Unfounded)));
        check("merged", 8, &alert(&|a| matches!(a.withdrawal, Some(Withdrawal::Merged { .. }))));
        check("reopened", 3, &alert(&|a| a.status == AlertStatus::Opened && a.revision > 1));
        for rule in ["T-001", "T-002", "T-003", "T-004", "T-005", "T-006", "T-007", "T-008"] {
            check(rule, 20, &|answer| answer.alerts.iter().any(|line| line.revision.rule.id == rule));
        }
        // Of the third set: it takes two switches.
        check("T-009", 5, &|answer| answer.alerts.iter().any(|line| line.revision.rule.id == "T-009"));
        for variant in ["days3", "days30", "work6"] {
            check(variant, 15, &|answer| answer.alerts.iter().any(|line| line.revision.rule.variant == variant));
        }
        for status in [ReportStatus::Opened, ReportStatus::Final, ReportStatus::Corrected, ReportStatus::Withdrawn] {
            check(&format!("{status:?}"), 5, &|answer| answer.reports.iter().any(|line| line.revision.status == status));
        }
        use Reason::{ConflictingDuplicate, Late, PartialReversal, ReversalTargetMissing, ReversalTooLate};
        for reason in [Late, ConflictingDuplicate, PartialReversal, ReversalTargetMissing, ReversalTooLate] {
            check(reason.code(), 1, &|answer| answer.rejects.iter().any(|reject| reject.reason == reason));
        }
        check("duplicates", 3, &|answer| answer.duplicates > 0);
        check("reversed", 5, &|answer| answer.reversed > 0);
    }

    /// Every condition of the rules of the tests is seen true, false and, where its feature can be, NULL.
    #[test]
    fn every_feature_is_measured() {
        let sets = rule_sets::all();
        let mut outcomes: BTreeMap<String, [usize; 3]> = BTreeMap::new();
        for rows in drawn(300) {
            let answer = answer(Settings::default(), &sets[0], &stamp(&rows, &sets[1..]));
            for condition in answer.alerts.into_iter().flat_map(|line| line.revision.conditions) {
                let index = condition.met.map_or(2, usize::from);
                outcomes.entry(condition.text).or_default()[index] += 1;
            }
        }
        let scored = outcomes.iter().filter(|(_, seen)| seen[0] + seen[2] > 0);
        let one_sided: Vec<String> =
            scored.filter(|(_, seen)| seen[1] < 3 || seen[0] < 3).map(|(text, seen)| format!("{text}: {seen:?}")).collect();
        assert!(one_sided.is_empty(), "[false, true, NULL]:\n{}", one_sided.join("\n"));
    }

    #[test]
    fn drawn_rows_read_back() {
        for rows in drawn(20) {
            for row in rows {
                assert_eq!(parse(&row.to_string()).expect("a row"), [row]);
            }
        }
    }
}
