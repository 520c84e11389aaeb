//! The crate from outside: a feed file and bytes in, legs and rejects out, as text.
//!
//! `show` is the one place that knows the API; the tests are tables of texts, one module a concern.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod decoding;
mod files;
mod fixtures;
mod parties;
mod robust;
mod show;
