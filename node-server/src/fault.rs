//! Errors of the operating system, said as vectordoc's.

use std::{fmt::Display, io};
use vectordoc::{Error, ErrorKind};

/// `what subject: error`, of the kind that tells the caller what to do.
pub(crate) fn os(what: &str, subject: impl Display, error: &io::Error) -> Error {
    let kind = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ErrorKind::Full,
        io::ErrorKind::AddrInUse | io::ErrorKind::WouldBlock => ErrorKind::Busy,
        io::ErrorKind::NotFound => ErrorKind::NotFound,
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::AddrNotAvailable
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::InvalidInput => ErrorKind::Invalid,
        _ => ErrorKind::Internal,
    };
    Error::new(kind, format!("{what} {subject}: {error}"))
}
