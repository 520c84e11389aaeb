//! `weir status`: where each partition stands, as a table to read or a line of JSON for each.
//!
//! Looks at what the roles have committed and at the store of snapshots, and changes nothing. A store that does not answer costs the ages of
//! snapshots and no more.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use weir_kafka::{Location, Progress, StopCode, Store, snapshot_written, standing};
use weir_model::EventTime;

use super::kafka;
use super::settings::Configured;
use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};
use crate::outputs::Output;
use crate::terminal;

/// Runs the verb.
pub(crate) fn status(path: &Path, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let Configured { settings, detect, .. } = Configured::load(path, lang)?;
    let mut ages = Ages::new(&detect.snapshots, (&settings.app, &settings.topics.legs));
    let mut output = Output::stdout(lang);
    let mut table = terminal::table();
    table.set_header(match lang {
        Lang::Zh => ["角色", "分区", "已提交", "末尾", "滞后", "业务时钟", "时钟落后", "快照", "其后记录", "快照距今", "停止原因"],
        Lang::En => ["role", "partition", "committed", "end", "lag", "clock", "delay", "snapshot", "since", "age", "stop"],
    });
    let mut has_stops = false;
    let archive = settings.archive.as_ref().map(|_| ("archive", &settings.topics.legs));
    for (role, topic) in [("split", &settings.topics.transactions), ("detect", &settings.topics.legs)].into_iter().chain(archive) {
        let all = standing(&settings.connection, topic, &settings.group(role)).map_err(|error| kafka(&error, lang))?;
        for (partition, progress) in all {
            let age = progress.snapshot.filter(|_| role == "detect").and_then(|offset| ages.of(partition, offset, json, lang));
            let row = Row { role, partition, progress, age };
            has_stops |= row.stop().is_some();
            if json {
                output.json(&row.json())?;
            } else {
                table.add_row(row.cells());
            }
        }
    }
    if !json {
        table.column_iter_mut().skip(1).for_each(|column| column.set_cell_alignment(comfy_table::CellAlignment::Right));
        output.bytes(format!("{table}\n").as_bytes())?;
    }
    output.flush()?;
    Ok(if has_stops { Exit::Findings } else { Exit::Ok })
}

/// A partition as one role has it.
struct Row {
    role: &'static str,
    partition: i32,
    progress: Progress,
    /// How old its newest snapshot is.
    age: Option<Duration>,
}

impl Row {
    /// Why it is stopped. Where the archive goes on its files say.
    fn stop(&self) -> Option<&'static str> {
        self.progress.stop.filter(|_| self.role != "archive").map(StopCode::code)
    }

    /// Records since the newest snapshot.
    fn since(&self) -> Option<i64> {
        self.progress.committed.zip(self.progress.snapshot).map(|(committed, snapshot)| committed - snapshot)
    }

    fn json(&self) -> serde_json::Value {
        let Self { role, partition, progress, age } = self;
        serde_json::json!({
            "role": role, "partition": partition, "committed": progress.committed, "end": progress.end, "lag": progress.lag(),
            "clock": progress.clock.map(|clock| clock.to_string()), "clock_delay_seconds": progress.clock.map(|clock| delay(clock).as_secs()),
            "snapshot": progress.snapshot, "records_since_snapshot": self.since(), "snapshot_age_seconds": age.map(|age| age.as_secs()),
            "stop": self.stop(),
        })
    }

    fn cells(&self) -> [String; 11] {
        let progress = &self.progress;
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let number = |number: Option<i64>| or_none(number.map(|number| number.to_string()));
        // Shanghai's, as everywhere, without the offset that says so.
        let short = |clock: EventTime| clock.to_string().chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect::<String>();
        [
            self.role.to_owned(),
            self.partition.to_string(),
            number(progress.committed),
            progress.end.to_string(),
            progress.lag().to_string(),
            or_none(progress.clock.map(short)),
            or_none(progress.clock.map(|clock| roughly(delay(clock)))),
            number(progress.snapshot),
            number(self.since()),
            or_none(self.age.map(roughly)),
            self.stop().unwrap_or("-").to_owned(),
        ]
    }
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
