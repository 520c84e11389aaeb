//! What feeds do to records: some come late, some twice, some changed; some are taken back, some are no records at all.
//!
//! Whether a row suffers follows from its serial alone. Reversals and returns are rows of their own and happen at a later time.

use std::collections::BTreeMap;

use super::chance::{Chance, mix};
use super::movement::{Memo, Movement, Who};

/// How a row takes another back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// 冲正.
    Cancel,
    /// 退汇, 退货.
    Return,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Flaw {
    /// Nothing.
    #[default]
    None,
    /// Its amount cannot be read.
    Amount,
    /// Its date does not exist.
    Date,
    /// Its date lies far ahead.
    Future,
}

/// A row of the feed.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// The bank's serial: of its own, unless the feed brings a row again.
    pub serial: u64,
    /// What happened.
    pub movement: Movement,
    /// After it, on the payer's and the payee's account.
    pub balances: [i64; 2],
    /// Takes back the row of this serial.
    pub reverses: Option<(u64, Back)>,
    /// What is wrong with it.
    pub flaw: Flaw,
    /// When the feed brings it.
    brought: i64,
}

impl Row {
    /// A row that comes at once.
    #[must_use]
    pub const fn new(serial: u64, movement: Movement, balances: [i64; 2]) -> Self {
        Self { serial, movement, balances, reverses: None, flaw: Flaw::None, brought: movement.at }
    }
}

/// Rows of a million that suffer, where disorder is 1.
const LATE: u64 = 2_000;
const TWICE: u64 = 200;
const CHANGED: u64 = 20;
const CANCELLED: u64 = 150;
const RETURNED: u64 = 250;
const UNREADABLE: u64 = 20;
const MISDATED: u64 = 15;
/// Serials of rows that take others back: above all others.
const SERIALS_BACK: u64 = 1 << 40;

/// Rows that are still to come.
#[derive(Debug)]
pub struct Disorder {
    seed: u64,
    times: u64,
    /// By when they are brought, and a number.
    waiting: BTreeMap<(i64, u64), Row>,
    number: u64,
}

impl Disorder {
    /// So many times the usual.
    #[must_use]
    pub const fn new(seed: u64, times: u32) -> Self {
        Self { seed, times: times as u64, waiting: BTreeMap::new(), number: 0 }
    }

    /// Disturbs a day's rows, and adds what earlier days left for before `until`.
    pub(super) fn disturb(&mut self, until: i64, rows: &mut Vec<Row>) {
        if self.times == 0 {
            return;
        }
        let mut come = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            // One draw decides whether anything happens at all.
            let bits = mix(self.seed ^ mix(row.serial)) % 1_000_000;
            let mut most = 0;
            let mut is = |often: u64| {
                let least = most;
                most += often * self.times;
                (least..most).contains(&bits)
            };
            let mut chance = Chance::of(self.seed ^ 0xd15, row.serial);
            if is(LATE) {
                // Mostly hours, up to a few days, one in eight beyond what anybody waits for.
                let seconds = if chance.per_mille(125) {
                    chance.between(3 * 86_400, 12 * 86_400)
                } else {
                    chance.spread(3 * 3600, 1500).min(250_000)
                };
                self.wait(Row { brought: row.movement.at + seconds, ..row });
                continue;
            }
            if is(TWICE) {
                self.wait(Row { brought: row.brought + chance.between(1, 90_000), ..row });
            } else if is(CHANGED) {
                let movement = Movement { fen: row.movement.fen + 1, ..row.movement };
                self.wait(Row { brought: row.brought + chance.between(1, 90_000), movement, ..row });
            } else if is(CANCELLED) {
                let after = chance.between(60, 100_000);
                let movement = Movement { at: row.movement.at + after, ..row.movement };
                self.wait(Row {
                    serial: SERIALS_BACK + row.serial,
                    reverses: Some((row.serial, Back::Cancel)),
                    brought: movement.at,
                    movement,
                    ..row
                });
            } else if is(RETURNED) && row.movement.payee != Who::Nobody && row.movement.payer != Who::Nobody {
                let m = row.movement;
                let back = Movement {
                    at: m.at + chance.between(3600, 200_000),
                    payer: m.payee,
                    payee: m.payer,
                    payer_class: m.payee_class,
                    payee_class: m.payer_class,
                    memo: Memo::Returned,
                    ..m
                };
                self.wait(Row {
                    serial: SERIALS_BACK + row.serial,
                    reverses: Some((row.serial, Back::Return)),
                    brought: back.at,
                    movement: back,
                    balances: [row.balances[1], row.balances[0]],
                    ..row
                });
            } else if is(UNREADABLE) {
                come.push(Row { flaw: Flaw::Amount, ..row });
                continue;
            } else if is(MISDATED) {
                come.push(Row { flaw: if bits.is_multiple_of(2) { Flaw::Date } else { Flaw::Future }, ..row });
                continue;
            }
            come.push(row);
        }
        let later = self.waiting.split_off(&(until, 0));
        come.extend(std::mem::replace(&mut self.waiting, later).into_values());
        come.sort_by_key(|row| row.brought);
        *rows = come;
    }

    /// What is still to come after the last day.
    pub(super) fn rest(&mut self, rows: &mut Vec<Row>) -> bool {
        rows.extend(std::mem::take(&mut self.waiting).into_values());
        !rows.is_empty()
    }

    fn wait(&mut self, row: Row) {
        self.number += 1;
        self.waiting.insert((row.brought, self.number), row);
    }
}
