//! What a terminal can show: colour where wanted, columns by display width, tables that fit, amounts as people read them.
//!
//! Chinese characters take two columns, so padding counts columns, never characters or bytes. Amounts come as decimal strings and are
//! regrouped as text; no number is parsed into a float.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Colour or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    coloured: bool,
}

impl Palette {
    /// No colour.
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// Colour for a stream that is a terminal, unless `NO_COLOR` is set (<https://no-color.org>) or the terminal is `dumb`.
    pub(crate) fn of(stream: &impl IsTerminal) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        Self { coloured: stream.is_terminal() && !refused && !dumb }
    }

    /// Whether colour is on.
    pub(crate) fn is_coloured(self) -> bool {
        self.coloured
    }

    /// `text` in an SGR style such as `1;31`.
    pub(crate) fn paint(self, style: &str, text: &str) -> String {
        if self.coloured && !text.is_empty() { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Secondary text.
    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// Text that matters.
    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
}

/// Columns of the terminal on standard output; where there is none, what `COLUMNS` says, else as many as a page takes.
pub(crate) fn columns() -> usize {
    const PAGE: usize = 120;
    let terminal = terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0));
    let wanted = || std::env::var("COLUMNS").ok()?.parse().ok();
    terminal.or_else(wanted).unwrap_or(PAGE).max(60)
}

/// A table without lines that is no wider than [`columns`]; as wide as it is where neither a terminal nor `COLUMNS` says how wide that may be, so that
/// programs find whole lines.
pub(crate) fn table() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if io::stdout().is_terminal() || std::env::var_os("COLUMNS").is_some() {
        let width = u16::try_from(columns()).unwrap_or(u16::MAX);
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    table
}

/// `text` filled with spaces on the right up to `columns`.
pub(crate) fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

/// `text` filled with spaces on the left up to `columns`.
pub(crate) fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.width())))
}

/// `text` cut in its middle to at most `columns`: both ends tell accounts apart, the middle seldom does.
pub(crate) fn shortened(text: &str, columns: usize) -> String {
    let chars: Vec<char> = text.chars().collect();
    if text.width() <= columns || columns < 3 {
        return text.to_owned();
    }
    let (mut head, mut tail) = (String::new(), String::new());
    let (mut from, mut to) = (0, chars.len());
    let mut room = columns - 1;
    // From both ends in turn, the end first: serials differ there.
    loop {
        let (next, is_tail) = if tail.width() <= head.width() { (chars[to - 1], true) } else { (chars[from], false) };
        let width = next.width().unwrap_or(0);
        if width > room || from >= to {
            return format!("{head}…{}", tail.chars().rev().collect::<String>());
        }
        room -= width;
        if is_tail {
            tail.push(next);
            to -= 1;
        } else {
            head.push(next);
            from += 1;
        }
    }
}

/// `text` in lines of at most `columns`, broken in the last third of a line: after punctuation, else after a space, else anywhere but within a number
/// or a word of Latin letters.
pub(crate) fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut rest = text;
    while rest.width() > columns {
        let mut width = 0;
        let mut end = 0;
        let (mut after_punctuation, mut after_space, mut beside_wide) = (None, None, None);
        for (at, c) in rest.char_indices() {
            width += c.width().unwrap_or(0);
            if width > columns && end > 0 {
                break;
            }
            end = at + c.len_utf8();
            match c {
                _ if width * 3 < columns * 2 => {}
                '，' | '；' | '、' | '）' => after_punctuation = Some(end),
                // Within a number a comma ends nothing.
                ',' | ';' if rest[end..].starts_with(' ') => after_punctuation = Some(end),
                ' ' => after_space = Some(end),
                // A bracket opens the next line.
                '（' => beside_wide = Some(at),
                _ if c.width() == Some(2) => beside_wide = Some(end),
                _ => {}
            }
        }
        let is_word = |c: char| c.is_ascii_graphic();
        let cuts_word = rest[..end].ends_with(is_word) && rest[end..].starts_with(is_word);
        let anywhere = beside_wide.filter(|at| cuts_word && *at > 0).unwrap_or(end);
        let mut end = after_punctuation.or(after_space).unwrap_or(anywhere);
        // No line begins with what closes the one before: it hangs over instead.
        end += rest[end..].chars().take_while(|c| "，。；、：）」》”%,;:)".contains(*c)).map(char::len_utf8).sum::<usize>();
        let (line, after) = rest.split_at(end);
        lines.push(line.trim_end().to_owned());
        rest = after.trim_start();
    }
    if !rest.is_empty() || lines.is_empty() {
        lines.push(rest.to_owned());
    }
    lines
}

/// `1268400.00` (yuan) as `126.84` (万元): two decimals, rounded half away from zero, thousands grouped.
pub(crate) fn wan(yuan: &str) -> String {
    let (sign, digits) = yuan.strip_prefix('-').map_or(("", yuan), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let Ok(fen) = format!("{whole}{fraction:0<2}").parse::<u128>() else { return yuan.to_owned() };
    let hundredths = (fen + 5_000) / 10_000;
    format!("{sign}{}.{:02}", grouped(hundredths / 100), hundredths % 100)
}

/// `1268400.00` as `1,268,400.00`.
pub(crate) fn grouped_yuan(yuan: &str) -> String {
    let (sign, digits) = yuan.strip_prefix('-').map_or(("", yuan), |rest| ("-", rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "00"));
    whole.parse().map_or_else(|_| yuan.to_owned(), |whole| format!("{sign}{}.{fraction}", grouped(whole)))
}

/// A message without what would move a terminal's cursor or change its colours: names of files and columns are not ours.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// A message beside the one error of a run, to standard error: a line to read, or an object `{"warning": {"code", "message"}}`.
pub(crate) fn mention(kind: &str, code: &str, text: &str, json: bool) {
    let line = if json {
        let mut said = serde_json::Map::new();
        said.insert(kind.to_owned(), serde_json::json!({ "code": code, "message": text }));
        serde_json::Value::from(said).to_string()
    } else {
        printable(text)
    };
    tell(&line);
}

/// A line to standard error.
pub(crate) fn tell(line: &str) {
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(io::stderr(), "{line}");
}

/// Thousands grouped by commas.
pub(crate) fn grouped(number: u128) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_too_long_for_its_column_loses_its_middle() {
        assert_eq!(shortened("a:102641000018/6222000011112222", 20), "a:1026410…0011112222");
        assert_eq!(shortened("n:102641/王某某", 12), "n:102…王某某");
        assert_eq!(shortened("short", 12), "short");
    }

    #[test]
    fn names_cannot_move_the_cursor() {
        assert_eq!(printable("a\x1b[2Jb\r\nc\u{9b}d\te"), "a[2Jb\ncde");
    }

    #[test]
    fn yuan_become_wan() {
        for (yuan, expected) in [
            ("1268400.00", "126.84"),
            ("50.00", "0.01"),
            ("49.99", "0.00"),
            ("-6540000.00", "-654.00"),
            ("123456789012.34", "12,345,678.90"),
        ] {
            assert_eq!(wan(yuan), expected);
        }
    }

    #[test]
    fn lines_break_after_punctuation_where_they_can() {
        for (text, columns, expected) in [
            ("短", 10, &["短"][..]),
            ("一二三，四五", 8, &["一二三，", "四五"]),
            ("一二三四五六", 8, &["一二三四", "五六"]),
            ("abcdef ghij", 8, &["abcdef", "ghij"]),
            ("写明对手方类型（payer_kind）", 20, &["写明对手方类型", "（payer_kind）"]),
            ("转入约1,234.5元", 9, &["转入约", "1,234.5元"]),
            ("（ab", 3, &["（a", "b"]),
            ("长", 1, &["长"]),
            ("", 5, &[""]),
        ] {
            assert_eq!(wrapped(text, columns), expected, "{text}");
        }
    }

    #[test]
    fn columns_count_double_width() {
        assert_eq!(left("转入", 6), "转入  ");
        assert_eq!(right("12人", 6), "  12人");
        assert_eq!(left("longer than that", 4), "longer than that");
    }
}
