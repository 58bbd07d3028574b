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
            Type::Path(path) => match in_option(ty) {
                Some(ty) => Self::of(ty),
                None => Self::of_path(path),
            },
            _ => Self::Unknown,
        }
    }

    fn of_path(path: &TypePath) -> Self {
        match path.path.segments.last() {
            Some(last) if last.ident == "Vec" && !last.arguments.is_none() => Self::None,
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

/// The type in the `Option` that `ty` is.
pub(crate) fn in_option(ty: &Type) -> Option<&Type> {
    let path = match ty {
        Type::Group(group) => return in_option(&group.elem),
        Type::Paren(paren) => return in_option(&paren.elem),
        Type::Path(path) => path,
        _ => return None,
    };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
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
