//! Where exported documents go: standard output, or a file that has its name once all is in it.

use crate::cli::{file, output::Output};
use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};
use tempfile::NamedTempFile;
use vectordoc::{Error, Result};

/// Takes bytes until it is finished.
pub(super) enum Sink<'a> {
    Output(&'a mut Output),
    File { temporary: NamedTempFile, path: PathBuf },
}

impl<'a> Sink<'a> {
    /// For the file `path`, which must not be there, or `-` for standard output.
    pub(super) fn open(path: &Path, out: &'a mut Output) -> Result<Self> {
        if path.as_os_str() == "-" {
            return Ok(Self::Output(out));
        }
        if path.symlink_metadata().is_ok() {
            return Err(Error::conflict(format!(
                "{} is there already; write another file, or remove it first",
                path.display()
            )));
        }
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let temporary = NamedTempFile::new_in(folder);
        let temporary = temporary.map_err(|error| file::trouble(path.display(), &error))?;
        Ok(Self::File { temporary, path: path.to_owned() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Output(out) => out.bytes(bytes),
            Self::File { temporary, path } => {
                let written = temporary.write_all(bytes);
                written.map_err(|error| file::trouble(path.display(), &error))
            }
        }
    }

    /// All is written: gives the file its name.
    pub(super) fn finish(self) -> Result<()> {
        let Self::File { temporary, path } = self else { return Ok(()) };
        let trouble = |error: io::Error| file::trouble(path.display(), &error);
        temporary.as_file().sync_all().map_err(trouble)?;
        temporary.persist_noclobber(&path).map_err(|error| trouble(error.error))?;
        Ok(())
    }
}
