//! `std::time::SystemTime`.

use super::Timestamp;
use crate::{Error, Result};
use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

impl TryFrom<SystemTime> for Timestamp {
    type Error = Error;

    fn try_from(time: SystemTime) -> Result<Self> {
        let nanos = |duration: Duration| i128::try_from(duration.as_nanos()).unwrap_or(i128::MAX);
        Self::from_nanos(match time.duration_since(UNIX_EPOCH) {
            Ok(after) => nanos(after),
            Err(before) => -nanos(before.duration()),
        })
    }
}

impl TryFrom<Timestamp> for SystemTime {
    type Error = Error;

    fn try_from(time: Timestamp) -> Result<Self> {
        let distance = Duration::from_micros(time.as_micros().unsigned_abs());
        let found = if time.as_micros() < 0 {
            UNIX_EPOCH.checked_sub(distance)
        } else {
            UNIX_EPOCH.checked_add(distance)
        };
        found.ok_or_else(|| time.out_of_range("SystemTime"))
    }
}
