//! Look-alikes: what is not illegal fundraising and looks like it, each family with its own label.
//!
//! An instance turns around one customer of its own. What happens on a day follows from the instance's seed and the day, so an instance holds
//! no more than its facts. Which families there are: those that the notices and practice name as covers or false alarms; what tells each
//! apart is written beside it, and no more of it than a bank could see.

use weir_model::{AgreementKind, Channel, Day, PartyKind};

use super::chance::{Chance, mix};
use super::institutions::FINANCE_BUREAU;
use super::label::{Part, Role, Verdict};
use super::life::{moment, office_hour, payment_institution};
use super::movement::{Memo, Movement, PartId, Who, firm, stranger};
use super::today::Today;
use super::world::{Customer, World, blank};

/// A family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// 劳务派遣: wages for many firms, concentrated in, payees never paid in.
    PayrollAgency,
    /// Wages by hand, no agreement with the bank.
    PayrollUnregistered,
    /// Scanned payments in odd amounts; suppliers; nothing back.
    MerchantQr,
    /// Tariff amounts by quarter, no payout.
    PropertyFees,
    /// Two terms a year, handed on at once.
    Tuition,
    /// Tenants and landlords are different people.
    LettingAgent,
    /// One to one back, once.
    Deposits,
    /// Licensed; claims of all sizes.
    InsuranceAgent,
    /// Supervised account; redemptions of all sizes.
    FundSales,
    /// Yearly dividend to members, harvests paid for.
    Cooperative,
    /// Givers never get anything.
    Charity,
    /// Organisations on both sides.
    SupplyChain,
    /// 团购 of neighbours: small, to one or two suppliers.
    GroupBuying,
    /// 礼金: one day.
    Wedding,
    /// 班费: twice a year, small.
    ClassFees,
    /// 征地补偿: from the treasury, to the whole village on a day.
    VillageCompensation,
    /// Wages of a crew through a private account.
    LabourContractor,
    /// Lumps of a platform.
    Livestreamer,
    /// Large payments of people, to the maker.
    CarDealer,
    /// Small sums to and fro among the same people.
    GameRoom,
    /// Few, large, once.
    LawyerEscrow,
    /// 会员卡: a campaign, then rent and staff.
    PrepaidCards,
    /// Subsidiaries' money up and down.
    CashPool,
    /// Supervised: buyers of flats, the builder.
    HomePresale,
    /// 标会.
    RotatingClub,
    /// 民间借贷.
    PrivateLending,
    /// 职工集资.
    StaffFinancing,
}

/// What is fixed for a family: how often, and who its centre is.
struct Make {
    kind: Kind,
    name: &'static str,
    verdict: Verdict,
    /// Instances at a time among 100,000 customers.
    dense: u64,
    centre: PartyKind,
    industry: &'static str,
    /// Agreement, and how many in a thousand have it.
    agreement: Option<(AgreementKind, u32)>,
    /// People around it, least and most.
    size: (i64, i64),
    /// Days it lasts at most; 0: as long as the bank.
    lasts: i32,
}

const fn make(kind: Kind, name: &'static str, dense: u64, centre: PartyKind, industry: &'static str, size: (i64, i64)) -> Make {
    Make { kind, name, verdict: Verdict::Benign, dense, centre, industry, agreement: None, size, lasts: 0 }
}

impl Make {
    const fn grey(mut self) -> Self {
        self.verdict = Verdict::Grey;
        self
    }

    const fn agreed(mut self, kind: AgreementKind, per_mille: u32) -> Self {
        self.agreement = Some((kind, per_mille));
        self
    }

    const fn lasts(mut self, days: i32) -> Self {
        self.lasts = days;
        self
    }
}

use AgreementKind as A;
use PartyKind::{Natural, Organisation, SoleTrader};

const MAKES: [Make; 27] = [
    make(Kind::PayrollAgency, "payroll_agency", 8, Organisation, "7264", (80, 500)).agreed(A::Payroll, 900),
    make(Kind::PayrollUnregistered, "payroll_unregistered", 12, Organisation, "4813", (15, 50)),
    make(Kind::MerchantQr, "merchant_qr", 60, SoleTrader, "5212", (300, 2000)).agreed(A::Acquiring, 850),
    make(Kind::PropertyFees, "property_fees", 25, Organisation, "7020", (200, 1500)).agreed(A::Collection, 700),
    make(Kind::Tuition, "tuition", 20, Organisation, "8336", (150, 1200)).agreed(A::Collection, 900),
    make(Kind::LettingAgent, "letting_agent", 15, Organisation, "7040", (30, 200)),
    make(Kind::Deposits, "deposits", 20, Organisation, "8870", (60, 300)).lasts(90),
    make(Kind::InsuranceAgent, "insurance_agent", 8, Organisation, "6850", (40, 300)).agreed(A::Licence, 950),
    make(Kind::FundSales, "fund_sales", 4, Organisation, "6720", (30, 200)).agreed(A::Supervised, 980),
    make(Kind::Cooperative, "cooperative", 10, Organisation, "0511", (60, 300)).agreed(A::Cooperative, 800),
    make(Kind::Charity, "charity", 3, Organisation, "9521", (300, 1500)).agreed(A::Charity, 950),
    make(Kind::SupplyChain, "supply_chain", 25, Organisation, "5191", (30, 80)),
    make(Kind::GroupBuying, "group_buying", 60, Natural, "", (30, 150)),
    make(Kind::Wedding, "wedding", 60, Natural, "", (60, 300)).lasts(30),
    make(Kind::ClassFees, "class_fees", 80, Natural, "", (38, 55)),
    make(Kind::VillageCompensation, "village_compensation", 10, Organisation, "9620", (60, 500)),
    make(Kind::LabourContractor, "labour_contractor", 30, Natural, "", (15, 70)),
    make(Kind::Livestreamer, "livestreamer", 15, Natural, "", (20, 100)),
    make(Kind::CarDealer, "car_dealer", 8, Organisation, "5261", (20, 60)).agreed(A::Acquiring, 800),
    make(Kind::GameRoom, "game_room", 15, Natural, "", (30, 100)),
    make(Kind::LawyerEscrow, "lawyer_escrow", 6, Organisation, "7231", (2, 8)).agreed(A::Supervised, 300),
    make(Kind::PrepaidCards, "prepaid_cards", 25, Organisation, "8930", (200, 900)).agreed(A::Acquiring, 800),
    make(Kind::CashPool, "cash_pool", 5, Organisation, "7211", (8, 20)),
    make(Kind::HomePresale, "home_presale", 3, Organisation, "7010", (50, 300)).agreed(A::Supervised, 980),
    make(Kind::RotatingClub, "rotating_club", 15, Natural, "", (15, 40)).grey(),
    make(Kind::PrivateLending, "private_lending", 20, Natural, "", (8, 22)).grey(),
    make(Kind::StaffFinancing, "staff_financing", 4, Organisation, "1392", (40, 150)).grey().lasts(400),
];

/// An instance of a family.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    kind: Kind,
    part: PartId,
    centre: u32,
    seed: u64,
    span: (Day, Day),
    size: u64,
}

/// Draws the instances of a bank of `customers` and adds their centres to the town. Parts are numbered from `parts.len()`.
pub(super) fn found(world: &mut World, days: (Day, Day), parts: &mut Vec<Part>) -> Vec<Family> {
    let mut families = Vec::new();
    for (which, make) in MAKES.iter().enumerate() {
        let mut chance = Chance::of(world.seed ^ 0xfa_311e5, which as u64);
        let length = days.1.0 - days.0.0 + 1;
        // Short ones follow each other, so that as many are alive at a time.
        let turns = if make.lasts == 0 { 1 } else { (length / make.lasts).max(1) };
        let wanted = u64::from(world.ordinary) * make.dense * turns.unsigned_abs() as u64;
        let count = wanted / 100_000 + u64::from(chance.below(100_000) < wanted % 100_000);
        for number in 0..count {
            families.push(found_one(world, make, mix(chance.draw() ^ number), days, parts));
        }
    }
    families
}

fn found_one(world: &mut World, make: &Make, seed: u64, days: (Day, Day), parts: &mut Vec<Part>) -> Family {
    let mut chance = Chance::of(seed, 0);
    let size = chance.between(make.size.0, make.size.1).unsigned_abs();
    let span = if make.lasts == 0 {
        days
    } else {
        let start = days.0.plus(chance.below((days.1.0 - days.0.0 + 1).unsigned_abs().into()) as i32);
        (start, start.plus(make.lasts).min(days.1))
    };
    let opened = days.0.plus(-chance.between(30, 4000) as i32);
    let mut customer = Customer { industry: make.industry, balance: [0, 0], ..blank(seed, make.centre, opened) };
    customer.agreement = make.agreement.filter(|(_, often)| chance.per_mille(*often)).map(|(kind, _)| {
        let people = if kind == A::Payroll { size as u32 * 12 / 10 + 5 } else { 0 };
        (kind, people)
    });
    if make.kind == Kind::StaffFinancing {
        customer.agreement = Some((A::Payroll, size as u32 * 12 / 10));
    }
    let is_firm = customer.kind != Natural;
    let centre = world.add(customer);
    // Some belong to a group: with another firm of the town, as a property manager does with its builder.
    if is_firm && !world.firms.is_empty() && chance.per_mille(150) {
        let other = world.firms[chance.below(world.firms.len() as u64) as usize];
        world.relate(&[centre, other]);
    }
    parts.push(Part { verdict: make.verdict, family: make.name, span, members: vec![(centre, Role::Centre)] });
    Family { kind: make.kind, part: parts.len() as u32, centre, seed, span, size }
}

/// A day of an instance being written out.
struct Scene<'a> {
    world: &'a World,
    family: &'a Family,
    today: &'a Today,
    chance: Chance,
    out: &'a mut Vec<Movement>,
}

/// A day of an instance.
pub(super) fn behave(world: &World, family: &Family, today: &Today, out: &mut Vec<Movement>) {
    if today.day < family.span.0 || today.day > family.span.1 {
        return;
    }
    let chance = Chance::of(family.seed, u64::from(today.day.0.unsigned_abs()));
    let mut scene = Scene { world, family, today, chance, out };
    match family.kind {
        Kind::PayrollAgency => scene.payroll(true),
        Kind::PayrollUnregistered => scene.payroll(false),
        Kind::MerchantQr => scene.merchant(),
        Kind::PropertyFees => scene.property(),
        Kind::Tuition => scene.tuition(),
        Kind::LettingAgent => scene.letting(),
        Kind::Deposits => scene.deposits(),
        Kind::InsuranceAgent => scene.insurance(),
        Kind::FundSales => scene.funds(),
        Kind::Cooperative => scene.cooperative(),
        Kind::Charity => scene.charity(),
        Kind::SupplyChain => scene.supply_chain(),
        Kind::GroupBuying => scene.group_buying(),
        Kind::Wedding => scene.wedding(),
        Kind::ClassFees => scene.class_fees(),
        Kind::VillageCompensation => scene.village(),
        Kind::LabourContractor => scene.contractor(),
        Kind::Livestreamer => scene.livestreamer(),
        Kind::CarDealer => scene.car_dealer(),
        Kind::GameRoom => scene.game_room(),
        Kind::LawyerEscrow => scene.escrow(),
        Kind::PrepaidCards => scene.prepaid_cards(),
        Kind::CashPool => scene.cash_pool(),
        Kind::HomePresale => scene.presale(),
        Kind::RotatingClub => scene.rotating_club(),
        Kind::PrivateLending => scene.private_lending(),
        Kind::StaffFinancing => scene.staff_financing(),
    }
}

impl Scene<'_> {
    fn me(&self) -> Who {
        Who::Own(self.family.centre, 0)
    }

    /// What person `which` of the family is in something: the same every day.
    fn facts(&self, which: u64, what: u64) -> u64 {
        mix(self.family.seed ^ mix(which ^ (what << 40)))
    }

    /// Person `which` of the family: two in five bank here.
    fn person(&self, which: u64) -> Who {
        let number = self.facts(which, 1);
        if number % 5 < 2 { Who::Own(self.world.person(number), 0) } else { stranger(number) }
    }

    fn firm(&self, which: u64) -> Who {
        firm(self.facts(which, 2))
    }

    fn day_of_span(&self) -> i32 {
        self.today.day.0 - self.family.span.0.0
    }

    fn put(&mut self, at: i64, fen: i64, payer: Who, payee: Who, channel: Channel, memo: Memo) {
        if payer == payee || fen <= 0 {
            return;
        }
        let movement = Movement::new(at, fen, payer, payee, channel, memo).part(self.family.part);
        let is_certain = payer == self.me() || !matches!(payer, Who::Own(..));
        self.out.push(if is_certain { movement.certain() } else { movement });
    }

    /// Somebody pays the centre at some time of the day.
    fn take(&mut self, payer: Who, fen: i64, channel: Channel, memo: Memo) {
        let at = moment(self.today, &mut self.chance);
        self.put(at, fen, payer, self.me(), channel, memo);
    }

    /// The centre pays somebody, in office hours.
    fn give(&mut self, payee: Who, fen: i64, channel: Channel, memo: Memo) {
        let at = office_hour(self.today, &mut self.chance);
        self.put(at, fen, self.me(), payee, channel, memo);
    }

    /// The centre pays many, one after the other, from ten o'clock.
    fn give_all(&mut self, count: u64, memo: Memo, mut fen: impl FnMut(&mut Self, u64) -> i64) {
        for which in 0..count {
            let fen = fen(self, which);
            let at = self.today.midnight + 10 * 3600 + which as i64;
            self.put(at, fen, self.me(), self.person(which), Channel::Batch, memo);
        }
    }

    /// Whether it is the family's own day of the month, from 1 to 28, moved behind days off.
    fn is_day(&self, what: u64) -> bool {
        self.today.collects(1 + (self.facts(0, what) % 28) as u8)
    }

    fn has_luck(&mut self, per_mille: u32) -> bool {
        self.chance.per_mille(per_mille)
    }

    fn payroll(&mut self, is_agency: bool) {
        let payday = 5 + (self.family.seed % 21) as u8;
        let size = self.family.size;
        let clients = if is_agency { 3 + size / 40 } else { 3 };
        if self.today.pays(payday) {
            for client in 0..clients {
                let fen = self.chance.spread(size as i64 * 5_600_00 / clients as i64, 60);
                let at = self.today.midnight + 9 * 3600 + client as i64 * 60;
                self.put(at, fen, self.firm(client), self.me(), Channel::Online, if is_agency { Memo::Labour } else { Memo::Goods });
            }
            self.give_all(size, Memo::Wages, |scene, which| {
                let base = 3_500_00 + (scene.facts(which, 3) % 3_500_00) as i64;
                base * scene.chance.between(92, 108) / 100
            });
        }
        if !is_agency && self.has_luck(200) {
            let supplier = self.chance.below(5) + 50;
            let fen = self.chance.spread(20_000_00, 900);
            self.give(self.firm(supplier), fen, Channel::Online, Memo::Goods);
        }
    }

    fn merchant(&mut self) {
        let guests = self.family.size / 15;
        let busy = self.chance.between(60, 140).unsigned_abs() * guests / 100;
        for _ in 0..busy {
            let guest = self.chance.below(self.family.size);
            let fen = self.chance.spread(31_00, 900).max(50);
            self.take(self.person(guest), fen, Channel::Qr, Memo::Shopping);
        }
        if self.has_luck(420) {
            let supplier = self.chance.below(4);
            let fen = self.chance.spread(guests as i64 * 60_00, 500);
            self.give(self.firm(supplier), fen, Channel::Mobile, Memo::Goods);
        }
    }

    fn property(&mut self) {
        // A quarter's fee, by the size of the flat, in the first two months of the quarter.
        for owner in 0..self.family.size {
            let day = (self.facts(owner, 4) % 60) as i32;
            if (self.today.day.0 - day).rem_euclid(91) == 0 {
                let fen = (60 + (self.facts(owner, 5) % 80) as i64) * 3 * 2_20;
                self.take(self.person(owner), fen, Channel::Mobile, Memo::Property);
            }
        }
        if self.is_day(6) {
            for supplier in 0..5 {
                let fen = self.chance.spread(self.family.size as i64 * 45_00, 300);
                self.give(self.firm(supplier), fen, Channel::Online, Memo::Goods);
            }
            self.give_all((self.family.size / 60).min(25), Memo::Wages, |scene, which| {
                (2_800_00 + (scene.facts(which + 5000, 3) % 1_500_00) as i64) * scene.chance.between(96, 104) / 100
            });
        }
    }

    fn tuition(&mut self) {
        if !matches!(self.today.month, 2 | 3 | 9) {
            return;
        }
        let tariff = [1_850_00, 2_400_00, 3_600_00, 5_800_00];
        let (year, dom) = (self.today.day.year(), self.today.dom);
        if self.today.month != 3 && (10..=27).contains(&dom) || self.today.month == 9 && dom < 10 {
            for pupil in 0..self.family.size {
                let day = 1 + (self.facts(pupil, year.unsigned_abs().into()) % 27) as u32;
                if day == dom {
                    let fen = tariff[(self.family.seed % 2 + self.facts(pupil, 7) % 3) as usize];
                    self.take(self.person(pupil), fen, Channel::Online, Memo::Tuition);
                }
            }
        }
        if self.today.collects(28) || self.today.collects(16) && self.today.month != 3 {
            let fen = self.family.size as i64 * 900_00;
            self.give(self.firm(0), fen, Channel::Online, Memo::Tuition);
        }
    }

    fn letting(&mut self) {
        let tenants = self.family.size;
        for tenant in 0..tenants {
            if self.today.collects(1 + (self.facts(tenant, 8) % 28) as u8) {
                let fen = 800_00 + (self.facts(tenant, 9) % 25) as i64 * 100_00;
                self.take(self.person(tenant), fen, Channel::Mobile, Memo::Rent);
            }
        }
        for landlord in 0..tenants * 3 / 5 {
            let bits = self.facts(landlord, 10);
            let is_quarter = bits.is_multiple_of(3) || self.today.month_number() % 3 == (bits % 3) as i64;
            if is_quarter && self.today.collects(1 + (bits >> 8) as u8 % 28) {
                let months = if bits.is_multiple_of(3) { 1 } else { 3 };
                let fen = (700_00 + (bits >> 16) as i64 % 22 * 100_00) * months;
                self.give(self.person(landlord + 100_000), fen, Channel::Online, Memo::Rent);
            }
        }
    }

    fn deposits(&mut self) {
        let day = self.day_of_span();
        let fen = 500_00 * (1 + (self.family.seed % 6) as i64);
        for guest in 0..self.family.size {
            if (self.facts(guest, 11) % 12) as i32 == day {
                self.take(self.person(guest), fen, Channel::Qr, Memo::Deposit);
            }
            if (self.facts(guest, 12) % 10) as i32 + 35 == day {
                let kept = if self.facts(guest, 13).is_multiple_of(9) { fen / 5 } else { 0 };
                self.give(self.person(guest), fen - kept, Channel::Online, Memo::DepositBack);
            }
        }
        if day == 14 || day == 60 {
            self.give(self.firm(0), fen * self.family.size as i64 / 12, Channel::Online, Memo::Goods);
        }
    }

    fn insurance(&mut self) {
        let daily = self.family.size / 25;
        for _ in 0..daily {
            let client = self.chance.below(self.family.size * 12);
            let fen = self.chance.spread(1_900_00, 1200).max(50_00);
            self.take(self.person(client), fen, Channel::Online, Memo::Insurance);
            if self.has_luck(60) {
                let claimant = self.chance.below(self.family.size * 12);
                let fen = self.chance.spread(2_600_00, 2000).max(30_00);
                self.give(self.person(claimant), fen, Channel::Batch, Memo::Claim);
            }
        }
        if self.today.is_working && self.today.day.0 % 7 == 4 {
            self.give(self.firm(0), daily as i64 * 7 * 2_300_00, Channel::Online, Memo::Insurance);
        }
    }

    fn funds(&mut self) {
        let day = self.today.day.0.rem_euclid(60);
        if self.today.is_working && day < 12 {
            for _ in 0..self.family.size / 8 {
                let client = self.chance.below(self.family.size * 3);
                let fen = self.chance.spread(40_000_00, 1300) / 1_000_00 * 1_000_00 + 1_000_00;
                self.take(self.person(client), fen, Channel::Online, Memo::Subscription);
            }
            if day > 0 {
                let fen = self.family.size as i64 / 8 * 62_000_00;
                self.give(self.firm(0), fen, Channel::Online, Memo::Subscription);
            }
        }
        if self.today.is_working && self.has_luck(600) {
            for _ in 0..self.family.size / 20 {
                let client = self.chance.below(self.family.size * 3);
                let fen = self.chance.spread(38_000_00, 1400).max(100_00);
                self.give(self.person(client), fen, Channel::Batch, Memo::WealthBack);
            }
        }
    }

    fn cooperative(&mut self) {
        let year = self.today.day.year().unsigned_abs().into();
        for member in 0..self.family.size {
            let bits = self.facts(member, year);
            if self.today.month == 1 + (bits % 2) as u32 && self.today.collects(1 + (bits >> 8) as u8 % 28) {
                self.take(self.person(member), 500_00 * (1 + (self.facts(member, 14) % 10) as i64), Channel::Counter, Memo::Share);
            }
            if matches!(self.today.month, 10 | 11) && self.today.collects(1 + (bits >> 16) as u8 % 28) {
                let fen = self.chance.spread(9_000_00, 800);
                self.give(self.person(member), fen, Channel::Online, Memo::Goods);
            }
        }
        if self.today.month == 1 && self.today.collects(18) {
            let size = self.family.size;
            self.give_all(size, Memo::Dividend, |scene, which| 30_00 * (1 + (scene.facts(which, 14) % 10) as i64));
        }
        if self.is_day(15) {
            let fen = self.chance.spread(self.family.size as i64 * 900_00, 500);
            self.take(self.firm(1), fen, Channel::Online, Memo::Goods);
            let fen = self.chance.spread(self.family.size as i64 * 200_00, 500);
            self.give(self.firm(2), fen, Channel::Online, Memo::Goods);
        }
    }

    fn charity(&mut self) {
        let campaign = self.today.day.0.rem_euclid(45);
        let gifts = if campaign < 10 { self.family.size / 12 } else { self.family.size / 200 };
        for _ in 0..gifts {
            let giver = self.chance.below(self.family.size * 2);
            let fen = *self.chance.pick(&[10_00, 20_00, 50_00, 50_00, 100_00, 100_00, 200_00, 500_00, 1_000_00]);
            self.take(self.person(giver), fen, Channel::Qr, Memo::Donation);
        }
        if campaign == 20 {
            for project in 0..3 {
                self.give(self.firm(project), self.family.size as i64 * 30_00, Channel::Online, Memo::Aid);
            }
        }
    }

    fn supply_chain(&mut self) {
        if !self.today.is_working {
            return;
        }
        for _ in 0..self.family.size / 12 {
            let partner = self.chance.below(self.family.size);
            let fen = self.chance.spread(60_000_00, 1200);
            self.take(self.firm(partner), fen, Channel::Online, Memo::Goods);
            let partner = self.chance.below(self.family.size / 2) + 1000;
            let fen = self.chance.spread(56_000_00, 1200);
            self.give(self.firm(partner), fen, Channel::Online, Memo::Goods);
        }
    }

    fn group_buying(&mut self) {
        if self.today.day.0 % 7 != (self.family.seed % 7) as i32 && self.today.day.0 % 7 != (self.family.seed % 3) as i32 {
            return;
        }
        let mut sum = 0;
        for neighbour in 0..self.family.size {
            if self.has_luck(330) {
                let fen = self.chance.spread(48_00, 900).max(3_00);
                sum += fen;
                self.take(self.person(neighbour), fen, Channel::Qr, Memo::GroupBuy);
            }
        }
        let supplier = self.chance.below(2);
        let at = self.today.midnight + 23 * 3600;
        self.put(at, sum * 94 / 100, self.me(), self.firm(supplier), Channel::Mobile, Memo::Goods);
    }

    fn wedding(&mut self) {
        match self.day_of_span() {
            10 => {
                for guest in 0..self.family.size {
                    let fen = *self.chance.pick(&[200_00, 300_00, 500_00, 500_00, 600_00, 800_00, 1_000_00, 2_000_00]);
                    self.take(self.person(guest), fen, Channel::Mobile, Memo::Gift);
                }
            }
            12 => self.give(self.firm(0), self.family.size as i64 * 330_00, Channel::Mobile, Memo::Shopping),
            13 => self.give(self.firm(1), self.family.size as i64 * 60_00, Channel::Mobile, Memo::Shopping),
            _ => {}
        }
    }

    fn class_fees(&mut self) {
        if !matches!(self.today.month, 3 | 9) {
            return;
        }
        let fen = 100_00 * (2 + (self.family.seed % 12) as i64);
        for pupil in 0..self.family.size {
            if self.today.dom == 8 + (self.facts(pupil, 16) % 3) as u32 {
                self.take(self.person(pupil), fen, Channel::Mobile, Memo::ClassFee);
            }
        }
        if matches!(self.today.dom, 14 | 20) {
            self.give(self.firm(u64::from(self.today.dom)), fen * self.family.size as i64 * 45 / 100, Channel::Mobile, Memo::Shopping);
        }
    }

    fn village(&mut self) {
        let day = (self.family.seed % 300) as i32 + 20;
        let size = self.family.size;
        if self.day_of_span() == day - 3 {
            self.take(FINANCE_BUREAU.who(), size as i64 * 46_000_00, Channel::Batch, Memo::Compensation);
        }
        if self.day_of_span() == day {
            self.give_all(size, Memo::Compensation, |scene, _| scene.chance.spread(40_000_00, 700).min(200_000_00));
        }
        if matches!(self.today.month, 6 | 12) && self.today.collects(12) {
            self.take(FINANCE_BUREAU.who(), size as i64 * 700_00, Channel::Batch, Memo::Subsidy);
            self.give_all(size, Memo::Subsidy, |scene, which| 300_00 + (scene.facts(which, 17) % 900_00) as i64);
        }
    }

    fn contractor(&mut self) {
        let size = self.family.size;
        let dom = 3 + (self.family.seed % 24) as u8;
        if self.today.collects(dom) && self.today.from_festival.abs() > 20 {
            self.take(self.firm(self.family.seed % 2), size as i64 * 6_900_00, Channel::Online, Memo::Project);
            let at = self.today.midnight + 18 * 3600;
            for worker in 0..size {
                // Crews change: a tenth is there in one month and not in the next.
                if self.has_luck(900) {
                    let fen = (4_200_00 + (self.facts(worker, 18) % 4_000_00) as i64) * self.chance.between(70, 115) / 100 / 10_00 * 10_00;
                    self.put(at + worker as i64 * 40, fen, self.me(), self.person(worker), Channel::Mobile, Memo::Labour);
                }
            }
        }
    }

    fn livestreamer(&mut self) {
        if self.today.day.0 % 7 == 2 {
            let fen = self.chance.spread(9_000_00, 1300);
            self.take(payment_institution(self.family.seed), fen, Channel::ThirdParty, Memo::Platform);
            self.give(self.firm(0), fen * 3 / 10, Channel::Mobile, Memo::Ink);
        }
        if self.has_luck(400) {
            let fan = self.chance.below(self.family.size);
            let fen = *self.chance.pick(&[52_00, 66_00, 88_00, 131_40, 520_00]);
            self.take(self.person(fan), fen, Channel::Mobile, Memo::RedPacket);
        }
    }

    fn car_dealer(&mut self) {
        let buyers = self.family.size as u32 * 1000 / 30;
        for _ in 0..2 {
            if self.has_luck(buyers / 2) {
                let buyer = self.chance.draw();
                let fen = self.chance.spread(110_000_00, 700) / 100_00 * 100_00;
                self.take(self.person(buyer), *self.chance.clone().pick(&[5_000_00, 10_000_00, 20_000_00]), Channel::Pos, Memo::CarPrice);
                self.take(self.person(buyer), fen.min(300_000_00), Channel::Online, Memo::CarPrice);
            }
        }
        if self.today.is_working && self.today.day.0 % 4 == 0 {
            let fen = self.chance.spread(self.family.size as i64 * 14_000_00, 250);
            self.give(self.firm(0), fen, Channel::Online, Memo::Goods);
        }
    }

    fn game_room(&mut self) {
        let rounds = self.chance.between(8, 30);
        for _ in 0..rounds {
            let guest = self.chance.below(self.family.size);
            let fen = self.chance.spread(110_00, 1100).max(5_00);
            let at = self.today.midnight + 13 * 3600 + self.chance.below(36_000) as i64;
            let (guest, me) = (self.person(guest), self.me());
            if self.has_luck(540) {
                self.put(at, fen, guest, me, Channel::Qr, Memo::Ticket);
            } else {
                self.put(at, fen, me, guest, Channel::Mobile, Memo::Prize);
            }
        }
    }

    fn escrow(&mut self) {
        if self.today.is_working && self.has_luck(25) {
            let client = self.chance.draw();
            let fen = self.chance.spread(180_000_00, 1200);
            self.take(self.person(client), fen, Channel::Online, Memo::Escrow);
        }
        if self.today.is_working && self.has_luck(25) {
            let client = self.chance.draw();
            let fen = self.chance.spread(170_000_00, 1200);
            self.give(self.person(client), fen, Channel::Online, Memo::Escrow);
        }
    }

    fn prepaid_cards(&mut self) {
        let opening = (self.family.seed % 200) as i32;
        let day = self.day_of_span();
        let busy = if (opening..opening + 60).contains(&day) {
            self.family.size / 60
        } else {
            self.family.size / 400 + u64::from(self.has_luck(300))
        };
        for _ in 0..busy {
            let member = self.chance.draw();
            let fen = *self.chance.pick(&[600_00, 1_280_00, 1_980_00, 2_680_00, 4_800_00]);
            self.take(self.person(member), fen, Channel::Pos, Memo::Card);
        }
        if self.is_day(19) {
            self.give(self.firm(0), self.family.size as i64 * 110_00, Channel::Online, Memo::Rent);
            self.give(self.firm(1), self.family.size as i64 * 60_00, Channel::Online, Memo::Goods);
            self.give_all((self.family.size / 45).min(14), Memo::Wages, |scene, which| {
                (3_300_00 + (scene.facts(which + 5000, 3) % 3_000_00) as i64) * scene.chance.between(90, 110) / 100
            });
        }
    }

    fn cash_pool(&mut self) {
        if !self.today.is_working {
            return;
        }
        for subsidiary in 0..self.family.size {
            let fen = self.chance.spread(120_000_00, 1500);
            self.take(self.firm(subsidiary), fen, Channel::Batch, Memo::Pool);
            if self.has_luck(200) {
                let fen = self.chance.spread(560_000_00, 1300);
                self.give(self.firm(subsidiary), fen, Channel::Online, Memo::Allocation);
            }
        }
    }

    fn presale(&mut self) {
        for buyer in 0..self.family.size {
            let day = (self.facts(buyer, 20) % 240) as i32;
            if self.day_of_span() == day {
                let fen = self.chance.spread(260_000_00, 500) / 10_000_00 * 10_000_00;
                self.take(self.person(buyer), fen, Channel::Counter, Memo::HousePrice);
            }
        }
        if self.is_day(21) && self.day_of_span() < 300 {
            self.give(self.firm(0), self.family.size as i64 * 24_000_00, Channel::Online, Memo::Project);
        }
    }

    fn rotating_club(&mut self) {
        let fen = 500_00 * (2 + (self.family.seed % 9) as i64);
        if !self.is_day(22) {
            return;
        }
        let size = self.family.size;
        let turn = self.today.month_number().unsigned_abs() % size;
        let mut sum = 0;
        for member in 0..size {
            if member != turn {
                // Who has had the pot pays it back in full; who has not pays less the bid.
                let fen = if member < turn { fen } else { fen * 92 / 100 };
                sum += fen;
                self.take(self.person(member), fen, Channel::Mobile, Memo::Meeting);
            }
        }
        let at = self.today.midnight + 23 * 3600 + 1800;
        self.put(at, sum, self.me(), self.person(turn), Channel::Mobile, Memo::Meeting);
    }

    fn private_lending(&mut self) {
        let day = self.day_of_span();
        for lender in 0..self.family.size {
            let bits = self.facts(lender, 23);
            let begins = (bits % 200) as i32;
            let fen = 10_000_00 * (3 + (bits >> 20) as i64 % 25);
            if begins == day {
                self.take(self.person(lender), fen, Channel::Online, Memo::Borrow);
            } else if day > begins && self.today.collects(1 + (bits >> 30) as u8 % 28) {
                self.give(self.person(lender), fen * (10 + (bits >> 40) as i64 % 6) / 1000, Channel::Mobile, Memo::LoanInterest);
            }
        }
        for borrower in 0..4 {
            let bits = self.facts(borrower, 24);
            let fen = 10_000_00 * (self.family.size as i64 * 3);
            if day == 40 + (bits % 150) as i32 {
                self.give(self.person(borrower + 500), fen, Channel::Online, Memo::Borrow);
            } else if day > 200 && self.today.collects(1 + (bits >> 30) as u8 % 28) {
                self.take(self.person(borrower + 500), fen * 2 / 100, Channel::Mobile, Memo::LoanInterest);
            }
        }
    }

    fn staff_financing(&mut self) {
        let day = self.day_of_span();
        let size = self.family.size;
        let principal = |scene: &Self, which: u64| 10_000_00 * (1 + (scene.facts(which, 25) % 8) as i64);
        for worker in 0..size {
            if day == 20 + (self.facts(worker, 26) % 20) as i32 {
                self.take(self.person(worker), principal(self, worker), Channel::Online, Memo::Borrow);
            }
        }
        if day == 45 {
            let fen = size as i64 * 38_000_00;
            self.give(self.firm(0), fen, Channel::Online, Memo::Goods);
        }
        if day > 60 && self.today.month.is_multiple_of(3) && self.today.pays(20) {
            self.give_all(size, Memo::Interest, |scene, which| principal(scene, which) * 18 / 1000);
        }
        if self.today.pays(10) {
            self.take(self.firm(1), size as i64 * 5_400_00, Channel::Online, Memo::Goods);
            self.give_all(size, Memo::Wages, |scene, which| {
                (3_500_00 + (scene.facts(which, 3) % 3_500_00) as i64) * scene.chance.between(94, 106) / 100
            });
        }
        if day == 390 {
            self.give_all(size, Memo::Principal, |scene, which| principal(scene, which));
        }
    }
}
