//! From banks and what was said of them to a score.
//!
//! 1. Every alert is judged by what its party is, every party with an alert once.
//! 2. Every member of a scheme or family is asked for its alerts: those on a scheme's own accounts find the scheme, the others are counted by family.
//! 3. Schemes are counted by size, theme, payout and rule.
//!
//! A party may have alerts of several rules and be a member of several parts: it is counted in each.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use weir_model::Day;
use weir_testkit::synth::plan;

use super::score::{AtPayers, Family, Found, Level, Missed, OfRule, PAYERS_MIN, Score, TRIAL, add_counts, quartiles};
use super::share::Share;
use super::truth::{Member, Said, SchemeRow, Truth};

/// Roles whose accounts are the scheme's own.
const OWN_ROLES: [&str; 3] = ["collector", "pool", "payout"];
/// The role of those accounts together, where the bank knows that they belong together. It is no account: it finds a scheme, and counts in no
/// recall of accounts.
const GROUP_ROLE: &str = "group";

impl Score {
    /// Of banks with what was said of them.
    pub(crate) fn of(banks: &[(Truth, Vec<Said>)]) -> Self {
        let mut tally = Tally::default();
        banks.iter().for_each(|(truth, said)| tally.add(truth, said));
        let Tally { days, customers, customer_days, alerts, precision, parties, accounts, cases, families, mut rules } = tally;
        let asked: Vec<&Case<'_>> = cases.iter().filter(|case| case.is_asked()).collect();
        rules.iter_mut().for_each(|(name, rule)| see(name, rule, &asked));
        let with_payers = |least: i64| cases.iter().filter(|case| case.row.visible_payers() >= least).collect::<Vec<_>>();
        let found_all = cases.iter().filter(|case| case.is_found()).count() as u64;
        let level = |precision: Share, recall: Share| Level { precision, recall, f1: 0.0 };
        Self {
            banks: banks.len() as u64,
            customers,
            days,
            customer_days,
            alerts,
            alerts_a_day: 0.0,
            false_alerts: precision.of - precision.hits,
            false_per_10000_customers_and_month: 0.0,
            false_interval: [0.0; 2],
            precision,
            parties: level(parties, accounts),
            groups: level(
                Share::of(found_all, found_all + (parties.of - parties.hits)),
                Share::counted(asked.iter().map(|case| case.is_found())),
            ),
            sizes: [0, PAYERS_MIN, 100, 150].map(|least| found(&format!("≥ {least}"), &with_payers(least))).into(),
            at_payers: at_payers(&cases),
            themes: by(&asked, |case| case.row.text("family").to_owned()),
            payouts: by(&asked, |case| case.row.text("payout").to_owned()),
            families: families.into_values().collect(),
            rules,
            missed: asked.iter().filter(|case| !case.is_found()).map(|case| missed(case)).collect(),
        }
        .with_rates()
    }
}

/// What is counted, bank after bank.
#[derive(Default)]
struct Tally<'a> {
    days: u64,
    customers: u64,
    customer_days: u64,
    /// Of rules in force.
    alerts: u64,
    /// Of these, right ones among those that are right or wrong; and the same of parties.
    precision: Share,
    parties: Share,
    /// Accounts of schemes with enough visible payers: those that have an alert.
    accounts: Share,
    /// By bank, then by part.
    cases: Vec<Case<'a>>,
    /// By label and name.
    families: BTreeMap<(String, String), Family>,
    rules: BTreeMap<String, OfRule>,
}

impl<'a> Tally<'a> {
    /// Adds a bank.
    fn add(&mut self, truth: &'a Truth, said: &'a [Said]) {
        self.days = self.days.max(truth.about.days);
        self.customers += truth.about.all_customers;
        self.customer_days += truth.about.all_customers * truth.about.days;
        self.judge(truth, said);
        self.look_for(truth, said);
    }

    /// Judges every alert, and every party with one of a rule in force.
    fn judge(&mut self, truth: &Truth, said: &[Said]) {
        let mut members: HashMap<&str, Vec<&Member>> = HashMap::new();
        truth.members.iter().for_each(|member| members.entry(&member.party).or_default().push(member));
        let mut judged: HashSet<&str> = HashSet::new();
        for said in said {
            let (what, verdict) = what_is(members.get(said.party.as_str()).map_or(&[], Vec::as_slice));
            let name = if said.is_trial { format!("{}{TRIAL}", said.rule) } else { said.rule.clone() };
            let rule = self.rules.entry(name).or_default();
            rule.is_trial = said.is_trial;
            rule.alerts += 1;
            rule.precision = rule.precision.plus(verdict.share());
            *rule.on.entry(what).or_default() += 1;
            if said.is_trial {
                continue;
            }
            self.alerts += 1;
            self.precision = self.precision.plus(verdict.share());
            if judged.insert(&said.party) {
                self.parties = self.parties.plus(verdict.share());
            }
        }
    }

    /// Looks for the alerts of everybody who is a member of something.
    fn look_for(&mut self, truth: &'a Truth, said: &'a [Said]) {
        let mut by_party: HashMap<&str, Vec<&'a Said>> = HashMap::new();
        said.iter().for_each(|said| by_party.entry(&said.party).or_default().push(said));
        let mut cases: BTreeMap<i64, Case<'a>> = truth.schemes.iter().map(|row| (row.number("part"), Case::new(truth, row))).collect();
        // The first member of each instance of a family, and alerts on all of them by rule.
        let mut instances: BTreeMap<u32, (&Member, BTreeMap<String, u64>)> = BTreeMap::new();
        for member in &truth.members {
            let said = by_party.get(member.party.as_str()).map_or(&[] as &[&'a Said], Vec::as_slice);
            let in_force = said.iter().filter(|said| !said.is_trial);
            match cases.get_mut(&i64::from(member.part)) {
                Some(case) if is_own(member) => {
                    if case.is_asked() && member.role != GROUP_ROLE {
                        self.accounts = self.accounts.plus(Share::of(u64::from(in_force.count() > 0), 1));
                    }
                    said.iter().copied().for_each(|said| case.hear(said));
                }
                // Agents and payers find no scheme.
                Some(_) => {}
                None => {
                    let (_, by_rule) = instances.entry(member.part).or_insert_with(|| (member, BTreeMap::new()));
                    in_force.for_each(|said| *by_rule.entry(said.rule.clone()).or_default() += 1);
                }
            }
        }
        self.cases.extend(cases.into_values());
        instances.into_values().for_each(|(member, by_rule)| self.add_instance(member, by_rule));
    }

    fn add_instance(&mut self, member: &Member, by_rule: BTreeMap<String, u64>) {
        let Member { label, family, .. } = member;
        let none = || Family { family: family.clone(), label: label.clone(), alerted: Share::default(), by_rule: BTreeMap::new() };
        let family = self.families.entry((label.clone(), family.clone())).or_insert_with(none);
        family.alerted = family.alerted.plus(Share::of(u64::from(!by_rule.is_empty()), 1));
        add_counts(&mut family.by_rule, by_rule);
    }
}

/// A scheme with its alerts.
struct Case<'a> {
    seed: u64,
    row: &'a SchemeRow,
    /// The bank's last day.
    last: Option<Day>,
    /// Of the first alert of a rule in force.
    first: Option<Day>,
    /// Rules in force that see it.
    rules: HashSet<&'a str>,
    /// Rules on trial that see it.
    trial: HashSet<&'a str>,
}

impl<'a> Case<'a> {
    fn new(truth: &Truth, row: &'a SchemeRow) -> Self {
        let last = truth.about.span().map(|(_, last)| last);
        Self { seed: truth.about.seed, row, last, first: None, rules: HashSet::new(), trial: HashSet::new() }
    }

    /// Whether a detector is asked for it.
    fn is_asked(&self) -> bool {
        self.row.visible_payers() >= PAYERS_MIN
    }

    fn is_found(&self) -> bool {
        self.first.is_some()
    }

    /// Takes an alert on one of its own accounts.
    fn hear(&mut self, said: &'a Said) {
        if said.is_trial {
            self.trial.insert(&said.rule);
            return;
        }
        self.first = Some(self.first.map_or(said.first, |first| first.min(said.first)));
        self.rules.insert(&said.rule);
    }
}

fn is_own(member: &Member) -> bool {
    OWN_ROLES.contains(&member.role.as_str()) || member.role == GROUP_ROLE
}

#[derive(Clone, Copy)]
enum Verdict {
    Right,
    Wrong,
    Neither,
}

impl Verdict {
    /// Of one alert or party: whether it is right, among those that are right or wrong.
    fn share(self) -> Share {
        match self {
            Self::Right => Share::of(1, 1),
            Self::Wrong => Share::of(0, 1),
            Self::Neither => Share::of(0, 0),
        }
    }
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
    let keys: BTreeSet<String> = cases.iter().map(|case| key(case)).collect();
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
        found: Share::counted(cases.iter().map(|case| case.is_found())),
        before_filing: Share::counted(cases.iter().filter_map(|case| Some(is_before(case, Some(filing(case)?))))),
        before_30_percent: Share::counted(cases.iter().map(|case| is_before(case, case.row.day("principal_30_percent_at")))),
        lead_days: quartiles(&leads),
        leads,
        by_rule,
    }
}

/// Counts for a rule of this name which schemes it sees, alone or with others.
fn see(name: &str, rule: &mut OfRule, asked: &[&Case<'_>]) {
    let trial = name.strip_suffix(TRIAL);
    let sees = |case: &&Case<'_>| trial.map_or_else(|| case.rules.contains(name), |trial| case.trial.contains(trial));
    let seen = || asked.iter().filter(|case| sees(case));
    rule.recall = Share::counted(asked.iter().map(sees));
    rule.alone = seen().filter(|case| case.rules.iter().all(|other| *other == name)).count() as u64;
    for other in seen().flat_map(|case| &case.rules) {
        *rule.with.entry((*other).to_owned()).or_default() += 1;
    }
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
