//! An alert as an analyst reads it on a terminal: what, who, why, then the evidence.
//!
//! Nothing is computed here beyond units: every number is in the alert. Lists are cut for the screen with their true totals beside; the
//! complete record is the JSON line.

use weir_model::alert::{Alert, AlertStatus, Batch, Condition, CounterpartyFlow, Level, Withdrawal};
use weir_model::{Direction, PartyKind};

use crate::language::{Lang, say};
use crate::terminal::{Palette, grouped, left, right, wan};

/// Counterparties and batches shown.
const ROWS_MAX: usize = 5;
/// Columns for the identity of a counterparty.
const PARTY_COLUMNS: usize = 34;
/// Columns for a condition before its clause.
const CONDITION_COLUMNS: usize = 62;

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
        let money = |yuan: &str| right(&self.wan(yuan), 18);
        let (first, last, peak) = (minute(&alert.first_hit_at), minute(&alert.last_hit_at), minute(&alert.peak_at));
        let (since, owed) = (self.wan(&alert.amount_since_first), self.wan(&alert.outstanding_estimate));
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
        lines.extend(self.alert.conditions.iter().map(|condition| self.condition(condition)));
        if !self.alert.data_gaps.is_empty() {
            let gaps = self.alert.data_gaps.join(self.lang.of("、", ", "));
            lines.push(self.palette.dim(&say!(self.lang, "    缺数据未能评估：{gaps}", "    not evaluable for want of data: {gaps}")));
        }
        lines
    }

    fn condition(&self, condition: &Condition) -> String {
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
        let clause = condition.clause.as_deref().unwrap_or_default();
        let line = format!("{} {points}  {}", self.palette.paint(style, mark), left(text, CONDITION_COLUMNS));
        format!("    {line}  {}", self.palette.dim(clause)).trim_end().to_owned()
    }

    fn exclusions(&self) -> Vec<String> {
        let considered = &self.alert.exclusions_considered;
        if considered.is_empty() {
            return Vec::new();
        }
        let reasons = considered.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>().join(self.lang.of("、", ", "));
        vec![self.palette.dim(&say!(self.lang, "    已排查而不适用：{reasons}", "    looked at and not applicable: {reasons}"))]
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
            right(self.lang.of("金额（万元）", "amount (10k)"), 16),
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
            right(&wan(&flow.amount), 16),
            right(&count, 8),
            right(&wan(&flow.amount_back), 14),
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
        format!("    {}{people}{}   {}", batch.day, right(&self.wan(&batch.amount), 18), self.palette.dim(&again)).trim_end().to_owned()
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

    /// Yuan as 万元 with its unit.
    fn wan(&self, yuan: &str) -> String {
        let amount = wan(yuan);
        say!(self.lang, "{amount} 万元", "{amount} × 10k yuan")
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

/// `2026-03-07T23:00:15+08:00` as `2026-03-07 23:00`. Every time in an alert is RFC 3339 at UTC+8; anything else is shown as it is.
fn minute(rfc3339: &str) -> String {
    rfc3339.get(..16).unwrap_or(rfc3339).replace('T', " ")
}

/// `0.812345` as `81.2%`, cut after one decimal.
fn percent(share: &str) -> String {
    let (whole, fraction) = share.split_once('.').unwrap_or((share, ""));
    let Ok(tenths) = format!("{whole}{:0<3.3}", fraction).parse::<u64>() else { return share.to_owned() };
    format!("{}.{}%", tenths / 10, tenths % 10)
}
