//! What is counted, by which definitions; `tally` counts it, here scores of several banks are added up.
//!
//! Group level: a scheme is found when an account of its own (collector, pool, payout) has an alert. Party level: each such account
//! is found or not, and so is each party that has an alert one or not. Recall asks for schemes with enough visible payers and their accounts; precision
//! asks of everything that was said, since an alert on a small scheme is right too. Grey families are neither right nor wrong, agents and payers of schemes neither.
//! Rules on trial open no case and are counted apart. Labels know days: what is *before* a day is on an earlier one. Intervals are of 95 %: of shares
//! Wilson's, of false alerts that of a Poisson count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::share::{Share, poisson};

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

impl Score {
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

pub(super) fn add_counts(counts: &mut BTreeMap<String, u64>, others: BTreeMap<String, u64>) {
    for (key, count) in others {
        *counts.entry(key).or_default() += count;
    }
}

/// Quartiles of days by how often each is.
pub(super) fn quartiles(days: &BTreeMap<i32, u64>) -> Option<[i32; 3]> {
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
