//! Databases that rest in a bucket: brought here, under a lease, when they are asked for, and uploaded
//! once they are asleep.
//!
//! **Invariant:** a database of a bucket is opened, and its head changed, only while its entry is
//! reserved and this node has its lease; files are uploaded without that, and count only if nobody
//! woke the database meanwhile.

use super::{
    Catalog, Described, Name, Serverless, Serving,
    described::Rests,
    entries::{Change, Entry, Served},
    within,
};
use crate::bucket::{Bucket, BucketOptions, Claimed, Head, Held, Note};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};
use vectordoc::{Database, Error, ErrorKind, Result, native::DatabaseOptions};

/// What is known of what the bucket says.
#[derive(Clone, Copy)]
pub(super) enum Heads<'a> {
    /// Nothing: it is to be asked.
    Unknown,
    /// All of it.
    Known(&'a BTreeMap<Name, Head>),
    /// It was asked, and did not answer.
    Silent,
}

impl Catalog {
    /// The same as [`open_serverless`](Self::open_serverless), with serverless databases that rest in
    /// a bucket, where every node of that bucket finds them. Those of the directory that are in no
    /// bucket yet are uploaded.
    pub fn open_in_bucket(
        path: impl AsRef<Path>,
        shards: usize,
        options: DatabaseOptions,
        serverless: Serverless,
        bucket: &BucketOptions,
    ) -> Result<Self> {
        let path = path.as_ref();
        if Database::is_database(path) {
            return Err(Error::invalid(format!(
                "{} is one database, which is served alone; databases that rest in a bucket need a \
                 directory for several",
                path.display()
            )));
        }
        Self::open_all(path, shards, options, serverless, Some(bucket))
    }

    /// Whether databases rest in a bucket.
    pub(crate) fn has_bucket(&self) -> bool {
        self.bucket.is_some()
    }

    /// Has what is at rest uploaded that is not, when it begins.
    pub(super) fn resume_upload(&self, name: &Name, serving: Serving) {
        let Some((_, directory)) = self.stored(name) else { return };
        let is_waiting = match Note::read(&directory) {
            Ok(Some(note)) => !note.is_settled(),
            Ok(None) => serving.is_serverless(&self.serverless),
            Err(_) => true,
        };
        if is_waiting {
            self.uploads.add(name);
        }
    }

    /// Opens `name`, whose entry is reserved: here, or as the bucket has it, under a lease then.
    pub(super) fn bring(&self, name: &Name, serving: Serving) -> Result<Entry> {
        let Some((bucket, directory)) = self.stored(name) else {
            return Ok(self.entry_of(self.home.open(name)?, serving));
        };
        let is_here = Database::is_database(&directory);
        let note = Note::read(&directory)?;
        if note.is_none() && is_here && !serving.is_serverless(&self.serverless) {
            // It is no business of the bucket.
            return Ok(self.entry_of(self.home.open(name)?, serving));
        }
        // What is on its way is of before, then.
        let was_waiting = self.uploads.waiting(name).is_some();
        self.uploads.end(name);
        let opened = self.lease(name, false).and_then(|(held, serving)| {
            let opened = self.open_leased(bucket, name, &held)?;
            Ok((opened, held, serving))
        });
        let (opened, held, serving) = opened.inspect_err(|_| {
            if was_waiting || bucket.held(name).is_some() {
                self.uploads.add(name);
            }
        })?;
        opened.guard_writes(held.guard());
        bucket.note(&held)?;
        Ok(Entry::Open(Served::new(opened, serving, &self.serverless).leased(Some(held))))
    }

    /// Opens files that are the newest; fetched again, if those here are damaged and nothing is in them
    /// that is not in the bucket.
    fn open_leased(&self, bucket: &Bucket, name: &Name, held: &Arc<Held>) -> Result<Database> {
        match self.home.open(name) {
            Err(error) if error.kind() == ErrorKind::Corrupt && !held.is_written() => {
                tracing::warn!(db = %name, %error, "what is here is damaged, and fetched again");
                self.fetch(bucket, name, held, None)?;
                self.home.open(name)
            }
            opened => opened,
        }
    }

    /// Takes the lease of `name`, whose entry is reserved, and sees that the newest files are here.
    /// Returns how it is served.
    fn lease(&self, name: &Name, gives_up: bool) -> Result<(Arc<Held>, Serving)> {
        let (bucket, directory) = self.stored(name).ok_or_else(|| self.unknown(name))?;
        if let Some(held) = bucket.held(name) {
            return Ok((held, self.home.serving(name)?));
        }
        let is_here = Database::is_database(&directory);
        let mut note = Note::read(&directory)?.filter(|_| is_here);
        if is_here
            && note.is_none()
            && let Some(head) = bucket.head(name)?
        {
            note = head.note_of_creator(bucket.node());
            if note.is_none() {
                return Err(Error::conflict(format!(
                    "the bucket has another database of this name than {}; move that directory away, \
                     or give it another name",
                    directory.display()
                )));
            }
        }
        let Some(claimed) = bucket.claim(name, &directory, note.clone(), gives_up)? else {
            return self.lease_of_unknown(name, note);
        };
        let Claimed { held, is_here: is_newest } = claimed;
        if is_newest && is_here {
            // Another node may have been told otherwise since.
            let is_settled = note.as_ref().is_some_and(Note::is_settled);
            if is_settled && self.home.serving(name)? != held.serving() {
                self.home.keep_serving(name, held.serving())?;
            }
        } else {
            let fetched = self.fetch(bucket, name, &held, note.as_ref());
            fetched.inspect_err(|_| give_back(bucket, &held))?;
        }
        bucket.note(&held)?;
        Ok((held, self.home.serving(name)?))
    }

    /// The same, of a database that the bucket does not have.
    fn lease_of_unknown(&self, name: &Name, note: Option<Note>) -> Result<(Arc<Held>, Serving)> {
        let (bucket, directory) = self.stored(name).ok_or_else(|| self.unknown(name))?;
        if let Some(note) = note {
            // Another node dropped it.
            self.home.discard(name, note.is_written())?;
            return Err(self.unknown(name));
        }
        if !Database::is_database(&directory) {
            return Err(self.unknown(name));
        }
        let serving = self.home.serving(name)?;
        let held = bucket.create(name, &directory, serving)?;
        let held = held.ok_or_else(|| taken(name))?;
        bucket.note(&held)?;
        Ok((held, serving))
    }

    /// Fetches `name` in the place of what is here, which is older.
    fn fetch(
        &self,
        bucket: &Bucket,
        name: &Name,
        held: &Arc<Held>,
        note: Option<&Note>,
    ) -> Result<()> {
        let began = Instant::now();
        let directory = self.home.begin_fetch(name)?;
        bucket.fetch(held, &directory)?;
        held.serving().write(&directory)?;
        held.note_in(&directory)?;
        self.home.finish_fetch(name, note.is_some_and(Note::is_written))?;
        let took_ms = began.elapsed().as_secs_f64() * 1e3;
        tracing::info!(db = %name, took_ms, "fetched");
        Ok(())
    }

    /// Takes the name for a new database; `None` where there is no bucket, or it is not serverless.
    pub(super) fn lease_new(&self, name: &Name, serving: Serving) -> Result<Option<Arc<Held>>> {
        match self.stored(name) {
            Some((bucket, directory)) if serving.is_serverless(&self.serverless) => {
                let held = bucket.create(name, &directory, serving)?;
                held.map(Some).ok_or_else(|| taken(name))
            }
            _ => Ok(None),
        }
    }

    /// The entry of a database that was created under a lease, or without.
    pub(super) fn entry_of_new(
        &self,
        name: &Name,
        database: Database,
        serving: Serving,
        held: Option<Arc<Held>>,
    ) -> Result<Entry> {
        let (Some(held), Some(bucket)) = (held, &self.bucket) else {
            return Ok(self.entry_of(database, serving));
        };
        bucket.note(&held).map_err(|error| within(name, error))?;
        database.guard_writes(held.guard());
        Ok(Entry::Open(Served::new(database, serving, &self.serverless).leased(Some(held))))
    }

    /// What there is to know of `name`, which is not here, if the bucket has it.
    pub(super) fn stored_already(&self, name: &Name) -> Result<Option<Described>> {
        let Some((bucket, _)) = self.stored(name) else { return Ok(None) };
        bucket.head(name)?.map(|head| self.describe_head(name, &head)).transpose()
    }

    /// The lease of `name`, whose entry is reserved to drop it; `None` of one that is in no bucket.
    pub(super) fn lease_to_drop(
        &self,
        name: &Name,
        change: &Change<'_>,
    ) -> Result<Option<Arc<Held>>> {
        let Some((bucket, directory)) = self.stored(name) else { return Ok(None) };
        match &change.entry {
            None | Some(Entry::Resting(_) | Entry::Broken(_) | Entry::Open(_)) => {}
            _ => return Ok(None),
        }
        if let Some(held) = bucket.held(name) {
            return Ok(Some(held));
        }
        let note = Note::read(&directory).unwrap_or_default();
        if note.is_none() && change.entry.is_some() {
            return Ok(None);
        }
        let claimed = bucket.claim_to_drop(name, &directory, note);
        claimed.map_err(|error| within(name, error))
    }

    /// Drops a database of the bucket, whose lease this node has.
    pub(super) fn drop_stored(
        &self,
        name: &Name,
        held: &Arc<Held>,
        change: &mut Change<'_>,
    ) -> Result<()> {
        let Some((bucket, _)) = self.stored(name) else { return Ok(()) };
        let is_open = matches!(change.entry, Some(Entry::Open(_)));
        let dropped = bucket.drop_database(held).map_err(|error| within(name, error));
        if dropped.is_err() && is_open {
            // It was closed for this.
            let serving = self.home.serving(name).unwrap_or_default();
            change.entry = Some(Entry::Resting(serving));
            self.uploads.add(name);
        }
        dropped?;
        self.uploads.end(name);
        self.home.discard(name, false)
    }

    /// Puts to rest what is awake by a lease, whoever uses it.
    pub(super) fn put_away(&self, name: &Name) {
        let mut change = self.entries.change(name);
        let Some(Entry::Open(served)) = &change.entry else { return };
        self.transfers.forget(name);
        if let Err(error) = served.database.rest() {
            tracing::error!(db = %name, %error, "a database could not be stored");
            super::close(name, &served.database);
        }
        change.entry = Some(Entry::Resting(served.serving));
        self.uploads.add(name);
    }

    /// Puts to rest what this node has no lease of any more.
    pub(super) fn let_lapsed_rest(&self) {
        for name in self.entries.lapsed() {
            tracing::warn!(db = %name, "its lease is over: it is served no longer");
            self.put_away(&name);
        }
    }

    /// How `name` is served, whose entry is reserved and which is not in memory: as the bucket says,
    /// unless this node has it at rest and not uploaded. `None` when there is no such database.
    pub(super) fn newest_serving(
        &self,
        name: &Name,
        change: &Change<'_>,
    ) -> Result<Option<Serving>> {
        let here = match change.entry {
            Some(Entry::Resting(serving)) => Some(serving),
            _ => None,
        };
        let Some((bucket, directory)) = self.stored(name) else { return Ok(here) };
        let is_here = self.uploads.waiting(name).is_some() || bucket.held(name).is_some();
        if here.is_some() && (is_here || Note::read(&directory)?.is_none()) {
            return Ok(here);
        }
        Ok(bucket.head(name)?.map(|head| head.serving()).or(here))
    }

    /// Has a database uploaded that was put to rest.
    pub(super) fn upload_later(&self, name: &Name) {
        if let Some((_, directory)) = self.stored(name)
            && (matches!(Note::read(&directory), Ok(Some(_))) || self.is_serverless(name))
        {
            self.uploads.add(name);
        }
    }

    fn is_serverless(&self, name: &Name) -> bool {
        self.home.serving(name).is_ok_and(|serving| serving.is_serverless(&self.serverless))
    }

    /// Brings the newest files of `name`, whose entry is reserved, here, so that how it is served can
    /// be changed; `gives_up` what only a lost node has.
    pub(super) fn bring_files(
        &self,
        name: &Name,
        change: &mut Change<'_>,
        gives_up: bool,
    ) -> Result<()> {
        let Some((_, directory)) = self.stored(name) else { return Ok(()) };
        let is_stored = match &change.entry {
            None => true,
            Some(Entry::Resting(_)) => {
                Note::read(&directory)?.is_some() || self.is_serverless(name)
            }
            _ => false,
        };
        if is_stored {
            let (_, serving) = self.lease(name, gives_up).map_err(|error| within(name, error))?;
            change.entry = Some(Entry::Resting(serving));
            self.uploads.add(name);
        }
        Ok(())
    }

    /// Uploads what is at rest and waits for that, if it is time to try.
    pub(crate) fn upload(&self) {
        self.upload_some(false);
    }

    /// Uploads all that is at rest, once: the server stops.
    pub(super) fn upload_all(&self) {
        self.upload_some(true);
    }

    fn upload_some(&self, all: bool) {
        for (name, is_cancelled) in self.uploads.due(all) {
            if let Err(error) = self.upload_one(&name, &is_cancelled)
                && !is_cancelled.load(Ordering::Acquire)
            {
                tracing::warn!(db = %name, %error, "a database could not be uploaded and rests here");
                let is_down = error.kind() == ErrorKind::Unavailable;
                self.uploads.failed(&name, error);
                if all && is_down {
                    // The next start goes on with them.
                    return;
                }
            }
        }
    }

    fn upload_one(&self, name: &Name, is_cancelled: &Arc<AtomicBool>) -> Result<()> {
        let Some((bucket, directory)) = self.stored(name) else { return Ok(()) };
        let held = {
            let mut change = self.entries.change(name);
            if !matches!(change.entry, Some(Entry::Resting(_))) {
                return Ok(());
            }
            if !self.has_news(bucket, name, &directory)? {
                self.uploads.end(name);
                return Ok(());
            }
            // What it holds is said by its head.
            self.look(name, &mut change)?;
            let (held, serving) = self.lease(name, false)?;
            change.entry = Some(Entry::Resting(serving));
            held
        };
        let upload = bucket.send(&held, &directory, is_cancelled)?;
        let mut change = self.entries.change(name);
        let Some(Entry::Resting(serving)) = change.entry else { return Ok(()) };
        if is_cancelled.load(Ordering::Acquire) {
            return Ok(());
        }
        bucket.release(&held, upload, serving, self.home.resting(name)?)?;
        self.uploads.end(name);
        bucket.sweep(&held);
        tracing::info!(db = %name, "uploaded");
        if !bucket.keeps() {
            self.home.discard(name, false)?;
            change.entry = None;
        }
        Ok(())
    }

    /// Whether the bucket is to hear anything of `name`: not if nothing was written here and another
    /// node has it by now.
    fn has_news(&self, bucket: &Bucket, name: &Name, directory: &Path) -> Result<bool> {
        if bucket.held(name).is_some() {
            return Ok(true);
        }
        match Note::read(directory)? {
            Some(note) if !note.is_written() => {
                let head = bucket.head(name)?;
                Ok(head.is_some_and(|head| head.is_held_by(bucket.node())))
            }
            _ => Ok(true),
        }
    }

    /// What there is to know of `name`, which is not in memory here: as the bucket says, unless this
    /// node knows better. `heads` is what the bucket says of all, if that was asked.
    pub(super) fn describe_stored(
        &self,
        name: &Name,
        serving: Option<Serving>,
        heads: Heads<'_>,
    ) -> Result<Option<Described>> {
        let Some((bucket, directory)) = self.stored(name) else { return Ok(None) };
        let note = Note::read(&directory)?;
        if let Some(serving) = serving
            && note.is_none()
            && !serving.is_serverless(&self.serverless)
        {
            return Ok(None);
        }
        // Asked before the bucket is, so that an upload that ends meanwhile is seen there.
        if serving.is_some() && self.uploads.waiting(name).is_some() {
            return Ok(None);
        }
        let head = match heads {
            Heads::Known(heads) => match heads.get(name) {
                // It was uploaded since.
                Some(head) if head.is_held_by(bucket.node()) => bucket.head(name),
                head => Ok(head.cloned()),
            },
            Heads::Silent => Err(Error::unavailable("the bucket does not answer")),
            Heads::Unknown => bucket.head(name),
        };
        match (head, serving) {
            (Ok(Some(head)), _) => self.describe_head(name, &head).map(Some),
            (Ok(None), None) => Err(self.unknown(name)),
            (Ok(None), Some(_)) if note.is_some() => Err(self.unknown(name)),
            (Err(error), None) => Err(error),
            (Ok(None) | Err(_), Some(_)) => Ok(None),
        }
    }

    fn describe_head(&self, name: &Name, head: &Head) -> Result<Described> {
        let node = self.bucket.as_ref().map_or("", |bucket| bucket.node());
        let holder = head.holder_but(node);
        let resting = head.resting()?.ok_or_else(|| {
            let holder = holder.unwrap_or("that is this one");
            Error::unavailable(format!(
                "it was created at node {holder}, which has not uploaded it yet"
            ))
        })?;
        let described = Described::resting(name, resting, head.serving(), &self.serverless);
        Ok(match holder {
            None => described.rests(Rests::Bucket, None),
            Some(holder) => described.rests(Rests::Elsewhere, Some(holder.to_owned())),
        })
    }

    /// Where a database is that this node has newer than the bucket, if it is to go there.
    pub(super) fn rests_here(&self, described: Described) -> Described {
        match self.uploads.waiting(&described.name) {
            None => described,
            Some(why) => described.rests(Rests::Waiting, why.map(|why| why.message().to_owned())),
        }
    }

    /// What the bucket says of all its databases; `None` where there is none, or it does not answer.
    pub(super) fn heads(&self) -> Option<BTreeMap<Name, Head>> {
        let heads = self.bucket.as_ref()?.heads();
        heads.inspect_err(|error| tracing::warn!(%error, "the bucket does not answer")).ok()
    }

    /// The bucket, and where the files of `name` are when they are here.
    fn stored(&self, name: &Name) -> Option<(&Bucket, PathBuf)> {
        Some((self.bucket.as_deref()?, self.home.place(name)?))
    }
}

/// Gives back a lease that came to nothing, as far as that is possible.
fn give_back(bucket: &Bucket, held: &Arc<Held>) {
    if let Err(error) = bucket.give_back(held) {
        tracing::warn!(%error, "a lease runs out, as it could not be given back");
    }
}

fn taken(name: &Name) -> Error {
    Error::conflict(format!("the bucket has a database {name} already"))
}
