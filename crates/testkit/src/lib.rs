//! Test equipment: the definition of an answer in its slow, obvious form, random logs to hold the engine against it, and a bank to measure on.
//!
//! Owns [`oracle`], which recomputes `docs/definition.md` from the whole history after every input; [`log`], logs as owned values and as
//! text; [`streams`], strategies for random logs; and [`synth`], a generated bank with labels. The oracle shares with the engine nothing but
//! the values of `weir-model` and the parsed rules of `weir-rules`: no window, no feature, no episode of it is the engine's. Of these only
//! [`synth`] ships (`weir synth`); the rest is behind the feature `oracle`.

#[cfg(feature = "oracle")]
pub mod difference;
#[cfg(feature = "oracle")]
pub mod log;
#[cfg(feature = "oracle")]
pub mod oracle;
#[cfg(feature = "oracle")]
pub mod rule_sets;
#[cfg(feature = "oracle")]
pub mod streams;
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "amounts, days and counts of an invented bank are far below 2^53, and draws are cut on purpose"
)]
pub mod synth;
