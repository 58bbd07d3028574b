//! The files of a database folder as plain bytes: read, or dropped from the page cache.

use crate::cli::file::trouble;
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};
use vectordoc::Result;

const READ_BYTES: usize = 1 << 20;

/// Reads all files of `folder` one after the other; returns their bytes.
pub(super) fn read(folder: &Path) -> Result<u64> {
    let mut buffer = vec![0; READ_BYTES];
    let mut bytes = 0;
    for path in list(folder)? {
        let mut read = || {
            let mut file = File::open(&path)?;
            loop {
                match file.read(&mut buffer)? {
                    0 => return Ok(()),
                    read => bytes += read as u64,
                }
            }
        };
        read().map_err(|error| trouble(path.display(), &error))?;
    }
    Ok(bytes)
}

/// Asks the system to forget the files of `folder`, so that the next read comes from storage. It
/// need not comply.
pub(super) fn drop_from_cache(folder: &Path) -> Result<()> {
    for path in list(folder)? {
        let dropped = File::open(&path).and_then(|file| drop_file(&file));
        dropped.map_err(|error| trouble(path.display(), &error))?;
    }
    Ok(())
}

#[cfg(target_os = "linux")]
fn drop_file(file: &File) -> std::io::Result<()> {
    use rustix::fs::{Advice, fadvise};
    // Only pages that are on disk can be dropped.
    file.sync_all()?;
    // Zero bytes mean all up to the end.
    Ok(fadvise(file, 0, None, Advice::DontNeed)?)
}

#[cfg(not(target_os = "linux"))]
fn drop_file(_: &File) -> std::io::Result<()> {
    Ok(())
}

/// The files of `folder` in the order of their names.
fn list(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>());
    let mut paths = entries.map_err(|error| trouble(folder.display(), &error))?;
    paths.retain(|path| path.is_file());
    paths.sort();
    Ok(paths)
}
