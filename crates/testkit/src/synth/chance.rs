//! The dice: numbers that depend on what they are drawn for, and on nothing else.
//!
//! A [`Chance`] is begun for a place (seed, customer, day) and drawn from there, so that one customer's life does not move when another's is
//! changed. Whole numbers throughout, so that every machine draws the same bank: shapes with tails come from tables, not from the `exp` of a
//! C library.

/// A sequence of draws (splitmix64).
#[derive(Debug, Clone)]
pub struct Chance(u64);

/// 2^(1/2), 2^(1/4), … 2^(1/1024), times 2^32.
const ROOTS: [u64; 10] = {
    let mut roots = [0; 10];
    let mut square: u128 = 2 << 64;
    let mut at = 0;
    while at < 10 {
        // The root of x·2^64 is the root of x, times 2^32.
        let root = square.isqrt();
        roots[at] = root as u64;
        square = root << 32;
        at += 1;
    }
    roots
};

/// One step of splitmix64 as a hash.
#[must_use]
pub const fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Chance {
    /// The dice of a place.
    #[must_use]
    pub const fn of(a: u64, b: u64) -> Self {
        Self(mix(a ^ mix(b)))
    }

    /// 64 bits.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// Less than `count`, which is more than zero.
    pub const fn below(&mut self, count: u64) -> u64 {
        ((self.draw() as u128 * count as u128) >> 64) as u64
    }

    /// From `least` to `most`, both included.
    pub const fn between(&mut self, least: i64, most: i64) -> i64 {
        least + self.below((most - least) as u64 + 1) as i64
    }

    /// True so many times in a thousand.
    pub const fn per_mille(&mut self, times: u32) -> bool {
        self.below(1000) < times as u64
    }

    /// One of several.
    ///
    /// # Panics
    /// If there is none.
    pub const fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len() as u64) as usize]
    }

    /// From `least` to `most` by Zipf's law: one in k is k times the least or more.
    pub const fn zipf(&mut self, least: i64, most: i64) -> i64 {
        let number = (least << 20) / (1 + self.below(1 << 20) as i64);
        if number < most { number } else { most }
    }

    /// A place among `count`, which is more than zero, by Zipf's law, in steps: first to last, each doubling of the place is as likely as the next.
    pub const fn rank(&mut self, count: u64) -> u64 {
        loop {
            let octave = self.below(count.ilog2() as u64 + 1);
            let place = (1 << octave) - 1 + self.below(1 << octave);
            if place < count {
                return place;
            }
        }
    }

    /// A normal number in 1024ths of its deviation: the sum of twelve even ones, which has no tail beyond six.
    pub const fn normal(&mut self) -> i64 {
        let mut sum = 0;
        let mut drawn = 0;
        while drawn < 3 {
            let bits = self.draw();
            sum += (bits & 0xffff) + (bits >> 16 & 0xffff) + (bits >> 32 & 0xffff) + (bits >> 48);
            drawn += 1;
        }
        (sum as i64 - 12 * 32_768) / 64
    }

    /// A lognormal number: half of them below `median`, about two thirds within a factor of 2^(`octaves` / 1024) of it.
    pub const fn spread(&mut self, median: i64, octaves: i64) -> i64 {
        scale(median, self.normal() * octaves / 1024)
    }
}

/// `number` times 2^(`octaves` / 1024).
#[must_use]
pub const fn scale(number: i64, octaves: i64) -> i64 {
    let fraction = octaves.rem_euclid(1024) as usize;
    let mut factor: u64 = 1 << 32;
    let mut at = 0;
    while at < 10 {
        if fraction >> (9 - at) & 1 == 1 {
            factor = ((factor as u128 * ROOTS[at] as u128) >> 32) as u64;
        }
        at += 1;
    }
    let shifted = (number as i128 * factor as i128) >> 32;
    let whole = octaves.div_euclid(1024);
    (if whole >= 0 { shifted << whole } else { shifted >> -whole }) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octaves_double_and_halve_and_lie_between() {
        assert_eq!(scale(1_000_000, 1024), 2_000_000);
        assert_eq!(scale(1_000_000, -2048), 250_000);
        assert_eq!(scale(1_000_000, 512), 1_414_213);
        assert_eq!(scale(1_000_000, -512), 707_106);
    }

    #[test]
    fn a_lognormal_number_has_its_median_and_its_spread() {
        let mut chance = Chance::of(1, 2);
        let mut drawn: Vec<i64> = (0..100_000).map(|_| chance.spread(10_000, 1024)).collect();
        drawn.sort_unstable();
        assert!((9_800..10_200).contains(&drawn[50_000]), "{}", drawn[50_000]);
        // 84.13 % of a normal distribution lie below one deviation.
        assert!((19_500..20_500).contains(&drawn[84_134]), "{}", drawn[84_134]);
    }

    #[test]
    fn by_zipf_the_share_beyond_a_size_halves_where_it_doubles() {
        let mut chance = Chance::of(5, 6);
        let drawn: Vec<i64> = (0..100_000).map(|_| chance.zipf(100, 100_000)).collect();
        for (size, share) in [(200, 50_000), (400, 25_000), (1600, 6250), (12_800, 781)] {
            let beyond: i64 = drawn.iter().filter(|number| **number >= size).count() as i64;
            assert!((beyond - share).abs() < share / 10, "{size}: {beyond}");
        }
        assert!(drawn.iter().all(|number| (100..=100_000).contains(number)));
        // Of places each doubling is as likely, but for the last, which 1000 cuts.
        let places: Vec<u64> = (0..90_000).map(|_| chance.rank(1000)).collect();
        let between = |from: u64, to: u64| places.iter().filter(|place| (from..to).contains(*place)).count();
        assert!(between(0, 1).abs_diff(between(127, 255)) < 500, "{} {}", between(0, 1), between(127, 255));
        assert!(between(999, 1000) > 0 && between(1000, u64::MAX) == 0);
    }

    #[test]
    fn ranges_include_both_ends() {
        let mut chance = Chance::of(3, 4);
        let drawn: std::collections::BTreeSet<i64> = (0..1000).map(|_| chance.between(-2, 2)).collect();
        assert_eq!(drawn, (-2..=2).collect());
    }
}
