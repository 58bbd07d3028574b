//! `doc.index`: documents inserted, or put in the place of those with the same id.

use super::{Answer, Operation, durability, params::Params, read};
use crate::{Catalog, work::Work};
use vectordoc::{Database, Document, Result};

pub(super) struct DocIndex {
    pub(super) database: Database,
    pub(super) docs: Vec<Document>,
}

impl Operation for DocIndex {
    const METHOD: &'static str = "doc.index";
    const PARAMS: &'static [&'static str] = &["db", "docs", "durability"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        durability::check(params)?;
        let database = read::database(params, catalog)?;
        let docs = read::documents(params, database.schema())?;
        Ok(Self { database, docs })
    }

    fn run(self, _: &Catalog) -> Result<Answer> {
        Ok(Answer::Indexed { indexed: self.database.index(self.docs)? })
    }
}
