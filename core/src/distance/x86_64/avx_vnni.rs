//! 256-bit registers, with the byte products of VNNI: processors that have those but no AVX-512.

use super::avx2::{self, dot, dot_f16, l2_squared, load, sum_of};
use crate::distance::{table::kernel_table, turns::fold_in_turns};
use core::arch::x86_64::{
    __m256i, _mm_loadu_si128, _mm256_add_epi32, _mm256_and_si256, _mm256_dpbusd_avx_epi32,
    _mm256_set1_epi8, _mm256_setzero_si256, _mm256_srli_epi16, _mm256_zextsi128_si256,
};

kernel_table!("avx-vnni", "avx2,fma,f16c,avxvnni");

/// Bytes of a register.
const WIDTH: usize = 32;

pub(super) fn is_available() -> bool {
    avx2::is_available() && std::is_x86_feature_detected!("avxvnni")
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn dot_u8(code: &[u8], query: &[i8]) -> i32 {
    let (code, code_rest) = code.as_chunks::<WIDTH>();
    let (query, query_rest) = query.as_chunks::<WIDTH>();
    let mut sums = fold_in_turns([_mm256_setzero_si256(); 4], code, query, |sum, code, query| {
        _mm256_dpbusd_avx_epi32(sum, load(code), load(query))
    });
    sums[0] = _mm256_dpbusd_avx_epi32(sums[0], load_half(code_rest), load_half(query_rest));
    sum_of_all(sums)
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn dot_u4(code: &[u8], query: &[i8]) -> i32 {
    let low = _mm256_set1_epi8(15);
    let (first, second) = query.split_at(code.len());
    let (code, code_rest) = code.as_chunks::<WIDTH>();
    let (first, first_rest) = first.as_chunks::<WIDTH>();
    let (second, second_rest) = second.as_chunks::<WIDTH>();
    let mut sums = [_mm256_setzero_si256(); 2];
    let mut add = |code: __m256i, first: __m256i, second: __m256i| {
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(code), low);
        sums[0] = _mm256_dpbusd_avx_epi32(sums[0], _mm256_and_si256(code, low), first);
        sums[1] = _mm256_dpbusd_avx_epi32(sums[1], high, second);
    };
    for ((code, first), second) in code.iter().zip(first).zip(second) {
        add(load(code), load(first), load(second));
    }
    add(load_half(code_rest), load_half(first_rest), load_half(second_rest));
    sum_of(_mm256_add_epi32(sums[0], sums[1]))
}

#[inline]
#[target_feature(enable = "avx2,avxvnni")]
fn dot_u1(code: &[u8], query: &[i8]) -> i32 {
    let ones = _mm256_set1_epi8(1);
    let (code, _) = code.as_chunks::<{ WIDTH / 8 }>();
    let (query, _) = query.as_chunks::<WIDTH>();
    sum_of_all(fold_in_turns([_mm256_setzero_si256(); 4], code, query, |sum, code, query| {
        _mm256_dpbusd_avx_epi32(sum, ones, avx2::chosen(code, load(query)))
    }))
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_all(sums: [__m256i; 4]) -> i32 {
    let halves = (_mm256_add_epi32(sums[0], sums[1]), _mm256_add_epi32(sums[2], sums[3]));
    sum_of(_mm256_add_epi32(halves.0, halves.1))
}

/// The half register that a code may have left over, zeros beyond.
#[inline]
#[target_feature(enable = "avx2")]
fn load_half<T>(rest: &[T]) -> __m256i {
    const { assert!(size_of::<T>() == 1) };
    let Some(half) = rest.first_chunk::<{ WIDTH / 2 }>() else {
        return _mm256_setzero_si256();
    };
    // SAFETY: the array is as long as what is read.
    _mm256_zextsi128_si256(unsafe { _mm_loadu_si128(half.as_ptr().cast()) })
}
