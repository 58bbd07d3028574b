//! The file that keys are kept in, beside the databases: a whole old one or a whole new one, on
//! stable storage, that only its owner can read and write.

use super::{Key, Role, Scope, Token};
use crate::{
    disk::sync_directory,
    fault,
    limits::{KEY_FILE_BYTES_MAX, KEYS_MAX},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File, Metadata},
    io::{self, Read, Write},
    path::{Path, PathBuf},
    time::SystemTime,
};
use vectordoc::{Error, Result};

/// No database can have this name.
const FILE: &str = "keys.json";
const TEMPORARY: &str = ".keys.json.new";
/// Held while the file is replaced, so that of two commands neither undoes the other.
const LOCK: &str = ".keys.lock";
const FORMAT: u32 = 1;

/// Where the keys of a server are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
    is_expected: bool,
}

/// By this, one state of the file is told from another: a replaced file is another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    modified: Option<SystemTime>,
    bytes: u64,
    inode: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    format: u32,
    keys: Vec<Key>,
}

impl KeyFile {
    /// The key file of the data directory `directory`.
    pub fn of(directory: impl Into<PathBuf>) -> Self {
        Self { path: directory.into().join(FILE), is_expected: false }
    }

    /// The file at `path`, which a server that is told of it does not start without.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), is_expected: true }
    }

    /// Where it is.
    pub fn path(&self) -> PathBuf {
        self.path.clone()
    }

    /// Where the file is replaced.
    fn directory(&self) -> &Path {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    /// Refuses that there is no file where somebody said that there is one: it would open the server
    /// to everyone.
    pub(super) fn expect(&self, keys: Option<&[Key]>) -> Result<()> {
        if keys.is_some() || !self.is_expected {
            return Ok(());
        }
        Err(Error::not_found(format!(
            "there is no file {}; `vectordoc key create --keys FILE` makes one with a key",
            self.path.display()
        )))
    }

    /// The keys, in the order of their creation; `None` when there is no file. `corrupt` when it
    /// is damaged, `denied` when others than its owner can write it.
    pub fn read(&self) -> Result<Option<Vec<Key>>> {
        let path = self.path();
        let failed = |error: io::Error| fault::os("cannot read", path.display(), &error);
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened.map_err(failed)?,
        };
        expect_owned(&path, &file.metadata().map_err(failed)?)?;
        let mut text = Vec::new();
        file.take(KEY_FILE_BYTES_MAX + 1).read_to_end(&mut text).map_err(failed)?;
        parse(&text).map(Some).map_err(|error| error.within(path.display().to_string()))
    }

    /// Adds a new key and returns it with its secret, which nobody can read again. It is on stable
    /// storage when this returns.
    pub fn create(&self, name: &str, role: Role, scope: Scope) -> Result<(Token, Key)> {
        let token = Token::generate()?;
        let key = Key::new(&token, name, role, scope)?;
        let directory = self.directory();
        fs::create_dir_all(directory)
            .map_err(|error| fault::os("cannot create", directory.display(), &error))?;
        let added = key.clone();
        self.change(move |keys| {
            if keys.len() >= KEYS_MAX {
                return Err(Error::limit_exceeded(format!(
                    "there are {} keys, which is the limit; revoke some that are not used",
                    keys.len()
                )));
            }
            keys.push(added);
            Ok(())
        })?;
        Ok((token, key))
    }

    /// Removes the key `id`, for good when this returns, and says how many are left; `not_found`
    /// when there is none. A whole key is taken for its id.
    pub fn revoke(&self, id: &str) -> Result<(Key, usize)> {
        let id = Token::parse(id).map_or_else(|_| id.to_owned(), |token| token.id().to_owned());
        if self.read()?.is_none() {
            return Err(Error::not_found(format!(
                "there is no key in {}",
                self.directory().display()
            )));
        }
        self.change(|keys| {
            let found = keys.iter().position(|key| key.id() == id);
            let place = found.ok_or_else(|| {
                Error::not_found(format!("there is no key {id:?}; `vectordoc key list` shows all"))
            })?;
            Ok((keys.remove(place), keys.len()))
        })
    }

    /// What tells this state of the file from others; `None` when there is no file.
    pub(super) fn stamp(&self) -> io::Result<Option<Stamp>> {
        match fs::metadata(self.path()) {
            Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Vec<Key>) -> Result<T>) -> Result<T> {
        let _lock = self.lock()?;
        let mut keys = self.read()?.unwrap_or_default();
        let outcome = change(&mut keys)?;
        self.replace(&Content { format: FORMAT, keys })?;
        Ok(outcome)
    }

    fn lock(&self) -> Result<File> {
        let path = self.directory().join(LOCK);
        let failed = |error: io::Error| fault::os("cannot lock", path.display(), &error);
        let mut options = File::options();
        let file = options.write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        file.lock().map_err(failed)?;
        Ok(file)
    }

    fn replace(&self, content: &Content) -> Result<()> {
        let (path, temporary) = (self.path(), self.directory().join(TEMPORARY));
        let mut text = serde_json::to_vec_pretty(content)
            .map_err(|error| Error::internal(format!("the keys cannot be written: {error}")))?;
        text.push(b'\n');
        let replaced = || {
            // Left by a crash, it may have other permissions.
            match fs::remove_file(&temporary) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut file = create_private(&temporary)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            sync_directory(self.directory())
        };
        replaced().map_err(|error: io::Error| fault::os("cannot write", path.display(), &error))
    }
}

fn parse(text: &[u8]) -> Result<Vec<Key>> {
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > KEY_FILE_BYTES_MAX {
        return Err(Error::limit_exceeded(format!("it has over {KEY_FILE_BYTES_MAX} bytes")));
    }
    let damaged = |what: &dyn std::fmt::Display| {
        Error::new(
            vectordoc::ErrorKind::Corrupt,
            format!(
                "the keys cannot be read: {what}; restore the file, or remove it and create \
                     new keys"
            ),
        )
    };
    let content: Content = serde_json::from_slice(text).map_err(|error| damaged(&error))?;
    if content.format != FORMAT {
        return Err(Error::unsupported(format!(
            "its format is {}, this build reads {FORMAT}",
            content.format
        )));
    }
    let mut ids: Vec<_> = content.keys.iter().map(Key::id).collect();
    ids.sort_unstable();
    match ids.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(damaged(&format!("key {} is there twice", pair[0]))),
        None => Ok(content.keys),
    }
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self { modified: metadata.modified().ok(), bytes: metadata.len(), inode: inode(metadata) }
    }
}

#[cfg(unix)]
fn inode(metadata: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn inode(_metadata: &Metadata) -> u64 {
    0
}

/// Refuses a file that somebody else can put keys into.
#[cfg(unix)]
fn expect_owned(path: &Path, metadata: &Metadata) -> Result<()> {
    const WRITABLE_BY_OTHERS: u32 = 0o022;
    let mode = std::os::unix::fs::MetadataExt::mode(metadata);
    if mode & WRITABLE_BY_OTHERS == 0 {
        return Ok(());
    }
    Err(Error::new(
        vectordoc::ErrorKind::Denied,
        format!(
            "{} can be written by others (mode {:03o}), who could give themselves keys; make it \
             yours alone with `chmod 600`",
            path.display(),
            mode & 0o777
        ),
    ))
}

#[cfg(not(unix))]
fn expect_owned(_path: &Path, _metadata: &Metadata) -> Result<()> {
    Ok(())
}

#[cfg(unix)]
fn create_private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn create_private(path: &Path) -> io::Result<File> {
    File::options().write(true).create_new(true).open(path)
}
