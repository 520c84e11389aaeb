//! How somebody looks in a feed: account, customer number, name, bank, kind, division. All of it follows from who it is.

use std::fmt::Write as _;

use weir_model::PartyKind;

use super::chance::mix;
use super::movement::{Desk, Who};
use super::world::{Customer, DIVISIONS, Life, SHOPS, TRADES, World};

/// Code of the bank itself.
pub const BANK: &str = "402753000018";
const OTHER_BANKS: [&str; 6] = ["102753000027", "103753000036", "104753000045", "105753000054", "403753000072", "308753000018"];
const SURNAMES: [&str; 32] = [
    "王", "李", "张", "刘", "陈", "杨", "赵", "黄", "周", "吴", "徐", "孙", "胡", "朱", "高", "林", "何", "郭", "马", "罗", "梁", "宋",
    "郑", "谢", "韩", "唐", "冯", "于", "董", "萧", "程", "曹",
];
const GIVEN: [&str; 40] = [
    "伟", "芳", "娜", "敏", "静", "丽", "强", "磊", "军", "洋", "勇", "艳", "杰", "娟", "涛", "明", "超", "秀", "霞", "平", "刚", "桂",
    "英", "华", "玉", "兰", "红", "梅", "建", "国", "志", "文", "春", "雪", "云", "海", "鹏", "飞", "颖", "琴",
];
const PLACES: [&str; 16] =
    ["青石", "龙塘", "永昌", "板桥", "金鸡", "瓦窑", "河图", "汉庄", "蒲缥", "潞江", "芒宽", "辛街", "西邑", "丙麻", "水寨", "老营"];
const STYLES: [&str; 16] = ["恒", "瑞", "鑫", "达", "盛", "丰", "泰", "和", "顺", "兴", "隆", "源", "祥", "诚", "博", "远"];

/// A side of a row, as text.
#[derive(Debug, Clone, Default)]
pub struct Face {
    /// Account number.
    pub account: String,
    /// Customer number; empty elsewhere.
    pub customer: String,
    /// Name.
    pub name: String,
    /// Bank code.
    pub bank: &'static str,
    /// Kind; unknown where the feed does not say.
    pub kind: PartyKind,
    /// Division; 0 where not said.
    pub division: u32,
    /// GB/T 4754 class.
    pub industry: &'static str,
}

impl Face {
    /// Makes it that of `who`. Where `is_shy`, three in five of those elsewhere do not show their kind.
    pub fn show(&mut self, world: &World, who: Who, is_shy: bool) {
        self.account.clear();
        self.customer.clear();
        self.name.clear();
        (self.bank, self.kind, self.division, self.industry) = ("", PartyKind::Unknown, 0, "");
        match who {
            Who::Nobody => {}
            Who::Own(number, account) => {
                let customer = &world.customers[number as usize];
                let _ = write!(self.account, "{}", account_number(number, account));
                let _ = write!(self.customer, "{number:08}");
                name(customer, &mut self.name);
                (self.bank, self.kind, self.division) = (BANK, customer.kind, customer.division);
            }
            Who::Outside(kind, number) => {
                let number = mix(number);
                let _ = write!(self.account, "62{:016}", number % 10_000_000_000_000_000);
                self.bank = OTHER_BANKS[(number % 6) as usize];
                let is_told = !is_shy || number >> 32 & 1023 < 410;
                self.kind = if is_told { kind } else { PartyKind::Unknown };
                // Most people know people of their own town.
                let at = number >> 20 & 63;
                self.division = DIVISIONS[if at < 48 { at % 5 } else { at % 16 } as usize];
                if kind == PartyKind::Natural { person_name(number, &mut self.name) } else { firm_name(number, &mut self.name) }
            }
            Who::Bank(desk) => {
                self.account.push_str(match desk {
                    Desk::Loans => "9901001",
                    Desk::Interest => "9902001",
                });
                self.name.push_str("本行");
                (self.bank, self.kind) = (BANK, PartyKind::Internal);
            }
        }
    }
}

/// Account `account` of customer `number`.
#[must_use]
pub fn account_number(number: u32, account: u8) -> String {
    format!("6222{number:012}{account}")
}

/// Writes a customer's name.
pub fn name(customer: &Customer, name: &mut String) {
    if customer.kind == PartyKind::Natural {
        return person_name(customer.seed, name);
    }
    let seed = mix(customer.seed ^ 0x4a3e);
    let trade = TRADES.iter().chain(&SHOPS).find(|(industry, _)| *industry == customer.industry).map_or("服务", |(_, trade)| trade);
    name.push_str(PLACES[(seed % 16) as usize]);
    name.push_str(STYLES[(seed >> 8) as usize % 16]);
    name.push_str(STYLES[(seed >> 16) as usize % 16]);
    name.push_str(trade);
    name.push_str(match (customer.kind, customer.life) {
        (PartyKind::SoleTrader, _) => "店",
        (_, Life::Shop) => "门市部",
        _ => "有限公司",
    });
}

fn person_name(seed: u64, name: &mut String) {
    let seed = mix(seed ^ 0x6e61);
    // The first surnames are the frequent ones.
    let at = (seed % 1024).pow(2) >> 15;
    name.push_str(SURNAMES[at as usize % 32]);
    name.push_str(GIVEN[(seed >> 16) as usize % 40]);
    if seed >> 32 & 3 != 0 {
        name.push_str(GIVEN[(seed >> 24) as usize % 40]);
    }
}

fn firm_name(seed: u64, name: &mut String) {
    let seed = mix(seed ^ 0x6669);
    name.push_str(PLACES[(seed % 16) as usize]);
    name.push_str(STYLES[(seed >> 8) as usize % 16]);
    name.push_str(STYLES[(seed >> 16) as usize % 16]);
    name.push_str(TRADES[(seed >> 24) as usize % TRADES.len()].1);
    name.push_str("有限公司");
}
