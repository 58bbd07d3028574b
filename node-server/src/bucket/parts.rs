//! The files of a database as objects: each in parts, which are never changed once they are written,
//! and a list of them. A part that is as it was at the last upload is not sent again.

use super::{
    head::Contents,
    objects::{Condition, Objects},
};
use crate::{
    disk::sync_directory,
    fault,
    limits::{PART_BYTES, PARTS_AT_ONCE, PARTS_MAX},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    fs::{self, File},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use vectordoc::{Error, Result};

/// The format of a list.
const FORMAT: u32 = 1;

/// The files of one upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Inventory {
    format: u32,
    files: Vec<StoredFile>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct StoredFile {
    name: String,
    bytes: u64,
    /// Bytes of each part but the last one.
    part_bytes: u64,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Part {
    object: String,
    sha256: String,
}

/// A stretch of a file.
#[derive(Clone, Debug)]
struct Stretch {
    path: PathBuf,
    offset: u64,
    bytes: usize,
}

/// Sends the files in `directory` into `folder`, under the lease `epoch`, but for what is in the list
/// `contents` already. Nobody finds them until a head names the list that is returned. `unavailable`
/// once it is cancelled.
pub(super) async fn send(
    objects: &Objects,
    folder: &str,
    epoch: u64,
    directory: &Path,
    contents: Option<&Contents>,
    is_cancelled: &Arc<AtomicBool>,
) -> Result<Contents> {
    let before = match contents {
        Some(contents) => Some(list(objects, folder, contents).await?),
        None => None,
    };
    let mut files = Vec::new();
    for path in shard_files(directory)? {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let bytes =
            fs::metadata(&path).map_err(|e| fault::os("cannot read", path.display(), &e))?;
        let bytes = bytes.len();
        let known = before.as_ref().and_then(|before| before.parts_of(&name)).unwrap_or_default();
        let stretches = stretches(&path, bytes, PART_BYTES)?;
        let sent: Vec<_> = stretches
            .into_iter()
            .enumerate()
            .map(|(number, stretch)| {
                let known = known.get(number);
                send_part(objects, folder, epoch, stretch, known, is_cancelled)
            })
            .collect();
        let parts = stream::iter(sent).buffered(PARTS_AT_ONCE).try_collect().await?;
        files.push(StoredFile { name, bytes, part_bytes: PART_BYTES as u64, parts });
    }
    if files.is_empty() {
        return Err(Error::internal(format!("{} has no shards", directory.display())));
    }
    let bytes = files.iter().map(|file| file.bytes).sum();
    let list = serde_json::to_vec(&Inventory { format: FORMAT, files });
    let list = list.map_err(|error| Error::internal(error.to_string()))?;
    let sha256 = sum(&list);
    let object = object_name(epoch, &sha256, ".json");
    objects.put(&format!("{folder}/{object}"), list, Condition::None).await?;
    Ok(Contents { object, sha256, bytes })
}

/// Fetches the files of the list `contents` into `directory`, which has none of them, and checks every
/// byte. They are on stable storage when this returns.
pub(super) async fn fetch(
    objects: &Objects,
    folder: &str,
    contents: &Contents,
    directory: &Path,
) -> Result<()> {
    let inventory = list(objects, folder, contents).await?;
    for file in &inventory.files {
        let path = directory.join(&file.name);
        let made = File::create(&path).and_then(|made| made.set_len(file.bytes));
        made.map_err(|error| fault::os("cannot write", path.display(), &error))?;
        let part_bytes = usize::try_from(file.part_bytes).unwrap_or(usize::MAX);
        let stretches = stretches(&path, file.bytes, part_bytes)?;
        if stretches.len() != file.parts.len() {
            return Err(damaged(&contents.object));
        }
        let fetched: Vec<_> = stretches
            .into_iter()
            .zip(&file.parts)
            .map(|(stretch, part)| fetch_part(objects, folder, part, stretch))
            .collect();
        stream::iter(fetched)
            .buffer_unordered(PARTS_AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await?;
        blocking(move || {
            let synced = File::options().write(true).open(&path).and_then(|file| file.sync_all());
            synced.map_err(|error| fault::os("cannot sync", path.display(), &error))
        })
        .await?;
    }
    sync_directory(directory).map_err(|e| fault::os("cannot sync", directory.display(), &e))
}

/// Deletes what is in `folder`, was put there under the lease `epoch` or one before it, and is not of
/// the upload `contents`.
pub(super) async fn sweep(
    objects: &Objects,
    folder: &str,
    epoch: u64,
    contents: &Contents,
) -> Result<()> {
    let inventory = list(objects, folder, contents).await?;
    let mut kept: BTreeSet<&str> = BTreeSet::from([contents.object.as_str()]);
    let parts = inventory.files.iter().flat_map(|file| &file.parts);
    kept.extend(parts.map(|part| part.object.as_str()));
    let is_left = |name: &String| {
        let of = name.split_once('-').and_then(|(of, _)| of.parse::<u64>().ok());
        !kept.contains(name.as_str()) && of.is_some_and(|of| of <= epoch)
    };
    let names = objects.list(folder).await?.into_iter().map(|(name, _)| name);
    delete(objects, folder, names.filter(is_left).collect()).await
}

/// Deletes all that is in `folder`.
pub(super) async fn clear(objects: &Objects, folder: &str) -> Result<()> {
    let names = objects.list(folder).await?.into_iter().map(|(name, _)| name);
    delete(objects, folder, names.collect()).await
}

async fn delete(objects: &Objects, folder: &str, names: Vec<String>) -> Result<()> {
    let delete = async |name: String| objects.delete(&format!("{folder}/{name}")).await;
    let deleted: Vec<_> = names.into_iter().map(delete).collect();
    stream::iter(deleted).buffer_unordered(PARTS_AT_ONCE).try_for_each(|()| async { Ok(()) }).await
}

async fn send_part(
    objects: &Objects,
    folder: &str,
    epoch: u64,
    stretch: Stretch,
    known: Option<&Part>,
    is_cancelled: &Arc<AtomicBool>,
) -> Result<Part> {
    if is_cancelled.load(Ordering::Acquire) {
        return Err(Error::unavailable("it was woken while it was uploaded"));
    }
    let (bytes, sha256) = blocking(move || {
        let bytes = stretch.read()?;
        let sha256 = sum(&bytes);
        Ok((bytes, sha256))
    })
    .await?;
    if let Some(known) = known.filter(|known| known.sha256 == sha256) {
        return Ok(known.clone());
    }
    let object = object_name(epoch, &sha256, "");
    objects.put(&format!("{folder}/{object}"), bytes, Condition::None).await?;
    Ok(Part { object, sha256 })
}

async fn fetch_part(objects: &Objects, folder: &str, part: &Part, stretch: Stretch) -> Result<()> {
    let Some((bytes, _)) = objects.get(&format!("{folder}/{}", part.object)).await? else {
        return Err(missing(&part.object));
    };
    let (object, sha256) = (part.object.clone(), part.sha256.clone());
    blocking(move || {
        if bytes.len() != stretch.bytes || sum(&bytes) != sha256 {
            return Err(damaged(&object));
        }
        stretch.write(&bytes)
    })
    .await
}

/// Reads and checks a list.
async fn list(objects: &Objects, folder: &str, contents: &Contents) -> Result<Inventory> {
    let object = &contents.object;
    let Some((bytes, _)) = objects.get(&format!("{folder}/{object}")).await? else {
        return Err(missing(object));
    };
    if sum(&bytes) != contents.sha256 {
        return Err(damaged(object));
    }
    let inventory: Inventory = serde_json::from_slice(&bytes).map_err(|_| damaged(object))?;
    if inventory.format != FORMAT {
        return Err(Error::unsupported(format!(
            "the files in the bucket have format {}, this build reads {FORMAT}; use a newer build",
            inventory.format
        )));
    }
    match inventory.files.iter().all(|file| is_shard_file(&file.name)) {
        true => Ok(inventory),
        false => Err(damaged(object)),
    }
}

impl Inventory {
    fn parts_of(&self, name: &str) -> Option<&[Part]> {
        let file = self.files.iter().find(|file| file.name == name)?;
        (file.part_bytes == PART_BYTES as u64).then_some(&file.parts)
    }
}

impl Stretch {
    fn read(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![0; self.bytes];
        let read = File::open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.read_exact(&mut bytes)
        });
        read.map_err(|error| fault::os("cannot read", self.path.display(), &error))?;
        Ok(bytes)
    }

    fn write(&self, bytes: &[u8]) -> Result<()> {
        let written = File::options().write(true).open(&self.path).and_then(|mut file| {
            file.seek(SeekFrom::Start(self.offset))?;
            file.write_all(bytes)?;
            // While the next parts are on their way, so that nobody waits for all at the end.
            file.sync_data()
        });
        written.map_err(|error| fault::os("cannot write", self.path.display(), &error))
    }
}

/// The stretches of a file of so many bytes.
fn stretches(path: &Path, bytes: u64, part_bytes: usize) -> Result<Vec<Stretch>> {
    let step = part_bytes.max(1);
    let count = bytes.div_ceil(step as u64);
    if count > PARTS_MAX as u64 {
        return Err(Error::limit_exceeded(format!(
            "{} has {bytes} bytes, which are {count} parts; the limit is {PARTS_MAX}",
            path.display()
        )));
    }
    let stretch = |number: u64| {
        let offset = number * step as u64;
        let bytes = usize::try_from(bytes - offset).unwrap_or(usize::MAX).min(step);
        Stretch { path: path.into(), offset, bytes }
    };
    Ok((0..count).map(stretch).collect())
}

/// The files of the shards in a directory, in order.
fn shard_files(directory: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error| fault::os("cannot list", directory.display(), &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_name().to_str().is_some_and(is_shard_file) {
            files.push(entry.path());
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file of this name is one of a database, and none in another directory.
fn is_shard_file(name: &str) -> bool {
    let numbers = name.strip_prefix("shard-").and_then(|name| name.strip_suffix(".redb"));
    let numbers = numbers.and_then(|numbers| numbers.split_once("-of-"));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(shard, shards)| is_number(shard) && is_number(shards))
}

/// Objects of two leases have two names, so that who had one before deletes none of who has it now.
fn object_name(epoch: u64, sha256: &str, ending: &str) -> String {
    format!("{epoch:020}-{sha256}{ending}")
}

fn sum(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in digest(&SHA256, bytes).as_ref() {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

fn damaged(object: &str) -> Error {
    Error::corrupt(format!(
        "object {object} in the bucket is not what was uploaded; restore it there from a version or a \
         backup, or the database from one"
    ))
}

fn missing(object: &str) -> Error {
    Error::corrupt(format!("object {object} is missing in the bucket; restore it there"))
}

/// Does what takes the disk or the processor on a thread that may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| Error::internal(format!("a part: {error}")))?
}
