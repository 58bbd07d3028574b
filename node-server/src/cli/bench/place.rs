//! Where the measured database is: in a folder that is kept, or in one that is deleted afterwards.

use crate::cli::{file::trouble, temporary};
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;
use vectordoc::{Database, Error, Result};

pub(super) enum Place {
    Kept(PathBuf),
    /// The database is in a folder inside.
    Temporary(TempDir),
}

impl Place {
    /// The folder `kept`, or a new one inside `scratch`.
    pub(super) fn of(kept: Option<&Path>, scratch: Option<&Path>) -> Result<Self> {
        if let Some(kept) = kept {
            check_free(kept)?;
            return Ok(Self::Kept(kept.to_owned()));
        }
        Ok(Self::Temporary(temporary::folder(scratch)?))
    }

    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Kept(path) => path.clone(),
            Self::Temporary(folder) => folder.path().join("measured"),
        }
    }
}

/// Refuses a folder of other things than a database.
fn check_free(path: &Path) -> Result<()> {
    if Database::is_database(path) || !path.exists() {
        return Ok(());
    }
    let mut entries = fs::read_dir(path).map_err(|error| trouble(path.display(), &error))?;
    if entries.next().is_none() {
        return Ok(());
    }
    let path = path.display();
    Err(Error::invalid(format!(
        "{path} has files but no database; name a folder that does not exist, to build one there"
    )))
}
