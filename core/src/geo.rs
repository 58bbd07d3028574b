//! Points on the Earth, and distances between them.

use crate::{Error, Result};
use alloc::format;
use core::f64::consts::PI;

/// The mean radius of the Earth in metres (IUGG).
const EARTH_RADIUS_M: f64 = 6_371_008.8;

/// A point on the Earth in degrees (WGS 84).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoPoint {
    /// Latitude, -90 to 90: north is positive.
    pub lat: f64,
    /// Longitude, -180 to 180: east is positive.
    pub lon: f64,
}

impl GeoPoint {
    /// The point at this latitude and longitude; refuses what is not on the Earth.
    pub fn new(lat: f64, lon: f64) -> Result<Self> {
        let point = Self { lat, lon };
        point.check()?;
        Ok(point)
    }

    /// Refuses a point that is not on the Earth.
    pub fn check(&self) -> Result<()> {
        let Self { lat, lon } = *self;
        if !(-90.0..=90.0).contains(&lat) {
            return Err(Error::invalid(format!("latitude is {lat}, it is -90 to 90 degrees")));
        }
        if !(-180.0..=180.0).contains(&lon) {
            return Err(Error::invalid(format!("longitude is {lon}, it is -180 to 180 degrees")));
        }
        Ok(())
    }

    /// The south-western and north-eastern corners of a box that has every point within `metres`;
    /// where it lies across the 180th meridian, its western longitude is the larger one
    /// (J. P. Matuschek, "Finding Points Within a Distance of a Latitude/Longitude Using Bounding
    /// Coordinates", 2010).
    pub fn bounds(&self, metres: f64) -> (Self, Self) {
        /// Rounding must not leave a point at the edge out.
        const MARGIN: f64 = 1e-9;
        let angle = metres / EARTH_RADIUS_M + MARGIN;
        let degrees = |radians: f64| radians * 180.0 / PI;
        let (south, north) = (self.lat - degrees(angle), self.lat + degrees(angle));
        let whole_circle = (
            Self { lat: south.max(-90.0), lon: -180.0 },
            Self { lat: north.min(90.0), lon: 180.0 },
        );
        if south <= -90.0 || north >= 90.0 {
            return whole_circle;
        }
        let sine = libm::sin(angle) / libm::cos(self.lat * PI / 180.0);
        if sine >= 1.0 {
            return whole_circle;
        }
        let width = degrees(libm::asin(sine));
        let around = |lon: f64| match lon {
            lon if lon < -180.0 => lon + 360.0,
            lon if lon > 180.0 => lon - 360.0,
            lon => lon,
        };
        (
            Self { lat: south, lon: around(self.lon - width) },
            Self { lat: north, lon: around(self.lon + width) },
        )
    }

    /// Metres to `other` along the surface of a sphere (the haversine formula, R. W. Sinnott,
    /// "Virtues of the Haversine", 1984).
    pub fn distance(&self, other: &Self) -> f64 {
        let radians = |degrees: f64| degrees * PI / 180.0;
        let half_sine = |from: f64, to: f64| {
            let sine = libm::sin(radians(to - from) / 2.0);
            sine * sine
        };
        let parallels = libm::cos(radians(self.lat)) * libm::cos(radians(other.lat));
        let haversine = half_sine(self.lat, other.lat) + parallels * half_sine(self.lon, other.lon);
        2.0 * EARTH_RADIUS_M * libm::asin(libm::sqrt(haversine.min(1.0)))
    }
}

#[cfg(test)]
mod tests {
    use super::GeoPoint;

    #[test]
    fn distances_are_those_on_the_sphere() {
        let at = |lat, lon| GeoPoint::new(lat, lon).expect("on the Earth");
        let quarter = 10_007_557.0;
        for (from, to, metres) in [
            (at(0.0, 0.0), at(0.0, 0.0), 0.0),
            (at(0.0, 0.0), at(90.0, 0.0), quarter),
            (at(0.0, 0.0), at(0.0, 180.0), 2.0 * quarter),
            (at(0.0, 179.0), at(0.0, -179.0), 2.0 * quarter / 90.0),
            (at(52.5200, 13.4050), at(48.8566, 2.3522), 877_464.0),
        ] {
            let found = from.distance(&to);
            assert!((found - metres).abs() < 1.0, "{from:?} {to:?}: {found}, expected {metres}");
            assert!((to.distance(&from) - found).abs() < 1e-6);
        }
    }

    #[test]
    fn points_off_the_earth_are_refused() {
        for (lat, lon) in
            [(90.1, 0.0), (-91.0, 0.0), (0.0, 180.5), (f64::NAN, 0.0), (0.0, f64::NAN)]
        {
            assert!(GeoPoint::new(lat, lon).is_err(), "{lat} {lon}");
        }
    }
}
