//! Which rule files a run uses: a folder's, or the pack built into the binary.
//!
//! Files are read here and handed to `weir-rules` as texts. Without a folder named, `./rules` is used where it exists; the label says which
//! it was, so that nobody mistakes one for the other. A folder without a calendar, or without tags, takes the built-in ones: working days and
//! the words of memos are facts that a folder with one rule should not have to bring.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use weir_rules::diagnostic::{Code, Diagnostic, Diagnostics, Place, Severity, SourceFile, Text};
use weir_rules::{Loaded, Override};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, plural, say};
use crate::terminal::{Palette, mention};

/// The shipped pack: path below `rules/`, and text.
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rule_pack.rs"));

/// A set of rule files as texts.
#[derive(Debug, Clone)]
pub(crate) struct Pack {
    /// Where they come from, for people.
    pub(crate) label: String,
    /// In order of path.
    pub(crate) files: Vec<SourceFile>,
    /// Paths of files that gave no text, each with the reason: problems like those that the texts of the others may have.
    pub(crate) unreadable: Vec<(String, Text)>,
}

impl Pack {
    /// The files of `dir`; without one those of `./rules`, else the built-in ones.
    pub(crate) fn find(dir: Option<&Path>, lang: Lang) -> Result<Self, Failure> {
        match dir {
            Some(dir) => Self::read(dir, lang),
            None if Path::new("rules").is_dir() => Self::read(Path::new("rules"), lang),
            None => Ok(Self::built_in(lang)),
        }
    }

    /// The packs of several folders; of the default one where none is named.
    pub(crate) fn find_all(dirs: &[PathBuf], lang: Lang) -> Result<Vec<Self>, Failure> {
        if dirs.is_empty() {
            return Ok(vec![Self::find(None, lang)?]);
        }
        dirs.iter().map(|dir| Self::find(Some(dir), lang)).collect()
    }

    fn built_in(lang: Lang) -> Self {
        let files = BUILT_IN.iter().map(|(path, text)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() }).collect();
        Self { label: say!(lang, "内置规则", "built-in rules"), files, unreadable: Vec::new() }
    }

    /// Every YAML file below a folder, or one file.
    fn read(dir: &Path, lang: Lang) -> Result<Self, Failure> {
        let label = dir.display().to_string();
        let failure = |path: &Path, error: &io::Error| {
            let path = path.display();
            Failure::bad_input(say!(lang, "无法读取规则 {path}：{error}", "cannot read the rules {path}: {error}"))
        };
        let mut paths = Vec::new();
        if dir.is_file() {
            paths.push(dir.to_owned());
        } else {
            collect(dir, &mut paths).map_err(|error| failure(dir, &error))?;
        }
        paths.sort();
        let mut files = Vec::with_capacity(paths.len());
        let mut unreadable = Vec::new();
        for path in &paths {
            let below = path.strip_prefix(dir).ok().filter(|below| *below != Path::new("")).unwrap_or(path);
            let below = below.to_string_lossy().replace('\\', "/");
            match fs::read_to_string(path) {
                Ok(text) => files.push(SourceFile { path: below, text }),
                Err(error) => unreadable.push((below, reason(&error))),
            }
        }
        if paths.is_empty() {
            return Err(Failure::bad_input(say!(lang, "{label} 中没有规则文件（*.yaml）", "{label} holds no rule file (*.yaml)")));
        }
        complete(&mut files);
        Ok(Self { label, files, unreadable })
    }

    /// Checks and compiles: every problem of every file.
    pub(crate) fn check(&self, settings: &[String]) -> Result<Loaded, Diagnostics> {
        let overrides: Vec<Override> = settings.iter().map(Override::new).collect();
        let loaded = weir_rules::load(&self.files, &overrides);
        if self.unreadable.is_empty() {
            return loaded;
        }
        let mut all = loaded.map_or_else(|diagnostics| diagnostics, |loaded| loaded.warnings);
        for (path, reason) in &self.unreadable {
            let place = Place { file: all.sources.len(), span: 0..0 };
            all.sources.push(SourceFile { path: path.clone(), text: String::new() });
            all.items.push(Diagnostic::error(Code::YamlSyntax, reason.clone()).at(place));
        }
        Err(all)
    }

    /// What is said of a pack that would never find anything.
    pub(crate) fn without_rules(&self, lang: Lang) -> String {
        let label = &self.label;
        say!(
            lang,
            "{label} 中没有规则：没有一个文件是规则（以 `id:` 开头的 *.yaml）",
            "{label} holds no rule: none of its files is one (a *.yaml with an `id:`)"
        )
    }
}

fn reason(error: &io::Error) -> Text {
    match error.kind() {
        io::ErrorKind::InvalidData => Text::new("the file is not UTF-8; save it in UTF-8", "文件不是 UTF-8 编码；请另存为 UTF-8"),
        _ => Text::new(format!("the file cannot be read: {error}"), format!("无法读取文件：{error}")),
    }
}

/// Adds the built-in calendar and tags to files that have none of their own.
fn complete(files: &mut Vec<SourceFile>) {
    for is_kind in [is_calendar, is_tags] {
        if !files.iter().any(|file| is_kind(&file.path)) {
            let built_in = BUILT_IN.iter().filter(|(path, _)| is_kind(path));
            files.extend(built_in.map(|(path, text)| SourceFile { path: (*path).to_owned(), text: (*text).to_owned() }));
        }
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
}

fn is_calendar(path: &str) -> bool {
    path.starts_with("calendar/")
}

fn is_tags(path: &str) -> bool {
    path == "tags.yaml" || path == "tags.yml"
}

/// Checks and compiles a pack; what is wrong with it is printed to standard error, every problem of it. A pack without a rule is refused: it
/// would find nothing and look as if there were nothing to find.
pub(crate) fn load(pack: &Pack, settings: &[String], json: bool, lang: Lang) -> Result<Loaded, Failure> {
    let loaded = pack.check(settings).map_err(|diagnostics| {
        show(&diagnostics, json, lang);
        let (label, errors) = (&pack.label, diagnostics.errors());
        let noun = plural(errors, "error", "errors");
        let text = say!(lang, "{label}：规则有 {errors} 处错误，没有运行", "{label}: {errors} {noun} in the rules, nothing was run");
        Failure { exit: exit_of(&diagnostics), text }
    })?;
    if loaded.documents.is_empty() {
        return Err(Failure::bad_input(pack.without_rules(lang)));
    }
    Ok(loaded)
}

/// Problems to standard error: to read, or one object a line.
fn show(diagnostics: &Diagnostics, json: bool, lang: Lang) {
    let stderr = io::stderr();
    let text = if json {
        let records = diagnostics.records(lang.into());
        records.iter().map(|record| serde_json::json!({ "problem": record }).to_string() + "\n").collect()
    } else {
        diagnostics.render(lang.into(), Palette::of(&stderr).is_coloured())
    };
    // Nobody is left to tell where standard error is closed.
    let _ = stderr.lock().write_all(text.as_bytes());
}

/// A set whose rules are all drafts or retired runs, and finds nothing.
pub(crate) fn mention_idle(pack: &Pack, loaded: &Loaded, json: bool, lang: Lang) {
    if loaded.rules.rules.is_empty() {
        mention("warning", "no_rule_in_force", &idle(pack, lang), json);
    }
}

/// What is said of it.
pub(crate) fn idle(pack: &Pack, lang: Lang) -> String {
    let label = &pack.label;
    say!(
        lang,
        "警告：{label} 中没有生效的规则（全部为 draft 或 retired），不会产生预警",
        "warning: no rule of {label} is in force (all are draft or retired), so there will be no alert"
    )
}

/// A setting on the command line is at fault, or the rules are.
pub(crate) fn exit_of(diagnostics: &Diagnostics) -> Exit {
    let mut errors = diagnostics.records(weir_rules::Lang::En).into_iter().filter(|record| record.severity == Severity::Error);
    if errors.all(|record| record.file.as_deref() == Some("--set")) { Exit::Usage } else { Exit::BadInput }
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, paths)?;
        } else if path.extension().is_some_and(|extension| extension == "yaml" || extension == "yml") {
            paths.push(path);
        }
    }
    Ok(())
}
