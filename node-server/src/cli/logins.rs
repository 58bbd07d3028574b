//! The servers somebody logged in to, and the key for each: a file of the user's configuration folder
//! that nobody else can read.

use super::{file, place::URL_DEFAULT};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    env, fs,
    io::Write,
    path::{Path, PathBuf},
};
use vectordoc::{Error, Result};

/// Names another folder than the user's usual one.
const FOLDER_VARIABLE: &str = "VECTORDOC_CONFIG_HOME";
const FILE: &str = "logins.json";

/// Who somebody is to which server.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct Logins {
    /// The server that commands mean when they are not told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) current: Option<String>,
    /// By their address.
    #[serde(default)]
    pub(crate) servers: BTreeMap<String, Login>,
}

/// What is known of one server.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct Login {
    /// The key, if it asks for one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    /// The file of the authority that vouches for it, if the system does not know that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca: Option<PathBuf>,
}

impl Logins {
    /// Those of this user; none yet where there is no file.
    pub(crate) fn read() -> Result<Self> {
        let path = path()?;
        if !path.exists() {
            return Ok(Self::default());
        }
        check_private(&path)?;
        serde_json::from_str(&file::read_text(&path)?).map_err(|error| {
            let path = path.display();
            Error::invalid(format!("{path}: {error}; remove it and log in again"))
        })
    }

    /// Keeps them; a crash leaves those before, or these.
    pub(crate) fn write(&self) -> Result<PathBuf> {
        let path = path()?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let trouble = |error| file::trouble(path.display(), &error);
        create_private(folder).map_err(trouble)?;
        let text = serde_json::to_string_pretty(self);
        let text = text.map_err(|error| Error::internal(error.to_string()))?;
        // Only its owner can read a temporary file, and the file keeps that.
        let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(trouble)?;
        let written = temporary.write_all(text.as_bytes());
        written.and_then(|()| temporary.as_file().sync_all()).map_err(trouble)?;
        temporary.persist(&path).map_err(|error| trouble(error.error))?;
        Ok(path)
    }

    /// The server that is meant: the one that is named, the one logged in to last, or that of this
    /// machine.
    pub(crate) fn server(named: Option<&str>) -> Result<String> {
        if let Some(url) = named {
            return Ok(url.to_owned());
        }
        Ok(Self::read()?.current.unwrap_or_else(|| URL_DEFAULT.to_owned()))
    }

    /// What is known of the server at `url`.
    pub(crate) fn of(url: &str) -> Result<Login> {
        Ok(Self::read()?.servers.remove(url).unwrap_or_default())
    }
}

/// Where the file is.
fn path() -> Result<PathBuf> {
    let set = |variable: &str| env::var_os(variable).filter(|value| !value.is_empty());
    let usual = || {
        let folder = set("XDG_CONFIG_HOME").or_else(|| set("APPDATA")).map(PathBuf::from);
        let folder = folder.or_else(|| env::home_dir().map(|home| home.join(".config")));
        folder.map(|folder| folder.join("vectordoc"))
    };
    let folder = set(FOLDER_VARIABLE).map(PathBuf::from).or_else(usual);
    folder.map(|folder| folder.join(FILE)).ok_or_else(|| {
        Error::not_found(format!("you have no home directory; set {FOLDER_VARIABLE} to a folder"))
    })
}

/// Refuses a file of keys that others can read.
#[cfg(unix)]
fn check_private(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let metadata = fs::metadata(path).map_err(|error| file::trouble(path.display(), &error))?;
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let path = path.display();
    Err(Error::denied(format!(
        "{path} has keys in it and its mode is {mode:o}, so that others can read it: \
         `chmod 600 {path}`, and revoke keys that somebody may have seen"
    )))
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn create_private(folder: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> std::io::Result<()> {
    fs::create_dir_all(folder)
}
