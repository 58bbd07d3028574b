//! `doc.update`: documents put in the place of those with the same id, which must be there.

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
use vectordoc::{
    Batch, Database, Document, Error, Result, Schema,
    document::{DocumentSeed, IdSeed},
};

pub(super) struct DocUpdate {
    pub(super) database: Database,
    pub(super) docs: Vec<Document>,
    /// The version that the one document must have.
    pub(super) version: Option<u64>,
}

impl Operation for DocUpdate {
    const METHOD: &'static str = "doc.update";
    const SUMMARY: &'static str = "Replace documents that are there";
    const ROLE: Role = Role::Write;
    const PARAMS: &'static [Field] = &[
        DB,
        Field::optional("id", Kind::Id, "The id that the one document has."),
        Field::optional("doc", Kind::Document, "The document; either this or docs."),
        Field::optional("docs", DOCUMENTS, "The documents."),
        IF_VERSION,
        DURABILITY,
    ];
    const RESULT: Kind = Kind::Object(&[
        Field::required("updated", Kind::Count, "How many documents were replaced."),
        VERSION_OF_ONE,
        WRITTEN,
    ]);
    const WORK: Work = Work::Commit;

    fn read(params: &Params<'_>, catalog: &Catalog) -> Result<Self> {
        let database = read::written(params, catalog)?;
        let docs = match (params.has("doc"), params.has("docs")) {
            (true, false) => vec![params.seeded("doc", DocumentSeed(database.schema()))?],
            (false, true) => read::documents(params, database.schema())?,
            _ => return Err(Error::invalid("give either \"doc\" or \"docs\"")),
        };
        check_id(params, database.schema(), &docs)?;
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

/// `invalid` when the parameter `id` is there and the documents are not the one with it.
fn check_id(params: &Params<'_>, schema: &Schema, docs: &[Document]) -> Result<()> {
    if !params.has("id") {
        return Ok(());
    }
    let id = params.seeded("id", IdSeed(schema.id().kind))?;
    match docs {
        [document] if document.id == id => Ok(()),
        [document] => Err(Error::invalid(format!(
            "the document has the id {}, and is to replace the one with the id {id}",
            document.id
        ))),
        _ => Err(Error::invalid("\"id\" goes with \"doc\"")),
    }
}
