//! The proposals as a CSV file, and the closing numbers.
//!
//! A line is one reason for one member, told from its side, so that whoever filters by a customer sees all that speaks for it; its columns stay
//! as they are. Numbers stand in columns of their own, and once more in a Chinese sentence. Rows are written as they come: there may be millions.

use std::io;

use comfy_table::{CellAlignment, Table};
use serde::Serialize;
use weir_feed::Parties;
use weir_model::money::yuan;
use weir_model::party::unit_of;

use super::chains::Way;
use super::evidence::{Evidence, Reason, Related, Strength};
use super::groups::{Found, Group};
use super::ledger::{Closed, Key, Mark};
use crate::language::Lang;
use crate::terminal::{self, grouped};

const COLUMNS: [&str; 17] = [
    "group",
    "members",
    "institution",
    "customer",
    "known_group",
    "related",
    "reason",
    "shared_payers",
    "amount",
    "related_amount",
    "payee",
    "share",
    "related_share",
    "customers",
    "explain",
    "via",
    "related_via",
];

/// Writes the file.
pub(super) fn write(to: impl io::Write, found: &Found<'_>, ledger: &Closed, parties: &Parties) -> io::Result<()> {
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(to);
    writer.write_record(COLUMNS).map_err(bare)?;
    for group in found.groups() {
        for member in &group.members {
            for related in group.related_to(*member) {
                row(&mut writer, &group, *member, related, ledger, parties).map_err(bare)?;
            }
        }
    }
    writer.flush()
}

/// A reason of a member.
fn row(
    writer: &mut csv::Writer<impl io::Write>,
    group: &Group<'_>,
    member: Key,
    related: &Related,
    ledger: &Closed,
    parties: &Parties,
) -> csv::Result<()> {
    let Related { pair, reason } = related;
    let is_second = pair[1] == member;
    let (member, other) = (ledger.text(member), ledger.text(pair[usize::from(!is_second)]));
    let numbers = Numbers::of(reason, is_second, ledger);
    let (institution, customer) = unit_of(member);
    let known = parties.by_key(member).map_or("", |party| party.group.as_str());
    let members = group.members.len().to_string();
    let explain = numbers.sentence(other, reason);
    let head = [group.name.as_str(), &members, institution, customer, known, other, reason.code()];
    let [via, related_via] = &numbers.ways;
    let tail = [explain.as_str(), via.as_str(), related_via.as_str()];
    writer.write_record(head.into_iter().chain(numbers.cells()).chain(tail))
}

/// What the system said of a failed write, out of its wrapping: what to do about a full disk is told by its kind.
fn bare(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The numbers of a reason from one side; empty where it has none of the kind.
#[derive(Debug, Default)]
struct Numbers {
    people: String,
    amounts: [String; 2],
    payee: String,
    shares: [String; 2],
    customers: String,
    ways: [String; 2],
}

impl Numbers {
    fn of(reason: &Reason, is_second: bool, ledger: &Closed) -> Self {
        let turned = |[a, b]: [String; 2]| if is_second { [b, a] } else { [a, b] };
        match reason {
            Reason::SharedPayers { people, paid } => {
                Self { people: people.to_string(), amounts: turned(paid.map(|fen| yuan(fen.into()))), ..Self::default() }
            }
            Reason::CommonPayee { payee, share, ways, customers } => Self {
                payee: ledger.text(*payee).to_owned(),
                shares: turned(share.map(|share| format!("{share}%"))),
                customers: customers.to_string(),
                ways: turned(ways.map(|way| way_of(way, ledger))),
                ..Self::default()
            },
            Reason::MainPayee { payee, is_payee_second, share, customers } => {
                let (share, none) = (format!("{share}%"), String::new());
                Self {
                    payee: ledger.text(*payee).to_owned(),
                    shares: turned(if *is_payee_second { [share, none] } else { [none, share] }),
                    customers: customers.to_string(),
                    ..Self::default()
                }
            }
            Reason::Mark { customers, .. } => Self { customers: customers.to_string(), ..Self::default() },
        }
    }

    fn cells(&self) -> [&str; 7] {
        let Self { people, amounts: [amount, related], payee, shares: [share, related_share], customers, .. } = self;
        [people, amount, related, payee, share, related_share, customers]
    }

    fn sentence(&self, related: &str, reason: &Reason) -> String {
        let Self { people, amounts, payee, shares: [share, related_share], customers, ways } = self;
        match reason {
            Reason::SharedPayers { .. } => {
                format!("{people}名自然人既付给本户（共{}元），也付给{related}（共{}元）", amounts[0], amounts[1])
            }
            Reason::CommonPayee { .. } => {
                let [by, related_by] = ways.each_ref().map(|way| in_between(way));
                format!("本户转出的{share}{by}、{related}转出的{related_share}{related_by}都流向{payee}，向其付款的客户共{customers}户")
            }
            Reason::MainPayee { .. } if share.is_empty() => {
                format!("{related}转出的{related_share}到了本户，向本户付款的客户共{customers}户")
            }
            Reason::MainPayee { .. } => format!("本户转出的{share}到了{payee}，向其付款的客户共{customers}户"),
            Reason::Mark { mark: Mark::Device, .. } => format!("与{related}用过同一设备，用过该设备的客户共{customers}户"),
            Reason::Mark { mark: Mark::Agent, .. } => format!("与{related}有过同一代办人，其代办的客户共{customers}户"),
        }
    }
}

/// Customers in between, as the money goes.
fn way_of(way: Way, ledger: &Closed) -> String {
    way.into_iter().flatten().map(|customer| ledger.text(customer)).collect::<Vec<_>>().join(" → ")
}

/// The same within a sentence; nothing where nobody is in between. Not all of the share goes all the way: each passes on half or more of what
/// the one before pays it.
fn in_between(way: &str) -> String {
    if way.is_empty() { String::new() } else { format!("（经{way}，每户至少转出上一方所付的一半）") }
}

/// The closing numbers.
#[derive(Debug, Serialize)]
pub(super) struct Summary {
    records: u64,
    unusable: u64,
    customers_with_payers: usize,
    candidates: usize,
    related_pairs: usize,
    shared_payers: usize,
    common_payee: usize,
    main_payee: usize,
    device: usize,
    agent: usize,
    groups: usize,
    customers: usize,
    households: usize,
    household_customers: usize,
    too_large: usize,
    too_large_customers: usize,
    cut_marks: usize,
    cut_main_payee: usize,
    cut_common_payee: usize,
    cut_customers: usize,
    common_payers: u64,
    common_payees: u64,
    common_devices: u64,
    left_out: u64,
}

impl Summary {
    pub(super) fn new(ledger: &Closed, evidence: &Evidence, found: &Found<'_>) -> Self {
        let of = |code: &str| evidence.pairs().filter(|pair| pair.iter().any(|related| related.reason.code() == code)).count();
        let members = || found.groups().map(|group| group.members.len());
        let [common_payers, common_payees, common_devices] = evidence.common;
        Self {
            records: ledger.records,
            unusable: ledger.unusable,
            customers_with_payers: evidence.with_payers,
            candidates: evidence.candidates.len(),
            related_pairs: evidence.pairs().count(),
            shared_payers: of("shared_payers"),
            common_payee: of("common_payee"),
            main_payee: of("main_payee"),
            device: of("device"),
            agent: of("agent"),
            groups: members().count(),
            customers: members().sum(),
            households: found.households.len(),
            household_customers: found.households.iter().sum(),
            too_large: found.too_large.len(),
            too_large_customers: found.too_large.iter().sum(),
            cut_marks: found.cut(Strength::Mark),
            cut_main_payee: found.cut(Strength::MainPayee),
            cut_common_payee: found.cut(Strength::CommonPayee),
            cut_customers: found.alone,
            common_payers,
            common_payees,
            common_devices,
            left_out: ledger.left_out.saturating_add(evidence.left_out),
        }
    }

    /// As a table.
    pub(super) fn table(&self, lang: Lang) -> Table {
        let mut table = terminal::table();
        let number = |n: usize| grouped(n as u128);
        for (label, value) in [
            (lang.of("记录", "records"), grouped(self.records.into())),
            (lang.of("无法使用", "unusable"), grouped(self.unusable.into())),
            (lang.of("有自然人付款方的客户", "customers with natural payers"), number(self.customers_with_payers)),
            (lang.of("候选客户", "candidates"), number(self.candidates)),
            (lang.of("有关联的客户对", "related pairs"), number(self.related_pairs)),
            (lang.of("  共同付款人", "  shared payers"), number(self.shared_payers)),
            (lang.of("  共同去向", "  common payee"), number(self.common_payee)),
            (lang.of("  转往本行客户", "  main payee"), number(self.main_payee)),
            (lang.of("  同一设备", "  device"), number(self.device)),
            (lang.of("  同一代办人", "  agent"), number(self.agent)),
            (lang.of("建议的组", "proposed groups"), number(self.groups)),
            (lang.of("  其中客户", "  customers in them"), number(self.customers)),
            (lang.of("无人收款而未建议（--households）", "nobody collects, not proposed (--households)"), number(self.households)),
            (lang.of("  其中客户", "  customers in them"), number(self.household_customers)),
            (lang.of("过大而未建议", "too large, not proposed"), number(self.too_large)),
            (lang.of("  其中客户", "  customers in them"), number(self.too_large_customers)),
            (lang.of("为拆开过大的而不计：设备、代办人", "cut from what was too large: devices, agents"), number(self.cut_marks)),
            (lang.of("  转往本行客户", "  main payee"), number(self.cut_main_payee)),
            (lang.of("  共同去向", "  common payee"), number(self.cut_common_payee)),
            (lang.of("  因此不属任何组的客户", "  customers left in none by that"), number(self.cut_customers)),
            (lang.of("过于普遍而不计：付款人", "too common to count: payers"), grouped(self.common_payers.into())),
            (lang.of("  收款方", "  payees"), grouped(self.common_payees.into())),
            (lang.of("  设备、代办人", "  devices, agents"), grouped(self.common_devices.into())),
            (lang.of("超限未记（--pairs）", "left out at the bound (--pairs)"), grouped(self.left_out.into())),
        ] {
            table.add_row([label.to_owned(), value]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        table
    }
}
