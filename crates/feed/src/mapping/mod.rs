//! The mapping of a feed, checked: which column feeds which field of a transaction, and how it is written.
//!
//! [`Mapping::default`] takes the record fields of `docs/records.md` under their own names; [`Mapping::parse`] reads a feed file
//! (`docs/feeds.md`). Both yield the same plan, in which a source column is a slot number, so that decoding never compares names. A mapping
//! is built once and shared; it knows nothing of a particular input.

pub(crate) mod fields;
mod parse;

use std::borrow::Cow;
use std::path::Path;

use weir_model::money::AmountFormat;
use weir_model::{Reason, ReversalKind};

use crate::error::{Error, Problems};
use crate::inputs::Format;
use crate::row::{Cell, Row, Slot};
use crate::text::Encoding;
use crate::time_format::{TimeForm, TimeReading, Zone};
pub(crate) use fields::RowKind;

/// Which sides of a transfer are monitored. A ledger row is always monitored on its own side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Own {
    /// Sides with a customer number, given by the row or by party data through the account.
    Customer,
    /// Every side that names a customer or an account.
    All,
    /// Sides whose bank code is one of these.
    Banks(Vec<String>),
}

/// How a feed is read.
#[derive(Debug, Clone)]
pub struct Mapping {
    pub(crate) format: Option<Format>,
    pub(crate) encoding: Option<Encoding>,
    pub(crate) delimited: Delimited,
    /// Texts that mean "not given", beside the empty one.
    pub(crate) nulls: Vec<String>,
    /// `None`: [`Own::Customer`] if the feed has customer numbers, else [`Own::All`].
    pub(crate) own: Option<Own>,
    /// Source columns by slot.
    pub(crate) columns: Vec<Column>,
    pub(crate) plan: Plan,
    /// No feed file: which columns a JSON feed has is seen from its records.
    pub(crate) is_default: bool,
}

/// How delimited text is cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delimited {
    /// `None`: a comma, a tab for `.tsv`.
    pub(crate) delimiter: Option<u8>,
    pub(crate) quote: Option<u8>,
    /// Lines before the header.
    pub(crate) skip_lines: u64,
    /// Names for a feed without a header.
    pub(crate) columns: Option<Vec<String>>,
}

impl Default for Delimited {
    fn default() -> Self {
        Self { delimiter: None, quote: Some(b'"'), skip_lines: 0, columns: None }
    }
}

/// A source column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    /// The first record field it feeds.
    pub(crate) field: &'static str,
    /// Whether a header may lack it.
    pub(crate) optional: bool,
}

/// Where each field of a transaction comes from.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) rows: RowKind,
    /// Reporting bank of rows that name none.
    pub(crate) institution_default: String,
    pub(crate) txn_id: Source,
    pub(crate) institution: Source,
    pub(crate) occurred_at: Source,
    pub(crate) time: TimeReading,
    pub(crate) amount: AmountSource,
    pub(crate) currency: Source,
    pub(crate) amount_cny: AmountSource,
    pub(crate) amount_usd: AmountSource,
    pub(crate) balance_after: AmountSource,
    /// Payer of a transfer, own side of a ledger row.
    pub(crate) first: SidePlan,
    /// Payee of a transfer, other side of a ledger row.
    pub(crate) second: SidePlan,
    pub(crate) direction: Source,
    pub(crate) channel: Source,
    pub(crate) cash: Source,
    pub(crate) cross_border: Source,
    pub(crate) memo: Source,
    pub(crate) purpose: Source,
    pub(crate) reverses: Source,
    pub(crate) reversal_kind: Source,
}

/// The fields of one side.
#[derive(Debug, Clone)]
pub(crate) struct SidePlan {
    pub(crate) account: Source,
    pub(crate) customer: Source,
    pub(crate) name: Source,
    pub(crate) bank: Source,
    pub(crate) kind: Source,
    pub(crate) division: Source,
    pub(crate) birth_year: Source,
    pub(crate) industry: Source,
    pub(crate) account_class: Source,
}

/// An amount and how it is written.
#[derive(Debug, Clone)]
pub(crate) struct AmountSource {
    pub(crate) source: Source,
    pub(crate) format: AmountFormat,
    /// What a negative amount is: `None` is a dead letter.
    pub(crate) negative: Option<ReversalKind>,
    /// Inflows and outflows stand in columns of their own (ledger rows): slots of both.
    pub(crate) by_direction: Option<(Slot, Slot)>,
}

/// Where a text comes from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// The record field, for rejects.
    pub(crate) field: &'static str,
    pub(crate) from: From,
    pub(crate) values: Option<Values>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum From {
    Nothing,
    Const(String),
    Column(Slot),
    /// All of them, joined; the empty ones left out, unless all are needed.
    Columns {
        slots: Vec<Slot>,
        separator: String,
        all: bool,
    },
    /// Label of the input and number of the record in it.
    RowNumber,
}

/// A column's words and what they mean.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Values {
    /// Sorted by word.
    pub(crate) pairs: Vec<(String, String)>,
    /// Meaning of every other word; `None` makes one a dead letter.
    pub(crate) other: Option<String>,
}

/// Where a record stands, for serials made of row numbers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin<'r> {
    pub(crate) label: &'r str,
    pub(crate) record: u64,
}

impl Source {
    pub(crate) fn nothing(field: &'static str) -> Self {
        Self { field, from: From::Nothing, values: None }
    }

    pub(crate) fn is_nothing(&self) -> bool {
        self.from == From::Nothing
    }

    /// The text, empty where the record has none.
    ///
    /// # Errors
    /// [`Reason::BadValue`] for a list, an object, a fraction where text is wanted, or a word that the values do not know;
    /// [`Reason::MissingField`] where one of several columns that are all needed is empty.
    pub(crate) fn text<'r>(&'r self, row: &'r Row, nulls: &[String], origin: Origin<'r>) -> Result<Cow<'r, str>, Reason> {
        let text = match &self.from {
            From::Nothing => return Ok(Cow::Borrowed("")),
            From::Const(text) => return Ok(Cow::Borrowed(text)),
            From::Column(slot) => Cow::Borrowed(self.word(row.cell(*slot), nulls)?),
            From::Columns { slots, separator, all } => Cow::Owned(self.joined(row, nulls, slots, separator, *all)?),
            From::RowNumber => Cow::Owned(format!("{}:{}", origin.label, origin.record)),
        };
        match &self.values {
            Some(values) if !text.is_empty() => values.meaning(&text).map(Cow::Borrowed).ok_or(Reason::BadValue),
            _ => Ok(text),
        }
    }

    fn joined(&self, row: &Row, nulls: &[String], slots: &[Slot], separator: &str, all: bool) -> Result<String, Reason> {
        let mut joined = String::new();
        for slot in slots {
            let word = self.word(row.cell(*slot), nulls)?;
            if word.is_empty() && all {
                return Err(Reason::MissingField);
            }
            if !word.is_empty() && !joined.is_empty() {
                joined.push_str(separator);
            }
            joined.push_str(word);
        }
        Ok(joined)
    }

    fn word<'r>(&self, cell: Cell<'r>, nulls: &[String]) -> Result<&'r str, Reason> {
        match cell {
            Cell::Absent => Ok(""),
            Cell::Text(text) if nulls.iter().any(|null| null == text) => Ok(""),
            Cell::Text(text) => Ok(text),
            // An account number may come as a JSON number; `6.2e18` has lost digits on its way and is none.
            Cell::Number(text) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(text),
            Cell::Number(text) if self.values.is_some() => Ok(text),
            Cell::Bool(true) if self.values.is_some() => Ok("true"),
            Cell::Bool(false) if self.values.is_some() => Ok("false"),
            Cell::Number(_) | Cell::Bool(_) | Cell::Nested(_) => Err(Reason::BadValue),
        }
    }
}

impl Values {
    fn meaning(&self, word: &str) -> Option<&str> {
        match self.pairs.binary_search_by(|(known, _)| known.as_str().cmp(word)) {
            Ok(at) => Some(&self.pairs[at].1),
            Err(_) => self.other.as_deref(),
        }
    }
}

impl Default for Mapping {
    /// Record fields under their own names, all of them optional: what a record must have, decoding checks.
    fn default() -> Self {
        parse::default_mapping()
    }
}

impl Mapping {
    /// Reads a feed file's text. `name` stands in messages.
    ///
    /// # Errors
    /// [`Problems`] with every mistake of the file.
    pub fn parse(text: &str, name: &str) -> Result<Self, Problems> {
        parse::parse(text, name)
    }

    /// Reads a feed file.
    ///
    /// # Errors
    /// [`Error::Open`], [`Error::Problems`].
    pub fn load(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Open { path: name.clone(), source })?;
        Ok(Self::parse(&text, &name)?)
    }

    /// The reporting bank of rows that name none; empty where the feed file names none either.
    #[must_use]
    pub fn institution(&self) -> &str {
        &self.plan.institution_default
    }

    /// The source columns of a record field as a person knows them: `金额`, `date + serial`; the field itself without a feed file.
    pub(crate) fn columns_of(&self, field: &str) -> String {
        let source = self.plan.sources().into_iter().find(|source| source.field == field && !source.is_nothing());
        let name = |slot: &Slot| self.columns.get(*slot).map_or("", |column| column.name.as_str());
        match source.map(|source| &source.from) {
            Some(From::Column(slot)) => name(slot).to_owned(),
            Some(From::Columns { slots, .. }) => slots.iter().map(name).collect::<Vec<_>>().join(" + "),
            _ => field.to_owned(),
        }
    }

    /// The column that the feed file maps to a field, of those that no leg carries too; the field itself where it maps none.
    #[must_use]
    pub fn column_of<'m>(&'m self, field: &'m str) -> &'m str {
        self.columns.iter().find(|column| column.field == field).map_or(field, |column| column.name.as_str())
    }

    /// Whether the mapping reads a column for a field.
    #[must_use]
    pub fn has_column_of(&self, field: &str) -> bool {
        self.columns.iter().any(|column| column.field == field)
    }

    /// Whether a customer number of either side is mapped from columns, and the slots of these.
    pub(crate) fn customer_slots(&self) -> Vec<Slot> {
        let sources = [&self.plan.first.customer, &self.plan.second.customer];
        sources
            .into_iter()
            .flat_map(|source| match &source.from {
                From::Column(slot) => vec![*slot],
                From::Columns { slots, .. } => slots.clone(),
                _ => Vec::new(),
            })
            .collect()
    }
}

impl Plan {
    /// A plan that maps nothing.
    pub(crate) fn empty(rows: RowKind) -> Self {
        let source = Source::nothing;
        let amount = |field| AmountSource { source: source(field), format: AmountFormat::default(), negative: None, by_direction: None };
        let side = |names: [&'static str; 9]| SidePlan {
            account: source(names[0]),
            customer: source(names[1]),
            name: source(names[2]),
            bank: source(names[3]),
            kind: source(names[4]),
            division: source(names[5]),
            birth_year: source(names[6]),
            industry: source(names[7]),
            account_class: source(names[8]),
        };
        let (first, second) = rows.side_fields();
        Self {
            rows,
            institution_default: String::new(),
            txn_id: source("txn_id"),
            institution: source("institution"),
            occurred_at: source("occurred_at"),
            time: TimeReading { zone: Zone::default(), form: TimeForm::Default },
            amount: amount("amount"),
            currency: source("currency"),
            amount_cny: amount("amount_cny"),
            amount_usd: amount("amount_usd"),
            balance_after: amount("balance_after"),
            first: side(first),
            second: side(second),
            direction: source("direction"),
            channel: source("channel"),
            cash: source("cash"),
            cross_border: source("cross_border"),
            memo: source("memo"),
            purpose: source("purpose"),
            reverses: source("reverses"),
            reversal_kind: source("reversal_kind"),
        }
    }

    fn sources(&self) -> Vec<&Source> {
        let mut sources = vec![
            &self.txn_id,
            &self.institution,
            &self.occurred_at,
            &self.amount.source,
            &self.currency,
            &self.amount_cny.source,
            &self.amount_usd.source,
            &self.balance_after.source,
            &self.direction,
            &self.channel,
            &self.cash,
            &self.cross_border,
            &self.memo,
            &self.purpose,
            &self.reverses,
            &self.reversal_kind,
        ];
        for side in [&self.first, &self.second] {
            sources.extend([
                &side.account,
                &side.customer,
                &side.name,
                &side.bank,
                &side.kind,
                &side.division,
                &side.birth_year,
                &side.industry,
                &side.account_class,
            ]);
        }
        sources
    }

    /// The source of a plain field (not an amount); `None` for amounts and fields that are not read.
    pub(crate) fn source_mut(&mut self, field: &str) -> Option<&mut Source> {
        let plain = [
            &mut self.txn_id,
            &mut self.institution,
            &mut self.occurred_at,
            &mut self.currency,
            &mut self.direction,
            &mut self.channel,
            &mut self.cash,
            &mut self.cross_border,
            &mut self.memo,
            &mut self.purpose,
            &mut self.reverses,
            &mut self.reversal_kind,
        ];
        let sides = [&mut self.first, &mut self.second].into_iter().flat_map(|side| {
            [
                &mut side.account,
                &mut side.customer,
                &mut side.name,
                &mut side.bank,
                &mut side.kind,
                &mut side.division,
                &mut side.birth_year,
                &mut side.industry,
                &mut side.account_class,
            ]
        });
        plain.into_iter().chain(sides).find(|source| source.field == field)
    }

    /// The source of an amount.
    pub(crate) fn amount_mut(&mut self, field: &str) -> Option<&mut AmountSource> {
        [&mut self.amount, &mut self.amount_cny, &mut self.amount_usd, &mut self.balance_after]
            .into_iter()
            .find(|amount| amount.source.field == field)
    }
}
