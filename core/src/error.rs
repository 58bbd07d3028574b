//! The one error of vectordoc: a coarse kind that answers "what should the caller do", and a
//! message that names the value, the limit and the way out.

use alloc::string::String;
use core::fmt;

/// `Result` with vectordoc's [`Error`].
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, in terms of what the caller can do about it.
///
/// Every kind has one stable [`code`](ErrorKind::code), one HTTP status, one gRPC status and one
/// JSON-RPC error number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The request is wrong; change it.
    Invalid,
    /// There is no such database or document.
    NotFound,
    /// What is stored contradicts the request: another schema, another version.
    Conflict,
    /// A named bound was exceeded; send less.
    LimitExceeded,
    /// No key, or a wrong one.
    Unauthenticated,
    /// The key's role does not allow this.
    Denied,
    /// Overloaded, or opened by another process; try again later.
    Busy,
    /// No quorum, or shutting down; try again, or elsewhere.
    Unavailable,
    /// No space left; reading goes on.
    Full,
    /// A checksum found damage; the data is not served.
    Corrupt,
    /// This build cannot do that, or is older than the data.
    Unsupported,
    /// The database was closed.
    Closed,
    /// A bug in vectordoc.
    Internal,
}

/// One row of the table that maps a kind to the outside world.
struct Mapping {
    code: &'static str,
    http_status: u16,
    grpc_status: u8,
    jsonrpc_code: i32,
}

impl ErrorKind {
    /// Every kind, in the order of the documentation.
    pub const ALL: [ErrorKind; 13] = [
        Self::Invalid,
        Self::NotFound,
        Self::Conflict,
        Self::LimitExceeded,
        Self::Unauthenticated,
        Self::Denied,
        Self::Busy,
        Self::Unavailable,
        Self::Full,
        Self::Corrupt,
        Self::Unsupported,
        Self::Closed,
        Self::Internal,
    ];

    const fn mapping(self) -> Mapping {
        let (code, http_status, grpc_status, jsonrpc_code) = match self {
            Self::Invalid => ("invalid", 400, 3, -32602),
            Self::NotFound => ("not_found", 404, 5, -32001),
            Self::Conflict => ("conflict", 409, 9, -32002),
            Self::LimitExceeded => ("limit_exceeded", 413, 8, -32003),
            Self::Unauthenticated => ("unauthenticated", 401, 16, -32004),
            Self::Denied => ("denied", 403, 7, -32005),
            Self::Busy => ("busy", 429, 8, -32006),
            Self::Unavailable => ("unavailable", 503, 14, -32007),
            Self::Full => ("full", 507, 8, -32008),
            Self::Corrupt => ("corrupt", 500, 15, -32009),
            Self::Unsupported => ("unsupported", 501, 12, -32010),
            Self::Closed => ("closed", 410, 9, -32011),
            Self::Internal => ("internal", 500, 13, -32603),
        };
        Mapping { code, http_status, grpc_status, jsonrpc_code }
    }

    /// The stable string that crosses every wire and is JavaScript's `error.code`.
    pub const fn code(self) -> &'static str {
        self.mapping().code
    }

    /// The HTTP status of a response with this error.
    pub const fn http_status(self) -> u16 {
        self.mapping().http_status
    }

    /// The gRPC status number of a response with this error.
    pub const fn grpc_status(self) -> u8 {
        self.mapping().grpc_status
    }

    /// The `error.code` number of a JSON-RPC 2.0 response with this error.
    pub const fn jsonrpc_code(self) -> i32 {
        self.mapping().jsonrpc_code
    }

    /// The kind with this [`code`](Self::code).
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Whether the same request may succeed later, unchanged.
    pub const fn is_retryable(self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable)
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// Why an operation did not happen. Nothing of it was applied.
#[derive(Clone, PartialEq, Eq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
}

impl Error {
    /// An error of `kind` that says `message`.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into() }
    }

    /// What the caller can do about it.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened: the value, the limit and the way out.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The same error, its message led by `context`: `context: message`.
    #[must_use]
    pub fn within(mut self, context: impl fmt::Display) -> Self {
        self.message = alloc::format!("{context}: {}", self.message);
        self
    }
}

/// One constructor per kind, each taking the message.
macro_rules! constructors {
    ($($name:ident => $kind:ident),* $(,)?) => {
        impl Error {$(
            #[doc = concat!("An [`ErrorKind::", stringify!($kind), "`] error.")]
            pub fn $name(message: impl Into<String>) -> Self {
                Self::new(ErrorKind::$kind, message)
            }
        )*}
    };
}

constructors! {
    invalid => Invalid,
    not_found => NotFound,
    conflict => Conflict,
    limit_exceeded => LimitExceeded,
    unauthenticated => Unauthenticated,
    denied => Denied,
    busy => Busy,
    unavailable => Unavailable,
    full => Full,
    corrupt => Corrupt,
    unsupported => Unsupported,
    closed => Closed,
    internal => Internal,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.kind, self.message)
    }
}

impl core::error::Error for Error {}
