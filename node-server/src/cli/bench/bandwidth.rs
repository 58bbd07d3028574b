//! How fast memory is read: the limit of every scan that goes through more than the caches hold.

use super::median::median;
use crate::cli::number;
use std::{
    hint::black_box,
    thread,
    time::{Duration, Instant},
};

const MIB: usize = 1 << 20;
/// Far more than the cache that one core can fill.
const BYTES_MIN: usize = 256 * MIB;
/// More does not change the rate.
const BYTES_MAX: usize = 1_024 * MIB;
/// The buffer is read again until reading took this long.
const MEASURED_MIN: Duration = Duration::from_millis(200);
/// Numbers added at once: 64 bytes, a cache line.
const LANES: usize = 8;

/// A buffer to read from.
pub(super) struct Bandwidth {
    numbers: Vec<u64>,
    streams: usize,
}

impl Bandwidth {
    /// For comparing with scans of `vector_bytes` that `streams` threads make at once.
    pub(super) fn new(vector_bytes: u64, streams: usize) -> Self {
        let bytes = usize::try_from(vector_bytes.saturating_mul(4)).unwrap_or(BYTES_MAX);
        let numbers = bytes.clamp(BYTES_MIN, BYTES_MAX) / size_of::<u64>();
        // Not zeros, for which the system may hand out one page many times.
        Self { numbers: vec![1; numbers], streams: streams.max(1) }
    }

    /// Bytes read per second by all streams together: the median of several passes.
    pub(super) fn bytes_per_second(&self) -> f64 {
        let bytes = number::real(size_of_val(&self.numbers[..]));
        let start = Instant::now();
        let mut rates = Vec::new();
        while rates.is_empty() || start.elapsed() < MEASURED_MIN {
            let start = Instant::now();
            self.read();
            rates.push(bytes / start.elapsed().as_secs_f64());
        }
        median(rates)
    }

    fn read(&self) {
        let shares = self.numbers.chunks(self.numbers.len().div_ceil(self.streams));
        if self.streams == 1 {
            shares.for_each(|share| _ = black_box(sum(share)));
            return;
        }
        thread::scope(|scope| shares.for_each(|share| _ = scope.spawn(|| black_box(sum(share)))));
    }
}

/// The sum, modulo 2^64. Its halves are read side by side, which keeps more cache lines on their
/// way than one sequence does with loads of 16 bytes, the widest of a portable build.
fn sum(numbers: &[u64]) -> u64 {
    let (front, back) = numbers.split_at(numbers.len() / 2);
    let ((front, _), (back, _)) = (front.as_chunks::<LANES>(), back.as_chunks::<LANES>());
    let mut lanes = [[0_u64; LANES]; 2];
    for (front, back) in front.iter().zip(back) {
        add(&mut lanes[0], front);
        add(&mut lanes[1], back);
    }
    lanes.as_flattened().iter().fold(0, |sum, lane| sum.wrapping_add(*lane))
}

fn add(lanes: &mut [u64; LANES], numbers: &[u64; LANES]) {
    lanes.iter_mut().zip(numbers).for_each(|(lane, number)| *lane = lane.wrapping_add(*number));
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_number_is_read() {
        assert_eq!(super::sum(&vec![1; 1 << 12]), 1 << 12);
    }
}
