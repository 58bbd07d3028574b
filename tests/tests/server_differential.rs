//! Promise: a served database answers as the naive twin does, on random programs that go through the
//! WebSocket client: values, patches, filters, orders, cursors and versions mean over the wire what
//! they mean without it.

mod server_fixture;

use fastrand::Rng;
use server_fixture::{kind, memory_server, within_time};
use vectordoc::{
    Document, ErrorKind, Filter, GroupBy, Id, Include, Query, Result, Scroll,
    client::{Connection, Remote},
    schema::IndexKind,
};
use vectordoc_tests::{random, twin::Twin};

/// Documents have ids below this.
const IDS: u64 = 80;

/// A served database and its twin through the same program.
struct Program {
    remote: Remote,
    twin: Twin,
    rng: Rng,
}

impl Program {
    async fn new(connection: Connection, seed: u64) -> Result<Self> {
        let mut rng = Rng::with_seed(seed);
        let kind = [IndexKind::Exact, IndexKind::Hnsw, IndexKind::Auto][rng.usize(..3)];
        let schema = random::schema(&mut rng, kind);
        let shards = rng.usize(1..4);
        let name = format!("program-{seed}");
        let remote = Remote::create(connection, &name, schema, Some(shards)).await?;
        Ok(Self { remote, twin: Twin::default(), rng })
    }

    async fn step(&mut self) -> Result<()> {
        match self.rng.u8(..10) {
            0..3 => self.index().await,
            3 => self.delete().await,
            4 => self.patch().await,
            5 => self.change_where().await,
            6 => self.replace().await,
            _ => self.compare().await,
        }
    }

    fn id(&mut self) -> Id {
        Id::Int(self.rng.u64(..IDS))
    }

    fn document(&mut self) -> Document {
        let id = self.rng.u64(..IDS);
        random::document(&mut self.rng, self.remote.schema(), id)
    }

    async fn index(&mut self) -> Result<()> {
        let documents: Vec<_> = (0..self.rng.usize(1..30)).map(|_| self.document()).collect();
        assert_eq!(self.remote.index(&documents).await?, documents.len());
        self.twin.index(self.remote.schema(), &documents);
        Ok(())
    }

    async fn delete(&mut self) -> Result<()> {
        let ids: Vec<Id> = (0..self.rng.usize(1..20)).map(|_| self.id()).collect();
        self.remote.delete(&ids).await?;
        ids.iter().for_each(|id| {
            self.twin.documents.remove(id);
        });
        Ok(())
    }

    /// The version of the document with this id, which the twin has if there is one; else 0.
    async fn version(&self, id: &Id) -> Result<u64> {
        let found =
            self.remote.get_versioned(std::slice::from_ref(id), &Include::Everything).await?;
        let found = found.into_iter().flatten().next();
        let document = found.as_ref().map(|(document, _)| document);
        assert_eq!(document, self.twin.documents.get(id));
        Ok(found.map_or(0, |(_, version)| version))
    }

    /// Patches a document that may not be there, on the condition of a version that may be wrong.
    async fn patch(&mut self) -> Result<()> {
        let id = self.id();
        let patch = random::patch(&mut self.rng, self.remote.schema());
        let version = self.version(&id).await?;
        let wrong = self.remote.patch_if(&id, &patch, version + 1).await;
        assert_eq!(kind(wrong), Some(ErrorKind::Conflict));
        let patched = self.remote.patch_if(&id, &patch, version).await;
        if version == 0 {
            assert_eq!(kind(patched), Some(ErrorKind::NotFound));
            return Ok(());
        }
        self.twin.patch(self.remote.schema(), &id, &patch);
        assert_eq!(self.version(&id).await?, patched?);
        Ok(())
    }

    /// Replaces or deletes a document on the condition of its version.
    async fn replace(&mut self) -> Result<()> {
        let document = self.document();
        let id = document.id.clone();
        let version = self.version(&id).await?;
        let late = self.remote.index_if(&document, version + 1).await;
        assert_eq!(kind(late), Some(ErrorKind::Conflict));
        if version > 0 && self.rng.bool() {
            self.remote.delete_if(&id, version).await?;
            self.twin.documents.remove(&id);
            return Ok(());
        }
        let next = self.remote.index_if(&document, version).await?;
        self.twin.index(self.remote.schema(), &[document]);
        assert_eq!(self.version(&id).await?, next);
        Ok(())
    }

    /// Patches what passes a filter, or, now and then, deletes it.
    async fn change_where(&mut self) -> Result<()> {
        let filter = random::filter(&mut self.rng, 2);
        let matching = self.twin.matching(self.remote.schema(), &filter);
        if self.rng.u8(..4) == 0 {
            assert_eq!(self.remote.delete_where(&filter).await?, matching.len(), "{filter:?}");
            self.twin.documents.retain(|id, _| !matching.contains(id));
            return Ok(());
        }
        let patch = random::patch(&mut self.rng, self.remote.schema());
        let patched = self.remote.patch_where(&filter, &patch).await?;
        assert_eq!(patched, matching.len(), "{filter:?}");
        for id in &matching {
            self.twin.patch(self.remote.schema(), id, &patch);
        }
        Ok(())
    }

    async fn compare(&mut self) -> Result<()> {
        let filter = random::filter(&mut self.rng, 3);
        let matching = self.twin.matching(self.remote.schema(), &filter);
        assert_eq!(self.remote.count(&filter).await?, matching.len() as u64, "{filter:?}");
        self.compare_orders(&filter).await?;
        self.compare_facet(&filter).await?;
        self.compare_search(filter).await
    }

    /// Scrolls page by page, in order of the ids or of a field.
    async fn compare_orders(&mut self, filter: &Filter) -> Result<()> {
        let order = self.rng.bool().then(|| random::order(&mut self.rng));
        let schema = self.remote.schema();
        let expected = match &order {
            Some(order) => self.twin.ordered(schema, filter, order),
            None => {
                let ids = self.twin.matching(schema, filter);
                ids.iter().map(|id| self.twin.documents[id].clone()).collect()
            }
        };
        let mut scroll = Scroll {
            filter: filter.clone(),
            order,
            include: Include::Everything,
            ..Scroll::new(self.rng.usize(1..20))
        };
        let mut documents = Vec::new();
        loop {
            let page = self.remote.scroll(&scroll).await?;
            documents.extend(page.docs);
            scroll.cursor = page.cursor;
            if scroll.cursor.is_none() {
                break;
            }
        }
        assert_eq!(documents, expected, "{scroll:?}");
        Ok(())
    }

    async fn compare_facet(&mut self, filter: &Filter) -> Result<()> {
        let path = random::facet(&mut self.rng);
        let counts = self.remote.facet(path, filter, 1_000).await?;
        assert!(counts.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{counts:?}");
        for (value, count) in counts {
            let having = self.twin.having(self.remote.schema(), filter, path, &value);
            assert_eq!(count, having, "{path} {value:?}");
        }
        Ok(())
    }

    async fn compare_search(&mut self, filter: Filter) -> Result<()> {
        let dim = self.remote.schema().vectors()[0].dim;
        let query = Query {
            limit: self.rng.usize(..20),
            offset: self.rng.usize(..3),
            filter,
            exact: true,
            include: Include::Everything,
            ..Query::new(random::vector(&mut self.rng, dim))
        };
        let hits = self.remote.search(&query).await?;
        self.twin.check_hits(self.remote.schema(), &query, &hits);
        let field = random::order(&mut self.rng).field;
        let by = GroupBy { field, size: 2 };
        let groups = self.remote.search_groups(&query, &by).await?;
        for group in groups {
            let same = Filter::field(by.field.as_str(), vectordoc::filter::Test::Eq(group.value));
            let filter = query.filter.clone() & same;
            let query = Query { filter, limit: by.size, offset: 0, ..query.clone() };
            self.twin.check_hits(self.remote.schema(), &query, &group.hits);
        }
        Ok(())
    }
}

/// Runs the program of this seed.
async fn run(connection: Connection, seed: u64) -> Result<()> {
    const STEPS: usize = 40;
    let mut program = Program::new(connection, seed).await?;
    for step in 0..STEPS {
        let done = program.step().await;
        done.unwrap_or_else(|error| panic!("seed {seed}, step {step}: {error:?}"));
    }
    Ok(())
}

#[tokio::test]
async fn a_served_database_answers_as_its_twin() -> Result<()> {
    let server = memory_server().await?;
    let connection = Connection::open(&server.url()).await?;
    let first = random::seed(1);
    for seed in first..first + random::programs(40) {
        within_time(run(connection.clone(), seed)).await?;
    }
    server.shutdown().await
}
