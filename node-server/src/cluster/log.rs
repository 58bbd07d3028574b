//! The logs and votes of all groups of a node: one file, one thread that writes it, and one sync for
//! all that wait at the same time.

use super::group::{Entry, Group, IoError, LogId, Node, StorageError, Types, Vote, decode, encode};
use openraft::{
    ErrorSubject, ErrorVerb, LogState, RaftLogReader,
    storage::{LogFlushed, RaftLogStorage},
};
use redb::{
    Database, Durability, ReadTransaction, ReadableDatabase, TableDefinition, WriteTransaction,
};
use std::{
    fmt::Debug,
    io,
    ops::{Bound, RangeBounds},
    path::Path,
    sync::Arc,
    thread,
};
use tokio::sync::{
    mpsc::{Receiver, Sender, channel},
    oneshot,
};
use vectordoc::{
    Error, Result,
    planted::{self, Plant},
};

/// Entries by group and index.
const ENTRIES: TableDefinition<'static, (u64, u64), &'static [u8]> =
    TableDefinition::new("entries");
/// What else a group has to remember, by group and name.
const GROUPS: TableDefinition<'static, (u64, &'static str), &'static [u8]> =
    TableDefinition::new("groups");
const VOTE: &str = "vote";
const COMMITTED: &str = "committed";
const PURGED: &str = "purged";
/// What this node has of the group is on its way to be removed.
const LEFT: &str = "left";

/// The group of what is said about the node itself.
const NODE: Group = Group::MAX;
const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// Changes that wait for who writes them.
const WAITING_MAX: usize = 1_024;
/// Changes that one sync is for at most.
const TOGETHER_MAX: usize = 256;
/// Bytes of entries that are read for one message to another node, unless one entry has more.
const READ_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A change, and who waits for it to be on stable storage.
pub(super) struct Write {
    change: Change,
    done: Option<oneshot::Sender<io::Result<()>>>,
}

enum Change {
    /// Entries of a group, by index.
    Append(Group, Vec<(u64, Vec<u8>)>),
    /// Something a group remembers.
    Put(Group, &'static str, Vec<u8>),
    /// Entries of a group from this index on are gone.
    Truncate(Group, u64),
    /// Entries of a group up to this one are gone.
    Purge(Group, u64, Vec<u8>),
    /// All of a group is gone.
    Forget(Group),
}

/// The file.
pub(super) struct LogFile {
    database: Arc<Database>,
    writes: Sender<Write>,
}

impl LogFile {
    /// Opens the file at `path`, or creates it.
    pub(super) fn open(path: &Path) -> Result<Arc<Self>> {
        let failed = |error: &dyn std::fmt::Display| {
            Error::unavailable(format!("{}: {error}", path.display()))
        };
        let database = redb::Builder::new().set_cache_size(CACHE_BYTES).create(path);
        let database = database.map_err(|error| failed(&error))?;
        let (file, writer) = Self::over(database).map_err(|error| failed(&error))?;
        // It ends once nobody can send it anything any more.
        let thread = thread::Builder::new().name("vectordoc-log".into());
        thread.spawn(move || writer.run()).map_err(|error| failed(&error))?;
        Ok(file)
    }

    /// The logs in `database`, and who is to be let to write them.
    pub(super) fn over(database: Database) -> Result<(Arc<Self>, Writer), redb::Error> {
        create_tables(&database)?;
        let database = Arc::new(database);
        let (writes, changes) = channel(WAITING_MAX);
        let writer = Writer { database: Arc::clone(&database), changes };
        Ok((Arc::new(Self { database, writes }), writer))
    }

    /// The log of one group.
    pub(super) fn of(self: &Arc<Self>, group: Group) -> GroupLog {
        GroupLog { file: Arc::clone(self), group }
    }

    /// What is remembered about the node under `name`.
    pub(super) fn node(&self, name: &'static str) -> io::Result<Option<Vec<u8>>> {
        self.get(NODE, name)
    }

    /// Remembers something about the node, on stable storage when this returns.
    pub(super) async fn set_node(&self, name: &'static str, value: Vec<u8>) -> io::Result<()> {
        self.write(Change::Put(NODE, name, value)).await
    }

    /// Remembers that all there is of a group is to be removed, on stable storage when this returns.
    pub(super) async fn leave(&self, group: Group) -> io::Result<()> {
        self.write(Change::Put(group, LEFT, Vec::new())).await
    }

    /// Removes the log of a group, on stable storage when this returns.
    pub(super) async fn forget(&self, group: Group) -> io::Result<()> {
        self.write(Change::Forget(group)).await
    }

    async fn write(&self, change: Change) -> io::Result<()> {
        let (done, heard) = oneshot::channel();
        self.send(Write { change, done: Some(done) }).await?;
        heard.await.unwrap_or_else(|_| Err(ended()))
    }

    async fn send(&self, write: Write) -> io::Result<()> {
        self.writes.send(write).await.map_err(|_| ended())
    }

    fn read(&self) -> io::Result<ReadTransaction> {
        self.database.begin_read().map_err(io::Error::other)
    }

    fn get(&self, group: Group, name: &'static str) -> io::Result<Option<Vec<u8>>> {
        let table = self.read()?.open_table(GROUPS).map_err(io::Error::other)?;
        let value = table.get((group, name)).map_err(io::Error::other)?;
        Ok(value.map(|value| value.value().to_vec()))
    }
}

fn ended() -> io::Error {
    io::Error::other("what writes the log has ended")
}

fn create_tables(database: &Database) -> Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    transaction.open_table(ENTRIES)?;
    transaction.open_table(GROUPS)?;
    transaction.commit()?;
    Ok(())
}

/// What changes come to.
pub(super) struct Writer {
    database: Arc<Database>,
    changes: Receiver<Write>,
}

impl Writer {
    /// Writes what comes, all that waits at once, until nobody sends any more.
    fn run(mut self) {
        while let Some(first) = self.changes.blocking_recv() {
            let together = self.gather(first);
            let written = self.write(&together);
            tell(together, written);
        }
    }

    /// The next change; `None` once nobody sends any more.
    #[cfg(test)]
    pub(super) async fn first(&mut self) -> Option<Write> {
        self.changes.recv().await
    }

    /// What one sync is for.
    pub(super) fn gather(&mut self, first: Write) -> Vec<Write> {
        let mut together = vec![first];
        while together.len() < TOGETHER_MAX
            && let Ok(next) = self.changes.try_recv()
        {
            together.push(next);
        }
        together
    }

    /// Makes changes, on stable storage when this returns if anybody waits for it.
    pub(super) fn write(&self, together: &[Write]) -> Result<(), redb::Error> {
        write(&self.database, together)
    }
}

/// Lets those who wait know what became of their changes.
pub(super) fn tell(together: Vec<Write>, written: Result<(), redb::Error>) {
    let written = written.map_err(|error| error.to_string());
    for done in together.into_iter().filter_map(|write| write.done) {
        // Who does not wait any more need not be told.
        let _ = done.send(written.clone().map_err(io::Error::other));
    }
}

fn write(database: &Database, writes: &[Write]) -> Result<(), redb::Error> {
    let mut transaction = database.begin_write()?;
    if !writes.iter().any(is_awaited) {
        transaction.set_durability(Durability::None)?;
    }
    for Write { change, .. } in writes {
        make(&transaction, change)?;
    }
    transaction.commit()?;
    Ok(())
}

fn is_awaited(write: &Write) -> bool {
    let is_vote = matches!(write.change, Change::Put(_, VOTE, _));
    let is_left_out = planted::is(Plant::LogAcknowledgedBeforeSync)
        || (planted::is(Plant::VoteNotSynced) && is_vote);
    write.done.is_some() && !is_left_out
}

fn make(transaction: &WriteTransaction, change: &Change) -> Result<(), redb::Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    let mut groups = transaction.open_table(GROUPS)?;
    match change {
        Change::Append(group, new) => {
            for (index, bytes) in new {
                entries.insert((*group, *index), bytes.as_slice())?;
            }
        }
        Change::Put(group, name, value) => {
            groups.insert((*group, *name), value.as_slice())?;
        }
        Change::Truncate(group, from) => {
            entries.retain_in((*group, *from)..=(*group, u64::MAX), |_, _| false)?;
        }
        Change::Purge(group, upto, id) => {
            entries.retain_in((*group, 0)..=(*group, *upto), |_, _| false)?;
            groups.insert((*group, PURGED), id.as_slice())?;
        }
        Change::Forget(group) => {
            entries.retain_in((*group, 0)..=(*group, u64::MAX), |_, _| false)?;
            for name in [VOTE, COMMITTED, PURGED, LEFT] {
                groups.remove((*group, name))?;
            }
        }
    }
    Ok(())
}

/// The log of one group of this node.
#[derive(Clone)]
pub(super) struct GroupLog {
    file: Arc<LogFile>,
    group: Group,
}

impl GroupLog {
    /// The last entry that is gone.
    pub(super) fn purged(&self) -> io::Result<Option<LogId>> {
        self.file.get(self.group, PURGED)?.map(|bytes| decode(&bytes)).transpose()
    }

    /// Whether anything of the group was ever written, and not forgotten since. Blocks.
    pub(super) fn is_begun(&self) -> io::Result<bool> {
        let has_voted = self.file.get(self.group, VOTE)?.is_some();
        let is_begun = has_voted || self.purged()?.is_some() || self.last()?.is_some();
        Ok(is_begun && !self.is_left()?)
    }

    /// Whether all there is of the group was to be removed.
    pub(super) fn is_left(&self) -> io::Result<bool> {
        Ok(self.file.get(self.group, LEFT)?.is_some())
    }

    /// Makes a change, on stable storage when this returns.
    async fn write(&self, change: Change) -> io::Result<()> {
        self.file.write(change).await
    }

    pub(super) fn entries(
        &self,
        first: u64,
        last: u64,
        bytes_max: usize,
    ) -> io::Result<Vec<Entry>> {
        let table = self.file.read()?.open_table(ENTRIES).map_err(io::Error::other)?;
        let range = table.range((self.group, first)..=(self.group, last));
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for row in range.map_err(io::Error::other)? {
            let (_, value) = row.map_err(io::Error::other)?;
            bytes += value.value().len();
            if bytes > bytes_max && !entries.is_empty() {
                break;
            }
            entries.push(decode(value.value())?);
        }
        Ok(entries)
    }

    fn last(&self) -> io::Result<Option<LogId>> {
        let table = self.file.read()?.open_table(ENTRIES).map_err(io::Error::other)?;
        let mut range =
            table.range((self.group, 0)..=(self.group, u64::MAX)).map_err(io::Error::other)?;
        let Some(row) = range.next_back() else { return Ok(None) };
        let (_, value) = row.map_err(io::Error::other)?;
        decode::<Entry>(value.value()).map(|entry| Some(entry.log_id))
    }
}

impl RaftLogReader<Types> for GroupLog {
    async fn try_get_log_entries<R: RangeBounds<u64> + Clone + Debug + Send>(
        &mut self,
        range: R,
    ) -> Result<Vec<Entry>, StorageError> {
        let Some((first, last)) = inclusive(&range) else { return Ok(Vec::new()) };
        self.entries(first, last, usize::MAX).map_err(unread)
    }

    async fn limited_get_log_entries(
        &mut self,
        start: u64,
        end: u64,
    ) -> Result<Vec<Entry>, StorageError> {
        let Some((first, last)) = inclusive(&(start..end)) else { return Ok(Vec::new()) };
        self.entries(first, last, READ_BYTES_MAX).map_err(unread)
    }
}

/// The first and last number of a range that is not empty.
fn inclusive(range: &impl RangeBounds<u64>) -> Option<(u64, u64)> {
    let first = match range.start_bound() {
        Bound::Included(first) => *first,
        Bound::Excluded(before) => before.checked_add(1)?,
        Bound::Unbounded => 0,
    };
    let last = match range.end_bound() {
        Bound::Included(last) => *last,
        Bound::Excluded(end) => end.checked_sub(1)?,
        Bound::Unbounded => u64::MAX,
    };
    (first <= last).then_some((first, last))
}

impl RaftLogStorage<Types> for GroupLog {
    type LogReader = Self;

    async fn get_log_state(&mut self) -> Result<LogState<Types>, StorageError> {
        let last_purged_log_id = self.purged().map_err(unread)?;
        let last_log_id = self.last().map_err(unread)?.or(last_purged_log_id);
        Ok(LogState { last_purged_log_id, last_log_id })
    }

    async fn get_log_reader(&mut self) -> Self {
        self.clone()
    }

    async fn save_vote(&mut self, vote: &Vote) -> Result<(), StorageError> {
        let vote = encode(vote).map_err(unwritten)?;
        self.write(Change::Put(self.group, VOTE, vote)).await.map_err(unwritten)
    }

    async fn read_vote(&mut self) -> Result<Option<Vote>, StorageError> {
        let vote = self.file.get(self.group, VOTE).map_err(unread)?;
        vote.map(|bytes| decode(&bytes)).transpose().map_err(unread)
    }

    /// It gets to stable storage with what comes next: it is only there so that a node that starts
    /// knows some of what it may apply before others tell it.
    async fn save_committed(&mut self, committed: Option<LogId>) -> Result<(), StorageError> {
        let committed = encode(&committed).map_err(unwritten)?;
        let change = Change::Put(self.group, COMMITTED, committed);
        self.file.send(Write { change, done: None }).await.map_err(unwritten)
    }

    async fn read_committed(&mut self) -> Result<Option<LogId>, StorageError> {
        let committed = self.file.get(self.group, COMMITTED).map_err(unread)?;
        let committed = committed.map(|bytes| decode::<Option<LogId>>(&bytes)).transpose();
        Ok(committed.map_err(unread)?.flatten())
    }

    async fn append<I>(
        &mut self,
        entries: I,
        callback: LogFlushed<Types>,
    ) -> Result<(), StorageError>
    where
        I: IntoIterator<Item = Entry> + Send,
        I::IntoIter: Send,
    {
        let encoded = entries.into_iter().map(|entry| Ok((entry.log_id.index, encode(&entry)?)));
        let encoded = encoded.collect::<io::Result<Vec<_>>>().map_err(unwritten)?;
        // They can be read and are on stable storage before anyone is told.
        let written = self.write(Change::Append(self.group, encoded)).await;
        let failed =
            written.as_ref().err().map(|error| unwritten(io::Error::other(error.to_string())));
        callback.log_io_completed(written);
        failed.map_or(Ok(()), Err)
    }

    async fn truncate(&mut self, log_id: LogId) -> Result<(), StorageError> {
        self.write(Change::Truncate(self.group, log_id.index)).await.map_err(unwritten)
    }

    async fn purge(&mut self, log_id: LogId) -> Result<(), StorageError> {
        let id = encode(&log_id).map_err(unwritten)?;
        self.write(Change::Purge(self.group, log_id.index, id)).await.map_err(unwritten)
    }
}

fn unread(error: io::Error) -> StorageError {
    storage(ErrorVerb::Read, error)
}

fn unwritten(error: io::Error) -> StorageError {
    storage(ErrorVerb::Write, error)
}

fn storage(verb: ErrorVerb, error: io::Error) -> StorageError {
    tracing::error!(%error, "the log of a cluster fails");
    StorageError::IO { source: IoError::new(ErrorSubject::<Node>::Logs, verb, &error) }
}
