//! `vectordoc import`: documents from files into a database, which is created when missing.

mod command;
mod source;

pub(crate) use command::Import;
