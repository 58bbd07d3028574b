//! The spanning tree of the lowest level, by which every slot can be reached from every other.
//!
//! A slot and its parent link to each other, and pruning may not drop either link. Diversity alone
//! promises nothing: after enough deletes a slot may lose the last link that leads to it. A slot has
//! at most `m` children, so that at least `m − 1` of its `2·m` links are free for diversity.

use super::graph::Graph;
use alloc::{collections::BTreeMap, vec::Vec};

/// The tree as it will be: changes are thought out on top of a graph that is only read.
pub(super) struct Tree<'a> {
    graph: &'a Graph,
    /// New parents by slot; `None` of the root.
    parents: BTreeMap<u32, Option<u32>>,
    /// Slots by their new parent, some of which may have left it again.
    children: BTreeMap<u32, Vec<u32>>,
}

impl<'a> Tree<'a> {
    pub(super) fn new(graph: &'a Graph) -> Self {
        Self { graph, parents: BTreeMap::new(), children: BTreeMap::new() }
    }

    /// The parent a slot will have; `None` of the root and of what is not in the tree.
    pub(super) fn parent(&self, slot: u32) -> Option<u32> {
        match self.parents.get(&slot) {
            Some(parent) => *parent,
            None => self.graph.parent(slot),
        }
    }

    fn contains(&self, slot: u32) -> bool {
        self.parents.contains_key(&slot) || self.graph.contains(slot)
    }

    fn children(&self, slot: u32) -> Vec<u32> {
        let old = match self.graph.contains(slot) {
            true => self.graph.links(slot, 0),
            false => &[],
        };
        let new = self.children.get(&slot).into_iter().flatten();
        let mut children: Vec<u32> = old.iter().chain(new).copied().collect();
        children.retain(|child| self.parent(*child) == Some(slot));
        children.sort_unstable();
        children.dedup();
        children
    }

    fn set_parent(&mut self, slot: u32, parent: Option<u32>) {
        self.parents.insert(slot, parent);
        if let Some(parent) = parent {
            self.children.entry(parent).or_default().push(slot);
        }
    }

    /// Puts `slot` under `above`, or under a slot below it where there is room.
    fn put_below(&mut self, slot: u32, above: u32) {
        let mut parent = above;
        loop {
            let children = self.children(parent);
            match children.first() {
                Some(child) if children.len() >= self.graph.children_max() => parent = *child,
                _ => return self.set_parent(slot, Some(parent)),
            }
        }
    }

    /// Adds new slots, each with the links it will have, nearest first: under the first of them
    /// that is in the tree and has room.
    pub(super) fn add(&mut self, slots: &[(u32, Vec<u32>)]) {
        let mut waiting: Vec<&(u32, Vec<u32>)> = slots.iter().collect();
        while !waiting.is_empty() {
            let before = waiting.len();
            waiting.retain(|(slot, links)| !self.add_near(*slot, links));
            if waiting.len() == before {
                let (slot, _) = waiting.remove(0);
                self.add_anywhere(*slot);
            }
        }
    }

    /// Adds `slot` at one of `links`; false when none of them is in the tree.
    fn add_near(&mut self, slot: u32, links: &[u32]) -> bool {
        let mut known = links.iter().copied().filter(|link| self.contains(*link)).peekable();
        let Some(nearest) = known.peek().copied() else { return false };
        let room = |parent: &u32| self.children(*parent).len() < self.graph.children_max();
        match known.find(room) {
            Some(parent) => self.set_parent(slot, Some(parent)),
            None => self.put_below(slot, nearest),
        }
        true
    }

    /// Adds `slot` below the entry of the graph, or as the root of a new tree.
    fn add_anywhere(&mut self, slot: u32) {
        let first = self.graph.entry().or_else(|| self.parents.keys().next().copied());
        match first {
            Some(first) => self.put_below(slot, first),
            None => self.set_parent(slot, None),
        }
    }

    /// Takes slots out; their children go to their parents.
    pub(super) fn remove(&mut self, slots: &[u32]) {
        for slot in slots {
            let mut orphans = self.children(*slot).into_iter();
            let above = self.parent(*slot).or_else(|| {
                let root = orphans.next()?;
                self.set_parent(root, None);
                Some(root)
            });
            self.parents.insert(*slot, None);
            let Some(above) = above else { continue };
            for orphan in orphans {
                self.put_below(orphan, above);
            }
        }
    }

    /// The new parents, and the pairs of slots that have to link to each other for them.
    pub(super) fn changes(self, removed: &[u32]) -> TreeChanges {
        let is_left = |slot: &u32| !removed.contains(slot);
        let parents: Vec<_> = self.parents.into_iter().filter(|(slot, _)| is_left(slot)).collect();
        let mut partners: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (slot, parent) in &parents {
            if let Some(parent) = parent {
                partners.entry(*slot).or_default().push(*parent);
                partners.entry(*parent).or_default().push(*slot);
            }
        }
        TreeChanges { parents: parents.into_iter().collect(), partners }
    }
}

/// What a batch changes of a tree.
#[derive(Default)]
pub(super) struct TreeChanges {
    /// The new parents by slot; `None` of the root.
    pub(super) parents: BTreeMap<u32, Option<u32>>,
    /// By slot: who is its parent or child only from now on.
    pub(super) partners: BTreeMap<u32, Vec<u32>>,
}

impl TreeChanges {
    /// Those of `links` that pruning may not drop from the row of `slot`: its parent and children.
    pub(super) fn kept(&self, graph: &Graph, slot: u32, links: &[u32]) -> Vec<u32> {
        let parent = |slot: u32| match self.parents.get(&slot) {
            Some(parent) => *parent,
            None => graph.parent(slot),
        };
        let own = parent(slot);
        let is_kept = |link: &u32| Some(*link) == own || parent(*link) == Some(slot);
        links.iter().copied().filter(is_kept).collect()
    }
}
