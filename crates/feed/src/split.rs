//! Transaction + party data + tags → legs: one for each monitored side, a second one where its customer belongs to a group.
//!
//! Everything a rule may ask of the two sides is settled here and stamped on the leg: who the party is and who its counterparty, whether
//! money stayed with the same owner, of what kind and age the other side is, which agreements were in force on the day. Party data goes
//! before what the record says; the record fills what party data leaves open; what neither says stays unknown.

use weir_model::division::DivisionBasis;
use weir_model::leg::{LegAmount, Tags};
use weir_model::transaction::{AccountClass, ReportingSide, ReversalKind, Side};
use weir_model::{Agreements, Currency, Day, Direction, Division, Flags, KeyKind, Party, PartyKind, Reason, Transaction};

use crate::legs::{DraftKind, LegBatch, LegDraft, TextSpan};
use crate::mapping::{Own, RowKind};
use crate::parties::Parties;
use crate::tags::Tagger;

/// From this age on a person counts as elderly.
const ELDERLY_AGE: i32 = 60;
/// GB/T 4754 division of securities and other capital market services.
const SECURITIES_INDUSTRY: &str = "67";

/// What splitting needs beside the transaction.
#[derive(Clone, Copy)]
pub(crate) struct Splitter<'c> {
    pub(crate) rows: RowKind,
    pub(crate) own: &'c Own,
    pub(crate) parties: &'c Parties,
    pub(crate) tagger: &'c Tagger,
}

/// A side with what party data adds to it.
struct Known<'t> {
    side: &'t Side<'t>,
    party: Option<&'t Party>,
    /// Customer number with us: of the record, else of party data through the account.
    customer: &'t str,
    name: &'t str,
    kind: PartyKind,
    industry: &'t str,
    birth_year: Option<i32>,
    group: &'t str,
}

impl Splitter<'_> {
    /// Appends the legs of a transaction.
    ///
    /// # Errors
    /// [`Reason::NoParty`] where no side is monitored; nothing is appended then.
    pub(crate) fn split(&self, txn: &Transaction<'_>, legs: &mut LegBatch, key: &mut String) -> Result<(), Reason> {
        let payer = self.known(txn, &txn.payer, key);
        let payee = self.known(txn, &txn.payee, key);
        let out_side = self.is_monitored(txn, &payer, ReportingSide::Payer);
        let in_side = self.is_monitored(txn, &payee, ReportingSide::Payee);
        if !out_side && !in_side {
            return Err(Reason::NoParty);
        }
        let mut tags = self.tagger.tags(&txn.memo);
        tags.0 |= self.tagger.tags(&txn.purpose).0;
        let shared = Shared::new(txn, tags, legs);
        if out_side {
            shared.push_legs(&payer, &payee, Direction::Out, legs);
        }
        if in_side {
            shared.push_legs(&payee, &payer, Direction::In, legs);
        }
        Ok(())
    }

    fn known<'t>(&'t self, txn: &Transaction<'_>, side: &'t Side<'t>, key: &mut String) -> Known<'t> {
        let party = self.parties.find(&txn.institution, &side.customer, &side.account, key);
        let or = |data: Option<&'t str>, record: &'t str| data.filter(|text| !text.is_empty()).unwrap_or(record);
        let data_kind = party.map_or(PartyKind::Unknown, |party| party.kind);
        Known {
            side,
            party,
            customer: if side.customer.is_empty() { party.map_or("", |party| &party.customer) } else { &side.customer },
            name: or(party.map(|party| party.name.as_str()), &side.name),
            kind: if data_kind == PartyKind::Unknown { side.kind } else { data_kind },
            industry: or(party.map(|party| party.industry.as_str()), &side.industry),
            birth_year: party.and_then(|party| party.birth_year).or(side.birth_year),
            group: party.map_or("", |party| &party.group),
        }
    }

    fn is_monitored(&self, txn: &Transaction<'_>, known: &Known<'_>, this: ReportingSide) -> bool {
        let is_given = !known.customer.is_empty() || !known.side.account.is_empty();
        if self.rows == RowKind::LedgerSide {
            return is_given && txn.reporting == Some(this);
        }
        match self.own {
            Own::Customer => !known.customer.is_empty(),
            Own::All => is_given,
            Own::Banks(banks) => is_given && banks.binary_search_by(|bank| bank.as_str().cmp(&known.side.bank)).is_ok(),
        }
    }
}

/// What all legs of a transaction have in common.
struct Shared<'t> {
    txn: &'t Transaction<'t>,
    tags: Tags,
    txn_id: TextSpan,
    kind: DraftKind,
    day: Day,
    amount: LegAmount,
    flags: Flags,
}

impl<'t> Shared<'t> {
    fn new(txn: &'t Transaction<'t>, tags: Tags, legs: &mut LegBatch) -> Self {
        let kind = match &txn.reverses {
            None => DraftKind::Movement,
            Some(reversal) if reversal.kind == ReversalKind::Return => DraftKind::Return,
            Some(reversal) => DraftKind::Removal(legs.put(&reversal.txn_id)),
        };
        let mut flags = Flags::default();
        flags.set(Flags::CASH, txn.cash);
        flags.set(Flags::CROSS_BORDER, txn.cross_border);
        flags.set(Flags::HAS_TIME, txn.has_time);
        flags.set(Flags::HAS_MEMO, !txn.memo.is_empty() || !txn.purpose.is_empty());
        flags.set(Flags::UNCONVERTED, txn.amount_cny.is_none());
        let amount = LegAmount { currency: txn.currency, minor: txn.amount, cny: txn.amount_cny, usd: txn.amount_usd };
        Self { txn, tags, txn_id: legs.put(&txn.txn_id), kind, day: txn.occurred_at.day(), amount, flags }
    }

    /// The leg of `this` side, and that of its group.
    fn push_legs(&self, this: &Known<'_>, other: &Known<'_>, direction: Direction, legs: &mut LegBatch) {
        let institution: &str = &self.txn.institution;
        let is_own = is_same_party(this, other);
        let party = match this.customer {
            "" => put_key(KeyKind::Account, institution, &this.side.account, legs),
            customer => put_key(KeyKind::Customer, institution, customer, legs),
        };
        let counterparty = self.counterparty(other, legs);
        let facts = self.facts(other);
        let mut flags = facts;
        flags.set(Flags::OWN, is_own);
        flags.set(Flags::SAME_NAME, !is_own && is_same_name_elsewhere(this, other, institution));
        let is_retained = is_own || other.kind == PartyKind::Internal;
        flags.set(Flags::RETAINED, is_retained && matches!(other.side.account_class, Some(AccountClass::Term | AccountClass::Wealth)));
        let is_same_owner = is_own || (!this.name.is_empty() && this.name == other.name);
        let is_exempt = is_same_owner && is_roll_over(this.side, other.side) && is_same_institution(this, other, institution);
        flags.set(Flags::EXEMPT_TERM, is_exempt);
        let draft = LegDraft {
            party,
            txn_id: self.txn_id,
            direction,
            kind: self.kind,
            at: self.txn.occurred_at,
            amount: self.amount,
            counterparty,
            counterparty_kind: other.kind,
            counterparty_division: division_of(other),
            channel: self.txn.channel,
            flags,
            tags: self.tags,
            balance_after: self.balance(direction),
            profile_kind: this.kind,
            profile_division: division_of(this),
            profile_industry: legs.put(this.industry),
            member: TextSpan::default(),
            opened_at: this.party.and_then(|party| party.opened_at),
            registered: this.party.is_some(),
            agreements: this.party.map_or_else(Agreements::default, |party| agreements_on(party, self.day)),
            name: legs.put(this.name),
            account: legs.put(&this.side.account),
            basis: basis_of(this),
        };
        legs.push(draft);
        if !this.group.is_empty() {
            self.push_group_leg(draft, this, other, facts, legs);
        }
    }

    /// The group as a party of its own: what members pay one another stays inside. Its kind is nobody's, so rules of every subject fit it. Its accounts are
    /// those of its members: by them an analyst knows who they are.
    fn push_group_leg(&self, member: LegDraft, this: &Known<'_>, other: &Known<'_>, facts: Flags, legs: &mut LegBatch) {
        let is_inside = other.group == this.group || member.flags.has(Flags::OWN);
        let mut flags = facts;
        flags.set(Flags::OWN, is_inside);
        flags.set(Flags::SAME_NAME, !is_inside && member.flags.has(Flags::SAME_NAME));
        flags.set(Flags::RETAINED, member.flags.has(Flags::RETAINED));
        flags.set(Flags::EXEMPT_TERM, member.flags.has(Flags::EXEMPT_TERM));
        let draft = LegDraft {
            party: put_key(KeyKind::Group, &self.txn.institution, this.group, legs),
            flags,
            balance_after: None,
            profile_kind: PartyKind::Unknown,
            profile_division: Division::UNKNOWN,
            profile_industry: TextSpan::default(),
            member: member.party,
            opened_at: None,
            registered: false,
            agreements: Agreements::default(),
            name: TextSpan::default(),
            basis: DivisionBasis::Unknown,
            ..member
        };
        legs.push(draft);
    }

    /// Customer with us, else bank and account, else bank and name, else nobody.
    fn counterparty(&self, other: &Known<'_>, legs: &mut LegBatch) -> Option<TextSpan> {
        let bank: &str = &other.side.bank;
        match (other.customer, other.side.account.as_ref(), other.name) {
            ("", "", "") => None,
            ("", "", name) => Some(put_key(KeyKind::Name, bank, name, legs)),
            ("", account, _) => Some(put_key(KeyKind::Account, bank, account, legs)),
            (customer, ..) => Some(put_key(KeyKind::Customer, &self.txn.institution, customer, legs)),
        }
    }

    /// Flags that do not depend on whose move it is.
    fn facts(&self, other: &Known<'_>) -> Flags {
        let mut flags = self.flags;
        let industry = other.industry.strip_prefix(['J', 'j']).unwrap_or(other.industry);
        flags.set(Flags::SECURITIES, industry.starts_with(SECURITIES_INDUSTRY));
        let age = other.birth_year.map(|year| self.day.year() - year).filter(|age| *age >= 0);
        flags.set(Flags::AGE_KNOWN, age.is_some());
        flags.set(Flags::ELDERLY, age.is_some_and(|age| age >= ELDERLY_AGE));
        flags
    }

    /// The balance is that of the side whose row it is.
    fn balance(&self, direction: Direction) -> Option<i64> {
        let reporting = match self.txn.reporting? {
            ReportingSide::Payer => Direction::Out,
            ReportingSide::Payee => Direction::In,
        };
        self.txn.balance_after.filter(|_| reporting == direction && self.txn.currency == Currency::CNY)
    }
}

/// As [`KeyKind::push_key`].
fn put_key(kind: KeyKind, scope: &str, id: &str, legs: &mut LegBatch) -> TextSpan {
    legs.put_with(|text| kind.push_key(text, scope, id))
}

/// Where it operates, else where it is registered, else what the record says.
fn division_of(known: &Known<'_>) -> Division {
    match basis_of(known) {
        DivisionBasis::Operation => known.party.map(|party| party.operating_division),
        DivisionBasis::Registration => known.party.map(|party| party.registered_division),
        DivisionBasis::Record | DivisionBasis::Unknown => None,
    }
    .unwrap_or(known.side.division)
}

fn basis_of(known: &Known<'_>) -> DivisionBasis {
    match known.party {
        Some(party) if party.operating_division.is_known() => DivisionBasis::Operation,
        Some(party) if party.registered_division.is_known() => DivisionBasis::Registration,
        _ if known.side.division.is_known() => DivisionBasis::Record,
        _ => DivisionBasis::Unknown,
    }
}

fn agreements_on(party: &Party, day: Day) -> Agreements {
    let mut agreements = Agreements::default();
    for agreement in party.agreements.iter().filter(|agreement| agreement.valid_to >= day) {
        agreements.insert(agreement.kind);
        if agreement.kind == weir_model::AgreementKind::Payroll {
            agreements.payroll_people = agreements.payroll_people.max(agreement.people.unwrap_or(0));
        }
    }
    agreements
}

/// The same customer, or the same account where a customer is not known on both sides.
fn is_same_party(this: &Known<'_>, other: &Known<'_>) -> bool {
    if !this.customer.is_empty() && !other.customer.is_empty() {
        return this.customer == other.customer;
    }
    // Empty first: comparing two empty texts is not free (decision 0019).
    let banks_agree = this.side.bank.is_empty() || other.side.bank.is_empty() || this.side.bank == other.side.bank;
    !this.side.account.is_empty() && this.side.account == other.side.account && banks_agree
}

/// The party's name on an account that is not with us, or at another bank. A namesake among our own customers is another person.
fn is_same_name_elsewhere(this: &Known<'_>, other: &Known<'_>, institution: &str) -> bool {
    let is_same_name = !this.name.is_empty() && this.name == other.name;
    let own_bank = if this.side.bank.is_empty() { institution } else { &this.side.bank };
    let is_other_bank = !other.side.bank.is_empty() && other.side.bank != own_bank;
    is_same_name && (other.customer.is_empty() || (is_other_bank && this.customer != other.customer))
}

/// 定期续存, 定活互转: both classes given, at least one term deposit, no wealth product.
fn is_roll_over(this: &Side<'_>, other: &Side<'_>) -> bool {
    let (Some(this), Some(other)) = (this.account_class, other.account_class) else { return false };
    let classes = [this, other];
    classes.contains(&AccountClass::Term) && !classes.contains(&AccountClass::Wealth)
}

/// Both customers with us, or the same bank code where a record gives codes. A side without one is with the reporting bank.
fn is_same_institution(this: &Known<'_>, other: &Known<'_>, institution: &str) -> bool {
    fn bank<'k>(known: &'k Known<'_>, institution: &'k str) -> &'k str {
        if known.side.bank.is_empty() { institution } else { &known.side.bank }
    }
    (!this.customer.is_empty() && !other.customer.is_empty()) || bank(this, institution) == bank(other, institution)
}
