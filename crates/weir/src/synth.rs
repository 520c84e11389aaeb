//! `weir synth`: writes a generated bank, its party data and its labels.
//!
//! The bank itself is `weir-testkit`'s; here are files, a progress bar and the note of what was written, with the hash of the transactions by
//! which two machines can tell that they mean the same bank.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use weir_feed::Format;
use weir_model::Day;
use weir_testkit::synth::cast::Cast;
use weir_testkit::synth::extras::Extra;
use weir_testkit::synth::faces::BANK;
use weir_testkit::synth::feed::{self, Fields, Layout, Lines, Rows};
use weir_testkit::synth::figures::Figures;
use weir_testkit::synth::plan;
use weir_testkit::synth::table::Table;
use weir_testkit::synth::today::YEARS;
use weir_testkit::synth::{Bank, Dials, answers};

use crate::arguments::SynthArgs;
use crate::detect::format_of;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::language::{Lang, did_you_mean, say};
use crate::outputs::{Folders, Output, publish, same_file, write_failure};
use crate::terminal::{grouped, mention, wrapped};

/// Most customers and days: balances and dates stay far from their ends.
const CUSTOMERS_MAX: u32 = 50_000_000;
const DAYS_MAX: u32 = 4000;
const DISORDER_MAX: u32 = 100;
/// Columns of a line of the list of dials.
const LIST_COLUMNS: usize = 90;
/// Lines gathered before they are hashed and written.
const PIECE_BYTES: usize = 256 * 1024;

/// Where transactions go, in which form.
enum Sink {
    Lines(Lines, Box<Hashing>),
    Table(Box<Table<Hashing>>),
}

/// Hashes what passes through.
struct Hashing {
    out: Output,
    hasher: blake3::Hasher,
}

impl Hashing {
    /// Writes the lines that are there.
    fn take(&mut self, lines: &mut Lines) -> io::Result<()> {
        let done = self.write_all(&lines.text);
        lines.text.clear();
        done
    }
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.update(bytes);
        self.out.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Write::flush(&mut self.out)
    }
}

impl Sink {
    fn new(format: Format, columns: &[&str], out: Output) -> io::Result<Self> {
        let out = Hashing { out, hasher: blake3::Hasher::new() };
        Ok(match format {
            Format::Parquet => Self::Table(Box::new(Table::new(columns, out).map_err(io::Error::other)?)),
            Format::Csv => Self::Lines(Lines::new(Layout::Csv, columns), Box::new(out)),
            Format::Jsonl => Self::Lines(Lines::new(Layout::Jsonl, columns), Box::new(out)),
        })
    }

    fn row(&mut self, values: &[String]) -> io::Result<()> {
        match self {
            Self::Lines(lines, out) => {
                lines.row(values);
                // Long pieces are hashed several times as fast as lines.
                if lines.text.len() < PIECE_BYTES { Ok(()) } else { out.take(lines) }
            }
            Self::Table(table) => table.row(values).map_err(io::Error::other),
        }
    }

    fn finish(self) -> io::Result<Hashing> {
        match self {
            Self::Lines(mut lines, mut out) => out.take(&mut lines).map(|()| *out),
            Self::Table(table) => table.finish().map_err(io::Error::other),
        }
    }
}

/// Runs the verb.
pub(crate) fn run(args: &SynthArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let dials = dials(args, lang)?;
    let format = format_of(&args.format, lang)?;
    let labels = args.out.join("labels");
    let _folders = Folders::make(&labels, lang)?;
    apart(args, &labels, lang)?;
    let writing = Writing { args, dials: &dials, format, lang };
    let Some(Written { rows, customers, schemes, paid, hash, seconds }) = writing.write(&labels)? else {
        return Ok(Exit::Ok);
    };
    let rate = grouped(u128::from(rows) * 1000 / u128::from(seconds.max(1)));
    let rows = grouped(rows.into());
    let (customers, place) = (grouped(customers as u128), args.out.display());
    let hash = &hash.to_hex()[..16];
    let paid = if paid == schemes {
        String::new()
    } else {
        say!(lang, "（{paid} 个已有人付款）", ", of which {paid} have been paid into")
    };
    mention(
        "note",
        "synth",
        &say!(
            lang,
            "{place}：客户 {customers} 户，团伙 {schemes} 个{paid}，流水 {rows} 条（每秒 {rate} 条），摘要 {hash}",
            "{place}: customers {customers}, schemes {schemes}{paid}, rows {rows} ({rate} a second), hash {hash}"
        ),
        json,
    );
    Ok(Exit::Ok)
}

/// What was written.
struct Written {
    rows: u64,
    customers: usize,
    schemes: usize,
    /// Those of them that somebody has paid into at this bank: others begin after its last day, or nobody has come yet.
    paid: usize,
    hash: blake3::Hash,
    /// Thousandths.
    seconds: u64,
}

struct Writing<'a> {
    args: &'a SynthArgs,
    dials: &'a Dials,
    format: Format,
    lang: Lang,
}

impl Writing<'_> {
    /// Writes everything, or leaves nothing; `None` where the reader of standard output has gone.
    fn write(&self, labels: &Path) -> Result<Option<Written>, Failure> {
        let (args, lang) = (self.args, self.lang);
        let interrupt = Interrupt::install(lang)?;
        let begun = Instant::now();
        let mut bank = Bank::new(self.dials);
        let mut fields = Fields::new(if args.ledger { Rows::Ledger } else { Rows::Transfers }, args.without_parties, &self.dials.extras);
        let columns = fields.columns();
        let mut outputs = vec![self.file(&args.out.join("feed.yaml"), |out| self.mapping(&columns, out))?];
        if !args.without_parties {
            let last = self.dials.from.plus(i32::try_from(self.dials.days).unwrap_or(0) - 1);
            outputs.push(self.file(&args.out.join("parties.csv"), |out| feed::parties(&bank.world, last, out))?);
        }
        let name = args.transactions.clone().unwrap_or_else(|| args.out.join(format!("transactions.{}", self.format.name())));
        let said = |error: &io::Error| write_failure(&name.display().to_string(), error, lang);
        let mut sink = Sink::new(self.format, &columns, Output::open(&name, lang)?).map_err(|error| said(&error))?;
        let mut labelled = self.file(&labels.join("transactions.csv"), answers::transactions_header)?;
        let bar = bar(self.dials.days, lang);
        let (mut rows, mut count) = (Vec::new(), 0_u64);
        let (mut figures, mut cast) = (Figures::new(&bank.world), Cast::default());
        while bank.day(&mut rows).is_some() {
            figures.count(&rows);
            for row in &rows {
                let done = fields.write(&bank.world, row, |values| {
                    count += 1;
                    sink.row(values)
                });
                done.map_err(|error| said(&error))?;
                cast.note(&bank, row);
                answers::transaction(&bank.parts, row, &mut labelled).map_err(|error| labelled.failure(&error))?;
            }
            bar.inc(1);
            bar.set_message(grouped(count.into()));
            interrupt.check(lang)?;
            if matches!(&sink, Sink::Lines(_, out) if out.out.is_closed()) {
                return Ok(None);
            }
        }
        bar.finish_and_clear();
        let Hashing { out, hasher } = sink.finish().map_err(|error| said(&error))?;
        let hash = hasher.finalize();
        outputs.extend([
            out,
            labelled,
            self.file(&labels.join("customers.csv"), |out| answers::customers(&bank, out))?,
            self.file(&labels.join("schemes.csv"), |out| answers::schemes(&bank, out))?,
            self.file(&labels.join("accounts.csv"), |out| cast.write(&bank, out))?,
        ]);
        let (customers, schemes) = (bank.world.customers.len(), bank.schemes.len());
        let paid = bank.schemes.iter().filter(|scheme| scheme.outcome.first.is_some()).count();
        let dials = self.dials;
        let about = serde_json::json!({
            "seed": dials.seed, "customers": dials.customers, "from": dials.from.to_string(), "days": dials.days,
            "per_scheme": dials.per_scheme, "disorder": dials.disorder, "held": dials.held, "with": dials.extras.iter().map(|extra| extra.name()).collect::<Vec<_>>(), "format": self.format.name(),
            "ledger": args.ledger, "without_parties": args.without_parties, "all_customers": customers, "schemes": schemes, "rows": count,
            "blake3": hash.to_string(), "figures": figures.finish(&bank.world),
        });
        outputs.push(self.file(&args.out.join("bank.json"), |out| writeln!(out, "{about:#}"))?);
        let has_earlier = args.out.join("bank.json").exists();
        publish(outputs)?;
        if has_earlier {
            self.remove_others(&name)?;
        }
        let seconds = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(Some(Written { rows: count, customers, schemes, paid, hash, seconds }))
    }

    /// Removes what an earlier bank in the folder had and this one has not: transactions in another form, party data. Beside this feed they would be
    /// taken for its own.
    fn remove_others(&self, transactions: &Path) -> Result<(), Failure> {
        let forms = ["jsonl", "csv", "parquet"].map(|form| format!("transactions.{form}"));
        let parties = self.args.without_parties.then(|| "parties.csv".to_owned());
        let others = forms.into_iter().chain(parties).map(|name| self.args.out.join(name));
        // By what they are: `./town` and `town` are one folder.
        let own = fs::canonicalize(transactions).ok();
        for path in others.filter(|path| own.is_none() || fs::canonicalize(path).ok() != own) {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(write_failure(&path.display().to_string(), &error, self.lang));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// How the transactions are read.
    fn mapping(&self, columns: &[&str], out: &mut Output) -> io::Result<()> {
        let rows = if self.args.ledger { "ledger_side" } else { "transfer\nown: customer" };
        let format = self.format.name();
        writeln!(out, "# How the transactions beside this file are read. The bank is invented.")?;
        writeln!(out, "version: 1\ntitle: 生成的银行\nformat: {format}\nrows: {rows}\ninstitution: \"{BANK}\"\nfields:")?;
        columns.iter().try_for_each(|column| writeln!(out, "  {column}: {column}"))
    }

    fn file(&self, path: &Path, write: impl FnOnce(&mut Output) -> io::Result<()>) -> Result<Output, Failure> {
        let mut out = Output::open(path, self.lang)?;
        match write(&mut out) {
            Ok(()) => Ok(out),
            Err(error) => Err(out.failure(&error)),
        }
    }
}

/// Fails where the transactions would take the place of another file of the bank.
fn apart(args: &SynthArgs, labels: &Path, lang: Lang) -> Result<(), Failure> {
    let Some(path) = &args.transactions else { return Ok(()) };
    let beside = ["feed.yaml", "parties.csv", "bank.json"].map(|name| args.out.join(name));
    let labelled = ["transactions.csv", "customers.csv", "schemes.csv", "accounts.csv"].map(|name| labels.join(name));
    if !beside.iter().chain(&labelled).any(|other| same_file(path, other)) {
        return Ok(());
    }
    let name = path.display();
    Err(Failure::usage(say!(
        lang,
        "--transactions {name} 是该银行另一个文件的位置，请换一个文件名",
        "--transactions {name} is the place of another file of the bank; name another"
    )))
}

/// The dials, checked.
fn dials(args: &SynthArgs, lang: Lang) -> Result<Dials, Failure> {
    let from = Day::parse(&args.from).ok_or_else(|| {
        let text = &args.from;
        Failure::usage(say!(lang, "--from `{text}` 不是日期，应如 2024-01-01", "--from `{text}` is no date such as 2024-01-01"))
    })?;
    let bounds: [(&str, u32, u32, u32); 3] = [
        ("--customers", args.customers, 20, CUSTOMERS_MAX),
        ("--days", args.days, 1, DAYS_MAX),
        ("--disorder", args.disorder, 0, DISORDER_MAX),
    ];
    for (option, value, least, most) in bounds {
        if !(least..=most).contains(&value) {
            return Err(Failure::usage(say!(
                lang,
                "{option} 取 {least} 至 {most}，给出的是 {value}",
                "{option} takes {least} to {most}, not {value}"
            )));
        }
    }
    within_years(from, args.days, lang)?;
    let mut all_held = BTreeMap::new();
    for text in &args.hold {
        let (name, value) = held(text, lang)?;
        if all_held.insert(name.clone(), value).is_some() {
            return Err(Failure::usage(say!(
                lang,
                "--hold {name} 给出了不止一次；一个参数只能固定为一个值",
                "--hold {name} is given more than once; a dial is held at one value"
            )));
        }
    }
    Ok(Dials {
        seed: args.seed,
        customers: args.customers,
        from,
        days: args.days,
        per_scheme: args.per_scheme,
        disorder: args.disorder,
        held: all_held,
        extras: args.with.iter().map(|name| extra(name, lang)).collect::<Result<_, _>>()?,
    })
}

/// Fails where the bank has a day in a year whose holidays the generator does not know.
fn within_years(from: Day, days: u32, lang: Lang) -> Result<(), Failure> {
    let (first, last) = YEARS;
    let to = from.plus(i32::try_from(days).unwrap_or(i32::MAX).saturating_sub(1));
    if !(first..=last).contains(&from.year()) {
        return Err(Failure::usage(say!(
            lang,
            "--from {from}：须在 {first} 年至 {last} 年之间，此外的春节无从得知",
            "--from {from} is not in the years {first} to {last}, whose Spring Festivals are known"
        )));
    }
    if to.year() > last {
        return Err(Failure::usage(say!(
            lang,
            "--days {days}：从 {from} 起到 {to} 为止，须不晚于 {last} 年底，此后的春节无从得知",
            "--days {days} from {from} on end on {to}, after {last}, the last year whose Spring Festival is known"
        )));
    }
    Ok(())
}

/// A dial and the value it is held at: `investors=80`.
fn held(text: &str, lang: Lang) -> Result<(String, i64), Failure> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(Failure::usage(say!(
            lang,
            "--hold `{text}`：应写成 参数=值，如 investors=80",
            "--hold `{text}`: write DIAL=VALUE, such as investors=80"
        )));
    };
    let Some(dial) = plan::dials().find(|dial| dial.name == name) else {
        let names = || plan::dials().map(|dial| dial.name);
        let all = wrapped(&names().collect::<Vec<_>>().join(" "), LIST_COLUMNS).join("\n  ");
        let near = did_you_mean(name, names(), lang);
        return Err(Failure::usage(say!(
            lang,
            "--hold：没有参数 `{name}`{near}\n  可用（含义见 docs/synthetic-bank.md）：\n  {all}",
            "--hold: there is no dial `{name}`{near}\n  there are (docs/synthetic-bank.md says what they mean):\n  {all}"
        )));
    };
    let ((least, most), [zh, en]) = (dial.bounds, dial.unit);
    let is_possible = |value: &i64| (least..=most).contains(value);
    let value = value.parse().ok().filter(is_possible).ok_or_else(|| {
        Failure::usage(say!(
            lang,
            "--hold {name}：取 {least} 至 {most} 的整数（{zh}），给出的是 `{value}`",
            "--hold {name} takes a whole number from {least} to {most} ({en}), not `{value}`"
        ))
    })?;
    Ok((name.to_owned(), value))
}

/// Something that a bank has besides, by its name.
fn extra(name: &str, lang: Lang) -> Result<Extra, Failure> {
    Extra::ALL.into_iter().find(|extra| extra.name() == name).ok_or_else(|| {
        let all = Extra::ALL.map(Extra::name).join(", ");
        let near = did_you_mean(name, Extra::ALL.into_iter().map(Extra::name), lang);
        Failure::usage(say!(
            lang,
            "--with：没有 `{name}`{near}\n  可用（含义见 docs/synthetic-bank.md）：{all}",
            "--with: there is no `{name}`{near}\n  there are (docs/synthetic-bank.md says what they mean): {all}"
        ))
    })
}

/// A bar by days, on a terminal only.
fn bar(days: u32, lang: Lang) -> ProgressBar {
    let target = if io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(days.into()), target);
    let (day, rows, left) = (lang.of("天", "days"), lang.of("条", "rows"), lang.of("剩余", "left"));
    if let Ok(style) = ProgressStyle::with_template(&format!("{{wide_bar}} {{pos}}/{{len}} {day}  {{msg}} {rows}  {left} {{eta}}")) {
        bar.set_style(style.progress_chars("━╸─"));
    }
    bar
}
