//! What goes wrong in a run.

use super::{
    super::{group::Node, placement::Change},
    runtime::{draw, happens, spawn},
    traffic::Traffic,
    wire::Weather,
    world::{World, name},
};
use std::collections::BTreeMap;

/// Longest time that goes by without anything going wrong.
pub(super) const CALM_MS_MAX: u64 = 1_500;

/// What goes wrong, and what of it is to be put right.
#[derive(Default)]
pub(super) struct Faults {
    lives: BTreeMap<Node, u64>,
}

impl Faults {
    /// One thing goes wrong, or is put right.
    pub(super) async fn next(&mut self, world: &mut World, traffic: &Traffic) {
        self.resume(world);
        if happens(500) {
            world.network.heal();
        }
        while !world.down().is_empty() && happens(600) {
            self.restart(world).await;
        }
        match draw(|rng| rng.u8(..20)) {
            0..6 => partition(world),
            6..10 => self.crash(world),
            10..13 => self.pause(world),
            13 => world.network.set_weather(weather()),
            14..17 => cut_log(world),
            17..19 => scale(world),
            _ => self.crash_all(world),
        }
        traffic.know(world.running().into_iter().map(|(_, running)| running).collect());
    }

    /// Everything is put right.
    pub(super) async fn end(&mut self, world: &mut World, traffic: &Traffic) {
        world.network.heal();
        world.network.set_weather(Weather::default());
        for (_, running) in world.running() {
            running.scope.resume();
        }
        while !world.down().is_empty() {
            self.restart(world).await;
        }
        traffic.know(world.running().into_iter().map(|(_, running)| running).collect());
    }

    fn crash(&self, world: &mut World) {
        let running = world.running();
        if !running.is_empty() {
            let (node, _) = running[draw(|rng| rng.usize(..running.len()))];
            self.crash_one(world, node);
        }
    }

    /// As when the power of the house fails.
    fn crash_all(&self, world: &mut World) {
        for (node, _) in world.running() {
            self.crash_one(world, node);
        }
    }

    fn crash_one(&self, world: &mut World, node: Node) {
        world.crash(node);
    }

    async fn restart(&mut self, world: &mut World) {
        let down = world.down();
        if !down.is_empty() {
            let node = down[draw(|rng| rng.usize(..down.len()))];
            let life = self.lives.entry(node).or_default();
            *life += 1;
            world.start(node, *life).await;
        }
    }

    fn pause(&self, world: &World) {
        let running = world.running();
        if !running.is_empty() {
            let (node, running) = &running[draw(|rng| rng.usize(..running.len()))];
            world.network.note(("pause", node));
            running.scope.pause();
        }
    }

    fn resume(&self, world: &World) {
        for (_, running) in world.running() {
            running.scope.resume();
        }
    }
}

/// What a network is like for a while.
pub(super) fn weather() -> Weather {
    draw(|rng| Weather {
        delay_ms: [1, 4, 20, 80][rng.usize(..4)],
        broken: [0, 0, 10, 60][rng.usize(..4)],
        repeated: [0, 20, 100][rng.usize(..3)],
    })
}

/// Cuts some ways between nodes.
fn partition(world: &World) {
    let mut nodes: Vec<Node> = world.machines.keys().copied().collect();
    draw(|rng| rng.shuffle(&mut nodes));
    let all = || nodes.iter().flat_map(|from| nodes.iter().map(move |to| (*from, *to)));
    let place = |node: &Node| nodes.iter().position(|other| other == node).unwrap_or(0);
    let middle = nodes.len() / 2;
    let is_cut: Box<dyn Fn(usize, usize) -> bool> = match draw(|rng| rng.u8(..6)) {
        // Halves.
        0 => Box::new(|from, to| (from < middle) != (to < middle)),
        // Halves and one that both reach.
        1 => Box::new(|from, to| (from < middle && to > middle) || (from > middle && to < middle)),
        // Each reaches those beside it.
        2 => Box::new(|from, to| ![1, nodes.len() - 1].contains(&from.abs_diff(to))),
        // One way from one.
        3 => Box::new(|from, _| from == 0),
        // One way to one.
        4 => Box::new(|_, to| to == 0),
        // One alone.
        _ => Box::new(|from, to| from == 0 || to == 0),
    };
    let ways = all().filter(|(from, to)| from != to && is_cut(place(from), place(to)));
    let ways: Vec<(Node, Node)> = ways.collect();
    world.network.note(("cut", &ways));
    world.network.heal();
    world.network.cut(ways);
}

/// Has a node store its database, and cut its log to what is not stored.
fn cut_log(world: &World) {
    let running = world.running();
    if running.is_empty() {
        return;
    }
    let (node, running) = &running[draw(|rng| rng.usize(..running.len()))];
    let Some(replica) = running.replica() else { return };
    world.network.note(("cut log", node));
    running.scope.enter(|| {
        spawn(async move {
            let Ok(raft) = replica.raft() else { return };
            let applied = raft.metrics().borrow().last_applied;
            // A node that is about to end does neither.
            let _ = raft.trigger().snapshot().await;
            if let Some(applied) = applied {
                super::runtime::world_sleep(100).await;
                let _ = raft.trigger().purge_log(applied.index).await;
            }
        })
    });
}

/// Asks for another number of replicas.
fn scale(world: &World) {
    let running = world.running();
    if running.is_empty() {
        return;
    }
    let (_, running) = &running[draw(|rng| rng.usize(..running.len()))];
    let replicas = draw(|rng| rng.usize(2..=world.machines.len()));
    world.network.note(("scale", replicas));
    let cluster = std::sync::Arc::clone(&running.cluster);
    running.scope.enter(|| {
        spawn(async move {
            let change = Change::Scale { name: name().to_string(), replicas };
            // It may not come to be.
            let _ = cluster.place(change).await;
        })
    });
}
