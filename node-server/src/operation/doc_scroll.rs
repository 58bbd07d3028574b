//! `doc.scroll`: all documents that pass a filter, page by page in order of their ids or of a
//! field.

use super::{Answer, Operation, answer::Page, include::include, params::Params, read};
use crate::{Catalog, limits::SCROLL_LIMIT_DEFAULT};
use vectordoc::{Database, Order, Result, Scroll};

pub(super) struct DocScroll {
    pub(super) database: Database,
    pub(super) scroll: Scroll,
}

impl Operation for DocScroll {
    const METHOD: &'static str = "doc.scroll";
    const PARAMS: &'static [&'static str] =
        &["db", "filter", "order_by", "descending", "cursor", "limit", "include"];

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::database(params, catalog)?;
        let descending = params.optional("descending")?.unwrap_or(false);
        let order = |field: String| Order { field, descending };
        let scroll = Scroll {
            filter: read::filter(params)?,
            order: params.optional("order_by")?.map(order),
            cursor: params.optional("cursor")?,
            limit: params.optional("limit")?.unwrap_or(SCROLL_LIMIT_DEFAULT),
            include: include(params, database.schema())?,
        };
        Ok(Self { database, scroll })
    }

    fn run(self, _: &Catalog) -> Result<Answer> {
        let Self { database, scroll } = self;
        let page = database.scroll(&scroll)?;
        Ok(Answer::Page(Page { database, docs: page.docs, cursor: page.cursor }))
    }
}
