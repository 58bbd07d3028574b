//! What the documents of a database look like: the id, the vector fields, the value fields.
//!
//! A schema is what `#[derive(VectorDoc)]` produces, what TypeScript passes and what the database
//! stores. Fields are kept in order of their names, so two schemas are equal however they were
//! written down.

mod evolve;
mod json;
mod json_schema;
mod layout;
mod nearest;
mod typescript;

use crate::{Error, Metric, Result, limits};
use alloc::{boxed::Box, format, string::String, vec::Vec};

pub(crate) use layout::Layout;
pub(crate) use nearest::nearest;

/// The shape of the documents of one database.
#[derive(Clone, Debug, PartialEq)]
pub struct Schema {
    id: IdField,
    vectors: Vec<VectorField>,
    values: Vec<ValueField>,
}

/// The field that names a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdField {
    /// Its name in documents; `id` unless the struct says otherwise.
    pub name: String,
    /// What ids are.
    pub kind: IdKind,
}

/// What the ids of a database are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdKind {
    /// `u64`.
    Int,
    /// Text.
    Text,
    /// UUID.
    Uuid,
}

/// A field that holds a vector of `dim` numbers and can be searched.
#[derive(Clone, Debug, PartialEq)]
pub struct VectorField {
    /// Its name.
    pub name: String,
    /// Numbers in each vector.
    pub dim: usize,
    /// How distance is measured.
    pub metric: Metric,
    /// Whether a document may lack it.
    pub optional: bool,
    /// How it is indexed.
    pub index: IndexSpec,
}

/// How a vector field is indexed; the parameters have the names and meaning they have in
/// Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical
/// Navigable Small World graphs" (2016), §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// Which algorithm.
    pub kind: IndexKind,
    /// Links per node on the upper levels; twice as many on the lowest.
    pub m: usize,
    /// Candidates considered when a node is inserted.
    pub ef_construction: usize,
    /// Candidates considered by a search that does not say; `None` lets the database measure, on
    /// its own documents, what reaches a recall of 0.95 with a margin.
    pub ef: Option<usize>,
    /// What is compared on the way to the nearest vectors; `None` leaves it to the dimension.
    pub quantization: Option<Quantization>,
}

impl Default for IndexSpec {
    fn default() -> Self {
        Self { kind: IndexKind::Auto, m: 16, ef_construction: 200, ef: None, quantization: None }
    }
}

impl IndexSpec {
    /// How vectors of `dim` numbers are coded: as the schema says, else by 4 bits a number, or by 8
    /// where vectors are so short that 4 would save little and lose much. What compares vectors in
    /// full needs no codes.
    pub fn quantization(&self, dim: usize) -> Quantization {
        const DIM_OF_I4_MIN: usize = 96;
        self.quantization.unwrap_or(match self.kind {
            IndexKind::Exact | IndexKind::HnswRs => Quantization::F32,
            _ if dim < DIM_OF_I4_MIN => Quantization::I8,
            _ => Quantization::I4,
        })
    }
}

/// The form in which vectors are compared by the thousand. The nearest found are compared again in
/// full precision, so that this decides about memory, speed and how many candidates a search
/// needs, and never about the distances it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// The vectors themselves: no memory for codes.
    F32,
    /// Half precision: 16 bits a number.
    F16,
    /// 8 bits a number.
    I8,
    /// 4 bits a number.
    I4,
    /// 1 bit a number.
    Binary,
}

impl Quantization {
    /// Every quantization with the name it has in schemas and on the command line.
    pub const NAMES: [(&'static str, Quantization); 5] = [
        ("f32", Self::F32),
        ("f16", Self::F16),
        ("i8", Self::I8),
        ("i4", Self::I4),
        ("binary", Self::Binary),
    ];

    /// The name in schemas and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The quantization of this name.
    pub fn parse(name: &str) -> Result<Self> {
        find_named(&Self::NAMES, name, "quantization")
    }
}

/// Which algorithm answers a vector search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IndexKind {
    /// An exact scan while the collection is small enough for that to be fastest, a graph beyond.
    #[default]
    Auto,
    /// Always an exact scan.
    Exact,
    /// Always a graph.
    Hnsw,
    /// Always the graph of the crate `hnsw_rs`, in builds with the feature of that name. It is not
    /// stored but built again whenever the database opens.
    HnswRs,
    /// The user's own, brought when the database is opened: see
    /// [`index`](crate::index#bring-your-own-algorithm).
    Custom,
}

impl IndexKind {
    /// Every kind with the name it has in schemas and on the command line.
    pub const NAMES: [(&'static str, IndexKind); 5] = [
        ("auto", Self::Auto),
        ("exact", Self::Exact),
        ("hnsw", Self::Hnsw),
        ("hnsw_rs", Self::HnswRs),
        ("custom", Self::Custom),
    ];

    /// The name in schemas and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Result<Self> {
        find_named(&Self::NAMES, name, "index")
    }
}

/// The entry of `table` called `name`, or an error that lists the names there are.
pub(crate) fn find_named<T: Copy>(table: &[(&str, T)], name: &str, what: &str) -> Result<T> {
    if let Some((_, entry)) = table.iter().find(|(known, _)| *known == name) {
        return Ok(*entry);
    }
    let known: Vec<&str> = table.iter().map(|(known, _)| *known).collect();
    Err(Error::invalid(format!("unknown {what} {name:?}; it is one of {}", known.join(", "))))
}

/// A field that holds a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValueField {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub ty: FieldType,
    /// Whether a document may lack it.
    pub optional: bool,
    /// Whether filters can ask about it.
    pub filter: bool,
    /// Whether its words are indexed for full-text search.
    pub text: bool,
}

/// What a value field holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldType {
    /// A truth value.
    Bool,
    /// An integer of the given range.
    Integer(Integer),
    /// A number kept as `f32`.
    Float32,
    /// A number kept as `f64`.
    Float64,
    /// UTF-8 text.
    Text,
    /// One of these words: an enum without data.
    Enum(Vec<String>),
    /// Bytes.
    Bytes,
    /// A point in time.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A point on the Earth.
    Geo,
    /// Anything JSON can say: stored and returned, and opaque to filters.
    Json,
    /// Scalars, or nested structs, in order.
    Array(Box<FieldType>),
    /// A nested struct, its fields in order of their names.
    Object(Vec<ValueField>),
}

/// The integer types.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "they are Rust's own names")]
pub enum Integer {
    I8,
    I16,
    I32,
    I64,
    U8,
    U16,
    U32,
    U64,
}

impl Integer {
    /// The smallest and largest value.
    pub fn range(self) -> (i128, i128) {
        match self {
            Self::I8 => (i8::MIN.into(), i8::MAX.into()),
            Self::I16 => (i16::MIN.into(), i16::MAX.into()),
            Self::I32 => (i32::MIN.into(), i32::MAX.into()),
            Self::I64 => (i64::MIN.into(), i64::MAX.into()),
            Self::U8 => (0, u8::MAX.into()),
            Self::U16 => (0, u16::MAX.into()),
            Self::U32 => (0, u32::MAX.into()),
            Self::U64 => (0, u64::MAX.into()),
        }
    }
}

/// A path that filters can ask about: a scalar field, or the elements of an array of scalars.
#[derive(Clone, Debug, PartialEq)]
pub struct FilterPath {
    /// Dotted from the document's top: `maker.country`.
    pub path: String,
    /// The scalar type; an array's element type.
    pub ty: FieldType,
    /// Whether a document can have several: the field is an array, or in the structs of one.
    pub many: bool,
}

impl Schema {
    /// A schema of these fields; refuses duplicate names, bad dimensions and what exceeds
    /// [`limits`].
    pub fn new(
        id: IdField,
        mut vectors: Vec<VectorField>,
        mut values: Vec<ValueField>,
    ) -> Result<Self> {
        vectors.sort_by(|a, b| a.name.cmp(&b.name));
        sort_fields(&mut values);
        let schema = Self { id, vectors, values };
        schema.check()?;
        Ok(schema)
    }

    /// The id field.
    pub fn id(&self) -> &IdField {
        &self.id
    }

    /// The vector fields in order of their names. A field's position here is its number.
    pub fn vectors(&self) -> &[VectorField] {
        &self.vectors
    }

    /// The value fields in order of their names. A field's position here is its number.
    pub fn values(&self) -> &[ValueField] {
        &self.values
    }

    /// The number of the vector field called `name`, or of the only one when `name` is `None`.
    pub fn vector_number(&self, name: Option<&str>) -> Result<usize> {
        let Some(name) = name else {
            return match self.vectors.len() {
                1 => Ok(0),
                0 => Err(Error::invalid("the schema has no vector field to search")),
                _ => Err(Error::invalid(format!(
                    "the schema has several vector fields; say which of {}",
                    join(self.vectors.iter().map(|field| field.name.as_str()))
                ))),
            };
        };
        self.vectors.iter().position(|field| field.name == name).ok_or_else(|| {
            let names = self.vectors.iter().map(|field| field.name.as_str());
            unknown_name("vector field", name, names)
        })
    }

    /// Every path a filter can ask about, in order. A path's position here is its column number.
    pub fn filter_paths(&self) -> Vec<FilterPath> {
        let mut paths = Vec::new();
        collect_filter_paths(&self.values, "", false, &mut paths);
        paths
    }

    /// The dotted path of every text that is indexed by its words, in order. A path's position here
    /// is the number of its index.
    pub fn text_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        collect_text_paths(&self.values, "", &mut paths);
        paths
    }

    /// The number of the text index at `path`, or of the only one when `path` is `None`.
    pub(crate) fn text_number(&self, path: Option<&str>) -> Result<usize> {
        let paths = self.text_paths();
        let Some(path) = path else {
            return match paths.len() {
                1 => Ok(0),
                0 => Err(Error::invalid(
                    "no field of the schema is indexed by its words; mark one `text`",
                )),
                _ => Err(Error::invalid(format!(
                    "the schema has several text fields; say which of {}",
                    join(paths.iter().map(String::as_str))
                ))),
            };
        };
        if let Some(number) = paths.iter().position(|known| known == path) {
            return Ok(number);
        }
        match self.is_stored(path) {
            true => Err(Error::invalid(format!(
                "field {path:?} is stored but not indexed by its words; mark it `text` in the \
                 schema"
            ))),
            false => Err(unknown_name("text field", path, paths.iter().map(String::as_str))),
        }
    }

    /// The number of the column of the filterable field at `path`, and what it holds.
    pub(crate) fn filter_path(&self, path: &str) -> Result<(usize, FilterPath)> {
        let mut paths = self.filter_paths().into_iter().enumerate();
        paths.find(|(_, known)| known.path == path).ok_or_else(|| self.not_filterable(path))
    }

    /// The same of a field of which each document has one value at most; `what` is what it is
    /// needed for.
    pub(crate) fn scalar_path(&self, path: &str, what: &str) -> Result<(usize, FilterPath)> {
        let (number, found) = self.filter_path(path)?;
        if found.many {
            return Err(Error::invalid(format!(
                "{path:?} is an array: a document has no one value to {what} by"
            )));
        }
        Ok((number, found))
    }

    /// Why filters cannot ask about `path`.
    pub(crate) fn not_filterable(&self, path: &str) -> Error {
        if self.is_stored(path) {
            return Error::invalid(format!(
                "field {path:?} is stored but not filterable; mark it `filter` in the schema"
            ));
        }
        let paths = self.filter_paths();
        unknown_name("field", path, paths.iter().map(|path| path.path.as_str()))
    }

    /// Whether `path` leads to a value field.
    fn is_stored(&self, path: &str) -> bool {
        let mut fields = &self.values[..];
        let stored = path.split('.').try_for_each(|part| {
            fields = fields.iter().find(|field| field.name == part)?.ty.fields();
            Some(())
        });
        stored.is_some()
    }

    /// The names of all top-level fields.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> + Clone {
        core::iter::once(self.id.name.as_str())
            .chain(self.vectors.iter().map(|field| field.name.as_str()))
            .chain(self.values.iter().map(|field| field.name.as_str()))
    }

    /// Refuses to open data of schema `self` with schema `given`, naming the first difference.
    pub fn expect_same(&self, given: &Schema) -> Result<()> {
        if self == given {
            return Ok(());
        }
        let stored = self.to_json();
        let given = given.to_json();
        let names = stored.keys().chain(given.keys());
        let text =
            |field: Option<&serde_json::Value>| field.map_or("nothing".into(), |f| format!("{f}"));
        for name in names {
            let (old, new) = (stored.get(name), given.get(name));
            if old != new {
                return Err(Error::conflict(format!(
                    "field {name:?} is stored as {}, the schema given says {}",
                    text(old),
                    text(new)
                )));
            }
        }
        Err(Error::conflict("the schema given differs from the one stored"))
    }

    fn check(&self) -> Result<()> {
        check_name(&self.id.name)?;
        for field in &self.vectors {
            check_name(&field.name)?;
            field.check().map_err(|error| error.within(format!("field {:?}", field.name)))?;
        }
        let nested = count_and_check_values(&self.values, 1)?;
        limits::at_most(1 + self.vectors.len() + nested, limits::FIELDS_MAX, "number of fields")?;
        let mut names: Vec<&str> = self.names().collect();
        names.sort_unstable();
        if self.id.name != "id" && names.contains(&"id") {
            return Err(Error::invalid(format!(
                "the name \"id\" belongs to the id, which is {:?}; rename the other field",
                self.id.name
            )));
        }
        match names.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(Error::invalid(format!("field {:?} is there twice", pair[0]))),
            None => Ok(()),
        }
    }
}

impl VectorField {
    fn check(&self) -> Result<()> {
        if self.dim == 0 {
            return Err(Error::invalid("a vector needs at least 1 dimension"));
        }
        limits::at_most(self.dim, limits::DIM_MAX, "dimension")?;
        if self.index.m < 2 {
            return Err(Error::invalid(format!("m is {}, a graph needs at least 2", self.index.m)));
        }
        limits::at_most(self.index.m, limits::M_MAX, "m")?;
        if self.index.ef_construction == 0 || self.index.ef == Some(0) {
            return Err(Error::invalid("ef and ef_construction are at least 1"));
        }
        limits::at_most(self.index.ef_construction, limits::EF_MAX, "ef_construction")?;
        limits::at_most(self.index.ef.unwrap_or(1), limits::EF_MAX, "ef")
    }
}

impl FieldType {
    /// The fields of a nested struct, or of each in an array of them; none of a scalar.
    pub fn fields(&self) -> &[ValueField] {
        match self {
            Self::Object(fields) => fields,
            Self::Array(element) => element.fields(),
            _ => &[],
        }
    }

    /// What each value is: the element of an array, else the type itself.
    pub fn element(&self) -> &FieldType {
        match self {
            Self::Array(element) => element,
            ty => ty,
        }
    }
}

impl ValueField {
    fn check(&self) -> Result<()> {
        let element = self.ty.element();
        if matches!(element, FieldType::Array(_)) {
            return Err(Error::unsupported("an array holds no arrays; use type \"json\""));
        }
        if let FieldType::Enum(words) = element {
            check_words(words)?;
        }
        if self.filter && *element == FieldType::Json {
            return Err(Error::invalid("filters cannot ask about type \"json\""));
        }
        if self.text && *element != FieldType::Text {
            return Err(Error::invalid("only a \"string\" or \"string[]\" can be indexed as text"));
        }
        Ok(())
    }
}

fn check_words(words: &[String]) -> Result<()> {
    if words.is_empty() {
        return Err(Error::invalid("an enum needs at least 1 word"));
    }
    limits::at_most(words.len(), limits::ENUM_WORDS_MAX, "number of words of an enum")?;
    for (number, word) in words.iter().enumerate() {
        limits::at_most(word.len(), limits::FIELD_NAME_BYTES_MAX, "length of a word of an enum")?;
        if words[..number].contains(word) {
            return Err(Error::invalid(format!("the word {word:?} is there twice")));
        }
    }
    Ok(())
}

fn sort_fields(fields: &mut [ValueField]) {
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    for field in fields {
        let mut ty = &mut field.ty;
        while let FieldType::Array(element) = ty {
            ty = element;
        }
        if let FieldType::Object(nested) = ty {
            sort_fields(nested);
        }
    }
}

/// Checks `fields` and what is nested in them, and counts them.
fn count_and_check_values(fields: &[ValueField], depth: usize) -> Result<usize> {
    limits::at_most(depth, limits::DOCUMENT_DEPTH_MAX, "nesting of the schema")?;
    let mut count = fields.len();
    for field in fields {
        check_name(&field.name)?;
        field.check().map_err(|error| error.within(format!("field {:?}", field.name)))?;
        count += count_and_check_values(field.ty.fields(), depth + 1)?;
    }
    let mut names: Vec<&str> = fields.iter().map(|field| field.name.as_str()).collect();
    names.dedup();
    if names.len() < fields.len() {
        return Err(Error::invalid("two fields have the same name"));
    }
    Ok(count)
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.starts_with('$') || name.contains('.') || name.contains("__") {
        return Err(Error::invalid(format!(
            "{name:?} cannot name a field: names are not empty, do not begin with `$` and hold \
             neither `.` nor `__`, which filters use for nested fields"
        )));
    }
    limits::at_most(name.len(), limits::FIELD_NAME_BYTES_MAX, "length of a field name")
}

fn collect_filter_paths(
    fields: &[ValueField],
    prefix: &str,
    many: bool,
    paths: &mut Vec<FilterPath>,
) {
    for field in fields.iter().filter(|field| field.filter) {
        let path = format!("{prefix}{}", field.name);
        let (ty, many) = match &field.ty {
            FieldType::Array(element) => (&**element, true),
            ty => (ty, many),
        };
        match ty {
            FieldType::Object(nested) => {
                collect_filter_paths(nested, &format!("{path}."), many, paths);
            }
            scalar => paths.push(FilterPath { path, ty: scalar.clone(), many }),
        }
    }
}

fn collect_text_paths(fields: &[ValueField], prefix: &str, paths: &mut Vec<String>) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        if field.text {
            paths.push(path);
        } else {
            collect_text_paths(field.ty.fields(), &format!("{path}."), paths);
        }
    }
}

/// The error for a name that is none of the `known` ones, with the nearest of them:
/// `unknown field "prise"; did you mean "price"?`
pub fn unknown_name<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a str> + Clone,
) -> Error {
    let hint = match nearest(name, known.clone()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => {
            let known = join(known);
            if known.is_empty() { "there is none".into() } else { format!("there are {known}") }
        }
    };
    Error::invalid(format!("unknown {what} {:?}; {hint}", crate::value::shorten(name)))
}

fn join<'a>(names: impl Iterator<Item = &'a str>) -> String {
    names.collect::<Vec<_>>().join(", ")
}
