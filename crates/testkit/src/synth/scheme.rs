//! A scheme as it runs: people pay in, returns are paid out of what comes in, the rest goes to few places.
//!
//! Nothing here knows how anything is detected: no window, no threshold, no feature. The plan says what is done, the seed to whom; an investor
//! costs a few words, so a scheme's memory is its people.

use chrono::Datelike as _;
use weir_model::{Channel, Day, PartyKind};

use super::chance::{Chance, mix};
use super::extras;
use super::guise::{self, Guise};
use super::institutions::{BROKERS, CAR_SELLERS, DEVELOPERS, one_of};
use super::label::{Part, Role, Verdict};
use super::life::{moment, office_hour, payment_institution};
use super::movement::{Memo, Movement, PartId, Who, firm, stranger};
use super::plan::{Payout, Plan};
use super::today::Today;
use super::world::{Customer, World, blank};

/// Somebody who has paid in.
#[derive(Debug, Clone, Copy)]
struct Investor {
    /// How many joined before.
    number: u64,
    who: Who,
    principal: i64,
    joined: Day,
    until: Day,
    /// Pays to accounts at this bank.
    is_visible: bool,
    /// Has been seen there by name.
    is_named: bool,
}

/// A part of a sum that is paid in instalments.
#[derive(Debug, Clone, Copy)]
struct Owed {
    /// Number of the investor.
    number: u64,
    fen: i64,
    day: Day,
}

/// What a scheme has come to.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// People who have paid in, anywhere.
    pub payers: u64,
    /// People seen to pay in at this bank, each once.
    pub visible_payers: u64,
    /// Fen paid in anywhere.
    pub principal: i64,
    /// Fen paid in to accounts at this bank.
    pub visible_principal: i64,
    /// First payment in at this bank.
    pub first: Option<Day>,
    /// The 30th, 100th and 150th visible payer.
    pub payers_at: [Option<Day>; 3],
    /// A million yuan at this bank.
    pub million_at: Option<Day>,
    /// By day, what was paid in anywhere: 30 % of it is known only at the end.
    paid: Vec<(Day, i64)>,
}

impl Outcome {
    /// The day on which so many parts of a thousand of all that was ever paid in had been.
    #[must_use]
    pub fn reached(&self, per_mille: i64) -> Option<Day> {
        let mut sum = 0;
        self.paid.iter().find_map(|(day, fen)| {
            sum += fen;
            (sum * 1000 >= self.principal * per_mille).then_some(*day)
        })
    }
}

/// A scheme.
#[derive(Debug, Clone)]
pub struct Scheme {
    /// How it is meant to run.
    pub plan: Plan,
    /// What it has come to.
    pub outcome: Outcome,
    /// Its number among the parts.
    pub part: PartId,
    seed: u64,
    collectors: Vec<u32>,
    pool: u32,
    payer: u32,
    agents: Vec<Who>,
    /// By number.
    investors: Vec<Investor>,
    joined: i64,
    owed: Vec<Owed>,
    /// On each collector's account, fen.
    held: Vec<i64>,
    pooled: i64,
    /// To be settled by acquirers tomorrow, to each collector.
    settling: Vec<i64>,
    /// Paid in since agents were last paid.
    fresh: i64,
    /// Customers of the bank among those who have paid in.
    payers: Vec<u32>,
}

/// Most collecting accounts of a scheme in which they take turns; then the first has its turn again.
const TURNS_MAX: i64 = 16;

const MARKS: [u64; 3] = [30, 100, 150];

impl Scheme {
    /// Draws a scheme and adds the accounts that it needs until the bank's `last` day to the town.
    pub(super) fn found(world: &mut World, plan: Plan, seed: u64, last: Day, parts: &mut Vec<Part>) -> Self {
        let mut chance = Chance::of(seed, 0);
        let mut members = Vec::new();
        // Opened shortly or long before the day it is needed on.
        let mut member = |world: &mut World, kind: PartyKind, role: Role, needed: Day, chance: &mut Chance| {
            let age = if chance.per_mille(600) { chance.between(5, 90) } else { chance.between(90, 2500) };
            let industry = if kind == PartyKind::Natural { "" } else { plan.theme.industry() };
            let own = mix(chance.draw());
            let opened = needed.plus(-(age as i32) - guise::standing(&plan, own));
            let number = world.add(Customer { industry, ..blank(own, kind, opened) });
            members.push((number, role));
            number
        };
        let kind = if plan.firms { PartyKind::Organisation } else { PartyKind::Natural };
        let begin = plan.span.0;
        // Where they take turns there is a new one for each turn.
        let days = i64::from(plan.span.1.min(last).0 - begin.0).max(0);
        let count = days.checked_div(plan.rotate).map_or(plan.collectors.max(1), |turns| (turns + 1).min(TURNS_MAX));
        let collectors = (0..count).map(|turn| {
            let needed = begin.plus((turn * plan.rotate) as i32);
            member(world, kind, Role::Collector, needed, &mut chance)
        });
        let collectors: Vec<u32> = collectors.collect();
        let pool = if plan.has_pool { member(world, PartyKind::Natural, Role::Pool, begin, &mut chance) } else { collectors[0] };
        let payer =
            if plan.has_payer && plan.pays_here { member(world, PartyKind::Natural, Role::Payout, begin, &mut chance) } else { pool };
        if let Some(kind) = guise::agreement(&plan) {
            collectors.iter().for_each(|number| world.customers[*number as usize].agreement = Some((kind, 0)));
        }
        if plan.own_life > 0 {
            members.iter().for_each(|(number, _)| world.enliven(*number, plan.own_life, begin.year()));
        }
        if plan.is_known {
            world.relate(&members.iter().map(|(number, _)| *number).collect::<Vec<_>>());
        }
        extras::hand_over(world, seed, members.iter().map(|(number, _)| *number));
        let agents = (0..plan.agents.max(1)).map(|which| {
            let number = mix(seed ^ (0xa6e + which.unsigned_abs()));
            if number % 5 < 2 { Who::Own(world.person(number), 0) } else { stranger(number) }
        });
        let agents: Vec<Who> = agents.collect();
        members.extend(agents.iter().filter_map(|agent| match agent {
            Who::Own(number, _) => Some((*number, Role::Agent)),
            _ => None,
        }));
        parts.push(Part { verdict: Verdict::Scheme, family: plan.theme.name(), span: plan.span, members });
        let held = vec![0; collectors.len()];
        Self {
            plan,
            outcome: Outcome::default(),
            part: parts.len() as u32,
            seed,
            settling: held.clone(),
            held,
            collectors,
            pool,
            payer,
            agents,
            investors: Vec::new(),
            joined: 0,
            owed: Vec::new(),
            pooled: 0,
            fresh: 0,
            payers: Vec::new(),
        }
    }

    /// Customers of the bank who have paid in so far.
    #[must_use]
    pub fn payers(&self) -> &[u32] {
        &self.payers
    }

    /// What somebody is in a movement of the scheme; nothing who is merely dealt with: buyers and suppliers of its business, brokers, acquirers.
    pub(super) fn role_of(&self, who: Who, memo: Memo) -> Option<Role> {
        match who {
            Who::Own(number, _) if self.collectors.contains(&number) => Some(Role::Collector),
            Who::Own(number, _) if number == self.pool => Some(Role::Pool),
            Who::Own(number, _) if number == self.payer => Some(Role::Payout),
            _ if memo == Memo::Goods => None,
            _ if memo == Memo::Commission => Some(Role::Agent),
            Who::Outside(PartyKind::Natural, _) if self.is_organiser(who) => Some(Role::Organiser),
            Who::Own(..) | Who::Outside(PartyKind::Natural, _) => Some(Role::Payer),
            _ => None,
        }
    }

    /// Whether it is the organiser's own account elsewhere.
    fn is_organiser(&self, who: Who) -> bool {
        who == self.organiser() || (0..self.plan.outlets.max(1).unsigned_abs()).any(|outlet| self.outlet(outlet).0 == who)
    }

    /// The organiser, who tries the first account out.
    const fn organiser(&self) -> Who {
        stranger(mix(self.seed ^ 1))
    }

    /// A day.
    pub(super) fn run(&mut self, world: &World, today: &Today, out: &mut Vec<Movement>) {
        let mut chance = Chance::of(self.seed, u64::from(today.day.0.unsigned_abs()));
        let from_start = today.day.0 - self.plan.span.0.0;
        let to_end = self.plan.span.1.0 - today.day.0;
        if self.plan.trial && from_start == -5 {
            let (organiser, me) = (self.organiser(), Who::Own(self.collectors[0], 0));
            let at = office_hour(today, &mut chance);
            self.put(at, 1_00, (organiser, me), Channel::Mobile, Memo::Transfer, out);
            self.put(at + 600, 1_00, (me, organiser), Channel::Mobile, Memo::Transfer, out);
        }
        if from_start < 0 || to_end < -90 {
            return;
        }
        self.settle_cards(today, &mut chance, out);
        if to_end >= 0 {
            self.take_in(world, today, from_start, &mut chance, out);
            self.do_business(today, &mut chance, out);
            self.pay_out(today, &mut chance, out);
            if from_start % 15 == 14 {
                self.pay_agents(today, &mut chance, out);
            }
        } else {
            self.wind_down(today, -to_end, &mut chance, out);
        }
        if i64::from(from_start) % self.plan.sweep.max(1) == 0 || to_end == 0 {
            self.sweep(today, &mut chance, out);
        }
    }

    fn put(&self, at: i64, fen: i64, (payer, payee): (Who, Who), channel: Channel, memo: Memo, out: &mut Vec<Movement>) {
        if fen > 0 && payer != payee {
            out.push(Movement::new(at, fen, payer, payee, channel, memo).part(self.part).certain());
        }
    }

    /// The collector whose turn it is, by its place.
    fn turn(&self, from_start: i32, which: u64) -> usize {
        let count = self.collectors.len() as u64;
        let turn = match self.plan.rotate {
            0 => which,
            days => u64::from(from_start.unsigned_abs()) / days.unsigned_abs(),
        };
        (turn % count) as usize
    }

    /// How many have joined by a day: an S over the scheme's life.
    fn wanted(&self, from_start: i32) -> i64 {
        let life = i64::from(self.plan.span.1.0 - self.plan.span.0.0).max(1);
        let t = (i64::from(from_start + 1) * 1024 / life).clamp(0, 1024);
        self.plan.investors * (t * t * (3072 - 2 * t)) / (1 << 30)
    }

    fn take_in(&mut self, world: &World, today: &Today, from_start: i32, chance: &mut Chance, out: &mut Vec<Movement>) {
        self.take_owed(today, from_start, out);
        // Nobody comes on one day in three; on the next there are more.
        if from_start > 0 && chance.per_mille(330) {
            return;
        }
        while self.joined < self.wanted(from_start) {
            let which = self.joined.unsigned_abs();
            self.joined += 1;
            let mut investor = self.investor(world, which, today.day, chance);
            self.outcome.payers += 1;
            if let Who::Own(number, _) = investor.who {
                self.payers.push(number);
            }
            let fen = self.first_of(which, investor.principal, today.day);
            investor.principal = self.pay_in(&mut investor, fen, today, from_start, chance, out);
            self.investors.push(investor);
        }
        for at in 0..self.investors.len() {
            if chance.below(30_400) < self.plan.top_up.unsigned_abs() {
                let mut investor = self.investors[at];
                let sum = self.amount(chance, false);
                let fen = self.first_of(investor.number, sum, today.day);
                let paid = self.pay_in(&mut investor, fen, today, from_start, chance, out);
                self.investors[at] = Investor { principal: investor.principal + paid, ..investor };
            }
        }
    }

    /// What of a sum is paid today: all of it, or the first of its instalments, of whole hundreds but for this one. Others follow every one to three days.
    fn first_of(&mut self, number: u64, sum: i64, day: Day) -> i64 {
        let count = self.plan.instalments.max(1);
        let part = sum / count / 100_00 * 100_00;
        if part == 0 {
            return sum;
        }
        let gap = 1 + (mix(self.seed ^ mix(number ^ 0x6a9)) % 3) as i32;
        self.owed.extend((1..count as i32).map(|which| Owed { number, fen: part, day: day.plus(which * gap) }));
        sum - part * (count - 1)
    }

    /// Takes the instalments that fall due. Who has had the principal back owes none.
    fn take_owed(&mut self, today: &Today, from_start: i32, out: &mut Vec<Movement>) {
        let mut chance = Chance::of(self.seed ^ 0x0ed, u64::from(today.day.0.unsigned_abs()));
        let (due, later): (Vec<Owed>, Vec<Owed>) = std::mem::take(&mut self.owed).into_iter().partition(|owed| owed.day <= today.day);
        self.owed = later;
        for Owed { number, fen, .. } in due {
            if let Ok(at) = self.investors.binary_search_by_key(&number, |investor| investor.number) {
                let mut investor = self.investors[at];
                let paid = self.pay_in(&mut investor, fen, today, from_start, &mut chance, out);
                self.investors[at] = Investor { principal: investor.principal + paid, ..investor };
            }
        }
    }

    fn investor(&self, world: &World, which: u64, day: Day, chance: &mut Chance) -> Investor {
        let is_senior = chance.per_mille(self.plan.seniors as u32);
        let is_visible = chance.per_mille(self.plan.visible as u32);
        let number = mix(self.seed ^ mix(0x1a7e + which));
        let who = if chance.per_mille(self.plan.customers as u32) {
            // Seniors are looked for among the older customers.
            let mut found = world.person(number);
            for again in 0..8 {
                if is_senior == (world.customers[found as usize].birth_year < 1964) {
                    break;
                }
                found = world.person(number ^ again);
            }
            Who::Own(found, 0)
        } else {
            stranger(number)
        };
        let principal = self.amount(chance, is_senior);
        let until = day.plus_months(self.plan.term.max(1) as u32);
        Investor { number: which, who, principal, joined: day, until, is_visible, is_named: false }
    }

    fn amount(&self, chance: &mut Chance, is_senior: bool) -> i64 {
        let median = if is_senior { self.plan.pay_in * chance.between(2, 4) } else { self.plan.pay_in };
        let fen = chance.spread(median, 700).max(1_000_00);
        if chance.per_mille(self.plan.odd as u32) {
            return fen / 10 * 10;
        }
        let unit = if fen >= 100_000_00 {
            10_000_00
        } else if fen >= 20_000_00 {
            5_000_00
        } else {
            1_000_00
        };
        (fen / unit).max(1) * unit
    }

    /// Somebody pays this in, or what a disguise makes of it: says how much that was.
    fn pay_in(
        &mut self,
        investor: &mut Investor,
        fen: i64,
        today: &Today,
        from_start: i32,
        chance: &mut Chance,
        out: &mut Vec<Movement>,
    ) -> i64 {
        let mut guise = Guise::of(&self.plan, self.seed, investor.number, today.day);
        let fen = guise.as_mut().map_or(fen, |guise| guise.price(fen));
        self.outcome.principal += fen;
        match self.outcome.paid.last_mut() {
            Some((day, sum)) if *day == today.day => *sum += fen,
            _ => self.outcome.paid.push((today.day, fen)),
        }
        self.fresh += fen;
        if !investor.is_visible {
            return fen;
        }
        let place = self.turn(from_start, chance.draw());
        let collector = Who::Own(self.collectors[place], 0);
        let at = moment(today, chance);
        let memo = if chance.per_mille(400) { self.plan.theme.memo_in() } else { Memo::None };
        let bits = chance.below(1000) as i64;
        let is_named = if bits < self.plan.acquired {
            self.settling[place] += fen;
            false
        } else if bits < self.plan.acquired + self.plan.cash * (1000 - self.plan.acquired) / 1000 {
            let counter = (today.midnight + 10 * 3600 + bits * 20, Channel::Counter, memo);
            let (at, channel, memo) = guise.map_or(counter, |_| (at, Channel::Atm, Memo::CashIn));
            self.put(at, fen, (Who::Nobody, collector), channel, memo, out);
            false
        } else {
            let channel = *chance.pick(&[Channel::Mobile, Channel::Mobile, Channel::Online, Channel::Counter]);
            let (channel, memo) = guise.as_mut().map_or((channel, memo), Guise::paid_in);
            self.put(at, fen, (investor.who, collector), channel, memo, out);
            true
        };
        if bits >= self.plan.acquired {
            self.held[place] += fen;
        }
        let outcome = &mut self.outcome;
        outcome.first.get_or_insert(today.day);
        outcome.visible_principal += fen;
        if outcome.visible_principal >= 1_000_000_00 {
            outcome.million_at.get_or_insert(today.day);
        }
        if is_named && !std::mem::replace(&mut investor.is_named, true) {
            outcome.visible_payers += 1;
            for (mark, day) in MARKS.iter().zip(&mut outcome.payers_at) {
                if outcome.visible_payers >= *mark {
                    day.get_or_insert(today.day);
                }
            }
        }
        fen
    }

    fn settle_cards(&mut self, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
        for place in 0..self.settling.len() {
            let fen = std::mem::take(&mut self.settling[place]);
            let at = today.midnight + 6 * 3600 + chance.below(3600) as i64;
            let collector = Who::Own(self.collectors[place], 0);
            self.put(at, fen * 994 / 1000, (payment_institution(self.seed), collector), Channel::Batch, Memo::Settlement, out);
            self.held[place] += fen * 994 / 1000;
        }
    }

    /// What a real business does beside it.
    fn do_business(&mut self, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
        if self.plan.business == 0 || !today.is_working {
            return;
        }
        let daily = self.plan.investors * self.plan.pay_in / 400 * self.plan.business / 1000;
        let me = Who::Own(self.collectors[0], 0);
        for _ in 0..3 {
            let partner = mix(self.seed ^ (0x700 + chance.below(20)));
            let buyer = if partner.is_multiple_of(3) { stranger(partner) } else { firm(partner) };
            let fen = chance.spread(daily / 3 + 100_00, 900);
            self.put(office_hour(today, chance), fen, (buyer, me), Channel::Online, Memo::Goods, out);
            let supplier = firm(mix(self.seed ^ (0x800 + chance.below(6))));
            let fen = chance.spread(daily / 3 + 80_00, 900);
            self.put(office_hour(today, chance), fen, (me, supplier), Channel::Online, Memo::Goods, out);
        }
    }

    /// What is due to an investor today, fen.
    fn due(&self, investor: &Investor, today: &Today) -> i64 {
        let days = i64::from(today.day.0 - investor.joined.0);
        let monthly = investor.principal * self.plan.rate / 10_000;
        let facts = mix(self.seed ^ mix(investor.number ^ 0xd0e));
        let dom = 1 + (self.seed >> 8) as u8 % 28;
        match self.plan.payout {
            Payout::Monthly if days > 15 && today.pays(dom) => monthly,
            Payout::Quarterly if days > 15 && today.month % 3 == (self.seed % 3) as u32 && today.pays(dom) => monthly * days.min(91) / 30,
            Payout::Anniversary if days > 20 => {
                let moved = mix(facts ^ today.month_number().unsigned_abs()) % (self.plan.jitter.unsigned_abs() + 1);
                let own = (u64::from(investor.joined.date().day()) + moved) % 28 + 1;
                if today.collects(own as u8) { monthly } else { 0 }
            }
            Payout::TenDays if days > 0 && days % 10 == 0 => monthly / 3,
            Payout::Weekly if days > 3 && today.day.0.rem_euclid(7) == (self.seed % 5) as i32 => monthly * 7 / 30,
            Payout::Daily if days > 0 => monthly / 30,
            Payout::Prepaid if days == 1 + (facts % 3) as i64 => monthly * self.plan.term,
            Payout::Maturity if today.day == investor.until => monthly * self.plan.term,
            _ => 0,
        }
    }

    fn pay_out(&mut self, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
        let memo = if self.plan.as_wages { Memo::Wages } else { self.plan.theme.memo_out() };
        let mut payments = Vec::new();
        let mut sum = 0;
        for at in 0..self.investors.len() {
            let investor = self.investors[at];
            let mut fen = self.due(&investor, today);
            if fen > 0 && self.plan.wobble > 0 {
                fen = fen * (1000 + chance.between(-self.plan.wobble, self.plan.wobble)) / 1000;
            }
            if fen > 0 {
                payments.push((investor.who, fen, self.returned(&investor, memo, today)));
                sum += fen;
            }
            if today.day == investor.until {
                if chance.per_mille(self.plan.reinvest as u32) {
                    self.investors[at].until = today.day.plus_months(self.plan.term.max(1) as u32);
                } else {
                    payments.push((investor.who, investor.principal, self.returned(&investor, Memo::Principal, today)));
                    sum += investor.principal;
                    self.investors[at].principal = 0;
                }
            }
        }
        self.investors.retain(|investor| investor.principal > 0);
        if !self.plan.pays_here || payments.is_empty() {
            return;
        }
        let me = Who::Own(self.payer, 0);
        if self.payer != self.pool {
            self.put(today.midnight + 9 * 3600, sum, (Who::Own(self.pool, 0), me), Channel::Online, Memo::Ink, out);
        }
        if self.pool == self.collectors[0] {
            self.held[0] -= sum;
        } else {
            self.pooled -= sum;
        }
        let begin = today.midnight + 10 * 3600 + chance.below(20_000) as i64;
        for (place, (who, fen, (channel, memo))) in payments.into_iter().enumerate() {
            self.put(begin + place as i64 * 3, fen, (me, who), channel, memo, out);
        }
    }

    /// Channel and memo of what somebody gets back, whose own memo would be this one.
    fn returned(&self, investor: &Investor, memo: Memo, today: &Today) -> (Channel, Memo) {
        if self.plan.as_wages { (Channel::Batch, memo) } else { self.paid_singly(investor, memo, today) }
    }

    /// The same of what is not in a batch of wages.
    fn paid_singly(&self, investor: &Investor, memo: Memo, today: &Today) -> (Channel, Memo) {
        Guise::of(&self.plan, self.seed, investor.number, today.day).map_or((Channel::Online, memo), |mut guise| guise.paid_back())
    }

    fn pay_agents(&mut self, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
        let sum = std::mem::take(&mut self.fresh) * self.plan.visible / 1000 * self.plan.commission / 1000;
        let count = self.agents.len() as i64;
        for at in 0..self.agents.len() {
            let fen = sum / count * chance.between(60, 140) / 100;
            let agent = self.agents[at];
            self.put(office_hour(today, chance), fen, (Who::Own(self.pool, 0), agent), Channel::Mobile, Memo::Commission, out);
            self.pooled -= fen;
        }
    }

    /// Moves what was collected on: to the pool, and from there to the places where it ends.
    fn sweep(&mut self, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
        let at = today.midnight + 19 * 3600 + chance.below(3600) as i64;
        let pool = Who::Own(self.pool, 0);
        for place in 0..self.collectors.len() {
            let from = self.collectors[place];
            if from == self.pool {
                self.pooled += std::mem::take(&mut self.held[place]);
                continue;
            }
            let fen = self.held[place].max(0) * (1000 - self.plan.keep / 4) / 1000;
            self.held[place] -= fen;
            self.pooled += fen;
            self.put(at + place as i64, fen, (Who::Own(from, 0), pool), Channel::Online, Memo::Ink, out);
        }
        let mut leaving = self.pooled.max(0) * (1000 - self.plan.keep) / 1000;
        self.pooled -= leaving;
        let cash = (leaving * self.plan.drawn / 1000 / 10_000_00).min(20) * 10_000_00;
        self.put(at + 60, cash, (pool, Who::Nobody), Channel::Counter, Memo::CashOut, out);
        leaving -= cash;
        // The first place gets most of it: halves, down to the last one. Or each gets the same.
        let outlets = self.plan.outlets.max(1).unsigned_abs();
        for outlet in 0..outlets {
            let fen = match outlets - outlet {
                1 => leaving,
                left if self.plan.even => leaving / left as i64,
                _ => leaving * chance.between(35, 65) / 100,
            };
            leaving -= fen;
            let (place, memo) = self.outlet(outlet);
            self.put(at + 120 + outlet as i64, fen, (pool, place), Channel::Online, memo, out);
        }
    }

    /// Where money ends: the organiser's account elsewhere, property, cars, securities.
    fn outlet(&self, which: u64) -> (Who, Memo) {
        let number = mix(self.seed ^ (0x0074 + which));
        let any = number >> 8;
        match number % 8 {
            0 | 1 => (stranger(number), Memo::Ink),
            2 => (one_of(&BROKERS, any), Memo::Securities),
            3 => (one_of(&DEVELOPERS, any), Memo::HousePrice),
            4 => (one_of(&CAR_SELLERS, any), Memo::CarPrice),
            _ => (firm(number), Memo::Ink),
        }
    }

    fn wind_down(&mut self, today: &Today, since: i32, chance: &mut Chance, out: &mut Vec<Movement>) {
        if self.plan.repaid == 0 || !self.plan.pays_here || since > 60 {
            return;
        }
        for investor in &self.investors {
            if (mix(self.seed ^ investor.number) % 60) as i32 + 1 == since {
                let fen = investor.principal * self.plan.repaid / 1000;
                let (channel, memo) = self.paid_singly(investor, Memo::Principal, today);
                self.put(office_hour(today, chance), fen, (Who::Own(self.payer, 0), investor.who), channel, memo, out);
            }
        }
    }
}
