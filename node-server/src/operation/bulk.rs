//! Documents that come as a stream, written batch by batch.

use super::Operation;
use super::doc_index::DocIndex;
use crate::{Catalog, encoding::Raw, keys::Caller};
use vectordoc::{
    Database, Document, Error, Result,
    document::DocumentSeed,
    native::{Durability, WhenBusy},
};

/// A database that a stream of documents is written to.
#[derive(Clone)]
pub(crate) struct Bulk(Database);

impl Bulk {
    /// Writes to the database `db` for `caller`, each batch as `durability` says.
    pub(crate) fn open(
        db: &str,
        durability: Durability,
        caller: &Caller,
        catalog: &Catalog,
    ) -> Result<Self> {
        caller.check(DocIndex::ROLE, Some(db))?;
        // A stream waits its turn: who sends it is slowed down by not being read.
        Ok(Self(catalog.get(db)?.with_durability(durability).when_busy(WhenBusy::Wait)))
    }

    /// The document that `raw` is.
    pub(crate) fn read(&self, raw: Raw<'_>) -> Result<Document> {
        let seed = DocumentSeed(self.0.schema());
        raw.seeded(seed).map_err(|error| Error::invalid(error.to_string()))
    }

    /// Writes `documents`, all or none of a shard.
    pub(crate) fn write(&self, documents: Vec<Document>) -> Result<usize> {
        self.0.index(documents)
    }
}
