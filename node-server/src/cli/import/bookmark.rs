//! How far an import got: a small file beside the first of the imported ones, there until the import
//! is done. An import that is interrupted goes on after what it says.

use crate::cli::file;
use ring::digest;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    time::{Duration, Instant, UNIX_EPOCH},
};
use vectordoc::{Error, Result};

/// What is added to the name of the first file.
const EXTENSION: &str = ".import";
/// Bytes at the beginning of each file that are compared.
const HEAD_BYTES: u64 = 64 * 1024;
/// Bytes of a bookmark: a few hundred for each file.
const BOOKMARK_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// How often it is written at most: what is lost of it is only imported twice.
const INTERVAL: Duration = Duration::from_millis(200);

/// A bookmark being kept.
pub(super) struct Bookmark {
    path: PathBuf,
    page: Page,
    written: Option<Instant>,
    /// Whether it was said that it cannot be written.
    complained: bool,
}

/// What it says.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Page {
    /// The database the documents go to.
    database: String,
    files: Vec<Fingerprint>,
    /// Rows, from the first on, whose documents are durable.
    rows: u64,
}

/// What tells a file from itself after a change.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
struct Fingerprint {
    path: PathBuf,
    bytes: u64,
    /// Nanoseconds since 1970.
    modified: u128,
    /// The SHA-256 of its beginning.
    head: String,
}

impl Bookmark {
    /// For an import of these files into `database`.
    pub(super) fn new<'a>(
        files: impl IntoIterator<Item = &'a Path>,
        database: String,
    ) -> Result<Self> {
        let files = files.into_iter().map(Fingerprint::of).collect::<Result<Vec<_>>>()?;
        let mut path = files.first().map(|first| first.path.clone()).unwrap_or_default();
        path.as_mut_os_string().push(EXTENSION);
        let page = Page { database, files, rows: 0 };
        Ok(Self { path, page, written: None, complained: false })
    }

    /// Finds where an interrupted import of the same files into the same database stopped, and goes
    /// on from there: 0 when there was none. `conflict` when the files have changed since.
    pub(super) fn find(&mut self) -> Result<u64> {
        let found = match File::open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(0),
            found => found.map_err(|error| file::trouble(self.path.display(), &error))?,
        };
        let mut text = String::new();
        let read = found.take(BOOKMARK_BYTES_MAX).read_to_string(&mut text);
        read.map_err(|error| file::trouble(self.path.display(), &error))?;
        let found: Page = serde_json::from_str(&text).map_err(|error| {
            self.useless(format_args!("{} is damaged ({error})", self.path.display()))
        })?;
        self.expect_same(&found)?;
        self.page.rows = found.rows;
        Ok(found.rows)
    }

    /// Notes that the first `rows` rows are durable, now and then or `now`.
    pub(super) fn note(&mut self, rows: u64, now: bool) {
        let is_early = self.written.is_some_and(|written| written.elapsed() < INTERVAL);
        if rows == self.page.rows && self.written.is_some() || is_early && !now {
            return;
        }
        self.page.rows = rows;
        self.written = Some(Instant::now());
        if let Err(error) = self.write()
            && !self.complained
        {
            self.complained = true;
            eprintln!("note: {error}; if this import is interrupted, it has to begin anew");
        }
    }

    /// Removes it: the import is done.
    pub(super) fn remove(&self) {
        // Where it could not be written, there is nothing to remove.
        let _ = fs::remove_file(&self.path);
    }

    fn write(&self) -> Result<()> {
        let text = serde_json::to_vec_pretty(&self.page)
            .map_err(|error| Error::internal(format!("a bookmark: {error}")))?;
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let trouble = |error: std::io::Error| file::trouble(self.path.display(), &error);
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(trouble)?;
        std::io::Write::write_all(&mut temporary, &text).map_err(trouble)?;
        temporary.persist(&self.path).map_err(|error| trouble(error.error))?;
        Ok(())
    }

    fn expect_same(&self, found: &Page) -> Result<()> {
        if found.database != self.page.database {
            return Err(self.useless(format_args!(
                "the import that was interrupted went into {}, this one goes into {}",
                found.database, self.page.database
            )));
        }
        let (old, new) = (&found.files, &self.page.files);
        if old.len() != new.len() || old.iter().zip(new).any(|(old, new)| old.path != new.path) {
            return Err(self.useless("the import that was interrupted was of other files"));
        }
        match old.iter().zip(new).find(|(old, new)| old != new) {
            None => Ok(()),
            Some((_, changed)) => Err(self.useless(format_args!(
                "{} has changed since its import was interrupted",
                changed.path.display()
            ))),
        }
    }

    fn useless(&self, why: impl std::fmt::Display) -> Error {
        Error::conflict(format!(
            "{why}; import anew without --resume: documents that are there already are replaced"
        ))
    }
}

impl Fingerprint {
    fn of(path: &Path) -> Result<Self> {
        let trouble = |error: std::io::Error| file::trouble(path.display(), &error);
        let path = path.canonicalize().map_err(trouble)?;
        let mut head = Vec::new();
        let file = File::open(&path).map_err(trouble)?;
        let meta = file.metadata().map_err(trouble)?;
        file.take(HEAD_BYTES).read_to_end(&mut head).map_err(trouble)?;
        let modified = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let digest = digest::digest(&digest::SHA256, &head);
        let head = digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        let modified = modified.unwrap_or_default().as_nanos();
        Ok(Self { path, bytes: meta.len(), modified, head })
    }
}
