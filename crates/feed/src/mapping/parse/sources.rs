//! `fields` of a feed file: what feeds each field, and which fields no feed can do without.
//!
//! What a word of a column is said to mean is checked against the field's type here, so that a file which promises what no field takes is refused
//! before a record is read.

use super::Parser;
use crate::mapping::fields::{FieldType, RowKind, field_type};
use crate::mapping::{From, Plan, Source, Values};
use crate::yaml::{At, Entry, Node, Value};

/// Keys of every field's mapping.
const SOURCE: [&str; 5] = ["column", "columns", "const", "separator", "optional"];

impl Parser {
    pub(super) fn fields(&mut self, node: &Node, plan: &mut Plan) {
        let names = plan.rows.names();
        let Some(entries) = self.map(node, &names) else { return };
        for entry in entries {
            let Some((field, kind)) = field_type(plan.rows, &entry.key) else { continue };
            if let Some(amount) = plan.amount_mut(field) {
                self.amount(&entry.node, field, amount);
                continue;
            }
            let mut time = None;
            let source = match kind {
                FieldType::Time => self.time(&entry.node, field, &mut time),
                _ => self.source(&entry.node, field, kind, &[]),
            };
            if let Some(time) = time {
                plan.time = time;
            }
            if let (Some(source), Some(place)) = (source, plan.source_mut(field)) {
                *place = source;
            }
        }
        self.required(node.at, entries, plan);
    }

    /// What no feed can do without. A field that is written but wrong has been reported already.
    fn required(&mut self, at: At, entries: &[Entry], plan: &Plan) {
        let has = |name: &str| entries.iter().any(|entry| entry.key == name);
        let mut missing = |name: &str, help: &str| self.problems.push(at.problem(format!("`{name}` is not mapped"), help.to_owned()));
        for (name, help) in [
            ("txn_id", "a column, several ([date, serial]) or {row_number: true}"),
            ("occurred_at", "a column with its format"),
            ("amount", "a column with its unit"),
        ] {
            if !has(name) {
                missing(name, help);
            }
        }
        let (first, second) = plan.rows.side_fields();
        let parties = [first[0], first[1], second[0], second[1]];
        let needed = if plan.rows == RowKind::Transfer { &parties[..] } else { &parties[..2] };
        if !needed.iter().any(|name| has(name)) {
            missing(needed[0], "without an account or a customer nobody can be monitored");
        }
        if plan.rows == RowKind::LedgerSide && plan.direction.is_nothing() && !has("direction") && plan.amount.by_direction.is_none() {
            missing("direction", "for example {column: 收付标志, values: {收: in, 付: out}}");
        }
        if plan.amount.negative.is_some() && plan.reverses.is_nothing() && !has("reverses") {
            missing("reverses", "a negative amount can be a reversal only if a column names the original serial");
        }
    }

    /// A field in one of its forms: `name`, `[a, b]`, or a mapping with the keys of `SOURCE` and `more`.
    pub(super) fn source(&mut self, node: &Node, field: &'static str, kind: FieldType, more: &[&str]) -> Option<Source> {
        let mut source = Source::nothing(field);
        match &node.value {
            Value::Scalar(name) => source.from = From::Column(self.slot(name, field, false)),
            Value::List(_) => source.from = self.columns(node, field, kind, None, false)?,
            Value::Null => {
                self.problem(node.at, format!("`{field}` says nothing"), "name a column, or leave the field out");
                return None;
            }
            Value::Map(entries) => {
                let own: &[&str] = match kind {
                    FieldType::Serial => &["values", "other", "row_number"],
                    FieldType::Time | FieldType::Amount => &[],
                    _ => &["values", "other"],
                };
                let known: Vec<&str> = SOURCE.iter().chain(own).chain(more).copied().collect();
                self.map(node, &known);
                source.from = self.from(node.at, entries, field, kind, more)?;
                source.values = self.values(entries, kind);
            }
        }
        Some(source)
    }

    fn from(&mut self, at: At, entries: &[Entry], field: &'static str, kind: FieldType, more: &[&str]) -> Option<From> {
        let get = |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node);
        let optional = get("optional").and_then(|node| self.flag(node)).unwrap_or(false);
        let separator = get("separator").and_then(|node| self.scalar(node)).map(str::to_owned);
        let row_number = get("row_number").and_then(|node| self.flag(node)).unwrap_or(false);
        let named: Vec<&str> = ["column", "columns", "const", "row_number", "in"].into_iter().filter(|name| get(name).is_some()).collect();
        if named.len() > 1 {
            self.problem(at, format!("`{}` and `{}` exclude each other", named[0], named[1]), "");
            return None;
        }
        if let Some(node) = get("const") {
            let text = self.scalar(node)?.to_owned();
            if matches!(kind, FieldType::Serial | FieldType::Time | FieldType::Amount) {
                self.problem(node.at, format!("`{field}` cannot be the same for all records"), "name a column");
                return None;
            }
            self.checked(node.at, kind, &text);
            return Some(From::Const(text));
        }
        if let Some(node) = get("column") {
            let name = self.scalar(node)?;
            return Some(From::Column(self.slot(name, field, optional)));
        }
        if let Some(node) = get("columns") {
            return self.columns(node, field, kind, separator, optional);
        }
        if row_number {
            return Some(From::RowNumber);
        }
        if more.contains(&"in") && (get("in").is_some() || get("out").is_some()) {
            return Some(From::Nothing);
        }
        self.problem(at, format!("`{field}` names no column"), "`column: …`, `columns: […]` or `const: …`");
        None
    }

    fn columns(&mut self, node: &Node, field: &'static str, kind: FieldType, separator: Option<String>, optional: bool) -> Option<From> {
        let names = self.scalars(node)?;
        if names.is_empty() {
            self.problem(node.at, "the list is empty", "");
            return None;
        }
        if kind == FieldType::Amount {
            self.problem(node.at, "an amount is one column", "");
            return None;
        }
        let slots = names.iter().map(|name| self.slot(name, field, optional)).collect();
        let is_serial = kind == FieldType::Serial;
        let separator = separator.unwrap_or_else(|| if is_serial { "-" } else { " " }.to_owned());
        Some(From::Columns { slots, separator, all: field == "txn_id" })
    }

    fn values(&mut self, entries: &[Entry], kind: FieldType) -> Option<Values> {
        let get = |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node);
        let other = get("other").map(|node| self.meaning(node, kind));
        let Some(node) = get("values") else {
            if let Some(node) = get("other") {
                self.problem(node.at, "`other` without `values`", "it is the meaning of the words that `values` does not list");
            }
            return None;
        };
        let Value::Map(pairs) = &node.value else {
            self.problem(
                node.at,
                format!("a mapping of words was expected, this is {}", node.value.what()),
                "for example {收: in, 付: out}",
            );
            return None;
        };
        let mut pairs: Vec<(String, String)> = pairs.iter().map(|entry| (entry.key.clone(), self.meaning(&entry.node, kind))).collect();
        pairs.sort();
        Some(Values { pairs, other })
    }

    /// The meaning of a word: nothing (`~`), or a value of the field's type.
    fn meaning(&mut self, node: &Node, kind: FieldType) -> String {
        let Some(text) = self.text_or_empty(node) else { return String::new() };
        if !text.is_empty() {
            self.checked(node.at, kind, &text);
        }
        text
    }

    fn checked(&mut self, at: At, kind: FieldType, text: &str) {
        if let Err(expected) = kind.check(text) {
            self.problem(at, format!("`{text}` is no value of this field"), expected);
        }
    }
}
