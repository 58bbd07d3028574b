//! Typed filters: a function for each field that filters can ask about.

use super::{
    bounds::condition,
    traits::{Trait, call, member, place_at},
};
use crate::model::{Field, Model};
use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;

/// The functions of a document: `Product::price()`.
pub(crate) fn of_document(model: &Model) -> TokenStream {
    if model.filterable().is_empty() {
        return TokenStream::new();
    }
    let ident = &model.ident;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let functions = model.filterable().into_iter().map(|field| {
        let (vectordoc, name) = (&model.vectordoc, &field.name);
        let path = quote!(#vectordoc::filter::typed::Path::top(#name));
        function(model, field, &quote!(), &path)
    });
    quote! {
        #[automatically_derived]
        impl #impl_generics #ident #ty_generics #where_clause {
            #(#functions)*
        }
    }
}

/// The path struct of a part, with its methods: `Product::maker().country()`. None where filters
/// can ask about nothing in it; to mark a field of that type `filter` is an error then.
pub(crate) fn of_part(model: &Model) -> TokenStream {
    if model.filterable().is_empty() {
        return TokenStream::new();
    }
    let path_struct = path_struct(model);
    let filterable = filterable(model);
    let filter_item = filter_item(model);
    quote!(#path_struct #filterable #filter_item)
}

fn path_struct(model: &Model) -> TokenStream {
    let Model { vis, ident, generics, vectordoc, .. } = model;
    let (impl_generics, ty_generics, where_clause) = generics.split_for_impl();
    let filter = path_struct_name(model);
    let doc = format!("What filters can ask about a `{}`.", ident.unraw());
    let methods = model.filterable().into_iter().map(|field| {
        let name = &field.name;
        function(model, field, &quote!(&self), &quote!(self.path.then(#name)))
    });
    quote! {
        #[doc = #doc]
        #[derive(::core::fmt::Debug)]
        #[allow(dead_code)]
        #vis struct #filter #generics #where_clause {
            path: #vectordoc::filter::typed::Path,
            of: ::core::marker::PhantomData<fn() -> #ident #ty_generics>,
        }

        #[automatically_derived]
        impl #impl_generics #filter #ty_generics #where_clause {
            #(#methods)*
        }
    }
}

fn filterable(model: &Model) -> TokenStream {
    let Model { ident, vectordoc, .. } = model;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let filter = path_struct_name(model);
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::filter::typed::Filterable for #ident #ty_generics
        #where_clause
        {
            type Field = #filter #ty_generics;

            fn field(__path: #vectordoc::filter::typed::Path) -> Self::Field {
                #filter { path: __path, of: ::core::marker::PhantomData }
            }
        }
    }
}

/// A list of parts is asked as each of them is.
fn filter_item(model: &Model) -> TokenStream {
    let Model { ident, vectordoc, .. } = model;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let filter = path_struct_name(model);
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::filter::typed::FilterItem for #ident #ty_generics
        #where_clause
        {
            type List = #filter #ty_generics;

            fn list(__path: #vectordoc::filter::typed::Path) -> Self::List {
                <Self as #vectordoc::filter::typed::Filterable>::field(__path)
            }
        }
    }
}

fn path_struct_name(model: &Model) -> Ident {
    format_ident!("{}Filter", model.ident.unraw(), span = model.ident.span())
}

/// The function named as `field`, which returns what can be asked about the field at `path`. It is
/// as visible as the field, and so shows no type that the field hides.
fn function(
    model: &Model,
    field: &Field,
    receiver: &TokenStream,
    path: &TokenStream,
) -> TokenStream {
    let Field { vis, ident, .. } = field;
    let signature = place_at(ident.span(), quote!(fn #ident(#receiver)));
    let returned = member(model, field, Trait::Filterable, "Field");
    let made = call(model, field, Trait::Filterable, "field", path);
    let where_clause =
        condition(model, field, Trait::Filterable).map(|condition| quote!(where #condition));
    let doc = format!("What filters can ask about `{}`.", field.name);
    quote! {
        #[doc = #doc]
        #[allow(dead_code)]
        #vis #signature -> #returned #where_clause {
            #made
        }
    }
}
