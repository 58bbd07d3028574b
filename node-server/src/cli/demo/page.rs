//! The web demo: where its built files are, and serving them.

use crate::{ServeOptions, Server, cli::output::Output};
use std::path::{Path, PathBuf};
use vectordoc::{Error, Result};

/// Where the page is found.
const PATH: &str = "/demo";
/// Where the page looks for the data set.
const DATASET_PATH: &str = "/demo/wordnet50k";
/// Where the build puts the page, seen from this crate.
const BUILT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../web-demo/dist");
/// The folder of the page where a program is installed with it.
const BESIDE: &str = "web-demo";

/// The folder of the built page: the one given, or where it usually is. None if it is not built.
pub(super) fn find(given: Option<&Path>) -> Result<Option<PathBuf>> {
    let is_page = |folder: &PathBuf| folder.join("index.html").is_file();
    if let Some(given) = given.map(Path::to_path_buf) {
        let missing = || {
            let folder = given.display();
            Error::not_found(format!(
                "there is no index.html in {folder}; `npm run build` in web-demo writes one to \
                 web-demo/dist"
            ))
        };
        return if is_page(&given) { Ok(Some(given)) } else { Err(missing()) };
    }
    let program = std::env::current_exe().ok();
    let beside = program.and_then(|program| Some(program.parent()?.join(BESIDE)));
    Ok(beside.into_iter().chain([BUILT.into()]).find(is_page))
}

/// The options with the page and the data set, as far as they are there.
pub(super) fn served(
    options: ServeOptions,
    page: Option<&Path>,
    dataset: Option<&Path>,
) -> Result<ServeOptions> {
    match (page, dataset) {
        (Some(page), Some(dataset)) => Ok(options.folder(PATH, page).folder(DATASET_PATH, dataset)),
        (Some(page), None) => Ok(options.folder(PATH, page)),
        (None, Some(_)) => Err(Error::invalid(
            "`--dataset` is for the web page, which is not built; `./web-demo/start` builds it",
        )),
        (None, None) => Ok(options),
    }
}

/// Says where the page is, or how to get it.
pub(super) fn announce(server: &Server, page: Option<&Path>, out: &mut Output) -> Result<()> {
    match page {
        // By this name it is a place where browsers allow everything that the page needs.
        Some(_) => out.line(format_args!(
            "See it in a browser: http://localhost:{}{PATH}/\n",
            server.addr().port()
        )),
        None => out.line("The web page is not built; `./web-demo/start` builds and shows it.\n"),
    }
}
