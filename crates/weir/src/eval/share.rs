//! Shares and rates with intervals of 95 %: what else a figure from few schemes may have been.

use serde::{Deserialize, Serialize};

/// Deviations of a normal number within which 95 % of them lie.
const Z: f64 = 1.959_964;

/// So many of so many, with an interval (Wilson).
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) of: u64,
    pub(crate) hits: u64,
    /// `hits / of`, and the ends of its interval; 0 to 1.
    pub(crate) value: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
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

/// Ends of the interval of a count that is Poisson's, by Byar's approximation (Breslow and Day, 1987, formula 2.13): right to the second digit from a
/// count of one on.
#[expect(clippy::float_arithmetic, clippy::cast_precision_loss, reason = "a rate to look at")]
pub(crate) fn poisson(count: u64) -> [f64; 2] {
    let end = |of: f64, z: f64| of * (1.0 - 1.0 / (9.0 * of) + z / (3.0 * of.sqrt())).powi(3);
    let low = if count == 0 { 0.0 } else { end(count as f64, -Z) };
    [low, end(count as f64 + 1.0, Z)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_the_tables() {
        let share = Share::of(9, 10);
        assert_eq!(format!("{:.3} {:.3}", share.low, share.high), "0.596 0.982");
        // Exact ones of a Poisson count: 0 to 3.69; 4.80 to 18.39.
        assert_eq!(poisson(0).map(|end| format!("{end:.1}")), ["0.0", "3.7"]);
        assert_eq!(poisson(10).map(|end| format!("{end:.1}")), ["4.8", "18.4"]);
    }
}
