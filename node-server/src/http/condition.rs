//! `ETag`, `If-Match` and `If-None-Match` (RFC 9110 §13): the version of a document as a tag, and
//! requests that hold for one version only.

use super::Problem;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use vectordoc::{Error, ErrorKind, Result};

/// What a request demands of the version of its document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(super) struct Condition {
    /// `If-Match`, or 0 for `If-None-Match: *`.
    pub(super) version: Option<u64>,
    /// `If-None-Match` with a version: what the client has already.
    pub(super) known: Option<u64>,
}

impl Condition {
    /// The condition in `headers`. `invalid` for one that cannot hold.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self> {
        let matching = text(headers, header::IF_MATCH)?;
        let none_matching = text(headers, header::IF_NONE_MATCH)?;
        match (matching, none_matching) {
            (None, None) => Ok(Self::default()),
            (Some(tag), None) => Ok(Self { version: Some(version("if-match", tag)?), known: None }),
            (None, Some("*")) => Ok(Self { version: Some(0), known: None }),
            (None, Some(tag)) => {
                // A cache may have weakened the tag, which says the same here (RFC 9110 §13.1.2).
                let tag = tag.strip_prefix("W/").unwrap_or(tag);
                Ok(Self { version: None, known: Some(version("if-none-match", tag)?) })
            }
            (Some(_), Some(_)) => {
                Err(Error::invalid("give either \"if-match\" or \"if-none-match\""))
            }
        }
    }

    /// Refuses a condition, where there is no one document that it could be about.
    pub(super) fn expect_none(self) -> Result<()> {
        match self.version {
            None => Ok(()),
            Some(_) => Err(Error::invalid(
                "\"if-match\" and \"if-none-match: *\" go with writes of one document",
            )),
        }
    }

    /// How HTTP says that a write was refused: 412 when that was for a condition of its headers.
    pub(super) fn refusal(self, error: Error) -> Problem {
        match self.version {
            Some(_) if error.kind() == ErrorKind::Conflict => {
                Problem::with_status(StatusCode::PRECONDITION_FAILED, error)
            }
            _ => Problem::from(error),
        }
    }
}

/// The tag of a document of this version.
pub(super) fn etag(version: u64) -> HeaderValue {
    // Digits in quotes are a header.
    HeaderValue::try_from(format!("\"{version}\"")).unwrap_or(HeaderValue::from_static("\"\""))
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Result<Option<&str>> {
    let wrong = || Error::invalid(format!("{name} is one tag, such as \"7\""));
    let mut all = headers.get_all(&name).iter();
    match (all.next(), all.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(|text| Some(text.trim())).map_err(|_| wrong()),
        (Some(_), Some(_)) => Err(wrong()),
    }
}

fn version(header: &str, tag: &str) -> Result<u64> {
    let quoted = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
    quoted.and_then(|digits| digits.parse().ok()).ok_or_else(|| {
        Error::invalid(format!(
            "{header} is {tag:?}, and takes the etag of one document, such as \"7\" with the quotes"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(name: &'static str, value: &'static str) -> Result<Condition> {
        let headers = [(header::HeaderName::from_static(name), HeaderValue::from_static(value))];
        Condition::of(&headers.into_iter().collect())
    }

    #[test]
    fn tags_are_versions() -> Result<()> {
        assert_eq!(condition("if-match", "\"7\"")?.version, Some(7));
        assert_eq!(condition("if-none-match", "W/\"7\"")?.known, Some(7));
        assert_eq!(condition("if-none-match", "*")?.version, Some(0));
        for wrong in ["*", "7", "W/\"7\"", "\"7\", \"8\"", "\"\"", "\""] {
            assert!(condition("if-match", wrong).is_err(), "{wrong}");
        }
        Ok(())
    }
}
