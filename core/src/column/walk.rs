//! Columns in order of their values: to count what each value has, and to read documents in the
//! order of a field.

use super::{Column, Columns, Key, Keys, PRESENT, Postings, Tree, key::TreeKey};
use crate::bitset::BitSet;
use alloc::{boxed::Box, collections::BTreeMap, vec::Vec};
use core::ops::Bound as Edge;

/// In which direction to go through a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Up,
    Down,
}

impl Columns {
    /// How many of `slots` have each value of column `number`.
    pub(crate) fn facet(&self, number: usize, slots: &BitSet) -> BTreeMap<Key, u64> {
        let mut counts = BTreeMap::new();
        let mut add = |key: Key, postings: &Postings| {
            let mut count = 0;
            postings.each(|slot| count += u64::from(slots.contains(slot)));
            if count > 0 {
                *counts.entry(key).or_default() += count;
            }
            true
        };
        self.columns[number].walk(None, Direction::Up, &mut add);
        counts
    }

    /// Hands the slots of each value to `visit`, in order of the values from `from` on, until it
    /// says false.
    pub(crate) fn walk(
        &self,
        number: usize,
        from: Option<&Key>,
        direction: Direction,
        visit: &mut dyn FnMut(&Key, &[u32]) -> bool,
    ) {
        let mut current: Option<(Key, Vec<u32>)> = None;
        let mut go_on = true;
        self.columns[number].walk(from, direction, &mut |key, postings| {
            if current.as_ref().is_some_and(|(of, _)| *of != key)
                && let Some((of, slots)) = current.take()
            {
                go_on = visit(&of, &slots);
            }
            let (_, slots) = current.get_or_insert((key, Vec::new()));
            postings.each(|slot| slots.push(slot));
            go_on
        });
        if let Some((of, slots)) = current.filter(|_| go_on) {
            visit(&of, &slots);
        }
    }

    /// Those of `slots` that have no value in column `number`.
    pub(crate) fn without(&self, number: usize, slots: &BitSet) -> BitSet {
        let mut without = slots.clone();
        for postings in self.columns[number].present.get(&PRESENT) {
            postings.each(|slot| without.remove(slot));
        }
        without
    }
}

type Visit<'a> = &'a mut dyn FnMut(Key, &Postings) -> bool;

impl Column {
    fn walk(&self, from: Option<&Key>, direction: Direction, visit: Visit<'_>) {
        match &self.keys {
            Keys::Numbers(tree) => {
                let from = from.and_then(|key| match key {
                    Key::Number(number) => Some(*number),
                    _ => None,
                });
                walk(tree, from.as_ref(), direction, |key| Key::Number(*key), visit);
            }
            Keys::Cells(tree) => walk(tree, None, direction, |key| Key::Cell(*key), visit),
            Keys::Bytes(tree) => {
                let from: Option<Box<[u8]>> = from.and_then(|key| match key {
                    Key::Bytes(bytes) => Some(bytes.clone()),
                    _ => None,
                });
                walk(tree, from.as_ref(), direction, |key| Key::Bytes(key.clone()), visit);
            }
        }
    }
}

fn walk<K: TreeKey>(
    tree: &Tree<K, Postings>,
    from: Option<&K>,
    direction: Direction,
    key_of: fn(&K) -> Key,
    visit: Visit<'_>,
) {
    let from = from.map_or(Edge::Unbounded, Edge::Included);
    let mut visit = |(key, postings): (&K, &Postings)| visit(key_of(key), postings);
    match direction {
        Direction::Up => tree.range(from, Edge::Unbounded).all(&mut visit),
        Direction::Down => tree.range(Edge::Unbounded, from).rev().all(&mut visit),
    };
}
