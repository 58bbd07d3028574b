//! `jiff::Timestamp`.

use super::Timestamp;
use crate::{Error, Result};

impl TryFrom<::jiff::Timestamp> for Timestamp {
    type Error = Error;

    fn try_from(time: ::jiff::Timestamp) -> Result<Self> {
        Self::from_nanos(time.as_nanosecond())
    }
}

impl TryFrom<Timestamp> for ::jiff::Timestamp {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        Self::from_microsecond(time.as_micros()).map_err(|_| time.out_of_range("jiff::Timestamp"))
    }
}
