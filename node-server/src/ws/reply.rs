//! From a request to the bytes of its answer, bounded in size.

use super::rpc::{Call, Failure, Fault, Incoming, Part, Request, Success};
use crate::{
    Catalog,
    account::Account,
    encoding::Encoding,
    keys::Caller,
    telemetry::{Arrival, Asked},
    work::Work,
};
use std::slice;
use vectordoc::{Error, Value};

/// What the requests of one message are run with.
#[derive(Clone, Copy)]
pub(super) struct Session<'a> {
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// What the connection has of the server.
    pub(super) account: &'a Account,
    /// The databases.
    pub(super) catalog: &'a Catalog,
    /// The message.
    pub(super) arrival: &'a Arrival,
}

impl Incoming {
    /// Whether nothing has to be run, only said.
    pub(super) fn is_refused(&self) -> bool {
        self.requests().iter().all(|request| request.call.is_err())
    }

    /// What running it spends its time on.
    pub(super) fn work(&self, catalog: &Catalog) -> Work {
        if let Self::One(Request { call: Ok(Call::Operation { method, params }), .. }) = self {
            return method.work_with(params.as_ref().map(Part::as_raw), catalog);
        }
        let mut calls = self.requests().iter().flat_map(|request| &request.call);
        if calls.any(|call| call.work() == Work::Commit) { Work::Commit } else { Work::Compute }
    }

    /// The same requests, none to be run, each answered with `error`.
    pub(super) fn refuse(&self, error: &Error) -> Self {
        let refuse = |request: &Request| {
            let Request { id, method, .. } = request;
            Request { id: id.clone(), method, call: Err(error.clone().into()) }
        };
        match self {
            Self::One(request) => Self::One(refuse(request)),
            Self::Batch(requests) => Self::Batch(requests.iter().map(refuse).collect()),
        }
    }

    /// Runs what is asked, one after the other, and writes the answer, if there is one: at most
    /// `bytes_max` bytes of what was found. Blocks, unless it [is refused](Self::is_refused).
    pub(super) fn answer(
        &self,
        encoding: Encoding,
        session: Session<'_>,
        bytes_max: usize,
    ) -> Option<Vec<u8>> {
        match self {
            Self::One(request) => request.answer(encoding, session, bytes_max),
            Self::Batch(requests) => answer_batch(requests, encoding, session, bytes_max),
        }
    }

    fn requests(&self) -> &[Request] {
        match self {
            Self::One(request) => slice::from_ref(request),
            Self::Batch(requests) => requests,
        }
    }
}

fn answer_batch(
    requests: &[Request],
    encoding: Encoding,
    session: Session<'_>,
    bytes_max: usize,
) -> Option<Vec<u8>> {
    let mut answers: Vec<Vec<u8>> = Vec::new();
    let mut bytes_left = bytes_max;
    for request in requests {
        if let Some(answer) = request.answer(encoding, session, bytes_left) {
            bytes_left = bytes_left.saturating_sub(answer.len());
            answers.push(answer);
        }
    }
    (!answers.is_empty()).then(|| encoding.array(&answers))
}

impl Request {
    fn answer(
        &self,
        encoding: Encoding,
        session: Session<'_>,
        bytes_max: usize,
    ) -> Option<Vec<u8>> {
        let result = match &self.call {
            Ok(call) => call.run(encoding, session, self.id.as_ref(), bytes_max),
            Err(fault) => {
                session.arrival.refused(self.method, fault.error());
                Err(fault.clone())
            }
        };
        let id = self.id.as_ref()?;
        Some(result.unwrap_or_else(|fault| failure(encoding, id, &fault)))
    }
}

impl Call {
    /// Runs the operation and writes its result; of a notification, only the former.
    fn run(
        &self,
        encoding: Encoding,
        session: Session<'_>,
        id: Option<&Value>,
        bytes_max: usize,
    ) -> Result<Vec<u8>, Fault> {
        let Self::Operation { method, params } = self else {
            let fault = Fault::request(
                "\"auth\", \"subscribe\" and \"unsubscribe\" are sent alone, with an id, not in a batch",
            );
            session.arrival.refused(self.method(), fault.error());
            return Err(fault);
        };
        let Session { caller, account, catalog, arrival } = session;
        let params = params.as_ref().map(Part::as_raw);
        let answered = arrival.run(&Asked { method, params, caller, rpc_id: id }, || {
            let answer = method.call(params, caller, catalog)?;
            let Some(id) = id else { return Ok(Vec::new()) };
            let bytes = encoding.write(&Success::new(id, answer), self.bytes_max(bytes_max))?;
            if self.work() != Work::Commit {
                account.check(bytes.len())?;
            }
            Ok(bytes)
        });
        Ok(answered?)
    }

    /// What it spends its time on.
    fn work(&self) -> Work {
        match self {
            Self::Operation { method, .. } => method.work,
            Self::Auth { .. } | Self::Subscribe { .. } | Self::Unsubscribe { .. } => Work::Compute,
        }
    }

    /// How long the answer may be. That of a write is never refused, as the write is done: it is
    /// about as long as the request, or as a schema.
    fn bytes_max(&self, bytes_max: usize) -> usize {
        match self.work() {
            Work::Compute | Work::Brief | Work::Live => bytes_max,
            Work::Commit => usize::MAX,
        }
    }
}

fn failure(encoding: Encoding, id: &Value, fault: &Fault) -> Vec<u8> {
    // An error is a few strings, which always can be written.
    encoding.write(&Failure::new(id, fault), usize::MAX).unwrap_or_default()
}
