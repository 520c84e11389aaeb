//! Ordinary life: what a customer does on a day that nobody would look at twice.
//!
//! Each movement comes from one side only (wages from the worker's, payments for goods from the buyer's), so that both sides agree. A day of a
//! customer is drawn from its seed and the day alone.

use weir_model::{Channel, PartyKind};

use super::chance::{Chance, mix};
use super::extras::{self, Extra};
use super::institutions::{BROKERS, FINANCE_BUREAU, HOUSING_FUND, INSURERS, PAYMENTS, PENSIONS, SCHOOLS, TREASURY, UTILITY, one_of};
use super::movement::{Class, Desk, Memo, Movement, Who, firm, stranger};
use super::today::Today;
use super::world::{Customer, Life, World};

/// Amounts that people choose, in fen, the frequent ones often.
const CHOSEN: [i64; 16] = [
    50_00, 100_00, 100_00, 200_00, 200_00, 500_00, 500_00, 1_000_00, 1_000_00, 2_000_00, 3_000_00, 5_000_00, 5_000_00, 10_000_00,
    20_000_00, 50_000_00,
];
/// What many wealth products take of a person in a day, fen.
const PRODUCT_LIMIT: i64 = 50_000_00;
/// What firms sell in a month, per cent of the usual; where in it a firm's year begins is its own.
const SEASONS: [u64; 12] = [100, 85, 70, 80, 95, 100, 105, 110, 125, 130, 110, 90];
/// What red packets hold.
const PACKETS: [i64; 8] = [66_00, 88_00, 100_00, 168_00, 200_00, 500_00, 666_00, 888_00];
/// What friends write when they send each other money, if anything.
pub(super) const BETWEEN_FRIENDS: [Memo; 5] = [Memo::None, Memo::Transfer, Memo::Living, Memo::Borrow, Memo::Repay];
/// Of a thousand movements, how many fall into each hour; 65 at night.
const HOURS: [u16; 24] = [8, 4, 3, 2, 3, 8, 22, 45, 66, 80, 84, 76, 68, 60, 62, 66, 64, 62, 60, 58, 48, 30, 14, 7];

/// A moment of the day when people are about.
pub(super) fn moment(today: &Today, chance: &mut Chance) -> i64 {
    let mut at = chance.below(1000) as u16;
    let mut hour = 0;
    while hour < 23 && at >= HOURS[hour] {
        at -= HOURS[hour];
        hour += 1;
    }
    today.midnight + hour as i64 * 3600 + chance.below(3600) as i64
}

/// A moment when offices are open.
pub(super) fn office_hour(today: &Today, chance: &mut Chance) -> i64 {
    today.midnight + chance.between(9 * 3600, 17 * 3600 - 1)
}

/// A payment institution or acquirer.
pub(super) const fn payment_institution(number: u64) -> Who {
    one_of(&PAYMENTS, number)
}

/// One of the people a customer knows: two in five bank here too.
fn friend(world: &World, customer: &Customer, which: u64) -> Who {
    let number = mix(customer.seed ^ (0xf1 + which));
    if number % 5 < 2 { Who::Own(world.person(number), 0) } else { stranger(number) }
}

/// How many of something happen today that happens `rate` / 65,536 times a day.
fn times(chance: &mut Chance, rate: u64) -> u64 {
    (rate >> 16) + u64::from((chance.draw() & 0xffff) < (rate & 0xffff))
}

/// A day of customer `number`.
pub(super) fn live(world: &World, number: u32, today: &Today, out: &mut Vec<Movement>) {
    let customer = &world.customers[number as usize];
    if customer.opened > today.day || customer.closed.is_some_and(|closed| closed <= today.day) {
        return;
    }
    extras::live(world, number, today, out);
    let me = Who::Own(number, 0);
    let mut chance = Chance::of(customer.seed, u64::from(today.day.0.unsigned_abs()));
    match customer.life {
        Life::Nothing => return,
        Life::Firm => trade(world, customer, me, today, &mut chance, out),
        Life::Shop => keep_shop(world, customer, me, today, &mut chance, out),
        _ => {
            duties(world, customer, number, today, &mut chance, out);
            // Home before Spring Festival: a third sends money ahead.
            let is_sender = customer.life == Life::Worker && customer.seed % 9 < 3;
            if is_sender && today.from_festival == -3 - (customer.seed >> 5).rem_euclid(10) as i32 {
                let (at, fen) = (moment(today, &mut chance), customer.income * chance.between(30, 120) / 100);
                out.push(Movement::new(at, fen, me, friend(world, customer, 0), Channel::Mobile, Memo::Living));
            }
            let mut rate = u64::from(customer.activity);
            if today.is_festive() {
                rate = rate * 3 / 2;
            }
            for _ in 0..times(&mut chance, rate) {
                spend(world, customer, number, today, &mut chance, out);
            }
        }
    }
    if matches!(today.month, 3 | 6 | 9 | 12) && today.dom == 21 {
        let interest = (customer.balance[0].max(0) / 10_000 + customer.balance[1].max(0) / 2_500).max(1);
        out.push(Movement::new(today.midnight + 1800, interest, Who::Bank(Desk::Interest), me, Channel::Batch, Memo::Interest).certain());
    }
}

/// What comes by itself: wages, pension, rent, loans, bills, by the facts of the customer's seed.
fn duties(world: &World, customer: &Customer, number: u32, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
    if !today.is_working {
        return;
    }
    let me = Who::Own(number, 0);
    let seed = customer.seed;
    let mut pay = |fen: i64, payer: Who, payee: Who, channel: Channel, memo: Memo, is_certain: bool, chance: &mut Chance| {
        let movement = Movement::new(office_hour(today, chance), fen, payer, payee, channel, memo);
        out.push(if is_certain { movement.certain() } else { movement });
    };
    match customer.life {
        Life::Worker if today.pays(customer.payday) => {
            // A bonus before Spring Festival, and some variation of hours.
            let wage = customer.income * chance.between(96, 104) / 100;
            pay(wage, customer.employer, me, Channel::Batch, Memo::Wages, true, chance);
            if today.from_festival < 0 && today.from_festival > -31 {
                pay(customer.income * chance.between(50, 300) / 100, customer.employer, me, Channel::Batch, Memo::Bonus, true, chance);
            }
            if let Who::Own(firm, _) = customer.employer
                && today.from_festival < 0
                && today.from_festival > -31
            {
                let fen = welfare(&world.customers[firm as usize]);
                if fen > 0 {
                    pay(fen, customer.employer, me, Channel::Batch, Memo::Welfare, true, chance);
                }
            }
            if seed.is_multiple_of(3) {
                pay(customer.income * 24 / 100, HOUSING_FUND.who(), Who::Own(number, 1), Channel::Batch, Memo::Fund, true, chance);
            }
        }
        Life::Pensioner if today.pays(15) => pay(customer.income, PENSIONS.who(), me, Channel::Batch, Memo::Pension, true, chance),
        Life::Student if today.pays(1 + (seed % 7) as u8) => {
            pay(customer.income, friend(world, customer, 0), me, Channel::Mobile, Memo::Living, false, chance);
        }
        Life::Farmer if today.pays(20) && matches!(today.month, 4 | 8 | 11) => {
            pay(customer.income * 3, firm(mix(seed % 40)), me, Channel::Batch, Memo::Goods, true, chance);
            pay(600_00 + (seed % 900_00) as i64, FINANCE_BUREAU.who(), me, Channel::Batch, Memo::Subsidy, true, chance);
        }
        Life::Trader => {
            for _ in 0..times(chance, 16_000) {
                let fen = chance.spread(customer.income / 8, 900).max(10_00);
                pay(fen, stranger(mix(seed ^ chance.below(60))), me, Channel::Mobile, Memo::Goods, true, chance);
            }
            for _ in 0..times(chance, 6_000) {
                let fen = chance.spread(customer.income / 4, 900).max(10_00);
                pay(fen, me, firm(mix(seed ^ (0x500 + chance.below(4)))), Channel::Mobile, Memo::Goods, false, chance);
            }
        }
        _ => {}
    }
    if customer.life == Life::Idle {
        return;
    }
    let bits = mix(seed ^ 0xd7);
    let dom = 1 + (bits >> 40) as u8 % 28;
    if bits & 7 == 0 && today.collects(dom) && customer.income > 0 {
        let landlord = if bits >> 20 & 1 == 0 { stranger(bits) } else { Who::Own(world.person(bits), 0) };
        pay(customer.income / 4 / 100_00 * 100_00 + 300_00, me, landlord, Channel::Mobile, Memo::Rent, false, chance);
    }
    if bits >> 3 & 7 == 0 && today.collects(dom % 20 + 1) && customer.income > 2_000_00 {
        pay(customer.income / 3, me, Who::Bank(Desk::Loans), Channel::Batch, Memo::Loan, false, chance);
    }
    if bits >> 6 & 1 == 0 && today.collects(dom % 10 + 10) {
        pay(chance.spread(120_00, 700).max(5_00), me, UTILITY.who(), Channel::Batch, Memo::Utility, false, chance);
    }
    if bits >> 7 & 15 == 0 && u64::from(today.month) == bits % 12 + 1 && today.collects(dom) {
        pay((bits >> 9) as i64 % 9_000_00 + 1_000_00, me, one_of(&INSURERS, bits), Channel::Batch, Memo::Insurance, false, chance);
    }
    if bits >> 11 & 7 == 0 && matches!(today.month, 2 | 9) && today.collects(dom % 12 + 1) {
        pay((bits >> 13) as i64 % 6 * 500_00 + 1_500_00, me, one_of(&SCHOOLS, bits), Channel::Online, Memo::Tuition, false, chance);
    }
    if bits >> 15 & 7 == 0 && today.month == 5 && today.pays(dom) {
        pay((bits >> 17) as i64 % 3_000_00 + 50_00, TREASURY.who(), me, Channel::Batch, Memo::Refund, true, chance);
    }
}

/// One movement of one's own will.
fn spend(world: &World, customer: &Customer, number: u32, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
    let me = Who::Own(number, 0);
    let at = moment(today, chance);
    let price = |chance: &mut Chance| chance.spread(108_00, 2600).max(1_00);
    let movement = match chance.below(1000) {
        0..330 => Movement::new(at, price(chance), me, payment_institution(chance.draw()), Channel::ThirdParty, Memo::Shopping),
        330..430 => {
            // Shops are visited by the square of an even draw, or by Zipf's law: the first ones are full.
            let shops = world.shops.len() as u64;
            let place = if world.extras.contains(&Extra::Zipf) && shops > 0 {
                chance.rank(shops)
            } else {
                ((chance.below(1 << 20).pow(2) >> 20) * shops) >> 20
            };
            match world.shops.get(place as usize) {
                Some(shop) => Movement::new(at, price(chance), me, Who::Own(*shop, 0), Channel::Qr, Memo::Shopping),
                None => Movement::new(at, price(chance), me, payment_institution(0), Channel::ThirdParty, Memo::Shopping),
            }
        }
        430..520 => Movement::new(at, price(chance), me, firm(mix(chance.below(3000) + 0x3000)), Channel::Pos, Memo::Shopping),
        520..610 => {
            let fen = if chance.per_mille(500) { *chance.pick(&CHOSEN) } else { chance.spread(400_00, 1500).max(1_00) };
            Movement::new(at, fen, me, payment_institution(chance.draw()), Channel::ThirdParty, Memo::TopUp)
        }
        610..690 => {
            let fen = if chance.per_mille(400) { *chance.pick(&CHOSEN) } else { chance.spread(700_00, 1700).max(1_00) };
            Movement::new(at, fen, payment_institution(chance.draw()), me, Channel::ThirdParty, Memo::Withdraw).certain()
        }
        690..820 => {
            let is_packet = today.is_festive() && chance.per_mille(600);
            let fen = match (is_packet, chance.per_mille(700)) {
                (true, _) => *chance.pick(&PACKETS),
                (_, true) => *chance.pick(&CHOSEN[..14]),
                _ => chance.spread(600_00, 1600).max(1_00),
            };
            let memo = if is_packet { Memo::RedPacket } else { *chance.pick(&BETWEEN_FRIENDS) };
            Movement::new(at, fen, me, friend(world, customer, chance.below(9)), Channel::Mobile, memo)
        }
        820..890 => {
            let fen = *chance.pick(&CHOSEN[..14]);
            // A friend who banks here pays of their own will.
            let number = mix(customer.seed ^ (0xfa + chance.below(9)));
            Movement::new(at, fen, stranger(number), me, Channel::Mobile, Memo::Transfer).certain()
        }
        890..925 => Movement::new(at, *chance.pick(&CHOSEN[8..15]), me, Who::Nobody, Channel::Atm, Memo::CashOut),
        925..955 => Movement::new(at, *chance.pick(&CHOSEN[9..15]), Who::Nobody, me, Channel::Atm, Memo::CashIn).certain(),
        955..975 => {
            let fen = chance.spread(20_000_00, 1500) / 1_000_00 * 1_000_00 + 1_000_00;
            // Many products take no more than so much a day.
            let fen = if fen > PRODUCT_LIMIT && chance.per_mille(400) { PRODUCT_LIMIT } else { fen };
            if chance.per_mille(500) {
                Movement::new(at, fen, me, Who::Own(number, 1), Channel::Mobile, Memo::Wealth).classes(Class::Current, Class::Wealth)
            } else {
                Movement::new(at, fen, Who::Own(number, 1), me, Channel::Mobile, Memo::WealthBack).classes(Class::Wealth, Class::Current)
            }
        }
        // Money goes to a broker and comes from one while exchanges trade.
        975..985 if today.is_working => {
            let (at, broker) = (today.midnight + chance.between(9 * 3600, 16 * 3600 - 1), one_of(&BROKERS, customer.seed));
            let fen = chance.spread(8_000_00, 1600).max(100_00);
            if chance.per_mille(500) {
                Movement::new(at, fen, me, broker, Channel::Online, Memo::Securities)
            } else {
                Movement::new(at, fen, broker, me, Channel::Online, Memo::Securities).certain()
            }
        }
        975..985 => return,
        985..990 => {
            Movement::new(at, chance.spread(900_00, 1800).max(50_00), one_of(&INSURERS, chance.draw()), me, Channel::Batch, Memo::Claim)
                .certain()
        }
        _ => Movement::new(at, chance.spread(3_000_00, 1500).max(1_00), me, Who::Own(number, 1), Channel::Mobile, Memo::TermIn)
            .classes(Class::Current, Class::Term),
    };
    out.push(movement);
}

/// What a firm's trade union gives everybody before Spring Festival, fen; nothing in one of five.
const fn welfare(firm: &Customer) -> i64 {
    if firm.seed.is_multiple_of(5) { 0 } else { 300_00 + (firm.seed % 8) as i64 * 100_00 }
}

/// A firm's day: customers, suppliers, wages elsewhere, tax, rent, the owner's part.
fn trade(world: &World, customer: &Customer, me: Who, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
    if !today.is_working {
        return;
    }
    let seed = customer.seed;
    let season = SEASONS[((u64::from(today.month) + seed % 12) % 12) as usize];
    let deals = times(chance, u64::from(customer.activity) * season / 100).min(40);
    let usual = customer.income / (i64::from(customer.activity) * 22 / 65_536).max(1);
    for _ in 0..deals {
        let at = office_hour(today, chance);
        let fen = chance.spread(usual, 1000).max(100_00);
        let partner = mix(seed ^ (0x400 + chance.below(14)));
        if chance.per_mille(450) {
            let buyer = match partner % 10 {
                0..5 => firm(partner),
                5..8 if !world.firms.is_empty() => Who::Own(world.firms[(partner % world.firms.len() as u64) as usize], 0),
                _ => stranger(partner),
            };
            if buyer != me {
                out.push(Movement::new(at, fen * 2, buyer, me, Channel::Online, Memo::Goods).certain());
            }
        } else {
            out.push(Movement::new(at, fen * 14 / 10, me, firm(partner), Channel::Online, Memo::Goods).certain());
        }
    }
    if today.pays(customer.payday) {
        for worker in 0..u64::from(customer.staff_elsewhere) {
            let wage = 3_600_00 + (mix(seed ^ worker) % 3_800_00) as i64;
            let at = today.midnight + 10 * 3600 + worker as i64;
            out.push(Movement::new(at, wage, me, stranger(mix(seed ^ (0x9000 + worker))), Channel::Batch, Memo::Wages).certain());
        }
        // What the trade union gives before Spring Festival: a sum for each, on one day.
        if today.from_festival < 0 && today.from_festival > -31 && welfare(customer) > 0 {
            for worker in 0..u64::from(customer.staff_elsewhere) {
                let (at, payee) = (today.midnight + 15 * 3600 + worker as i64, stranger(mix(seed ^ (0x9000 + worker))));
                out.push(Movement::new(at, welfare(customer), me, payee, Channel::Batch, Memo::Welfare));
            }
        }
        // Related firms help each other out.
        if let Some(other) = world.related_to(me) {
            let at = office_hour(today, chance);
            out.push(Movement::new(at, customer.income / chance.between(8, 40), me, other, Channel::Online, Memo::Ink));
        }
        // What the owner takes.
        if seed.is_multiple_of(4) {
            let at = office_hour(today, chance);
            out.push(Movement::new(at, customer.income / 12, me, Who::Own(world.person(seed), 0), Channel::Online, Memo::Ink).certain());
        }
    }
    if today.collects(15) {
        out.push(
            Movement::new(office_hour(today, chance), (customer.income / 40).max(50_00), me, TREASURY.who(), Channel::Batch, Memo::Tax)
                .certain(),
        );
    }
    if today.collects(3) && seed.is_multiple_of(3) {
        out.push(
            Movement::new(office_hour(today, chance), (customer.income / 30).max(800_00), me, firm(mix(seed)), Channel::Online, Memo::Rent)
                .certain(),
        );
    }
}

/// A shop's day: what acquirer and payment institutions settle for the day before, and what it buys.
fn keep_shop(world: &World, customer: &Customer, me: Who, today: &Today, chance: &mut Chance, out: &mut Vec<Movement>) {
    let seed = customer.seed;
    let daily = customer.income / 30;
    if !seed.is_multiple_of(4) {
        let fen = chance.spread(daily, 500).max(10_00);
        let at = today.midnight + 6 * 3600 + chance.below(7200) as i64;
        out.push(Movement::new(at, fen, payment_institution(seed), me, Channel::Batch, Memo::Settlement).certain());
    }
    for _ in 0..times(chance, u64::from(customer.activity) / 2) {
        let at = moment(today, chance);
        let supplier = mix(seed ^ (0x600 + chance.below(6)));
        let payee = if supplier.is_multiple_of(6) && !world.firms.is_empty() {
            Who::Own(world.firms[(supplier % world.firms.len() as u64) as usize], 0)
        } else {
            firm(supplier)
        };
        out.push(Movement::new(at, chance.spread(daily * 3, 800).max(20_00), me, payee, Channel::Mobile, Memo::Goods));
    }
    if today.pays(10) {
        for worker in 0..seed % 5 {
            let wage = 2_800_00 + (mix(seed ^ worker) % 2_500_00) as i64;
            let payee = stranger(mix(seed ^ (0x9000 + worker)));
            out.push(Movement::new(office_hour(today, chance), wage, me, payee, Channel::Mobile, Memo::Wages));
        }
        if customer.kind == PartyKind::SoleTrader {
            let owner = Who::Own(world.person(seed), 0);
            out.push(Movement::new(office_hour(today, chance), daily * 8, me, owner, Channel::Mobile, Memo::Transfer));
        }
    }
}
