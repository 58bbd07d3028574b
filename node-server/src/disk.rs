//! What the standard library lacks for files that must survive a power cut.

use std::{io, path::Path};

/// Makes the names in a directory survive a power cut. Only Unix can open a directory; elsewhere a
/// rename itself is what the system gives.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
}
