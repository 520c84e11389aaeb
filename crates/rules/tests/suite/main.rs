//! One binary for all integration tests of the crate, since each links DataFusion.

mod bad_files;
mod evaluation;
mod good_set;
mod support;
