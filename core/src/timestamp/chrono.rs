//! `chrono::DateTime`.

use super::Timestamp;
use crate::{Error, Result};
use ::chrono::{DateTime, TimeZone, Utc};

impl<Tz: TimeZone> TryFrom<DateTime<Tz>> for Timestamp {
    type Error = Error;

    fn try_from(time: DateTime<Tz>) -> Result<Self> {
        Self::from_micros(time.timestamp_micros())
    }
}

impl TryFrom<Timestamp> for DateTime<Utc> {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        Self::from_timestamp_micros(time.as_micros())
            .ok_or_else(|| time.out_of_range("chrono::DateTime"))
    }
}
