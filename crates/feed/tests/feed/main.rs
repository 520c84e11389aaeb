//! The crate from outside: a feed file and bytes in, legs and rejects out, as text.
//!
//! `check` in [`show`] is the one place that knows the API; every test is a table of texts.

mod show;

mod decoding;
