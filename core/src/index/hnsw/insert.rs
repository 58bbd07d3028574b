//! Planning the rows of a batch of new slots, and of those that link back to them.

use super::super::{Neighbour, Vectors, parallel};
use super::graph::{Graph, RowChange};
use super::search::Walk;
use super::tree::{Tree, TreeChanges};
use super::{Hnsw, Rows, select};
use crate::Result;
use alloc::{collections::BTreeMap, vec::Vec};

/// The rows that insert `slots`: first each new slot finds its neighbours in the graph as it is
/// and among the other new ones, then every slot that was chosen considers linking back.
pub(super) fn plan(hnsw: &Hnsw, slots: &[u32], vectors: &Vectors, threads: usize) -> Result<Rows> {
    let new = parallel::map(slots, threads, |slot| new_rows(hnsw, *slot, slots, vectors));
    let new = new.into_iter().collect::<Result<Vec<_>>>()?;
    let tree = grow_tree(&hnsw.graph, slots, &new);
    let rows: BTreeMap<(usize, u32), Vec<u32>> =
        new.into_iter().flatten().map(|row| ((row.level, row.slot), row.links)).collect();
    let mut back: BTreeMap<(usize, u32), Vec<u32>> = BTreeMap::new();
    for ((level, slot), links) in &rows {
        for link in links {
            back.entry((*level, *link)).or_default().push(*slot);
        }
    }
    for (slot, partners) in &tree.partners {
        back.entry((0, *slot)).or_default().extend(partners);
    }
    let linked: Vec<_> = back.into_iter().collect();
    let changed = parallel::map(&linked, threads, |((level, slot), sources)| {
        let links = match rows.get(&(*level, *slot)) {
            Some(links) => links,
            None => hnsw.graph.links(*slot, *level),
        };
        let links = link_back(&hnsw.graph, &tree, *slot, *level, links, sources, vectors);
        RowChange { slot: *slot, level: *level, links }
    });
    let mut all = rows;
    all.extend(changed.into_iter().map(|row| ((row.level, row.slot), row.links)));
    let rows = all.into_iter().map(|((level, slot), links)| RowChange { slot, level, links });
    Ok(Rows { rows: rows.collect(), parents: tree.parents })
}

/// The spanning tree with the new slots, each below a near one.
fn grow_tree(graph: &Graph, slots: &[u32], new: &[Vec<RowChange>]) -> TreeChanges {
    let lowest = new.iter().filter_map(|rows| rows.last()).map(|row| row.links.clone());
    let slots: Vec<(u32, Vec<u32>)> = slots.iter().copied().zip(lowest).collect();
    let mut tree = Tree::new(graph);
    tree.add(&slots);
    tree.changes(&[])
}

/// The rows of one new slot on all its levels, the lowest last (Algorithm 1).
fn new_rows(hnsw: &Hnsw, slot: u32, batch: &[u32], vectors: &Vectors) -> Result<Vec<RowChange>> {
    let graph = &hnsw.graph;
    let probe = &vectors.probe_of(slot)?;
    let top = graph.level(slot);
    let mut visited = hnsw.visited.take(graph.slots());
    let mut walk = Walk::new(graph, vectors, probe.coded(), &mut visited);
    let mut entry = walk.descend(top);
    let others: Vec<u32> = batch.iter().copied().filter(|other| *other != slot).collect();
    let mut distances = Vec::with_capacity(others.len());
    vectors.about(probe, &others, &mut distances);
    let beside = others.iter().zip(distances);
    let beside: Vec<_> =
        beside.map(|(slot, distance)| Neighbour { distance, slot: *slot }).collect();
    let mut rows = Vec::with_capacity(top + 1);
    for level in (0..=top).rev() {
        let mut candidates = Vec::new();
        if let Some(start) = entry
            && graph.level(start.slot) >= level
        {
            candidates = walk.nearest(start, level, hnsw.ef_construction);
            entry = candidates.first().copied();
        }
        candidates.extend(beside.iter().filter(|other| graph.level(other.slot) >= level));
        candidates.sort_unstable();
        candidates.truncate(hnsw.ef_construction);
        let links = select::diverse(Vec::new(), &candidates, hnsw.m, vectors);
        rows.push(RowChange { slot, level, links });
    }
    Ok(rows)
}

/// The row of `slot` when `sources` link to it: all while there is room, the most diverse beyond.
fn link_back(
    graph: &Graph,
    tree: &TreeChanges,
    slot: u32,
    level: usize,
    links: &[u32],
    sources: &[u32],
    vectors: &Vectors,
) -> Vec<u32> {
    let mut all = links.to_vec();
    for source in sources {
        if !all.contains(source) {
            all.push(*source);
        }
    }
    if all.len() <= graph.links_max(level) {
        return all;
    }
    let kept = if level == 0 { tree.kept(graph, slot, &all) } else { Vec::new() };
    let candidates = select::about(slot, &all, vectors);
    select::diverse(kept, &candidates, graph.links_max(level), vectors)
}
