//! Folders that are deleted when the work in them is done.

use super::file;
use std::path::Path;
use tempfile::TempDir;
use vectordoc::Result;

/// A new folder inside `parent`, or where the system keeps temporary files.
pub(crate) fn folder(parent: Option<&Path>) -> Result<TempDir> {
    let parent = parent.map_or_else(std::env::temp_dir, Path::to_path_buf);
    let folder = tempfile::Builder::new().prefix("vectordoc-").tempdir_in(&parent);
    folder.map_err(|error| file::trouble(parent.display(), &error))
}
