//! How rows are written: JSON lines or CSV, whole transfers or the two sides of a ledger; and the party data of the town.
//!
//! Rows are text first (each field a string, empty where not given), so that every format says the same. Nothing of the labels is in them.

use std::fmt::Write as _;
use std::io::{self, Write};

use weir_model::{Day, EventTime};

use super::digits::padded;
use super::disorder::{Back, Flaw, Row};
use super::extras::{self, Extra, Extras};
use super::faces::{BANK, Face, account_number, name};
use super::movement::{Class, Movement, Who};
use super::world::{Customer, World};

/// Columns of every row, before and behind those of its two sides; the last two are those of ledger rows alone.
const BEFORE: [&str; 3] = ["txn_id", "occurred_at", "amount"];
const BEHIND: [&str; 9] =
    ["account_class", "counter_account_class", "channel", "cash", "memo", "reverses", "reversal_kind", "direction", "balance_after"];
/// The last column of a bank that has devices.
const DEVICE: &str = "device";
/// Columns of a side: of the payer and the payee, or of the own and the other one.
const PAYER: [&str; 7] = ["payer_account", "payer_customer", "payer_name", "payer_bank", "payer_kind", "payer_division", "payer_industry"];
const PAYEE: [&str; 7] = ["payee_account", "payee_customer", "payee_name", "payee_bank", "payee_kind", "payee_division", "payee_industry"];
const OWN: [&str; 7] = ["account", "customer", "name", "bank", "kind", "division", "industry"];
const COUNTER: [&str; 7] =
    ["counter_account", "counter_customer", "counter_name", "counter_bank", "counter_kind", "counter_division", "counter_industry"];

/// What a row is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rows {
    /// A whole transfer.
    Transfers,
    /// One side of it, each customer's own.
    Ledger,
}

/// How text is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// JSON lines.
    Jsonl,
    /// CSV with a header.
    Csv,
}

/// Writes rows as fields.
#[derive(Debug)]
pub struct Fields {
    rows: Rows,
    /// Of those elsewhere, three in five do not show their kind.
    is_shy: bool,
    has_devices: bool,
    sides: [Face; 2],
    values: Vec<String>,
    /// The day that was written last, as text: the next row is mostly of the same.
    dated: (Day, String),
}

impl Fields {
    /// Of such rows, with the device that pays where the bank has those.
    #[must_use]
    pub fn new(rows: Rows, is_shy: bool, extras: &Extras) -> Self {
        let (has_devices, dated) = (extras.contains(&Extra::Devices), (Day::default(), String::new()));
        let mut fields = Self { rows, is_shy, has_devices, sides: Default::default(), values: Vec::new(), dated };
        fields.values.resize(fields.columns().len(), String::new());
        fields
    }

    /// Names of the columns.
    #[must_use]
    pub fn columns(&self) -> Vec<&'static str> {
        let (sides, behind) = match self.rows {
            Rows::Transfers => ([PAYER, PAYEE], &BEHIND[..7]),
            Rows::Ledger => ([OWN, COUNTER], &BEHIND[..]),
        };
        let last: &[&str] = if self.has_devices { &[DEVICE] } else { &[] };
        [&BEFORE[..], &sides.concat(), behind, last].concat()
    }

    /// Hands a row's fields over, once for each row that it makes.
    ///
    /// # Errors
    /// Those of `each`.
    pub fn write(&mut self, world: &World, row: &Row, mut each: impl FnMut(&[String]) -> io::Result<()>) -> io::Result<()> {
        let movement = &row.movement;
        let [payer, payee] = &mut self.sides;
        payer.show(world, movement.payer, self.is_shy);
        payee.show(world, movement.payee, self.is_shy);
        match self.rows {
            Rows::Transfers => {
                self.fill(world, row, 0);
                each(&self.values)
            }
            Rows::Ledger => {
                for (side, who) in [movement.payer, movement.payee].into_iter().enumerate() {
                    if matches!(who, Who::Own(..)) {
                        self.fill(world, row, side);
                        self.values[24].push_str(if side == 0 { "out" } else { "in" });
                        yuan(row.balances[side], &mut self.values[25]);
                        each(&self.values)?;
                    }
                }
                Ok(())
            }
        }
    }

    /// Fills in the fields that both kinds of rows have; `own` is the side that comes first.
    fn fill(&mut self, world: &World, row: &Row, own: usize) {
        let movement = &row.movement;
        self.values.iter_mut().for_each(String::clear);
        serial(row.serial, &mut self.values[0]);
        moment(movement.at, row.flaw, &mut self.dated, &mut self.values[1]);
        yuan(movement.fen, &mut self.values[2]);
        if row.flaw == Flaw::Amount {
            self.values[2].insert(0, 'O');
        }
        for (place, side) in [own, 1 - own].into_iter().enumerate() {
            let face = &self.sides[side];
            let values = &mut self.values[3 + place * 7..];
            values[0].push_str(&face.account);
            values[1].push_str(&face.customer);
            values[2].push_str(&face.name);
            values[3].push_str(face.bank);
            if face.kind != weir_model::PartyKind::Unknown {
                values[4].push_str(face.kind.name());
            }
            if face.division != 0 {
                padded(face.division.into(), 6, &mut values[5]);
            }
            values[6].push_str(face.industry);
        }
        let classes = [movement.payer_class, movement.payee_class];
        self.values[17].push_str(class(movement, classes[own]));
        self.values[18].push_str(class(movement, classes[1 - own]));
        self.values[19].push_str(movement.channel.name());
        if matches!(movement.payer, Who::Nobody) || matches!(movement.payee, Who::Nobody) {
            self.values[20].push_str("true");
        }
        self.values[21].push_str(movement.memo.text());
        if let Some((reversed, back)) = row.reverses {
            serial(reversed, &mut self.values[22]);
            self.values[23].push_str(match back {
                Back::Cancel => "cancel",
                Back::Return => "return",
            });
        }
        if self.has_devices
            && let (Some(device), Some(value)) = (extras::device(world, movement), self.values.last_mut())
        {
            value.push('D');
            padded(device % 1_000_000_000_000, 12, value);
        }
    }
}

/// Classes are given where one of them is not a current account.
fn class(movement: &Movement, class: Class) -> &'static str {
    match class {
        Class::Term => "term",
        Class::Wealth => "wealth",
        Class::Current if movement.payer_class == movement.payee_class => "",
        Class::Current => "current",
    }
}

/// A serial as text.
pub fn serial(number: u64, text: &mut String) {
    text.push('S');
    padded(number, 13, text);
}

fn yuan(fen: i64, text: &mut String) {
    if fen < 0 {
        text.push('-');
    }
    let fen = fen.unsigned_abs();
    padded(fen / 100, 1, text);
    text.push('.');
    padded(fen % 100, 2, text);
}

fn moment(at: i64, flaw: Flaw, dated: &mut (Day, String), text: &mut String) {
    let at = EventTime(at * 1_000_000);
    let (day, second) = (at.day(), at.micros_of_day().unsigned_abs() / 1_000_000);
    match flaw {
        Flaw::Date => {
            let _ = write!(text, "{:04}-02-30", day.year());
        }
        Flaw::Future => {
            let _ = write!(text, "{:04}-12-31", day.year() + 60);
        }
        _ => {
            if dated.0 != day || dated.1.is_empty() {
                *dated = (day, day.to_string());
            }
            text.push_str(&dated.1);
        }
    }
    for (before, number) in [('T', second / 3600), (':', second / 60 % 60), (':', second % 60)] {
        text.push(before);
        padded(number, 2, text);
    }
    text.push_str("+08:00");
}

/// Rows as lines.
#[derive(Debug)]
pub struct Lines {
    layout: Layout,
    /// What stands before each column's value.
    before: Vec<String>,
    /// Lines that nobody has taken yet.
    pub text: Vec<u8>,
}

impl Lines {
    /// Of such columns; CSV begins with their names.
    #[must_use]
    pub fn new(layout: Layout, columns: &[&str]) -> Self {
        let (before, text) = match layout {
            Layout::Jsonl => (columns.iter().map(|column| format!("\",\"{column}\":\"")).collect(), Vec::new()),
            Layout::Csv => (Vec::new(), format!("{}\n", columns.join(",")).into_bytes()),
        };
        Self { layout, before, text }
    }

    /// Adds a row. Names, numbers and words: nothing in them that JSON or CSV would want escaped.
    pub fn row(&mut self, values: &[String]) {
        let text = &mut self.text;
        match self.layout {
            Layout::Jsonl => {
                // What stands before the first value opens the object instead of ending the value before.
                let mut from = 2;
                text.push(b'{');
                for (before, value) in self.before.iter().zip(values).filter(|(_, value)| !value.is_empty()) {
                    text.extend_from_slice(&before.as_bytes()[from..]);
                    text.extend_from_slice(value.as_bytes());
                    from = 0;
                }
                text.extend_from_slice(b"\"}\n");
            }
            Layout::Csv => {
                for value in values {
                    text.extend_from_slice(value.as_bytes());
                    text.push(b',');
                }
                text.pop();
                text.push(b'\n');
            }
        }
    }
}

/// Header of the party file.
const PARTY_COLUMNS: &str =
    "institution,customer,accounts,name,kind,industry,registered_division,branch,opened_at,closed_at,birth_year,agreements,group";

/// Writes the party file as of the end of `last`, by customer number: who comes later is not in it, and what will be closed is open. Agreements hold
/// until the end of the year after.
///
/// # Errors
/// Those of `out`.
pub fn parties(world: &World, last: Day, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{PARTY_COLUMNS}")?;
    let mut customers: Vec<(u32, &Customer)> =
        (0..).zip(&world.customers).map(|(number, customer)| (world.code(number), customer)).collect();
    customers.retain(|(_, customer)| customer.opened <= last);
    customers.sort_unstable_by_key(|(code, _)| *code);
    customers.into_iter().try_for_each(|(code, customer)| party(world, code, customer, last, out))
}

fn party(world: &World, code: u32, customer: &Customer, last: Day, out: &mut impl Write) -> io::Result<()> {
    let mut full = String::new();
    name(customer, &mut full);
    let mut accounts = String::new();
    account_number(code, 0, &mut accounts);
    accounts.push(';');
    account_number(code, 1, &mut accounts);
    write!(out, "{BANK},{code:08},{accounts},{full},{},{},", customer.kind.name(), customer.industry)?;
    write!(out, "{:06},{BANK}{:03},{},", customer.division, customer.branch, customer.opened)?;
    if let Some(closed) = customer.closed.filter(|closed| *closed <= last) {
        write!(out, "{closed}")?;
    }
    write!(out, ",")?;
    if customer.birth_year > 0 {
        write!(out, "{}", customer.birth_year)?;
    }
    write!(out, ",")?;
    if let Some((kind, people)) = customer.agreement {
        write!(out, "{}:{}-12-31", kind.name(), last.year() + 1)?;
        if people > 0 {
            write!(out, ":{people}")?;
        }
    }
    write!(out, ",")?;
    if customer.group > 0 {
        out.write_all(world.group_code(customer.group).as_bytes())?;
    }
    writeln!(out)
}
