//! A shard's engine out of its store, and into it: the last checkpoint and the records after it.

use super::{
    DatabaseOptions, Residence,
    feed::new_identity,
    history::History,
    store::{Changes, Past, Store},
    worker::Recovered,
};
use crate::{
    Engine, Error, Record, Result, Schema,
    engine::Checkpoint,
    index::Indexes,
    key::Key,
    planted::{self, Plant},
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
    options: &DatabaseOptions,
    history_bytes: u64,
) -> Result<Recovered> {
    let (indexes, residence) = (&options.indexes, options.residence);
    let source: Arc<dyn PageSource> = Arc::clone(store) as _;
    let meta = store.get(Key::Meta)?;
    let mut is_waking = options.waking && residence == Residence::Memory && meta.is_some();
    let mut engine = match (&meta, schema, residence) {
        (Some(meta), ..) if is_waking => Engine::open_waking(meta, &source, indexes)?,
        (Some(meta), _, Residence::Memory) => Engine::open(meta, &store.pages()?, indexes)?,
        (Some(meta), _, Residence::Disk) => Engine::open_at_rest(meta, &source, indexes)?,
        (None, ..) if store.len()? > 0 => {
            return Err(Error::corrupt(
                "the shard has entries and no meta that names them; restore it from a backup",
            ));
        }
        (None, Some(schema), Residence::Memory) => Engine::new(schema.clone(), indexes)?,
        (None, Some(schema), Residence::Disk) => Engine::at_rest(schema.clone(), indexes, &source)?,
        (None, None, _) => {
            return Err(Error::corrupt("the shard was never finished being created"));
        }
    };
    let past = past(store, engine.record_number())?;
    let mut history = History::new(history_bytes, &past);
    let (mut records, mut bytes) = (0, 0);
    store.records(engine.record_number() + 1..=u64::MAX, |record| {
        let size = record.len() as u64;
        (records, bytes) = (records + 1, bytes + size);
        let record = Record::from_bytes(record, engine.schema())?;
        history.add(record.number, size);
        if is_waking {
            engine.wake(usize::MAX)?;
            is_waking = false;
        }
        engine.apply(&record)?;
        Ok(true)
    })?;
    if store.len()? != u64::from(meta.is_some()) + past.kept() + records + engine.pages() {
        remove_unnamed_pages(store, &engine)?;
    }
    let identity = past.identity;
    if meta.is_none() {
        let checkpoint = write_checkpoint(store, &engine, past)?;
        engine.checkpointed(checkpoint);
    }
    Ok(Recovered { engine, is_waking, replay_bytes: bytes, history, identity })
}

/// What a store has of the past before the checkpoint of record `checkpoint`. One that says nothing,
/// or was checkpointed by a build that knows of no past, begins a new stream of records.
fn past(store: &Store, checkpoint: u64) -> Result<Past> {
    if let Some(past) = store.past()?.filter(|past| past.checkpoint == checkpoint) {
        return Ok(past);
    }
    let past = Past::none(new_identity(), checkpoint);
    let changes =
        Changes { records: Some(0..=checkpoint), past: Some(past.clone()), ..Changes::default() };
    store.write(&changes)?;
    Ok(past)
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
    let options = DatabaseOptions { indexes: indexes.clone(), ..DatabaseOptions::default() };
    let Recovered { engine, identity, .. } = recover(store, None, &options, 0)?;
    // Records of the old schema cannot be read by the new one.
    let past = Past::none(identity, engine.record_number());
    let mut engine = engine.evolve(schema, indexes)?;
    let checkpoint = write_checkpoint(store, &engine, past)?;
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
/// the records it covers and `past` does not keep. Pages it makes stale stay until the engine knows,
/// as searches may read them.
pub(super) fn write_checkpoint(store: &Store, engine: &Engine, past: Past) -> Result<Checkpoint> {
    let checkpoint = engine.checkpoint();
    let mut changes = Changes::default();
    if planted::is(Plant::MetaBeforePages) {
        let puts = vec![(Key::Meta, checkpoint.meta.clone())];
        store.write(&Changes { puts, ..Changes::default() })?;
    }
    if planted::is(Plant::PagesRemovedBeforeMeta) {
        let deletes = checkpoint.stale.iter().copied().map(Key::Page).collect();
        store.write(&Changes { deletes, ..Changes::default() })?;
    }
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
    changes.records = Some(0..=past.cut);
    changes.past = Some(past);
    store.write(&changes)?;
    Ok(checkpoint)
}

#[cfg(test)]
mod tests {
    use super::{DatabaseOptions, Recovered, Store, recover};
    use crate::{Database, Document, Id, Result, Schema};
    use std::sync::Arc;

    #[test]
    fn a_store_has_no_key_but_those_that_meta_and_the_past_account_for() -> Result<()> {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let schema = Schema::from_json_str(r#"{"id": "u64", "embedding": {"vector": 2}}"#)?;
        let options = DatabaseOptions { history_bytes: Some(900), ..DatabaseOptions::default() };
        for round in 0..3 {
            let database = Database::create(directory.path(), &schema, &options)?;
            for id in 0..40 {
                let vectors = vec![Some(vec![1.0, 2.0])];
                database.index(vec![Document { id: Id::Int(id), vectors, values: vec![] }])?;
            }
            database.close()?;
            let store = Arc::new(Store::open(
                &options.disk(),
                &directory.path().join("shard-0-of-1.redb"),
                false,
            )?);
            let past = store.past()?.expect("the past");
            assert!(past.cut > 0 && past.kept() > 5, "round {round}: {past:?}");
            let Recovered { engine, replay_bytes, .. } = recover(&store, None, &options, 900)?;
            assert_eq!((replay_bytes, store.len()?), (0, 1 + past.kept() + engine.pages()));
        }
        Ok(())
    }
}
