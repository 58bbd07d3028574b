//! The code that is generated. All its paths are absolute, so that no name in the user's scope,
//! be it `Option`, `Vec` or `Result`, has a say in it.

mod traits;

mod bounds;

mod filters;
mod schema;

mod document;
mod enumeration;
mod part;
mod stand_in;

pub(crate) use document::document;
pub(crate) use enumeration::enumeration;
pub(crate) use part::part;
pub(crate) use stand_in::stand_in;
