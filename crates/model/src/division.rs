//! Administrative divisions: GB/T 2260 codes.
//!
//! Six digits: province (2), prefecture (2), county (2). Names are not kept here; sinks have them.

use std::fmt;

/// What decided a party's division: which office answers for it hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Serialize, serde::Deserialize)]
pub enum DivisionBasis {
    /// No division known.
    #[default]
    Unknown,
    /// Party data: where it operates.
    Operation,
    /// Party data: where it is registered.
    Registration,
    /// What a transaction said.
    Record,
}

impl DivisionBasis {
    /// Every basis.
    pub const ALL: [Self; 4] = [Self::Unknown, Self::Operation, Self::Registration, Self::Record];

    /// The name used in records; empty where nothing is known.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "",
            Self::Operation => "operation",
            Self::Registration => "registration",
            Self::Record => "record",
        }
    }
}

/// A GB/T 2260 code; [`Division::UNKNOWN`] where a record has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Division(u32);

impl Division {
    /// No division given.
    pub const UNKNOWN: Self = Self(0);

    /// Reads six digits of which the first two are not `00`. `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.len() != 6 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let code: u32 = text.parse().ok()?;
        (code >= 110_000).then_some(Self(code))
    }

    /// The largest number of a division: six digits.
    pub const CODE_MAX: u32 = 999_999;

    /// From a stored number; zero is [`Division::UNKNOWN`]. `None` for what has more than six digits.
    #[must_use]
    pub const fn from_code(code: u32) -> Option<Self> {
        if code > Self::CODE_MAX { None } else { Some(Self(code)) }
    }

    /// The number, 0 for unknown.
    #[must_use]
    pub const fn code(self) -> u32 {
        self.0
    }

    /// Whether a division is given.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.0 != 0
    }

    /// First two digits.
    #[must_use]
    pub const fn province(self) -> u32 {
        self.0 / 10_000
    }

    /// First four digits.
    #[must_use]
    pub const fn prefecture(self) -> u32 {
        self.0 / 100
    }
}

impl fmt::Display for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}
