//! Points in time: microseconds since 1970 in UTC, written as RFC 3339 says. A file for each type
//! of another library that a timestamp converts to and from.

#[cfg(feature = "chrono")]
mod chrono;
#[cfg(feature = "jiff")]
mod jiff;
#[cfg(feature = "std")]
mod system_time;
#[cfg(feature = "time")]
mod time;

use crate::{Error, Result, value::shorten};
use ::time::{OffsetDateTime, UtcDateTime, format_description::well_known::Rfc3339};
use alloc::format;
use core::{fmt, str::FromStr};

const MICROS_PER_MILLI: i64 = 1_000;
const NANOS_PER_MICRO: i128 = 1_000;

/// A point in time, to the microsecond, from year 0 to the end of year 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The start of year 0, in UTC.
    pub const MIN: Self = Self(-62_167_219_200_000_000);
    /// The last microsecond of year 9999, in UTC.
    pub const MAX: Self = Self(253_402_300_799_999_999);

    /// So many microseconds after the start of 1970 in UTC.
    pub fn from_micros(micros: i64) -> Result<Self> {
        if (Self::MIN.0..=Self::MAX.0).contains(&micros) {
            return Ok(Self(micros));
        }
        Err(Error::invalid(format!(
            "{micros} microseconds after 1970 is outside of the years 0 to 9999"
        )))
    }

    /// So many milliseconds after the start of 1970 in UTC, as JavaScript's `Date` counts.
    pub fn from_millis(millis: i64) -> Result<Self> {
        Self::from_micros(millis.saturating_mul(MICROS_PER_MILLI))
    }

    /// So many nanoseconds after the start of 1970 in UTC, cut to the microsecond before.
    fn from_nanos(nanos: i128) -> Result<Self> {
        let micros = i64::try_from(nanos.div_euclid(NANOS_PER_MICRO));
        Self::from_micros(micros.unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }

    /// Microseconds since the start of 1970 in UTC.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the start of 1970 in UTC, towards the past.
    pub fn as_millis(self) -> i64 {
        self.0.div_euclid(MICROS_PER_MILLI)
    }

    /// That the type `of` holds no such point in time.
    #[cfg(any(feature = "std", feature = "time", feature = "chrono", feature = "jiff"))]
    fn out_of_range(self, of: &str) -> Error {
        Error::invalid(format!("{self} is outside of what a `{of}` holds"))
    }

    fn to_utc(self) -> UtcDateTime {
        let nanos = i128::from(self.0) * NANOS_PER_MICRO;
        UtcDateTime::from_unix_timestamp_nanos(nanos).expect("the year is in 0 to 9999")
    }
}

impl FromStr for Timestamp {
    type Err = Error;

    /// Reads RFC 3339, such as `2026-01-31T12:00:00Z` or `2026-01-31T13:00:00.25+01:00`; digits
    /// beyond the microsecond are cut off.
    fn from_str(text: &str) -> Result<Self> {
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| {
            Error::invalid(format!(
                "{:?} is no timestamp; write it as \"2026-01-31T12:00:00Z\"",
                shorten(text)
            ))
        })?;
        Self::from_nanos(time.unix_timestamp_nanos())
    }
}

/// RFC 3339 in UTC, with no more digits of the second than are needed. The crate `time` could write
/// it too, but only with the standard library.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.to_utc();
        let (year, month, day) = (time.year(), u8::from(time.month()), time.day());
        let (hour, minute, second) = (time.hour(), time.minute(), time.second());
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
        if time.microsecond() > 0 {
            let digits = format!("{:06}", time.microsecond());
            write!(f, ".{}", digits.trim_end_matches('0'))?;
        }
        f.write_str("Z")
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;
    use alloc::string::ToString;

    #[test]
    fn text_and_back_is_the_same_point_in_time() {
        for (text, micros, written) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00Z"),
            ("1970-01-01T01:00:00.25+01:00", 250_000, "1970-01-01T00:00:00.25Z"),
            ("1969-12-31T23:59:59.999999999Z", -1, "1969-12-31T23:59:59.999999Z"),
            ("0000-01-01T00:00:00Z", Timestamp::MIN.as_micros(), "0000-01-01T00:00:00Z"),
            (
                "9999-12-31T23:59:59.999999Z",
                Timestamp::MAX.as_micros(),
                "9999-12-31T23:59:59.999999Z",
            ),
        ] {
            let time: Timestamp = text.parse().expect(text);
            assert_eq!((time.as_micros(), time.to_string().as_str()), (micros, written));
        }
    }

    #[test]
    fn what_is_no_time_or_too_far_away_is_refused() {
        for text in ["", "2026-01-31", "2026-02-30T00:00:00Z", "9999-12-31T23:59:59-01:00"] {
            assert!(text.parse::<Timestamp>().is_err(), "{text}");
        }
        assert!(Timestamp::from_millis(i64::MAX).is_err());
        assert!(Timestamp::from_micros(i64::MIN).is_err());
    }
}
