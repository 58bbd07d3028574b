//! An index of your own: IVF-Flat, an inverted file over the cells of k-means.
//!
//! Vectors are put into about `√n` cells, each the vectors nearest to its centre; a search compares
//! those in the cells whose centres are nearest to the query. Source: Jégou et al. 2011, "Product
//! Quantization for Nearest Neighbor Search", §IV, without the codes.
//!
//! Run it with `cargo run --release -p vectordoc --example own_index`.

use std::collections::HashMap;
use vectordoc::{
    Db, Error, Metric, Result, VectorDoc,
    index::{
        Change, Found, IndexFactory, Neighbour, Plan, Probe, Search, Section, Sections,
        VectorIndex, Vectors,
    },
    schema::VectorField,
};

/// Rounds of k-means.
const ROUNDS: usize = 6;
/// Vectors k-means looks at, for each cell.
const SAMPLES_PER_CELL: usize = 32;
/// Vectors compared for each candidate a search is to consider.
const VISITS_PER_EF: usize = 4;

/// The cells, and where each slot is.
pub(crate) struct Ivf {
    dim: usize,
    cells: Vec<Cell>,
    cell_of: HashMap<u32, usize>,
    /// Vectors there were when the centres were chosen.
    trained_at: usize,
}

#[derive(Clone)]
struct Cell {
    centre: Vec<f32>,
    slots: Vec<u32>,
    is_dirty: bool,
}

/// A change thought out: where new slots go, and the cells when all were chosen anew.
struct Placed {
    centres: Option<Vec<Vec<f32>>>,
    cells: Vec<(u32, usize)>,
}

impl Ivf {
    pub(crate) fn new(field: &VectorField) -> Self {
        Self { dim: field.dim, cells: Vec::new(), cell_of: HashMap::new(), trained_at: 0 }
    }

    fn open(field: &VectorField, sections: &dyn Sections) -> Result<Self> {
        let mut ivf = Self::new(field);
        for page in 0..usize::try_from(sections.header(0)?).unwrap_or(0) {
            let bytes = sections.page(0, page)?;
            let (words, rest) = bytes.as_chunks::<4>();
            if words.len() < ivf.dim || !rest.is_empty() {
                return Err(Error::corrupt("a cell has the wrong length"));
            }
            let (centre, slots) = words.split_at(ivf.dim);
            let centre = centre.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            let slots: Vec<u32> = slots.iter().map(|bytes| u32::from_le_bytes(*bytes)).collect();
            ivf.cell_of.extend(slots.iter().map(|slot| (*slot, page)));
            ivf.cells.push(Cell { centre, slots, is_dirty: false });
        }
        ivf.trained_at = ivf.cells.len().pow(2);
        Ok(ivf)
    }
}

impl VectorIndex for Ivf {
    fn contains(&self, slot: u32) -> bool {
        self.cell_of.contains_key(&slot)
    }

    fn search(&self, probe: &Probe, vectors: &Vectors, search: &Search<'_>) -> Result<Found> {
        let query = direction(vectors.metric(), probe.vector());
        let order = |cell: &Cell| match vectors.metric() {
            Metric::Dot => -dot(&query, &cell.centre),
            Metric::Cosine | Metric::L2 => apart(&query, &cell.centre),
        };
        let mut cells: Vec<_> = self.cells.iter().map(|cell| (order(cell), cell)).collect();
        cells.sort_by(|a, b| a.0.total_cmp(&b.0));

        let wanted = search.ef.max(search.limit);
        let mut found = Found { visited: cells.len(), ..Found::default() };
        for (_, cell) in cells {
            if found.neighbours.len() >= VISITS_PER_EF * wanted {
                break;
            }
            found.gave_up = found.visited >= search.visits_max;
            if found.gave_up {
                break;
            }
            let allowed = cell.slots.iter().copied().filter(|slot| search.allowed.contains(*slot));
            let (slots, mut distances): (Vec<u32>, _) = (allowed.collect(), Vec::new());
            vectors.about(probe, &slots, &mut distances);
            found.visited += slots.len();
            let pairs = slots.into_iter().zip(distances);
            found.neighbours.extend(pairs.map(|(slot, distance)| Neighbour { distance, slot }));
        }
        found.neighbours.sort_unstable();
        found.neighbours.truncate(wanted);
        Ok(found)
    }

    fn plan(&self, change: &Change, vectors: &Vectors, _threads: usize) -> Result<Plan> {
        let all: Vec<u32> = self.cell_of.keys().chain(&change.insert).copied().collect();
        let is_outgrown = all.len() > 2 * self.trained_at;
        let placed = if is_outgrown && !change.insert.is_empty() {
            let centres = train(all.clone(), vectors)?;
            let cells = place(&all, &centres, vectors)?;
            Placed { centres: Some(centres), cells }
        } else {
            let centres: Vec<_> = self.cells.iter().map(|cell| cell.centre.clone()).collect();
            Placed { centres: None, cells: place(&change.insert, &centres, vectors)? }
        };
        Ok(Box::new(placed))
    }

    fn commit(&mut self, change: &Change, plan: Plan, _vectors: &Vectors) {
        let Ok(placed) = plan.downcast::<Placed>() else { return };
        if let Some(centres) = placed.centres {
            let cell = |centre| Cell { centre, slots: Vec::new(), is_dirty: true };
            self.cells = centres.into_iter().map(cell).collect();
            self.trained_at = placed.cells.len();
        }
        for (slot, cell) in placed.cells {
            self.cells[cell].slots.push(slot);
            self.cells[cell].is_dirty = true;
            self.cell_of.insert(slot, cell);
        }
        for slot in &change.remove {
            if let Some(cell) = self.cell_of.remove(slot) {
                self.cells[cell].slots.retain(|other| other != slot);
                self.cells[cell].is_dirty = true;
            }
        }
    }

    fn memory_bytes(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.centre.len() + cell.slots.capacity());
        4 * cells.sum::<usize>() + self.cell_of.capacity() * size_of::<(u32, usize)>()
    }

    fn sections(&self) -> Vec<&dyn Section> {
        vec![self]
    }

    fn mark_clean(&mut self) {
        self.cells.iter_mut().for_each(|cell| cell.is_dirty = false);
    }

    fn check(&self) -> Result<()> {
        let is_at_home = |(number, cell): (usize, &Cell)| {
            cell.slots.iter().all(|slot| self.cell_of[slot] == number)
        };
        let count: usize = self.cells.iter().map(|cell| cell.slots.len()).sum();
        if count != self.cell_of.len() || !self.cells.iter().enumerate().all(is_at_home) {
            return Err(Error::corrupt("a slot is not in its cell"));
        }
        Ok(())
    }
}

/// The cells are the pages: the centre, then the slots.
impl Section for Ivf {
    fn header(&self) -> u64 {
        self.cells.len() as u64
    }

    fn pages(&self) -> usize {
        self.cells.len()
    }

    fn is_dirty(&self, page: usize) -> bool {
        self.cells[page].is_dirty
    }

    fn page(&self, page: usize) -> Result<Vec<u8>> {
        let Cell { centre, slots, .. } = &self.cells[page];
        let centre = centre.iter().flat_map(|number| number.to_le_bytes());
        Ok(centre.chain(slots.iter().flat_map(|slot| slot.to_le_bytes())).collect())
    }
}

/// Chooses about `√n` centres for `slots` by Lloyd's k-means over an even sample. Nothing is
/// random, so that the same vectors have the same cells.
fn train(mut slots: Vec<u32>, vectors: &Vectors) -> Result<Vec<Vec<f32>>> {
    slots.sort_unstable();
    let count = slots.len().isqrt().max(1);
    let sample: Vec<_> = slots
        .iter()
        .step_by((slots.len() / (count * SAMPLES_PER_CELL)).max(1))
        .map(|slot| Ok(direction(vectors.metric(), &vectors.get(*slot)?)))
        .collect::<Result<_>>()?;
    let mut centres: Vec<_> =
        sample.iter().step_by((sample.len() / count).max(1)).take(count).cloned().collect();
    for _ in 0..ROUNDS {
        let mut sums = vec![(vec![0.0; centres[0].len()], 0.0f32); centres.len()];
        for vector in &sample {
            let (sum, members) = &mut sums[nearest(vector, &centres)];
            sum.iter_mut().zip(vector).for_each(|(sum, number)| *sum += number);
            *members += 1.0;
        }
        for (centre, (sum, members)) in centres.iter_mut().zip(sums) {
            if members > 0.0 {
                *centre = sum.iter().map(|sum| sum / members).collect();
            }
        }
    }
    Ok(centres)
}

fn place(slots: &[u32], centres: &[Vec<f32>], vectors: &Vectors) -> Result<Vec<(u32, usize)>> {
    let place = |slot: &u32| {
        let vector = direction(vectors.metric(), &vectors.get(*slot)?);
        Ok((*slot, nearest(&vector, centres)))
    };
    slots.iter().map(place).collect()
}

fn nearest(vector: &[f32], centres: &[Vec<f32>]) -> usize {
    let apart = centres.iter().map(|centre| apart(vector, centre)).enumerate();
    apart.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(cell, _)| cell)
}

/// What cells are made of: the vector, under cosine its direction alone.
fn direction(metric: Metric, vector: &[f32]) -> Vec<f32> {
    let scale = if metric == Metric::Cosine { 1.0 / dot(vector, vector).sqrt() } else { 1.0 };
    vector.iter().map(|number| number * scale).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn apart(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Makes cells when a database is created, and reads them when it is opened. Without reading, a
/// function would do: `.index("embedding", Ivf::new)`.
pub(crate) struct IvfCells;

impl IndexFactory for IvfCells {
    fn create(&self, field: &VectorField) -> Box<dyn VectorIndex> {
        Box::new(Ivf::new(field))
    }

    fn open(
        &self,
        field: &VectorField,
        sections: &dyn Sections,
    ) -> Result<Option<Box<dyn VectorIndex>>> {
        Ok(Some(Box::new(Ivf::open(field, sections)?)))
    }
}

#[derive(VectorDoc)]
struct Place {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(vector(index = "custom", metric = "l2"))]
    position: [f32; 2],
}

#[expect(clippy::print_stdout, reason = "an example says what it does")]
pub(crate) fn main() -> Result<()> {
    let db = Db::<Place>::builder().index("position", IvfCells).in_memory()?;
    let spiral = (0u16..3_000).map(|number| {
        let (turn, radius) = (f32::from(number) * 0.1, f32::from(number));
        Place { id: number.into(), position: [radius * turn.cos(), radius * turn.sin()] }
    });
    db.index(spiral)?;
    db.database().wait_indexed(&mut |_, _| {})?;

    let exact = db.search(&[100.0, 50.0]).exact().ids()?;
    let found = db.search(&[100.0, 50.0]).ids()?;
    println!("ten nearest by cells   {found:?}\nby comparing them all  {exact:?}");
    assert_eq!(found, exact);
    Ok(())
}
