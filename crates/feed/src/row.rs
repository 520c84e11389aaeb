//! A raw record as cells: the one shape that all formats are decoded from.
//!
//! A row has a cell for every source column that the mapping names (its *slot*), nothing for the others. Cell texts live in one buffer that
//! is reused from record to record, so a row costs no allocation. JSON numbers keep their text: a float never comes into being.

use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::scan::{Doubt, Order, Values};
use crate::text::{Quoting, split_fields};

/// Number of a source column in [`crate::mapping::Mapping::columns`].
pub(crate) type Slot = usize;

/// What a source says in one column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cell<'r> {
    /// No such column in this record, JSON `null`, or an empty text.
    Absent,
    /// Text, without blanks at its ends.
    Text(&'r str),
    /// A JSON number as written.
    Number(&'r str),
    Bool(bool),
    /// A list or an object, as JSON.
    Nested(&'r str),
}

/// What a cell is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Kind {
    /// The record has not named the column.
    #[default]
    Unnamed,
    /// It has, and says nothing there.
    Absent,
    Text,
    Number,
    True,
    False,
    Nested,
}

/// Why a raw record is no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NotARow;

/// The reusable cells of one record.
#[derive(Debug, Default)]
pub(crate) struct Row {
    text: String,
    /// By slot. They stand apart from the ranges, so that a few bytes are all there is to clear from record to record.
    kinds: Vec<Kind>,
    /// By slot; what stands there of a cell that says nothing means nothing.
    ranges: Vec<Range<usize>>,
    order: Order,
}

impl Row {
    /// A row of `slots` absent cells.
    pub(crate) fn new(slots: usize) -> Self {
        Self { text: String::new(), kinds: vec![Kind::Unnamed; slots], ranges: vec![0..0; slots], order: Order::default() }
    }

    /// Whether the cell of `slot` says nothing: of most columns that a record may have.
    #[inline]
    pub(crate) fn is_absent(&self, slot: Slot) -> bool {
        matches!(self.kinds.get(slot), None | Some(Kind::Unnamed | Kind::Absent))
    }

    /// The cell of `slot`.
    #[inline]
    pub(crate) fn cell(&self, slot: Slot) -> Cell<'_> {
        let text = || &self.text[self.ranges[slot].clone()];
        match self.kinds.get(slot) {
            None | Some(Kind::Unnamed | Kind::Absent) => Cell::Absent,
            Some(Kind::Text) => Cell::Text(text()),
            Some(Kind::Number) => Cell::Number(text()),
            Some(Kind::True) => Cell::Bool(true),
            Some(Kind::False) => Cell::Bool(false),
            Some(Kind::Nested) => Cell::Nested(text()),
        }
    }

    fn clear(&mut self) {
        self.text.clear();
        self.kinds.fill(Kind::Unnamed);
    }

    /// Sets a cell. `false` if the record has named the column before.
    #[inline]
    fn name(&mut self, slot: Slot, kind: Kind, range: Range<usize>) -> bool {
        self.ranges[slot] = range;
        std::mem::replace(&mut self.kinds[slot], kind) == Kind::Unnamed
    }

    /// Begins a record whose cells come one by one ([`Row::put`]).
    pub(crate) fn begin(&mut self) {
        self.clear();
    }

    /// Sets a cell of such a record to what `write` appends, which has no blanks at its ends. An error if the slot has been set before.
    pub(crate) fn put(&mut self, slot: Slot, kind: Kind, write: impl FnOnce(&mut String)) -> Result<(), NotARow> {
        let start = self.text.len();
        write(&mut self.text);
        let range = start..self.text.len();
        if self.name(slot, kind, range) { Ok(()) } else { Err(NotARow) }
    }

    /// The same for a text: trimmed, absent if nothing is left.
    pub(crate) fn put_text(&mut self, slot: Slot, text: &str) -> Result<(), NotARow> {
        let range = trimmed(text, 0..text.len());
        let kind = if range.is_empty() { Kind::Absent } else { Kind::Text };
        self.put(slot, kind, |cell| cell.push_str(&text[range]))
    }

    /// Ends such a record. An error if one of its texts has null characters.
    pub(crate) fn end(&self) -> Result<(), NotARow> {
        if memchr::memchr(0, self.text.as_bytes()).is_some() { Err(NotARow) } else { Ok(()) }
    }

    fn set(&mut self, slot: Slot, kind: Kind, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.name(slot, kind, start..self.text.len());
    }

    /// Sets a text cell: trimmed, absent if nothing is left.
    fn set_text(&mut self, slot: Slot, text: &str) {
        let range = trimmed(text, 0..text.len());
        self.set(slot, if range.is_empty() { Kind::Absent } else { Kind::Text }, &text[range]);
    }

    /// Reads a delimited line. `slots[i]` is the slot of its i-th field. Fields beyond the header must be empty; missing ones are an error.
    pub(crate) fn read_delimited(&mut self, record: &str, quoting: Quoting, slots: &[Option<Slot>]) -> Result<(), NotARow> {
        self.clear();
        if memchr::memchr(0, record.as_bytes()).is_some() {
            return Err(NotARow);
        }
        let mut count = 0;
        for field in split_fields(record.as_bytes(), quoting) {
            let field = field.map_err(|_| NotARow)?;
            let text = record.get(field.range.clone()).ok_or(NotARow)?;
            match slots.get(count) {
                Some(Some(slot)) if field.doubled => self.set_text(*slot, &field.undouble(text, quoting)),
                Some(Some(slot)) => self.set_text(*slot, text),
                Some(None) => {}
                None if text.trim().is_empty() => {}
                None => return Err(NotARow),
            }
            count += 1;
        }
        if count < slots.len() { Err(NotARow) } else { Ok(()) }
    }

    /// Reads a JSON object. A mapped name that stands there twice is an error: which value holds is anyone's guess.
    pub(crate) fn read_json(&mut self, record: &str, names: &Names) -> Result<(), NotARow> {
        if self.scan_json(record, names).is_ok() { Ok(()) } else { self.parse_json(record, names) }
    }

    /// The fast way, for plain lines.
    fn scan_json(&mut self, record: &str, names: &Names) -> Result<(), Doubt> {
        self.clear();
        self.text.push_str(record);
        let mut order = std::mem::take(&mut self.order);
        let outcome = order.scan(record, names, self);
        self.order = order;
        outcome
    }

    /// The general way.
    fn parse_json(&mut self, record: &str, names: &Names) -> Result<(), NotARow> {
        self.clear();
        let mut deserializer = serde_json::Deserializer::from_str(record);
        deserializer.deserialize_map(ObjectVisitor { row: self, names }).map_err(|_| NotARow)?;
        deserializer.end().map_err(|_| NotARow)
    }

    fn set_json(&mut self, slot: Slot, raw: &str) -> Result<(), NotARow> {
        match raw.as_bytes().first() {
            Some(b'"') => {
                let inner = raw.get(1..raw.len() - 1).ok_or(NotARow)?;
                if inner.contains('\\') {
                    let text: String = serde_json::from_str(raw).map_err(|_| NotARow)?;
                    if text.contains('\0') {
                        return Err(NotARow);
                    }
                    self.set_text(slot, &text);
                } else {
                    self.set_text(slot, inner);
                }
            }
            Some(b't') => self.set(slot, Kind::True, ""),
            Some(b'f') => self.set(slot, Kind::False, ""),
            Some(b'n') => self.set(slot, Kind::Absent, ""),
            Some(b'{' | b'[') => self.set(slot, Kind::Nested, raw),
            _ => self.set(slot, Kind::Number, raw),
        }
        Ok(())
    }
}

impl Values for Row {
    #[inline]
    fn take(&mut self, slot: Slot, kind: Kind, range: Range<usize>) -> bool {
        if kind != Kind::Text {
            return self.name(slot, kind, range);
        }
        let range = trimmed(&self.text, range);
        self.name(slot, if range.is_empty() { Kind::Absent } else { Kind::Text }, range)
    }
}

/// The range without blanks at its ends.
#[inline]
fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    // Most texts begin and end with a visible ASCII character: no need to look for Unicode blanks.
    if let Some([first, .., last] | [first @ last]) = text.as_bytes().get(range.clone())
        && first.is_ascii_graphic()
        && last.is_ascii_graphic()
    {
        return range;
    }
    let part = &text[range.clone()];
    let start = range.end - part.trim_start().len();
    start..start + part.trim().len()
}

/// Column names → slots. Never iterated.
#[derive(Debug, Default)]
pub(crate) struct Names {
    slots: hashbrown::HashMap<String, Slot, foldhash::fast::FixedState>,
}

impl Names {
    pub(crate) fn new<'a>(columns: impl Iterator<Item = &'a str>) -> Self {
        Self { slots: columns.enumerate().map(|(slot, name)| (name.to_owned(), slot)).collect() }
    }

    pub(crate) fn slot(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied()
    }
}

struct ObjectVisitor<'a> {
    row: &'a mut Row,
    names: &'a Names,
}

impl<'de> Visitor<'de> for ObjectVisitor<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        use serde::de::Error;
        // `null` counts as a value too.
        while let Some(slot) = map.next_key_seed(NameSeed { names: self.names })? {
            let Some(slot) = slot else {
                map.next_value::<IgnoredAny>()?;
                continue;
            };
            if self.row.kinds[slot] != Kind::Unnamed {
                return Err(A::Error::custom("a name stands there twice"));
            }
            let raw: &'de RawValue = map.next_value()?;
            self.row.set_json(slot, raw.get()).map_err(|_| A::Error::custom("not a JSON text"))?;
        }
        Ok(())
    }
}

/// Looks a key up where it stands, without making a string of it.
struct NameSeed<'a> {
    names: &'a Names,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = Option<Slot>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = Option<Slot>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        Ok(self.names.slot(name))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check_json(record: &str, expected: Option<[Cell<'_>; 3]>) {
        let names = Names::new(["a", "金额", "c"].into_iter());
        let mut row = Row::new(3);
        let outcome = row.read_json(record, &names);
        let cells = outcome.ok().map(|()| [row.cell(0), row.cell(1), row.cell(2)]);
        assert_eq!(cells, expected, "{record}");
    }

    #[test]
    fn json_values_keep_their_text() {
        check_json(
            r#"{"a": " x y ", "金额": 1e3, "other": {"a": [1]}, "c": true}"#,
            Some([Cell::Text("x y"), Cell::Number("1e3"), Cell::Bool(true)]),
        );
        check_json(r#"{"\u0061":"t\u00e9\"","c":[1,2]}"#, Some([Cell::Text("té\""), Cell::Absent, Cell::Nested("[1,2]")]));
        check_json(
            r#"{"a":null,"金额":12345678901234567890.123456789,"c":" "}"#,
            Some([Cell::Absent, Cell::Number("12345678901234567890.123456789"), Cell::Absent]),
        );
        check_json("{}", Some([Cell::Absent; 3]));
    }

    #[test]
    fn what_is_no_object_is_no_row() {
        for bad in [
            "",
            "[]",
            "1",
            "{\"a\":1",
            "{\"a\":1}}",
            "{\"a\":1,\"a\":2}",
            "{\"a\":null,\"a\":2}",
            "{'a':1}",
            "{\"a\":01}",
            "{\"a\":NaN}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\u0000\"}",
            "{\"a\":1} {\"a\":2}",
        ] {
            check_json(bad, None);
        }
    }

    #[test]
    fn delimited_fields_go_to_their_slots() {
        let quoting = Quoting { delimiter: b',', quote: Some(b'"'), multibyte: false };
        let slots = [Some(1), None, Some(0)];
        let check = |record: &str, expected: Option<[Cell<'_>; 2]>| {
            let mut row = Row::new(2);
            let outcome = row.read_delimited(record, quoting, &slots);
            assert_eq!(outcome.ok().map(|()| [row.cell(0), row.cell(1)]), expected, "{record}");
        };
        check("a,b,c", Some([Cell::Text("c"), Cell::Text("a")]));
        check("\"a,1\",\"b\"\"\",\"c \"\"q\"\"\"", Some([Cell::Text("c \"q\""), Cell::Text("a,1")]));
        check("\t622 ,,", Some([Cell::Absent, Cell::Text("622")]));
        check("a,b,c,, ", Some([Cell::Text("c"), Cell::Text("a")]));
        check("a,b,c,d", None);
        check("a,b", None);
        check("\"a\"x,b,c", None);
        check("\"a,b,c", None);
        check("a\0,b,c", None);
        check("a\"x\",b,c", Some([Cell::Text("c"), Cell::Text("a\"x\"")]));
    }

    const MAPPED: [&str; 4] = ["a", "金额", "c", "d"];

    /// A line of pieces that are mostly, but not always, in their places.
    fn line() -> impl Strategy<Value = String> {
        let blank = prop_oneof![6 => Just(""), 1 => Just(" "), 1 => Just("\t\r\n"), 1 => Just("\u{a0}")];
        let name = prop_oneof![
            8 => proptest::sample::select(&["a", "金额", "c", "d", "other", "", "a\\u0062", "\\u0061"][..]).prop_map(|name| format!("\"{name}\"")),
            1 => proptest::sample::select(&["a", "\"a", "'a'", "\"a\\\"", "\"a\u{1}\""][..]).prop_map(str::to_owned),
        ];
        let value = prop_oneof![
            4 => proptest::sample::select(&["\"\"", "\" \"", "\"x\"", "\" 王 x \"", "\"\u{3000}\"", "\"t\\u00e9\"", "\"\\n\"", "\"\u{7f}\"", "\"\u{0}\""][..]),
            3 => proptest::sample::select(&["0", "-0", "12.50", "01", "1.", ".5", "-", "1e3", "1E-2", "+1", "00", "123456789012345678901234567890", "1x"][..]),
            2 => proptest::sample::select(&["true", "false", "null", "True", "nul", "nulll", "[1, {\"a\": 2}]", "{}", "NaN", "", "\"x"][..]),
        ];
        let pair = (blank.clone(), name, blank.clone(), prop_oneof![20 => Just(":"), 1 => Just(""), 1 => Just("::")], blank.clone(), value);
        let pair = pair.prop_map(|(a, name, b, colon, c, value)| format!("{a}{name}{b}{colon}{c}{value}"));
        let comma = prop_oneof![20 => Just(","), 1 => Just(",,"), 1 => Just(""), 1 => Just("}")];
        let ends = prop_oneof![20 => Just(("{", "}")), 1 => Just(("", "}")), 1 => Just(("{", "")), 1 => Just(("{", "}}")), 1 => Just(("[", "]")), 1 => Just(("{", ",}"))];
        let pairs = proptest::collection::vec((pair, comma, blank), 0..6);
        (ends, pairs).prop_map(|((open, close), pairs)| {
            let last = pairs.len().saturating_sub(1);
            let pairs = pairs
                .iter()
                .enumerate()
                .map(|(at, (pair, comma, blank))| if at == last { format!("{pair}{blank}") } else { format!("{pair}{blank}{comma}") });
            format!("{open}{}{close}", pairs.collect::<String>())
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

        /// What the fast way takes, the general way takes with the same cells; what it doubts says nothing. One row reads all lines, so that
        /// whatever order of names it remembers is there.
        #[test]
        fn a_scan_says_what_the_general_reader_says_or_nothing(lines in proptest::collection::vec(line(), 1..8)) {
            let names = Names::new(MAPPED.into_iter());
            let cells = |row: &Row| (0..MAPPED.len()).map(|slot| format!("{:?}", row.cell(slot))).collect::<Vec<_>>();
            let mut fast = Row::new(MAPPED.len());
            for line in &lines {
                let scanned = fast.scan_json(line, &names).is_ok().then(|| cells(&fast));
                let mut general = Row::new(MAPPED.len());
                let parsed = general.parse_json(line, &names).is_ok().then(|| cells(&general));
                if scanned.is_some() {
                    prop_assert_eq!(&scanned, &parsed, "{}", line);
                }
                let whole = fast.read_json(line, &names).is_ok().then(|| cells(&fast));
                prop_assert_eq!(whole, parsed, "{}", line);
            }
        }
    }

    #[test]
    fn plain_lines_are_not_doubted() {
        let names = Names::new(MAPPED.into_iter());
        let mut row = Row::new(MAPPED.len());
        for line in [r#"{"a":"x","金额":"12.50","other":[0]}"#, r#"{"a":"x","\u0063":1}"#, "{}"] {
            assert_eq!(row.scan_json(line, &names), Err(Doubt), "{line}");
        }
        for line in [r#"{"a":"x","金额":"12.50","c":true,"other":"y"}"#, r#" { "other" : null , "d" : -0.5 , "a" : "" } "#] {
            assert_eq!(row.scan_json(line, &names), Ok(()), "{line}");
        }
        assert_eq!([row.cell(0), row.cell(1), row.cell(3)], [Cell::Absent, Cell::Absent, Cell::Number("-0.5")]);
    }
}
