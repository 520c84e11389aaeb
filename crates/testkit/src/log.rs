//! Logs as owned values and as text: what tests write down, what a failure prints, what the oracle reads.
//!
//! Text form, one row a line: `TIME PARTY in|out AMOUNT COUNTERPARTY TXN [WORD…]`, for example
//! `2024-02-03T10:15:00 c:A in 5000 p1 t1 natural cash div=330100`. `-` stands for no counterparty; a leading `+` joins the row to the record
//! of the row before; the row `switch` changes to the next rule set, `pass 30` lets days pass. Words are a kind of counterparty, a flag's name, a channel, or `key=value`
//! (see `word`). What [`Row`] shows, [`parse`] reads back. This module knows the reader's stamping (definition, section 1) and nothing of what
//! a log means.

use std::fmt;
use std::sync::Arc;

use chrono::{NaiveDateTime, TimeDelta};
use weir_model::leg::{LegAmount, Tags};
use weir_model::money::{AmountFormat, parse_amount};
use weir_model::{Agreements, Channel, Currency, Day, Direction, Division, EventTime, Flags, Leg, LegKind, PartyKind, Profile, Span};
use weir_rules::RuleSet;

/// What a leg does to the history, owned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OwnedKind {
    /// Money moved.
    Movement,
    /// Money moved back; neither payer nor payee.
    Return,
    /// Takes transaction `target` out.
    Removal {
        /// Serial of the transaction taken back.
        target: String,
    },
}

/// The party as stamped on a leg, owned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OwnedProfile {
    /// Kind.
    pub kind: PartyKind,
    /// Division.
    pub division: Division,
    /// GB/T 4754 class.
    pub industry: String,
    /// Opening day.
    pub opened_at: Option<Day>,
    /// Whether party data was there.
    pub registered: bool,
    /// Agreements in force.
    pub agreements: Agreements,
    /// Of a group's leg: the member.
    pub member: String,
}

/// A leg that owns its texts. Fields as in [`Leg`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedLeg {
    /// Party key.
    pub party: String,
    /// Serial.
    pub txn_id: String,
    /// Direction.
    pub direction: Direction,
    /// Kind.
    pub kind: OwnedKind,
    /// Event time.
    pub at: EventTime,
    /// Amount.
    pub amount: LegAmount,
    /// The other side.
    pub counterparty: Option<String>,
    /// Its kind.
    pub counterparty_kind: PartyKind,
    /// Its division.
    pub counterparty_division: Division,
    /// Channel.
    pub channel: Option<Channel>,
    /// Facts.
    pub flags: Flags,
    /// Memo tags.
    pub tags: Tags,
    /// Balance after it, in fen.
    pub balance_after: Option<i64>,
    /// The party.
    pub profile: OwnedProfile,
}

impl From<&Leg<'_>> for OwnedLeg {
    fn from(leg: &Leg<'_>) -> Self {
        Self {
            party: leg.party.to_owned(),
            txn_id: leg.txn_id.to_owned(),
            direction: leg.direction,
            kind: match leg.kind {
                LegKind::Movement => OwnedKind::Movement,
                LegKind::Return => OwnedKind::Return,
                LegKind::Removal { target } => OwnedKind::Removal { target: target.to_owned() },
            },
            at: leg.at,
            amount: leg.amount,
            counterparty: leg.counterparty.map(str::to_owned),
            counterparty_kind: leg.counterparty_kind,
            counterparty_division: leg.counterparty_division,
            channel: leg.channel,
            flags: leg.flags,
            tags: leg.tags,
            balance_after: leg.balance_after,
            profile: OwnedProfile {
                kind: leg.profile.kind,
                division: leg.profile.division,
                industry: leg.profile.industry.to_owned(),
                opened_at: leg.profile.opened_at,
                registered: leg.profile.registered,
                agreements: leg.profile.agreements,
                member: leg.profile.member.to_owned(),
            },
        }
    }
}

impl OwnedLeg {
    /// The borrowed form.
    #[must_use]
    pub fn as_leg(&self) -> Leg<'_> {
        Leg {
            party: &self.party,
            txn_id: &self.txn_id,
            direction: self.direction,
            kind: match &self.kind {
                OwnedKind::Movement => LegKind::Movement,
                OwnedKind::Return => LegKind::Return,
                OwnedKind::Removal { target } => LegKind::Removal { target },
            },
            at: self.at,
            amount: self.amount,
            counterparty: self.counterparty.as_deref(),
            counterparty_kind: self.counterparty_kind,
            counterparty_division: self.counterparty_division,
            channel: self.channel,
            flags: self.flags,
            tags: self.tags,
            balance_after: self.balance_after,
            profile: Profile {
                kind: self.profile.kind,
                division: self.profile.division,
                industry: &self.profile.industry,
                opened_at: self.profile.opened_at,
                registered: self.profile.registered,
                agreements: self.profile.agreements,
                member: &self.profile.member,
            },
        }
    }

    /// Whether the party is a group of related customers.
    #[must_use]
    pub fn is_group(&self) -> bool {
        self.party.starts_with("g:")
    }

    /// Whether the leg has all these flags.
    #[must_use]
    pub fn has(&self, flags: Flags) -> bool {
        self.flags.has(flags)
    }
}

/// A row of a log before stamping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Row {
    /// A leg; `joined` to the record of the leg before it, or beginning a record.
    Leg {
        /// Whether it belongs to the record of the leg before.
        joined: bool,
        /// The leg.
        leg: Box<OwnedLeg>,
    },
    /// The next rule set from here on.
    Switch,
    /// So many days pass without a record, each with a tick.
    Pass(u16),
}

/// An input of a partition: [`Row`]s with their record numbers and stamped clocks, and the ticks between them.
#[derive(Debug, Clone)]
pub enum Event {
    /// A leg.
    Leg {
        /// Record number, from 1.
        record: u64,
        /// Stamped clock.
        clock: EventTime,
        /// The leg.
        leg: Box<OwnedLeg>,
    },
    /// Time has passed.
    Tick {
        /// The record it comes before; the last record for the one at the end.
        record: u64,
        /// Clock of the tick.
        clock: EventTime,
    },
    /// Instants later than `clock` use these rules.
    Switch {
        /// The record it comes before.
        record: u64,
        /// The clock so far.
        clock: EventTime,
        /// The rules.
        rules: Arc<RuleSet>,
    },
}

/// Numbers and stamps rows as the reader of files does: `clock = max(clock, min(event time, clock + 1 d))`, a tick before the first record
/// whose clock passes a full hour, one at the end. The n-th [`Row::Switch`] brings in `later[n]`; without one it is left out.
#[must_use]
pub fn stamp(rows: &[Row], later: &[Arc<RuleSet>]) -> Vec<Event> {
    stamp_apart(rows, later, 1)
}

/// The same for records that come from several sources in turn, each with a clock of its own. Ticks come when the last of the sources passes
/// a full hour, at most a day apart; days without a row pass for the first source alone, as where the others are silent.
#[must_use]
pub fn stamp_apart(rows: &[Row], later: &[Arc<RuleSet>], sources: usize) -> Vec<Event> {
    let mut events = Vec::new();
    let mut later = later.iter();
    let mut record = 0;
    let mut clocks: Vec<Option<EventTime>> = vec![None; sources];
    let mut ticked: Option<EventTime> = None;
    let mut source = sources - 1;
    for row in rows {
        let now = clocks.iter().min().copied().flatten().max(ticked);
        match row {
            Row::Switch => {
                if let Some(rules) = later.next() {
                    let clock = now.unwrap_or(EventTime::MIN);
                    events.push(Event::Switch { record: record + 1, clock, rules: Arc::clone(rules) });
                }
            }
            Row::Pass(days) => {
                for _ in 0..*days {
                    let Some(clock) = clocks[0].max(ticked).filter(|_| now.is_some()).map(|clock| clock.plus(Span::days(1))) else { break };
                    tick(record + 1, clock, &mut ticked, &mut events);
                    clocks[0] = Some(clock);
                }
            }
            Row::Leg { joined, leg } => {
                if !joined || record == 0 {
                    record += 1;
                    source = (source + 1) % sources;
                    let clock = clocks[source].map_or(leg.at, |c| c.max(leg.at.min(c.plus(Span::days(1)))));
                    clocks[source] = Some(clock);
                    let passed = clocks.iter().min().copied().flatten().map(full_hour);
                    // One source ticks from the second record on, several once each has spoken.
                    let is_new = |hour: &EventTime| now.map_or(sources > 1, |before| *hour > full_hour(before));
                    if let Some(hour) = passed.filter(is_new) {
                        tick(record, hour, &mut ticked, &mut events);
                    }
                }
                let clock = clocks[source].expect("set with the first record");
                events.push(Event::Leg { record, clock, leg: leg.clone() });
            }
        }
    }
    if let (Some(first), Some(last)) = (clocks.iter().flatten().min(), clocks.iter().flatten().max()) {
        // Several sources leave days between; ticks of the same record as a leg would pass for earlier than it.
        let record = if sources > 1 { record + 1 } else { record };
        if sources > 1 && ticked.is_none() {
            tick(record, *first, &mut ticked, &mut events);
        }
        tick(record, ticked.max(Some(*last)).unwrap_or(*last), &mut ticked, &mut events);
    }
    events
}

/// A tick at `clock`, after one for each day since the last.
fn tick(record: u64, clock: EventTime, ticked: &mut Option<EventTime>, events: &mut Vec<Event>) {
    while let Some(next) = ticked.map(|ticked| ticked.plus(Span::days(1))).filter(|next| *next < clock) {
        events.push(Event::Tick { record, clock: next });
        *ticked = Some(next);
    }
    events.push(Event::Tick { record, clock });
    *ticked = Some(clock);
}

/// The last full hour at or before a moment.
fn full_hour(at: EventTime) -> EventTime {
    EventTime(at.0 - at.0.rem_euclid(Span::hours(1).0))
}

/// Names of flags in rows.
const FLAGS: [(&str, Flags); 12] = [
    ("cash", Flags::CASH),
    ("cross_border", Flags::CROSS_BORDER),
    ("own", Flags::OWN),
    ("same_name", Flags::SAME_NAME),
    ("securities", Flags::SECURITIES),
    ("retained", Flags::RETAINED),
    ("age_known", Flags::AGE_KNOWN),
    ("elderly", Flags::ELDERLY),
    ("has_time", Flags::HAS_TIME),
    ("has_memo", Flags::HAS_MEMO),
    ("exempt_term", Flags::EXEMPT_TERM),
    ("unconverted", Flags::UNCONVERTED),
];

/// Minor units as a decimal number of units.
#[must_use]
pub fn units(minor: i64, currency: Currency) -> String {
    let exponent = currency.exponent();
    if exponent == 0 {
        return minor.to_string();
    }
    let scale = 10_u64.pow(exponent);
    let sign = if minor < 0 { "-" } else { "" };
    let width = exponent as usize;
    format!("{sign}{}.{:0width$}", minor.unsigned_abs() / scale, minor.unsigned_abs() % scale)
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Switch => f.write_str("switch"),
            Self::Pass(days) => write!(f, "pass {days}"),
            Self::Leg { joined, leg } => write!(f, "{}{leg}", if *joined { "+ " } else { "" }),
        }
    }
}

impl fmt::Display for OwnedLeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.to_string();
        let direction = if self.direction == Direction::In { "in" } else { "out" };
        let amount = units(self.amount.minor, self.amount.currency);
        let counterparty = self.counterparty.as_deref().unwrap_or("-");
        write!(f, "{} {} {direction} {amount} {counterparty} {}", at.trim_end_matches("+08:00"), self.party, self.txn_id)?;
        match &self.kind {
            OwnedKind::Movement => {}
            OwnedKind::Return => f.write_str(" return")?,
            OwnedKind::Removal { target } => write!(f, " reverses={target}")?,
        }
        if self.counterparty_kind != PartyKind::Unknown {
            write!(f, " {}", self.counterparty_kind.name())?;
        }
        if self.amount.currency != Currency::CNY {
            write!(f, " currency={}", self.amount.currency)?;
        }
        let cny = self.amount.cny.filter(|_| self.amount.currency != Currency::CNY).map(|fen| units(fen, Currency::CNY));
        let usd = self.amount.usd.filter(|_| self.amount.currency != Currency::USD).map(|cents| units(cents, Currency::USD));
        let known = |division: Division| division.is_known().then(|| division.to_string());
        let agreements = self.profile.agreements;
        let words = [
            ("cny", cny),
            ("usd", usd),
            ("div", known(self.counterparty_division)),
            ("channel", self.channel.map(|channel| channel.name().to_owned())),
            ("tags", (self.tags.0 != 0).then(|| self.tags.0.to_string())),
            ("balance", self.balance_after.map(|fen| units(fen, Currency::CNY))),
            ("kind", (self.profile.kind != PartyKind::Unknown).then(|| self.profile.kind.name().to_owned())),
            ("home", known(self.profile.division)),
            ("industry", (!self.profile.industry.is_empty()).then(|| self.profile.industry.clone())),
            ("opened", self.profile.opened_at.map(|day| day.to_string())),
            ("agreements", self.profile.registered.then(|| format!("{}/{}", agreements.bits(), agreements.payroll_people))),
            ("member", (!self.profile.member.is_empty()).then(|| self.profile.member.clone())),
        ];
        for (key, value) in words {
            if let Some(value) = value {
                write!(f, " {key}={value}")?;
            }
        }
        for (name, flag) in FLAGS {
            if self.has(flag) {
                write!(f, " {name}")?;
            }
        }
        Ok(())
    }
}

/// Reads rows; empty lines and lines that begin with `#` are skipped. Every leg has a time of day unless it says otherwise by having no
/// `has_time`: tests that care write the flag.
///
/// # Errors
/// The line that cannot be read, and why.
pub fn parse(text: &str) -> Result<Vec<Row>, String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| parse_row(line).map_err(|why| format!("{line}: {why}"))).collect()
}

fn parse_row(line: &str) -> Result<Row, String> {
    if line == "switch" {
        return Ok(Row::Switch);
    }
    if let Some(days) = line.strip_prefix("pass ") {
        return days.parse().map(Row::Pass).map_err(|error| error.to_string());
    }
    let joined = line.starts_with('+');
    let words: Vec<&str> = line.trim_start_matches('+').split_whitespace().collect();
    let [at, party, direction, amount, counterparty, txn_id, rest @ ..] = words.as_slice() else {
        return Err("a row has at least six words".to_owned());
    };
    let currency = rest.iter().find_map(|w| w.strip_prefix("currency=")).and_then(Currency::parse).unwrap_or(Currency::CNY);
    let minor = money(amount, currency)?;
    let mut leg = OwnedLeg {
        party: (*party).to_owned(),
        txn_id: (*txn_id).to_owned(),
        direction: match *direction {
            "in" => Direction::In,
            "out" => Direction::Out,
            _ => return Err("a direction is in or out".to_owned()),
        },
        kind: OwnedKind::Movement,
        at: parse_time(at)?,
        amount: LegAmount {
            currency,
            minor,
            cny: (currency == Currency::CNY).then_some(minor),
            usd: (currency == Currency::USD).then_some(minor),
        },
        counterparty: (*counterparty != "-").then(|| (*counterparty).to_owned()),
        counterparty_kind: PartyKind::Unknown,
        counterparty_division: Division::UNKNOWN,
        channel: None,
        flags: Flags::default(),
        tags: Tags::default(),
        balance_after: None,
        profile: OwnedProfile::default(),
    };
    for text in rest {
        word(&mut leg, text)?;
    }
    Ok(Row::Leg { joined, leg: Box::new(leg) })
}

fn money(text: &str, currency: Currency) -> Result<i64, String> {
    parse_amount(text, currency, AmountFormat::default()).map_err(|error| error.to_string())
}

fn parse_time(text: &str) -> Result<EventTime, String> {
    let full = if text.len() == 16 { format!("{text}:00") } else { text.to_owned() };
    let local = NaiveDateTime::parse_from_str(&full, "%Y-%m-%dT%H:%M:%S%.f").map_err(|error| error.to_string())?;
    let utc = local - TimeDelta::hours(8);
    Ok(EventTime(utc.and_utc().timestamp_micros()))
}

/// One word after the six that every row has.
fn word(leg: &mut OwnedLeg, text: &str) -> Result<(), String> {
    if let Some((_, flag)) = FLAGS.iter().find(|(name, _)| *name == text) {
        leg.flags = leg.flags.with(*flag);
        return Ok(());
    }
    if let Some(kind) = PartyKind::parse(text) {
        leg.counterparty_kind = kind;
        return Ok(());
    }
    if text == "return" {
        leg.kind = OwnedKind::Return;
        return Ok(());
    }
    let (key, value) = text.split_once('=').ok_or_else(|| format!("unknown word {text}"))?;
    let bad = || format!("cannot read {text}");
    match key {
        "reverses" => leg.kind = OwnedKind::Removal { target: value.to_owned() },
        "currency" => {}
        "cny" => leg.amount.cny = Some(money(value, Currency::CNY)?),
        "usd" => leg.amount.usd = Some(money(value, Currency::USD)?),
        "div" => leg.counterparty_division = Division::parse(value).ok_or_else(bad)?,
        "channel" => leg.channel = Some(Channel::parse(value).ok_or_else(bad)?),
        "tags" => leg.tags = Tags(value.parse().map_err(|_| bad())?),
        "balance" => leg.balance_after = Some(balance(value).ok_or_else(bad)?),
        "kind" => leg.profile.kind = PartyKind::parse(value).ok_or_else(bad)?,
        "home" => leg.profile.division = Division::parse(value).ok_or_else(bad)?,
        "industry" => value.clone_into(&mut leg.profile.industry),
        "member" => value.clone_into(&mut leg.profile.member),
        "opened" => leg.profile.opened_at = Some(Day::parse(value).ok_or_else(bad)?),
        "agreements" => {
            let (bits, people) = value.split_once('/').ok_or_else(bad)?;
            leg.profile.agreements = Agreements::from_bits(bits.parse().map_err(|_| bad())?, people.parse().map_err(|_| bad())?);
            leg.profile.registered = true;
        }
        _ => return Err(format!("unknown word {text}")),
    }
    Ok(())
}

/// A balance may be zero or negative, which an amount may not.
fn balance(text: &str) -> Option<i64> {
    weir_model::money::parse_signed(text, Currency::CNY, AmountFormat::default()).ok()
}
