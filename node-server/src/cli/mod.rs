//! The command line: one file or folder per command, and the nouns that commands share.
//!
//! Results go to standard output, progress and errors to standard error; `--json` is for machines.

mod command;

mod backup;
mod bench;
mod cluster;
mod config;
mod delete;
mod demo;
mod deploy;
mod export;
mod health;
mod import;
mod key;
mod list;
mod login;
mod logs;
mod pause;
mod reshard;
mod restore;
mod scale;
mod search;
mod serve;

mod archives;
mod dataset;
mod hits;
mod journaling;
mod jsonl;
mod parquet;
mod place;
mod rows;
mod schema_guess;
mod table;
mod vectors;

mod file;
mod log;
mod logins;
mod number;
mod output;
mod progress;
mod runtime;
mod server;
mod span;
mod temporary;
mod traces;

pub use command::run;
