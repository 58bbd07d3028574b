//! `doc.update`: documents put in the place of those with the same id, which must be there.

use super::{Answer, Operation, durability, params::Params, read};
use crate::{Catalog, work::Work};
use vectordoc::{Database, Document, Error, Result, document::DocumentSeed};

pub(super) struct DocUpdate {
    pub(super) database: Database,
    pub(super) docs: Vec<Document>,
}

impl Operation for DocUpdate {
    const METHOD: &'static str = "doc.update";
    const PARAMS: &'static [&'static str] = &["db", "doc", "docs", "durability"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        durability::check(params)?;
        let database = read::database(params, catalog)?;
        let docs = match (params.has("doc"), params.has("docs")) {
            (true, false) => vec![params.seeded("doc", DocumentSeed(database.schema()))?],
            (false, true) => read::documents(params, database.schema())?,
            _ => return Err(Error::invalid("give either \"doc\" or \"docs\"")),
        };
        Ok(Self { database, docs })
    }

    fn run(self, _: &Catalog) -> Result<Answer> {
        Ok(Answer::Updated { updated: self.database.update(self.docs)? })
    }
}
