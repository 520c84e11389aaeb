//! Traffic for benchmarks: a bank's worth of transfers as a pure function of its dials.
//!
//! Skewed activity (Zipf), a handful of partners a party, a small share out of order, 326-byte JSON lines; no scheme is planted, so what is
//! measured is the cost of ordinary life. The same dials give the same bytes on every machine. Not a model of a bank: that is
//! `weir-testkit`'s business.

mod shipped;

use std::fmt::Write;

pub use shipped::shipped;

/// That of the binary: what is measured is what runs.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// What the traffic is like.
#[derive(Debug, Clone, Copy)]
pub struct Dials {
    /// Transfers.
    pub transfers: u64,
    /// Accounts they move between.
    pub parties: u64,
    /// Seconds they are spread over, evenly.
    pub seconds: u64,
    /// Partners of a party.
    pub partners: u64,
    /// One transfer in this many comes up to two hours late.
    pub disorder: u64,
    /// Exponent of the activity of parties by rank (Zipf), in thousandths.
    pub skew: u32,
    /// One transfer in this many goes to one and the same account, whoever pays; 0: none does.
    pub hot: u64,
    /// Seed.
    pub seed: u64,
}

impl Default for Dials {
    fn default() -> Self {
        Self { transfers: 1_000_000, parties: 100_000, seconds: 90 * DAY, partners: 5, disorder: 100, skew: 800, hot: 0, seed: 1 }
    }
}

/// Lines of transfers in reading order.
#[derive(Debug)]
pub struct Traffic {
    dials: Dials,
    state: u64,
    next: u64,
    /// Cumulative weights of parties by rank, in parts of 2^32.
    ranks: Vec<u64>,
}

/// In seconds.
pub const DAY: u64 = 86_400;

/// The account that takes much.
const HOT: u64 = 0;

/// 2026-01-01T00:00:00+08:00 in seconds.
const BEGIN: u64 = 1_767_196_800;

impl Traffic {
    /// The traffic of these dials.
    #[must_use]
    pub fn new(dials: Dials) -> Self {
        Self { dials, state: dials.seed, next: 0, ranks: zipf(dials.parties, dials.skew) }
    }

    /// Writes the next line, newline included; `false` when there is none.
    pub fn write_line(&mut self, line: &mut String) -> bool {
        if self.next == self.dials.transfers {
            return false;
        }
        let number = self.next;
        self.next += 1;
        let payer = self.party();
        let partner = self.random() % self.dials.partners;
        // A party's partners are fixed: its own hash decides who they are.
        let is_hot = self.dials.hot != 0 && number.is_multiple_of(self.dials.hot);
        let usual = (mix(payer * self.dials.partners + partner) % (self.dials.parties - 1) + payer + 1) % self.dials.parties;
        // Of parties and their partners nothing changes: the hot account takes what others would have got.
        let payee = if is_hot && payer != HOT { HOT } else { usual };
        let second = number * self.dials.seconds / self.dials.transfers;
        let late = if self.random().is_multiple_of(self.dials.disorder) { self.random() % 7200 } else { 0 };
        let at = BEGIN + second.saturating_sub(late);
        let fen = 1000 + mix(self.random()) % 500_000;
        let (date, time) = civil(at);
        let _ = writeln!(
            line,
            "{{\"txn_id\":\"T{number:015}\",\"occurred_at\":\"{date}T{time}+08:00\",\"amount\":\"{}.{:02}\",\"currency\":\"CNY\",\
             \"payer_account\":\"622202{payer:013}\",\"payee_account\":\"622202{payee:013}\",\"payer_kind\":\"natural\",\
             \"payee_kind\":\"natural\",\"payer_division\":\"530500\",\"payee_division\":\"530521\",\"channel\":\"mobile\",\
             \"memo\":\"transfer {:06}\"}}",
            fen / 100,
            fen % 100,
            number % 1_000_000,
        );
        true
    }

    /// All lines as one text.
    #[must_use]
    pub fn text(mut self) -> String {
        let mut text = String::new();
        while self.write_line(&mut text) {}
        text
    }

    fn party(&mut self) -> u64 {
        let at = self.random() >> 32;
        let rank = self.ranks.partition_point(|weight| *weight <= at) as u64;
        // Ranks are spread over the numbers, so that busy accounts do not lie side by side.
        mix(rank) % self.dials.parties
    }

    /// Splitmix64.
    fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.state)
    }
}

fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[expect(clippy::float_arithmetic, reason = "weights of ranks, not money; only their rounded sums are used")]
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "ranks stay below 2^32")]
fn zipf(parties: u64, skew: u32) -> Vec<u64> {
    let exponent = -f64::from(skew) / 1000.0;
    let weights: Vec<f64> = (1..=parties).map(|rank| (rank as f64).powf(exponent)).collect();
    let total: f64 = weights.iter().sum();
    let mut sum = 0.0;
    let parts = weights.iter().map(|weight| {
        sum += weight;
        (sum / total * 4_294_967_296.0) as u64
    });
    parts.collect()
}

/// Date and time at UTC+8 of a second.
fn civil(second: u64) -> (String, String) {
    let at = weir_model::EventTime(i64::try_from(second).unwrap_or(i64::MAX).saturating_mul(1_000_000));
    let of_day = at.micros_of_day() / 1_000_000;
    (at.day().to_string(), format!("{:02}:{:02}:{:02}", of_day / 3600, of_day / 60 % 60, of_day % 60))
}
