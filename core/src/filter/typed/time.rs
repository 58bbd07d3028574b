//! What a [`Timestamp`] can be compared with besides itself.

use super::Operand;
use crate::{Timestamp, Value};
use alloc::format;

/// The value to compare with is what would be stored. What is too far away for that is left as
/// text, so that the search is refused by an error which names it.
macro_rules! times {
    ($($(#[$when:meta])* [$($generics:tt)*] $type:ty;)*) => {$(
        $(#[$when])*
        impl $($generics)* Operand<Timestamp> for $type {
            fn into_value(self) -> Value {
                let text = format!("{self:?}");
                Timestamp::try_from(self).map_or(Value::Text(text), Value::Time)
            }
        }
    )*};
}
times! {
    #[cfg(feature = "std")] [] std::time::SystemTime;
    #[cfg(feature = "time")] [] ::time::OffsetDateTime;
    #[cfg(feature = "chrono")] [<Tz: chrono::TimeZone>] chrono::DateTime<Tz>;
    #[cfg(feature = "jiff")] [] jiff::Timestamp;
}
