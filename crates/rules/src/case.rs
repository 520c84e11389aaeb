//! Inline tests of rules: what they say. Running them takes a feed and a detector and is the command line's business.
//!
//! ```yaml
//! tests:
//!   - name: 十五人转入、一人转出，命中
//!     transactions: |
//!       occurred_at,payer_account,payee_account,amount,payer_kind,repeat,every
//!       2026-03-02 10:00,p#,corp,40000,natural,15,1h
//!       2026-03-03 09:00,corp,out,590000,,1,
//!     parties: |                      # optional, columns of the party data
//!       customer,kind
//!     set: {min_payers: 15}           # optional, as `--set RULE.min_payers=15`
//!     settings: {lateness: 1d}        # optional
//!     expect:
//!       - {party: 'a:corp', level: medium, people: 15, amount_in: 600000}
//!   - name: 少一人，不命中
//!     transactions: | …
//!     expect: nothing
//! ```
//!
//! Transactions are rows of the record table with two columns more: `repeat` writes a row that many times, with `#` in its cells counting
//! from 1, and `every` moves the time of each repetition on (`1h`, `1d`, `1mo`). The runner sees plain CSV ([`Transactions::table`]): repetitions
//! written out, times in RFC 3339, and a `txn_id` where the column is missing. Few who load a rule set run its tests, so nothing is
//! written out before.

use chrono::Timelike;
use weir_model::transaction::FIELDS;
use weir_model::{AlertStatus, Day, EventTime, Level, Span};

use crate::diagnostic::{Code, Place, Text, suggest};
use crate::document::read_pairs;
use crate::overrides::Override;
use crate::param::fixed;
use crate::read::{Fields, Reader, Scalar};
use crate::yaml::{Kind, Node};

/// Rows a test may grow to.
const ROWS_MAX: usize = 100_000;

/// Months between repetitions: a century. Beyond the calendar a date would stay where it is.
const MONTHS_MAX: u32 = 1_200;

/// Columns that tests may use beside those of the record table.
const OWN_COLUMNS: [&str; 2] = ["repeat", "every"];

/// One inline test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleTest {
    /// What it shows.
    pub name: String,
    /// Where it stands: path index and bytes in the sources of the set.
    pub place: Place,
    /// Transactions.
    pub transactions: Transactions,
    /// Party data, if any.
    pub parties: Option<CsvTable>,
    /// Parameters of the rule set for this test, to be added to the overrides of the run.
    pub overrides: Vec<Override>,
    /// Allowed lateness, if the test sets it.
    pub lateness: Option<Span>,
    /// The alerts that must come out, in any order, and no others; empty for `expect: nothing`.
    pub expect: Vec<ExpectedAlert>,
}

/// The transactions of a test as they are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transactions {
    /// Columns of the record table.
    header: Vec<String>,
    /// Which of them is the time.
    time: Option<usize>,
    rows: Vec<Repeated>,
}

/// A row and its repetitions.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Repeated {
    row: CsvRow,
    times: usize,
    step: Step,
    /// Time of the first; `None` where the row has none.
    first: Option<Moment>,
}

impl Transactions {
    /// With repetitions written out.
    #[must_use]
    pub fn table(&self) -> CsvTable {
        let own_id = !self.header.iter().any(|column| column == "txn_id");
        let header = own_id.then(|| "txn_id".to_owned()).into_iter().chain(self.header.iter().cloned());
        let mut table = CsvTable { header: header.collect(), rows: Vec::new() };
        for repeated in &self.rows {
            for number in 1..=repeated.times {
                let id = own_id.then(|| format!("t{}", table.rows.len() + 1));
                let cells = id.into_iter().chain(repeated.cells(number, self.time)).collect();
                table.rows.push(CsvRow { cells, place: repeated.row.place.clone() });
            }
        }
        table
    }
}

impl Repeated {
    /// The cells of a repetition, counted from 1; `time` is the column of the time.
    fn cells(&self, number: usize, time: Option<usize>) -> impl Iterator<Item = String> {
        self.row.cells.iter().enumerate().map(move |(at, cell)| match self.first {
            Some(first) if Some(at) == time => first.moved(self.step, number - 1),
            _ if self.times > 1 => cell.replace('#', &number.to_string()),
            _ => cell.clone(),
        })
    }
}

/// A table of a test.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvTable {
    /// Column names.
    pub header: Vec<String>,
    /// Rows.
    pub rows: Vec<CsvRow>,
}

/// A row with the line of the rule file it was written on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvRow {
    /// Cells, as many as columns.
    pub cells: Vec<String>,
    /// The line.
    pub place: Place,
}

impl CsvTable {
    /// As CSV text with a header line.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::new();
        for line in std::iter::once(&self.header).chain(self.rows.iter().map(|row| &row.cells)) {
            let cells: Vec<String> = line.iter().map(|cell| quoted(cell)).collect();
            text.push_str(&cells.join(","));
            text.push('\n');
        }
        text
    }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n']) { format!("\"{}\"", cell.replace('"', "\"\"")) } else { cell.to_owned() }
}

/// An alert that must come out, in its last state. `None` means: not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedAlert {
    /// Where it is written.
    pub place: Place,
    /// Rule; the rule of the file where not given.
    pub rule: String,
    /// Party key.
    pub party: String,
    /// Variant that hit.
    pub variant: Option<String>,
    /// Level.
    pub level: Option<Level>,
    /// Score.
    pub score: Option<i64>,
    /// Distinct natural counterparties.
    pub people: Option<u64>,
    /// Inflow, fen.
    pub amount_in: Option<i64>,
    /// State.
    pub status: Option<AlertStatus>,
    /// First hit: a time or a day.
    pub opened_at: Option<ExpectedTime>,
    /// Revisions sent.
    pub revisions: Option<u32>,
}

/// When an alert must have opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExpectedTime {
    /// At this moment.
    Moment(EventTime),
    /// On this day.
    Day(Day),
}

/// Name and value of a parameter set by a test.
pub(crate) type TestSetting = (Scalar, Scalar);

/// Reads the block `tests:` of rule `rule`. The parameters that tests set are returned beside them, with their places, to be held against
/// the rule's declarations.
pub(crate) fn read_tests(reader: &mut Reader<'_>, node: &Node, rule: &str) -> (Vec<RuleTest>, Vec<TestSetting>) {
    let mut tests: Vec<RuleTest> = Vec::new();
    let mut settings = Vec::new();
    for item in reader.list(node) {
        let Some(test) = read_test(reader, item, rule, &mut settings) else { continue };
        if tests.iter().any(|earlier| earlier.name == test.name) {
            let message = Text::new(format!("there is another test `{}`", test.name), format!("测试 `{}` 重名", test.name));
            reader.error(Code::DuplicateTest, test.place.clone(), message, None);
        }
        tests.push(test);
    }
    (tests, settings)
}

fn read_test(reader: &mut Reader<'_>, node: &Node, rule: &str, settings: &mut Vec<TestSetting>) -> Option<RuleTest> {
    let mut fields = Fields::of(reader, node)?;
    let name = fields.need_text(reader, "name");
    let transactions = fields.need_text(reader, "transactions").map(|block| read_transactions(reader, &block));
    let parties = fields.text(reader, "parties").map(|block| read_table(reader, &block));
    let set = fields.get("set").map_or(Vec::new(), |node| read_pairs(reader, node));
    let lateness = fields.get("settings").and_then(|node| read_lateness(reader, node));
    let expect = fields.need(reader, "expect").map(|node| read_expect(reader, node, rule));
    fields.finish(reader);
    let overrides = set.iter().map(|(param, value)| Override::param(rule, &param.text, &value.text)).collect();
    settings.extend(set);
    let (name, transactions, expect) = (name?, transactions?, expect?);
    Some(RuleTest { place: name.place(), name: name.text, transactions, parties, overrides, lateness, expect })
}

fn read_lateness(reader: &mut Reader<'_>, node: &Node) -> Option<Span> {
    let mut fields = Fields::of(reader, node)?;
    let written = fields.need_text(reader, "lateness");
    fields.finish(reader);
    let written = written?;
    let span = Span::parse(&written.text);
    if span.is_none() {
        bad_value(reader, written.place(), &written.text, Text::new("a duration such as 3d", "时长，如 3d"));
    }
    span
}

fn bad_value(reader: &mut Reader<'_>, place: Place, found: &str, wanted: Text) {
    let message = Text::new(format!("`{found}` is not {}", wanted.en), format!("`{found}` 不是{}", wanted.zh));
    reader.error(Code::BadTestValue, place, message, None);
}

// Tables.

/// Lines of a block that are not empty, each with its place.
fn lines(reader: &Reader<'_>, block: &Scalar) -> Vec<(String, Place)> {
    let places = block.node.places(&reader.source.text);
    let mut at = 0;
    let mut lines = Vec::new();
    for line in block.text.split('\n') {
        let length = line.chars().count();
        if !line.trim().is_empty() {
            lines.push((line.trim_end().to_owned(), Place { file: block.file, span: places.of(at..at + length) }));
        }
        at += length + 1;
    }
    lines
}

/// Splits a CSV line; quotes as usual, no line breaks inside cells.
fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        let cell = cells.last_mut();
        match (c, cell) {
            ('"', Some(cell)) if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                cell.push('"');
            }
            ('"', _) => quoted = !quoted,
            (',', _) if !quoted => cells.push(String::new()),
            (c, Some(cell)) => cell.push(c),
            (_, None) => {}
        }
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

fn read_table(reader: &mut Reader<'_>, block: &Scalar) -> CsvTable {
    let mut lines = lines(reader, block).into_iter();
    let header = lines.next().map_or(Vec::new(), |(line, _)| cells(&line));
    let mut rows = Vec::new();
    for (line, place) in lines {
        let mut cells = cells(&line);
        if cells.len() > header.len() {
            let (wanted, found) = (header.len(), cells.len());
            let columns = if wanted == 1 { "column" } else { "columns" };
            let message = Text::new(format!("{found} cells under {wanted} {columns}"), format!("{wanted} 列之下有 {found} 个单元格"));
            reader.error(Code::BadTest, place, message, None);
            continue;
        }
        // Trailing commas may be left out.
        cells.resize(header.len(), String::new());
        rows.push(CsvRow { cells, place });
    }
    CsvTable { header, rows }
}

fn read_transactions(reader: &mut Reader<'_>, block: &Scalar) -> Transactions {
    let written = read_table(reader, block);
    check_header(reader, block, &written);
    let column = |name: &str| written.header.iter().position(|column| column == name);
    let (repeat, every, time) = (column("repeat"), column("every"), column("occurred_at"));
    let kept: Vec<usize> = (0..written.header.len()).filter(|at| Some(*at) != repeat && Some(*at) != every).collect();
    let mut transactions = Transactions {
        header: kept.iter().map(|at| written.header[*at].clone()).collect(),
        time: kept.iter().position(|at| Some(*at) == time),
        rows: Vec::new(),
    };
    let mut count = 0;
    for row in &written.rows {
        let cell = |at: Option<usize>| at.map_or("", |at| row.cells[at].as_str());
        let Some((times, step)) = repetition(reader, cell(repeat), cell(every), &row.place) else { continue };
        let first = moment(cell(time));
        if first.is_none() && !cell(time).is_empty() {
            bad_value(reader, row.place.clone(), cell(time), Text::new("a time such as 2026-03-02 10:00", "时间，如 2026-03-02 10:00"));
            continue;
        }
        count = times.saturating_add(count);
        if count > ROWS_MAX {
            let message = Text::new(format!("the test grows beyond {ROWS_MAX} rows"), format!("测试超过 {ROWS_MAX} 行"));
            reader.error(Code::BadTest, row.place.clone(), message, None);
            break;
        }
        let cells = kept.iter().map(|at| row.cells[*at].clone()).collect();
        transactions.rows.push(Repeated { row: CsvRow { cells, place: row.place.clone() }, times, step, first });
    }
    transactions
}

fn check_header(reader: &mut Reader<'_>, block: &Scalar, table: &CsvTable) {
    let place = lines(reader, block).into_iter().next().map_or_else(|| block.place(), |(_, place)| place);
    for column in &table.header {
        if !FIELDS.contains(&column.as_str()) && !OWN_COLUMNS.contains(&column.as_str()) {
            let message = Text::new(format!("records have no column `{column}`"), format!("交易记录没有列 `{column}`"));
            let help = suggest(column, FIELDS.into_iter().chain(OWN_COLUMNS));
            reader.error(Code::BadTest, place.clone(), message, Some(help));
        }
    }
    for needed in ["occurred_at", "amount"] {
        if !table.header.iter().any(|column| column == needed) {
            let message = Text::new(format!("transactions need the column `{needed}`"), format!("交易必须有列 `{needed}`"));
            reader.error(Code::BadTest, place.clone(), message, None);
        }
    }
    if table.rows.is_empty() {
        reader.error(Code::BadTest, place, Text::new("a test has at least one transaction", "测试至少要有一笔交易"), None);
    }
}

/// How far repetitions lie apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Span(Span),
    Months(u32),
}

fn repetition(reader: &mut Reader<'_>, repeat: &str, every: &str, place: &Place) -> Option<(usize, Step)> {
    let times = if repeat.is_empty() { Some(1) } else { repeat.parse().ok().filter(|n| *n > 0) };
    let Some(times) = times else {
        bad_value(reader, place.clone(), repeat, Text::new("a number of repetitions", "重复次数"));
        return None;
    };
    let months = every.strip_suffix("mo").and_then(|count| count.parse::<u32>().ok());
    let months = months.filter(|count| (1..=MONTHS_MAX).contains(count)).map(Step::Months);
    let step = if every.is_empty() { Some(Step::Span(Span(0))) } else { months.or_else(|| Span::parse(every).map(Step::Span)) };
    if step.is_none() {
        bad_value(reader, place.clone(), every, Text::new("a step such as 1h, 1d or 1mo", "步长，如 1h、1d、1mo"));
    }
    Some((times, step?))
}

/// A time as tests write it: with or without a time of day, without an offset in Shanghai.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Time(EventTime),
    Day(Day),
}

impl Moment {
    /// The text of the time `count` steps later.
    fn moved(self, step: Step, count: usize) -> String {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let day = match self {
            Self::Time(time) => time.day(),
            Self::Day(day) => day,
        };
        let shift = match step {
            Step::Span(span) => Span(span.0.saturating_mul(i64::from(count))),
            Step::Months(months) => day.plus_months(months.saturating_mul(count)).start().since(day.start()),
        };
        match self {
            Self::Time(time) => time.plus(shift).to_string(),
            // A date moved by hours stays a date while no time of day is known.
            Self::Day(day) => day.start().plus(shift).day().to_string(),
        }
    }
}

fn moment(text: &str) -> Option<Moment> {
    if let Some(day) = Day::parse(text) {
        return Some(Moment::Day(day));
    }
    if let Ok(time) = chrono::DateTime::parse_from_rfc3339(text) {
        return Some(Moment::Time(EventTime(time.timestamp_micros())));
    }
    let local = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"]
        .iter()
        .find_map(|form| chrono::NaiveDateTime::parse_from_str(text, form).ok())?;
    let since_midnight = Span(i64::from(local.num_seconds_from_midnight()) * weir_model::time::MICROS_PER_SEC);
    Some(Moment::Time(Day::from_date(local.date()).start().plus(since_midnight)))
}

// Expectations.

fn read_expect(reader: &mut Reader<'_>, node: &Node, rule: &str) -> Vec<ExpectedAlert> {
    if matches!(&node.kind, Kind::Scalar { text, .. } if text == "nothing") {
        return Vec::new();
    }
    if !matches!(node.kind, Kind::Sequence(_)) {
        reader.wrong(node, Text::new("`nothing` or a list of alerts", "`nothing` 或预警列表"));
        return Vec::new();
    }
    let items = reader.list(node);
    if items.is_empty() {
        let place = reader.place(node);
        let help = Text::new("for a test in which nothing comes out write `expect: nothing`", "若应无预警，请写 `expect: nothing`");
        reader.error(Code::BadTest, place, Text::new("nothing is expected", "没有写明期望"), Some(help));
    }
    items.iter().filter_map(|item| read_expected(reader, item, rule)).collect()
}

fn read_expected(reader: &mut Reader<'_>, node: &Node, rule: &str) -> Option<ExpectedAlert> {
    let place = reader.place(node);
    let mut fields = Fields::of(reader, node)?;
    let other_rule = fields.text(reader, "rule");
    let party = fields.need_text(reader, "party");
    let variant = fields.text(reader, "variant").map(|variant| variant.text);
    let level = fields.text(reader, "level").and_then(|level| reader.choice(&level, &Level::ALL.map(|level| (level.name(), level))));
    let score = fields.get("score").and_then(|node| reader.integer(node));
    let people = fields.get("people").and_then(|node| reader.integer(node)).and_then(|n| u64::try_from(n).ok());
    let amount_in = fields.text(reader, "amount_in");
    let statuses = AlertStatus::ALL.map(|status| (status.name(), status));
    let status = fields.text(reader, "status").and_then(|status| reader.choice(&status, &statuses));
    let opened_at = fields.text(reader, "opened_at");
    let revisions = fields.get("revisions").and_then(|node| reader.integer(node)).and_then(|n| u32::try_from(n).ok());
    fields.finish(reader);
    let amount_in = amount_in.and_then(|written| {
        let fen = fixed(&written.text, 2).ok();
        if fen.is_none() {
            bad_value(reader, written.place(), &written.text, Text::new("an amount in yuan", "以元为单位的金额"));
        }
        fen
    });
    let opened_at = opened_at.and_then(|written| {
        let time = moment(&written.text).map(|moment| match moment {
            Moment::Time(time) => ExpectedTime::Moment(time),
            Moment::Day(day) => ExpectedTime::Day(day),
        });
        if time.is_none() {
            bad_value(reader, written.place(), &written.text, Text::new("a time or a date", "时间或日期"));
        }
        time
    });
    let rule = other_rule.map_or_else(|| rule.to_owned(), |other| other.text);
    Some(ExpectedAlert { place, rule, party: party?.text, variant, level, score, people, amount_in, status, opened_at, revisions })
}
