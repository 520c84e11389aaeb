//! A bank that can be generated: ordinary life, its oddities, and schemes among them, each labelled.
//!
//! Nobody publishes labelled data for periodic batches of small transfers, so thresholds are measured here. A bank is a stream of days: memory
//! grows with its customers and with the people in its schemes, hardly with its length. The same dials give the same bytes on every machine;
//! every number comes from [`chance`], whole and hashed from what it is drawn for.
//!
//! [`world`] is who lives there, [`faces`] how they look in the feed, [`institutions`] whom all of them deal with, [`life`] what they do, [`extras`] what else where it is asked for, [`families`] what only looks like a scheme, [`plan`] and [`scheme`] what is one, [`guise`] how that hides,
//! [`disorder`] what feeds do to records, [`feed`] and [`table`] how rows are written, [`label`], [`answers`] and [`cast`] what is true, [`figures`] what
//! an ordinary day comes to. Nothing here may know how weir detects: no window, no feature, no rule, no calendar of theirs. A generator that
//! shared a thought with the detector would agree with it for no reason.

pub mod answers;
pub mod cast;
pub mod chance;
mod digits;
pub mod disorder;
pub mod extras;
pub mod faces;
pub mod families;
pub mod feed;
pub mod figures;
mod guise;
mod institutions;
pub mod label;
mod life;
pub mod movement;
pub mod plan;
pub mod scheme;
pub mod table;
pub mod today;
pub mod world;

use std::collections::BTreeMap;

use weir_model::Day;

use chance::mix;
use disorder::{Disorder, Row};
use extras::Extras;
use families::Family;
use label::Part;
use movement::{Movement, Who};
use plan::Plan;
use scheme::Scheme;
use today::Today;
use world::World;

/// What a bank is drawn from.
#[derive(Debug, Clone)]
pub struct Dials {
    /// Seed.
    pub seed: u64,
    /// Ordinary customers; centres of look-alikes and members of schemes come on top.
    pub customers: u32,
    /// First day.
    pub from: Day,
    /// Days.
    pub days: u32,
    /// Customers for one scheme; 0: none.
    pub per_scheme: u32,
    /// How disorderly the feed is: 0 not at all, 1 as feeds are, more for more.
    pub disorder: u32,
    /// Dials of schemes held at a value, by name.
    pub held: BTreeMap<String, i64>,
    /// What the bank has besides.
    pub extras: Extras,
}

/// A bank being generated.
#[derive(Debug)]
pub struct Bank {
    /// Who lives there.
    pub world: World,
    /// Schemes and look-alikes by number, the first being 1.
    pub parts: Vec<Part>,
    /// Schemes.
    pub schemes: Vec<Scheme>,
    families: Vec<Family>,
    next: Day,
    last: Day,
    serial: u64,
    drawn: Vec<Movement>,
    disorder: Disorder,
}

impl Bank {
    /// Founds a bank.
    #[must_use]
    pub fn new(dials: &Dials) -> Self {
        let last = dials.from.plus(i32::try_from(dials.days).unwrap_or(i32::MAX) - 1);
        let mut world = World::new(dials.seed, dials.customers, dials.from, dials.extras.clone());
        let mut parts = Vec::new();
        let families = families::found(&mut world, (dials.from, last), &mut parts);
        // Rounded to the nearest, at least one where any is wanted.
        let count = (dials.customers + dials.per_scheme / 2).checked_div(dials.per_scheme).map_or(0, |count| count.max(1));
        let schemes = (0..count).map(|number| {
            let seed = mix(dials.seed ^ mix(0x5c_4e4e ^ u64::from(number)));
            let plan = Plan::draw(seed, (dials.from, last), &dials.held);
            Scheme::found(&mut world, plan, seed, last, &mut parts)
        });
        let schemes = schemes.collect();
        let disorder = Disorder::new(dials.seed, dials.disorder);
        Self { world, parts, schemes, families, next: dials.from, last, serial: 0, drawn: Vec::new(), disorder }
    }

    /// Writes out the next day's rows in the order of the feed; `None` when the bank has come to its end. After the last day, what is late
    /// comes as one more.
    pub fn day(&mut self, rows: &mut Vec<Row>) -> Option<Day> {
        rows.clear();
        let day = self.next;
        if day > self.last {
            let is_left = self.disorder.rest(rows);
            return is_left.then_some(day);
        }
        self.next = day.plus(1);
        let today = Today::of(day);
        let drawn = &mut self.drawn;
        drawn.clear();
        for number in 0..self.world.customers.len() as u32 {
            life::live(&self.world, number, &today, drawn);
        }
        for family in &self.families {
            families::behave(&self.world, family, &today, drawn);
        }
        for scheme in &mut self.schemes {
            scheme.run(&self.world, &today, drawn);
        }
        // Stable: what is drawn for the same second keeps its order.
        drawn.sort_by_key(|movement| movement.at);
        for mut movement in self.drawn.iter().copied() {
            (movement.payer, movement.payee) = (self.world.as_of(day, movement.payer), self.world.as_of(day, movement.payee));
            let is_here = [movement.payer, movement.payee].iter().any(|who| matches!(who, Who::Own(..)));
            if let Some(balances) = is_here.then(|| settle(&mut self.world, &movement)).flatten() {
                self.serial += 1;
                rows.push(Row::new(self.serial, movement, balances));
            }
        }
        self.disorder.disturb(today.midnight + 86_400, rows);
        Some(day)
    }
}

/// Books a movement: the balances after it, or nothing where it does not happen. What is certain happens even where money is lacking: where it
/// came from is not told, as from another bank's account.
fn settle(world: &mut World, movement: &Movement) -> Option<[i64; 2]> {
    let mut balances = [0; 2];
    if let Who::Own(number, account) = movement.payer {
        let balance = &mut world.customers[number as usize].balance[usize::from(account)];
        if *balance < movement.fen {
            if movement.if_able {
                return None;
            }
            *balance = movement.fen + movement.fen / 16;
        }
        *balance -= movement.fen;
        balances[0] = *balance;
    }
    if let Who::Own(number, account) = movement.payee {
        let balance = &mut world.customers[number as usize].balance[usize::from(account)];
        *balance += movement.fen;
        balances[1] = *balance;
    }
    Some(balances)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashSet};

    use super::cast::Cast;
    use super::disorder::Flaw;
    use super::feed::{Fields, Layout, Lines, Rows};
    use super::label::{Role, Verdict};
    use super::*;

    fn dials(seed: u64, per_scheme: u32, disorder: u32) -> Dials {
        let from = Day::parse("2024-01-01").expect("a date");
        Dials { seed, customers: 3000, from, days: 150, per_scheme, disorder, held: BTreeMap::new(), extras: Extras::default() }
    }

    fn all(dials: &Dials) -> (Bank, Vec<Row>) {
        let (mut bank, mut all, mut rows) = (Bank::new(dials), Vec::new(), Vec::new());
        while bank.day(&mut rows).is_some() {
            all.extend_from_slice(&rows);
        }
        (bank, all)
    }

    /// The generator is frozen: rules are tuned against these bytes, so a change here is a change of everything that was measured. Who changes
    /// it measures again (`docs/synthetic-bank.md`).
    #[test]
    fn the_generator_is_frozen() {
        let (bank, rows) = all(&dials(1, 500, 1));
        let mut fields = Fields::new(Rows::Transfers, false, &Extras::default());
        let columns = fields.columns();
        let mut lines = Lines::new(Layout::Jsonl, &columns);
        for row in &rows {
            fields
                .write(&bank.world, row, |values| {
                    lines.row(values);
                    Ok(())
                })
                .expect("into memory");
        }
        let mut text = lines.text;
        feed::parties(&bank.world, bank.last, &mut text).expect("into memory");
        answers::customers(&bank, &mut text).expect("into memory");
        answers::schemes(&bank, &mut text).expect("into memory");
        assert_eq!((rows.len(), blake3::hash(&text).to_hex()[..16].to_owned()), (165_452, "82e8c34cb81c5f7c".to_owned()));
    }

    #[test]
    fn what_is_said_of_a_scheme_is_what_its_rows_show() {
        let (bank, rows) = all(&dials(2, 150, 0));
        let mut named = 0;
        for scheme in &bank.schemes {
            let part = &bank.parts[scheme.part as usize - 1];
            assert_eq!(part.verdict, Verdict::Scheme);
            let is_collector = |who: Who| matches!(who, Who::Own(number, _) if part.members.contains(&(number, Role::Collector)));
            let business: BTreeSet<&str> = BTreeSet::from(["货款", "转账", "商户结算", "往来款"]);
            let paid_in: Vec<&Movement> = rows
                .iter()
                .map(|row| &row.movement)
                .filter(|m| m.part == scheme.part && is_collector(m.payee) && !business.contains(m.memo.text()))
                .collect();
            let people: BTreeSet<String> = paid_in.iter().filter(|m| m.payer != Who::Nobody).map(|m| format!("{:?}", m.payer)).collect();
            // Two investors may be the same customer.
            assert!(people.len() as u64 <= scheme.outcome.visible_payers);
            assert!(people.len() as u64 * 20 >= scheme.outcome.visible_payers * 19);
            let cards: i64 = rows
                .iter()
                .filter(|row| row.movement.part == scheme.part && row.movement.memo.text() == "商户结算")
                .map(|row| row.movement.fen)
                .sum();
            let seen = paid_in.iter().map(|m| m.fen).sum::<i64>() + cards;
            // Cards lose the acquirer's fee, and the last day's are not settled yet.
            assert!(seen <= scheme.outcome.visible_principal);
            assert!(cards > 0 || seen == scheme.outcome.visible_principal);
            named += people.len();
        }
        assert!(named > 200, "{named} payers in all");
    }

    #[test]
    fn accounts_have_the_roles_that_their_rows_show() {
        let (bank, rows) = all(&Dials { held: BTreeMap::from([("business".to_owned(), 500)]), ..dials(2, 150, 100) });
        let mut cast = Cast::default();
        rows.iter().for_each(|row| cast.note(&bank, row));
        let mut text = Vec::new();
        cast.write(&bank, &mut text).expect("into memory");
        let text = String::from_utf8(text).expect("UTF-8");
        let of = |part: u32, role: &str| text.lines().filter(|line| line.contains(&format!(",{part},{role},"))).count() as u64;
        for scheme in bank.schemes.iter().filter(|scheme| scheme.outcome.first.is_some()) {
            // Cards and cash have no payer; who is only paid back is one too.
            assert!(of(scheme.part, "payer") * 20 >= scheme.outcome.visible_payers * 19, "{}", scheme.part);
            assert!(of(scheme.part, "collector") >= 1 && (of(scheme.part, "mule") > 0 || scheme.plan.firms), "{}", scheme.part);
        }
        let buyers: HashSet<Who> =
            rows.iter().map(|row| &row.movement).filter(|m| m.part > 0 && m.memo.text() == "货款").map(|m| m.payer).collect();
        let mut face = faces::Face::default();
        for buyer in buyers {
            face.show(&bank.world, buyer, false);
            assert!(!text.contains(&format!("{},,", face.account)), "who buys pays into nothing");
        }
        let roles = ["organiser", "collector", "pool", "payout", "payer", "agent", "mule"];
        assert!(roles.iter().all(|role| text.contains(&format!(",{role},"))));
    }

    #[test]
    fn returns_paid_in_advance_are_paid_once_though_others_leave() {
        let mut dials = dials(5, 150, 0);
        let held = [
            ("payout", 6),
            ("term", 1),
            ("reinvest", 0),
            ("begin", 10),
            ("investors", 150),
            ("top_up", 0),
            ("pays_here", 1),
            ("as_wages", 0),
        ];
        dials.held = held.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let (bank, rows) = all(&dials);
        let mut paid: BTreeMap<(u32, String), u32> = BTreeMap::new();
        for row in &rows {
            let movement = &row.movement;
            let scheme = bank.schemes.iter().find(|scheme| scheme.part == movement.part);
            let is_return = scheme.is_some_and(|scheme| movement.memo == scheme.plan.theme.memo_out());
            // Customers may be investors of several numbers.
            if is_return && matches!(movement.payee, Who::Outside(..)) {
                *paid.entry((movement.part, format!("{:?}", movement.payee))).or_default() += 1;
            }
        }
        assert!(paid.len() > 300, "{}", paid.len());
        assert!(paid.values().all(|times| *times == 1));
    }

    #[test]
    fn nothing_in_the_party_data_says_who_is_in_a_scheme() {
        let bank = Bank::new(&Dials { customers: 20_000, ..dials(6, 400, 0) });
        let world = &bank.world;
        let all = 0..u32::try_from(world.customers.len()).expect("few");
        let codes: BTreeSet<u32> = all.clone().map(|number| world.code(number)).collect();
        assert_eq!(codes.len(), world.customers.len());
        let of_schemes: BTreeSet<u32> = bank
            .parts
            .iter()
            .filter(|part| part.verdict == Verdict::Scheme)
            .flat_map(|part| &part.members)
            .map(|(number, _)| *number)
            .collect();
        // Number, group and industry of a scheme's account are such as others have too.
        let (own, others): (Vec<u32>, Vec<u32>) = all.partition(|number| of_schemes.contains(number));
        let share_below = |numbers: &[u32]| numbers.iter().filter(|number| world.code(**number) < 50_000_000).count() * 100 / numbers.len();
        assert!(share_below(&own).abs_diff(share_below(&others)) < 15);
        let grouped = |numbers: &[u32]| numbers.iter().filter(|number| world.customers[**number as usize].group > 0).count();
        assert!(grouped(&own) > 0 && grouped(&others) > grouped(&own) / 2, "{} {}", grouped(&own), grouped(&others));
        let industries = |numbers: &[u32]| numbers.iter().map(|number| world.customers[*number as usize].industry).collect::<BTreeSet<_>>();
        assert!(industries(&own).is_subset(&industries(&others)));
    }

    #[test]
    fn a_group_that_is_labelled_a_schemes_has_nobody_else_in_it() {
        let bank = Bank::new(&Dials { customers: 20_000, ..dials(7, 100, 0) });
        let mut text = Vec::new();
        answers::customers(&bank, &mut text).expect("into memory");
        let text = String::from_utf8(text).expect("UTF-8");
        let groups: BTreeSet<&str> = text
            .lines()
            .filter(|line| line.contains(",scheme,") && line.contains(",group,"))
            .filter_map(|line| line.split([',', '/']).nth(1))
            .collect();
        assert!(groups.len() > 20, "{}", groups.len());
        let own = |part: &Part| part.members.iter().filter(|(_, role)| *role != Role::Agent).map(|(number, _)| *number).collect::<Vec<_>>();
        let of_schemes: BTreeSet<u32> = bank.parts.iter().filter(|part| part.verdict == Verdict::Scheme).flat_map(own).collect();
        for (number, customer) in (0..).zip(&bank.world.customers).filter(|(_, customer)| customer.group > 0) {
            let is_labelled = groups.contains(bank.world.group_code(customer.group).as_str());
            assert_eq!(is_labelled, of_schemes.contains(&number), "customer {number}");
        }
    }

    #[test]
    fn an_orderly_feed_is_in_order_and_a_disorderly_one_has_each_flaw() {
        let (_, rows) = all(&dials(3, 0, 0));
        assert!(rows.is_sorted_by_key(|row| row.movement.at));
        assert!(rows.windows(2).all(|pair| pair[0].serial + 1 == pair[1].serial));
        let (_, rows) = all(&dials(3, 0, 20));
        let serials: BTreeSet<u64> = rows.iter().map(|row| row.serial).collect();
        assert!(serials.len() < rows.len(), "some come twice");
        for flaw in [Flaw::Amount, Flaw::Date, Flaw::Future] {
            assert!(rows.iter().any(|row| row.flaw == flaw), "{flaw:?}");
        }
        for back in [disorder::Back::Cancel, disorder::Back::Return] {
            assert!(rows.iter().any(|row| row.reverses.is_some_and(|(_, how)| how == back)), "{back:?}");
        }
        assert!(!rows.is_sorted_by_key(|row| row.movement.at), "some come late");
    }

    #[test]
    fn a_dial_that_is_held_holds() {
        let mut dials = dials(4, 100, 0);
        dials.held = BTreeMap::from([("investors".to_owned(), 77), ("payout".to_owned(), 1), ("acquired".to_owned(), 0)]);
        let bank = Bank::new(&dials);
        assert_eq!(bank.schemes.len(), 30);
        for scheme in &bank.schemes {
            assert_eq!((scheme.plan.investors, scheme.plan.payout, scheme.plan.acquired), (77, plan::Payout::Anniversary, 0));
        }
    }
}
