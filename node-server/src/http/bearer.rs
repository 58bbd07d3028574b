//! Who sends a request, by its `authorization` header (RFC 6750).

use crate::keys::{Caller, Keyring};
use axum::http::{HeaderMap, header};
use vectordoc::{Error, ErrorKind, Result};

/// Whoever shows the key in `headers`; `unauthenticated` for a key that is none of the server's.
pub(crate) async fn caller(keyring: &Keyring, headers: &HeaderMap) -> Result<Caller> {
    keyring.identify(bearer(headers)?).await
}

fn bearer(headers: &HeaderMap) -> Result<Option<&str>> {
    let Some(header) = headers.get(header::AUTHORIZATION) else {
        return Ok(None);
    };
    let words = header.to_str().ok().and_then(|header| header.split_once(' '));
    match words {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Ok(Some(key.trim())),
        _ => Err(Error::new(
            ErrorKind::Unauthenticated,
            "the authorization header is `Bearer vd_<id>_<secret>`, and this one is not",
        )),
    }
}
