//! Errors as statuses of gRPC, with vectordoc's code and when to try again.

use crate::limits::RETRY_AFTER_MS;
use tonic::{
    Code, Status,
    metadata::{AsciiMetadataValue, MetadataMap},
};
use vectordoc::Error;

/// The code of the error, in the metadata.
const CODE: &str = "vectordoc-code";
/// After how many milliseconds the same request may succeed. Clients that retry know it (gRFC A6).
const RETRY: &str = "grpc-retry-pushback-ms";
/// The number of a batch in its stream.
const BATCH: &str = "vectordoc-batch";

/// The status that says `error`.
pub(super) fn of(error: &Error) -> Status {
    let kind = error.kind();
    let mut metadata = MetadataMap::new();
    metadata.insert(CODE, AsciiMetadataValue::from_static(kind.code()));
    if kind.is_retryable() {
        metadata.insert(RETRY, RETRY_AFTER_MS.into());
    }
    Status::with_metadata(Code::from(i32::from(kind.grpc_status())), error.message(), metadata)
}

/// The status that says `error`, about the batch of this number.
pub(super) fn of_batch(error: &Error, batch: u64) -> Status {
    let mut status = of(&error.clone().within(format!("batch {batch}")));
    status.metadata_mut().insert(BATCH, batch.into());
    status
}

/// The status of a call that took longer than its client allowed.
pub(super) fn too_late() -> Status {
    Status::deadline_exceeded(
        "the time the client allowed is over; whether a write took place is not known",
    )
}

/// What is wrong with a message that could not be received.
pub(super) fn reading(status: &Status, bytes_max: usize) -> Error {
    match status.code() {
        Code::OutOfRange | Code::ResourceExhausted => Error::limit_exceeded(format!(
            "the message has more than {bytes_max} bytes, which is the limit; send less at a time"
        )),
        Code::Cancelled | Code::Unavailable | Code::Unknown => {
            Error::unavailable(format!("the message did not come: {}", status.message()))
        }
        Code::Unimplemented => Error::unsupported(status.message()),
        _ => Error::invalid(format!("no message of gRPC: {}", status.message())),
    }
}
