//! Whether a worker is at work, for those who ask before they send it something or take another one away.
//!
//! A thread that lives says little: a group that the broker does not let it join, state that is folded again, party data that are not read yet all look alike
//! from outside. So a worker notes what it is at after each step, and this decides. Partitions that are stopped are told elsewhere
//! ([`Metrics::stopped`](crate::Metrics::stopped)).

use std::time::{Duration, Instant};

/// A worker that has finished no step for so long is not at work, whatever it was at: a broker that is away is waited for less.
const STEP_MAX: Duration = Duration::from_secs(30);

/// What keeps a partition that a worker owns from being read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wait {
    /// It is folded again up to the committed offset.
    Replay,
    /// It is not begun: no rule set was announced, or party data are not read to their end.
    Beginning,
    /// The store of the archive does not give or take its files.
    Archive,
}

/// What a worker is at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Work {
    /// When it last finished a step.
    pub(crate) stepped: Instant,
    /// It has been told which partitions are its own, be it none, and they have not been taken from it since.
    pub(crate) is_assigned: bool,
    pub(crate) wait: Option<Wait>,
}

impl Work {
    /// A worker that has just begun.
    pub(crate) fn begin() -> Self {
        Self { stepped: Instant::now(), is_assigned: false, wait: None }
    }

    /// Why it is not at work, if it is not.
    pub(crate) fn obstacle(&self) -> Option<&'static str> {
        obstacle(self.stepped.elapsed(), self.is_assigned, self.wait)
    }
}

fn obstacle(silence: Duration, is_assigned: bool, wait: Option<Wait>) -> Option<&'static str> {
    if !is_assigned {
        Some("has not been assigned partitions: its group is being joined, its topic is gone, or brokers are away")
    } else if silence > STEP_MAX {
        Some("has finished no step for a while; brokers may be away")
    } else {
        wait.map(|wait| match wait {
            Wait::Replay => "folds again what was committed before it began",
            Wait::Beginning => "has partitions that wait to begin: for a first rule set, or for party data to be read",
            Wait::Archive => "has partitions that wait for their store to give or to take files of the archive; the log says which",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_is_ready_once_it_reads_all_that_is_its_own() {
        let check = |silence: u64, is_assigned: bool, wait: Option<Wait>, word: Option<&str>| {
            let told = obstacle(Duration::from_secs(silence), is_assigned, wait);
            assert!(told.is_some() == word.is_some() && told.unwrap_or_default().contains(word.unwrap_or_default()), "{told:?}");
        };
        check(0, false, None, Some("not been assigned"));
        check(0, true, Some(Wait::Replay), Some("folds again"));
        check(0, true, Some(Wait::Beginning), Some("wait to begin"));
        check(0, true, Some(Wait::Archive), Some("wait for their store"));
        check(0, true, None, None);
        check(29, true, None, None);
        check(31, true, None, Some("no step"));
    }
}
