//! YAML as a tree of nodes that know where they stand.
//!
//! Rule files are read from this tree, not through serde: serde stops at the first problem and hands out values without the notation they
//! were written in, while a rule check names every problem of every file and points into the middle of an expression. Only what rule files
//! need is taken: one document, plain mappings with text keys; anchors, aliases, tags and several documents are refused. This module
//! knows no key and no rule.

use std::ops::Range;

use granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::diagnostic::{Code, Diagnostic, Place, Problem, Text};

/// One value of the document.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    /// Bytes it covers in the file, quotes included.
    pub(crate) span: Range<usize>,
    /// What it is.
    pub(crate) kind: Kind,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Text after unquoting.
    Scalar {
        /// The text.
        text: String,
        /// How it was written.
        style: ScalarStyle,
    },
    /// `[a, b]` or lines with dashes.
    Sequence(Vec<Node>),
    /// `{a: b}` or lines with keys, in order.
    Mapping(Vec<Entry>),
}

/// A key with its value.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// The key.
    pub(crate) key: String,
    /// Bytes of the key.
    pub(crate) key_span: Range<usize>,
    /// The value.
    pub(crate) value: Node,
}

impl Node {
    /// Whether nothing was written (`key:`), or `null`.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, style: ScalarStyle::Plain } if matches!(text.as_str(), "" | "~" | "null"))
    }

    /// In words, for messages.
    pub(crate) fn describe(&self) -> Text {
        match &self.kind {
            _ if self.is_null() => Text::new("nothing", "空值"),
            Kind::Scalar { .. } => Text::new("a single value", "单个值"),
            Kind::Sequence(_) => Text::new("a list", "列表"),
            Kind::Mapping(_) => Text::new("a mapping", "映射"),
        }
    }

    /// Where the characters `range` of a scalar's text stand in the file: [`Places::of`].
    pub(crate) fn locate(&self, source: &str, range: Range<usize>) -> Range<usize> {
        self.places(source).of(range)
    }

    /// Where the characters of a scalar's text stand in the file, for who asks for many.
    pub(crate) fn places(&self, source: &str) -> Places {
        let Kind::Scalar { text, style } = &self.kind else { return Places { offsets: None, otherwise: self.span.clone() } };
        let written = source.get(self.span.clone()).unwrap_or_default();
        let first_line = self.span.start..self.span.start + written.lines().next().unwrap_or_default().len();
        let offsets = match style {
            ScalarStyle::Literal => literal_offsets(source, self.span.start, text),
            ScalarStyle::Folded => None,
            _ if written.contains('\n') => None,
            ScalarStyle::Plain => Some(text.char_indices().map(|(at, _)| self.span.start + at).chain([self.span.end]).collect()),
            ScalarStyle::SingleQuoted => Some(quoted_offsets(written, self.span.start, |rest| if rest.starts_with("''") { 2 } else { 0 })),
            ScalarStyle::DoubleQuoted => Some(quoted_offsets(written, self.span.start, escape_len)),
        };
        Places { offsets, otherwise: first_line }
    }
}

/// Where each character of a scalar's text stands in the file, and its end.
#[derive(Debug)]
pub(crate) struct Places {
    offsets: Option<Vec<usize>>,
    otherwise: Range<usize>,
}

impl Places {
    /// Of the characters `range`.
    ///
    /// Exact for scalars on one line and for literal blocks. In folded blocks and texts over several lines line breaks are no longer
    /// where they were, so the answer is the beginning of the scalar.
    pub(crate) fn of(&self, range: Range<usize>) -> Range<usize> {
        let offset = |at: usize| self.offsets.as_ref()?.get(at).copied();
        match (offset(range.start), offset(range.end)) {
            (Some(start), Some(end)) if start <= end => start..end,
            _ => self.otherwise.clone(),
        }
    }
}

/// Byte offsets of each character of a quoted text, and of its end. `escape` gives the length of an escape at the head of its argument.
fn quoted_offsets(written: &str, start: usize, escape: impl Fn(&str) -> usize) -> Vec<usize> {
    let inner_end = written.len().saturating_sub(1);
    let mut offsets = Vec::new();
    let mut at = 1;
    while at < inner_end {
        offsets.push(start + at);
        let rest = &written[at..inner_end];
        let escaped = escape(rest).min(rest.len());
        at += if escaped > 0 { escaped } else { rest.chars().next().map_or(1, char::len_utf8) };
    }
    offsets.push(start + inner_end);
    offsets
}

/// Length of the double-quoted escape at the head of `rest`, 0 for an ordinary character.
fn escape_len(rest: &str) -> usize {
    let mut chars = rest.chars();
    if chars.next() != Some('\\') {
        return 0;
    }
    match chars.next() {
        Some('x') => 4,
        Some('u') => 6,
        Some('U') => 10,
        Some(other) => 1 + other.len_utf8(),
        None => 1,
    }
}

/// Byte offsets of each character of a literal block: its lines stand one to one in the file, moved right by the indentation.
fn literal_offsets(source: &str, start: usize, text: &str) -> Option<Vec<usize>> {
    // The parser's span begins at the `|`, or (in some notations) at the first line of the text itself.
    let at_header = source.get(start..)?.starts_with('|');
    let line_of = |at: usize| Some(source.get(..at)?.rfind('\n').map_or(0, |at| at + 1));
    let mut line_start = if at_header {
        start + source.get(start..)?.find('\n')? + 1
    } else {
        // Lines without text at the head of the block are part of it, but stand before the parser's span.
        let blank = text.chars().take_while(|c| *c == '\n').count();
        (0..blank).try_fold(line_of(start)?, |below, _| line_of(below.checked_sub(1)?))?
    };
    let mut offsets = Vec::new();
    for line in text.split_inclusive('\n') {
        let written = source.get(line_start..)?.split('\n').next()?;
        let content = line.trim_end_matches('\n');
        let ending = written.trim_end_matches('\r');
        if !ending.ends_with(content) {
            return None;
        }
        let first = line_start + ending.len() - content.len();
        offsets.extend(content.char_indices().map(|(at, _)| first + at));
        if line.ends_with('\n') {
            offsets.push(first + content.len());
        }
        line_start += written.len() + 1;
    }
    offsets.push(line_start.min(source.len()));
    Some(offsets)
}

/// Reads one document.
///
/// # Errors
/// The first syntax error, or the first use of what rule files may not use.
pub(crate) fn parse(file: usize, source: &str) -> Result<Node, Problem> {
    let mut reader = Reader { file, source, parser: Parser::new_from_str(source) };
    reader.document()
}

struct Reader<'a> {
    file: usize,
    source: &'a str,
    parser: Parser<'a, granit_parser::StrInput<'a>>,
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Node, Problem> {
        let root = loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd, _) => {
                    return Ok(Node { span: 0..0, kind: Kind::Scalar { text: String::new(), style: ScalarStyle::Plain } });
                }
                (event, span) => break self.node(event, &span)?,
            }
        };
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::DocumentEnd, _) => {}
                (_, span) => {
                    return Err(self.error(
                        &span,
                        Text::new("a file holds one document", "一个文件只能有一个文档"),
                        Text::new("put the second one into a file of its own", "请把第二个文档放进单独的文件"),
                    ));
                }
            }
        }
    }

    /// The next event that is no comment.
    fn next(&mut self) -> Result<(Event<'a>, Span), Problem> {
        loop {
            match self.parser.next_event() {
                Some(Ok((Event::Comment(..), _))) => {}
                Some(Ok(event)) => return Ok(event),
                None => return Ok((Event::StreamEnd, Span::empty(granit_parser::Marker::new(0, 1, 0)))),
                Some(Err(error)) => {
                    let at = error.marker().byte_offset().unwrap_or(self.source.len()).min(self.source.len());
                    let end = self.source[at..].chars().next().filter(|c| *c != '\n').map_or(at, |c| at + c.len_utf8());
                    let what = error.info();
                    let message = Text::new(format!("not valid YAML: {what}"), format!("YAML 语法错误：{what}"));
                    let help =
                        Text::new("check the indentation and the quotes of this line and the one before", "请检查本行与上一行的缩进和引号");
                    let place = Place { file: self.file, span: at..end };
                    return Err(Box::new(Diagnostic::error(Code::YamlSyntax, message).at(place).help(help)));
                }
            }
        }
    }

    fn node(&mut self, event: Event<'a>, span: &Span) -> Result<Node, Problem> {
        if event.anchor_id().is_some_and(|id| id > 0) || event.is_alias() || event.tag().is_some() {
            return Err(self.error(
                span,
                Text::new("anchors, aliases and tags are not used in rule files", "规则文件不使用锚点、别名和标签"),
                Text::new("write the value out where it is needed", "请在需要处直接写出该值"),
            ));
        }
        let start = self.bytes(span).start;
        match event {
            Event::Scalar(text, style, ..) => Ok(Node { span: self.bytes(span), kind: Kind::Scalar { text: text.into_owned(), style } }),
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.next()? {
                        (Event::SequenceEnd, end) => {
                            let end = self.end_of(items.last(), &end);
                            return Ok(Node { span: start..end.max(start), kind: Kind::Sequence(items) });
                        }
                        (event, span) => items.push(self.node(event, &span)?),
                    }
                }
            }
            Event::MappingStart(..) => {
                let mut entries = Vec::new();
                loop {
                    match self.next()? {
                        (Event::MappingEnd, end) => {
                            let end = self.end_of(entries.last().map(|entry: &Entry| &entry.value), &end);
                            return Ok(Node { span: start..end.max(start), kind: Kind::Mapping(entries) });
                        }
                        (event, span) => entries.push(self.entry(event, &span)?),
                    }
                }
            }
            _ => Err(self.error(
                span,
                Text::new("this is not used in rule files", "规则文件不使用此写法"),
                Text::new("write plain mappings, lists and values", "请只用普通映射、列表和值"),
            )),
        }
    }

    fn entry(&mut self, event: Event<'a>, span: &Span) -> Result<Entry, Problem> {
        let key = self.node(event, span)?;
        let Kind::Scalar { text, .. } = key.kind else {
            return Err(self.error(span, Text::new("a key is a word", "键必须是单词"), Text::new("write `key: value`", "请写成 `键: 值`")));
        };
        let (event, span) = self.next()?;
        Ok(Entry { key: text, key_span: key.span, value: self.node(event, &span)? })
    }

    /// Where a collection ends: block collections are closed by whatever follows them, so their last member tells.
    fn end_of(&self, last: Option<&Node>, end: &Span) -> usize {
        let closed = self.bytes(end);
        if closed.is_empty() { last.map_or(closed.start, |node| node.span.end) } else { closed.end }
    }

    fn bytes(&self, span: &Span) -> Range<usize> {
        let range = span.byte_range().unwrap_or_default();
        let end = range.end.min(self.source.len());
        range.start.min(end)..end
    }

    fn error(&self, span: &Span, message: Text, help: Text) -> Problem {
        Box::new(Diagnostic::error(Code::YamlSyntax, message).at(Place { file: self.file, span: self.bytes(span) }).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads `key: SCALAR`, finds `needle` in the text of the scalar and in the file through [`Node::locate`].
    fn check(source: &str, needle: &str) -> String {
        let root = parse(0, source).expect("valid YAML");
        let Kind::Mapping(entries) = &root.kind else { panic!("a mapping") };
        let node = &entries[0].value;
        let Kind::Scalar { text, .. } = &node.kind else { panic!("a scalar") };
        let at = text.find(needle).expect("in the text");
        let start = text[..at].chars().count();
        source[node.locate(source, start..start + needle.chars().count())].to_owned()
    }

    #[test]
    fn places_inside_scalars_are_found_in_every_notation() {
        assert_eq!(check("k: 人数 >= x\n", "x"), "x");
        assert_eq!(check("k: \"人数 \\\"a\\\" \\u4eba >= x\"\n", ">= x"), ">= x");
        assert_eq!(check("k: 'f(''14d'') >= x'\n", "x"), "x");
        assert_eq!(check("k: 'f(''14d'') >= x'\n", "'14d'"), "''14d''");
        assert_eq!(check("k: |\n  a,b\n\n  人,x\n", "x"), "x");
        assert_eq!(check("k: |\n\n  a,b\n  人,x\n", "x"), "x");
        assert_eq!(check("k: |-\n  \n\n  人,x", "x"), "x");
        assert_eq!(check("k: [\"f(x)\"]\nl: 1\n".replace(['[', ']'], "").as_str(), "x"), "x");
    }

    #[test]
    fn texts_over_several_lines_point_at_their_first() {
        assert_eq!(check("k: >\n  a\n  x\n", "x"), "a");
        assert_eq!(check("k: \"a\n  x\"\n", "x"), "\"a");
    }
}
