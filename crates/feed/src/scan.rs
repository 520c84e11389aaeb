//! The fast way through a JSON line: a flat object of plain texts and numbers, its names in the order of the line before.
//!
//! Nearly every line of a feed is such an object, and reading it takes one pass that asks whether it is plain and one that looks for quotes: no
//! value is built, no name is hashed that stands where it stood last time. Whatever is not plain, a tab between two tokens too, is *doubt*, and doubt
//! is no verdict: the caller reads the line again with `serde_json`, which decides. So a scan may doubt a good line, but what it takes it must take as the general reader would; the property test
//! in `row` holds the two against each other.

use std::ops::Range;

use crate::row::{Kind, Names, Slot};

/// What a scan saw: the values of mapped names, by slot, as ranges of the line.
pub(crate) trait Values {
    /// A value of a mapped name. `false`: there was one before, which is doubt.
    fn take(&mut self, slot: Slot, kind: Kind, range: Range<usize>) -> bool;
}

/// The names of the line before, in their order, each with the slot it feeds. Any state of it is right: it saves looking names up and no more.
#[derive(Debug, Default)]
pub(crate) struct Order {
    names: Vec<(Box<[u8]>, Option<Slot>)>,
}

/// A line doubted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Doubt;

impl Order {
    /// Goes through a line.
    pub(crate) fn scan(&mut self, line: &str, names: &Names, values: &mut impl Values) -> Result<(), Doubt> {
        if !is_plain(line.as_bytes()) {
            return Err(Doubt);
        }
        let mut scan = Scan { bytes: line.as_bytes(), at: 0 };
        scan.expect(b'{')?;
        let mut place = 0;
        loop {
            scan.expect(b'"')?;
            let slot = self.slot(place, &mut scan, line, names)?;
            place += 1;
            scan.expect(b':')?;
            let (kind, range) = scan.value()?;
            if slot.is_some_and(|slot| !values.take(slot, kind, range)) {
                return Err(Doubt);
            }
            if scan.expect(b',').is_err() {
                break;
            }
        }
        scan.expect(b'}')?;
        scan.blanks();
        if scan.at == scan.bytes.len() { Ok(()) } else { Err(Doubt) }
    }

    /// The slot of the name that begins here; afterwards the scan stands behind its closing quote.
    #[inline]
    fn slot(&mut self, place: usize, scan: &mut Scan<'_>, line: &str, names: &Names) -> Result<Option<Slot>, Doubt> {
        if let Some((name, slot)) = self.names.get(place)
            && let Some((here, [b'"', ..])) = scan.rest().split_at_checked(name.len())
            && is_same(here, name)
        {
            scan.at += name.len() + 1;
            return Ok(*slot);
        }
        self.other_slot(place, scan, line, names)
    }

    /// The same for a name that does not stand where it stood last time.
    #[cold]
    fn other_slot(&mut self, place: usize, scan: &mut Scan<'_>, line: &str, names: &Names) -> Result<Option<Slot>, Doubt> {
        let name = line.get(scan.text()?).ok_or(Doubt)?;
        let slot = names.slot(name);
        let known = (Box::from(name.as_bytes()), slot);
        if let Some(old) = self.names.get_mut(place) {
            *old = known;
        } else if place < NAMES_MAX {
            self.names.push(known);
        }
        Ok(slot)
    }
}

/// So many names are remembered at most; a line with more is no record of a bank.
const NAMES_MAX: usize = 256;

/// A line that [`is_plain`].
struct Scan<'b> {
    bytes: &'b [u8],
    at: usize,
}

impl<'b> Scan<'b> {
    #[inline]
    fn rest(&self) -> &'b [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    /// Passes over a byte and blanks before it, of which there mostly are none. If it is another byte, only over the blanks.
    #[inline]
    fn expect(&mut self, wanted: u8) -> Result<(), Doubt> {
        if self.bytes.get(self.at) != Some(&wanted) {
            self.blanks();
            if self.bytes.get(self.at) != Some(&wanted) {
                return Err(Doubt);
            }
        }
        self.at += 1;
        Ok(())
    }

    /// The other blanks of JSON are control characters, which are not plain.
    fn blanks(&mut self) {
        while let Some(b' ') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    /// A text whose opening quote has been read: its range, without quotes.
    #[inline]
    fn text(&mut self) -> Result<Range<usize>, Doubt> {
        let start = self.at;
        let end = start + quote(self.rest()).ok_or(Doubt)?;
        self.at = end + 1;
        Ok(start..end)
    }

    #[inline]
    fn value(&mut self) -> Result<(Kind, Range<usize>), Doubt> {
        if self.expect(b'"').is_ok() { Ok((Kind::Text, self.text()?)) } else { self.other_value() }
    }

    /// A value that is no text.
    fn other_value(&mut self) -> Result<(Kind, Range<usize>), Doubt> {
        let start = self.at;
        match self.bytes.get(start) {
            Some(b't') => self.word(b"true", Kind::True),
            Some(b'f') => self.word(b"false", Kind::False),
            Some(b'n') => self.word(b"null", Kind::Absent),
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Ok((Kind::Number, start..self.at))
            }
            _ => Err(Doubt),
        }
    }

    fn word(&mut self, word: &[u8], kind: Kind) -> Result<(Kind, Range<usize>), Doubt> {
        if !self.rest().starts_with(word) {
            return Err(Doubt);
        }
        self.at += word.len();
        Ok((kind, 0..0))
    }

    /// A number of digits and at most one point; exponents are doubt.
    fn number(&mut self) -> Result<(), Doubt> {
        if self.bytes.get(self.at) == Some(&b'-') {
            self.at += 1;
        }
        let whole = self.at;
        self.digits()?;
        if self.bytes[whole] == b'0' && self.at - whole > 1 {
            return Err(Doubt);
        }
        if self.bytes.get(self.at) == Some(&b'.') {
            self.at += 1;
            self.digits()?;
        }
        match self.bytes.get(self.at) {
            Some(b'e' | b'E') => Err(Doubt),
            _ => Ok(()),
        }
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Doubt> {
        let start = self.at;
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_digit) {
            self.at += 1;
        }
        if self.at == start { Err(Doubt) } else { Ok(()) }
    }
}

/// Whether two texts of one length are equal. Names of columns mostly have 8 to 16 bytes, and comparing two words that may overlap takes less than
/// calling what compares any length.
#[inline]
fn is_same(left: &[u8], right: &[u8]) -> bool {
    let length = right.len();
    let words = |text: &[u8]| Some((u64::from_ne_bytes(*text.first_chunk()?), u64::from_ne_bytes(*text.last_chunk()?)));
    match (words(left), words(right)) {
        (Some(left), Some(right)) if length <= 16 => left == right,
        _ => left == right,
    }
}

/// Whether there is neither an escape nor a control character: every quote then begins or ends a text. One pass without a branch, which the
/// compiler makes one of sixteen bytes at a time; asking it of each text would take longer.
fn is_plain(bytes: &[u8]) -> bool {
    !bytes.iter().fold(false, |found, byte| found | (*byte < b' ') | (*byte == b'\\'))
}

/// How many bytes there are before the first quote. Eight at a time: the lowest high bit that is set marks it (what stands above may be a borrow and
/// means nothing).
#[inline]
fn quote(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    const QUOTES: u64 = u64::from_ne_bytes([b'"'; 8]);
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word) ^ QUOTES;
        let found = word.wrapping_sub(ONES) & !word & HIGH;
        if found != 0 {
            return Some(bytes.len() - rest.len() + (found.trailing_zeros() / 8) as usize);
        }
        rest = after;
    }
    rest.iter().position(|byte| *byte == b'"').map(|at| bytes.len() - rest.len() + at)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn quotes_and_what_is_not_plain_are_found_where_one_looking_byte_by_byte_finds_them(bytes in proptest::collection::vec(prop_oneof![8 => any::<u8>(), 1 => 0x20..0x24_u8, 1 => 0x1e..0x21_u8, 1 => Just(b'\\')], 0..40)) {
            prop_assert_eq!(quote(&bytes), bytes.iter().position(|byte| *byte == b'"'));
            prop_assert_eq!(is_plain(&bytes), bytes.iter().all(|byte| *byte >= 0x20 && *byte != b'\\'));
        }
    }
}
