//! How a run ends: exit codes, and the one error type that carries a finished sentence and its code.
//!
//! An error is worded where everything a person needs is at hand (file, line, option) and printed once, by `main`. Nothing here or in a
//! caller puts contents of records into the text.

use std::process::ExitCode;

/// The codes of every verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done.
    Ok = 0,
    /// Done, and there is something to look at: failed tests, a stream that came too late.
    Findings = 1,
    /// Rules or data cannot be used.
    BadInput = 2,
    /// The command line, a setting or the place of an output is wrong.
    Usage = 3,
    /// The process could not be sure of itself any more and wants to be started again (`EX_SOFTWARE`).
    Software = 70,
    /// The terminal is gone: 128 + SIGHUP, as shells have it.
    HungUp = 129,
    /// Ctrl-C: 128 + SIGINT.
    Interrupted = 130,
    /// 128 + SIGTERM.
    Terminated = 143,
}

impl Exit {
    /// Its name in JSON.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Findings => "findings",
            Self::BadInput => "bad_input",
            Self::Usage => "usage",
            Self::Software => "software",
            Self::HungUp => "hung_up",
            Self::Interrupted => "interrupted",
            Self::Terminated => "terminated",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// A run that ends here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    /// Its code.
    pub(crate) exit: Exit,
    /// What `main` prints after "error:"; empty where nothing is to be said.
    pub(crate) text: String,
}

impl Failure {
    /// Rules or data cannot be used.
    pub(crate) fn bad_input(text: String) -> Self {
        Self { exit: Exit::BadInput, text }
    }

    /// The command line, a setting or an output is wrong.
    pub(crate) fn usage(text: String) -> Self {
        Self { exit: Exit::Usage, text }
    }

    /// Ends without a word: the diagnostics are out already, or the reader of the output has gone (`weir … | head`).
    pub(crate) fn silent(exit: Exit) -> Self {
        Self { exit, text: String::new() }
    }
}
