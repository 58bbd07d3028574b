//! `doc.scroll`: all documents that pass a filter, page by page in order of their ids.

use super::{Answer, Operation, answer::Page, include::include, params::Params, read};
use crate::{Catalog, limits::SCROLL_LIMIT_DEFAULT};
use vectordoc::{Database, Filter, Include, Result};

pub(super) struct DocScroll {
    pub(super) database: Database,
    pub(super) filter: Filter,
    /// Where the page before ended; the first page without it.
    pub(super) cursor: Option<String>,
    pub(super) limit: usize,
    pub(super) include: Include,
}

impl Operation for DocScroll {
    const METHOD: &'static str = "doc.scroll";
    const PARAMS: &'static [&'static str] = &["db", "filter", "cursor", "limit", "include"];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let include = include(params, database.schema())?;
        Ok(Self {
            database,
            filter: read::filter(params)?,
            cursor: params.optional("cursor")?,
            limit: params.optional("limit")?.unwrap_or(SCROLL_LIMIT_DEFAULT),
            include,
        })
    }

    fn run(self, _: &Catalog) -> Result<Answer> {
        let Self { database, filter, cursor, limit, include } = self;
        let page = database.scroll(&filter, cursor.as_deref(), limit, &include)?;
        Ok(Answer::Page(Page { database, docs: page.docs, cursor: page.cursor }))
    }
}
