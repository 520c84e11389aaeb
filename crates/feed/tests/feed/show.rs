//! Runs a reader over texts and writes down what comes out, one line a leg, reject or tick.

use std::fmt::Write as _;
use std::sync::Arc;

use weir_feed::{Error, Input, Mapping, Options, Parties, Reader, RecordBatch, Step};
use weir_model::{Flags, Leg, LegKind};

/// Everything a run may be given.
#[derive(Default)]
pub(crate) struct Run<'a> {
    pub(crate) feed: &'a str,
    pub(crate) inputs: Vec<Input>,
    pub(crate) parties: &'a str,
    pub(crate) options: Options,
}

impl Run<'_> {
    pub(crate) fn open(&self) -> Result<Reader, Error> {
        let mapping = if self.feed.is_empty() { Mapping::default() } else { Mapping::parse(self.feed, "feed.yaml")? };
        let parties = match self.parties {
            "" => Parties::default(),
            text => Parties::read(&Input::bytes("parties.csv", text), mapping.institution())?,
        };
        Reader::open(&self.inputs, mapping, Arc::new(parties), self.options.clone())
    }

    /// The run as lines; an error is a line too.
    pub(crate) fn lines(&self) -> Vec<String> {
        let reader = match self.open() {
            Ok(reader) => reader,
            Err(error) => return error.to_string().lines().map(|line| format!("error: {line}")).collect(),
        };
        read(reader)
    }
}

pub(crate) fn read(reader: Reader) -> Vec<String> {
    let mut lines = Vec::new();
    for batch in reader {
        match batch {
            Ok(batch) => lines.extend(lines_of(&batch)),
            Err(error) => lines.push(format!("error: {error}")),
        }
    }
    lines
}

/// Ticks, legs and rejects in the order of the log.
fn lines_of(batch: &RecordBatch) -> Vec<String> {
    let steps = batch.steps(0, 1).map(|step| match step {
        Step::Tick(tick) => (tick.record, format!("tick before {} at {}", tick.record, tick.clock)),
        Step::Leg { record, view, .. } => (record, format!("{record} {}", leg(&view.leg))),
    });
    let rejects = batch.rejects().map(|reject| {
        let field = if reject.field.is_empty() { String::new() } else { format!(" {}", reject.field) };
        let line = format!("{} {}:{} {}{field}", reject.number, reject.place.source, reject.place.line, reject.reason.code());
        (reject.number, line)
    });
    let mut lines: Vec<(u64, String)> = steps.chain(rejects).collect();
    lines.sort_by_key(|(record, _)| *record);
    lines.into_iter().map(|(_, line)| line).collect()
}

/// A leg on one line: what is empty, unknown or usual is left out.
pub(crate) fn leg(leg: &Leg<'_>) -> String {
    let mut line = format!("{:?} {} {} {} {}", leg.direction, leg.party, leg.txn_id, leg.at, leg.amount.minor);
    if leg.amount.currency.code() != "CNY" || leg.amount.usd.is_some() {
        let _ = write!(line, " {} cny={:?} usd={:?}", leg.amount.currency, leg.amount.cny, leg.amount.usd);
    }
    match leg.kind {
        LegKind::Movement => {}
        LegKind::Return => line.push_str(" return"),
        LegKind::Removal { target } => {
            let _ = write!(line, " removes {target}");
        }
    }
    let _ = write!(line, " | {}", leg.counterparty.unwrap_or("nobody"));
    for (text, is_shown) in [
        (leg.counterparty_kind.name().to_owned(), leg.counterparty_kind != weir_model::PartyKind::Unknown),
        (leg.counterparty_division.to_string(), leg.counterparty_division.is_known()),
        (leg.channel.map_or("", |channel| channel.name()).to_owned(), leg.channel.is_some()),
        (flags(leg.flags), !matches!(flags(leg.flags).as_str(), "" | "TIME")),
        (format!("tags={:b}", leg.tags.0), leg.tags.0 != 0),
        (format!("balance={}", leg.balance_after.unwrap_or(0)), leg.balance_after.is_some()),
    ] {
        if is_shown {
            let _ = write!(line, " {text}");
        }
    }
    let profile = leg.profile;
    if profile != weir_model::Profile::default() {
        let _ = write!(line, " | {}", profile.kind.name());
        for (text, is_shown) in [
            (profile.division.to_string(), profile.division.is_known()),
            (profile.industry.to_owned(), !profile.industry.is_empty()),
            (profile.opened_at.map_or(String::new(), |day| day.to_string()), profile.opened_at.is_some()),
            ("registered".to_owned(), profile.registered),
            (format!("agreements={:b}/{}", profile.agreements.bits(), profile.agreements.payroll_people), profile.agreements.bits() != 0),
            (format!("member={}", profile.member), !profile.member.is_empty()),
        ] {
            if is_shown {
                let _ = write!(line, " {text}");
            }
        }
    }
    line
}

fn flags(flags: Flags) -> String {
    let names = [
        (Flags::CASH, "CASH"),
        (Flags::CROSS_BORDER, "CROSS_BORDER"),
        (Flags::OWN, "OWN"),
        (Flags::SAME_NAME, "SAME_NAME"),
        (Flags::SECURITIES, "SECURITIES"),
        (Flags::RETAINED, "RETAINED"),
        (Flags::AGE_KNOWN, "AGE_KNOWN"),
        (Flags::ELDERLY, "ELDERLY"),
        (Flags::HAS_TIME, "TIME"),
        (Flags::HAS_MEMO, "MEMO"),
        (Flags::EXEMPT_TERM, "EXEMPT_TERM"),
        (Flags::UNCONVERTED, "UNCONVERTED"),
    ];
    names.into_iter().filter(|(flag, _)| flags.has(*flag)).map(|(_, name)| name).collect::<Vec<_>>().join("+")
}

/// A run over one input.
pub(crate) fn run<'a>(feed: &'a str, name: &str, bytes: impl Into<Vec<u8>>) -> Run<'a> {
    Run { feed, inputs: vec![Input::bytes(name, bytes)], ..Run::default() }
}

/// Reads `bytes` through `feed` and compares.
pub(crate) fn check(feed: &str, name: &str, bytes: impl Into<Vec<u8>>, expected: &[&str]) {
    assert_eq!(run(feed, name, bytes).lines(), expected, "{name}");
}
