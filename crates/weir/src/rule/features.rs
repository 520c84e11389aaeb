//! `weir rule features [NAME]`: the functions that rules may call.

use comfy_table::{ContentArrangement, Table, presets};
use weir_rules::docs::{FeatureDoc, features};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::Output;
use crate::terminal::nearest;

/// Prints the table, or one feature in full.
pub(crate) fn run(name: Option<&str>, json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    let mut features = features();
    if let Some(name) = name {
        let near = nearest(name, features.iter().map(|feature| feature.name)).map(str::to_owned);
        features.retain(|feature| feature.name == name);
        if features.is_empty() {
            return Err(unknown(name, near.as_deref(), lang));
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

fn unknown(name: &str, near: Option<&str>, lang: Lang) -> Failure {
    let near = near.map(|near| say!(lang, "；是否想写 `{near}`？", "; did you mean `{near}`?")).unwrap_or_default();
    Failure::usage(say!(lang, "没有指标函数 `{name}`{near}", "there is no feature `{name}`{near}"))
}

fn table(features: &[FeatureDoc], lang: Lang) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        say!(lang, "函数", "function"),
        say!(lang, "类型", "type"),
        say!(lang, "代价", "cost"),
        say!(lang, "窗口", "windows"),
        say!(lang, "名称", "name"),
    ]);
    for feature in features {
        table.add_row([feature.signature.as_str(), feature.result, feature.cost, feature.windows, feature.zh]);
    }
    table
}

fn in_full(feature: &FeatureDoc, lang: Lang) -> String {
    let FeatureDoc { signature, result, cost, windows, zh, meaning, .. } = feature;
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
