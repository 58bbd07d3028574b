//! `doc.update`: documents put in the place of those with the same id, which must be there.

use super::{Answer, Operation, condition, params::Params, read};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::{Batch, Database, Document, Error, Result, document::DocumentSeed};

pub(super) struct DocUpdate {
    pub(super) database: Database,
    pub(super) docs: Vec<Document>,
    /// The version that the one document must have.
    pub(super) version: Option<u64>,
}

impl Operation for DocUpdate {
    const METHOD: &'static str = "doc.update";
    const ROLE: Role = Role::Write;
    const PARAMS: &'static [&'static str] = &["db", "doc", "docs", "if_version", "durability"];
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::written(params, catalog)?;
        let docs = match (params.has("doc"), params.has("docs")) {
            (true, false) => vec![params.seeded("doc", DocumentSeed(database.schema()))?],
            (false, true) => read::documents(params, database.schema())?,
            _ => return Err(Error::invalid("give either \"doc\" or \"docs\"")),
        };
        let version = condition::version(params)?;
        if version.is_some() && docs.len() != 1 {
            return Err(condition::about_one("\"doc\""));
        }
        Ok(Self { database, docs, version })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, docs, version } = self;
        let durability = database.durability().name();
        if let [document] = &docs[..] {
            let id = document.id.clone();
            let outcome = condition::change(&database, &id, Batch::update(docs), version)?;
            return Ok(Answer::Updated { updated: 1, version: Some(outcome.version), durability });
        }
        Ok(Answer::Updated { updated: database.update(docs)?, version: None, durability })
    }
}
