//! A struct with an id: `impl VectorDoc`, laid out as the schema numbers its fields.

use super::{
    bounds::{owned, where_clause},
    filters, schema,
    traits::{Trait, member},
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
    let read = |field: &Field, function| {
        let (read, ident) = (member(model, field, Trait::of(field), function), &field.ident);
        quote!(#read(&self.#ident))
    };
    let id = &id.ident;
    let vectors = model.vectors().into_iter().map(|(field, _)| read(field, "to_vector"));
    let values = model.values().into_iter().map(|field| read(field, "to_value"));
    quote! {
        fn to_document(&self) -> #vectordoc::Document {
            #vectordoc::Document {
                id: #vectordoc::__private::to_id::<Self>(&self.#id),
                vectors: #vectordoc::__private::Vec::from([#(#vectors),*]),
                values: #vectordoc::__private::Vec::from([#(#values),*]),
            }
        }
    }
}

fn from_document(model: &Model, id: &Field) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let take = |field: &Field, row: TokenStream, function| {
        let Field { ident, name, .. } = field;
        let make = member(model, field, Trait::of(field), function);
        quote!(#ident: #row.take(#name, #make)?)
    };
    let id = &id.ident;
    let vectors = model.vectors().into_iter();
    let vectors = vectors.map(|(field, _)| take(field, quote!(__vectors), "from_vector"));
    let values = model.values().into_iter();
    let values = values.map(|field| take(field, quote!(__values), "from_value"));
    quote! {
        fn from_document(__document: #vectordoc::Document) -> #vectordoc::Result<Self> {
            let mut __vectors = #vectordoc::__private::Row::new(__document.vectors);
            let mut __values = #vectordoc::__private::Row::new(__document.values);
            ::core::result::Result::Ok(Self {
                #id: #vectordoc::__private::from_id::<Self>(__document.id)?,
                #(#vectors,)*
                #(#values,)*
            })
        }
    }
}
