//! The API described in OpenAPI 3.1, made of the tables that serve it: it cannot say anything else.

use super::{
    JSON,
    route::{ROUTES, Route},
};
use crate::{
    Name,
    operation::{DURABILITY, Field, Kind},
};
use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value as Json, json};
use std::sync::LazyLock;

static DOCUMENT: LazyLock<Vec<u8>> = LazyLock::new(|| {
    // A tree of strings and numbers can always be written.
    serde_json::to_vec_pretty(&document()).unwrap_or_default()
});

/// The description; everybody may read it.
pub(super) async fn answer() -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, JSON);
    (headers, DOCUMENT.as_slice()).into_response()
}

fn document() -> Json {
    let mut paths = Map::new();
    for route in &ROUTES {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.verb.as_str().to_ascii_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "vectordoc",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A vector database: documents described by a schema, found by what \
                they are near to. Every operation is the same over WebSocket and gRPC. Bodies are \
                JSON, or CBOR (RFC 8949) with vectors as typed arrays (RFC 8746); errors are \
                problem documents (RFC 9457) with a code.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"key": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas(),
            "responses": {"Problem": problem()},
        },
    })
}

/// What is at a route.
fn operation(route: &Route) -> Json {
    let method = route.method();
    let mut operation = json!({
        "operationId": operation_id(route),
        "summary": method.summary,
        "description": format!("`{}`, for keys of role {} and up.", method.name, method.role),
        "x-method": method.name,
        "x-role": method.role.name(),
        "tags": [method.name.split('.').next()],
        "parameters": parameters(route),
        "responses": responses(route),
    });
    if route.has_body() {
        operation["requestBody"] = request_body(route);
    }
    operation
}

fn operation_id(route: &Route) -> String {
    let name = route.method().name.replace('.', "_");
    let first = ROUTES.iter().find(|other| other.method().name == route.method().name);
    match first {
        Some(first) if std::ptr::eq(first, route) => name,
        _ => {
            let place = if route.names_document() { "one" } else { "many" };
            format!("{name}_{}_{place}", route.verb.as_str().to_ascii_lowercase())
        }
    }
}

fn parameters(route: &Route) -> Vec<Json> {
    let mut all = Vec::new();
    if route.path.contains("{db}") {
        all.push(path_parameter("db", &schema(Kind::Name), "The database."));
    }
    if route.names_document() {
        let text = json!({"type": "string", "minLength": 1});
        all.push(path_parameter("id", &text, "The id of the document."));
    }
    if !route.has_body() {
        all.extend(route.free_params().filter(|field| field.name != "if_version").map(by_query));
    }
    if route.takes_lines() {
        let mut durability = by_query(&DURABILITY);
        durability["description"] = "As in the body, for documents that come as lines.".into();
        all.push(durability);
    }
    all.extend(conditions(route));
    all
}

fn path_parameter(name: &str, schema: &Json, doc: &str) -> Json {
    json!({"name": name, "in": "path", "required": true, "schema": schema, "description": doc})
}

fn by_query(field: &Field) -> Json {
    let mut parameter = json!({
        "name": field.name,
        "in": "query",
        "required": field.is_required,
        "description": field.doc,
    });
    match field.kind {
        Kind::Include => {
            parameter["schema"] = json!({"type": "array", "items": {"type": "string"}});
            parameter["style"] = "form".into();
            parameter["explode"] = false.into();
        }
        Kind::Filter | Kind::Object(_) | Kind::List(_) => {
            parameter["content"] = json!({"application/json": {"schema": schema(field.kind)}});
        }
        kind => parameter["schema"] = schema(kind),
    }
    parameter
}

/// The headers that make a request depend on the version of its document.
fn conditions(route: &Route) -> Vec<Json> {
    let header = |name: &str, pattern: &str, doc: &str| {
        json!({
            "name": name,
            "in": "header",
            "schema": {"type": "string", "pattern": pattern},
            "description": doc,
        })
    };
    if has_condition(route) && route.names_document() {
        let doc = "The etag the document must have; 412 when it has another.";
        return vec![header("If-Match", "^\"[0-9]{1,19}\"$", doc)];
    }
    if route.names_document() {
        let doc = "An etag the client has the document of; 304 when it has not changed.";
        return vec![header("If-None-Match", "^\"[0-9]{1,19}\"$", doc)];
    }
    Vec::new()
}

fn has_condition(route: &Route) -> bool {
    route.method().params.iter().any(|field| field.name == "if_version")
}

fn request_body(route: &Route) -> Json {
    let fields: Vec<&Field> = route.free_params().collect();
    let schema = object(fields.iter().copied(), true);
    let mut content = json!({
        "application/json": {"schema": schema},
        "application/cbor": {"schema": schema},
    });
    if route.takes_lines() {
        content["application/x-ndjson"] = json!({
            "schema": {"type": "string"},
            "example": "{\"id\": \"a\", \"embedding\": [0.1, 0.2]}\n",
        });
    }
    json!({"required": fields.iter().any(|field| field.is_required), "content": content})
}

fn responses(route: &Route) -> Json {
    let schema = schema(route.method().result);
    let mut content = json!({
        "application/json": {"schema": schema},
        "application/cbor": {"schema": schema},
    });
    if route.takes_lines() {
        content["application/x-ndjson"] = json!({"schema": {"type": "string"}});
    }
    let mut responses = json!({
        "200": {"description": "It is done.", "content": content},
        "default": {"$ref": "#/components/responses/Problem"},
    });
    if route.names_document() {
        responses["200"]["headers"] = json!({"ETag": {
            "description": "The version of the document, when it is one.",
            "schema": {"type": "string"},
        }});
        if !has_condition(route) {
            responses["304"] = json!({"description": "It has not changed."});
        }
    }
    responses
}

fn problem() -> Json {
    json!({
        "description": "It is not done, and why.",
        "headers": {"Retry-After": {
            "description": "Seconds after which the same request may succeed.",
            "schema": {"type": "integer"},
        }},
        "content": {"application/problem+json": {
            "schema": {"$ref": "#/components/schemas/Problem"},
        }},
    })
}

/// What is the same everywhere, or too free to be described.
fn schemas() -> Json {
    let codes: Vec<_> = vectordoc::ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
    json!({
        "Document": {
            "type": "object",
            "description": "The fields of the schema, the id among them.",
        },
        "Schema": {
            "type": "object",
            "description": "The fields of documents by name: their types, and what is done with \
                them.",
            "example": {
                "id": "string",
                "embedding": {"vector": 384, "metric": "cosine"},
                "price": {"type": "number", "filter": true},
            },
        },
        "Filter": {
            "type": "object",
            "description": "Conditions by the paths of fields, all of which must hold: a value it \
                equals, or an object of operators. $and, $or and $not join filters.",
            "example": {"price": {"$lt": 20}, "tags": "new"},
        },
        "Include": {
            "description": "Names of fields, or \"*\" for all with the vectors.",
            "anyOf": [{"const": "*"}, {"type": "array", "items": {"type": "string"}}],
        },
        "Problem": {
            "type": "object",
            "required": ["type", "title", "status", "detail", "code"],
            "properties": {
                "type": {"type": "string"},
                "title": {"type": "string"},
                "status": {"type": "integer"},
                "detail": {"type": "string", "description": "What went wrong, for people."},
                "code": {"enum": codes, "description": "The kind of error, for programs."},
                "retry_after_ms": {"type": "integer"},
                "indexed": {
                    "type": "integer",
                    "description": "Documents that were written before, of those that came as \
                        lines.",
                },
            },
        },
    })
}

fn schema(kind: Kind) -> Json {
    let component = |name: &str| json!({"$ref": format!("#/components/schemas/{name}")});
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::OneOf(names) => json!({"enum": names}),
        Kind::Bool => json!({"type": "boolean"}),
        Kind::Count => json!({"type": "integer", "minimum": 0}),
        Kind::Number => json!({"type": "number"}),
        Kind::Name => {
            json!({"type": "string", "pattern": format!("^[a-z0-9_-]{{1,{}}}$", Name::BYTES_MAX)})
        }
        Kind::Id => json!({"type": ["string", "integer"]}),
        Kind::Vector => json!({"type": "array", "items": {"type": "number"}, "minItems": 1}),
        Kind::Value => json!({}),
        Kind::Document => component("Document"),
        Kind::Schema => component("Schema"),
        Kind::Filter => component("Filter"),
        Kind::Include => component("Include"),
        Kind::List(each) => json!({"type": "array", "items": schema(*each)}),
        Kind::Nullable(kind) => json!({"anyOf": [schema(*kind), {"type": "null"}]}),
        // An object without members is one whose members are the user's.
        Kind::Object([]) => json!({"type": "object"}),
        Kind::Object(fields) => object(fields, false),
        Kind::AnyOf(kinds) => {
            json!({"anyOf": kinds.iter().map(|kind| schema(*kind)).collect::<Vec<_>>()})
        }
    }
}

/// The schema of an object; `is_closed` when further members are refused.
fn object<'a>(fields: impl IntoIterator<Item = &'a Field>, is_closed: bool) -> Json {
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in fields {
        let mut property = schema(field.kind);
        property["description"] = field.doc.into();
        properties.insert(field.name.into(), property);
        if field.is_required {
            required.push(field.name);
        }
    }
    let mut object = json!({"type": "object", "required": required, "properties": properties});
    if is_closed {
        object["additionalProperties"] = false.into();
    }
    object
}
