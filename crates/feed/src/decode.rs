//! Cells → transaction: every check of a single field, and nothing that looks at more than one record.
//!
//! The one path for all formats. A check that fails names the field and the reason, never the value. Optional fields are checked as strictly
//! as required ones: a wrong kind or division would quietly change what rules see.

use std::borrow::Cow;

use weir_model::money::{AmountFormat, parse_signed};
use weir_model::transaction::{AccountClass, Channel, ReportingSide, Reversal, ReversalKind, Side, Text};
use weir_model::{AmountError, Currency, Division, PartyKind, Reason, Transaction};

use crate::mapping::{AmountSource, From, Mapping, Origin, RowKind, SidePlan, Source, fields};
use crate::row::{Cell, Row};

/// Longest serial, in bytes.
const TXN_ID_BYTES_MAX: usize = 128;
/// Longest account, customer, bank or institution: they become keys.
const KEY_BYTES_MAX: usize = 128;
/// Longest name.
const NAME_BYTES_MAX: usize = 1024;

/// Why a record is no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reject {
    pub(crate) reason: Reason,
    /// Record field; empty where the record as a whole is meant.
    pub(crate) field: &'static str,
}

impl Reject {
    pub(crate) fn whole(reason: Reason) -> Self {
        Self { reason, field: "" }
    }
}

/// Which way money went in a ledger row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    In,
    Out,
}

/// One record being decoded.
struct Decoder<'r> {
    mapping: &'r Mapping,
    row: &'r Row,
    origin: Origin<'r>,
}

/// Decodes the row of one record.
pub(crate) fn transaction<'r>(mapping: &'r Mapping, row: &'r Row, origin: Origin<'r>) -> Result<Transaction<'r>, Reject> {
    Decoder { mapping, row, origin }.transaction()
}

impl<'r> Decoder<'r> {
    fn transaction(&self) -> Result<Transaction<'r>, Reject> {
        let plan = &self.mapping.plan;
        let txn_id = self.required(&plan.txn_id, TXN_ID_BYTES_MAX)?;
        let moment_text = self.required(&plan.occurred_at, usize::MAX)?;
        let moment = plan.time.read(&moment_text).ok_or(Reject { reason: Reason::BadTime, field: "occurred_at" })?;
        let currency = self.parsed(&plan.currency, Currency::parse)?.unwrap_or(Currency::CNY);
        let (signed, way_by_amount) = self.amount(currency)?;
        let reverses = self.reversal(signed < 0)?;
        let amount = self.positive(signed)?;
        // A refund written as a negative payment moved money the other way.
        let is_backwards = signed < 0 && reverses.as_ref().is_some_and(|reversal| reversal.kind == ReversalKind::Return);
        let (payer, payee, reporting) = self.sides(way_by_amount, is_backwards)?;
        let institution = self.text(&plan.institution, KEY_BYTES_MAX)?;
        let institution = if institution.is_empty() { Cow::Borrowed(plan.institution_default.as_str()) } else { institution };
        Ok(Transaction {
            txn_id,
            institution,
            occurred_at: moment.at,
            has_time: moment.has_time,
            amount,
            currency,
            amount_cny: self.equivalent(&plan.amount_cny, Currency::CNY, currency, amount)?,
            amount_usd: self.equivalent(&plan.amount_usd, Currency::USD, currency, amount)?,
            payer,
            payee,
            channel: self.parsed(&plan.channel, Channel::parse)?,
            cash: self.parsed_flag(&plan.cash)?,
            cross_border: self.parsed_flag(&plan.cross_border)?,
            memo: self.text(&plan.memo, usize::MAX)?,
            purpose: self.text(&plan.purpose, usize::MAX)?,
            balance_after: self.signed(&plan.balance_after, currency)?,
            reporting,
            reverses,
        })
    }

    /// Payer, payee, and which of them the row belongs to.
    fn sides(&self, way: Option<Way>, is_backwards: bool) -> Result<(Side<'r>, Side<'r>, Option<ReportingSide>), Reject> {
        let plan = &self.mapping.plan;
        let first = self.side(&plan.first)?;
        let second = self.side(&plan.second)?;
        let is_out = match plan.rows {
            RowKind::Transfer => true,
            RowKind::LedgerSide => self.way(way)? == Way::Out,
        };
        let (payer, payee) = if is_out == is_backwards { (second, first) } else { (first, second) };
        let reporting = match plan.rows {
            RowKind::LedgerSide if is_out == is_backwards => Some(ReportingSide::Payee),
            RowKind::LedgerSide => Some(ReportingSide::Payer),
            RowKind::Transfer => match (payer.is_given(), payee.is_given()) {
                (true, false) => Some(ReportingSide::Payer),
                (false, true) => Some(ReportingSide::Payee),
                _ => None,
            },
        };
        Ok((payer, payee, reporting))
    }

    // ---- text

    #[inline]
    fn text(&self, source: &'r Source, bytes_max: usize) -> Result<Text<'r>, Reject> {
        match self.plain(source) {
            Some(text) if text.len() <= bytes_max => Ok(Cow::Borrowed(text)),
            _ => self.read_text(source, bytes_max),
        }
    }

    /// The text of a cell that stands for itself, or empty where there is none; `None` where more than looking is to be done. A record has a third of
    /// the fields it may have, and most of these are such texts.
    #[inline]
    fn plain(&self, source: &Source) -> Option<&'r str> {
        let From::Column(slot) = source.from else { return None };
        if self.row.is_absent(slot) {
            return Some("");
        }
        match self.row.cell(slot) {
            Cell::Text(text) if source.values.is_none() && self.mapping.nulls.is_empty() => Some(text),
            _ => None,
        }
    }

    #[inline(never)]
    fn read_text(&self, source: &'r Source, bytes_max: usize) -> Result<Text<'r>, Reject> {
        let reject = |reason| Reject { reason, field: source.field };
        let text = source.text(self.row, &self.mapping.nulls, self.origin).map_err(reject)?;
        if text.len() > bytes_max { Err(reject(Reason::BadValue)) } else { Ok(text) }
    }

    fn required(&self, source: &'r Source, bytes_max: usize) -> Result<Text<'r>, Reject> {
        let text = self.text(source, bytes_max)?;
        if text.is_empty() { Err(Reject { reason: Reason::MissingField, field: source.field }) } else { Ok(text) }
    }

    /// A value of a closed list; `None` where the record has none.
    #[inline]
    fn parsed<T>(&self, source: &'r Source, parse: impl Fn(&str) -> Option<T>) -> Result<Option<T>, Reject> {
        let given;
        let text = match self.plain(source) {
            Some(text) => text,
            None => {
                given = self.read_text(source, usize::MAX)?;
                &*given
            }
        };
        if text.is_empty() {
            return Ok(None);
        }
        parse(text).map(Some).ok_or(Reject { reason: Reason::BadValue, field: source.field })
    }

    fn parsed_flag(&self, source: &'r Source) -> Result<bool, Reject> {
        if source.values.is_none()
            && let From::Column(slot) = source.from
            && let Cell::Bool(value) = self.row.cell(slot)
        {
            return Ok(value);
        }
        Ok(self.parsed(source, fields::flag)?.unwrap_or(false))
    }

    fn side(&self, plan: &'r SidePlan) -> Result<Side<'r>, Reject> {
        Ok(Side {
            account: self.text(&plan.account, KEY_BYTES_MAX)?,
            customer: self.text(&plan.customer, KEY_BYTES_MAX)?,
            name: self.text(&plan.name, NAME_BYTES_MAX)?,
            bank: self.text(&plan.bank, KEY_BYTES_MAX)?,
            kind: self.parsed(&plan.kind, PartyKind::parse)?.unwrap_or_default(),
            division: self.parsed(&plan.division, fields::division)?.unwrap_or(Division::UNKNOWN),
            birth_year: self.parsed(&plan.birth_year, fields::year)?,
            industry: self.text(&plan.industry, KEY_BYTES_MAX)?,
            account_class: self.parsed(&plan.account_class, AccountClass::parse)?,
        })
    }

    // ---- amounts

    /// The text of an amount as it stands: JSON numbers keep their digits, exponents included.
    fn amount_text(&self, source: &Source, slot: usize) -> Result<&'r str, Reject> {
        match self.row.cell(slot) {
            Cell::Absent => Ok(""),
            Cell::Text(text) if self.mapping.nulls.iter().any(|null| null == text) => Ok(""),
            Cell::Text(text) | Cell::Number(text) => Ok(text),
            Cell::Bool(_) | Cell::Nested(_) => Err(Reject { reason: Reason::BadAmount, field: source.field }),
        }
    }

    fn read_amount(&self, text: &str, field: &'static str, currency: Currency, format: AmountFormat) -> Result<i64, Reject> {
        parse_signed(text, currency, format).map_err(|error| Reject { reason: amount_reason(error), field })
    }

    /// The signed amount in minor units, and the way it tells where inflows and outflows have columns of their own.
    fn amount(&self, currency: Currency) -> Result<(i64, Option<Way>), Reject> {
        let amount = &self.mapping.plan.amount;
        let missing = Reject { reason: Reason::MissingField, field: "amount" };
        if let Some((inflow, outflow)) = amount.by_direction {
            let read = |slot| match self.amount_text(&amount.source, slot)? {
                "" => Ok(0),
                text => self.read_amount(text, "amount", currency, amount.format),
            };
            return match (read(inflow)?, read(outflow)?) {
                (0, 0) => Err(missing),
                (inflow, 0) => Ok((inflow, Some(Way::In))),
                (0, outflow) => Ok((outflow, Some(Way::Out))),
                _ => Err(Reject { reason: Reason::BadValue, field: "amount" }),
            };
        }
        let From::Column(slot) = amount.source.from else { return Err(missing) };
        match self.amount_text(&amount.source, slot)? {
            "" => Err(missing),
            text => Ok((self.read_amount(text, "amount", currency, amount.format)?, None)),
        }
    }

    /// More than zero: a negative amount has become a reversal by now, or is refused.
    fn positive(&self, signed: i64) -> Result<i64, Reject> {
        match signed {
            0 => Err(Reject { reason: Reason::AmountZero, field: "amount" }),
            signed if signed < 0 && self.mapping.plan.amount.negative.is_none() => {
                Err(Reject { reason: Reason::AmountNegative, field: "amount" })
            }
            signed => Ok(signed.saturating_abs()),
        }
    }

    /// A signed amount that a record may lack.
    fn signed(&self, amount: &AmountSource, currency: Currency) -> Result<Option<i64>, Reject> {
        let From::Column(slot) = amount.source.from else { return Ok(None) };
        match self.amount_text(&amount.source, slot)? {
            "" => Ok(None),
            text => self.read_amount(text, amount.source.field, currency, amount.format).map(Some),
        }
    }

    /// The equivalent in `wanted`: the amount itself where that is its currency. Zero is possible (a dong is less than a fen).
    fn equivalent(&self, source: &AmountSource, wanted: Currency, currency: Currency, amount: i64) -> Result<Option<i64>, Reject> {
        if currency == wanted {
            return Ok(Some(amount));
        }
        match self.signed(source, wanted)? {
            Some(value) if value < 0 && self.mapping.plan.amount.negative.is_some() => Ok(Some(value.saturating_abs())),
            Some(value) if value < 0 => Err(Reject { reason: Reason::AmountNegative, field: source.source.field }),
            value => Ok(value),
        }
    }

    // ---- reversals and directions

    fn reversal(&self, is_negative: bool) -> Result<Option<Reversal<'r>>, Reject> {
        let plan = &self.mapping.plan;
        let txn_id = self.text(&plan.reverses, TXN_ID_BYTES_MAX)?;
        let named = self.parsed(&plan.reversal_kind, fields::reversal_kind)?;
        let by_sign = if is_negative { plan.amount.negative } else { None };
        let kind = match (named.or(by_sign), txn_id.is_empty()) {
            (Some(kind), _) => kind,
            (None, false) => ReversalKind::Cancel,
            (None, true) => return Ok(None),
        };
        // A refund may come without the payment it refunds; what is to be taken out must be named.
        if txn_id.is_empty() && kind != ReversalKind::Return {
            return Err(Reject { reason: Reason::MissingField, field: "reverses" });
        }
        Ok(Some(Reversal { txn_id, kind }))
    }

    fn way(&self, by_amount: Option<Way>) -> Result<Way, Reject> {
        if let Some(way) = by_amount {
            return Ok(way);
        }
        match self.required(&self.mapping.plan.direction, usize::MAX)?.as_ref() {
            "in" => Ok(Way::In),
            "out" => Ok(Way::Out),
            _ => Err(Reject { reason: Reason::BadValue, field: "direction" }),
        }
    }
}

fn amount_reason(error: AmountError) -> Reason {
    match error {
        AmountError::NotANumber => Reason::BadAmount,
        AmountError::TooPrecise => Reason::AmountTooPrecise,
        AmountError::Zero => Reason::AmountZero,
        AmountError::Negative => Reason::AmountNegative,
        AmountError::TooLarge => Reason::AmountTooLarge,
    }
}
