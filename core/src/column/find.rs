//! Which slots pass a bound filter: by the columns where they are fast, by looking at the
//! documents that are left where those are few.

use super::{Column, Columns, Key, Keys, PRESENT, Postings, Tree, cells, key::TreeKey};
use crate::{
    Result, Value,
    bitset::{BitSet, Gathered},
    filter::{Bound, Comparison, Look},
};
use alloc::{boxed::Box, vec::Vec};
use core::{cmp::Ordering, ops::Bound as Edge};

/// Reads the values of the document in a slot.
pub(crate) type ReadValues<'a> = &'a dyn Fn(u32) -> Result<Vec<Value>>;

/// What looking at one document costs, in slots taken from columns.
pub(super) const DOCUMENT_COST: u64 = 64;

impl Columns {
    /// The live slots that pass `filter`.
    pub(crate) fn find(&self, filter: &Bound, read: ReadValues<'_>) -> Result<BitSet> {
        Ok(match filter {
            Bound::All => self.live.clone(),
            Bound::Column { number, look } => self.columns[*number].find(look),
            Bound::Not(filter) => {
                let mut found = self.live.clone();
                found.subtract(&self.find(filter, read)?);
                found
            }
            Bound::Or(filters) => {
                let mut found = BitSet::default();
                for filter in filters {
                    found.unite(&self.find(filter, read)?);
                }
                found
            }
            Bound::And(filters) => self.find_all(filters, read)?,
            Bound::Element { number, look, .. } => {
                let candidates = self.columns[*number].find(look);
                self.verified(&candidates, &[filter], read)?
            }
            Bound::Words { number, words } => self.texts[*number].having_all(words),
            Bound::Compare { number, comparison, other } => {
                let (left, right) = (&self.columns[*number], &self.columns[*other]);
                match comparison {
                    Comparison::Ne => {
                        let mut found = self.live.clone();
                        found.subtract(&left.compare(Comparison::Eq, right));
                        found
                    }
                    comparison => left.compare(*comparison, right),
                }
            }
        })
    }

    /// What passes each of `filters`: the one that lets the fewest pass first, and those that cost
    /// more to find than to ask the documents left, last.
    fn find_all(&self, filters: &[Bound], read: ReadValues<'_>) -> Result<BitSet> {
        let mut by_size: Vec<(u64, &Bound)> =
            filters.iter().map(|filter| (self.estimate(filter), filter)).collect();
        by_size.sort_by_key(|(estimate, _)| *estimate);
        let mut by_size = by_size.into_iter();
        let Some((_, first)) = by_size.next() else { return Ok(self.live.clone()) };
        let mut found = self.find(first, read)?;
        let mut to_verify = Vec::new();
        for (estimate, filter) in by_size {
            if found.is_empty() {
                return Ok(found);
            }
            if found.len() * DOCUMENT_COST < estimate {
                to_verify.push(filter);
            } else {
                found.intersect(&self.find(filter, read)?);
            }
        }
        if to_verify.is_empty() { Ok(found) } else { self.verified(&found, &to_verify, read) }
    }

    /// Those of `candidates` whose documents pass each of `filters`.
    fn verified(
        &self,
        candidates: &BitSet,
        filters: &[&Bound],
        read: ReadValues<'_>,
    ) -> Result<BitSet> {
        let mut found = BitSet::default();
        for slot in candidates.iter() {
            let values = read(slot)?;
            if filters.iter().all(|filter| self.passes(filter, &values)) {
                found.insert(slot);
            }
        }
        Ok(found)
    }

    /// About how many slots pass `filter`, and how many have to be taken to find them.
    pub(crate) fn estimate(&self, filter: &Bound) -> u64 {
        let live = self.live.len();
        match filter {
            Bound::All => live,
            Bound::Column { number, look } | Bound::Element { number, look, .. } => {
                self.columns[*number].estimate(look).min(live)
            }
            Bound::Not(filter) => live.saturating_sub(self.estimate(filter)).max(live / 2),
            Bound::Or(filters) => {
                filters.iter().map(|filter| self.estimate(filter)).sum::<u64>().min(live)
            }
            Bound::And(filters) => {
                filters.iter().map(|filter| self.estimate(filter)).min().unwrap_or(live)
            }
            Bound::Words { number, words } => self.texts[*number].estimate(words),
            Bound::Compare { .. } => live,
        }
    }

    /// Whether a document with these values passes `filter`.
    pub(crate) fn passes(&self, filter: &Bound, values: &[Value]) -> bool {
        match filter {
            Bound::All => true,
            Bound::And(filters) => filters.iter().all(|filter| self.passes(filter, values)),
            Bound::Or(filters) => filters.iter().any(|filter| self.passes(filter, values)),
            Bound::Not(filter) => !self.passes(filter, values),
            Bound::Column { number, look } => self.columns[*number].passes(look, values),
            Bound::Words { number, words } => self.texts[*number].has_all(values, words),
            Bound::Element { number, index, look } => {
                let column = &self.columns[*number];
                let array = column.value(values);
                let element = match array.as_deref() {
                    Some(Value::Array(elements)) => elements.get(*index),
                    _ => None,
                };
                let key = element.and_then(|element| Key::of(&column.ty, element));
                key.is_some_and(|key| look.finds(&key))
            }
            Bound::Compare { number, comparison, other } => {
                let keys = self.columns[*number].keys_of(values);
                let others = self.columns[*other].keys_of(values);
                let any = |fits: fn(Ordering) -> bool| {
                    keys.iter().any(|key| others.iter().any(|other| fits(key.cmp(other))))
                };
                match comparison {
                    Comparison::Eq => any(Ordering::is_eq),
                    Comparison::Ne => !any(Ordering::is_eq),
                    Comparison::Lt => any(Ordering::is_lt),
                    Comparison::Lte => any(Ordering::is_le),
                    Comparison::Gt => any(Ordering::is_gt),
                    Comparison::Gte => any(Ordering::is_ge),
                }
            }
        }
    }
}

impl Column {
    fn find(&self, look: &Look) -> BitSet {
        let mut found = Gathered::default();
        match look {
            Look::Present => add(&mut found, self.present.get(&PRESENT)),
            Look::Size(size) => add(&mut found, self.sizes.get(size)),
            look => match &self.keys {
                Keys::Numbers(tree) => find_numbers(tree, look, &mut found),
                Keys::Cells(tree) => find_cells(tree, look, &mut found),
                Keys::Bytes(tree) => find_bytes(tree, look, &mut found),
            },
        }
        found.into_set()
    }

    /// At least as many slots as have what is looked for, about.
    fn estimate(&self, look: &Look) -> u64 {
        let count =
            |postings: &mut dyn Iterator<Item = &Postings>| postings.map(Postings::len).sum();
        match look {
            Look::Present => count(&mut self.present.get(&PRESENT)),
            Look::Size(size) => count(&mut self.sizes.get(size)),
            Look::Keys(keys) => keys.iter().map(|key| self.count(key)).sum(),
            Look::Range(low, high) => match &self.keys {
                Keys::Numbers(tree) => {
                    let edges = (number_edge(low), number_edge(high));
                    self.share(tree.entries(edges.0.as_ref(), edges.1.as_ref()), tree.len())
                }
                Keys::Bytes(tree) => {
                    let edges = (bytes_edge(low), bytes_edge(high));
                    self.share(tree.entries(edges.0.as_ref(), edges.1.as_ref()), tree.len())
                }
                Keys::Cells(_) => 0,
            },
            _ => count(&mut self.present.get(&PRESENT)),
        }
    }

    /// The slots of `entries` of all `of` entries, were each to have as many.
    fn share(&self, entries: usize, of: usize) -> u64 {
        let slots: u64 = self.present.get(&PRESENT).map(Postings::len).sum();
        slots.saturating_mul(entries as u64).div_ceil(of.max(1) as u64)
    }

    /// How many slots have this key.
    fn count(&self, key: &Key) -> u64 {
        match (&self.keys, key) {
            (Keys::Numbers(tree), Key::Number(key)) => tree.get(key).map(Postings::len).sum(),
            (Keys::Cells(tree), Key::Cell(key)) => tree.get(key).map(Postings::len).sum(),
            (Keys::Bytes(tree), Key::Bytes(key)) => tree.get(key).map(Postings::len).sum(),
            _ => 0,
        }
    }

    fn passes(&self, look: &Look, values: &[Value]) -> bool {
        let Some(value) = self.value(values) else { return false };
        match (look, &*value) {
            (Look::Present, _) => true,
            (Look::Size(size), Value::Array(elements)) => elements.len() as u64 == *size,
            (Look::Size(_), _) => false,
            (look, Value::Array(elements)) => elements
                .iter()
                .filter_map(|element| Key::of(&self.ty, element))
                .any(|key| look.finds(&key)),
            (look, scalar) => Key::of(&self.ty, scalar).is_some_and(|key| look.finds(&key)),
        }
    }

    fn keys_of(&self, values: &[Value]) -> Vec<Key> {
        match self.value(values).as_deref() {
            Some(Value::Array(elements)) => {
                elements.iter().filter_map(|element| Key::of(&self.ty, element)).collect()
            }
            Some(scalar) => Key::of(&self.ty, scalar).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The slots with a value here that compares so with one in `other`.
    fn compare(&self, comparison: Comparison, other: &Self) -> BitSet {
        match (&self.keys, &other.keys) {
            (Keys::Numbers(left), Keys::Numbers(right)) => compare(left, comparison, right),
            (Keys::Bytes(left), Keys::Bytes(right)) => compare(left, comparison, right),
            _ => BitSet::default(),
        }
    }
}

/// Adds the slots of all `postings`.
fn add<'a>(found: &mut Gathered, postings: impl Iterator<Item = &'a Postings>) {
    postings.for_each(|postings| postings.each(|slot| found.add(slot)));
}

fn find_numbers(tree: &Tree<u64, Postings>, look: &Look, found: &mut Gathered) {
    match look {
        Look::Keys(keys) => {
            for key in keys {
                if let Key::Number(key) = key {
                    add(found, tree.get(key));
                }
            }
        }
        Look::Range(low, high) => {
            let (low, high) = (number_edge(low), number_edge(high));
            add(found, tree.range(low.as_ref(), high.as_ref()).map(|(_, postings)| postings));
        }
        look => add_found(tree, look, |key| Key::Number(*key), found),
    }
}

fn find_cells(tree: &Tree<u128, Postings>, look: &Look, found: &mut Gathered) {
    match look {
        Look::Keys(keys) => {
            for key in keys {
                if let Key::Cell(key) = key {
                    add(found, tree.get(key));
                }
            }
        }
        Look::Near(boxes, _) => {
            for corners in boxes {
                for range in cells::cover(&corners.south_west, &corners.north_east) {
                    let (low, high) = (Edge::Included(range.start()), Edge::Included(range.end()));
                    let near =
                        tree.range(low, high).filter(|(key, _)| look.finds(&Key::Cell(**key)));
                    add(found, near.map(|(_, postings)| postings));
                }
            }
        }
        look => add_found(tree, look, |key| Key::Cell(*key), found),
    }
}

fn find_bytes(tree: &Tree<Box<[u8]>, Postings>, look: &Look, found: &mut Gathered) {
    match look {
        Look::Keys(keys) => {
            for key in keys {
                if let Key::Bytes(key) = key {
                    add(found, tree.get(key));
                }
            }
        }
        Look::Range(low, high) => {
            let (low, high) = (bytes_edge(low), bytes_edge(high));
            add(found, tree.range(low.as_ref(), high.as_ref()).map(|(_, postings)| postings));
        }
        Look::Prefix(prefix) => {
            let first: Box<[u8]> = prefix.as_bytes().into();
            let from = tree.range(Edge::Included(&first), Edge::Unbounded);
            let those = from.take_while(|(key, _)| key.starts_with(&first));
            add(found, those.map(|(_, postings)| postings));
        }
        look => add_found(tree, look, |key| Key::Bytes(key.clone()), found),
    }
}

/// Adds the slots of every key that `look` finds.
fn add_found<K: TreeKey>(
    tree: &Tree<K, Postings>,
    look: &Look,
    key_of: fn(&K) -> Key,
    found: &mut Gathered,
) {
    let those = tree.iter().filter(|(key, _)| look.finds(&key_of(key)));
    add(found, those.map(|(_, postings)| postings));
}

fn number_edge(edge: &Edge<Key>) -> Edge<u64> {
    edge.as_ref().map(|key| if let Key::Number(number) = key { *number } else { 0 })
}

fn bytes_edge(edge: &Edge<Key>) -> Edge<Box<[u8]>> {
    edge.as_ref()
        .map(|key| if let Key::Bytes(bytes) = key { bytes.clone() } else { Box::default() })
}

/// The slots with a key in `left` that compares so with one in `right`. Both are gone through from
/// one end, so that the keys of `right` which fit are those passed so far.
fn compare<K: TreeKey>(
    left: &Tree<K, Postings>,
    comparison: Comparison,
    right: &Tree<K, Postings>,
) -> BitSet {
    let mut found = BitSet::default();
    match comparison {
        Comparison::Eq | Comparison::Ne => {
            for (key, postings) in left.iter() {
                let mut others = Gathered::default();
                add(&mut others, right.get(key));
                add_common(&mut found, postings, &others.into_set());
            }
        }
        Comparison::Gt | Comparison::Gte => {
            let fits =
                |other: &K, key: &K| other < key || comparison == Comparison::Gte && other == key;
            sweep(left.iter(), right.iter(), fits, &mut found);
        }
        Comparison::Lt | Comparison::Lte => {
            let fits =
                |other: &K, key: &K| other > key || comparison == Comparison::Lte && other == key;
            sweep(left.iter().rev(), right.iter().rev(), fits, &mut found);
        }
    }
    found
}

fn sweep<'a, K: 'a>(
    left: impl Iterator<Item = (&'a K, &'a Postings)>,
    right: impl Iterator<Item = (&'a K, &'a Postings)>,
    fits: impl Fn(&K, &K) -> bool,
    found: &mut BitSet,
) {
    let (mut right, mut fitting) = (right.peekable(), BitSet::default());
    for (key, postings) in left {
        while let Some((_, more)) = right.next_if(|(other, _)| fits(other, key)) {
            more.each(|slot| fitting.insert(slot));
        }
        add_common(found, postings, &fitting);
    }
}

/// Adds those slots of `postings` that are among `others`.
fn add_common(found: &mut BitSet, postings: &Postings, others: &BitSet) {
    postings.each(|slot| {
        if others.contains(slot) {
            found.insert(slot);
        }
    });
}
