//! What is wrong with a struct: collected, so that all of it is reported at once.

use proc_macro2::TokenStream;
use quote::ToTokens;
use std::{cell::RefCell, fmt::Display};
use syn::Error;

/// The mistakes found so far.
#[derive(Default)]
pub(crate) struct Mistakes(RefCell<Vec<Error>>);

impl Mistakes {
    /// Adds one, to be shown at `place`. A message says what is wrong and the way out.
    pub(crate) fn add(&self, place: impl ToTokens, message: impl Display) {
        self.push(Error::new_spanned(place, message));
    }

    /// Adds what a parser found.
    pub(crate) fn push(&self, error: Error) {
        self.0.borrow_mut().push(error);
    }

    /// The value, or `None` and one more mistake.
    pub(crate) fn ok<T>(&self, result: syn::Result<T>) -> Option<T> {
        result.map_err(|error| self.push(error)).ok()
    }

    /// The errors to compile to, in the order of their discovery; `None` when nothing is wrong.
    pub(crate) fn into_compile_errors(self) -> Option<TokenStream> {
        let errors = self.0.into_inner();
        (!errors.is_empty()).then(|| errors.iter().map(Error::to_compile_error).collect())
    }
}
