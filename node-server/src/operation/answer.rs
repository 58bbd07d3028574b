//! What operations return: data that every transport can encode.

use super::bytes::Bytes;
use crate::{Described, Name, cluster::ClusterView, telemetry::Line};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value as Json};
use vectordoc::{
    Database, Document, Error, Hit, HitGroup, Id, Schema, Value,
    document::DocumentView,
    native::{Change, ChangePage, Recall, Resharding},
    query::{Explanation, Warning},
};

/// The result of one operation. Serialized, it is the object the contract describes.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Answer {
    /// What is about one database: `db.create`, `db.get`, `db.pause` and the like.
    Database(Description),
    /// `db.list`.
    Databases {
        /// In order of their names.
        dbs: Vec<Listed>,
    },
    /// `db.logs`.
    Logs {
        /// In their order.
        lines: Vec<Line>,
    },
    /// `db.drop`.
    Dropped {
        /// Always true: what is not dropped is an error.
        dropped: bool,
    },
    /// `db.snapshot`.
    Snapshot {
        /// What `db.snapshot.read` and `db.snapshot.close` name it by.
        snapshot: String,
    },
    /// `db.snapshot.read`.
    Piece {
        /// The next of the archive.
        bytes: Bytes,
        /// Where those after them begin.
        offset: u64,
        /// Entries of the database that were written so far.
        done: u64,
        /// Of so many.
        total: u64,
        /// Whether the archive goes on.
        has_more: bool,
    },
    /// `db.restore`.
    Restore {
        /// What `db.restore.write`, `db.restore.finish` and `db.restore.close` name it by.
        restore: String,
        /// Bytes that one `db.restore.write` may have.
        piece_bytes_max: usize,
    },
    /// `db.restore.write`.
    Taken {
        /// Where the next bytes begin.
        offset: u64,
        /// Entries of the database that were read so far.
        done: u64,
        /// Of so many; 0 until that is known.
        total: u64,
    },
    /// `db.snapshot.close`, `db.restore.close`.
    Closed {
        /// Always true: what is not closed is an error.
        closed: bool,
    },
    /// `doc.index`.
    Indexed {
        /// Documents written.
        indexed: usize,
        /// The version of the document, if it was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        /// What is true of it: `fsync` or `memory`.
        durability: &'static str,
    },
    /// `doc.update`.
    Updated {
        /// Documents replaced.
        updated: usize,
        /// The version of the document, if it was one.
        #[serde(skip_serializing_if = "Option::is_none")]
        version: Option<u64>,
        /// What is true of it: `fsync` or `memory`.
        durability: &'static str,
    },
    /// `doc.patch` of one document.
    Patched {
        /// Its version now.
        version: u64,
        /// What is true of it: `fsync` or `memory`.
        durability: &'static str,
    },
    /// `doc.patch` by filter.
    PatchedWhere {
        /// Documents changed.
        patched: usize,
        /// What to know about the filter.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
        /// What is true of it: `fsync` or `memory`.
        durability: &'static str,
    },
    /// `doc.delete`.
    Deleted {
        /// Documents deleted.
        deleted: usize,
        /// The ids asked for that no document had.
        missing: Vec<Id>,
        /// What to know about the filter.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
        /// What is true of it: `fsync` or `memory`.
        durability: &'static str,
    },
    /// `doc.get` of one document.
    Document(OneDocument),
    /// `doc.get` of several.
    Documents(Documents),
    /// `search` with one vector.
    Hits(Hits),
    /// `search` with `group_by`.
    Groups(Groups),
    /// `search` with several.
    Results {
        /// One per vector, in the same order.
        results: Vec<Hits>,
        /// What to know about all of them.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
    /// `doc.count`.
    Count {
        /// Documents that pass the filter.
        count: u64,
        /// What to know about the filter.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
    /// `doc.scroll`.
    Page(Page),
    /// `changes`.
    Changes(Changes),
    /// `doc.facet`.
    Facet {
        /// The most frequent first.
        values: Vec<Counted>,
        /// What to know about the filter.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        warnings: Vec<Warning>,
    },
    /// `db.recall`.
    Recall(Measured),
    /// `cluster.status`.
    Cluster(ClusterView),
    /// `cluster.remove`.
    Removed {
        /// Always true: what is not removed is an error.
        removed: bool,
    },
}

impl Answer {
    /// The same without the warnings, and these.
    pub(super) fn without_warnings(mut self) -> (Self, Vec<Warning>) {
        let warnings = match &mut self {
            Self::Hits(Hits { warnings, .. })
            | Self::Groups(Groups { warnings, .. })
            | Self::Results { warnings, .. } => std::mem::take(warnings),
            _ => Vec::new(),
        };
        (self, warnings)
    }
}

/// What `db.recall` found.
#[derive(serde::Serialize)]
pub(crate) struct Measured {
    /// Which part of the true nearest was found; `None` when there are none.
    pub(crate) recall: Option<f64>,
    /// Documents searched for that have a neighbour.
    pub(crate) sampled: usize,
    /// Hits of each search.
    pub(crate) k: usize,
    /// Candidates the graph considered; 0 without a graph.
    pub(crate) ef: usize,
    /// How long an exact search took, on average.
    pub(crate) exact_ms: f64,
    /// How long any other search took, on average.
    pub(crate) search_ms: f64,
}

impl From<Recall> for Measured {
    fn from(recall: Recall) -> Self {
        let milliseconds = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let Recall { recall, sampled, k, ef, exact, search } = recall;
        let (exact_ms, search_ms) = (milliseconds(exact), milliseconds(search));
        Self { recall, sampled, k, ef, exact_ms, search_ms }
    }
}

/// What there is to know about one database.
#[derive(serde::Serialize)]
pub(crate) struct Description {
    /// Its name.
    pub(crate) db: String,
    /// As clients write it.
    pub(crate) schema: Map<String, Json>,
    /// How many its documents are spread over.
    pub(crate) shards: usize,
    /// How many it has.
    pub(crate) documents: u64,
    /// Documents that are found, but not by the graph yet.
    pub(crate) unindexed: u64,
    /// What it takes.
    pub(crate) memory_bytes: u64,
    /// Whether it is in memory: `awake`, `asleep` or `paused`.
    pub(crate) state: &'static str,
    /// Whether it leaves memory while it is idle.
    pub(crate) serverless: bool,
    /// After so many milliseconds, if it does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) idle_ms: Option<u64>,
    /// How many copies it shall have, in a cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replicas: Option<usize>,
    /// How far it is with getting another number of shards, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resharding: Option<ReshardingView>,
    /// Where the newest of it is: `here`, `waiting`, `bucket` or `elsewhere`.
    pub(crate) rests: &'static str,
    /// At which node it is elsewhere, or why its upload waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rests_why: Option<String>,
}

/// A resharding under way.
#[derive(serde::Serialize)]
pub(crate) struct ReshardingView {
    /// How many shards there are.
    pub(crate) from: usize,
    /// How many there will be.
    pub(crate) to: usize,
    /// Documents that are where they will be.
    pub(crate) done: u64,
    /// Documents there are.
    pub(crate) total: u64,
}

impl From<Described> for Description {
    fn from(described: Described) -> Self {
        let Described {
            name,
            schema,
            shards,
            documents,
            unindexed,
            memory_bytes,
            resharding,
            state,
            idle_ms,
            replicas,
            rests,
            rests_why,
            ..
        } = described;
        Self {
            db: name.to_string(),
            schema: schema.to_json(),
            shards,
            documents,
            unindexed,
            memory_bytes,
            state: state.name(),
            serverless: idle_ms.is_some(),
            idle_ms,
            replicas,
            rests: rests.name(),
            rests_why,
            resharding: resharding.map(|Resharding { from, to, done, total }| ReshardingView {
                from,
                to,
                done,
                total,
            }),
        }
    }
}

/// One database of a list.
#[derive(serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Listed {
    /// It can be used.
    Usable(Description),
    /// It cannot, and why.
    Broken {
        /// Its name.
        db: String,
        /// Why.
        error: Reason,
    },
}

/// An error as part of an answer.
#[derive(serde::Serialize)]
pub(crate) struct Reason {
    /// Of its kind.
    pub(crate) code: &'static str,
    /// What it says.
    pub(crate) message: String,
}

impl Listed {
    /// Lists the database `name`.
    pub(crate) fn of(name: &Name, described: vectordoc::Result<Described>) -> Self {
        match described {
            Ok(described) => Self::Usable(described.into()),
            Err(error) => Self::Broken { db: name.to_string(), error: Reason::of(&error) },
        }
    }
}

impl Reason {
    /// Why, for a client.
    pub(crate) fn of(error: &Error) -> Self {
        Self { code: error.kind().code(), message: error.message().into() }
    }
}

/// A value of a field.
#[derive(serde::Serialize)]
pub(crate) struct Counted {
    /// The value.
    pub(crate) value: Value,
    /// Documents that have it.
    pub(crate) count: u64,
}

impl Answer {
    /// The version of the one document that was read or written, if it was one.
    pub(crate) fn version(&self) -> Option<u64> {
        match self {
            Self::Document(OneDocument { version, .. }) | Self::Patched { version, .. } => {
                Some(*version)
            }
            Self::Indexed { version, .. } | Self::Updated { version, .. } => *version,
            _ => None,
        }
    }
}

/// One document with its version.
pub(crate) struct OneDocument {
    /// Whose it is, for the names of its fields.
    pub(crate) database: Database,
    /// The document.
    pub(crate) doc: Document,
    /// Its version.
    pub(crate) version: u64,
}

impl Serialize for OneDocument {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let mut map = output.serialize_map(Some(2))?;
        map.serialize_entry("doc", &view(self.database.schema(), &self.doc))?;
        map.serialize_entry("version", &self.version)?;
        map.end()
    }
}

/// Documents by id, each with its version; `None` where there is none.
pub(crate) struct Documents {
    /// Whose they are, for the names of their fields.
    pub(crate) database: Database,
    /// In the order of the ids.
    pub(crate) docs: Vec<Option<(Document, u64)>>,
}

/// The hits of one vector, best first.
pub(crate) struct Hits {
    /// Whose they are, for the names of their fields.
    pub(crate) database: Database,
    /// Best first.
    pub(crate) hits: Vec<Hit>,
    /// How they were found, when the client asked.
    pub(crate) explanation: Option<Explanation>,
    /// What to know about the search.
    pub(crate) warnings: Vec<Warning>,
}

/// Hits by a value they have in common.
pub(crate) struct Groups {
    /// Whose they are, for the names of their fields.
    pub(crate) database: Database,
    /// In order of the best hit of each.
    pub(crate) groups: Vec<HitGroup>,
    /// What to know about the search.
    pub(crate) warnings: Vec<Warning>,
}

/// A part of all documents, in the order asked for.
pub(crate) struct Page {
    /// Whose they are, for the names of their fields.
    pub(crate) database: Database,
    /// In that order.
    pub(crate) docs: Vec<Document>,
    /// Where the next page begins; `None` on the last one.
    pub(crate) cursor: Option<String>,
    /// What to know about the filter.
    pub(crate) warnings: Vec<Warning>,
}

/// What changed, in the order it happened to each document.
pub(crate) struct Changes {
    /// Whose changes they are, for the names of their fields.
    pub(crate) database: Database,
    /// The changes, and where to go on.
    pub(crate) page: ChangePage,
}

impl Serialize for Changes {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let schema = self.database.schema();
        let changes = self.page.changes.iter().map(|change| ChangeView::of(schema, change));
        let mut map = output.serialize_map(Some(3))?;
        map.serialize_entry("changes", &changes.collect::<Vec<_>>())?;
        map.serialize_entry("cursor", &self.page.cursor)?;
        map.serialize_entry("has_more", &self.page.has_more)?;
        map.end()
    }
}

#[derive(serde::Serialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum ChangeView<'a> {
    Index { doc: DocumentView<'a>, version: u64 },
    Delete { id: &'a Id, version: u64 },
    Leave { id: &'a Id, version: u64 },
}

impl<'a> ChangeView<'a> {
    fn of(schema: &'a Schema, change: &'a Change) -> Self {
        match change {
            Change::Index { doc, version } => {
                Self::Index { doc: view(schema, doc), version: *version }
            }
            Change::Delete { id, version } => Self::Delete { id, version: *version },
            Change::Leave { id, version } => Self::Leave { id, version: *version },
        }
    }
}

impl Serialize for Documents {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let schema = self.database.schema();
        let found = || self.docs.iter().map(Option::as_ref);
        let docs: Vec<_> =
            found().map(|found| found.map(|(document, _)| view(schema, document))).collect();
        let versions: Vec<_> = found().map(|found| found.map(|(_, version)| version)).collect();
        let mut map = output.serialize_map(Some(2))?;
        map.serialize_entry("docs", &docs)?;
        map.serialize_entry("versions", &versions)?;
        map.end()
    }
}

impl Serialize for Hits {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let schema = self.database.schema();
        let mut map = output.serialize_map(None)?;
        map.serialize_entry("hits", &HitView::all(schema, &self.hits))?;
        if let Some(explanation) = &self.explanation {
            map.serialize_entry("explain", &ExplanationView::of(explanation))?;
        }
        write_warnings(&mut map, &self.warnings)?;
        map.end()
    }
}

impl Serialize for Groups {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let schema = self.database.schema();
        let view = |group| GroupView::of(schema, group);
        let mut map = output.serialize_map(None)?;
        map.serialize_entry("groups", &self.groups.iter().map(view).collect::<Vec<_>>())?;
        write_warnings(&mut map, &self.warnings)?;
        map.end()
    }
}

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        let schema = self.database.schema();
        let docs: Vec<_> = self.docs.iter().map(|document| view(schema, document)).collect();
        let mut map = output.serialize_map(None)?;
        map.serialize_entry("docs", &docs)?;
        map.serialize_entry("cursor", &self.cursor)?;
        write_warnings(&mut map, &self.warnings)?;
        map.end()
    }
}

/// Warnings are there when there are some.
fn write_warnings<M: SerializeMap>(map: &mut M, warnings: &[Warning]) -> Result<(), M::Error> {
    if warnings.is_empty() { Ok(()) } else { map.serialize_entry("warnings", warnings) }
}

fn view<'a>(schema: &'a Schema, document: &'a Document) -> DocumentView<'a> {
    DocumentView { schema, document }
}

#[derive(serde::Serialize)]
struct HitView<'a> {
    id: &'a Id,
    score: f32,
    distance: f32,
    doc: DocumentView<'a>,
}

impl<'a> HitView<'a> {
    fn of(schema: &'a Schema, hit: &'a Hit) -> Self {
        let Hit { id, score, distance, doc } = hit;
        Self { id, score: *score, distance: *distance, doc: view(schema, doc) }
    }

    fn all(schema: &'a Schema, hits: &'a [Hit]) -> Vec<Self> {
        hits.iter().map(|hit| Self::of(schema, hit)).collect()
    }
}

#[derive(serde::Serialize)]
struct GroupView<'a> {
    value: &'a Value,
    hits: Vec<HitView<'a>>,
}

impl<'a> GroupView<'a> {
    fn of(schema: &'a Schema, group: &'a HitGroup) -> Self {
        Self { value: &group.value, hits: HitView::all(schema, &group.hits) }
    }
}

#[derive(serde::Serialize)]
struct ExplanationView<'a> {
    plan: &'a str,
    visited: u64,
    exact: bool,
    ef: usize,
    allowed: u64,
}

impl<'a> ExplanationView<'a> {
    fn of(explanation: &'a Explanation) -> Self {
        let Explanation { plan, visited, exact, ef, allowed, .. } = explanation;
        Self { plan, visited: *visited, exact: *exact, ef: *ef, allowed: *allowed }
    }
}
