//! The configuration of a server: flags before environment before file before defaults.
//!
//! [`SETTINGS`](table::SETTINGS) is the one table: from it come the keys of the file, the names of
//! the variables, the flags with their help, and what `vectordoc config` prints.

mod command;
mod environment;
mod file;
mod flags;
mod kind;
mod report;
mod setting;
mod settings;
mod sources;
mod table;

pub(crate) use command::ConfigCommand;
pub(crate) use environment::LOG as LOG_VARIABLE;
pub(crate) use flags::Flags;
pub(crate) use kind::{Kind, Value};
pub(crate) use settings::{LogFormat, Settings};
pub(crate) use sources::Effective;
