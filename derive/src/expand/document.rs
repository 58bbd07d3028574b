//! A struct with an id: `impl VectorDoc`, laid out as the schema numbers its fields.

use super::{
    bounds::{owned, where_clause},
    filters, schema,
    traits::{Trait, default, member},
};
use crate::{
    case,
    model::{Field, Model},
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;

/// Everything that is generated for it.
pub(crate) fn document(model: &Model, id: &Field) -> TokenStream {
    let vector_doc = vector_doc(model, id);
    let filters = filters::of_document(model);
    quote!(#vector_doc #filters)
}

fn vector_doc(model: &Model, id: &Field) -> TokenStream {
    let Model { ident, vectordoc, .. } = model;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = owned(model, where_clause(model));
    let (id_type, name) = (&id.ty, name(model));
    let schema = schema::schema(model, id);
    let to_document = to_document(model, id);
    let from_document = from_document(model, id);
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::document::VectorDoc for #ident #ty_generics #where_clause {
            type Id = #id_type;

            const NAME: &'static str = #name;

            #schema
            #to_document
            #from_document
        }
    }
}

/// The name that a database of this type is served by.
fn name(model: &Model) -> String {
    case::snake_case_of_type(&model.ident.unraw().to_string())
}

fn to_document(model: &Model, id: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let id = &id.ident;
    let vectors = model.vectors().into_iter().map(|(field, _)| {
        let (read, ident) = (member(model, field, Trait::VectorValue, "to_vector"), &field.ident);
        quote!(#read(&self.#ident))
    });
    let values = model.values().into_iter().map(|field| {
        let Field { ident, name, .. } = field;
        let write = member(model, field, Trait::of(field), "to_value");
        quote!(#vectordoc::__private::write(#name, &self.#ident, #write)?)
    });
    quote! {
        fn to_document(&self) -> #vectordoc::Result<#vectordoc::Document> {
            ::core::result::Result::Ok(#vectordoc::Document {
                id: #vectordoc::__private::to_id::<Self>(&self.#id),
                vectors: #vectordoc::__private::Vec::from([#(#vectors),*]),
                values: #vectordoc::__private::Vec::from([#(#values),*]),
            })
        }
    }
}

fn from_document(model: &Model, id: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let id = &id.ident;
    let vectors = model.vectors().into_iter().map(|(field, _)| {
        let Field { ident, name, .. } = field;
        let make = member(model, field, Trait::VectorValue, "from_vector");
        quote!(#ident: __vectors.take(#name, #make)?)
    });
    let values = values_taken_from(model, &quote!(__values));
    quote! {
        fn from_document(__document: #vectordoc::Document) -> #vectordoc::Result<Self> {
            let mut __vectors = #vectordoc::__private::Row::new(__document.vectors);
            let mut __values = #vectordoc::__private::Row::new(__document.values);
            ::core::result::Result::Ok(Self {
                #id: #vectordoc::__private::from_id::<Self>(__document.id)?,
                #(#vectors,)*
                #values
            })
        }
    }
}

/// The values, taken out of `source` in order, and what is not stored: `price: …, tags: …,`
pub(super) fn values_taken_from(model: &Model, source: &TokenStream) -> TokenStream {
    let values = model.values().into_iter().map(|field| {
        let Field { ident, name, .. } = field;
        let read = member(model, field, Trait::of(field), "from_value");
        match &field.default {
            Some(_) => {
                let default = default(model, field);
                quote!(#ident: #source.take_or(#name, #read, #default)?)
            }
            None => quote!(#ident: #source.take(#name, #read)?),
        }
    });
    let skipped = model.skipped().map(|field| {
        let (ident, default) = (&field.ident, default(model, field));
        quote!(#ident: #default())
    });
    quote!(#(#values,)* #(#skipped,)*)
}
