//! How somebody looks in a feed: account, customer number, name, bank, kind, division. All of it follows from who it is. Industries stand here with how
//! the names of their businesses end, so that none is without one.

use weir_model::PartyKind;

use super::chance::mix;
use super::digits::padded;
use super::institutions;
use super::movement::{Desk, Who};
use super::world::{Customer, DIVISIONS, World};

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

/// Industries of shops, with how a trader's and a firm's name ends.
pub(super) const SHOPS: [(&str, &str, &str); 8] = [
    ("5211", "百货店", "百货有限公司"),
    ("5212", "超市", "超市有限公司"),
    ("6210", "餐馆", "餐饮有限公司"),
    ("5251", "药房", "大药房有限公司"),
    ("5281", "五金店", "五金有限公司"),
    ("8040", "理发店", "美容美发有限公司"),
    ("5231", "服装店", "服饰有限公司"),
    ("6291", "早点铺", "餐饮管理有限公司"),
];
/// Industries of firms that make or trade.
pub(super) const TRADES: [&str; 12] = ["5126", "4813", "1392", "5439", "2110", "7119", "0149", "6510", "7291", "3021", "2770", "8210"];
/// Industries that schemes like to pretend to: honest firms have them too.
pub(super) const COVERS: [&str; 5] = ["7249", "7040", "0511", "8514", "5292"];
/// How the names of other businesses end, by industry.
const TAILS: [(&str, &str); 31] = [
    ("5126", "商贸有限公司"),
    ("4813", "建设有限公司"),
    ("1392", "食品有限公司"),
    ("5439", "物流有限公司"),
    ("2110", "家具有限公司"),
    ("7119", "设备租赁有限公司"),
    ("0149", "农业有限公司"),
    ("6510", "科技有限公司"),
    ("7291", "文旅有限公司"),
    ("3021", "建材有限公司"),
    ("2770", "卫材有限公司"),
    ("8210", "家政服务有限公司"),
    ("7249", "投资咨询有限公司"),
    ("7040", "商业管理有限公司"),
    ("0511", "种植专业合作社"),
    ("8514", "康养服务有限公司"),
    ("5292", "电子商城有限公司"),
    ("7264", "劳务派遣有限公司"),
    ("7020", "物业服务有限公司"),
    ("8336", "培训学校"),
    ("8870", "体育场馆有限公司"),
    ("6850", "保险代理有限公司"),
    ("6720", "基金销售有限公司"),
    ("9521", "慈善会"),
    ("5191", "供应链有限公司"),
    ("9620", "村民委员会"),
    ("5261", "汽车销售服务有限公司"),
    ("7231", "律师事务所"),
    ("8930", "健身服务有限公司"),
    ("7211", "控股集团有限公司"),
    ("7010", "房地产开发有限公司"),
];

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
                let code = world.code(number);
                account_number(code, account, &mut self.account);
                padded(code.into(), 8, &mut self.customer);
                name(customer, &mut self.name);
                (self.bank, self.kind, self.division) = (BANK, customer.kind, customer.division);
            }
            Who::Outside(kind, number) => {
                let institution = institutions::find(number);
                let number = mix(number);
                self.account.push_str("62");
                padded(number % 10_000_000_000_000_000, 16, &mut self.account);
                self.bank = OTHER_BANKS[(number % 6) as usize];
                let is_told = !is_shy || number >> 32 & 1023 < 410;
                self.kind = if is_told { kind } else { PartyKind::Unknown };
                // Most people know people of their own town.
                let at = number >> 20 & 63;
                self.division = DIVISIONS[if at < 48 { at % 5 } else { at % 16 } as usize];
                match institution {
                    Some(institution) => {
                        self.name.push_str(institution.name);
                        self.industry = institution.industry;
                    }
                    None if kind == PartyKind::Natural => person_name(number, &mut self.name),
                    None => firm_name(number, &mut self.name),
                }
            }
            Who::Bank(desk) => {
                self.account.push_str(match desk {
                    Desk::Loans => "9901001",
                    Desk::Interest => "9902001",
                    Desk::Fees => "9903001",
                });
                self.name.push_str("本行");
                (self.bank, self.kind) = (BANK, PartyKind::Internal);
            }
        }
    }
}

/// Writes account `account` of the customer whose number in the feed is `code`.
pub fn account_number(code: u32, account: u8, text: &mut String) {
    text.push_str("6222");
    padded(code.into(), 12, text);
    padded(account.into(), 1, text);
}

/// Writes a customer's name.
pub fn name(customer: &Customer, name: &mut String) {
    if customer.kind == PartyKind::Natural {
        return person_name(customer.seed, name);
    }
    let tail = match SHOPS.iter().find(|(industry, ..)| *industry == customer.industry) {
        Some((_, trader, _)) if customer.kind == PartyKind::SoleTrader => trader,
        Some((.., firm)) => firm,
        None => TAILS.iter().find(|(industry, _)| *industry == customer.industry).map_or("服务有限公司", |(_, tail)| tail),
    };
    business_name(mix(customer.seed ^ 0x4a3e), tail, name);
}

/// `永昌恒泰商贸有限公司`.
fn business_name(seed: u64, tail: &str, name: &mut String) {
    for part in [PLACES[(seed % 16) as usize], STYLES[(seed >> 8) as usize % 16], STYLES[(seed >> 16) as usize % 16], tail] {
        name.push_str(part);
    }
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
    let industry = TRADES[(seed >> 24) as usize % TRADES.len()];
    business_name(seed, TAILS.iter().find(|(of, _)| *of == industry).map_or("有限公司", |(_, tail)| tail), name);
}
