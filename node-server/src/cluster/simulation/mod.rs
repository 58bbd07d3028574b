//! Whole clusters in one thread: all the code of the nodes, from what clients ask to what is on their
//! disks, under a clock, a network and disks that one seed rules.
//!
//! What is not the code of production: tokio's clock stands still until nothing is left to do; the
//! bytes between nodes go through memory, without TLS; files are on simulated disks, which lose what
//! was not synced; work that blocks, the thread that writes the log, and the workers of databases take
//! their turns on the one thread. Raft draws its timeouts from the seed.

#[expect(dead_code, unreachable_pub, reason = "shared with the judges of the core")]
#[path = "../../../../tests/src/cut.rs"]
mod cut;
#[expect(dead_code, unreachable_pub, reason = "shared with the judges of the core")]
#[path = "../../../../tests/src/disk.rs"]
mod disk;
mod faults;
mod history;
#[expect(dead_code, unreachable_pub, reason = "shared with the judges of the core")]
#[path = "../../../../tests/src/image.rs"]
mod image;
mod run;
pub(super) mod runtime;
mod traffic;
mod watch;
mod wire;
mod world;
