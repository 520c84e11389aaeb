//! Why a feature could not be evaluated: which data a party's records lack, or what has not happened yet.
//!
//! Derived from the catalogue's meanings, cause by cause, so that a person who asks why a rule was silent is told what to bring rather than
//! that something is NULL. A feature with several causes lists them all: a value does not say which of them it was. Decides nothing.

use crate::catalogue::Feature;

/// A cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lack {
    /// Kinds of counterparties.
    CounterpartyKinds,
    /// Birth years of payers.
    BirthYears,
    /// Divisions of payers.
    Divisions,
    /// Channels.
    Channels,
    /// Memos.
    Memos,
    /// Times of day.
    TimesOfDay,
    /// Balances.
    Balances,
    /// The party's row in the party data.
    PartyData,
    /// The day its account was opened.
    OpeningDay,
    /// Its kind.
    OwnKind,
    /// Head count of a payroll agreement.
    HeadCount,
    /// A past as long as the window.
    Past,
    /// Money that came in.
    Inflow,
    /// Money that went out.
    Outflow,
    /// Anything at all.
    Traffic,
    /// Money that went out after it had come in.
    Matches,
    /// Natural payers.
    NaturalPayers,
    /// Natural payees.
    NaturalPayees,
    /// Five people who are paid and had paid in.
    PaidBack,
    /// Batches.
    Batches,
    /// Two batches.
    TwoBatches,
    /// An earlier leg.
    EarlierLeg,
    /// Money that came in before the window.
    EarlierInflow,
    /// People who are paid at a steady period.
    SteadyPayees,
}

impl Lack {
    /// Its name in JSON.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.words().0
    }

    /// In Chinese.
    #[must_use]
    pub const fn zh(self) -> &'static str {
        self.words().1
    }

    /// In English.
    #[must_use]
    pub const fn en(self) -> &'static str {
        self.words().2
    }

    /// Whether better data would mend it; else it is the party's behaviour: nothing of the kind has happened in the window.
    #[must_use]
    pub const fn is_of_data(self) -> bool {
        (self as u8) <= Self::Past as u8
    }

    const fn words(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::CounterpartyKinds => (
                "counterparty_kinds",
                "流水没有写明对手方类型（payer_kind、payee_kind，或客户资料）",
                "the kind of no counterparty is known (payer_kind, payee_kind, or party data)",
            ),
            Self::BirthYears => (
                "birth_years",
                "出生年份已知的付款人不足三成（payer_birth_year）",
                "the birth year of fewer than 30 % of payers is known (payer_birth_year)",
            ),
            Self::Divisions => (
                "divisions",
                "地区已知的付款方不足三成（payer_division）",
                "the division of fewer than 30 % of payers is known (payer_division)",
            ),
            Self::Channels => {
                ("channels", "渠道已知的流水不足三成（channel）", "the channel of fewer than 30 % of transactions is known (channel)")
            }
            Self::Memos => {
                ("memos", "有附言的流水不足三成（memo、purpose）", "fewer than 30 % of transactions have a memo (memo, purpose)")
            }
            Self::TimesOfDay => (
                "times_of_day",
                "有具体时刻的流水不足三成（occurred_at 只有日期）",
                "fewer than 30 % of transactions have a time of day (occurred_at gives dates only)",
            ),
            Self::Balances => ("balances", "流水没有余额（balance_after）", "no transaction states a balance (balance_after)"),
            Self::PartyData => (
                "party_data",
                "主体没有在客户资料中登记，协议无从得知（--parties）",
                "the party is not in the party data, so its agreements are unknown (--parties)",
            ),
            Self::OpeningDay => {
                ("opening_day", "开户日未知（客户资料 opened_at）", "the opening day is unknown (opened_at in the party data)")
            }
            Self::OwnKind => (
                "own_kind",
                "主体类型未知（客户资料 kind，或流水中的类型）",
                "the party's kind is unknown (kind in the party data or in transactions)",
            ),
            Self::HeadCount => (
                "head_count",
                "代发协议没有载明人数，或没有代发协议",
                "no payroll agreement with a head count is known (agreements in the party data)",
            ),
            Self::Past => (
                "past",
                "历史短于所看的区间，且不知是否为新开户（补送更早的流水，或在客户资料写明 opened_at）",
                "its past is shorter than the window, and it is not known to be new (bring earlier transactions, or opened_at)",
            ),
            Self::Inflow => ("inflow", "窗口内没有转入", "nothing came in within the window"),
            Self::Outflow => ("outflow", "窗口内没有转出", "nothing went out within the window"),
            Self::Traffic => ("traffic", "窗口内没有流水", "there are no transactions within the window"),
            Self::Matches => ("matches", "窗口内没有先转入、后转出的资金", "no money came in and then went out within the window"),
            Self::NaturalPayers => ("natural_payers", "窗口内没有自然人付款方", "no natural person paid in within the window"),
            Self::NaturalPayees => ("natural_payees", "窗口内没有付给自然人", "no natural person was paid within the window"),
            Self::PaidBack => ("paid_back", "曾付款又收款的不足五人", "fewer than five people were paid who had paid in"),
            Self::Batches => ("batches", "窗口内没有批量付款", "nobody was paid in batches within the window"),
            Self::TwoBatches => ("two_batches", "窗口内批量付款不足两次", "there are fewer than two batches within the window"),
            Self::EarlierLeg => ("earlier_leg", "此前没有流水", "there is no earlier transaction"),
            Self::EarlierInflow => ("earlier_inflow", "窗口之前的区间内没有转入", "nothing came in before the window"),
            Self::SteadyPayees => ("steady_payees", "没有定期收款人", "nobody is paid at a steady period"),
        }
    }
}

impl Feature {
    /// Why it may be impossible to evaluate; empty where it always has a value.
    #[must_use]
    pub const fn lacks(self) -> &'static [Lack] {
        use Lack as L;
        match self {
            Self::InCount
            | Self::OutCount
            | Self::AmountIn
            | Self::AmountOut
            | Self::Payers
            | Self::Payees
            | Self::Outlets
            | Self::Retained
            | Self::FirstTimePayers
            | Self::FirstTimePayees
            | Self::ActiveDays
            | Self::CashDaysIn
            | Self::CashDaysOut
            | Self::SamePayeeDays
            | Self::NearLimit
            | Self::OutBatches
            | Self::NaturalAmountOut
            | Self::OrganisationAmountIn
            | Self::CollectingMembers
            | Self::SharedPayers
            | Self::OrganisationDaysIn
            | Self::CommissionDays
            | Self::PeriodicPayees
            | Self::Rebates
            | Self::ListHits
            | Self::RuleHits => &[],
            Self::NaturalPayers | Self::NaturalPayees => &[L::CounterpartyKinds],
            Self::AmountPerPayer => &[L::CounterpartyKinds, L::NaturalPayers],
            Self::PassThrough | Self::TopShareIn | Self::HhiIn | Self::CashShareIn | Self::RoundShareIn | Self::ModalShareIn => {
                &[L::Inflow]
            }
            Self::TopShareOut | Self::HhiOut | Self::CashShareOut | Self::RoundShareOut | Self::ModalShareOut => &[L::Outflow],
            Self::FirstTimeSurge => &[L::Past],
            Self::InflowRatio => &[L::Past, L::EarlierInflow],
            Self::HoldingTime => &[L::Matches],
            Self::PassThroughBefore => &[L::EarlierInflow],
            Self::NaturalPayerShare => &[L::CounterpartyKinds, L::Inflow],
            Self::NaturalShareOut => &[L::CounterpartyKinds, L::Outflow],
            Self::OverdueShare => &[L::SteadyPayees],
            Self::BalanceLeft | Self::LowBalanceDays => &[L::Balances, L::Inflow],
            Self::SmallShareOut | Self::RepaidShare | Self::MedianOut | Self::SpreadOut => &[L::CounterpartyKinds, L::NaturalPayees],
            Self::MedianIn => &[L::CounterpartyKinds, L::NaturalPayers],
            Self::CrossBorderShare | Self::HolidayShare => &[L::Traffic],
            Self::NightShare => &[L::TimesOfDay, L::Traffic],
            Self::ChannelShare => &[L::Channels, L::Traffic],
            Self::MemoShareIn => &[L::Memos, L::Inflow],
            Self::MemoShareOut => &[L::Memos, L::Outflow],
            Self::ElderlyShare => &[L::BirthYears, L::NaturalPayers],
            Self::PayerPrefectures | Self::PayerProvinces => &[L::Divisions, L::Inflow],
            Self::DormantBefore => &[L::EarlierLeg],
            Self::AccountAge => &[L::OpeningDay],
            Self::BatchPeriod | Self::BatchRegularity | Self::BatchOverlap => &[L::TwoBatches],
            Self::BatchModalShare => &[L::Batches],
            Self::PayoutRatio | Self::PayoutRatioSpread => &[L::PaidBack],
            Self::HasAgreement => &[L::PartyData],
            Self::AgreementPeople => &[L::PartyData, L::HeadCount],
            Self::SubjectIs => &[L::OwnKind],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::CATALOGUE;

    #[test]
    fn what_may_be_null_says_why() {
        for entry in CATALOGUE {
            let may_be_null = entry.meaning_zh.contains("NULL");
            assert_eq!(may_be_null, !entry.feature.lacks().is_empty(), "{}", entry.name);
        }
    }

    #[test]
    fn causes_of_data_stand_before_those_of_behaviour() {
        assert!(Lack::Past.is_of_data() && Lack::CounterpartyKinds.is_of_data() && !Lack::Inflow.is_of_data());
        for entry in CATALOGUE {
            assert!(entry.feature.lacks().is_sorted(), "{}", entry.name);
        }
    }
}
