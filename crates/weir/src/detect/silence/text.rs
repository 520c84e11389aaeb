//! An explanation as a person reads it on a terminal: who, then rule by rule what was missing and by how much.
//!
//! The eye should find the distance: it stands in a column of its own. What holds steps back. Nothing is computed here; the complete record is
//! what `--json` writes. Conditions are in Chinese as on alerts; in English they stand as written, with what was measured.

use weir_model::alert::AlertStatus;
use weir_model::{KeyKind, PartyKind, Reason};
use weir_rules::without_outcome;

use super::explanation::{Cause, Explanation, Given, NotEvaluable, OfCondition, OfInstant, OfOperand, OfRule, OfVariant, Why};
use crate::language::{Lang, plural, say};
use crate::render::{kind_name, level_name, minute, plain_width};
use crate::terminal::{Palette, grouped, left, wrapped};

/// Columns for a condition before its distance.
const CONDITION_COLUMNS: usize = 66;
/// Columns kept for a distance.
const DISTANCE_COLUMNS: usize = 26;
/// Beyond this width lines are no easier to read.
const COLUMNS_MAX: usize = 120;

/// The explanation in lines of at most about `columns`.
pub(super) fn text(explanation: &Explanation, lang: Lang, palette: Palette, columns: usize) -> String {
    let is_group = KeyKind::Group.is_of(&explanation.party);
    let sheet = Sheet { lang, palette, columns: columns.min(COLUMNS_MAX), is_group };
    let mut lines = sheet.head(explanation);
    let is_elsewhere = |rule: &&OfRule| !rule.variants.is_empty() && rule.variants.iter().all(|variant| variant.why == Why::Scope);
    let (elsewhere, own): (Vec<_>, Vec<_>) = explanation.rules.iter().partition(is_elsewhere);
    lines.extend(own.into_iter().flat_map(|rule| sheet.rule(rule)));
    lines.extend(sheet.elsewhere(&elsewhere));
    lines.push(String::new());
    lines.join("\n") + "\n"
}

struct Sheet {
    lang: Lang,
    palette: Palette,
    columns: usize,
    /// Whether the party is a group.
    is_group: bool,
}

impl Sheet {
    fn head(&self, of: &Explanation) -> Vec<String> {
        let name = if of.name.is_empty() { String::new() } else { format!("  {}", of.name) };
        let kinds: Vec<&str> = of.kinds.iter().map(|kind| self.kind(*kind)).collect();
        let kinds = kinds.join("/");
        let known =
            if of.registered || self.is_group { "" } else { self.lang.of(" · 不在客户资料中", " · not in the party data") };
        let (legs, inward, outward) = (grouped(of.legs.into()), grouped(of.legs_in.into()), grouped(of.legs_out.into()));
        let transactions = plural(of.legs, "transaction", "transactions");
        let (first, last) = (minute(&of.first), minute(&of.last));
        let mut lines = vec![
            format!("{}{name}  {}", self.palette.bold(&of.party), self.palette.dim(&format!("{kinds}{known}"))),
            say!(
                self.lang,
                "流水 {legs} 笔（转入 {inward}，转出 {outward}）  {first} → {last}",
                "{legs} {transactions} ({inward} in, {outward} out)  {first} → {last}"
            ),
        ];
        if let Some(group) = &of.group {
            let words = say!(
                self.lang,
                "属于关联客户组 {group}：组的规则见 --explain-silence {group}",
                "belongs to the group {group}: for rules of groups see --explain-silence {group}"
            );
            lines.push(self.palette.dim(&words));
        }
        let rejected = of.rejected.iter().map(|(code, count)| {
            let reason = Reason::ALL.into_iter().find(|reason| reason.code() == *code);
            let late = reason.is_some_and(Reason::is_late);
            let (count, words) =
                (grouped((*count).into()), if late { self.lang.of("迟到", "late") } else { self.lang.of("不可用", "unusable") });
            say!(self.lang, "{count} 条{words}（{code}），未参与检测", "{count} {words} ({code}), not looked at")
        });
        let rejected: Vec<String> = rejected.collect();
        if !rejected.is_empty() {
            lines.push(self.palette.paint("33", &rejected.join(self.lang.of("；", "; "))));
        }
        lines
    }

    fn rule(&self, rule: &OfRule) -> Vec<String> {
        let shadow = if rule.shadow { self.lang.of("  〔试运行〕", "  [on trial]") } else { "" };
        let title = format!("{} {}", rule.rule, rule.title);
        let mut lines = vec![String::new()];
        // One line says it all where an alert stands.
        lines.extend(rule.alerts.iter().flat_map(|given| {
            let mark = if given.status == AlertStatus::Withdrawn { "-" } else { "!" };
            let head = format!("{} {}{shadow}", self.palette.paint("1;31", mark), self.palette.bold(&title));
            self.beside(&head, &self.given(given))
        }));
        // Nor does a rule need more that was asked at no instant, whatever the variant.
        let is_unasked = rule.variants.iter().all(|variant| variant.nearest.is_none());
        let variants = if is_unasked { rule.variants.get(..1).unwrap_or_default() } else { &rule.variants };
        for (at, variant) in variants.iter().enumerate() {
            if at > 0 {
                lines.push(String::new());
            }
            lines.extend(self.variant(&title, shadow, variant));
        }
        lines
    }

    /// Rules for the other kind of party, in one line.
    fn elsewhere(&self, rules: &[&OfRule]) -> Vec<String> {
        if rules.is_empty() {
            return Vec::new();
        }
        let ids: Vec<&str> = rules.iter().map(|rule| rule.rule.as_str()).collect();
        let ids = ids.join(self.lang.of("、", ", "));
        let line = if self.is_group {
            say!(self.lang, "不适用（只看单个客户，不看关联客户组）：{ids}", "for customers, not for groups: {ids}")
        } else {
            say!(self.lang, "不适用（只看关联客户组）：{ids}", "for groups only: {ids}")
        };
        let lines = wrapped(&line, self.columns.saturating_sub(2).max(24));
        std::iter::once(String::new()).chain(lines.iter().map(|line| format!("  {}", self.palette.dim(line)))).collect()
    }

    /// Both on a line, or the second below the first where there is no room.
    fn beside(&self, head: &str, more: &str) -> Vec<String> {
        if plain_width(head) + 2 + plain_width(more) <= self.columns {
            return vec![format!("{head}  {more}")];
        }
        vec![head.to_owned(), format!("    {more}")]
    }

    fn given(&self, given: &Given) -> String {
        let (opened, level) = (minute(&given.opened_at), level_name(given.level, self.lang));
        let variant = self.variant_name(&given.variant, &given.variant_zh);
        let variant = if variant.is_empty() { String::new() } else { format!(" · {variant}") };
        let id = self.palette.dim(&given.alert_id);
        if given.status == AlertStatus::Withdrawn {
            return say!(self.lang, "{opened} 曾预警，已撤回{variant}  {id}", "alerted at {opened}, withdrawn since{variant}  {id}");
        }
        say!(self.lang, "已预警：{opened} 首次命中，{level}{variant}  {id}", "alerted: first hit {opened}, {level}{variant}  {id}")
    }

    fn variant(&self, title: &str, shadow: &str, variant: &OfVariant) -> Vec<String> {
        let name = self.variant_name(&variant.variant, &variant.variant_zh);
        let name = if name.is_empty() || variant.nearest.is_none() { String::new() } else { format!(" · {name}") };
        let head = format!("  {}{}{shadow}", self.palette.bold(title), self.palette.dim(&name));
        let Some(instant) = &variant.nearest else {
            return self.beside(&head, &self.unasked(variant));
        };
        let at = minute(&instant.at);
        let (met, required) = (instant.met, instant.required);
        let (conditions, hold) = (plural(required, "condition", "conditions"), plural(met, "holds", "hold"));
        let verdict = match variant.why {
            Why::Excluded => {
                self.palette.paint("33", self.lang.of("条件全部满足，但属于可排除的情形", "every condition holds, but it is excluded"))
            }
            Why::Score => self
                .palette
                .paint("33", self.lang.of("条件全部满足，但得分不到最低级别", "every condition holds, but the score reaches no level")),
            _ => say!(self.lang, "{required} 项条件满足 {met} 项", "{met} of {required} {conditions} {hold}"),
        };
        let mut lines = self.beside(&head, &say!(self.lang, "最接近于 {at}：{verdict}", "nearest at {at}: {verdict}"));
        lines.extend(instant.conditions.iter().flat_map(|condition| self.condition(condition)));
        lines.extend(self.exclusions(instant));
        lines.extend(self.not_evaluable(&instant.not_evaluable));
        lines
    }

    /// Why a variant was looked at at no instant.
    fn unasked(&self, variant: &OfVariant) -> String {
        let watched = variant.watched.join(self.lang.of("、", ", "));
        let subject: Vec<&str> = variant.subject.iter().map(|kind| self.kind(*kind)).collect();
        let subject = subject.join(self.lang.of("、", ", "));
        match variant.why {
            Why::Kind => say!(self.lang, "不适用：只看 {subject}", "does not apply: it looks at {subject} only"),
            Why::NotWatched => say!(
                self.lang,
                "从未评估：只在 {watched} 命中后的 180 天内逐日评估",
                "never looked at: only on days within 180 days of a hit of {watched}"
            ),
            _ => self
                .lang
                .of("从未评估：没有一笔流水进入检测", "never looked at: no transaction of the party came to be detected on")
                .to_owned(),
        }
    }

    fn condition(&self, condition: &OfCondition) -> Vec<String> {
        let words = match condition.joint {
            Some("any") => self.lang.of("以下任一成立", "one of these holds").to_owned(),
            Some(_) => self.lang.of("以下全部成立", "all of these hold").to_owned(),
            None => self.words(condition),
        };
        let distance = condition.distance.as_ref().map(|distance| distance.distance.words(self.lang)).unwrap_or_default();
        let mut lines = self.row(4, condition.met, &words, &distance);
        lines.extend(condition.operands.iter().flat_map(|operand| self.operand(operand)));
        lines
    }

    fn operand(&self, operand: &OfOperand) -> Vec<String> {
        let distances = operand.comparisons.iter().filter_map(|one| one.distance.as_ref());
        let distances: Vec<String> = distances.map(|distance| distance.distance.words(self.lang)).collect();
        let words = match self.lang {
            Lang::Zh => without_outcome(&operand.explain, operand.met).to_owned(),
            Lang::En => operand.comparisons.iter().map(|one| self.words(one)).collect::<Vec<_>>().join("; "),
        };
        self.row(7, operand.met, &words, &distances.join(self.lang.of("；", "; ")))
    }

    /// What was measured against what.
    fn words(&self, condition: &OfCondition) -> String {
        match self.lang {
            Lang::Zh => without_outcome(&condition.explain, condition.met).to_owned(),
            Lang::En => {
                let bound = &condition.bound;
                match (&condition.measured, &condition.threshold, condition.met) {
                    (_, _, None) => format!("{bound}   cannot be evaluated"),
                    // Behind one NOT may stand several comparisons, and what was measured is the first's.
                    (Some(measured), Some(_), _) if !bound.starts_with("NOT (") => format!("{bound}   is {measured}"),
                    // Nor has a value that is asked for being missing anything to show.
                    (.., Some(true)) => format!("{bound}   holds"),
                    (.., Some(false)) => format!("{bound}   does not hold"),
                }
            }
        }
    }

    /// Mark, words, and the distance in its column; a long text goes on below.
    fn row(&self, indent: usize, met: Option<bool>, words: &str, distance: &str) -> Vec<String> {
        let (mark, style) = match met {
            Some(true) => ("✓", "32"),
            Some(false) => ("✗", "31"),
            None => ("?", "33"),
        };
        let shade = |text: &str| if met == Some(true) { self.palette.dim(text) } else { text.to_owned() };
        let room = (self.columns.saturating_sub(indent + 3 + DISTANCE_COLUMNS)).min(CONDITION_COLUMNS + 4 - indent).max(24);
        let mut texts = wrapped(words, room).into_iter();
        let first = left(&texts.next().unwrap_or_default(), room);
        let pad = " ".repeat(indent);
        let mut lines = vec![
            format!("{pad}{}  {}  {}", self.palette.paint(style, mark), shade(&first), self.palette.bold(distance)).trim_end().to_owned(),
        ];
        lines.extend(texts.map(|text| format!("{pad}   {}", shade(&text))));
        lines
    }

    fn exclusions(&self, instant: &OfInstant) -> Vec<String> {
        let label = self.lang.of("排除情形成立", "excluded");
        let line = |exclusion: &super::explanation::OfExclusion| {
            let (reason, owner, until) = (&exclusion.reason, &exclusion.owner, &exclusion.until);
            say!(self.lang, "{label}：{reason}（{owner}负责，至 {until}）", "{label}: {reason} (owner {owner}, until {until})")
        };
        instant.exclusions.iter().flat_map(|exclusion| self.remark(&line(exclusion), "33")).collect()
    }

    /// Features without a value, those of one cause together.
    fn not_evaluable(&self, features: &[NotEvaluable]) -> Vec<String> {
        let mut by_cause: Vec<(&[Cause], Vec<&str>)> = Vec::new();
        for feature in features {
            let name = if self.lang == Lang::Zh { feature.name.as_str() } else { feature.feature.as_str() };
            match by_cause.iter_mut().find(|(causes, _)| *causes == feature.lacks) {
                // Calls may differ in a second window, which their names do not tell.
                Some((_, names)) if names.contains(&name) => {}
                Some((_, names)) => names.push(name),
                None => by_cause.push((&feature.lacks, vec![name])),
            }
        }
        let line = |(causes, names): &(&[Cause], Vec<&str>)| {
            let causes: Vec<&str> = causes.iter().map(|cause| self.lang.of(cause.zh, cause.en)).collect();
            let (names, causes) = (names.join(self.lang.of("、", ", ")), causes.join(self.lang.of("，或", ", or ")));
            say!(self.lang, "无法评估：{names}——{causes}", "cannot be evaluated: {names}: {causes}")
        };
        by_cause.iter().flat_map(|cause| self.remark(&line(cause), "2")).collect()
    }

    fn remark(&self, text: &str, style: &str) -> Vec<String> {
        let room = self.columns.saturating_sub(7).max(24);
        let lines = wrapped(text, room);
        lines
            .iter()
            .enumerate()
            .map(|(at, line)| format!("{}{}", if at == 0 { "    " } else { "       " }, self.palette.paint(style, line)))
            .collect()
    }

    fn variant_name<'v>(&self, name: &'v str, zh: &'v str) -> &'v str {
        if self.lang == Lang::Zh && !zh.is_empty() { zh } else { name }
    }

    fn kind(&self, kind: PartyKind) -> &'static str {
        if kind == PartyKind::Unknown { self.lang.of("类型未知", "of unknown kind") } else { kind_name(kind, self.lang) }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::{Expect, expect};
    use unicode_width::UnicodeWidthStr;
    use weir_model::Level;
    use weir_rules::{Lack, Unit};

    use super::super::explanation::{OfDistance, OfExclusion};
    use super::*;
    use crate::probe::Distance;

    fn condition(explain: &str, bound: &str, measured: Option<&str>, met: Option<bool>, distance: Option<(&str, Unit)>) -> OfCondition {
        OfCondition {
            text: String::new(),
            bound: bound.to_owned(),
            explain: explain.to_owned(),
            measured: measured.map(str::to_owned),
            threshold: Some(String::new()),
            met,
            distance: distance.map(|(by, unit)| OfDistance {
                by: by.to_owned(),
                unit: unit.code(),
                distance: Distance { by: by.to_owned(), unit },
            }),
            clause: None,
            joint: None,
            operands: Vec::new(),
        }
    }

    /// A rule that alerted, one that came near, one that does not apply.
    fn sample() -> Explanation {
        let payers = condition(
            "近14天转入人数 14（须 ≥ 15），未满足",
            "natural_payers(14d) >= 15",
            Some("14"),
            Some(false),
            Some(("1", Unit::People)),
        );
        let amount = condition("近14天转入金额 56万元 ≥ 50万元，满足", "amount_in(14d) >= 500000.00", Some("560000.00"), Some(true), None);
        let lack = Lack::PartyData;
        let instant = OfInstant {
            at: "2026-03-04T12:00:00+08:00".to_owned(),
            required: 2,
            met: 1,
            conditions: vec![payers, amount],
            exclusions: vec![OfExclusion {
                text: String::new(),
                reason: "已核实收单商户".to_owned(),
                owner: "运营管理部".to_owned(),
                until: "2027-12-31".to_owned(),
            }],
            not_evaluable: vec![NotEvaluable {
                feature: "agreement(charity)".to_owned(),
                name: "慈善组织协议".to_owned(),
                lacks: vec![Cause { code: lack.code(), zh: lack.zh(), en: lack.en(), of_data: lack.is_of_data() }],
            }],
        };
        let variant = |why, nearest| OfVariant {
            variant: "days14".to_owned(),
            variant_zh: "14天".to_owned(),
            why,
            watched: Vec::new(),
            subject: Vec::new(),
            nearest,
        };
        let rule = |id: &str, title: &str, alerts, variants| OfRule {
            rule: id.to_owned(),
            title: title.to_owned(),
            version: 1,
            shadow: false,
            alerts,
            variants,
        };
        let given = Given {
            alert_id: "3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a".to_owned(),
            opened_at: "2026-03-05T10:00:00+08:00".to_owned(),
            last_hit_at: String::new(),
            level: Level::High,
            score: 70,
            status: AlertStatus::Opened,
            variant: String::new(),
            variant_zh: String::new(),
        };
        Explanation {
            party: "c:1001".to_owned(),
            name: "青石康养服务有限公司".to_owned(),
            kinds: vec![PartyKind::Organisation],
            group: None,
            registered: true,
            legs: 1638,
            legs_in: 1588,
            legs_out: 50,
            first: "2026-01-06T10:35:00+08:00".to_owned(),
            last: "2026-03-30T16:58:00+08:00".to_owned(),
            rejected: BTreeMap::from([("late", 3)]),
            rule_set: String::new(),
            rules: vec![
                rule("FZ-002", "定期批量小额转出", vec![given], Vec::new()),
                rule("FZ-001", "分散转入集中转出", Vec::new(), vec![variant(Why::Conditions, Some(instant))]),
                rule("FZ-010", "关联客户组", Vec::new(), vec![variant(Why::Scope, None)]),
            ],
        }
    }

    fn check(lang: Lang, columns: usize, expected: &Expect) {
        let found = text(&sample(), lang, Palette::PLAIN, columns);
        expected.assert_eq(&found);
        for line in found.lines() {
            assert!(line.width() <= columns, "{} columns: {line}", line.width());
        }
    }

    #[test]
    fn distances_stand_in_a_column_of_their_own() {
        check(
            Lang::Zh,
            120,
            &expect![[r#"
                c:1001  青石康养服务有限公司  单位
                流水 1,638 笔（转入 1,588，转出 50）  2026-01-06 10:35 → 2026-03-30 16:58
                3 条迟到（late），未参与检测

                ! FZ-002 定期批量小额转出  已预警：2026-03-05 10:00 首次命中，高  3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a

                  FZ-001 分散转入集中转出 · 14天  最接近于 2026-03-04 12:00：2 项条件满足 1 项
                    ✗  近14天转入人数 14（须 ≥ 15）                                        差 1 人
                    ✓  近14天转入金额 56万元 ≥ 50万元
                    排除情形成立：已核实收单商户（运营管理部负责，至 2027-12-31）
                    无法评估：慈善组织协议——主体没有在客户资料中登记，协议无从得知（--parties）

                  不适用（只看关联客户组）：FZ-010

            "#]],
        );
        check(
            Lang::En,
            120,
            &expect![[r#"
                c:1001  青石康养服务有限公司  company
                1,638 transactions (1,588 in, 50 out)  2026-01-06 10:35 → 2026-03-30 16:58
                3 late (late), not looked at

                ! FZ-002 定期批量小额转出  alerted: first hit 2026-03-05 10:00, high  3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a

                  FZ-001 分散转入集中转出 · days14  nearest at 2026-03-04 12:00: 1 of 2 conditions holds
                    ✗  natural_payers(14d) >= 15   is 14                                   off by 1 person
                    ✓  amount_in(14d) >= 500000.00   is 560000.00
                    excluded: 已核实收单商户 (owner 运营管理部, until 2027-12-31)
                    cannot be evaluated: agreement(charity): the party is not in the party data,
                       so its agreements are unknown (--parties)

                  for groups only: FZ-010

            "#]],
        );
    }

    #[test]
    fn a_narrow_terminal_takes_more_lines() {
        check(
            Lang::Zh,
            80,
            &expect![[r#"
                c:1001  青石康养服务有限公司  单位
                流水 1,638 笔（转入 1,588，转出 50）  2026-01-06 10:35 → 2026-03-30 16:58
                3 条迟到（late），未参与检测

                ! FZ-002 定期批量小额转出
                    已预警：2026-03-05 10:00 首次命中，高  3f0c6d4b9a1e4d5f8c2b7a6e5d4c3b2a

                  FZ-001 分散转入集中转出 · 14天  最接近于 2026-03-04 12:00：2 项条件满足 1 项
                    ✗  近14天转入人数 14（须 ≥ 15）                     差 1 人
                    ✓  近14天转入金额 56万元 ≥ 50万元
                    排除情形成立：已核实收单商户（运营管理部负责，至 2027-12-31）
                    无法评估：慈善组织协议——主体没有在客户资料中登记，
                       协议无从得知（--parties）

                  不适用（只看关联客户组）：FZ-010

            "#]],
        );
    }
}
