//! What to look for in one column, once a condition is bound to it.

use crate::{GeoPoint, column::Key};
use alloc::{string::String, vec::Vec};
use core::ops::{Bound as Edge, RangeBounds};

/// What to look for.
#[derive(Clone, Debug)]
pub(crate) enum Look {
    /// One of these keys.
    Keys(Vec<Key>),
    /// A key in this range.
    Range(Edge<Key>, Edge<Key>),
    /// A text that begins so.
    Prefix(String),
    /// A text with this part.
    Part(Part),
    /// A text that matches.
    #[cfg(feature = "std")]
    Regex(regex_lite::Regex),
    /// A point in one of these boxes, and within these metres of this point if one is given.
    Near(Vec<GeoBox>, Option<(GeoPoint, f64)>),
    /// An array of this length.
    Size(u64),
    /// Any value at all.
    Present,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) place: Place,
    /// In lower case if case is ignored.
    pub(crate) text: String,
    pub(crate) ignore_case: bool,
}

/// Where a part is in a text.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Start,
    Anywhere,
    End,
}

/// Points between two corners, which do not lie across the 180th meridian.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct GeoBox {
    pub(crate) south_west: GeoPoint,
    pub(crate) north_east: GeoPoint,
}

impl Look {
    /// Whether a value with this key is what is looked for. An array is, when one of its elements
    /// is; its size is not asked about here.
    pub(crate) fn finds(&self, key: &Key) -> bool {
        match self {
            Self::Keys(keys) => keys.binary_search(key).is_ok(),
            Self::Range(low, high) => (low.as_ref(), high.as_ref()).contains(key),
            Self::Prefix(prefix) => key.as_text().starts_with(prefix.as_str()),
            Self::Part(part) => part.is_in(key.as_text()),
            #[cfg(feature = "std")]
            Self::Regex(regex) => regex.is_match(key.as_text()),
            Self::Near(boxes, within) => key.as_point().is_some_and(|point| {
                boxes.iter().any(|corners| corners.has(&point))
                    && within.is_none_or(|(center, metres)| center.distance(&point) <= metres)
            }),
            Self::Size(_) => false,
            Self::Present => true,
        }
    }
}

impl Part {
    /// As it is written in JSON.
    pub(crate) fn operator(&self) -> &'static str {
        match (self.place, self.ignore_case) {
            (Place::Start, false) => "$startsWith",
            (Place::Start, true) => "$istartsWith",
            (Place::Anywhere, false) => "$contains",
            (Place::Anywhere, true) => "$icontains",
            (Place::End, false) => "$endsWith",
            (Place::End, true) => "$iendsWith",
        }
    }

    fn is_in(&self, text: &str) -> bool {
        if self.ignore_case {
            return self.is_exactly_in(&text.to_lowercase());
        }
        self.is_exactly_in(text)
    }

    fn is_exactly_in(&self, text: &str) -> bool {
        let part = self.text.as_str();
        match self.place {
            Place::Start => text.starts_with(part),
            Place::Anywhere => text.contains(part),
            Place::End => text.ends_with(part),
        }
    }
}

impl GeoBox {
    fn has(&self, point: &GeoPoint) -> bool {
        (self.south_west.lat..=self.north_east.lat).contains(&point.lat)
            && (self.south_west.lon..=self.north_east.lon).contains(&point.lon)
    }
}
