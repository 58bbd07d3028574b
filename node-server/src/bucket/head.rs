//! What a bucket says of one database: one small object that is only ever replaced on the condition
//! that it is as it was read, so that of several nodes one gets its way.

use super::Note;
use crate::{Name, Serving};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use vectordoc::{Error, Result, Schema, native::Resting};

/// The format this build writes and reads.
const FORMAT: u32 = 1;

/// What is known of one database of a bucket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Head {
    pub(super) format: u32,
    /// Random: a database that is dropped and created anew is another one.
    pub(super) id: String,
    /// Counts the leases, but for those by which a node goes on with what it had. Only the node that
    /// has, or had last, the lease of an epoch writes in that epoch.
    pub(super) epoch: u64,
    /// Who may have it in memory; nobody has when it rests.
    pub(super) lease: Option<Lease>,
    /// How it is served, as of the last upload.
    pub(super) serving: Serving,
    /// What it holds, as of the last upload.
    pub(super) holds: Option<Holds>,
    /// Where its files are, as of the last upload.
    pub(super) contents: Option<Contents>,
    /// It was dropped, and its objects are being deleted.
    pub(super) is_dropped: bool,
}

/// The right to have a database in memory, until some moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Lease {
    /// The node that has it.
    pub(super) node: String,
    /// What that is called.
    pub(super) node_name: String,
    /// Which run of that node.
    pub(super) session: String,
    /// Since when, in milliseconds since 1970.
    pub(super) since_ms: u64,
    /// Until when it is renewed.
    pub(super) until_ms: u64,
    /// Whether there may be writes that are on the disk of that node only.
    pub(super) written: bool,
}

/// What a database holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Holds {
    schema: Json,
    shards: usize,
    documents: u64,
    unindexed: u64,
}

/// An object that lists the parts of the files, and the sum of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contents {
    pub(super) object: String,
    pub(super) sha256: String,
    /// Bytes of the files.
    pub(super) bytes: u64,
}

impl Head {
    /// Of a database of which nothing is uploaded yet.
    pub(super) fn new(id: String, serving: Serving, lease: Lease) -> Self {
        Self {
            format: FORMAT,
            id,
            epoch: 1,
            lease: Some(lease),
            serving,
            holds: None,
            contents: None,
            is_dropped: false,
        }
    }

    /// Reads one; `corrupt` or `unsupported` when it is none of this format.
    pub(super) fn read(name: &Name, bytes: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let broken = |error: serde_json::Error| {
            Error::corrupt(format!("the head of {name} in the bucket cannot be read: {error}"))
        };
        let Format { format } = serde_json::from_slice(bytes).map_err(broken)?;
        if format != FORMAT {
            return Err(Error::unsupported(format!(
                "the head of {name} in the bucket has format {format}, this build reads {FORMAT}; \
                 use a newer build"
            )));
        }
        serde_json::from_slice(bytes).map_err(broken)
    }

    /// As bytes.
    pub(super) fn write(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::internal(error.to_string()))
    }

    /// What it held when it was uploaded last; `None` before the first time.
    pub(crate) fn resting(&self) -> Result<Option<Resting>> {
        let Some(Holds { schema, shards, documents, unindexed }) = &self.holds else {
            return Ok(None);
        };
        let schema = Schema::from_json(schema)?;
        Ok(Some(Resting { schema, shards: *shards, documents: *documents, unindexed: *unindexed }))
    }

    /// How it is served.
    pub(crate) fn serving(&self) -> Serving {
        self.serving
    }

    /// What the node is called that has it, if another one than `node` has.
    pub(crate) fn holder_but(&self, node: &str) -> Option<&str> {
        let lease = self.lease.as_ref().filter(|lease| lease.node != node)?;
        Some(&lease.node_name)
    }

    /// Whether `node` has it.
    pub(crate) fn is_held_by(&self, node: &str) -> bool {
        self.lease.as_ref().is_some_and(|lease| lease.node == node)
    }

    /// What `node` would have noted of its files if it had come to that, when it is the one that
    /// created it and nothing was uploaded since: then nobody else has any.
    pub(crate) fn note_of_creator(&self, node: &str) -> Option<Note> {
        let lease = self.lease.as_ref().filter(|lease| lease.node == node)?;
        let note = Note {
            id: self.id.clone(),
            epoch: self.epoch,
            contents: None,
            written: lease.written,
            is_leased: true,
        };
        self.contents.is_none().then_some(note)
    }
}

impl From<Resting> for Holds {
    fn from(resting: Resting) -> Self {
        let Resting { schema, shards, documents, unindexed } = resting;
        Self { schema: Json::Object(schema.to_json()), shards, documents, unindexed }
    }
}
