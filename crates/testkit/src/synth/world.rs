//! Who lives in the town: customers of the bank, their facts, and what they have on their accounts.
//!
//! A customer is drawn from the seed and its own number alone. Members of look-alikes and schemes are added behind the ordinary customers, so
//! that the ordinary ones lead the same life with and without them.

use std::collections::BTreeMap;

use weir_model::{AgreementKind, Day, PartyKind};

use super::chance::{Chance, mix};
use super::extras::{self, Extra, Extras};
use super::faces::{COVERS, SHOPS, TRADES};
use super::movement::{Desk, Who, firm};

/// Districts of the town and of the places around it; the first five are the town's own.
pub(super) const DIVISIONS: [u32; 16] = [
    530_502, 530_521, 530_523, 530_524, 530_581, 530_111, 530_402, 532_901, 533_102, 510_703, 520_502, 440_305, 330_106, 510_104, 500_112,
    430_102,
];
/// Branches of the bank in the town.
const BRANCHES: u64 = 40;

/// How a customer lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Earns wages.
    Worker,
    /// Draws a pension.
    Pensioner,
    /// Lives on what parents send.
    Student,
    /// Sells harvests, draws subsidies.
    Farmer,
    /// Natural person with a trade of their own.
    Trader,
    /// Hardly uses the account.
    Idle,
    /// A firm that makes or trades.
    Firm,
    /// A shop that people pay at.
    Shop,
    /// Only what it is added for.
    Nothing,
}

/// A customer.
#[derive(Debug, Clone)]
pub struct Customer {
    /// Kind as the bank knows it.
    pub kind: PartyKind,
    /// How it lives.
    pub life: Life,
    /// First account opened.
    pub opened: Day,
    /// Closed for good.
    pub closed: Option<Day>,
    /// Birth year; 0 of firms.
    pub birth_year: i32,
    /// Division.
    pub division: u32,
    /// GB/T 4754 class; empty of persons.
    pub industry: &'static str,
    /// Verified agreement.
    pub agreement: Option<(AgreementKind, u32)>,
    /// Group of related customers that the bank knows; 0 for none.
    pub group: u32,
    /// Branch that keeps the account.
    pub branch: u32,
    /// Movements of one's own will a day, times 65,536.
    pub activity: u32,
    /// Fen a month: wage, pension, or what a firm takes in.
    pub income: i64,
    /// Day of the month of wages.
    pub payday: u8,
    /// Who pays them.
    pub employer: Who,
    /// Wages the firm pays to people who bank elsewhere.
    pub staff_elsewhere: u32,
    /// What the firm pays in wages in a month, fen.
    pub payroll: i64,
    /// Seed of everything else.
    pub seed: u64,
    /// On its two accounts, fen.
    pub balance: [i64; 2],
}

/// The town.
#[derive(Debug)]
pub struct World {
    /// By number; ordinary ones first.
    pub customers: Vec<Customer>,
    /// How many are ordinary.
    pub ordinary: u32,
    /// Numbers of shops, busiest first.
    pub shops: Vec<u32>,
    /// Numbers of firms.
    pub firms: Vec<u32>,
    /// Members of each group that the bank knows, by its number from 1.
    groups: Vec<Vec<u32>>,
    /// Seed.
    pub seed: u64,
    /// What the bank has besides.
    pub(super) extras: Extras,
    /// Devices of accounts that are in one hand.
    pub(super) in_one_hand: BTreeMap<u32, u64>,
}

/// Numbers of customers, and of groups, in the feed lie among so many: primes.
const CODES: u64 = 99_999_989;
const GROUP_CODES: u64 = 999_983;

impl World {
    /// A customer's number in the feed. It says nothing of the order in which customers were drawn: ordinary ones first, then look-alikes, then schemes.
    #[must_use]
    pub fn code(&self, number: u32) -> u32 {
        scatter(self.seed ^ 0xc0de, number, CODES)
    }

    /// A group's, from 1, in the party file.
    #[must_use]
    pub fn group_code(&self, group: u32) -> String {
        format!("G{:06}", scatter(self.seed ^ 0x960_0de, group, GROUP_CODES))
    }

    /// Makes customers that the bank knows to belong together a group; those that belong to one already bring the others into it.
    pub(super) fn relate(&mut self, members: &[u32]) {
        let known = members.iter().map(|member| self.customers[*member as usize].group).find(|group| *group > 0);
        let group = known.unwrap_or_else(|| {
            self.groups.push(Vec::new());
            u32::try_from(self.groups.len()).unwrap_or(u32::MAX)
        });
        for member in members {
            let customer = &mut self.customers[*member as usize];
            if customer.group == 0 {
                customer.group = group;
                self.groups[group as usize - 1].push(*member);
            }
        }
    }

    /// The next in somebody's group; nobody where there is none.
    pub(super) fn related_to(&self, who: Who) -> Option<Who> {
        let Who::Own(number, _) = who else { return None };
        let group = self.customers[number as usize].group.checked_sub(1)?;
        let members = &self.groups[group as usize];
        let at = members.iter().position(|member| *member == number)?;
        let other = members[(at + 1) % members.len()];
        (other != number).then_some(Who::Own(other, 0))
    }

    /// Firms with their sisters and owners, shops of a chain: what a bank knows of who belongs together.
    fn know_groups(&mut self) {
        for (numbers, often) in [(self.firms.clone(), 60), (self.shops.clone(), 25)] {
            let mut at = 0;
            while at < numbers.len() {
                let seed = self.customers[numbers[at] as usize].seed;
                let mut chance = Chance::of(seed, 0x9209);
                if !chance.per_mille(often) {
                    at += 1;
                    continue;
                }
                let sisters = at + 1 + chance.between(1, 4).unsigned_abs() as usize;
                let mut members = numbers[at..sisters.min(numbers.len())].to_vec();
                if chance.per_mille(500) {
                    members.push(self.person(seed));
                }
                self.relate(&members);
                at = sisters;
            }
        }
    }

    /// Who somebody is on a day: a customer whose account is not open banks elsewhere.
    pub(super) fn as_of(&self, day: Day, who: Who) -> Who {
        let Who::Own(number, _) = who else { return who };
        let customer = &self.customers[number as usize];
        let is_open = customer.opened <= day && customer.closed.is_none_or(|closed| closed > day);
        if is_open { who } else { Who::Outside(customer.kind, mix(self.seed ^ mix(u64::from(number) | 1 << 40))) }
    }

    /// A town of so many customers, on the day before it begins.
    #[must_use]
    pub fn new(seed: u64, ordinary: u32, first: Day, extras: Extras) -> Self {
        let (customers, shops, firms, groups) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut world = Self { customers, ordinary, shops, firms, groups, seed, extras, in_one_hand: BTreeMap::new() };
        world.customers.reserve_exact(ordinary as usize);
        for number in 0..ordinary {
            let mut customer = ordinary_customer(seed, number, first);
            if world.extras.contains(&Extra::Zipf) {
                extras::by_zipf(&mut customer);
            }
            match customer.life {
                Life::Firm => world.firms.push(number),
                Life::Shop => world.shops.push(number),
                _ => {}
            }
            world.customers.push(customer);
        }
        world.employ();
        world.know_groups();
        world
    }

    /// Gives workers their employers, and firms the means to pay them.
    fn employ(&mut self) {
        for number in 0..self.customers.len() {
            let customer = &self.customers[number];
            if customer.life != Life::Worker {
                continue;
            }
            let (employer, payday) = self.employer(customer.seed);
            if let Who::Own(employer, _) = employer {
                let income = self.customers[number].income;
                self.customers[employer as usize].payroll += income;
            }
            let customer = &mut self.customers[number];
            (customer.employer, customer.payday) = (employer, payday);
        }
        for number in &self.firms {
            let firm = &mut self.customers[*number as usize];
            meet_payroll(firm);
            let people = u32::try_from(firm.payroll / 5_000_00).unwrap_or(0);
            let mut chance = Chance::of(firm.seed, 0xa9);
            // Wages of a few are paid by hand; of many mostly under an agreement, whose head count leaves room.
            if people >= 5 && chance.per_mille(900) {
                firm.agreement = Some((AgreementKind::Payroll, people * 3 / 2 + 10));
            }
        }
    }

    /// Who pays a worker of this seed, and on which day of the month: in three of five cases a firm of the town.
    fn employer(&self, seed: u64) -> (Who, u8) {
        let mut chance = Chance::of(seed, 0xe3);
        // The square of an even draw: some firms have many, most have few.
        let at = chance.below(1 << 20).pow(2) >> 20;
        match self.firms.get((at as usize * self.firms.len()) >> 20).filter(|_| chance.per_mille(600)) {
            Some(employer) => (Who::Own(*employer, 0), self.customers[*employer as usize].payday),
            None => {
                let number = mix(self.seed ^ at);
                (firm(number), 5 + (number % 21) as u8)
            }
        }
    }

    /// Gives a customer who was added for something the life that others of its kind lead besides, `share` thousandths of it: somebody uses the account.
    pub(super) fn enliven(&mut self, number: u32, share: i64, year: i32) {
        let mut customer = self.customers[number as usize].clone();
        let mut chance = Chance::of(customer.seed, 0x11fe);
        if customer.kind == PartyKind::Natural {
            let age = year - customer.birth_year;
            lead_life(&mut customer, &mut chance, age);
            while customer.life == Life::Idle {
                lead_life(&mut customer, &mut chance, age);
            }
            (customer.employer, customer.payday) = self.employer(customer.seed);
        } else {
            run_firm(&mut customer, &mut chance);
        }
        let part = |whole: i64| whole * share / 1000;
        customer.income = part(customer.income);
        customer.activity = u32::try_from(part(customer.activity.into())).unwrap_or(u32::MAX);
        customer.staff_elsewhere = u32::try_from(part(customer.staff_elsewhere.into())).unwrap_or(u32::MAX);
        meet_payroll(&mut customer);
        self.customers[number as usize] = customer;
    }

    /// Adds a customer behind the others.
    ///
    /// # Panics
    /// With more than four billion of them.
    pub fn add(&mut self, customer: Customer) -> u32 {
        self.customers.push(customer);
        u32::try_from(self.customers.len() - 1).expect("fewer than 2^32 customers")
    }

    /// Some natural person who banks here and uses the account, by a number.
    #[must_use]
    pub fn person(&self, number: u64) -> u32 {
        let mut at = mix(number);
        loop {
            let found = (at % u64::from(self.ordinary)) as u32;
            let customer = &self.customers[found as usize];
            // Who hardly uses the account is hardly paid on it.
            let is_met = customer.life != Life::Idle || at >> 60 == 0;
            if customer.kind == PartyKind::Natural && is_met {
                return found;
            }
            at = mix(at);
        }
    }
}

/// `number` moved to another place among `codes`, a prime: each to one of its own.
fn scatter(seed: u64, number: u32, codes: u64) -> u32 {
    let (step, first) = (1 + mix(seed) % (codes - 1), mix(seed ^ 1) % codes);
    ((u64::from(number) * step + first) % codes) as u32
}

/// An account that has nothing of its own to do, as members of schemes and look-alikes have.
#[must_use]
pub(super) fn blank(seed: u64, kind: PartyKind, opened: Day) -> Customer {
    let mut chance = Chance::of(seed, 0xb1);
    let is_person = kind == PartyKind::Natural;
    Customer {
        kind,
        life: Life::Nothing,
        opened,
        closed: None,
        birth_year: if is_person { chance.between(1960, 1996) as i32 } else { 0 },
        division: *chance.pick(&DIVISIONS[..5]),
        industry: if is_person { "" } else { chance.pick::<&str>(&TRADES) },
        agreement: None,
        group: 0,
        branch: chance.below(BRANCHES) as u32,
        activity: 0,
        income: 0,
        payday: 10,
        employer: Who::Bank(Desk::Interest),
        staff_elsewhere: 0,
        payroll: 0,
        seed,
        balance: [0, 0],
    }
}

fn ordinary_customer(seed: u64, number: u32, first: Day) -> Customer {
    let own = mix(seed.rotate_left(17) ^ mix(u64::from(number)));
    let mut chance = Chance::of(own, 1);
    let kind = match chance.below(1000) {
        0..30 => PartyKind::Organisation,
        30..62 => PartyKind::SoleTrader,
        _ => PartyKind::Natural,
    };
    // Half of the accounts are older than six years; one in eleven is opened later.
    let opened = if chance.per_mille(90) {
        first.plus(chance.between(0, 540) as i32)
    } else {
        first.plus(-(chance.spread(2200, 1100).min(9000) as i32))
    };
    let mut customer = blank(own, kind, opened);
    customer.closed = chance.per_mille(40).then(|| opened.max(first).plus(chance.between(60, 900) as i32));
    let year = first.year();
    match kind {
        PartyKind::Natural => {
            let age = match chance.below(100) {
                0..14 => chance.between(16, 23),
                14..66 => chance.between(24, 54),
                _ => chance.between(55, 84),
            } as i32;
            customer.birth_year = year - age;
            lead_life(&mut customer, &mut chance, age);
        }
        PartyKind::SoleTrader => shop(&mut customer, &mut chance),
        _ if chance.per_mille(220) => shop(&mut customer, &mut chance),
        _ => {
            customer.industry = if chance.per_mille(80) { chance.pick::<&str>(&COVERS) } else { chance.pick::<&str>(&TRADES) };
            run_firm(&mut customer, &mut chance);
        }
    }
    customer
}

/// How a person of an age lives, and on what.
fn lead_life(customer: &mut Customer, chance: &mut Chance, age: i32) {
    customer.life = match (age, chance.below(100)) {
        (_, 0..38) => Life::Idle,
        (..=22, _) => Life::Student,
        (60.., 38..85) => Life::Pensioner,
        (_, 85..) => Life::Farmer,
        (_, 78..85) => Life::Trader,
        _ => Life::Worker,
    };
    let (median, spread) = match customer.life {
        Life::Worker => (5_200_00, 700),
        Life::Pensioner => (3_100_00, 450),
        Life::Student => (1_500_00, 400),
        Life::Farmer => (1_800_00, 900),
        Life::Trader => (14_000_00, 1300),
        _ => (0, 0),
    };
    customer.income = chance.spread(median, spread);
    // Movements a month of one's own will: half of those who are not idle make fewer than six, some make a hundred.
    let a_month = if customer.life == Life::Idle { chance.spread(220, 1000) } else { chance.spread(6_000, 1400).min(180_000) };
    customer.activity = u32::try_from(a_month * 65_536 / 30_400).unwrap_or(0);
    customer.balance = [chance.spread(3_000_00, 2000) + customer.income / 2, chance.spread(800_00, 2400)];
}

/// What a firm takes in, whom it pays, and how much it does.
fn run_firm(customer: &mut Customer, chance: &mut Chance) {
    customer.life = Life::Firm;
    customer.income = chance.spread(180_000_00, 1700);
    customer.payday = 5 + chance.below(21) as u8;
    customer.staff_elsewhere = chance.spread(4, 1500).min(600) as u32;
    customer.balance[0] = customer.income;
    customer.activity = u32::try_from(chance.spread(32, 1200).min(600) * 65_536 / 30).unwrap_or(0);
}

/// Adds the wages paid elsewhere, and what it takes to pay all of them.
fn meet_payroll(firm: &mut Customer) {
    firm.payroll += i64::from(firm.staff_elsewhere) * 5_000_00;
    firm.income = firm.income.max(firm.payroll * 3);
    firm.balance[0] += firm.payroll * 2;
}

fn shop(customer: &mut Customer, chance: &mut Chance) {
    customer.life = Life::Shop;
    customer.industry = chance.pick(&SHOPS).0;
    customer.income = chance.spread(28_000_00, 1400);
    customer.balance[0] = customer.income;
    customer.activity = u32::try_from(chance.spread(18, 1000).min(300) * 65_536 / 30).unwrap_or(0);
    // Shops are mostly known as such.
    if chance.per_mille(800) {
        customer.agreement = Some((AgreementKind::Acquiring, 0));
    }
}
