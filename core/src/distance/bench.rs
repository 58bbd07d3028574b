//! What `benches/kernels.rs` sees of the kernels: each compares rows of its own with a query.

use super::{CODE_ALIGN, CodedQuery, Kernels, TERMS_BYTES, scalar};
use crate::arena::Arena;
use alloc::{vec, vec::Vec};

/// A kernel, by what it does with the rows it reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kernel {
    /// The product of `f32` vectors.
    Dot,
    /// The distance of `f32` vectors.
    L2Squared,
    /// The distance of half-precision codes.
    F16,
    /// The distance of codes of 8 bits a number.
    U8,
    /// The distance of codes of 4 bits a number.
    U4,
    /// The distance of codes of 1 bit a number.
    U1,
}

/// The kernels of one kind of instructions.
#[derive(Clone, Copy)]
pub struct Set(Kernels);

impl Set {
    /// Every set this machine can run, the fastest first and the specification last.
    pub fn all() -> Vec<Self> {
        Kernels::of_machine().chain([scalar::KERNELS]).map(Self).collect()
    }

    /// The instructions.
    pub fn name(&self) -> &'static str {
        self.0.name
    }
}

/// Rows for one kernel, in some order, and a query.
pub struct Rows {
    kernel: Kernel,
    row_bytes: usize,
    codes: Arena<u8>,
    vectors: Arena<f32>,
    slots: Vec<u32>,
    query: CodedQuery,
    distances: Vec<f32>,
}

impl Rows {
    /// As many rows as `bytes` have room for. `dim` must be one that leaves no code with padding.
    pub fn new(kernel: Kernel, dim: usize, bytes: usize) -> Self {
        assert!(dim.is_multiple_of(8 * CODE_ALIGN), "{dim} bits are no whole code");
        /// A byte no kind of number is extreme in: the half 0x3a3a is 0.78.
        const FILL: u8 = 0x3a;
        let code = |bits: usize| TERMS_BYTES + dim * bits / 8;
        let row_bytes = match kernel {
            Kernel::Dot | Kernel::L2Squared => size_of::<f32>() * dim,
            Kernel::F16 => code(16),
            Kernel::U8 => code(8),
            Kernel::U4 => code(4),
            Kernel::U1 => code(1),
        };
        let count = bytes / row_bytes;
        let (mut codes, mut vectors) = (Arena::new(row_bytes), Arena::new(dim));
        match kernel {
            Kernel::Dot | Kernel::L2Squared => vectors.grow(count, 0.25),
            _ => codes.grow(count, FILL),
        }
        let numbers = vec![3; dim];
        let query = CodedQuery { numbers, floats: vec![0.5; dim], unit: 1.0, shift: 0.0, own: 0.0 };
        let slots = (0..count).filter_map(|slot| u32::try_from(slot).ok()).collect();
        Self { kernel, row_bytes, codes, vectors, slots, query, distances: Vec::new() }
    }

    /// The same rows in an order of no pattern.
    pub fn scattered(mut self) -> Self {
        /// Odd numbers of many bits; the finalizer of MurmurHash3 multiplies by them.
        const MIX: [u32; 2] = [0x85eb_ca6b, 0xc2b2_ae35];
        self.slots.sort_by_cached_key(|slot| {
            let mixed = MIX.iter().fold(*slot, |slot, mix| (slot ^ slot >> 15).wrapping_mul(*mix));
            mixed ^ mixed >> 16
        });
        self
    }

    /// Bytes of all rows.
    pub fn bytes(&self) -> usize {
        self.slots.len() * self.row_bytes
    }

    /// Compares each row with the query, in order.
    pub fn compare(&mut self, set: &Set) -> &[f32] {
        let Self { codes, vectors, slots, query, distances, .. } = self;
        distances.clear();
        let mut each = |kernel: fn(&[f32], &[f32]) -> f32| {
            let rows = slots.iter().map(|slot| vectors.row(*slot as usize));
            distances.extend(rows.map(|row| kernel(&query.floats, row)));
        };
        match self.kernel {
            Kernel::Dot => each(set.0.dot),
            Kernel::L2Squared => each(set.0.l2_squared),
            Kernel::F16 => (set.0.score_f16)(codes, slots, query, distances),
            Kernel::U8 => (set.0.score_u8)(codes, slots, query, distances),
            Kernel::U4 => (set.0.score_u4)(codes, slots, query, distances),
            Kernel::U1 => (set.0.score_u1)(codes, slots, query, distances),
        }
        distances
    }
}
