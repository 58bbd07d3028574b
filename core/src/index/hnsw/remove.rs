//! Planning the rows that close the gaps which removed slots leave, after FreshDiskANN (Singh et
//! al. 2021, Algorithm 4): whoever linked to a removed slot may link to what that one linked to.

use super::super::{Vectors, parallel};
use super::graph::{Graph, RowChange};
use super::{Hnsw, select};
use alloc::{vec, vec::Vec};

/// The rows that change when `removed` leave the graph.
pub(super) fn plan(
    hnsw: &Hnsw,
    removed: &[u32],
    vectors: &Vectors,
    threads: usize,
) -> Vec<RowChange> {
    let graph = &hnsw.graph;
    let mut leaving = vec![false; graph.slots()];
    for slot in removed {
        leaving[*slot as usize] = true;
    }
    let broken: Vec<(u32, usize)> = graph
        .iter()
        .filter(|slot| !leaving[*slot as usize])
        .flat_map(|slot| (0..=graph.level(slot)).map(move |level| (slot, level)))
        .filter(|(slot, level)| {
            graph.links(*slot, *level).iter().any(|link| leaving[*link as usize])
        })
        .collect();
    parallel::map(&broken, threads, |(slot, level)| repair(graph, *slot, *level, &leaving, vectors))
}

/// The row of `slot` without the leaving ones, their neighbours considered in their place.
fn repair(
    graph: &Graph,
    slot: u32,
    level: usize,
    leaving: &[bool],
    vectors: &Vectors,
) -> RowChange {
    let is_gone = |link: &u32| leaving[*link as usize];
    let links = graph.links(slot, level);
    let beyond = links.iter().copied().filter(is_gone).flat_map(|gone| graph.links(gone, level));
    let mut candidates: Vec<u32> = links.iter().chain(beyond).copied().collect();
    candidates.retain(|other| *other != slot && !is_gone(other));
    candidates.sort_unstable();
    candidates.dedup();
    let candidates = select::about(slot, &candidates, vectors);
    let links = select::diverse(&candidates, graph.links_max(level), vectors);
    RowChange { slot, level, links }
}
