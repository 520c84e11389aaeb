//! `weir rule test DIR…`: runs the tests inside rule files and says what came instead.
//!
//! A test's transactions take the way of any feed (reader, party data, split, clock) into a detector of their own, in memory, under the whole
//! rule set of the folder; what stands at the end is compared with what the test expects of its rule. Alerts of other rules are looked at
//! only where the test names them, so that a new rule does not break the tests of the others.

mod case;
mod compare;
mod junit;
mod silence;

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;
use weir_rules::{FileStatus, On, Override, RuleDocument, RuleSet, RuleTest};

use crate::arguments::RuleTestArgs;
use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::{Output, publish};
use crate::pack::{self, Pack};
use crate::terminal::Palette;

/// What became of a test.
#[derive(Debug, Serialize)]
pub(crate) struct TestReport {
    /// Rule.
    rule: String,
    /// Name of the test.
    name: String,
    /// `fz/fz001.yaml:81`.
    place: String,
    /// Whether everything was as expected.
    passed: bool,
    /// What was not, one line each.
    problems: Vec<String>,
    /// Why passing says less than it seems to.
    note: Option<String>,
    /// Time it took.
    micros: u64,
}

/// Runs the tests of each folder.
pub(crate) fn run(arguments: &RuleTestArgs, json: bool, lang: Lang, output: &mut Output) -> Result<Exit, Failure> {
    let mut junit = arguments.junit.as_deref().map(|path| Output::open(path, lang)).transpose()?;
    let palette = Palette::of(&io::stdout());
    let mut reports = Vec::new();
    for pack in Pack::find_all(&arguments.dir, lang)? {
        let mut suite = Suite::new(pack, &arguments.set, json, lang)?;
        for (rule, test) in suite.tests(arguments.run.as_deref()) {
            let report = suite.run(&rule, &test)?;
            if json {
                output.json(&report)?
            } else {
                output.bytes(line(&report, palette).as_bytes())?
            }
            reports.push(report);
        }
    }
    if let Some(text) = arguments.run.as_deref().filter(|_| reports.is_empty()) {
        return Err(Failure::usage(say!(
            lang,
            "没有测试的“规则编号 测试名”含有 `{text}`（--run）；全部测试见 weir rule test",
            "no test has `{text}` in its rule id and name (--run); weir rule test shows all of them"
        )));
    }
    let failed = reports.iter().filter(|report| !report.passed).count();
    let passed = reports.len() - failed;
    if let Some(mut file) = junit.take() {
        file.bytes(junit::document(&reports).as_bytes())?;
        publish(vec![file])?;
    }
    if !json {
        output.bytes(say!(lang, "{passed} 通过 {failed} 失败\n", "{passed} passed, {failed} failed\n").as_bytes())?;
    }
    Ok(if failed > 0 { Exit::Findings } else { Exit::Ok })
}

/// `PASS FZ-001 name  1.2 ms`, or `FAIL` with what was wrong below it.
fn line(report: &TestReport, palette: Palette) -> String {
    let verdict = if report.passed { palette.paint("32", "PASS") } else { palette.paint("1;31", "FAIL") };
    let time = palette.dim(&format!("{}.{} ms", report.micros / 1000, report.micros % 1000 / 100));
    let mut text = format!("{verdict} {} {}  {time}\n", report.rule, report.name);
    if let Some(note) = &report.note {
        text += &format!("     {}\n", palette.dim(note));
    }
    if !report.passed {
        text += &format!("     {}\n", palette.dim(&report.place));
        for problem in &report.problems {
            text += &format!("     {}\n", problem.replace('\n', "\n     "));
        }
    }
    text
}

/// The tests of a folder, and the rule sets they run under.
struct Suite {
    lang: Lang,
    json: bool,
    pack: Pack,
    /// Those of the command line; a test's own come later.
    settings: Vec<String>,
    documents: Vec<RuleDocument>,
    /// Texts by index, as places refer to them.
    sources: Vec<weir_rules::SourceFile>,
    /// Compiled sets by the settings they were compiled under.
    sets: BTreeMap<Vec<String>, Arc<RuleSet>>,
}

impl Suite {
    fn new(pack: Pack, settings: &[String], json: bool, lang: Lang) -> Result<Self, Failure> {
        let loaded = pack::load(&pack, settings, json, lang)?;
        let settings = settings.to_vec();
        let sets = BTreeMap::from([(settings.clone(), Arc::new(loaded.rules))]);
        Ok(Self { lang, json, pack, settings, documents: loaded.documents, sources: loaded.warnings.sources, sets })
    }

    /// The tests whose "rule name" contains `filter`, each with its rule. Those of retired rules are not run.
    fn tests(&self, filter: Option<&str>) -> Vec<(RuleDocument, RuleTest)> {
        let rules = self.documents.iter().filter(|rule| rule.status != FileStatus::Retired);
        let tests = rules.flat_map(|rule| rule.tests.iter().map(|test| (rule.clone(), test.clone())));
        tests.filter(|(rule, test)| filter.is_none_or(|filter| format!("{} {}", rule.id, test.name).contains(filter))).collect()
    }

    fn run(&mut self, rule: &RuleDocument, test: &RuleTest) -> Result<TestReport, Failure> {
        let mut settings = self.settings.clone();
        if rule.status == FileStatus::Draft {
            // A draft is left out of a set; its tests are how it gets ready to be in one.
            settings.push(Override::new(format!("{}.status=active", rule.id)).text);
        }
        settings.extend(test.overrides.iter().map(|over| over.text.clone()));
        let set = self.set(&settings)?;
        let begun = Instant::now();
        let ran = case::run(&set, test, self.sources.get(test.place.file), self.lang);
        let elapsed = begun.elapsed();
        let problems = match ran {
            Ok(outcome) => self.problems(rule, test, &settings, &outcome)?,
            Err(problem) => vec![problem],
        };
        let note = if problems.is_empty() { self.note(rule, test, &settings)? } else { None };
        let place = self.place(test);
        let micros = u64::try_from(elapsed.min(Duration::from_secs(86_400)).as_micros()).unwrap_or(u64::MAX);
        Ok(TestReport { rule: rule.id.clone(), name: test.name.clone(), place, passed: problems.is_empty(), problems, note, micros })
    }

    /// What to know of a test that passed.
    fn note(&self, rule: &RuleDocument, test: &RuleTest, settings: &[String]) -> Result<Option<String>, Failure> {
        let of_set = self.sets.get(settings).and_then(|set| set.rules.iter().find(|other| other.id == rule.id));
        if !test.expect.is_empty() || of_set.is_none_or(|rule| rule.on == On::Instant) {
            return Ok(None);
        }
        let set = pack::load(&self.pack, settings, self.json, self.lang)?.rules;
        Ok(silence::looked_at_nowhere(set, test, &rule.id, self.lang))
    }

    /// What is not as expected; for an alert that did not come also how near the rule was to it.
    fn problems(&self, rule: &RuleDocument, test: &RuleTest, settings: &[String], outcome: &case::Outcome) -> Result<Vec<String>, Failure> {
        let compared = compare::compare(&rule.id, test, outcome, self.lang);
        let mut problems = compared.problems;
        for missing in compared.missing {
            // Compiled anew, because the probe takes the conditions of its rule apart.
            let set = pack::load(&self.pack, settings, self.json, self.lang)?.rules;
            problems.push(silence::nearest(set, test, &missing.rule, &missing.party, self.lang));
        }
        Ok(problems)
    }

    fn set(&mut self, settings: &[String]) -> Result<Arc<RuleSet>, Failure> {
        if let Some(set) = self.sets.get(settings) {
            return Ok(Arc::clone(set));
        }
        let set = Arc::new(pack::load(&self.pack, settings, self.json, self.lang)?.rules);
        self.sets.insert(settings.to_vec(), Arc::clone(&set));
        Ok(set)
    }

    fn place(&self, test: &RuleTest) -> String {
        let Some(source) = self.sources.get(test.place.file) else { return self.pack.label.clone() };
        let before = source.text.get(..test.place.span.start).unwrap_or_default();
        format!("{}:{}", source.path, before.matches('\n').count() + 1)
    }
}
