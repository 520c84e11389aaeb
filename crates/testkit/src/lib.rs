//! Test equipment: the definition of an answer in its slow, obvious form, and random logs to hold the engine against it.
//!
//! Owns [`oracle`], which recomputes `docs/definition.md` from the whole history after every input; [`log`], logs as owned values and as
//! text; and [`streams`], strategies for random logs. The oracle shares with the engine nothing but the values of `weir-model` and the parsed
//! rules of `weir-rules`: no window, no feature, no episode of it is the engine's. Development only: nothing here ships.

pub mod difference;
pub mod log;
pub mod oracle;
pub mod rule_sets;
pub mod streams;
