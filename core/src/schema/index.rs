//! How a vector field is indexed.

use super::{Precision, find_named};
use crate::Result;

/// How a vector field is indexed; the parameters have the names and meaning they have in
/// Malkov & Yashunin, "Efficient and robust approximate nearest neighbor search using Hierarchical
/// Navigable Small World graphs" (2016), §4.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IndexSpec {
    /// Which algorithm.
    pub kind: IndexKind,
    /// Links per node on the upper levels; twice as many on the lowest.
    pub m: usize,
    /// Candidates considered when a node is inserted.
    pub ef_construction: usize,
    /// Candidates considered by a search that does not say; `None` lets the database measure, on
    /// its own documents, what reaches a recall of 0.95 with a margin.
    pub ef: Option<usize>,
    /// What is compared on the way to the nearest vectors; `None` leaves it to the dimension.
    pub quantization: Option<Quantization>,
}

impl Default for IndexSpec {
    fn default() -> Self {
        Self { kind: IndexKind::Auto, m: 16, ef_construction: 200, ef: None, quantization: None }
    }
}

impl IndexSpec {
    /// How vectors of `dim` numbers kept in `precision` are coded: as the schema says, else by 4 bits
    /// a number, or by 8 where vectors are so short that 4 would save little and lose much. What
    /// compares vectors in full needs no codes, and what is kept in 8 bits is its own code.
    pub fn quantization(&self, dim: usize, precision: Precision) -> Quantization {
        const DIM_OF_I4_MIN: usize = 96;
        self.quantization.unwrap_or(match self.kind {
            IndexKind::Exact | IndexKind::HnswRs => precision.quantization(),
            _ if dim < DIM_OF_I4_MIN || precision == Precision::I8 => Quantization::I8,
            _ => Quantization::I4,
        })
    }
}

/// The form in which vectors are compared by the thousand. The nearest found are compared again as
/// they are kept, so that this decides about memory, speed and how many candidates a search needs,
/// and never about the distances it reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quantization {
    /// The vectors themselves, where all of each is kept: no memory for codes.
    F32,
    /// Half precision: 16 bits a number.
    F16,
    /// 8 bits a number.
    I8,
    /// 4 bits a number.
    I4,
    /// 1 bit a number.
    Binary,
}

impl Quantization {
    /// Every quantization with the name it has in schemas and on the command line.
    pub const NAMES: [(&'static str, Quantization); 5] = [
        ("f32", Self::F32),
        ("f16", Self::F16),
        ("i8", Self::I8),
        ("i4", Self::I4),
        ("binary", Self::Binary),
    ];

    /// The name in schemas and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The quantization of this name.
    pub fn parse(name: &str) -> Result<Self> {
        find_named(&Self::NAMES, name, "quantization")
    }
}

/// Which algorithm answers a vector search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum IndexKind {
    /// An exact scan while the collection is small enough for that to be fastest, a graph beyond.
    #[default]
    Auto,
    /// Always an exact scan.
    Exact,
    /// Always a graph.
    Hnsw,
    /// Always the graph of the crate `hnsw_rs`, in builds with the feature of that name. It is not
    /// stored but built again whenever the database opens.
    HnswRs,
    /// The user's own, brought when the database is opened: see
    /// [`index`](crate::index#bring-your-own-algorithm).
    Custom,
}

impl IndexKind {
    /// Every kind with the name it has in schemas and on the command line.
    pub const NAMES: [(&'static str, IndexKind); 5] = [
        ("auto", Self::Auto),
        ("exact", Self::Exact),
        ("hnsw", Self::Hnsw),
        ("hnsw_rs", Self::HnswRs),
        ("custom", Self::Custom),
    ];

    /// The name in schemas and on the command line.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The kind of this name.
    pub fn parse(name: &str) -> Result<Self> {
        find_named(&Self::NAMES, name, "index")
    }
}
