//! `weir detect`: a batch run over files.

mod directory;
mod place;
mod rows;
mod settings;
mod sinks;
mod state;

use crate::arguments::DetectArgs;
use crate::failure::{Exit, Failure};
use crate::language::Lang;

/// Runs the verb.
pub(crate) fn run(raw: DetectArgs, json: bool, lang: Lang) -> Result<Exit, Failure> {
    let settings = settings::Settings::check(raw, json, lang)?;
    let _ = settings;
    Ok(Exit::Ok)
}
