//! What the type of a field says, as far as its tokens show it.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, Type, TypePath};

/// The length the type of a vector fixes.
pub(crate) enum FixedLen {
    /// `[f32; 384]`
    Number(usize),
    /// None: it is a `Vec`.
    None,
    /// Only the compiler can tell: `[f32; DIM]`, an alias.
    Unknown,
}

impl FixedLen {
    /// The length `ty`, or the type in an `Option` of it, fixes.
    pub(crate) fn of(ty: &Type) -> Self {
        match ty {
            Type::Group(group) => Self::of(&group.elem),
            Type::Paren(paren) => Self::of(&paren.elem),
            Type::Array(array) => number(&array.len).map_or(Self::Unknown, Self::Number),
            Type::Path(path) => Self::of_path(path),
            _ => Self::Unknown,
        }
    }

    fn of_path(path: &TypePath) -> Self {
        let Some(last) = path.path.segments.last() else { return Self::Unknown };
        match &last.arguments {
            PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
                match arguments.args.first() {
                    Some(GenericArgument::Type(ty)) => Self::of(ty),
                    _ => Self::Unknown,
                }
            }
            PathArguments::AngleBracketed(_) if last.ident == "Vec" => Self::None,
            _ => Self::Unknown,
        }
    }
}

fn number(expression: &Expr) -> Option<usize> {
    match expression {
        Expr::Group(group) => number(&group.expr),
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        _ => None,
    }
}

/// Whether `ty` is an `Option`.
pub(crate) fn is_option(ty: &Type) -> bool {
    match ty {
        Type::Group(group) => is_option(&group.elem),
        Type::Paren(paren) => is_option(&paren.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Option"),
        _ => false,
    }
}

/// Whether `ty` has the type called `name` in it, which is in scope by that name.
pub(crate) fn mentions(ty: &Type, name: &Ident) -> bool {
    has_word(ty.to_token_stream(), name)
}

fn has_word(tokens: TokenStream, name: &Ident) -> bool {
    let mut after_colon = false;
    tokens.into_iter().any(|token| {
        let in_path = core::mem::replace(
            &mut after_colon,
            matches!(&token, TokenTree::Punct(punct) if punct.as_char() == ':'),
        );
        match token {
            TokenTree::Ident(ident) => !in_path && (ident == *name || ident == "Self"),
            TokenTree::Group(group) => has_word(group.stream(), name),
            TokenTree::Punct(_) | TokenTree::Literal(_) => false,
        }
    })
}
