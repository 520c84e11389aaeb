//! How a scheme passes for something else, where it is told to: by an agreement that fits what it pretends to be, by accounts of long standing, by payments
//! that look like those of a family. What somebody lives on beside it is given by [`super::world`].
//!
//! Schemes as drawn do none of it ([`super::plan::FURTHER`]). Each thing has dice of its own, so that a scheme with it is the same as the one without in
//! everything else. Nothing here knows whom it deceives.

use weir_model::{AgreementKind, Channel, Day};

use super::chance::{Chance, mix};
use super::life::BETWEEN_FRIENDS;
use super::movement::Memo;
use super::plan::{Plan, Theme};

/// What families pay firms for, and how.
const FAMILY: [(Channel, Memo); 5] = [
    (Channel::Qr, Memo::Shopping),
    (Channel::Pos, Memo::Shopping),
    (Channel::Online, Memo::Tuition),
    (Channel::Mobile, Memo::Property),
    (Channel::Pos, Memo::Card),
];

/// The agreement of the scheme's collecting customers, where they have got one: what a bank agrees with those whom they pretend to be. A person is a
/// small merchant with a terminal. Nobody passes for a charity or for somebody with a licence, which others look after.
pub(super) fn agreement(plan: &Plan) -> Option<AgreementKind> {
    let kind = match plan.theme {
        _ if !plan.firms => AgreementKind::Acquiring,
        Theme::Wealth | Theme::Project => AgreementKind::Supervised,
        Theme::Leaseback | Theme::ElderCare => AgreementKind::Collection,
        Theme::Cooperative => AgreementKind::Cooperative,
        Theme::Rebate => AgreementKind::Acquiring,
    };
    plan.covered.then_some(kind)
}

/// Days by which an account, by its customer's seed, is older than it would be: accounts of people who need money are bought.
pub(super) fn standing(plan: &Plan, account: u64) -> i32 {
    let mut chance = Chance::of(account, 0x01d);
    if chance.per_mille(plan.aged as u32) { chance.between(1000, 4000) as i32 } else { 0 }
}

/// A payment between a scheme and somebody, which looks like one of ordinary life.
#[derive(Debug)]
pub(super) struct Guise {
    to_firm: bool,
    chance: Chance,
}

impl Guise {
    /// Of investor `number` of a scheme on a day; nothing where the payment shows what it is.
    pub(super) fn of(plan: &Plan, seed: u64, number: u64, day: Day) -> Option<Self> {
        let mut chance = Chance::of(mix(seed ^ mix(number)) ^ 0x9015e, u64::from(day.0.unsigned_abs()));
        chance.per_mille(plan.disguise as u32).then_some(Self { to_firm: plan.firms, chance })
    }

    /// The sum that is paid instead: goods and lessons have prices, friends lend each other whatever it is.
    pub(super) const fn price(&mut self, fen: i64) -> i64 {
        if self.to_firm { fen * self.chance.between(9_000, 9_999) / 100_000 * 10 } else { fen }
    }

    /// How it is paid in.
    pub(super) const fn paid_in(&mut self) -> (Channel, Memo) {
        if self.to_firm { *self.chance.pick(&FAMILY) } else { (Channel::Mobile, *self.chance.pick(&BETWEEN_FRIENDS)) }
    }

    /// How it is paid back.
    pub(super) const fn paid_back(&mut self) -> (Channel, Memo) {
        (Channel::Mobile, *self.chance.pick(&BETWEEN_FRIENDS))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use weir_model::{EventTime, PartyKind};

    use crate::synth::extras::Extras;
    use crate::synth::label::{Part, Role, Verdict};
    use crate::synth::movement::{Movement, Who};
    use crate::synth::plan::FURTHER;
    use crate::synth::world::Life;
    use crate::synth::{Bank, Dials, answers};

    use super::*;

    /// A bank with these dials held, and all that happens in it.
    fn run(held: &[(&str, i64)]) -> (Bank, Vec<Movement>) {
        let from = Day::parse("2024-01-01").expect("a date");
        let held =
            [("trial", 0), ("begin", 20), ("life", 200)].iter().chain(held).map(|(name, value)| ((*name).to_owned(), *value)).collect();
        let mut bank =
            Bank::new(&Dials { seed: 8, customers: 1000, from, days: 200, per_scheme: 50, disorder: 0, held, extras: Extras::default() });
        let (mut all, mut rows) = (Vec::new(), Vec::new());
        while bank.day(&mut rows).is_some() {
            all.extend(rows.iter().map(|row| row.movement));
        }
        (bank, all)
    }

    fn parts_of_schemes(bank: &Bank) -> impl Iterator<Item = &Part> {
        bank.parts.iter().filter(|part| part.verdict == Verdict::Scheme)
    }

    fn has(part: &Part, who: Who, role: Role) -> bool {
        matches!(who, Who::Own(number, _) if part.members.contains(&(number, role)))
    }

    /// What people, known or not, have paid into schemes.
    fn paid_in<'a>(bank: &'a Bank, all: &'a [Movement]) -> impl Iterator<Item = &'a Movement> {
        let is_collector = move |m: &Movement| has(&bank.parts[m.part as usize - 1], m.payee, Role::Collector);
        let is_business = |m: &Movement| matches!(m.memo, Memo::Goods | Memo::Settlement | Memo::Ink);
        all.iter().filter(move |m| is_of_scheme(bank, m) && is_collector(m) && !is_business(m))
    }

    fn is_of_scheme(bank: &Bank, m: &Movement) -> bool {
        m.part > 0 && bank.parts[m.part as usize - 1].verdict == Verdict::Scheme
    }

    #[test]
    fn what_is_held_at_nothing_changes_nothing() {
        let nothing: Vec<(&str, i64)> = FURTHER.iter().map(|dial| (dial.name, 0)).collect();
        let ((drawn, all), (held, same)) = (run(&[]), run(&nothing));
        assert_eq!(format!("{all:?}"), format!("{same:?}"));
        let header = |bank: &Bank| {
            let mut text = Vec::new();
            answers::schemes(bank, &mut text).expect("into memory");
            String::from_utf8(text).expect("UTF-8").lines().next().unwrap_or_default().to_owned()
        };
        let further: String = FURTHER.iter().map(|dial| format!(",dial_{}", dial.name)).collect();
        assert_eq!(header(&held), header(&drawn) + &further, "a column of what is held, and of nothing else");
    }

    #[test]
    fn covered_schemes_have_agreements_that_fit_what_they_pretend_to_be() {
        let (bank, all) = run(&[("covered", 1000)]);
        let agreement = |number: &u32| bank.world.customers[*number as usize].agreement.map(|(kind, _)| kind);
        let mut kinds = BTreeMap::new();
        for (number, role) in parts_of_schemes(&bank).flat_map(|part| &part.members).filter(|(_, role)| *role != Role::Agent) {
            let is_person = bank.world.customers[*number as usize].kind == PartyKind::Natural;
            match agreement(number) {
                Some(kind) if *role == Role::Collector => *kinds.entry((is_person, kind)).or_insert(0) += 1,
                found => assert_eq!((found, *role == Role::Collector), (None, false)),
            }
        }
        let of = |is_person: bool| kinds.keys().filter(|(person, _)| *person == is_person).map(|(_, kind)| *kind).collect::<BTreeSet<_>>();
        assert_eq!(of(true), BTreeSet::from([AgreementKind::Acquiring]));
        assert!(of(false).len() > 1, "{kinds:?}");
        assert_eq!(format!("{all:?}"), format!("{:?}", run(&[]).1), "what happens is the same");
        let (half, _) = run(&[("covered", 500)]);
        let first = |part: &Part| half.world.customers[part.members[0].0 as usize].agreement.is_some();
        let count = parts_of_schemes(&half).filter(|part| first(part)).count();
        for scheme in &half.schemes {
            let told = 1000 * i64::from(first(&half.parts[scheme.part as usize - 1]));
            assert!(scheme.plan.dials.contains(&("covered", told)), "the labels say of each whether it is one");
        }
        assert!((4..=16).contains(&count), "{count} of 20");
    }

    #[test]
    fn accounts_of_schemes_have_a_life_of_their_own_and_the_scheme_stays_the_same() {
        let (bank, all) = run(&[("own_life", 1000)]);
        let own: BTreeSet<u32> = parts_of_schemes(&bank)
            .flat_map(|part| &part.members)
            .filter(|(_, role)| *role != Role::Agent)
            .map(|(number, _)| *number)
            .collect();
        let is_theirs = |m: &&Movement| [m.payer, m.payee].iter().any(|who| matches!(who, Who::Own(number, _) if own.contains(number)));
        let ordinary: Vec<&Movement> = all.iter().filter(|m| m.part == 0).filter(is_theirs).collect();
        for memo in [Memo::Shopping, Memo::Wages, Memo::Rent, Memo::Goods, Memo::Tax, Memo::Interest] {
            assert!(ordinary.iter().any(|m| m.memo == memo), "{memo:?}");
        }
        let lives: Vec<Life> = own.iter().map(|number| bank.world.customers[*number as usize].life).collect();
        assert!(lives.iter().all(|life| !matches!(life, Life::Nothing | Life::Idle)));
        assert!(lives.contains(&Life::Firm) && lives.contains(&Life::Worker));
        // Not those of look-alikes: a guest who has got something from them can pay what could not be paid.
        let of_schemes =
            |all: &[Movement]| -> Vec<String> { all.iter().filter(|m| is_of_scheme(&bank, m)).map(|m| format!("{m:?}")).collect() };
        assert_eq!(of_schemes(&all), of_schemes(&run(&[]).1));
        let (_, more) = run(&[("own_life", 4000)]);
        let count = more.iter().filter(|m| m.part == 0).filter(is_theirs).count();
        assert!((ordinary.len() * 2..ordinary.len() * 5).contains(&count), "{count} and {}", ordinary.len());
    }

    #[test]
    fn disguised_payments_carry_neither_memo_nor_channel_of_a_scheme() {
        let (bank, all) = run(&[("disguise", 1000)]);
        let tells = [Memo::Invest, Memo::Lease, Memo::Share, Memo::Care, Memo::Consumption];
        let mut count = 0;
        for m in paid_in(&bank, &all) {
            count += 1;
            assert!(!tells.contains(&m.memo) && m.channel != Channel::Counter, "{m:?}");
            let is_firm = matches!(m.payee, Who::Own(number, _) if bank.world.customers[number as usize].kind != PartyKind::Natural);
            assert!(!is_firm || m.memo != Memo::None, "{m:?}");
        }
        assert!(count > 200, "{count}");
        let is_disguised = |m: &&Movement| m.channel != Channel::Counter && FAMILY.iter().any(|(_, memo)| *memo == m.memo);
        let (bank, all) = run(&[("disguise", 500), ("firms", 1), ("cash", 0)]);
        let (some, of) = (paid_in(&bank, &all).filter(is_disguised).count(), paid_in(&bank, &all).count());
        assert!((of * 4 / 10..of * 6 / 10).contains(&some), "{some} of {of}");
    }

    #[test]
    fn disguised_returns_look_like_friends_money_also_after_the_end() {
        let (bank, all) = run(&[("disguise", 1000), ("life", 120), ("pays_here", 1), ("as_wages", 0), ("term", 3), ("repaid", 500)]);
        let tells = [Memo::Profit, Memo::Rent, Memo::Dividend, Memo::Return, Memo::Principal];
        let mut after = 0;
        for m in all.iter().filter(|m| is_of_scheme(&bank, m)) {
            assert!(!tells.contains(&m.memo), "{m:?}");
            let is_over = EventTime(m.at * 1_000_000).day() > bank.parts[m.part as usize - 1].span.1;
            after += usize::from(is_over && m.channel == Channel::Mobile && BETWEEN_FRIENDS.contains(&m.memo));
        }
        assert!(after > 50, "{after}");
    }

    #[test]
    fn aged_accounts_were_opened_years_before() {
        let age = |held: &[(&str, i64)]| {
            let (bank, _) = run(held);
            let own = parts_of_schemes(&bank).flat_map(|part| part.members.iter().filter(|(_, role)| *role != Role::Agent));
            own.map(|(number, _)| Day::parse("2024-01-21").expect("a date").0 - bank.world.customers[*number as usize].opened.0).min()
        };
        assert!(age(&[("aged", 1000), ("rotate", 0)]) >= Some(1000));
        assert!(age(&[("rotate", 0)]) < Some(91));
    }

    #[test]
    fn places_that_get_as_much_each_have_a_quarter_of_four() {
        let (bank, all) = run(&[("even", 1), ("outlets", 4), ("drawn", 0), ("sweep", 7)]);
        let ends = [Memo::Ink, Memo::Securities, Memo::HousePrice, Memo::CarPrice];
        let mut places: BTreeMap<u32, BTreeMap<String, i64>> = BTreeMap::new();
        for m in all.iter().filter(|m| is_of_scheme(&bank, m) && matches!(m.payee, Who::Outside(..)) && ends.contains(&m.memo)) {
            *places.entry(m.part).or_default().entry(format!("{:?}", m.payee)).or_default() += m.fen;
        }
        // Two of the four may be the same broker.
        places.retain(|_, of| of.len() == 4);
        assert!(places.len() > 5, "{places:?}");
        for of in places.values() {
            let (most, sum) = (of.values().max().copied().unwrap_or_default(), of.values().sum::<i64>());
            assert!(most * 1000 <= sum * 251, "{of:?}");
        }
    }

    #[test]
    fn sums_in_instalments_come_on_as_many_days_and_to_the_same_principal() {
        let held = [("cash", 0), ("acquired", 0), ("top_up", 0), ("disguise", 0), ("investors", 60)];
        let sums = |instalments: i64| {
            let (bank, all) = run(&[&held[..], &[("instalments", instalments)]].concat());
            let mut sums: BTreeMap<(u32, String), Vec<i64>> = BTreeMap::new();
            for m in paid_in(&bank, &all) {
                sums.entry((m.part, format!("{:?}", m.payer))).or_default().push(m.fen);
            }
            let seen: i64 = sums.values().flatten().sum();
            assert_eq!(seen, bank.schemes.iter().map(|scheme| scheme.outcome.visible_principal).sum::<i64>());
            sums
        };
        let (whole, parts) = (sums(0), sums(5));
        assert!(whole.keys().all(|who| parts.contains_key(who)), "the same people");
        // The last to come have not paid all of it yet, and who opens an account meanwhile goes on under another name.
        let (mut split, mut same) = (0, 0);
        for (who, sum) in &whole {
            split += usize::from(parts[who].len() == 5 * sum.len());
            same += usize::from(parts[who].iter().sum::<i64>() == sum.iter().sum::<i64>());
        }
        assert!(split * 10 > whole.len() * 8 && same * 10 > whole.len() * 8, "{split}, {same} of {}", whole.len());
    }
}
