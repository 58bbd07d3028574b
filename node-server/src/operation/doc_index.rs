//! `doc.index`: documents inserted, or put in the place of those with the same id.

use super::{
    Answer, Operation, condition,
    params::Params,
    read,
    shape::{DB, DOCUMENTS, DURABILITY, Field, IF_VERSION, Kind, VERSION_OF_ONE, WRITTEN},
};
use crate::{
    Catalog,
    keys::{Caller, Role},
    work::Work,
};
use vectordoc::{Batch, Database, Document, Result};

pub(super) struct DocIndex {
    pub(super) database: Database,
    pub(super) docs: Vec<Document>,
    /// The version that the one document must have.
    pub(super) version: Option<u64>,
}

impl Operation for DocIndex {
    const METHOD: &'static str = "doc.index";
    const SUMMARY: &'static str = "Insert documents, or replace those with the same id";
    const ROLE: Role = Role::Write;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::required("docs", DOCUMENTS, "The documents; all or none of a shard are written."),
        IF_VERSION,
        DURABILITY,
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required("indexed", Kind::Count, "How many documents were written."),
        VERSION_OF_ONE,
        WRITTEN,
    ]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::written(params, catalog)?;
        let docs = read::documents(params, database.schema())?;
        let version = condition::version(params)?;
        if version.is_some() && docs.len() != 1 {
            return Err(condition::about_one("\"docs\" of one element"));
        }
        Ok(Self { database, docs, version })
    }

    fn run(self, _: &Caller, _: &Catalog) -> Result<Answer> {
        let Self { database, docs, version } = self;
        let durability = database.durability().name();
        if let [document] = &docs[..] {
            let id = document.id.clone();
            let outcome = condition::change(&database, &id, Batch::index(docs), version)?;
            return Ok(Answer::Indexed { indexed: 1, version: Some(outcome.version), durability });
        }
        Ok(Answer::Indexed { indexed: database.index(docs)?, version: None, durability })
    }
}
