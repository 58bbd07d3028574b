//! `vectordoc bench`: how fast and how exact searches are on a data set folder, as ratios to what
//! the machine can do.

mod bandwidth;
mod build;
mod command;
mod files;
mod ingest;
mod interpolation;
mod median;
mod opening;
mod others;
mod place;
mod process;
mod report;
mod rounds;
mod searches;
mod stream;
mod tables;
mod truth;
mod way;

pub(crate) use command::Bench;
