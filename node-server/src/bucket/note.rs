//! What a node knows of the files of a database that rests in a bucket: a file beside them.

use super::head::Contents;
use crate::{disk::replace, fault};
use serde::{Deserialize, Serialize};
use std::{
    fs::File,
    io::{self, Read},
    path::Path,
};
use vectordoc::{Error, Result};

const NOTE_FILE: &str = "bucket.json";
/// Bytes of that file at most.
const NOTE_BYTES_MAX: u64 = 64 * 1024;

/// What the files are. They are those of no bucket where there is no note.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Note {
    /// Of the database.
    pub(super) id: String,
    /// The lease they were last used under.
    pub(super) epoch: u64,
    /// The upload they began as.
    pub(super) contents: Option<Contents>,
    /// Whether something may have been written to them since.
    pub(super) written: bool,
    /// Whether that lease was not given back.
    pub(super) is_leased: bool,
}

impl Note {
    /// What is noted in the directory of a database.
    pub(crate) fn read(directory: &Path) -> Result<Option<Self>> {
        let path = directory.join(NOTE_FILE);
        let mut text = String::new();
        let read =
            File::open(&path).and_then(|file| file.take(NOTE_BYTES_MAX).read_to_string(&mut text));
        match read {
            Ok(_) => serde_json::from_str(&text).map(Some).map_err(|error| {
                Error::corrupt(format!(
                    "{} does not say what is in the bucket: {error}; move the directory of the \
                     database away, and it is fetched again",
                    path.display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(fault::os("cannot read", path.display(), &error)),
        }
    }

    /// Keeps it there; a crash leaves what was kept before, or this.
    pub(super) fn write(&self, directory: &Path) -> Result<()> {
        let text = serde_json::to_string(self).map_err(|e| Error::internal(e.to_string()))?;
        replace(directory, NOTE_FILE, text.as_bytes())
    }

    /// Whether nothing of it is missing in the bucket, and nobody waits for this node to say so.
    pub(crate) fn is_settled(&self) -> bool {
        !self.written && !self.is_leased
    }

    /// Whether something may have been written that is not in the bucket.
    pub(crate) fn is_written(&self) -> bool {
        self.written
    }
}
