//! `weir rule list [DIR…]`: what rules there are, with their windows, thresholds and tests.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use comfy_table::CellAlignment;
use serde::Serialize;
use weir_rules::{Loaded, RuleDocument};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, plural, say};
use crate::outputs::Output;
use crate::pack::{self, Pack};
use crate::terminal::{self, Palette, columns, wrapped};

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
        let loaded = pack::load(&pack, settings, json, lang)?;
        if json {
            loaded.documents.iter().try_for_each(|rule| output.json(&as_json(&pack.label, rule, &loaded)))?;
            continue;
        }
        let (label, hash) = (&pack.label, &loaded.rules.hash);
        output.bytes(say!(lang, "{label}（规则集 {hash}）\n", "{label} (rule set {hash})\n").as_bytes())?;
        for rule in &loaded.documents {
            output.bytes(sheet(rule, &loaded, lang, Palette::of(&io::stdout())).as_bytes())?;
        }
    }
    Ok(Exit::Ok)
}

/// What a rule is called and stands on, then its parameters, a column for each variant in force.
fn sheet(rule: &RuleDocument, loaded: &Loaded, lang: Lang, palette: Palette) -> String {
    let (status, tests) = (rule.status.name(), rule.tests.len());
    let noun = plural(tests, "test", "tests");
    let facts = say!(lang, "{status} · {tests} 个测试", "{status} · {tests} {noun}");
    let title = palette.bold(&format!("{} {}", rule.id, rule.title));
    let basis = rule.basis.join(lang.of("；", "; "));
    let mut text = format!("\n{title}  {}\n", palette.dim(&facts));
    for line in wrapped(&basis, columns() - 2) {
        text += &format!("  {}\n", palette.dim(&line));
    }
    let variants = variants(rule, loaded);
    if variants.is_empty() || rule.params.is_empty() {
        return text;
    }
    let mut table = terminal::table();
    // The only variant of a rule without variants has no name.
    let names =
        variants.iter().map(|variant| if variant.name.is_empty() { lang.of("取值", "value").to_owned() } else { variant.name.clone() });
    let mut head = vec![lang.of("参数", "parameter").to_owned()];
    head.extend(names);
    head.push(lang.of("含义", "meaning").to_owned());
    table.set_header(head);
    for param in &rule.params {
        let value = |variant: &VariantJson| variant.params.iter().find(|(name, _)| *name == param.name).map(|(_, value)| value.clone());
        let mut row = vec![param.name.clone()];
        row.extend(variants.iter().map(|variant| value(variant).unwrap_or_default()));
        row.push(param.zh.clone());
        table.add_row(row);
    }
    for column in 1..=variants.len() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    for line in table.trim_fmt().lines() {
        let _ = writeln!(text, "  {line}");
    }
    text
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
