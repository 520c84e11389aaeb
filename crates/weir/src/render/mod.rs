//! An alert as an analyst reads it on a terminal: what, who and how much here, why in `grounds`, on what in `evidence`.
//!
//! Nothing is computed here beyond units: every number is in the alert. Lists are cut for the screen with their true totals beside; the
//! complete record is the JSON line.

mod evidence;
mod grounds;

use unicode_width::UnicodeWidthStr;
use weir_model::alert::{Alert, AlertStatus, FundClass, Level, Withdrawal};
use weir_model::{Direction, KeyKind, PartyKind};

use crate::language::{Lang, plural, say};
use crate::terminal::{Palette, grouped, grouped_yuan, left, right, wan, wrapped};

/// Beyond this width lines are no easier to read.
const COLUMNS_MAX: usize = 120;

/// The alert as lines of text of at most `columns`, with an empty line at the end.
pub(crate) fn alert(alert: &Alert, lang: Lang, palette: Palette, columns: usize) -> String {
    let sheet = Sheet { alert, lang, palette, columns: columns.min(COLUMNS_MAX) };
    let mut lines = sheet.head();
    if alert.status != AlertStatus::Withdrawn {
        lines.extend(sheet.totals());
        lines.extend(sheet.conditions());
        lines.extend(sheet.exclusions());
        lines.extend(sheet.flows(Direction::In));
        lines.extend(sheet.flows(Direction::Out));
        lines.extend(sheet.batches());
    }
    lines.extend(sheet.foot());
    lines.push(String::new());
    lines.join("\n") + "\n"
}

struct Sheet<'a> {
    alert: &'a Alert,
    lang: Lang,
    palette: Palette,
    columns: usize,
}

impl Sheet<'_> {
    /// Level, rule, score; the party; the sentence.
    fn head(&self) -> Vec<String> {
        let Alert { rule, subject, .. } = self.alert;
        let bar = self.palette.paint(level_style(self.alert.level), "▌");
        let level = self.palette.paint(level_style(self.alert.level), &format!(" {} ", level_name(self.alert.level, self.lang)));
        let variant = if self.lang == Lang::Zh && !rule.variant_zh.is_empty() { &rule.variant_zh } else { &rule.variant };
        let variant = if variant.is_empty() { String::new() } else { format!(" · {variant}") };
        let shadow = if rule.shadow { self.lang.of("  〔试运行〕", "  [on trial]") } else { "" };
        let score = self.alert.score;
        let points = plural(score, "point", "points");
        let score = say!(self.lang, "{score} 分", "{score} {points}");
        let title = self.palette.bold(&format!("{} {}", rule.id, rule.title));
        let is_group = KeyKind::Group.is_of(&subject.party);
        let name = match subject.name.as_str() {
            "" if is_group => self.lang.of("关联客户组", "group of related customers"),
            "" => self.lang.of("（名称未知）", "(name unknown)"),
            name => name,
        };
        // What a group is, its name says.
        let kind = (!is_group).then(|| self.kind(subject.kind).to_owned());
        let mut facts: Vec<String> = kind.into_iter().chain([subject.party.clone()]).collect();
        facts.extend([&subject.division, &subject.industry].into_iter().filter(|fact| !fact.is_empty()).cloned());
        if let Some(day) = &subject.opened_at {
            facts.push(say!(self.lang, "{day} 开户", "opened {day}"));
        }
        let title = format!("{bar}{level} {title}{}  {score}", self.palette.dim(&variant));
        let mut lines = self.beside(title, &format!("{}{shadow}", self.palette.dim(&self.status())), &bar);
        lines.extend(self.beside(format!("{bar} {}", self.palette.bold(name)), &self.palette.dim(&facts.join(" · ")), &bar));
        if !subject.accounts.is_empty() {
            lines.push(format!("{bar} {}", self.palette.dim(&self.accounts(&subject.accounts))));
        }
        lines.extend(wrapped(&self.alert.reason, self.columns - 2).iter().map(|line| format!("{bar} {line}")));
        lines
    }

    /// Two texts of the head on one line, or the second below the first where there is no room.
    fn beside(&self, first: String, second: &str, bar: &str) -> Vec<String> {
        if plain_width(&first) + 2 + plain_width(second) <= self.columns {
            return vec![format!("{first}  {second}")];
        }
        vec![first, format!("{bar} {second}")]
    }

    fn accounts(&self, accounts: &[String]) -> String {
        let shown = accounts.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(" ");
        let total = accounts.len();
        let noun = plural(total, "account", "accounts");
        if total > 3 {
            let more = total - 3;
            say!(self.lang, "账户 {shown} 等 {total} 个", "{noun} {shown} and {more} more")
        } else {
            say!(self.lang, "账户 {shown}", "{noun} {shown}")
        }
    }

    fn status(&self) -> String {
        let revision = self.alert.revision;
        let status = match (self.alert.status, &self.alert.withdrawal) {
            (AlertStatus::Opened, _) => self.lang.of("新开", "opened").to_owned(),
            (AlertStatus::Updated, _) => self.lang.of("已更新", "updated").to_owned(),
            (AlertStatus::Quiet, _) => self.lang.of("已无新命中，定稿", "quiet").to_owned(),
            (AlertStatus::Withdrawn, Some(Withdrawal::Merged { into })) => {
                say!(self.lang, "已撤回（并入 {into}）", "withdrawn (merged into {into})")
            }
            (AlertStatus::Withdrawn, _) => self.lang.of("已撤回（依据不再成立）", "withdrawn (unfounded)").to_owned(),
        };
        say!(self.lang, "{status}（第{revision}版）", "{status}, revision {revision}")
    }

    /// When, how many, how much, where.
    fn totals(&self) -> Vec<String> {
        let alert = self.alert;
        let label = |zh, en| self.palette.dim(&left(self.lang.of(zh, en), if self.lang == Lang::Zh { 8 } else { 10 }));
        // Sums are of everybody; the people among them stand apart from the sum.
        let people = |n: u64, zh: &str, [one, many]: [&str; 2]| {
            let en = plural(n, one, many);
            let n = grouped(n.into());
            left(&say!(self.lang, "{zh} {n} 名", "{n} {en}"), 20)
        };
        let money = |yuan: &str| right(&self.money(yuan), 16);
        let payers = people(alert.people_in, "付款的自然人", ["natural payer", "natural payers"]);
        let payees = people(alert.people_out, "收款的自然人", ["natural payee", "natural payees"]);
        let all = people(alert.people, "自然人", ["person", "people"]);
        let (first, last, peak) = (minute(&alert.first_hit_at), minute(&alert.last_hit_at), minute(&alert.peak_at));
        let (since, owed) = (self.money(&alert.amount_since_first), self.money(&alert.outstanding_estimate));
        let since = say!(self.lang, "首次命中窗口以来转入 {since}", "in since the first hit's window: {since}");
        let owed = say!(self.lang, "估计尚未兑付 {owed}", "estimated still owed: {owed}");
        let peak = say!(self.lang, "最高级别始于 {peak}", "peak {peak}");
        // What is owed is a figure of investors; money of one's own firm is none.
        let owed = if alert.people_in > 0 { owed } else { String::new() };
        let mut lines = vec![
            String::new(),
            format!("  {}{first} → {last}   {}", label("命中", "hits"), self.palette.dim(&peak)),
            self.with_remark(&format!("  {}{}{}", label("转入", "in"), money(&alert.amount_in), format_args!("   {payers}")), &since),
            self.with_remark(&format!("  {}{}{}", label("转出", "out"), money(&alert.amount_out), format_args!("   {payees}")), &owed),
            format!("  {}{all}{}", label("涉及", "involved"), self.spread()),
        ];
        for (zh, en, classes, total) in
            [("来源", "from", &alert.evidence.funds_from, &alert.amount_in), ("去向", "to", &alert.evidence.funds_to, &alert.amount_out)]
        {
            let classes: Vec<String> = classes.iter().map(|class| self.fund_class(class, total)).collect();
            let mut line = format!("  {}", label(zh, en));
            let indent = plain_width(&line);
            for (at, class) in classes.iter().enumerate() {
                if plain_width(&line) + plain_width(class) + 3 > self.columns && at > 0 {
                    lines.push(std::mem::replace(&mut line, " ".repeat(indent)));
                } else if at > 0 {
                    line.push_str(" · ");
                }
                line.push_str(class);
            }
            if !classes.is_empty() {
                lines.push(line);
            }
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    /// A line with a remark behind it, or below it where there is no room.
    fn with_remark(&self, line: &str, remark: &str) -> String {
        let (own, more) = (plain_width(line), remark.width());
        if remark.is_empty() || own + more + 3 <= self.columns {
            return format!("{line}   {}", self.palette.dim(remark));
        }
        format!("{}\n    {}", line.trim_end(), self.palette.dim(remark))
    }

    /// `企业 331.6万元 63.1%`.
    fn fund_class(&self, class: &FundClass, total: &str) -> String {
        let name = match class.class.as_str() {
            "cash" => self.lang.of("现金", "cash"),
            "same_name" => self.lang.of("同名账户", "same name"),
            "securities" => self.lang.of("证券", "securities"),
            "cross_border" => self.lang.of("跨境", "cross-border"),
            kind => PartyKind::parse(kind).map_or(kind, |kind| self.kind(kind)),
        };
        let share = share(&class.amount, total).map(|share| format!(" {share}")).unwrap_or_default();
        format!("{name} {}{}", self.money(&class.amount), self.palette.dim(&share))
    }

    fn spread(&self) -> String {
        let scope = &self.alert.scope;
        let (provinces, prefectures) = (scope.provinces, scope.prefectures);
        match &scope.known_share {
            Some(share) if prefectures > 0 => {
                let known = percent(share);
                let of_provinces = plural(provinces, "province", "provinces");
                let of_prefectures = plural(prefectures, "prefecture", "prefectures");
                say!(
                    self.lang,
                    "   {provinces} 省 {prefectures} 地市（已知地区占 {known}）",
                    "   {provinces} {of_provinces}, {prefectures} {of_prefectures} ({known} known)"
                )
            }
            _ => String::new(),
        }
    }

    /// Where it goes and where it came from.
    fn foot(&self) -> Vec<String> {
        let alert = self.alert;
        let addressed = alert.addressees.iter().map(|to| {
            let division = &to.division;
            say!(self.lang, "归口 处非办 {division}", "for the office of {division}")
        });
        let mut parts: Vec<String> = if alert.rule.shadow {
            vec![self.lang.of("不报送处非办（试运行或历史未满）", "not for the office (on trial, or too little history)").to_owned()]
        } else {
            addressed.collect()
        };
        let id = &alert.alert_id;
        parts.push(say!(self.lang, "预警 {id}", "alert {id}"));
        if let Some(trigger) = &alert.triggered_by {
            let txn = &trigger.txn_id;
            parts.push(say!(self.lang, "触发流水 {txn}", "by transaction {txn}"));
        }
        let (source, record) = (&alert.detected_from.source, alert.detected_from.offset);
        parts.push(say!(self.lang, "{source} 第 {record} 条", "{source} record {record}"));
        let foot = wrapped(&parts.join(" · "), self.columns - 2);
        std::iter::once(String::new()).chain(foot.iter().map(|line| format!("  {}", self.palette.dim(line)))).collect()
    }

    fn heading(&self, zh: &'static str, en: &'static str) -> String {
        format!("  {}", self.palette.bold(self.lang.of(zh, en)))
    }

    /// An amount with its unit: 万元 in Chinese, unless it is too small for that; yuan in English.
    fn money(&self, yuan: &str) -> String {
        let is_small = yuan.split('.').next().is_some_and(|whole| whole.trim_start_matches('-').len() < 5);
        match self.lang {
            Lang::Zh if is_small => format!("{} 元", grouped_yuan(yuan)),
            Lang::Zh => format!("{} 万元", wan(yuan)),
            Lang::En => format!("{} yuan", grouped_yuan(yuan)),
        }
    }

    fn kind(&self, kind: PartyKind) -> &'static str {
        kind_name(kind, self.lang)
    }
}

/// A kind of party in a word.
pub(crate) fn kind_name(kind: PartyKind, lang: Lang) -> &'static str {
    let en = match kind {
        PartyKind::Natural => "person",
        PartyKind::Organisation => "company",
        PartyKind::SoleTrader => "trader",
        PartyKind::Internal => "internal",
        PartyKind::Unknown => "unknown",
    };
    lang.of(kind.zh(), en)
}

/// Columns of a line without its colours.
pub(crate) fn plain_width(line: &str) -> usize {
    let mut width = 0;
    let mut rest = line;
    while let Some((text, after)) = rest.split_once('\u{1b}') {
        width += text.width();
        rest = after.split_once('m').map_or("", |(_, after)| after);
    }
    width + rest.width()
}

/// Name of a level.
pub(crate) fn level_name(level: Level, lang: Lang) -> &'static str {
    lang.of(level.zh(), level.name())
}

fn level_style(level: Level) -> &'static str {
    match level {
        Level::Low => "36",
        Level::Medium => "33",
        Level::High => "1;31",
        Level::Urgent => "1;37;41",
    }
}

/// `2026-03-07T23:00:15+08:00` as `2026-03-07 23:00`, a midnight as its day alone: that is how day rows are stamped. Every time in an alert is
/// RFC 3339 at UTC+8; anything else is shown as it is.
pub(crate) fn minute(rfc3339: &str) -> String {
    let text = rfc3339.get(..16).unwrap_or(rfc3339).replace('T', " ");
    text.strip_suffix(" 00:00").map(str::to_owned).unwrap_or(text)
}

/// One amount in per cent of another, one decimal, cut; `None` where there is nothing to divide by.
fn share(part: &str, whole: &str) -> Option<String> {
    let fen = |yuan: &str| yuan.replace('.', "").parse::<i128>().ok();
    let per_mille = fen(part)?.checked_mul(1000)?.checked_div(fen(whole)?)?;
    Some(format!("{}.{}%", per_mille / 10, per_mille % 10))
}

/// `0.812345` as `81.2%`, cut after one decimal.
fn percent(share: &str) -> String {
    let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
    let Ok(tenths) = format!("{whole}{:0<3.3}", fraction).parse::<u64>() else { return share.to_owned() };
    format!("{}.{}%", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn sample() -> Alert {
        serde_json::from_str(include_str!("../../tests/alert.json")).expect("is an alert")
    }

    fn check(alert: &Alert, lang: Lang, columns: usize, expected: &Expect) {
        let text = super::alert(alert, lang, Palette::PLAIN, columns);
        for line in text.lines() {
            // Closing punctuation may hang over.
            assert!(line.width() <= columns + 2, "{} columns: {line}", line.width());
        }
        expected.assert_eq(&text);
    }

    #[test]
    fn an_alert_reads_from_verdict_to_evidence() {
        check(
            &sample(),
            Lang::Zh,
            120,
            &expect![[r#"
                ▌ 高  FZ-001 分散转入集中转出 · 14天  75 分  已更新（第4版）
                ▌ 海南椰乡康养服务有限公司  单位 · c:ICBC/1001 · 469024 · 8514 · 2025-11-03 开户
                ▌ 账户 2201001 2201002 2201003 等 4 个
                ▌ 14天内37人转入126.84万元，94%转至3个账户

                  命中    2026-03-01 09:12 → 2026-03-07 23:00   最高级别始于 2026-03-06 14:00
                  转入         126.84 万元   付款的自然人 37 名     首次命中窗口以来转入 130.00 万元
                  转出         120.30 万元   收款的自然人 3 名      估计尚未兑付 6.54 万元
                  涉及    自然人 40 名           3 省 5 地市（已知地区占 81.2%）
                  来源    自然人 126.84 万元 100.0%
                  去向    现金 3,000.00 元 0.2% · 单位 113.00 万元 93.9% · 自然人 7.00 万元 5.8%

                  为什么命中
                    ✓       转入人数 37 ≥ 15                                                    国发〔2015〕59号
                    ✓       前3去向占比 94% ≥ 80%
                    ✓  +15  资金停留时间 2小时 ≤ 2天
                    ✗    ·  夜间占比 12%（须 ≥ 30%）
                    ?    ·  老年付款人占比（须 ≥ 50%）
                    ✗    ·  以下任一成立                                                        实务经验（收款人曾付款）
                            ✗ 收款人中曾付款者占比 0%（须 ≥ 30%）
                            ✗ 定期收款人数（每人至少3次）4（须 ≥ 10），且无代发工资协议
                    数据说明：老年付款人占比（elderly_share(14d)）无法评估
                    不属于以下 1 种可排除的情形：已核实收单商户
                    缺资料，无法判断是否属于以下 1 种可排除的情形：已登记慈善组织，捐赠人没有收款

                  付款方（前 2，共 38）                             金额（元）    笔数          曾付回  末次
                    c:ICBC/2001                       自然人        100,000.00       2        5,000.00  2026-03-07 12:00
                    n:102641000018/王某某             自然人         80,000.00       1            0.00  2026-03-02 09:12

                  收款方（前 1，共 4）                              金额（元）    笔数          曾转入  末次
                    a:102641000018/6222000011112222   单位        1,130,000.00       9            0.00  2026-03-07 23:00

                  批量转出（近 2 批，共 2 批）
                    2026-03-05       12 人         6.00 万元
                    2026-03-06       12 人         6.10 万元   11 人上批也收过

                  归口 处非办 469024 · 预警 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · 触发流水 T20260307-0099 · 2026-03.jsonl 第 1234 条

            "#]],
        );
        check(
            &sample(),
            Lang::En,
            120,
            &expect![[r#"
                ▌ high  FZ-001 分散转入集中转出 · days14  75 points  updated, revision 4
                ▌ 海南椰乡康养服务有限公司  company · c:ICBC/1001 · 469024 · 8514 · opened 2025-11-03
                ▌ accounts 2201001 2201002 2201003 and 1 more
                ▌ 14天内37人转入126.84万元，94%转至3个账户

                  hits      2026-03-01 09:12 → 2026-03-07 23:00   peak 2026-03-06 14:00
                  in        1,268,400.00 yuan   37 natural payers      in since the first hit's window: 1,300,000.00 yuan
                  out       1,203,000.00 yuan   3 natural payees       estimated still owed: 65,400.00 yuan
                  involved  40 people              3 provinces, 5 prefectures (81.2% known)
                  from      person 1,268,400.00 yuan 100.0%
                  to        cash 3,000.00 yuan 0.2% · company 1,130,000.00 yuan 93.9% · person 70,000.00 yuan 5.8%

                  Why
                    ✓       转入人数 37 ≥ 15                                                    国发〔2015〕59号
                    ✓       前3去向占比 94% ≥ 80%
                    ✓  +15  资金停留时间 2小时 ≤ 2天
                    ✗    ·  夜间占比 12%（须 ≥ 30%）
                    ?    ·  老年付款人占比（须 ≥ 50%）
                    ✗    ·  one of these holds                                                  实务经验（收款人曾付款）
                            ✗ 收款人中曾付款者占比 0%（须 ≥ 30%）
                            ✗ 定期收款人数（每人至少3次）4（须 ≥ 10），且无代发工资协议
                    data: 老年付款人占比（elderly_share(14d)）无法评估
                    1 exclusion does not apply: 已核实收单商户
                    1 exclusion could not be judged for want of data: 已登记慈善组织，捐赠人没有收款

                  Payers (2 of 38)                               amount (yuan)   count       paid back  last
                    c:ICBC/2001                       person        100,000.00       2        5,000.00  2026-03-07 12:00
                    n:102641000018/王某某             person         80,000.00       1            0.00  2026-03-02 09:12

                  Payees (1 of 4)                                amount (yuan)   count     had paid in  last
                    a:102641000018/6222000011112222   company     1,130,000.00       9            0.00  2026-03-07 23:00

                  Batches paid (latest 2 of 2)
                    2026-03-05   12 people    60,000.00 yuan
                    2026-03-06   12 people    61,000.00 yuan   11 of them paid the time before

                  for the office of 469024 · alert 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · by transaction T20260307-0099 · 2026-03.jsonl
                  record 1234

            "#]],
        );
    }

    #[test]
    fn a_narrow_terminal_takes_more_lines() {
        check(
            &sample(),
            Lang::Zh,
            80,
            &expect![[r#"
                ▌ 高  FZ-001 分散转入集中转出 · 14天  75 分  已更新（第4版）
                ▌ 海南椰乡康养服务有限公司  单位 · c:ICBC/1001 · 469024 · 8514 · 2025-11-03 开户
                ▌ 账户 2201001 2201002 2201003 等 4 个
                ▌ 14天内37人转入126.84万元，94%转至3个账户

                  命中    2026-03-01 09:12 → 2026-03-07 23:00   最高级别始于 2026-03-06 14:00
                  转入         126.84 万元   付款的自然人 37 名
                    首次命中窗口以来转入 130.00 万元
                  转出         120.30 万元   收款的自然人 3 名      估计尚未兑付 6.54 万元
                  涉及    自然人 40 名           3 省 5 地市（已知地区占 81.2%）
                  来源    自然人 126.84 万元 100.0%
                  去向    现金 3,000.00 元 0.2% · 单位 113.00 万元 93.9% · 自然人 7.00 万元 5.8%

                  为什么命中
                    ✓       转入人数 37 ≥ 15
                            国发〔2015〕59号
                    ✓       前3去向占比 94% ≥ 80%
                    ✓  +15  资金停留时间 2小时 ≤ 2天
                    ✗    ·  夜间占比 12%（须 ≥ 30%）
                    ?    ·  老年付款人占比（须 ≥ 50%）
                    ✗    ·  以下任一成立
                            ✗ 收款人中曾付款者占比 0%（须 ≥ 30%）
                            ✗ 定期收款人数（每人至少3次）4（须 ≥ 10），且无代发工资协议
                            实务经验（收款人曾付款）
                    数据说明：老年付款人占比（elderly_share(14d)）无法评估
                    不属于以下 1 种可排除的情形：已核实收单商户
                    缺资料，无法判断是否属于以下 1 种可排除的情形：已登记慈善组织，
                    捐赠人没有收款

                  付款方（前 2，共 38）                       金额（元）    笔数          曾付回
                    c:ICBC/2001                 自然人        100,000.00       2        5,000.00
                    n:102641000018/王某某       自然人         80,000.00       1            0.00

                  收款方（前 1，共 4）                        金额（元）    笔数          曾转入
                    a:10264100001…2000011112222 单位        1,130,000.00       9            0.00

                  批量转出（近 2 批，共 2 批）
                    2026-03-05       12 人         6.00 万元
                    2026-03-06       12 人         6.10 万元   11 人上批也收过

                  归口 处非办 469024 · 预警 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · 触发流水
                  T20260307-0099 · 2026-03.jsonl 第 1234 条

            "#]],
        );
    }

    #[test]
    fn a_long_clause_goes_on_in_its_column() {
        let mut alert = sample();
        alert.conditions[0].clause = Some("令〔2006〕第2号 第十一条(四)（长期闲置突然启用；已废止，沿用类型名称）".to_owned());
        for columns in [80, 120] {
            let text = super::alert(&alert, Lang::Zh, Palette::PLAIN, columns);
            // Closing punctuation may hang over.
            assert!(text.lines().all(|line| line.width() <= columns + 2), "{text}");
        }
        let wide = super::alert(&alert, Lang::Zh, Palette::PLAIN, 120);
        assert!(wide.contains(&format!("（长期闲置突\n{:80}然启用；", "")), "{wide}");
    }

    #[test]
    fn shares_of_an_amount_are_cut() {
        assert_eq!(share("1130000.00", "1203000.00").as_deref(), Some("93.9%"));
        assert_eq!(share("1.00", "0.00"), None);
    }

    #[test]
    fn a_withdrawal_says_why_and_shows_no_evidence() {
        let mut alert = sample();
        alert.status = AlertStatus::Withdrawn;
        alert.withdrawal = Some(Withdrawal::Merged { into: "00ff".to_owned() });
        check(
            &alert,
            Lang::Zh,
            120,
            &expect![[r#"
                ▌ 高  FZ-001 分散转入集中转出 · 14天  75 分  已撤回（并入 00ff）（第4版）
                ▌ 海南椰乡康养服务有限公司  单位 · c:ICBC/1001 · 469024 · 8514 · 2025-11-03 开户
                ▌ 账户 2201001 2201002 2201003 等 4 个
                ▌ 14天内37人转入126.84万元，94%转至3个账户

                  归口 处非办 469024 · 预警 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · 触发流水 T20260307-0099 · 2026-03.jsonl 第 1234 条

            "#]],
        );
    }

    #[test]
    fn what_is_on_trial_goes_to_no_office() {
        let mut alert = sample();
        alert.status = AlertStatus::Withdrawn;
        alert.rule.shadow = true;
        check(
            &alert,
            Lang::Zh,
            120,
            &expect![[r#"
                ▌ 高  FZ-001 分散转入集中转出 · 14天  75 分  已撤回（依据不再成立）（第4版）  〔试运行〕
                ▌ 海南椰乡康养服务有限公司  单位 · c:ICBC/1001 · 469024 · 8514 · 2025-11-03 开户
                ▌ 账户 2201001 2201002 2201003 等 4 个
                ▌ 14天内37人转入126.84万元，94%转至3个账户

                  不报送处非办（试运行或历史未满） · 预警 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · 触发流水 T20260307-0099 · 2026-03.jsonl 第
                  1234 条

            "#]],
        );
    }

    #[test]
    fn a_group_is_called_one() {
        let mut alert = sample();
        let of_nobody = [&mut alert.subject.name, &mut alert.subject.division, &mut alert.subject.industry];
        of_nobody.into_iter().for_each(String::clear);
        (alert.subject.party, alert.subject.kind, alert.subject.opened_at) = ("g:七家".to_owned(), PartyKind::Unknown, None);
        for (lang, line) in [(Lang::Zh, "▌ 关联客户组  g:七家"), (Lang::En, "▌ group of related customers  g:七家")] {
            let text = super::alert(&alert, lang, Palette::PLAIN, 120);
            assert_eq!(text.lines().nth(1), Some(line));
        }
    }

    #[test]
    fn shares_are_cut_after_one_decimal() {
        for (share, expected) in [("1", "100.0%"), ("0.812999", "81.2%"), ("0.05", "5.0%"), ("0", "0.0%")] {
            assert_eq!(percent(share), expected);
        }
    }
}
