//! The saved state of a run: `--to-state`, `--from-state`.
//!
//! One file holds everything a later run needs to go on as if the inputs had been one: a snapshot of every shard, the reader's clock and
//! count, the rule files in force (a run with other rules switches to them and must know the old ones), names learned, and what was said of
//! the alerts that are live. The layout is a magic line, compressed sections, and a checksum over all of it:
//!
//!     "weir state 1\n"  { tag: u8, length: u64 LE, zstd bytes }*  blake3: 32 bytes
//!
//! A file that is damaged, cut short or of another version is refused as a whole.

use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use weir_office::SavedParty;
use weir_rules::diagnostic::SourceFile;

use super::place::Place;
use super::sinks::RememberedAlert;
use crate::failure::Failure;
use crate::language::{Lang, say};
use crate::outputs::Output;

const MAGIC: &[u8] = b"weir state 1\n";
const CHECKSUM_BYTES: usize = 32;
const HEADER: u8 = b'H';
const SNAPSHOT: u8 = b'S';
const DIRECTORY: u8 = b'D';
/// Of zstd: snapshots are read as often as written.
const COMPRESSION_LEVEL: i32 = 1;

/// Everything kept.
#[derive(Debug)]
pub(crate) struct State {
    /// Small things.
    pub(crate) header: Header,
    /// One of each shard of the run that saved it.
    pub(crate) snapshots: Vec<Vec<u8>>,
    /// Names and accounts learned.
    pub(crate) directory: Vec<SavedParty>,
}

/// The part that is JSON.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Header {
    /// Every rule set that the snapshots may refer to; the last one is in force.
    pub(crate) rules: Vec<RuleSource>,
    /// Where the reader stood.
    pub(crate) reader: ReaderState,
    /// Live alerts, in their order.
    pub(crate) alerts: Vec<RememberedAlert>,
    /// Records whose removal may still wait for its target.
    pub(crate) removals: Vec<WaitingRemoval>,
}

/// A rule set as texts.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(from = "RuleSourceJson", into = "RuleSourceJson")]
pub(crate) struct RuleSource {
    /// The files.
    pub(crate) files: Vec<SourceFile>,
    /// `--set` of its run.
    pub(crate) settings: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct RuleSourceJson {
    files: Vec<(String, String)>,
    settings: Vec<String>,
}

impl From<RuleSourceJson> for RuleSource {
    fn from(json: RuleSourceJson) -> Self {
        let files = json.files.into_iter().map(|(path, text)| SourceFile { path, text }).collect();
        Self { files, settings: json.settings }
    }
}

impl From<RuleSource> for RuleSourceJson {
    fn from(source: RuleSource) -> Self {
        Self { files: source.files.into_iter().map(|file| (file.path, file.text)).collect(), settings: source.settings }
    }
}

/// A record whose removal may wait for its target longer than its batch is kept: what a dead letter or late row would need of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct WaitingRemoval {
    /// Number in the log.
    pub(crate) record: u64,
    /// Its stamp, microseconds.
    pub(crate) clock: i64,
    /// Where it was read.
    pub(crate) place: Place,
    /// Its bytes.
    pub(crate) original: Vec<u8>,
}

/// Where the reader stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReaderState {
    /// Records read so far, over all runs.
    pub(crate) records: u64,
    /// Stamped clock, microseconds; `None` before the first record.
    pub(crate) clock: Option<i64>,
}

impl State {
    /// Reads a state file.
    pub(crate) fn read(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let name = path.display();
        let bytes = fs::read(path)
            .map_err(|error| Failure::bad_input(say!(lang, "无法读取状态文件 {name}：{error}", "cannot read the state {name}: {error}")))?;
        Self::decode(&bytes).map_err(|problem| {
            Failure::bad_input(say!(lang, "状态文件 {name} 不可用：{problem}", "the state {name} cannot be used: {problem}"))
        })
    }

    fn decode(bytes: &[u8]) -> io::Result<Self> {
        let damaged = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what);
        let (body, checksum) = bytes.split_last_chunk::<CHECKSUM_BYTES>().ok_or_else(|| damaged("too short"))?;
        if !bytes.starts_with(MAGIC) {
            return Err(damaged("not a state of this version of weir"));
        }
        if blake3::hash(body).as_bytes() != checksum {
            return Err(damaged("checksum differs: damaged or cut short"));
        }
        let mut rest = &body[MAGIC.len()..];
        let (mut header, mut snapshots, mut directory) = (None, Vec::new(), Vec::new());
        while let Some((tag, after)) = rest.split_first() {
            let (length, after) = after.split_first_chunk::<8>().ok_or_else(|| damaged("section cut short"))?;
            let length = usize::try_from(u64::from_le_bytes(*length)).map_err(io::Error::other)?;
            let (section, after) = after.split_at_checked(length).ok_or_else(|| damaged("section cut short"))?;
            let section = zstd::decode_all(section)?;
            match *tag {
                HEADER => header = Some(serde_json::from_slice(&section)?),
                SNAPSHOT => snapshots.push(section),
                DIRECTORY => directory = serde_json::from_slice(&section)?,
                _ => return Err(damaged("unknown section")),
            }
            rest = after;
        }
        let header = header.ok_or_else(|| damaged("no header"))?;
        Ok(Self { header, snapshots, directory })
    }

    /// Writes the state to an output, to be published with the others.
    pub(crate) fn write(&self, output: &mut Output) -> Result<(), Failure> {
        let encoded = self.encode().map_err(|error| output.failure(&error))?;
        output.bytes(&encoded)
    }

    fn encode(&self) -> io::Result<Vec<u8>> {
        let mut bytes = MAGIC.to_vec();
        section(&mut bytes, HEADER, &serde_json::to_vec(&self.header)?)?;
        for snapshot in &self.snapshots {
            section(&mut bytes, SNAPSHOT, snapshot)?;
        }
        section(&mut bytes, DIRECTORY, &serde_json::to_vec(&self.directory)?)?;
        let checksum = blake3::hash(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        Ok(bytes)
    }
}

fn section(bytes: &mut Vec<u8>, tag: u8, content: &[u8]) -> io::Result<()> {
    let packed = zstd::encode_all(content, COMPRESSION_LEVEL)?;
    bytes.push(tag);
    bytes.extend_from_slice(&(packed.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&packed);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> State {
        let header = Header {
            rules: vec![RuleSource { files: Vec::new(), settings: vec!["FZ-001.min_payers=5".to_owned()] }],
            reader: ReaderState { records: 7, clock: Some(5) },
            alerts: Vec::new(),
            removals: Vec::new(),
        };
        State { header, snapshots: vec![vec![1, 2, 3], Vec::new()], directory: Vec::new() }
    }

    #[test]
    fn a_state_comes_back() {
        let back = State::decode(&state().encode().expect("encodes")).expect("decodes");
        assert_eq!(back.header.reader, ReaderState { records: 7, clock: Some(5) });
        assert_eq!(back.snapshots, [vec![1, 2, 3], Vec::new()]);
    }

    #[test]
    fn any_damage_is_seen() {
        let good = state().encode().expect("encodes");
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert!(State::decode(&bad).is_err(), "byte {at}");
            assert!(State::decode(&good[..at]).is_err(), "cut at {at}");
        }
    }
}
