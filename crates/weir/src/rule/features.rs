//! `weir rule features [NAME]`: the functions that rules may call.

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use weir_rules::catalogue::{ArgKind, CATALOGUE, Cost, Entry, ValueType, Windows};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::Output;
use crate::terminal::nearest;

/// One feature as `--json` gives it.
#[derive(Serialize)]
struct FeatureJson {
    name: &'static str,
    signature: String,
    result: &'static str,
    cost: &'static str,
    windows: &'static str,
    zh: &'static str,
    meaning: &'static str,
}

/// Prints the table, or one feature in full.
pub(crate) fn run(name: Option<&str>, json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    let entries: Vec<&Entry> = match name {
        Some(name) => vec![by_name(name, lang)?],
        None => CATALOGUE.iter().collect(),
    };
    if json {
        for entry in entries {
            output.json(&as_json(entry))?;
        }
        return Ok(Exit::Ok);
    }
    let text = match (name, entries.as_slice()) {
        (Some(_), [entry]) => in_full(entry, lang),
        _ => format!("{}\n", table(&entries, lang)),
    };
    output.bytes(text.as_bytes())?;
    Ok(Exit::Ok)
}

fn by_name(name: &str, lang: Lang) -> Result<&'static Entry, Failure> {
    if let Some(entry) = CATALOGUE.iter().find(|entry| entry.name == name) {
        return Ok(entry);
    }
    let near = nearest(name, CATALOGUE.iter().map(|entry| entry.name))
        .map(|near| say!(lang, "；是否想写 `{near}`？", "; did you mean `{near}`?"))
        .unwrap_or_default();
    Err(Failure::usage(say!(lang, "没有指标函数 `{name}`{near}", "there is no feature `{name}`{near}")))
}

fn table(entries: &[&Entry], lang: Lang) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        say!(lang, "函数", "function"),
        say!(lang, "类型", "type"),
        say!(lang, "代价", "cost"),
        say!(lang, "窗口", "windows"),
        say!(lang, "名称", "name"),
    ]);
    for entry in entries {
        table.add_row([signature(entry).as_str(), result(entry.result), cost(entry.cost), windows(entry.windows), entry.zh]);
    }
    table
}

fn in_full(entry: &Entry, lang: Lang) -> String {
    let (signature, zh, meaning) = (signature(entry), entry.zh, entry.meaning);
    let (result, cost, windows) = (result(entry.result), cost(entry.cost), windows(entry.windows));
    say!(
        lang,
        "{signature}\n  {zh}\n  类型 {result}；代价 {cost}；窗口 {windows}\n\n  {meaning}\n",
        "{signature}\n  {zh}\n  type {result}; cost {cost}; windows {windows}\n\n  {meaning}\n"
    )
}

fn as_json(entry: &Entry) -> FeatureJson {
    FeatureJson {
        name: entry.name,
        signature: signature(entry),
        result: result(entry.result),
        cost: cost(entry.cost),
        windows: windows(entry.windows),
        zh: entry.zh,
        meaning: entry.meaning,
    }
}

/// `top_share_in(window, int≥1)`.
fn signature(entry: &Entry) -> String {
    let arguments: Vec<String> = entry.args.iter().map(|argument| argument_name(*argument)).collect();
    format!("{}({})", entry.name, arguments.join(", "))
}

fn argument_name(argument: ArgKind) -> String {
    match argument {
        ArgKind::Window => "window".to_owned(),
        ArgKind::LongWindow => "window>15d".to_owned(),
        ArgKind::Int(least) => format!("int≥{least}"),
        ArgKind::Money => "money".to_owned(),
        ArgKind::Channel => "'channel'".to_owned(),
        ArgKind::Tag => "'tag'".to_owned(),
        ArgKind::List => "'list'".to_owned(),
        ArgKind::Agreement => "'agreement'".to_owned(),
        ArgKind::PartyKind => "'kind'".to_owned(),
        ArgKind::RuleId => "'rule id'".to_owned(),
    }
}

const fn result(result: ValueType) -> &'static str {
    match result {
        ValueType::Int => "int",
        ValueType::Money => "money",
        ValueType::Ratio => "ratio",
        ValueType::Duration => "duration",
        ValueType::Bool => "bool",
    }
}

const fn cost(cost: Cost) -> &'static str {
    match cost {
        Cost::Cheap => "cheap",
        Cost::Costly => "costly",
    }
}

const fn windows(windows: Windows) -> &'static str {
    match windows {
        Windows::Any => "any",
        Windows::SingleLegs => "≤15d",
        Windows::None => "—",
    }
}
