//! Party data: who our customers are, what is known of them, which group they belong to.
//!
//! Loaded once before a run, from JSON lines, CSV or Parquet through the same framing and decoding as transactions. Unlike transactions it
//! is all or nothing: a party file with a mistake is refused, with its mistakes listed by line, because an agreement that silently did not
//! load would silence or raise alerts. Looked up by customer and by account, each within its institution.

use std::path::Path;

use serde::Deserialize;
use weir_model::party::Agreement;
use weir_model::{AgreementKind, Day, Division, KeyKind, Party, PartyKind};

use crate::error::{Error, Problem, Problems};
use crate::inputs::Input;
use crate::mapping::fields;
use crate::opening::{self, BlockSource};
use crate::row::{Cell, Names, Row};
use crate::suggest::nearest;

/// Mistakes listed before a file is given up.
const PROBLEMS_MAX: usize = 20;

/// Fields of party data; those that rules use are read, the others are accepted.
const COLUMNS: [&str; 22] = [
    "institution",
    "customer",
    "accounts",
    "name",
    "kind",
    "industry",
    "registered_division",
    "operating_division",
    "branch",
    "opened_at",
    "closed_at",
    "birth_year",
    "agreements",
    "group",
    "id_type",
    "id_hash",
    "uscc",
    "occupation",
    "legal_representative",
    "controller",
    "risk_grade",
    "phone",
];

const INSTITUTION: usize = 0;
const CUSTOMER: usize = 1;
const ACCOUNTS: usize = 2;
const NAME: usize = 3;
const KIND: usize = 4;
const INDUSTRY: usize = 5;
const REGISTERED: usize = 6;
const OPERATING: usize = 7;
const BRANCH: usize = 8;
const OPENED_AT: usize = 9;
const CLOSED_AT: usize = 10;
const BIRTH_YEAR: usize = 11;
const AGREEMENTS: usize = 12;
const GROUP: usize = 13;

/// Party data of a run. The default knows nobody.
#[derive(Debug, Clone, Default)]
pub struct Parties {
    /// A party that was removed leaves an empty row, which the next one takes.
    parties: Vec<Party>,
    free: Vec<u32>,
    /// Keys as in legs, of customers and of accounts. Never iterated.
    keys: hashbrown::HashMap<String, u32, foldhash::fast::FixedState>,
}

impl Parties {
    /// Loads a party file. Rows without an institution belong to `institution`.
    ///
    /// # Errors
    /// [`Error::Problems`] with the mistakes by line; what opening and reading a file can meet.
    pub fn load(path: &Path, institution: &str) -> Result<Self, Error> {
        Self::read(&Input::file(path), institution)
    }

    /// Like [`Parties::load`], from any input.
    ///
    /// # Errors
    /// As [`Parties::load`].
    pub fn read(input: &Input, institution: &str) -> Result<Self, Error> {
        let mut loading = Loading { parties: Self::default(), lines: Vec::new(), problems: Vec::new(), institution };
        let names = Names::new(COLUMNS.into_iter());
        let mut source = opening::open_parties(input, &names)?;
        loading.header(&source, &input.name())?;
        let mut row = Row::new(COLUMNS.len());
        let mut buffer = String::new();
        while let Some(block) = source.next_block()? {
            for (index, record) in block.records.iter().enumerate() {
                let read = source.binding().read_record(&block, index, source.encoding(), &names, &mut row, &mut buffer);
                if read.is_ok() {
                    loading.party(&row, record.place.line);
                } else {
                    loading.problem(
                        record.place.line,
                        "not a row of this file: wrong number of columns, broken quotes, JSON or character set",
                    );
                }
            }
        }
        loading.finish(input.name())
    }

    /// Adds a party, as [`Parties::read`] does for each row.
    ///
    /// # Errors
    /// A message where its customer, or one of its accounts, belongs to a party already there.
    pub fn insert(&mut self, party: Party) -> Result<(), String> {
        if self.keys.contains_key(&party.key()) {
            return Err("the customer stands in this file twice".to_owned());
        }
        self.replace(party)
    }

    /// Adds a party, in place of the one of the same customer.
    ///
    /// # Errors
    /// A message where one of its accounts belongs to another customer; the old row stays then.
    pub fn replace(&mut self, party: Party) -> Result<(), String> {
        let customer = party.key();
        let known = self.keys.get(&customer).copied();
        let accounts: Vec<String> = party.accounts.iter().map(|account| KeyKind::Account.key(&party.institution, account)).collect();
        if accounts.iter().any(|account| self.keys.get(account).is_some_and(|owner| Some(*owner) != known)) {
            return Err("an account belongs to two customers".to_owned());
        }
        self.remove(&party.institution, &party.customer);
        let index = match self.free.pop() {
            Some(index) => index,
            None => u32::try_from(self.parties.len()).map_err(|_| "more than 4 billion parties".to_owned())?,
        };
        self.keys.insert(customer, index);
        self.keys.extend(accounts.into_iter().map(|account| (account, index)));
        match usize::try_from(index).ok().and_then(|at| self.parties.get_mut(at)) {
            Some(row) => *row = party,
            None => self.parties.push(party),
        }
        Ok(())
    }

    /// Forgets a customer and its accounts.
    pub fn remove(&mut self, institution: &str, customer: &str) {
        let Some(index) = self.keys.remove(&KeyKind::Customer.key(institution, customer)) else { return };
        let Some(row) = usize::try_from(index).ok().and_then(|at| self.parties.get_mut(at)) else { return };
        for account in std::mem::take(row).accounts {
            self.keys.remove(&KeyKind::Account.key(institution, &account));
        }
        self.free.push(index);
    }

    /// Reads one party from a JSON object, as [`Parties::read`] does for each row; without an institution it belongs to `institution`.
    ///
    /// # Errors
    /// Everything that is wrong with it; fields are named, values never.
    pub fn read_one(json: &[u8], institution: &str) -> Result<Party, Vec<String>> {
        let mut row = Row::new(COLUMNS.len());
        let text = std::str::from_utf8(json).map_err(|_| vec!["not UTF-8".to_owned()])?;
        row.read_json(text, &Names::new(COLUMNS.into_iter())).map_err(|_| vec!["not an object of JSON".to_owned()])?;
        read_party(&row, institution)
    }

    /// All parties.
    pub fn iter(&self) -> impl Iterator<Item = &Party> {
        // A removed party leaves an empty row behind.
        self.parties.iter().filter(|party| !party.customer.is_empty())
    }

    /// How many parties.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parties.len() - self.free.len()
    }

    /// Whether nobody is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The party behind a party key of a leg: `c:…` or `a:…`; `None` for groups and for whom party data does not know.
    #[must_use]
    pub fn by_key(&self, party: &str) -> Option<&Party> {
        let index = *self.keys.get(party)?;
        self.parties.get(usize::try_from(index).ok()?)
    }

    /// The party of a side: by customer, else by account. `key` is scratch space.
    pub(crate) fn find(&self, institution: &str, customer: &str, account: &str, key: &mut String) -> Option<&Party> {
        if self.keys.is_empty() {
            return None;
        }
        let (kind, id) = match (customer, account) {
            ("", "") => return None,
            ("", account) => (KeyKind::Account, account),
            (customer, _) => (KeyKind::Customer, customer),
        };
        key.clear();
        kind.push_key(key, institution, id);
        self.by_key(key)
    }
}

struct Loading<'i> {
    parties: Parties,
    /// Line of each party, for what is found later.
    lines: Vec<u64>,
    problems: Vec<Problem>,
    institution: &'i str,
}

/// An agreement in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AgreementRow {
    kind: String,
    valid_to: Option<String>,
    people: Option<u32>,
}

/// An account in JSON: text, or a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum AccountRow {
    Text(String),
    Number(u64),
}

impl Loading<'_> {
    fn problem(&mut self, line: u64, message: impl Into<String>) {
        self.problems.push(Problem { line, column: 0, message: message.into(), help: String::new() });
    }

    /// A column that is nearly one of ours is a mistake; others are the bank's own business.
    fn header(&mut self, source: &BlockSource, path: &str) -> Result<(), Error> {
        let Some(columns) = source.columns() else { return Ok(()) };
        for column in columns {
            if COLUMNS.contains(&column.as_str()) {
                continue;
            }
            if let Some(near) = nearest(column, COLUMNS).filter(|near| !columns.iter().any(|other| other == near)) {
                self.problem(1, format!("no field is called `{column}`; did you mean `{near}`?"));
            }
        }
        if columns.iter().any(|column| column == "customer") {
            return Ok(());
        }
        self.problem(1, "there is no column `customer`");
        Err(Problems { path: path.to_owned(), problems: std::mem::take(&mut self.problems) }.into())
    }

    fn party(&mut self, row: &Row, line: u64) {
        if self.problems.len() >= PROBLEMS_MAX {
            return;
        }
        match read_party(row, self.institution) {
            Ok(party) => match self.parties.insert(party) {
                Ok(()) => self.lines.push(line),
                Err(message) => self.problem(line, message),
            },
            Err(messages) => messages.into_iter().for_each(|message| self.problem(line, message)),
        }
    }

    fn finish(mut self, path: String) -> Result<Parties, Error> {
        if self.problems.is_empty() {
            return Ok(self.parties);
        }
        if self.problems.len() >= PROBLEMS_MAX {
            self.problems.truncate(PROBLEMS_MAX);
            let last = self.problems.last().map_or(0, |problem| problem.line);
            self.problem(last, "and perhaps more: the rest of the file was not looked at");
        }
        Err(Problems { path, problems: self.problems }.into())
    }
}

/// A row as a party, or everything that is wrong with it. Messages name fields, never values.
fn read_party(row: &Row, institution: &str) -> Result<Party, Vec<String>> {
    let mut fields = Fields { row, problems: Vec::new() };
    let own = fields.text(INSTITUTION);
    let party = Party {
        institution: if own.is_empty() { institution.to_owned() } else { own },
        customer: fields.text(CUSTOMER),
        accounts: fields.accounts(),
        name: fields.text(NAME),
        kind: fields.parsed(KIND, PartyKind::parse).unwrap_or_default(),
        industry: fields.text(INDUSTRY),
        registered_division: fields.parsed(REGISTERED, fields::division).unwrap_or(Division::UNKNOWN),
        operating_division: fields.parsed(OPERATING, fields::division).unwrap_or(Division::UNKNOWN),
        branch: fields.text(BRANCH),
        opened_at: fields.parsed(OPENED_AT, Day::parse),
        closed_at: fields.parsed(CLOSED_AT, Day::parse),
        birth_year: fields.parsed(BIRTH_YEAR, fields::year),
        agreements: fields.agreements(),
        group: fields.text(GROUP),
    };
    if party.customer.is_empty() {
        fields.problems.push("`customer` is missing".to_owned());
    }
    if fields.problems.is_empty() { Ok(party) } else { Err(fields.problems) }
}

struct Fields<'r> {
    row: &'r Row,
    problems: Vec<String>,
}

impl Fields<'_> {
    fn text(&mut self, slot: usize) -> String {
        match self.row.cell(slot) {
            Cell::Absent => String::new(),
            Cell::Text(text) => text.to_owned(),
            Cell::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => text.to_owned(),
            _ => {
                self.problems.push(format!("`{}` is no text", COLUMNS[slot]));
                String::new()
            }
        }
    }

    fn parsed<T>(&mut self, slot: usize, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.text(slot);
        if text.is_empty() {
            return None;
        }
        let value = parse(&text);
        if value.is_none() {
            self.problems.push(format!("`{}` is not a value of this field", COLUMNS[slot]));
        }
        value
    }

    /// Joined by `;` in text, a list in JSON.
    fn accounts(&mut self) -> Vec<String> {
        let Cell::Nested(json) = self.row.cell(ACCOUNTS) else {
            let text = self.text(ACCOUNTS);
            return text.split(';').map(str::trim).filter(|account| !account.is_empty()).map(str::to_owned).collect();
        };
        match serde_json::from_str::<Vec<AccountRow>>(json) {
            Ok(accounts) => accounts
                .into_iter()
                .map(|account| match account {
                    AccountRow::Text(text) => text.trim().to_owned(),
                    AccountRow::Number(number) => number.to_string(),
                })
                .filter(|account| !account.is_empty())
                .collect(),
            Err(_) => {
                self.problems.push("`accounts` is no list of account numbers".to_owned());
                Vec::new()
            }
        }
    }

    /// `kind:valid_to[:people]` joined by `;` in text, a list of objects in JSON.
    fn agreements(&mut self) -> Vec<Agreement> {
        let rows = match self.row.cell(AGREEMENTS) {
            Cell::Nested(json) => serde_json::from_str::<Vec<AgreementRow>>(json).ok(),
            _ => {
                let text = self.text(AGREEMENTS);
                text.split(';').map(str::trim).filter(|item| !item.is_empty()).map(agreement_row).collect()
            }
        };
        let Some(rows) = rows else {
            self.problems.push("`agreements` is not a list of kind, valid_to and people".to_owned());
            return Vec::new();
        };
        rows.into_iter().filter_map(|row| self.agreement(&row)).collect()
    }

    fn agreement(&mut self, row: &AgreementRow) -> Option<Agreement> {
        let Some(kind) = AgreementKind::parse(&row.kind) else {
            let kinds: Vec<&str> = AgreementKind::ALL.iter().map(|kind| kind.name()).collect();
            self.problems.push(format!("an agreement is of no known kind (one of {})", kinds.join(", ")));
            return None;
        };
        let Some(text) = row.valid_to.as_deref().filter(|text| !text.is_empty()) else {
            self.problems
                .push(format!("the {} agreement has no end date: somebody must answer for it anew from time to time", kind.name()));
            return None;
        };
        let Some(valid_to) = Day::parse(text) else {
            self.problems.push(format!("the end date of the {} agreement is no date (YYYY-MM-DD)", kind.name()));
            return None;
        };
        Some(Agreement { kind, valid_to, people: row.people })
    }
}

fn agreement_row(item: &str) -> Option<AgreementRow> {
    let mut parts = item.split(':').map(str::trim);
    let kind = parts.next()?.to_owned();
    let valid_to = parts.next().map(str::to_owned);
    let people = match parts.next() {
        Some(people) => Some(people.parse().ok()?),
        None => None,
    };
    parts.next().is_none().then_some(AgreementRow { kind, valid_to, people })
}
