//! 256-bit registers.

use crate::distance::{scalar, table::kernel_table, turns::fold_in_turns};
use core::arch::x86_64::{
    __m256, __m256i, _mm_add_epi32, _mm_add_ps, _mm_cvtsi128_si32, _mm_cvtss_f32, _mm_hadd_ps,
    _mm_loadu_si128, _mm_shuffle_epi32, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256,
    _mm256_castps256_ps128, _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_cvtepi8_epi16,
    _mm256_cvtepu8_epi16, _mm256_cvtph_ps, _mm256_extractf128_ps, _mm256_extracti128_si256,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_epi64x, _mm256_setr_epi64x,
    _mm256_setzero_ps, _mm256_setzero_si256, _mm256_shuffle_epi8, _mm256_srli_epi16, _mm256_sub_ps,
};

kernel_table!("avx2", "avx2,fma,f16c");

pub(super) fn is_available() -> bool {
    std::is_x86_feature_detected!("avx2")
        && std::is_x86_feature_detected!("fma")
        && std::is_x86_feature_detected!("f16c")
}

/// Numbers of a register of floats.
const FLOATS: usize = 8;

#[target_feature(enable = "avx2,fma")]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, a, b| _mm256_fmadd_ps(a, b, sum))
}

#[target_feature(enable = "avx2,fma")]
pub(super) fn l2_squared(a: &[f32], b: &[f32]) -> f32 {
    fold(a, b, |sum, a, b| {
        let difference = _mm256_sub_ps(a, b);
        _mm256_fmadd_ps(difference, difference, sum)
    })
}

/// Folds pairs with `add`, to which two zeros must add nothing, in as many independent sums as hide
/// how long a product takes. Left to the compiler, the lanes of the specification end in half
/// registers, a quarter as fast.
#[inline]
#[target_feature(enable = "avx2,fma")]
fn fold(a: &[f32], b: &[f32], add: impl Fn(__m256, __m256, __m256) -> __m256) -> f32 {
    const SUMS: usize = 8;
    debug_assert_eq!(a.len(), b.len());
    let (a, a_rest) = a.as_chunks::<FLOATS>();
    let (b, b_rest) = b.as_chunks::<FLOATS>();
    let sums = [_mm256_setzero_ps(); SUMS];
    let mut sums = fold_in_turns(sums, a, b, |sum, a, b| add(sum, load_floats(a), load_floats(b)));
    let (a, b) = (padded(a_rest), padded(b_rest));
    sums[SUMS - 1] = add(sums[SUMS - 1], load_floats(&a), load_floats(&b));
    sum_of_floats(sums)
}

#[inline]
#[target_feature(enable = "avx2,fma,f16c")]
pub(super) fn dot_f16(code: &[u8], query: &[f32]) -> f32 {
    let (wide, rest) = code.as_chunks::<{ 2 * FLOATS }>();
    let (query_wide, query_rest) = query.as_chunks::<FLOATS>();
    let sums = [_mm256_setzero_ps(); 4];
    let sums = fold_in_turns(sums, wide, query_wide, |sum, code, query| {
        // SAFETY: the array is as long as what is read.
        let halves = unsafe { _mm_loadu_si128(code.as_ptr().cast()) };
        _mm256_fmadd_ps(_mm256_cvtph_ps(halves), load_floats(query), sum)
    });
    sum_of_floats(sums) + scalar::dot_f16(rest, query_rest)
}

#[inline]
#[target_feature(enable = "avx2")]
fn dot_u8(code: &[u8], query: &[i8]) -> i32 {
    const NUMBERS: usize = 16;
    let mut sum = _mm256_setzero_si256();
    let (code, _) = code.as_chunks::<NUMBERS>();
    let (query, _) = query.as_chunks::<NUMBERS>();
    for (code, query) in code.iter().zip(query) {
        // SAFETY: both arrays are as long as what is read.
        let (code, query) = unsafe {
            (_mm_loadu_si128(code.as_ptr().cast()), _mm_loadu_si128(query.as_ptr().cast()))
        };
        let products = _mm256_madd_epi16(_mm256_cvtepu8_epi16(code), _mm256_cvtepi8_epi16(query));
        sum = _mm256_add_epi32(sum, products);
    }
    sum_of(sum)
}

#[inline]
#[target_feature(enable = "avx2")]
fn dot_u4(code: &[u8], query: &[i8]) -> i32 {
    const BYTES: usize = 32;
    let (low, ones) = (_mm256_set1_epi8(15), _mm256_set1_epi16(1));
    let (first, second) = query.split_at(code.len());
    let mut sum = _mm256_setzero_si256();
    let (wide, rest) = code.as_chunks::<BYTES>();
    let (first_wide, first_rest) = first.as_chunks::<BYTES>();
    let (second_wide, second_rest) = second.as_chunks::<BYTES>();
    for ((code, first), second) in wide.iter().zip(first_wide).zip(second_wide) {
        let code = load(code);
        let high = _mm256_and_si256(_mm256_srli_epi16::<4>(code), low);
        // Pairs of products are at most 2 · 15 · 127.
        let first = _mm256_maddubs_epi16(_mm256_and_si256(code, low), load(first));
        let second = _mm256_maddubs_epi16(high, load(second));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(first, ones));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(second, ones));
    }
    let rest =
        rest.iter().zip(first_rest.iter().zip(second_rest)).map(|(code, (first, second))| {
            i32::from(code & 15) * i32::from(*first) + i32::from(code >> 4) * i32::from(*second)
        });
    sum_of(sum) + rest.sum::<i32>()
}

#[inline]
#[target_feature(enable = "avx2")]
fn dot_u1(code: &[u8], query: &[i8]) -> i32 {
    const NUMBERS: usize = 32;
    let (ones, ones_wide) = (_mm256_set1_epi8(1), _mm256_set1_epi16(1));
    let mut sum = _mm256_setzero_si256();
    let (code, _) = code.as_chunks::<{ NUMBERS / 8 }>();
    let (query, _) = query.as_chunks::<NUMBERS>();
    for (code, query) in code.iter().zip(query) {
        let pairs = _mm256_maddubs_epi16(ones, chosen(code, load(query)));
        sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones_wide));
    }
    sum_of(sum)
}

/// The numbers whose bit is set, zeros for the others.
#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn chosen(bits: &[u8; 4], numbers: __m256i) -> __m256i {
    let spread =
        _mm256_setr_epi64x(0, 0x0101_0101_0101_0101, 0x0202_0202_0202_0202, 0x0303_0303_0303_0303);
    let own = _mm256_set1_epi64x(0x8040_2010_0804_0201u64.cast_signed());
    let bytes = _mm256_shuffle_epi8(_mm256_set1_epi32(i32::from_le_bytes(*bits)), spread);
    let is_set = _mm256_cmpeq_epi8(_mm256_and_si256(bytes, own), own);
    _mm256_and_si256(is_set, numbers)
}

/// Less than a register of numbers, zeros beyond.
fn padded(rest: &[f32]) -> [f32; FLOATS] {
    core::array::from_fn(|lane| rest.get(lane).copied().unwrap_or(0.0))
}

#[inline]
#[target_feature(enable = "avx2")]
fn load_floats(numbers: &[f32; FLOATS]) -> __m256 {
    // SAFETY: the array is as long as what is read.
    unsafe { _mm256_loadu_ps(numbers.as_ptr()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn sum_of_floats<const SUMS: usize>(sums: [__m256; SUMS]) -> f32 {
    let sum = sums.into_iter().fold(_mm256_setzero_ps(), |sum, part| _mm256_add_ps(sum, part));
    let sum = _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps::<1>(sum));
    let sum = _mm_hadd_ps(sum, sum);
    _mm_cvtss_f32(_mm_hadd_ps(sum, sum))
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn load<T>(bytes: &[T; 32]) -> __m256i {
    const { assert!(size_of::<T>() == 1) };
    // SAFETY: the array is as long as what is read.
    unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
pub(super) fn sum_of(sums: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b_00_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b_01>(two)))
}
