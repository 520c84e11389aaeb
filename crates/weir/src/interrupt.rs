//! Ctrl-C and termination: a flag that the run looks at, so that it ends by dropping its temporary files instead of leaving them.
//!
//! A second signal kills at once, for a run that hangs where the flag is not looked at.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};

/// Whether a signal asked the run to end.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt {
    by_ctrl_c: Arc<AtomicBool>,
    by_terminate: Arc<AtomicBool>,
}

impl Interrupt {
    /// Installs the handlers.
    pub(crate) fn install() -> io::Result<Self> {
        let interrupt = Self::default();
        for (signal, seen, exit) in
            [(SIGINT, &interrupt.by_ctrl_c, Exit::Interrupted), (SIGTERM, &interrupt.by_terminate, Exit::Terminated)]
        {
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
        } else {
            return Ok(());
        };
        Err(Failure {
            exit, text: say!(lang, "已中断，没有留下不完整的输出文件", "interrupted; no partial output file is left")
        })
    }
}
