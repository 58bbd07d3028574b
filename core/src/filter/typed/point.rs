//! What a field can be asked that holds points on the Earth.

use super::Path;
use crate::{
    GeoPoint,
    filter::{Filter, Test},
};

/// A field that holds a point, none, or any number of them, of which one has to pass.
#[derive(Clone, Debug)]
pub struct Point(Path);

impl Point {
    /// The field at `path`.
    pub fn at(path: Path) -> Self {
        Self(path)
    }

    /// The point is at most so many metres away from `center`, along the Earth's surface.
    pub fn within_radius(self, center: GeoPoint, metres: f64) -> Filter {
        self.test(Test::GeoRadius { center, metres })
    }

    /// The point is in the box with these corners. Where the south-western one lies east of the
    /// other, the box crosses the 180th meridian.
    pub fn within_box(self, south_west: GeoPoint, north_east: GeoPoint) -> Filter {
        self.test(Test::GeoBox { south_west, north_east })
    }

    /// There is a point.
    pub fn exists(self) -> Filter {
        self.test(Test::Exists(true))
    }

    /// There is none.
    pub fn is_missing(self) -> Filter {
        self.test(Test::Exists(false))
    }

    fn test(self, test: Test) -> Filter {
        Filter::field(self.0.0, test)
    }
}
