//! The score laid out: tables to look at, or Markdown to keep. On a terminal a share stands above its interval, so that the tables fit eighty columns.

use std::fmt::Write as _;

use comfy_table::CellAlignment;
use weir_testkit::synth::plan;

use super::score::{Found, Level, OfRule, PAYERS_MIN, Score, TRIAL};
use super::share::Share;
use crate::language::{Lang, say};
use crate::terminal::{self, grouped};

/// A table of the report: its heading, columns and rows. A line of a cell or a column's name ends where the terminal's may.
struct Sheet {
    heading: String,
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
    /// Columns of words, from the left; numbers follow.
    words: usize,
}

/// Tables for a terminal.
pub(crate) fn tables(score: &Score, lang: Lang) -> String {
    let mut text = String::new();
    for sheet in sheets(score, lang) {
        let mut table = terminal::table();
        table.set_header(sheet.columns);
        for row in &sheet.rows {
            table.add_row(row);
        }
        table.column_iter_mut().skip(sheet.words).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        let _ = writeln!(text, "{}\n{}\n", sheet.heading, table.trim_fmt());
    }
    text
}

/// The same as Markdown.
pub(crate) fn markdown(score: &Score, lang: Lang) -> String {
    let mut text = String::new();
    let line = |cells: &[String], glue: &str| cells.iter().map(|cell| cell.replace('\n', glue)).collect::<Vec<_>>().join(" | ");
    for sheet in sheets(score, lang) {
        let (heading, columns) = (&sheet.heading, line(&sheet.columns, lang.of("", " ")));
        let _ = writeln!(text, "**{heading}**\n\n| {columns} |\n|{}", "---|".repeat(sheet.columns.len()));
        for row in &sheet.rows {
            let _ = writeln!(text, "| {} |", line(row, " "));
        }
        text.push('\n');
    }
    text
}

fn sheets(score: &Score, lang: Lang) -> Vec<Sheet> {
    let least = PAYERS_MIN;
    let mut sheets = vec![
        whole(score, lang),
        schemes(say!(lang, "按可见付款人数", "Schemes by visible payers"), &score.sizes, lang),
        schemes(say!(lang, "按名目（可见付款人 ≥ {least}）", "By theme, ≥ {least} visible payers"), &score.themes, lang),
        schemes(say!(lang, "按返款方式（可见付款人 ≥ {least}）", "By payout, ≥ {least} visible payers"), &score.payouts, lang),
        at_payers(score, lang),
        rules(score, lang),
        finders(score, lang),
        together(score, lang),
        families(score, lang),
        parties(score, lang),
        missed(score, lang),
    ];
    sheets.retain(|sheet| !sheet.rows.is_empty());
    sheets
}

fn names(lang: Lang, of: &[[&'static str; 2]]) -> Vec<String> {
    of.iter().map(|[zh, en]| lang.of(zh, en).to_owned()).collect()
}

fn whole(score: &Score, lang: Lang) -> Sheet {
    let row = |name: &'static str, value: String| vec![name.to_owned(), value];
    let level = |of: &Level| [of.precision, of.recall].map(|of| share(&of).replace('\n', " "));
    let ([party_precision, party_recall], [group_precision, group_recall]) = (level(&score.parties), level(&score.groups));
    Sheet {
        heading: say!(lang, "总览", "Overall"),
        columns: names(lang, &[["指标", "measure"], ["值", "value"]]),
        words: 1,
        rows: vec![
            row(lang.of("银行", "banks"), score.banks.to_string()),
            row(lang.of("客户", "customers"), grouped(score.customers.into())),
            row(lang.of("天数", "days"), score.days.to_string()),
            row(lang.of("预警", "alerts"), grouped(score.alerts.into())),
            row(lang.of("每家银行每天预警", "alerts a day, of a bank"), format!("{:.2}", score.alerts_a_day)),
            row(lang.of("误报", "false alerts"), grouped(score.false_alerts.into())),
            row(
                lang.of("每万户每月误报", "false alerts per 10,000 customers and month"),
                format!(
                    "{:.2} [{:.2}, {:.2}]",
                    score.false_per_10000_customers_and_month, score.false_interval[0], score.false_interval[1]
                ),
            ),
            row(lang.of("精确率（按预警）", "precision, by alert"), share(&score.precision).replace('\n', " ")),
            row(lang.of("精确率（按主体）", "precision, by party"), party_precision),
            row(lang.of("召回率（按主体）", "recall, by party"), party_recall),
            row(lang.of("F1（按主体）", "F1, by party"), f1(score.parties.f1, &score.parties.recall)),
            row(lang.of("精确率（按团伙）", "precision, by scheme"), group_precision),
            row(lang.of("召回率（按团伙）", "recall, by scheme"), group_recall),
            row(lang.of("F1（按团伙）", "F1, by scheme"), f1(score.groups.f1, &score.groups.recall)),
        ],
    }
}

fn schemes(heading: String, found: &[Found], lang: Lang) -> Sheet {
    Sheet {
        heading,
        columns: names(
            lang,
            &[
                ["团伙", "schemes"],
                ["发现", "found"],
                ["早于150名付款人\n或100万元", "before 150 payers\nor 1,000,000"],
                ["早于本金三成", "before 30 %\nof the principal"],
                ["距结束天数\n（四分位）", "days before the end\n(quartiles)"],
            ],
        ),
        words: 1,
        rows: found
            .iter()
            .map(|found| {
                vec![
                    name(&found.what, lang).to_owned(),
                    share(&found.found),
                    share(&found.before_filing),
                    share(&found.before_30_percent),
                    found.lead_days.map_or_else(String::new, |[a, b, c]| format!("{a} / {b} / {c}")),
                ]
            })
            .collect(),
    }
}

/// What is found by the time at which so many have paid in.
fn at_payers(score: &Score, lang: Lang) -> Sheet {
    let rows = score.at_payers.iter().map(|at| vec![at.payers.to_string(), share(&at.before), share(&at.ever)]);
    Sheet {
        heading: say!(lang, "到第N名可见付款人付款时", "By the time the Nth visible payer pays"),
        columns: names(lang, &[["付款人", "payers"], ["此前已预警", "alerted before"], ["不论何时预警", "alerted at any time"]]),
        words: 0,
        rows: rows.collect(),
    }
}

/// How each rule does, those on trial too.
fn rules(score: &Score, lang: Lang) -> Sheet {
    Sheet {
        heading: say!(lang, "各规则（试运行的只在此计数）", "By rule (those on trial are counted here alone)"),
        columns: names(
            lang,
            &[
                ["规则", "rule"],
                ["预警", "alerts"],
                ["精确率（按预警）", "precision,\nby alert"],
                ["召回率（按团伙）", "recall,\nby scheme"],
                ["F1", "F1"],
            ],
        ),
        words: 1,
        rows: score
            .rules
            .iter()
            .map(|(rule, of)| {
                let f1 = f1(of.f1, &of.recall);
                vec![rule_name(rule, lang), grouped(of.alerts.into()), share(&of.precision), share(&of.recall), f1]
            })
            .collect(),
    }
}

/// Which rules found the schemes of each size.
fn finders(score: &Score, lang: Lang) -> Sheet {
    let rules: Vec<&String> = score.rules.iter().filter(|(_, of)| !of.is_trial).map(|(rule, _)| rule).collect();
    let rows = score.sizes.iter().chain(&score.payouts).map(|found| {
        let counts = rules.iter().map(|rule| grouped(found.by_rule.get(*rule).copied().unwrap_or(0).into()));
        [name(&found.what, lang).to_owned(), grouped(found.found.of.into())].into_iter().chain(counts).collect()
    });
    let heads = names(lang, &[["团伙", "schemes"], ["个数", "all"]]);
    Sheet {
        heading: say!(lang, "各规则发现的团伙", "Schemes found by each rule"),
        columns: heads.into_iter().chain(rules.iter().map(|rule| (*rule).clone())).collect(),
        words: 1,
        rows: rows.collect(),
    }
}

/// How far rules find the same schemes. Nothing where a score that was added up does not say.
fn together(score: &Score, lang: Lang) -> Sheet {
    let in_force: Vec<(&String, &OfRule)> = score.rules.iter().filter(|(_, of)| !of.is_trial).collect();
    let count = |of: &OfRule, other: &str| of.with.get(other).copied().unwrap_or(0);
    let is_told = in_force.iter().all(|(name, of)| count(of, name) == of.recall.hits);
    let rows = score.rules.iter().filter(|_| is_told).map(|(rule, of)| {
        let shared = in_force.iter().map(|(other, _)| grouped(count(of, other).into()));
        let alone = if of.is_trial { String::new() } else { grouped(of.alone.into()) };
        [rule_name(rule, lang)].into_iter().chain(shared).chain([alone]).collect()
    });
    let least = PAYERS_MIN;
    let heads = names(lang, &[["规则", "rule"]]).into_iter();
    Sheet {
        heading: say!(lang, "两规则都发现的团伙（可见付款人 ≥ {least}）", "Schemes that both rules find, ≥ {least} visible payers"),
        columns: heads
            .chain(in_force.iter().map(|(rule, _)| (*rule).clone()))
            .chain([lang.of("仅此规则", "it alone").to_owned()])
            .collect(),
        words: 1,
        rows: rows.collect(),
    }
}

fn families(score: &Score, lang: Lang) -> Sheet {
    Sheet {
        heading: say!(lang, "形似而非的户头与灰色户头", "Look-alikes and grey families"),
        columns: names(lang, &[["类别", "family"], ["标签", "label"], ["预警", "alerts by rule"], ["有预警的户", "alerted"]]),
        words: 3,
        rows: score
            .families
            .iter()
            .map(|family| {
                let by_rule = family.by_rule.iter().map(|(rule, count)| format!("{rule} {count}")).collect::<Vec<_>>().join(", ");
                vec![
                    name(&family.family, lang).to_owned(),
                    name(&family.label, lang).to_owned(),
                    by_rule,
                    share(&family.alerted).replace('\n', " "),
                ]
            })
            .collect(),
    }
}

fn parties(score: &Score, lang: Lang) -> Sheet {
    let rows = score.rules.iter().flat_map(|(rule, of)| {
        of.on.iter().map(move |(what, count)| {
            let what = what.strip_prefix("grey ").map_or_else(
                || name(what, lang).to_owned(),
                |of| {
                    let (grey, of) = (name("grey", lang), name(of, lang));
                    say!(lang, "{grey}：{of}", "{grey}: {of}")
                },
            );
            vec![rule_name(rule, lang), what, grouped((*count).into())]
        })
    });
    Sheet {
        heading: say!(lang, "各规则的预警落在谁身上", "Whom the alerts of each rule are on"),
        columns: names(lang, &[["规则", "rule"], ["主体", "party"], ["预警", "alerts"]]),
        words: 2,
        rows: rows.collect(),
    }
}

fn missed(score: &Score, lang: Lang) -> Sheet {
    let least = PAYERS_MIN;
    let rows = score.missed.iter().map(|missed| {
        vec![
            format!("{}/{}", missed.seed, missed.part),
            name(&missed.family, lang).to_owned(),
            name(&missed.payout, lang).to_owned(),
            missed.traits.iter().map(|(dial, value)| shown(dial, *value, lang)).collect::<Vec<_>>().join(lang.of("；", "; ")),
            missed.visible_payers.to_string(),
            grouped(missed.visible_principal.unsigned_abs().into()),
        ]
    });
    Sheet {
        heading: say!(lang, "漏掉的团伙（可见付款人 ≥ {least}）", "Schemes missed, ≥ {least} visible payers"),
        columns: names(
            lang,
            &[
                ["种子/编号", "seed/part"],
                ["名目", "theme"],
                ["返款", "payout"],
                ["特点", "dials"],
                ["可见\n付款人", "visible\npayers"],
                ["可见本金\n（元）", "visible\nprincipal, yuan"],
            ],
        ),
        words: 4,
        rows: rows.collect(),
    }
}

/// `business 733‰`, `真实经营 733‰`.
fn shown(name: &str, value: i64, lang: Lang) -> String {
    let Some(dial) = plan::dials().find(|dial| dial.name == name) else { return format!("{name} {value}") };
    let name = lang.of(dial.zh, dial.name);
    let unit = lang.of(dial.unit[0], dial.unit[1]).split(['，', ',']).next().unwrap_or_default();
    match unit {
        _ if dial.name == "pays_here" => lang.of("返款不经本行", "pays from elsewhere").to_owned(),
        unit if unit == "千分之" || unit.starts_with("parts of a thousand") => format!("{name} {value}‰"),
        unit => format!("{name} {value} {unit}"),
    }
}

fn rule_name(rule: &str, lang: Lang) -> String {
    rule.strip_suffix(TRIAL).map_or_else(|| rule.to_owned(), |rule| say!(lang, "{rule}（试运行）", "{rule} (on trial)"))
}

/// A share, and its interval on a line of its own.
fn share(share: &Share) -> String {
    if share.of == 0 {
        return "–".to_owned();
    }
    format!("{}/{} = {:.3}\n[{:.3}, {:.3}]", share.hits, share.of, share.value, share.low, share.high)
}

/// F1, where there was something to find.
fn f1(value: f64, recall: &Share) -> String {
    if recall.of == 0 { "–".to_owned() } else { format!("{value:.3}") }
}

/// A word of the label files as people say it.
fn name(word: &str, lang: Lang) -> &str {
    if lang == Lang::En {
        return word;
    }
    NAMES.iter().find(|(en, _)| *en == word).map_or(word, |(_, zh)| zh)
}

const NAMES: [(&str, &str); 51] = [
    ("scheme", "非法集资"),
    ("grey", "灰色"),
    ("benign", "正常"),
    ("ordinary", "普通客户"),
    ("collector", "收款户"),
    ("pool", "资金池户"),
    ("payout", "返款户"),
    ("payer", "付款人"),
    ("agent", "业务员"),
    ("group", "关联客户组"),
    ("wealth", "理财"),
    ("leaseback", "售后包租"),
    ("cooperative", "合作社"),
    ("elder_care", "养老预付费"),
    ("rebate", "消费返利"),
    ("project", "项目投资"),
    ("monthly", "每月同日"),
    ("anniversary", "各自满月"),
    ("ten_days", "每十天"),
    ("weekly", "每周"),
    ("daily", "每天"),
    ("quarterly", "每季"),
    ("prepaid", "预付"),
    ("maturity", "到期"),
    ("payroll_agency", "劳务派遣"),
    ("payroll_unregistered", "自行发薪"),
    ("merchant_qr", "扫码商户"),
    ("property_fees", "物业"),
    ("tuition", "学校"),
    ("letting_agent", "房屋中介"),
    ("deposits", "押金"),
    ("insurance_agent", "保险代理"),
    ("fund_sales", "基金销售"),
    ("charity", "慈善"),
    ("supply_chain", "供应链"),
    ("group_buying", "团购"),
    ("wedding", "礼金"),
    ("class_fees", "班费"),
    ("village_compensation", "征地补偿"),
    ("labour_contractor", "包工头"),
    ("livestreamer", "主播"),
    ("car_dealer", "汽车销售"),
    ("game_room", "棋牌室"),
    ("lawyer_escrow", "律师代管"),
    ("prepaid_cards", "会员卡"),
    ("cash_pool", "资金归集"),
    ("home_presale", "房屋预售"),
    ("rotating_club", "标会"),
    ("private_lending", "民间借贷"),
    ("staff_financing", "职工集资"),
    ("≥ 0", "全部"),
];
