//! Who paid whom, how much in all, and from which device: what is remembered of the inputs.
//!
//! Sums by customer and natural payer, by customer and payee, and the customers of each device and agent. All of them are bounded: once there
//! are as many pairs as asked for, those that are there go on and new ones are left out and counted, their keys with them. What is kept of each
//! customer alone is bounded by their number. Only movements count: a return or a removal names sides, but no relation.
//!
//! While it is read, parties are numbered as they come ([`Ledger`]). Then they are numbered in order of their texts, and what was summed is
//! listed in that order ([`Closed`]): whoever walks it, or stops at a bound, does so in an order that does not depend on that of the inputs,
//! and a list takes half of what a table takes.
//!
//! Bytes, of which `docs/detection.md` makes a figure: a pair 40 and later 16; a key that nobody else names 100, one text and one number (for a
//! moment, while keys are put in order, 125); a device or agent 120, and later 64 where two customers have it and none where one has.

use weir_model::{Channel, Direction, Flags, KeyKind, Leg, LegKind, PartyKind};

type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::FixedState>;
type Set<K> = hashbrown::HashSet<K, foldhash::fast::FixedState>;

/// A party, numbered as it was met.
pub(super) type Number = u32;

/// A party, numbered in order of the texts of all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Key(u32);

/// What a customer got from another side, or paid to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sum {
    pub(super) customer: Key,
    pub(super) other: Key,
    /// In all.
    pub(super) fen: i64,
}

/// What says that two customers are used by one hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Mark {
    /// The device a payment was made on.
    Device,
    /// Who acted for the customer at the counter.
    Agent,
}

/// What is remembered while the inputs are read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Records read.
    pub(super) records: u64,
    /// Those that could not be used.
    pub(super) unusable: u64,
    numbers: Map<Box<str>, Number>,
    /// Fen by customer and natural payer.
    inflows: Map<(Number, Number), i64>,
    /// Fen by customer and payee that may be where money ends.
    outflows: Map<(Number, Number), i64>,
    totals: Map<Number, i64>,
    people: Set<Number>,
    /// Customers of a device or agent: one more than may share it are enough.
    marks: Map<(Mark, [u8; 16]), Vec<Number>>,
    left_out: u64,
    pairs_max: usize,
    mark_customers: usize,
}

/// Everything remembered, in order of texts.
#[derive(Debug)]
pub(super) struct Closed {
    /// Records read.
    pub(super) records: u64,
    /// Those that could not be used.
    pub(super) unusable: u64,
    texts: Vec<Box<str>>,
    /// Fen by customer and natural payer, in order of customers, then of payers.
    pub(super) inflows: Vec<Sum>,
    /// Fen by customer and payee that may be where money ends, in order of payees, then of customers.
    pub(super) outflows: Vec<Sum>,
    /// Fen that left a customer, wherever it went.
    pub(super) totals: Map<Key, i64>,
    /// Customers known to be natural persons.
    pub(super) people: Set<Key>,
    /// Customers of each device or agent that has more than one: all of them, unless there are more than may share it.
    pub(super) marks: Vec<(Mark, Vec<Key>)>,
    /// Movements and marks left out at the bound.
    pub(super) left_out: u64,
}

impl Ledger {
    /// An empty one of at most `pairs_max` pairs each way and as many devices.
    pub(super) fn new(pairs_max: usize, mark_customers: usize) -> Self {
        Self { pairs_max, mark_customers, ..Self::default() }
    }

    /// Takes a leg in. Returns the customer whose hand a device or agent of the record is: who pays, or who brings cash.
    pub(super) fn leg(&mut self, leg: &Leg<'_>) -> Option<Number> {
        if !KeyKind::Customer.is_of(leg.party) || !matches!(leg.kind, LegKind::Movement) {
            return None;
        }
        let amount = leg.amount.cny.unwrap_or(0);
        let customer = self.number(leg.party);
        if leg.profile.kind == PartyKind::Natural {
            self.people.insert(customer);
        }
        // What stays with its owner goes to nobody, but somebody's hand has moved it.
        if leg.flags.has(Flags::OWN) {
            return (leg.direction == Direction::Out).then_some(customer);
        }
        match leg.direction {
            Direction::In => {
                if let Some(payer) = leg.counterparty.filter(|_| leg.counterparty_kind == PartyKind::Natural) {
                    self.add(Direction::In, customer, payer, amount);
                }
                leg.flags.has(Flags::CASH).then_some(customer)
            }
            Direction::Out => {
                if !leg.flags.has(Flags::RETAINED) {
                    let total = self.totals.entry(customer).or_default();
                    *total = total.saturating_add(amount);
                }
                if let Some(payee) = leg.counterparty.filter(|_| may_be_last(leg)) {
                    self.add(Direction::Out, customer, payee, amount);
                }
                Some(customer)
            }
        }
    }

    /// Adds to the sum of a pair, unless it would be a new one beyond the bound.
    fn add(&mut self, direction: Direction, customer: Number, other: &str, amount: i64) {
        let known = self.numbers.get(other).copied();
        let sums = if direction == Direction::In { &mut self.inflows } else { &mut self.outflows };
        if let Some(sum) = known.and_then(|other| sums.get_mut(&(customer, other))) {
            *sum = sum.saturating_add(amount);
            return;
        }
        if sums.len() >= self.pairs_max {
            self.left_out += 1;
            return;
        }
        let other = known.unwrap_or_else(|| self.number(other));
        let sums = if direction == Direction::In { &mut self.inflows } else { &mut self.outflows };
        sums.insert((customer, other), amount);
    }

    /// Remembers that a customer was used from a device, or by an agent; of the word itself only a hash.
    pub(super) fn mark(&mut self, customer: Number, mark: Mark, word: &str) {
        let hash = weir_model::digest::digest128(&[word.as_bytes()]);
        if self.marks.len() >= self.pairs_max && !self.marks.contains_key(&(mark, hash)) {
            self.left_out += 1;
            return;
        }
        let customers = self.marks.entry((mark, hash)).or_default();
        if customers.len() <= self.mark_customers && !customers.contains(&customer) {
            customers.push(customer);
        }
    }

    fn number(&mut self, text: &str) -> Number {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = Number::try_from(self.numbers.len()).expect("fewer than 2^32 keys fit in memory");
        self.numbers.insert(text.into(), number);
        number
    }

    /// Ends the reading.
    pub(super) fn close(self) -> Closed {
        let Self { records, unusable, numbers, inflows, outflows, totals, people, marks, left_out, .. } = self;
        let (texts, keys) = in_order(numbers);
        let key = |number: Number| keys[number as usize];
        let listed = |sums: Map<(Number, Number), i64>| -> Vec<Sum> {
            sums.into_iter().map(|((customer, other), fen)| Sum { customer: key(customer), other: key(other), fen }).collect()
        };
        let mut inflows = listed(inflows);
        inflows.sort_unstable_by_key(|sum| (sum.customer, sum.other));
        let mut outflows = listed(outflows);
        outflows.sort_unstable_by_key(|sum| (sum.other, sum.customer));
        let shared = marks.into_iter().filter(|(_, customers)| customers.len() > 1);
        let mut marks: Vec<(Mark, Vec<Key>)> = shared
            .map(|((mark, _), customers)| {
                let mut customers: Vec<Key> = customers.into_iter().map(key).collect();
                customers.sort_unstable();
                (mark, customers)
            })
            .collect();
        marks.sort_unstable();
        let totals = totals.into_iter().map(|(customer, fen)| (key(customer), fen)).collect();
        let people = people.into_iter().map(key).collect();
        Closed { records, unusable, texts, inflows, outflows, totals, people, marks, left_out }
    }
}

/// Texts in order, and the key of each number.
fn in_order(numbers: Map<Box<str>, Number>) -> (Vec<Box<str>>, Vec<Key>) {
    let mut texts: Vec<(Box<str>, Number)> = numbers.into_iter().collect();
    texts.sort_unstable();
    let mut keys = vec![Key(0); texts.len()];
    for ((_, number), key) in texts.iter().zip((0..).map(Key)) {
        keys[*number as usize] = key;
    }
    (texts.into_iter().map(|(text, _)| text).collect(), keys)
}

impl Closed {
    /// All keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = Key> {
        (0..).map(Key).take(self.texts.len())
    }

    /// The text of a key.
    pub(super) fn text(&self, key: Key) -> &str {
        self.texts.get(key.index()).map_or("", |text| text)
    }
}

impl Key {
    /// Its place among all keys.
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a sorted list has of one party.
pub(super) fn stretch<T>(sorted: &[T], party: Key, key: impl Fn(&T) -> Key) -> &[T] {
    let from = sorted.partition_point(|each| key(each) < party);
    let rest = &sorted[from..];
    &rest[..rest.partition_point(|each| key(each) == party)]
}

/// Whether the other side may be where money ends: a named somebody else, and no institution that money only passes through.
fn may_be_last(leg: &Leg<'_>) -> bool {
    let passes = [Flags::CASH, Flags::SAME_NAME, Flags::SECURITIES, Flags::RETAINED].into_iter().any(|flag| leg.flags.has(flag));
    !passes && leg.counterparty_kind != PartyKind::Internal && leg.channel != Some(Channel::ThirdParty)
}

impl Mark {
    /// The record field.
    pub(super) const fn field(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Agent => "agent_id_hash",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_takes_the_bytes_that_the_figure_of_all_memory_counts_on() {
        assert_eq!((size_of::<Sum>(), size_of::<((Number, Number), i64)>()), (16, 16));
        assert_eq!((size_of::<(Box<str>, Number)>(), size_of::<((Mark, [u8; 16]), Vec<Number>)>()), (24, 48));
    }

    #[test]
    fn keys_are_in_order_of_their_texts_however_they_were_met() {
        let mut ledger = Ledger::new(9, 9);
        let numbers = ["c:2", "c:10", "c:3", "c:2"].map(|text| ledger.number(text));
        assert_eq!(numbers, [0, 1, 2, 0]);
        ledger.add(Direction::In, numbers[0], "c:10", 5);
        ledger.add(Direction::In, numbers[2], "c:3", 6);
        ledger.add(Direction::In, numbers[1], "c:2", 7);
        for customer in numbers {
            ledger.mark(customer, Mark::Device, "phone");
        }
        ledger.mark(numbers[0], Mark::Device, "another");
        let closed = ledger.close();
        let sums: Vec<_> = closed.inflows.iter().map(|sum| (closed.text(sum.customer), closed.text(sum.other), sum.fen)).collect();
        assert_eq!(sums, [("c:10", "c:2", 7), ("c:2", "c:10", 5), ("c:3", "c:3", 6)]);
        let texts = |keys: &[Key]| -> Vec<String> { keys.iter().map(|key| closed.text(*key).to_owned()).collect() };
        let marks: Vec<(Mark, Vec<String>)> = closed.marks.iter().map(|(mark, keys)| (*mark, texts(keys))).collect();
        assert_eq!(marks, [(Mark::Device, ["c:10", "c:2", "c:3"].map(str::to_owned).to_vec())]);
        assert_eq!(stretch(&closed.inflows, Key(1), |sum| sum.customer).len(), 1);
        assert!(stretch(&closed.inflows, Key(7), |sum| sum.customer).is_empty());
    }
}
