//! The score laid out: tables to look at, or Markdown to keep. Chinese first; English beside it where there is room.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::score::{Found, PAYERS_MIN, Score, Share};
use crate::language::Lang;
use crate::terminal::grouped;

/// A table of the report: its heading, columns and rows.
struct Sheet {
    zh: String,
    en: String,
    columns: Vec<(&'static str, &'static str)>,
    rows: Vec<Vec<String>>,
}

/// Tables for a terminal.
pub(crate) fn tables(score: &Score, lang: Lang) -> String {
    let mut text = String::new();
    for sheet in sheets(score) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(sheet.columns.iter().map(|(zh, en)| lang.of(zh, en)));
        for row in &sheet.rows {
            table.add_row(row);
        }
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        let heading = match lang {
            Lang::Zh => &sheet.zh,
            Lang::En => &sheet.en,
        };
        let _ = writeln!(text, "{heading}\n{table}\n");
    }
    text
}

/// The same as Markdown, in English.
pub(crate) fn markdown(score: &Score) -> String {
    let mut text = String::new();
    for sheet in sheets(score) {
        let columns: Vec<&str> = sheet.columns.iter().map(|(_, en)| *en).collect();
        let _ = writeln!(text, "**{}**\n\n| {} |\n|{}", sheet.en, columns.join(" | "), "---|".repeat(columns.len()));
        for row in &sheet.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text.push('\n');
    }
    text
}

fn sheets(score: &Score) -> Vec<Sheet> {
    let mut sheets = vec![whole(score)];
    let least = PAYERS_MIN;
    sheets.push(schemes("按可见付款人数", "Schemes by visible payers", &score.sizes));
    sheets.push(schemes(&format!("按名目（付款人 ≥ {least}）"), &format!("By theme, ≥ {least} visible payers"), &score.themes));
    sheets.push(schemes(&format!("按返款方式（付款人 ≥ {least}）"), &format!("By payout, ≥ {least} visible payers"), &score.payouts));
    sheets.push(Sheet {
        zh: "形似而非的户头与灰色户头".to_owned(),
        en: "Look-alikes and grey families".to_owned(),
        columns: vec![("类别", "family"), ("标签", "label"), ("户数", "instances"), ("有预警", "alerted"), ("预警", "alerts by rule")],
        rows: score
            .families
            .iter()
            .map(|family| {
                vec![
                    family.family.clone(),
                    family.label.clone(),
                    grouped(family.alerted.of.into()),
                    grouped(family.alerted.hits.into()),
                    by_rule(&family.by_rule),
                ]
            })
            .collect(),
    });
    let confusion = score
        .confusion
        .iter()
        .flat_map(|(rule, counts)| counts.iter().map(move |(what, count)| vec![rule.clone(), what.clone(), grouped((*count).into())]));
    sheets.push(Sheet {
        zh: "各规则的预警落在谁身上".to_owned(),
        en: "Whom the alerts of each rule are on".to_owned(),
        columns: vec![("规则", "rule"), ("主体", "party"), ("预警", "alerts")],
        rows: confusion.collect(),
    });
    let missed = score.missed.iter().map(|missed| {
        vec![
            format!("{}/{}", missed.seed, missed.part),
            missed.family.clone(),
            missed.payout.clone(),
            missed.visible_payers.to_string(),
            grouped(missed.visible_principal.unsigned_abs().into()),
            missed.traits.join("; "),
        ]
    });
    sheets.push(Sheet {
        zh: format!("漏掉的团伙（付款人 ≥ {least}）"),
        en: format!("Schemes missed, ≥ {least} visible payers"),
        columns: vec![
            ("种子/编号", "seed/part"),
            ("名目", "theme"),
            ("返款", "payout"),
            ("可见付款人", "visible payers"),
            ("可见本金 元", "visible principal, yuan"),
            ("特点", "traits"),
        ],
        rows: missed.collect(),
    });
    sheets.retain(|sheet| !sheet.rows.is_empty());
    sheets
}

fn whole(score: &Score) -> Sheet {
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    Sheet {
        zh: "总览".to_owned(),
        en: "Overall".to_owned(),
        columns: vec![("指标 measure", "measure"), ("值", "value")],
        rows: vec![
            row("银行 banks", score.banks.to_string()),
            row("客户 customers", grouped(score.customers.into())),
            row("天数 days", score.days.to_string()),
            row("预警 alerts", grouped(score.alerts.into())),
            row("每天预警 alerts a day", format!("{:.2}", score.alerts_a_day)),
            row("误报 false alerts", grouped(score.false_alerts.into())),
            row("每万户每月误报 false alerts per 10,000 customers and month", format!("{:.2}", score.false_per_10000_customers_and_month)),
            row("准确率（按预警） precision, by alert", share(&score.precision)),
            row("召回率（按账户） recall, by party", share(&score.recall_parties)),
            row("F1", format!("{:.3}", score.f1)),
        ],
    }
}

fn schemes(zh: &str, en: &str, found: &[Found]) -> Sheet {
    Sheet {
        zh: zh.to_owned(),
        en: en.to_owned(),
        columns: vec![
            ("团伙", "schemes"),
            ("发现", "found"),
            ("立案线前", "before 150 payers or 1,000,000"),
            ("本金三成前", "before 30 % of the principal"),
            ("提前天数", "days before the end (quartiles)"),
            ("规则", "by rule"),
        ],
        rows: found
            .iter()
            .map(|found| {
                vec![
                    found.what.clone(),
                    share(&found.found),
                    share(&found.before_filing),
                    share(&found.before_30_percent),
                    found.lead_days.map_or_else(String::new, |[a, b, c]| format!("{a} / {b} / {c}")),
                    by_rule(&found.by_rule),
                ]
            })
            .collect(),
    }
}

fn share(share: &Share) -> String {
    if share.of == 0 {
        return "–".to_owned();
    }
    format!("{}/{} = {:.3} [{:.3}, {:.3}]", share.hits, share.of, share.value, share.low, share.high)
}

fn by_rule(counts: &std::collections::BTreeMap<String, u64>) -> String {
    counts.iter().map(|(rule, count)| format!("{rule} {count}")).collect::<Vec<_>>().join(", ")
}
