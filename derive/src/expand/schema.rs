//! The schema of a document and of its parts.

use super::traits::{Trait, constant, member, place_at};
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

fn vector_field(model: &Model, field: &Field, vector: &Vector) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let name = &field.name;
    let optional = member(model, field, Trait::VectorValue, "OPTIONAL");
    let dim = dim(model, field, vector);
    let metric = match &vector.metric {
        Some(metric) => quote!(#vectordoc::Metric::#metric),
        None => quote!(::core::default::Default::default()),
    };
    let precision = match &vector.precision {
        Some(precision) => quote!(#vectordoc::schema::Precision::#precision),
        None => quote!(::core::default::Default::default()),
    };
    let index = index(model, vector);
    quote! {
        #vectordoc::schema::VectorField {
            name: ::core::convert::From::from(#name),
            dim: #dim,
            metric: #metric,
            precision: #precision,
            optional: #optional,
            index: #index,
        }
    }
}

/// The dimension. What of it hangs on types and constants that only the compiler can look up is
/// checked when that is compiled, or when a generic struct is given its parameters.
fn dim(model: &Model, field: &Field, vector: &Vector) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fixed = member(model, field, Trait::VectorValue, "DIM");
    let (said, place) = match &vector.dim {
        Some(Dim::Number(Number { value, place })) => (Some(quote!(#value)), place.span()),
        Some(Dim::Constant(path)) => (Some(quote!(#path)), path.span()),
        Some(Dim::Wrong) | None => (None, field.ty.span()),
    };
    let said = match said {
        // Of another type it is an error that speaks of the constant alone.
        Some(said) => quote!(::core::option::Option::Some({
            let __dim: usize = #said;
            __dim
        })),
        None => quote!(::core::option::Option::None),
    };
    let dim = place_at(place, quote!(#vectordoc::__private::dim(#fixed, #said)));
    constant(model, quote!(usize), &dim)
}

/// The parameters that are given; the others are the engine's to choose.
fn index(model: &Model, vector: &Vector) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let value = |number: &Option<Number>| number.as_ref().map(|number| number.value);
    let some = quote!(::core::option::Option::Some);
    let given = [
        vector.index.as_ref().map(|kind| quote!(kind: #vectordoc::schema::IndexKind::#kind)),
        value(&vector.m).map(|m| quote!(m: #m)),
        value(&vector.ef_construction).map(|ef| quote!(ef_construction: #ef)),
        value(&vector.ef).map(|ef| quote!(ef: #some(#ef))),
        vector
            .quantization
            .as_ref()
            .map(|name| quote!(quantization: #some(#vectordoc::schema::Quantization::#name))),
    ];
    let others =
        given.iter().any(Option::is_none).then(|| quote!(..::core::default::Default::default()));
    let given = given.iter().flatten();
    quote!(#vectordoc::schema::IndexSpec { #(#given,)* #others })
}

fn value_field(model: &Model, field: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let (name, filter) = (&field.name, field.filter.is_some());
    let ty = member(model, field, Trait::of(field), "field_type");
    let optional = optional(model, field);
    let text = text(model, field);
    quote! {
        #vectordoc::schema::ValueField {
            name: ::core::convert::From::from(#name),
            ty: #ty(),
            optional: #optional,
            filter: #filter,
            text: #text,
        }
    }
}

/// Whether a document may lack it: JSON that can be null, an `Option`, what has a default.
fn optional(model: &Model, field: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let optional = if field.json.is_some() {
        let optional = member(model, field, Trait::JsonValue, "optional");
        quote!(#optional())
    } else {
        member(model, field, Trait::FieldValue, "OPTIONAL")
    };
    let Some(default) = &field.default else { return optional };
    let defaulted = quote!(#vectordoc::__private::defaulted(#optional));
    let defaulted = place_at(default.place.span(), defaulted);
    match &field.json {
        Some(_) => defaulted,
        None => constant(model, quote!(bool), &defaulted),
    }
}

/// Whether its words are indexed.
fn text(model: &Model, field: &Field) -> TokenStream {
    let (vectordoc, ty) = (&model.vectordoc, &field.ty);
    match field.text {
        Some(_) => quote!(#vectordoc::__private::text::<#ty>()),
        None => quote!(false),
    }
}
