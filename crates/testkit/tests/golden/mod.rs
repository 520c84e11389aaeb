//! Golden cases: every `fixtures/<pattern>/<case>/` through feed and engine, in every way that must not matter.
//!
//! A case holds `input.csv`, and where it needs them `feed.yaml`, `parties.jsonl` and `rules/` (else the shipped pack).
//! Straight through it must give `answer.txt`, a readable account of everything that came out, one line each, which a person reviews;
//! `UPDATE_EXPECT=1` writes it. Then the same bytes must come out in other shard counts and batch sizes and with a snapshot written and read
//! back after every record; and reordered within the allowed lateness the same answer must stand, whatever the ids and revisions.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use weir_engine::{AlertEffect, Effects, Engine, Input as EngineInput, ReportEffect, Settings};
use weir_feed::{Input, Mapping, Options, Parties, Reader, RecordBatch, Step};
use weir_model::alert::AlertStatus;
use weir_model::{Alert, Direction, LargeAmountReport, ReportStatus};
use weir_rules::{RuleSet, SourceFile};

/// A case, ready to run.
struct Case {
    name: String,
    folder: PathBuf,
    rules: Arc<RuleSet>,
    parties: Arc<Parties>,
    mapping: Mapping,
    input: PathBuf,
}

/// Everything a run said.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    alerts: Vec<AlertEffect>,
    reports: Vec<ReportEffect>,
    rejects: Vec<weir_engine::RejectEffect>,
    live: Vec<AlertEffect>,
    open: Vec<ReportEffect>,
    dead: Vec<String>,
}

/// How a run is cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    shards: usize,
    batch: usize,
    restores: bool,
}

#[test]
fn golden_cases() {
    let cases = cases();
    assert!(!cases.is_empty(), "fixtures/ holds cases");
    let (mut failures, mut reordered) = (Vec::new(), 0);
    for case in &cases {
        match case.check() {
            Ok(was_reordered) => reordered += usize::from(was_reordered),
            Err(why) => failures.push(format!("{}: {why}", case.name)),
        }
    }
    assert!(failures.is_empty(), "{} of {} cases fail:\n{}", failures.len(), cases.len(), failures.join("\n"));
    // The others are about what order decides: late records, conflicts, reversals that are refused.
    assert!(reordered * 2 >= cases.len(), "only {reordered} of {} cases could be reordered", cases.len());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn cases() -> Vec<Case> {
    let shipped = load_rules(&root().join("rules"));
    let mut folders: Vec<PathBuf> = folders(&root().join("fixtures")).iter().flat_map(|pattern| folders(pattern)).collect();
    folders.retain(|folder| folder.join("input.csv").exists());
    folders.sort();
    folders.into_iter().map(|folder| Case::open(folder, &shipped)).collect()
}

fn folders(below: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(below).expect("fixtures can be listed");
    entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).filter(|path| path.is_dir()).collect()
}

fn load_rules(below: &Path) -> Arc<RuleSet> {
    let mut files = Vec::new();
    collect(below, below, &mut files);
    let loaded = weir_rules::load(&files, &[]);
    Arc::new(loaded.unwrap_or_else(|problems| panic!("{}: {problems:?}", below.display())).rules)
}

fn collect(root: &Path, below: &Path, files: &mut Vec<SourceFile>) {
    for folder in folders(below) {
        collect(root, &folder, files);
    }
    for entry in std::fs::read_dir(below).expect("rules can be listed").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_file() {
            let name = path.strip_prefix(root).expect("it lies below").to_string_lossy().into_owned();
            files.push(SourceFile { path: name, text: std::fs::read_to_string(&path).expect("rules are text") });
        }
    }
}

impl Case {
    fn open(folder: PathBuf, shipped: &Arc<RuleSet>) -> Self {
        let rules = if folder.join("rules").is_dir() { load_rules(&folder.join("rules")) } else { Arc::clone(shipped) };
        let feed = folder.join("feed.yaml");
        let mapping = if feed.exists() { Mapping::load(&feed).expect("the feed file is sound") } else { Mapping::default() };
        let parties = folder.join("parties.jsonl");
        let parties = if parties.exists() {
            Parties::load(&parties, mapping.institution()).expect("party data is sound")
        } else {
            Parties::default()
        };
        let input = folder.join("input.csv");
        let name = folder.strip_prefix(root()).unwrap_or(&folder).display().to_string();
        Self { name, folder, rules, parties: Arc::new(parties), mapping, input }
    }

    /// Whether it could be reordered, too.
    fn check(&self) -> Result<bool, String> {
        let straight = self.run(&[Input::file(&self.input)], Cut { shards: 1, batch: 10_000, restores: false });
        self.check_answer(&straight)?;
        for shards in [1, 2, 3, 8] {
            for batch in [1, 777, 100_000] {
                let cut = Cut { shards, batch, restores: false };
                same(&straight, &self.run(&[Input::file(&self.input)], cut), &format!("{cut:?}"))?;
            }
        }
        let cut = Cut { shards: 2, batch: 1, restores: true };
        same(&straight, &self.run(&[Input::file(&self.input)], cut), "a snapshot after every record")?;
        self.check_reordered(&straight)
    }

    fn run(&self, inputs: &[Input], cut: Cut) -> Said {
        let options = Options { batch_records: cut.batch, tags: self.rules.tags.keywords(), ..Options::default() };
        let mut reader = Reader::open(inputs, self.mapping.clone(), Arc::clone(&self.parties), options).expect("the input can be opened");
        let new = || Engine::new(Settings::default(), Arc::clone(&self.rules));
        let mut engines: Vec<Engine> = (0..cut.shards).map(|_| new()).collect();
        let mut effects = Effects::default();
        let mut dead = Vec::new();
        for batch in reader.by_ref() {
            let batch = batch.expect("the input can be read");
            dead.extend(batch.rejects().map(|reject| format!("{} {} {}", reject.number, reject.reason.code(), reject.field)));
            for (shard, engine) in engines.iter_mut().enumerate() {
                engine.step(&inputs_of(&batch, shard, cut.shards), &mut effects);
                if cut.restores {
                    *engine = self.restored(engine);
                }
            }
        }
        if let Some(tick) = reader.end_tick() {
            for engine in &mut engines {
                engine.step(&[EngineInput::Tick { record: tick.record, clock: tick.clock }], &mut effects);
            }
        }
        let live = engines.iter().flat_map(Engine::live_alerts).collect();
        let open = engines.iter().flat_map(Engine::open_reports).collect();
        let mut said = Said { alerts: effects.alerts, reports: effects.reports, rejects: effects.rejects, live, open, dead };
        said.alerts.sort_by(|a, b| a.key().cmp(&b.key()));
        said.reports.sort_by(|a, b| a.key().cmp(&b.key()));
        said.rejects.sort_by(|a, b| a.key().cmp(&b.key()));
        said.live.sort_by(|a, b| a.key().cmp(&b.key()));
        said.open.sort_by(|a, b| a.key().cmp(&b.key()));
        said
    }

    fn restored(&self, engine: &Engine) -> Engine {
        let find = |hash: &str| (hash == self.rules.hash).then(|| Arc::clone(&self.rules));
        Engine::restore(Settings::default(), &[&engine.snapshot()], &find, &|_| true).expect("what was written can be read")
    }

    fn check_answer(&self, said: &Said) -> Result<(), String> {
        let path = self.folder.join("answer.txt");
        let answer = said.account();
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            return std::fs::write(&path, answer).map_err(|error| error.to_string());
        }
        let expected = std::fs::read_to_string(&path).map_err(|_| "has no answer.txt; UPDATE_EXPECT=1 writes it".to_owned())?;
        match expected.lines().zip(answer.lines()).find(|(expected, got)| expected != got) {
            Some((expected, got)) => Err(format!("\n  expected {expected}\n  got      {got}")),
            None if expected.lines().count() != answer.lines().count() => {
                Err(format!("{} lines, expected {}", answer.lines().count(), expected.lines().count()))
            }
            None => Ok(()),
        }
    }

    /// The same records in another order, none of them late: the same answer, in other revisions. `false` where order decides the answer.
    fn check_reordered(&self, straight: &Said) -> Result<bool, String> {
        if !straight.rejects.is_empty() || !straight.dead.is_empty() {
            // What is late, or which of two conflicting rows came first, depends on the order by definition.
            return Ok(false);
        }
        let text = std::fs::read_to_string(&self.input).map_err(|error| error.to_string())?;
        let (header, rows) = text.split_once('\n').ok_or("has no header line")?;
        let column = header.split(',').position(|name| name == "occurred_at").ok_or("has no column occurred_at")?;
        let mut rows: Vec<(Minute, &str)> =
            rows.lines().map(|row| Some((minute(row, column)?, row))).collect::<Option<_>>().ok_or("a time")?;
        if !reorder(&mut rows) {
            return Ok(false);
        }
        let rows: Vec<&str> = rows.into_iter().map(|(_, row)| row).collect();
        let shuffled = format!("{header}\n{}\n", rows.join("\n"));
        let said = self.run(&[Input::bytes("input.csv", shuffled)], Cut { shards: 2, batch: 777, restores: false });
        if straight.standing() == said.standing() {
            return Ok(true);
        }
        let (expected, got) = (straight.standing(), said.standing());
        let only = |these: &[String], those: &[String]| these.iter().filter(|line| !those.contains(line)).cloned().collect::<Vec<_>>();
        Err(format!("reordered:\n  expected {:#?}\n  got      {:#?}", only(&expected, &got), only(&got, &expected)))
    }
}

/// Minutes since some day.
type Minute = i64;

/// The time of a row, whose first columns hold no commas of their own.
fn minute(row: &str, column: usize) -> Option<Minute> {
    let time = row.split(',').nth(column)?;
    let time = ["%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S"].iter().find_map(|form| chrono::NaiveDateTime::parse_from_str(time, form).ok())?;
    Some(time.and_utc().timestamp() / 60)
}

/// Turns blocks of seven neighbours round where that makes no row later than it may be; whether any were.
fn reorder(rows: &mut [(Minute, &str)]) -> bool {
    // A row is late when an earlier one is more than three days ahead of it; an hour is left for what rows do to ticks.
    let is_in_time = |rows: &[(Minute, &str)]| {
        let mut latest = Minute::MIN;
        rows.iter().all(|(at, _)| {
            latest = latest.max(*at);
            latest - at < 3 * 1440 - 60
        })
    };
    let mut is_changed = false;
    for from in (0..rows.len()).step_by(7) {
        let to = rows.len().min(from + 7);
        rows[from..to].reverse();
        if is_in_time(&rows[..to]) {
            is_changed |= to - from > 1;
        } else {
            rows[from..to].reverse();
        }
    }
    is_changed
}

fn inputs_of(batch: &RecordBatch, shard: usize, shards: usize) -> Vec<EngineInput<'_>> {
    let own = batch.steps(shard, shards).map(|step| match step {
        Step::Leg { record, clock, view } => EngineInput::Leg { record, clock, leg: view.leg },
        Step::Tick(tick) => EngineInput::Tick { record: tick.record, clock: tick.clock },
    });
    own.collect()
}

fn same(straight: &Said, other: &Said, how: &str) -> Result<(), String> {
    if straight == other {
        return Ok(());
    }
    let (expected, got) = (straight.account(), other.account());
    let first = expected.lines().zip(got.lines()).find(|(expected, got)| expected != got);
    Err(format!("{how}: {first:?}"))
}

impl Said {
    /// One line for everything that came out, in order.
    fn account(&self) -> String {
        let mut text = String::new();
        for effect in &self.alerts {
            let _ = writeln!(text, "{} {}", at(effect.record, effect.tick), alert_line(&effect.alert));
        }
        for effect in &self.live {
            let _ = writeln!(text, "end   {}", alert_line(&effect.alert));
        }
        for effect in &self.reports {
            let _ = writeln!(text, "{} {}", at(effect.record, effect.tick), report_line(&effect.report));
        }
        for effect in &self.open {
            let _ = writeln!(text, "end   {}", report_line(&effect.report));
        }
        for effect in &self.rejects {
            let _ = writeln!(
                text,
                "{} {} {} {} of record {}, reports {}",
                at(effect.record, effect.tick),
                effect.reason.code(),
                effect.party,
                effect.txn_id,
                effect.rejected_record,
                effect.report_ids.len()
            );
        }
        for dead in &self.dead {
            let _ = writeln!(text, "dead {dead}");
        }
        text
    }

    /// What stands at the end, without ids and revisions: episodes by their values, reports by their content.
    fn standing(&self) -> Vec<String> {
        let over = self.alerts.iter().filter(|effect| effect.alert.status == AlertStatus::Quiet);
        let mut standing: Vec<String> = over.chain(&self.live).map(|effect| standing_line(&effect.alert)).collect();
        let mut reports = std::collections::BTreeMap::new();
        for effect in &self.reports {
            // By revision, not by place: the tick at the end bears the number of the last record and sorts before it.
            let last = reports.entry(effect.report.report_id.clone()).or_insert(&effect.report);
            if effect.report.revision > last.revision {
                *last = &effect.report;
            }
        }
        reports.extend(self.open.iter().map(|effect| (effect.report.report_id.clone(), &effect.report)));
        let reports = reports.into_values().filter(|report| report.status != ReportStatus::Withdrawn);
        standing.extend(reports.map(|report| format!("{} {} {:?}", report.report_id, report.cny_total, report.transactions)));
        standing.sort();
        standing
    }
}

fn at(record: u64, tick: bool) -> String {
    if tick { format!("{record:>4}t") } else { format!("{record:>4} ") }
}

fn report_line(report: &LargeAmountReport) -> String {
    let direction = if report.direction == Direction::In { "in" } else { "out" };
    let exempt: Vec<&str> = report.exempt_transactions.iter().map(|exempt| exempt.txn_id.as_str()).collect();
    format!(
        "report {} {} {direction} ({}) {:?} r{} cny={} fx={} combined={}/{} count={} due={} exempt={exempt:?} unconverted={:?} assumed={}",
        report.customer,
        report.day,
        report.item.number(),
        report.status,
        report.revision,
        report.cny_total,
        report.fx_usd_total,
        report.combined_cny.as_deref().unwrap_or("-"),
        report.combined_usd.as_deref().unwrap_or("-"),
        report.count,
        report.due,
        report.unconverted,
        report.kind_assumed
    )
}

fn alert_line(alert: &Alert) -> String {
    let met: Vec<String> = alert
        .conditions
        .iter()
        .map(|condition| match condition.met {
            Some(true) => "+".to_owned(),
            Some(false) => "-".to_owned(),
            None => "?".to_owned(),
        })
        .collect();
    format!(
        "{} {} {}{} {:?} r{} {} score={} {} → {} people={}/{}/{} in={} out={} since={} owed={} {} {}",
        &alert.alert_id[..6],
        alert.rule.id,
        alert.subject.party,
        if alert.rule.variant.is_empty() { String::new() } else { format!(" [{}]", alert.rule.variant) },
        alert.status,
        alert.revision,
        alert.level.name(),
        alert.score,
        alert.first_hit_at,
        alert.last_hit_at,
        alert.people_in,
        alert.people_out,
        alert.people,
        alert.amount_in,
        alert.amount_out,
        alert.amount_since_first,
        alert.outstanding_estimate,
        met.concat(),
        alert.reason,
    )
}

fn standing_line(alert: &Alert) -> String {
    let line = alert_line(&Alert { alert_id: "------".to_owned(), revision: 0, status: AlertStatus::Opened, ..alert.clone() });
    let payers: Vec<&str> = alert.evidence.payers.iter().map(|payer| payer.id.as_str()).collect();
    format!("{line} {payers:?}")
}
