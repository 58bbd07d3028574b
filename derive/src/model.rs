//! What is derived for: the struct, and what each of its fields is in a document; or the enum, and
//! the word each of its variants is there.

use crate::{
    case::Case,
    mistakes::Mistakes,
    nearest,
    options::Place,
    parse::{Dim, Fallback, FieldOptions, Number, TypeOptions, VectorOptions, rename_of_variant},
};
use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{
    Data, DeriveInput, Fields, Generics, LitStr, Path, Type, Visibility, ext::IdentExt,
    punctuated::Punctuated,
};

/// The struct or the enum.
pub(crate) struct Model {
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) generics: Generics,
    /// The path of the `vectordoc` crate. A renamed one is said in an attribute, as it is to serde:
    /// to find it would take a TOML parser in the build of every user.
    pub(crate) vectordoc: TokenStream,
    /// In the order the struct has them.
    pub(crate) fields: Vec<Field>,
    /// In the order the enum has them; `None` of a struct.
    pub(crate) variants: Option<Vec<Variant>>,
}

/// A variant of the enum.
pub(crate) struct Variant {
    pub(crate) ident: Ident,
    /// What it is called in documents.
    pub(crate) word: String,
    /// Where it got that word.
    pub(crate) place: TokenStream,
    /// What it holds, where it does hold data.
    pub(crate) data: Option<TokenStream>,
}

/// A field of the struct.
pub(crate) struct Field {
    pub(crate) vis: Visibility,
    pub(crate) ident: Ident,
    pub(crate) ty: Type,
    /// What it is called in documents.
    pub(crate) name: String,
    /// Where it got that name.
    pub(crate) name_place: TokenStream,
    /// The mark of the id.
    pub(crate) id: Option<Path>,
    /// The mark of a vector, and what it says.
    pub(crate) vector: Option<Vector>,
    /// The mark of a field that filters can ask about.
    pub(crate) filter: Option<Path>,
    /// The mark of a field whose words are indexed.
    pub(crate) text: Option<Path>,
    /// The mark of a field that holds what serde writes.
    pub(crate) json: Option<Path>,
    /// The mark of a field that is not stored.
    pub(crate) skip: Option<Path>,
    /// What it is where a stored document lacks it.
    pub(crate) default: Option<Fallback>,
    /// The name it is given.
    pub(crate) rename: Option<LitStr>,
    /// Whether all its options are known.
    pub(crate) understood: bool,
}

/// How a vector is searched.
pub(crate) struct Vector {
    /// The word `vector`.
    pub(crate) place: Path,
    pub(crate) dim: Option<Dim>,
    /// The variant of `Metric`.
    pub(crate) metric: Option<Ident>,
    /// The variant of `Precision`.
    pub(crate) precision: Option<Ident>,
    /// The variant of `IndexKind`.
    pub(crate) index: Option<Ident>,
    pub(crate) m: Option<Number>,
    pub(crate) ef_construction: Option<Number>,
    pub(crate) ef: Option<Number>,
    /// The variant of `Quantization`.
    pub(crate) quantization: Option<Ident>,
}

/// The metrics with their variants.
const METRICS: [(&str, &str); 3] = [("cosine", "Cosine"), ("l2", "L2"), ("dot", "Dot")];

/// The precisions with their variants.
const PRECISIONS: [(&str, &str); 3] = [("f32", "F32"), ("f16", "F16"), ("i8", "I8")];

/// The kinds of index with their variants.
const INDEXES: [(&str, &str); 5] = [
    ("auto", "Auto"),
    ("exact", "Exact"),
    ("hnsw", "Hnsw"),
    ("hnsw_rs", "HnswRs"),
    ("custom", "Custom"),
];

/// The quantizations with their variants.
pub(crate) const QUANTIZATIONS: [(&str, &str); 5] =
    [("f32", "F32"), ("f16", "F16"), ("i8", "I8"), ("i4", "I4"), ("binary", "Binary")];

impl Model {
    /// The model of `input`; of what is neither an enum nor a struct with named fields, one without
    /// fields.
    pub(crate) fn of(input: &DeriveInput, mistakes: &Mistakes) -> Self {
        let is_enum = matches!(input.data, Data::Enum(_));
        let place = if is_enum { Place::Enum } else { Place::Struct };
        let options = TypeOptions::of(&input.attrs, place, mistakes);
        let case = options.rename_all.and_then(|case| named(&Case::NAMES, &case, "case", mistakes));
        let fields = named_fields(input, mistakes).into_iter().flatten();
        Self {
            vis: input.vis.clone(),
            ident: input.ident.clone(),
            generics: input.generics.clone(),
            vectordoc: options.crate_path.map_or(quote!(::vectordoc), Path::into_token_stream),
            fields: fields.filter_map(|field| Field::of(field, case, mistakes)).collect(),
            variants: match &input.data {
                Data::Enum(data) => {
                    let variants = data.variants.iter();
                    Some(variants.map(|variant| Variant::of(variant, case, mistakes)).collect())
                }
                _ => None,
            },
        }
    }

    /// The field that names the document; what is only a part of one has none.
    pub(crate) fn id(&self) -> Option<&Field> {
        self.fields.iter().find(|field| field.id.is_some())
    }

    /// The fields to search by, as a schema numbers them.
    pub(crate) fn vectors(&self) -> Vec<(&Field, &Vector)> {
        let fields = self.by_name().into_iter();
        fields.filter_map(|field| Some((field, field.vector.as_ref()?))).collect()
    }

    /// The fields that are stored and neither the id nor a vector, as a schema numbers them.
    pub(crate) fn values(&self) -> Vec<&Field> {
        let is_value =
            |field: &&Field| field.id.is_none() && field.vector.is_none() && field.skip.is_none();
        self.by_name().into_iter().filter(is_value).collect()
    }

    /// The fields that are not stored.
    pub(crate) fn skipped(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.skip.is_some())
    }

    /// Those of them that filters can ask about.
    pub(crate) fn filterable(&self) -> Vec<&Field> {
        self.values().into_iter().filter(|field| field.filter.is_some()).collect()
    }

    /// A schema numbers its fields in order of their names.
    fn by_name(&self) -> Vec<&Field> {
        let mut fields: Vec<&Field> = self.fields.iter().collect();
        fields.sort_by_key(|field| &field.name);
        fields
    }
}

impl Field {
    /// Where the mark or option of this name stands.
    pub(crate) fn mark(&self, name: &str) -> Option<&dyn ToTokens> {
        let path = match name {
            "id" => self.id.as_ref(),
            "vector" => self.vector.as_ref().map(|vector| &vector.place),
            "filter" => self.filter.as_ref(),
            "text" => self.text.as_ref(),
            "json" => self.json.as_ref(),
            "skip" => self.skip.as_ref(),
            "default" => self.default.as_ref().map(|default| &default.place),
            _ => return self.rename.as_ref().map(|name| name as &dyn ToTokens),
        };
        path.map(|path| path as &dyn ToTokens)
    }

    fn of(field: &syn::Field, case: Option<Case>, mistakes: &Mistakes) -> Option<Self> {
        let ident = field.ident.clone()?;
        let options = FieldOptions::of(&field.attrs, mistakes);
        let own_name = ident.unraw().to_string();
        let (name, name_place) = match &options.rename {
            Some(name) => (name.value(), name.into_token_stream()),
            None => (
                case.map_or_else(|| own_name.clone(), |case| case.of_field(&own_name)),
                ident.to_token_stream(),
            ),
        };
        Some(Self {
            vis: field.vis.clone(),
            ident,
            ty: field.ty.clone(),
            name,
            name_place,
            id: options.id,
            vector: options.vector.map(|vector| Vector::of(vector, mistakes)),
            filter: options.filter,
            text: options.text,
            json: options.json,
            skip: options.skip,
            default: options.default,
            rename: options.rename,
            understood: options.understood,
        })
    }
}

impl Variant {
    fn of(variant: &syn::Variant, case: Option<Case>, mistakes: &Mistakes) -> Self {
        let own_name = variant.ident.unraw().to_string();
        let (word, place) = match rename_of_variant(&variant.attrs, mistakes) {
            Some(word) => (word.value(), word.into_token_stream()),
            None => (
                case.map_or_else(|| own_name.clone(), |case| case.of_variant(&own_name)),
                variant.ident.to_token_stream(),
            ),
        };
        let data =
            (!matches!(variant.fields, Fields::Unit)).then(|| variant.fields.to_token_stream());
        Self { ident: variant.ident.clone(), word, place, data }
    }
}

impl Vector {
    fn of(options: VectorOptions, mistakes: &Mistakes) -> Self {
        let variant = |table: &[(&str, &str)], text: Option<LitStr>, what| {
            let variant = named(table, &text?, what, mistakes)?;
            Some(Ident::new(variant, Span::call_site()))
        };
        Self {
            place: options.place,
            dim: options.dim,
            metric: variant(&METRICS, options.metric, "metric"),
            precision: variant(&PRECISIONS, options.precision, "precision"),
            index: variant(&INDEXES, options.index, "index"),
            m: options.m,
            ef_construction: options.ef_construction,
            ef: options.ef,
            quantization: variant(&QUANTIZATIONS, options.quantization, "quantization"),
        }
    }
}

/// The fields, where there are named ones.
fn named_fields<'a>(
    input: &'a DeriveInput,
    mistakes: &Mistakes,
) -> Option<&'a Punctuated<syn::Field, syn::Token![,]>> {
    let (place, what) = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => return Some(&fields.named),
            Fields::Unnamed(fields) => (fields.to_token_stream(), "a tuple struct"),
            Fields::Unit => (input.ident.to_token_stream(), "a unit struct"),
        },
        Data::Enum(_) => return None,
        Data::Union(data) => (data.union_token.to_token_stream(), "a union"),
    };
    mistakes.add(
        place,
        format!(
            "`{}` is {what}; a document, or a part of one, is a struct with named fields or an enum \
             without data",
            input.ident
        ),
    );
    None
}

/// The entry of `table` that `text` names.
fn named<T: Copy>(
    table: &[(&str, T)],
    text: &LitStr,
    what: &str,
    mistakes: &Mistakes,
) -> Option<T> {
    let name = text.value();
    let found = table.iter().find(|(known, _)| *known == name);
    if found.is_none() {
        let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
        mistakes.add(
            text,
            format!("unknown {what} \"{name}\"; it is one of {}", nearest::list(&known)),
        );
    }
    found.map(|(_, entry)| *entry)
}
