//! The score laid out: tables to look at, or Markdown to keep. Names of families, themes and payouts are those of the label files.

use std::fmt::Write as _;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::score::{Found, PAYERS_MIN, Score, Share};
use crate::language::{Lang, say};
use crate::terminal::grouped;

/// A table of the report: its heading, columns and rows.
struct Sheet {
    heading: String,
    columns: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

/// Tables for a terminal.
pub(crate) fn tables(score: &Score, lang: Lang) -> String {
    let mut text = String::new();
    for sheet in sheets(score, lang) {
        let mut table = Table::new();
        table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(sheet.columns);
        for row in &sheet.rows {
            table.add_row(row);
        }
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(CellAlignment::Right));
        let _ = writeln!(text, "{}\n{table}\n", sheet.heading);
    }
    text
}

/// The same as Markdown, in English.
pub(crate) fn markdown(score: &Score) -> String {
    let mut text = String::new();
    for sheet in sheets(score, Lang::En) {
        let (heading, columns) = (&sheet.heading, sheet.columns.join(" | "));
        let _ = writeln!(text, "**{heading}**\n\n| {columns} |\n|{}", "---|".repeat(sheet.columns.len()));
        for row in &sheet.rows {
            let _ = writeln!(text, "| {} |", row.join(" | "));
        }
        text.push('\n');
    }
    text
}

fn sheets(score: &Score, lang: Lang) -> Vec<Sheet> {
    let mut sheets = vec![whole(score, lang)];
    let least = PAYERS_MIN;
    sheets.push(schemes(say!(lang, "按可见付款人数", "Schemes by visible payers"), &score.sizes, lang));
    sheets.push(schemes(say!(lang, "按名目（付款人 ≥ {least}）", "By theme, ≥ {least} visible payers"), &score.themes, lang));
    sheets.push(schemes(say!(lang, "按返款方式（付款人 ≥ {least}）", "By payout, ≥ {least} visible payers"), &score.payouts, lang));
    sheets.push(Sheet {
        heading: say!(lang, "形似而非的户头与灰色户头", "Look-alikes and grey families"),
        columns: vec![
            lang.of("类别", "family"),
            lang.of("标签", "label"),
            lang.of("户数", "instances"),
            lang.of("有预警", "alerted"),
            lang.of("预警", "alerts by rule"),
        ],
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
        heading: say!(lang, "各规则的预警落在谁身上", "Whom the alerts of each rule are on"),
        columns: vec![lang.of("规则", "rule"), lang.of("主体", "party"), lang.of("预警", "alerts")],
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
        heading: say!(lang, "漏掉的团伙（付款人 ≥ {least}）", "Schemes missed, ≥ {least} visible payers"),
        columns: vec![
            lang.of("种子/编号", "seed/part"),
            lang.of("名目", "theme"),
            lang.of("返款", "payout"),
            lang.of("可见付款人", "visible payers"),
            lang.of("可见本金 元", "visible principal, yuan"),
            lang.of("特点", "traits"),
        ],
        rows: missed.collect(),
    });
    sheets.retain(|sheet| !sheet.rows.is_empty());
    sheets
}

fn whole(score: &Score, lang: Lang) -> Sheet {
    let row = |name: &'static str, value: String| vec![name.to_owned(), value];
    Sheet {
        heading: say!(lang, "总览", "Overall"),
        columns: vec![lang.of("指标", "measure"), lang.of("值", "value")],
        rows: vec![
            row(lang.of("银行", "banks"), score.banks.to_string()),
            row(lang.of("客户", "customers"), grouped(score.customers.into())),
            row(lang.of("天数", "days"), score.days.to_string()),
            row(lang.of("预警", "alerts"), grouped(score.alerts.into())),
            row(lang.of("每天预警", "alerts a day"), format!("{:.2}", score.alerts_a_day)),
            row(lang.of("误报", "false alerts"), grouped(score.false_alerts.into())),
            row(
                lang.of("每万户每月误报", "false alerts per 10,000 customers and month"),
                format!("{:.2}", score.false_per_10000_customers_and_month),
            ),
            row(lang.of("准确率（按预警）", "precision, by alert"), share(&score.precision)),
            row(lang.of("召回率（按账户）", "recall, by party"), share(&score.recall_parties)),
            row("F1", format!("{:.3}", score.f1)),
        ],
    }
}

fn schemes(heading: String, found: &[Found], lang: Lang) -> Sheet {
    Sheet {
        heading,
        columns: vec![
            lang.of("团伙", "schemes"),
            lang.of("发现", "found"),
            lang.of("立案线前", "before 150 payers or 1,000,000"),
            lang.of("本金三成前", "before 30 % of the principal"),
            lang.of("提前天数", "days before the end (quartiles)"),
            lang.of("规则", "by rule"),
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
