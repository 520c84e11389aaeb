//! The progress bar of a run, on a terminal only: bytes, records a second, time left.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weir_feed::Progress;

use crate::language::{Lang, say};
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
        let bar = match source.total() {
            Some(total) => ProgressBar::with_draw_target(Some(total), target),
            None => ProgressBar::with_draw_target(None, target),
        };
        let left = lang.of("剩余", "left");
        let template = match source.total() {
            Some(_) => format!("{{bar:32}} {{percent:>3}}%  {{binary_bytes}}/{{binary_total_bytes}}  {{msg}}  {left} {{eta}}"),
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
        let (rate, records) = (grouped(u128::from(records) * 1000 / millis), grouped(records.into()));
        self.bar.set_message(say!(self.lang, "{records} 条  {rate} 条/秒", "{records} records  {rate}/s"));
    }

    /// Removes the bar.
    pub(crate) fn clear(&self) {
        self.bar.finish_and_clear();
    }
}
