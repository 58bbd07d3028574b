//! Planning the rows that close the gaps which removed slots leave, after FreshDiskANN (Singh et
//! al. 2021, Algorithm 4): whoever linked to a removed slot may link to what that one linked to.

use super::super::{Vectors, parallel};
use super::graph::{Graph, RowChange};
use super::tree::{Tree, TreeChanges};
use super::{Hnsw, Rows, select};
use crate::planted::{self, Plant};
use alloc::{collections::BTreeSet, vec, vec::Vec};

/// The rows that change when `removed` leave the graph.
pub(super) fn plan(hnsw: &Hnsw, removed: &[u32], vectors: &Vectors, threads: usize) -> Rows {
    let graph = &hnsw.graph;
    let mut tree = Tree::new(graph);
    tree.remove(removed);
    let tree = tree.changes(removed);
    let mut leaving = vec![false; graph.slots()];
    for slot in removed {
        leaving[*slot as usize] = true;
    }
    let broken = graph
        .iter()
        .filter(|slot| !leaving[*slot as usize])
        .flat_map(|slot| (0..=graph.level(slot)).map(move |level| (slot, level)))
        .filter(|(slot, level)| {
            graph.links(*slot, *level).iter().any(|link| leaving[*link as usize])
        });
    let joined = tree.partners.keys().map(|slot| (*slot, 0));
    let changing: BTreeSet<(u32, usize)> = broken.chain(joined).collect();
    let changing: Vec<_> = changing.into_iter().collect();
    let repair = |(slot, level): &(u32, usize)| {
        let row = Row { graph, tree: &tree, slot: *slot, level: *level };
        row.repaired(&leaving, vectors)
    };
    Rows { rows: parallel::map(&changing, threads, repair), parents: tree.parents }
}

/// A row that loses links, or gains some of the tree.
struct Row<'a> {
    graph: &'a Graph,
    tree: &'a TreeChanges,
    slot: u32,
    level: usize,
}

impl Row<'_> {
    /// The row without the leaving ones, their neighbours considered in their place.
    fn repaired(&self, leaving: &[bool], vectors: &Vectors) -> RowChange {
        let Self { graph, slot, level, .. } = *self;
        let is_gone = |link: &u32| leaving[*link as usize] && !planted::is(Plant::LinkToFreedSlot);
        let links = graph.links(slot, level);
        let beyond =
            links.iter().copied().filter(is_gone).flat_map(|gone| graph.links(gone, level));
        let partners = self.tree.partners.get(&slot).filter(|_| level == 0);
        let mut candidates: Vec<u32> =
            links.iter().chain(beyond).chain(partners.into_iter().flatten()).copied().collect();
        candidates.retain(|other| *other != slot && !is_gone(other));
        candidates.sort_unstable();
        candidates.dedup();
        let kept = match level {
            0 => self.tree.kept(graph, slot, &candidates),
            _ => Vec::new(),
        };
        let candidates = select::about(slot, &candidates, vectors);
        let links = select::diverse(kept, &candidates, graph.links_max(level), vectors);
        RowChange { slot, level, links }
    }
}
