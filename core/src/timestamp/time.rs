//! `time::OffsetDateTime`.

use super::{NANOS_PER_MICRO, Timestamp};
use crate::{Error, Result};
use ::time::OffsetDateTime;

impl TryFrom<OffsetDateTime> for Timestamp {
    type Error = Error;

    fn try_from(time: OffsetDateTime) -> Result<Self> {
        Self::from_nanos(time.unix_timestamp_nanos())
    }
}

impl TryFrom<Timestamp> for OffsetDateTime {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        Self::from_unix_timestamp_nanos(i128::from(time.as_micros()) * NANOS_PER_MICRO)
            .map_err(|_| time.out_of_range("time::OffsetDateTime"))
    }
}
