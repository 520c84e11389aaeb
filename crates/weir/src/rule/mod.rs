//! `weir rule …`: checking, testing and showing rule files.

mod check;
mod exclusions;
mod features;
mod list;
mod testing;

pub(crate) use check::mention_warnings;
pub(crate) use exclusions::{ended, mention_ended, today};

use crate::arguments::RuleVerb;
use crate::failure::{Exit, Failure};
use crate::language::Lang;
use crate::outputs::Output;

/// Runs a verb.
pub(crate) fn run(verb: RuleVerb, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let mut output = Output::stdout(lang);
    let exit = match verb {
        RuleVerb::Check { dir, set } => check::run(&dir, &set, json, lang, &mut output)?,
        RuleVerb::Test(arguments) => testing::run(&arguments, json, lang, &mut output)?,
        RuleVerb::List { dir, set } => list::run(&dir, &set, json, lang, &mut output)?,
        RuleVerb::Features { name } => features::run(name.as_deref(), json, lang, &mut output)?,
        RuleVerb::ExplainCode { code } => check::explain_code(&code, json, lang, &mut output)?,
    };
    output.flush()?;
    Ok(exit)
}
