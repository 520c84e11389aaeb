//! Who paid whom, how much in all, and from which device: what is remembered of the inputs.
//!
//! Sums by customer and natural payer, by customer and payee, and the customers of each device and agent. All of them are bounded: once there
//! are as many pairs as asked for, those that are there go on and new ones are left out and counted, their keys with them. A pair costs 40
//! bytes, 160 with a key that nobody else names. What is kept of each customer alone is bounded by their number. Only movements count: a
//! return or a removal names sides, but no relation.

use weir_model::{Channel, Direction, Flags, Leg, LegKind, PartyKind};

type Map<K, V> = hashbrown::HashMap<K, V, foldhash::fast::FixedState>;
type Set<K> = hashbrown::HashSet<K, foldhash::fast::FixedState>;

/// A key by its number.
pub(super) type Key = u32;

/// What says that two customers are used by one hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Mark {
    /// The device a payment was made on.
    Device,
    /// Who acted for the customer at the counter.
    Agent,
}

/// Everything remembered.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Records read.
    pub(super) records: u64,
    /// Those that could not be used.
    pub(super) unusable: u64,
    keys: Vec<Box<str>>,
    numbers: Map<Box<str>, Key>,
    /// Fen by customer and natural payer.
    pub(super) inflows: Map<(Key, Key), i64>,
    /// Fen by customer and payee that may be where money ends.
    pub(super) outflows: Map<(Key, Key), i64>,
    /// Fen that left a customer, wherever it went.
    pub(super) totals: Map<Key, i64>,
    /// Customers known to be natural persons.
    pub(super) people: Set<Key>,
    /// Customers of a device or agent: one more than may share it are enough.
    pub(super) marks: Map<(Mark, [u8; 16]), Vec<Key>>,
    /// Movements and marks left out at the bound.
    pub(super) left_out: u64,
    pairs_max: usize,
    mark_customers: usize,
}

impl Ledger {
    /// An empty one of at most `pairs_max` pairs each way and as many devices.
    pub(super) fn new(pairs_max: usize, mark_customers: usize) -> Self {
        Self { pairs_max, mark_customers, ..Self::default() }
    }

    /// Takes a leg in. Returns the customer whose hand a device or agent of the record is: who pays, or who brings cash.
    pub(super) fn leg(&mut self, leg: &Leg<'_>) -> Option<Key> {
        if !leg.party.starts_with("c:") || !matches!(leg.kind, LegKind::Movement) {
            return None;
        }
        let amount = leg.amount.cny.unwrap_or(0);
        let customer = self.key(leg.party);
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
    fn add(&mut self, direction: Direction, customer: Key, other: &str, amount: i64) {
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
        let other = known.unwrap_or_else(|| self.key(other));
        let sums = if direction == Direction::In { &mut self.inflows } else { &mut self.outflows };
        sums.insert((customer, other), amount);
    }

    /// Remembers that a customer was used from a device, or by an agent; of the word itself only a hash.
    pub(super) fn mark(&mut self, customer: Key, mark: Mark, word: &str) {
        let hash = weir_model::alert::digest128(&[word.as_bytes()]);
        if self.marks.len() >= self.pairs_max && !self.marks.contains_key(&(mark, hash)) {
            self.left_out += 1;
            return;
        }
        let customers = self.marks.entry((mark, hash)).or_default();
        if customers.len() <= self.mark_customers && !customers.contains(&customer) {
            customers.push(customer);
        }
    }

    /// The text of a key.
    pub(super) fn text(&self, key: Key) -> &str {
        self.keys.get(usize::try_from(key).unwrap_or(usize::MAX)).map_or("", |text| text)
    }

    fn key(&mut self, text: &str) -> Key {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = Key::try_from(self.keys.len()).expect("fewer than 2^32 keys fit in memory");
        self.keys.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }
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
