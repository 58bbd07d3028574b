//! News of shards of other nodes: each is asked whether something changed, and says so when it does.

use super::{
    group::{Group, Node},
    member::{Cluster, LOOK_AGAIN},
    message::{Request, Response},
    runtime::{sleep, timeout},
    shard_name::ShardName,
};
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::{sync::Notify, task::JoinSet};
use vectordoc::{Error, Result};

/// How long a node waits for something to happen before it says that nothing did.
const NEWS_TIMEOUT: Duration = Duration::from_secs(5);
/// How much longer its answer may take.
const ON_THE_WAY: Duration = Duration::from_secs(2);

/// Calls `listener` whenever one of `shards` may have changed, until what is returned is dropped.
pub(super) fn watch(
    cluster: &Arc<Cluster>,
    shards: &[(ShardName, Group)],
    listener: &Arc<dyn Fn() + Send + Sync>,
) -> JoinSet<()> {
    let mut watching = JoinSet::new();
    for (_, group) in shards {
        let watcher = watch_shard(Arc::downgrade(cluster), *group, Arc::clone(listener));
        watching.spawn_on(watcher, &cluster.handle);
    }
    watching
}

/// Asks one replica after the other, each as long as it answers.
async fn watch_shard(cluster: Weak<Cluster>, group: Group, listener: Arc<dyn Fn() + Send + Sync>) {
    let mut seen: Option<(Node, u64)> = None;
    while let Some(cluster) = cluster.upgrade() {
        let placement = cluster.placement();
        let Some(shard) = placement.shard(group) else {
            // It was dropped: who looks again finds that out.
            return listener();
        };
        let known = seen.filter(|(node, _)| shard.at.nodes.contains(node));
        let others = shard.at.nodes.iter().copied().map(|node| (node, 0));
        let mut heard = None;
        for (node, count) in known.into_iter().chain(others) {
            if let Ok(now) = cluster.watch_at(node, group, count).await {
                heard = Some((node, now));
                break;
            }
        }
        match heard {
            Some(now) if seen != Some(now) => listener(),
            Some(_) => {}
            None => sleep(LOOK_AGAIN).await,
        }
        seen = heard;
    }
}

impl Cluster {
    /// How often something changed in the replica of node `node`, once that is not `seen` any more.
    async fn watch_at(&self, node: Node, group: Group, seen: u64) -> Result<u64> {
        if node == self.node() {
            return self.watch_here(group, seen).await;
        }
        let request = Request::Watch(group, seen);
        match self.peers().ask(node, &request, NEWS_TIMEOUT + ON_THE_WAY).await {
            Ok(Response::Changed(count)) => Ok(count),
            _ => Err(Error::unavailable("the replica does not answer")),
        }
    }

    /// The same on this node.
    pub(super) async fn watch_here(&self, group: Group, seen: u64) -> Result<u64> {
        let database = self.ready_replica(group)?.database()?;
        let changed = Arc::new(Notify::new());
        let notified = Arc::clone(&changed);
        let _listening = database.on_change(move || notified.notify_one())?;
        let count = database.announcements();
        if count == seen {
            // That nothing happened is an answer too.
            let _ = timeout(NEWS_TIMEOUT, changed.notified()).await;
        }
        Ok(database.announcements())
    }
}
