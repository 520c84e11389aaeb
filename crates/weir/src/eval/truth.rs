//! What is true of a bank (the label files of `weir synth`) and what was said of it (alerts).

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use weir_feed::Parties;
use weir_model::alert::AlertStatus;
use weir_model::party::unit_of;
use weir_model::{Day, KeyKind};

use crate::failure::Failure;
use crate::input_error::{self, json_fault};
use crate::language::{Lang, say};

/// A row of `customers.csv`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Member {
    /// `c:` and the customer, within its institution.
    pub(crate) party: String,
    /// `scheme`, `grey` or `benign`.
    pub(crate) label: String,
    /// Theme of the scheme or family of look-alikes.
    pub(crate) family: String,
    /// Number of the scheme or instance.
    pub(crate) part: u32,
    /// What the customer is in it.
    pub(crate) role: String,
}

/// A row of `schemes.csv`, by the names of its columns.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub(crate) struct SchemeRow(BTreeMap<String, String>);

impl SchemeRow {
    /// A field.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    /// A number; 0 where there is none.
    pub(crate) fn number(&self, name: &str) -> i64 {
        self.text(name).parse().unwrap_or(0)
    }

    /// A dial.
    pub(crate) fn dial(&self, name: &str) -> i64 {
        self.number(&format!("dial_{name}"))
    }

    /// A day, where it was reached.
    pub(crate) fn day(&self, name: &str) -> Option<Day> {
        Day::parse(self.text(name))
    }

    /// People seen to pay in.
    pub(crate) fn visible_payers(&self) -> i64 {
        self.number("visible_payers")
    }
}

/// The role of who pays in.
const PAYER: &str = "payer";
/// Columns of `schemes.csv` that judging rests on.
const SCHEME_COLUMNS: [&str; 12] = [
    "part",
    "family",
    "payout",
    "to",
    "visible_payers",
    "visible_principal",
    "payers_30_at",
    "payers_100_at",
    "payers_150_at",
    "million_at",
    "principal_30_percent_at",
    "dial_pays_here",
];

/// Part of `bank.json`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct About {
    pub(crate) seed: u64,
    pub(crate) all_customers: u64,
    pub(crate) days: u64,
    from: String,
}

impl About {
    /// First and last day of the bank.
    pub(crate) fn span(&self) -> Option<(Day, Day)> {
        let from = Day::parse(&self.from)?;
        Some((from, from.plus(i32::try_from(self.days).unwrap_or(i32::MAX).saturating_sub(1))))
    }
}

/// What is true of one bank.
#[derive(Debug)]
pub(crate) struct Truth {
    pub(crate) about: About,
    pub(crate) members: Vec<Member>,
    pub(crate) schemes: Vec<SchemeRow>,
    /// Party data beside the labels, where there are any.
    parties: Option<PathBuf>,
}

/// An alert, as far as it is judged.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) party: String,
    pub(crate) rule: String,
    pub(crate) first: Day,
    /// Of a rule on trial.
    pub(crate) is_trial: bool,
}

impl Truth {
    /// Reads the folder that `weir synth` has written, or its `labels`, or a file in there.
    pub(crate) fn read(path: &Path, lang: Lang) -> Result<Self, Failure> {
        std::fs::metadata(path).map_err(|error| unreadable(path, &error, lang))?;
        let folder = if path.is_file() { path.parent().unwrap_or(path) } else { path };
        let labels = if folder.join("labels").is_dir() { folder.join("labels") } else { folder.to_owned() };
        // Labels of one's own may have it beside them; `weir synth` has it beside the folder of that name.
        let mut places = vec![folder.join("bank.json"), labels.join("bank.json")];
        if labels.file_name().is_some_and(|name| name == "labels") {
            places.push(labels.join("../bank.json"));
        }
        let about_path = places.iter().find(|path| path.is_file()).ok_or_else(|| no_bank(&labels, lang))?;
        let text = std::fs::read_to_string(about_path).map_err(|error| unreadable(about_path, &error, lang))?;
        let about = serde_json::from_str(&text).map_err(|error| unreadable(about_path, &error, lang))?;
        let (customers, schemes) = (labels.join("customers.csv"), labels.join("schemes.csv"));
        let parties = about_path.with_file_name("parties.csv");
        let parties = parties.is_file().then_some(parties);
        let mut members = rows(&customers, lang)?;
        let accounts = labels.join("accounts.csv");
        if accounts.is_file() {
            retain_seen(&mut members, &accounts, lang)?;
        }
        let truth = Self { about, members, schemes: rows(&schemes, lang)?, parties };
        // A column that is not there would pass for zero.
        let lacking = truth.schemes.first().and_then(|row| SCHEME_COLUMNS.iter().find(|name| !row.0.contains_key(**name)));
        lacking.map_or(Ok(truth), |name| Err(bad(&schemes, 1, name, lang)))
    }
}

/// Whether some of the customers alerted are in the party data, whatever the institution is called there. One that is not may have no number; all of
/// them are another bank's.
fn knows_some(parties: &Path, said: &[Said], lang: Lang) -> Result<bool, Failure> {
    let numbers: HashSet<&str> =
        said.iter().filter(|said| KeyKind::Customer.is_of(&said.party)).map(|said| unit_of(&said.party).1).collect();
    if numbers.is_empty() {
        return Ok(true);
    }
    let parties = Parties::load(parties, "").map_err(|error| input_error::failure(&error, lang))?;
    Ok(parties.iter().any(|party| numbers.contains(party.customer.as_str())))
}

/// Leaves out payers whom no feed of the bank has shown as such: they pay elsewhere, and an alert on one of them is as wrong as on anybody.
fn retain_seen(members: &mut Vec<Member>, accounts: &PathBuf, lang: Lang) -> Result<(), Failure> {
    #[derive(Deserialize)]
    struct Account {
        party: String,
        part: u32,
        role: String,
    }
    let accounts: Vec<Account> = rows(accounts, lang)?;
    let seen: HashSet<(String, u32)> =
        accounts.into_iter().filter(|account| account.role == PAYER).map(|account| (account.party, account.part)).collect();
    members.retain(|member| member.role != PAYER || seen.contains(&(member.party.clone(), member.part)));
    Ok(())
}

/// Alerts of a file in their final state: of several revisions the last counts, and what was withdrawn was not said. All of them are of the bank's days.
pub(crate) fn alerts(path: &Path, truth: &Truth, lang: Lang) -> Result<Vec<Said>, Failure> {
    #[derive(Deserialize)]
    struct Line {
        alert_id: String,
        status: String,
        rule: Rule,
        subject: Subject,
        first_hit_at: String,
    }
    #[derive(Deserialize)]
    struct Rule {
        id: String,
        shadow: bool,
    }
    #[derive(Deserialize)]
    struct Subject {
        party: String,
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error, lang))?;
    let (mut order, mut last) = (Vec::new(), HashMap::new());
    for (number, line) in (1..).zip(BufReader::new(file).lines()) {
        let line = line.map_err(|error| unreadable(path, &error, lang))?;
        let place = |what: &dyn std::fmt::Display| bad(path, number, what, lang);
        let alert: Line = serde_json::from_str(&line).map_err(|error| place(&no_alert(&error, lang)))?;
        let day = alert.first_hit_at.get(..10).and_then(Day::parse);
        let first = day.ok_or_else(|| place(&"first_hit_at"))?;
        // Of days behind it are records with wrong dates; of days before it is nothing.
        if let Some((from, _)) = truth.about.span().filter(|(from, _)| first < *from) {
            let what = lang.of("预警早于该银行的第一天，是另一家银行的", "it is from before the bank's first day, and so of another bank");
            return Err(place(&format!("{first} < {from}: {what}")));
        }
        let said = Said { party: alert.subject.party, rule: alert.rule.id, first, is_trial: alert.rule.shadow };
        let said = (alert.status != AlertStatus::Withdrawn.name()).then_some(said);
        if last.insert(alert.alert_id.clone(), said).is_none() {
            order.push(alert.alert_id);
        }
    }
    let said: Vec<Said> = order.iter().filter_map(|id| last.remove(id).flatten()).collect();
    if let Some(parties) = &truth.parties
        && !knows_some(parties, &said, lang)?
    {
        let (name, parties) = (path.display(), parties.display());
        return Err(Failure::bad_input(say!(
            lang,
            "{name}：预警的客户没有一个在 {parties} 中，是另一家银行的预警",
            "{name}: none of the customers alerted is in {parties}: these are alerts of another bank"
        )));
    }
    Ok(said)
}

fn rows<T: for<'de> Deserialize<'de>>(path: &PathBuf, lang: Lang) -> Result<Vec<T>, Failure> {
    let mut reader = csv::Reader::from_path(path).map_err(|error| unreadable(path, &error, lang))?;
    reader.deserialize().zip(2..).map(|(row, line)| row.map_err(|error| bad(path, line, &error, lang))).collect()
}

fn no_bank(labels: &Path, lang: Lang) -> Failure {
    let (name, form) = (labels.display(), r#"{"seed": 0, "from": "2024-01-01", "days": 540, "all_customers": 20000}"#);
    Failure::bad_input(say!(
        lang,
        "{name}：旁边没有 bank.json，不知道这家银行有多少客户、多少天；weir synth 会写出它，自己的标签请在该目录写一个 bank.json，内容如 {form}",
        "{name}: there is no bank.json beside it, which says how many customers and days the bank has; weir synth writes it, and with labels \
         of your own you write one into the folder, such as {form}"
    ))
}

fn unreadable(path: &Path, error: &dyn std::fmt::Display, lang: Lang) -> Failure {
    let name = path.display();
    Failure::bad_input(say!(
        lang,
        "读不了 {name}：{error}；--labels 指 weir synth 写出的目录，--alerts 指 weir detect 写出的预警",
        "cannot read {name}: {error}; --labels is a folder written by weir synth, --alerts a file written by weir detect"
    ))
}

/// What is wrong with a line that is no alert, and where alerts come from.
fn no_alert(error: &serde_json::Error, lang: Lang) -> String {
    let what = json_fault(error, lang);
    say!(lang, "{what}；--alerts 指 weir detect 写出的预警", "{what}; --alerts is a file written by weir detect")
}

fn bad(path: &Path, line: u64, what: &dyn std::fmt::Display, lang: Lang) -> Failure {
    let name = path.display();
    Failure::bad_input(say!(lang, "{name}:{line}：不是预期的内容：{what}", "{name}:{line}: not what was expected: {what}"))
}
