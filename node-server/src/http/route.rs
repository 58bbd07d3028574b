//! Which operation answers which request.

use crate::operation::{Field, Kind, Method};
use axum::http::Method as Verb;

/// A verb and a path, and what they ask for.
pub(super) struct Route {
    /// GET, PUT, POST, PATCH or DELETE.
    pub(super) verb: Verb,
    /// With `{db}` and `{id}` where they stand for something.
    pub(super) path: &'static str,
    /// The operation.
    name: &'static str,
}

/// The parameters that say which documents an operation is about. A path with an id says that.
const WHICH: [&str; 4] = ["id", "ids", "docs", "filter"];

pub(super) static ROUTES: &[Route] = &[
    Route::of(Verb::GET, "/v1/dbs", "db.list"),
    Route::of(Verb::PUT, "/v1/dbs/{db}", "db.create"),
    Route::of(Verb::GET, "/v1/dbs/{db}", "db.get"),
    Route::of(Verb::DELETE, "/v1/dbs/{db}", "db.drop"),
    Route::of(Verb::PATCH, "/v1/dbs/{db}", "db.configure"),
    Route::of(Verb::POST, "/v1/dbs/{db}/pause", "db.pause"),
    Route::of(Verb::POST, "/v1/dbs/{db}/resume", "db.resume"),
    Route::of(Verb::GET, "/v1/dbs/{db}/logs", "db.logs"),
    Route::of(Verb::POST, "/v1/dbs/{db}/reshard", "db.reshard"),
    Route::of(Verb::POST, "/v1/dbs/{db}/snapshot", "db.snapshot"),
    Route::of(Verb::POST, "/v1/dbs/{db}/snapshot/read", "db.snapshot.read"),
    Route::of(Verb::POST, "/v1/dbs/{db}/snapshot/close", "db.snapshot.close"),
    Route::of(Verb::POST, "/v1/dbs/{db}/restore", "db.restore"),
    Route::of(Verb::POST, "/v1/dbs/{db}/restore/write", "db.restore.write"),
    Route::of(Verb::POST, "/v1/dbs/{db}/restore/finish", "db.restore.finish"),
    Route::of(Verb::POST, "/v1/dbs/{db}/restore/close", "db.restore.close"),
    Route::of(Verb::POST, "/v1/dbs/{db}/docs", "doc.index"),
    Route::of(Verb::PUT, "/v1/dbs/{db}/docs", "doc.update"),
    Route::of(Verb::PATCH, "/v1/dbs/{db}/docs", "doc.patch"),
    Route::of(Verb::GET, "/v1/dbs/{db}/docs/{id}", "doc.get"),
    Route::of(Verb::PUT, "/v1/dbs/{db}/docs/{id}", "doc.update"),
    Route::of(Verb::PATCH, "/v1/dbs/{db}/docs/{id}", "doc.patch"),
    Route::of(Verb::DELETE, "/v1/dbs/{db}/docs/{id}", "doc.delete"),
    Route::of(Verb::POST, "/v1/dbs/{db}/get", "doc.get"),
    Route::of(Verb::POST, "/v1/dbs/{db}/delete", "doc.delete"),
    Route::of(Verb::POST, "/v1/dbs/{db}/search", "search"),
    Route::of(Verb::POST, "/v1/dbs/{db}/count", "doc.count"),
    Route::of(Verb::POST, "/v1/dbs/{db}/scroll", "doc.scroll"),
    Route::of(Verb::POST, "/v1/dbs/{db}/facet", "doc.facet"),
    Route::of(Verb::GET, "/v1/dbs/{db}/changes", "changes"),
    Route::of(Verb::POST, "/v1/dbs/{db}/changes", "changes"),
    Route::of(Verb::POST, "/v1/dbs/{db}/recall", "db.recall"),
    Route::of(Verb::GET, "/v1/cluster", "cluster.status"),
    Route::of(Verb::POST, "/v1/cluster/remove", "cluster.remove"),
];

impl Route {
    const fn of(verb: Verb, path: &'static str, name: &'static str) -> Self {
        Self { verb, path, name }
    }

    /// The operation.
    ///
    /// # Panics
    ///
    /// When there is none, which a test of this module excludes.
    pub(super) fn method(&self) -> &'static Method {
        Method::named(self.name).expect("every route has an operation")
    }

    /// Whether the path names a document.
    pub(super) fn names_document(&self) -> bool {
        self.path.ends_with("{id}")
    }

    /// Whether parameters come in a body; in the query string, if not.
    pub(super) fn has_body(&self) -> bool {
        [Verb::POST, Verb::PUT, Verb::PATCH].contains(&self.verb)
    }

    /// Whether documents may come as lines, one after the other.
    pub(super) fn takes_lines(&self) -> bool {
        self.name == "doc.index"
    }

    /// The parameter that the document of the path is.
    pub(super) fn id_param(&self) -> Option<&'static Field> {
        let is_id = |field: &&Field| matches!(field.kind, Kind::Id) && field.name == "id";
        let is_ids = |field: &&Field| field.name == "ids";
        let params = self.method().params;
        self.names_document()
            .then(|| params.iter().find(is_id).or_else(|| params.iter().find(is_ids)))
            .flatten()
    }

    /// The parameters that are not said by the path.
    pub(super) fn free_params(&self) -> impl Iterator<Item = &'static Field> {
        let by_path = |name| name == "db" || self.names_document() && WHICH.contains(&name);
        self.method().params.iter().filter(move |field| !by_path(field.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::METHODS;

    #[test]
    fn every_operation_has_a_route_and_every_route_an_operation() {
        for method in METHODS {
            let is_routed = ROUTES.iter().any(|route| route.name == method.name);
            assert!(is_routed, "{}", method.name);
        }
        for route in ROUTES {
            let method = route.method();
            assert_eq!(route.names_document(), route.id_param().is_some(), "{}", route.path);
            assert_eq!(
                route.path.contains("{db}"),
                method.params.iter().any(|field| field.name == "db"),
                "{}",
                route.path
            );
        }
    }
}
