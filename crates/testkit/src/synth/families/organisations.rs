//! What look-alikes do whose centre is an organisation, or a shop: wages, fees, tuition, rent, premiums, goods.

use weir_model::Channel;

use super::Scene;
use crate::synth::institutions::FINANCE_BUREAU;
use crate::synth::movement::Memo;

impl Scene<'_> {
    pub(super) fn payroll(&mut self, is_agency: bool) {
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

    pub(super) fn merchant(&mut self) {
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

    pub(super) fn property(&mut self) {
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

    pub(super) fn tuition(&mut self) {
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

    pub(super) fn letting(&mut self) {
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

    pub(super) fn deposits(&mut self) {
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

    pub(super) fn insurance(&mut self) {
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

    pub(super) fn funds(&mut self) {
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

    pub(super) fn cooperative(&mut self) {
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

    pub(super) fn charity(&mut self) {
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

    pub(super) fn supply_chain(&mut self) {
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

    pub(super) fn village(&mut self) {
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

    pub(super) fn car_dealer(&mut self) {
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

    pub(super) fn escrow(&mut self) {
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

    pub(super) fn prepaid_cards(&mut self) {
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

    pub(super) fn cash_pool(&mut self) {
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

    pub(super) fn presale(&mut self) {
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
}
