//! A schema guessed from rows of JSON: what each field was seen to hold decides its type, whether
//! it is optional and whether filters can ask about it.

mod field;
mod schema;

pub(crate) use schema::{SchemaGuess, VectorSource, Wishes};
