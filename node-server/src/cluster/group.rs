//! The types that the Raft groups of a node have in common.

use super::{placement::Change, runtime::Runtime, transfer::SnapshotData};
use openraft::EmptyNode;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};
use std::{fmt, io::Cursor};

openraft::declare_raft_types!(
    /// What all groups are made of.
    pub(crate) Types:
        D = Command,
        R = Decision,
        NodeId = u64,
        Node = EmptyNode,
        Entry = openraft::Entry<Types>,
        SnapshotData = SnapshotData,
        AsyncRuntime = Runtime,
);

/// A node of the cluster, numbered from 1.
pub(crate) type Node = u64;
/// A Raft group; [`PLACEMENT`], or that of a database.
pub(crate) type Group = u64;
/// A running member of a group.
pub(crate) type Raft = openraft::Raft<Types>;
pub(crate) type LogId = openraft::LogId<Node>;
pub(crate) type Vote = openraft::Vote<Node>;
pub(crate) type Entry = openraft::Entry<Types>;
pub(crate) type Membership = openraft::StoredMembership<Node, EmptyNode>;
pub(crate) type Meta = openraft::SnapshotMeta<Node, EmptyNode>;
pub(crate) type StorageError = openraft::StorageError<Node>;
pub(crate) type IoError = openraft::StorageIOError<Node>;

/// The group that every node is in.
pub(crate) const PLACEMENT: Group = 0;

/// What a log says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) enum Command {
    /// Of the placement.
    Place(Change),
    /// Of a database: records, and the leadership in which they were prepared.
    Write {
        /// Of the leader that prepared them.
        term: u64,
        /// That leader.
        node: Node,
        /// One after the other.
        records: Vec<Bytes>,
    },
}

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Decision {
    /// It says nothing to the state machine.
    Blank,
    /// Its records are applied.
    Applied,
    /// Its records were prepared on another state than it found, and are applied nowhere.
    PassedOver,
    /// The placement has changed, or had what was asked for.
    Placed,
    /// The node has this number.
    Joined(Node),
    /// The placement stays as it is: a code and a message of our errors.
    Refused(String, String),
}

/// Bytes as one item, not as a list of numbers.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Bytes(pub(crate) Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Bytes {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Whole;
        impl Visitor<'_> for Whole {
            type Value = Bytes;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("bytes")
            }

            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Bytes, E> {
                Ok(Bytes(bytes.to_vec()))
            }

            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Bytes, E> {
                Ok(Bytes(bytes))
            }
        }
        input.deserialize_byte_buf(Whole)
    }
}

/// `value` in CBOR.
pub(crate) fn encode(value: &impl Serialize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes)
}

/// What [`encode`] wrote.
pub(crate) fn decode<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> std::io::Result<T> {
    ciborium::from_reader(Cursor::new(bytes))
        .map_err(|error| std::io::Error::new(std::io::ErrorKind::InvalidData, error.to_string()))
}
