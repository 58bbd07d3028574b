//! The nodes of a run.

use crate::{
    clients::DATABASE,
    ground::{Ground, NODES_MAX},
    node::{Node, leader, replicas},
    switch::Link,
};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::Command,
    sync::{Arc, PoisonError, RwLock},
    thread,
    time::{Duration, Instant},
};

/// Replicas of each shard of the database of clients.
pub(crate) const REPLICAS: usize = 3;
/// How long healed nodes may take to be equal.
const HEAL_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a change of nodes may take that nothing hinders.
const CHANGE_TIMEOUT: Duration = Duration::from_secs(60);

/// Nodes by their place on the ground, and what each is called by the others.
pub(crate) struct Cluster {
    pub(crate) ground: Arc<Ground>,
    program: PathBuf,
    nodes: BTreeMap<usize, Node>,
    /// Numbers that nodes were given when they joined, by place.
    numbers: BTreeMap<usize, u64>,
    given: u64,
    options: Vec<String>,
    /// Where clients reach the nodes that there are.
    addresses: Arc<RwLock<Vec<String>>>,
}

impl Cluster {
    /// Starts `count` nodes; the first has a small disk if `has_small_disk`.
    pub(crate) fn start_new(
        ground: &Arc<Ground>,
        program: PathBuf,
        count: usize,
        has_small_disk: bool,
        options: &[String],
    ) -> Result<Self, String> {
        let key = Command::new(&program).args(["cluster", "key"]).arg(ground.path("key")).output();
        key.map_err(|error| format!("{}: {error}", program.display()))?;
        if has_small_disk {
            ground.give_small_disk(0)?;
        }
        let mut cluster = Self {
            ground: Arc::clone(ground),
            program,
            nodes: BTreeMap::new(),
            numbers: BTreeMap::new(),
            given: 0,
            options: options.to_vec(),
            addresses: Arc::default(),
        };
        for place in 0..count {
            cluster.join(place)?;
        }
        Ok(cluster)
    }

    /// The place of the node with the small disk.
    pub(crate) fn small_disk(&self) -> usize {
        0
    }

    /// Lets a new node join at `place`.
    pub(crate) fn join(&mut self, place: usize) -> Result<(), String> {
        let others: Vec<usize> = self.nodes.keys().copied().collect();
        let mut node = Node::start(&self.ground, &self.program, place, &others, &self.options)?;
        node.wait()?;
        self.given += 1;
        self.nodes.insert(place, node);
        self.numbers.insert(place, self.given);
        self.tell_clients();
        Ok(())
    }

    /// Starts the node again that was killed.
    pub(crate) fn start(&mut self, place: usize) -> Result<(), String> {
        let mut node = Node::start(&self.ground, &self.program, place, &[], &self.options)?;
        // What hinders it may be why nothing answers yet.
        let _ = node.wait();
        self.nodes.insert(place, node);
        Ok(())
    }

    pub(crate) fn kill(&mut self, place: usize) {
        if let Some(node) = self.nodes.get_mut(&place) {
            node.kill();
        }
    }

    pub(crate) fn set_paused(&self, place: usize, is_paused: bool) {
        if let Some(node) = self.nodes.get(&place) {
            node.set_paused(is_paused);
        }
    }

    pub(crate) fn cut(&self, from: usize, to: usize) {
        self.ground.switch.set(from, to, Link { is_cut: true, ..Link::default() });
    }

    pub(crate) fn set_links(&self, link: Link) {
        for (from, to) in (0..NODES_MAX).flat_map(|from| (0..NODES_MAX).map(move |to| (from, to))) {
            self.ground.switch.set(from, to, link);
        }
    }

    /// The places of nodes that run.
    pub(crate) fn running(&self) -> Vec<usize> {
        self.nodes.iter().filter(|(_, node)| node.is_running()).map(|(place, _)| *place).collect()
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(|node| node.is_running())
    }

    /// Where clients reach the nodes that there are, whether they run or not.
    pub(crate) fn addresses(&self) -> &Arc<RwLock<Vec<String>>> {
        &self.addresses
    }

    fn tell_clients(&self) {
        *self.addresses.write().unwrap_or_else(PoisonError::into_inner) =
            self.nodes.values().map(Node::client).collect();
    }

    fn place_of(&self, number: u64) -> Option<usize> {
        self.numbers.iter().find(|(_, given)| **given == number).map(|(place, _)| *place)
    }

    /// The place of the node that leads the database of clients, as somebody says.
    pub(crate) fn leader(&self) -> Option<usize> {
        self.leader_of(DATABASE)
    }

    /// The same of any database.
    pub(crate) fn leader_of(&self, name: &str) -> Option<usize> {
        let status = self.nodes().find_map(|node| node.status(false))?;
        self.place_of(leader(&status, name)?)
    }

    /// Waits until each shard of a database has `count` replicas with a vote.
    pub(crate) fn wait_voters(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> Result<(), String> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            let status = self.nodes().find_map(|node| node.status(false));
            if status.is_some_and(|status| has_voters(&status, name, count)) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(10));
        }
        Err(format!("{name} has not {count} replicas after {patience:?}"))
    }

    /// Creates a database whose shards have `count` replicas each, and waits for them.
    pub(crate) fn create(
        &self,
        name: &str,
        schema: &Json,
        shards: usize,
        count: usize,
    ) -> Result<(), String> {
        let node = self.nodes().next().ok_or("no node runs")?;
        let body = json!({"schema": schema, "shards": shards, "replicas": count});
        node.insist("PUT", &format!("/v1/dbs/{name}"), &body)?;
        self.wait_equal(name, count, CHANGE_TIMEOUT).map(drop)
    }

    /// Waits until each shard of a database has `count` equal replicas, and says for how long.
    pub(crate) fn wait_equal(
        &self,
        name: &str,
        count: usize,
        patience: Duration,
    ) -> Result<Duration, String> {
        let begin = Instant::now();
        let mut last = None;
        while begin.elapsed() < patience {
            for node in self.nodes() {
                last = node.status(true).or(last);
                if last.as_ref().is_some_and(|status| are_equal(status, name, count)) {
                    return Ok(begin.elapsed());
                }
            }
            thread::sleep(Duration::from_millis(50));
        }
        let last = last.map_or_else(|| "nobody answers".into(), |status| format!("{status:#}"));
        let logs: Vec<String> = self.nodes().map(Node::log_end).collect();
        Err(format!(
            "no {count} equal replicas of {name} after {patience:?}: {last}\n{}",
            logs.join("\n--\n")
        ))
    }

    /// Starts what is dead and waits until all replicas are equal.
    pub(crate) fn heal(&mut self, count: usize) -> Result<Duration, String> {
        self.ground.switch.heal();
        let dead: Vec<usize> =
            self.nodes.iter().filter(|(_, node)| !node.is_running()).map(|(p, _)| *p).collect();
        dead.into_iter().try_for_each(|place| self.start(place))?;
        self.wait_equal(DATABASE, count, HEAL_TIMEOUT)
    }

    /// Removes the node at `victim` while another joins at a place that is free.
    pub(crate) fn replace(&mut self, victim: usize, time: Duration) -> Result<(), String> {
        let Some(free) = (0..NODES_MAX).find(|place| !self.nodes.contains_key(place)) else {
            return Ok(());
        };
        self.join(free)?;
        thread::sleep(time);
        let number = self.numbers[&victim];
        let other = self.nodes().find(|node| node.number != victim).ok_or("no other node")?;
        other.insist("POST", "/v1/cluster/remove", &json!({"node": number}))?;
        self.wait_equal(DATABASE, REPLICAS, CHANGE_TIMEOUT)?;
        self.wait_empty(number, CHANGE_TIMEOUT)?;
        self.nodes.remove(&victim);
        self.numbers.remove(&victim);
        self.tell_clients();
        // The place is free for a node that is new.
        self.empty(victim);
        Ok(())
    }

    /// Waits until the node of this number has no replica of any database.
    fn wait_empty(&self, number: u64, patience: Duration) -> Result<(), String> {
        let end = Instant::now() + patience;
        while Instant::now() < end {
            let status = self.nodes().find_map(|node| node.status(false));
            let has_any = |status: &Json| {
                replicas(status, DATABASE).iter().any(|replica| replica["node"] == number)
            };
            if status.is_some_and(|status| !has_any(&status)) {
                return Ok(());
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err(format!("node {number} has replicas after {patience:?}"))
    }

    fn empty(&self, place: usize) {
        let Ok(found) = std::fs::read_dir(self.ground.data(place)) else { return };
        for entry in found.flatten() {
            let path = entry.path();
            let _ = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
        }
    }
}

/// Whether each shard has `count` replicas with a vote, and all of one have the same documents.
fn are_equal(status: &Json, name: &str, count: usize) -> bool {
    let replicas = replicas(status, name);
    has_voters(status, name, count)
        && replicas.iter().all(|replica| {
            let of_shard = replicas.iter().filter(|other| other["shard"] == replica["shard"]);
            let is_same = |other: &&Json| {
                ["hash", "record"]
                    .iter()
                    .all(|key| !other[*key].is_null() && other[*key] == replica[*key])
            };
            of_shard.into_iter().all(is_same)
        })
}

fn has_voters(status: &Json, name: &str, count: usize) -> bool {
    let mut voters: BTreeMap<u64, usize> = BTreeMap::new();
    for replica in replicas(status, name) {
        let has_vote = replica["role"] == "leader" || replica["role"] == "follower";
        *voters.entry(replica["shard"].as_u64().unwrap_or(0)).or_default() += usize::from(has_vote);
    }
    !voters.is_empty() && voters.values().all(|voters| *voters == count)
}
