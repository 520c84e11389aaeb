//! The service and what belongs to it: `weir run`, `weir topics`, `weir rules publish`, `weir feed`, `weir status`.
//!
//! All of them read the same settings file. Here is the wiring and the talk with people; the protocol is `weir-kafka`'s.

mod feeding;
mod http;
mod settings;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use weir_kafka::{
    KafkaError, Location, Metrics, PublishedRules, Service, ServiceError, Settings, SplitError, StopCode, Store, Stranded, check,
    complaint, create, group, publish, snapshot_written, standing,
};
use weir_model::EventTime;

pub(crate) use self::feeding::feed;
use self::http::Health;
pub(crate) use self::settings::{Configured, location};
use crate::arguments::PackArgs;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::language::{Lang, say};
use crate::pack::{self, Pack};
use crate::rule::{ended, mention_ended, mention_warnings, today};
use crate::terminal;

/// How often lag is looked at.
const LAG_EVERY: Duration = Duration::from_secs(5);
/// How often a service that waits looks for signals.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// `weir run`.
pub(crate) fn run(path: &Path, lang: Lang) -> Result<Exit, Failure> {
    log_to_stderr();
    let configured = Configured::load(path, lang)?;
    let settings = &configured.settings;
    let checked = check(&settings.connection, &settings.topics, &settings.app, &configured.shape);
    let problems = checked.map_err(|error| unreachable(&error, lang))?;
    if !problems.is_empty() {
        let list: Vec<String> = problems.iter().map(|problem| format!("  {}: {}", problem.topic, problem.text)).collect();
        let list = list.join("\n");
        return Err(Failure::usage(say!(lang, "主题不符合要求：\n{list}", "the topics are not as they must be:\n{list}")));
    }
    let interrupt = Interrupt::install().map_err(|error| Failure::usage(error.to_string()))?;
    let metrics = Metrics::new();
    let health = Arc::new(Health::default());
    if !configured.listen.is_empty() {
        http::serve(&configured.listen, metrics.clone(), Arc::clone(&health), lang)?;
    }
    let mut service = Service::start(settings, &metrics).map_err(|error| service_failure(&error, lang))?;
    health.ready();
    watch_lag(settings, &metrics);
    let mut told_to_stop = None;
    while service.workers() > 0 {
        let ended = service.wait(LOOK_EVERY).map_err(|error| service_failure(&error, lang))?;
        if ended.is_none() && told_to_stop.is_none() && interrupt.check(lang).is_err() {
            tracing::info!("stopping: what is folded is committed first");
            health.stopping();
            service.stop();
            told_to_stop = Some(Instant::now());
        }
        if told_to_stop.is_some_and(|since: Instant| since.elapsed() > settings.session_timeout) {
            return Err(software(say!(lang, "未能在会话超时内停止", "could not stop within the session time-out")));
        }
    }
    Ok(Exit::Ok)
}

/// Keeps the lag of every partition of this process's roles up to date, until the process ends.
fn watch_lag(settings: &Settings, metrics: &Metrics) {
    let (settings, metrics) = (settings.clone(), metrics.clone());
    thread::spawn(move || {
        let split = settings.split.as_ref().map(|_| ("split", Arc::clone(&settings.topics.transactions)));
        let detect = settings.detect.as_ref().map(|_| ("detect", Arc::clone(&settings.topics.legs)));
        // The offsets of the archive's group follow its files.
        let archive = settings.archive.as_ref().map(|_| ("archive", Arc::clone(&settings.topics.legs)));
        let roles: Vec<_> = split.into_iter().chain(detect).chain(archive).collect();
        loop {
            for (role, topic) in &roles {
                match standing(&settings.connection, topic, &settings.group(role)) {
                    Ok(all) => all.iter().for_each(|(partition, progress)| metrics.lag(role, *partition, progress.lag())),
                    Err(error) => tracing::warn!(role, %error, "lag is not known"),
                }
            }
            thread::sleep(LAG_EVERY);
        }
    });
}

/// `weir topics create`.
pub(crate) fn create_topics(path: &Path, begins_anew: bool, lang: Lang) -> Result<Exit, Failure> {
    let Configured { settings, shape, .. } = Configured::load(path, lang)?;
    let created =
        create(&settings.connection, &settings.topics, &settings.app, &shape, begins_anew).map_err(|error| kafka(&error, lang))?;
    if !created.unfit.is_empty() {
        eprintln!(
            "{}",
            lang.of("没有建立主题，也没有提交位移。须先处理：", "no topic was made and nothing committed. To be mended first:")
        );
        created.unfit.iter().for_each(|problem| eprintln!("  {}: {}", problem.topic, problem.text));
        return Ok(Exit::Findings);
    }
    for name in &created.topics {
        println!("{name}");
    }
    if created.topics.is_empty() {
        eprintln!("{}", lang.of("主题都已存在", "all topics are there already"));
    }
    for Stranded { group, topic, partitions } in &created.stranded {
        let partitions = partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        eprintln!(
            "{}",
            say!(
                lang,
                "消费组 {group} 在 {topic} 的分区 {partitions} 没有位移，而它的输出主题已有记录：位移丢失、换了 app，或新加了分区。位移丢失请恢复；\n  确要从头处理（写过的会再写一遍）则加 --begin-anew",
                "group {group} has no offset in partitions {partitions} of {topic}, though its outputs have records: the offsets were lost, the app is \
                 another, or partitions were added. Put lost ones back;\n  or begin with --begin-anew, and what was written of those partitions is written once more"
            )
        );
    }
    for Stranded { group, topic, partitions } in &created.cut {
        let partitions = partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ");
        eprintln!(
            "{}",
            say!(
                lang,
                "消费组 {group} 在 {topic} 的分区 {partitions} 没有位移，而这些分区的开头已被删去（保留期）；检测不能从中间开始，所以没有提交位移。请恢复位移和快照；\n  否则换一个 app 和它自己的主题，把还在的交易再读一遍",
                "group {group} has no offset in partitions {partitions} of {topic}, whose beginning was deleted (retention); detection cannot begin in the \
                 middle, so nothing was committed for them. Put offsets and snapshots back;\n  or begin a new app with topics of its own, and read the transactions that are left"
            )
        );
    }
    Ok(if created.stranded.is_empty() && created.cut.is_empty() { Exit::Ok } else { Exit::Findings })
}

/// `weir topics check`.
pub(crate) fn check_topics(path: &Path, lang: Lang) -> Result<Exit, Failure> {
    let Configured { settings, shape, .. } = Configured::load(path, lang)?;
    let problems = check(&settings.connection, &settings.topics, &settings.app, &shape).map_err(|error| kafka(&error, lang))?;
    for problem in &problems {
        println!("{}: {}", problem.topic, problem.text);
    }
    Ok(if problems.is_empty() { Exit::Ok } else { Exit::Findings })
}

/// `weir rules publish`.
pub(crate) fn publish_rules(path: &Path, pack: &PackArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let Configured { settings, .. } = Configured::load(path, lang)?;
    let found = Pack::find(pack.rules.as_deref(), lang)?;
    let loaded = pack::load(&found, &pack.set, json, lang)?;
    mention_warnings(&loaded.warnings, json, lang);
    mention_ended(&ended(&loaded.rules, today()), json, lang);
    let hash = loaded.rules.hash.clone();
    let files = found.files.into_iter().map(|file| (file.path, file.text)).collect();
    let rules = PublishedRules { files, settings: pack.set.clone() };
    publish(&settings.connection, &settings.topics.rules, &hash, &rules).map_err(|error| kafka(&error, lang))?;
    println!("{hash}");
    Ok(Exit::Ok)
}

/// `weir status`: where each partition stands.
pub(crate) fn status(path: &Path, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let Configured { settings, detect, .. } = Configured::load(path, lang)?;
    let mut ages = Ages::new(&detect.snapshots, (&settings.app, &settings.topics.legs));
    let mut out = std::io::stdout().lock();
    let mut table = terminal::table();
    let heads = match lang {
        Lang::Zh => ["角色", "分区", "已提交", "末尾", "滞后", "业务时钟", "时钟落后", "快照", "其后记录", "快照距今", "停止原因"],
        Lang::En => ["role", "partition", "committed", "end", "lag", "clock", "delay", "snapshot", "since", "age", "stop"],
    };
    table.set_header(heads);
    let mut has_stops = false;
    let archive = settings.archive.as_ref().map(|_| ("archive", &settings.topics.legs));
    for (role, topic) in [("split", &settings.topics.transactions), ("detect", &settings.topics.legs)].into_iter().chain(archive) {
        let all = standing(&settings.connection, topic, &group(&settings.app, role)).map_err(|error| kafka(&error, lang))?;
        for (partition, progress) in all {
            let text = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
            let clock = progress.clock.map_or_else(|| "-".to_owned(), |clock| clock.to_string());
            // Where the archive goes on its files say.
            let stop = progress.stop.filter(|_| role != "archive").map(StopCode::code);
            has_stops |= stop.is_some();
            let age = progress.snapshot.filter(|_| role == "detect").and_then(|offset| ages.of(partition, offset, json, lang));
            let since = progress.committed.zip(progress.snapshot).map(|(committed, snapshot)| committed - snapshot);
            if json {
                let row = serde_json::json!({
                    "role": role, "partition": partition, "committed": progress.committed, "end": progress.end, "lag": progress.lag(),
                    "clock": progress.clock.map(|clock| clock.to_string()), "clock_delay_seconds": progress.clock.map(|clock| delay(clock).as_secs()),
                    "snapshot": progress.snapshot, "records_since_snapshot": since, "snapshot_age_seconds": age.map(|age| age.as_secs()), "stop": stop,
                });
                // A reader that has gone is no failure of ours.
                let _ = writeln!(out, "{row}");
            }
            // Shanghai's, as everywhere.
            let clock = clock.get(..19).map_or_else(|| clock.clone(), |clock| clock.replace('T', " "));
            let delay = progress.clock.map_or_else(|| "-".to_owned(), |clock| roughly(delay(clock)));
            let (committed, end, lag) = (text(progress.committed), text(Some(progress.end)), text(Some(progress.lag())));
            let age = age.map_or_else(|| "-".to_owned(), roughly);
            let stop = stop.unwrap_or("-").to_owned();
            let cells = [committed, end, lag, clock, delay, text(progress.snapshot), text(since), age, stop];
            table.add_row([role.to_owned(), partition.to_string()].into_iter().chain(cells));
        }
    }
    if !json {
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(comfy_table::CellAlignment::Right));
        let _ = writeln!(out, "{table}");
    }
    Ok(if has_stops { Exit::Findings } else { Exit::Ok })
}

/// How old snapshots are, as long as their store answers.
struct Ages<'a> {
    store: Option<Arc<dyn Store>>,
    /// The app and its leg log.
    of: (&'a str, &'a str),
}

impl<'a> Ages<'a> {
    fn new(location: &Location, of: (&'a str, &'a str)) -> Self {
        Self { store: location.open().ok(), of }
    }

    /// How old the snapshot of an offset is. A store that does not say is not asked again: each question may take its time.
    fn of(&mut self, partition: i32, offset: i64, json: bool, lang: Lang) -> Option<Duration> {
        let written = snapshot_written(&**self.store.as_ref()?, self.of, partition, offset);
        match written {
            Ok(written) => written.map(|at| SystemTime::now().duration_since(at).unwrap_or_default()),
            Err(error) => {
                self.store = None;
                let text = say!(
                    lang,
                    "快照存储未回答，快照距今多久未知：{error}",
                    "the store of snapshots does not say how old they are: {error}"
                );
                terminal::mention("note", "snapshot_age", &text, json);
                None
            }
        }
    }
}

/// How far event time is behind that of the wall.
fn delay(clock: EventTime) -> Duration {
    let clock = UNIX_EPOCH + Duration::from_micros(clock.0.max(0).unsigned_abs());
    SystemTime::now().duration_since(clock).unwrap_or_default()
}

/// `2d 3h`, `3h 5m`, `5m 10s`, `10s`.
fn roughly(time: Duration) -> String {
    let seconds = time.as_secs();
    let units = [("d", seconds / 86_400), ("h", seconds / 3600 % 24), ("m", seconds / 60 % 60), ("s", seconds % 60)];
    let first = units.iter().position(|(_, count)| *count > 0).unwrap_or(3);
    units[first..].iter().take(2).map(|(unit, count)| format!("{count}{unit}")).collect::<Vec<_>>().join(" ")
}

/// Lines to standard error; `WEIR_LOG` filters them as `RUST_LOG` would.
fn log_to_stderr() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("WEIR_LOG").unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    let format = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).log_internal_errors(false);
    // Set once a process; a second time changes nothing.
    let _ = format.try_init();
}

pub(crate) fn kafka(error: &KafkaError, lang: Lang) -> Failure {
    let cause = complaint().map(|line| say!(lang, "（{line}）", " ({line})")).unwrap_or_default();
    Failure::usage(say!(lang, "Kafka：{error}{cause}", "Kafka: {error}{cause}"))
}

/// The same where whoever supervises the process starts it again until it goes well: brokers may be down just now.
fn unreachable(error: &KafkaError, lang: Lang) -> Failure {
    software(kafka(error, lang).text)
}

fn service_failure(error: &ServiceError, lang: Lang) -> Failure {
    match error {
        ServiceError::Worker { .. } | ServiceError::Died { .. } | ServiceError::Hung { .. } => software(error.to_string()),
        ServiceError::Kafka(error) | ServiceError::Split(SplitError::Kafka(error)) => unreachable(error, lang),
        ServiceError::Split(_) | ServiceError::Store(_) => Failure::usage(error.to_string()),
    }
}

/// The process can no longer be sure of itself: whoever supervises it starts it again.
fn software(text: String) -> Failure {
    Failure { exit: Exit::Software, text }
}
