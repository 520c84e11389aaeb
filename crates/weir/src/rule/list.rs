//! `weir rule list [DIR…]`: what rules there are, with their windows, thresholds and tests.

use std::io::{self, IsTerminal};
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

/// One row a variant; a draft or retired rule has one row without.
fn table(loaded: &Loaded, lang: Lang) -> Table {
    let mut table = Table::new();
    // A terminal folds long cells; a pipe gets each row on one line.
    let arrangement = if io::stdout().is_terminal() { ContentArrangement::Dynamic } else { ContentArrangement::Disabled };
    table.load_style(presets::NOTHING).set_content_arrangement(arrangement);
    table.set_header([
        lang.of("编号", "id"),
        lang.of("名称", "title"),
        lang.of("状态", "status"),
        lang.of("测试", "tests"),
        lang.of("变体", "variant"),
        lang.of("窗口", "window"),
        lang.of("阈值", "thresholds"),
    ]);
    for rule in &loaded.documents {
        let mut head = [rule.id.clone(), rule.title.clone(), rule.status.name().to_owned(), rule.tests.len().to_string()];
        let variants = variants(rule, loaded);
        if variants.is_empty() {
            table.add_row(head.clone());
        }
        for variant in variants {
            let [id, title, status, tests] = std::mem::take(&mut head);
            table.add_row([id, title, status, tests, variant.name, variant.window, thresholds(&variant.params)]);
        }
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
