//! Documents that come as a stream, written batch by batch.

use super::{Operation, doc_index::DocIndex};
use crate::{Catalog, encoding::Raw, keys::Caller, telemetry};
use vectordoc::{
    Database, Document, Error, Result,
    document::DocumentSeed,
    native::{Durability, WhenBusy},
};

/// A database that a stream of documents is written to.
#[derive(Clone)]
pub(crate) struct Bulk {
    name: String,
    database: Database,
}

impl Bulk {
    /// What each batch is, as a request.
    pub(crate) const METHOD: &'static str = DocIndex::METHOD;

    /// Writes to the database `db` for `caller`, each batch as `durability` says.
    pub(crate) fn open(
        db: &str,
        durability: Durability,
        caller: &Caller,
        catalog: &Catalog,
    ) -> Result<Self> {
        caller.check(DocIndex::ROLE, Some(db))?;
        // A stream waits its turn: who sends it is slowed down by not being read.
        let database = catalog.get(db)?.with_durability(durability).when_busy(WhenBusy::Wait);
        Ok(Self { name: db.to_owned(), database })
    }

    /// Writes `documents`, all or none of a shard, for `caller`, whose key may be another by now.
    pub(crate) fn write(&self, documents: Vec<Document>, caller: &Caller) -> Result<usize> {
        caller.check(DocIndex::ROLE, Some(&self.name))?;
        telemetry::about(&self.name);
        self.database.index(documents)
    }

    /// The document that `raw` is.
    pub(crate) fn read(&self, raw: Raw<'_>) -> Result<Document> {
        let seed = DocumentSeed(self.database.schema());
        raw.seeded(seed).map_err(|error| Error::invalid(error.to_string()))
    }
}
