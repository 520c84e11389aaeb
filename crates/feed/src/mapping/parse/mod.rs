//! Feed file → [`Mapping`]. Collects every mistake with its place before it gives up.
//!
//! Each function takes one construct of the file and either fills its part of the mapping or adds problems; none stops at the first. The
//! constructs are those of `docs/feeds.md`, in its order: here the file as a whole and the shapes everything is made of, in `sources` what
//! feeds a field, in `quantities` how times and amounts are written.

mod quantities;
mod sources;

use weir_model::transaction::FIELDS;

use super::fields::RowKind;
use super::{Column, Delimited, From, Mapping, Own, Plan};
use crate::error::{Problem, Problems};
use crate::inputs::Format;
use crate::row::Slot;
use crate::suggest::nearest;
use crate::text::Encoding;
use crate::time_format::Zone;
use crate::yaml::{self, At, Entry, Node, Value};

const VERSION: &str = "1";
const TOP: [&str; 11] = ["version", "title", "format", "encoding", "rows", "own", "institution", "zone", "nulls", "csv", "fields"];
const CSV: [&str; 4] = ["delimiter", "quote", "skip_lines", "columns"];

pub(super) fn default_mapping() -> Mapping {
    let mut plan = Plan::empty(RowKind::Transfer);
    let mut columns = Vec::new();
    for field in FIELDS {
        let from = From::Column(columns.len());
        let fed = match plan.amount_mut(field) {
            Some(amount) => Some(&mut amount.source),
            None => plan.source_mut(field),
        };
        if let Some(source) = fed {
            source.from = from;
            columns.push(Column { name: field.to_owned(), field, optional: true });
        }
    }
    Mapping { format: None, encoding: None, delimited: Delimited::default(), nulls: Vec::new(), own: None, columns, plan, is_default: true }
}

pub(super) fn parse(text: &str, name: &str) -> Result<Mapping, Problems> {
    let fail = |problems| Problems { path: name.to_owned(), problems };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let root = yaml::parse(text).map_err(|problem| fail(vec![problem]))?;
    let mut parser = Parser { problems: Vec::new(), columns: Vec::new(), zone: Zone::default() };
    let mapping = parser.file(&root);
    parser.problems.sort_by_key(|problem| (problem.line, problem.column));
    match mapping {
        Some(mapping) if parser.problems.is_empty() => Ok(mapping),
        _ => Err(fail(parser.problems)),
    }
}

struct Parser {
    problems: Vec<Problem>,
    columns: Vec<Column>,
    zone: Zone,
}

impl Parser {
    fn problem(&mut self, at: At, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push(at.problem(message, help));
    }

    // ---- the shapes everything is made of

    fn map<'n>(&mut self, node: &'n Node, known: &[&str]) -> Option<&'n [Entry]> {
        let Value::Map(entries) = &node.value else {
            self.problem(node.at, format!("a mapping was expected, this is {}", node.value.what()), "");
            return None;
        };
        for entry in entries {
            if !known.contains(&entry.key.as_str()) {
                let help = match nearest(&entry.key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("known here: {}", known.join(", ")),
                };
                self.problem(entry.key_at, format!("`{}` is not known here", entry.key), help);
            }
        }
        Some(entries)
    }

    fn scalar<'n>(&mut self, node: &'n Node) -> Option<&'n str> {
        if let Value::Scalar(text) = &node.value {
            return Some(text);
        }
        self.problem(node.at, format!("a single value was expected, this is {}", node.value.what()), "");
        None
    }

    /// A value of a closed list.
    fn choice<T: Copy>(&mut self, node: &Node, choices: &[(&str, T)]) -> Option<T> {
        let text = self.scalar(node)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(*value);
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let help = match nearest(text, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", names.join(", ")),
        };
        self.problem(node.at, format!("`{text}` is not known here"), help);
        None
    }

    fn flag(&mut self, node: &Node) -> Option<bool> {
        self.choice(node, &[("true", true), ("false", false)])
    }

    fn scalars(&mut self, node: &Node) -> Option<Vec<String>> {
        let Value::List(nodes) = &node.value else {
            self.problem(node.at, format!("a list was expected, this is {}", node.value.what()), "for example `[a, b]`");
            return None;
        };
        let texts: Vec<String> = nodes.iter().filter_map(|node| self.text_or_empty(node)).collect();
        (texts.len() == nodes.len()).then_some(texts)
    }

    fn text_or_empty(&mut self, node: &Node) -> Option<String> {
        if node.value == Value::Null {
            return Some(String::new());
        }
        self.scalar(node).map(str::to_owned)
    }

    fn slot(&mut self, name: &str, field: &'static str, optional: bool) -> Slot {
        if let Some(slot) = self.columns.iter().position(|column| column.name == name) {
            self.columns[slot].optional &= optional;
            return slot;
        }
        self.columns.push(Column { name: name.to_owned(), field, optional });
        self.columns.len() - 1
    }

    // ---- the file

    fn file(&mut self, root: &Node) -> Option<Mapping> {
        let entries = self.map(root, &TOP)?;
        let get = |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node);
        match get("version") {
            None => self.problem(root.at, "`version` is missing", "the first line of a feed file is `version: 1`"),
            Some(node) => {
                if self.scalar(node).is_some_and(|text| text != VERSION) {
                    self.problem(node.at, "this weir reads version 1 of feed files", "");
                }
            }
        }
        let rows = get("rows")
            .and_then(|node| self.choice(node, &[("transfer", RowKind::Transfer), ("ledger_side", RowKind::LedgerSide)]))
            .unwrap_or(RowKind::Transfer);
        if let Some(node) = get("zone") {
            self.zone = self.zone(node).unwrap_or_default();
        }
        let mut plan = Plan::empty(rows);
        if let Some(node) = get("institution") {
            plan.institution_default = self.scalar(node).unwrap_or_default().to_owned();
        }
        match get("fields") {
            None => self.problem(root.at, "`fields` is missing", "it says which column feeds which field"),
            Some(node) => self.fields(node, &mut plan),
        }
        let formats = [("jsonl", Format::Jsonl), ("csv", Format::Csv), ("parquet", Format::Parquet)];
        Some(Mapping {
            format: get("format").and_then(|node| self.choice(node, &formats)),
            encoding: get("encoding").and_then(|node| self.encoding(node)),
            delimited: get("csv").map(|node| self.delimited(node)).unwrap_or_default(),
            nulls: get("nulls").and_then(|node| self.scalars(node)).unwrap_or_default(),
            own: get("own").and_then(|node| self.own(node, rows)),
            columns: std::mem::take(&mut self.columns),
            plan,
            is_default: false,
        })
    }

    fn zone(&mut self, node: &Node) -> Option<Zone> {
        let text = self.scalar(node)?;
        let zone = Zone::parse(text);
        if zone.is_none() {
            self.problem(node.at, format!("`{text}` is no zone"), "an offset as \"+08:00\", or UTC, or Asia/Shanghai");
        }
        zone
    }

    fn encoding(&mut self, node: &Node) -> Option<Encoding> {
        let text = self.scalar(node)?;
        let encoding = Encoding::parse(text);
        if encoding.is_none() {
            self.problem(node.at, format!("`{text}` is not known here"), "utf-8 or gb18030");
        }
        encoding
    }

    fn delimited(&mut self, node: &Node) -> Delimited {
        let mut delimited = Delimited::default();
        let Some(entries) = self.map(node, &CSV) else { return delimited };
        for Entry { key, node, .. } in entries {
            match key.as_str() {
                "delimiter" => delimited.delimiter = self.ascii(node),
                "quote" if matches!(&node.value, Value::Scalar(text) if text == "none") => delimited.quote = None,
                "quote" => delimited.quote = self.ascii(node).or(delimited.quote),
                "skip_lines" => match self.scalar(node).map(str::parse) {
                    Some(Ok(lines)) => delimited.skip_lines = lines,
                    Some(Err(_)) => self.problem(node.at, "a whole number was expected", "how many lines stand before the header"),
                    None => {}
                },
                "columns" => delimited.columns = self.scalars(node),
                _ => {}
            }
        }
        if delimited.delimiter.is_some() && delimited.delimiter == delimited.quote {
            self.problem(node.at, "delimiter and quote are the same", "");
        }
        delimited
    }

    fn ascii(&mut self, node: &Node) -> Option<u8> {
        let text = self.scalar(node)?;
        match text.as_bytes() {
            [byte] if byte.is_ascii() && !matches!(byte, b'\n' | b'\r' | 0) => Some(*byte),
            _ if text == "tab" || text == "\\t" => Some(b'\t'),
            _ => {
                self.problem(node.at, "one ASCII character was expected", "for example \",\" or tab");
                None
            }
        }
    }

    fn own(&mut self, node: &Node, rows: RowKind) -> Option<Own> {
        if rows == RowKind::LedgerSide {
            self.problem(node.at, "`own` has no meaning for ledger rows", "a ledger row is monitored on its own side; leave it out");
            return None;
        }
        if matches!(node.value, Value::List(_)) {
            return self.scalars(node).map(|mut banks| {
                banks.sort();
                Own::Banks(banks)
            });
        }
        match self.scalar(node)? {
            "customer" => Some(Own::Customer),
            "all" => Some(Own::All),
            _ => {
                self.problem(node.at, "`own` is `customer`, `all` or a list of bank codes", "");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let problems = match Mapping::parse(text, "f.yaml") {
            Ok(_) => Vec::new(),
            Err(problems) => problems.to_string().lines().map(str::to_owned).collect(),
        };
        assert_eq!(problems, expected, "{text}");
    }

    #[test]
    fn all_mistakes_are_told_at_once_with_their_place() {
        check(
            "version: 1\nformt: csv\nencoding: latin1\nfields:\n  txn_id: 流水号\n  occured_at: 时间\n  amount: {column: 金额, unit: jiao}\n  channel: {column: 渠道, values: {柜面: countr}}\n",
            &[
                "f.yaml:2:1: `formt` is not known here (did you mean `format`?)",
                "f.yaml:3:11: `latin1` is not known here (utf-8 or gb18030)",
                "f.yaml:5:3: `occurred_at` is not mapped (a column with its format)",
                "f.yaml:5:3: `payer_account` is not mapped (without an account or a customer nobody can be monitored)",
                "f.yaml:6:3: `occured_at` is not known here (did you mean `occurred_at`?)",
                "f.yaml:7:30: `jiao` is not known here (one of fen, 分, yuan, 元, thousand, 千元, wan, 万元, 亿元)",
                "f.yaml:8:38: `countr` is no value of this field (one of counter, atm, online, mobile, pos, qr, third_party, batch, other)",
            ],
        );
    }

    #[test]
    fn contradictions_are_mistakes() {
        let with = |fields: &str| format!("version: 1\nfields:\n  txn_id: a\n  payer_account: b\n  occurred_at: c\n  amount: d\n{fields}");
        check(&with(""), &[]);
        check(&with("  currency: {const: CNYY}\n"), &["f.yaml:7:21: `CNYY` is no value of this field (three letters of ISO 4217)"]);
        check(&with("  memo: {column: x, const: y}\n"), &["f.yaml:7:9: `column` and `const` exclude each other"]);
        check(
            &with("  direction: x\n"),
            &[
                "f.yaml:7:3: `direction` is not known here (known here: txn_id, institution, occurred_at, amount, currency, amount_cny, amount_usd, account_class, counter_account_class, channel, cash, cross_border, memo, purpose, balance_after, reverses, reversal_kind, payer_account, payer_customer, payer_name, payer_bank, payer_kind, payer_division, payer_birth_year, payer_industry, payee_account, payee_customer, payee_name, payee_bank, payee_kind, payee_division, payee_birth_year, payee_industry, network_ref, ultimate_payer, ultimate_payee, payment_institution, merchant_no, agent_name, agent_id_hash, ip, device)",
            ],
        );
        check(
            "version: 2\nrows: ledger_side\nown: all\nfields: {account: a}\n",
            &[
                "f.yaml:1:10: this weir reads version 1 of feed files",
                "f.yaml:3:6: `own` has no meaning for ledger rows (a ledger row is monitored on its own side; leave it out)",
                "f.yaml:4:9: `txn_id` is not mapped (a column, several ([date, serial]) or {row_number: true})",
                "f.yaml:4:9: `occurred_at` is not mapped (a column with its format)",
                "f.yaml:4:9: `amount` is not mapped (a column with its unit)",
                "f.yaml:4:9: `direction` is not mapped (for example {column: 收付标志, values: {收: in, 付: out}})",
            ],
        );
        check(
            "version: 1\nfields:\n  txn_id: {row_number: true}\n  payer_account: b\n  occurred_at: {column: t, format: '%H', epoch: days}\n  amount: {column: d, negative: cancel}\n",
            &[
                "f.yaml:3:3: `reverses` is not mapped (a negative amount can be a reversal only if a column names the original serial)",
                "f.yaml:5:16: `format` and `epoch` exclude each other",
            ],
        );
        check("", &["f.yaml:1:1: a mapping was expected, this is nothing"]);
    }

    #[test]
    fn the_default_mapping_takes_every_field_that_is_read() {
        let mapping = Mapping::default();
        assert_eq!(mapping.columns.len(), FIELDS.len() - 9, "all but those that nothing reads yet");
        assert_eq!(mapping.columns_of("amount"), "amount");
    }
}
