//! Which node this is.

use crate::{disk::sync_directory, fault};
use ring::rand::{SecureRandom, SystemRandom};
use std::{fmt::Write, fs, path::Path};
use vectordoc::{Error, Result};

/// Which node has a data directory. Databases have other names.
const NODE_FILE: &str = ".node";

/// Which node has the data directory `data`, which is drawn the first time.
pub(super) fn node_of(data: &Path) -> Result<String> {
    let path = data.join(NODE_FILE);
    match fs::read_to_string(&path) {
        Ok(node) if !node.trim().is_empty() => return Ok(node.trim().to_owned()),
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(fault::os("cannot read", path.display(), &error));
        }
        _ => {}
    }
    let node = random()?;
    let written = fs::write(&path, &node)
        .and_then(|()| fs::File::open(&path)?.sync_all())
        .and_then(|()| sync_directory(data));
    written.map_err(|error| fault::os("cannot write", path.display(), &error))?;
    Ok(node)
}

/// What this machine is called.
pub(super) fn machine() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if named.trim().is_empty() { "without a name".into() } else { named.trim().to_owned() }
}

/// A name that nothing else has.
pub(super) fn random() -> Result<String> {
    let mut bytes = [0; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| Error::internal("the system gives no random numbers"))?;
    let mut name = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(name, "{byte:02x}");
    }
    Ok(name)
}
