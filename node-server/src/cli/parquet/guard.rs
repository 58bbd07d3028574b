//! A guard around the library that reads Parquet: it asserts what a damaged file does not keep.

use std::{
    any::Any,
    cell::Cell,
    panic::{self, AssertUnwindSafe},
    sync::Once,
};
use vectordoc::{Error, Result};

thread_local! {
    /// Whether this thread is reading, so that a panic is about a file and is told as an error.
    static IS_READING: Cell<bool> = const { Cell::new(false) };
}

/// What `read` returns, which may panic; then what it read with must not be used again.
pub(super) fn guarded<T>(read: impl FnOnce() -> Result<T>) -> Result<T> {
    static QUIETENED: Once = Once::new();
    QUIETENED.call_once(|| {
        let tell = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            if !IS_READING.get() {
                tell(panic);
            }
        }));
    });
    IS_READING.set(true);
    let outcome = panic::catch_unwind(AssertUnwindSafe(read));
    IS_READING.set(false);
    outcome.unwrap_or_else(|reason| Err(damaged(&*reason)))
}

fn damaged(reason: &(dyn Any + Send)) -> Error {
    let reason = reason
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| reason.downcast_ref::<&str>().copied())
        .unwrap_or("no reason is given");
    Error::invalid(format!("the file is damaged ({reason})"))
}
