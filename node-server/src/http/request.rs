//! From an HTTP request to the input of an operation.

use super::{condition::Condition, route::Route};
use crate::{
    Catalog,
    encoding::{Encoding, Raw},
    keys::Caller,
    operation::{Answer, Field, Input, Kind},
    work::Work,
};
use axum::{body::Bytes, extract::RawPathParams};
use vectordoc::{
    Error, Result,
    schema::{IdKind, unknown_name},
};

/// What the path says.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The database.
    pub(super) db: Option<String>,
    /// The document, as text.
    pub(super) id: Option<String>,
}

impl Place {
    /// Reads the parameters of a path.
    pub(super) fn of(params: &RawPathParams) -> Self {
        let of = |wanted: &str| {
            let found = params.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_owned())
        };
        Self { db: of("db"), id: of("id") }
    }
}

/// A request whose bytes are all there.
pub(super) struct Asked {
    pub(super) route: &'static Route,
    pub(super) place: Place,
    /// Parameters of the query string, as JSON.
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) condition: Condition,
    pub(super) body: Option<(Encoding, Bytes)>,
}

impl Asked {
    /// What running it spends its time on. Of a document that the path names, only running it can
    /// tell the id.
    pub(super) fn work(&self, catalog: &Catalog) -> Work {
        let method = self.route.method();
        if self.place.id.is_some() {
            return method.work;
        }
        match (self.named(catalog), self.object()) {
            (Ok(named), object) => method.work_with(input(object, &named), catalog),
            (Err(_), _) => method.work,
        }
    }

    /// Runs it for `caller`. Blocks.
    pub(super) fn run(&self, caller: &Caller, catalog: &Catalog) -> Result<Answer> {
        let named = self.named(catalog)?;
        let object =
            self.body.as_ref().map(|(encoding, bytes)| raw(*encoding, bytes)).transpose()?;
        self.route.method().call(input(object, &named), caller, catalog)
    }

    /// The parameters in the body, if they can be read.
    pub(super) fn object(&self) -> Option<Raw<'_>> {
        let (encoding, bytes) = self.body.as_ref()?;
        raw(*encoding, bytes).ok()
    }

    /// The parameters that are not in the body, as JSON.
    fn named(&self, catalog: &Catalog) -> Result<Vec<(&'static str, String)>> {
        let mut named = self.query.clone();
        let Some(db) = &self.place.db else {
            return Ok(named);
        };
        named.push(("db", json_text(db)));
        if let (Some(id), Some(field)) = (&self.place.id, self.route.id_param()) {
            let id = json_id(id, catalog.get(db)?.schema().id().kind)?;
            let is_list = matches!(field.kind, Kind::List(_));
            named.push((field.name, if is_list { format!("[{id}]") } else { id }));
        }
        if let Some(version) = self.condition.version {
            if !self.route.method().params.iter().any(|field| field.name == "if_version") {
                self.condition.expect_none()?;
            }
            named.push(("if_version", version.to_string()));
        }
        Ok(named)
    }
}

/// An operation's input from the body's object and what is said elsewhere.
fn input<'a>(object: Option<Raw<'a>>, named: &'a [(&'static str, String)]) -> Input<'a> {
    let named = named.iter().map(|(name, json)| (*name, Raw::Json(json))).collect();
    Input { object, named }
}

fn raw(encoding: Encoding, bytes: &[u8]) -> Result<Raw<'_>> {
    match encoding {
        Encoding::Cbor => Ok(Raw::Cbor(bytes)),
        Encoding::Json => {
            let text = std::str::from_utf8(bytes);
            text.map(Raw::Json).map_err(|_| Error::invalid("the body is not UTF-8, as JSON is"))
        }
    }
}

/// The id that `text` is in a path.
fn json_id(text: &str, kind: IdKind) -> Result<String> {
    match kind {
        IdKind::Text | IdKind::Uuid => Ok(json_text(text)),
        IdKind::Int => {
            let id = text.parse::<u64>().map_err(|_| {
                Error::invalid(format!(
                    "{text:?} is no id: those of this database are whole numbers"
                ))
            });
            id.map(|id| id.to_string())
        }
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Reads a query string: strings as they are, anything else as JSON.
pub(super) fn query(text: &str, known: &[&'static Field]) -> Result<Vec<(&'static str, String)>> {
    let mut params: Vec<(&'static str, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(text.as_bytes()) {
        let names = known.iter().map(|field| field.name);
        let Some(field) = known.iter().find(|field| field.name == name) else {
            return Err(unknown_name("parameter", &name, names));
        };
        if params.iter().any(|(given, _)| *given == name) {
            return Err(Error::invalid(format!("parameter {name:?} is there twice")));
        }
        params.push((field.name, json_of(field.kind, &value)));
    }
    Ok(params)
}

/// What `text` of a query string stands for, as JSON.
fn json_of(kind: Kind, text: &str) -> String {
    let is_json = |text: &str| serde_json::from_str::<&serde_json::value::RawValue>(text).is_ok();
    match kind {
        Kind::Include if text != "*" && !is_json(text) => {
            let fields: Vec<&str> = text.split(',').filter(|field| !field.is_empty()).collect();
            serde_json::Value::from(fields).to_string()
        }
        Kind::Text | Kind::OneOf(_) | Kind::Name => json_text(text),
        // What is no JSON is a string of the wrong kind, which the operation says better.
        _ if is_json(text) => text.to_owned(),
        _ => json_text(text),
    }
}
