//! What a bank has besides, when it is asked for: fees, loans that are paid out, activity by Zipf's law, the devices from which payments are made.
//!
//! Rules were measured on banks without them, and dice of their own leave those banks as they are, byte for byte: with one of these the same people
//! live in the town, and the same schemes run. So the difference between two banks is what the extra does to an answer.

use std::collections::BTreeSet;

use weir_model::{Channel, PartyKind};

use super::chance::{Chance, mix};
use super::institutions::{CAR_SELLERS, one_of};
use super::life::office_hour;
use super::movement::{Desk, Memo, Movement, Who, firm, stranger};
use super::today::{Today, month_number};
use super::world::{Customer, Life, World};

/// Something that a bank has besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extra {
    /// Fees that the bank takes: messages and cards of persons, accounts and transfers of firms.
    Fees,
    /// Loans paid out and paid back: a person's car or home, a firm's stock.
    Loans,
    /// How much people, firms and shops do, and where people shop, by Zipf's law (exponent one) instead of a lognormal one.
    Zipf,
    /// The device from which a payment is made, as a column of the feed; counters and ATMs have that of the branch.
    Devices,
}

impl Extra {
    /// Each of them.
    pub const ALL: [Self; 4] = [Self::Fees, Self::Loans, Self::Zipf, Self::Devices];

    /// As it is asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Fees => "fees",
            Self::Loans => "loans",
            Self::Zipf => "zipf",
            Self::Devices => "devices",
        }
    }
}

/// Those that a bank has.
pub type Extras = BTreeSet<Extra>;

/// Persons with loans, firms with loans: one in so many.
const PERSONS_PER_LOAN: u64 = 9;
const FIRMS_PER_LOAN: u64 = 3;
/// Interest of a month, parts of ten thousand.
const INTEREST: i64 = 40;
/// Families with one telephone, one in so many neighbours; firms whose books somebody keeps beside others'.
const NEIGHBOURS_PER_FAMILY: u64 = 5;
const FIRMS_PER_BOOKKEEPER: u64 = 10;
/// Schemes whose own accounts are in one hand, of a thousand.
const SCHEMES_IN_ONE_HAND: u32 = 600;

/// What a customer whose account is open has besides on a day, whatever else it does.
pub(super) fn live(world: &World, number: u32, today: &Today, out: &mut Vec<Movement>) {
    if !today.is_working {
        return;
    }
    if world.extras.contains(&Extra::Fees) {
        pay_fees(&world.customers[number as usize], number, today, out);
    }
    if world.extras.contains(&Extra::Loans) {
        borrow(&world.customers[number as usize], number, today, out);
    }
}

/// What the bank takes: half of the persons two yuan a month for messages, half ten yuan a year for the card; firms and shops thirty yuan a month for
/// the account and 5.50 for each of their transfers.
fn pay_fees(customer: &Customer, number: u32, today: &Today, out: &mut Vec<Movement>) {
    let bits = mix(customer.seed ^ 0xfee5);
    let mut take = |fen: i64, memo: Memo, after: i64| {
        let at = today.midnight + 2 * 3600 + after;
        out.push(Movement::new(at, fen, Who::Own(number, 0), Who::Bank(Desk::Fees), Channel::Batch, memo));
    };
    if customer.kind == PartyKind::Natural {
        if bits & 1 == 0 && today.collects(21) {
            take(2_00, Memo::MessageFee, (bits >> 8) as i64 & 1023);
        }
        if bits & 2 == 0 && u64::from(today.month) == bits % 12 + 1 && today.collects(11) {
            take(10_00, Memo::CardFee, (bits >> 8) as i64 & 1023);
        }
    } else if today.collects(25) {
        // Two in three of its movements are payments that go elsewhere.
        let transfers = (i64::from(customer.activity) * 22 * 2 / 3) >> 16;
        take(30_00 + transfers * 5_50, Memo::AccountFee, (bits >> 8) as i64 & 1023);
    }
}

/// A loan of a customer who has one now and then: paid out and spent on a day, then paid back by the month (a person's) or at the end of a year (a
/// firm's, which pays interest every month and takes it up again at once).
fn borrow(customer: &Customer, number: u32, today: &Today, out: &mut Vec<Movement>) {
    let bits = mix(customer.seed ^ 0x10a4);
    let (is_person, is_firm) = (
        matches!(customer.life, Life::Worker | Life::Trader | Life::Farmer) && bits.is_multiple_of(PERSONS_PER_LOAN),
        customer.life == Life::Firm && bits.is_multiple_of(FIRMS_PER_LOAN),
    );
    let dom = 5 + (bits >> 50) as u8 % 20;
    if !(is_person || is_firm) || !today.collects(dom) {
        return;
    }
    let term = if is_person { 12 * (1 + (bits >> 20) as i64 % 3) } else { 12 };
    // Months without one lie between two of a person's.
    let month = today.month_number() + (bits >> 30) as i64 % 64;
    let at = month.rem_euclid(if is_person { term + 1 + (bits >> 40) as i64 % 12 } else { term });
    let months_open = today.month_number() - month_number(customer.opened);
    let mut chance = Chance::of(customer.seed ^ 0x10a4, (month - at).unsigned_abs());
    let fen = if is_person { chance.spread(60_000_00, 900) } else { (customer.income * 2).clamp(100_000_00, 20_000_000_00) };
    let fen = (fen / 10_000_00).max(1) * 10_000_00;
    let me = Who::Own(number, 0);
    // What is due comes before what is lent anew.
    let mut book = |hour: i64, fen: i64, payer: Who, payee: Who, channel: Channel, memo: Memo| {
        out.push(Movement::new(today.midnight + hour * 3600 + (bits >> 8) as i64 % 3600, fen, payer, payee, channel, memo).certain());
    };
    let due = if is_person { fen / term + fen * INTEREST / 10_000 } else { fen * INTEREST / 10_000 + if at == 0 { fen } else { 0 } };
    let has_begun = if at == 0 { is_firm && months_open >= term } else { months_open >= at };
    if has_begun && at <= term {
        book(9, due, me, Who::Bank(Desk::Loans), Channel::Batch, Memo::Loan);
    }
    if at == 0 && months_open >= 0 {
        book(10, fen, Who::Bank(Desk::Loans), me, Channel::Batch, Memo::Lent);
        let (payee, memo) = match bits >> 60 & 3 {
            _ if is_firm => (firm(mix(customer.seed ^ (0x400 + chance.below(14)))), Memo::Goods),
            0 => (one_of(&CAR_SELLERS, bits >> 7), Memo::CarPrice),
            1 => (stranger(mix(bits)), Memo::Transfer),
            _ => (firm(mix((bits % 60) ^ 0x10a4)), Memo::Goods),
        };
        let spent =
            Movement::new(office_hour(today, &mut chance).max(today.midnight + 11 * 3600), fen * 8 / 10, me, payee, Channel::Online, memo);
        out.push(spent.certain());
    }
}

/// Gives an ordinary customer an activity by Zipf's law. Means are about those of the lognormal law that it had.
pub(super) fn by_zipf(customer: &mut Customer) {
    let mut chance = Chance::of(customer.seed, 0x219f);
    let a_month = match customer.life {
        Life::Nothing => return,
        Life::Idle => chance.zipf(60, 6_000),
        Life::Firm => chance.zipf(8_000, 2_000_000),
        Life::Shop => chance.zipf(4_600, 600_000),
        _ => chance.zipf(1_600, 600_000),
    };
    customer.activity = u32::try_from(a_month * 65_536 / 30_400).unwrap_or(u32::MAX);
}

/// Puts a scheme's own accounts into one hand, or leaves each in its own.
pub(super) fn hand_over(world: &mut World, seed: u64, members: impl Iterator<Item = u32>) {
    if world.extras.contains(&Extra::Devices) && Chance::of(seed, 0xde71).per_mille(SCHEMES_IN_ONE_HAND) {
        world.in_one_hand.extend(members.map(|member| (member, mix(seed ^ 0xde71))));
    }
}

/// Number of the device from which a movement is made: of who pays by mobile or online banking, of the branch at its counter and ATM.
pub(super) fn device(world: &World, movement: &Movement) -> Option<u64> {
    let number = match (movement.payer, movement.payee) {
        (Who::Own(number, _), _) | (Who::Nobody, Who::Own(number, _)) => number,
        _ => return None,
    };
    match movement.channel {
        Channel::Mobile | Channel::Online => Some(in_hand(world, number)),
        Channel::Atm | Channel::Counter => Some(shared(world, 0xb4a2, world.customers[number as usize].branch)),
        _ => None,
    }
}

/// The device of something that several customers have in common.
fn shared(world: &World, what: u64, which: u32) -> u64 {
    mix(world.seed ^ mix(what << 32 | u64::from(which)))
}

/// A customer's own device, that of the family, the bookkeeper or the scheme.
fn in_hand(world: &World, number: u32) -> u64 {
    if let Some(device) = world.in_one_hand.get(&number) {
        return *device;
    }
    let customer = &world.customers[number as usize];
    let own = mix(customer.seed ^ 0xde71);
    if customer.kind == PartyKind::Natural {
        let house = shared(world, 0x40e5, number / 2);
        if house.is_multiple_of(NEIGHBOURS_PER_FAMILY) { house } else { own }
    } else if own.is_multiple_of(FIRMS_PER_BOOKKEEPER) {
        shared(world, 0xb00c, customer.branch)
    } else {
        own
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashSet};

    use weir_model::Day;

    use super::*;
    use crate::synth::{Bank, Dials};

    fn bank(extras: &[Extra], per_scheme: u32) -> (Bank, Vec<Movement>) {
        let from = Day::parse("2024-01-01").expect("a date");
        let extras = extras.iter().copied().collect();
        let dials = Dials { seed: 9, customers: 2000, from, days: 500, per_scheme, disorder: 0, held: BTreeMap::new(), extras };
        let (mut bank, mut all, mut rows) = (Bank::new(&dials), Vec::new(), Vec::new());
        while bank.day(&mut rows).is_some() {
            all.extend(rows.iter().map(|row| row.movement));
        }
        (bank, all)
    }

    #[test]
    fn most_pay_fees_to_the_bank_and_firms_more_than_persons() {
        let (bank, all) = bank(&[Extra::Fees], 0);
        let fees: Vec<&Movement> = all.iter().filter(|movement| movement.payee == Who::Bank(Desk::Fees)).collect();
        let paid_by: HashSet<Who> = fees.iter().map(|movement| movement.payer).collect();
        assert!(paid_by.len() * 2 > bank.world.customers.len(), "{}", paid_by.len());
        let person = |who: Who| matches!(who, Who::Own(number, _) if bank.world.customers[number as usize].kind == PartyKind::Natural);
        assert!(fees.iter().filter(|fee| person(fee.payer)).all(|fee| fee.fen == 2_00 || fee.fen == 10_00));
        assert!(fees.iter().any(|fee| !person(fee.payer) && fee.fen > 30_00));
    }

    #[test]
    fn what_is_lent_is_spent_and_comes_back() {
        let (bank, all) = bank(&[Extra::Loans], 0);
        let lent: Vec<&Movement> = all.iter().filter(|movement| movement.memo == Memo::Lent).collect();
        let firms = lent
            .iter()
            .filter(|loan| matches!(loan.payee, Who::Own(number, _) if bank.world.customers[number as usize].life == Life::Firm));
        assert!(firms.count() > 10 && lent.len() > 60, "{}", lent.len());
        for loan in lent {
            assert_eq!(loan.payer, Who::Bank(Desk::Loans));
            let same_day = |movement: &&Movement| movement.payer == loan.payee && movement.at / 86_400 == loan.at / 86_400;
            assert!(all.iter().filter(same_day).any(|spent| spent.fen == loan.fen * 8 / 10 && spent.at > loan.at));
        }
        // A firm's loan of the first of these months is paid back within the bank's days, a year later, and lent anew.
        let again = all.iter().filter(|back| back.memo == Memo::Loan && back.fen >= 100_000_00);
        let firms_back: HashSet<Who> = again.map(|back| back.payer).collect();
        assert!(firms_back.len() > 10, "{}", firms_back.len());
        // Without it nothing is lent.
        assert!(self::bank(&[], 0).1.iter().all(|movement| movement.memo != Memo::Lent));
    }

    #[test]
    fn by_zipf_the_busiest_are_busier_and_all_of_them_together_about_as_busy() {
        let count = |extras: &[Extra]| {
            let (bank, all) = bank(extras, 0);
            let mut legs = vec![0_u32; bank.world.customers.len()];
            for movement in &all {
                for who in [movement.payer, movement.payee] {
                    if let Who::Own(number, _) = who {
                        legs[number as usize] += 1;
                    }
                }
            }
            legs.sort_unstable_by(|a, b| b.cmp(a));
            (all.len(), legs[..20].iter().sum::<u32>())
        };
        let ((rows, busiest), (rows_by_zipf, busiest_by_zipf)) = (count(&[]), count(&[Extra::Zipf]));
        assert!(rows_by_zipf * 4 > rows * 3 && rows_by_zipf * 3 < rows * 4, "{rows} {rows_by_zipf}");
        assert!(busiest_by_zipf > busiest * 3 / 2, "{busiest} {busiest_by_zipf}");
    }

    #[test]
    fn who_shares_a_device_is_a_family_a_bookkeepers_firm_or_a_scheme() {
        let (bank, all) = bank(&[Extra::Devices], 50);
        let mut users: BTreeMap<u64, BTreeSet<u32>> = BTreeMap::new();
        for movement in all.iter().filter(|movement| matches!(movement.channel, Channel::Mobile | Channel::Online)) {
            if let (Who::Own(number, _), Some(device)) = (movement.payer, device(&bank.world, movement)) {
                users.entry(device).or_default().insert(number);
            }
        }
        let of_schemes: BTreeSet<u32> = bank.world.in_one_hand.keys().copied().collect();
        let (schemes, others): (Vec<_>, Vec<_>) =
            users.values().filter(|users| users.len() > 1).partition(|users| users.iter().all(|user| of_schemes.contains(user)));
        assert!(schemes.len() > 5 && others.len() > 30, "{} {}", schemes.len(), others.len());
        assert!(others.iter().all(|users| users.iter().all(|user| !of_schemes.contains(user))));
        // Cash has the device of the branch, and what a batch pays has none.
        let cash = all.iter().filter(|movement| movement.payer == Who::Nobody || movement.payee == Who::Nobody);
        assert!(cash.map(|movement| device(&bank.world, movement)).collect::<BTreeSet<_>>().len() > 30);
        assert!(all.iter().filter(|movement| movement.channel == Channel::Batch).all(|movement| device(&bank.world, movement).is_none()));
    }

    #[test]
    fn the_same_schemes_run_with_and_without() {
        let of_schemes = |extras: &[Extra]| {
            let (bank, all) = bank(extras, 100);
            let principals: Vec<i64> = bank.schemes.iter().map(|scheme| scheme.outcome.principal).collect();
            let is_schemes = |movement: &&Movement| bank.schemes.iter().any(|scheme| scheme.part == movement.part);
            let paid: Vec<(i64, i64, u32)> = all.iter().filter(is_schemes).map(|m| (m.at, m.fen, m.part)).collect();
            (principals, paid)
        };
        let (without, with) = (of_schemes(&[]), of_schemes(&Extra::ALL));
        assert_eq!(without.0, with.0);
        assert!(without.1 == with.1, "movements of schemes differ");
    }
}
