//! How 128-bit registers turn the bits of a code into one byte a number.

/// Bytes of a register.
const BYTES: usize = 16;

/// Each byte of a register eight times, over eight registers: which byte goes where.
pub(super) const SPREAD: [[u8; BYTES]; 8] = {
    let mut spread = [[0; BYTES]; 8];
    let mut number = 0u8;
    while number < 128 {
        spread[number as usize / BYTES][number as usize % BYTES] = number / 8;
        number += 1;
    }
    spread
};

/// The bit of its byte that each number is.
pub(super) const OWN_BIT: [u8; BYTES] = [1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128];
