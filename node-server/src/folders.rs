//! Folders of files that are served as they are, to whoever may knock: the web demo.

use crate::server::Context;
use axum::{
    Router,
    http::{HeaderValue, header},
    middleware,
    response::{Redirect, Response},
    routing::get,
};
use std::{path::PathBuf, sync::Arc};
use tower_http::services::ServeDir;

/// What lies in a folder with this name does not change: it has a hash of its content in its name.
const LASTING: &str = "/assets/";

/// A folder, and the path that its files are found below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Folder {
    /// Begins with a slash and ends without.
    pub(crate) path: String,
    /// Where the files are.
    pub(crate) files: PathBuf,
}

/// What answers for the files of the folders.
pub(crate) fn routes(folders: &[Folder]) -> Router<Arc<Context>> {
    folders.iter().fold(Router::new(), |router, Folder { path, files }| {
        let inside = format!("{path}/");
        // What a page names beside itself is only right when its address ends with a slash.
        let enter = get({
            let inside = inside.clone();
            move || async move { Redirect::permanent(&inside) }
        });
        let served = Router::new()
            .fallback_service(ServeDir::new(files))
            .layer(middleware::from_fn(keep))
            .layer(middleware::map_response(protect));
        router.route(path, enter).nest_service(&inside, served)
    })
}

/// Says how long browsers may keep a file.
async fn keep(request: axum::extract::Request, next: middleware::Next) -> Response {
    let lasts = request.uri().path().contains(LASTING);
    let mut response = next.run(request).await;
    if response.status().is_success() {
        let age = if lasts { "public, max-age=31536000, immutable" } else { "no-cache" };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static(age));
    }
    response
}

/// Says what a page cannot say of itself; the rest of its policy is in the page.
async fn protect(mut response: Response) -> Response {
    let headers = response.headers_mut();
    let mut say = |name, value| headers.insert(name, HeaderValue::from_static(value));
    say(header::CONTENT_SECURITY_POLICY, "frame-ancestors 'none'");
    say(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    say(header::REFERRER_POLICY, "no-referrer");
    response
}
