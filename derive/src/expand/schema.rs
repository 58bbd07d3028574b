//! The schema of a document and of its parts.

use super::traits::{Trait, member, place_at};
use crate::{
    model::{Field, Model, Vector},
    parse::{Dim, Number},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

/// `fn schema()`.
pub(crate) fn schema(model: &Model, id: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let id = &id.name;
    let vectors = model.vectors().into_iter();
    let vectors = vectors.map(|(field, vector)| vector_field(model, field, vector));
    let values = values(model);
    quote! {
        fn schema() -> #vectordoc::Schema {
            #vectordoc::__private::schema::<Self>(
                #id,
                #vectordoc::__private::Vec::from([#(#vectors),*]),
                #values,
            )
        }
    }
}

/// The value fields, in a `Vec`.
pub(crate) fn values(model: &Model) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fields = model.values().into_iter().map(|field| value_field(model, field));
    quote!(#vectordoc::__private::Vec::from([#(#fields),*]))
}

/// That the dimensions are known and in bounds, where they hang on what only the compiler knows.
pub(crate) fn dim_checks(model: &Model) -> TokenStream {
    if !model.generics.params.is_empty() {
        return TokenStream::new();
    }
    let vectors = model.vectors().into_iter();
    let dims = vectors.map(|(field, vector)| dim(model, field, vector));
    quote!(#(const _: usize = #dims;)*)
}

fn vector_field(model: &Model, field: &Field, vector: &Vector) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let name = &field.name;
    let optional = member(model, field, Trait::VectorValue, "OPTIONAL");
    let dim = dim(model, field, vector);
    let metric = match &vector.metric {
        Some(metric) => quote!(#vectordoc::Metric::#metric),
        None => quote!(::core::default::Default::default()),
    };
    let index = index(model, vector);
    quote! {
        #vectordoc::schema::VectorField {
            name: ::core::convert::From::from(#name),
            dim: const { #dim },
            metric: #metric,
            optional: #optional,
            index: #index,
        }
    }
}

/// The dimension, by a call that refuses at compile time what is none.
fn dim(model: &Model, field: &Field, vector: &Vector) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fixed = member(model, field, Trait::VectorValue, "DIM");
    let said = match &vector.dim {
        Some(Dim::Number(Number { value, .. })) => quote!(::core::option::Option::Some(#value)),
        Some(Dim::Constant(path)) => quote!(::core::option::Option::Some(#path)),
        Some(Dim::Wrong) | None => quote!(::core::option::Option::None),
    };
    let place = match &vector.dim {
        Some(Dim::Number(Number { place, .. })) => place.span(),
        Some(Dim::Constant(path)) => path.span(),
        Some(Dim::Wrong) | None => field.ty.span(),
    };
    place_at(place, quote!(#vectordoc::__private::dim(#fixed, #said)))
}

fn index(model: &Model, vector: &Vector) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let kind = vector.index.iter().map(|kind| quote!(kind: #vectordoc::schema::IndexKind::#kind));
    let m = vector.m.iter().map(|Number { value, .. }| quote!(m: #value));
    let ef_construction =
        vector.ef_construction.iter().map(|Number { value, .. }| quote!(ef_construction: #value));
    let ef = vector
        .ef
        .iter()
        .map(|Number { value, .. }| quote!(ef: ::core::option::Option::Some(#value)));
    let given = kind.chain(m).chain(ef_construction).chain(ef);
    quote! {
        #vectordoc::schema::IndexSpec {
            #(#given,)*
            ..::core::default::Default::default()
        }
    }
}

fn value_field(model: &Model, field: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let (name, filter) = (&field.name, field.filter.is_some());
    let ty = member(model, field, Trait::FieldValue, "field_type");
    let optional = member(model, field, Trait::FieldValue, "OPTIONAL");
    quote! {
        #vectordoc::schema::ValueField {
            name: ::core::convert::From::from(#name),
            ty: #ty(),
            optional: #optional,
            filter: #filter,
        }
    }
}
