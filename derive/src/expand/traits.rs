//! The traits that the types of fields implement, and paths to their members that put an error
//! where the type stands.

use crate::{
    model::{Field, Model},
    parse::Fallback,
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;

/// One of them.
#[derive(Clone, Copy)]
pub(crate) enum Trait {
    DocId,
    VectorValue,
    FieldValue,
    JsonValue,
    Default,
    Filterable,
}

impl Trait {
    /// The one that makes the type of `field` fit for what the field is marked as.
    pub(crate) fn of(field: &Field) -> Self {
        match field {
            Field { id: Some(_), .. } => Self::DocId,
            Field { vector: Some(_), .. } => Self::VectorValue,
            Field { skip: Some(_), .. } => Self::Default,
            Field { json: Some(_), .. } => Self::JsonValue,
            _ => Self::FieldValue,
        }
    }

    /// Its path.
    pub(crate) fn path(self, model: &Model) -> TokenStream {
        let vectordoc = &model.vectordoc;
        match self {
            Self::DocId => quote!(#vectordoc::document::DocId),
            Self::VectorValue => quote!(#vectordoc::document::VectorValue),
            Self::FieldValue => quote!(#vectordoc::document::FieldValue),
            Self::JsonValue => quote!(#vectordoc::document::JsonValue),
            Self::Default => quote!(::core::default::Default),
            Self::Filterable => quote!(#vectordoc::filter::typed::Filterable),
        }
    }
}

/// `<Type as Trait>::member`, placed where the type stands: there the error points when the type
/// does not implement the trait. Its words are the same wherever generated code has it, so that
/// the compiler reports that error once.
pub(crate) fn member(model: &Model, field: &Field, of: Trait, member: &str) -> TokenStream {
    let (ty, of, member) = (&field.ty, of.path(model), Ident::new(member, Span::call_site()));
    let open = place_at(ty.span(), quote!(<));
    let close = place_at(end_of(field), quote!(>::#member));
    quote!(#open #ty as #of #close)
}

/// A call of [`member`], placed there too.
pub(crate) fn call(
    model: &Model,
    field: &Field,
    of: Trait,
    function: &str,
    argument: &TokenStream,
) -> TokenStream {
    let function = member(model, field, of, function);
    let argument = place_at(end_of(field), quote!((#argument)));
    quote!(#function #argument)
}

/// The function that makes the value of a field that is not stored.
pub(crate) fn default(model: &Model, field: &Field) -> TokenStream {
    match &field.default {
        Some(Fallback { function: Some(function), .. }) => function.to_token_stream(),
        _ => member(model, field, Trait::Default, "default"),
    }
}

/// `expression`, which is constant: evaluated when it is compiled, or when a generic struct is
/// given its parameters.
pub(crate) fn constant(model: &Model, ty: TokenStream, expression: &TokenStream) -> TokenStream {
    if model.generics.params.is_empty() {
        quote!({
            const __CONSTANT: #ty = #expression;
            __CONSTANT
        })
    } else {
        quote!(const { #expression })
    }
}

/// Where the type of `field` ends.
fn end_of(field: &Field) -> Span {
    let tokens = field.ty.to_token_stream().into_iter();
    tokens.last().map_or_else(Span::call_site, |token| token.span())
}

/// `tokens` at `place`, where errors about them point; they mean what they meant.
pub(crate) fn place_at(place: Span, tokens: TokenStream) -> TokenStream {
    let placed = tokens.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    placed.collect()
}
