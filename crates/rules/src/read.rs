//! From YAML nodes to values of known form, collecting every problem on the way.
//!
//! A [`Fields`] hands out the keys of a mapping one by one and at the end reports those nobody asked for; the keys asked for are what it
//! offers as "did you mean". Values come with their place, since later checks need it. Knows forms (text, number, list), not rules.

use std::collections::BTreeSet;
use std::ops::Range;

use granit_parser::ScalarStyle;

use crate::diagnostic::{Code, Diagnostic, Place, SourceFile, Text, suggest};
use crate::yaml::{Kind, Node};

/// One file being read, and the problems found so far in all of them.
pub(crate) struct Reader<'a> {
    /// Index of the file in the list of sources.
    pub(crate) file: usize,
    /// The file.
    pub(crate) source: &'a SourceFile,
    /// Where problems go.
    pub(crate) problems: &'a mut Vec<Diagnostic>,
}

/// A single value as written.
#[derive(Debug, Clone)]
pub(crate) struct Scalar {
    /// Index of the file.
    pub(crate) file: usize,
    /// The text after unquoting.
    pub(crate) text: String,
    /// The node, for places inside the text.
    pub(crate) node: Node,
}

impl Scalar {
    /// The whole value.
    pub(crate) fn place(&self) -> Place {
        Place { file: self.file, span: self.node.span.clone() }
    }

    /// The characters `range` of the text.
    pub(crate) fn part(&self, source: &SourceFile, range: Range<usize>) -> Place {
        Place { file: self.file, span: self.node.locate(&source.text, range) }
    }
}

impl Reader<'_> {
    pub(crate) fn place(&self, node: &Node) -> Place {
        Place { file: self.file, span: self.first_line(node.span.clone()) }
    }

    /// Long nodes are marked on their first line only: a caret under half a file helps nobody.
    fn first_line(&self, span: Range<usize>) -> Range<usize> {
        let text = self.source.text.get(span.clone()).unwrap_or_default();
        span.start..span.start + text.lines().next().unwrap_or_default().trim_end().len()
    }

    pub(crate) fn error(&mut self, code: Code, place: Place, message: Text, help: Option<Text>) {
        let mut problem = Diagnostic::error(code, message).at(place);
        problem.help = help;
        self.problems.push(problem);
    }

    /// Says that `node` should have been `expected`.
    pub(crate) fn wrong(&mut self, node: &Node, expected: Text) {
        let found = node.describe();
        let place = self.place(node);
        let message = Text::new(format!("expected {}, found {}", expected.en, found.en), format!("应为{}，实为{}", expected.zh, found.zh));
        self.error(Code::WrongValue, place, message, None);
    }

    pub(crate) fn scalar(&mut self, node: &Node) -> Option<Scalar> {
        match &node.kind {
            Kind::Scalar { text, .. } if !node.is_null() => Some(Scalar { file: self.file, text: text.clone(), node: node.clone() }),
            _ => {
                self.wrong(node, Text::new("a single value", "单个值"));
                None
            }
        }
    }

    /// A text that is not empty.
    pub(crate) fn text(&mut self, node: &Node) -> Option<Scalar> {
        let scalar = self.scalar(node)?;
        if scalar.text.trim().is_empty() {
            self.wrong(node, Text::new("a text", "文字"));
            return None;
        }
        Some(scalar)
    }

    pub(crate) fn integer(&mut self, node: &Node) -> Option<i64> {
        let scalar = self.scalar(node)?;
        let plain = matches!(node.kind, Kind::Scalar { style: ScalarStyle::Plain, .. });
        let value = scalar.text.parse().ok().filter(|_| plain);
        if value.is_none() {
            let message = Text::new(format!("`{}` is no whole number", scalar.text), format!("`{}` 不是整数", scalar.text));
            self.error(Code::WrongValue, scalar.place(), message, None);
        }
        value
    }

    /// The members of a list; a single value counts as a list of one.
    pub(crate) fn list<'n>(&mut self, node: &'n Node) -> &'n [Node] {
        match &node.kind {
            Kind::Sequence(items) => items,
            _ if node.is_null() => &[],
            Kind::Scalar { .. } => std::slice::from_ref(node),
            Kind::Mapping(_) => {
                self.wrong(node, Text::new("a list", "列表"));
                &[]
            }
        }
    }

    pub(crate) fn texts(&mut self, node: &Node) -> Vec<Scalar> {
        self.list(node).iter().filter_map(|item| self.text(item)).collect()
    }

    /// One of a closed set of words.
    pub(crate) fn choice<T: Copy>(&mut self, scalar: &Scalar, choices: &[(&'static str, T)]) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == scalar.text).map(|(_, value)| *value);
        if found.is_none() {
            let help = suggest(&scalar.text, choices.iter().map(|(name, _)| *name));
            let message = Text::new(format!("`{}` is none of the choices", scalar.text), format!("`{}` 不在可选值之列", scalar.text));
            self.error(Code::WrongValue, scalar.place(), message, Some(help));
        }
        found
    }

    /// Members that are there already are reported and dropped.
    pub(crate) fn distinct(&mut self, items: Vec<Scalar>) -> Vec<Scalar> {
        let mut seen = BTreeSet::new();
        let mut kept = Vec::with_capacity(items.len());
        for item in items {
            if seen.insert(item.text.clone()) {
                kept.push(item);
                continue;
            }
            let message = Text::new(format!("`{}` stands here twice", item.text), format!("`{}` 重复出现", item.text));
            self.error(Code::DuplicateItem, item.place(), message, None);
        }
        kept
    }
}

/// A mapping whose keys are taken one by one.
pub(crate) struct Fields<'n> {
    node: &'n Node,
    asked: Vec<&'static str>,
}

impl<'n> Fields<'n> {
    /// `None`, and a problem, if the node is no mapping. Keys that occur twice are reported.
    pub(crate) fn of(reader: &mut Reader<'_>, node: &'n Node) -> Option<Self> {
        let Kind::Mapping(entries) = &node.kind else {
            reader.wrong(node, Text::new("a mapping (`key: value`)", "映射（`键: 值`）"));
            return None;
        };
        for (i, entry) in entries.iter().enumerate() {
            if entries[..i].iter().any(|earlier| earlier.key == entry.key) {
                let place = Place { file: reader.file, span: entry.key_span.clone() };
                let message = Text::new(format!("`{}` stands here twice", entry.key), format!("键 `{}` 重复出现", entry.key));
                reader.error(Code::DuplicateKey, place, message, None);
            }
        }
        Some(Self { node, asked: Vec::new() })
    }

    /// The value of a key, if it is there and not empty.
    pub(crate) fn get(&mut self, key: &'static str) -> Option<&'n Node> {
        self.asked.push(key);
        let Kind::Mapping(entries) = &self.node.kind else { return None };
        entries.iter().find(|entry| entry.key == key).map(|entry| &entry.value).filter(|node| !node.is_null())
    }

    /// As [`Fields::get`]; reports the key where it is missing.
    pub(crate) fn need(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<&'n Node> {
        let found = self.get(key);
        if found.is_none() {
            let place = self.head(reader, key);
            let message = Text::new(format!("`{key}` is missing"), format!("缺少 `{key}`"));
            reader.error(Code::MissingKey, place, message, None);
        }
        found
    }

    /// A text that must be there.
    pub(crate) fn need_text(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Scalar> {
        let node = self.need(reader, key)?;
        reader.text(node)
    }

    /// A text that may be there.
    pub(crate) fn text(&mut self, reader: &mut Reader<'_>, key: &'static str) -> Option<Scalar> {
        let node = self.get(key)?;
        reader.text(node)
    }

    /// Where to point for a key that is missing: the key itself if it stands there empty, else the first key of the mapping.
    pub(crate) fn head(&self, reader: &Reader<'_>, key: &str) -> Place {
        let Kind::Mapping(entries) = &self.node.kind else { return reader.place(self.node) };
        let entry = entries.iter().find(|entry| entry.key == key).or(entries.first());
        Place { file: reader.file, span: entry.map_or(self.node.span.clone(), |entry| entry.key_span.clone()) }
    }

    /// `version: 1`.
    pub(crate) fn version(&mut self, reader: &mut Reader<'_>) {
        let Some(node) = self.need(reader, "version") else { return };
        let Some(version) = reader.integer(node) else { return };
        if version != 1 {
            let place = reader.place(node);
            let message = Text::new(format!("format version {version} is not known"), format!("不支持的格式版本 {version}"));
            let help = Text::new(
                "this weir reads `version: 1`; a rule's own version is its `revision:`",
                "本程序读取 `version: 1`；规则自身的版本写在 `revision:`",
            );
            reader.error(Code::UnsupportedVersion, place, message, Some(help));
        }
    }

    /// Reports the keys nobody asked for.
    pub(crate) fn finish(self, reader: &mut Reader<'_>) {
        let Kind::Mapping(entries) = &self.node.kind else { return };
        for entry in entries.iter().filter(|entry| !self.asked.contains(&entry.key.as_str())) {
            let place = Place { file: reader.file, span: entry.key_span.clone() };
            let message = Text::new(format!("unknown key `{}`", entry.key), format!("未定义的键 `{}`", entry.key));
            let help = suggest(&entry.key, self.asked.iter().copied());
            reader.error(Code::UnknownKey, place, message, Some(help));
        }
    }
}
