//! What a feature's value is counted in: for telling it in words, and by how much something was missed.
//!
//! The type of a value is the catalogue's; a count of people and a count of days are both whole numbers, and only here they differ.

use crate::catalogue::Feature;

/// A unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// 人.
    People,
    /// Counterparties of any kind.
    Counterparties,
    /// 笔.
    Transactions,
    /// 天.
    Days,
    /// 批.
    Batches,
    /// Hits of a rule.
    Hits,
    /// Prefectures or provinces.
    Places,
    /// 去向.
    Outlets,
    /// Members of a group.
    Members,
    /// Yuan.
    Yuan,
    /// Percentage points.
    Points,
    /// Multiples of something.
    Multiples,
    /// A length of time.
    Time,
    /// Yes or no.
    None,
}

impl Unit {
    /// Its name in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.words().0
    }

    /// In Chinese, behind a number.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        self.words().1
    }

    /// In English, behind a number.
    #[must_use]
    pub const fn en(self) -> &'static str {
        self.words().2
    }

    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::People => ("people", "人", "people"),
            Self::Counterparties => ("counterparties", "个对手方", "counterparties"),
            Self::Transactions => ("transactions", "笔", "transactions"),
            Self::Days => ("days", "天", "days"),
            Self::Batches => ("batches", "批", "batches"),
            Self::Hits => ("hits", "次", "hits"),
            Self::Places => ("places", "个地区", "places"),
            Self::Outlets => ("outlets", "个去向", "outlets"),
            Self::Members => ("members", "户成员", "members"),
            Self::Yuan => ("yuan", "元", "yuan"),
            Self::Points => ("points", "个百分点", "percentage points"),
            Self::Multiples => ("multiples", "倍", "times"),
            Self::Time => ("time", "", ""),
            Self::None => ("none", "", ""),
        }
    }
}

impl Feature {
    /// What its values are counted in.
    #[must_use]
    pub const fn unit(self) -> Unit {
        match self {
            Self::NaturalPayers
            | Self::NaturalPayees
            | Self::FirstTimePayers
            | Self::FirstTimePayees
            | Self::PeriodicPayees
            | Self::Rebates
            | Self::SharedPayers
            | Self::AgreementPeople => Unit::People,
            Self::Payers | Self::Payees | Self::ListHits => Unit::Counterparties,
            Self::InCount | Self::OutCount | Self::NearLimit => Unit::Transactions,
            Self::ActiveDays
            | Self::BatchPeriod
            | Self::CommissionDays
            | Self::CashDaysIn
            | Self::CashDaysOut
            | Self::OrganisationDaysIn
            | Self::SamePayeeDays => Unit::Days,
            Self::OutBatches => Unit::Batches,
            Self::RuleHits => Unit::Hits,
            Self::PayerPrefectures | Self::PayerProvinces => Unit::Places,
            Self::Outlets => Unit::Outlets,
            Self::CollectingMembers => Unit::Members,
            Self::FirstTimeSurge | Self::InflowRatio | Self::SpreadOut => Unit::Multiples,
            Self::NaturalAmountOut
            | Self::OrganisationAmountIn
            | Self::AmountIn
            | Self::AmountOut
            | Self::AmountPerPayer
            | Self::Retained
            | Self::MedianIn
            | Self::MedianOut => Unit::Yuan,
            Self::HoldingTime | Self::DormantBefore | Self::AccountAge => Unit::Time,
            Self::HasAgreement | Self::SubjectIs => Unit::None,
            Self::PassThrough
            | Self::PassThroughBefore
            | Self::NaturalShareOut
            | Self::NaturalPayerShare
            | Self::OverdueShare
            | Self::TopShareIn
            | Self::TopShareOut
            | Self::HhiIn
            | Self::HhiOut
            | Self::BalanceLeft
            | Self::LowBalanceDays
            | Self::RoundShareIn
            | Self::RoundShareOut
            | Self::ModalShareIn
            | Self::ModalShareOut
            | Self::SmallShareOut
            | Self::CashShareIn
            | Self::CashShareOut
            | Self::CrossBorderShare
            | Self::NightShare
            | Self::HolidayShare
            | Self::ChannelShare
            | Self::MemoShareIn
            | Self::MemoShareOut
            | Self::ElderlyShare
            | Self::BatchRegularity
            | Self::BatchOverlap
            | Self::BatchModalShare
            | Self::RepaidShare
            | Self::PayoutRatio
            | Self::PayoutRatioSpread => Unit::Points,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::{CATALOGUE, ValueType};

    #[test]
    fn units_are_those_of_the_type() {
        for entry in CATALOGUE {
            let unit = entry.feature.unit();
            let fits = match entry.result {
                ValueType::Int => !matches!(unit, Unit::Yuan | Unit::Points | Unit::Multiples | Unit::Time | Unit::None),
                ValueType::Money => unit == Unit::Yuan,
                ValueType::Ratio => matches!(unit, Unit::Points | Unit::Multiples),
                ValueType::Duration => unit == Unit::Time,
                ValueType::Bool => unit == Unit::None,
            };
            assert!(fits, "{}", entry.name);
        }
    }
}
