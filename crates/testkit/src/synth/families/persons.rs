//! What look-alikes do whose centre is a person: neighbours, guests, parents, a crew, a public, players.

use weir_model::Channel;

use super::Scene;
use crate::synth::life::payment_institution;
use crate::synth::movement::Memo;

impl Scene<'_> {
    pub(super) fn group_buying(&mut self) {
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

    pub(super) fn wedding(&mut self) {
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

    pub(super) fn class_fees(&mut self) {
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

    pub(super) fn contractor(&mut self) {
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

    pub(super) fn livestreamer(&mut self) {
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

    pub(super) fn game_room(&mut self) {
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
}
