//! `vectordoc export`: the documents of a database into a file.

mod command;
mod sink;

pub(crate) use command::Export;
