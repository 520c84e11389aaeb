//! An alert as an analyst reads it on a terminal: what, who, why, then the evidence.
//!
//! Nothing is computed here beyond units: every number is in the alert. Lists are cut for the screen with their true totals beside; the
//! complete record is the JSON line.

use weir_model::alert::{Alert, AlertStatus, Batch, Condition, CounterpartyFlow, Level, Withdrawal};
use weir_model::{Direction, PartyKind};

use crate::language::{Lang, say};
use crate::terminal::{Palette, grouped, grouped_yuan, left, right, wan, wrapped};

/// Counterparties and batches shown.
const ROWS_MAX: usize = 5;
/// Columns for the identity of a counterparty.
const PARTY_COLUMNS: usize = 34;
/// Columns for a condition before its clause.
const CONDITION_COLUMNS: usize = 66;
/// Columns for remarks.
const REMARK_COLUMNS: usize = 104;

/// The alert as lines of text, with an empty line at the end.
pub(crate) fn alert(alert: &Alert, lang: Lang, palette: Palette) -> String {
    let sheet = Sheet { alert, lang, palette };
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
}

impl Sheet<'_> {
    /// Level, rule, score; the party; the sentence.
    fn head(&self) -> Vec<String> {
        let Alert { rule, subject, .. } = self.alert;
        let bar = self.palette.paint(level_style(self.alert.level), "▌");
        let level = self.palette.paint(level_style(self.alert.level), &format!(" {} ", level_name(self.alert.level, self.lang)));
        let variant = if rule.variant.is_empty() { String::new() } else { format!(" · {}", rule.variant) };
        let shadow = if rule.shadow { self.lang.of("  〔试运行〕", "  [on trial]") } else { "" };
        let score = self.alert.score;
        let score = say!(self.lang, "{score} 分", "{score} points");
        let title = self.palette.bold(&format!("{} {}", rule.id, rule.title));
        let name = if subject.name.is_empty() { self.lang.of("（名称未知）", "(name unknown)") } else { &subject.name };
        let mut facts = vec![self.kind(subject.kind).to_owned(), subject.party.clone()];
        facts.extend([&subject.division, &subject.industry].into_iter().filter(|fact| !fact.is_empty()).cloned());
        if let Some(day) = &subject.opened_at {
            facts.push(say!(self.lang, "{day} 开户", "opened {day}"));
        }
        let mut lines = vec![
            format!("{bar}{level} {title}{}  {score}  {}{shadow}", self.palette.dim(&variant), self.palette.dim(&self.status())),
            format!("{bar} {}  {}", self.palette.bold(name), self.palette.dim(&facts.join(" · "))),
        ];
        if !subject.accounts.is_empty() {
            lines.push(format!("{bar} {}", self.palette.dim(&self.accounts(&subject.accounts))));
        }
        lines.push(format!("{bar} {}", self.alert.reason));
        lines
    }

    fn accounts(&self, accounts: &[String]) -> String {
        let shown = accounts.iter().take(3).map(String::as_str).collect::<Vec<_>>().join(" ");
        let total = accounts.len();
        if total > 3 {
            let more = total - 3;
            say!(self.lang, "账户 {shown} 等 {total} 个", "accounts {shown} and {more} more")
        } else {
            say!(self.lang, "账户 {shown}", "accounts {shown}")
        }
    }

    fn status(&self) -> String {
        let revision = self.alert.revision;
        let status = match (self.alert.status, &self.alert.withdrawal) {
            (AlertStatus::Opened, _) => self.lang.of("新开", "opened").to_owned(),
            (AlertStatus::Updated, _) => self.lang.of("已更新", "updated").to_owned(),
            (AlertStatus::Quiet, _) => self.lang.of("已静默", "quiet").to_owned(),
            (AlertStatus::Withdrawn, Some(Withdrawal::Merged { into })) => {
                say!(self.lang, "已撤回（并入 {into}）", "withdrawn (merged into {into})")
            }
            (AlertStatus::Withdrawn, _) => self.lang.of("已撤回（依据不再成立）", "withdrawn (unfounded)").to_owned(),
        };
        say!(self.lang, "{status} 第{revision}版", "{status}, revision {revision}")
    }

    /// When, how many, how much, where.
    fn totals(&self) -> Vec<String> {
        let alert = self.alert;
        let label = |zh, en| self.palette.dim(&left(self.lang.of(zh, en), if self.lang == Lang::Zh { 8 } else { 10 }));
        let people = |n: u64| {
            let n = grouped(n.into());
            right(&say!(self.lang, "{n} 人", "{n} people"), if self.lang == Lang::Zh { 9 } else { 13 })
        };
        let money = |yuan: &str| right(&self.money(yuan), 18);
        let (first, last, peak) = (minute(&alert.first_hit_at), minute(&alert.last_hit_at), minute(&alert.peak_at));
        let (since, owed) = (self.money(&alert.amount_since_first), self.money(&alert.outstanding_estimate));
        let since = say!(self.lang, "首次命中窗口以来转入 {since}", "in since the first hit's window: {since}");
        let owed = say!(self.lang, "估计尚未兑付 {owed}", "estimated still owed: {owed}");
        let peak = say!(self.lang, "等级峰值 {peak}", "peak {peak}");
        vec![
            String::new(),
            format!("  {}{first} → {last}   {}", label("命中", "hits"), self.palette.dim(&peak)),
            format!("  {}{}{}   {}", label("转入", "in"), people(alert.people_in), money(&alert.amount_in), self.palette.dim(&since)),
            format!("  {}{}{}   {}", label("转出", "out"), people(alert.people_out), money(&alert.amount_out), self.palette.dim(&owed)),
            format!("  {}{}{}", label("涉及", "involved"), people(alert.people), self.spread()),
        ]
    }

    fn spread(&self) -> String {
        let scope = &self.alert.scope;
        let (provinces, prefectures) = (scope.provinces, scope.prefectures);
        match &scope.known_share {
            Some(share) if prefectures > 0 => {
                let known = percent(share);
                say!(
                    self.lang,
                    "   {provinces} 省 {prefectures} 地市（已知地区占 {known}）",
                    "   {provinces} provinces, {prefectures} prefectures ({known} known)"
                )
            }
            _ => String::new(),
        }
    }

    fn conditions(&self) -> Vec<String> {
        let mut lines = vec![String::new(), self.heading("为什么命中", "Why")];
        lines.extend(self.alert.conditions.iter().flat_map(|condition| self.condition(condition)));
        if !self.alert.data_gaps.is_empty() {
            let gaps = self.alert.data_gaps.join(self.lang.of("；", "; "));
            lines.extend(self.remark(&say!(self.lang, "缺数据 {gaps}", "data missing: {gaps}")));
        }
        lines
    }

    /// Secondary text below the conditions.
    fn remark(&self, text: &str) -> Vec<String> {
        wrapped(text, REMARK_COLUMNS).iter().map(|line| format!("    {}", self.palette.dim(line))).collect()
    }

    /// Mark, points, what was measured, clause; a long text goes on in the lines below.
    fn condition(&self, condition: &Condition) -> Vec<String> {
        let (mark, style) = match condition.met {
            Some(true) => ("✓", "32"),
            Some(false) => ("✗", "2"),
            None => ("?", "33"),
        };
        let points = match (condition.points, condition.met) {
            (None, _) => "    ".to_owned(),
            (Some(points), Some(true)) => right(&format!("{points:+}"), 4),
            (Some(_), _) => right("·", 4),
        };
        let text = if condition.explain.is_empty() { &condition.text } else { &condition.explain };
        let clause = self.palette.dim(condition.clause.as_deref().unwrap_or_default());
        let mut texts = wrapped(text, CONDITION_COLUMNS).into_iter();
        // What brought no points steps back, so that the eye finds what did.
        let shade =
            |text: &str| if condition.points.is_some() && condition.met != Some(true) { self.palette.dim(text) } else { text.to_owned() };
        let first = shade(&left(&texts.next().unwrap_or_default(), CONDITION_COLUMNS));
        let mut lines = vec![format!("    {} {points}  {first}  {clause}", self.palette.paint(style, mark)).trim_end().to_owned()];
        lines.extend(texts.map(|text| format!("            {}", shade(&text))));
        lines
    }

    fn exclusions(&self) -> Vec<String> {
        let considered = &self.alert.exclusions_considered;
        if considered.is_empty() {
            return Vec::new();
        }
        let reasons = considered.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>().join(self.lang.of("；", "; "));
        self.remark(&say!(self.lang, "已排查而不适用 {reasons}", "looked at and not applicable: {reasons}"))
    }

    /// Payers or payees with their sums.
    fn flows(&self, direction: Direction) -> Vec<String> {
        let evidence = &self.alert.evidence;
        let (flows, total, heading) = match direction {
            Direction::In => (&evidence.payers, evidence.payers_total, self.lang.of("转入方", "Payers")),
            Direction::Out => (&evidence.payees, evidence.payees_total, self.lang.of("转出去向", "Payees")),
        };
        if flows.is_empty() {
            return Vec::new();
        }
        let shown = flows.len().min(ROWS_MAX);
        let back = match direction {
            Direction::In => self.lang.of("曾付回", "paid back"),
            Direction::Out => self.lang.of("曾转入", "had paid in"),
        };
        let title = left(&say!(self.lang, "{heading}（前 {shown}，共 {total}）", "{heading} ({shown} of {total})"), PARTY_COLUMNS + 8);
        let columns = format!(
            "{}{}{}  {}",
            right(self.lang.of("金额（万元）", "amount (yuan)"), 16),
            right(self.lang.of("笔数", "count"), 8),
            right(back, 14),
            self.lang.of("末次", "last"),
        );
        let mut lines = vec![String::new(), format!("  {}{}", self.palette.bold(&title), self.palette.dim(&columns))];
        lines.extend(flows.iter().take(shown).map(|flow| self.flow(flow)));
        lines
    }

    fn flow(&self, flow: &CounterpartyFlow) -> String {
        let kind = left(self.kind(flow.kind), 8);
        let count = grouped(flow.count.into());
        format!(
            "    {}{}{}{}{}  {}",
            left(&flow.id, PARTY_COLUMNS - 2),
            self.palette.dim(&kind),
            right(&self.amount(&flow.amount), 16),
            right(&count, 8),
            right(&self.amount(&flow.amount_back), 14),
            self.palette.dim(&minute(&flow.last))
        )
    }

    fn batches(&self) -> Vec<String> {
        let evidence = &self.alert.evidence;
        if evidence.batches.is_empty() {
            return Vec::new();
        }
        let (shown, total) = (evidence.batches.len().min(ROWS_MAX), evidence.batches_total);
        let heading = say!(self.lang, "批量转出（近 {shown} 批，共 {total} 批）", "Batches paid (latest {shown} of {total})");
        let mut lines = vec![String::new(), format!("  {}", self.palette.bold(&heading))];
        let latest = &evidence.batches[evidence.batches.len() - shown..];
        lines.extend(latest.iter().map(|batch| self.batch(batch)));
        lines
    }

    fn batch(&self, batch: &Batch) -> String {
        let people = batch.payees;
        let people = right(&say!(self.lang, "{people} 人", "{people} people"), 12);
        let again = match batch.again {
            Some(again) => say!(self.lang, "{again} 人上批也收过", "{again} of them paid the time before"),
            None => String::new(),
        };
        format!("    {}{people}{}   {}", batch.day, right(&self.money(&batch.amount), 18), self.palette.dim(&again)).trim_end().to_owned()
    }

    /// Where it goes and where it came from.
    fn foot(&self) -> Vec<String> {
        let alert = self.alert;
        let mut parts: Vec<String> = alert
            .addressees
            .iter()
            .map(|to| {
                let division = &to.division;
                say!(self.lang, "报送 处非办 {division}", "to the office of {division}")
            })
            .collect();
        let id = &alert.alert_id;
        parts.push(say!(self.lang, "预警 {id}", "alert {id}"));
        if let Some(trigger) = &alert.triggered_by {
            let txn = &trigger.txn_id;
            parts.push(say!(self.lang, "触发流水 {txn}", "by transaction {txn}"));
        }
        let (source, record) = (&alert.detected_from.source, alert.detected_from.offset);
        parts.push(say!(self.lang, "{source} 第 {record} 条", "{source} record {record}"));
        vec![String::new(), format!("  {}", self.palette.dim(&parts.join(" · ")))]
    }

    fn heading(&self, zh: &'static str, en: &'static str) -> String {
        format!("  {}", self.palette.bold(self.lang.of(zh, en)))
    }

    /// An amount with its unit: 万元 in Chinese, yuan in English.
    fn money(&self, yuan: &str) -> String {
        let amount = self.amount(yuan);
        say!(self.lang, "{amount} 万元", "{amount} yuan")
    }

    fn amount(&self, yuan: &str) -> String {
        match self.lang {
            Lang::Zh => wan(yuan),
            Lang::En => grouped_yuan(yuan),
        }
    }

    fn kind(&self, kind: PartyKind) -> &'static str {
        match kind {
            PartyKind::Natural => self.lang.of("自然人", "person"),
            PartyKind::Organisation => self.lang.of("企业", "company"),
            PartyKind::SoleTrader => self.lang.of("个体户", "trader"),
            PartyKind::Internal => self.lang.of("内部户", "internal"),
            PartyKind::Unknown => self.lang.of("未知", "unknown"),
        }
    }
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
fn minute(rfc3339: &str) -> String {
    let text = rfc3339.get(..16).unwrap_or(rfc3339).replace('T', " ");
    text.strip_suffix(" 00:00").map(str::to_owned).unwrap_or(text)
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
        serde_json::from_str(include_str!("../tests/alert.json")).expect("is an alert")
    }

    fn check(alert: &Alert, lang: Lang, expected: &Expect) {
        expected.assert_eq(&super::alert(alert, lang, Palette::PLAIN));
    }

    #[test]
    fn an_alert_reads_from_verdict_to_evidence() {
        check(
            &sample(),
            Lang::Zh,
            &expect![[r#"
            ▌ 高  FZ-001 分散转入集中转出 · 14天  75 分  已更新 第4版
            ▌ 海南椰乡康养服务有限公司  企业 · c:ICBC/1001 · 469024 · 8514 · 2025-11-03 开户
            ▌ 账户 2201001 2201002 2201003 等 4 个
            ▌ 14天内37人转入126.84万元，94%转至3个账户

              命中    2026-03-01 09:12 → 2026-03-07 23:00   等级峰值 2026-03-06 14:00
              转入        37 人       126.84 万元   首次命中窗口以来转入 130.00 万元
              转出         3 人       120.30 万元   估计尚未兑付 6.54 万元
              涉及        40 人   3 省 5 地市（已知地区占 81.2%）

              为什么命中
                ✓       转入人数 37 ≥ 15，满足                                              国发〔2015〕59号
                ✓       前3去向占比 0.94 ≥ 0.8，满足
                ✓  +15  资金停留时间 2小时 ≤ 2天，满足
                ✗    ·  夜间占比 0.12 ≥ 0.3，未满足
                ?    ·  老年付款人占比 ≥ 0.5，无法评估（缺数据）
                缺数据 老年付款人占比
                已排查而不适用 已核实收单商户

              转入方（前 2，共 38）                         金额（万元）    笔数        曾付回  末次
                c:ICBC/2001                     自然人             10.00       2          0.50  2026-03-07 12:00
                n:102641000018/王某某           自然人              8.00       1          0.00  2026-03-02 09:12

              转出去向（前 1，共 4）                        金额（万元）    笔数        曾转入  末次
                a:102641000018/6222000011112222 企业              113.00       9          0.00  2026-03-07 23:00

              批量转出（近 2 批，共 2 批）
                2026-03-05       12 人         6.00 万元
                2026-03-06       12 人         6.10 万元   11 人上批也收过

              报送 处非办 469024 · 预警 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · 触发流水 T20260307-0099 · 2026-03.jsonl 第 1234 条

        "#]],
        );
        check(
            &sample(),
            Lang::En,
            &expect![[r#"
            ▌ high  FZ-001 分散转入集中转出 · 14天  75 points  updated, revision 4
            ▌ 海南椰乡康养服务有限公司  company · c:ICBC/1001 · 469024 · 8514 · opened 2025-11-03
            ▌ accounts 2201001 2201002 2201003 and 1 more
            ▌ 14天内37人转入126.84万元，94%转至3个账户

              hits      2026-03-01 09:12 → 2026-03-07 23:00   peak 2026-03-06 14:00
              in            37 people 1,268,400.00 yuan   in since the first hit's window: 1,300,000.00 yuan
              out            3 people 1,203,000.00 yuan   estimated still owed: 65,400.00 yuan
              involved      40 people   3 provinces, 5 prefectures (81.2% known)

              Why
                ✓       转入人数 37 ≥ 15，满足                                              国发〔2015〕59号
                ✓       前3去向占比 0.94 ≥ 0.8，满足
                ✓  +15  资金停留时间 2小时 ≤ 2天，满足
                ✗    ·  夜间占比 0.12 ≥ 0.3，未满足
                ?    ·  老年付款人占比 ≥ 0.5，无法评估（缺数据）
                data missing: 老年付款人占比
                looked at and not applicable: 已核实收单商户

              Payers (2 of 38)                             amount (yuan)   count     paid back  last
                c:ICBC/2001                     person        100,000.00       2      5,000.00  2026-03-07 12:00
                n:102641000018/王某某           person         80,000.00       1          0.00  2026-03-02 09:12

              Payees (1 of 4)                              amount (yuan)   count   had paid in  last
                a:102641000018/6222000011112222 company     1,130,000.00       9          0.00  2026-03-07 23:00

              Batches paid (latest 2 of 2)
                2026-03-05   12 people    60,000.00 yuan
                2026-03-06   12 people    61,000.00 yuan   11 of them paid the time before

              to the office of 469024 · alert 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · by transaction T20260307-0099 · 2026-03.jsonl record 1234

        "#]],
        );
    }

    #[test]
    fn a_withdrawal_says_why_and_shows_no_evidence() {
        let mut alert = sample();
        alert.status = AlertStatus::Withdrawn;
        alert.withdrawal = Some(Withdrawal::Merged { into: "00ff".to_owned() });
        check(
            &alert,
            Lang::Zh,
            &expect![[r#"
            ▌ 高  FZ-001 分散转入集中转出 · 14天  75 分  已撤回（并入 00ff） 第4版
            ▌ 海南椰乡康养服务有限公司  企业 · c:ICBC/1001 · 469024 · 8514 · 2025-11-03 开户
            ▌ 账户 2201001 2201002 2201003 等 4 个
            ▌ 14天内37人转入126.84万元，94%转至3个账户

              报送 处非办 469024 · 预警 3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a · 触发流水 T20260307-0099 · 2026-03.jsonl 第 1234 条

        "#]],
        );
    }

    #[test]
    fn shares_are_cut_after_one_decimal() {
        for (share, expected) in [("1", "100.0%"), ("0.812999", "81.2%"), ("0.05", "5.0%"), ("0", "0.0%")] {
            assert_eq!(percent(share), expected);
        }
    }
}
