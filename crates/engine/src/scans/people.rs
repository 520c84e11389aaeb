//! Those who paid in, or were paid: how much on which day, and what their rows say of them.

use std::collections::BTreeMap;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use weir_model::{Day, Direction, Division, Flags, PartyKind};

use super::Running;
use super::amounts::Amounts;
use crate::feature::{ByPair, in_both};
use crate::row::Row;

/// What moved between the party and somebody on one day, in one direction.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Payment {
    pub(crate) day: Day,
    pub(crate) amount: i128,
    /// Rows it is made of.
    rows: u32,
}

/// A counterparty. Facts count the rows that state them: a fact holds as long as there is one.
#[derive(Debug, Default)]
struct Person {
    natural: u32,
    kind_known: u32,
    age_known: u32,
    elderly: u32,
    located: u32,
    sum: i128,
    /// By day, in order.
    payments: Vec<Payment>,
}

/// Movements in one direction.
#[derive(Debug)]
pub(crate) struct People {
    direction: Direction,
    by_pair: ByPair<Person>,
    naturals: Naturals,
    /// Rows by division of the counterparty.
    places: HashMap<Division, u32, FixedState>,
}

/// Payments of natural people.
#[derive(Debug, Default)]
struct Naturals {
    days: BTreeMap<Day, Batch>,
    /// Rises with every coming and going of somebody on some day.
    edition: u32,
    payments: usize,
    /// For each limit asked for: payments of at most so many fen.
    small: Vec<(i128, usize)>,
    /// Payments by amount, once asked for.
    amounts: Option<Amounts>,
}

/// Natural people of a day.
#[derive(Debug, Default)]
struct Batch {
    /// Pair and fen, in order of pairs.
    people: Vec<(u32, i128)>,
    /// When somebody last came or went.
    edition: u32,
    /// The day it was last compared with, both editions then, and how many were in both.
    compared: Option<(Day, [u32; 2], usize)>,
}

impl People {
    /// Natural people, by pair, with their payments day by day.
    pub(crate) fn natural(&self) -> impl Iterator<Item = (u32, &[Payment])> {
        self.by_pair.iter().filter(|(_, person)| person.natural > 0).map(|(pair, person)| (*pair, person.payments.as_slice()))
    }

    /// Payments of a pair, natural or not.
    pub(crate) fn payments_of(&self, pair: u32) -> &[Payment] {
        self.by_pair.get(&pair).map_or(&[], |person| person.payments.as_slice())
    }

    pub(crate) fn is_natural(&self, pair: u32) -> bool {
        self.by_pair.get(&pair).is_some_and(|person| person.natural > 0)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_pair.is_empty()
    }

    /// Whether the kind of anybody is known.
    pub(crate) fn has_known_kind(&self) -> bool {
        self.by_pair.values().any(|person| person.kind_known > 0)
    }

    /// Those whose kind is known, and the natural people among them.
    pub(crate) fn kinds(&self) -> (usize, usize) {
        let known = || self.by_pair.values().filter(|person| person.kind_known > 0);
        (known().count(), known().filter(|person| person.natural > 0).count())
    }

    /// Fen of each, natural or not.
    pub(crate) fn sums(&self) -> impl Iterator<Item = i128> {
        self.by_pair.values().map(|person| person.sum)
    }

    /// Natural people of known age, and those of them who are sixty or more.
    pub(crate) fn elderly(&self) -> (usize, usize) {
        let natural = || self.by_pair.values().filter(|person| person.natural > 0);
        (natural().filter(|person| person.age_known > 0).count(), natural().filter(|person| person.elderly > 0).count())
    }

    /// Those whose division is known, and all.
    pub(crate) fn located(&self) -> (usize, usize) {
        (self.by_pair.values().filter(|person| person.located > 0).count(), self.by_pair.len())
    }

    /// The divisions that rows name, each once.
    pub(crate) fn places(&self) -> impl Iterator<Item = Division> {
        self.places.keys().copied()
    }

    /// Payments of natural people.
    pub(crate) fn payments(&self) -> usize {
        self.naturals.payments
    }

    /// Those of at most so many fen.
    pub(crate) fn small(&mut self, limit: i128) -> usize {
        let known = self.naturals.small.iter().find(|(other, _)| *other == limit).map(|(_, payments)| *payments);
        known.unwrap_or_else(|| {
            let small = self.natural().flat_map(|(_, payments)| payments).filter(|payment| payment.amount <= limit).count();
            self.naturals.small.push((limit, small));
            small
        })
    }

    /// The payments of natural people at these indexes in rising order; indexes are in range.
    pub(crate) fn ranked<const N: usize>(&mut self, indexes: [usize; N]) -> [i128; N] {
        let amounts = self.naturals.amounts.take().unwrap_or_else(|| {
            let mut amounts = Amounts::default();
            self.natural().flat_map(|(_, payments)| payments).for_each(|payment| amounts.add(payment.amount));
            amounts
        });
        let ranked = indexes.map(|index| amounts.at(index));
        self.naturals.amounts = Some(amounts);
        ranked
    }

    /// Days with at least so many natural people, with what each paid or got in order of pairs.
    pub(crate) fn batches(&self, least: i64) -> Vec<(Day, &[(u32, i128)])> {
        let least = usize::try_from(least).unwrap_or(usize::MAX);
        let enough = self.naturals.days.iter().filter(|(_, batch)| batch.people.len() >= least);
        enough.map(|(day, batch)| (*day, batch.people.as_slice())).collect()
    }

    /// Natural people of both days.
    pub(crate) fn in_both(&mut self, before: Day, after: Day) -> usize {
        let days = &mut self.naturals.days;
        let (Some(first), Some(second)) = (days.get(&before), days.get(&after)) else { return 0 };
        let editions = [first.edition, second.edition];
        match second.compared {
            Some((day, seen, common)) if day == before && seen == editions => common,
            _ => {
                let common = in_both(&first.people, &second.people);
                days.entry(after).or_default().compared = Some((before, editions, common));
                common
            }
        }
    }

    fn concerns(&self, row: &Row) -> bool {
        row.makes_party() && row.direction() == self.direction
    }
}

impl Running for People {
    type Of = Direction;

    fn anew(direction: Direction) -> Self {
        Self { direction, by_pair: ByPair::default(), naturals: Naturals::default(), places: HashMap::default() }
    }

    fn add(&mut self, row: &Row) {
        if !self.concerns(row) {
            return;
        }
        let Self { by_pair, naturals, places, .. } = self;
        let person = by_pair.entry(row.pair).or_default();
        let was_natural = person.natural > 0;
        person.state(row, |count| *count += 1);
        if row.division().is_known() {
            *places.entry(row.division()).or_default() += 1;
        }
        let (day, amount) = (row.at.day(), i128::from(row.amount));
        person.sum += amount;
        let at = person.payments.partition_point(|payment| payment.day < day);
        let before = person.payments.get(at).filter(|payment| payment.day == day).map(|payment| payment.amount);
        if before.is_none() {
            person.payments.insert(at, Payment { day, amount: 0, rows: 0 });
        }
        person.payments[at].amount += amount;
        person.payments[at].rows += 1;
        if was_natural {
            naturals.change(row.pair, day, before, Some(person.payments[at].amount));
        } else if person.natural > 0 {
            // Whoever turns out to be natural was so all along.
            person.payments.iter().for_each(|payment| naturals.change(row.pair, payment.day, None, Some(payment.amount)));
        }
    }

    fn remove(&mut self, row: &Row) {
        if !self.concerns(row) {
            return;
        }
        let Self { by_pair, naturals, places, .. } = self;
        let person = by_pair.get_mut(&row.pair).expect("what is removed was added");
        let was_natural = person.natural > 0;
        person.state(row, |count| *count -= 1);
        if row.division().is_known() {
            let rows = places.get_mut(&row.division()).expect("what is removed was added");
            *rows -= 1;
            if *rows == 0 {
                places.remove(&row.division());
            }
        }
        let (day, amount) = (row.at.day(), i128::from(row.amount));
        if was_natural && person.natural == 0 {
            person.payments.iter().for_each(|payment| naturals.change(row.pair, payment.day, Some(payment.amount), None));
        }
        person.sum -= amount;
        let at = person.payments.partition_point(|payment| payment.day < day);
        let payment = &mut person.payments[at];
        let before = payment.amount;
        payment.amount -= amount;
        payment.rows -= 1;
        let after = (payment.rows > 0).then_some(payment.amount);
        if after.is_none() {
            person.payments.remove(at);
        }
        if person.natural > 0 {
            naturals.change(row.pair, day, Some(before), after);
        }
        if person.payments.is_empty() {
            by_pair.remove(&row.pair);
        }
    }
}

impl Person {
    /// Counts what a row states.
    fn state(&mut self, row: &Row, count: impl Fn(&mut u32)) {
        let is_aged = row.has(Flags::AGE_KNOWN);
        let stated = [
            (row.is_natural(), &mut self.natural),
            (row.counterparty_kind() != PartyKind::Unknown, &mut self.kind_known),
            (is_aged, &mut self.age_known),
            (is_aged && row.has(Flags::ELDERLY), &mut self.elderly),
            (row.division().is_known(), &mut self.located),
        ];
        stated.into_iter().filter(|(is_stated, _)| *is_stated).for_each(|(_, rows)| count(rows));
    }
}

impl Naturals {
    /// A payment comes, changes or goes.
    fn change(&mut self, pair: u32, day: Day, before: Option<i128>, after: Option<i128>) {
        self.payments -= usize::from(before.is_some());
        self.payments += usize::from(after.is_some());
        for (limit, small) in &mut self.small {
            *small -= usize::from(before.is_some_and(|amount| amount <= *limit));
            *small += usize::from(after.is_some_and(|amount| amount <= *limit));
        }
        if let Some(amounts) = &mut self.amounts {
            after.into_iter().for_each(|amount| amounts.add(amount));
            before.into_iter().for_each(|amount| amounts.remove(amount));
        }
        let batch = self.days.entry(day).or_default();
        let at = batch.people.binary_search_by_key(&pair, |(other, _)| *other);
        match (at, after) {
            (Ok(at), Some(amount)) => batch.people[at].1 = amount,
            (Err(at), Some(amount)) => {
                batch.people.insert(at, (pair, amount));
                self.edition += 1;
                batch.edition = self.edition;
            }
            (Ok(at), None) => {
                batch.people.remove(at);
                self.edition += 1;
                batch.edition = self.edition;
            }
            (Err(_), None) => {}
        }
        if batch.people.is_empty() {
            self.days.remove(&day);
        }
    }
}
