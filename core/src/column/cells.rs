//! Points on the Earth in the order of a Z-curve (G. M. Morton, 1966), so that the points of a box
//! are in a few ranges of keys.
//!
//! Latitude and longitude become integers of the same order, whose bits are interleaved: a cell
//! stands for its point exactly.

use super::key::{ordered, unordered};
use crate::GeoPoint;
use alloc::vec::Vec;
use core::ops::RangeInclusive;

/// Ranges a box is covered by, at most; more would leave fewer points to compare in vain.
const RANGES_MAX: usize = 64;

/// The key of a point.
pub(super) fn cell_of(point: &GeoPoint) -> u128 {
    interleave(ordered(point.lat), ordered(point.lon))
}

/// The point of a key.
pub(super) fn point_of(cell: u128) -> GeoPoint {
    GeoPoint { lat: unordered(every_other(cell >> 1)), lon: unordered(every_other(cell)) }
}

/// Ranges of keys, in order, that together have all points between two corners, and some around.
pub(super) fn cover(south_west: &GeoPoint, north_east: &GeoPoint) -> Vec<RangeInclusive<u128>> {
    let sides = Sides {
        lat: ordered(south_west.lat)..=ordered(north_east.lat),
        lon: ordered(south_west.lon)..=ordered(north_east.lon),
    };
    if sides.lat.is_empty() || sides.lon.is_empty() {
        return Vec::new();
    }
    let mut squares = alloc::vec![Square { first: 0, bits: 128 }];
    loop {
        let split = |square: &Square| square.quarters().filter(|part| sides.touch(part));
        let smaller: Vec<Square> = squares
            .iter()
            .flat_map(|square| match sides.contain(square) {
                true => alloc::vec![*square],
                false => split(square).collect(),
            })
            .collect();
        if smaller.len() > RANGES_MAX || smaller == squares {
            break;
        }
        squares = smaller;
    }
    let mut ranges: Vec<RangeInclusive<u128>> = Vec::new();
    for square in squares {
        match ranges.last_mut() {
            Some(last) if last.end().checked_add(1) == Some(square.first) => {
                *last = *last.start()..=square.last();
            }
            _ => ranges.push(square.first..=square.last()),
        }
    }
    ranges
}

/// A square of the curve: the keys that have all but the last `bits` bits in common.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Square {
    first: u128,
    bits: u32,
}

impl Square {
    fn last(self) -> u128 {
        self.first | 1u128.checked_shl(self.bits).map_or(u128::MAX, |end| end - 1)
    }

    /// Its four parts, or itself if it is one point.
    fn quarters(self) -> impl Iterator<Item = Self> {
        let bits = self.bits.saturating_sub(2);
        let count = if self.bits == 0 { 1 } else { 4 };
        (0..count).map(move |part: u128| Self { first: self.first | part << bits, bits })
    }

    fn lat(self) -> RangeInclusive<u64> {
        every_other(self.first >> 1)..=every_other(self.last() >> 1)
    }

    fn lon(self) -> RangeInclusive<u64> {
        every_other(self.first)..=every_other(self.last())
    }
}

struct Sides {
    lat: RangeInclusive<u64>,
    lon: RangeInclusive<u64>,
}

impl Sides {
    fn touch(&self, square: &Square) -> bool {
        let overlap = |a: &RangeInclusive<u64>, b: RangeInclusive<u64>| {
            a.start() <= b.end() && b.start() <= a.end()
        };
        overlap(&self.lat, square.lat()) && overlap(&self.lon, square.lon())
    }

    fn contain(&self, square: &Square) -> bool {
        let within = |a: &RangeInclusive<u64>, b: RangeInclusive<u64>| {
            a.start() <= b.start() && b.end() <= a.end()
        };
        within(&self.lat, square.lat()) && within(&self.lon, square.lon())
    }
}

/// The bits of both numbers by turns, the first one's ahead.
fn interleave(first: u64, second: u64) -> u128 {
    spread(first) << 1 | spread(second)
}

/// The bits of `number` with a gap before each.
fn spread(number: u64) -> u128 {
    let mut bits = u128::from(number);
    for (shift, mask) in STEPS {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Every other bit of `bits`, the last one among them.
#[expect(clippy::cast_possible_truncation, reason = "64 bits are left")]
fn every_other(bits: u128) -> u64 {
    let mut bits = bits & STEPS[STEPS.len() - 1].1;
    for step in (0..STEPS.len()).rev() {
        let mask = if step == 0 { u128::from(u64::MAX) } else { STEPS[step - 1].1 };
        bits = (bits | bits >> STEPS[step].0) & mask;
    }
    bits as u64
}

/// How far the halves of each group of bits are moved apart, and where they are then.
const STEPS: [(u32, u128); 6] = [
    (32, 0x0000_0000_FFFF_FFFF_0000_0000_FFFF_FFFF),
    (16, 0x0000_FFFF_0000_FFFF_0000_FFFF_0000_FFFF),
    (8, 0x00FF_00FF_00FF_00FF_00FF_00FF_00FF_00FF),
    (4, 0x0F0F_0F0F_0F0F_0F0F_0F0F_0F0F_0F0F_0F0F),
    (2, 0x3333_3333_3333_3333_3333_3333_3333_3333),
    (1, 0x5555_5555_5555_5555_5555_5555_5555_5555),
];

#[cfg(test)]
mod tests {
    use super::{RANGES_MAX, cell_of, cover, point_of};
    use crate::GeoPoint;

    fn grid() -> impl Iterator<Item = GeoPoint> {
        let lats = (-18..=18).map(|step| f64::from(step) * 5.0);
        lats.flat_map(|lat| {
            (-36..=36).map(move |step| GeoPoint { lat, lon: f64::from(step) * 5.0 + 0.001 })
        })
    }

    #[test]
    fn a_cell_stands_for_its_point() {
        for point in grid().chain([GeoPoint { lat: 52.370_216, lon: -4.895_168 }]) {
            assert_eq!(point_of(cell_of(&point)), point);
        }
    }

    #[test]
    fn a_cover_has_every_point_of_its_box_and_few_around_it() {
        for (south_west, north_east) in [
            (GeoPoint { lat: 50.0, lon: 3.0 }, GeoPoint { lat: 54.0, lon: 8.0 }),
            (GeoPoint { lat: -10.0, lon: -10.0 }, GeoPoint { lat: 10.0, lon: 10.0 }),
            (GeoPoint { lat: -90.0, lon: -180.0 }, GeoPoint { lat: 90.0, lon: 180.0 }),
            (GeoPoint { lat: 5.0, lon: 5.001 }, GeoPoint { lat: 5.0, lon: 5.001 }),
        ] {
            let ranges = cover(&south_west, &north_east);
            assert!(!ranges.is_empty() && ranges.len() <= RANGES_MAX);
            assert!(ranges.is_sorted_by(|a, b| a.end() < b.start()));
            for point in grid() {
                let is_inside = (south_west.lat..=north_east.lat).contains(&point.lat)
                    && (south_west.lon..=north_east.lon).contains(&point.lon);
                let is_covered = ranges.iter().any(|range| range.contains(&cell_of(&point)));
                assert!(is_covered || !is_inside, "{point:?} is missing");
            }
        }
        let nowhere = cover(&GeoPoint { lat: 1.0, lon: 0.0 }, &GeoPoint { lat: 0.0, lon: 1.0 });
        assert!(nowhere.is_empty());
    }
}
