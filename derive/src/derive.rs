//! From the struct or enum to the code, or to everything that is wrong with it.

use crate::{check::check, expand, mistakes::Mistakes, model::Model};
use proc_macro2::TokenStream;
use quote::quote;
use syn::DeriveInput;

/// The code for `input`. Where there are mistakes, it is the errors and a stand-in of what was
/// asked for, so that code which uses the struct adds no errors of its own.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mistakes = Mistakes::default();
    let model = Model::of(input, &mistakes);
    check(&model, &mistakes);
    let Some(errors) = mistakes.into_compile_errors() else {
        return match (&model.variants, model.id()) {
            (Some(variants), _) => expand::enumeration(&model, variants),
            (None, Some(id)) => expand::document(&model, id),
            (None, None) => expand::part(&model),
        };
    };
    let stand_in = expand::stand_in(&model);
    quote!(#errors #stand_in)
}
