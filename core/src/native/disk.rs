//! Where the files of databases are: those of the operating system, or a disk of your own, such as
//! one that encrypts what it is given, or one that fails as a test wants it to.

use crate::planted::{self, Plant};
use redb::{BackendError, StorageBackend, backends::FileBackend};
use std::{
    fmt,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read, Write},
    ops::Bound,
    path::Path,
};

const LOCK_FILE: &str = "lock";

/// Files by path, in directories.
///
/// # To ensure correctness
///
/// What a crash leaves of a file is what was written before the last [`sync`](DiskFile::sync) of it
/// that returned, and any part of what was written since. What it leaves of names is the same by
/// [`Disk::sync`]; but a rename is whole or did not happen.
pub trait Disk: fmt::Debug + Send + Sync {
    /// Makes a directory where it is missing, and keeps everybody else out of it for as long as what
    /// is returned lives. An error of kind [`ResourceBusy`](io::ErrorKind::ResourceBusy), which says
    /// who it is, when somebody has it.
    fn take(&self, directory: &Path) -> io::Result<Box<dyn Send + Sync>>;

    /// The names of what is in a directory; an error of kind [`NotFound`](io::ErrorKind::NotFound)
    /// when it is missing.
    fn names(&self, directory: &Path) -> io::Result<Vec<String>>;

    /// Opens a file to read and to write it; it is created empty where it is missing.
    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Bytes of a file.
    fn bytes(&self, path: &Path) -> io::Result<u64>;

    /// Gives a file another name, and takes that name from the file which had it; or a directory with
    /// all that is in it a name which nothing has.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; an error of kind [`NotFound`](io::ErrorKind::NotFound) when it is missing.
    /// Who has it open can read it further.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory with all that is in it; an error of kind
    /// [`NotFound`](io::ErrorKind::NotFound) when it is missing.
    fn remove_directory(&self, directory: &Path) -> io::Result<()>;

    /// Returns once the names in a directory survive a power cut.
    fn sync(&self, directory: &Path) -> io::Result<()>;
}

/// An open file of a [`Disk`], used by several threads.
pub trait DiskFile: fmt::Debug + Send + Sync {
    /// Keeps everybody else from opening the file, until it is closed; false when somebody has it
    /// open. A disk that keeps others out of directories need not.
    fn try_lock(&self) -> io::Result<bool> {
        Ok(true)
    }

    /// Its length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether it has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|bytes| bytes == 0)
    }

    /// Reads all of `bytes` from `offset` on; an error when the file ends before.
    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` from `offset` on.
    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts it, or has zeros follow.
    fn set_len(&self, bytes: u64) -> io::Result<()>;

    /// Returns once what was written survives a power cut. After an error nobody knows what does:
    /// it is not called again.
    fn sync(&self) -> io::Result<()>;

    /// Lets go of what it holds. Nothing is asked of it afterwards.
    fn close(&self) -> io::Result<()> {
        Ok(())
    }
}

/// The files of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

impl Disk for SystemDisk {
    fn take(&self, directory: &Path) -> io::Result<Box<dyn Send + Sync>> {
        fs::create_dir_all(directory)?;
        Ok(Box::new(SystemLock::take(&directory.join(LOCK_FILE))?))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let names = fs::read_dir(directory)?.map(|entry| Ok(entry?.file_name().into_string()));
        // A name that is no text is none of ours.
        let names: io::Result<Vec<_>> = names.collect();
        Ok(names?.into_iter().filter_map(Result::ok).collect())
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        let file = options.read(true).write(true).create(true).truncate(false).open(path)?;
        read_ahead(&file);
        let file = FileBackend::new(file).map_err(io::Error::other)?;
        Ok(Box::new(SystemFile(file)))
    }

    fn bytes(&self, path: &Path) -> io::Result<u64> {
        fs::metadata(path).map(|metadata| metadata.len())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        fs::remove_dir_all(directory)
    }

    fn sync(&self, directory: &Path) -> io::Result<()> {
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        // Elsewhere a directory cannot be opened, and its names are the file system's care.
        if cfg!(unix) { synced } else { Ok(()) }
    }
}

/// Lets the system begin to read a file that is going to be read as a whole, so that reading the
/// disk and understanding what was read go on side by side.
fn read_ahead(file: &File) {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use std::os::fd::AsRawFd;
        // SAFETY: the descriptor is open, and the call changes nothing but what the kernel caches.
        unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_WILLNEED) };
    }
    #[cfg(not(all(target_os = "linux", target_env = "gnu")))]
    let _ = file;
}

/// The lock on a directory: that on a file in it, which says who has it.
struct SystemLock(File);

impl SystemLock {
    fn take(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).truncate(false).read(true).write(true).open(path)?;
        match file.try_lock() {
            _ if planted::is(Plant::LockNotTaken) => Ok(Self(file)),
            Ok(()) => {
                file.set_len(0)?;
                file.write_all(format!("process {}\n", std::process::id()).as_bytes())?;
                Ok(Self(file))
            }
            Err(TryLockError::WouldBlock) => {
                let mut owner = String::new();
                let owner = match file.read_to_string(&mut owner) {
                    Ok(_) if !owner.trim().is_empty() => owner.trim(),
                    _ => "another process",
                };
                Err(io::Error::new(io::ErrorKind::ResourceBusy, owner))
            }
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for SystemLock {
    fn drop(&mut self) {
        // Closing the file releases it too; nothing is lost when this fails.
        let _ = self.0.unlock();
    }
}

/// A file as redb has it, which knows how each system is made to sync.
#[derive(Debug)]
struct SystemFile(FileBackend);

impl DiskFile for SystemFile {
    fn try_lock(&self) -> io::Result<bool> {
        if planted::is(Plant::LockNotTaken) {
            return Ok(true);
        }
        match self.0.try_lock_range(Bound::Unbounded, Bound::Unbounded) {
            Ok(is_locked) => Ok(is_locked),
            // The lock on the directory is enough.
            Err(BackendError::Unsupported) => Ok(true),
            Err(BackendError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, bytes)
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write(offset, bytes)
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn sync(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }
}

/// A file of a disk as redb wants it.
#[derive(Debug)]
pub(super) struct Backend(pub(super) Box<dyn DiskFile>);

impl StorageBackend for Backend {
    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        match (start, end) {
            (Bound::Unbounded | Bound::Included(0), Bound::Unbounded) => {
                self.0.try_lock().map_err(BackendError::Io)
            }
            _ => Err(BackendError::Unsupported),
        }
    }

    fn unlock_range(&self, _start: Bound<u64>, _end: Bound<u64>) -> Result<(), BackendError> {
        // With all else when it is closed.
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.0.close()
    }

    fn len(&self) -> io::Result<u64> {
        self.0.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset, out)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset, data)
    }
}
