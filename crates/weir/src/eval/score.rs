//! What is counted, and how.
//!
//! Group level: a scheme is found when an account of its own (collector, pool, payout) has an alert. Party level: each such account
//! is found or not, each alert is on one or not. Grey families are neither right nor wrong, agents and payers of schemes neither. Intervals are
//! Wilson's, of 95 %.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use weir_model::Day;

use super::truth::{Member, Said, SchemeRow, Truth};

/// Roles whose accounts are the scheme's own.
const OWN_ROLES: [&str; 3] = ["collector", "pool", "payout"];
/// The role of those accounts together, where the bank knows that they belong together. It is no account: it finds a scheme, and counts in no
/// recall of accounts.
const GROUP_ROLE: &str = "group";
/// Least visible payers for a scheme to be asked of a detector.
pub(crate) const PAYERS_MIN: i64 = 30;

/// So many of so many, with an interval.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) of: u64,
    pub(crate) hits: u64,
    /// `hits / of`, and the ends of its interval; 0 to 1.
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Share {
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a share to look at")]
    fn of(hits: u64, of: u64) -> Self {
        if of == 0 {
            return Self { of, hits, value: 0.0, low: 0.0, high: 1.0 };
        }
        const Z: f64 = 1.959_964;
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Self { of, hits, value: p, low: ((middle - half) / scale).max(0.0), high: ((middle + half) / scale).min(1.0) }
    }

    fn plus(self, other: Self) -> Self {
        Self::of(self.hits + other.hits, self.of + other.of)
    }

    fn counted(outcomes: impl Iterator<Item = bool>) -> Self {
        let (mut hits, mut of) = (0, 0);
        for is_hit in outcomes {
            of += 1;
            hits += u64::from(is_hit);
        }
        Self::of(hits, of)
    }
}

/// How many of the schemes of some kind are found, and when.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Which.
    pub(crate) what: String,
    pub(crate) found: Share,
    /// Alerted before the 150th visible payer or the first million, of those that reach either.
    pub(crate) before_filing: Share,
    /// Alerted before 30 % of the principal is in.
    pub(crate) before_30_percent: Share,
    /// Days from the first alert to the end of paying in: quartiles of those found. Scores that were added up have none.
    pub(crate) lead_days: Option<[i32; 3]>,
    /// Found by each rule.
    pub(crate) by_rule: BTreeMap<String, u64>,
}

/// A family of look-alikes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Family {
    pub(crate) family: String,
    pub(crate) label: String,
    /// Instances with an alert.
    pub(crate) alerted: Share,
    /// Alerts by rule.
    pub(crate) by_rule: BTreeMap<String, u64>,
}

/// A scheme that nobody noticed.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Missed {
    pub(crate) seed: u64,
    pub(crate) part: i64,
    pub(crate) family: String,
    pub(crate) payout: String,
    pub(crate) visible_payers: i64,
    /// Yuan.
    pub(crate) visible_principal: i64,
    /// What is unusual about it.
    pub(crate) traits: Vec<String>,
}

/// Everything.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) banks: u64,
    pub(crate) customers: u64,
    pub(crate) days: u64,
    /// Days of each customer's bank, over all customers.
    pub(crate) customer_days: u64,
    pub(crate) alerts: u64,
    pub(crate) alerts_a_day: f64,
    /// On parties that are neither a scheme's nor grey.
    pub(crate) false_alerts: u64,
    pub(crate) false_per_10000_customers_and_month: f64,
    /// Alerts on a scheme's own accounts among those that are right or wrong.
    pub(crate) precision: Share,
    /// A scheme's own accounts that have an alert, of schemes with enough visible payers.
    pub(crate) recall_parties: Share,
    pub(crate) f1: f64,
    /// By size.
    pub(crate) sizes: Vec<Found>,
    /// With enough visible payers: by theme, then by payout.
    pub(crate) themes: Vec<Found>,
    pub(crate) payouts: Vec<Found>,
    pub(crate) families: Vec<Family>,
    /// Rule, then what the party is: alerts.
    pub(crate) confusion: BTreeMap<String, BTreeMap<String, u64>>,
    /// Schemes with enough visible payers that were not found.
    pub(crate) missed: Vec<Missed>,
}

/// Instances of a family, those with an alert, alerts by rule.
#[derive(Debug, Default)]
struct Tally {
    instances: u64,
    alerted: u64,
    by_rule: BTreeMap<String, u64>,
}

/// A scheme with its alerts.
struct Case<'a> {
    seed: u64,
    row: &'a SchemeRow,
    first: Option<Day>,
    rules: HashSet<&'a str>,
}

impl Score {
    /// Of banks with what was said of them.
    pub(crate) fn of(banks: &[(Truth, Vec<Said>)]) -> Self {
        let mut cases = Vec::new();
        let (mut right, mut wrong, mut alerts) = (0, 0, 0);
        let (mut own, mut own_found) = (0, 0);
        let (mut days, mut customers, mut customer_days) = (0, 0, 0);
        let mut families: BTreeMap<(String, String), Tally> = BTreeMap::new();
        let mut confusion: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
        for (truth, said) in banks {
            let mut by_party: HashMap<&str, Vec<&Member>> = HashMap::new();
            truth.members.iter().for_each(|member| by_party.entry(&member.party).or_default().push(member));
            let mut alerted: HashMap<&str, Vec<&Said>> = HashMap::new();
            said.iter().for_each(|said| alerted.entry(&said.party).or_default().push(said));
            days = days.max(truth.about.days);
            customers += truth.about.all_customers;
            customer_days += truth.about.all_customers * truth.about.days;
            alerts += said.len() as u64;
            for said in said {
                let who = what_is(by_party.get(said.party.as_str()).map_or(&[], Vec::as_slice));
                match who.1 {
                    Verdict::Right => right += 1,
                    Verdict::Wrong => wrong += 1,
                    Verdict::Neither => {}
                }
                *confusion.entry(said.rule.clone()).or_default().entry(who.0).or_default() += 1;
            }
            let mut cases_here: HashMap<i64, Case<'_>> = truth
                .schemes
                .iter()
                .map(|row| (row.number("part"), Case { seed: truth.about.seed, row, first: None, rules: HashSet::new() }))
                .collect();
            let mut instances: BTreeMap<u32, (&Member, u64, BTreeMap<String, u64>)> = BTreeMap::new();
            for member in &truth.members {
                let said = alerted.get(member.party.as_str()).map_or(&[] as &[&Said], Vec::as_slice);
                if let Some(case) = cases_here.get_mut(&i64::from(member.part)) {
                    if is_own(member) {
                        if case.row.visible_payers() >= PAYERS_MIN && member.role != GROUP_ROLE {
                            own += 1;
                            own_found += u64::from(!said.is_empty());
                        }
                        for said in said {
                            case.first = Some(case.first.map_or(said.first, |first| first.min(said.first)));
                            case.rules.insert(&said.rule);
                        }
                    }
                } else {
                    let instance = instances.entry(member.part).or_insert((member, 0, BTreeMap::new()));
                    instance.1 += said.len() as u64;
                    said.iter().for_each(|said| *instance.2.entry(said.rule.clone()).or_default() += 1);
                }
            }
            for (member, count, by_rule) in instances.into_values() {
                let family = families.entry((member.label.clone(), member.family.clone())).or_default();
                family.instances += 1;
                family.alerted += u64::from(count > 0);
                by_rule.into_iter().for_each(|(rule, count)| *family.by_rule.entry(rule).or_default() += count);
            }
            let mut here: Vec<Case<'_>> = cases_here.into_values().collect();
            here.sort_by_key(|case| case.row.number("part"));
            cases.extend(here);
        }
        let precision = Share::of(right, right + wrong);
        let recall_parties = Share::of(own_found, own);
        let asked: Vec<&Case<'_>> = cases.iter().filter(|case| case.row.visible_payers() >= PAYERS_MIN).collect();
        let sizes = [0, PAYERS_MIN, 100, 150].map(|least| {
            let some: Vec<&Case<'_>> = cases.iter().filter(|case| case.row.visible_payers() >= least).collect();
            found(&format!("≥ {least}"), &some)
        });
        Self {
            banks: banks.len() as u64,
            customers,
            days,
            customer_days,
            alerts,
            alerts_a_day: 0.0,
            false_alerts: wrong,
            false_per_10000_customers_and_month: 0.0,
            precision,
            recall_parties,
            f1: 0.0,
            sizes: sizes.into(),
            themes: by(&asked, |case| case.row.text("family").to_owned()),
            payouts: by(&asked, |case| case.row.text("payout").to_owned()),
            families: families
                .into_iter()
                .map(|((label, family), tally)| Family {
                    family,
                    label,
                    alerted: Share::of(tally.alerted, tally.instances),
                    by_rule: tally.by_rule,
                })
                .collect(),
            confusion,
            missed: asked.iter().filter(|case| case.first.is_none()).map(|case| missed(case)).collect(),
        }
        .with_rates()
    }

    /// Adds the score of other banks, whose customers never meet these.
    pub(crate) fn plus(mut self, other: Self) -> Self {
        self.banks += other.banks;
        self.customers += other.customers;
        self.days = self.days.max(other.days);
        self.customer_days += other.customer_days;
        self.alerts += other.alerts;
        self.false_alerts += other.false_alerts;
        self.precision = self.precision.plus(other.precision);
        self.recall_parties = self.recall_parties.plus(other.recall_parties);
        add_found(&mut self.sizes, other.sizes);
        for (mine, others) in [(&mut self.themes, other.themes), (&mut self.payouts, other.payouts)] {
            add_found(mine, others);
            mine.sort_by(|a, b| a.what.cmp(&b.what));
        }
        for other in other.families {
            match self.families.iter_mut().find(|mine| (&mine.label, &mine.family) == (&other.label, &other.family)) {
                Some(mine) => {
                    mine.alerted = mine.alerted.plus(other.alerted);
                    add_counts(&mut mine.by_rule, other.by_rule);
                }
                None => self.families.push(other),
            }
        }
        self.families.sort_by(|a, b| (&a.label, &a.family).cmp(&(&b.label, &b.family)));
        for (rule, counts) in other.confusion {
            add_counts(self.confusion.entry(rule).or_default(), counts);
        }
        self.missed.extend(other.missed);
        self.with_rates()
    }

    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates to look at")]
    fn with_rates(mut self) -> Self {
        let (days, months) = (self.days as f64, self.customer_days as f64 / 30.436_875 / 10_000.0);
        self.alerts_a_day = if self.days == 0 { 0.0 } else { self.alerts as f64 / days };
        self.false_per_10000_customers_and_month = if self.customer_days == 0 { 0.0 } else { self.false_alerts as f64 / months };
        let (precision, recall) = (self.precision.value, self.recall_parties.value);
        self.f1 = if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 };
        self
    }
}

fn add_found(found: &mut Vec<Found>, others: Vec<Found>) {
    for other in others {
        let Some(mine) = found.iter_mut().find(|mine| mine.what == other.what) else {
            found.push(other);
            continue;
        };
        // Quartiles cannot be added, but to those of nobody.
        mine.lead_days = match (mine.found.hits, other.found.hits) {
            (0, _) => other.lead_days,
            (_, 0) => mine.lead_days,
            _ => None,
        };
        mine.found = mine.found.plus(other.found);
        mine.before_filing = mine.before_filing.plus(other.before_filing);
        mine.before_30_percent = mine.before_30_percent.plus(other.before_30_percent);
        add_counts(&mut mine.by_rule, other.by_rule);
    }
}

fn add_counts(counts: &mut BTreeMap<String, u64>, others: BTreeMap<String, u64>) {
    for (key, count) in others {
        *counts.entry(key).or_default() += count;
    }
}

fn is_own(member: &Member) -> bool {
    OWN_ROLES.contains(&member.role.as_str()) || member.role == GROUP_ROLE
}

enum Verdict {
    Right,
    Wrong,
    Neither,
}

/// What an alert on a party of these memberships is on: the gravest counts.
fn what_is(members: &[&Member]) -> (String, Verdict) {
    let own = members.iter().find(|member| member.label == "scheme" && is_own(member));
    if let Some(member) = own {
        return (member.role.clone(), Verdict::Right);
    }
    if let Some(member) = members.iter().find(|member| member.label == "scheme") {
        return (member.role.clone(), Verdict::Neither);
    }
    if let Some(member) = members.iter().find(|member| member.label == "grey") {
        return (format!("grey {}", member.family), Verdict::Neither);
    }
    match members.first() {
        Some(member) => (member.family.clone(), Verdict::Wrong),
        None => ("ordinary".to_owned(), Verdict::Wrong),
    }
}

fn by(cases: &[&Case<'_>], key: impl Fn(&Case<'_>) -> String) -> Vec<Found> {
    let keys: std::collections::BTreeSet<String> = cases.iter().map(|case| key(case)).collect();
    keys.into_iter()
        .map(|name| {
            let some: Vec<&Case<'_>> = cases.iter().copied().filter(|case| key(case) == name).collect();
            found(&name, &some)
        })
        .collect()
}

fn found(what: &str, cases: &[&Case<'_>]) -> Found {
    let is_by = |case: &Case<'_>, day: Option<Day>| case.first.is_some_and(|first| day.is_none_or(|day| first <= day));
    let filing = |case: &Case<'_>| ["payers_150_at", "million_at"].into_iter().filter_map(|name| case.row.day(name)).min();
    let mut leads: Vec<i32> = cases.iter().filter_map(|case| Some(case.row.day("to")?.0 - case.first?.0)).collect();
    leads.sort_unstable();
    let mut by_rule = BTreeMap::new();
    for rule in cases.iter().flat_map(|case| &case.rules) {
        *by_rule.entry((*rule).to_owned()).or_default() += 1;
    }
    let quartile = |part: usize| leads[(leads.len() - 1) * part / 4];
    Found {
        what: what.to_owned(),
        found: Share::counted(cases.iter().map(|case| case.first.is_some())),
        before_filing: Share::counted(cases.iter().filter_map(|case| Some(is_by(case, Some(filing(case)?))))),
        before_30_percent: Share::counted(cases.iter().map(|case| is_by(case, case.row.day("principal_30_percent_at")))),
        lead_days: (!leads.is_empty()).then(|| [quartile(1), quartile(2), quartile(3)]),
        by_rule,
    }
}

/// What makes a scheme hard to see, as far as its dials tell.
fn missed(case: &Case<'_>) -> Missed {
    let row = case.row;
    let mut traits = Vec::new();
    let mut note = |is_so: bool, text: String| {
        if is_so {
            traits.push(text);
        }
    };
    note(row.dial("acquired") > 0, format!("acquired {}‰", row.dial("acquired")));
    note(row.dial("cash") > 0, format!("cash {}‰", row.dial("cash")));
    note(
        row.dial("rotate") > 0 || row.dial("collectors") > 1,
        format!("collectors {}, rotate {}d", row.dial("collectors"), row.dial("rotate")),
    );
    note(row.dial("pays_here") == 0, "pays from elsewhere".to_owned());
    note(row.dial("business") > 0, format!("business {}‰", row.dial("business")));
    note(row.dial("outlets") > 3, format!("outlets {}", row.dial("outlets")));
    note(row.dial("sweep") > 30, format!("sweep {}d", row.dial("sweep")));
    note(row.dial("wobble") > 100 || row.dial("jitter") > 3, format!("wobble {}‰, jitter {}d", row.dial("wobble"), row.dial("jitter")));
    note(row.dial("life") > 700, format!("life {}d", row.dial("life")));
    Missed {
        seed: case.seed,
        part: row.number("part"),
        family: row.text("family").to_owned(),
        payout: row.text("payout").to_owned(),
        visible_payers: row.visible_payers(),
        visible_principal: row.number("visible_principal"),
        traits,
    }
}
