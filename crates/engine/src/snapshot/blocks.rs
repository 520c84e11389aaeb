//! The frame of a snapshot: blocks with their length and checksum, and records in them.

use serde::{Deserialize, Serialize};

use super::{MAGIC, VERSION};
use crate::SnapshotError;

const CHECKSUM_BYTES: usize = 32;

/// The blocks of a snapshot, each checked as it is handed out.
pub(super) struct Blocks<'a> {
    rest: &'a [u8],
}

impl<'a> Blocks<'a> {
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, SnapshotError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(damaged("it is no weir snapshot"))?;
        let (version, rest) = rest.split_first_chunk::<4>().ok_or(damaged("it ends within its head"))?;
        let found = u32::from_le_bytes(*version);
        if found == VERSION { Ok(Self { rest }) } else { Err(SnapshotError::Version { found, expected: VERSION }) }
    }
}

impl<'a> Iterator for Blocks<'a> {
    type Item = Result<&'a [u8], SnapshotError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let block = read_block(self.rest);
        self.rest = block.as_ref().map_or(&[], |(_, rest)| *rest);
        Some(block.map(|(block, _)| block))
    }
}

/// A checked block, and what follows it.
pub(super) fn read_block(bytes: &[u8]) -> Result<(&[u8], &[u8]), SnapshotError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(damaged("it ends within a block"))?;
    let (checksum, rest) = rest.split_first_chunk::<CHECKSUM_BYTES>().ok_or(damaged("it ends within a block"))?;
    let length = u32::from_le_bytes(*length) as usize;
    let (block, rest) = rest.split_at_checked(length).ok_or(damaged("it ends within a block"))?;
    if blake3::hash(block).as_bytes() == checksum { Ok((block, rest)) } else { Err(damaged("a checksum does not fit")) }
}

/// A block with its length and checksum.
pub(super) fn framed(block: &[u8]) -> Vec<u8> {
    let length = u32::try_from(block.len()).expect("a party's history is far below 4 GiB");
    [length.to_le_bytes().as_slice(), blake3::hash(block).as_bytes(), block].concat()
}

pub(super) fn encode(record: &impl Serialize) -> Vec<u8> {
    postcard::to_allocvec(record).expect("plain records always encode into memory")
}

/// The same behind what is there already.
pub(super) fn encode_after(bytes: Vec<u8>, record: &impl Serialize) -> Vec<u8> {
    postcard::to_extend(record, bytes).expect("plain records always encode into memory")
}

pub(super) fn decode<'a, T: Deserialize<'a>>(bytes: &'a [u8], what: &'static str) -> Result<(T, &'a [u8]), SnapshotError> {
    postcard::take_from_bytes(bytes).map_err(|_| damaged(what))
}

pub(super) fn damaged(what: &'static str) -> SnapshotError {
    SnapshotError::Damaged { what }
}
