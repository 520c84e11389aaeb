//! Ctrl-C, termination, a terminal that goes: flags that the run looks at, so that it ends by dropping its temporary files instead of leaving
//! them.
//!
//! A second signal kills at once, for a run that hangs where the flag is not looked at. A hang-up that whoever started the run has told the
//! system to ignore (`nohup`) stays ignored. A file that may grow no further is an error of a write, not the end of the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::flag;

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};

/// Whether a signal asked the run to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    by_ctrl_c: Arc<AtomicBool>,
    by_terminate: Arc<AtomicBool>,
    by_hang_up: Arc<AtomicBool>,
}

impl Interrupt {
    /// Installs the handlers.
    pub(crate) fn install(lang: Lang) -> Result<Self, Failure> {
        Self::listen().map_err(|error| {
            Failure::usage(say!(
                lang,
                "系统不让本程序接收中断信号，没有运行：{error}",
                "the system lets this program hear of no signals, nothing was run: {error}"
            ))
        })
    }

    fn listen() -> io::Result<Self> {
        let interrupt = Self::default();
        for (signal, seen, exit) in [
            (SIGINT, &interrupt.by_ctrl_c, Exit::Interrupted),
            (SIGTERM, &interrupt.by_terminate, Exit::Terminated),
            (SIGHUP, &interrupt.by_hang_up, Exit::HungUp),
        ] {
            if signal == SIGHUP && is_ignored(signal) {
                continue;
            }
            // In this order: the first signal finds the flag down and raises it, the second finds it up and ends the process.
            flag::register_conditional_shutdown(signal, exit as i32, Arc::clone(seen))?;
            flag::register(signal, Arc::clone(seen))?;
        }
        Ok(interrupt)
    }

    /// Fails once a signal has come.
    pub(crate) fn check(&self, lang: Lang) -> Result<(), Failure> {
        let exit = if self.by_ctrl_c.load(Ordering::Relaxed) {
            Exit::Interrupted
        } else if self.by_terminate.load(Ordering::Relaxed) {
            Exit::Terminated
        } else if self.by_hang_up.load(Ordering::Relaxed) {
            Exit::HungUp
        } else {
            return Ok(());
        };
        Err(Failure {
            exit, text: say!(lang, "已中断，没有留下不完整的输出文件", "interrupted; no partial output file is left")
        })
    }
}

/// Makes the write that reaches the largest size of a file return with its error, whatever the verb: without a handler the process would end
/// there and leave its temporary files.
pub(crate) fn outlive_file_bound() {
    // Where it cannot be installed, the system does what it always does.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// Whether the process was started with a signal ignored; where the system does not tell, it was not.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal - 1) & 1 == 1)
}
