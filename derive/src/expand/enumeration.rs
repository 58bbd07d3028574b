//! An enum without data: a field that holds one of its names, `impl FieldValue`.

use super::bounds::own_where_clause;
use crate::model::{Model, Variant};
use proc_macro2::TokenStream;
use quote::quote;

/// Everything that is generated for it.
pub(crate) fn enumeration(model: &Model, variants: &[Variant]) -> TokenStream {
    let field_value = field_value(model, variants);
    let filters = filters(model, &word(model, variants));
    quote!(#field_value #filters)
}

fn field_value(model: &Model, variants: &[Variant]) -> TokenStream {
    let Model { ident, vectordoc, .. } = model;
    let (impl_generics, ty_generics, where_clause) = model.generics.split_for_impl();
    let words = variants.iter().map(|variant| &variant.word);
    let pairs = variants.iter().map(|Variant { ident, word, .. }| quote!((#word, Self::#ident)));
    quote! {
        #[automatically_derived]
        impl #impl_generics #vectordoc::document::FieldValue for #ident #ty_generics
        #where_clause
        {
            fn field_type() -> #vectordoc::schema::FieldType {
                #vectordoc::__private::enum_type(&[#(#words),*])
            }

            fn to_value(&self) -> #vectordoc::Result<#vectordoc::Value> {
                ::core::result::Result::Ok(#vectordoc::filter::typed::FilterScalar::operand(self))
            }

            fn from_value(__value: #vectordoc::Value) -> #vectordoc::Result<Self> {
                #vectordoc::__private::variant(__value, [#(#pairs),*])
            }
        }

        #[automatically_derived]
        impl #impl_generics #vectordoc::document::ListItem for #ident #ty_generics #where_clause {}
    }
}

/// The word of `self`, as a value.
fn word(model: &Model, variants: &[Variant]) -> TokenStream {
    let vectordoc = &model.vectordoc;
    let arms = variants.iter().map(|Variant { ident, word, .. }| quote!(Self::#ident => #word));
    quote!(<#vectordoc::Value as ::core::convert::From<&str>>::from(match self { #(#arms),* }))
}

/// That filters can ask about fields and lists of it, which are compared with `operand`.
pub(super) fn filters(model: &Model, operand: &TokenStream) -> TokenStream {
    let Model { ident, vectordoc, .. } = model;
    let (impl_generics, ty_generics, _) = model.generics.split_for_impl();
    let where_clause = own_where_clause(model);
    let typed = quote!(#vectordoc::filter::typed);
    quote! {
        #[automatically_derived]
        impl #impl_generics #typed::FilterScalar for #ident #ty_generics #where_clause {
            fn operand(&self) -> #vectordoc::Value {
                #operand
            }
        }

        #[automatically_derived]
        impl #impl_generics #typed::Filterable for #ident #ty_generics #where_clause {
            type Field = #typed::Scalar<Self>;

            fn field(__path: #typed::Path) -> Self::Field {
                #typed::Scalar::at(__path)
            }
        }

        #[automatically_derived]
        impl #impl_generics #typed::FilterItem for #ident #ty_generics #where_clause {
            type List = #typed::List<Self>;

            fn list(__path: #typed::Path) -> Self::List {
                #typed::List::at(__path)
            }
        }
    }
}
