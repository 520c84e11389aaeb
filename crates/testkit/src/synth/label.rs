//! What the generator knows and the feed does not say: which movement, which customer belongs to what.

use weir_model::Day;

/// How something is to be judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Illegal fundraising.
    Scheme,
    /// Worth a look, and no false alert.
    Grey,
    /// Ordinary, however it looks.
    Benign,
}

impl Verdict {
    /// The name in label files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scheme => "scheme",
            Self::Grey => "grey",
            Self::Benign => "benign",
        }
    }
}

/// What a customer is within a scheme or a look-alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Whose scheme it is: accounts elsewhere, on which a part of the money ends.
    Organiser,
    /// Takes payments in.
    Collector,
    /// Holds what was collected.
    Pool,
    /// Pays people back.
    Payout,
    /// Pays in.
    Payer,
    /// Brings people, for a commission.
    Agent,
    /// A natural person's account that a scheme uses as its own; it has another role too.
    Mule,
    /// The account a look-alike turns around.
    Centre,
    /// All accounts of a scheme that the bank knows to belong together.
    Group,
}

impl Role {
    /// The name in label files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Organiser => "organiser",
            Self::Collector => "collector",
            Self::Pool => "pool",
            Self::Payout => "payout",
            Self::Payer => "payer",
            Self::Agent => "agent",
            Self::Mule => "mule",
            Self::Centre => "centre",
            Self::Group => "group",
        }
    }
}

/// Something that movements are part of: a scheme, or one instance of a look-alike family.
#[derive(Debug, Clone)]
pub struct Part {
    /// How it is to be judged.
    pub verdict: Verdict,
    /// Family of look-alikes, or theme of the scheme.
    pub family: &'static str,
    /// First and last day.
    pub span: (Day, Day),
    /// Customers in it, beside those who merely pay or are paid.
    pub members: Vec<(u32, Role)>,
}
