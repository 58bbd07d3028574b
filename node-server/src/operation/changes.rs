//! `changes`: what happened to documents since a position, or the position there is now.

use super::{
    Answer, Operation,
    answer::Changes as Changed,
    include::include,
    params::Params,
    read,
    shape::{DB, FILTER, Field, INCLUDE, Kind, VERSION},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
};
use vectordoc::{Database, Result, limits::CHANGES_LIMIT_DEFAULT, native::ChangeQuery};

pub(super) struct Changes {
    pub(super) database: Database,
    pub(super) query: ChangeQuery,
}

/// What happened to one document.
const CHANGE: Kind = Kind::Object(&[
    Field::required(
        "op",
        Kind::OneOf(&["index", "delete", "leave"]),
        "Written, deleted, or written and not passing the filter.",
    ),
    Field::optional("doc", Kind::Document, "The document, when it was written."),
    Field::optional("id", Kind::Id, "Its id, when there is no document."),
    VERSION,
]);

impl Operation for Changes {
    const METHOD: &'static str = "changes";
    const SUMMARY: &'static str = "Read what happened to documents since a position";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional(
            "since",
            Kind::Text,
            "The position: the cursor of the answer before. Without it, the answer is where the database is now.",
        ),
        Field::optional("limit", Kind::Count, "Changes of the answer; 1000 without it."),
        FILTER,
        INCLUDE,
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required(
            "changes",
            Kind::List(&CHANGE),
            "In the order they happened to each document.",
        ),
        Field::required("cursor", Kind::Text, "Where to go on."),
        Field::required("has_more", Kind::Bool, "Whether there are more already."),
    ]);

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let query = ChangeQuery {
            since: params.optional("since")?,
            limit: params.optional("limit")?.unwrap_or(CHANGES_LIMIT_DEFAULT),
            filter: read::filter(params)?,
            include: include(params, database.schema())?,
        };
        Ok(Self { database, query })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, query } = self;
        let page = database.changes(&query)?;
        Ok(Answer::Changes(Changed { database, page }))
    }
}
