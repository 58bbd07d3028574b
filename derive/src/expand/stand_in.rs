//! What is generated for a struct or enum with mistakes: implementations that never run, for the code that
//! uses them.

use super::{
    bounds::{own_where_clause, owned},
    enumeration, filters,
};
use crate::model::Model;
use proc_macro2::TokenStream;
use quote::quote;

/// Both traits that can be derived, as it may be meant for either, and the filters it has.
pub(crate) fn stand_in(model: &Model) -> TokenStream {
    let vector_doc = vector_doc(model);
    let field_value = field_value(model);
    let filters = match (&model.variants, model.id()) {
        (Some(_), _) => enumeration::filters(model, &quote!(::core::unreachable!())),
        (None, Some(_)) => filters::of_document(model),
        (None, None) => filters::of_part(model),
    };
    quote!(#vector_doc #field_value #filters)
}

fn vector_doc(model: &Model) -> TokenStream {
    let Model { ident, generics, vectordoc, .. } = model;
    let (impl_generics, ty_generics, _) = generics.split_for_impl();
    let where_clause = owned(model, own_where_clause(model));
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::document::VectorDoc for #ident #ty_generics #where_clause {
            type Id = #vectordoc::__private::String;
            const NAME: &'static str = "";
            fn schema() -> #vectordoc::Schema { ::core::unreachable!() }
            fn to_document(&self) -> #vectordoc::Result<#vectordoc::Document> {
                ::core::unreachable!()
            }
            fn from_document(_: #vectordoc::Document) -> #vectordoc::Result<Self> {
                ::core::unreachable!()
            }
        }
    }
}

fn field_value(model: &Model) -> TokenStream {
    let Model { ident, generics, vectordoc, .. } = model;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::document::FieldValue for #ident #ty_generics
        #where_clause
        {
            fn field_type() -> #vectordoc::schema::FieldType { ::core::unreachable!() }
            fn to_value(&self) -> #vectordoc::Result<#vectordoc::Value> {
                ::core::unreachable!()
            }
            fn from_value(_: #vectordoc::Value) -> #vectordoc::Result<Self> {
                ::core::unreachable!()
            }
        }

        #[automatically_derived]
        impl #impl_generics #vectordoc::document::ListItem for #ident #ty_generics #where_clause {}
    }
}
