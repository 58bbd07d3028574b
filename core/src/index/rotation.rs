//! A random rotation, so that every direction of space is coded equally well.
//!
//! Four rounds of random signs, a fast Walsh–Hadamard transform over the largest power of two that
//! fits (alternately at the beginning and at the end), and a step of Kac's walk that mixes the two
//! halves: `O(dim · log dim)`, for any dimension. Source: Ailon & Chazelle 2009 for the transform
//! with signs; Gao et al. 2024 (arXiv:2409.09913, "extended RaBitQ") use the same composition.

use alloc::vec::Vec;

const ROUNDS: u64 = 4;

/// A rotation of vectors of one length; always the same one for a length.
#[derive(Clone, Debug)]
pub(super) struct Rotation {
    /// 1 or −1, `dim` numbers for each round.
    signs: Vec<f32>,
    dim: usize,
}

impl Rotation {
    pub(super) fn new(dim: usize) -> Self {
        let sign = |position: u64| {
            let hash = xxhash_rust::xxh3::xxh3_64(&position.to_le_bytes());
            if hash & 1 == 0 { 1.0 } else { -1.0 }
        };
        Self { signs: (0..ROUNDS * dim as u64).map(sign).collect(), dim }
    }

    /// Rotates `vector` in place; lengths and angles stay.
    pub(super) fn apply(&self, vector: &mut [f32]) {
        if self.dim < 2 {
            return;
        }
        let block = 1 << self.dim.ilog2();
        for (round, signs) in self.signs.chunks_exact(self.dim).enumerate() {
            vector.iter_mut().zip(signs).for_each(|(number, sign)| *number *= sign);
            let start = if round % 2 == 0 { 0 } else { self.dim - block };
            transform(&mut vector[start..start + block]);
            if block < self.dim {
                mix_halves(vector);
            }
        }
    }
}

/// The Walsh–Hadamard transform, scaled so that lengths stay.
fn transform(block: &mut [f32]) {
    const REGISTER: usize = 16;
    let mut half = block.len() / 2;
    while half >= REGISTER || (half > 0 && block.len() < REGISTER) {
        for pair in block.chunks_exact_mut(2 * half) {
            let (first, second) = pair.split_at_mut(half);
            for (a, b) in first.iter_mut().zip(second) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half /= 2;
    }
    #[expect(clippy::cast_precision_loss, reason = "a power of two below 2¹⁷")]
    let scale = 1.0 / libm::sqrtf(block.len() as f32);
    let (registers, rest) = block.as_chunks_mut::<REGISTER>();
    for register in registers {
        let steps = [step::<8>, step::<4>, step::<2>, step::<1>];
        *register = steps.iter().fold(*register, |numbers, step| step(numbers));
        register.iter_mut().for_each(|number| *number *= scale);
    }
    rest.iter_mut().for_each(|number| *number *= scale);
}

/// One step of the transform over numbers that fit a register.
#[inline(always)]
fn step<const HALF: usize>(numbers: [f32; 16]) -> [f32; 16] {
    core::array::from_fn(|at| {
        let (own, partner) = (numbers[at], numbers[at ^ HALF]);
        if at & HALF == 0 { own + partner } else { partner - own }
    })
}

/// Each number of the first half and its partner in the second, turned by 45°.
fn mix_halves(vector: &mut [f32]) {
    let (first, second) = vector.split_at_mut(vector.len() / 2);
    for (a, b) in first.iter_mut().zip(second) {
        let (sum, difference) = (*a + *b, *a - *b);
        (*a, *b) =
            (sum * core::f32::consts::FRAC_1_SQRT_2, difference * core::f32::consts::FRAC_1_SQRT_2);
    }
}

#[cfg(test)]
mod tests {
    use super::Rotation;
    use alloc::{vec, vec::Vec};

    fn products(vectors: &[Vec<f32>]) -> Vec<f32> {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum();
        vectors.iter().flat_map(|a| vectors.iter().map(move |b| dot(a, b))).collect()
    }

    #[test]
    fn lengths_and_angles_stay_and_spikes_are_spread() {
        for dim in [1, 2, 3, 5, 16, 100, 384, 1_000] {
            let mut vectors = vec![vec![0.0; dim]; 3];
            vectors[0][dim / 2] = 1.0;
            vectors[1][0] = 2.0;
            vectors[2].iter_mut().enumerate().for_each(|(at, number)| *number = (at % 7) as f32);
            let before = products(&vectors);
            let rotation = Rotation::new(dim);
            vectors.iter_mut().for_each(|vector| rotation.apply(vector));
            for (before, after) in before.iter().zip(products(&vectors)) {
                assert!((before - after).abs() < 1e-4 * (1.0 + before.abs()) * dim as f32);
            }
            if dim >= 100 {
                let largest = vectors[0].iter().fold(0.0f32, |max, number| max.max(number.abs()));
                assert!(largest < 0.5, "a spike stays {largest} in {dim} dimensions");
            }
        }
    }
}
