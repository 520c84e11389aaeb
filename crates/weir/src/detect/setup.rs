//! Everything a run needs before its first record: rules, feed, party data, inputs, and the state it goes on from.
//!
//! Whatever is wrong with any of them is found here, before an output is begun.

use std::collections::BTreeMap;
use std::sync::Arc;

use weir_engine::{Engine, Input as EngineInput};
use weir_feed::{Format, Input, Mapping, Options, Parties, Reader, Resume, Sort, inputs, shard_of};
use weir_model::EventTime;
use weir_office::{Directory, Routing, SavedParty};
use weir_rules::RuleSet;

use super::settings::Settings;
use super::shard::Shard;
use super::state::{ReaderState, RuleSource, State};
use crate::failure::Failure;
use crate::input_error;
use crate::language::{Lang, say};
use crate::pack::{self, Pack, mention_idle};
use crate::rule::mention_warnings;
use crate::terminal::mention;

/// A run, ready to start.
pub(crate) struct Setup {
    /// The rules in force.
    pub(crate) rules: Arc<RuleSet>,
    /// Sources of every rule set that a saved state may refer to, the present one last.
    pub(crate) rule_sources: Vec<RuleSource>,
    /// The inputs, opened.
    pub(crate) reader: Reader,
    /// One for each shard.
    pub(crate) shards: Vec<Shard>,
    /// The state gone on from.
    pub(crate) state: Option<State>,
}

/// What every run over files begins with: rules, party data, inputs.
pub(crate) struct Sources {
    /// The rules in force.
    pub(crate) rules: RuleSet,
    /// The files they were read from.
    source: RuleSource,
    /// Party data.
    pub(crate) parties: Arc<Parties>,
    /// The inputs, opened.
    pub(crate) reader: Reader,
}

impl Sources {
    /// Loads and opens them; `state` is gone on from.
    pub(crate) fn open(settings: &Settings, state: Option<&State>, lang: Lang) -> Result<Self, Failure> {
        let pack = &settings.pack;
        let rules = Pack::find(pack.rules.as_deref(), lang)?;
        let source = RuleSource { files: rules.files.clone(), settings: pack.set.clone() };
        let loaded = pack::load(&rules, &pack.set, settings.json, lang)?;
        if settings.only.is_none() {
            mention_warnings(&loaded.warnings, settings.json, lang);
            mention_idle(&rules, &loaded, settings.json, lang);
            mention_missing_contact(settings, lang);
        }
        let rules = loaded.rules;
        let input_failure = |error| input_error::failure(&error, lang);
        let mapping = settings.feed.as_deref().map_or_else(|| Ok(Mapping::default()), Mapping::load).map_err(input_failure)?;
        let parties = match &settings.parties {
            Some(path) => Parties::load(path, mapping.institution()).map_err(input_failure)?,
            None => Parties::default(),
        };
        let parties = Arc::new(parties);
        let inputs = find_inputs(settings, lang)?;
        let options = options(settings, &rules, state, lang)?;
        let reader = Reader::open(&inputs, mapping, Arc::clone(&parties), options).map_err(input_failure)?;
        Ok(Self { rules, source, parties, reader })
    }
}

impl Setup {
    /// Loads and opens everything.
    pub(crate) fn new(settings: &Settings, lang: Lang) -> Result<Self, Failure> {
        let mut state = settings.from_state.as_deref().map(|path| State::read(path, lang)).transpose()?;
        let routing = Arc::new(routing(settings, lang)?);
        let Sources { rules, source, parties, reader } = Sources::open(settings, state.as_ref(), lang)?;
        let rules = Arc::new(rules);
        let (engines, mut rule_sources) = match &state {
            Some(state) => restore(settings, state, &rules, lang)?,
            None => ((0..settings.shards).map(|_| Engine::new(settings.engine(), Arc::clone(&rules))).collect(), Vec::new()),
        };
        rule_sources.push(source);
        let directories = directories(state.as_mut(), settings.shards);
        let shards = engines
            .into_iter()
            .zip(directories)
            .enumerate()
            .map(|(number, (engine, directory))| Shard {
                number,
                count: settings.shards,
                only: settings.only.as_deref().map(Box::from),
                engine,
                directory,
                parties: Arc::clone(&parties),
                routing: Arc::clone(&routing),
            })
            .collect();
        Ok(Self { rules, rule_sources, reader, shards, state })
    }
}

/// An office cannot ask back where nobody is named.
fn mention_missing_contact(settings: &Settings, lang: Lang) {
    if settings.outputs.office.is_some() && settings.office.bank_contact.trim().is_empty() {
        let text = say!(
            lang,
            "提示：报处非办的消息没有写报送单位和联系人，请用 --bank-contact 写明",
            "note: messages to offices name no bank and nobody to ask; say so with --bank-contact"
        );
        mention("note", "bank_contact", &text, settings.json);
    }
}

/// The bank's routing file; without one a division alone is the addressee.
fn routing(settings: &Settings, lang: Lang) -> Result<Routing, Failure> {
    let Some(path) = &settings.routing else { return Ok(Routing::default()) };
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::bad_input(say!(lang, "无法读取报送对象文件 {name}：{error}", "cannot read the routing file {name}: {error}"))
    })?;
    Routing::parse(&text).map_err(|error| {
        Failure::bad_input(say!(lang, "报送对象文件 {name} 不可用：{error}", "the routing file {name} cannot be used: {error}"))
    })
}

/// The files behind the arguments, none of which may be overwritten.
fn find_inputs(settings: &Settings, lang: Lang) -> Result<Vec<Input>, Failure> {
    let format = format(settings, lang)?;
    let inputs = inputs::expand(&settings.inputs, format).map_err(|error| input_error::failure(&error, lang))?;
    for input in &inputs {
        if let Input::File { path, .. } = input {
            settings.refuse_overwriting("INPUT", path, lang)?;
        }
    }
    Ok(inputs)
}

fn format(settings: &Settings, lang: Lang) -> Result<Option<Format>, Failure> {
    settings.format.as_deref().map(|name| format_of(name, lang)).transpose()
}

/// A format by its name.
pub(crate) fn format_of(name: &str, lang: Lang) -> Result<Format, Failure> {
    Format::parse(name).ok_or_else(|| {
        Failure::usage(say!(
            lang,
            "--format 只能是 jsonl、csv、parquet，而不是 `{name}`",
            "--format is one of jsonl, csv, parquet, not `{name}`"
        ))
    })
}

fn options(settings: &Settings, rules: &RuleSet, state: Option<&State>, lang: Lang) -> Result<Options, Failure> {
    let resume = state.map(|state| {
        let ReaderState { records, clock } = state.header.reader;
        Resume { clock: clock.map(EventTime), last_record: records }
    });
    Ok(Options {
        format: format(settings, lang)?,
        batch_records: settings.batch,
        now: settings.now,
        sort: settings.sort.then(Sort::default),
        resume,
        tags: rules.tags.keywords(),
    })
}

/// Detectors as a state left them. Where the rules have changed since, instants after its clock use the new ones.
fn restore(settings: &Settings, state: &State, rules: &Arc<RuleSet>, lang: Lang) -> Result<(Vec<Engine>, Vec<RuleSource>), Failure> {
    let mut sets = BTreeMap::new();
    let mut sources = Vec::new();
    let mut in_force = None;
    for source in &state.header.rules {
        let old =
            Pack {
                label: say!(lang, "状态文件中的规则", "the rules of the state"), files: source.files.clone(), unreadable: Vec::new()
            };
        let set = Arc::new(pack::load(&old, &source.settings, settings.json, lang)?.rules);
        in_force = Some(set.hash.clone());
        if set.hash != rules.hash {
            sources.push(source.clone());
        }
        sets.insert(set.hash.clone(), set);
    }
    let snapshots: Vec<&[u8]> = state.snapshots.iter().map(Vec::as_slice).collect();
    let reader = state.header.reader;
    let mut engines = Vec::with_capacity(settings.shards);
    for shard in 0..settings.shards {
        let owns = |party: &str| shard_of(party, settings.shards) == shard;
        let restored = Engine::restore(settings.engine(), &snapshots, &|hash| sets.get(hash).cloned(), &owns);
        let mut engine =
            restored.map_err(|error| Failure::bad_input(say!(lang, "无法从状态继续：{error}", "cannot go on from the state: {error}")))?;
        if in_force.as_ref() != Some(&rules.hash) {
            let clock = reader.clock.map_or(EventTime::MIN, EventTime);
            let switch = EngineInput::Switch { record: reader.records + 1, clock, rules: Arc::clone(rules) };
            engine.step(&[switch], &mut weir_engine::Effects::default());
        }
        engines.push(engine);
    }
    Ok((engines, sources))
}

/// The names of a state, each in the shard of its party.
fn directories(state: Option<&mut State>, shards: usize) -> Vec<Directory> {
    let mut directories: Vec<Directory> = (0..shards).map(|_| Directory::default()).collect();
    let saved: Vec<SavedParty> = state.map(|state| std::mem::take(&mut state.directory)).unwrap_or_default();
    for row in saved {
        let shard = shard_of(row.party(), shards);
        directories[shard].restore(row);
    }
    directories
}
