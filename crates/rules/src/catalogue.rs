//! The feature catalogue: every function a rule may call, with its arguments, type, cost and meaning.
//!
//! Owns the *signatures* and the wording that people read (`weir rule features`). The values are computed in `weir-engine`, one file a
//! feature, and recomputed naively by the oracle; the `meaning` texts here are what both implement. Which places a new feature touches, and which of
//! them the compiler names, is a row of `docs/ARCHITECTURE.md`.

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
    /// Name in Chinese, for explanations; `k` or `n` stands for the argument that is no window.
    pub zh: &'static str,
    /// Exact meaning; terms as in `docs/definition.md`.
    pub meaning: &'static str,
    /// The same in Chinese, for those who write rules; it explains the terms, since they do not read the definition.
    pub meaning_zh: &'static str,
}

macro_rules! catalogue {
    ($( $variant:ident $name:literal [$($arg:expr),*] $result:ident $cost:ident $windows:ident $zh:literal $meaning:literal $meaning_zh:literal )*) => {
        /// A feature of the catalogue.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Feature { $( #[doc = $meaning] $variant, )* }

        /// Every feature, in the order they are listed to people.
        pub const CATALOGUE: &[Entry] = &[ $( Entry {
            feature: Feature::$variant, name: $name, args: &[$($arg),*], result: ValueType::$result, cost: Cost::$cost,
            windows: Windows::$windows, zh: $zh, meaning: $meaning, meaning_zh: $meaning_zh,
        }, )* ];
    };
}

use ArgKind::{Agreement, Channel, Int as Whole, List, LongWindow, Money as Yuan, PartyKind, RuleId, Tag, Window};

catalogue! {
    // Counts, sums and distinct counterparties: running aggregates.
    InCount "in_count" [Window] Int Cheap Any "转入笔数" "Counted In legs."
        "计入的转入流水笔数。“计入”的流水指未被冲正，且既不是自有互转（OWN：双方都是本主体；主体为关联客户组时，双方都是组内成员）也不是留存（RETAINED：存入或取自本方定期存款、理财）的流水；退回（退汇、退货）和未折算成人民币的外币流水（UNCONVERTED）也计笔数。"
    OutCount "out_count" [Window] Int Cheap Any "转出笔数" "Counted Out legs."
        "计入的转出流水笔数。“计入”的含义同 in_count。"
    AmountIn "amount_in" [Window] Money Cheap Any "转入金额" "Sum of counted In legs."
        "计入的转入流水金额之和。“计入”的含义同 in_count；退回（退汇、退货）计入金额，未折算成人民币的外币流水（UNCONVERTED）金额按零计。"
    AmountOut "amount_out" [Window] Money Cheap Any "转出金额" "Sum of counted Out legs."
        "计入的转出流水金额之和。“计入”的含义同 in_count；退回（退汇、退货）计入金额，未折算成人民币的外币流水（UNCONVERTED）金额按零计。"
    Payers "payers" [Window] Int Cheap Any "付款方数" "Distinct payers."
        "不同的付款方个数。付款方指计入的转入流水（退回除外）中身份可识别的对手方，不限类型。"
    Payees "payees" [Window] Int Cheap Any "收款方数" "Distinct payees."
        "不同的收款方个数。收款方指计入的转出流水（退回除外）中身份可识别的对手方，不限类型。"
    NaturalPayers "natural_payers" [Window] Int Cheap Any "转入人数" "Distinct natural payers, as far as their kind is known: those of unknown kind are left out, so it is a lower bound. NULL when there are counted In movements with a counterparty and none of them states its kind."
        "不同的自然人付款方人数。窗口内使其成为付款方的流水中，至少有一笔标明其为自然人，即算自然人。窗口内有带对手方的计入转入流水（退回除外），而没有一笔的对手方类型已知时，无法评估（NULL）；类型未知的对手方不计入，因此是下限。"
    NaturalPayees "natural_payees" [Window] Int Cheap Any "收款人数" "Distinct natural payees, as far as their kind is known: those of unknown kind are left out, so it is a lower bound. NULL when there are counted Out movements with a counterparty and none of them states its kind."
        "不同的自然人收款方人数。窗口内使其成为收款方的流水中，至少有一笔标明其为自然人，即算自然人。窗口内有带对手方的计入转出流水（退回除外），而没有一笔的对手方类型已知时，无法评估（NULL）；类型未知的对手方不计入，因此是下限。"
    PassThrough "pass_through" [Window] Ratio Cheap Any "转出转入比" "amount_out / amount_in; NULL when nothing came in."
        "amount_out 除以 amount_in；没有转入金额（amount_in 为零）时，无法评估（NULL）。"
    PassThroughBefore "pass_through_before" [Window, LongWindow] Ratio Costly Any "此前转出转入比" "amount_out / amount_in over the counted legs of the second window on days before the first day of the first; NULL when nothing came in there."
        "第二个窗口中、第一个窗口首日以前各日的计入流水的转出金额，除以其转入金额；其间没有转入金额时，无法评估（NULL）。"
    NaturalPayerShare "natural_payer_share" [Window] Ratio Costly Any "付款方中个人占比" "Distinct natural payers over distinct payers of known kind; NULL when nobody's kind is known."
        "不同的自然人付款方人数，除以类型已知的不同付款方个数。窗口内使其成为付款方的流水中，至少有一笔标明类型，即算类型已知；没有一个类型已知的付款方时，无法评估（NULL）。"
    AmountPerPayer "amount_per_payer" [Window] Money Cheap Any "人均转入" "amount_in / natural_payers, cut to whole fen; NULL when natural_payers is NULL or zero."
        "amount_in 除以 natural_payers，舍去分以下的尾数；natural_payers 无法评估或为零时，无法评估（NULL）。"

    // Concentration.
    TopShareIn "top_share_in" [Window, Whole(1)] Ratio Costly Any "前k付款方占比" "Sum of the k largest payers (their In movements) over amount_in; NULL when nothing came in."
        "金额最大的 k 个付款方（各按其计入的转入流水合计，退回除外）的金额之和，除以 amount_in；k 为第二个参数。没有转入金额（amount_in 为零）时，无法评估（NULL）。"
    TopShareOut "top_share_out" [Window, Whole(1)] Ratio Costly Any "前k去向占比" "Sum of the k largest outlets over amount_out; NULL when nothing went out."
        "金额最大的 k 个去向（定义见 outlets）的金额之和，除以 amount_out；k 为第二个参数。没有转出金额（amount_out 为零）时，无法评估（NULL）。"
    NaturalAmountOut "natural_amount_out" [Window] Money Costly Any "付给个人金额" "Out movements to natural payees, in sum."
        "付给自然人收款方的转出流水（计入的，退回除外）金额之和。"
    NaturalShareOut "natural_share_out" [Window] Ratio Costly Any "付给个人占比" "natural_amount_out over amount_out; NULL when nothing went out, and when natural_payees is NULL."
        "natural_amount_out 除以 amount_out；没有转出金额，或 natural_payees 无法评估时，无法评估（NULL）。"
    OrganisationAmountIn "organisation_amount_in" [Window] Money Cheap Any "单位付入金额" "In movements of payers that the leg says to be organisations or sole traders, in sum; a lower bound where kinds are unknown."
        "流水载明付款方为单位或个体工商户的转入流水（计入的，退回除外）金额之和；付款方类型未知的不在其内，故为下限。"
    OrganisationDaysIn "organisation_days_in" [Window] Int Costly Any "单位付入天数" "Distinct days with a movement that organisation_amount_in counts."
        "有 organisation_amount_in 所计流水的不同日期数。"
    HhiIn "hhi_in" [Window] Ratio Costly Any "转入集中度" "Herfindahl index of payers: sum over payers of (their share of amount_in) squared, computed as (sum of squares) / (amount_in squared); NULL when nothing came in."
        "付款方的赫芬达尔指数：各付款方（按其计入的转入流水合计，退回除外）占 amount_in 的份额，平方后求和，按“各付款方金额的平方之和 ÷ amount_in 的平方”计算。没有转入金额（amount_in 为零）时，无法评估（NULL）。"
    HhiOut "hhi_out" [Window] Ratio Costly Any "转出集中度" "Herfindahl index of outlets over amount_out, as hhi_in."
        "去向的赫芬达尔指数：各去向（定义见 outlets）占 amount_out 的份额，平方后求和，按“各去向金额的平方之和 ÷ amount_out 的平方”计算。没有转出金额（amount_out 为零）时，无法评估（NULL）。"
    Outlets "outlets" [Window] Int Costly Any "去向数" "Distinct outlets."
        "不同的去向个数。每笔计入的转出流水依次判断、归入一个去向：现金流水合为一个去向；同名户流水合为一个去向；证券流水合为一个去向；其余按对手方，每个对手方一个去向。以上都不是、又没有对手方的流水没有去向。"
    Retained "retained" [Window] Money Costly Any "留存金额" "RETAINED Out legs less RETAINED In legs in the window, not below zero: money put into own deposits and wealth products."
        "存入本方定期存款和理财后留存的金额：窗口内留存（RETAINED）的转出流水金额之和，减去留存（RETAINED）的转入流水金额之和，不低于零。"

    // Who is new.
    FirstTimePayers "first_time_payers" [Window] Int Costly Any "首次转入人数" "Natural payers of the window whose first In movement in all history lies in it."
        "窗口内的自然人付款方中，与本主体全部往来历史上的第一笔转入流水（计入的，退回除外）就在该窗口内的人数。"
    FirstTimePayees "first_time_payees" [Window] Int Costly Any "首次收款人数" "Natural payees of the window whose first Out movement in all history lies in it."
        "窗口内的自然人收款方中，与本主体全部往来历史上的第一笔转出流水（计入的，退回除外）就在该窗口内的人数。"

    FirstTimeSurge "first_time_surge" [Window, LongWindow, Whole(1)] Ratio Costly Any "首次转入人数相对历史倍数" "first_time_payers of the first window over what was most before it: for each day before the first day of w and not before that of h, natural payers of h on days before the first day of w whose first In movement in all history lies on one of the days(w) days that end with it (days as in inflow_ratio), none before the first day of h; the largest of these, at least the third argument. NULL when h does not begin before w, or when the party's history_from is later than the first day of h and its account is not known to have been opened since."
        "first_time_payers（第一个窗口）除以此前的最高值：自第二个窗口首日至第一个窗口首日前一日，逐日数出“截至该日、与第一个窗口等长的日子里首次转入”的自然人付款方人数（首次指与本主体全部往来历史上的第一笔转入；第二个窗口首日以前的不计；窗口天数同 inflow_ratio），取其中最大的，至少按第三个参数计。第二个窗口不早于第一个窗口开始，或本主体的历史起点（history_from）晚于第二个窗口首日、又不知其账户是否在此之后才开立时，无法评估（NULL）。"

    // Inside a group of related customers.
    CollectingMembers "collecting_members" [Window, Whole(1)] Int Costly Any "至少n人付款的成员数" "Of a group: members whom at least n distinct natural payers of the window paid (movements); 0 of a customer."
        "主体为关联客户组时，窗口内向其付款的不同自然人付款方不少于 n 人的成员个数；n 为第二个参数。自然人的认定同 natural_payers，按全组流水判断；组内互转不计。主体不是组时为零。"
    SharedPayers "shared_payers" [Window] Int Costly Any "共同付款人数" "Of a group: natural payers of the window who paid two of its members or more (movements); 0 of a customer."
        "主体为关联客户组时，窗口内向其两个以上成员付过款的不同自然人付款方人数；认定同 collecting_members。主体不是组时为零。"

    // How long money stays.
    HoldingTime "holding_time" [Window] Duration Costly Any "资金停留时间" "Counted Out amounts are matched to the earliest unmatched counted In amounts before them in order (first in, first out); the holding time of the median matched fen: the smallest duration d such that the sum matched with duration at most d, doubled, is at least the total matched. Day windows: whole days, In before Out within a day. NULL when nothing matches."
        "按流水顺序，把计入的转出金额与排在其前、尚未配对的最早的计入转入金额配对（先进先出）；指标值是已配对金额逐分按停留时间排列、居中那一分钱的停留时间，即满足“停留时间不超过 d 的已配对金额之和的两倍，不小于已配对总额”的最小时长 d。按天汇总的窗口（超过15天的窗口和 wd 窗口）只计整天，同一天内转入排在转出之前。没有任何金额配对成功时，无法评估（NULL）。"
    BalanceLeft "balance_left" [Window] Ratio Costly SingleLegs "余额占比" "Balance after the last live leg of the window (OWN and RETAINED included) that states one, over amount_in; NULL without such a leg or without inflow. A negative balance counts as zero."
        "窗口内最后一笔载明余额的有效流水（未被冲正的流水，自有互转（OWN）和留存（RETAINED）也包括在内）所载的余额，除以 amount_in；余额为负的按零计。没有这样的流水，或没有转入金额（amount_in 为零）时，无法评估（NULL）。"
    LowBalanceDays "low_balance_days" [Window] Ratio Costly SingleLegs "日终低余额天数占比" "Of the Shanghai days in the window with counted inflow in the window whose last live leg in the window that states a balance exists, the share on which that balance is at most 5 % of that inflow; NULL without such days."
        "按北京时间分日，取窗口内同时满足两项的日子：当日在窗口内有计入的转入流水；当日在窗口内有载明余额的有效流水（未被冲正的流水，自有互转（OWN）和留存（RETAINED）也包括在内）。指标值是其中“当日在窗口内最后一笔载明余额的有效流水的余额，不超过当日在窗口内的转入金额的5%”的天数占比。没有这样的日子时，无法评估（NULL）。"
    ActiveDays "active_days" [Window] Int Costly Any "活跃天数" "Distinct days with a counted leg."
        "有计入流水（转入或转出）的不同日期数。"

    // Amounts that are too regular.
    RoundShareIn "round_share_in" [Window, Yuan] Ratio Costly SingleLegs "转入中n整数倍占比" "Share of counted In legs whose amount is a whole multiple of the argument; NULL without In legs. UNCONVERTED legs are left out."
        "计入的转入流水中，金额是参数金额整数倍的笔数占比；未折算的流水（UNCONVERTED）不参与计算。没有可参与计算的转入流水时，无法评估（NULL）。"
    RoundShareOut "round_share_out" [Window, Yuan] Ratio Costly SingleLegs "转出中n整数倍占比" "As round_share_in, of Out legs."
        "计入的转出流水中，金额是参数金额整数倍的笔数占比；未折算的流水（UNCONVERTED）不参与计算。没有可参与计算的转出流水时，无法评估（NULL）。"
    ModalShareIn "modal_share_in" [Window] Ratio Costly SingleLegs "转入众数金额占比" "Share of counted In legs that have the most frequent amount; NULL without In legs. UNCONVERTED legs are left out."
        "计入的转入流水中，金额等于出现次数最多的那个金额的笔数占比；未折算的流水（UNCONVERTED）不参与计算。没有可参与计算的转入流水时，无法评估（NULL）。"
    ModalShareOut "modal_share_out" [Window] Ratio Costly SingleLegs "转出众数金额占比" "As modal_share_in, of Out legs."
        "计入的转出流水中，金额等于出现次数最多的那个金额的笔数占比；未折算的流水（UNCONVERTED）不参与计算。没有可参与计算的转出流水时，无法评估（NULL）。"
    NearLimit "near_limit" [Window] Int Costly SingleLegs "接近大额标准笔数" "Counted legs whose amount is at least 90 % of, and below, the RMB limit of their item of Article 5 (definition section 8). UNCONVERTED legs are left out."
        "金额不低于所属项别人民币大额标准的90%、且低于该标准的计入流水笔数；未折算的流水（UNCONVERTED）不参与计算。项别指令〔2016〕第3号第五条的各项（判定见 docs/definition.md 第8节）：主体为内部户的不属任何项，不计；现金属（一），标准5万元；非现金的，主体为单位或个体户的属（二），标准200万元；主体为自然人或类型未知的，跨境属（四），标准20万元，其余属（三），标准50万元。"
    SmallShareOut "small_share_out" [Window, Yuan] Ratio Costly Any "不超过n的付款占比" "A payment is what one natural payee was paid on one day (movements). Share of payments of at most the argument; NULL without payments."
        "窗口内同一自然人收款方在同一天收到的转出流水（计入的，退回除外）合计为一次付款。指标值是金额不超过参数金额的付款次数占比。没有付款时，无法评估（NULL）。"

    MedianIn "median_in" [Window] Money Costly Any "转入金额中位数" "A payment is what one natural payer paid in on one day (movements). Lower median of the payments; NULL without payments."
        "窗口内同一自然人付款方在同一天的转入流水（计入的，退回除外）合计为一次转入。指标值是各次转入金额的中位数（偶数个时取较小的一个）。没有转入时，无法评估（NULL）。"

    MedianOut "median_out" [Window] Money Costly Any "转出金额中位数" "A payment is what one natural payee was paid on one day (movements). Lower median of the payments; NULL without payments."
        "窗口内同一自然人收款方在同一天收到的转出流水（计入的，退回除外）合计为一次付款。指标值是各次付款金额的中位数（偶数个时取较小的一个）。没有付款时，无法评估（NULL）。"
    SpreadOut "spread_out" [Window] Ratio Costly Any "付款金额四分位倍数" "Of the n payments (as median_out) in rising order, the one at index 3(n − 1)/4 over the one at index (n − 1)/4, indexes cut; NULL without payments, and where the lower is zero."
        "各次付款（见 median_out）按金额由小到大排列，从0起编号，第 3(n − 1)/4 号的金额除以第 (n − 1)/4 号的金额，编号舍去小数。没有付款，或较小的一个为零时，无法评估（NULL）。"

    // What kind of traffic.
    CashShareIn "cash_share_in" [Window] Ratio Cheap Any "现金转入占比" "Cash part of amount_in; NULL when nothing came in."
        "amount_in 中现金部分的金额占比；没有转入金额（amount_in 为零）时，无法评估（NULL）。"
    CashShareOut "cash_share_out" [Window] Ratio Cheap Any "现金转出占比" "Cash part of amount_out; NULL when nothing went out."
        "amount_out 中现金部分的金额占比；没有转出金额（amount_out 为零）时，无法评估（NULL）。"
    CashDaysIn "cash_days_in" [Window] Int Costly Any "存现天数" "Distinct days with a counted In leg in cash."
        "有计入的现金转入流水的不同日期数。“计入”的含义同 in_count。"
    CashDaysOut "cash_days_out" [Window] Int Costly Any "取现天数" "Distinct days with a counted Out leg in cash."
        "有计入的现金转出流水的不同日期数。“计入”的含义同 in_count。"
    CrossBorderShare "cross_border_share" [Window] Ratio Costly Any "跨境占比" "Cross-border part of amount_in + amount_out; NULL when both are zero."
        "amount_in 与 amount_out 之和中跨境部分的金额占比；两者都为零时，无法评估（NULL）。"
    NightShare "night_share" [Window] Ratio Costly SingleLegs "夜间占比" "Share of counted legs at 22:00–06:00 (Shanghai) among those with a time of day; NULL when fewer than 30 % have one, or without legs."
        "载明具体时刻的计入流水中，发生在北京时间22:00（含）至次日6:00（不含）的笔数占比。载明具体时刻的不足全部计入流水的30%（按笔数），或没有计入流水时，无法评估（NULL）。"
    HolidayShare "holiday_share" [Window] Ratio Costly Any "节假日占比" "Share of counted legs on days that are not working days; NULL without legs."
        "计入流水中，发生在非工作日的笔数占比；没有计入流水时，无法评估（NULL）。"
    ChannelShare "channel_share" [Window, Channel] Ratio Costly SingleLegs "n渠道占比" "Share of counted legs by that channel among those whose channel is known; NULL when fewer than 30 % are known, or without legs."
        "渠道已知的计入流水中，经参数所指渠道的笔数占比。渠道已知的不足全部计入流水的30%（按笔数），或没有计入流水时，无法评估（NULL）。"
    MemoShareIn "memo_share_in" [Window, Tag] Ratio Costly SingleLegs "附言属n的转入占比" "Share of counted In legs with that tag among those with a memo; NULL when fewer than 30 % have one, or without In legs."
        "有附言（含用途）的计入转入流水中，带有参数所指标签的笔数占比。有附言的不足全部计入转入流水的30%（按笔数），或没有计入的转入流水时，无法评估（NULL）。"
    MemoShareOut "memo_share_out" [Window, Tag] Ratio Costly SingleLegs "附言属n的转出占比" "As memo_share_in, of Out legs."
        "有附言（含用途）的计入转出流水中，带有参数所指标签的笔数占比。有附言的不足全部计入转出流水的30%（按笔数），或没有计入的转出流水时，无法评估（NULL）。"
    ElderlyShare "elderly_share" [Window] Ratio Costly Any "老年付款人占比" "Share of 60 or older among the distinct natural payers whose age is known (known in some In movement of the window; elderly if any such says so); NULL when fewer than 30 % are known, or without natural payers."
        "年龄已知的不同自然人付款方中，60岁及以上的人数占比。窗口内该人任一笔转入流水（计入的，退回除外）能看出年龄，即算年龄已知；任一笔显示其为60岁及以上，即算60岁及以上。年龄已知的人数不足不同自然人付款方的30%，或没有自然人付款方时，无法评估（NULL）。"
    PayerPrefectures "payer_prefectures" [Window] Int Costly Any "付款方地市数" "Distinct prefectures of payers' In movements whose division is known; NULL when fewer than 30 % of the distinct payers have a known division, or without payers."
        "付款方的转入流水（计入的，退回除外）中，行政区划已知的流水所涉及的不同地市数。行政区划已知的付款方不足全部不同付款方的30%，或没有付款方时，无法评估（NULL）。"
    PayerProvinces "payer_provinces" [Window] Int Costly Any "付款方省份数" "As payer_prefectures, of provinces."
        "付款方的转入流水（计入的，退回除外）中，行政区划已知的流水所涉及的不同省份数。行政区划已知的付款方不足全部不同付款方的30%，或没有付款方时，无法评估（NULL）。"

    // The party against its own past.
    DormantBefore "dormant_before" [Window] Duration Cheap Any "此前沉寂时间" "Whole days from the last counted leg on a day before the window's first counted leg that lies outside the window, to that first counted leg; legs whose counterparty is internal are ignored throughout. NULL when there is no such earlier leg in all history, or no leg in the window. Pairs forgotten after two years of silence count here."
        "窗口内第一笔计入流水之前沉寂的整天数：取窗口之外、日期早于该笔的最后一笔计入流水，从其日期数到窗口内第一笔计入流水的日期。对手方为内部户的流水自始至终不看。全部历史上没有这样的更早流水，或窗口内没有流水时，无法评估（NULL）。"
    AccountAge "account_age" [] Duration Cheap None "开户时长" "Whole days from the profile's opening day to the day of t, not below zero; NULL when unknown."
        "从主体资料所载开户日到评估时点 t 当天的整天数，不低于零；开户日未知时，无法评估（NULL）。"
    InflowRatio "inflow_ratio" [Window, LongWindow] Ratio Costly Any "转入相对历史倍数" "amount_in of the first window over the mean inflow of the rest of the second, scaled to the length of the first: amount_in(w) × (days(h) − days(w)) / ((amount_in(h) − amount_in(w)) × days(w)), with days = whole days of the window rounded up (wd windows: their calendar days as of t). NULL when the party's history_from is later than the first day of h, when h is not longer than w, or when the divisor is not above zero."
        "第一个窗口 w 的 amount_in，是第二个窗口 h 中除 w 以外部分的平均转入（折算到 w 的长度）的多少倍：amount_in(w) ×（days(h) − days(w)）÷（（amount_in(h) − amount_in(w)）× days(w)）。days 是窗口的整天数，不足一天的进为一天；wd 窗口取其在评估时点 t 所含的自然日数。有下列情形之一时，无法评估（NULL）：主体的 history_from（曾接收的最早一笔流水的日期，后来被冲正的也算）晚于 h 的第一天；h 不比 w 长；除数不大于零。"

    // Paying many, again and again.
    OutBatches "out_batches" [Window, Whole(2)] Int Costly Any "批量转出次数（每批至少n人）" "Batches of size n in the window."
        "窗口内规模为 n 的批次数；n 为第二个参数。一个批次是付款（计入的转出流水，退回除外）给至少 n 个不同的自然人收款方的一天。"
    BatchPeriod "batch_period" [Window, Whole(2)] Int Costly Any "批次（至少n人）间隔天数" "Lower median of the days between neighbouring batches; NULL with fewer than two batches."
        "相邻两个批次（规模为 n，定义见 out_batches）间隔天数的下中位数（由小到大排列居中的值，个数为偶数时取中间两个里较小的）；不足两个批次时，无法评估（NULL）。"
    BatchRegularity "batch_regularity" [Window, Whole(2)] Ratio Costly Any "批次（至少n人）周期一致率" "Of the gaps between neighbouring batches, the largest share that has one and the same period (definition section 7); NULL with fewer than two batches."
        "在相邻批次（规模为 n，定义见 out_batches）的全部间隔中，属于同一种周期的间隔所占的最大比例；不合任何周期的间隔也在分母里。不足两个批次时，无法评估（NULL）。周期按以下次序取第一个符合的：按日（相隔1天；或相隔2至12天，且中间没有工作日）、按周（6至8天）、按旬（9至11天）、半月（13至17天）、按月（与前一日期的一个月后相差不超过3天；或正是该日及以后的第一个工作日，或该日及以前的最后一个工作日）、按季（与前一日期的三个月后相差不超过5天；或正是该日及以后的第一个工作日，或该日及以前的最后一个工作日）。一个月后、三个月后指到期那个月的同一日，那个月没有该日的取月末。"
    BatchOverlap "batch_overlap" [Window, Whole(2)] Ratio Costly Any "批次（至少n人）人员重合度" "For each pair of neighbouring batches, common natural payees over the smaller batch; the lower median of these; NULL with fewer than two batches."
        "对每两个相邻批次（规模为 n，定义见 out_batches），取两批共同的自然人收款方人数除以较小一批的人数；指标值是这些比值的下中位数（由小到大排列居中的值，个数为偶数时取中间两个里较小的）。不足两个批次时，无法评估（NULL）。"
    BatchModalShare "batch_modal_share" [Window, Whole(2)] Ratio Costly Any "批次（至少n人）众数金额占比" "A payment is what one natural payee was paid on one batch day. Share of payments with the most frequent amount; NULL without batches."
        "同一自然人收款方在同一个批次日（规模为 n，定义见 out_batches）收到的合计为一次付款。指标值是金额等于出现次数最多的那个金额的付款次数占比；没有批次时，无法评估（NULL）。"
    PeriodicPayees "periodic_payees" [Whole(2), Window] Int Costly Any "定期收款人数（每人至少n次）" "Natural payees of the window that are steady payees of n (definition section 7)."
        "窗口内的自然人收款方中，属于 n 次定期收款人的人数；n 为第一个参数。判定：窗口内同一天付给该人的（计入的转出流水，退回除外）合计为一次付款；从最后一次付款往前数，与后一次付款的间隔同最后一个间隔属于同一种周期（定义见 batch_regularity），且金额与最后一次付款相差不超过10%的，连续计入，遇到不符即止；连同最后一次至少有 n 次付款的，即为 n 次定期收款人。"

    SamePayeeDays "same_payee_days" [Window] Int Costly Any "付给同一人的最多天数" "Of the natural payees of the window, the most distinct days on which one of them was paid (movements); 0 without natural payees."
        "窗口内的自然人收款方中，收款（计入的转出流水，退回除外）日期最多的一人的不同收款日期数；没有自然人收款方时为零。"

    OverdueShare "overdue_share" [Whole(2), Window, Whole(1)] Ratio Costly Any "定期付款逾期人数占比" "Of the steady payees of n (as periodic_payees), the share whose next payment is k working days overdue: neither on any of the last k working days up to the day of t, nor on a day between them, nor later, could a payment follow their last one in the period of their run. n is the first argument, k the third; NULL without steady payees."
        "n 次定期收款人（见 periodic_payees）中，下一次付款已逾期 k 个工作日的人数占比：从评估时点 t 当天往前数的第 k 个工作日起，直到以后任何一天，都不再是与其最后一次付款相隔该周期的日子。n 为第一个参数，k 为第三个参数；没有定期收款人时，无法评估（NULL）。"

    CommissionDays "commission_days" [Window] Int Costly Any "提成比例相同天数" "For each day of the window with inflow: what natural payees who had not paid in by that day (no In movement in all history on it or before) were paid on it, over the day's amount_in. Of the days on which this is 2 % to 30 %, the most that lie within 0.4 percentage points of each other."
        "逐日计算：窗口内有转入的每一天，付给“截至当天从未向其付款的自然人”的金额（计入的转出流水，退回除外），除以当天的 amount_in。取比例在2%至30%之间的日子，指标值是其中比例彼此相差不超过0.4个百分点的最多天数。"

    // Money back to those who paid in.
    RepaidShare "repaid_share" [Window] Ratio Costly Any "收款人中曾付款者占比" "Of the natural payees of the window, the share whose first In movement in all history is on a day before their first Out movement in the window; NULL without natural payees."
        "窗口内的自然人收款方中，曾付款者的人数占比：其与本主体全部往来历史上的第一笔转入流水的日期，早于其在窗口内的第一笔转出流水的日期（同一天的不算）。转入、转出流水均指计入的，退回除外。没有自然人收款方时，无法评估（NULL）。"
    PayoutRatio "payout_ratio" [Window] Ratio Costly Any "付息率中位数" "Over the payees counted by repaid_share: what they were paid on their last payout day in the window over the sum of their In movements in all history on earlier days than that; lower median; NULL with fewer than 5."
        "对 repaid_share 认定的每个曾付款的收款人，取其在窗口内最后一个收款日收到的金额，除以其与本主体全部往来历史上日期早于该日的转入流水金额之和（均指计入的，退回除外）；指标值是这些比值的下中位数（由小到大排列居中的值，个数为偶数时取中间两个里较小的）。不足5个时，无法评估（NULL）。"
    PayoutRatioSpread "payout_ratio_spread" [Window] Ratio Costly Any "付息率离散度" "Of the same ratios, the one at index 3(n − 1)/4 less the one at index (n − 1)/4, indexes cut; NULL with fewer than 5."
        "把 payout_ratio 所用的 n 个比值由小到大排列，从0起编号，以第 3(n − 1)/4 号的值减去第 (n − 1)/4 号的值，编号舍去小数。不足5个时，无法评估（NULL）。"
    Rebates "rebates" [Window] Int Costly SingleLegs "返点人数" "Natural counterparties with an In movement in the window and, after it (in order) and at most 3 days later, an Out movement in the window to them of 5 % to 25 % of its amount, both inclusive."
        "返点人数：这样的自然人对手方的人数——在窗口内有一笔转入流水，按流水顺序在其后、且相隔不超过3天，窗口内又有一笔付给该人的转出流水，金额为那笔转入的5%至25%（两端都含）。转入、转出流水均指计入的，退回除外。"

    // Facts and references.
    ListHits "list_hits" [Window, List] Int Costly Any "n名单命中数" "Distinct payers and payees of the window whose key is on the list."
        "窗口内的付款方和收款方中，主体编号在参数所指名单上的不同对手方个数；既付款又收款的只计一个。"
    HasAgreement "agreement" [Agreement] Bool Cheap None "n协议" "Whether the profile as of t holds an agreement of the kind; NULL when the party is not registered in the party data."
        "截至评估时点 t 的主体资料中，是否有参数所指种类的协议；主体没有在客户资料中登记时，无法评估（NULL）。"
    AgreementPeople "agreement_people" [Agreement] Int Cheap None "n协议人数" "Head count of the payroll agreement; NULL for other kinds, without one, or when it names none."
        "代发协议（payroll）载明的人数；参数为其他种类的协议、没有代发协议，或代发协议没有载明人数时，无法评估（NULL）。"
    SubjectIs "subject_is" [PartyKind] Bool Cheap None "主体为n" "Whether the party's kind as of t is the argument; NULL when unknown."
        "截至评估时点 t，主体的类型是否为参数所指类型；主体类型未知时，无法评估（NULL）。"
    RuleHits "rule_hits" [RuleId, Window] Int Costly SingleLegs "n命中次数" "Instants in the window, t included, at which the rule hit."
        "窗口内（含评估时点 t）参数所指规则命中的时点个数。"
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
