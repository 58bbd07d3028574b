//! Writes: each goes to the shards whose documents it changes.

use super::{
    Database,
    durability::Writes,
    shard::closed,
    worker::{Reply, Request, Write},
};
use crate::{
    Batch, Deleted, Document, Error, Filter, Id, Operation, Patch, Result, engine::Outcome, limits,
};
use std::sync::mpsc::sync_channel;

impl Database {
    /// Inserts or replaces documents; returns how many. They are durable (see
    /// [`with_durability`](Self::with_durability)) and can be found when this returns. All are
    /// checked before any is written; each shard writes its own all or none.
    pub fn index(&self, documents: Vec<Document>) -> Result<usize> {
        self.check_documents(&documents)?;
        let batches = self.by_shard(documents, |document| &document.id);
        let outcomes = self.write(batches.into_iter().map(Batch::index))?;
        Ok(count(outcomes.iter().map(|outcome| outcome.indexed)))
    }

    /// Replaces documents; `not_found`, and nothing is written, when one of them is not there.
    pub fn update(&self, documents: Vec<Document>) -> Result<usize> {
        self.check_documents(&documents)?;
        for document in &documents {
            if !self.shard_of(&document.id).engine().contains(&document.id)? {
                return Err(Error::not_found(format!(
                    "there is no document {:?} to update; index it instead",
                    document.id
                )));
            }
        }
        let batches = self.by_shard(documents, |document| &document.id);
        let outcomes = self.write(batches.into_iter().map(Batch::update))?;
        Ok(count(outcomes.iter().map(|outcome| outcome.indexed)))
    }

    /// Makes the changes of one batch about the document `id` alone, all or none: indexing,
    /// updating, patching or deleting it, perhaps on a condition (see [`Batch::expecting`]).
    /// Returns what was done; the version of the document is then [`Outcome::version`].
    pub fn change(&self, id: &Id, batch: Batch) -> Result<Outcome> {
        let is_about = |operation: &Operation| match operation {
            Operation::Index(document) | Operation::Update(document) => document.id == *id,
            Operation::Delete(about) | Operation::Patch(about, _) | Operation::Expect(about, _) => {
                about == id
            }
            Operation::DeleteWhere(_) | Operation::PatchWhere(..) => false,
        };
        if !batch.operations.iter().all(is_about) {
            return Err(Error::invalid(format!("the batch changes more than document {id:?}")));
        }
        let shard = id.shard(self.shards());
        let batches = (0..self.shards()).map(|number| match number == shard {
            true => batch.clone(),
            false => Batch::default(),
        });
        let outcomes = self.write(batches)?;
        Ok(outcomes.into_iter().next().unwrap_or_default())
    }

    /// Changes fields of the document `id`; `not_found` when there is none.
    pub fn patch(&self, id: &Id, patch: &Patch) -> Result<Outcome> {
        self.change(id, Batch::patch(id.clone(), patch.clone()))
    }

    /// Changes fields of every document that passes; returns how many.
    pub fn patch_where(&self, filter: &Filter, patch: &Patch) -> Result<usize> {
        patch.check(&self.inner.schema)?;
        self.count(filter)?;
        let batch = || Batch::patch_where(filter.clone(), patch.clone());
        let outcomes = self.write(self.inner.shards.iter().map(|_| batch()))?;
        Ok(count(outcomes.iter().map(|outcome| outcome.indexed)))
    }

    /// Deletes documents by id, and says which ids no document had.
    pub fn delete(&self, ids: Vec<Id>) -> Result<Deleted> {
        let batches = self.by_shard(ids, |id| id);
        let outcomes = self.write(batches.into_iter().map(Batch::delete))?;
        let deleted = count(outcomes.iter().map(|outcome| outcome.deleted));
        let missing = outcomes.into_iter().flat_map(|outcome| outcome.missing).collect();
        Ok(Deleted { deleted, missing })
    }

    /// Deletes every document that passes; returns how many.
    pub fn delete_where(&self, filter: &Filter) -> Result<usize> {
        self.count(filter)?;
        let batches = self.inner.shards.iter().map(|_| Batch::delete_where(filter.clone()));
        let outcomes = self.write(batches)?;
        Ok(count(outcomes.iter().map(|outcome| outcome.deleted)))
    }

    fn check_documents(&self, documents: &[Document]) -> Result<()> {
        self.check_open()?;
        let max = limits::BATCH_OPERATIONS_MAX;
        limits::at_most(documents.len(), max, "number of documents in a batch")?;
        let engine = self.inner.shards[0].engine();
        documents.iter().try_for_each(|document| engine.check_document(document))
    }

    /// The items of each shard, in their order.
    fn by_shard<I>(&self, items: Vec<I>, id: impl Fn(&I) -> &Id) -> Vec<Vec<I>> {
        if self.shards() == 1 {
            return vec![items];
        }
        let mut batches: Vec<Vec<I>> = (0..self.shards()).map(|_| Vec::new()).collect();
        for item in items {
            let shard = id(&item).shard(self.shards());
            batches[shard].push(item);
        }
        batches
    }

    /// Hands each shard its batch, all of them or none, then waits for the answers; empty batches
    /// are left out.
    fn write(&self, batches: impl Iterator<Item = Batch>) -> Result<Vec<Outcome>> {
        self.check_open()?;
        let Writes { durability, when_busy } = self.writes;
        let places = self
            .inner
            .shards
            .iter()
            .zip(batches)
            .filter(|(_, batch)| !batch.operations.is_empty())
            .map(|(shard, batch)| Ok((shard.place(when_busy)?, batch)));
        let places = places.collect::<Result<Vec<_>>>()?;
        let sent: Vec<_> = places
            .into_iter()
            .map(|(place, batch)| {
                let (send, receive) = sync_channel(1);
                let reply: Reply<Outcome> = Box::new(move |result| {
                    let _ = send.send(result);
                });
                place.send(Request::Write(Write { batch, durability, reply }));
                receive
            })
            .collect();
        let results: Vec<_> = sent
            .into_iter()
            .map(|answer| answer.recv().unwrap_or_else(|_| Err(closed())))
            .collect();
        results.into_iter().collect()
    }
}

fn count(counts: impl Iterator<Item = u64>) -> usize {
    usize::try_from(counts.sum::<u64>()).unwrap_or(usize::MAX)
}
