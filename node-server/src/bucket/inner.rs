//! What the tasks of a bucket share: its objects, who this node is, and what time it is.

use super::{
    head::Head,
    lease::{Node, Terms},
    objects::{Condition, Objects, Tag},
};
use crate::{Name, limits::HEAD_TIMEOUT};
use std::{
    future::Future,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::sync_channel,
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::{runtime::Handle, time::timeout};
use vectordoc::{Error, Result};

/// Heads of databases, by their names.
pub(super) const HEADS: &str = "heads";
const PROBES: &str = "probes";

pub(super) struct Inner {
    pub(super) objects: Objects,
    pub(super) node: Node,
    pub(super) terms: Terms,
    pub(super) handle: Handle,
    /// Whether the service was seen to refuse what it has to refuse.
    is_proven: AtomicBool,
}

impl Inner {
    pub(super) fn new(objects: Objects, node: Node, terms: Terms, handle: Handle) -> Self {
        Self { objects, node, terms, handle, is_proven: AtomicBool::new(false) }
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(passed.as_millis()).unwrap_or(u64::MAX)
    }

    /// Does `work` on the threads of the bucket and waits for it, on any thread that may.
    pub(super) fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T>> + Send + 'static,
    ) -> Result<T> {
        let (send, receive) = sync_channel(1);
        self.handle.spawn(async move {
            // Nobody stops to wait.
            let _ = send.send(work.await);
        });
        let done = receive.recv();
        done.unwrap_or_else(|_| Err(Error::unavailable("the server is stopping")))
    }

    /// The head of a database; `None` when the bucket has none of this name.
    pub(super) async fn head(&self, name: &Name) -> Result<Option<(Head, Tag)>> {
        let got = in_time(self.objects.get(&key(name)), "read").await?;
        got.map(|(bytes, tag)| Ok((Head::read(name, &bytes)?, tag))).transpose()
    }

    /// Writes the head of a database that has none; `None` when there is one.
    pub(super) async fn create(&self, name: &Name, head: &Head) -> Result<Option<Tag>> {
        self.prove().await?;
        in_time(self.objects.put(&key(name), head.write()?, Condition::Absent), "write").await
    }

    /// Writes the head in the place of that which is `tag`; `None` when it is not any more.
    pub(super) async fn replace(&self, name: &Name, head: &Head, tag: &Tag) -> Result<Option<Tag>> {
        self.prove().await?;
        let (key, bytes) = (key(name), head.write()?);
        in_time(self.objects.put(&key, bytes, Condition::Unchanged(tag)), "write").await
    }

    /// Where the parts of the database `id` of this name are.
    pub(super) fn folder(name: &Name, id: &str) -> String {
        format!("dbs/{name}/{id}")
    }

    /// Sees that conditions are conditions, once: a service that ignores them would let two nodes
    /// have one database.
    async fn prove(&self) -> Result<()> {
        if self.is_proven.load(Ordering::Acquire) {
            return Ok(());
        }
        let probe = format!("{PROBES}/{}", self.node.session);
        let put = |text: &'static str, condition| {
            in_time(self.objects.put(&probe, text.into(), condition), "write")
        };
        let first = put("1", Condition::Absent).await?.unwrap_or_default();
        let twice = put("2", Condition::Absent).await?;
        let second = put("2", Condition::Unchanged(&first)).await?;
        let stale = put("3", Condition::Unchanged(&first)).await?;
        in_time(self.objects.delete(&probe), "delete").await?;
        if twice.is_some() || second.is_none() || stale.is_some() {
            return Err(Error::unsupported(
                "this object storage does not write on condition (If-Match and If-None-Match), \
                 without which two nodes could have one database; use a service that does, such as \
                 AWS S3 or MinIO",
            ));
        }
        self.is_proven.store(true, Ordering::Release);
        Ok(())
    }
}

fn key(name: &Name) -> String {
    format!("{HEADS}/{name}")
}

/// Bounds a request that others wait for.
async fn in_time<T>(asked: impl Future<Output = Result<T>>, verb: &str) -> Result<T> {
    let within: Duration = HEAD_TIMEOUT;
    timeout(within, asked).await.unwrap_or_else(|_| {
        Err(Error::unavailable(format!(
            "cannot {verb} in the bucket: no answer within {} s",
            within.as_secs()
        )))
    })
}
