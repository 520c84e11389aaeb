//! Bodies and houses that the whole town deals with: each is one firm elsewhere, with a name that fits what people pay it or get from it.
//!
//! All of them are invented. A firm elsewhere is its number and nothing else, so these have numbers of their own.

use super::chance::mix;
use super::movement::{Who, firm};

/// A body or house.
#[derive(Debug, Clone, Copy)]
pub(super) struct Institution {
    number: u64,
    /// Name in the feed.
    pub(super) name: &'static str,
    /// GB/T 4754 class, where banks say it of counterparties: of securities firms.
    pub(super) industry: &'static str,
}

impl Institution {
    const fn new(number: u64, name: &'static str) -> Self {
        Self { number: mix(0x1257 ^ number), name, industry: "" }
    }

    const fn broker(number: u64, name: &'static str) -> Self {
        Self { industry: "6712", ..Self::new(number, name) }
    }

    /// As a side of a movement.
    pub(super) const fn who(&self) -> Who {
        firm(self.number)
    }
}

/// 公积金.
pub(super) const HOUSING_FUND: Institution = Institution::new(1, "市住房公积金管理中心");
/// 养老金.
pub(super) const PENSIONS: Institution = Institution::new(2, "市社会保险事业管理局");
/// Subsidies and compensation.
pub(super) const FINANCE_BUREAU: Institution = Institution::new(3, "市财政局");
/// 税款, 退税.
pub(super) const TREASURY: Institution = Institution::new(4, "国家金库市中心支库");
/// 水电费.
pub(super) const UTILITY: Institution = Institution::new(5, "市水电服务有限公司");
/// Payment institutions and acquirers.
pub(super) const PAYMENTS: [Institution; 3] = [
    Institution::new(0x10, "潞江支付科技有限公司"),
    Institution::new(0x11, "永昌支付服务有限公司"),
    Institution::new(0x12, "青石收单服务有限公司"),
];
/// Securities firms.
pub(super) const BROKERS: [Institution; 4] = [
    Institution::broker(0x20, "永昌证券有限责任公司"),
    Institution::broker(0x21, "潞江证券有限责任公司"),
    Institution::broker(0x22, "青石证券股份有限公司"),
    Institution::broker(0x23, "龙塘证券有限责任公司"),
];
/// Insurers.
pub(super) const INSURERS: [Institution; 5] = [
    Institution::new(0x30, "永昌人寿保险股份有限公司"),
    Institution::new(0x31, "潞江财产保险股份有限公司"),
    Institution::new(0x32, "板桥健康保险股份有限公司"),
    Institution::new(0x33, "金鸡人寿保险股份有限公司"),
    Institution::new(0x34, "河图财产保险股份有限公司"),
];
/// Schools.
pub(super) const SCHOOLS: [Institution; 8] = [
    Institution::new(0x40, "永昌第一中学"),
    Institution::new(0x41, "板桥中学"),
    Institution::new(0x42, "青石实验小学"),
    Institution::new(0x43, "汉庄中心小学"),
    Institution::new(0x44, "潞江职业技术学校"),
    Institution::new(0x45, "辛街幼儿园"),
    Institution::new(0x46, "龙塘高级中学"),
    Institution::new(0x47, "河图学院"),
];
/// Who builds and sells flats.
pub(super) const DEVELOPERS: [Institution; 4] = [
    Institution::new(0x50, "板桥房地产开发有限公司"),
    Institution::new(0x51, "永昌置业有限公司"),
    Institution::new(0x52, "汉庄房地产开发有限公司"),
    Institution::new(0x53, "河图置业有限公司"),
];
/// Who sells cars.
pub(super) const CAR_SELLERS: [Institution; 4] = [
    Institution::new(0x60, "龙塘汽车销售服务有限公司"),
    Institution::new(0x61, "永昌汽车贸易有限公司"),
    Institution::new(0x62, "潞江汽车销售服务有限公司"),
    Institution::new(0x63, "辛街汽车贸易有限公司"),
];

/// One of several, by any number.
pub(super) const fn one_of(of: &[Institution], number: u64) -> Who {
    of[(number % of.len() as u64) as usize].who()
}

/// Which a firm elsewhere is, if it is one of them.
pub(super) fn find(number: u64) -> Option<&'static Institution> {
    const BODIES: [Institution; 5] = [HOUSING_FUND, PENSIONS, FINANCE_BUREAU, TREASURY, UTILITY];
    let kinds: [&'static [Institution]; 7] = [&BODIES, &PAYMENTS, &BROKERS, &INSURERS, &SCHOOLS, &DEVELOPERS, &CAR_SELLERS];
    kinds.into_iter().flatten().find(|institution| institution.number == number)
}
