//! A shard's engine out of its store, and into it: the last checkpoint and the records after it.

use super::{
    Residence,
    store::{Changes, Store},
    worker::Recovered,
};
use crate::{
    Engine, Error, Record, Result, Schema, engine::Checkpoint, index::Indexes, key::Key,
    rest::PageSource,
};
use std::sync::Arc;

/// Bytes of pages written by one transaction of a checkpoint.
const CHECKPOINT_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The engine a store holds: its last checkpoint and the records after it. Pages that an
/// interrupted checkpoint left behind are removed.
pub(super) fn recover(
    store: &Arc<Store>,
    schema: Option<&Schema>,
    indexes: &Indexes,
    residence: Residence,
) -> Result<Recovered> {
    let source: Arc<dyn PageSource> = Arc::clone(store) as _;
    let meta = store.get(Key::Meta)?;
    let mut engine = match (&meta, schema, residence) {
        (Some(meta), _, Residence::Memory) => Engine::open(meta, &store.pages()?, indexes)?,
        (Some(meta), _, Residence::Disk) => Engine::open_at_rest(meta, &source, indexes)?,
        (None, Some(schema), Residence::Memory) => Engine::new(schema.clone(), indexes)?,
        (None, Some(schema), Residence::Disk) => Engine::at_rest(schema.clone(), indexes, &source)?,
        (None, None, _) => {
            return Err(Error::corrupt("the shard was never finished being created"));
        }
    };
    let (mut records, mut bytes) = (0, 0);
    store.records(engine.record_number() + 1, |record| {
        (records, bytes) = (records + 1, bytes + record.len() as u64);
        let record = Record::from_bytes(record, engine.schema())?;
        engine.apply(&record)
    })?;
    if store.len()? != u64::from(meta.is_some()) + records + engine.pages() {
        remove_unnamed_pages(store, &engine)?;
    }
    if meta.is_none() {
        let checkpoint = write_checkpoint(store, &engine)?;
        engine.checkpointed(checkpoint);
    }
    Ok(Recovered { engine, replay_bytes: bytes })
}

/// Makes a store's documents fit `given` too, and says what changed for that: see
/// [`Schema::evolved`]. A crash on the way leaves the old checkpoint or the new one.
pub(super) fn evolve(store: &Arc<Store>, given: &Schema, indexes: &Indexes) -> Result<Vec<String>> {
    let Some(meta) = store.get(Key::Meta)? else { return Ok(Vec::new()) };
    let stored = Engine::stored_schema(&meta)?;
    let (schema, changes) = stored.evolved(given)?;
    if schema == stored {
        return Ok(Vec::new());
    }
    let Recovered { engine, .. } = recover(store, None, indexes, Residence::Memory)?;
    let mut engine = engine.evolve(schema, indexes)?;
    let checkpoint = write_checkpoint(store, &engine)?;
    engine.checkpointed(checkpoint);
    remove_unnamed_pages(store, &engine)?;
    Ok(changes)
}

/// Removes the pages that the last checkpoint does not name.
fn remove_unnamed_pages(store: &Store, engine: &Engine) -> Result<()> {
    let mut keys = store.page_keys()?;
    keys.retain(|key| !engine.has_page(key));
    if keys.is_empty() {
        return Ok(());
    }
    let deletes = keys.into_iter().map(Key::Page).collect();
    store.write(&Changes { deletes, ..Changes::default() })
}

/// Writes pages in bounded transactions, then the meta that names them, in one with the removal of
/// the records it covers. Pages it makes stale stay until the engine knows, as searches may read
/// them.
pub(super) fn write_checkpoint(store: &Store, engine: &Engine) -> Result<Checkpoint> {
    let checkpoint = engine.checkpoint();
    let mut changes = Changes::default();
    let mut bytes = 0;
    for key in &checkpoint.pages {
        let page = engine.page(&checkpoint, key)?;
        bytes += page.len();
        changes.puts.push((Key::Page(*key), page));
        if bytes >= CHECKPOINT_BYTES_MAX {
            store.write(&changes)?;
            (changes, bytes) = (Changes::default(), 0);
        }
    }
    changes.puts.push((Key::Meta, checkpoint.meta.clone()));
    changes.records = Some(0..=checkpoint.record_number);
    store.write(&changes)?;
    Ok(checkpoint)
}
