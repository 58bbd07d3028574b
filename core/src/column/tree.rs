//! An ordered map from keys to slots that is stored by page: the leaves of a B-tree, in order in
//! memory, each a page at rest.
//!
//! What one key has is cut into blocks of neighbouring slots, so that the key every document has
//! fits pages too. An entry is therefore of a key and a block.

use super::key::TreeKey;
use crate::{
    Error, Result,
    bytes::{Reader, Writer},
    index::Section,
    rest::ReadPage,
};
use alloc::{collections::BTreeSet, vec::Vec};
use core::ops::Bound as Edge;

/// Entries of a leaf; more would make inserting one slow.
const LEAF_ENTRIES_MAX: usize = 512;
/// Bytes of a leaf at rest from which on it is divided. The largest entry, a text of 8 KiB and the
/// bits of a block, makes one of less than 64 KiB.
const LEAF_BYTES_MAX: usize = 20_000;

/// What a tree has for one key in one block of slots. It is never empty.
pub(crate) trait Posting: Sized {
    /// A block is 2 to this power of slots.
    const BLOCK_BITS: u32;
    /// What is known of a slot beside that it is there.
    type Weight;

    fn new(slot: u32, weight: Self::Weight) -> Self;
    fn insert(&mut self, slot: u32, weight: Self::Weight);
    /// Removes a slot; true when none is left.
    fn remove(&mut self, slot: u32) -> bool;
    /// Bytes that [`write`](Self::write) appends, or some more.
    fn stored_bytes(&self) -> usize;
    /// Bytes of memory beside the posting itself.
    fn heap_bytes(&self) -> usize;
    fn write(&self, writer: &mut Writer);
    fn read(reader: &mut Reader<'_>) -> Result<Self>;
}

/// The map.
#[derive(Clone, Debug)]
pub(crate) struct Tree<K, P> {
    /// By number of the page.
    leaves: Vec<Leaf<K, P>>,
    /// The leaves that are not empty, in order of their keys.
    order: Vec<u32>,
    /// The leaves that are empty.
    free: BTreeSet<u32>,
    /// Pages that differ from those at rest.
    dirty: BTreeSet<u32>,
}

#[derive(Clone, Debug)]
struct Leaf<K, P> {
    /// Bytes at rest, or some more.
    bytes: usize,
    keys: Vec<(K, u32)>,
    postings: Vec<P>,
}

impl<K, P> Default for Tree<K, P> {
    fn default() -> Self {
        Self {
            leaves: Vec::new(),
            order: Vec::new(),
            free: BTreeSet::new(),
            dirty: BTreeSet::new(),
        }
    }
}

impl<K: TreeKey, P: Posting> Tree<K, P> {
    pub(crate) fn insert(&mut self, key: &K, slot: u32, weight: P::Weight) {
        let block = slot >> P::BLOCK_BITS;
        if self.order.is_empty() {
            let page = self.new_page();
            self.order.push(page);
        }
        let place_in_order = self.position(key, block);
        let page = self.order[place_in_order];
        let leaf = &mut self.leaves[page as usize];
        match leaf.find(key, block) {
            Ok(place) => {
                let before = leaf.postings[place].stored_bytes();
                leaf.postings[place].insert(slot, weight);
                leaf.bytes += leaf.postings[place].stored_bytes() - before;
            }
            Err(place) => {
                let posting = P::new(slot, weight);
                leaf.bytes += stored_bytes(key, &posting);
                leaf.keys.insert(place, (key.clone(), block));
                leaf.postings.insert(place, posting);
            }
        }
        self.dirty.insert(page);
        if leaf.is_large() {
            self.divide(place_in_order);
        }
    }

    pub(crate) fn remove(&mut self, key: &K, slot: u32) {
        let block = slot >> P::BLOCK_BITS;
        let place_in_order = self.position(key, block);
        let Some(page) = self.order.get(place_in_order).copied() else { return };
        let leaf = &mut self.leaves[page as usize];
        let Ok(place) = leaf.find(key, block) else { return };
        self.dirty.insert(page);
        let before = leaf.postings[place].stored_bytes();
        if leaf.postings[place].remove(slot) {
            leaf.bytes -= before + entry_bytes(key);
            leaf.keys.remove(place);
            leaf.postings.remove(place);
        } else {
            leaf.bytes = leaf.bytes + leaf.postings[place].stored_bytes() - before;
        }
        if leaf.keys.is_empty() {
            *leaf = Leaf::EMPTY;
            self.free.insert(page);
            self.order.remove(place_in_order);
        }
    }

    /// What `key` has, block by block.
    pub(crate) fn get(&self, key: &K) -> impl Iterator<Item = &P> {
        self.range(Edge::Included(key), Edge::Included(key)).map(|(_, postings)| postings)
    }

    /// The entries from one key to another in order; a key that has several blocks has several.
    pub(crate) fn range(
        &self,
        low: Edge<&K>,
        high: Edge<&K>,
    ) -> impl DoubleEndedIterator<Item = (&K, &P)> {
        let is_below = move |(key, _): &(K, u32)| match low {
            Edge::Included(low) => key < low,
            Edge::Excluded(low) => key <= low,
            Edge::Unbounded => false,
        };
        let is_not_above = move |(key, _): &(K, u32)| match high {
            Edge::Included(high) => key <= high,
            Edge::Excluded(high) => key < high,
            Edge::Unbounded => true,
        };
        self.leaves_between(low, high).iter().flat_map(move |page| {
            let leaf = &self.leaves[*page as usize];
            let start = leaf.keys.partition_point(is_below);
            let end = leaf.keys.partition_point(is_not_above).max(start);
            let entries = leaf.keys[start..end].iter().zip(&leaf.postings[start..end]);
            entries.map(|((key, _), postings)| (key, postings))
        })
    }

    /// The leaves that have all entries from one key to another, in order.
    fn leaves_between(&self, low: Edge<&K>, high: Edge<&K>) -> &[u32] {
        let first = match low {
            Edge::Included(key) | Edge::Excluded(key) => self.position(key, 0),
            Edge::Unbounded => 0,
        };
        let last = match high {
            Edge::Included(key) | Edge::Excluded(key) => self.position(key, u32::MAX),
            Edge::Unbounded => self.order.len().saturating_sub(1),
        };
        self.order.get(first..=last).unwrap_or_default()
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.leaves.iter().map(|leaf| leaf.keys.len()).sum()
    }

    /// About how many entries there are from one key to another: leaves count as a whole.
    pub(crate) fn entries(&self, low: Edge<&K>, high: Edge<&K>) -> usize {
        let leaves = self.leaves_between(low, high).iter();
        leaves.map(|page| self.leaves[*page as usize].keys.len()).sum()
    }

    /// All entries in order.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &P)> {
        self.range(Edge::Unbounded, Edge::Unbounded)
    }

    pub(crate) fn mark_clean(&mut self) {
        self.dirty.clear();
    }

    /// The map whose pages `page` lends.
    pub(crate) fn open(pages: usize, mut page: impl ReadPage) -> Result<Self> {
        let mut leaves: Vec<Leaf<K, P>> = Vec::new();
        for number in 0..pages {
            page(number, &mut |bytes| {
                leaves.push(Leaf::read(bytes)?);
                Ok(())
            })?;
        }
        let count = u32::try_from(pages).map_err(|_| Error::corrupt("too many pages"))?;
        let first = |page: &u32| leaves[*page as usize].keys.first();
        let (mut order, free): (Vec<u32>, _) = (0..count).partition(|page| first(page).is_some());
        order.sort_by(|a, b| first(a).cmp(&first(b)));
        let last = |page: u32| leaves[page as usize].keys.last();
        if order.windows(2).any(|pair| last(pair[0]) >= first(&pair[1])) {
            return Err(Error::corrupt("leaves of a column overlap"));
        }
        let free = Vec::into_iter(free).collect();
        Ok(Self { leaves, order, free, dirty: BTreeSet::new() })
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        let leaf_bytes = |leaf: &Leaf<K, P>| {
            let keys = leaf.keys.iter().map(|(key, _)| key.heap_bytes()).sum::<usize>();
            let postings = leaf.postings.iter().map(P::heap_bytes).sum::<usize>();
            size_of::<Leaf<K, P>>()
                + keys
                + postings
                + leaf.keys.capacity() * size_of::<(K, u32)>()
                + leaf.postings.capacity() * size_of::<P>()
        };
        self.leaves.iter().map(leaf_bytes).sum()
    }

    /// The place in order of the leaf that has the entry, or would have it.
    fn position(&self, key: &K, block: u32) -> usize {
        let begins_by_then = |page: &u32| {
            let first = self.leaves[*page as usize].keys.first();
            first.is_some_and(|(first, of)| (first, *of) <= (key, block))
        };
        self.order.partition_point(begins_by_then).saturating_sub(1)
    }

    fn new_page(&mut self) -> u32 {
        let page = self.free.pop_first().unwrap_or_else(|| {
            self.leaves.push(Leaf::EMPTY);
            u32::try_from(self.leaves.len() - 1).expect("there are fewer pages than slots")
        });
        self.dirty.insert(page);
        page
    }

    /// Divides a leaf in two of about as many bytes.
    fn divide(&mut self, place_in_order: usize) {
        let page = self.new_page();
        let leaf = &mut self.leaves[self.order[place_in_order] as usize];
        let mut bytes = 0;
        let before_half = leaf.sizes().take_while(|size| {
            bytes += size;
            bytes <= leaf.bytes / 2
        });
        let middle = before_half.count().clamp(1, leaf.keys.len() - 1);
        let (keys, postings) = (leaf.keys.split_off(middle), leaf.postings.split_off(middle));
        leaf.keys.shrink_to_fit();
        leaf.postings.shrink_to_fit();
        let mut upper = Leaf { bytes: 0, keys, postings };
        upper.bytes = upper.sizes().sum();
        leaf.bytes -= upper.bytes;
        self.leaves[page as usize] = upper;
        self.order.insert(place_in_order + 1, page);
    }
}

impl<K: TreeKey, P: Posting> Leaf<K, P> {
    const EMPTY: Self = Self { bytes: 0, keys: Vec::new(), postings: Vec::new() };

    fn find(&self, key: &K, block: u32) -> Result<usize, usize> {
        self.keys.binary_search_by(|(other, of)| (other, *of).cmp(&(key, block)))
    }

    fn is_large(&self) -> bool {
        self.keys.len() > 1 && (self.keys.len() > LEAF_ENTRIES_MAX || self.bytes > LEAF_BYTES_MAX)
    }

    /// Bytes of each entry at rest, or some more.
    fn sizes(&self) -> impl Iterator<Item = usize> {
        let entries = self.keys.iter().zip(&self.postings);
        entries.map(|((key, _), posting)| stored_bytes(key, posting))
    }

    fn write(&self) -> Vec<u8> {
        if self.keys.is_empty() {
            return Vec::new();
        }
        let mut writer = Writer::with_capacity(self.bytes);
        writer.length(self.keys.len());
        for ((key, block), posting) in self.keys.iter().zip(&self.postings) {
            key.write(&mut writer);
            writer.varint((*block).into());
            posting.write(&mut writer);
        }
        writer.into_bytes()
    }

    fn read(bytes: &[u8]) -> Result<Self> {
        let mut leaf = Self::EMPTY;
        if bytes.is_empty() {
            return Ok(leaf);
        }
        let mut reader = Reader::new(bytes);
        for _ in 0..reader.length()? {
            let key = K::read(&mut reader)?;
            let block = u32::try_from(reader.varint()?);
            let block = block.map_err(|_| Error::corrupt("a block has too large a number"))?;
            leaf.keys.push((key, block));
            leaf.postings.push(P::read(&mut reader)?);
        }
        if !leaf.keys.is_sorted_by(|a, b| a < b) || !reader.is_empty() {
            return Err(Error::corrupt("a leaf of a column is out of order"));
        }
        leaf.bytes = leaf.sizes().sum();
        Ok(leaf)
    }
}

fn stored_bytes<K: TreeKey, P: Posting>(key: &K, posting: &P) -> usize {
    entry_bytes(key) + posting.stored_bytes()
}

/// Bytes of an entry without its posting.
fn entry_bytes<K: TreeKey>(key: &K) -> usize {
    const BLOCK_BYTES_MAX: usize = 5;
    key.stored_bytes() + BLOCK_BYTES_MAX
}

impl<K: TreeKey, P: Posting> Section for Tree<K, P> {
    fn header(&self) -> u64 {
        self.leaves.len() as u64
    }

    fn pages(&self) -> usize {
        self.leaves.len()
    }

    fn is_dirty(&self, page: usize) -> bool {
        u32::try_from(page).is_ok_and(|page| self.dirty.contains(&page))
    }

    fn page(&self, page: usize) -> Result<Vec<u8>> {
        Ok(self.leaves.get(page).map_or_else(Vec::new, Leaf::write))
    }
}

#[cfg(test)]
mod tests {
    use super::{super::postings::Postings, Edge, Result, Section, Tree};
    use alloc::{collections::BTreeMap, collections::BTreeSet, vec::Vec};

    type Model = BTreeMap<u64, BTreeSet<u32>>;

    fn contents(tree: &Tree<u64, Postings>) -> Model {
        let mut model = Model::new();
        for (key, postings) in tree.iter() {
            postings.each(|slot| assert!(model.entry(*key).or_default().insert(slot)));
        }
        model
    }

    fn reopened(tree: &Tree<u64, Postings>) -> Tree<u64, Postings> {
        Tree::open(tree.pages(), |page, visit: &mut dyn FnMut(&[u8]) -> Result<()>| {
            let bytes = tree.page(page)?;
            assert!(bytes.len() < 65_000, "a page has {} bytes", bytes.len());
            visit(&bytes)
        })
        .expect("what was written can be read")
    }

    #[test]
    fn a_tree_holds_what_a_map_of_sets_does_and_survives_its_pages() {
        let mut state = 1_u64;
        let mut random = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 33) % below
        };
        let (mut tree, mut model) = (Tree::<u64, Postings>::default(), Model::new());
        for round in 0..60_000 {
            let key = if random(3) == 0 { random(4) } else { random(3_000) };
            let slot = u32::try_from(random(600_000)).expect("it is small");
            if round < 40_000 || random(3) == 0 {
                tree.insert(&key, slot, ());
                model.entry(key).or_default().insert(slot);
            } else {
                let slots = model.entry(key).or_default();
                let slot = slots.first().copied().unwrap_or(slot);
                slots.remove(&slot);
                tree.remove(&key, slot);
            }
        }
        model.retain(|_, slots| !slots.is_empty());
        assert_eq!(contents(&tree), model);
        tree = reopened(&tree);
        assert_eq!(contents(&tree), model);
        for (low, high) in [(0, 3), (5, 5), (100, 2_000), (2_999, 10_000), (4_000, 5_000)] {
            let keys = tree.range(Edge::Excluded(&low), Edge::Included(&high)).map(|(key, _)| *key);
            let keys: Vec<u64> = keys.collect::<BTreeSet<_>>().into_iter().collect();
            let expected = model.keys().filter(|key| **key > low && **key <= high);
            assert_eq!(keys, expected.copied().collect::<Vec<_>>());
        }
        for (key, slots) in &model {
            slots.iter().for_each(|slot| tree.remove(key, *slot));
        }
        assert!(contents(&tree).is_empty() && contents(&reopened(&tree)).is_empty());
        tree.insert(&7, 7, ());
        assert_eq!(contents(&reopened(&tree)).len(), 1);
    }

    #[test]
    fn a_value_of_every_document_fits_pages() {
        let mut tree = Tree::<u64, Postings>::default();
        (0..1_000_000).for_each(|slot| tree.insert(&1, slot, ()));
        assert_eq!(contents(&reopened(&tree))[&1].len(), 1_000_000);
        tree.mark_clean();
        tree.insert(&1, 1_000_000, ());
        assert_eq!((0..tree.pages()).filter(|page| tree.is_dirty(*page)).count(), 1);
    }
}
