//! The options of a call. Which of them a call knows, the TypeScript says.

use crate::input::Input;
use js_sys::Array;
use vectordoc::{
    Error, Examples, Filter, Fusion, GroupBy, Id, Include, Order, Query, Result, Scroll, TextQuery,
    Value, document::IdSeed, limits, schema::IdKind,
};
use wasm_bindgen::{JsCast, prelude::*};

/// What `include` says for all fields with the vectors.
const EVERYTHING: &str = "*";

#[wasm_bindgen]
extern "C" {
    /// An object of options, of plain values: getters that throw would pass by the engine.
    pub type Options;

    #[wasm_bindgen(method, getter)]
    fn limit(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn offset(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn filter(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn include(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn field(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn ef(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn exact(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = minScore)]
    fn min_score(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn text(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = textField)]
    fn text_field(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn fusion(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn unlike(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = groupBy)]
    fn group_by(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = groupSize)]
    fn group_size(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = orderBy)]
    fn order_by(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter)]
    fn descending(this: &Options) -> JsValue;
    #[wasm_bindgen(method, getter, js_name = ifVersion)]
    fn if_version(this: &Options) -> JsValue;
}

/// All that a search knows; `vector` is what it searches for, unless it is by text alone.
fn query(options: Option<&Options>, vector: Option<Vec<f32>>) -> Result<Query> {
    let default = Query { vector, ..Query::new(Vec::new()) };
    let limit = limit(options)?.unwrap_or(default.limit);
    let Some(options) = options else { return Ok(default) };
    let text = text_query(options)?;
    Ok(Query {
        fusion: fusion(options, text.is_some() && default.vector.is_some())?,
        text,
        limit,
        offset: read("offset", options.offset(), whole_number)?.unwrap_or(default.offset),
        filter: filter(Some(options))?,
        include: include(Some(options))?,
        field: read("field", options.field(), field_name)?,
        ef: read("ef", options.ef(), whole_number)?,
        exact: read("exact", options.exact(), boolean)?.unwrap_or(default.exact),
        min_score: read("minScore", options.min_score(), number)?,
        ..default
    })
}

/// What a search asks for; by text alone if `vector` is none.
pub(crate) fn search(vector: JsValue, options: Option<&Options>) -> Result<Query> {
    let is_given = !vector.is_undefined() && !vector.is_null();
    let vector = is_given.then(|| Input::new(vector).vector()).transpose()?;
    query(options, vector)
}

/// What a search by example asks for, with an empty vector in the place of that of the examples.
pub(crate) fn search_like(
    ids: Array,
    options: Option<&Options>,
    kind: IdKind,
) -> Result<(Query, Examples)> {
    let like = ids.into_iter().map(|id| Input::new(id).read(IdSeed(kind)));
    let like = like.collect::<Result<_>>()?;
    let unlike = unlike(options, kind)?;
    Ok((query(options, Some(Vec::new()))?, Examples { like, unlike }))
}

/// Which documents a facet counts, and how many values it returns.
pub(crate) fn facet(options: Option<&Options>) -> Result<(Filter, usize)> {
    /// Values of a facet that does not say how many.
    const VALUES: usize = 100;
    Ok((filter(options)?, limit(options)?.unwrap_or(VALUES)))
}

/// One page of a scroll.
pub(crate) fn scroll(cursor: Option<String>, options: Option<&Options>) -> Result<Scroll> {
    /// Documents of one page. Finding a page looks at every document that passes, so pages are
    /// large; and a document can be, so they are not huge.
    const PAGE_DOCUMENTS: usize = 1_000;
    const { assert!(PAGE_DOCUMENTS <= limits::SCROLL_LIMIT_MAX) };
    let (filter, include) = (filter(options)?, include(options)?);
    let order = order(options)?;
    Ok(Scroll { filter, include, order, cursor, ..Scroll::new(PAGE_DOCUMENTS) })
}

/// The words to look for, if there are any.
fn text_query(options: &Options) -> Result<Option<TextQuery>> {
    let field = read("textField", options.text_field(), field_name)?;
    match read("text", options.text(), words)? {
        Some(words) => Ok(Some(TextQuery { words, field })),
        None if field.is_some() => {
            Err(Error::invalid("textField says where text is, which is missing"))
        }
        None => Ok(None),
    }
}

/// How two lists become one, where there are two.
fn fusion(options: &Options, has_two: bool) -> Result<Fusion> {
    match read("fusion", options.fusion(), |fusion| Fusion::from_value(&fusion))? {
        Some(_) if !has_two => {
            Err(Error::invalid("fusion is for a search by vector and text, give both"))
        }
        fusion => Ok(fusion.unwrap_or_default()),
    }
}

/// The option `limit`.
fn limit(options: Option<&Options>) -> Result<Option<usize>> {
    options.map_or(Ok(None), |options| read("limit", options.limit(), whole_number))
}

/// The option `unlike`, one id or several; none without it.
fn unlike(options: Option<&Options>, kind: IdKind) -> Result<Vec<Id>> {
    let ids = options.map_or(JsValue::UNDEFINED, Options::unlike);
    let id = |id| Input::new(id).read(IdSeed(kind)).map_err(|error| error.within("unlike"));
    match ids.dyn_ref::<Array>() {
        Some(ids) => ids.iter().map(id).collect(),
        None if ids.is_undefined() || ids.is_null() => Ok(Vec::new()),
        None => Ok(vec![id(ids)?]),
    }
}

/// The options `groupBy` and `groupSize`.
pub(crate) fn group_by(options: Option<&Options>) -> Result<Option<GroupBy>> {
    /// Hits of each group when it is not said how many.
    const SIZE: usize = 1;
    let Some(options) = options else { return Ok(None) };
    let size = read("groupSize", options.group_size(), whole_number)?;
    match (read("groupBy", options.group_by(), field_name)?, size) {
        (Some(field), size) => Ok(Some(GroupBy { field, size: size.unwrap_or(SIZE) })),
        (None, Some(_)) => Err(Error::invalid("groupSize goes with groupBy, which is missing")),
        (None, None) => Ok(None),
    }
}

/// The options `orderBy` and `descending`.
fn order(options: Option<&Options>) -> Result<Option<Order>> {
    let Some(options) = options else { return Ok(None) };
    let descending = read("descending", options.descending(), boolean)?;
    match (read("orderBy", options.order_by(), field_name)?, descending) {
        (Some(field), descending) => {
            Ok(Some(Order { field, descending: descending.unwrap_or(false) }))
        }
        (None, Some(_)) => Err(Error::invalid("descending goes with orderBy, which is missing")),
        (None, None) => Ok(None),
    }
}

/// The option `ifVersion`.
pub(crate) fn if_version(options: Option<&Options>) -> Result<Option<u64>> {
    let Some(options) = options else { return Ok(None) };
    read("ifVersion", options.if_version(), |value| match value {
        Value::Int(version) if let Ok(version) = u64::try_from(version) => Ok(version),
        other => Err(wanted("a version, which is a whole number", &other)),
    })
}

/// The option `filter`; without it, every document passes.
pub(crate) fn filter(options: Option<&Options>) -> Result<Filter> {
    let filter = options.map_or(JsValue::UNDEFINED, Options::filter);
    read("filter", filter, |filter| Filter::from_value(&filter)).map(Option::unwrap_or_default)
}

/// The option `include`; without it, all values and no vectors.
pub(crate) fn include(options: Option<&Options>) -> Result<Include> {
    let include = options.map_or(JsValue::UNDEFINED, Options::include);
    read("include", include, included).map(Option::unwrap_or_default)
}

fn read<T>(name: &str, value: JsValue, read: fn(Value) -> Result<T>) -> Result<Option<T>> {
    if value.is_undefined() || value.is_null() {
        return Ok(None);
    }
    let value = Input::new(value).value().and_then(read);
    value.map(Some).map_err(|error| error.within(name))
}

fn included(value: Value) -> Result<Include> {
    match value {
        Value::Text(text) if text == EVERYTHING => Ok(Include::Everything),
        Value::Array(names) if names.is_empty() => Ok(Include::Nothing),
        Value::Array(names) => {
            names.into_iter().map(field_name).collect::<Result<_>>().map(Include::Fields)
        }
        other => Err(wanted(r#"an array of field names, or "*" for all"#, &other)),
    }
}

fn whole_number(value: Value) -> Result<usize> {
    match value {
        Value::Int(number) if let Ok(number) = usize::try_from(number) => Ok(number),
        other => Err(wanted("a whole number", &other)),
    }
}

fn number(value: Value) -> Result<f32> {
    match value {
        #[expect(clippy::cast_precision_loss, reason = "scores are f32")]
        Value::Int(number) => Ok(number as f32),
        #[expect(clippy::cast_possible_truncation, reason = "scores are f32")]
        Value::Float(number) => Ok(number as f32),
        other => Err(wanted("a number", &other)),
    }
}

fn field_name(value: Value) -> Result<String> {
    text(value, "the name of a field")
}

fn words(value: Value) -> Result<String> {
    text(value, "the words to look for")
}

fn text(value: Value, what: &str) -> Result<String> {
    match value {
        Value::Text(text) => Ok(text),
        other => Err(wanted(what, &other)),
    }
}

fn boolean(value: Value) -> Result<bool> {
    match value {
        Value::Bool(boolean) => Ok(boolean),
        other => Err(wanted("true or false", &other)),
    }
}

fn wanted(what: &str, value: &Value) -> Error {
    Error::invalid(format!("it is {what}, not {}", value.describe()))
}
