//! The features: one file each (mirror images share one), with what it means, what it costs, how it is computed, and its tests.
//!
//! The exact meaning of every feature is its entry in `weir_rules::catalogue`; the files here are the fast form, the oracle in
//! `weir-testkit` the slow one. A feature is a function of a [`View`], which ends at the instant asked about. Cheap features read running
//! [`Aggregates`]; costly ones scan the window's rows. A new one is a file here and an arm in [`costly`] or [`cheap`]; `docs/ARCHITECTURE.md` has the
//! other places.

mod active_days;
mod activity;
mod amounts;
mod balance;
mod batches;
mod cash_days;
mod commission_days;
mod concentration;
mod dormant_before;
mod elderly_share;
mod facts;
mod first_time;
mod holding_time;
mod list_hits;
mod medians;
mod members;
mod memo_share;
mod modal_share;
mod natural_out;
mod natural_payer_share;
mod near_limit;
mod night_share;
mod organisations;
mod outlets;
mod overdue_share;
mod pass_through_before;
mod payer_spread;
mod periodic_payees;
mod rebates;
mod repaid;
mod retained;
mod round_share;
mod same_payee_days;
mod shares;
mod small_share_out;
#[cfg(test)]
pub(crate) mod testing;

pub(crate) use batches::in_both;
pub(crate) use outlets::Outlet;

use std::borrow::Borrow;

use weir_model::Direction;
use weir_rules::{Arg, Feature, FeatureCall, Value, Window};

use crate::cursor::Aggregates;
use crate::view::View;

/// Something for each pair of a window. Its order means nothing: what is made of it must not depend on one.
pub(crate) type ByPair<T> = hashbrown::HashMap<u32, T, foldhash::fast::FixedState>;

/// Distinct things of a window, likewise.
pub(crate) type Distinct<T> = hashbrown::HashSet<T, foldhash::fast::FixedState>;

/// Share of something that must be known for a share over it to mean anything: 30 %.
pub(crate) fn enough_known(known: i128, total: i128) -> bool {
    known * 10 >= total * 3
}

/// `part / whole` as a value; NULL where the whole is zero.
pub(crate) fn share(part: usize, whole: usize) -> Value {
    Value::ratio(count128(part), count128(whole))
}

/// A count as a value.
fn count(n: usize) -> Value {
    Value::Int(i64::try_from(n).unwrap_or(i64::MAX))
}

fn count128(n: usize) -> i128 {
    i128::try_from(n).unwrap_or(i128::MAX)
}

/// The element at index (n − 1) / 2 of a list in order; `None` for an empty one.
fn lower_median<T: Copy>(sorted: &[T]) -> Option<T> {
    sorted.get(sorted.len().checked_sub(1)? / 2).copied()
}

/// A cheap feature: from running aggregates of its window, or from the profile.
pub(crate) fn cheap<A: Borrow<Aggregates>>(call: &FeatureCall, aggregates: impl FnOnce(Window) -> A, view: &View<'_>) -> Value {
    match (call.feature, call.args.as_slice()) {
        (Feature::AccountAge, []) => facts::account_age(view),
        (Feature::HasAgreement, [Arg::Agreement(kind)]) => facts::agreement(view, *kind),
        (Feature::AgreementPeople, [Arg::Agreement(kind)]) => facts::agreement_people(view, *kind),
        (Feature::SubjectIs, [Arg::PartyKind(kind)]) => facts::subject_is(view, *kind),
        // Two searches and a step back; asked only where the comparisons before it hold.
        (Feature::DormantBefore, [Arg::Window(window)]) => dormant_before::evaluate(view, *window),
        (feature, [Arg::Window(window)]) => amounts::evaluate(feature, aggregates(*window).borrow()),
        _ => unreachable!("the rule loader checked the arguments of {call}"),
    }
}

/// A costly feature: scans the window's rows as of the view's instant.
pub(crate) fn costly(call: &FeatureCall, view: &View<'_>) -> Value {
    use Feature as F;
    match (call.feature, call.args.as_slice()) {
        (F::PassThroughBefore, [Arg::Window(w), Arg::Window(h)]) => pass_through_before::evaluate(view, *w, *h),
        (F::NaturalAmountOut, [Arg::Window(w)]) => natural_out::amount(view, *w),
        (F::NaturalShareOut, [Arg::Window(w)]) => natural_out::share(view, *w),
        (F::NaturalPayerShare, [Arg::Window(w)]) => natural_payer_share::evaluate(view, *w),
        (F::TopShareIn, [Arg::Window(w), Arg::Int(k)]) => concentration::top_share_in(view, *w, *k),
        (F::TopShareOut, [Arg::Window(w), Arg::Int(k)]) => concentration::top_share_out(view, *w, *k),
        (F::HhiIn, [Arg::Window(w)]) => concentration::hhi_in(view, *w),
        (F::HhiOut, [Arg::Window(w)]) => concentration::hhi_out(view, *w),
        (F::Outlets, [Arg::Window(w)]) => outlets::evaluate(view, *w),
        (F::Retained, [Arg::Window(w)]) => retained::evaluate(view, *w),
        (F::FirstTimePayers, [Arg::Window(w)]) => first_time::payers(view, *w),
        (F::FirstTimePayees, [Arg::Window(w)]) => first_time::payees(view, *w),
        (F::FirstTimeSurge, [Arg::Window(w), Arg::Window(h), Arg::Int(least)]) => first_time::surge(view, *w, *h, *least),
        (F::MedianIn, [Arg::Window(w)]) => medians::median(view, *w, Direction::In),
        (F::MedianOut, [Arg::Window(w)]) => medians::median(view, *w, Direction::Out),
        (F::SpreadOut, [Arg::Window(w)]) => medians::spread(view, *w, Direction::Out),
        (F::HoldingTime, [Arg::Window(w)]) => holding_time::evaluate(view, *w),
        (F::BalanceLeft, [Arg::Window(w)]) => balance::left(view, *w),
        (F::LowBalanceDays, [Arg::Window(w)]) => balance::low_days(view, *w),
        (F::ActiveDays, [Arg::Window(w)]) => active_days::evaluate(view, *w),
        (F::RoundShareIn, [Arg::Window(w), Arg::Money(unit)]) => round_share::evaluate(view, *w, Direction::In, *unit),
        (F::RoundShareOut, [Arg::Window(w), Arg::Money(unit)]) => round_share::evaluate(view, *w, Direction::Out, *unit),
        (F::ModalShareIn, [Arg::Window(w)]) => modal_share::evaluate(view, *w, Direction::In),
        (F::ModalShareOut, [Arg::Window(w)]) => modal_share::evaluate(view, *w, Direction::Out),
        (F::NearLimit, [Arg::Window(w)]) => near_limit::evaluate(view, *w),
        (F::SmallShareOut, [Arg::Window(w), Arg::Money(limit)]) => small_share_out::evaluate(view, *w, *limit),
        (F::CollectingMembers, [Arg::Window(w), Arg::Int(n)]) => members::collecting(view, *w, *n),
        (F::SharedPayers, [Arg::Window(w)]) => members::shared_payers(view, *w),
        (F::OrganisationDaysIn, [Arg::Window(w)]) => organisations::days_in(view, *w),
        (F::CashDaysIn, [Arg::Window(w)]) => cash_days::evaluate(view, *w, Direction::In),
        (F::CashDaysOut, [Arg::Window(w)]) => cash_days::evaluate(view, *w, Direction::Out),
        (F::CrossBorderShare, [Arg::Window(w)]) => shares::cross_border(view, *w),
        (F::NightShare, [Arg::Window(w)]) => night_share::evaluate(view, *w),
        (F::HolidayShare, [Arg::Window(w)]) => shares::holiday(view, *w),
        (F::ChannelShare, [Arg::Window(w), Arg::Channel(channel)]) => shares::channel(view.counted(*w), *channel),
        (F::MemoShareIn, [Arg::Window(w), Arg::Tag(bit, _)]) => memo_share::evaluate(view, *w, Direction::In, *bit),
        (F::MemoShareOut, [Arg::Window(w), Arg::Tag(bit, _)]) => memo_share::evaluate(view, *w, Direction::Out, *bit),
        (F::ElderlyShare, [Arg::Window(w)]) => elderly_share::evaluate(view, *w),
        (F::PayerPrefectures, [Arg::Window(w)]) => payer_spread::prefectures(view, *w),
        (F::PayerProvinces, [Arg::Window(w)]) => payer_spread::provinces(view, *w),
        (F::InflowRatio, [Arg::Window(w), Arg::Window(h)]) => activity::inflow_ratio(view, *w, *h),
        (F::OutBatches, [Arg::Window(w), Arg::Int(n)]) => batches::out_batches(view, *w, *n),
        (F::BatchPeriod, [Arg::Window(w), Arg::Int(n)]) => batches::period(view, *w, *n),
        (F::BatchRegularity, [Arg::Window(w), Arg::Int(n)]) => batches::regularity(view, *w, *n),
        (F::BatchOverlap, [Arg::Window(w), Arg::Int(n)]) => batches::overlap(view, *w, *n),
        (F::BatchModalShare, [Arg::Window(w), Arg::Int(n)]) => batches::modal_share(view, *w, *n),
        (F::PeriodicPayees, [Arg::Int(n), Arg::Window(w)]) => periodic_payees::evaluate(view, *w, *n),
        (F::SamePayeeDays, [Arg::Window(w)]) => same_payee_days::evaluate(view, *w),
        (F::OverdueShare, [Arg::Int(n), Arg::Window(w), Arg::Int(k)]) => overdue_share::evaluate(view, *w, *n, *k),
        (F::CommissionDays, [Arg::Window(w)]) => commission_days::evaluate(view, *w),
        (F::RepaidShare, [Arg::Window(w)]) => repaid::share(view, *w),
        (F::PayoutRatio, [Arg::Window(w)]) => repaid::payout_ratio(view, *w),
        (F::PayoutRatioSpread, [Arg::Window(w)]) => repaid::payout_ratio_spread(view, *w),
        (F::Rebates, [Arg::Window(w)]) => rebates::evaluate(view, *w),
        (F::ListHits, [Arg::Window(w), Arg::List(list, _)]) => list_hits::evaluate(view, *w, *list),
        _ => unreachable!("the rule loader checked the arguments of {call}"),
    }
}
