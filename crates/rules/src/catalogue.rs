//! The feature catalogue: every function a rule may call, with its arguments, type, cost and meaning.
//!
//! Owns the *signatures* and the wording that people read (`weir rule features`). The values are computed in `weir-engine`, one file a
//! feature, and recomputed naively by the oracle; the `meaning` texts here are what both implement. Adding a feature: one entry here, one
//! file in `engine/src/feature/`, one function in the oracle; the compiler names the places.

use std::fmt;

/// What a feature yields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// A count.
    Int,
    /// Yuan, exact; stored in fen.
    Money,
    /// Six decimals, cut; stored in millionths.
    Ratio,
    /// Microseconds.
    Duration,
    /// True or false.
    Bool,
}

/// What stands in an argument place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgKind {
    /// A window: `'14d'`, `'36h'`, `'10wd'`.
    Window,
    /// A window above 15 days.
    LongWindow,
    /// A whole number of at least the bound.
    Int(i64),
    /// Yuan, more than zero.
    Money,
    /// One of the channels of a record.
    Channel,
    /// A tag of the tag file.
    Tag,
    /// A list of the rule set.
    List,
    /// A kind of agreement.
    Agreement,
    /// A kind of party.
    PartyKind,
    /// The id of a rule.
    RuleId,
}

/// How a value comes about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    /// A running aggregate or a stored fact: computed for every row that any rule looks at.
    Cheap,
    /// Scans the party's window: computed only for rows that passed the cheap conditions.
    Costly,
}

/// Which windows a feature takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Windows {
    /// Any window up to 400 days.
    Any,
    /// Needs single legs: windows up to 15 days, no `wd`.
    SingleLegs,
    /// Takes none.
    None,
}

/// One entry.
#[derive(Debug)]
pub struct Entry {
    /// The feature.
    pub feature: Feature,
    /// Name in conditions.
    pub name: &'static str,
    /// Arguments in order.
    pub args: &'static [ArgKind],
    /// Result.
    pub result: ValueType,
    /// Cost.
    pub cost: Cost,
    /// Windows it takes.
    pub windows: Windows,
    /// Name in Chinese, for explanations.
    pub zh: &'static str,
    /// Exact meaning; terms as in `docs/definition.md`.
    pub meaning: &'static str,
}

macro_rules! catalogue {
    ($( $variant:ident $name:literal [$($arg:expr),*] $result:ident $cost:ident $windows:ident $zh:literal $meaning:literal )*) => {
        /// A feature of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature { $( #[doc = $meaning] $variant, )* }

        /// Every feature, in the order they are listed to people.
        pub const CATALOGUE: &[Entry] = &[ $( Entry {
            feature: Feature::$variant, name: $name, args: &[$($arg),*], result: ValueType::$result, cost: Cost::$cost,
            windows: Windows::$windows, zh: $zh, meaning: $meaning,
        }, )* ];
    };
}

use ArgKind::{Agreement, Channel, Int as Whole, List, LongWindow, Money as Yuan, PartyKind, RuleId, Tag, Window};

catalogue! {
    // Counts, sums and distinct counterparties: running aggregates.
    InCount "in_count" [Window] Int Cheap Any "转入笔数" "Counted In legs."
    OutCount "out_count" [Window] Int Cheap Any "转出笔数" "Counted Out legs."
    AmountIn "amount_in" [Window] Money Cheap Any "转入金额" "Sum of counted In legs."
    AmountOut "amount_out" [Window] Money Cheap Any "转出金额" "Sum of counted Out legs."
    Payers "payers" [Window] Int Cheap Any "付款方数" "Distinct payers."
    Payees "payees" [Window] Int Cheap Any "收款方数" "Distinct payees."
    NaturalPayers "natural_payers" [Window] Int Cheap Any "转入人数" "Distinct natural payers. NULL when there are counted In movements with a counterparty and less than 30 % of them (by leg) state its kind."
    NaturalPayees "natural_payees" [Window] Int Cheap Any "收款人数" "Distinct natural payees. NULL when there are counted Out movements with a counterparty and less than 30 % of them (by leg) state its kind."
    PassThrough "pass_through" [Window] Ratio Cheap Any "转出转入比" "amount_out / amount_in; NULL when nothing came in."

    // Concentration.
    TopShareIn "top_share_in" [Window, Whole(1)] Ratio Costly Any "前k付款方占比" "Sum of the k largest payers (their In movements) over amount_in; NULL when nothing came in."
    TopShareOut "top_share_out" [Window, Whole(1)] Ratio Costly Any "前k去向占比" "Sum of the k largest outlets over amount_out; NULL when nothing went out."
    HhiIn "hhi_in" [Window] Ratio Costly Any "转入集中度" "Herfindahl index of payers: sum over payers of (their share of amount_in) squared, computed as (sum of squares) / (amount_in squared); NULL when nothing came in."
    HhiOut "hhi_out" [Window] Ratio Costly Any "转出集中度" "Herfindahl index of outlets over amount_out, as hhi_in."
    Outlets "outlets" [Window] Int Costly Any "去向数" "Distinct outlets."
    Retained "retained" [Window] Money Costly Any "留存金额" "RETAINED Out legs less RETAINED In legs in the window, not below zero: money put into own deposits and wealth products."

    // Who is new.
    FirstTimePayers "first_time_payers" [Window] Int Costly Any "首次转入人数" "Natural payers of the window whose first In movement in all history lies in it."
    FirstTimePayees "first_time_payees" [Window] Int Costly Any "首次收款人数" "Natural payees of the window whose first Out movement in all history lies in it."

    // How long money stays.
    HoldingTime "holding_time" [Window] Duration Costly Any "资金停留时间" "Counted Out amounts are matched to the earliest unmatched counted In amounts before them in order (first in, first out); the holding time of the median matched fen: the smallest duration d such that the sum matched with duration at most d, doubled, is at least the total matched. Day windows: whole days, In before Out within a day. NULL when nothing matches."
    BalanceLeft "balance_left" [Window] Ratio Costly SingleLegs "余额占比" "Balance after the last live leg of the window (OWN and RETAINED included) that states one, over amount_in; NULL without such a leg or without inflow. A negative balance counts as zero."
    LowBalanceDays "low_balance_days" [Window] Ratio Costly SingleLegs "日终低余额天数占比" "Of the Shanghai days in the window with counted inflow in the window whose last live leg in the window that states a balance exists, the share on which that balance is at most 5 % of that inflow; NULL without such days."
    ActiveDays "active_days" [Window] Int Costly Any "活跃天数" "Distinct days with a counted leg."

    // Amounts that are too regular.
    RoundShareIn "round_share_in" [Window, Yuan] Ratio Costly SingleLegs "转入整数倍占比" "Share of counted In legs whose amount is a whole multiple of the argument; NULL without In legs. UNCONVERTED legs are left out."
    RoundShareOut "round_share_out" [Window, Yuan] Ratio Costly SingleLegs "转出整数倍占比" "As round_share_in, of Out legs."
    ModalShareIn "modal_share_in" [Window] Ratio Costly SingleLegs "转入众数金额占比" "Share of counted In legs that have the most frequent amount; NULL without In legs. UNCONVERTED legs are left out."
    ModalShareOut "modal_share_out" [Window] Ratio Costly SingleLegs "转出众数金额占比" "As modal_share_in, of Out legs."
    NearLimit "near_limit" [Window] Int Costly SingleLegs "接近大额标准笔数" "Counted legs whose amount is at least 90 % of, and below, the RMB limit of their item of Article 5 (definition section 8). UNCONVERTED legs are left out."
    SmallShareOut "small_share_out" [Window, Yuan] Ratio Costly Any "小额付款占比" "A payment is what one natural payee was paid on one day (movements). Share of payments of at most the argument; NULL without payments."

    // What kind of traffic.
    CashShareIn "cash_share_in" [Window] Ratio Costly Any "现金转入占比" "Cash part of amount_in; NULL when nothing came in."
    CashShareOut "cash_share_out" [Window] Ratio Costly Any "现金转出占比" "Cash part of amount_out; NULL when nothing went out."
    CrossBorderShare "cross_border_share" [Window] Ratio Costly Any "跨境占比" "Cross-border part of amount_in + amount_out; NULL when both are zero."
    NightShare "night_share" [Window] Ratio Costly SingleLegs "夜间占比" "Share of counted legs at 22:00–06:00 (Shanghai) among those with a time of day; NULL when fewer than 30 % have one, or without legs."
    HolidayShare "holiday_share" [Window] Ratio Costly Any "节假日占比" "Share of counted legs on days that are not working days; NULL without legs."
    ChannelShare "channel_share" [Window, Channel] Ratio Costly SingleLegs "渠道占比" "Share of counted legs by that channel among those whose channel is known; NULL when fewer than 30 % are known, or without legs."
    MemoShareIn "memo_share_in" [Window, Tag] Ratio Costly SingleLegs "转入附言占比" "Share of counted In legs with that tag among those with a memo; NULL when fewer than 30 % have one, or without In legs."
    MemoShareOut "memo_share_out" [Window, Tag] Ratio Costly SingleLegs "转出附言占比" "As memo_share_in, of Out legs."
    ElderlyShare "elderly_share" [Window] Ratio Costly Any "老年付款人占比" "Share of 60 or older among the distinct natural payers whose age is known (known in some In movement of the window; elderly if any such says so); NULL when fewer than 30 % are known, or without natural payers."
    PayerPrefectures "payer_prefectures" [Window] Int Costly Any "付款方地市数" "Distinct prefectures of payers' In movements whose division is known; NULL when fewer than 30 % of the distinct payers have a known division, or without payers."
    PayerProvinces "payer_provinces" [Window] Int Costly Any "付款方省份数" "As payer_prefectures, of provinces."

    // The party against its own past.
    DormantBefore "dormant_before" [Window] Duration Costly Any "此前沉寂时间" "Whole days from the last counted leg on a day before the window's first counted leg that lies outside the window, to that first counted leg; legs whose counterparty is internal are ignored throughout. NULL when there is no such earlier leg in all history, or no leg in the window."
    AccountAge "account_age" [] Duration Cheap None "开户时长" "Whole days from the profile's opening day to the day of t, not below zero; NULL when unknown."
    InflowRatio "inflow_ratio" [Window, LongWindow] Ratio Costly Any "转入相对历史倍数" "amount_in of the first window over the mean inflow of the rest of the second, scaled to the length of the first: amount_in(w) × (days(h) − days(w)) / ((amount_in(h) − amount_in(w)) × days(w)), with days = whole days of the window rounded up (wd windows: their calendar days as of t). NULL when the party's history_from is later than the first day of h, when h is not longer than w, or when the divisor is not above zero."

    // Paying many, again and again.
    OutBatches "out_batches" [Window, Whole(2)] Int Costly Any "批量转出次数" "Batches of size n in the window."
    BatchPeriod "batch_period" [Window, Whole(2)] Int Costly Any "批次间隔天数" "Lower median of the days between neighbouring batches; NULL with fewer than two batches."
    BatchRegularity "batch_regularity" [Window, Whole(2)] Ratio Costly Any "批次规律性" "Of the gaps between neighbouring batches, the largest share that has one and the same period (definition section 7); NULL with fewer than two batches."
    BatchOverlap "batch_overlap" [Window, Whole(2)] Ratio Costly Any "批次人员重合度" "For each pair of neighbouring batches, common natural payees over the smaller batch; the lower median of these; NULL with fewer than two batches."
    BatchModalShare "batch_modal_share" [Window, Whole(2)] Ratio Costly Any "批次众数金额占比" "A payment is what one natural payee was paid on one batch day. Share of payments with the most frequent amount; NULL without batches."
    PeriodicPayees "periodic_payees" [Whole(2), Window] Int Costly Any "定期收款人数" "Natural payees of the window that are steady payees of n (definition section 7)."

    // Money back to those who paid in.
    RepaidShare "repaid_share" [Window] Ratio Costly Any "收款人中曾付款者占比" "Of the natural payees of the window, the share whose first In movement in all history is on a day before their first Out movement in the window; NULL without natural payees."
    PayoutRatio "payout_ratio" [Window] Ratio Costly Any "付息率中位数" "Over the payees counted by repaid_share: what they were paid on their last payout day in the window over the sum of their In movements in all history on earlier days than that; lower median; NULL with fewer than 5."
    PayoutRatioSpread "payout_ratio_spread" [Window] Ratio Costly Any "付息率离散度" "Of the same ratios, the one at index 3(n − 1)/4 less the one at index (n − 1)/4, indexes cut; NULL with fewer than 5."
    Rebates "rebates" [Window] Int Costly SingleLegs "返点人数" "Natural counterparties with an In movement in the window and, after it (in order) and at most 3 days later, an Out movement in the window to them of 5 % to 25 % of its amount, both inclusive."

    // Facts and references.
    ListHits "list_hits" [Window, List] Int Costly Any "名单命中数" "Distinct payers and payees of the window whose key is on the list."
    HasAgreement "agreement" [Agreement] Bool Cheap None "协议" "Whether the profile as of t holds an agreement of the kind; NULL when the party is not registered in the party data."
    AgreementPeople "agreement_people" [Agreement] Int Cheap None "协议人数" "Head count of the payroll agreement; NULL for other kinds, without one, or when it names none."
    SubjectIs "subject_is" [PartyKind] Bool Cheap None "主体类型" "Whether the party's kind as of t is the argument; NULL when unknown."
    RuleHits "rule_hits" [RuleId, Window] Int Costly SingleLegs "规则命中次数" "Instants in the window, t included, at which the rule hit."
}

impl Feature {
    /// The entry of this feature.
    #[must_use]
    pub fn entry(self) -> &'static Entry {
        &CATALOGUE[self as usize]
    }

    /// The feature of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        CATALOGUE.iter().find(|entry| entry.name == name).map(|entry| entry.feature)
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.entry().name)
    }
}
