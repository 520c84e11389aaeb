//! How a scheme is drawn: every dial from a range of its own, wider than any threshold anybody might set.
//!
//! A dial can be held at a value by its name, which is how one asks where detection breaks. The figures behind the ranges are judgement and
//! published cases; `docs/synthetic-bank.md` names them.
//!
//! A new dial that no scheme must have is one of [`FURTHER`]: it is never drawn, has dice of its own, and leaves every bank made before as it is. One that is
//! drawn ([`DIALS`]) moves the dice of all that are drawn after it.

use std::collections::BTreeMap;

use weir_model::Day;

use super::chance::Chance;
use super::movement::Memo;

/// What it pretends to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Theme {
    /// 理财.
    Wealth,
    /// 售后包租.
    Leaseback,
    /// 合作社.
    Cooperative,
    /// 养老预付费.
    ElderCare,
    /// 消费返利.
    Rebate,
    /// 项目投资.
    Project,
}

impl Theme {
    const ALL: [Self; 6] = [Self::Wealth, Self::Leaseback, Self::Cooperative, Self::ElderCare, Self::Rebate, Self::Project];

    /// The name in label files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Wealth => "wealth",
            Self::Leaseback => "leaseback",
            Self::Cooperative => "cooperative",
            Self::ElderCare => "elder_care",
            Self::Rebate => "rebate",
            Self::Project => "project",
        }
    }

    /// GB/T 4754 class of its firms.
    pub(super) const fn industry(self) -> &'static str {
        match self {
            Self::Wealth => "7249",
            Self::Leaseback => "7040",
            Self::Cooperative => "0511",
            Self::ElderCare => "8514",
            Self::Rebate => "5292",
            Self::Project => "4813",
        }
    }

    pub(super) const fn memo_in(self) -> Memo {
        match self {
            Self::Wealth | Self::Project => Memo::Invest,
            Self::Leaseback => Memo::Lease,
            Self::Cooperative => Memo::Share,
            Self::ElderCare => Memo::Care,
            Self::Rebate => Memo::Consumption,
        }
    }

    pub(super) const fn memo_out(self) -> Memo {
        match self {
            Self::Wealth | Self::Project | Self::ElderCare => Memo::Profit,
            Self::Leaseback => Memo::Rent,
            Self::Cooperative => Memo::Dividend,
            Self::Rebate => Memo::Return,
        }
    }
}

/// When investors are paid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Payout {
    /// All on one day of the month.
    Monthly,
    /// Each on the day of the contract.
    Anniversary,
    /// Every ten days after paying in.
    TenDays,
    /// All on one weekday.
    Weekly,
    /// Every day.
    Daily,
    /// All on one day of a quarter.
    Quarterly,
    /// All of it within three days of paying in.
    Prepaid,
    /// With the principal.
    Maturity,
}

impl Payout {
    const ALL: [Self; 8] =
        [Self::Monthly, Self::Anniversary, Self::TenDays, Self::Weekly, Self::Daily, Self::Quarterly, Self::Prepaid, Self::Maturity];

    /// The name in label files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Monthly => "monthly",
            Self::Anniversary => "anniversary",
            Self::TenDays => "ten_days",
            Self::Weekly => "weekly",
            Self::Daily => "daily",
            Self::Quarterly => "quarterly",
            Self::Prepaid => "prepaid",
            Self::Maturity => "maturity",
        }
    }
}

/// A scheme as it is meant to run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What it pretends to be.
    pub theme: Theme,
    /// First and last day on which people pay in.
    pub span: (Day, Day),
    /// When investors are paid.
    pub payout: Payout,
    /// Every dial in the order drawn, then those of [`FURTHER`] that are held.
    pub dials: Vec<(&'static str, i64)>,
    /// People who pay in, anywhere.
    pub investors: i64,
    /// Of a thousand, those who pay to accounts at this bank.
    pub visible: i64,
    /// Of a thousand of those, customers of this bank.
    pub customers: i64,
    /// Median of what is paid in, fen.
    pub pay_in: i64,
    /// Of a thousand, people over sixty, who bring twice to four times as much.
    pub seniors: i64,
    /// Of a thousand payments in, those that are no round sum.
    pub odd: i64,
    /// Of a thousand investors a month, those who pay in again.
    pub top_up: i64,
    /// Return a month, parts of ten thousand.
    pub rate: i64,
    /// Returns are paid from this bank.
    pub pays_here: bool,
    /// Days by which a payout of one's own day moves.
    pub jitter: i64,
    /// Parts of a thousand by which a payout's amount moves.
    pub wobble: i64,
    /// Returns carry the memo of wages and come as a batch.
    pub as_wages: bool,
    /// Months until the principal is due.
    pub term: i64,
    /// Of a thousand then, those who leave it in.
    pub reinvest: i64,
    /// Parts of a thousand of what comes in that agents get.
    pub commission: i64,
    /// Agents.
    pub agents: i64,
    /// Collecting customers at this bank.
    pub collectors: i64,
    /// Days until the next of them takes over; 0: they share.
    pub rotate: i64,
    /// Collectors are firms.
    pub firms: bool,
    /// Another customer holds the money.
    pub has_pool: bool,
    /// Another customer pays it out.
    pub has_payer: bool,
    /// Of a thousand payments, those by card through an acquirer.
    pub acquired: i64,
    /// Of a thousand payments, those brought as cash.
    pub cash: i64,
    /// Real business of the collector, parts of a thousand of what is paid in.
    pub business: i64,
    /// Days between two sweeps of what was collected.
    pub sweep: i64,
    /// Parts of a thousand that stay on the account at a sweep.
    pub keep: i64,
    /// Places that the money goes to.
    pub outlets: i64,
    /// Of a thousand of what leaves, drawn as cash.
    pub drawn: i64,
    /// Starts with trial transfers.
    pub trial: bool,
    /// Of a thousand of the principal, repaid after the end.
    pub repaid: i64,
    /// The bank knows who belongs together.
    pub is_known: bool,
    /// Its collecting customers have an agreement with the bank.
    pub covered: bool,
    /// What somebody does with each of its own accounts beside, parts of a thousand of an ordinary customer's.
    pub own_life: i64,
    /// Of a thousand payments in and back, those that look like ordinary life's.
    pub disguise: i64,
    /// Of a thousand of its own accounts, those opened years before.
    pub aged: i64,
    /// Payments in which a sum is paid in; 0 and 1: one.
    pub instalments: i64,
    /// Every place that the money goes to gets as much.
    pub even: bool,
}

/// Draws dials, unless they are held.
struct Dice<'a> {
    chance: Chance,
    held: &'a BTreeMap<String, i64>,
    drawn: Vec<(&'static str, i64)>,
}

impl Dice<'_> {
    fn set(&mut self, name: &'static str, drawn: i64) -> i64 {
        let value = self.held.get(name).copied().unwrap_or(drawn);
        self.drawn.push((name, value));
        value
    }

    fn range(&mut self, name: &'static str, least: i64, most: i64) -> i64 {
        let drawn = self.chance.between(least, most);
        self.set(name, drawn)
    }

    fn spread(&mut self, name: &'static str, median: i64, octaves: i64, least: i64, most: i64) -> i64 {
        let drawn = self.chance.spread(median, octaves).clamp(least, most);
        self.set(name, drawn)
    }

    /// Zero so many times in a thousand, else from a range.
    fn maybe(&mut self, name: &'static str, per_mille: u32, least: i64, most: i64) -> i64 {
        let (is_on, drawn) = (self.chance.per_mille(per_mille), self.chance.between(least, most));
        self.set(name, if is_on { drawn } else { 0 })
    }

    fn flag(&mut self, name: &'static str, per_mille: u32) -> bool {
        self.maybe(name, per_mille, 1, 1) != 0
    }

    /// One of [`FURTHER`] that is held for so many schemes in a thousand: whether this one, of `seed`, is among them. What is told of it is a thousand
    /// or zero.
    fn chosen(&mut self, name: &'static str, seed: u64) -> bool {
        let share = self.held.get(name).copied();
        let is_chosen = share.is_some_and(|share| Chance::of(seed, 0xa62ee).per_mille(share as u32));
        self.drawn.extend(share.map(|_| (name, 1000 * i64::from(is_chosen))));
        is_chosen
    }

    /// One of [`FURTHER`]: zero, and not told, unless it is held.
    fn further(&mut self, name: &'static str) -> i64 {
        let value = self.held.get(name).copied();
        self.drawn.extend(value.map(|value| (name, value)));
        value.unwrap_or(0)
    }
}

/// A dial as it may be held.
#[derive(Debug, Clone, Copy)]
pub struct Dial {
    /// Name.
    pub name: &'static str,
    /// Name in Chinese.
    pub zh: &'static str,
    /// The least and the most that mean something.
    pub bounds: (i64, i64),
    /// What its numbers are, in Chinese and in English.
    pub unit: [&'static str; 2],
}

const fn dial(name: &'static str, zh: &'static str, least: i64, most: i64, unit_zh: &'static str, unit_en: &'static str) -> Dial {
    Dial { name, zh, bounds: (least, most), unit: [unit_zh, unit_en] }
}

const PARTS: [&str; 2] = ["千分之", "parts of a thousand"];
const YES: [&str; 2] = ["0 否，1 是", "0 no, 1 yes"];

/// Dials that are drawn, in this order. Most may be held where nothing is ever drawn.
pub const DIALS: [Dial; 35] = [
    dial(
        "theme",
        "名目",
        0,
        5,
        "0 理财 1 包租 2 合作社 3 养老 4 返利 5 项目",
        "0 wealth 1 leaseback 2 cooperative 3 elder care 4 rebate 5 project",
    ),
    dial(
        "payout",
        "返款方式",
        0,
        7,
        "0 每月 1 各自满月 2 每十天 3 每周 4 每天 5 每季 6 预付 7 到期",
        "0 monthly 1 anniversary 2 ten days 3 weekly 4 daily 5 quarterly 6 prepaid 7 at maturity",
    ),
    dial("begin", "开始", 0, 4000, "天，自首日起", "days from the first"),
    dial("life", "存续", 1, 4000, "天", "days"),
    dial("investors", "投资人", 1, 1_000_000, "人", "people"),
    dial("visible", "经本行付款的投资人", 0, 1000, PARTS[0], PARTS[1]),
    dial("customers", "本行客户", 0, 1000, PARTS[0], PARTS[1]),
    dial("pay_in", "投资额", 1_000_00, 10_000_000_00, "分", "fen"),
    dial("seniors", "老年人", 0, 1000, PARTS[0], PARTS[1]),
    dial("odd", "非整数金额", 0, 1000, PARTS[0], PARTS[1]),
    dial("top_up", "追加", 0, 1000, "千分之，每月", "parts of a thousand a month"),
    dial("rate", "返利", 0, 10_000, "万分之，每月", "parts of ten thousand a month"),
    dial("pays_here", "返款经本行", 0, 1, YES[0], YES[1]),
    dial("jitter", "返款日浮动", 0, 27, "天", "days"),
    dial("wobble", "返款额浮动", 0, 1000, PARTS[0], PARTS[1]),
    dial("as_wages", "以工资名义", 0, 1, YES[0], YES[1]),
    dial("term", "期限", 1, 120, "月", "months"),
    dial("reinvest", "复投", 0, 1000, PARTS[0], PARTS[1]),
    dial("commission", "提成", 0, 1000, PARTS[0], PARTS[1]),
    dial("agents", "业务员", 1, 1000, "人", "people"),
    dial("collectors", "收款户", 1, 100, "户", "customers"),
    dial("rotate", "轮换收款户", 0, 4000, "天，0 为不轮换", "days, 0 not at all"),
    dial("firms", "以公司收款", 0, 1, YES[0], YES[1]),
    dial("has_pool", "另有资金池户", 0, 1, YES[0], YES[1]),
    dial("has_payer", "另有返款户", 0, 1, YES[0], YES[1]),
    dial("acquired", "经收单机构", 0, 1000, PARTS[0], PARTS[1]),
    dial("cash", "现金", 0, 1000, PARTS[0], PARTS[1]),
    dial("business", "真实经营", 0, 100_000, "千分之，按所收资金计", "parts of a thousand of what is paid in"),
    dial("sweep", "归集间隔", 1, 4000, "天", "days"),
    dial("keep", "留存", 0, 1000, PARTS[0], PARTS[1]),
    dial("outlets", "去向", 1, 100, "处", "places"),
    dial("drawn", "取现", 0, 1000, PARTS[0], PARTS[1]),
    dial("trial", "试转账", 0, 1, YES[0], YES[1]),
    dial("repaid", "事后退还", 0, 1000, PARTS[0], PARTS[1]),
    dial("is_known", "已知关联", 0, 1, YES[0], YES[1]),
];

/// Dials of what schemes as drawn never do, so that banks stay what they were before there were these. `schemes.csv` has columns of those that are held.
pub const FURTHER: [Dial; 6] = [
    dial("covered", "有协议作掩护的团伙", 0, 1000, PARTS[0], PARTS[1]),
    dial("own_life", "自有账户另有日常收付", 0, 10_000, "千分之，按普通客户计", "parts of a thousand, of an ordinary customer's"),
    dial("disguise", "装作日常收付", 0, 1000, PARTS[0], PARTS[1]),
    dial("aged", "开立多年的自有账户", 0, 1000, PARTS[0], PARTS[1]),
    dial("instalments", "分笔付款", 0, 30, "笔，0 和 1 为一笔付清", "payments, 0 and 1 all at once"),
    dial("even", "去向平分", 0, 1, YES[0], YES[1]),
];

/// Every dial that may be held.
pub fn dials() -> impl Iterator<Item = &'static Dial> {
    const ALL: [&[Dial]; 2] = [&DIALS, &FURTHER];
    ALL.into_iter().flatten()
}

impl Plan {
    /// Draws a scheme that begins within a bank's days.
    #[must_use]
    pub fn draw(seed: u64, days: (Day, Day), held: &BTreeMap<String, i64>) -> Self {
        let mut dice = Dice { chance: Chance::of(seed, 0x5c4e), held, drawn: Vec::new() };
        let theme = Theme::ALL[(dice.range("theme", 0, 5).rem_euclid(6)) as usize];
        // Half pay monthly, in one batch or each on their day; a shop's rebates come daily.
        let usual = match (theme, dice.chance.below(100)) {
            (Theme::Rebate, 0..60) => 4,
            (_, 0..30) => 0,
            (_, 30..60) => 1,
            (_, 60..67) => 2,
            (_, 67..73) => 3,
            (_, 73..76) => 4,
            (_, 76..86) => 5,
            (_, 86..94) => 6,
            _ => 7,
        };
        let payout = Payout::ALL[(dice.set("payout", usual).rem_euclid(8)) as usize];
        let length = i64::from(days.1.0 - days.0.0);
        let begin = dice.range("begin", 10, (length - 60).max(11));
        let life = dice.spread("life", 420, 900, 150, 1100);
        let start = days.0.plus(begin as i32);
        let is_batch = matches!(payout, Payout::Monthly | Payout::Quarterly | Payout::Weekly);
        Self {
            theme,
            payout,
            span: (start, start.plus(life as i32)),
            investors: dice.spread("investors", 120, 1250, 20, 3000),
            visible: dice.range("visible", 200, 600),
            customers: dice.range("customers", 200, 700),
            pay_in: dice.spread("pay_in", 40_000_00, 500, 5_000_00, 300_000_00),
            seniors: dice.range("seniors", 100, 800),
            odd: dice.maybe("odd", 250, 100, 900),
            top_up: dice.range("top_up", 0, 150),
            rate: dice.range("rate", 67, 300),
            pays_here: dice.flag("pays_here", 700),
            jitter: dice.maybe("jitter", 350, 1, 6),
            wobble: dice.maybe("wobble", 300, 10, 250),
            as_wages: dice.flag("as_wages", if is_batch { 250 } else { 50 }),
            term: dice.range("term", 3, 24),
            reinvest: dice.range("reinvest", 500, 800),
            commission: dice.range("commission", 30, 200),
            agents: dice.range("agents", 2, 18),
            collectors: dice.range("collectors", 1, 3),
            rotate: dice.maybe("rotate", 250, 60, 120),
            firms: dice.flag("firms", 600),
            has_pool: dice.flag("has_pool", 400),
            has_payer: dice.flag("has_payer", 500),
            acquired: dice.maybe("acquired", 250, 100, 900),
            cash: dice.maybe("cash", 500, 100, 300),
            business: dice.maybe("business", 300, 100, 1500),
            sweep: dice.spread("sweep", 5, 1500, 1, 120),
            keep: dice.range("keep", 20, 400),
            outlets: dice.range("outlets", 1, 8),
            drawn: dice.maybe("drawn", 500, 50, 500),
            trial: dice.flag("trial", 500),
            repaid: dice.maybe("repaid", 300, 50, 600),
            is_known: dice.flag("is_known", 300),
            covered: dice.chosen("covered", seed),
            own_life: dice.further("own_life"),
            disguise: dice.further("disguise"),
            aged: dice.further("aged"),
            instalments: dice.further("instalments"),
            even: dice.further("even") != 0,
            dials: dice.drawn,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dial_is_drawn_within_its_bounds() {
        for seed in 0..500 {
            let plan = Plan::draw(seed, (Day(0), Day(400)), &BTreeMap::new());
            assert_eq!(plan.dials.len(), DIALS.len());
            for (dial, (name, value)) in DIALS.iter().zip(plan.dials) {
                assert_eq!(dial.name, name);
                assert!((dial.bounds.0..=dial.bounds.1).contains(&value), "{name} {value}");
            }
        }
    }

    #[test]
    fn a_thousand_times_all_that_comes_in_can_be_reckoned_with() {
        let most = |name: &str| dials().find(|dial| dial.name == name).map_or(0, |dial| dial.bounds.1);
        // Shares of it are in parts of a thousand, and seniors bring up to four times as much.
        let product = [most("investors"), most("pay_in"), 4, 1000].into_iter().try_fold(1_i64, i64::checked_mul);
        assert!(product.is_some_and(|product| product > 0), "{product:?}");
    }
}
