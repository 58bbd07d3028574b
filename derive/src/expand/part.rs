//! A struct without an id: a part of documents, `impl FieldValue`; lists can be made of it.

use super::{
    bounds::where_clause,
    document::values_taken_from,
    filters, schema,
    traits::{Trait, constant, member},
};
use crate::model::{Field, Model};
use proc_macro2::TokenStream;
use quote::quote;

/// Everything that is generated for it.
pub(crate) fn part(model: &Model) -> TokenStream {
    let field_value = field_value(model);
    let filters = filters::of_part(model);
    quote!(#field_value #filters)
}

fn field_value(model: &Model) -> TokenStream {
    let Model { ident, vectordoc, .. } = model;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = where_clause(model);
    let fields = schema::values(model);
    let depths = depths(model);
    let depth = quote!(<#ident #ty_generics as #vectordoc::document::FieldValue>::DEPTH);
    let depth = constant(model, quote!(usize), &depth);
    let to_value = to_value(model);
    let from_value = from_value(model);
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::document::FieldValue for #ident #ty_generics
        #where_clause
        {
            const DEPTH: usize = #vectordoc::__private::depth([#(#depths),*]);

            fn field_type() -> #vectordoc::schema::FieldType {
                let _: usize = #depth;
                #vectordoc::schema::FieldType::Object(#fields)
            }

            #to_value
            #from_value
        }

        #[automatically_derived]
        impl #impl_generics #vectordoc::document::ListItem for #ident #ty_generics #where_clause {}
    }
}

/// The depths of its fields.
fn depths(model: &Model) -> impl Iterator<Item = TokenStream> {
    let fields = model.values().into_iter().filter(|field| field.json.is_none());
    fields.map(|field| member(model, field, Trait::FieldValue, "DEPTH"))
}

fn to_value(model: &Model) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fields = model.values().into_iter().map(|field| {
        let Field { ident, name, .. } = field;
        let write = member(model, field, Trait::of(field), "to_value");
        quote!(.with(#name, &self.#ident, #write)?)
    });
    quote! {
        fn to_value(&self) -> #vectordoc::Result<#vectordoc::Value> {
            let __fields = <#vectordoc::document::Object as ::core::default::Default>::default()
                #(#fields)*;
            ::core::result::Result::Ok(__fields.into_value())
        }
    }
}

fn from_value(model: &Model) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fields = values_taken_from(model, &quote!(__fields));
    quote! {
        fn from_value(__value: #vectordoc::Value) -> #vectordoc::Result<Self> {
            let mut __fields = #vectordoc::document::Object::from_value(__value)?;
            ::core::result::Result::Ok(Self { #fields })
        }
    }
}
