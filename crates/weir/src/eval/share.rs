//! Shares and rates with intervals of 95 %: what else a figure from few schemes may have been.

use serde::{Deserialize, Serialize};

/// Deviations of a normal number within which 95 % of them lie.
const Z: f64 = 1.959_964;
/// What lies beyond either end.
const TAIL: f64 = 0.025;
/// Counts whose interval is exact; sums of so many terms lose nothing that shows.
const EXACT_MAX: u64 = 100;

/// So many of so many, with an interval (Wilson).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) of: u64,
    pub(crate) hits: u64,
    /// `hits / of`, and the ends of its interval; 0 to 1.
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

impl Default for Share {
    /// None of none.
    fn default() -> Self {
        Self::of(0, 0)
    }
}

impl Share {
    #[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a share to look at")]
    pub(crate) fn of(hits: u64, of: u64) -> Self {
        if of == 0 {
            return Self { of, hits, value: 0.0, low: 0.0, high: 1.0 };
        }
        let (n, p) = (of as f64, hits as f64 / of as f64);
        let middle = p + Z * Z / (2.0 * n);
        let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + Z * Z / n;
        Self { of, hits, value: p, low: ((middle - half) / scale).max(0.0), high: ((middle + half) / scale).min(1.0) }
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self::of(self.hits + other.hits, self.of + other.of)
    }

    pub(crate) fn counted(outcomes: impl Iterator<Item = bool>) -> Self {
        let (mut hits, mut of) = (0, 0);
        for is_hit in outcomes {
            of += 1;
            hits += u64::from(is_hit);
        }
        Self::of(hits, of)
    }
}

/// Ends of the interval of a count that is Poisson's: exact ones, found by halving. Beyond [`EXACT_MAX`], where it is right to a thousandth, by Byar's
/// approximation (Breslow and Day, 1987, formula 2.13).
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a rate to look at")]
pub(crate) fn poisson(count: u64) -> [f64; 2] {
    if count > EXACT_MAX {
        let end = |of: f64, z: f64| of * (1.0 - 1.0 / (9.0 * of) + z / (3.0 * of.sqrt())).powi(3);
        return [end(count as f64, -Z), end(count as f64 + 1.0, Z)];
    }
    // The mean under which so few or fewer come with a chance of `wanted`: the greater it is, the smaller the chance.
    let mean = |most: u64, wanted: f64| {
        let (mut low, mut high) = (0.0, 3.0 * EXACT_MAX as f64);
        for _ in 0..60 {
            let middle = (low + high) / 2.0;
            if at_most(most, middle) > wanted { low = middle } else { high = middle }
        }
        high
    };
    [count.checked_sub(1).map_or(0.0, |most| mean(most, 1.0 - TAIL)), mean(count, TAIL)]
}

/// The chance that no more than so many come where `mean` are to be expected.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a chance")]
fn at_most(most: u64, mean: f64) -> f64 {
    let mut term = (-mean).exp();
    let mut sum = term;
    for count in 1..=most {
        term *= mean / count as f64;
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let share = Share::of(9, 10);
        assert_eq!(format!("{:.3} {:.3}", share.low, share.high), "0.596 0.982");
        // Garwood's table.
        for (count, wanted) in [(0, "0.000 3.689"), (1, "0.025 5.572"), (2, "0.242 7.225"), (10, "4.795 18.390"), (100, "81.364 121.627")] {
            let [low, high] = poisson(count);
            assert_eq!(format!("{low:.3} {high:.3}"), wanted);
        }
        let [[_, exact], [_, approximate]] = [poisson(EXACT_MAX), poisson(EXACT_MAX + 1)];
        assert!((0.0..2.0).contains(&(approximate - exact)), "{exact} {approximate}");
    }
}
