//! Clients of a run: what they ask of the nodes, and what they are told.

use super::{
    super::member::Cluster,
    history::{Asked, Operation, Told, is_linearizable},
    runtime::{draw, spawn, timeout, world_sleep},
    wire::Network,
    world::{Running, name},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;
use vectordoc::{Batch, Document, Error, ErrorKind, Id, Include, Result, Value, native::WhenBusy};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(7);
/// Longest time between two questions of a client.
const PAUSE_MS_MAX: u64 = 160;
/// Documents that clients ask about at the same time.
const DOCUMENTS: u64 = 3;
/// Operations on a document after which clients turn to another.
const TURN: usize = 100;

/// What the database of all runs has.
pub(super) const SCHEMA: &str =
    r#"{"id": "u64", "embedding": {"vector": 2, "metric": "l2"}, "value": "u64"}"#;

/// All clients.
#[derive(Default)]
pub(super) struct Traffic(Mutex<State>);

#[derive(Default)]
struct State {
    nodes: Vec<Running>,
    documents: BTreeMap<u64, Vec<Operation>>,
    asked: BTreeMap<u64, usize>,
    moments: u64,
    values: u64,
    turns: u64,
    is_over: bool,
    at_work: usize,
    done: u64,
}

impl Traffic {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Which nodes can be asked.
    pub(super) fn know(&self, nodes: Vec<Running>) {
        self.state().nodes = nodes;
    }

    /// A client, until all is over.
    pub(super) async fn client(self: Arc<Self>, network: Arc<Network>) {
        self.state().at_work += 1;
        loop {
            world_sleep(draw(|rng| rng.u64(1..=PAUSE_MS_MAX))).await;
            if self.state().is_over {
                break;
            }
            let node = {
                let state = self.state();
                if state.nodes.is_empty() {
                    continue;
                }
                let count = state.nodes.len();
                state.nodes[draw(|rng| rng.usize(..count))].clone()
            };
            let id = self.document();
            let asked = self.question();
            self.ask(&node, id, asked, &network).await;
        }
        self.state().at_work -= 1;
    }

    /// Ends it; who waits for an answer goes on waiting.
    pub(super) fn end(&self) {
        self.state().is_over = true;
    }

    /// Whether nobody waits any more.
    pub(super) fn is_quiet(&self) -> bool {
        self.state().at_work == 0
    }

    fn document(&self) -> u64 {
        let mut state = self.state();
        let id = state.turns * DOCUMENTS + draw(|rng| rng.u64(..DOCUMENTS));
        let asked = state.asked.entry(id).or_default();
        *asked += 1;
        if *asked == TURN {
            state.turns += 1;
        }
        id
    }

    fn question(&self) -> Asked {
        let mut state = self.state();
        state.values += 1;
        let value = state.values;
        match draw(|rng| rng.u8(..20)) {
            0..7 => Asked::Index(value),
            7..10 => Asked::Update(value),
            10..13 => Asked::Delete,
            _ => Asked::Get,
        }
    }

    /// Asks a node, and remembers what it says; false when it says nothing.
    pub(super) async fn ask(
        &self,
        node: &Running,
        id: u64,
        asked: Asked,
        network: &Network,
    ) -> bool {
        let begun = self.moment();
        let (tell, heard) = oneshot::channel();
        let cluster = Arc::clone(&node.cluster);
        node.scope.enter(|| {
            spawn(async move {
                // A client that has gone hears nothing.
                let _ = tell.send(answer(&cluster, id, asked).await);
            })
        });
        let told = timeout(PATIENCE, heard).await.ok().and_then(Result::ok);
        let told = told.unwrap_or(Some(Told::Nothing));
        network.note((id, asked, told));
        // What was refused, or asked without an answer, has changed nothing.
        let Some(told) = told.filter(|told| (asked, *told) != (Asked::Get, Told::Nothing)) else {
            return false;
        };
        let ended = if told == Told::Nothing { u64::MAX } else { self.moment() };
        let operation = Operation { asked, told, begun, ended };
        let mut state = self.state();
        state.documents.entry(id).or_default().push(operation);
        state.done += u64::from(told != Told::Nothing);
        told != Told::Nothing
    }

    fn moment(&self) -> u64 {
        let mut state = self.state();
        state.moments += 1;
        state.moments
    }

    /// The documents that somebody asked about.
    pub(super) fn documents(&self) -> Vec<u64> {
        self.state().documents.keys().copied().collect()
    }

    /// Judges all that was told, and says how many answers there were.
    pub(super) fn judge(&self) -> u64 {
        let state = self.state();
        for (id, operations) in &state.documents {
            assert!(
                is_linearizable(operations),
                "document {id} cannot have told what clients heard:\n{}",
                in_order(operations)
            );
        }
        state.done
    }
}

/// Operations as they were asked, one a line.
fn in_order(operations: &[Operation]) -> String {
    let mut operations = operations.to_vec();
    operations.sort_by_key(|operation| operation.begun);
    let line = |Operation { asked, told, begun, ended }: &Operation| match told {
        Told::Nothing => format!("{begun} to who knows when: {asked:?}\n"),
        told => format!("{begun} to {ended}: {asked:?}, {told:?}\n"),
    };
    operations.iter().map(line).collect()
}

/// What a node says; `None` when it says that nothing was done.
async fn answer(cluster: &Arc<Cluster>, id: u64, asked: Asked) -> Option<Told> {
    let answered = match asked {
        Asked::Get => get(cluster, id).await.map(|found| found.map_or(Told::Missing, Told::Found)),
        _ => write(cluster, id, asked).await,
    };
    match answered {
        Ok(told) => Some(told),
        Err(error) if error.kind() == ErrorKind::NotFound => Some(Told::Missing),
        Err(error) if is_undone(&error) => None,
        Err(_) => Some(Told::Nothing),
    }
}

/// Whether an error says that nothing was done.
fn is_undone(error: &Error) -> bool {
    ["nothing was written", "nothing was done"].iter().any(|said| error.message().contains(said))
}

async fn get(cluster: &Arc<Cluster>, id: u64) -> Result<Option<u64>> {
    let absent = || Error::unavailable("not here; nothing was done");
    cluster.shelf().shown(&name()).ok_or_else(absent)?;
    let replica = cluster.replicas().into_iter().find(|replica| replica.name.db == name());
    if let Some(replica) = replica {
        replica.catch_up().await?;
    }
    // It may have been replaced by what another replica had.
    let database = cluster.shelf().shown(&name()).ok_or_else(absent)?;
    let found = database.get(&[Id::Int(id)], &Include::Everything)?.pop().flatten();
    Ok(found.map(|document| match document.values[..] {
        [Value::Int(value)] => u64::try_from(value).expect("a value"),
        ref other => panic!("{other:?} was never written"),
    }))
}

async fn write(cluster: &Arc<Cluster>, id: u64, asked: Asked) -> Result<Told> {
    let database = cluster.shelf().shown(&name());
    let database = database.ok_or_else(|| Error::unavailable("not here; nothing was done"))?;
    let batch = match asked {
        Asked::Index(value) => Batch::index(vec![document(id, value)]),
        Asked::Update(value) => Batch::update(vec![document(id, value)]),
        Asked::Delete | Asked::Get => Batch::delete(vec![Id::Int(id)]),
    };
    let (tell, heard) = oneshot::channel();
    let written = Box::new(move |result| {
        let _ = tell.send(result);
    });
    database.when_busy(WhenBusy::Refuse).write_then(batch, written)?;
    let outcome = heard.await.unwrap_or_else(|_| Err(Error::closed("the node ended")))?;
    Ok(if outcome.missing.is_empty() { Told::Done } else { Told::Missing })
}

fn document(id: u64, value: u64) -> Document {
    Document {
        id: Id::Int(id),
        vectors: vec![Some(vec![1.0, 2.0])],
        values: vec![Value::Int(value.into())],
    }
}
