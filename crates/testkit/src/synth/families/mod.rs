//! Look-alikes: what is not illegal fundraising and looks like it, each family with its own label.
//!
//! An instance turns around one customer of its own. What happens on a day follows from the instance's seed and the day, so an instance holds
//! no more than its facts. Which families there are: those that the notices and practice name as covers or false alarms; what tells each
//! apart is written beside it, and no more of it than a bank could see. What families do stands in files by whose account is at the centre.
//!
//! A new family is a [`Kind`], a row at the end of [`MAKES`] (its place there is what its dice are thrown for) and a function that [`behave`] calls for each
//! of its days. Its centres are added to the town before the schemes', whose customers get other numbers: the bank is another one then, and
//! `the_generator_is_frozen` says so.

mod grey;
mod organisations;
mod persons;

use weir_model::{AgreementKind, Channel, Day, PartyKind};

use super::chance::{Chance, mix};
use super::label::{Part, Role, Verdict};
use super::life::{moment, office_hour};
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

/// How a family is made: how often it occurs, and who its centre is.
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

/// Every family.
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
}
