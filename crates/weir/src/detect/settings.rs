//! `weir detect`'s settings, checked: built once from the command line, no `Option` that means "default", no text that may be wrong.
//!
//! Everything that can be refused without reading a record is refused here, before an output is begun.

use std::num::NonZero;
use std::path::{Path, PathBuf};

use chrono::DateTime;
use weir_model::{EventTime, Level, Span};

use crate::arguments::{DetectArgs, PackArgs};
use crate::failure::Failure;
use crate::language::{Lang, did_you_mean, say};
use crate::outputs::{folder_failure, is_folder, refuse_overwriting, same_file};

/// Records a batch, unless told otherwise: enough to pay for passing it on, little enough to stay in the cache.
const BATCH_RECORDS: usize = 4096;
/// Each shard is a thread: more than any machine has cores only fill its memory.
const SHARDS_MAX: usize = 256;
/// Records a batch keeps in memory.
const BATCH_RECORDS_MAX: usize = 1_000_000;
/// Records before `--max-bad-ratio` is looked at, unless the input ends before.
pub(crate) const BAD_RATIO_FROM: u64 = 1000;

/// All of them.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Inputs as given: files, folders, globs, `-`.
    pub(crate) inputs: Vec<PathBuf>,
    /// Feed mapping file.
    pub(crate) feed: Option<PathBuf>,
    /// Name of a format, for inputs whose name does not tell.
    pub(crate) format: Option<String>,
    /// Party data.
    pub(crate) parties: Option<PathBuf>,
    /// Which rules.
    pub(crate) pack: PackArgs,
    /// Outputs.
    pub(crate) outputs: OutputSettings,
    /// What goes to the office.
    pub(crate) office: weir_office::Settings,
    /// The bank's routing file.
    pub(crate) routing: Option<PathBuf>,
    /// Where the numbers go as JSON, besides standard error.
    pub(crate) summary: Option<PathBuf>,
    /// State to go on from.
    pub(crate) from_state: Option<PathBuf>,
    /// State to save.
    pub(crate) to_state: Option<PathBuf>,
    /// Allowed lateness.
    pub(crate) lateness: Span,
    /// When the data were received.
    pub(crate) now: Option<EventTime>,
    /// Sort by event time first.
    pub(crate) sort: bool,
    /// Bad records tolerated, in millionths.
    pub(crate) max_bad_millionths: u64,
    /// Parallel shards.
    pub(crate) shards: usize,
    /// Records a batch.
    pub(crate) batch: usize,
    /// Numbers as JSON instead of a table.
    pub(crate) json: bool,
    /// The only party whose legs are looked at, and no word about the run: for proofs.
    pub(crate) only: Option<String>,
    /// The party that is explained instead of writing alerts.
    pub(crate) explained: Option<String>,
}

/// Where effects go.
#[derive(Debug)]
pub(crate) struct OutputSettings {
    /// Alerts; `-` for standard output.
    pub(crate) alerts: PathBuf,
    /// Office messages.
    pub(crate) office: Option<PathBuf>,
    /// Large-amount reports.
    pub(crate) large_amount: Option<PathBuf>,
    /// Dead letters.
    pub(crate) dead_letters: Option<PathBuf>,
    /// Late output.
    pub(crate) late: Option<PathBuf>,
    /// Every revision instead of the final state.
    pub(crate) revisions: bool,
    /// Alerts to read, wherever they go; else only on a terminal.
    pub(crate) text: bool,
}

impl Settings {
    /// Checks the raw command line.
    pub(crate) fn check(raw: DetectArgs, json: bool, lang: Lang) -> Result<Self, Failure> {
        if let Some(party) = &raw.explain_silence {
            if party.trim().is_empty() {
                return Err(Failure::usage(say!(
                    lang,
                    "--explain-silence 没有写主体；应写作 c:客户号、a:账号或 g:组名",
                    "--explain-silence names no party; write c:CUSTOMER, a:ACCOUNT or g:GROUP"
                )));
            }
            refuse_outputs(&raw, lang)?;
        }
        let settings = Self {
            lateness: lateness(&raw.read.lateness, lang)?,
            now: raw.read.now.as_deref().map(|text| moment(text, lang)).transpose()?,
            max_bad_millionths: ratio(&raw.max_bad_ratio, lang)?,
            shards: within("--shards", raw.shards, default_shards(), SHARDS_MAX, lang)?,
            batch: within("--batch", raw.batch, BATCH_RECORDS, BATCH_RECORDS_MAX, lang)?,
            office: weir_office::Settings {
                min_level: level(&raw.office_min_level, lang)?,
                bank_contact: raw.bank_contact,
                release: weir_office::Release::Auto,
            },
            routing: raw.routing,
            inputs: raw.input,
            feed: raw.read.feed,
            format: raw.read.format,
            parties: raw.read.parties,
            pack: raw.pack,
            outputs: OutputSettings {
                alerts: raw.alerts.unwrap_or_else(|| "-".into()),
                office: raw.office,
                large_amount: raw.large_amount,
                dead_letters: raw.dead_letters,
                late: raw.late,
                revisions: raw.revisions,
                text: raw.text,
            },
            summary: raw.summary,
            from_state: raw.from_state,
            to_state: raw.to_state,
            sort: raw.read.sort,
            json,
            only: None,
            explained: raw.explain_silence,
        };
        settings.check_paths(lang)?;
        Ok(settings)
    }

    /// What decides the meaning of answers.
    pub(crate) fn engine(&self) -> weir_engine::Settings {
        weir_engine::Settings { lateness: self.lateness, ..weir_engine::Settings::default() }
    }

    /// Every option with an output path.
    fn output_paths(&self) -> Vec<(&'static str, &Path)> {
        let outputs = &self.outputs;
        let optional = [
            ("--office", &outputs.office),
            ("--large-amount", &outputs.large_amount),
            ("--dead-letters", &outputs.dead_letters),
            ("--late", &outputs.late),
            ("--summary", &self.summary),
            ("--to-state", &self.to_state),
        ];
        let mut paths = vec![("--alerts", outputs.alerts.as_path())];
        paths.extend(optional.into_iter().filter_map(|(option, path)| path.as_deref().map(|path| (option, path))));
        paths
    }

    /// No output may be named twice, and none may be something that is read, save a state that is replaced by its successor.
    fn check_paths(&self, lang: Lang) -> Result<(), Failure> {
        let outputs = self.output_paths();
        for (i, (option, path)) in outputs.iter().enumerate() {
            let name = path.display();
            if is_folder(path) {
                let name = name.to_string();
                return Err(folder_failure(&format!("{option} {name}"), lang));
            }
            if let Some((other, _)) = outputs[..i].iter().find(|(_, earlier)| same_file(earlier, path)) {
                return Err(Failure::usage(say!(
                    lang,
                    "{other} 与 {option} 指向同一处：{name}",
                    "{other} and {option} name the same place: {name}"
                )));
            }
        }
        if self.inputs.iter().filter(|input| *input == Path::new("-")).count() > 1 {
            return Err(Failure::usage(say!(lang, "标准输入 - 只能给出一次", "standard input - can be given only once")));
        }
        let read = [("--feed", &self.feed), ("--parties", &self.parties), ("--from-state", &self.from_state)];
        for (option, path) in read.into_iter().filter_map(|(option, path)| path.as_deref().map(|path| (option, path))) {
            self.refuse_overwriting(option, path, lang)?;
        }
        for input in &self.inputs {
            self.refuse_overwriting("INPUT", input, lang)?;
        }
        Ok(())
    }

    /// Fails where an output would replace `path`, which is read. Called again for the files found in folders and by globs.
    pub(crate) fn refuse_overwriting(&self, read_by: &str, path: &Path, lang: Lang) -> Result<(), Failure> {
        let mut outputs = self.output_paths();
        outputs.retain(|(option, _)| {
            let is_rolling_state = *option == "--to-state" && read_by == "--from-state";
            !is_rolling_state
        });
        refuse_overwriting(&outputs, read_by, path, lang)
    }
}

/// An explanation is of one party over whole inputs, and goes to standard output: what a run over all parties writes would be missing all
/// others, and a saved state knows no instants that are past.
fn refuse_outputs(raw: &DetectArgs, lang: Lang) -> Result<(), Failure> {
    let given = [
        ("--alerts", raw.alerts.is_some()),
        ("--office", raw.office.is_some()),
        ("--large-amount", raw.large_amount.is_some()),
        ("--dead-letters", raw.dead_letters.is_some()),
        ("--late", raw.late.is_some()),
        ("--summary", raw.summary.is_some()),
        ("--revisions", raw.revisions),
        ("--text", raw.text),
        ("--from-state", raw.from_state.is_some()),
        ("--to-state", raw.to_state.is_some()),
    ];
    let Some((option, _)) = given.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    Err(Failure::usage(say!(
        lang,
        "--explain-silence 只解释一个主体，结果写到标准输出，不能与 {option} 同用；请去掉 {option}，或分两次运行",
        "--explain-silence explains one party, on standard output, and goes with no {option}; leave {option} out, or run twice"
    )))
}

fn default_shards() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get).min(SHARDS_MAX)
}

fn within(option: &str, given: Option<usize>, default: usize, max: usize, lang: Lang) -> Result<usize, Failure> {
    match given {
        Some(0) => Err(Failure::usage(say!(lang, "{option} 至少为 1", "{option} must be at least 1"))),
        Some(n) if n > max => Err(Failure::usage(say!(lang, "{option} 至多为 {max}", "{option} must be at most {max}"))),
        Some(n) => Ok(n),
        None => Ok(default),
    }
}

fn lateness(text: &str, lang: Lang) -> Result<Span, Failure> {
    Span::parse(text).ok_or_else(|| {
        Failure::usage(say!(
            lang,
            "--lateness 不是时长：`{text}`；应写作 3d、36h、90m",
            "--lateness is no duration: `{text}`; write 3d, 36h, 90m"
        ))
    })
}

fn moment(text: &str, lang: Lang) -> Result<EventTime, Failure> {
    DateTime::parse_from_rfc3339(text).map(|at| EventTime(at.timestamp_micros())).map_err(|_| {
        Failure::usage(say!(
            lang,
            "--now 不是带时区的时间：`{text}`；应写作 2026-03-07T23:00:00+08:00",
            "--now is no time with an offset: `{text}`; write 2026-03-07T23:00:00+08:00"
        ))
    })
}

/// A number from 0 to 1 with at most six decimals, in millionths.
fn ratio(text: &str, lang: Lang) -> Result<u64, Failure> {
    let parse = || {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(fraction) || fraction.len() > 6 {
            return None;
        }
        let millionths: u64 = format!("{whole}{fraction:0<6}").parse().ok()?;
        (millionths <= 1_000_000).then_some(millionths)
    };
    parse().ok_or_else(|| {
        Failure::usage(say!(
            lang,
            "--max-bad-ratio 应为 0 到 1 之间的数：`{text}`",
            "--max-bad-ratio must be a number from 0 to 1: `{text}`"
        ))
    })
}

fn level(text: &str, lang: Lang) -> Result<Level, Failure> {
    if let Some(level) = Level::ALL.into_iter().find(|level| level.name() == text) {
        return Ok(level);
    }
    let near = did_you_mean(text, Level::ALL.iter().map(|level| level.name()), lang);
    Err(Failure::usage(say!(
        lang,
        "--office-min-level 只能是 low、medium、high、urgent，而不是 `{text}`{near}",
        "--office-min-level is one of low, medium, high, urgent, not `{text}`{near}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arguments::{Cli, Verb};
    use clap::Parser;

    fn check(line: &str, expected: Result<(), &str>) {
        let Verb::Detect(raw) = Cli::try_parse_from(line.split(' ')).expect("parses").verb else { panic!("is detect") };
        let checked = Settings::check(*raw, false, Lang::En).map(|_| ()).map_err(|failure| failure.text);
        assert_eq!(checked, expected.map_err(str::to_owned), "{line}");
    }

    #[test]
    fn what_can_be_refused_early_is() {
        check("weir detect --shards 2 --lateness 36h --now 2026-03-07T23:00:00+08:00 in", Ok(()));
        check("weir detect --shards 0 in", Err("--shards must be at least 1"));
        check("weir detect --shards 100000 in", Err("--shards must be at most 256"));
        check("weir detect --batch 9999999999 in", Err("--batch must be at most 1000000"));
        check("weir detect --large-amount a/ in", Err("the output --large-amount a/ is a folder; name a file"));
        check("weir detect --to-state /tmp in", Err("the output --to-state /tmp is a folder; name a file"));
        check("weir detect --lateness 3 in", Err("--lateness is no duration: `3`; write 3d, 36h, 90m"));
        check("weir detect --max-bad-ratio 1.1 in", Err("--max-bad-ratio must be a number from 0 to 1: `1.1`"));
        check("weir detect --alerts a --late ./a in", Err("--alerts and --late name the same place: ./a"));
        check("weir detect --alerts in in", Err("--alerts would overwrite in, which INPUT reads"));
        check("weir detect --from-state s --to-state s in", Ok(()));
        check("weir detect --from-state s --alerts s in", Err("--alerts would overwrite s, which --from-state reads"));
        check("weir detect --explain-silence c:1 in", Ok(()));
        check(
            "weir detect --explain-silence c:1 --to-state s in",
            Err(
                "--explain-silence explains one party, on standard output, and goes with no --to-state; leave --to-state out, or run twice",
            ),
        );
        check("weir detect --explain-silence  in", Err("--explain-silence names no party; write c:CUSTOMER, a:ACCOUNT or g:GROUP"));
        check("weir detect - -", Err("standard input - can be given only once"));
        check(
            "weir detect --office-min-level hihg in",
            Err("--office-min-level is one of low, medium, high, urgent, not `hihg`; did you mean `high`?"),
        );
    }

    #[test]
    fn ratios_are_exact() {
        for (text, expected) in [("0.5", Some(500_000)), ("1", Some(1_000_000)), ("0.000001", Some(1)), (".5", None), ("-1", None)] {
            assert_eq!(ratio(text, Lang::En).ok(), expected, "{text}");
        }
    }
}
