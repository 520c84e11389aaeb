//! `weir rule check DIR…`: every problem of every rule file at once.

use std::io;
use std::path::PathBuf;

use serde::Serialize;
use weir_rules::{DiagnosticRecord, Diagnostics};

use super::exclusions::{self, Ended};
use crate::failure::{Exit, Failure};
use crate::language::{Lang, plural, say};
use crate::outputs::Output;
use crate::pack::{Pack, exit_of, idle};
use crate::terminal::{Palette, mention};

/// A set's outcome as `--json` gives it.
#[derive(Serialize)]
struct CheckJson<'a> {
    rules: &'a str,
    set_hash: Option<&'a str>,
    rule_files: usize,
    in_force: usize,
    errors: usize,
    warnings: usize,
    problems: Vec<DiagnosticRecord>,
    /// Exclusions that have ended by today.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ended_exclusions: Vec<Ended>,
}

/// Checks each folder as a set of its own. The worst outcome is the run's.
pub(crate) fn run(dirs: &[PathBuf], settings: &[String], json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    let mut worst = Exit::Ok;
    for pack in Pack::find_all(dirs, lang)? {
        let loaded = pack.check(settings);
        let (diagnostics, hash, rule_files) = match &loaded {
            Ok(loaded) => (&loaded.warnings, Some(loaded.rules.hash.as_str()), loaded.documents.len()),
            Err(diagnostics) => (diagnostics, None, pack.files.len() + pack.unreadable.len()),
        };
        if loaded.as_ref().is_ok_and(|loaded| loaded.documents.is_empty()) {
            return Err(Failure::bad_input(pack.without_rules(lang)));
        }
        let is_idle = loaded.as_ref().is_ok_and(|loaded| loaded.rules.rules.is_empty());
        if hash.is_none() && worst != Exit::BadInput {
            worst = exit_of(diagnostics);
        }
        let ended = loaded.as_ref().map_or_else(|_| Vec::new(), |loaded| exclusions::ended(&loaded.rules, exclusions::today()));
        if json {
            let (errors, warnings) = (diagnostics.errors(), diagnostics.warnings());
            let problems = diagnostics.records(lang.into());
            let in_force = loaded.as_ref().map_or(0, |loaded| loaded.rules.rules.len());
            let (rules, ended_exclusions) = (pack.label.as_str(), ended);
            output.json(&CheckJson { rules, set_hash: hash, rule_files, in_force, errors, warnings, problems, ended_exclusions })?;
            continue;
        }
        show(diagnostics, lang, output)?;
        output.bytes(summary(&pack.label, diagnostics, hash, rule_files, lang).as_bytes())?;
        if !ended.is_empty() {
            output.bytes(format!("{}\n", exclusions::words(&ended, ended.len(), lang)).as_bytes())?;
        }
        if is_idle {
            output.bytes(format!("{}\n", idle(&pack, lang)).as_bytes())?;
        }
    }
    Ok(worst)
}

/// The problems, on standard output: they are what was asked for.
fn show(diagnostics: &Diagnostics, lang: Lang, output: &mut Output) -> Result<(), Failure> {
    output.bytes(diagnostics.render(lang.into(), Palette::of(&io::stdout()).is_coloured()).as_bytes())
}

fn summary(label: &str, diagnostics: &Diagnostics, hash: Option<&str>, rule_files: usize, lang: Lang) -> String {
    let (errors, warnings) = (diagnostics.errors(), diagnostics.warnings());
    let (of_rules, of_errors) = (plural(rule_files, "rule", "rules"), plural(errors, "error", "errors"));
    let of_warnings = plural(warnings, "warning", "warnings");
    let warned = if warnings == 0 { String::new() } else { say!(lang, "，{warnings} 处警告", ", {warnings} {of_warnings}") };
    match hash {
        Some(hash) => say!(
            lang,
            "{label}：{rule_files} 条规则全部通过{warned}（规则集 {hash}）\n",
            "{label}: {rule_files} {of_rules}, all good{warned} (rule set {hash})\n"
        ),
        None => say!(lang, "{label}：{errors} 处错误{warned}\n", "{label}: {errors} {of_errors}{warned}\n"),
    }
}

/// The paragraph of a code: `weir rule explain-code`.
pub(crate) fn explain_code(code: &str, json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    let Some(paragraph) = weir_rules::explain_code(code, lang.into()) else {
        let text = say!(lang, "没有诊断代码 `{code}`；代码形如 R0102", "there is no diagnostic code `{code}`; codes look like R0102");
        return Err(Failure::usage(text));
    };
    if json {
        output.json(&serde_json::json!({ "code": code, "text": paragraph }))?;
    } else {
        output.bytes(format!("{paragraph}\n").as_bytes())?;
    }
    Ok(Exit::Ok)
}

/// Warnings of a set that is about to be used, one line: the set works, but probably not as meant.
pub(crate) fn mention_warnings(warnings: &Diagnostics, json: bool, lang: Lang) {
    let count = warnings.warnings();
    if count > 0 {
        let noun = plural(count, "warning", "warnings");
        let text = say!(lang, "规则有 {count} 处警告，详见 weir rule check", "the rules have {count} {noun}, see weir rule check");
        mention("warning", "rules", &text, json);
    }
}
