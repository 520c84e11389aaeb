//! The settings file of the service, `weir.toml`: read, checked as a whole, and turned into what the service is told.
//!
//! The file as written is `file`, with every key and its default; `secret` reads what is named there and never printed. Nothing is accepted that has
//! no meaning. `docs/weir.toml` is this file with all keys and their reasons; a test below keeps the two alike.

mod file;
mod secret;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use weir_feed::Mapping;
use weir_kafka::{
    ArchiveSettings, Bucket, Connection, Decided, DetectSettings, Location, PropertyRefused, Settings, Shape, SplitSettings, Time, Topics,
    decided,
};
use weir_model::Span;
use weir_office::{Release, Routing};

use self::file::{DetectTable, File, KafkaTable, OfficeTable, ReleaseName, Role, SplitTable, TimeName, TopicsTable};
use self::secret::{NO_SECRET, with_secrets};
use crate::failure::Failure;
use crate::language::{Lang, did_you_mean, say};

/// Properties of librdkafka that settings name most: what a misspelt one probably meant.
const USUAL_PROPERTIES: [&str; 10] = [
    "sasl.mechanism",
    "sasl.password",
    "sasl.username",
    "security.protocol",
    "ssl.ca.location",
    "ssl.ca.pem",
    "ssl.certificate.location",
    "ssl.key.location",
    "ssl.key.password",
    "ssl.keystore.location",
];

/// What `weir run` and its neighbours are told.
pub(crate) struct Configured {
    /// For the service.
    pub(crate) settings: Settings,
    /// How transactions are read, whatever roles this process has.
    pub(crate) mapping: Mapping,
    /// What decides and addresses alerts, whatever roles this process has.
    pub(crate) detect: DetectSettings,
    /// Where the archive is, whether or not this process writes it.
    pub(crate) archive: Location,
    /// How buckets are reached.
    pub(crate) object_store: BTreeMap<String, String>,
    /// For `weir topics create`.
    pub(crate) shape: Shape,
    /// Where health and metrics are served; empty for nowhere.
    pub(crate) listen: String,
}

impl Configured {
    /// Reads and checks a settings file.
    pub(crate) fn load(path: &Path, lang: Lang) -> Result<Self, Failure> {
        let name = path.display();
        let text = fs::read_to_string(path)
            .map_err(|error| Failure::usage(say!(lang, "无法读取设置文件 {name}：{error}", "cannot read the settings {name}: {error}")))?;
        let file: File = toml::from_str(&text).map_err(|error| Failure::usage(misread(&name.to_string(), &text, &error, lang)))?;
        let folder = path.parent().unwrap_or(Path::new(""));
        file.check(folder, lang).map_err(|problem| Failure::usage(format!("{name}: {problem}")))
    }
}

/// The place of a mistake, the mistake, and what was probably meant.
fn misread(name: &str, text: &str, error: &toml::de::Error, lang: Lang) -> String {
    let at = error.span().map_or(0, |span| span.start);
    let before = &text[..at.min(text.len())];
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown field")
        && let Some((wrong, known)) = quoted.split_first()
    {
        let near = did_you_mean(wrong, known.iter().copied(), lang);
        return say!(
            lang,
            "{name}:{line}:{column}：没有设置项 `{wrong}`{near}",
            "{name}:{line}:{column}: there is no setting `{wrong}`{near}"
        );
    }
    if message == NO_SECRET {
        return say!(
            lang,
            "{name}:{line}:{column}：密钥不写在这里，只用 {{file = \"…\"}} 或 {{env = \"…\"}} 指明在哪里",
            "{name}:{line}:{column}: {NO_SECRET}"
        );
    }
    format!("{name}:{line}:{column}: {message}")
}

impl File {
    fn check(self, folder: &Path, lang: Lang) -> Result<Configured, String> {
        if self.kafka.brokers.is_empty() {
            return Err(say!(lang, "缺少 kafka.brokers（host:port,…）", "kafka.brokers is missing (host:port,…)"));
        }
        if self.roles.is_empty() {
            return Err(say!(lang, "roles 为空", "roles is empty: nothing would run"));
        }
        let connection = self.kafka.connection(folder, lang)?;
        let object_store = with_secrets("object_store", &self.object_store.properties, &self.object_store.secrets, folder, lang)?;
        let has = |role| self.roles.contains(&role);
        let mapping = self.split.mapping(folder)?;
        let split = SplitSettings { mapping: mapping.clone(), time: self.split.time() };
        let detect = DetectSettings {
            engine: self.detect.engine(),
            office: self.office.settings(),
            routing: Arc::new(self.office.routing(folder)?),
            snapshot_interval: self.snapshots.interval.0,
            snapshots: location(&self.snapshots.folder, folder, &object_store),
        };
        let archive = location(&self.archive.folder, folder, &object_store);
        let workers = self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, std::num::NonZero::get));
        let settings = Settings {
            topics: self.topics.names(lang)?,
            app: self.app.clone(),
            instance: if self.instance.is_empty() { host_name() } else { self.instance.clone() },
            commit_interval: self.kafka.commit_interval.0,
            session_timeout: self.kafka.session_timeout.0,
            transaction_timeout: self.kafka.transaction_timeout.0,
            workers: workers.max(1),
            split: has(Role::Split).then_some(split),
            detect: has(Role::Detect).then(|| detect.clone()),
            archive: has(Role::Archive).then(|| ArchiveSettings { folder: archive.clone(), interval: self.archive.interval.0 }),
            connection,
        };
        let shape = self.topics.shape();
        Ok(Configured { settings, mapping, detect, archive, object_store, shape, listen: self.http.listen })
    }
}

impl SplitTable {
    fn mapping(&self, folder: &Path) -> Result<Mapping, String> {
        let Some(feed) = &self.feed else { return Ok(Mapping::default()) };
        Mapping::load(&folder.join(feed)).map_err(|error| error.to_string())
    }

    fn time(&self) -> Time {
        match self.time {
            TimeName::Wall => Time::Wall,
            TimeName::Event => Time::Event,
        }
    }
}

impl DetectTable {
    fn engine(&self) -> weir_engine::Settings {
        weir_engine::Settings {
            lateness: Span(i64::try_from(self.lateness.0.as_micros()).unwrap_or(i64::MAX)),
            reevaluate_max: self.reevaluate_max,
            party_legs_max: self.party_legs_max,
            report_transactions_max: self.report_transactions_max,
        }
    }
}

impl OfficeTable {
    fn settings(&self) -> weir_office::Settings {
        weir_office::Settings {
            min_level: self.min_level,
            bank_contact: self.bank_contact.clone(),
            release: match self.release {
                ReleaseName::Auto => Release::Auto,
                ReleaseName::Reviewed => Release::Reviewed,
            },
        }
    }

    fn routing(&self, folder: &Path) -> Result<Routing, String> {
        let Some(path) = &self.routing else { return Ok(Routing::default()) };
        let path = folder.join(path);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Routing::parse(&text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

impl KafkaTable {
    fn connection(&self, folder: &Path, lang: Lang) -> Result<Connection, String> {
        for name in self.properties.keys().chain(self.secrets.keys()) {
            if let Some(why) = decided(name) {
                return Err(not_theirs(name, why, lang));
            }
        }
        let properties = with_secrets("kafka", &self.properties, &self.secrets, folder, lang)?;
        let connection = Connection { brokers: self.brokers.clone(), properties };
        connection.check().map_err(|PropertyRefused { name, is_unknown }| {
            let table = if self.secrets.contains_key(&name) { "kafka.secrets" } else { "kafka.properties" };
            if is_unknown {
                let near = did_you_mean(&name, USUAL_PROPERTIES.into_iter(), lang);
                say!(lang, "{table}：librdkafka 没有属性 `{name}`{near}", "{table}: librdkafka has no property `{name}`{near}")
            } else {
                say!(lang, "{table}：librdkafka 不接受 `{name}` 的值", "{table}: librdkafka does not take the value of `{name}`")
            }
        })?;
        Ok(connection)
    }
}

/// A property that weir decides, and where what was meant is said instead.
fn not_theirs(name: &str, why: Decided, lang: Lang) -> String {
    match why {
        Decided::Answers => say!(
            lang,
            "kafka.properties 不能设置 `{name}`：它由 weir 决定，否则结果或安全无法保证",
            "kafka.properties must not set `{name}`: weir decides it, because answers or safety depend on it"
        ),
        Decided::By(key) => say!(
            lang,
            "kafka.properties 不能设置 `{name}`：写在这里不起作用，请改用 `{key}`",
            "kafka.properties must not set `{name}`: it would have no effect here; set `{key}` instead"
        ),
        Decided::Size => say!(
            lang,
            "kafka.properties 不能设置 `{name}`：它由 weir 决定；设小了，较大的预警和报告就写不出去",
            "kafka.properties must not set `{name}`: weir decides it; with a smaller one larger alerts and reports could not be written"
        ),
        Decided::Pace => say!(
            lang,
            "kafka.properties 不能设置 `{name}`：它由 weir 按延迟、负载和内存的实测决定，写在这里不起作用",
            "kafka.properties must not set `{name}`: weir decides it, by what latency, load and memory were measured with; here it would have no \
             effect"
        ),
    }
}

/// Where a store is: a bucket by its URL, else a folder, relative to `base`.
pub(crate) fn location(text: &str, base: &Path, object_store: &BTreeMap<String, String>) -> Location {
    if text.starts_with(Bucket::SCHEME) {
        Location::Bucket(Bucket { url: text.to_owned(), properties: object_store.clone() })
    } else {
        Location::Folder(base.join(text))
    }
}

impl TopicsTable {
    fn shape(&self) -> Shape {
        Shape {
            transaction_partitions: self.transaction_partitions,
            leg_partitions: self.leg_partitions,
            output_partitions: self.output_partitions,
            replication: self.replication,
            leg_retention: self.leg_retention.0,
        }
    }

    fn names(&self, lang: Lang) -> Result<Topics, String> {
        let mut topics = Topics::with_prefix(&self.prefix);
        for (key, name) in &self.names {
            let field = match key.as_str() {
                "transactions" => &mut topics.transactions,
                "parties" => &mut topics.parties,
                "rules" => &mut topics.rules,
                "legs" => &mut topics.legs,
                "alerts" => &mut topics.alerts,
                "office" => &mut topics.office,
                "large_amount" => &mut topics.large_amount,
                "dead_letter" => &mut topics.dead_letter,
                "late" => &mut topics.late,
                _ => return Err(say!(lang, "topics.names 没有 `{key}`", "topics.names knows no `{key}`")),
            };
            *field = Arc::from(name.as_str());
        }
        // Two kinds of record on one topic: at worst the office would read what is the bank's alone.
        if let Some(name) = topics.named_twice() {
            return Err(say!(lang, "topics.names：两个主题同名 `{name}`", "topics.names: two topics are called `{name}`"));
        }
        Ok(topics)
    }
}

/// What tells this machine from the others of a group, and stays the same over restarts.
fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "weir".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENTED: &str = include_str!("../../../../../docs/weir.toml");

    /// The documented file says the defaults, all of them, and nothing else.
    #[test]
    fn the_documented_settings_are_the_defaults() {
        let documented: File = toml::from_str(DOCUMENTED).expect("the documented settings can be read");
        let kafka = KafkaTable { brokers: "127.0.0.1:9092".to_owned(), ..KafkaTable::default() };
        let defaults = format!("{:?}", File { kafka, ..File::default() });
        assert_eq!(format!("{documented:?}"), defaults);
        for (before, _) in defaults.match_indices(": ") {
            let key = defaults[..before].rsplit([' ', '{']).next().unwrap_or_default();
            let is_there = DOCUMENTED.contains(&format!("{key} = ")) || DOCUMENTED.contains(&format!("{key}]"));
            assert!(is_there, "`{key}` is not documented");
        }
    }

    fn check(text: &str, expected: &str) {
        let text = format!("{text}\n");
        let problem = match toml::from_str::<File>(&text) {
            Err(error) => misread("weir.toml", &text, &error, Lang::En),
            Ok(file) => match file.check(Path::new(""), Lang::En) {
                Err(problem) => problem,
                Ok(_) => "nothing wrong".to_owned(),
            },
        };
        assert!(problem.contains(expected), "{problem}");
        assert!(!problem.contains("geheim"), "a secret in a message: {problem}");
    }

    /// A property that would be overridden in silence is refused, with the key that says what was meant, or with the reason why there is none.
    #[test]
    fn what_weir_decides_is_refused_by_name() {
        for (name, expected) in [
            ("session.timeout.ms", "no effect here; set `kafka.session_timeout` instead"),
            ("heartbeat.interval.ms", "set `kafka.session_timeout`"),
            ("max.poll.interval.ms", "set `kafka.session_timeout`"),
            ("transaction.timeout.ms", "set `kafka.transaction_timeout`"),
            ("linger.ms", "set `kafka.commit_interval`"),
            ("queue.buffering.max.ms", "set `kafka.commit_interval`"),
            ("bootstrap.servers", "set `kafka.brokers`"),
            ("metadata.broker.list", "set `kafka.brokers`"),
            ("group.id", "set `app`"),
            ("group.instance.id", "set `instance`"),
            ("transactional.id", "set `app`"),
            ("log_level", "set `WEIR_LOG`"),
            ("compression.type", "latency, load and memory"),
            ("fetch.min.bytes", "latency, load and memory"),
            ("queued.max.messages.kbytes", "latency, load and memory"),
            ("message.max.bytes", "larger alerts and reports could not be written"),
            ("partitioner", "answers or safety depend on it"),
            ("acks", "answers or safety depend on it"),
        ] {
            let text = format!("[kafka]\nbrokers = \"b\"\nproperties = {{\"{name}\" = \"1\"}}");
            check(&text, &format!("must not set `{name}`"));
            check(&text, expected);
        }
        check("[kafka]\nbrokers = \"b\"\nproperties = {\"reconnect.backoff.max.ms\" = 5000, \"client.id\" = \"core\"}", "nothing wrong");
    }

    #[test]
    fn mistakes_have_a_place_a_cause_and_a_remedy() {
        check("[kafka]\nbrokes = \"b\"", "weir.toml:2:1: there is no setting `brokes`; did you mean `brokers`?");
        check("app = \"weir\"", "kafka.brokers is missing");
        check("[kafka]\nbrokers = \"b\"\ncommit_interval = \"soon\"", "weir.toml:3:19: `soon` is not a length of time");
        check("roles = []\n[kafka]\nbrokers = \"b\"", "roles is empty");
        check("[kafka]\nbrokers = \"b\"\nproperties = {\"isolation.level\" = \"x\"}", "must not set `isolation.level`");
        check("[kafka]\nbrokers = \"b\"\nproperties = {\"sasl.password\" = \"geheim\"}", "`sasl.password` is a secret");
        check("[kafka]\nbrokers = \"b\"\nsecrets = {\"sasl.password\" = {env = \"WEIR_NOT_SET\"}}", "the variable WEIR_NOT_SET is not set");
        check("[kafka]\nbrokers = \"b\"\n[topics.names]\nleg = \"x\"", "topics.names knows no `leg`");
        check("[kafka]\nbrokers = \"b\"\n[topics.names]\nalerts = \"weir.office\"", "two topics are called `weir.office`");
        for secret in ["\"geheim\"", "{file = \"x\", geheim = \"y\"}", "{value = \"geheim\"}", "[\"geheim\"]"] {
            let text = format!("[kafka]\nbrokers = \"b\"\nsecrets = {{\"sasl.password\" = {secret}}}");
            check(&text, ": a secret is named by {file");
        }
        check("[kafka]\nbrokers = \"b\"\nsecrets = \"geheim\"", "weir.toml:3:11: a secret is named by {file");
        check("[kafka]\nbrokers = \"b\"\nproperties = [\"geheim\"]", "weir.toml:3:14: properties are texts");
        check("[kafka]\nbrokers = \"b\"\nproperties = {\"ssl.key.password\" = 123}", "`ssl.key.password` is a secret");
        let file = tempfile::NamedTempFile::new().expect("a file");
        fs::write(file.path(), "geheim\n").expect("writes");
        let path = file.path().display();
        for (name, expected) in [
            ("sasl.pasword", "kafka.secrets: librdkafka has no property `sasl.pasword`; did you mean `sasl.password`?"),
            ("security.protocol", "kafka.secrets: librdkafka does not take the value of `security.protocol`"),
        ] {
            check(&format!("[kafka]\nbrokers = \"b\"\nsecrets = {{\"{name}\" = {{file = \"{path}\"}}}}"), expected);
        }
        let secret = "[object_store.properties]\nsecret_access_key = \"geheim\"";
        check(
            &format!("[kafka]\nbrokers = \"b\"\n{secret}"),
            "`secret_access_key` is a secret and must not stand in the settings; name a file or a variable under [object_store.secrets]",
        );
        check("[kafka]\nbrokers = \"b\"", "nothing wrong");
    }
}
