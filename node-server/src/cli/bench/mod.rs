//! `vectordoc bench`: how fast and how exact searches are on a data set folder.

mod build;
mod command;
mod memory;
mod report;
mod stream;
mod truth;

pub(crate) use command::Bench;
