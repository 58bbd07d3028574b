//! The options of a call. Which of them a call knows, the TypeScript says.

use crate::input::Input;
use vectordoc::{Error, Filter, Fusion, Include, Query, Result, TextQuery, Value};
use wasm_bindgen::prelude::*;

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
}

/// All that a search knows; `vector` is what it searches for, unless it is by text alone.
pub(crate) fn query(options: Option<Options>, vector: Option<Vec<f32>>) -> Result<Query> {
    let default = Query { vector, ..Query::new(Vec::new()) };
    let Some(options) = options else { return Ok(default) };
    let text = text_query(&options)?;
    Ok(Query {
        fusion: fusion(&options, text.is_some() && default.vector.is_some())?,
        text,
        limit: read("limit", options.limit(), whole_number)?.unwrap_or(default.limit),
        offset: read("offset", options.offset(), whole_number)?.unwrap_or(default.offset),
        filter: filter(Some(&options))?,
        include: include(Some(&options))?,
        field: read("field", options.field(), field_name)?,
        ef: read("ef", options.ef(), whole_number)?,
        exact: read("exact", options.exact(), boolean)?.unwrap_or(default.exact),
        min_score: read("minScore", options.min_score(), number)?,
        ..default
    })
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
