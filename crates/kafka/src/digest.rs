//! The running digest of a partition: one chain over what was read, one over each kind of what was said.
//!
//! It is compared when a partition is taken over: the same records must have had the same effects, or the log, a snapshot or the program is
//! not what it was. A chain costs a hash of the record's bytes and no pass over the state. The three kinds of effects have chains of their
//! own because a step hands them out sorted each by itself: so the digest does not depend on how the log was cut into steps. It finds
//! accidents, not forgers; a 128-bit XXH3 is enough for that.

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// Digest of a partition at an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Digest {
    read: u128,
    said: [u128; 3],
}

/// A kind of effect.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Said {
    Alert = 0,
    Report = 1,
    Reject = 2,
}

impl Digest {
    /// A record was read.
    pub(crate) fn read(&mut self, offset: i64, bytes: &[u8]) {
        self.read = link(self.read ^ u128::from(offset.unsigned_abs()), bytes);
    }

    /// Something was said.
    pub(crate) fn said(&mut self, kind: Said, bytes: &[u8]) {
        let chain = &mut self.said[kind as usize];
        *chain = link(*chain, bytes);
    }
}

/// The next link of a chain. The whole of the last one goes in: half as the seed, half mixed with the result.
fn link(last: u128, bytes: &[u8]) -> u128 {
    let half = |number: u128| u64::try_from(number & u128::from(u64::MAX)).unwrap_or(0);
    let (high, low) = (half(last >> 64), half(last));
    xxh3_128_with_seed(bytes, low) ^ u128::from(high.wrapping_mul(0x9e37_79b9_7f4a_7c15)).rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(records: &[(i64, &str)], said: &[(Said, &str)]) -> Digest {
        let mut digest = Digest::default();
        records.iter().for_each(|(offset, bytes)| digest.read(*offset, bytes.as_bytes()));
        said.iter().for_each(|(kind, bytes)| digest.said(*kind, bytes.as_bytes()));
        digest
    }

    #[test]
    fn every_difference_shows_and_no_cut_does() {
        let records = [(1, "a"), (2, "b")];
        let said = [(Said::Alert, "x"), (Said::Report, "y")];
        let digest = of(&records, &said);
        assert_eq!(digest, of(&records, &[(Said::Report, "y"), (Said::Alert, "x")]));
        for other in [
            of(&[(1, "a"), (3, "b")], &said),
            of(&[(2, "b"), (1, "a")], &said),
            of(&records[..1], &said),
            of(&records, &said[..1]),
            of(&records, &[(Said::Alert, "y"), (Said::Report, "x")]),
            of(&records, &[(Said::Reject, "x"), (Said::Report, "y")]),
        ] {
            assert_ne!(digest, other);
        }
    }

    /// A digest outlives the version of weir that wrote it.
    #[test]
    fn the_chain_stays_as_it_is() {
        let digest = of(&[(1, "a")], &[(Said::Alert, "x")]);
        assert_eq!(
            (digest.read, digest.said[0]),
            (337_425_133_163_118_381_928_709_500_770_786_453_280, 122_891_317_615_099_800_828_664_525_335_290_891_537)
        );
    }
}
