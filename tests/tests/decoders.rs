//! Promise: no bytes crash a decoder, make it take more than 4 times their size and 64 MiB of memory, or
//! are read as something else than what was written.
//!
//! This replays what is worth keeping (`tests/fuzz/corpus`, a folder for each decoder) and then changes
//! good bytes at random. `tests/fuzz` has a target for each decoder to be searched by cargo-fuzz.

use fastrand::Rng;
use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    path::{Path, PathBuf},
};
use vectordoc_tests::{
    decoders::{DECODERS, Decoder, changed, decoder},
    random,
};

const MEMORY_BYTES_MAX: usize = 64 << 20;
const MEMORY_TIMES_MAX: usize = 4;

/// Counts what each thread holds.
struct Counting;

thread_local! {
    static HELD: Cell<(isize, isize)> = const { Cell::new((0, 0)) };
}

fn count(bytes: isize) {
    // A thread that ends is not counted any more.
    let _ = HELD.try_with(|held| {
        let (now, most) = held.get();
        held.set((now + bytes, most.max(now + bytes)));
    });
}

// SAFETY: every call is the system's, with the arguments it was given.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Has a decoder read bytes, and returns how much memory it held at most.
fn memory_of(decoder: &Decoder, bytes: &[u8]) -> usize {
    let before = HELD.with(|held| {
        let (now, _) = held.get();
        held.set((now, now));
        now
    });
    (decoder.decode)(bytes);
    HELD.with(|held| held.get().1 - before).unsigned_abs()
}

fn judge(decoder: &Decoder, bytes: &[u8], said: impl Fn() -> String) {
    let shown = Shown { decoder, bytes, said: said() };
    let memory = memory_of(decoder, bytes);
    let max = MEMORY_BYTES_MAX + MEMORY_TIMES_MAX * bytes.len();
    assert!(memory <= max, "{memory} bytes of memory for {} bytes", bytes.len());
    drop(shown);
}

/// Keeps what made a decoder panic, so that it can be put into the corpus.
struct Shown<'a> {
    decoder: &'a Decoder,
    bytes: &'a [u8],
    said: String,
}

impl Drop for Shown<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let path = std::env::temp_dir().join(format!("vectordoc-{}.bin", self.decoder.name));
            let _ = std::fs::write(&path, self.bytes);
            eprintln!("{} ({}): the bytes are in {path:?}", self.decoder.name, self.said);
        }
    }
}

fn corpus(decoder: &Decoder) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(decoder.name)
}

#[test]
fn what_was_found_once_is_read_or_refused() {
    for decoder in &DECODERS {
        let Ok(entries) = std::fs::read_dir(corpus(decoder)) else { continue };
        for entry in entries {
            let path = entry.expect("an entry of the corpus").path();
            let bytes = std::fs::read(&path).expect("a file of the corpus");
            judge(decoder, &bytes, || format!("{path:?}"));
        }
    }
}

#[test]
fn good_bytes_are_read() {
    for decoder in &DECODERS {
        let seeds = (decoder.seeds)();
        assert!(!seeds.is_empty(), "{} has no good bytes", decoder.name);
        seeds.iter().for_each(|bytes| judge(decoder, bytes, || "good".into()));
    }
}

fn change_at_random(name: &str, times: u64) {
    let decoder = decoder(name);
    let seeds = (decoder.seeds)();
    let (first, count) = (random::seed(1), random::budget(times));
    for seed in first..first + count {
        let mut rng = Rng::with_seed(seed);
        let bytes = changed(&mut rng, &seeds);
        judge(decoder, &bytes, || format!("SEED={seed} PROGRAMS=1"));
    }
    random::figure(&format!("decoders/{name}"), count, "inputs, 0 panics");
}

macro_rules! decoders {
    ($($test:ident $name:literal $times:literal)*) => {
        $(#[test]
        fn $test() {
            change_at_random($name, $times);
        })*

        #[test]
        fn no_decoder_is_left_out() {
            let names = [$($name),*];
            DECODERS.iter().for_each(|decoder| assert!(names.contains(&decoder.name)));
        }
    };
}

decoders! {
    changed_records_are_read_or_refused "record" 4_000
    changed_metas_are_read_or_refused "meta" 1_500
    changed_pages_are_read_or_refused "page" 2_000
    changed_archives_are_read_or_refused "archive" 10_000
    changed_schemas_are_read_or_refused "schema" 20_000
    changed_filters_are_read_or_refused "filter" 20_000
    changed_documents_are_read_or_refused "document" 20_000
    changed_patches_are_read_or_refused "patch" 20_000
    changed_questions_are_read_or_refused "question" 10_000
    changed_answers_are_read_or_refused "answer" 10_000
    changed_cursors_are_read_or_refused "cursor" 20_000
}
