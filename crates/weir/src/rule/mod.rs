//! `weir rule …`: checking, testing and showing rule files.

mod features;

use crate::arguments::RuleVerb;
use crate::failure::{Exit, Failure};
use crate::language::Lang;
use crate::outputs::Output;

/// Runs a verb.
pub(crate) fn run(verb: RuleVerb, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let mut output = Output::stdout(lang);
    let exit = match verb {
        RuleVerb::Features { name } => features::run(name.as_deref(), json, lang, &mut output)?,
        _ => Exit::Ok,
    };
    output.flush()?;
    Ok(exit)
}
