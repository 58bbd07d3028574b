//! How a node comes into a cluster: it begins one, or is let in by one that is.

use super::{
    ClusterOptions, Shelf,
    group::{Node, PLACEMENT},
    identity::Identity,
    log::LogFile,
    member::{Cluster, LOOK_AGAIN, broken, no_leader},
    message::{Joining, Request, Response, error_of},
    peers::Peers,
    placement::{Change, NodeInfo, Placement},
    runtime::sleep,
};
use crate::random::random_name;
use openraft::EmptyNode;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;
use vectordoc::{Error, ErrorKind, Result};

/// How long to wait before asking again.
const JOIN_PAUSE: Duration = Duration::from_millis(200);
/// The number of the node that begins a cluster.
const FIRST: Node = 1;

impl Cluster {
    /// Begins a cluster of this node alone, unless it was begun: it has the first number, and its
    /// log is the one in which that is written.
    pub(super) async fn begin_if_first(&self) -> Result<()> {
        let raft = self.placement_raft()?;
        let is_begun = raft.is_initialized().await.map_err(|error| broken(&error))?;
        if self.node() != FIRST || is_begun {
            return Ok(());
        }
        let alone = BTreeMap::from([(self.node(), EmptyNode::new())]);
        raft.initialize(alone).await.map_err(|error| broken(&error))?;
        self.place(Change::Join(self.info.clone())).await
    }

    /// Whether it is the first of a cluster and ended before it had written that it is in it.
    fn is_unknown_founder(&self, placement: &Placement) -> bool {
        let is_alone = || {
            let raft = self.raft(PLACEMENT)?;
            let metrics = raft.metrics();
            let metrics = metrics.borrow();
            let voters: Vec<Node> = metrics.membership_config.voter_ids().collect();
            Some(metrics.current_leader == Some(self.node()) && voters == [self.node()])
        };
        placement.nodes.is_empty() && self.node() == FIRST && is_alone() == Some(true)
    }

    /// Lets others know where this node is, if it is not where they think.
    pub(super) async fn announce(&self, placement: &Placement) {
        let known = placement.nodes.get(&self.node());
        let is_moved = known.is_some_and(|known| *known != self.info);
        if is_moved || self.is_unknown_founder(placement) {
            // It is said again until it is known.
            let _ = self.place(Change::Join(self.info.clone())).await;
        }
    }

    /// Admits a node, or lets it be somewhere else; this one may have to ask the leader.
    pub(super) async fn admit(&self, joining: Joining) -> Result<Response> {
        if joining.cluster.as_ref().is_some_and(|cluster| *cluster != self.name()) {
            return Err(Error::denied("the node is of another cluster"));
        }
        let identity = joining.identity.clone();
        self.place(Change::Join(joining.info)).await?;
        let end = Instant::now() + self.request_timeout;
        loop {
            let nodes = self.placement().nodes.clone();
            let known = nodes.iter().find(|(_, known)| known.identity == identity);
            match known.map(|(node, _)| *node) {
                Some(node) => {
                    return Ok(Response::Joined { cluster: self.name().to_owned(), node, nodes });
                }
                None if Instant::now() > end => return Err(no_leader()),
                None => sleep(LOOK_AGAIN).await,
            }
        }
    }
}

/// The node as others are to know it; `listens` is where it really listens.
pub(super) fn info(options: &ClusterOptions, identity: &Identity, listens: String) -> NodeInfo {
    let advertised = options.advertise.clone();
    let address = if advertised.is_empty() { listens } else { advertised };
    NodeInfo { identity: identity.name.clone(), address, url: options.url.clone() }
}

/// The identity with its place in a cluster.
pub(super) async fn settle(
    options: &ClusterOptions,
    identity: Identity,
    info: &NodeInfo,
    peers: &Arc<Peers>,
    shelf: &Arc<Shelf>,
    file: &Arc<LogFile>,
) -> Result<Identity> {
    if identity.place.is_some() {
        return Ok(identity);
    }
    shelf.expect_empty()?;
    let is_first = options.join.is_empty();
    let place = if is_first { (random_name()?, FIRST) } else { join(options, info, peers).await? };
    let identity = Identity { place: Some(place), ..identity };
    identity.keep(file).await?;
    Ok(identity)
}

/// Asks the nodes it was told of until one of them lets it in. The first of the list begins a cluster
/// when each of the others says that it is in none: then no node has anything of a cluster that this
/// one, its data directory lost, might be of.
async fn join(
    options: &ClusterOptions,
    info: &NodeInfo,
    peers: &Arc<Peers>,
) -> Result<(String, Node)> {
    let joining = Joining { identity: info.identity.clone(), cluster: None, info: info.clone() };
    let is_first = options.join.first() == Some(&info.address);
    let others: Vec<&String> = options.join.iter().filter(|node| **node != info.address).collect();
    let end = Instant::now() + options.join_timeout;
    loop {
        let (mut last, mut outside) = (None, 0);
        for address in &others {
            let request = Request::Join(joining.clone());
            match peers.ask_at(address, &request, 2 * options.request_timeout).await {
                Ok(Response::Joined { cluster, node, nodes }) => {
                    peers.know(nodes);
                    return Ok((cluster, node));
                }
                Ok(Response::Outside) => {
                    outside += 1;
                    last = Some(Error::unavailable(format!("{address} is in no cluster yet")));
                }
                Ok(Response::Failed(code, message)) => last = Some(error_of(&code, message)),
                Ok(_) => last = Some(Error::internal("the answer is one to something else")),
                Err(error) => last = Some(Error::unavailable(format!("{address}: {error}"))),
            }
        }
        if is_first && outside == others.len() {
            return Ok((random_name()?, FIRST));
        }
        let error = last.unwrap_or_else(no_leader);
        let may_change = error.kind() == ErrorKind::Unavailable;
        if !may_change || Instant::now() > end {
            return Err(error.within(
                "no node lets this one in; is the cluster key that of the others, and is `join` \
                 where one of them listens for nodes? New nodes begin a cluster when all of them \
                 have the same list and run",
            ));
        }
        sleep(JOIN_PAUSE).await;
    }
}
