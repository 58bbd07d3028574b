//! `vectordoc demo`: a few thousand real documents, loaded, asked and served.

mod command;
mod page;
mod sample;
mod tour;

pub(crate) use command::Demo;
