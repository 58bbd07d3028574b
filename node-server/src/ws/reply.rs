//! From a request to the text of its answer, bounded in size.

use super::rpc::{Call, Failure, Fault, Incoming, Part, Request, Success};
use crate::{Catalog, work::Work};
use serde::Serialize;
use serde_json::value::RawValue;
use std::{io, slice};
use vectordoc::Error;

impl Incoming {
    /// Whether nothing has to be run, only said.
    pub(super) fn is_refused(&self) -> bool {
        self.requests().iter().all(|request| request.call.is_err())
    }

    /// What running it spends its time on.
    pub(super) fn work(&self) -> Work {
        let mut calls = self.requests().iter().flat_map(|request| &request.call);
        if calls.any(|call| call.method.work == Work::Commit) {
            Work::Commit
        } else {
            Work::Compute
        }
    }

    /// The same requests, none to be run, each answered with `error`.
    pub(super) fn refuse(&self, error: &Error) -> Self {
        let refuse =
            |request: &Request| Request { id: request.id.clone(), call: Err(error.clone().into()) };
        match self {
            Self::One(request) => Self::One(refuse(request)),
            Self::Batch(requests) => Self::Batch(requests.iter().map(refuse).collect()),
        }
    }

    /// Runs what is asked, one after the other, and writes the answer, if there is one: at most
    /// `bytes_max` bytes of what was found. Blocks, unless it [is refused](Self::is_refused).
    pub(super) fn answer(&self, catalog: &Catalog, bytes_max: usize) -> Option<String> {
        match self {
            Self::One(request) => request.answer(catalog, bytes_max),
            Self::Batch(requests) => answer_batch(requests, catalog, bytes_max),
        }
    }

    fn requests(&self) -> &[Request] {
        match self {
            Self::One(request) => slice::from_ref(request),
            Self::Batch(requests) => requests,
        }
    }
}

fn answer_batch(requests: &[Request], catalog: &Catalog, bytes_max: usize) -> Option<String> {
    let mut batch = String::new();
    for request in requests {
        let bytes_left = bytes_max.saturating_sub(batch.len());
        if let Some(answer) = request.answer(catalog, bytes_left) {
            batch.push(if batch.is_empty() { '[' } else { ',' });
            batch.push_str(&answer);
        }
    }
    if batch.is_empty() {
        return None;
    }
    batch.push(']');
    Some(batch)
}

impl Request {
    fn answer(&self, catalog: &Catalog, bytes_max: usize) -> Option<String> {
        let result = match &self.call {
            Ok(call) => call.run(catalog, self.id.as_deref(), bytes_max),
            Err(fault) => Err(fault.clone()),
        };
        let id = self.id.as_deref()?;
        Some(result.unwrap_or_else(|fault| failure(id, &fault)))
    }
}

impl Call {
    /// Runs the operation and writes its result; of a notification, only the former.
    fn run(
        &self,
        catalog: &Catalog,
        id: Option<&RawValue>,
        bytes_max: usize,
    ) -> Result<String, Fault> {
        let params = self.params.as_ref().map(Part::as_str);
        let answer = self.method.call(params, catalog)?;
        match id {
            Some(id) => Ok(write(&Success::new(id, answer), self.bytes_max(bytes_max))?),
            None => Ok(String::new()),
        }
    }

    /// How long the answer may be. That of a write is never refused, as the write is done: it is
    /// about as long as the request, or as a schema.
    fn bytes_max(&self, bytes_max: usize) -> usize {
        match self.method.work {
            Work::Compute => bytes_max,
            Work::Commit => usize::MAX,
        }
    }
}

fn failure(id: &RawValue, fault: &Fault) -> String {
    // An error is a few strings, which always can be written.
    serde_json::to_string(&Failure::new(id, fault)).unwrap_or_default()
}

/// `message` as JSON; `limit_exceeded` when that is longer than `bytes_max`.
pub(super) fn write(message: &impl Serialize, bytes_max: usize) -> Result<String, Error> {
    let mut output = Bounded { bytes: Vec::new(), bytes_max };
    serde_json::to_writer(&mut output, message).map_err(|error| {
        if error.is_io() {
            return Error::limit_exceeded(format!(
                "the answer is longer than {bytes_max} bytes; ask for fewer documents, or with \
                 `include` for fewer fields"
            ));
        }
        Error::internal(format!("the answer cannot be written: {error}"))
    })?;
    String::from_utf8(output.bytes).map_err(|_| Error::internal("the answer is not UTF-8"))
}

/// Bytes that refuse to grow beyond a bound.
struct Bounded {
    bytes: Vec<u8>,
    bytes_max: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.bytes_max {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_at_its_bound_is_written_and_one_byte_more_is_refused() {
        assert_eq!(write(&"123", 5), Ok("\"123\"".to_string()));
        let refused = write(&"1234", 5).map_err(|error| error.kind());
        assert_eq!(refused, Err(vectordoc::ErrorKind::LimitExceeded));
    }
}
