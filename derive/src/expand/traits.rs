//! The traits that the types of fields implement, and what a generic struct asks of its type
//! parameters so that they do.

use crate::model::{Field, Model};
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{WhereClause, WherePredicate, parse_quote, spanned::Spanned};

/// One of them.
#[derive(Clone, Copy)]
pub(crate) enum Trait {
    DocId,
    VectorValue,
    FieldValue,
    Filterable,
}

impl Trait {
    /// The one that makes the type of `field` fit for what the field is marked as.
    pub(crate) fn of(field: &Field) -> Self {
        match (&field.id, &field.vector) {
            (Some(_), _) => Self::DocId,
            (None, Some(_)) => Self::VectorValue,
            (None, None) => Self::FieldValue,
        }
    }

    fn path(self, model: &Model) -> TokenStream {
        let vectordoc = &model.vectordoc;
        match self {
            Self::DocId => quote!(#vectordoc::document::DocId),
            Self::VectorValue => quote!(#vectordoc::document::VectorValue),
            Self::FieldValue => quote!(#vectordoc::document::FieldValue),
            Self::Filterable => quote!(#vectordoc::filter::typed::Filterable),
        }
    }
}

/// `<Type as Trait>::member`, placed where the type stands: there the error points when the type
/// does not implement the trait. Its words are the same wherever generated code has it, so that
/// the compiler reports that error once.
pub(crate) fn member(model: &Model, field: &Field, of: Trait, member: &str) -> TokenStream {
    let (ty, of, member) = (&field.ty, of.path(model), Ident::new(member, Span::call_site()));
    let end = ty.to_token_stream().into_iter().last().map_or(ty.span(), |token| token.span());
    let open = place_at(ty.span(), quote!(<));
    let close = place_at(end, quote!(as #of>::#member));
    quote!(#open #ty #close)
}

/// `tokens` at `place`, where errors about them point; they mean what they meant.
pub(crate) fn place_at(place: Span, tokens: TokenStream) -> TokenStream {
    let placed = tokens.into_iter().map(|mut token| {
        token.set_span(token.span().located_at(place));
        token
    });
    placed.collect()
}

/// `Type: Trait`, where that depends on a type parameter. Elsewhere it is no condition: it holds,
/// or is an error of the field.
pub(crate) fn condition(model: &Model, field: &Field, bound: Trait) -> Option<WherePredicate> {
    let (ty, bound) = (&field.ty, bound.path(model));
    let parameters: Vec<&Ident> =
        model.generics.type_params().map(|parameter| &parameter.ident).collect();
    mentions(ty.to_token_stream(), &parameters).then(|| parse_quote!(#ty: #bound))
}

/// The conditions of the struct itself, and that its fields are fit for what they are marked as.
pub(crate) fn where_clause(model: &Model) -> WhereClause {
    let mut clause = own_where_clause(model);
    let fields = model.fields.iter();
    clause.predicates.extend(fields.filter_map(|field| condition(model, field, Trait::of(field))));
    clause
}

/// The conditions of the struct itself.
pub(crate) fn own_where_clause(model: &Model) -> WhereClause {
    model.generics.where_clause.clone().unwrap_or_else(|| parse_quote!(where))
}

/// `clause`, and that the type parameters are what a document is: `Send + Sync + 'static`.
pub(crate) fn owned(model: &Model, mut clause: WhereClause) -> WhereClause {
    clause.predicates.extend(model.generics.type_params().map(|parameter| -> WherePredicate {
        let parameter = &parameter.ident;
        parse_quote!(#parameter: ::core::marker::Send + ::core::marker::Sync + 'static)
    }));
    clause
}

fn mentions(tokens: TokenStream, parameters: &[&Ident]) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => parameters.contains(&&ident),
        TokenTree::Group(group) => mentions(group.stream(), parameters),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}
