//! A YAML document as a tree in which everything knows its place.
//!
//! Feed files are read from this tree by hand and not through serde, because serde stops at the first mistake and a person wants all of them
//! at once, each with line and column. Scalars keep their text: whether `01` is a number is for the field that takes it to say. Anchors,
//! aliases, tags and several documents in one file are refused: a feed file needs none of them.

use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, Span};

use crate::error::Problem;

/// Deeper nesting than any feed file has.
const DEPTH_MAX: usize = 16;

/// Line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct At {
    pub(crate) line: u64,
    pub(crate) column: u64,
}

impl At {
    pub(crate) fn problem(self, message: impl Into<String>, help: impl Into<String>) -> Problem {
        Problem { line: self.line, column: self.column, message: message.into(), help: help.into() }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) at: At,
    pub(crate) value: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// An empty plain scalar, `~` or `null`.
    Null,
    Scalar(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_at: At,
    pub(crate) node: Node,
}

impl Value {
    /// What it is, for messages.
    pub(crate) fn what(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Scalar(_) => "a single value",
            Self::List(_) => "a list",
            Self::Map(_) => "a mapping",
        }
    }
}

/// Reads one document. An empty file is `Null`.
pub(crate) fn parse(text: &str) -> Result<Node, Problem> {
    let mut builder = Builder { open: Vec::new(), root: None };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            let at = At { line: number(error.marker().line()), column: number(error.marker().col()) + 1 };
            at.problem(format!("not YAML: {}", error.info()), "")
        })?;
        builder.event(event, place(&span))?;
    }
    Ok(builder.root.unwrap_or(Node { at: At { line: 1, column: 1 }, value: Value::Null }))
}

fn place(span: &Span) -> At {
    At { line: number(span.start.line()), column: number(span.start.col()) + 1 }
}

fn number(value: usize) -> u64 {
    u64::try_from(value).unwrap_or(u64::MAX)
}

/// A collection whose end has not come yet.
struct Open {
    at: At,
    kind: Kind,
}

enum Kind {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, At)> },
}

struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
}

impl Builder {
    fn event(&mut self, event: Event<'_>, at: At) -> Result<(), Problem> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if anchor != 0 || tag.is_some() {
                    return Err(at.problem("anchors and tags are not used here", "write the value out"));
                }
                let plain = matches!(style, ScalarStyle::Plain);
                let null = plain && matches!(text.as_ref(), "" | "~" | "null");
                let value = if null { Value::Null } else { Value::Scalar(text.into_owned()) };
                self.node(Node { at, value })
            }
            Event::SequenceStart(..) => self.push(at, Kind::List(Vec::new())),
            Event::MappingStart(..) => self.push(at, Kind::Map { entries: Vec::new(), key: None }),
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::Alias(_) => Err(at.problem("aliases are not used here", "write the value out")),
            Event::DocumentStart(..) if self.root.is_some() => Err(at.problem("a second document", "one file is one document")),
            _ => Ok(()),
        }
    }

    fn push(&mut self, at: At, kind: Kind) -> Result<(), Problem> {
        if self.open.len() >= DEPTH_MAX {
            return Err(at.problem("nested too deeply", ""));
        }
        self.open.push(Open { at, kind });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Problem> {
        let Some(open) = self.open.pop() else { return Ok(()) };
        let value = match open.kind {
            Kind::List(nodes) => Value::List(nodes),
            Kind::Map { entries, .. } => Value::Map(entries),
        };
        self.node(Node { at: open.at, value })
    }

    fn node(&mut self, node: Node) -> Result<(), Problem> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.kind {
            Kind::List(nodes) => nodes.push(node),
            Kind::Map { entries, key } => match (key.take(), node.value) {
                (Some((key, key_at)), value) => entries.push(Entry { key, key_at, node: Node { at: node.at, value } }),
                (None, Value::Scalar(text)) => {
                    if entries.iter().any(|entry| entry.key == text) {
                        return Err(node.at.problem(format!("`{text}` stands here twice"), ""));
                    }
                    *key = Some((text, node.at));
                }
                (None, Value::Null) => *key = Some((String::new(), node.at)),
                (None, _) => return Err(node.at.problem("a name was expected", "")),
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text_and_place() {
        let root = parse("version: 1\nfields:\n  金额: {scale: -2, on: '01'}\n").unwrap();
        let Value::Map(entries) = root.value else { panic!("a map") };
        assert_eq!(entries[0].node.value, Value::Scalar("1".to_owned()));
        let Value::Map(fields) = &entries[1].node.value else { panic!("a map") };
        assert_eq!((fields[0].key.as_str(), fields[0].key_at), ("金额", At { line: 3, column: 3 }));
        let Value::Map(amount) = &fields[0].node.value else { panic!("a map") };
        assert_eq!(amount[0].node, Node { at: At { line: 3, column: 15 }, value: Value::Scalar("-2".to_owned()) });
        assert_eq!(amount[1].node.value, Value::Scalar("01".to_owned()));
    }

    #[test]
    fn what_no_feed_file_needs_is_refused_with_its_place() {
        let check = |text: &str, line: u64, message: &str| {
            let problem = parse(text).unwrap_err();
            assert!(problem.line == line && problem.message.contains(message), "{problem:?}");
        };
        check("a: 1\na: 2\n", 2, "twice");
        check("a: &x 1\nb: *x\n", 1, "anchors");
        check("a: 1\n---\nb: 2\n", 2, "second document");
        check("a: [1, 2\nb: 3\n", 2, "not YAML");
        assert_eq!(parse("").unwrap().value, Value::Null);
    }
}
