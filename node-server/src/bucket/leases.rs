//! A bucket as one node has it: what the bucket says, and the leases that this node took.

use super::{
    BucketOptions, Head, Held, Note,
    head::{Contents, Holds, Lease},
    identity::{machine, node_of},
    inner::{HEADS, Inner},
    lease::{Node, Source, Terms},
    objects::{Objects, Tag},
    parts,
};
use crate::{Name, Serving, fault, limits::HEADS_AT_ONCE, random::random_name};
use futures_util::{StreamExt, stream};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::{Duration, Instant},
};
use tokio::runtime::{Builder, Runtime};
use vectordoc::{Error, Result, native::Resting};

/// Threads that speak with the service.
const THREADS: usize = 2;

/// A bucket, and the leases that this node has.
pub(crate) struct Bucket {
    inner: Arc<Inner>,
    leases: Arc<Leases>,
    /// Heads as they were seen last, and as what.
    seen: Mutex<BTreeMap<Name, (Head, Tag)>>,
    keep: bool,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
}

type Leases = Mutex<BTreeMap<Name, Arc<Held>>>;

/// A lease that was taken, and whether the files of this node are the newest.
pub(crate) struct Claimed {
    pub(crate) held: Arc<Held>,
    pub(crate) is_here: bool,
}

impl Bucket {
    /// The bucket of these options, for the node whose data directory is `data`. Nothing is asked of
    /// the service yet.
    pub(crate) fn open(options: &BucketOptions, data: &Path) -> Result<Self> {
        options.check()?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("bucket")
            .enable_all()
            .build()
            .map_err(|error| fault::os("cannot start", "threads", &error))?;
        let lease_ms = u64::try_from(options.lease.as_millis()).unwrap_or(u64::MAX);
        let terms = Terms { lease_ms, margin_ms: lease_ms / 6 };
        let name = if options.node.is_empty() { machine() } else { options.node.clone() };
        let node = Node { id: node_of(data)?, name, session: random_name()? };
        let inner =
            Arc::new(Inner::new(Objects::of(options)?, node, terms, runtime.handle().clone()));
        let leases = Arc::<Leases>::default();
        runtime.spawn(renew(Arc::clone(&leases), options.lease / 3));
        let seen = Mutex::default();
        Ok(Self { inner, leases, seen, keep: options.keep, runtime: Some(runtime) })
    }

    /// Which node this is.
    pub(crate) fn node(&self) -> &str {
        &self.inner.node.id
    }

    /// Whether files stay that are uploaded.
    pub(crate) fn keeps(&self) -> bool {
        self.keep
    }

    /// The lease of `name`, if this node has one that holds.
    pub(crate) fn held(&self, name: &Name) -> Option<Arc<Held>> {
        self.leases().get(name).filter(|held| held.holds()).cloned()
    }

    /// Forgets the lease of `name`, which runs out.
    pub(crate) fn forget(&self, name: &Name) {
        self.leases().remove(name);
    }

    /// Takes the name for a database that is created in `directory`; `None` when the bucket has one of
    /// it.
    pub(crate) fn create(
        &self,
        name: &Name,
        directory: &Path,
        serving: Serving,
    ) -> Result<Option<Arc<Held>>> {
        let (inner, id) = (Arc::clone(&self.inner), random_name()?);
        let (name, directory) = (name.clone(), PathBuf::from(directory));
        let held = self.inner.wait(async move {
            let asked = Instant::now();
            let lease = Lease::of(&inner.node, inner.terms, inner.now_ms(), true);
            let head = Head::new(id, serving, lease);
            let mut tag = inner.create(&name, &head).await?;
            if tag.is_none()
                && let Some((found, at)) = inner.head(&name).await?
            {
                tag = match () {
                    // What it wrote, and did not hear of, is there already.
                    () if found == head => Some(at),
                    () if found.is_dropped => inner.replace(&name, &head, &at).await?,
                    () => None,
                };
            }
            Ok(tag.map(|tag| Held::new(&inner, &name, directory, (head, tag), asked)))
        })?;
        Ok(held.inspect(|held| self.add(held)))
    }

    /// Takes the lease of `name`, whose files are in `directory` if this node has some, and `note` is
    /// what it knows of them. `None` when the bucket has no such database; `busy` when another node
    /// has it, `unavailable` when another had it and has writes that are nowhere else, unless this
    /// `gives_up` those.
    pub(crate) fn claim(
        &self,
        name: &Name,
        directory: &Path,
        note: Option<Note>,
        gives_up: bool,
    ) -> Result<Option<Claimed>> {
        const TRIES: usize = 3;
        let inner = Arc::clone(&self.inner);
        let (name, directory) = (name.clone(), PathBuf::from(directory));
        let claimed = self.inner.wait(async move {
            for _ in 0..TRIES {
                let Some((head, tag)) = inner.head(&name).await? else { return Ok(None) };
                if head.is_dropped {
                    return Ok(None);
                }
                let (asked, now_ms) = (Instant::now(), inner.now_ms());
                let (next, source) =
                    head.claim(&inner.node, note.as_ref(), inner.terms, now_ms, gives_up)?;
                if let Some(tag) = inner.replace(&name, &next, &tag).await? {
                    let held = Held::new(&inner, &name, directory, (next, tag), asked);
                    return Ok(Some(Claimed { held, is_here: source == Source::Here }));
                }
                // Somebody was quicker: what that is, is said by the next look.
            }
            Err(Error::busy("other nodes ask for it at the same time; try again in a moment"))
        })?;
        if let Some(claimed) = &claimed {
            self.add(&claimed.held);
        }
        Ok(claimed)
    }

    /// The same, to drop it: also one of which nothing was uploaded.
    pub(crate) fn claim_to_drop(
        &self,
        name: &Name,
        directory: &Path,
        note: Option<Note>,
    ) -> Result<Option<Arc<Held>>> {
        let head = self.head(name)?;
        let created = head.and_then(|head| head.note_of_creator(self.node()));
        let claimed = self.claim(name, directory, note.or(created), false)?;
        Ok(claimed.map(|claimed| claimed.held))
    }

    /// Fetches the files of a database that was claimed into `directory`, with how it is served.
    pub(crate) fn fetch(&self, held: &Arc<Held>, directory: &Path) -> Result<()> {
        let (held, directory) = (Arc::clone(held), PathBuf::from(directory));
        self.inner.wait(async move {
            let (id, _) = held.place();
            let contents = held.contents();
            let contents = contents.ok_or_else(|| Error::internal("nothing was uploaded"))?;
            let folder = Inner::folder(&held.name, &id);
            parts::fetch(&held.inner.objects, &folder, &contents, &directory).await
        })
    }

    /// Notes beside the files of a database that was claimed that they are of this lease.
    pub(crate) fn note(&self, held: &Held) -> Result<()> {
        held.note(held.is_written(), true)
    }

    /// Uploads what is in `directory` and was written under the lease. Nobody finds it until the lease
    /// is [given back](Self::release) with it.
    pub(crate) fn send(
        &self,
        held: &Arc<Held>,
        directory: &Path,
        is_cancelled: &Arc<AtomicBool>,
    ) -> Result<Upload> {
        if !held.is_written() {
            return Ok(Upload(None));
        }
        let (held, directory) = (Arc::clone(held), PathBuf::from(directory));
        let is_cancelled = Arc::clone(is_cancelled);
        self.inner.wait(async move {
            let ((id, epoch), before) = (held.place(), held.contents());
            let (objects, folder) = (&held.inner.objects, Inner::folder(&held.name, &id));
            let sent =
                parts::send(objects, &folder, epoch, &directory, before.as_ref(), &is_cancelled);
            Ok(Upload(Some(sent.await?)))
        })
    }

    /// Gives a lease back: from then on the next node that asks has the database, as it was uploaded.
    /// After an error it may have been given back or not; it does not hold any more.
    pub(crate) fn release(
        &self,
        held: &Arc<Held>,
        upload: Upload,
        serving: Serving,
        resting: Option<Resting>,
    ) -> Result<()> {
        let (lease, uploaded) = (Arc::clone(held), upload.0);
        let holds = resting.map(Holds::from);
        self.inner.wait(async move { lease.release(uploaded, serving, holds).await })?;
        self.forget(&held.name);
        held.note(false, false)
    }

    /// Gives back a lease under which nothing was done.
    pub(crate) fn give_back(&self, held: &Arc<Held>) -> Result<()> {
        self.forget(&held.name);
        if held.is_written() {
            return Ok(());
        }
        let (lease, serving) = (Arc::clone(held), held.serving());
        self.inner.wait(async move { lease.release(None, serving, None).await })
    }

    /// Deletes what the last upload made useless, in the background.
    pub(crate) fn sweep(&self, held: &Arc<Held>) {
        let held = Arc::clone(held);
        self.inner.handle.spawn(async move {
            let (id, epoch) = held.place();
            let Some(contents) = held.contents() else { return };
            let folder = Inner::folder(&held.name, &id);
            let swept = parts::sweep(&held.inner.objects, &folder, epoch, &contents).await;
            if let Err(error) = swept {
                tracing::warn!(db = %held.name, %error, "old objects remain in the bucket");
            }
        });
    }

    /// Drops a database that was claimed. Of its objects a small one stays, which says so to nodes
    /// that have its files; those that cannot be deleted now are left behind.
    pub(crate) fn drop_database(&self, held: &Arc<Held>) -> Result<()> {
        self.forget(&held.name);
        let held = Arc::clone(held);
        self.inner.wait(async move {
            let (id, _) = held.place();
            held.bury().await?;
            let cleared = parts::clear(&held.inner.objects, &Inner::folder(&held.name, &id)).await;
            if let Err(error) = cleared {
                tracing::warn!(db = %held.name, %error, "objects of it remain in the bucket");
            }
            Ok(())
        })
    }

    /// What the bucket says of `name`; `None` when it has no such database.
    pub(crate) fn head(&self, name: &Name) -> Result<Option<Head>> {
        let (inner, name) = (Arc::clone(&self.inner), name.clone());
        let found = self.inner.wait(async move { inner.head(&name).await })?;
        Ok(found.map(|(head, _)| head).filter(|head| !head.is_dropped))
    }

    /// What the bucket says of all its databases.
    pub(crate) fn heads(&self) -> Result<BTreeMap<Name, Head>> {
        let (inner, before) = (Arc::clone(&self.inner), self.seen().clone());
        let seen = self.inner.wait(async move {
            let listed = inner.objects.list(HEADS).await?;
            let names =
                listed.into_iter().filter_map(|(name, tag)| Some((Name::parse(&name).ok()?, tag)));
            let read = names.map(|(name, tag)| {
                let known = before.get(&name).filter(|(_, known)| *known == tag).cloned();
                let inner = Arc::clone(&inner);
                async move {
                    let head = match known {
                        Some(known) => Ok(Some(known)),
                        None => inner.head(&name).await,
                    };
                    (name, head)
                }
            });
            let read: Vec<_> = read.collect();
            let read: Vec<_> = stream::iter(read).buffer_unordered(HEADS_AT_ONCE).collect().await;
            let mut seen = BTreeMap::new();
            for (name, head) in read {
                match head {
                    Ok(Some(head)) => drop(seen.insert(name, head)),
                    Ok(None) => {}
                    Err(error) => tracing::warn!(db = %name, %error, "a head cannot be read"),
                }
            }
            Ok(seen)
        })?;
        self.seen().clone_from(&seen);
        let heads = seen.into_iter().map(|(name, (head, _))| (name, head));
        Ok(heads.filter(|(_, head)| !head.is_dropped).collect())
    }

    fn add(&self, held: &Arc<Held>) {
        self.leases().insert(held.name.clone(), Arc::clone(held));
    }

    fn leases(&self) -> MutexGuard<'_, BTreeMap<Name, Arc<Held>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<Name, (Head, Tag)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Bucket {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Files that were uploaded, if there was something to upload.
pub(crate) struct Upload(Option<Contents>);

/// Renews every lease, again and again.
async fn renew(leases: Arc<Leases>, every: Duration) {
    loop {
        tokio::time::sleep(every).await;
        let held: Vec<_> = {
            let leases = leases.lock().unwrap_or_else(PoisonError::into_inner);
            leases.values().cloned().collect()
        };
        let renewed: Vec<_> = held.iter().map(|held| held.renew()).collect();
        stream::iter(renewed).buffer_unordered(HEADS_AT_ONCE).collect::<()>().await;
    }
}
