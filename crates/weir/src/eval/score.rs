//! What is counted, and how.
//!
//! Group level: a scheme is found when an account of its own (collector, pool, payout) has an alert. Party level: each such account
//! is found or not, and so is each party that has an alert one or not. Recall asks for schemes with enough visible payers and their accounts; precision
//! asks of everything that was said, since an alert on a small scheme is right too. Grey families are neither right nor wrong, agents and payers of schemes neither.
//! Rules on trial open no case and are counted apart. Labels know days: what is *before* a day is on an earlier one. Intervals are of 95 %: of shares
//! Wilson's, of false alerts that of a Poisson count.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use weir_model::Day;
use weir_testkit::synth::plan;

use super::share::{Share, poisson};
use super::truth::{Member, Said, SchemeRow, Truth};

/// Roles whose accounts are the scheme's own.
const OWN_ROLES: [&str; 3] = ["collector", "pool", "payout"];
/// The role of those accounts together, where the bank knows that they belong together. It is no account: it finds a scheme, and counts in no
/// recall of accounts.
const GROUP_ROLE: &str = "group";
/// Behind the id of a rule on trial: in another bank it may be in force.
pub(crate) const TRIAL: &str = " on trial";
/// Least visible payers for a scheme to be asked of a detector.
pub(crate) const PAYERS_MIN: i64 = 30;

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
    /// Days from the first alert to the end of paying in, or to the bank's last day where that is earlier: quartiles of those found.
    pub(crate) lead_days: Option<[i32; 3]>,
    /// The same by day: how many were found so long before. Scores that were written earlier lack it; added up, they have no quartiles.
    #[serde(default)]
    pub(crate) leads: BTreeMap<i32, u64>,
    /// Found by each rule.
    pub(crate) by_rule: BTreeMap<String, u64>,
}

/// Schemes whose so many-th visible payer has paid in.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct AtPayers {
    pub(crate) payers: u32,
    /// Alerted before that day.
    pub(crate) before: Share,
    /// Alerted at any time.
    pub(crate) ever: Share,
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
    /// Dials that make it hard to see, by name.
    pub(crate) traits: Vec<(String, i64)>,
}

/// What became of the alerts of a rule.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct OfRule {
    /// On trial: counted nowhere else.
    pub(crate) is_trial: bool,
    pub(crate) alerts: u64,
    /// On a scheme's own accounts, among those that are right or wrong.
    pub(crate) precision: Share,
    /// Schemes with enough visible payers that it finds.
    pub(crate) recall: Share,
    /// Of these two, though one counts alerts and the other schemes.
    pub(crate) f1: f64,
    /// What the parties are: alerts.
    pub(crate) on: BTreeMap<String, u64>,
    /// Schemes that count for its recall and that another rule in force finds too, by rule; and those that no other finds.
    #[serde(default)]
    pub(crate) with: BTreeMap<String, u64>,
    #[serde(default)]
    pub(crate) alone: u64,
}

/// Precision and recall of one kind of thing: parties, or schemes.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Level {
    pub(crate) precision: Share,
    pub(crate) recall: Share,
    pub(crate) f1: f64,
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
    /// Of a bank.
    pub(crate) alerts_a_day: f64,
    /// On parties that are neither a scheme's nor grey.
    pub(crate) false_alerts: u64,
    pub(crate) false_per_10000_customers_and_month: f64,
    /// Its interval, were each false alert independent of the others; those on one party are not.
    #[serde(default)]
    pub(crate) false_interval: [f64; 2],
    /// Alerts on a scheme's own accounts among those that are right or wrong.
    pub(crate) precision: Share,
    /// Parties with an alert that are a scheme's own, among those that are right or wrong; accounts of schemes with enough visible payers that have one.
    pub(crate) parties: Level,
    /// Schemes found, among those and the parties that are wrong; schemes with enough visible payers that are found.
    pub(crate) groups: Level,
    /// By size.
    pub(crate) sizes: Vec<Found>,
    /// By the time at which so many had paid in. Empty where a score that was added up lacks it.
    #[serde(default)]
    pub(crate) at_payers: Vec<AtPayers>,
    /// With enough visible payers: by theme, then by payout.
    pub(crate) themes: Vec<Found>,
    pub(crate) payouts: Vec<Found>,
    pub(crate) families: Vec<Family>,
    /// By rule.
    pub(crate) rules: BTreeMap<String, OfRule>,
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
    /// The bank's last day.
    last: Option<Day>,
    first: Option<Day>,
    rules: HashSet<&'a str>,
    /// Rules on trial that see it.
    trial: HashSet<&'a str>,
}

impl Score {
    /// Of banks with what was said of them.
    pub(crate) fn of(banks: &[(Truth, Vec<Said>)]) -> Self {
        let mut cases = Vec::new();
        let (mut right, mut wrong, mut alerts) = (0, 0, 0);
        let (mut right_parties, mut wrong_parties) = (0, 0);
        let (mut own, mut own_found) = (0, 0);
        let (mut days, mut customers, mut customer_days) = (0, 0, 0);
        let mut families: BTreeMap<(String, String), Tally> = BTreeMap::new();
        let mut rules: BTreeMap<String, OfRule> = BTreeMap::new();
        for (truth, said) in banks {
            let mut by_party: HashMap<&str, Vec<&Member>> = HashMap::new();
            truth.members.iter().for_each(|member| by_party.entry(&member.party).or_default().push(member));
            let mut alerted: HashMap<&str, Vec<&Said>> = HashMap::new();
            said.iter().for_each(|said| alerted.entry(&said.party).or_default().push(said));
            days = days.max(truth.about.days);
            customers += truth.about.all_customers;
            customer_days += truth.about.all_customers * truth.about.days;
            let mut judged: HashSet<&str> = HashSet::new();
            for said in said {
                let (what, verdict) = what_is(by_party.get(said.party.as_str()).map_or(&[], Vec::as_slice));
                let (is_right, is_wrong) = (matches!(verdict, Verdict::Right), matches!(verdict, Verdict::Wrong));
                let name = if said.is_trial { format!("{}{TRIAL}", said.rule) } else { said.rule.clone() };
                let rule = rules.entry(name).or_default();
                rule.is_trial = said.is_trial;
                rule.alerts += 1;
                rule.precision = rule.precision.plus(Share::of(is_right.into(), (is_right || is_wrong).into()));
                *rule.on.entry(what).or_default() += 1;
                if said.is_trial {
                    continue;
                }
                alerts += 1;
                (right, wrong) = (right + u64::from(is_right), wrong + u64::from(is_wrong));
                if judged.insert(&said.party) {
                    (right_parties, wrong_parties) = (right_parties + u64::from(is_right), wrong_parties + u64::from(is_wrong));
                }
            }
            let mut cases_here: HashMap<i64, Case<'_>> = truth
                .schemes
                .iter()
                .map(|row| {
                    let last = truth.about.span().map(|(_, last)| last);
                    let case = Case { seed: truth.about.seed, row, last, first: None, rules: HashSet::new(), trial: HashSet::new() };
                    (row.number("part"), case)
                })
                .collect();
            let mut instances: BTreeMap<u32, (&Member, u64, BTreeMap<String, u64>)> = BTreeMap::new();
            for member in &truth.members {
                let all = alerted.get(member.party.as_str()).map_or(&[] as &[&Said], Vec::as_slice);
                let said: Vec<&Said> = all.iter().copied().filter(|said| !said.is_trial).collect();
                if let Some(case) = cases_here.get_mut(&i64::from(member.part)) {
                    if is_own(member) {
                        if case.row.visible_payers() >= PAYERS_MIN && member.role != GROUP_ROLE {
                            own += 1;
                            own_found += u64::from(!said.is_empty());
                        }
                        case.trial.extend(all.iter().filter(|said| said.is_trial).map(|said| said.rule.as_str()));
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
        let asked: Vec<&Case<'_>> = cases.iter().filter(|case| case.row.visible_payers() >= PAYERS_MIN).collect();
        let sizes = [0, PAYERS_MIN, 100, 150].map(|least| {
            let some: Vec<&Case<'_>> = cases.iter().filter(|case| case.row.visible_payers() >= least).collect();
            found(&format!("≥ {least}"), &some)
        });
        for (name, rule) in &mut rules {
            let of = name.strip_suffix(TRIAL);
            let sees = |case: &&Case<'_>| of.map_or_else(|| case.rules.contains(name.as_str()), |of| case.trial.contains(of));
            rule.recall = Share::counted(asked.iter().map(sees));
            let seen = || asked.iter().filter(|case| sees(case));
            rule.alone = seen().filter(|case| case.rules.iter().all(|other| *other == name.as_str())).count() as u64;
            for other in seen().flat_map(|case| &case.rules) {
                *rule.with.entry((*other).to_owned()).or_default() += 1;
            }
        }
        let found_all = cases.iter().filter(|case| case.first.is_some()).count() as u64;
        let level = |precision: Share, recall: Share| Level { precision, recall, f1: 0.0 };
        Self {
            banks: banks.len() as u64,
            customers,
            days,
            customer_days,
            alerts,
            alerts_a_day: 0.0,
            false_alerts: wrong,
            false_per_10000_customers_and_month: 0.0,
            false_interval: [0.0; 2],
            precision: Share::of(right, right + wrong),
            parties: level(Share::of(right_parties, right_parties + wrong_parties), Share::of(own_found, own)),
            groups: level(Share::of(found_all, found_all + wrong_parties), Share::counted(asked.iter().map(|case| case.first.is_some()))),
            sizes: sizes.into(),
            at_payers: at_payers(&cases),
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
            rules,
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
        for (mine, others) in [(&mut self.parties, &other.parties), (&mut self.groups, &other.groups)] {
            (mine.precision, mine.recall) = (mine.precision.plus(others.precision), mine.recall.plus(others.recall));
        }
        add_found(&mut self.sizes, other.sizes);
        if self.at_payers.is_empty() || other.at_payers.is_empty() {
            self.at_payers.clear();
        }
        for (mine, other) in self.at_payers.iter_mut().zip(other.at_payers) {
            (mine.before, mine.ever) = (mine.before.plus(other.before), mine.ever.plus(other.ever));
        }
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
        for (name, other) in other.rules {
            let mine = self.rules.entry(name).or_default();
            mine.is_trial = other.is_trial;
            mine.alerts += other.alerts;
            (mine.precision, mine.recall) = (mine.precision.plus(other.precision), mine.recall.plus(other.recall));
            add_counts(&mut mine.on, other.on);
            add_counts(&mut mine.with, other.with);
            mine.alone += other.alone;
        }
        self.missed.extend(other.missed);
        self.with_rates()
    }

    /// Rates as they follow from the counts: an earlier version may have written others.
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates to look at")]
    pub(crate) fn with_rates(mut self) -> Self {
        let days = self.customer_days as f64 / (self.customers as f64 / self.banks as f64);
        self.alerts_a_day = if self.customer_days == 0 { 0.0 } else { self.alerts as f64 / days };
        let months = self.customer_days as f64 / 30.436_875 / 10_000.0;
        if self.customer_days > 0 {
            self.false_per_10000_customers_and_month = self.false_alerts as f64 / months;
            self.false_interval = poisson(self.false_alerts).map(|count| count / months);
        }
        for level in [&mut self.parties, &mut self.groups] {
            level.f1 = f1(level.precision, level.recall);
        }
        // A rule that said nothing in some of the banks was silent on all of their schemes.
        let asked = self.groups.recall.of;
        for rule in self.rules.values_mut() {
            rule.recall = Share::of(rule.recall.hits, asked);
            rule.f1 = f1(rule.precision, rule.recall);
        }
        self
    }
}

#[expect(clippy::float_arithmetic, reason = "a rate to look at")]
fn f1(precision: Share, recall: Share) -> f64 {
    let sum = precision.value + recall.value;
    if sum > 0.0 { 2.0 * precision.value * recall.value / sum } else { 0.0 }
}

fn add_found(found: &mut Vec<Found>, others: Vec<Found>) {
    for other in others {
        let Some(mine) = found.iter_mut().find(|mine| mine.what == other.what) else {
            found.push(other);
            continue;
        };
        // Of an earlier score there are quartiles alone, which cannot be added, but to those of nobody.
        let alone = match (mine.found.hits, other.found.hits) {
            (0, _) => other.lead_days,
            (_, 0) => mine.lead_days,
            _ => None,
        };
        for (days, count) in other.leads {
            *mine.leads.entry(days).or_default() += count;
        }
        mine.found = mine.found.plus(other.found);
        mine.lead_days = if mine.leads.values().sum::<u64>() == mine.found.hits { quartiles(&mine.leads) } else { alone };
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
    let is_before = |case: &Case<'_>, day: Option<Day>| case.first.is_some_and(|first| day.is_none_or(|day| first < day));
    let filing = |case: &Case<'_>| ["payers_150_at", "million_at"].into_iter().filter_map(|name| case.row.day(name)).min();
    let end = |case: &Case<'_>| Some(case.row.day("to")?.min(case.last?));
    let mut leads = BTreeMap::new();
    for days in cases.iter().filter_map(|case| Some(end(case)?.0 - case.first?.0)) {
        *leads.entry(days).or_default() += 1;
    }
    let mut by_rule = BTreeMap::new();
    for rule in cases.iter().flat_map(|case| &case.rules) {
        *by_rule.entry((*rule).to_owned()).or_default() += 1;
    }
    Found {
        what: what.to_owned(),
        found: Share::counted(cases.iter().map(|case| case.first.is_some())),
        before_filing: Share::counted(cases.iter().filter_map(|case| Some(is_before(case, Some(filing(case)?))))),
        before_30_percent: Share::counted(cases.iter().map(|case| is_before(case, case.row.day("principal_30_percent_at")))),
        lead_days: quartiles(&leads),
        leads,
        by_rule,
    }
}

/// Quartiles of days by how often each is.
fn quartiles(days: &BTreeMap<i32, u64>) -> Option<[i32; 3]> {
    let last = days.values().sum::<u64>().checked_sub(1)?;
    let at = |place: u64| {
        let mut before = 0;
        days.iter().find(|(_, count)| {
            before += **count;
            before > place
        })
    };
    let [a, b, c] = [1, 2, 3].map(|part| at(last * part / 4).map(|(day, _)| *day));
    Some([a?, b?, c?])
}

/// What was said by the time at which the 30th, 100th and 150th visible payer had paid in.
fn at_payers(cases: &[Case<'_>]) -> Vec<AtPayers> {
    let marks = [(30, "payers_30_at"), (100, "payers_100_at"), (150, "payers_150_at")];
    let at = |(payers, column): (u32, &str)| {
        let reached: Vec<(&Case<'_>, Day)> = cases.iter().filter_map(|case| Some((case, case.row.day(column)?))).collect();
        AtPayers {
            payers,
            before: Share::counted(reached.iter().map(|(case, day)| case.first.is_some_and(|first| first < *day))),
            ever: Share::counted(reached.iter().map(|(case, _)| case.first.is_some())),
        }
    };
    marks.map(at).into()
}

/// What makes a scheme hard to see, as far as its dials tell.
fn missed(case: &Case<'_>) -> Missed {
    let row = case.row;
    let is_telling = |name: &str, value: i64| match name {
        "acquired" | "cash" | "business" | "rotate" | "covered" | "own_life" | "disguise" | "aged" => value > 0,
        "collectors" | "instalments" => value > 1,
        "pays_here" => value == 0,
        "outlets" | "jitter" => value > 3,
        "sweep" => value > 30,
        "wobble" => value > 100,
        "life" => value > 700,
        _ => false,
    };
    let dials = plan::dials().map(|dial| (dial.name, row.dial(dial.name)));
    let traits = dials.filter(|(name, value)| is_telling(name, *value)).map(|(name, value)| (name.to_owned(), value)).collect();
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
