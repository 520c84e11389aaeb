//! `weir rule features [NAME]`: the functions that rules may call.

use comfy_table::{ColumnConstraint, Table};
use weir_rules::docs::{FeatureDoc, features};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, did_you_mean, say};
use crate::outputs::Output;
use crate::terminal;

/// Prints the table, or one feature in full.
pub(crate) fn run(name: Option<&str>, json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    let mut features = features();
    if let Some(name) = name {
        let near = did_you_mean(name, features.iter().map(|feature| feature.name), lang);
        let is_named = |feature: &FeatureDoc| feature.name == name;
        // A part of a name, of the Chinese one too, finds all that have it: night, 夜间.
        let is_exact = features.iter().any(is_named);
        features.retain(|feature| if is_exact { is_named(feature) } else { feature.name.contains(name) || feature.zh.contains(name) });
        if features.is_empty() {
            return Err(unknown(name, &near, lang));
        }
    }
    if json {
        features.iter().try_for_each(|feature| output.json(feature))?;
        return Ok(Exit::Ok);
    }
    let text = match (name, features.as_slice()) {
        (Some(_), [feature]) => in_full(feature, lang),
        _ => format!("{}\n", table(&features, lang).trim_fmt()),
    };
    output.bytes(text.as_bytes())?;
    Ok(Exit::Ok)
}

fn unknown(name: &str, near: &str, lang: Lang) -> Failure {
    Failure::usage(say!(lang, "没有指标函数 `{name}`{near}", "there is no feature `{name}`{near}"))
}

fn table(features: &[FeatureDoc], lang: Lang) -> Table {
    let mut table = terminal::table();
    table.set_header([
        say!(lang, "函数", "function"),
        say!(lang, "参数", "arguments"),
        say!(lang, "类型", "type"),
        say!(lang, "代价", "cost"),
        say!(lang, "窗口", "windows"),
        say!(lang, "名称", "name"),
    ]);
    for feature in features {
        let [result, cost, windows] = facts(feature, lang);
        // In two columns: a narrow terminal then breaks the arguments and not the name.
        let arguments = feature.signature.strip_prefix(feature.name).unwrap_or_default();
        table.add_row([feature.name, arguments, result, cost, windows, feature.zh.as_str()]);
    }
    if let Some(functions) = table.column_mut(0) {
        functions.set_constraint(ColumnConstraint::ContentWidth);
    }
    table
}

/// Type, cost and windows in words.
fn facts(feature: &FeatureDoc, lang: Lang) -> [&'static str; 3] {
    let FeatureDoc { result, cost, windows, .. } = feature;
    let zh = |word: &'static str| match word {
        "int" => "计数",
        "money" => "金额",
        "ratio" => "比率",
        "duration" => "时长",
        "bool" => "是否",
        "cheap" => "低",
        "costly" => "高",
        "any" => "任意",
        "15d" => "至多15天",
        "none" => "无",
        other => other,
    };
    [result, cost, windows].map(|word| if lang == Lang::Zh { zh(word) } else { word })
}

fn in_full(feature: &FeatureDoc, lang: Lang) -> String {
    let FeatureDoc { signature, zh, .. } = feature;
    let [result, cost, windows] = facts(feature, lang);
    let meaning = lang.of(feature.meaning_zh, feature.meaning);
    let mut text = say!(
        lang,
        "{signature}\n  {zh}\n  类型 {result}；代价 {cost}；窗口 {windows}\n",
        "{signature}\n  {zh}\n  type {result}; cost {cost}; windows {windows}\n"
    );
    for argument in &feature.args {
        let words = match lang {
            Lang::Zh => &argument.zh,
            Lang::En => &argument.en,
        };
        text += &format!("  {}: {words}\n", argument.kind);
    }
    text + &format!("\n  {meaning}\n")
}
