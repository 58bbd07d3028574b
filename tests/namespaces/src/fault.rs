//! What befalls nodes.

use crate::{cluster::Cluster, switch::Link};
use std::{
    fs::{self, File},
    io::Write,
    thread,
    time::{Duration, Instant},
};

/// Something that befalls nodes for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Half of the nodes hear nothing of the other half.
    Halves,
    /// The leader hears nobody, or nobody hears it.
    OneWay,
    /// One node is heard by all, the others not by each other.
    Bridge,
    /// Nobody hears the leader, and it hears nobody.
    LeaderAlone,
    /// A node is killed, mostly the leader, and started again.
    Kill,
    /// All nodes are killed.
    KillAll,
    /// A node stands still, mostly the leader.
    Pause,
    /// Frames are late, and some are lost.
    Slow,
    /// The disk of the first node is full.
    FullDisk,
    /// A new node joins, and one is removed once it has what it shall have.
    Replace,
}

pub(crate) const FAULTS: [Fault; 10] = [
    Fault::Halves,
    Fault::OneWay,
    Fault::Bridge,
    Fault::LeaderAlone,
    Fault::Kill,
    Fault::KillAll,
    Fault::Pause,
    Fault::Slow,
    Fault::FullDisk,
    Fault::Replace,
];

impl Fault {
    /// Lets it happen to `cluster` for `time`, and mends it.
    pub(crate) fn happen(
        self,
        cluster: &mut Cluster,
        random: &mut fastrand::Rng,
        time: Duration,
    ) -> Result<(), String> {
        let running = cluster.running();
        let leader = cluster.leader().unwrap_or(running[0]);
        match self {
            Self::Halves => {
                let mut nodes = running;
                random.shuffle(&mut nodes);
                let (some, others) = nodes.split_at(nodes.len() / 2);
                for (one, other) in
                    some.iter().flat_map(|one| others.iter().map(move |o| (*one, *o)))
                {
                    cluster.cut(one, other);
                    cluster.cut(other, one);
                }
                thread::sleep(time);
            }
            Self::OneWay => {
                let is_deaf = random.bool();
                for other in running.into_iter().filter(|node| *node != leader) {
                    let (from, to) = if is_deaf { (other, leader) } else { (leader, other) };
                    cluster.cut(from, to);
                }
                thread::sleep(time);
            }
            Self::Bridge => {
                let bridge = running[random.usize(..running.len())];
                for one in running.iter().filter(|one| **one != bridge) {
                    for other in running.iter().filter(|other| ![bridge, *one].contains(other)) {
                        cluster.cut(*one, *other);
                    }
                }
                thread::sleep(time);
            }
            Self::LeaderAlone => {
                for other in running.into_iter().filter(|node| *node != leader) {
                    cluster.cut(leader, other);
                    cluster.cut(other, leader);
                }
                thread::sleep(time);
            }
            Self::Kill => {
                let victim = mostly(leader, &running, random);
                cluster.kill(victim);
                thread::sleep(time);
                cluster.start(victim)?;
            }
            Self::KillAll => {
                running.iter().for_each(|node| cluster.kill(*node));
                running.into_iter().try_for_each(|node| cluster.start(node))?;
                thread::sleep(time);
            }
            Self::Pause => {
                let victim = mostly(leader, &running, random);
                cluster.set_paused(victim, true);
                thread::sleep(time);
                cluster.set_paused(victim, false);
            }
            Self::Slow => {
                let delay = Duration::from_millis(random.u64(5..60));
                let link = Link { is_cut: false, delay, lost: random.u16(0..30) };
                cluster.set_links(link);
                thread::sleep(time);
            }
            Self::FullDisk => fill_disk(cluster, time)?,
            Self::Replace => {
                let victim = mostly(leader, &running, random);
                cluster.replace(victim, time)?;
            }
        }
        cluster.ground.switch.heal();
        Ok(())
    }
}

fn mostly(leader: usize, running: &[usize], random: &mut fastrand::Rng) -> usize {
    if random.u8(..3) > 0 { leader } else { running[random.usize(..running.len())] }
}

/// Fills the disk of the node that has a small one.
fn fill_disk(cluster: &Cluster, time: Duration) -> Result<(), String> {
    let path = cluster.ground.data(cluster.small_disk()).join("filler");
    let said = |error: std::io::Error| format!("{}: {error}", path.display());
    let mut filler = File::create(&path).map_err(said)?;
    let (block, end) = (vec![7; 64 * 1024], Instant::now() + time);
    while Instant::now() < end {
        // As long as there is space, and again once some is freed.
        if filler.write_all(&block).is_err() {
            thread::sleep(Duration::from_millis(20));
        }
    }
    fs::remove_file(&path).map_err(said)
}
