//! Section 7 of the definition and the meanings in the catalogue: one function a feature, each over the whole window, none remembering
//! anything.
//!
//! [`value`] is the only door. The functions stand by theme: [`flows`] for what any window sees, [`legs`] for what needs single legs,
//! [`payouts`] for paying many again and again and paying back. They decide nothing.

mod flows;
mod legs;
mod payouts;
pub(super) mod period;

use std::cell::RefCell;
use std::collections::BTreeMap;

use weir_model::{AgreementKind, Channel, Direction, EventTime, Flags, PartyKind};
use weir_rules::{Arg, Feature, FeatureCall, RuleSet, Value, Window};

use super::hits::Hit;
use super::view::{self, View, parties, payments};
pub(super) use payouts::{BatchDay, batch_days};

/// Hits by rule and instant.
pub(super) type Hits = BTreeMap<String, BTreeMap<EventTime, Hit>>;

/// What a feature may look at.
pub(super) struct Facts<'a> {
    pub(super) view: &'a View<'a>,
    pub(super) set: &'a RuleSet,
    /// Of the rules that use no `rule_hits`.
    hits: &'a Hits,
    /// Values asked for already: many conditions ask for the same.
    known: RefCell<BTreeMap<FeatureCall, Value>>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(view: &'a View<'a>, set: &'a RuleSet, hits: &'a Hits) -> Self {
        Self { view, set, hits, known: RefCell::default() }
    }
}

/// The value of a call as of the view's instant.
pub(super) fn value(call: &FeatureCall, facts: &Facts<'_>) -> Value {
    if let Some(value) = facts.known.borrow().get(call) {
        return *value;
    }
    let value = compute(call, facts);
    facts.known.borrow_mut().insert(call.clone(), value);
    value
}

fn compute(call: &FeatureCall, facts: &Facts<'_>) -> Value {
    use Direction::{In, Out};
    let view = facts.view;
    let args = Args(&call.args);
    let seen = || view.flows(args.window(0));
    let single = || view.legs(args.window(0));
    match call.feature {
        Feature::InCount => Value::Int(view::count(&seen(), In)),
        Feature::OutCount => Value::Int(view::count(&seen(), Out)),
        Feature::AmountIn => Value::Money(view::sum(&seen(), In)),
        Feature::AmountOut => Value::Money(view::sum(&seen(), Out)),
        Feature::Payers => size(parties(&seen(), In).len()),
        Feature::Payees => size(parties(&seen(), Out).len()),
        Feature::NaturalPayers => flows::natural_parties(&seen(), In),
        Feature::NaturalPayees => flows::natural_parties(&seen(), Out),
        Feature::PassThrough => ratio(view::sum(&seen(), Out), view::sum(&seen(), In)),
        Feature::AmountPerPayer => match flows::natural_parties(&seen(), In) {
            Value::Int(people) if people > 0 => Value::Money(view::sum(&seen(), In) / i128::from(people)),
            _ => Value::Null,
        },
        Feature::PassThroughBefore => flows::pass_through_before(view, args.window(0), args.window(1)),
        Feature::NaturalAmountOut => Value::Money(payments(&seen()).values().sum()),
        Feature::NaturalPayerShare => flows::natural_payer_share(&seen()),
        Feature::NaturalShareOut => flows::natural_share_out(&seen()),
        Feature::TopShareIn => {
            flows::top_share(view::sums_by_party(&seen(), In).into_values().collect(), args.int(1), view::sum(&seen(), In))
        }
        Feature::TopShareOut => flows::top_share(flows::outlets(&seen()).into_values().collect(), args.int(1), view::sum(&seen(), Out)),
        Feature::HhiIn => flows::hhi(view::sums_by_party(&seen(), In).into_values().collect(), view::sum(&seen(), In)),
        Feature::HhiOut => flows::hhi(flows::outlets(&seen()).into_values().collect(), view::sum(&seen(), Out)),
        Feature::Outlets => size(flows::outlets(&seen()).len()),
        Feature::Retained => flows::retained(&view.all_legs(args.window(0))),
        Feature::FirstTimeSurge => flows::first_time_surge(view, args.window(0), args.window(1), args.int(2)),
        Feature::MedianIn => flows::median(view, args.window(0), In),
        Feature::MedianOut => flows::median(view, args.window(0), Out),
        Feature::SpreadOut => flows::spread(view, args.window(0), Out),
        Feature::FirstTimePayers => flows::first_time(view, args.window(0), In),
        Feature::FirstTimePayees => flows::first_time(view, args.window(0), Out),
        Feature::HoldingTime => flows::holding_time(&seen()),
        Feature::BalanceLeft => legs::balance_left(&view.all_legs(args.window(0)), view::sum(&seen(), In)),
        Feature::LowBalanceDays => legs::low_balance_days(&view.all_legs(args.window(0)), &seen()),
        Feature::ActiveDays => size(seen().iter().map(|flow| flow.day()).collect::<std::collections::BTreeSet<_>>().len()),
        Feature::RoundShareIn => legs::round_share(&single(), In, args.money(1)),
        Feature::RoundShareOut => legs::round_share(&single(), Out, args.money(1)),
        Feature::ModalShareIn => legs::modal_share(&single(), In),
        Feature::ModalShareOut => legs::modal_share(&single(), Out),
        Feature::NearLimit => legs::near_limit(&single()),
        Feature::SmallShareOut => payouts::small_share(&seen(), args.money(1)),
        Feature::CashShareIn => flows::flag_share(&seen(), &[In], Flags::CASH),
        Feature::CashShareOut => flows::flag_share(&seen(), &[Out], Flags::CASH),
        Feature::CollectingMembers => size(flows::collecting_members(&seen(), args.int(1))),
        Feature::SharedPayers => size(flows::shared_payers(&seen())),
        Feature::OrganisationAmountIn => Value::Money(flows::paid_by_organisations(&seen()).0),
        Feature::OrganisationDaysIn => size(flows::paid_by_organisations(&seen()).1),
        Feature::CashDaysIn => size(flows::cash_days(&seen(), In)),
        Feature::CashDaysOut => size(flows::cash_days(&seen(), Out)),
        Feature::CrossBorderShare => flows::flag_share(&seen(), &[In, Out], Flags::CROSS_BORDER),
        Feature::NightShare => legs::night_share(&single()),
        Feature::HolidayShare => flows::holiday_share(&seen(), view.calendar),
        Feature::ChannelShare => legs::channel_share(&single(), args.channel(1)),
        Feature::MemoShareIn => legs::memo_share(&single(), In, args.tag(1)),
        Feature::MemoShareOut => legs::memo_share(&single(), Out, args.tag(1)),
        Feature::ElderlyShare => flows::elderly_share(&seen()),
        Feature::PayerPrefectures => flows::payer_places(&seen(), |division| division.prefecture()),
        Feature::PayerProvinces => flows::payer_places(&seen(), |division| division.province()),
        Feature::DormantBefore => flows::dormant_before(view, args.window(0)),
        Feature::AccountAge => flows::account_age(view),
        Feature::InflowRatio => flows::inflow_ratio(view, args.window(0), args.window(1)),
        Feature::OutBatches => size(batch_days(&seen(), args.int(1)).len()),
        Feature::BatchPeriod => payouts::batch_period(&seen(), args.int(1)),
        Feature::BatchRegularity => payouts::batch_regularity(&seen(), args.int(1), view.calendar),
        Feature::BatchOverlap => payouts::batch_overlap(&seen(), args.int(1)),
        Feature::BatchModalShare => payouts::batch_modal_share(&seen(), args.int(1)),
        Feature::PeriodicPayees => payouts::periodic_payees(&view.flows(args.window(1)), args.int(0), view.calendar),
        Feature::SamePayeeDays => size(payouts::same_payee_days(&seen())),
        Feature::OverdueShare => payouts::overdue_share(view, args.window(1), args.int(0), args.int(2)),
        Feature::CommissionDays => payouts::commission_days(view, args.window(0)),
        Feature::RepaidShare => payouts::repaid_share(view, args.window(0)),
        Feature::PayoutRatio => payouts::payout_ratio(view, args.window(0)),
        Feature::PayoutRatioSpread => payouts::payout_ratio_spread(view, args.window(0)),
        Feature::Rebates => payouts::rebates(&single(), &seen()),
        Feature::ListHits => list_hits(facts, args.window(0), args.list(1)),
        Feature::HasAgreement => has_agreement(view, args.agreement(0)),
        Feature::AgreementPeople => agreement_people(view, args.agreement(0)),
        Feature::SubjectIs => subject_is(view, args.party_kind(0)),
        Feature::RuleHits => rule_hits(facts, args.rule(0), args.window(1)),
    }
}

fn list_hits(facts: &Facts<'_>, window: Window, list: usize) -> Value {
    let flows = facts.view.flows(window);
    let both = &parties(&flows, Direction::In) | &parties(&flows, Direction::Out);
    let members = facts.set.lists.get(list).map_or(&[][..], |(_, members)| members.as_slice());
    size(both.into_iter().filter(|id| members.iter().any(|member| member == id)).count())
}

fn has_agreement(view: &View<'_>, kind: AgreementKind) -> Value {
    let profile = view.profile();
    if profile.registered { Value::Bool(profile.agreements.contains(kind)) } else { Value::Null }
}

fn agreement_people(view: &View<'_>, kind: AgreementKind) -> Value {
    let agreements = view.profile().agreements;
    let named = kind == AgreementKind::Payroll && agreements.contains(kind) && agreements.payroll_people > 0;
    if named { Value::Int(i64::from(agreements.payroll_people)) } else { Value::Null }
}

fn subject_is(view: &View<'_>, kind: PartyKind) -> Value {
    match view.profile().kind {
        PartyKind::Unknown => Value::Null,
        known => Value::Bool(known == kind),
    }
}

fn rule_hits(facts: &Facts<'_>, rule: &str, window: Window) -> Value {
    let hits = facts.hits.get(rule).into_iter().flat_map(BTreeMap::keys);
    size(hits.filter(|at| facts.view.covers(window, **at)).count())
}

/// A number of things as a value.
fn size(count: usize) -> Value {
    Value::Int(i64::try_from(count).expect("no history has 2^63 legs"))
}

/// Millionths, cut; NULL over zero.
pub(super) fn ratio(part: i128, whole: i128) -> Value {
    if whole == 0 { Value::Null } else { Value::Ratio(part * 1_000_000 / whole) }
}

/// `part` of `known`, NULL when `known` is less than 30 % of `all`, or when there is nothing.
fn known_share(part: i64, known: i64, all: i64) -> Value {
    if is_too_little_known(known, all) { Value::Null } else { ratio(i128::from(part), i128::from(known)) }
}

/// Less than 30 %.
fn is_too_little_known(known: i64, all: i64) -> bool {
    10 * known < 3 * all
}

/// The value at index (n − 1) / 2 in order.
fn lower_median<T: Ord + Copy>(values: &[T]) -> Option<T> {
    let mut values = values.to_vec();
    values.sort_unstable();
    values.get(values.len().checked_sub(1)? / 2).copied()
}

/// Arguments of a call. A checked rule set has the kinds the catalogue asks for, in its order.
struct Args<'a>(&'a [Arg]);

macro_rules! argument {
    ($name:ident, $variant:pat => $value:expr, $type:ty) => {
        fn $name(&self, at: usize) -> $type {
            match &self.0[at] {
                $variant => $value,
                other => unreachable!("the loader checked the arguments, found {other:?}"),
            }
        }
    };
}

impl<'a> Args<'a> {
    argument!(window, Arg::Window(window) => *window, Window);
    argument!(int, Arg::Int(int) => *int, i64);
    argument!(money, Arg::Money(fen) => *fen, i64);
    argument!(channel, Arg::Channel(channel) => *channel, Channel);
    argument!(tag, Arg::Tag(bit, _) => *bit, u8);
    argument!(list, Arg::List(index, _) => *index, usize);
    argument!(agreement, Arg::Agreement(kind) => *kind, AgreementKind);
    argument!(party_kind, Arg::PartyKind(kind) => *kind, PartyKind);
    argument!(rule, Arg::RuleId(id) => id, &'a str);
}
