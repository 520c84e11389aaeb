//! The records of `weir.legs`: legs and control records, as bytes and back.
//!
//! The log is what detection depends on, and it is kept for weeks, so its form is versioned and read by the version it was written in. A
//! record is a version byte and a postcard encoding of fields in a fixed order; texts are borrowed from the message when read, so reading a
//! leg allocates nothing. Numbers stand for the members of closed lists by their place in the model's own `ALL`.

use serde::{Deserialize, Serialize};
use weir_model::division::DivisionBasis;
use weir_model::leg::{LegAmount, Tags};
use weir_model::transaction::Channel;
use weir_model::{Agreements, Currency, Day, Direction, Division, EventTime, Flags, Leg, LegKind, PartyKind, Profile};

/// Another with every change of the records below, the next is 3; what an earlier one wrote stays readable.
const VERSION: u8 = 1;
/// The same of a leg whose profile names a member, which stands behind it: legs of groups alone have one, and all others stay as short as they were.
const WITH_MEMBER: u8 = 2;

/// A record of the leg log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every record is a leg, and a box would be an allocation for each")]
pub enum Entry<'a> {
    /// One monitored side of a transaction.
    Leg(StampedLeg<'a>),
    /// Time has passed.
    Tick {
        /// Clock of the tick.
        clock: EventTime,
    },
    /// From now on another rule set.
    Switch {
        /// Instants later than this use it. The first set of a partition judges all of it, whatever this says: [`EventTime::MIN`], or how far time had come where
        /// the log was made anew.
        clock: EventTime,
        /// Content hash of the set.
        rules: &'a str,
    },
}

/// A leg with what the splitter stamped on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StampedLeg<'a> {
    /// Stamped clock of its transaction.
    pub clock: EventTime,
    /// Where its transaction was read.
    pub source: Source,
    /// The leg.
    pub leg: Leg<'a>,
    /// Name of the party; empty where not known.
    pub name: &'a str,
    /// Account of the party in this transaction; empty where not known.
    pub account: &'a str,
    /// What decided the party's division.
    pub basis: DivisionBasis,
}

/// A position in the transactions topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Source {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
}

/// Bytes that are no record of this or an earlier version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a record of the leg log that this version of weir can read")]
pub struct Unreadable;

#[derive(Serialize, Deserialize)]
#[expect(clippy::large_enum_variant, reason = "as for `Entry`")]
enum EntryRecord<'a> {
    #[serde(borrow)]
    Leg(LegRecord<'a>),
    Tick(i64),
    Switch(i64, &'a str),
}

#[derive(Serialize, Deserialize)]
struct LegRecord<'a> {
    clock: i64,
    source: (i32, i64),
    party: &'a str,
    txn_id: &'a str,
    direction: u8,
    kind: u8,
    target: &'a str,
    at: i64,
    currency: [u8; 3],
    minor: i64,
    cny: Option<i64>,
    usd: Option<i64>,
    counterparty: Option<&'a str>,
    counterparty_kind: u8,
    counterparty_division: u32,
    /// 0 where not known.
    channel: u8,
    flags: u16,
    tags: u16,
    balance_after: Option<i64>,
    profile: ProfileRecord<'a>,
    name: &'a str,
    account: &'a str,
    basis: u8,
}

#[derive(Serialize, Deserialize)]
struct ProfileRecord<'a> {
    kind: u8,
    division: u32,
    industry: &'a str,
    opened_at: Option<i32>,
    registered: bool,
    agreements: (u8, u32),
}

impl<'a> Entry<'a> {
    /// Appends the record's bytes.
    ///
    /// # Panics
    /// Never: writing to memory cannot fail.
    pub fn encode(&self, bytes: &mut Vec<u8>) {
        let (record, member) = match self {
            Self::Leg(leg) => (EntryRecord::Leg(LegRecord::of(leg)), leg.leg.profile.member),
            Self::Tick { clock } => (EntryRecord::Tick(clock.0), ""),
            Self::Switch { clock, rules } => (EntryRecord::Switch(clock.0, rules), ""),
        };
        bytes.push(if member.is_empty() { VERSION } else { WITH_MEMBER });
        postcard::to_io(&record, &mut *bytes).expect("memory takes every byte");
        if !member.is_empty() {
            postcard::to_io(member, bytes).expect("memory takes every byte");
        }
    }

    /// Reads a record.
    ///
    /// # Errors
    /// [`Unreadable`] for anything that [`Entry::encode`] did not write.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let Some((&version, record)) = bytes.split_first() else { return Err(Unreadable) };
        match (version, postcard::take_from_bytes(record)) {
            (VERSION, Ok((EntryRecord::Leg(leg), []))) => leg.stamped("").map(Self::Leg).ok_or(Unreadable),
            (WITH_MEMBER, Ok((EntryRecord::Leg(leg), member))) => match postcard::take_from_bytes(member) {
                Ok((member, [])) if !str::is_empty(member) => leg.stamped(member).map(Self::Leg).ok_or(Unreadable),
                _ => Err(Unreadable),
            },
            (VERSION, Ok((EntryRecord::Tick(clock), []))) => Ok(Self::Tick { clock: EventTime(clock) }),
            (VERSION, Ok((EntryRecord::Switch(clock, rules), []))) => Ok(Self::Switch { clock: EventTime(clock), rules }),
            _ => Err(Unreadable),
        }
    }
}

const MOVEMENT: u8 = 0;
const RETURN: u8 = 1;
const REMOVAL: u8 = 2;

impl<'a> LegRecord<'a> {
    fn of(stamped: &StampedLeg<'a>) -> Self {
        let leg = &stamped.leg;
        let (kind, target) = match leg.kind {
            LegKind::Movement => (MOVEMENT, ""),
            LegKind::Return => (RETURN, ""),
            LegKind::Removal { target } => (REMOVAL, target),
        };
        let channel = leg.channel.and_then(|channel| Channel::ALL.iter().position(|known| *known == channel));
        Self {
            clock: stamped.clock.0,
            source: (stamped.source.partition, stamped.source.offset),
            party: leg.party,
            txn_id: leg.txn_id,
            direction: u8::from(leg.direction == Direction::Out),
            kind,
            target,
            at: leg.at.0,
            currency: currency_code(leg.amount.currency),
            minor: leg.amount.minor,
            cny: leg.amount.cny,
            usd: leg.amount.usd,
            counterparty: leg.counterparty,
            counterparty_kind: leg.counterparty_kind.index(),
            counterparty_division: leg.counterparty_division.code(),
            channel: channel.and_then(|at| u8::try_from(at + 1).ok()).unwrap_or(0),
            flags: leg.flags.0,
            tags: leg.tags.0,
            balance_after: leg.balance_after,
            profile: ProfileRecord {
                kind: leg.profile.kind.index(),
                division: leg.profile.division.code(),
                industry: leg.profile.industry,
                opened_at: leg.profile.opened_at.map(|day| day.0),
                registered: leg.profile.registered,
                agreements: (leg.profile.agreements.bits(), leg.profile.agreements.payroll_people),
            },
            name: stamped.name,
            account: stamped.account,
            basis: u8::try_from(DivisionBasis::ALL.iter().position(|basis| *basis == stamped.basis).unwrap_or(0)).unwrap_or(0),
        }
    }

    fn stamped(&self, member: &'a str) -> Option<StampedLeg<'a>> {
        let kind = match self.kind {
            MOVEMENT => LegKind::Movement,
            RETURN => LegKind::Return,
            REMOVAL => LegKind::Removal { target: self.target },
            _ => return None,
        };
        let channel = match self.channel {
            0 => None,
            number => Some(*Channel::ALL.get(usize::from(number) - 1)?),
        };
        let profile = &self.profile;
        let leg = Leg {
            party: self.party,
            txn_id: self.txn_id,
            direction: if self.direction == 0 { Direction::In } else { Direction::Out },
            kind,
            at: EventTime(self.at),
            amount: LegAmount {
                currency: Currency::parse(std::str::from_utf8(&self.currency).ok()?)?,
                minor: self.minor,
                cny: self.cny,
                usd: self.usd,
            },
            counterparty: self.counterparty,
            counterparty_kind: party_kind(self.counterparty_kind)?,
            counterparty_division: Division::from_code(self.counterparty_division)?,
            channel,
            flags: Flags(self.flags),
            tags: Tags(self.tags),
            balance_after: self.balance_after,
            profile: Profile {
                kind: party_kind(profile.kind)?,
                division: Division::from_code(profile.division)?,
                industry: profile.industry,
                opened_at: profile.opened_at.map(Day),
                registered: profile.registered,
                agreements: Agreements::from_bits(profile.agreements.0, profile.agreements.1),
                member,
            },
        };
        let source = Source { partition: self.source.0, offset: self.source.1 };
        let basis = *DivisionBasis::ALL.get(usize::from(self.basis))?;
        Some(StampedLeg { clock: EventTime(self.clock), source, leg, name: self.name, account: self.account, basis })
    }
}

fn currency_code(currency: Currency) -> [u8; 3] {
    // A code has three letters by its type; what is no code reads back as none.
    currency.code().as_bytes().try_into().unwrap_or([0; 3])
}

fn party_kind(index: u8) -> Option<PartyKind> {
    PartyKind::ALL.get(usize::from(index)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leg() -> StampedLeg<'static> {
        let mut agreements = Agreements::default();
        agreements.insert(weir_model::AgreementKind::Payroll);
        agreements.payroll_people = 40;
        let leg = Leg {
            party: "c:B/1001",
            txn_id: "t1",
            direction: Direction::Out,
            kind: LegKind::Removal { target: "t0" },
            at: EventTime(1_767_294_245_000_000),
            amount: LegAmount { currency: Currency::USD, minor: 500, cny: None, usd: Some(500) },
            counterparty: Some("n:B/某某"),
            counterparty_kind: PartyKind::Internal,
            counterparty_division: Division::from_code(330_106).expect("six digits"),
            channel: Some(Channel::Other),
            flags: Flags::UNCONVERTED.with(Flags::CASH),
            tags: Tags(5),
            balance_after: Some(-7),
            profile: Profile {
                kind: PartyKind::Organisation,
                division: Division::from_code(530_822).expect("six digits"),
                industry: "6499",
                opened_at: Some(Day(20_000)),
                registered: true,
                agreements,
                member: "",
            },
        };
        StampedLeg {
            clock: leg.at,
            source: Source { partition: 3, offset: 1 << 40 },
            leg,
            name: "甲公司",
            account: "6222",
            basis: DivisionBasis::Record,
        }
    }

    fn check(entry: Entry<'_>) {
        let mut bytes = Vec::new();
        entry.encode(&mut bytes);
        assert_eq!(Entry::decode(&bytes), Ok(entry));
        for end in 0..bytes.len() {
            assert_eq!(Entry::decode(&bytes[..end]), Err(Unreadable), "cut at {end}");
        }
        bytes.push(0);
        assert_eq!(Entry::decode(&bytes), Err(Unreadable), "with something behind it");
    }

    #[test]
    fn records_come_back() {
        check(Entry::Leg(leg()));
        let plain = Leg { kind: LegKind::Movement, counterparty: None, channel: None, profile: Profile::default(), ..leg().leg };
        check(Entry::Leg(StampedLeg { leg: plain, name: "", account: "", ..leg() }));
        let profile = Profile { member: "c:B/7", ..Profile::default() };
        check(Entry::Leg(StampedLeg { leg: Leg { party: "g:B/ring", profile, ..plain }, ..leg() }));
        check(Entry::Tick { clock: EventTime(-1) });
        check(Entry::Switch { clock: EventTime::MIN, rules: "0123" });
    }

    /// A log lives for weeks: what an earlier version wrote stays readable.
    #[test]
    fn the_form_of_version_1_stays() {
        let mut bytes = Vec::new();
        Entry::Leg(leg()).encode(&mut bytes);
        Entry::Tick { clock: EventTime(1_767_294_245_000_000) }.encode(&mut bytes);
        assert_eq!(
            weir_model::digest::hex(&bytes),
            "010080cdfe9a88d6a3060680808080804008633a422f31303031027431010202743080cdfe9a88d6a306555344e8070001e807010a6e3a422fe69f90e69f9004fa921409811005010d0286b320043634393901c0b80201012809e794b2e585ace58fb8043632323203010180cdfe9a88d6a306"
        );
    }

    #[test]
    fn a_member_stands_behind_a_leg_of_version_1() {
        let mut expected = Vec::new();
        Entry::Leg(leg()).encode(&mut expected);
        expected[0] = 2;
        expected.extend_from_slice(b"\x05c:B/7");
        let plain = leg();
        let profile = Profile { member: "c:B/7", ..plain.leg.profile };
        let mut bytes = Vec::new();
        Entry::Leg(StampedLeg { leg: Leg { profile, ..plain.leg }, ..plain }).encode(&mut bytes);
        assert_eq!(bytes, expected);
    }
}
