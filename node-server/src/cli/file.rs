//! Files that commands read, opened with errors that name them.

use std::{
    fs::File,
    io::{self, BufReader},
    path::Path,
};
use vectordoc::{Error, ErrorKind, Result};

/// Opens `path` for reading.
pub(crate) fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).map_err(|error| trouble(path.display(), &error))?;
    Ok(BufReader::new(file))
}

/// The whole of a small text file.
pub(crate) fn read_text(path: &Path) -> Result<String> {
    std::fs::read_to_string(path).map_err(|error| trouble(path.display(), &error))
}

/// What the system's refusal means for the caller, named after `what`.
pub(crate) fn trouble(what: impl std::fmt::Display, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => ErrorKind::Denied,
        io::ErrorKind::StorageFull => ErrorKind::Full,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("{what}: {error}"))
}
