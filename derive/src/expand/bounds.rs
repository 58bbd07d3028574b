//! What a generic struct asks of its type parameters.

use super::traits::Trait;
use crate::model::{Field, Model};
use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{WhereClause, WherePredicate, parse_quote};

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
    for field in &model.fields {
        clause.predicates.extend(conditions(model, field));
    }
    clause
}

/// What the type of `field` has to be: what it is marked as, and one with a default if it needs
/// that.
fn conditions(model: &Model, field: &Field) -> impl Iterator<Item = WherePredicate> {
    let function = field.default.as_ref().map(|default| default.function.is_some());
    let stored = field.skip.is_none().then(|| Trait::of(field));
    let fallback = match (function, &field.skip) {
        (Some(false), _) | (None, Some(_)) => Some(Trait::Default),
        _ => None,
    };
    [stored, fallback].into_iter().flatten().filter_map(|bound| condition(model, field, bound))
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
