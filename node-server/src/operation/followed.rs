//! `subscribe`: what a client follows, be it the changes of a database or the hits of a search.
//! Knows no transport, as the operations: who transports asks for the [`First`], then, whenever the
//! database says that something happened, for the [`News`].

use super::{
    Answer, Operation, Reason,
    answer::Changes as Changed,
    include::include,
    params::{Input, Params},
    read,
    search::Search,
    shape::{DB, FILTER, Field, INCLUDE, Kind},
};
use crate::{
    Catalog,
    encoding::Raw,
    keys::{Caller, Role},
};
use ring::digest::{SHA256, digest};
use serde::Serialize;
use std::borrow::Cow;
use vectordoc::{
    Database, Error, ErrorKind, Result,
    limits::{CHANGES_LIMIT_DEFAULT, CHANGES_LIMIT_MAX},
    native::{ChangeQuery, Subscription},
    query::Warning,
};

/// The parameters of `subscribe`.
const PARAMS: &[Field] = &[
    DB,
    Field::optional("since", Kind::Text, "The position to follow from; now without it."),
    Field::optional("limit", Kind::Count, "Changes of one notification; 1000 without it."),
    FILTER,
    INCLUDE,
    Field::optional("search", Kind::Object(&[]), "The params of the search to follow, instead."),
];

/// What a client follows.
pub(crate) struct Followed {
    /// The name of the database.
    db: String,
    database: Database,
    what: What,
}

enum What {
    Changes(ChangeQuery),
    /// A search, and a digest of what the client was told last, as it was written.
    Hits(Box<Search>, Vec<u8>),
}

/// What a subscription begins with.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum First {
    /// The position from which changes are told.
    Position {
        /// As `changes` gives it.
        cursor: String,
    },
    /// What the search finds now.
    Hits {
        /// The hits.
        #[serde(flatten)]
        answer: Box<Answer>,
        /// What to know about the search.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
}

/// What a client is told.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum News {
    /// Changes, and the position after them.
    Changes(Changed),
    /// Everything the search finds now.
    Hits(Answer),
    /// Changes were missed, as the database does not keep them any more. What follows is what
    /// changes from this position on: scroll after having heard of it, and nothing is missing.
    Lagged {
        /// The position.
        cursor: String,
        /// Why.
        error: Reason,
    },
}

impl News {
    /// The name of the notification.
    pub(crate) fn method(&self) -> &'static str {
        match self {
            Self::Changes(_) => "changes",
            Self::Hits(_) => "hits",
            Self::Lagged { .. } => "lagged",
        }
    }
}

impl Followed {
    /// What everyone who follows must be allowed to do.
    const ROLE: Role = Role::Read;

    /// Reads the params of `subscribe`, an object, for `caller`, who may have to be denied it.
    pub(crate) fn read(
        params: Option<Raw<'_>>,
        caller: &Caller,
        catalog: &Catalog,
    ) -> Result<Self> {
        let params = Params::parse(Input::from(params), PARAMS)?;
        let Some(search) = params.optional::<Raw<'_>>("search")? else {
            return Self::read_changes(&params, caller, catalog);
        };
        if let Some(other) =
            PARAMS.iter().map(|field| field.name).find(|name| *name != "search" && params.has(name))
        {
            return Err(Error::invalid(format!(
                "{other:?} stands beside \"search\": what is searched, and how, stands in it"
            )));
        }
        Self::read_search(Some(search), caller, catalog).map_err(|error| error.within("search"))
    }

    fn read_changes(params: &Params<'_>, caller: &Caller, catalog: &Catalog) -> Result<Self> {
        let db = allowed(params, caller)?;
        let database = catalog.get(&db)?;
        let query = ChangeQuery {
            since: params.optional("since")?,
            limit: params.optional("limit")?.unwrap_or(CHANGES_LIMIT_DEFAULT),
            filter: read::filter(params)?,
            include: include(params, database.schema())?,
        };
        Ok(Self { db, database, what: What::Changes(query) })
    }

    fn read_search(params: Option<Raw<'_>>, caller: &Caller, catalog: &Catalog) -> Result<Self> {
        let params = Params::parse(Input::from(params), Search::PARAMS)?;
        let db = allowed(&params, caller)?;
        let search = Search::read(&params, catalog)?;
        if search.explain {
            return Err(Error::invalid(
                "\"explain\" tells of one search; a subscription to one makes many",
            ));
        }
        let database = search.database.clone();
        Ok(Self { db, database, what: What::Hits(Box::new(search), Vec::new()) })
    }

    /// Whether `caller` still may.
    pub(crate) fn check(&self, caller: &Caller) -> Result<()> {
        caller.check(Self::ROLE, Some(&self.db))
    }

    /// Whether it is asked for again and again what is found, rather than told what happened.
    pub(crate) fn is_search(&self) -> bool {
        matches!(self.what, What::Hits(..))
    }

    /// Calls `listener` whenever there may be news: see [`Database::on_change`].
    pub(crate) fn on_change(
        &self,
        listener: impl Fn() + Send + Sync + 'static,
    ) -> Result<Subscription> {
        self.database.on_change(listener)
    }

    /// What the client is told first; `write` says how news are written for it. Blocks.
    pub(crate) fn first(&mut self, write: impl Fn(&News) -> Result<Vec<u8>>) -> Result<First> {
        match &mut self.what {
            What::Changes(query) => {
                // Is the position one of this database, and one it remembers?
                let limit = if query.limit > CHANGES_LIMIT_MAX { query.limit } else { 1 };
                let limit = limit.min(query.limit);
                let page = self.database.changes(&ChangeQuery { limit, ..query.clone() })?;
                let cursor = query.since.get_or_insert(page.cursor).clone();
                Ok(First::Position { cursor })
            }
            What::Hits(search, told) => {
                let (answer, warnings) = search.answer()?.without_warnings();
                let news = News::Hits(answer);
                *told = digest_of(&write(&news)?);
                let News::Hits(answer) = news else { return Err(Error::internal("no hits")) };
                Ok(First::Hits { answer: Box::new(answer), warnings })
            }
        }
    }

    /// What there is to tell now, written, and whether there is more; nothing when nothing
    /// happened. `not_found` when the database was dropped. Blocks.
    pub(crate) fn next(
        &mut self,
        catalog: &Catalog,
        write: impl Fn(&News) -> Result<Vec<u8>>,
    ) -> Result<Told> {
        let told = match &mut self.what {
            What::Changes(query) => next_changes(&self.database, query, write),
            What::Hits(search, told) => next_hits(search, told, write),
        };
        told.map_err(|error| self.end_of(error, catalog))
    }

    /// Why there is nothing more to follow.
    fn end_of(&self, error: Error, catalog: &Catalog) -> Error {
        if error.kind() != ErrorKind::Closed {
            return error;
        }
        match catalog.get(&self.db) {
            Err(gone) if gone.kind() == ErrorKind::NotFound => {
                Error::not_found(format!("the database {:?} was dropped", self.db))
            }
            _ => error,
        }
    }
}

/// The name of the database that `params` name, which `caller` may read.
fn allowed(params: &Params<'_>, caller: &Caller) -> Result<String> {
    let db = params.optional::<Cow<'_, str>>("db")?;
    caller.check(Followed::ROLE, db.as_deref())?;
    params.required("db")
}

/// News, if there are some.
#[derive(Default)]
pub(crate) struct Told {
    /// As they are written.
    pub(crate) bytes: Option<Vec<u8>>,
    /// Whether there are more at once.
    pub(crate) has_more: bool,
}

fn next_changes(
    database: &Database,
    query: &mut ChangeQuery,
    write: impl Fn(&News) -> Result<Vec<u8>>,
) -> Result<Told> {
    let mut limit = query.limit;
    loop {
        let page = match database.changes(&ChangeQuery { limit, ..query.clone() }) {
            Err(error) if error.kind() == ErrorKind::Conflict => {
                return lag(database, query, &error, write);
            }
            page => page?,
        };
        let (cursor, has_more, changes) = (page.cursor.clone(), page.has_more, page.changes.len());
        if changes == 0 {
            query.since = Some(cursor);
            return Ok(Told { bytes: None, has_more });
        }
        match write(&News::Changes(Changed { database: database.clone(), page })) {
            // Documents can be longer as they are written than as they are stored.
            Err(error) if error.kind() == ErrorKind::LimitExceeded && changes > 1 => {
                limit = changes / 2;
            }
            written => {
                query.since = Some(cursor);
                return Ok(Told { bytes: Some(written?), has_more });
            }
        }
    }
}

/// The database forgot what comes next: says so, and goes on from now.
fn lag(
    database: &Database,
    query: &mut ChangeQuery,
    error: &Error,
    write: impl Fn(&News) -> Result<Vec<u8>>,
) -> Result<Told> {
    let now = database.changes(&ChangeQuery { since: None, ..query.clone() })?;
    let bytes = write(&News::Lagged { cursor: now.cursor.clone(), error: Reason::of(error) })?;
    query.since = Some(now.cursor);
    Ok(Told { bytes: Some(bytes), has_more: true })
}

fn next_hits(
    search: &Search,
    told: &mut Vec<u8>,
    write: impl Fn(&News) -> Result<Vec<u8>>,
) -> Result<Told> {
    // What they say of costs changes with every write.
    let (answer, _) = search.answer()?.without_warnings();
    let bytes = write(&News::Hits(answer))?;
    let digest = digest_of(&bytes);
    if digest == *told {
        return Ok(Told::default());
    }
    *told = digest;
    Ok(Told { bytes: Some(bytes), has_more: false })
}

fn digest_of(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}
