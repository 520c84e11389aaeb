//! What is counted, and how.
//!
//! Group level: a scheme is found when an account of its own (collector, pool, payout) has an alert. Party level: each such account
//! is found or not, and so is each party that has an alert one or not. Recall asks for schemes with enough visible payers and their accounts; precision
//! asks of everything that was said, since an alert on a small scheme is right too. Grey families are neither right nor wrong, agents and payers of schemes neither.
//! Rules on trial open no case and are counted apart. Labels know days: what is *before* a day is on an earlier one. Intervals are Wilson's, of 95 %.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};
use weir_model::Day;
use weir_testkit::synth::plan::DIALS;

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
    /// Days from the first alert to the end of paying in, or to the bank's last day where that is earlier: quartiles of those found. Scores that were
    /// added up have none.
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
    pub(crate) alerts_a_day: f64,
    /// On parties that are neither a scheme's nor grey.
    pub(crate) false_alerts: u64,
    pub(crate) false_per_10000_customers_and_month: f64,
    /// Alerts on a scheme's own accounts among those that are right or wrong.
    pub(crate) precision: Share,
    /// Parties with an alert that are a scheme's own, among those that are right or wrong; accounts of schemes with enough visible payers that have one.
    pub(crate) parties: Level,
    /// Schemes found, among those and the parties that are wrong; schemes with enough visible payers that are found.
    pub(crate) groups: Level,
    /// By size.
    pub(crate) sizes: Vec<Found>,
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
            precision: Share::of(right, right + wrong),
            parties: level(Share::of(right_parties, right_parties + wrong_parties), Share::of(own_found, own)),
            groups: level(Share::of(found_all, found_all + wrong_parties), Share::counted(asked.iter().map(|case| case.first.is_some()))),
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
        }
        self.missed.extend(other.missed);
        self.with_rates()
    }

    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "rates to look at")]
    fn with_rates(mut self) -> Self {
        let (days, months) = (self.days as f64, self.customer_days as f64 / 30.436_875 / 10_000.0);
        self.alerts_a_day = if self.days == 0 { 0.0 } else { self.alerts as f64 / days };
        self.false_per_10000_customers_and_month = if self.customer_days == 0 { 0.0 } else { self.false_alerts as f64 / months };
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
    let is_before = |case: &Case<'_>, day: Option<Day>| case.first.is_some_and(|first| day.is_none_or(|day| first < day));
    let filing = |case: &Case<'_>| ["payers_150_at", "million_at"].into_iter().filter_map(|name| case.row.day(name)).min();
    let end = |case: &Case<'_>| Some(case.row.day("to")?.min(case.last?));
    let mut leads: Vec<i32> = cases.iter().filter_map(|case| Some(end(case)?.0 - case.first?.0)).collect();
    leads.sort_unstable();
    let mut by_rule = BTreeMap::new();
    for rule in cases.iter().flat_map(|case| &case.rules) {
        *by_rule.entry((*rule).to_owned()).or_default() += 1;
    }
    let quartile = |part: usize| leads[(leads.len() - 1) * part / 4];
    Found {
        what: what.to_owned(),
        found: Share::counted(cases.iter().map(|case| case.first.is_some())),
        before_filing: Share::counted(cases.iter().filter_map(|case| Some(is_before(case, Some(filing(case)?))))),
        before_30_percent: Share::counted(cases.iter().map(|case| is_before(case, case.row.day("principal_30_percent_at")))),
        lead_days: (!leads.is_empty()).then(|| [quartile(1), quartile(2), quartile(3)]),
        by_rule,
    }
}

/// What makes a scheme hard to see, as far as its dials tell.
fn missed(case: &Case<'_>) -> Missed {
    let row = case.row;
    let is_telling = |name: &str, value: i64| match name {
        "acquired" | "cash" | "business" | "rotate" => value > 0,
        "collectors" => value > 1,
        "pays_here" => value == 0,
        "outlets" | "jitter" => value > 3,
        "sweep" => value > 30,
        "wobble" => value > 100,
        "life" => value > 700,
        _ => false,
    };
    let dials = DIALS.iter().map(|dial| (dial.name, row.dial(dial.name)));
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
