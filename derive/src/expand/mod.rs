//! The code that is generated. All its paths are absolute, so that no name in the user's scope,
//! be it `Option`, `Vec` or `Result`, has a say in it.

mod traits;

mod document;
mod filters;
mod part;
mod schema;
mod stand_in;

use crate::model::Model;
use proc_macro2::TokenStream;

pub(crate) use stand_in::stand_in;

/// The code for a struct without mistakes.
pub(crate) fn expand(model: &Model) -> TokenStream {
    match model.id() {
        Some(id) => document::document(model, id),
        None => part::part(model),
    }
}
