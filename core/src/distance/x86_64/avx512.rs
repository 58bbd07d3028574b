//! 512-bit registers, with the byte products of VNNI.

use crate::distance::{scalar::sum_in_lanes, table::kernel_table, turns::fold_in_turns};
use core::arch::x86_64::{
    __m512i, __mmask64, _mm256_loadu_si256, _mm256_maskz_loadu_epi16, _mm512_add_epi32,
    _mm512_add_ps, _mm512_and_si512, _mm512_cvtph_ps, _mm512_dpbusd_epi32, _mm512_fmadd_ps,
    _mm512_loadu_ps, _mm512_loadu_si512, _mm512_maskz_loadu_epi8, _mm512_maskz_loadu_ps,
    _mm512_maskz_mov_epi8, _mm512_reduce_add_epi32, _mm512_reduce_add_ps, _mm512_set1_epi8,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_srli_epi16,
};

kernel_table!("avx512-vnni", "avx512f,avx512bw,avx512vl,avx512vnni");

/// Bytes of a register.
const WIDTH: usize = 64;

pub(super) fn is_available() -> bool {
    std::is_x86_feature_detected!("avx512f")
        && std::is_x86_feature_detected!("avx512bw")
        && std::is_x86_feature_detected!("avx512vl")
        && std::is_x86_feature_detected!("avx512vnni")
}

#[target_feature(enable = "avx512f")]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<64>(a, b, |sum, a, b| f32::mul_add(a, b, sum))
}

#[target_feature(enable = "avx512f")]
fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    sum_in_lanes::<64>(a, b, |sum, a, b| f32::mul_add(a - b, a - b, sum))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vl")]
fn dot_f16(code: &[u8], query: &[f32]) -> f32 {
    const HALVES: usize = WIDTH / 4;
    let (halves, _) = code.as_chunks::<2>();
    let (wide, rest) = halves.as_chunks::<HALVES>();
    let (query_wide, query_rest) = query.as_chunks::<HALVES>();
    let sums = [_mm512_setzero_ps(); 4];
    let mut sums = fold_in_turns(sums, wide, query_wide, |sum, code, query| {
        // SAFETY: both arrays are as long as what is read.
        let (code, query) =
            unsafe { (_mm256_loadu_si256(code.as_ptr().cast()), _mm512_loadu_ps(query.as_ptr())) };
        _mm512_fmadd_ps(_mm512_cvtph_ps(code), query, sum)
    });
    let mask = (1u16 << rest.len().min(query_rest.len())) - 1;
    // SAFETY: the mask leaves out everything beyond the shorter slice.
    let (code, query) = unsafe {
        (
            _mm256_maskz_loadu_epi16(mask, rest.as_ptr().cast()),
            _mm512_maskz_loadu_ps(mask, query_rest.as_ptr()),
        )
    };
    sums[0] = _mm512_fmadd_ps(_mm512_cvtph_ps(code), query, sums[0]);
    let halves = (_mm512_add_ps(sums[0], sums[1]), _mm512_add_ps(sums[2], sums[3]));
    _mm512_reduce_add_ps(_mm512_add_ps(halves.0, halves.1))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_u8(code: &[u8], query: &[i8]) -> i32 {
    let (code, code_rest) = code.as_chunks::<WIDTH>();
    let (query, query_rest) = query.as_chunks::<WIDTH>();
    let mut sums = fold_in_turns([_mm512_setzero_si512(); 4], code, query, |sum, code, query| {
        _mm512_dpbusd_epi32(sum, load(code), load(query))
    });
    if !code_rest.is_empty() {
        sums[0] = _mm512_dpbusd_epi32(sums[0], load_rest(code_rest), load_rest(query_rest));
    }
    sum_of(sums)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_u4(code: &[u8], query: &[i8]) -> i32 {
    let low = _mm512_set1_epi8(15);
    let (first, second) = query.split_at(code.len());
    let (code, code_rest) = code.as_chunks::<WIDTH>();
    let (first, first_rest) = first.as_chunks::<WIDTH>();
    let (second, second_rest) = second.as_chunks::<WIDTH>();
    let mut sums = [_mm512_setzero_si512(); 2];
    let mut add = |code: __m512i, first: __m512i, second: __m512i| {
        let high = _mm512_and_si512(_mm512_srli_epi16::<4>(code), low);
        sums[0] = _mm512_dpbusd_epi32(sums[0], _mm512_and_si512(code, low), first);
        sums[1] = _mm512_dpbusd_epi32(sums[1], high, second);
    };
    for ((code, first), second) in code.iter().zip(first).zip(second) {
        add(load(code), load(first), load(second));
    }
    if !code_rest.is_empty() {
        add(load_rest(code_rest), load_rest(first_rest), load_rest(second_rest));
    }
    _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn dot_u1(code: &[u8], query: &[i8]) -> i32 {
    let ones = _mm512_set1_epi8(1);
    let (words, rest) = code.as_chunks::<{ WIDTH / 8 }>();
    let (query, query_rest) = query.as_chunks::<WIDTH>();
    let mut sums = fold_in_turns([_mm512_setzero_si512(); 4], words, query, |sum, word, query| {
        let chosen = _mm512_maskz_mov_epi8(u64::from_le_bytes(*word), load(query));
        _mm512_dpbusd_epi32(sum, ones, chosen)
    });
    if !rest.is_empty() {
        let last = rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        let chosen = _mm512_maskz_mov_epi8(last, load_rest(query_rest));
        sums[0] = _mm512_dpbusd_epi32(sums[0], ones, chosen);
    }
    sum_of(sums)
}

#[inline]
#[target_feature(enable = "avx512f")]
fn sum_of(sums: [__m512i; 4]) -> i32 {
    let halves = (_mm512_add_epi32(sums[0], sums[1]), _mm512_add_epi32(sums[2], sums[3]));
    _mm512_reduce_add_epi32(_mm512_add_epi32(halves.0, halves.1))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load<T>(bytes: &[T; WIDTH]) -> __m512i {
    const { assert!(size_of::<T>() == 1) };
    // SAFETY: the array is as long as what is read.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

/// Less than a register of bytes, zeros beyond.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_rest<T>(bytes: &[T]) -> __m512i {
    const { assert!(size_of::<T>() == 1) };
    let mask: __mmask64 = (1 << (bytes.len() % WIDTH)) - 1;
    // SAFETY: the mask leaves out everything beyond the slice.
    unsafe { _mm512_maskz_loadu_epi8(mask, bytes.as_ptr().cast()) }
}
