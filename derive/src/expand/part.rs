//! A struct without an id: a part of documents, `impl FieldValue`.

use super::{
    bounds::where_clause,
    filters, schema,
    traits::{Trait, member},
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
    let to_value = to_value(model);
    let from_value = from_value(model);
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::document::FieldValue for #ident #ty_generics
        #where_clause
        {
            fn field_type() -> #vectordoc::schema::FieldType {
                #vectordoc::schema::FieldType::Object(#fields)
            }

            #to_value
            #from_value
        }
    }
}

fn to_value(model: &Model) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fields = model.values().into_iter().map(|field| {
        let Field { ident, name, .. } = field;
        let read = member(model, field, Trait::FieldValue, "to_value");
        quote!(.with(#name, #read(&self.#ident)))
    });
    quote! {
        fn to_value(&self) -> #vectordoc::Value {
            <#vectordoc::document::Object as ::core::default::Default>::default()
                #(#fields)*
                .into_value()
        }
    }
}

fn from_value(model: &Model) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let fields = model.values().into_iter().map(|field| {
        let Field { ident, name, .. } = field;
        let make = member(model, field, Trait::FieldValue, "from_value");
        quote!(#ident: __fields.take(#name, #make)?)
    });
    quote! {
        fn from_value(__value: #vectordoc::Value) -> #vectordoc::Result<Self> {
            let mut __fields = #vectordoc::document::Object::from_value(__value)?;
            ::core::result::Result::Ok(Self { #(#fields,)* })
        }
    }
}
