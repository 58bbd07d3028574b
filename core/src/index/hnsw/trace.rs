//! A search's way through the graph, kept to be looked at. It takes the steps that `search` takes, one
//! by one and on its own, so that searches that nobody looks at pay nothing for it.

use super::super::{Allowed, Hop, Neighbour, Probe, Search, Vectors};
use super::graph::Graph;
use super::pool::Pool;
use super::search::Walk;
use super::visited::VisitedPool;
use alloc::{vec, vec::Vec};

/// The hops of a search, in their order; none in an empty graph.
pub(super) fn trace(
    graph: &Graph,
    visited: &VisitedPool,
    probe: &Probe,
    vectors: &Vectors,
    search: &Search<'_>,
) -> Vec<Hop> {
    let mut visited = visited.take(graph.slots());
    let mut walk = Walk::new(graph, vectors, probe.coded(), &mut visited);
    walk.except = search.allowed.excepted();
    let mut hops = Vec::new();
    let Some(entry) = descend(&mut walk, graph, &mut hops) else { return hops };
    let ef = search.ef.max(search.limit);
    match search.allowed.are_all() {
        true => nearest(&mut walk, entry, ef, &mut hops),
        false => {
            let Search { visits_max, allowed, .. } = *search;
            nearest_allowed(&mut walk, entry, (ef, visits_max), allowed, &mut hops);
        }
    }
    hops
}

/// Down to the lowest level: [`Walk::descend`]. What is compared first is the entry, with itself.
fn descend(walk: &mut Walk<'_>, graph: &Graph, hops: &mut Vec<Hop>) -> Option<Neighbour> {
    let entry = graph.entry()?;
    let top = graph.level(entry);
    let mut nearest = walk.compare(&[entry]).pop()?;
    hops.push(Hop { level: top, at: entry, compared: vec![nearest] });
    for level in (1..=top).rev() {
        walk.begin(nearest);
        loop {
            let here = nearest;
            let compared: Vec<Neighbour> = walk.follow(here.slot, level).collect();
            nearest = compared.iter().copied().fold(here, Neighbour::min);
            hops.push(Hop { level, at: here.slot, compared });
            if nearest.slot == here.slot {
                break;
            }
        }
    }
    Some(nearest)
}

/// Over the lowest level: [`Walk::nearest`].
fn nearest(walk: &mut Walk<'_>, entry: Neighbour, ef: usize, hops: &mut Vec<Hop>) {
    walk.begin(entry);
    let mut pool = Pool::new(ef);
    pool.offer(entry);
    while let Some(at) = pool.follow() {
        let compared: Vec<Neighbour> = walk.follow(at, 0).collect();
        offer(&mut pool, &compared);
        hops.push(Hop { level: 0, at, compared });
    }
}

/// Over the allowed slots of the lowest level: [`Walk::nearest_allowed`].
fn nearest_allowed(
    walk: &mut Walk<'_>,
    entry: Neighbour,
    (ef, visits_max): (usize, usize),
    allowed: Allowed<'_>,
    hops: &mut Vec<Hop>,
) {
    let mut pool = Pool::new(ef);
    let mut batch = walk.begin_allowed(entry, allowed);
    let mut at = entry.slot;
    loop {
        let compared = walk.compare(&batch);
        offer(&mut pool, &compared);
        hops.push(Hop { level: 0, at, compared });
        batch.clear();
        let Some(here) = pool.follow().filter(|_| walk.distances() < visits_max) else { return };
        walk.pass(here, allowed, &mut batch);
        at = here;
    }
}

fn offer(pool: &mut Pool, compared: &[Neighbour]) {
    for neighbour in compared {
        pool.offer(*neighbour);
    }
}
