//! Windows, feature calls and feature values: what rules and the detector exchange.
//!
//! Values are exact: fen, millionths, microseconds. [`Value::Null`] means "cannot be evaluated", never zero.

use std::fmt;

use weir_model::time::MICROS_PER_DAY;
use weir_model::{AgreementKind, Calendar, Channel, Day, EventTime, PartyKind, Span};

use crate::catalogue::{Feature, ValueType};

/// Windows up to this length are exact; longer ones are whole calendar days (`raw_window_max`).
pub const EXACT_WINDOW_MAX: Span = Span::days(15);
/// The longest window a rule may name, in days.
pub const WINDOW_MAX_DAYS: u32 = 400;

/// A window as of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// (t − w, t], w up to 15 days.
    Exact(Span),
    /// The n whole calendar days ending with the day of t, n above 15.
    Days(u32),
    /// From the n-th working day counted back.
    WorkingDays(u32),
}

impl Window {
    /// Reads `14d`, `36h`, `10wd`. `None` for anything else, for lengths of zero, and above 400 days (250 working days).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(count) = text.strip_suffix("wd") {
            let count: u32 = count.parse().ok()?;
            return (1..=250).contains(&count).then_some(Self::WorkingDays(count));
        }
        let span = Span::parse(text)?;
        if span <= EXACT_WINDOW_MAX {
            return Some(Self::Exact(span));
        }
        let days = u32::try_from(span.0 / MICROS_PER_DAY).ok()?;
        (span.0 % MICROS_PER_DAY == 0 && days <= WINDOW_MAX_DAYS).then_some(Self::Days(days))
    }

    /// Whether it sees day rows rather than single legs.
    #[must_use]
    pub fn is_day_window(self) -> bool {
        !matches!(self, Self::Exact(_))
    }

    /// The most calendar days that it can touch. Of working days it is what the detector remembers for them (definition, section 9).
    pub(crate) fn days_most(self) -> i128 {
        match self {
            Self::Exact(span) => i128::from(span.0).saturating_add(i128::from(MICROS_PER_DAY) - 1) / i128::from(MICROS_PER_DAY) + 1,
            Self::Days(days) => days.into(),
            Self::WorkingDays(count) => 9 * i128::from(count) / 5 + 14,
        }
    }

    /// The first moment inside the window as of `t`.
    #[must_use]
    pub fn start(self, t: EventTime, calendar: &Calendar) -> EventTime {
        match self {
            Self::Exact(span) => t.minus(span).plus(Span(1)),
            Self::Days(_) | Self::WorkingDays(_) => self.first_day(t, calendar).start(),
        }
    }

    /// The day of the first moment inside the window as of `t`.
    #[must_use]
    pub fn first_day(self, t: EventTime, calendar: &Calendar) -> Day {
        match self {
            Self::Exact(span) => t.minus(span).plus(Span(1)).day(),
            Self::Days(days) => t.day().plus(1 - i32::try_from(days).unwrap_or(i32::MAX)),
            Self::WorkingDays(count) => calendar.working_window_start(t.day(), count),
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exact(span) => write!(f, "{span}"),
            Self::Days(days) => write!(f, "{days}d"),
            Self::WorkingDays(count) => write!(f, "{count}wd"),
        }
    }
}

/// An argument of a feature call, checked against the catalogue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arg {
    /// A window.
    Window(Window),
    /// A whole number.
    Int(i64),
    /// Fen.
    Money(i64),
    /// A channel.
    Channel(Channel),
    /// A tag: its bit in `model::leg::Tags`, and its name.
    Tag(u8, String),
    /// A list: its index in the rule set, and its name.
    List(usize, String),
    /// A kind of agreement.
    Agreement(AgreementKind),
    /// A kind of party.
    PartyKind(PartyKind),
    /// Id of a rule.
    RuleId(String),
}

impl fmt::Display for Arg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Window(window) => write!(f, "{window}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Money(fen) => write!(f, "{}", weir_model::Fen(*fen)),
            Self::Channel(channel) => f.write_str(channel.name()),
            Self::Tag(_, name) | Self::List(_, name) | Self::RuleId(name) => f.write_str(name),
            Self::Agreement(kind) => f.write_str(kind.name()),
            Self::PartyKind(kind) => f.write_str(kind.name()),
        }
    }
}

/// A feature with its arguments: one *slot* of a rule set, shared by all rules that name it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeatureCall {
    /// Which.
    pub feature: Feature,
    /// Arguments in the order of the catalogue.
    pub args: Vec<Arg>,
}

impl FeatureCall {
    /// The first window among the arguments.
    #[must_use]
    pub fn window(&self) -> Option<Window> {
        self.windows().next()
    }

    /// All windows among the arguments.
    pub fn windows(&self) -> impl Iterator<Item = Window> {
        self.args.iter().filter_map(|arg| match arg {
            Arg::Window(window) => Some(*window),
            _ => None,
        })
    }
}

impl fmt::Display for FeatureCall {
    /// `amount_in(14d)`; also the name of its Arrow column.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.feature)?;
        for (i, arg) in self.args.iter().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{arg}")?;
        }
        f.write_str(")")
    }
}

/// A value of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Value {
    /// Cannot be evaluated.
    Null,
    /// A count.
    Int(i64),
    /// Fen.
    Money(i128),
    /// Millionths.
    Ratio(i128),
    /// Microseconds.
    Duration(i64),
    /// True or false.
    Bool(bool),
}

impl Value {
    /// A ratio of one, in millionths.
    pub const RATIO_ONE: i128 = 1_000_000;

    /// `numerator / denominator` cut after six decimals; NULL where the denominator is zero.
    #[must_use]
    pub fn ratio(numerator: i128, denominator: i128) -> Self {
        if denominator == 0 {
            return Self::Null;
        }
        // Sums of fen stay below 2^80, so the product cannot leave i128; saturation would still be a comparison error, not a panic.
        Self::Ratio(numerator.saturating_mul(Self::RATIO_ONE) / denominator)
    }

    /// The type, `None` for NULL.
    #[must_use]
    pub fn value_type(self) -> Option<ValueType> {
        match self {
            Self::Null => None,
            Self::Int(_) => Some(ValueType::Int),
            Self::Money(_) => Some(ValueType::Money),
            Self::Ratio(_) => Some(ValueType::Ratio),
            Self::Duration(_) => Some(ValueType::Duration),
            Self::Bool(_) => Some(ValueType::Bool),
        }
    }
}
