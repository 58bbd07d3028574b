//! How a node reaches the shards of a database: its own replicas, and those of other nodes. What is
//! asked of another node is answered there and never passed on.

use super::{
    group::{Bytes, Group, Node},
    member::{Cluster, LOOK_AGAIN},
    message::{Request, Response, error_of},
    peers::CallError,
    placement::Placement,
    runtime::sleep,
    shard_name::ShardName,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{task::JoinSet, time::Instant};
use vectordoc::{
    Batch, Error, ErrorKind, Result,
    engine::Outcome,
    native::{Elsewhere, Pieces, ReadLevel, WhenBusy},
};

/// How long one replica may take before another is asked the same.
const PATIENCE: Duration = Duration::from_secs(1);
/// How much longer another node may take than what it does is given.
const ON_THE_WAY: Duration = Duration::from_secs(2);
/// How long to wait before a shard that has no place for a write is asked again.
const BUSY_PAUSE: Duration = Duration::from_millis(20);

/// The shards of one database.
pub(super) struct Reach {
    pub(super) cluster: Weak<Cluster>,
    /// With their groups.
    pub(super) shards: Vec<(ShardName, Group)>,
    /// Whose turn it is to answer.
    turn: AtomicUsize,
    /// Who led the groups when they were last written to.
    leaders: Mutex<BTreeMap<Group, Node>>,
}

impl Reach {
    pub(super) fn new(cluster: Weak<Cluster>, shards: Vec<(ShardName, Group)>) -> Self {
        Self { cluster, shards, turn: AtomicUsize::new(0), leaders: Mutex::default() }
    }

    fn cluster(&self) -> Result<Arc<Cluster>> {
        self.cluster.upgrade().ok_or_else(|| Error::closed("the node is stopping"))
    }

    fn leaders(&self) -> std::sync::MutexGuard<'_, BTreeMap<Group, Node>> {
        // Nothing that can panic runs under this lock.
        self.leaders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does `work` with all shards for which there is something, at the same time, and waits for all.
    /// Blocks.
    fn with_each<T, R, F>(
        &self,
        items: impl IntoIterator<Item = Option<T>>,
        work: impl Fn(Arc<Cluster>, Asking, T) -> F,
    ) -> Result<Vec<Option<R>>>
    where
        R: Send + 'static,
        F: Future<Output = Result<R>> + Send + 'static,
    {
        let cluster = self.cluster()?;
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        cluster.handle.block_on(async {
            let mut results: Vec<Option<R>> = self.shards.iter().map(|_| None).collect();
            let mut working = JoinSet::new();
            for (number, (item, (name, group))) in items.into_iter().zip(&self.shards).enumerate() {
                let Some(item) = item else { continue };
                let guess = self.leaders().get(group).copied();
                let asking = Asking { name: name.clone(), group: *group, turn, guess };
                let work = work(Arc::clone(&cluster), asking, item);
                working.spawn(async move { (number, work.await) });
            }
            let mut failed = None;
            while let Some(done) = working.join_next().await {
                match done {
                    Ok((number, Ok(result))) => results[number] = Some(result),
                    Ok((_, Err(error))) => failed = failed.or(Some(error)),
                    Err(_) => failed = Some(Error::internal("asking a shard panicked")),
                }
            }
            failed.map_or(Ok(results), Err)
        })
    }
}

/// One shard that is asked.
struct Asking {
    name: ShardName,
    group: Group,
    turn: usize,
    /// Who leads, perhaps.
    guess: Option<Node>,
}

impl Asking {
    /// The nodes that have it: this one first, then the others in turn.
    fn nodes(&self, cluster: &Cluster, placement: &Placement) -> Result<VecDeque<Node>> {
        let shard = placement.shard(self.group);
        let shard = shard
            .ok_or_else(|| Error::closed(format!("the database {} was dropped", self.name.db)))?;
        let mut nodes: VecDeque<Node> = shard.at.nodes.iter().copied().collect();
        let turn = self.turn.checked_rem(nodes.len()).unwrap_or(0);
        nodes.rotate_left(turn);
        if let Some(here) = nodes.iter().position(|node| *node == cluster.node()) {
            nodes.swap(0, here);
        }
        Ok(nodes)
    }

    /// No replica does what it is asked.
    fn unreached(&self, nodes: &VecDeque<Node>, last: Option<&Error>) -> Error {
        let mut nodes: Vec<String> = nodes.iter().map(Node::to_string).collect();
        nodes.sort();
        let why = last.map_or("they do not answer", Error::message);
        Error::unavailable(format!(
            "{} is on node {} alone, where nothing was done: {why}; start nodes that are down, and \
             try again",
            self.name,
            nodes.join(" and ")
        ))
    }

    /// The answers of a replica to questions: the first that gives some.
    async fn ask(
        self,
        cluster: Arc<Cluster>,
        questions: Vec<Vec<u8>>,
        level: ReadLevel,
    ) -> Result<Vec<Vec<u8>>> {
        let end = Instant::now() + cluster.request_timeout;
        let questions: Arc<Vec<Vec<u8>>> = Arc::new(questions);
        let mut last = None;
        loop {
            let nodes = self.nodes(&cluster, &cluster.placement())?;
            let mut left = nodes.clone();
            let mut asked = JoinSet::new();
            while !left.is_empty() || !asked.is_empty() {
                if let Some(node) = left.pop_front() {
                    let (cluster, questions) = (Arc::clone(&cluster), Arc::clone(&questions));
                    let group = self.group;
                    asked
                        .spawn(async move { cluster.ask_at(node, group, &questions, level).await });
                }
                let is_last = left.is_empty();
                tokio::select! {
                    biased;
                    Some(answered) = asked.join_next() => match answered {
                        Ok(Ok(answers)) => return Ok(answers),
                        Ok(Err(error)) if may_others(&error) => last = Some(error),
                        Ok(Err(error)) => return Err(error),
                        Err(_) => last = Some(Error::internal("asking a node panicked")),
                    },
                    // Whether it is slow or gone, another may answer meanwhile.
                    () = sleep(PATIENCE), if !is_last => {}
                }
            }
            if Instant::now() >= end {
                return Err(self.unreached(&nodes, last.as_ref()));
            }
            sleep(LOOK_AGAIN).await;
        }
    }

    /// Writes a batch, by whoever leads the group; and who that was.
    async fn write(
        self,
        cluster: Arc<Cluster>,
        batch: Batch,
        when_busy: WhenBusy,
    ) -> Result<(Outcome, Option<Node>)> {
        let end = Instant::now() + cluster.request_timeout;
        let mut guess = self.guess;
        // Only who hands it to another node needs it in bytes.
        let mut bytes = None;
        loop {
            let nodes = self.nodes(&cluster, &cluster.placement())?;
            let replica = cluster.replica(self.group).filter(|replica| replica.is_ready());
            let written = match replica {
                Some(replica) => replica.hand_over(batch.clone()).await.map(|o| Some((o, None))),
                None => {
                    let bytes = bytes.get_or_insert_with(|| Bytes(batch.to_bytes()));
                    self.write_there(&cluster, &nodes, &mut guess, bytes).await
                }
            };
            match written {
                Ok(Some(written)) => return Ok(written),
                Ok(None) if Instant::now() >= end => return Err(self.unreached(&nodes, None)),
                Ok(None) => sleep(LOOK_AGAIN).await,
                Err(error)
                    if error.kind() == ErrorKind::Busy
                        && when_busy == WhenBusy::Wait
                        && Instant::now() < end =>
                {
                    sleep(BUSY_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// The same on other nodes; `None` when none of them leads.
    async fn write_there(
        &self,
        cluster: &Cluster,
        nodes: &VecDeque<Node>,
        guess: &mut Option<Node>,
        bytes: &Bytes,
    ) -> Result<Option<(Outcome, Option<Node>)>> {
        let mut left = nodes.clone();
        let patience = cluster.request_timeout + ON_THE_WAY;
        loop {
            let next = guess.take().filter(|node| left.contains(node));
            let Some(node) = next.or_else(|| left.front().copied()) else { return Ok(None) };
            left.retain(|other| *other != node);
            let request = Request::Write(self.group, bytes.clone());
            match cluster.peers().ask(node, &request, patience).await {
                Ok(Response::Written(outcome)) => {
                    return Ok(Some((Outcome::from_bytes(&outcome.0)?, Some(node))));
                }
                Ok(Response::Failed(code, message)) => return Err(error_of(&code, message)),
                Ok(Response::NotLeader(leader)) => *guess = leader,
                Ok(_) | Err(CallError::Unsent(_)) => {}
                Err(unknown) => return Err(unknown.into_error(&self.name.to_string())),
            }
        }
    }
}

/// Whether another replica may answer what one did not.
fn may_others(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Unavailable
            | ErrorKind::Closed
            | ErrorKind::Busy
            | ErrorKind::Corrupt
            | ErrorKind::Internal
    )
}

impl Cluster {
    /// The answers of the replica of node `node`.
    async fn ask_at(
        &self,
        node: Node,
        group: Group,
        questions: &[Vec<u8>],
        level: ReadLevel,
    ) -> Result<Vec<Vec<u8>>> {
        if node == self.node() {
            let questions = questions.to_vec();
            return self.answer_questions(group, questions, level).await;
        }
        let questions = questions.iter().cloned().map(Bytes).collect();
        let request = Request::Ask(group, level == ReadLevel::Linearizable, questions);
        // What it waits for is that it has caught up; reading may take as long as it takes.
        match self.peers().ask_at_length(node, &request).await {
            Ok(Response::Answered(answers)) => Ok(answers.into_iter().map(|a| a.0).collect()),
            Ok(Response::Failed(code, message)) => Err(error_of(&code, message)),
            Ok(_) => Err(Error::unavailable(format!("node {node} has no such replica yet"))),
            Err(error) => Err(Error::unavailable(format!("node {node}: {error}"))),
        }
    }
}

impl Elsewhere for Reach {
    fn shards(&self) -> usize {
        self.shards.len()
    }

    fn ask(&self, questions: Vec<Vec<Vec<u8>>>, level: ReadLevel) -> Result<Vec<Vec<Vec<u8>>>> {
        let questions = questions.into_iter().map(|all| (!all.is_empty()).then_some(all));
        let answers = self.with_each(questions, move |cluster, asking, questions| {
            asking.ask(cluster, questions, level)
        })?;
        Ok(answers.into_iter().map(Option::unwrap_or_default).collect())
    }

    fn write(&self, batches: Vec<Option<Batch>>, when_busy: WhenBusy) -> Result<Vec<Outcome>> {
        let written = self.with_each(batches, move |cluster, asking, batch| {
            asking.write(cluster, batch, when_busy)
        })?;
        let mut outcomes = Vec::new();
        for (written, (_, group)) in written.into_iter().zip(&self.shards) {
            let Some((outcome, leader)) = written else { continue };
            leader.map(|leader| self.leaders().insert(*group, leader));
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    fn follow(&self, listener: Arc<dyn Fn() + Send + Sync>) -> Result<Box<dyn Send + Sync>> {
        let cluster = self.cluster()?;
        Ok(Box::new(super::watching::watch(&cluster, &self.shards, &listener)))
    }

    fn archive(&self, shard: usize) -> Result<Pieces> {
        let (name, group) = &self.shards[shard];
        super::archives::fetch(&self.cluster()?, name, *group)
    }
}
