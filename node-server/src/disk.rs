//! What the standard library lacks for files that must survive a power cut.

use crate::fault;
use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};
use vectordoc::Result;

/// Replaces the file `name` of a directory by one with these bytes; a crash leaves what was there
/// before, or this, and perhaps a file of that name with `.new` after it.
pub(crate) fn replace(directory: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let (temporary, path) = (directory.join(format!("{name}.new")), directory.join(name));
    let written = File::create(&temporary)
        .and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        })
        .and_then(|()| fs::rename(&temporary, &path))
        .and_then(|()| sync_directory(directory));
    written.map_err(|error| fault::os("cannot write", path.display(), &error))
}

/// Makes the names in a directory survive a power cut. Only Unix can open a directory; elsewhere a
/// rename itself is what the system gives.
pub(crate) fn sync_directory(directory: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(directory)?.sync_all() } else { Ok(()) }
}
