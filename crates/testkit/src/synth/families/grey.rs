//! What grey families do: money that is lent among people who know each other, and that no bank can tell from the outside to be lawful or not.

use weir_model::Channel;

use super::Scene;
use crate::synth::movement::Memo;

impl Scene<'_> {
    pub(super) fn rotating_club(&mut self) {
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

    pub(super) fn private_lending(&mut self) {
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

    pub(super) fn staff_financing(&mut self) {
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
