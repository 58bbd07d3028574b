//! Folders of files that are served as they are, to whoever may knock: the web demo.
//!
//! **Invariant:** what is served was listed when the server started; a request names one of these
//! files or nothing.

use crate::{fault, server::Context};
use axum::{
    Router,
    extract::Path as Within,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use vectordoc::{Error, Result};

/// Files that one folder may have.
const FILES_MAX: usize = 1_000;
/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 4;
/// What is found where a path ends with a slash.
const INDEX: &str = "index.html";
/// What lies in a folder with this name does not change: its name has a hash of its content.
const LASTING: &str = "assets/";

/// Types of files by the ends of their names.
const TYPES: [(&str, &str); 10] = [
    ("html", "text/html; charset=utf-8"),
    ("js", "text/javascript"),
    ("mjs", "text/javascript"),
    ("css", "text/css"),
    ("svg", "image/svg+xml"),
    ("json", "application/json"),
    ("jsonl", "application/x-ndjson"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("txt", "text/plain; charset=utf-8"),
];

/// A folder, and the path that its files are found below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Begins with a slash and ends without.
    pub(crate) path: String,
    /// Where the files are.
    pub(crate) files: PathBuf,
}

/// The files of a folder by their paths within it.
type Listed = BTreeMap<String, PathBuf>;

impl Folder {
    /// Refuses a path that cannot be, and a folder that is not there or has too much in it.
    pub(crate) fn check(&self) -> Result<()> {
        let Self { path, files } = self;
        let name = path.strip_prefix('/').unwrap_or_default();
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_/".contains(&byte);
        if !name.bytes().all(is_plain) || name.split('/').any(str::is_empty) {
            return Err(Error::invalid(format!(
                "files are served below a path such as \"/demo\", of letters, digits, \"-\" and \
                 \"_\", not {path:?}"
            )));
        }
        if name.split('/').next() == Some("v1") {
            let message = format!("{path:?} is where databases are; choose another path");
            return Err(Error::invalid(message));
        }
        if !files.is_dir() {
            return Err(Error::not_found(format!("there is no folder {}", files.display())));
        }
        self.list().map(drop)
    }

    fn list(&self) -> Result<Listed> {
        let mut listed = Listed::new();
        list(&self.files, "", DEPTH_MAX, &mut listed)?;
        Ok(listed)
    }
}

/// Adds what is in `folder`, whose path is `within`; what hides behind a dot is left out.
fn list(folder: &Path, within: &str, depth: usize, listed: &mut Listed) -> Result<()> {
    let failed = |error| fault::os("cannot read", folder.display().to_string(), &error);
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else { continue };
        let (path, file) = (format!("{within}{name}"), entry.path());
        if file.is_dir() && depth > 0 {
            list(&file, &format!("{path}/"), depth - 1, listed)?;
        } else if file.is_file() {
            listed.insert(path, file);
        }
        if listed.len() > FILES_MAX {
            return Err(Error::limit_exceeded(format!(
                "{} has more than {FILES_MAX} files; serve a folder with fewer",
                folder.display()
            )));
        }
    }
    Ok(())
}

/// What answers for the files of the folders.
pub(crate) fn routes(folders: &[Folder]) -> Result<Router<Arc<Context>>> {
    let mut router = Router::new();
    for folder in folders {
        let listed = Arc::new(folder.list()?);
        let inside = format!("{}/", folder.path);
        // What a page names beside itself is only right when its address ends with a slash.
        let enter = Redirect::permanent(&inside).into_response().headers().clone();
        let entered = move || async move { (StatusCode::PERMANENT_REDIRECT, enter) };
        let index = {
            let listed = Arc::clone(&listed);
            move || answer(listed, INDEX.to_owned())
        };
        let file = move |Within(path): Within<String>| answer(listed, path);
        router = router
            .route(&folder.path, get(entered))
            .route(&inside, get(index))
            .route(&format!("{inside}{{*path}}"), get(file));
    }
    Ok(router)
}

/// The file at `path`, and what browsers are to know of it.
async fn answer(listed: Arc<Listed>, path: String) -> Response {
    let missing = (StatusCode::NOT_FOUND, "there is no such file");
    let Some(file) = listed.get(&path).cloned() else { return missing.into_response() };
    match tokio::task::spawn_blocking(move || fs::read(file)).await {
        Ok(Ok(bytes)) => (headers_of(&path), bytes).into_response(),
        // It went after the server started.
        _ => missing.into_response(),
    }
}

/// The type of a file and how long it lasts; and what a page cannot say of itself, the rest of whose
/// policy is in it.
fn headers_of(path: &str) -> HeaderMap {
    let end = path.rsplit('.').next().unwrap_or_default();
    let known = TYPES.iter().find(|(name, _)| *name == end);
    let kind = known.map_or("application/octet-stream", |(_, kind)| kind);
    let lasts = path.starts_with(LASTING);
    let age = if lasts { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, age),
        (header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    headers.map(|(name, value)| (name, HeaderValue::from_static(value))).into_iter().collect()
}
