//! The progress bar of a run, on a terminal only: bytes, records a second, time left.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weir_feed::Progress;

use crate::language::{Lang, plural, say};
use crate::terminal::grouped;

/// A bar, or nothing where nobody looks.
#[derive(Debug)]
pub(crate) struct Bar {
    bar: ProgressBar,
    source: Progress,
    begun: Instant,
    lang: Lang,
}

impl Bar {
    /// A bar on standard error; silent unless that is a terminal and `shown`.
    pub(crate) fn new(source: Progress, shown: bool, lang: Lang) -> Self {
        let target = if shown && io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        Self::on(target, source, lang)
    }

    fn on(target: ProgressDrawTarget, source: Progress, lang: Lang) -> Self {
        let bar = ProgressBar::with_draw_target(source.total(), target);
        let (of, left) = (lang.of("共", "of"), lang.of("剩余", "left"));
        // The bar takes what the words leave of the line: a line that is longer than the terminal would scroll.
        let template = match source.total() {
            Some(_) => format!("{{wide_bar}} {{percent:>3}}% {of} {{binary_total_bytes}}  {{msg}}  {left} {{eta}}"),
            None => "{spinner} {binary_bytes}  {msg}  {elapsed}".to_owned(),
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar, source, begun: Instant::now(), lang }
    }

    /// Shows how far the run is.
    pub(crate) fn update(&self, records: u64) {
        self.bar.set_position(self.source.bytes());
        let millis = self.begun.elapsed().as_millis().max(1);
        let noun = plural(records, "record", "records");
        let (rate, records) = (grouped(u128::from(records) * 1000 / millis), grouped(records.into()));
        self.bar.set_message(say!(self.lang, "{records} 条  {rate} 条/秒", "{records} {noun}  {rate}/s"));
    }

    /// Bytes read of all inputs.
    pub(crate) fn bytes(&self) -> u64 {
        self.source.bytes()
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use indicatif::TermLike;
    use unicode_width::UnicodeWidthStr;
    use weir_feed::{Input, Mapping, Options, Reader};

    use super::*;

    /// A terminal of eighty columns that keeps what is written.
    #[derive(Debug, Clone, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> io::Result<()> {
            self.write_str(text)
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            let mut paper = self.0.lock().expect("nobody panics with it");
            paper.push_str(text);
            paper.push('\n');
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_fits_eighty_columns() {
        let input = Input::bytes("a.csv", "txn_id,occurred_at,amount,payer_account\n");
        for lang in [Lang::Zh, Lang::En] {
            let reader = Reader::open(std::slice::from_ref(&input), Mapping::default(), Arc::default(), Options::default()).expect("opens");
            let paper = Paper::default();
            let bar = Bar::on(ProgressDrawTarget::term_like(Box::new(paper.clone())), reader.progress(), lang);
            bar.update(987_654_321);
            bar.bar.tick();
            let written = paper.0.lock().expect("nobody panics with it").clone();
            assert!(written.contains("987,654,321"), "{written}");
            for line in written.lines() {
                assert!(line.width() <= 80, "{} columns: {line}", line.width());
            }
        }
    }
}
