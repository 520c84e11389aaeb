//! Label files: what is true of a bank, for whoever judges a detector's answers.
//!
//! `customers.csv` says what customers are within what; `schemes.csv` what each scheme has come to, and its dials; `transactions.csv` which
//! rows belong to what. Rows and customers that stand in none are ordinary life.

use std::collections::BTreeSet;
use std::io::{self, Write};

use weir_model::Day;

use super::Bank;
use super::disorder::Row;
use super::faces::BANK;
use super::feed;
use super::label::{Part, Role};
use super::plan::DIALS;
use super::scheme::Scheme;

/// Header of `customers.csv`.
const CUSTOMERS: &str = "party,label,family,part,role,from,to";
/// Header of `transactions.csv`.
const TRANSACTIONS: &str = "txn_id,label,family,part";
/// Header of `schemes.csv`, before the dials. Money in yuan.
const SCHEMES: &str = "part,family,payout,from,to,payers,visible_payers,principal,visible_principal,first_at,payers_30_at,payers_100_at,\
                       payers_150_at,million_at,principal_30_percent_at";

/// Writes the header of `transactions.csv`.
///
/// # Errors
/// Those of `out`.
pub fn transactions_header(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{TRANSACTIONS}")
}

/// Writes what a row belongs to, unless it is ordinary.
///
/// # Errors
/// Those of `out`.
pub fn transaction(parts: &[Part], row: &Row, out: &mut impl Write) -> io::Result<()> {
    let number = row.movement.part;
    let Some(part) = number.checked_sub(1).and_then(|at| parts.get(at as usize)) else { return Ok(()) };
    let mut serial = String::new();
    feed::serial(row.serial, &mut serial);
    writeln!(out, "{serial},{},{},{number}", part.verdict.name(), part.family)
}

/// Writes `customers.csv`, after the last day: who pays in is known only then.
///
/// # Errors
/// Those of `out`.
pub fn customers(bank: &Bank, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{CUSTOMERS}")?;
    for (number, part) in (1..).zip(&bank.parts) {
        let payers = bank.schemes.iter().filter(|scheme| scheme.part == number).flat_map(Scheme::payers);
        for (customer, role) in part.members.iter().copied().chain(payers.map(|payer| (*payer, Role::Payer))) {
            let (verdict, family, role) = (part.verdict.name(), part.family, role.name());
            writeln!(out, "c:{BANK}/{:08},{verdict},{family},{number},{role},{},{}", bank.world.code(customer), part.span.0, part.span.1)?;
        }
        // An agent is somebody of the town, whose own group has nothing to do with it.
        let own = part.members.iter().filter(|(_, role)| *role != Role::Agent);
        let groups = own.map(|(customer, _)| bank.world.customers[*customer as usize].group).filter(|group| *group > 0);
        for group in groups.collect::<BTreeSet<_>>() {
            let (verdict, family, role) = (part.verdict.name(), part.family, Role::Group.name());
            writeln!(out, "g:{BANK}/{},{verdict},{family},{number},{role},{},{}", bank.world.group_code(group), part.span.0, part.span.1)?;
        }
    }
    Ok(())
}

/// Writes `schemes.csv`, after the last day: what a scheme has come to is known only then.
///
/// # Errors
/// Those of `out`.
pub fn schemes(bank: &Bank, out: &mut impl Write) -> io::Result<()> {
    write!(out, "{SCHEMES}")?;
    for dial in DIALS {
        write!(out, ",dial_{}", dial.name)?;
    }
    // What is held is held of all schemes.
    for (name, _) in bank.schemes.iter().take(1).flat_map(|scheme| &scheme.plan.dials[DIALS.len()..]) {
        write!(out, ",dial_{name}")?;
    }
    writeln!(out)?;
    for scheme in &bank.schemes {
        let (plan, outcome) = (&scheme.plan, &scheme.outcome);
        write!(out, "{},{},{},{},{},", scheme.part, plan.theme.name(), plan.payout.name(), plan.span.0, plan.span.1)?;
        write!(out, "{},{},{},{}", outcome.payers, outcome.visible_payers, outcome.principal / 100, outcome.visible_principal / 100)?;
        let [p30, p100, p150] = outcome.payers_at;
        for day in [outcome.first, p30, p100, p150, outcome.million_at, outcome.reached(300)] {
            write!(out, ",{}", day.map(|day: Day| day.to_string()).unwrap_or_default())?;
        }
        for (_, value) in &plan.dials {
            write!(out, ",{value}")?;
        }
        writeln!(out)?;
    }
    Ok(())
}
