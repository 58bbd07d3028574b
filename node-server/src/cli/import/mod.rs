//! `vectordoc import`: documents from files into a database, which is created when missing.

mod bookmark;
mod command;
mod source;

pub(crate) use command::Import;
