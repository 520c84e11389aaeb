//! The service and what belongs to it: `weir run`, `weir topics`, `weir rules publish`, `weir feed`, `weir status`.
//!
//! All of them read the same settings file. Here is the wiring and the talk with people; the protocol is `weir-kafka`'s.

mod feeding;
mod http;
mod settings;
mod status;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use weir_kafka::{
    KafkaError, Metrics, PublishedRules, Service, ServiceError, Settings, SplitError, Stranded, check, complaint, create, publish, standing,
};

pub(crate) use self::feeding::feed;
use self::http::Health;
pub(crate) use self::settings::{Configured, location};
pub(crate) use self::status::status;
use crate::arguments::PackArgs;
use crate::failure::{Exit, Failure};
use crate::interrupt::Interrupt;
use crate::language::{Lang, say};
use crate::outputs::Output;
use crate::pack::{self, Pack};
use crate::rule::{ended, mention_ended, mention_warnings, today};
use crate::terminal;

/// How often lag is looked at.
const LAG_EVERY: Duration = Duration::from_secs(5);
/// How often a service that waits looks for signals.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// The same where what is waited for takes no longer than that, as a rule.
const LOOK_SOON: Duration = Duration::from_millis(5);

/// `weir run`.
pub(crate) fn run(path: &Path, lang: Lang) -> Result<Exit, Failure> {
    log_to_stderr();
    let configured = Configured::load(path, lang)?;
    let settings = &configured.settings;
    let interrupt = Interrupt::install(lang)?;
    // Brokers that are away are waited for longer than whoever ends a process waits.
    let checking = {
        let (settings, shape) = (settings.clone(), configured.shape);
        thread::spawn(move || check(&settings.connection, &settings.topics, &settings.app, &shape))
    };
    while !checking.is_finished() {
        if interrupt.check(lang).is_err() {
            return Ok(Exit::Ok);
        }
        thread::sleep(LOOK_SOON);
    }
    let checked = checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    let problems = checked.map_err(|error| unreachable(&error, lang))?;
    if !problems.is_empty() {
        let list: Vec<String> = problems.iter().map(|problem| format!("  {}: {}", problem.topic, problem.text)).collect();
        let list = list.join("\n");
        return Err(Failure::usage(say!(lang, "主题不符合要求：\n{list}", "the topics are not as they must be:\n{list}")));
    }
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
        terminal::tell(lang.of("没有建立主题，也没有提交位移。须先处理：", "no topic was made and nothing committed. To be mended first:"));
        created.unfit.iter().for_each(|problem| terminal::tell(&format!("  {}: {}", problem.topic, problem.text)));
        return Ok(Exit::Findings);
    }
    print(created.topics.iter().cloned(), lang)?;
    if created.topics.is_empty() {
        terminal::tell(lang.of("主题都已存在", "all topics are there already"));
    }
    created.stranded.iter().for_each(|of| terminal::tell(&stranded(of, lang)));
    created.cut.iter().for_each(|of| terminal::tell(&cut(of, lang)));
    Ok(if created.stranded.is_empty() && created.cut.is_empty() { Exit::Ok } else { Exit::Findings })
}

/// Lines on standard output: what was asked for.
fn print(lines: impl Iterator<Item = String>, lang: Lang) -> Result<(), Failure> {
    let mut output = Output::stdout(lang);
    for line in lines {
        output.bytes(format!("{line}\n").as_bytes())?;
    }
    output.flush()
}

fn stranded(of: &Stranded, lang: Lang) -> String {
    let (group, topic, partitions) = (&of.group, &of.topic, listed(&of.partitions));
    say!(
        lang,
        "消费组 {group} 在 {topic} 的分区 {partitions} 没有位移，而它的输出主题已有记录：位移丢失、换了 app，或新加了分区。位移丢失请恢复；\n  确要从头处理（写过的会再写一遍）则加 --begin-anew",
        "group {group} has no offset in partitions {partitions} of {topic}, though its outputs have records: the offsets were lost, the app is \
         another, or partitions were added. Put lost ones back;\n  or begin with --begin-anew, and what was written of those partitions is written once more"
    )
}

fn cut(of: &Stranded, lang: Lang) -> String {
    let (group, topic, partitions) = (&of.group, &of.topic, listed(&of.partitions));
    say!(
        lang,
        "消费组 {group} 在 {topic} 的分区 {partitions} 没有位移，而这些分区的开头已被删去（保留期）；检测不能从中间开始，所以没有提交位移。请恢复位移和快照；\n  否则换一个 app 和它自己的主题，把还在的交易再读一遍",
        "group {group} has no offset in partitions {partitions} of {topic}, whose beginning was deleted (retention); detection cannot begin in the \
         middle, so nothing was committed for them. Put offsets and snapshots back;\n  or begin a new app with topics of its own, and read the transactions that are left"
    )
}

fn listed(partitions: &[i32]) -> String {
    partitions.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `weir topics check`.
pub(crate) fn check_topics(path: &Path, lang: Lang) -> Result<Exit, Failure> {
    let Configured { settings, shape, .. } = Configured::load(path, lang)?;
    let problems = check(&settings.connection, &settings.topics, &settings.app, &shape).map_err(|error| kafka(&error, lang))?;
    print(problems.iter().map(|problem| format!("{}: {}", problem.topic, problem.text)), lang)?;
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
    print(std::iter::once(hash), lang)?;
    Ok(Exit::Ok)
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

/// The same where whoever supervises the process starts it again until it goes well: brokers may be down just now. A client that could not even be made (a
/// certificate that is not there, properties that do not go together) waits for nobody but who mends the settings.
fn unreachable(error: &KafkaError, lang: Lang) -> Failure {
    let failure = kafka(error, lang);
    if matches!(error, KafkaError::ClientCreation(_) | KafkaError::ClientConfig(..)) { failure } else { software(failure.text) }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_make_no_client_are_told_from_brokers_that_are_away() {
        let code = |error: &KafkaError| unreachable(error, Lang::En).exit;
        assert_eq!(code(&KafkaError::ClientCreation("ssl.ca.location failed".to_owned())), Exit::Usage);
        assert_eq!(code(&KafkaError::NoMessageReceived), Exit::Software);
    }
}
