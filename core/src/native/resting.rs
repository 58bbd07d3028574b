//! What there is to know of a database at rest: a file beside its shards, which is there from when
//! the database was put to rest until it is opened.

use super::{
    Database,
    directory::{Directory, failed},
};
use crate::{Result, Schema};
use serde_json::{Value as Json, json};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
    sync::Arc,
};

/// What is known of a database at rest.
const RESTING_FILE: &str = "resting.json";
/// The same while it is written.
const RESTING_TEMPORARY: &str = "resting.json.new";
/// Bytes of that file at most: those of the largest schema, and some numbers.
const RESTING_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A database that nobody has open, as it was when it was [put to rest](Database::rest).
#[derive(Clone, Debug, PartialEq)]
pub struct Resting {
    /// The shape of its documents.
    pub schema: Schema,
    /// How many shards its documents are spread over.
    pub shards: usize,
    /// Documents there are.
    pub documents: u64,
    /// Vectors that wait for an index, which is built once the database is opened.
    pub unindexed: u64,
}

impl Database {
    /// Whether nobody but who asks has this database: no other clone of this handle, nobody who
    /// [follows](Self::on_change) it or reads a [snapshot](Self::snapshot), and no
    /// [resharding](Self::reshard). Who alone hands out clones can then put it to rest.
    pub fn is_unused(&self) -> bool {
        let inner = &self.inner;
        Arc::strong_count(inner) == 1
            && !inner.announcer.is_heard()
            && Arc::strong_count(&inner.reading) == 1
            && self.resharding().is_none()
    }

    /// Stores all that was acknowledged, also of durability `memory`, then [closes](Self::close) the
    /// database and leaves a note of what it holds, so that [`resting`](Self::resting) can tell
    /// without opening it. When something cannot be stored, that is the error, and the database
    /// stays open.
    pub fn rest(&self) -> Result<()> {
        self.check_open()?;
        self.shards_now().iter().try_for_each(|shard| shard.flush())?;
        let stats = self.stats();
        // Everything is stored: a checkpoint that fails is made up for when the database is opened.
        let _ = self.close();
        let Some(directory) = &self.inner.directory else { return Ok(()) };
        let note = json!({
            "schema": self.schema().to_json(),
            "shards": stats.shards,
            "documents": stats.documents,
            "unindexed": stats.unindexed,
        });
        // Without a note the database is opened by who wants to know.
        let _ = directory.note_resting(&note);
        Ok(())
    }

    /// What is in the database in directory `path` of the operating system, which is not opened; `None` when nobody noted
    /// that, as it was not [put to rest](Self::rest) or was opened since.
    pub fn resting(path: impl AsRef<Path>) -> Result<Option<Resting>> {
        let path = path.as_ref().join(RESTING_FILE);
        let mut text = String::new();
        let read = File::open(&path)
            .and_then(|file| file.take(RESTING_BYTES_MAX).read_to_string(&mut text));
        match read {
            // A note that is torn is none.
            Ok(_) => Ok(Resting::read(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => Ok(None),
            Err(error) => Err(failed(path.display(), &error)),
        }
    }
}

impl Resting {
    fn read(text: &str) -> Option<Self> {
        let note: Json = serde_json::from_str(text).ok()?;
        Some(Self {
            schema: Schema::from_json(&note["schema"]).ok()?,
            shards: usize::try_from(note["shards"].as_u64()?).ok()?,
            documents: note["documents"].as_u64()?,
            unindexed: note["unindexed"].as_u64()?,
        })
    }
}

impl Directory {
    /// Notes what the database has that was just closed. The note is no part of the database: it
    /// may be lost.
    fn note_resting(&self, note: &Json) -> Result<()> {
        let (temporary, path) =
            (self.path().join(RESTING_TEMPORARY), self.path().join(RESTING_FILE));
        self.write(&temporary, note.to_string().as_bytes(), false)?;
        self.rename(&temporary, &path)
    }

    /// Removes the note, before the database is changed: what is synced next is synced with it.
    pub(super) fn forget_resting(&self) -> Result<()> {
        let names = [RESTING_TEMPORARY, RESTING_FILE];
        names.iter().try_for_each(|name| self.remove(&self.path().join(name)))
    }
}
