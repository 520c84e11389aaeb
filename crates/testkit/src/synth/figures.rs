//! What an ordinary day of the town comes to, in figures that stand beside published ones (`docs/synthetic-bank.md`).
//!
//! Counted while rows are written; costs a word for each customer. Movements of schemes and look-alikes are left out, but of how many a customer has:
//! whoever counts those at a bank counts all.

use std::collections::BTreeMap;

use weir_model::{Channel, PartyKind};

use super::disorder::Row;
use super::movement::{Memo, Who};
use super::world::World;

/// Sum and count of fen.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    fen: i64,
    count: i64,
}

impl Mean {
    fn add(&mut self, fen: i64) {
        self.fen += fen;
        self.count += 1;
    }

    const fn yuan(self) -> i64 {
        if self.count == 0 { 0 } else { self.fen / self.count / 100 }
    }
}

/// Figures being counted.
#[derive(Debug)]
pub struct Figures {
    /// Legs of each ordinary customer.
    legs: Vec<u32>,
    days: u64,
    rows: u64,
    night: u64,
    small: u64,
    retail: Mean,
    mobile: Mean,
    deposit: Mean,
    withdrawal: Mean,
}

impl Figures {
    /// Of a town.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let mean = Mean::default();
        let legs = vec![0; world.ordinary as usize];
        Self { legs, days: 0, rows: 0, night: 0, small: 0, retail: mean, mobile: mean, deposit: mean, withdrawal: mean }
    }

    /// Counts a day's rows.
    pub fn count(&mut self, rows: &[Row]) {
        self.days += 1;
        for row in rows {
            let movement = &row.movement;
            for who in [movement.payer, movement.payee] {
                if let Who::Own(number, _) = who
                    && let Some(legs) = self.legs.get_mut(number as usize)
                {
                    *legs += 1;
                }
            }
            if movement.part != 0 || row.reverses.is_some() {
                continue;
            }
            self.rows += 1;
            let hour = (movement.at / 3600 + 8).rem_euclid(24);
            self.night += u64::from(!(6..22).contains(&hour));
            if movement.memo == Memo::Shopping {
                self.retail.add(movement.fen);
                self.small += u64::from(movement.fen < 200_00);
            }
            if movement.channel == Channel::Mobile {
                self.mobile.add(movement.fen);
            }
            match (movement.payer, movement.payee) {
                (Who::Nobody, _) => self.deposit.add(movement.fen),
                (_, Who::Nobody) => self.withdrawal.add(movement.fen),
                _ => {}
            }
        }
    }

    /// Names and values; shares in thousandths, numbers a month in hundredths, money in yuan.
    #[must_use]
    pub fn finish(&self, world: &World) -> BTreeMap<&'static str, i64> {
        let mut people: Vec<u64> = Vec::new();
        let mut others: Vec<u64> = Vec::new();
        for (customer, legs) in world.customers.iter().zip(&self.legs) {
            // Thousandths; a month has 30.44 days.
            let a_month = u64::from(*legs) * 30_440 / self.days.max(1);
            (if customer.kind == PartyKind::Natural { &mut people } else { &mut others }).push(a_month);
        }
        people.sort_unstable();
        others.sort_unstable();
        let share = |part: u64, of: u64| i64::try_from(part * 1000 / of.max(1)).unwrap_or(0);
        let number = |value: u64| i64::try_from(value / 10).unwrap_or(0);
        let middle = |sorted: &[u64]| sorted.get(sorted.len() / 2).copied().unwrap_or(0);
        let mean = |sorted: &[u64]| sorted.iter().sum::<u64>() / (sorted.len() as u64).max(1);
        let all = (people.len() + others.len()) as u64;
        let retail = self.retail.count.unsigned_abs();
        BTreeMap::from([
            ("people_a_month_mean_x100", number(mean(&people))),
            ("people_a_month_median_x100", number(middle(&people))),
            ("people_below_one_a_month_per_mille", share(people.iter().filter(|legs| **legs < 1_000).count() as u64, people.len() as u64)),
            ("people_below_two_a_month_per_mille", share(people.iter().filter(|legs| **legs < 2_000).count() as u64, people.len() as u64)),
            ("organisations_per_mille", share(others.len() as u64, all)),
            ("organisations_a_month_median_x100", number(middle(&others))),
            ("night_per_mille", share(self.night, self.rows)),
            ("retail_mean_yuan", self.retail.yuan()),
            ("retail_below_200_per_mille", share(self.small, retail)),
            ("mobile_mean_yuan", self.mobile.yuan()),
            ("cash_deposit_mean_yuan", self.deposit.yuan()),
            ("cash_withdrawal_mean_yuan", self.withdrawal.yuan()),
        ])
    }
}
