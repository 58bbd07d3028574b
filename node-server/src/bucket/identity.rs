//! Which node this is.

use crate::{disk::replace, fault, random::random_name};
use std::{fs, path::Path};
use vectordoc::Result;

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
    let node = random_name()?;
    replace(data, NODE_FILE, node.as_bytes())?;
    Ok(node)
}

/// What this machine is called.
pub(super) fn machine() -> String {
    let named = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let named = named.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    if named.trim().is_empty() { "without a name".into() } else { named.trim().to_owned() }
}
