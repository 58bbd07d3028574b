//! `doc.scroll`: all documents that pass a filter, page by page in order of their ids or of a
//! field.

use super::{
    Answer, Operation,
    answer::Page,
    include::include,
    params::Params,
    read,
    shape::{DB, DOCUMENTS, FILTER, Field, INCLUDE, Kind, READ, WARNINGS},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    limits::SCROLL_LIMIT_DEFAULT,
};
use vectordoc::{Database, Error, Order, Result, Scroll};

pub(super) struct DocScroll {
    pub(super) database: Database,
    pub(super) scroll: Scroll,
}

impl Operation for DocScroll {
    const METHOD: &'static str = "doc.scroll";
    const SUMMARY: &'static str = "Read all documents that pass a filter, page by page";
    const ROLE: Role = Role::Read;
    const PARAMS: &'static [Field] = &[
        DB,
        FILTER,
        READ,
        Field::optional("order_by", Kind::Text, "The field to sort by; by id without it."),
        Field::optional("descending", Kind::Bool, "Whether the greatest value comes first."),
        Field::optional("cursor", Kind::Text, "Where the page begins: what the page before said."),
        Field::optional("limit", Kind::Count, "Documents of the page; 100 without it."),
        INCLUDE,
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required("docs", DOCUMENTS, "In order."),
        Field::required(
            "cursor",
            Kind::Nullable(&Kind::Text),
            "Where the next page begins; null on the last.",
        ),
        WARNINGS,
    ]);

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::fresh(params, catalog)?;
        let scroll = Scroll {
            filter: read::filter(params)?,
            order: order(params)?,
            cursor: params.optional("cursor")?,
            limit: params.optional("limit")?.unwrap_or(SCROLL_LIMIT_DEFAULT),
            include: include(params, database.schema())?,
        };
        Ok(Self { database, scroll })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, scroll } = self;
        let page = database.scroll(&scroll)?;
        let warnings = database.warnings(&scroll.filter)?;
        Ok(Answer::Page(Page { database, docs: page.docs, cursor: page.cursor, warnings }))
    }
}

fn order(params: &Params<'_>) -> Result<Option<Order>> {
    match (params.optional("order_by")?, params.optional("descending")?) {
        (Some(field), descending) => {
            Ok(Some(Order { field, descending: descending.unwrap_or(false) }))
        }
        (None, Some::<bool>(_)) => {
            Err(Error::invalid("\"descending\" goes with \"order_by\", which is missing"))
        }
        (None, None) => Ok(None),
    }
}
