//! The links: one fixed row per slot on the lowest level, rows by need on the upper ones.
//!
//! A row is `count, link, link, …`. The level of a slot is a function of its number alone, so that
//! nothing but the rows and the parents of the spanning tree has to be kept.

use super::super::{Section, Sections};
use crate::{Error, Result, arena::Arena, bitset::BitSet};
use alloc::{collections::BTreeMap, format, vec, vec::Vec};

/// Stands in a row's count when the slot is not in the graph, and for "no upper rows".
const NONE: u32 = u32::MAX;

/// The links of a graph.
#[derive(Clone)]
pub(super) struct Graph {
    m: usize,
    entry: Option<u32>,
    /// Level 0 by slot: `count, 2·m links`.
    lowest: Arena<u32>,
    /// By slot: its parent in the spanning tree of level 0, see [`tree`](super::tree).
    parents: Arena<u32>,
    /// By slot: the row in `upper` of its level 1; the further levels follow it.
    upper_row: Arena<u32>,
    /// Levels 1 and up: `count, m links`.
    upper: Arena<u32>,
    /// Rows of `upper` that nobody uses, by how many stand together.
    free_upper: Vec<Vec<u32>>,
}

/// The new content of one row.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct RowChange {
    pub(super) slot: u32,
    pub(super) level: usize,
    pub(super) links: Vec<u32>,
}

/// Levels beyond this have no use: a level has `1/m` of the slots of the one below.
const LEVEL_MAX: usize = 31;

impl Graph {
    pub(super) fn new(m: usize) -> Self {
        Self {
            m,
            entry: None,
            lowest: Arena::new(1 + 2 * m),
            parents: Arena::new(1),
            upper_row: Arena::new(1),
            upper: Arena::new(1 + m),
            free_upper: vec![Vec::new(); LEVEL_MAX + 1],
        }
    }

    /// One more than the largest slot there ever was.
    pub(super) fn slots(&self) -> usize {
        self.lowest.rows()
    }

    /// The slot where searches begin: one of the highest level.
    pub(super) fn entry(&self) -> Option<u32> {
        self.entry
    }

    pub(super) fn contains(&self, slot: u32) -> bool {
        (slot as usize) < self.lowest.rows() && self.lowest.row(slot as usize)[0] != NONE
    }

    /// The parent of a slot in the spanning tree; `None` of the root and of slots not in the graph.
    pub(super) fn parent(&self, slot: u32) -> Option<u32> {
        let known = (slot as usize) < self.parents.rows();
        known.then(|| self.parents.row(slot as usize)[0]).filter(|parent| *parent != NONE)
    }

    /// Children a slot has at most in the spanning tree.
    pub(super) fn children_max(&self) -> usize {
        self.m
    }

    /// Links a row of this level holds at most.
    pub(super) fn links_max(&self, level: usize) -> usize {
        if level == 0 { 2 * self.m } else { self.m }
    }

    /// The highest level of `slot`, §4.1: `⌊−ln(u) / ln(m)⌋` for a `u` that is even on (0, 1].
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    pub(super) fn level(&self, slot: u32) -> usize {
        const RESOLUTION: u64 = 1 << 53;
        let hash = xxhash_rust::xxh3::xxh3_64(&slot.to_le_bytes()) % RESOLUTION;
        let even = (hash + 1) as f64 / RESOLUTION as f64;
        let level = -libm::log(even) / libm::log(self.m as f64);
        (level as usize).min(LEVEL_MAX)
    }

    /// The links of a slot in the graph, on a level it has.
    #[inline(always)]
    pub(super) fn links(&self, slot: u32, level: usize) -> &[u32] {
        let row = match level {
            0 => self.lowest.row(slot as usize),
            _ => self.upper.row(self.upper_row.row(slot as usize)[0] as usize + level - 1),
        };
        &row[1..=row[0] as usize]
    }

    /// Announces that the links of `slot` will be asked for soon.
    #[inline]
    pub(super) fn prefetch(&self, slot: u32, level: usize) {
        if level == 0 {
            crate::distance::prefetch(self.lowest.row(slot as usize));
        }
    }

    /// The slots of the graph.
    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        (0u32..).take(self.lowest.rows()).filter(|slot| self.contains(*slot))
    }

    /// Puts rows and parents in place, drops `removed` and chooses the entry anew.
    pub(super) fn apply(
        &mut self,
        rows: &[RowChange],
        parents: &BTreeMap<u32, Option<u32>>,
        removed: &[u32],
    ) {
        for slot in removed {
            self.drop_slot(*slot);
        }
        for change in rows {
            self.set(change);
        }
        for (slot, parent) in parents {
            self.parents.row_mut(*slot as usize)[0] = parent.unwrap_or(NONE);
        }
        if self.entry.is_some_and(|entry| !self.contains(entry)) {
            self.entry = self.highest();
        }
    }

    fn set(&mut self, change: &RowChange) {
        let slot = change.slot as usize;
        self.lowest.grow(slot + 1, NONE);
        self.parents.grow(slot + 1, NONE);
        self.upper_row.grow(slot + 1, NONE);
        if !self.contains(change.slot) {
            self.add_slot(change.slot);
        }
        let row = match change.level {
            0 => self.lowest.row_mut(slot),
            level => {
                let first = self.upper_row.row(slot)[0] as usize;
                self.upper.row_mut(first + level - 1)
            }
        };
        write_row(row, &change.links);
    }

    fn add_slot(&mut self, slot: u32) {
        let level = self.level(slot);
        write_row(self.lowest.row_mut(slot as usize), &[]);
        if level > 0 {
            let first = self.claim_upper(level);
            self.upper_row.row_mut(slot as usize)[0] = first;
        }
        if self.entry.is_none_or(|entry| self.level(entry) < level) {
            self.entry = Some(slot);
        }
    }

    /// `count` adjacent rows of `upper`, empty.
    fn claim_upper(&mut self, count: usize) -> u32 {
        let first = self.free_upper[count].pop().unwrap_or_else(|| {
            let first = self.upper.rows();
            self.upper.grow(first + count, 0);
            u32::try_from(first).expect("upper rows are fewer than slots")
        });
        for row in first as usize..first as usize + count {
            write_row(self.upper.row_mut(row), &[]);
        }
        first
    }

    fn drop_slot(&mut self, slot: u32) {
        if !self.contains(slot) {
            return;
        }
        self.lowest.row_mut(slot as usize)[0] = NONE;
        self.parents.row_mut(slot as usize)[0] = NONE;
        let first = self.upper_row.row(slot as usize)[0];
        if first != NONE {
            let level = self.level(slot);
            self.free_upper[level].push(first);
            self.upper_row.row_mut(slot as usize)[0] = NONE;
        }
    }

    /// A slot of the highest level there is; of several, the first.
    fn highest(&self) -> Option<u32> {
        self.iter().max_by_key(|slot| (self.level(*slot), core::cmp::Reverse(*slot)))
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let by_slot = self.lowest.memory_bytes() + self.parents.memory_bytes();
        by_slot + self.upper_row.memory_bytes() + self.upper.memory_bytes()
    }

    pub(super) fn sections(&self) -> Vec<&dyn Section> {
        vec![&self.lowest, &self.upper_row, &self.upper, &self.parents]
    }

    pub(super) fn mark_clean(&mut self) {
        self.lowest.mark_clean();
        self.parents.mark_clean();
        self.upper_row.mark_clean();
        self.upper.mark_clean();
    }

    pub(super) fn open(m: usize, sections: &dyn Sections) -> Result<Self> {
        let arena = |section: usize, stride: usize| {
            let rows = usize::try_from(sections.header(section)?);
            let rows = rows.map_err(|_| Error::corrupt("a graph has too many rows"))?;
            Arena::from_pages(stride, rows, |page, visit| visit(&sections.page(section, page)?))
        };
        let mut graph = Self {
            lowest: arena(0, 1 + 2 * m)?,
            upper_row: arena(1, 1)?,
            upper: arena(2, 1 + m)?,
            parents: arena(3, 1)?,
            ..Self::new(m)
        };
        let rows = graph.lowest.rows();
        if graph.upper_row.rows() != rows || graph.parents.rows() != rows {
            return Err(Error::corrupt("the sections of a graph differ in length"));
        }
        graph.check_links()?;
        graph.find_free_upper()?;
        graph.entry = graph.highest();
        Ok(graph)
    }

    /// Finds the rows of `upper` that no slot uses, each by itself.
    fn find_free_upper(&mut self) -> Result<()> {
        let mut used = vec![false; self.upper.rows()];
        for slot in self.iter() {
            let first = self.upper_row.row(slot as usize)[0];
            if first != NONE {
                let first = first as usize;
                let rows = used.get_mut(first..first + self.level(slot));
                let lacks = || Error::corrupt(format!("slot {slot} of a graph lacks upper rows"));
                rows.ok_or_else(lacks)?.fill(true);
            }
        }
        self.free_upper[1] =
            (0u32..).zip(used).filter(|(_, used)| !used).map(|(row, _)| row).collect();
        Ok(())
    }

    /// Refuses rows no search could follow: too long, out of the graph, or on a level the linked
    /// slot has not.
    pub(super) fn check_links(&self) -> Result<()> {
        let mut contained = BitSet::default();
        let mut levels = BTreeMap::new();
        for slot in self.iter() {
            contained.insert(slot);
            let level = self.level(slot);
            if level > 0 {
                levels.insert(slot, level);
            }
        }
        for slot in contained.iter() {
            self.check_row(slot, 0, |link| contained.contains(link))?;
        }
        for (slot, highest) in &levels {
            let first = self.upper_row.row(*slot as usize)[0];
            let upper_ends = (first as usize).saturating_add(*highest);
            if first == NONE || upper_ends > self.upper.rows() {
                return Err(Error::corrupt(format!("slot {slot} of the graph lacks upper rows")));
            }
            for level in 1..=*highest {
                let has = |link| levels.get(&link).is_some_and(|highest| *highest >= level);
                self.check_row(*slot, level, has)?;
            }
        }
        Ok(())
    }

    fn check_row(&self, slot: u32, level: usize, has: impl Fn(u32) -> bool) -> Result<()> {
        let wrong = |what: &str| {
            Err(Error::corrupt(format!("links of slot {slot} on level {level} {what}")))
        };
        let count = match level {
            0 => self.lowest.row(slot as usize)[0],
            _ => self.upper.row(self.upper_row.row(slot as usize)[0] as usize + level - 1)[0],
        };
        if count as usize > self.links_max(level) {
            return wrong("are too many");
        }
        if self.links(slot, level).iter().any(|link| !has(*link)) {
            return wrong("leave the graph");
        }
        Ok(())
    }

    /// Refuses slots that cannot be reached from the others on the lowest level: whose parent and
    /// they do not link to each other, or that are not all below one root.
    pub(super) fn check_tree(&self) -> Result<()> {
        let wrong =
            |slot: u32, what: &str| Err(Error::corrupt(format!("slot {slot} of the graph {what}")));
        let mut seen = vec![false; self.slots()];
        let mut open: Vec<u32> = self.iter().filter(|slot| self.parent(*slot).is_none()).collect();
        if let [_, second, ..] = open[..] {
            return wrong(second, "is a second root");
        }
        while let Some(slot) = open.pop() {
            seen[slot as usize] = true;
            let links = self.links(slot, 0).iter().copied();
            let children: Vec<u32> =
                links.filter(|link| self.parent(*link) == Some(slot)).collect();
            if children.len() > self.children_max() {
                return wrong(slot, "has too many children");
            }
            if let Some(child) =
                children.iter().find(|child| !self.links(**child, 0).contains(&slot))
            {
                return wrong(*child, "does not link to its parent");
            }
            open.extend(children);
        }
        match self.iter().find(|slot| !seen[*slot as usize]) {
            Some(lost) => wrong(lost, "cannot be reached"),
            None => Ok(()),
        }
    }

    /// Refuses rows that name a slot twice, or their own.
    pub(super) fn check_distinct(&self) -> Result<()> {
        for slot in self.iter() {
            for level in 0..=self.level(slot) {
                let links = self.links(slot, level);
                let again = |(at, link): (usize, &u32)| links[..at].contains(link) || *link == slot;
                if links.iter().enumerate().any(again) {
                    return Err(Error::corrupt(format!("slot {slot} links twice, or to itself")));
                }
            }
        }
        Ok(())
    }
}

fn write_row(row: &mut [u32], links: &[u32]) {
    row[0] = u32::try_from(links.len()).expect("a row has at most 2·M_MAX links");
    row[1..=links.len()].copy_from_slice(links);
    row[links.len() + 1..].fill(0);
}

impl<T: crate::arena::Element> Section for Arena<T> {
    fn header(&self) -> u64 {
        self.rows() as u64
    }

    fn pages(&self) -> usize {
        Arena::pages(self)
    }

    fn is_dirty(&self, page: usize) -> bool {
        Arena::is_dirty(self, page)
    }

    fn page(&self, page: usize) -> Result<Vec<u8>> {
        Ok(Arena::page(self, page))
    }
}
