//! The state of a group on its way to another node.

use std::io;
use vectordoc::native::Snapshot;

/// What a snapshot is made of.
pub(crate) enum SnapshotData {
    /// Of a database of this node: what its store holds.
    Leaving(Box<Snapshot>),
    /// Of a database of another node, which is beside its place by now.
    Arrived,
    /// The placement.
    Placement(Vec<u8>),
    /// Nothing yet.
    Nothing,
}

impl SnapshotData {
    /// The next bytes of it; none after its end. Blocks.
    pub(super) fn piece(&mut self, bytes_max: usize) -> io::Result<Vec<u8>> {
        match self {
            Self::Leaving(snapshot) => snapshot.piece(bytes_max).map_err(io::Error::other),
            Self::Placement(bytes) => {
                let rest = bytes.split_off(bytes.len().min(bytes_max));
                Ok(std::mem::replace(bytes, rest))
            }
            Self::Arrived | Self::Nothing => {
                Err(io::Error::other("this snapshot is not to be sent"))
            }
        }
    }

    /// How many entries of a store were sent, and of how many; of none where it is none of a store.
    pub(super) fn progress(&self) -> (u64, u64) {
        match self {
            Self::Leaving(snapshot) => snapshot.progress(),
            Self::Arrived | Self::Placement(_) | Self::Nothing => (0, 0),
        }
    }
}
