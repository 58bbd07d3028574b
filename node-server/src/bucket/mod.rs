//! A bucket of object storage, where serverless databases rest so that any node can wake them, and
//! one at a time does.
//!
//! ```text
//! heads/NAME                 who has the database NAME, and where its files are: see `head`, `lease`
//! dbs/NAME/ID/EPOCH-SHA256   a part of a file, or a list of parts: see `parts`
//! ```
//!
//! **Invariant:** a head is only ever replaced on the condition that it is what was read; all else is
//! written once, under a name of its own, before a head names it. So a half-finished upload is nowhere
//! to be seen, and who has lost its lease can change nothing.

mod head;
mod held;
mod identity;
mod inner;
mod lease;
mod leases;
mod note;
#[cfg_attr(not(feature = "object-storage"), path = "no_objects.rs")]
mod objects;
mod options;
mod parts;

pub(crate) use head::Head;
pub(crate) use held::Held;
pub(crate) use leases::{Bucket, Claimed};
pub(crate) use note::Note;
pub use options::BucketOptions;
