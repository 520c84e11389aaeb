//! Text of a feed: encodings, and fields of a delimited line.
//!
//! Lines are found in raw bytes before anything is decoded, so that one undecodable record spoils no other. That is sound for the encodings
//! accepted: in UTF-8 and GB18030 the bytes of a line feed, a quote, a comma and a tab are never part of another character. Other delimiters
//! (`|`, `^`, letters) may be the second byte of a GB18030 character, so there fields are found character by character.

use std::borrow::Cow;
use std::ops::Range;

use encoding_rs::GB18030;

/// How a feed writes text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Encoding {
    /// UTF-8.
    #[default]
    Utf8,
    /// GB18030, and with it GBK and GB2312.
    Gb18030,
}

impl Encoding {
    /// Reads the names used in feed files.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(Self::Utf8),
            "gb18030" | "gbk" | "gb2312" => Some(Self::Gb18030),
            _ => None,
        }
    }

    /// Decodes a record; `None` if some byte is not text in this encoding. `buffer` is used where bytes have to change.
    pub(crate) fn decode<'a>(self, bytes: &'a [u8], buffer: &'a mut String) -> Option<&'a str> {
        match self {
            Self::Utf8 => std::str::from_utf8(bytes).ok(),
            Self::Gb18030 if bytes.is_ascii() => std::str::from_utf8(bytes).ok(),
            Self::Gb18030 => {
                let mut decoder = GB18030.new_decoder_without_bom_handling();
                buffer.clear();
                buffer.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len())?);
                let (result, _) = decoder.decode_to_string_without_replacement(bytes, buffer, true);
                matches!(result, encoding_rs::DecoderResult::InputEmpty).then_some(buffer.as_str())
            }
        }
    }
}

/// A byte order mark at the beginning of a text: its length and the encoding it tells.
pub(crate) enum Mark {
    None,
    Text(usize, Encoding),
    /// An encoding this reader does not take.
    Utf16,
}

/// Looks for a byte order mark.
pub(crate) fn byte_order_mark(bytes: &[u8]) -> Mark {
    match bytes {
        [0xEF, 0xBB, 0xBF, ..] => Mark::Text(3, Encoding::Utf8),
        [0x84, 0x31, 0x95, 0x33, ..] => Mark::Text(4, Encoding::Gb18030),
        [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Mark::Utf16,
        _ => Mark::None,
    }
}

/// How a delimited line is cut into fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quoting {
    pub(crate) delimiter: u8,
    pub(crate) quote: Option<u8>,
    /// Whether the bytes are GB18030 with a delimiter that may be part of a character.
    pub(crate) multibyte: bool,
}

impl Quoting {
    /// For raw bytes of `encoding`.
    pub(crate) fn raw(delimiter: u8, quote: Option<u8>, encoding: Encoding) -> Self {
        // Second bytes of GB18030 characters start at 0x30.
        Self { delimiter, quote, multibyte: encoding == Encoding::Gb18030 && delimiter >= 0x30 }
    }

    /// For text that has been decoded.
    pub(crate) fn decoded(self) -> Self {
        Self { multibyte: false, ..self }
    }
}

/// A field of a line: where its text stands, quotes not included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) range: Range<usize>,
    /// Quotes inside are doubled.
    pub(crate) doubled: bool,
}

impl Field {
    /// The text with doubled quotes made single.
    pub(crate) fn undouble<'a>(&self, text: &'a str, quoting: Quoting) -> Cow<'a, str> {
        match quoting.quote {
            Some(quote) if self.doubled => {
                let quote = char::from(quote);
                Cow::Owned(text.replace(&format!("{quote}{quote}"), &quote.to_string()))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// Something stands behind a closing quote, or a quote is never closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadQuote;

/// The fields of one line without its line end. A quote is one only at the beginning of a field, as RFC 4180 has it.
pub(crate) fn split_fields(line: &[u8], quoting: Quoting) -> Fields<'_> {
    Fields { line, quoting, next: Some(0) }
}

pub(crate) struct Fields<'a> {
    line: &'a [u8],
    quoting: Quoting,
    next: Option<usize>,
}

impl Iterator for Fields<'_> {
    type Item = Result<Field, BadQuote>;

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.next?;
        let quoted = self.quoting.quote.is_some() && self.line.get(start).copied() == self.quoting.quote;
        let field = if quoted { self.quoted(start + 1) } else { Ok(self.plain(start)) };
        if field.is_err() {
            self.next = None;
        }
        Some(field)
    }
}

impl Fields<'_> {
    fn plain(&mut self, start: usize) -> Field {
        let end = match self.quoting.multibyte {
            false => memchr::memchr(self.quoting.delimiter, &self.line[start..]).map(|at| start + at),
            true => find_character(self.line, start, self.quoting.delimiter),
        };
        self.next = end.map(|end| end + 1);
        Field { range: start..end.unwrap_or(self.line.len()), doubled: false }
    }

    fn quoted(&mut self, start: usize) -> Result<Field, BadQuote> {
        let quote = self.quoting.quote.ok_or(BadQuote)?;
        let mut doubled = false;
        let mut from = start;
        loop {
            let end = from + memchr::memchr(quote, self.line.get(from..).ok_or(BadQuote)?).ok_or(BadQuote)?;
            match self.line.get(end + 1) {
                Some(byte) if *byte == quote => {
                    doubled = true;
                    from = end + 2;
                }
                Some(byte) if *byte == self.quoting.delimiter => {
                    self.next = Some(end + 2);
                    return Ok(Field { range: start..end, doubled });
                }
                Some(_) => return Err(BadQuote),
                None => {
                    self.next = None;
                    return Ok(Field { range: start..end, doubled });
                }
            }
        }
    }
}

/// The first `wanted` from `start` that is a character of its own in GB18030.
fn find_character(bytes: &[u8], start: usize, wanted: u8) -> Option<usize> {
    let mut at = start;
    while let Some(byte) = bytes.get(at) {
        if *byte == wanted {
            return Some(at);
        }
        at += character_len(&bytes[at..]);
    }
    None
}

/// Bytes of the GB18030 character at the front; 1 for what is none, so that a broken character swallows no delimiter.
fn character_len(bytes: &[u8]) -> usize {
    match bytes {
        [0x81..=0xFE, 0x30..=0x39, 0x81..=0xFE, 0x30..=0x39, ..] => 4,
        [0x81..=0xFE, 0x40..=0x7E | 0x80..=0xFE, ..] => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gb18030_decodes_and_refuses_what_it_is_not() {
        let mut buffer = String::new();
        let (bytes, _, _) = GB18030.encode("张三,转账€𠀀");
        assert_eq!(Encoding::Gb18030.decode(&bytes, &mut buffer), Some("张三,转账€𠀀"));
        assert_eq!(Encoding::Gb18030.decode(b"abc", &mut buffer), Some("abc"));
        assert_eq!(Encoding::Gb18030.decode(b"\xB0", &mut buffer), None);
        assert_eq!(Encoding::Gb18030.decode(b"\xB0\x20", &mut buffer), None);
        assert_eq!(Encoding::Utf8.decode(b"\xB0\xA1", &mut buffer), None);
    }

    #[test]
    fn a_delimiter_inside_a_character_is_none() {
        // 亅 is 0x81 0x7C in GB18030: its second byte is a vertical bar.
        let (bytes, _, _) = GB18030.encode("亅|b");
        assert_eq!(bytes.as_ref(), b"\x81\x7C|b");
        let quoting = Quoting::raw(b'|', Some(b'"'), Encoding::Gb18030);
        let ranges: Vec<_> = split_fields(&bytes, quoting).map(|field| field.map(|f| f.range)).collect();
        assert_eq!(ranges, [Ok(0..2), Ok(3..4)]);
    }
}
