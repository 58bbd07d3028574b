//! The web console: a page of a few files, which are in the binary.
//!
//! It has no way into the server of its own. What it shows and does goes through `/v1` and `/metrics`
//! with the key its user types in, as with any other client, so that it is in nobody's way and can
//! be turned off.

use crate::{http, server::Context};
use axum::{
    Router,
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use ring::digest::{SHA256, digest};
use std::{
    fmt::Write,
    sync::{Arc, LazyLock},
};
use tower_http::compression::CompressionLayer;

const HTML: &str = "text/html; charset=utf-8";
const PAGE: &str = "index.html";

/// What a browser is told about every file. The page has no inline script or style, loads nothing
/// from elsewhere, sends nothing elsewhere, is in nobody's frame, and cannot make markup of text.
const HEADERS: [(&str, &str); 6] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
         require-trusted-types-for 'script'; trusted-types 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    // Kept, but asked for each time: another version of the server has other files here.
    ("cache-control", "no-cache"),
];

/// A file of the page.
struct File {
    name: &'static str,
    content: &'static [u8],
}

macro_rules! files {
    ($($name:literal)*) => {
        &[$(File { name: $name, content: include_bytes!(concat!("../console/page/", $name)) }),*]
    };
}

static FILES: &[File] = files! {
    "api.js"
    "element.js"
    "icon.svg"
    "index.html"
    "json.js"
    "json_mistake.js"
    "main.js"
    "metrics.js"
    "numbers.js"
    "parts/chart.js"
    "parts/copy.js"
    "parts/dialog.js"
    "parts/fields.js"
    "parts/filter_field.js"
    "parts/index_state.js"
    "parts/json_field.js"
    "parts/meter.js"
    "parts/notice.js"
    "parts/problem.js"
    "parts/value.js"
    "route.js"
    "schema.js"
    "session.js"
    "socket.js"
    "style/base.css"
    "style/layout.css"
    "style/parts.css"
    "style/views.css"
    "ticker.js"
    "views/about.js"
    "views/changes.js"
    "views/create_database.js"
    "views/database.js"
    "views/databases.js"
    "views/document.js"
    "views/documents.js"
    "views/metrics.js"
    "views/search.js"
    "views/sign_in.js"
    "views/values.js"
};

/// Each file as it is answered.
static ANSWERS: LazyLock<Vec<Answer>> = LazyLock::new(|| FILES.iter().map(Answer::of).collect());

struct Answer {
    name: &'static str,
    content: &'static [u8],
    content_type: &'static str,
    etag: String,
}

/// The page at `/`, for who wants HTML, and its files.
pub(crate) fn routes() -> Router<Arc<Context>> {
    let mut router = Router::new().route("/", get(page));
    for answer in ANSWERS.iter() {
        let file = move |headers: HeaderMap| async move { answer.to(&headers) };
        router = router.route(&format!("/console/{}", answer.name), get(file));
    }
    router.layer(CompressionLayer::new()).method_not_allowed_fallback(http::not_allowed)
}

async fn page(uri: Uri, headers: HeaderMap) -> Response {
    let wants_html = header_text(&headers, header::ACCEPT).contains("text/html");
    let page = ANSWERS.iter().find(|answer| answer.name == PAGE && wants_html);
    let mut response = match page {
        Some(page) => page.to(&headers),
        None => http::unknown(uri).await.into_response(),
    };
    response.headers_mut().append(header::VARY, HeaderValue::from_static("accept"));
    response
}

impl Answer {
    fn of(file: &File) -> Self {
        let mut etag = String::from("W/\"");
        for byte in digest(&SHA256, file.content).as_ref().iter().take(12) {
            // Text can always be written to.
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        let content_type = content_type(file.name);
        Self { name: file.name, content: file.content, content_type, etag }
    }

    /// The file, or that whoever asks has it already.
    fn to(&'static self, asked: &HeaderMap) -> Response {
        let known = header_text(asked, header::IF_NONE_MATCH);
        let is_known = known.split(',').any(|tag| tag.trim() == self.etag);
        let fixed = HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
        let etag = [(header::ETAG, &self.etag)];
        if is_known {
            return (StatusCode::NOT_MODIFIED, fixed, etag).into_response();
        }
        let content_type = [(header::CONTENT_TYPE, self.content_type)];
        (fixed, etag, content_type, self.content).into_response()
    }
}

fn header_text(headers: &HeaderMap, name: header::HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => HTML,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

    /// The files below `folder`, by their paths from there.
    fn below(folder: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry")) {
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            match entry.path().is_dir() {
                true => below(&entry.path(), &format!("{name}/"), found),
                false => found.push(name),
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_served() {
        let mut found = Vec::new();
        below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("console/page"), "", &mut found);
        found.sort_unstable();
        let mut served: Vec<_> = FILES.iter().map(|file| file.name.to_owned()).collect();
        served.sort_unstable();
        assert_eq!(served, found);
    }

    #[test]
    fn the_page_asks_for_all_its_modules_at_once() {
        let page = include_str!("../console/page/index.html");
        for file in FILES.iter().filter(|file| file.name.ends_with(".js")) {
            assert!(page.contains(&format!("\"/console/{}\"", file.name)), "{}", file.name);
        }
    }
}
