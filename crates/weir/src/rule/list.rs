//! `weir rule list [DIR…]`: what rules there are, with their windows, thresholds and tests.

use std::path::PathBuf;

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use weir_rules::{Loaded, RuleDocument};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::Output;
use crate::pack::{self, Pack};

/// A rule as `--json` gives it.
#[derive(Serialize)]
struct RuleJson<'a> {
    rules: &'a str,
    path: &'a str,
    id: &'a str,
    revision: u32,
    title: &'a str,
    status: &'static str,
    basis: &'a [String],
    variants: Vec<VariantJson>,
    params: Vec<ParamJson<'a>>,
    tests: usize,
}

/// A variant in force, parameters as bound.
#[derive(Serialize)]
struct VariantJson {
    name: String,
    window: String,
    params: Vec<(String, String)>,
}

#[derive(Serialize)]
struct ParamJson<'a> {
    name: &'a str,
    r#type: &'static str,
    default: &'a str,
    min: Option<&'a str>,
    max: Option<&'a str>,
    zh: &'a str,
    why: &'a str,
}

/// Lists the rules of each folder.
pub(crate) fn run(dirs: &[PathBuf], settings: &[String], json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    for pack in Pack::find_all(dirs, lang)? {
        let loaded = pack::load(&pack, settings, lang)?;
        if json {
            loaded.documents.iter().try_for_each(|rule| output.json(&as_json(&pack.label, rule, &loaded)))?;
            continue;
        }
        let (label, hash) = (&pack.label, &loaded.rules.hash);
        output.bytes(say!(lang, "{label}（规则集 {hash}）\n\n", "{label} (rule set {hash})\n\n").as_bytes())?;
        output.bytes(format!("{}\n", table(&loaded, lang).trim_fmt()).as_bytes())?;
    }
    Ok(Exit::Ok)
}

fn table(loaded: &Loaded, lang: Lang) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        say!(lang, "编号", "id"),
        say!(lang, "名称", "title"),
        say!(lang, "状态", "status"),
        say!(lang, "变体 窗口", "variant, window"),
        say!(lang, "阈值", "thresholds"),
        say!(lang, "测试", "tests"),
    ]);
    for rule in &loaded.documents {
        let (windows, thresholds): (Vec<String>, Vec<String>) = variants(rule, loaded)
            .into_iter()
            .map(|variant| (format!("{} {}", variant.name, variant.window).trim().to_owned(), thresholds(&variant.params)))
            .unzip();
        table.add_row([
            rule.id.clone(),
            rule.title.clone(),
            rule.status.name().to_owned(),
            windows.join("\n"),
            thresholds.join("\n"),
            rule.tests.len().to_string(),
        ]);
    }
    table
}

fn thresholds(params: &[(String, String)]) -> String {
    let texts: Vec<String> = params.iter().filter(|(name, _)| name != "window").map(|(name, value)| format!("{name}={value}")).collect();
    texts.join(" ")
}

/// The variants in force; none for a draft or retired rule.
fn variants(rule: &RuleDocument, loaded: &Loaded) -> Vec<VariantJson> {
    let in_force = loaded.rules.rules.iter().find(|other| other.id == rule.id);
    let variants = in_force.map(|rule| rule.variants.as_slice()).unwrap_or_default();
    variants
        .iter()
        .map(|variant| VariantJson { name: variant.name.clone(), window: variant.window.to_string(), params: variant.params.clone() })
        .collect()
}

fn as_json<'a>(label: &'a str, rule: &'a RuleDocument, loaded: &Loaded) -> RuleJson<'a> {
    RuleJson {
        rules: label,
        path: &rule.path,
        id: &rule.id,
        revision: rule.revision,
        title: &rule.title,
        status: rule.status.name(),
        basis: &rule.basis,
        variants: variants(rule, loaded),
        params: rule
            .params
            .iter()
            .map(|param| ParamJson {
                name: &param.name,
                r#type: param.kind.name(),
                default: &param.default,
                min: param.min.as_deref(),
                max: param.max.as_deref(),
                zh: &param.zh,
                why: &param.why,
            })
            .collect(),
        tests: rule.tests.len(),
    }
}
