//! HTTP as its description says: which request each operation is, and what its answer looks like.

use super::http::{Answer, Http};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use vectordoc::Result;

/// A server's HTTP with what `/openapi.json` says of it.
pub(crate) struct Described {
    http: Http,
    description: Json,
}

impl Described {
    /// What `http` describes.
    pub(crate) async fn of(http: Http) -> Result<Self> {
        let description = http.ask("GET", "/openapi.json", Json::Null).await?.result();
        Ok(Self { http, description })
    }

    /// Every route: verb, path, and the operation there.
    fn routes(&self) -> impl Iterator<Item = (String, &str, &Json)> {
        let paths = self.description["paths"].as_object().expect("paths").iter();
        paths.flat_map(|(path, verbs)| {
            let verbs = verbs.as_object().expect("verbs").iter();
            verbs.map(move |(verb, operation)| (verb.to_uppercase(), path.as_str(), operation))
        })
    }

    /// Every operation.
    pub(crate) fn methods(&self) -> BTreeSet<&str> {
        self.routes().filter_map(|(_, _, operation)| operation["x-method"].as_str()).collect()
    }

    /// The weakest role that may do `method`.
    pub(crate) fn role(&self, method: &str) -> &str {
        let mut routes = self.routes();
        let route = routes.find(|(_, _, operation)| operation["x-method"] == method);
        let role = route.and_then(|(_, _, operation)| operation["x-role"].as_str());
        role.unwrap_or_else(|| panic!("{method} has no role"))
    }

    /// Asks for `method` by the first route that `params` can go; what it is answered with, and the
    /// JSON Schema of that.
    pub(crate) async fn ask(&self, method: &str, params: &Json) -> Result<(Answer, Json)> {
        let id = &params["id"];
        let fits = |path: &str| path.contains("{id}") == id.is_string();
        let (verb, path, operation) = self
            .routes()
            .find(|(_, path, operation)| operation["x-method"] == method && fits(path))
            .unwrap_or_else(|| panic!("{method} has no route"));
        let mut free = params.as_object().expect("params").clone();
        let mut path = path.to_owned();
        for name in ["db", "id"] {
            if path.contains(&format!("{{{name}}}")) {
                let value = free.remove(name).unwrap_or_default();
                path = path.replace(&format!("{{{name}}}"), value.as_str().expect("text"));
            }
        }
        let has_body = !operation["requestBody"].is_null();
        let body = if has_body {
            json!(free)
        } else {
            let text = |value: &Json| value.as_str().map_or(value.to_string(), str::to_owned);
            let query: Vec<_> =
                free.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
            path = format!("{path}?{}", query.join("&"));
            Json::Null
        };
        let answer = self.http.ask(&verb, &path, body).await?;
        let described = match &operation["responses"][answer.status.to_string()] {
            Json::Null => &self.description["components"]["responses"]["Problem"],
            described => described,
        };
        let content_type = answer.header("content-type");
        let mut schema = described["content"][content_type]["schema"].clone();
        assert!(!schema.is_null(), "{method} {params}: {content_type} is not described");
        schema["components"] = self.description["components"].clone();
        Ok((answer, schema))
    }
}
