//! What the type of a vector field says of its length, as far as its tokens show it.

use syn::{Expr, ExprLit, GenericArgument, Lit, PathArguments, Type, TypePath};

/// The length a type fixes.
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
