//! Scoring many rows of codes against one query: the loop that every walk and scan spends its time
//! in.

use crate::arena::Arena;
use alloc::vec::Vec;

/// Bytes before the code in a row: [`CodeTerms`].
pub(crate) const TERMS_BYTES: usize = 8;

/// What a distance is made of besides the product with the code.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct CodeTerms {
    /// What one unit of the product is worth.
    pub(crate) unit: f32,
    /// What the vector adds to every distance.
    pub(crate) own: f32,
}

impl CodeTerms {
    #[inline(always)]
    pub(crate) fn read(row: &[u8]) -> (Self, &[u8]) {
        let (unit, rest) = row.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        let (own, code) = rest.split_first_chunk::<4>().unwrap_or((&[0; 4], &[]));
        (Self { unit: f32::from_le_bytes(*unit), own: f32::from_le_bytes(*own) }, code)
    }

    pub(crate) fn write(self, row: &mut [u8]) {
        row[..4].copy_from_slice(&self.unit.to_le_bytes());
        row[4..TERMS_BYTES].copy_from_slice(&self.own.to_le_bytes());
    }
}

/// A vector in the form that is compared with codes. The distance to a row is
/// `own + row.own − unit · row.unit · (product − shift)`.
#[derive(Clone, Debug, Default)]
pub(crate) struct CodedQuery {
    /// The vector in whole numbers, or
    pub(crate) numbers: Vec<i8>,
    /// the vector itself, for codes that are compared with that.
    pub(crate) floats: Vec<f32>,
    pub(crate) unit: f32,
    pub(crate) shift: f32,
    pub(crate) own: f32,
}

/// Appends the distance of each of `slots`.
pub(crate) type ScoreCodes = fn(&Arena<u8>, &[u32], &CodedQuery, &mut Vec<f32>);

/// The loop of every [`ScoreCodes`], around a kernel that gives the product with a code.
#[inline(always)]
pub(super) fn score_rows(
    rows: &Arena<u8>,
    slots: &[u32],
    query: &CodedQuery,
    out: &mut Vec<f32>,
    product: impl Fn(&[u8]) -> f32,
) {
    for slot in slots {
        let (terms, code) = CodeTerms::read(rows.row(*slot as usize));
        let product = (product(code) - query.shift) * query.unit;
        out.push(query.own + terms.own - product * terms.unit);
    }
}
