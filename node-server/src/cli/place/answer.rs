//! What a search found, in the form every place answers in.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use vectordoc::{Document, Error, Hit, Result, Schema, document::DocumentView};

/// The hits of one search, best first.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Answer {
    /// The documents found.
    pub(crate) hits: Vec<Found>,
    /// How they were found, when that was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) explain: Option<Json>,
    /// What makes it dearer or worse than it need be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) warnings: Vec<String>,
}

/// One document found.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Found {
    /// Its id: a string or a number.
    pub(crate) id: Json,
    /// Bigger is better.
    pub(crate) score: f32,
    /// The metric's own value.
    pub(crate) distance: f32,
    /// Its fields.
    pub(crate) doc: Map<String, Json>,
}

impl Found {
    /// The hit of a database with this schema.
    pub(crate) fn from_hit(schema: &Schema, hit: &Hit<Document>) -> Result<Self> {
        let internal = |error: serde_json::Error| Error::internal(error.to_string());
        let view = DocumentView { schema, document: &hit.doc };
        let doc = match serde_json::to_value(view).map_err(internal)? {
            Json::Object(fields) => fields,
            _ => Map::new(),
        };
        let id = serde_json::to_value(&hit.id).map_err(internal)?;
        Ok(Self { id, score: hit.score, distance: hit.distance, doc })
    }
}
