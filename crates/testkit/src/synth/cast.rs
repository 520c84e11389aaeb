//! Who plays what in the schemes, by account as the feed shows it, from its first movement there to its last.
//!
//! Gathered while rows are written: an investor who pays elsewhere is a payer that no feed shows, and is not in it. Memory is the people seen in
//! schemes.

use std::collections::BTreeMap;
use std::io::{self, Write};

use weir_model::{EventTime, PartyKind};

use super::Bank;
use super::disorder::Row;
use super::faces::{BANK, Face};
use super::label::Role;
use super::movement::{PartId, Who};

/// Header of `accounts.csv`.
const ACCOUNTS: &str = "account,party,label,family,part,role,from,to";

/// Seconds of a role's first and last movement, and the customer number of who has an account here.
#[derive(Debug)]
struct Span {
    first: i64,
    last: i64,
    customer: String,
}

/// Everybody seen so far.
#[derive(Debug, Default)]
pub struct Cast {
    seen: BTreeMap<(PartId, Role, String), Span>,
    face: Face,
}

impl Cast {
    /// Notes both sides of a row, where it is a scheme's.
    pub fn note(&mut self, bank: &Bank, row: &Row) {
        // Who gets something back, or has it taken back, is what the movement before has made him.
        if row.reverses.is_some() {
            return;
        }
        let movement = &row.movement;
        let Ok(at) = bank.schemes.binary_search_by_key(&movement.part, |scheme| scheme.part) else { return };
        for who in [movement.payer, movement.payee] {
            let Some(role) = bank.schemes[at].role_of(who, movement.memo) else { continue };
            self.note_as(bank, who, (movement.part, role), movement.at);
            let is_own = matches!(role, Role::Collector | Role::Pool | Role::Payout);
            let is_person = |number: u32| bank.world.customers[number as usize].kind == PartyKind::Natural;
            if matches!(who, Who::Own(number, _) if is_own && is_person(number)) {
                self.note_as(bank, who, (movement.part, Role::Mule), movement.at);
            }
        }
    }

    fn note_as(&mut self, bank: &Bank, who: Who, (part, role): (PartId, Role), at: i64) {
        self.face.show(&bank.world, who, false);
        let span = self.seen.entry((part, role, self.face.account.clone())).or_insert_with(|| Span {
            first: at,
            last: at,
            customer: self.face.customer.clone(),
        });
        (span.first, span.last) = (span.first.min(at), span.last.max(at));
    }

    /// Writes `accounts.csv`, by scheme, role and account.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, bank: &Bank, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "{ACCOUNTS}")?;
        for ((number, role, account), span) in &self.seen {
            let part = &bank.parts[*number as usize - 1];
            let party = if span.customer.is_empty() { String::new() } else { format!("c:{BANK}/{}", span.customer) };
            let [from, to] = [span.first, span.last].map(|second| EventTime(second * 1_000_000).day());
            writeln!(out, "{account},{party},{},{},{number},{},{from},{to}", part.verdict.name(), part.family, role.name())?;
        }
        Ok(())
    }
}
