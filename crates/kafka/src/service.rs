//! A service: the workers of its roles, each on a thread of its own, and somebody who watches them.
//!
//! A worker that ends with an error ends the service: whoever supervises the process starts it again, and nothing is lost by it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::BaseConsumer;
use rdkafka::error::KafkaError;

use crate::archive::Archiver;
use crate::client::Talk;
use crate::detect::Detect;
use crate::metrics::Metrics;
use crate::outlet;
use crate::rules::RuleLibrary;
use crate::settings::Settings;
use crate::split::{Split, SplitError};
use crate::topics::partitions_of;
use crate::worker::{Role, Worker, WorkerError, WorkerSettings};

/// A worker that has finished no step for so long hangs: longer than brokers are waited for, and than any partition takes to be opened.
const HANG: Duration = Duration::from_secs(600);

/// Why a service does not run.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Kafka does not answer, or refuses.
    #[error("Kafka: {0}")]
    Kafka(#[from] KafkaError),
    /// Where snapshots or the archive shall lie makes no sense.
    #[error("the object store: {0}")]
    Store(io::Error),
    /// The split role cannot begin.
    #[error("{0}")]
    Split(#[from] SplitError),
    /// A worker ended.
    #[error("{worker}: {error}")]
    Worker {
        /// Which.
        worker: String,
        /// Why.
        error: Box<WorkerError>,
    },
    /// A worker hangs.
    #[error("{worker}: has not finished a step for {} s; librdkafka may hang", HANG.as_secs())]
    Hung {
        /// Which.
        worker: String,
    },
    /// A thread could not be started, or died.
    #[error("{worker}: the thread died")]
    Died {
        /// Which.
        worker: String,
    },
}

/// A running service.
pub struct Service {
    stop: Arc<AtomicBool>,
    workers: Vec<(String, JoinHandle<()>)>,
    ends: Receiver<End>,
    metrics: Metrics,
}

/// Which worker ended, and how.
type End = (String, Result<(), WorkerError>);

impl Service {
    /// Starts the workers.
    ///
    /// # Errors
    /// Where brokers do not answer, or the settings do not fit the topics.
    pub fn start(settings: &Settings, metrics: &Metrics) -> Result<Self, ServiceError> {
        let stop = Arc::new(AtomicBool::new(false));
        let (send, ends) = channel();
        let library = Arc::new(RuleLibrary::new(&settings.connection, &settings.topics.rules, Arc::clone(&stop))?);
        let reader: BaseConsumer<Talk> = settings.connection.reader().create_with_context(Talk)?;
        let leg_partitions = partitions_of(&reader, &settings.topics.legs)?;
        let mut service = Self { stop, workers: Vec::new(), ends, metrics: metrics.clone() };
        if let Some(archive) = &settings.archive {
            let store = archive.folder.open().map_err(ServiceError::Store)?;
            let name = "archive 0".to_owned();
            let failed = |error| ServiceError::Worker { worker: name.clone(), error: Box::new(WorkerError::Archive(error)) };
            let config = consumer(settings, "archive", 0);
            let topic = Arc::clone(&settings.topics.legs);
            let archiver = Archiver::new(&config, topic, store, archive.interval, metrics.worker("archive", 0), Arc::clone(&service.stop))
                .map_err(failed)?;
            service.spawn(name, send.clone(), move || Ok(archiver.run()?))?;
        }
        let snapshots = settings.detect.as_ref().map(|detect| detect.snapshots.open()).transpose().map_err(ServiceError::Store)?;
        for number in 0..settings.workers {
            if let Some(split) = &settings.split {
                let role = Split::new(settings, split, Arc::clone(&library), leg_partitions, metrics.clone())?;
                service.fold(settings, "split", number, &settings.topics.transactions, role, metrics, &send)?;
            }
            if let (Some(detect), Some(snapshots)) = (&settings.detect, &snapshots) {
                let role = Detect::new(
                    detect.clone(),
                    &settings.app,
                    &settings.topics,
                    Arc::clone(&library),
                    Arc::clone(snapshots),
                    metrics.clone(),
                );
                service.fold(settings, "detect", number, &settings.topics.legs, role, metrics, &send)?;
            }
        }
        Ok(service)
    }

    #[allow(clippy::too_many_arguments)]
    fn fold<R: Role>(
        &mut self,
        settings: &Settings,
        role_name: &'static str,
        number: usize,
        topic: &Arc<str>,
        role: R,
        metrics: &Metrics,
        ends: &Sender<End>,
    ) -> Result<(), ServiceError> {
        let name = format!("{role_name} {number}");
        let worker = WorkerSettings {
            topic: Arc::clone(topic),
            consumer: consumer(settings, role_name, number),
            producer: producer(settings, role_name, number),
            commit_interval: settings.commit_interval,
        };
        let failed = |error| ServiceError::Worker { worker: name.clone(), error: Box::new(error) };
        let worker = Worker::new(worker, role, metrics.worker(role_name, number), Arc::clone(&self.stop)).map_err(failed)?;
        self.spawn(name, ends.clone(), move || worker.run())
    }

    /// Gives a worker its thread.
    fn spawn(
        &mut self,
        name: String,
        ends: Sender<End>,
        work: impl FnOnce() -> Result<(), WorkerError> + Send + 'static,
    ) -> Result<(), ServiceError> {
        let told = name.clone();
        let thread = thread::Builder::new().name(name.clone()).spawn(move || {
            let result = work();
            // The service is gone only when it has been told already.
            let _ = ends.send((told, result));
        });
        let thread = thread.map_err(|_| ServiceError::Died { worker: name.clone() })?;
        self.workers.push((name, thread));
        Ok(())
    }

    /// Asks all workers to finish what they have and end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// Waits until some worker ends or `timeout` has passed; `None` in the latter case.
    ///
    /// # Errors
    /// The worker's.
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<String>, ServiceError> {
        // A worker tells before its thread ends: of one that has ended by now, what it told is there to be received.
        let finished = self.workers.iter().find(|(_, thread)| thread.is_finished()).map(|(name, _)| name.clone());
        match self.ends.recv_timeout(timeout) {
            Ok((worker, Ok(()))) => {
                self.workers.retain(|(name, _)| *name != worker);
                self.metrics.ended(&worker);
                Ok(Some(worker))
            }
            Ok((worker, Err(error))) => Err(ServiceError::Worker { worker, error: Box::new(error) }),
            Err(_) => match (finished, self.metrics.silent(HANG)) {
                (Some(worker), _) => Err(ServiceError::Died { worker }),
                (None, Some(worker)) => Err(ServiceError::Hung { worker }),
                (None, None) => Ok(None),
            },
        }
    }

    /// Workers still at work.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.workers.len()
    }
}

fn consumer(settings: &Settings, role: &str, number: usize) -> ClientConfig {
    let mut config = settings.connection.reader();
    let session = settings.session_timeout.as_millis();
    config.set("group.id", settings.group(role));
    // Static membership: a restart within the session time-out gets the same partitions back without a rebalance.
    config.set("group.instance.id", format!("{}-{role}-{number}", settings.instance));
    config.set("partition.assignment.strategy", "range");
    config.set("session.timeout.ms", session.to_string());
    config.set("heartbeat.interval.ms", (session / 10).max(100).to_string());
    config.set("max.poll.interval.ms", session.max(300_000).to_string());
    // A broker spends more on an answer than on what is in it: it may gather for half a step, or until a batch is full.
    config.set("fetch.wait.max.ms", "10");
    config.set("fetch.min.bytes", "65536");
    config.set("enable.partition.eof", "true");
    config
}

fn producer(settings: &Settings, role: &str, number: usize) -> ClientConfig {
    let mut config = settings.connection.config();
    config.set("transactional.id", format!("{}.{role}.{}.{number}", settings.app, settings.instance));
    config.set("transaction.timeout.ms", settings.transaction_timeout.as_millis().to_string());
    config.set("acks", "all");
    config.set("compression.type", "zstd");
    config.set("linger.ms", "0");
    // What a doubt is measured by (`outlet`).
    config.set("retry.backoff.ms", outlet::RETRY_BACKOFF.as_millis().to_string());
    // The hash that Kafka's own client uses, so that others find a key where they expect it.
    config.set("partitioner", "murmur2_random");
    config
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::{Connection, decided};
    use crate::settings::Topics;

    /// What a settings file may name, with the value that stands where it does not.
    const DEFAULTS: [&str; 2] = ["client.id", "reconnect.backoff.max.ms"];

    /// A property that a settings file may name is one that weir does not set over it in silence.
    #[test]
    fn whatever_weir_sets_is_refused_in_settings() {
        let settings = Settings {
            connection: Connection::default(),
            topics: Topics::with_prefix("weir"),
            app: "weir".to_owned(),
            instance: "one".to_owned(),
            commit_interval: Duration::from_millis(20),
            session_timeout: Duration::from_secs(45),
            transaction_timeout: Duration::from_secs(10),
            workers: 1,
            split: None,
            detect: None,
            archive: None,
        };
        for config in [consumer(&settings, "detect", 0), producer(&settings, "detect", 0)] {
            for name in config.config_map().into_keys().filter(|name| !DEFAULTS.contains(name)) {
                assert!(decided(name).is_some(), "`{name}` would be overridden in silence");
            }
        }
    }
}
