//! The kernels for x86-64: AVX-512 with VNNI, AVX2 with FMA with and without VNNI, chosen by what
//! the processor has.

mod avx2;
mod avx512;
mod avx_vnni;

use super::Kernels;

/// Every set of kernels this processor can run, the fastest first.
pub(super) fn sets() -> impl Iterator<Item = Kernels> {
    let sets = [
        (avx512::is_available(), avx512::KERNELS),
        (avx_vnni::is_available(), avx_vnni::KERNELS),
        (avx2::is_available(), avx2::KERNELS),
    ];
    sets.into_iter().filter_map(|(available, kernels)| available.then_some(kernels))
}
