//! What parameters and results look like, told once per operation: names are checked against it,
//! query strings read by it, and the API described from it.

use super::read_level::ReadLevel;
use crate::{Rests, State};
use vectordoc::native::Durability;

/// One member of an object.
pub(crate) struct Field {
    /// What it is called.
    pub(crate) name: &'static str,
    /// What values it has.
    pub(crate) kind: Kind,
    /// Whether it is always there.
    pub(crate) is_required: bool,
    /// What it means, for people.
    pub(crate) doc: &'static str,
}

impl Field {
    /// A member that is always there.
    pub(super) const fn required(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, is_required: true, doc }
    }

    /// A member that can be left out.
    pub(super) const fn optional(name: &'static str, kind: Kind, doc: &'static str) -> Self {
        Self { name, kind, is_required: false, doc }
    }
}

/// What values there can be.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    /// A string.
    Text,
    /// One of these strings.
    OneOf(&'static [&'static str]),
    /// Bytes: base64 in JSON.
    Bytes,
    /// True or false.
    Bool,
    /// A whole number, 0 or more.
    Count,
    /// A number.
    Number,
    /// The name of a database.
    Name,
    /// The id of a document: a string or a whole number, as its schema says.
    Id,
    /// A vector: an array of numbers, or a typed array.
    Vector,
    /// A value of a field.
    Value,
    /// A document.
    Document,
    /// What documents look like.
    Schema,
    /// Which documents.
    Filter,
    /// Which fields of them.
    Include,
    /// An array of these.
    List(&'static Kind),
    /// One of these, or null.
    Nullable(&'static Kind),
    /// An object with these members.
    Object(&'static [Field]),
    /// Any of these.
    AnyOf(&'static [Kind]),
}

/// What to know about a question.
pub(super) const WARNINGS: Field = Field::optional(
    "warnings",
    Kind::List(&Kind::Text),
    "What makes the answer dearer or worse than it need be, and what to do about it; not there when \
     there is nothing to say.",
);
/// The database an operation is about.
pub(super) const DB: Field =
    Field::required("db", Kind::Name, "The database, as it was named by db.create.");
/// Whether a database leaves memory while it is idle.
pub(super) const SERVERLESS: Field = Field::optional(
    "serverless",
    Kind::Bool,
    "Whether it leaves memory while it is idle, to be opened by the next request; as the server is \
     configured until somebody says.",
);
/// After how long.
pub(super) const IDLE_MS: Field = Field::optional(
    "idle_ms",
    Kind::Count,
    "Milliseconds without a request after which it leaves memory, if it is serverless; 100 at least.",
);
/// Which documents an operation is about.
pub(super) const FILTER: Field =
    Field::optional("filter", Kind::Filter, "Only documents that pass; all without it.");
/// What answered documents carry.
pub(super) const INCLUDE: Field = Field::optional(
    "include",
    Kind::Include,
    "The fields of the answered documents, or \"*\" for all; all but the vectors without it.",
);
/// What a write waits for.
pub(crate) const DURABILITY: Field = Field::optional(
    "durability",
    Kind::OneOf(&DURABILITIES),
    "What the write waits for: until it is on stable storage, which is the default, or in memory. \
     With replicas it is on stable storage of a majority of them, whatever is asked for.",
);
/// What a write waited for.
pub(super) const WRITTEN: Field =
    Field::required("durability", Kind::OneOf(&DURABILITIES), "What is true of the write.");
const DURABILITIES: [&str; 3] =
    [Durability::Fsync.name(), Durability::Memory.name(), Durability::Quorum.name()];
/// How fresh what is read has to be.
pub(super) const READ: Field = Field::optional(
    "read",
    Kind::OneOf(&ReadLevel::NAMES),
    "Of a database with replicas: \"linearizable\", the default, sees everything that was \
     acknowledged before; \"local\" takes what the replica of this node has, which may be older, \
     and needs no majority.",
);
/// The condition of a write.
pub(super) const IF_VERSION: Field = Field::optional(
    "if_version",
    Kind::Count,
    "The version the one document must have; 0 when there must be none.",
);
/// The version of one document.
pub(super) const VERSION: Field = Field::required(
    "version",
    Kind::Count,
    "The version of the document, which grows with each write of it.",
);
/// The version of a document, if the write was of one.
pub(super) const VERSION_OF_ONE: Field = Field::optional(
    "version",
    Kind::Count,
    "The version of the document, when the write was of one.",
);
/// Documents by id.
pub(super) const IDS: Kind = Kind::List(&Kind::Id);
/// Documents of an answer.
pub(super) const DOCUMENTS: Kind = Kind::List(&Kind::Document);
/// Hits, best first.
pub(super) const HITS: Field = Field::required("hits", Kind::List(&HIT), "Best first.");
const HIT: Kind = Kind::Object(&[
    Field::required("id", Kind::Id, "The id of the document."),
    Field::required("score", Kind::Number, "The greater the better, whatever the metric."),
    Field::required("distance", Kind::Number, "What the metric says of the two vectors."),
    Field::required("doc", Kind::Document, "The document."),
]);
/// What is known of one database.
pub(super) const DESCRIPTION: Kind = Kind::Object(&[
    DB,
    Field::required("schema", Kind::Schema, "What its documents look like."),
    Field::required("shards", Kind::Count, "The parts it is in, which work side by side."),
    Field::required("documents", Kind::Count, "How many documents are in it."),
    Field::required(
        "unindexed",
        Kind::Count,
        "Documents that are found, but not by the graph yet, which is being built.",
    ),
    Field::required("memory_bytes", Kind::Count, "Memory it takes."),
    Field::required(
        "state",
        Kind::OneOf(&[State::Awake.name(), State::Asleep.name(), State::Paused.name()]),
        "Whether it is in memory: awake; asleep, and the next request opens it; or paused, and \
         requests are refused until it is resumed.",
    ),
    Field::required("serverless", Kind::Bool, "Whether it leaves memory while it is idle."),
    Field::optional("idle_ms", Kind::Count, "After so many milliseconds without a request."),
    Field::optional(
        "replicas",
        Kind::Count,
        "Copies it shall have, if this server is in a cluster.",
    ),
    Field::optional("resharding", RESHARDING, "How far it is with getting other shards, if it is."),
    Field::required(
        "rests",
        Kind::OneOf(&[
            Rests::Here.name(),
            Rests::Waiting.name(),
            Rests::Bucket.name(),
            Rests::Elsewhere.name(),
        ]),
        "Where the newest of it is: here, on the disk of this server; waiting, the same, until it is \
         uploaded to the bucket; in the bucket, where any node finds it; or elsewhere, at another node \
         of the bucket that has it awake.",
    ),
    Field::optional(
        "rests_why",
        Kind::Text,
        "At which node it is elsewhere, or why its upload waits, if it was tried.",
    ),
]);
const RESHARDING: Kind = Kind::Object(&[
    Field::required("from", Kind::Count, "Shards it has until that is done."),
    Field::required("to", Kind::Count, "Shards it will have."),
    Field::required("done", Kind::Count, "Documents copied and vectors indexed so far."),
    Field::required("total", Kind::Count, "Of so many, those not counted that came since."),
]);
/// A snapshot that is read.
pub(super) const SNAPSHOT: Field =
    Field::required("snapshot", Kind::Text, "The snapshot, as db.snapshot named it.");
/// A restore that is written.
pub(super) const RESTORE: Field =
    Field::required("restore", Kind::Text, "The restore, as db.restore named it.");
/// Where in an archive.
pub(super) const OFFSET: Field = Field::required(
    "offset",
    Kind::Count,
    "Where in the archive the bytes begin: after those before them, or again where the last ones did.",
);
/// Where an archive goes on.
pub(super) const NEXT: Field =
    Field::required("offset", Kind::Count, "Where the next bytes begin.");
/// How far an archive is.
pub(super) const DONE: Field =
    Field::required("done", Kind::Count, "Entries of the database that are through.");
/// Of how much.
pub(super) const TOTAL: Field =
    Field::required("total", Kind::Count, "Of so many; 0 until that is known.");
/// That something was closed.
pub(super) const CLOSED: Kind = Kind::Object(&[Field::required(
    "closed",
    Kind::Bool,
    "Always true: what is not closed is an error.",
)]);
/// Why something is not there.
pub(super) const REASON: Kind = Kind::Object(&[
    Field::required("code", Kind::Text, "The kind of error, stable."),
    Field::required("message", Kind::Text, "What went wrong, for people."),
]);
/// How a search went.
pub(super) const EXPLANATION: Kind = Kind::Object(&[
    Field::required("plan", Kind::Text, "How it was done."),
    Field::required("visited", Kind::Count, "Distances computed, and documents scored."),
    Field::required("exact", Kind::Bool, "Whether every allowed vector was compared."),
    Field::required("ef", Kind::Count, "Candidates the graph considered; 0 without a graph."),
    Field::required("allowed", Kind::Count, "Documents the filter allows."),
]);
