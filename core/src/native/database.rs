//! A database of documents whose shape is known when it is opened: shards behind one set of verbs.

use super::{
    directory::{self, Directory},
    scroll,
    shard::{self, Shard, closed},
};
use crate::{
    Batch, Document, Engine, Error, Examples, Filter, GroupBy, Hit, HitGroup, Id, Include,
    Operation, Page, Patch, Query, Result, Schema, Scroll, Value,
    engine::{Outcome, most_frequent, search_text},
    grouped,
    index::Indexes,
    limits,
    query::Explanation,
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, RecvTimeoutError, sync_channel},
    },
    time::Duration,
};

/// A database: cheap to clone, shared by threads, closed when the last clone goes.
#[derive(Clone)]
pub struct Database {
    inner: Arc<Inner>,
}

struct Inner {
    schema: Schema,
    shards: Vec<Shard>,
    is_closed: AtomicBool,
    schema_changes: Vec<String>,
    /// Let go after the shards.
    directory: Option<Directory>,
}

/// How to open a database.
#[derive(Clone, Debug, Default)]
pub struct DatabaseOptions {
    /// Shards of a new database, 1 unless set; one that exists must have as many.
    pub shards: Option<usize>,
    /// Threads that build indexes, over all shards; as many as there are cores unless set.
    pub threads: Option<usize>,
    /// Where documents and full vectors are while the database is open.
    pub residence: Residence,
    /// Indexes of your own, for the vector fields whose schema says `custom`.
    pub indexes: Indexes,
    /// Whether a stored schema follows the one given where that loses nothing, instead of being a
    /// conflict: see [`Schema::evolved`]. What changed is in [`Database::schema_changes`].
    pub evolve: bool,
}

/// Where documents and full vectors are while a database is open. The files are the same either
/// way, so that a database may be opened one way today and the other tomorrow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Residence {
    /// In memory: fastest.
    #[default]
    Memory,
    /// On the disk, and read when they are needed, checked against their checksums each time. In
    /// memory are the codes of vectors, the graph, the filter columns, and what was written since
    /// the last checkpoint. Reading errors come back from the search that needed the page. Not for
    /// fields of quantization `f32`, which have no codes.
    Disk,
}

impl Residence {
    /// Every residence with its name on the command line.
    pub const NAMES: [(&'static str, Residence); 2] =
        [("memory", Self::Memory), ("disk", Self::Disk)];

    /// The residence of this name.
    pub fn parse(name: &str) -> Result<Self> {
        crate::schema::find_named(&Self::NAMES, name, "residence")
    }
}

/// What a deletion did.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Deleted {
    /// Documents that were there and are gone.
    pub deleted: usize,
    /// Ids that no document had.
    pub missing: Vec<Id>,
}

/// The state of a database.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Stats {
    /// Documents there are.
    pub documents: u64,
    /// Vectors that wait for an index; searches compare with each of them.
    pub unindexed: u64,
    /// Shards.
    pub shards: usize,
    /// Records applied, over all shards.
    pub record_number: u64,
    /// Bytes of memory held by documents, vectors and indexes.
    pub memory_bytes: u64,
}

impl Database {
    /// Opens the database in directory `path`, or creates it. One that exists must have `schema`.
    pub fn create(
        path: impl AsRef<Path>,
        schema: &Schema,
        options: &DatabaseOptions,
    ) -> Result<Self> {
        Self::open_or_create(path.as_ref(), Some(schema), options)
    }

    /// Opens the database in directory `path`.
    pub fn open(path: impl AsRef<Path>, options: &DatabaseOptions) -> Result<Self> {
        let path = path.as_ref();
        if !Self::is_database(path) {
            return Err(Error::not_found(format!("there is no database in {}", path.display())));
        }
        Self::open_or_create(path, None, options)
    }

    /// An empty database that is gone when it is closed.
    pub fn in_memory(schema: &Schema, options: &DatabaseOptions) -> Result<Self> {
        let shards = options.shards.unwrap_or(1);
        check_shards(shards)?;
        if options.residence == Residence::Disk {
            return Err(Error::invalid(
                "a database in memory has no disk to keep documents on; create it in a directory",
            ));
        }
        let threads = options.threads_per_shard(shards);
        let shard = |_| Shard::in_memory(schema, &options.indexes, threads);
        let shards = (0..shards).map(shard).collect::<Result<_>>()?;
        Ok(Self::of(schema.clone(), shards, None, Vec::new()))
    }

    /// Whether there is a database in directory `path`.
    pub fn is_database(path: impl AsRef<Path>) -> bool {
        !matches!(directory::shards(path.as_ref()), Ok(None))
    }

    fn open_or_create(
        path: &Path,
        schema: Option<&Schema>,
        options: &DatabaseOptions,
    ) -> Result<Self> {
        check_shards(options.shards.unwrap_or(1))?;
        if let Some(schema) = schema {
            options.indexes.check(schema)?;
        }
        let directory = Directory::take(path)?;
        let stored = directory::shards(path)?;
        let shards = stored.or(options.shards).unwrap_or(1);
        if options.shards.is_some_and(|wanted| wanted != shards) {
            return Err(Error::conflict(format!(
                "{} has {shards} shards, not {}; a database keeps the number it was created with: \
                 export it and import it into a new one",
                path.display(),
                options.shards.unwrap_or(1)
            )));
        }
        let files = directory.shard_files(shards);
        let schema_changes = match schema.filter(|_| options.evolve) {
            Some(schema) => evolve_shards(&files, schema, options)?,
            None => Vec::new(),
        };
        let shards = open_shards(&files, schema, options)?;
        directory.sync()?;
        let stored = shards[0].engine().schema().clone();
        if shards.iter().any(|shard| *shard.engine().schema() != stored) {
            return Err(Error::conflict(format!(
                "the shards in {} have two schemas, as opening with a changed one was interrupted; \
                 open it once more with the changed one",
                path.display()
            )));
        }
        if let Some(schema) = schema.filter(|_| !options.evolve) {
            stored
                .expect_same(schema)
                .map_err(|error| error.within(format!("{}", path.display())))?;
        }
        Ok(Self::of(stored, shards, Some(directory), schema_changes))
    }

    fn of(
        schema: Schema,
        shards: Vec<Shard>,
        directory: Option<Directory>,
        schema_changes: Vec<String>,
    ) -> Self {
        let is_closed = AtomicBool::new(false);
        Self { inner: Arc::new(Inner { schema, shards, is_closed, schema_changes, directory }) }
    }

    /// What changed of the stored schema when the database was opened, in words; nothing when it
    /// was the one given.
    pub fn schema_changes(&self) -> &[String] {
        &self.inner.schema_changes
    }

    /// The shape of the documents.
    pub fn schema(&self) -> &Schema {
        &self.inner.schema
    }

    /// How many shards the documents are spread over.
    pub fn shards(&self) -> usize {
        self.inner.shards.len()
    }

    /// The directory; `None` for a database in memory.
    pub fn path(&self) -> Option<&Path> {
        self.inner.directory.as_ref().map(Directory::path)
    }

    /// Inserts or replaces documents; returns how many. They are durable and can be found when
    /// this returns. All are checked before any is written; each shard writes its own all or none.
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

    /// The documents with these ids, in their order; `None` where there is none.
    pub fn get(&self, ids: &[Id], include: &Include) -> Result<Vec<Option<Document>>> {
        self.check_open()?;
        ids.iter().map(|id| self.shard_of(id).engine().get(id, include)).collect()
    }

    /// The same, each with its version, to be changed on the condition that it still has it.
    pub fn get_versioned(
        &self,
        ids: &[Id],
        include: &Include,
    ) -> Result<Vec<Option<(Document, u64)>>> {
        self.check_open()?;
        let versioned = |id: &Id| {
            let engine = self.shard_of(id).engine();
            Ok(engine.get(id, include)?.zip(engine.version(id)?))
        };
        ids.iter().map(versioned).collect()
    }

    /// How many documents pass.
    pub fn count(&self, filter: &Filter) -> Result<u64> {
        self.check_open()?;
        self.inner.shards.iter().map(|shard| shard.engine().count(filter)).sum()
    }

    /// A part of the documents that pass, in order of their ids or of a field.
    pub fn scroll(&self, scroll: &Scroll) -> Result<Page> {
        self.check_open()?;
        scroll::scroll(&self.inner.shards, &self.inner.schema, scroll)
    }

    /// How many of the documents that pass have each value of the field at `path`: the `limit`
    /// most frequent values. Of an array, each of its elements counts.
    pub fn facet(&self, path: &str, filter: &Filter, limit: usize) -> Result<Vec<(Value, u64)>> {
        self.check_open()?;
        let mut counts = Vec::new();
        for shard in &self.inner.shards {
            counts.extend(shard.engine().facet(path, filter)?);
        }
        most_frequent(&self.inner.schema, path, counts, limit)
    }

    /// `query` for what is like some documents and unlike others: see [`Examples::query`].
    pub fn like(&self, examples: &Examples, query: Query) -> Result<Query> {
        self.check_open()?;
        examples.query(&self.inner.schema, query, |id, field| {
            self.shard_of(id).engine().example(id, field)
        })
    }

    /// The best hits grouped by a field: see [`grouped`].
    pub fn search_groups(&self, query: &Query, by: &GroupBy) -> Result<Vec<HitGroup>> {
        grouped(&self.inner.schema, query, by, &mut |query| self.search(query))
    }

    /// The documents nearest to the query's vector, best first; or those that answer its text best,
    /// or both lists as one.
    pub fn search(&self, query: &Query) -> Result<Vec<Hit>> {
        self.explain(query).map(|(hits, _)| hits)
    }

    /// The same, and how it came about.
    pub fn explain(&self, query: &Query) -> Result<(Vec<Hit>, Explanation)> {
        self.check_open()?;
        if let [shard] = &self.inner.shards[..] {
            return shard.engine().explain(query);
        }
        if query.text.is_some() {
            // All take them in this order, so that no two wait for each other.
            let engines: Vec<_> = self.inner.shards.iter().map(Shard::engine).collect();
            let engines: Vec<&Engine> = engines.iter().map(|engine| &**engine).collect();
            return search_text(&engines, query);
        }
        let query_of_shard = of_shard(query);
        let mut hits = Vec::new();
        let mut total: Option<Explanation> = None;
        for shard in &self.inner.shards {
            let (found, explanation) = shard.engine().explain(&query_of_shard)?;
            hits.extend(found);
            total = Some(match total {
                Some(total) => total.and(&explanation),
                None => explanation,
            });
        }
        Ok((nearest(hits, query), total.unwrap_or_default()))
    }

    /// Answers several queries, in their order. A few exact ones with the same filter at a time
    /// read each vector once for all of them; in between, writes have their turn.
    pub fn search_batch(&self, queries: &[Query]) -> Result<Vec<Vec<Hit>>> {
        const QUERIES_AT_ONCE: usize = 16;
        limits::at_most(queries.len(), limits::QUERIES_MAX, "number of queries")?;
        self.check_open()?;
        let mut answers = Vec::with_capacity(queries.len());
        for queries in queries.chunks(QUERIES_AT_ONCE) {
            answers.extend(self.search_together(queries)?);
        }
        Ok(answers)
    }

    fn search_together(&self, queries: &[Query]) -> Result<Vec<Vec<Hit>>> {
        if let [shard] = &self.inner.shards[..] {
            return shard.engine().search_batch(queries);
        }
        if queries.iter().any(|query| query.text.is_some()) {
            return queries.iter().map(|query| self.search(query)).collect();
        }
        let queries_of_shard: Vec<Query> = queries.iter().map(of_shard).collect();
        let mut found: Vec<Vec<Hit>> = queries.iter().map(|_| Vec::new()).collect();
        for shard in &self.inner.shards {
            let of_shard = shard.engine().search_batch(&queries_of_shard)?;
            found.iter_mut().zip(of_shard).for_each(|(all, hits)| all.extend(hits));
        }
        Ok(queries.iter().zip(found).map(|(query, hits)| nearest(hits, query)).collect())
    }

    /// The state of the database.
    pub fn stats(&self) -> Stats {
        let mut stats = Stats { shards: self.shards(), ..Stats::default() };
        for shard in &self.inner.shards {
            let engine = shard.engine();
            stats.documents += engine.len();
            stats.unindexed += engine.unindexed();
            stats.record_number += engine.record_number();
            stats.memory_bytes += engine.memory_bytes();
        }
        stats
    }

    /// Waits until no vector waits for an index, and everything is checkpointed. `progress` hears
    /// now and then how many vectors are indexed, and of how many.
    pub fn wait_indexed(&self, progress: &mut dyn FnMut(u64, u64)) -> Result<()> {
        const REPORT_EVERY: Duration = Duration::from_millis(100);
        for answer in self.settle()? {
            loop {
                match answer.recv_timeout(REPORT_EVERY) {
                    Ok(result) => break result?,
                    Err(RecvTimeoutError::Disconnected) => return Err(closed()),
                    Err(RecvTimeoutError::Timeout) => {
                        let stats = self.stats();
                        let vectors = stats.documents * self.schema().vectors().len() as u64;
                        progress(vectors.saturating_sub(stats.unindexed), vectors);
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits until everything is checkpointed, so that opening has nothing to replay.
    pub fn checkpoint(&self) -> Result<()> {
        self.wait_indexed(&mut |_, _| {})
    }

    fn settle(&self) -> Result<Vec<Receiver<Result<()>>>> {
        self.check_open()?;
        let settle = |shard: &Shard| {
            let (send, receive) = sync_channel(1);
            shard.settle(Box::new(move |result| {
                let _ = send.send(result);
            }));
            receive
        };
        Ok(self.inner.shards.iter().map(settle).collect())
    }

    /// Finishes accepted writes, checkpoints and lets go of the directory. Any use of this or
    /// another clone afterwards answers `closed`.
    pub fn close(&self) -> Result<()> {
        self.inner.close()
    }

    fn check_open(&self) -> Result<()> {
        if self.inner.is_closed.load(Ordering::Acquire) { Err(closed()) } else { Ok(()) }
    }

    fn check_documents(&self, documents: &[Document]) -> Result<()> {
        self.check_open()?;
        let max = limits::BATCH_OPERATIONS_MAX;
        limits::at_most(documents.len(), max, "number of documents in a batch")?;
        let engine = self.inner.shards[0].engine();
        documents.iter().try_for_each(|document| engine.check_document(document))
    }

    fn shard_of(&self, id: &Id) -> &Shard {
        &self.inner.shards[id.shard(self.shards())]
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

    /// Hands each shard its batch, then waits for all; empty batches are left out.
    fn write(&self, batches: impl Iterator<Item = Batch>) -> Result<Vec<Outcome>> {
        self.check_open()?;
        let sent: Vec<_> = self
            .inner
            .shards
            .iter()
            .zip(batches)
            .filter(|(_, batch)| !batch.operations.is_empty())
            .map(|(shard, batch)| {
                let (send, receive) = sync_channel(1);
                shard.write(
                    batch,
                    Box::new(move |result| {
                        let _ = send.send(result);
                    }),
                );
                receive
            })
            .collect();
        let results: Vec<_> = sent
            .into_iter()
            .map(|answer| answer.recv().unwrap_or_else(|_| Err(closed())))
            .collect();
        results.into_iter().collect()
    }

    /// Walks every structure and names the first thing wrong. For tests.
    #[doc(hidden)]
    pub fn check(&self) -> Result<()> {
        self.inner.shards.iter().try_for_each(|shard| shard.engine().check())
    }
}

impl Inner {
    fn close(&self) -> Result<()> {
        self.is_closed.store(true, Ordering::Release);
        let results: Vec<_> = self.shards.iter().map(Shard::close).collect();
        if let Some(directory) = &self.directory {
            directory.release();
        }
        results.into_iter().collect()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let _ = self.close();
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database")
            .field("path", &self.path())
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl DatabaseOptions {
    fn threads_per_shard(&self, shards: usize) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, Into::into);
        (self.threads.unwrap_or_else(cores) / shards).max(1)
    }
}

/// What one of several shards is asked, so that together their answers have every hit.
fn of_shard(query: &Query) -> Query {
    Query { limit: query.limit.saturating_add(query.offset), offset: 0, ..query.clone() }
}

/// Of the hits of all shards, those the query asks for.
fn nearest(mut hits: Vec<Hit>, query: &Query) -> Vec<Hit> {
    hits.sort_by(|a, b| a.distance.total_cmp(&b.distance).then_with(|| a.id.cmp(&b.id)));
    hits.into_iter().skip(query.offset).take(query.limit).collect()
}

fn check_shards(shards: usize) -> Result<()> {
    if shards == 0 {
        return Err(Error::invalid("a database has at least 1 shard"));
    }
    limits::at_most(shards, limits::SHARDS_MAX, "number of shards")
}

/// Makes the shards there are follow `schema`, and says what changed.
fn evolve_shards(
    files: &[PathBuf],
    schema: &Schema,
    options: &DatabaseOptions,
) -> Result<Vec<String>> {
    let mut said = Vec::new();
    for file in files.iter().filter(|file| file.exists()) {
        let changes = shard::evolve(file, schema, &options.indexes)
            .map_err(|error| error.within(format!("{}", file.display())))?;
        said = if said.is_empty() { changes } else { said };
    }
    Ok(said)
}

/// Opens the shards there are, then creates those there are not. When any of the former was ever
/// written to, the latter were lost, and nothing is created in their place.
fn open_shards(
    files: &[PathBuf],
    schema: Option<&Schema>,
    options: &DatabaseOptions,
) -> Result<Vec<Shard>> {
    let threads = options.threads_per_shard(files.len());
    let open = |file| Shard::open(file, schema, &options.indexes, threads, options.residence);
    let (there, missing): (Vec<_>, Vec<_>) =
        files.iter().enumerate().partition(|(_, file)| file.exists());
    let mut shards = Vec::with_capacity(files.len());
    for (number, file) in there {
        shards.push((number, open(file)?));
    }
    let was_written = shards.iter().any(|(_, shard)| shard.engine().record_number() > 0);
    for (number, file) in missing {
        if was_written {
            return Err(Error::corrupt(format!(
                "{} is missing; put it back from a backup, the other shards are untouched",
                file.display()
            )));
        }
        shards.push((number, open(file)?));
    }
    shards.sort_unstable_by_key(|(number, _)| *number);
    Ok(shards.into_iter().map(|(_, shard)| shard).collect())
}

fn count(counts: impl Iterator<Item = u64>) -> usize {
    usize::try_from(counts.sum::<u64>()).unwrap_or(usize::MAX)
}
