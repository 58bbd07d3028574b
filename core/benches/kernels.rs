//! How much of what one thread of this machine can read each kernel reads.
//!
//! `cargo bench -p vectordoc --features bench-internals [-- FILTER]`. criterion measures; the table
//! at the end sets the fastest sample of each kernel beside that of a loop that only reads, from
//! the same place in the same run. Rows of codes that fit the first cache are read from there; of
//! those in memory, which no cache holds, each is read in order or in an order of no pattern.

#![expect(clippy::print_stdout, reason = "the table is what this program is for")]

use criterion::{BenchmarkId, Criterion, SamplingMode, Throughput};
use std::{
    fmt,
    hint::black_box,
    time::{Duration, Instant},
};
use vectordoc::__private::kernels::{Kernel, Rows, Set};

const DIMS: [usize; 2] = [384, 768];
const KERNELS: [Kernel; 6] =
    [Kernel::Dot, Kernel::L2Squared, Kernel::F16, Kernel::U8, Kernel::U4, Kernel::U1];
const PLACES: [Place; 3] = [Place::Cache, Place::InOrder, Place::Scattered];

/// Where the rows are.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Cache,
    InOrder,
    Scattered,
}

impl Place {
    /// Half of a small first cache; several times a large last one.
    const fn bytes(self) -> usize {
        match self {
            Self::Cache => 16 * 1024,
            Self::InOrder | Self::Scattered => 256 * 1024 * 1024,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cache => "cache",
            Self::InOrder => "memory",
            Self::Scattered => "scattered",
        })
    }
}

/// What was measured of one set: bytes a second, by place.
struct Line {
    dim: usize,
    kernel: Kernel,
    set: Set,
    rates: [Option<f64>; PLACES.len()],
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(50))
        .measurement_time(Duration::from_millis(250))
        .configure_from_args();
    let (mut limits, mut lines) = ([None; PLACES.len()], Vec::new());
    for dim in DIMS {
        for kernel in KERNELS {
            read_all(&mut criterion, &format!("read before {kernel:?} of {dim}"), &mut limits);
            lines.extend(compare(&mut criterion, dim, kernel));
        }
    }
    print_table(limits, &lines);
    criterion.final_summary();
}

/// Raises `limits` to how fast a loop reads that does nothing else. What is scattered over memory
/// is held to what is read in order.
fn read_all(criterion: &mut Criterion, group: &str, limits: &mut [Option<f64>; PLACES.len()]) {
    let mut measure = |place: Place, read: fn(&[u64])| {
        let numbers = vec![1u64; place.bytes() / size_of::<u64>()];
        rate(criterion, group, &place.to_string(), place.bytes(), || read(&numbers))
    };
    let cache = measure(Place::Cache, read::<0>);
    let memory = measure(Place::InOrder, read::<{ 16 * 1024 }>);
    for (limit, rate) in limits.iter_mut().zip([cache, memory, memory]) {
        *limit = rate.map(|rate| limit.map_or(rate, |limit| limit.max(rate))).or(*limit);
    }
}

/// The same rows compared by each set.
fn compare(criterion: &mut Criterion, dim: usize, kernel: Kernel) -> Vec<Line> {
    let line = |set| Line { dim, kernel, set, rates: [None; PLACES.len()] };
    let mut lines: Vec<Line> = Set::all().into_iter().map(line).collect();
    for (at, place) in PLACES.into_iter().enumerate() {
        let rows = Rows::new(kernel, dim, place.bytes());
        let mut rows = if place == Place::Scattered { rows.scattered() } else { rows };
        for line in &mut lines {
            let group = format!("{kernel:?} of {dim}, {place}");
            let bytes = rows.bytes();
            line.rates[at] = rate(criterion, &group, line.set.name(), bytes, || {
                black_box(rows.compare(black_box(&line.set)));
            });
        }
    }
    lines
}

/// The bytes a second of the fastest sample; `None` where the command line leaves it out.
fn rate(
    criterion: &mut Criterion,
    group: &str,
    name: &str,
    bytes: usize,
    mut work: impl FnMut(),
) -> Option<f64> {
    let mut fastest: Option<f64> = None;
    let mut group = criterion.benchmark_group(group);
    group
        .sampling_mode(SamplingMode::Flat)
        .throughput(Throughput::Bytes(bytes as u64))
        .bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_custom(|times| {
                let started = Instant::now();
                (0..times).for_each(|_| work());
                let took = started.elapsed();
                let rate = (bytes as f64) * times as f64 / took.as_secs_f64();
                fastest = Some(fastest.map_or(rate, |fastest| fastest.max(rate)));
                took
            });
        });
    group.finish();
    fastest
}

fn print_table(limits: [Option<f64>; PLACES.len()], lines: &[Line]) {
    let cell = |rate: Option<f64>, limit: Option<f64>| match (rate, limit) {
        (Some(rate), Some(limit)) => format!("{:8.1} {:4.2}", rate / 1e9, rate / limit),
        (Some(rate), None) => format!("{:8.1}    -", rate / 1e9),
        _ => format!("{:>13}", "-"),
    };
    println!(
        "\nGB of rows a second by one thread, and the part of what a loop that only reads gets"
    );
    println!(
        "{:4} {:9} {:12}{:>14}{:>14}{:>14}",
        "dim", "kernel", "set", "cache", "memory", "scattered"
    );
    let cells = |rates: [Option<f64>; PLACES.len()]| {
        rates
            .into_iter()
            .zip(limits)
            .map(|(rate, limit)| format!(" {}", cell(rate, limit)))
            .collect::<String>()
    };
    println!("{:4} {:9} {:12}{}", "", "", "read", cells(limits));
    for line in lines.iter().filter(|line| line.rates.iter().any(Option::is_some)) {
        let (dim, kernel, set) = (line.dim, format!("{:?}", line.kernel), line.set.name());
        println!("{dim:<4} {kernel:9} {set:12}{}", cells(line.rates));
    }
}

/// Reads all of `numbers` by the widest registers there are, asking for each so many bytes before
/// it is read.
fn read<const AHEAD: usize>(numbers: &[u64]) {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx512f")]
        fn by_avx512<const AHEAD: usize>(numbers: &[u64]) -> u64 {
            fold::<AHEAD>(numbers)
        }
        #[target_feature(enable = "avx2")]
        fn by_avx2<const AHEAD: usize>(numbers: &[u64]) -> u64 {
            fold::<AHEAD>(numbers)
        }
        if std::is_x86_feature_detected!("avx512f") {
            // SAFETY: the feature is there.
            black_box(unsafe { by_avx512::<AHEAD>(numbers) });
            return;
        }
        if std::is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            black_box(unsafe { by_avx2::<AHEAD>(numbers) });
            return;
        }
    }
    black_box(fold::<AHEAD>(numbers));
}

/// Folds in so many independent lanes that only reading takes time.
#[inline(always)]
fn fold<const AHEAD: usize>(numbers: &[u64]) -> u64 {
    const LANES: usize = 64;
    let (chunks, _) = numbers.as_chunks::<LANES>();
    let mut lanes = [0; LANES];
    for chunk in chunks {
        if AHEAD > 0 {
            prefetch(chunk, AHEAD);
        }
        for (lane, number) in lanes.iter_mut().zip(chunk) {
            *lane |= number;
        }
    }
    lanes.into_iter().fold(0, |all, lane| all | lane)
}

/// Asks for as much as `chunk`, some bytes after it.
#[inline(always)]
fn prefetch<const LENGTH: usize>(chunk: &[u64; LENGTH], ahead: usize) {
    #[cfg(target_arch = "x86_64")]
    for line in (0..size_of_val(chunk)).step_by(64) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        let later = chunk.as_ptr().cast::<i8>().wrapping_add(ahead + line);
        // SAFETY: prefetching has no effect but on caches, and SSE is part of x86-64.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(later) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (chunk, ahead);
}
