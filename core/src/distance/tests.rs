use super::{CODE_ALIGN, CodeTerms, CodedQuery, Kernels, TERMS_BYTES};
use crate::arena::Arena;
use alloc::{vec, vec::Vec};

/// Numbers from −1 to 1 out of a linear congruential generator.
fn numbers(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

fn bytes(seed: u64, count: usize) -> Vec<u8> {
    #[expect(clippy::cast_possible_truncation)]
    let byte = |number: f32| ((number * 128.0) as i8).cast_unsigned();
    numbers(seed, count).into_iter().map(byte).collect()
}

fn signed(bytes: &[u8]) -> Vec<i8> {
    bytes.iter().map(|byte| byte.cast_signed().max(-127)).collect()
}

/// Every set of kernels that this machine can run, the specification first.
fn sets() -> Vec<Kernels> {
    core::iter::once(Kernels::SCALAR).chain(Kernels::of_machine()).collect()
}

#[test]
fn targets_that_always_have_a_set_use_it() {
    let best = Kernels::best().name;
    assert!(best == "neon" || cfg!(not(all(target_arch = "aarch64", target_endian = "little"))));
    assert!(best == "relaxed-simd" || cfg!(not(target_feature = "relaxed-simd")));
    assert!(best != "scalar" || cfg!(not(target_feature = "simd128")));
}

#[test]
fn float_kernels_agree_with_plain_arithmetic_on_every_length() {
    for length in (0..200).chain([255, 256, 257, 384, 768, 1_000, 1_536]) {
        let (a, b) = (numbers(length as u64, length), numbers(!(length as u64), length));
        let halves: Vec<half::f16> = a.iter().copied().map(half::f16::from_f32).collect();
        let code: Vec<u8> = halves.iter().flat_map(|half| half.to_le_bytes()).collect();
        let sum = |term: &dyn Fn(usize) -> f64| -> f64 { (0..length).map(term).sum() };
        let at = |i: usize| (f64::from(a[i]), f64::from(b[i]));
        let dot = sum(&|i| at(i).0 * at(i).1);
        let l2 = sum(&|i| (at(i).0 - at(i).1).powi(2));
        let dot_f16 = sum(&|i| f64::from(halves[i].to_f32()) * at(i).1);
        for kernels in sets() {
            let close = |found: f32, expected: f64| {
                let tolerance = 1e-5 * (1.0 + length as f64);
                let error = (f64::from(found) - expected).abs();
                assert!(error < tolerance, "{}, length {length}", kernels.name);
            };
            close((kernels.dot)(&a, &b), dot);
            close((kernels.l2_squared)(&a, &b), l2);
            close((kernels.dot_f16)(&code, &b), dot_f16);
        }
    }
}

#[test]
fn code_kernels_agree_with_plain_arithmetic_on_every_length() {
    for length in (0..40).map(|units| units * CODE_ALIGN).chain([4_096, 65_536]) {
        for hostile in [false, true] {
            let code = if hostile { vec![255; length] } else { bytes(length as u64, length) };
            let query = |count: usize| match hostile {
                true => vec![127; count],
                false => signed(&bytes(!(length as u64), count)),
            };
            let (q8, q4, q1) = (query(length), query(2 * length), query(8 * length));
            let term = |a: u8, b: i8| i32::from(a) * i32::from(b);
            let u8s: i32 = code.iter().zip(&q8).map(|(a, b)| term(*a, *b)).sum();
            let u4s: i32 = (0..2 * length)
                .map(|i| term(code[i % length] >> (4 * (i / length)) & 15, q4[i]))
                .sum();
            let u1s: i32 = (0..8 * length).map(|i| term(code[i / 8] >> (i % 8) & 1, q1[i])).sum();
            for kernels in sets() {
                assert_eq!((kernels.dot_u8)(&code, &q8), u8s, "{}, length {length}", kernels.name);
                assert_eq!((kernels.dot_u4)(&code, &q4), u4s, "{}, length {length}", kernels.name);
                assert_eq!((kernels.dot_u1)(&code, &q1), u1s, "{}, length {length}", kernels.name);
            }
        }
    }
}

#[test]
fn scoring_rows_applies_the_terms_of_each() {
    const CODE: usize = 48;
    const ROWS: usize = 40;
    let mut rows = Arena::new(TERMS_BYTES + CODE);
    rows.grow(ROWS, 0);
    for row in 0..ROWS {
        let terms = CodeTerms { unit: row as f32, own: 0.5 * row as f32 };
        terms.write(rows.row_mut(row));
        rows.row_mut(row)[TERMS_BYTES..].copy_from_slice(&bytes(row as u64, CODE));
    }
    let slots: Vec<u32> = (0..).take(ROWS).collect();
    let query = |count: usize| CodedQuery {
        numbers: signed(&bytes(7, count)),
        floats: Vec::new(),
        unit: 0.25,
        shift: 3.0,
        own: 1.5,
    };
    for kernels in sets() {
        let by = |score: super::ScoreCodes, query: &CodedQuery, product: &dyn Fn(&[u8]) -> f32| {
            let mut found = Vec::new();
            score(&rows, &slots, query, &mut found);
            assert_eq!(found.len(), slots.len());
            for (slot, found) in slots.iter().zip(found) {
                let (terms, code) = CodeTerms::read(rows.row(*slot as usize));
                let product = (product(code) - query.shift) * query.unit;
                assert_eq!(found, query.own + terms.own - product * terms.unit, "slot {slot}");
            }
        };
        let (q8, q4, q1) = (query(CODE), query(2 * CODE), query(8 * CODE));
        by(kernels.score_u8, &q8, &|code| (kernels.dot_u8)(code, &q8.numbers) as f32);
        by(kernels.score_u4, &q4, &|code| (kernels.dot_u4)(code, &q4.numbers) as f32);
        by(kernels.score_u1, &q1, &|code| (kernels.dot_u1)(code, &q1.numbers) as f32);
    }
}
