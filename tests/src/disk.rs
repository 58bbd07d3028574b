//! A disk that is simulated: it notes every call that changes it, so that what a power cut leaves at
//! each of them can be made, and its calls fail when they are told to.

use super::image::Image;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use vectordoc::native::{Disk, DiskFile};

/// A file, whatever its name is.
pub type FileNumber = usize;

/// A call that changed a disk.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Bytes were written.
    Write(FileNumber, u64, Arc<[u8]>),
    /// A file was cut, or made longer.
    Length(FileNumber, u64),
    /// A file was synced.
    Sync(FileNumber),
    /// A file could not be synced: what was written since the last sync is as if it never was.
    SyncFailed(FileNumber),
    /// A file was created.
    Create(PathBuf, FileNumber),
    /// A file has another name. It is that file which has it, whatever becomes of older names.
    Rename(PathBuf, PathBuf, FileNumber),
    /// A file has no name any more.
    Remove(PathBuf),
    /// The names were synced.
    SyncNames,
    /// Whoever uses the disk noted something.
    Note(u64),
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// With an error, once.
    Once,
    /// With an error, and so do all after it.
    Dead,
    /// What takes space is refused from then on, until there is some.
    Full,
    /// A write or a read is done by half before it fails; others fail as they do once.
    Short,
    /// The next sync from then on.
    Sync,
}

impl Fault {
    /// Every fault.
    pub const ALL: [Self; 5] = [Self::Once, Self::Dead, Self::Full, Self::Short, Self::Sync];

    /// Whether it makes a difference when it begins at such a call.
    pub fn concerns(self, call: Call) -> bool {
        match self {
            Self::Once | Self::Dead => true,
            Self::Full => call == Call::Write,
            Self::Short => matches!(call, Call::Read | Call::Write),
            Self::Sync => call == Call::Sync,
        }
    }
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) names: BTreeMap<PathBuf, FileNumber>,
    pub(crate) files: Vec<Image>,
    log: Option<Vec<Event>>,
    calls: Vec<Call>,
    /// From which call on, and how.
    fault: Option<(usize, Fault)>,
    has_failed: bool,
    sync_failures: u64,
    /// The directories that somebody has.
    taken: BTreeSet<PathBuf>,
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// Reads, or tells a length or names.
    Read,
    /// Writes, or changes a length.
    Write,
    /// Syncs a file.
    Sync,
    /// Opens, renames, removes, syncs names.
    Other,
}

impl State {
    /// Counts a call, and says how it fails if it has to.
    fn call(&mut self, call: Call) -> io::Result<()> {
        self.calls.push(call);
        let Some((from, fault)) = self.fault.filter(|(from, _)| self.calls.len() > *from) else {
            return Ok(());
        };
        let is_first = self.calls.len() == from + 1;
        let error = match fault {
            Fault::Once | Fault::Short if is_first => io::Error::other("EIO, as planned"),
            Fault::Dead => io::Error::other("EIO, as planned from now on"),
            Fault::Full if call == Call::Write => ErrorKind::StorageFull.into(),
            Fault::Sync if call == Call::Sync && !self.has_failed => {
                io::Error::other("EIO of a sync, as planned")
            }
            _ => return Ok(()),
        };
        self.has_failed = true;
        Err(error)
    }

    /// The files of this path, or of a directory of it.
    fn inside(&self, path: &Path) -> Vec<(PathBuf, FileNumber)> {
        let inside = self.names.iter().filter(|(name, _)| name.starts_with(path));
        inside.map(|(name, number)| (name.clone(), *number)).collect()
    }

    fn is_short(&self) -> bool {
        self.fault.is_some_and(|(_, fault)| fault == Fault::Short)
    }

    fn note(&mut self, event: Event) {
        if let Some(log) = &mut self.log {
            log.push(event);
        }
    }
}

/// A simulated disk; clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

impl SimulatedDisk {
    pub(crate) fn of(names: BTreeMap<PathBuf, FileNumber>, files: Vec<Image>) -> Self {
        Self(Arc::new(Mutex::new(State { names, files, ..State::default() })))
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be given to a database.
    pub fn share(&self) -> Arc<dyn Disk> {
        Arc::new(self.clone())
    }

    /// Another disk with the same files, as they are now.
    pub fn copy(&self) -> Self {
        let state = self.state();
        Self::of(state.names.clone(), state.files.clone())
    }

    /// Notes what happens from now on.
    pub fn record(&self) {
        self.state().log = Some(Vec::new());
    }

    /// Notes something among the calls, if they are noted.
    pub fn note(&self, note: u64) {
        self.state().note(Event::Note(note));
    }

    /// What was noted.
    pub fn events(&self) -> Vec<Event> {
        self.state().log.clone().unwrap_or_default()
    }

    /// The calls there were.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Lets the call after so many fail.
    pub fn fail_after(&self, calls: usize, fault: Fault) {
        let mut state = self.state();
        (state.fault, state.has_failed) = (Some((calls, fault)), false);
    }

    /// Whether a call has failed.
    pub fn has_failed(&self) -> bool {
        self.state().has_failed
    }

    /// How many syncs of files failed.
    pub fn sync_failures(&self) -> u64 {
        self.state().sync_failures
    }

    /// No call fails any more.
    pub fn heal(&self) {
        self.state().fault = None;
    }

    /// Every call fails from now on, so that who holds a database here can let go of it without
    /// changing anything.
    pub fn cut_power(&self) {
        let mut state = self.state();
        state.fault = Some((state.calls.len(), Fault::Dead));
    }

    /// The paths of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// Which file has this name.
    pub fn number(&self, path: &Path) -> FileNumber {
        self.state().names[path]
    }

    /// The bytes of a file.
    pub fn image(&self, path: &Path) -> Image {
        let state = self.state();
        state.files[state.names[path]].clone()
    }

    /// Puts other bytes into a file.
    pub fn set_image(&self, path: &Path, image: Image) {
        let mut state = self.state();
        let number = state.names[path];
        state.files[number] = image;
    }
}

impl Disk for SimulatedDisk {
    fn take(&self, directory: &Path) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state();
        state.call(Call::Other)?;
        if !state.taken.insert(directory.into()) {
            return Err(io::Error::new(ErrorKind::ResourceBusy, "this test"));
        }
        Ok(Box::new(Taken(self.clone(), directory.into())))
    }

    fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.call(Call::Read)?;
        let inside = state.names.keys().filter_map(|path| path.strip_prefix(directory).ok());
        let name = |path: &Path| path.components().next()?.as_os_str().to_str().map(String::from);
        let names: BTreeSet<String> = inside.filter_map(name).collect();
        // A directory is there when something is in it, or somebody has it.
        let is_there = !names.is_empty() || state.taken.contains(directory);
        if is_there { Ok(names.into_iter().collect()) } else { Err(ErrorKind::NotFound.into()) }
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.call(Call::Other)?;
        let number = match state.names.get(path) {
            Some(number) => *number,
            None => {
                let number = state.files.len();
                state.files.push(Image::default());
                state.names.insert(path.into(), number);
                state.note(Event::Create(path.into(), number));
                number
            }
        };
        drop(state);
        Ok(Box::new(SimulatedFile { disk: self.clone(), number }))
    }

    fn bytes(&self, path: &Path) -> io::Result<u64> {
        let mut state = self.state();
        state.call(Call::Read)?;
        let number = *state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(state.files[number].len())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Other)?;
        let renamed = state.inside(from);
        if renamed.is_empty() {
            return Err(ErrorKind::NotFound.into());
        }
        for (path, number) in renamed {
            state.names.remove(&path);
            let rest = path.strip_prefix(from).unwrap_or(Path::new(""));
            let to = if rest.as_os_str().is_empty() { to.into() } else { to.join(rest) };
            state.names.insert(to.clone(), number);
            state.note(Event::Rename(path, to, number));
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Other)?;
        state.names.remove(path).ok_or(ErrorKind::NotFound)?;
        state.note(Event::Remove(path.into()));
        Ok(())
    }

    fn remove_directory(&self, directory: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Other)?;
        let removed = state.inside(directory);
        if removed.is_empty() {
            return Err(ErrorKind::NotFound.into());
        }
        for (path, _) in removed {
            state.names.remove(&path);
            state.note(Event::Remove(path));
        }
        Ok(())
    }

    fn sync(&self, _directory: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.call(Call::Other)?;
        state.note(Event::SyncNames);
        Ok(())
    }
}

/// The lock on the directory.
struct Taken(SimulatedDisk, PathBuf);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.state().taken.remove(&self.1);
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    number: FileNumber,
}

impl DiskFile for SimulatedFile {
    fn len(&self) -> io::Result<u64> {
        let mut state = self.disk.state();
        state.call(Call::Read)?;
        Ok(state.files[self.number].len())
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let called = state.call(Call::Read);
        let count = if called.is_err() && state.is_short() { bytes.len() / 2 } else { bytes.len() };
        let is_whole = state.files[self.number].read(offset, &mut bytes[..count]);
        called?;
        if is_whole { Ok(()) } else { Err(ErrorKind::UnexpectedEof.into()) }
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let called = state.call(Call::Write);
        let count = match &called {
            Ok(()) => bytes.len(),
            Err(_) if state.is_short() => bytes.len() / 2,
            Err(_) => 0,
        };
        if count > 0 {
            state.files[self.number].write(offset, &bytes[..count]);
            state.note(Event::Write(self.number, offset, bytes[..count].into()));
        }
        called
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.call(Call::Write)?;
        state.files[self.number].set_len(bytes);
        state.note(Event::Length(self.number, bytes));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        let called = state.call(Call::Sync);
        match &called {
            Ok(()) => state.note(Event::Sync(self.number)),
            Err(_) => {
                state.sync_failures += 1;
                state.note(Event::SyncFailed(self.number));
            }
        }
        called
    }
}
