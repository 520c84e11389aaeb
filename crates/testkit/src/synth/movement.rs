//! What is written: a movement of money, with who, how and why, and the label that never goes into the feed.

use weir_model::Channel;
use weir_model::PartyKind;

/// Who stands on a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Nobody: cash.
    Nobody,
    /// A customer of the bank, and which of its accounts.
    Own(u32, u8),
    /// Somebody with an account elsewhere; the number says everything about them.
    Outside(PartyKind, u64),
    /// An account of the bank itself: loans, interest, fees.
    Bank(Desk),
}

/// Accounts of the bank itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Desk {
    /// 贷款.
    Loans,
    /// 利息.
    Interest,
    /// 手续费.
    Fees,
}

/// What the account of a side is, where that matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Class {
    /// 活期, or not said.
    #[default]
    Current,
    /// 定期.
    Term,
    /// 理财.
    Wealth,
}

/// What a memo says. Texts stand beside the kinds.
macro_rules! memos {
    ($($name:ident $text:literal),* $(,)?) => {
        /// What a memo says.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(missing_docs, reason = "each is the text beside it")]
        pub enum Memo { $($name),* }

        impl Memo {
            /// The text.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text),* }
            }
        }
    };
}

memos! {
    None "", Wages "工资", Pension "养老金", Bonus "奖金", Transfer "转账", Living "生活费", RedPacket "红包", Borrow "借款", Repay "还款",
    Shopping "消费", TopUp "充值", Withdraw "提现", CashIn "现金存款", CashOut "现金取款", Rent "房租", Utility "水电费", Property "物业费",
    Tuition "学费", Insurance "保费", Claim "赔款", Loan "贷款还款", Interest "结息", Wealth "理财申购",
    WealthBack "理财赎回", TermIn "定期存入", Securities "银证转账", Fund "公积金", Tax "税款", Refund "退税",
    Goods "货款", Settlement "商户结算", Deposit "押金", DepositBack "退押金", Gift "礼金", ClassFee "班费", GroupBuy "团购款",
    Compensation "征地补偿", Subsidy "补贴", Labour "劳务费", Donation "捐款", Aid "救助款", Dividend "分红", Share "股金", CarPrice "购车款",
    Platform "平台结算", Prize "兑奖", Ticket "彩票", Card "会员卡", Pool "资金归集", Allocation "资金下拨", HousePrice "购房款",
    Escrow "代管款", Meeting "会款", LoanInterest "借款利息", Invest "投资款", Subscription "认购款", Return "返利",
    Profit "收益", Principal "本金", Commission "提成", Project "项目款", Consumption "消费款", Care "养老服务费", Lease "租金",
    Ink "往来款", Returned "退汇", Welfare "工会福利", Lent "贷款发放", MessageFee "短信服务费", CardFee "银行卡年费",
    AccountFee "账户管理费",
}

/// What a movement is part of: 0 is ordinary life; others are numbers of a [`crate::synth::label::Part`].
pub type PartId = u32;

/// A movement of money.
#[derive(Debug, Clone, Copy)]
pub struct Movement {
    /// Seconds since 1970.
    pub at: i64,
    /// Fen, more than zero.
    pub fen: i64,
    /// Who pays.
    pub payer: Who,
    /// Who is paid.
    pub payee: Who,
    /// How.
    pub channel: Channel,
    /// 附言.
    pub memo: Memo,
    /// Of the payer's account.
    pub payer_class: Class,
    /// Of the payee's.
    pub payee_class: Class,
    /// Part of what.
    pub part: PartId,
    /// Does not happen where the payer has not that much.
    pub if_able: bool,
}

impl Movement {
    /// An ordinary movement that happens if the payer can.
    #[must_use]
    pub const fn new(at: i64, fen: i64, payer: Who, payee: Who, channel: Channel, memo: Memo) -> Self {
        let (payer_class, payee_class) = (Class::Current, Class::Current);
        Self { at, fen, payer, payee, channel, memo, payer_class, payee_class, part: 0, if_able: true }
    }

    /// The same, of which it is certain that it happens.
    #[must_use]
    pub const fn certain(mut self) -> Self {
        self.if_able = false;
        self
    }

    /// The same as a part of something.
    #[must_use]
    pub const fn part(mut self, part: PartId) -> Self {
        self.part = part;
        self
    }

    /// The same between accounts of these classes.
    #[must_use]
    pub const fn classes(mut self, payer: Class, payee: Class) -> Self {
        self.payer_class = payer;
        self.payee_class = payee;
        self
    }
}

/// One natural person elsewhere.
#[must_use]
pub const fn stranger(number: u64) -> Who {
    Who::Outside(PartyKind::Natural, number)
}

/// One firm elsewhere.
#[must_use]
pub const fn firm(number: u64) -> Who {
    Who::Outside(PartyKind::Organisation, number)
}
