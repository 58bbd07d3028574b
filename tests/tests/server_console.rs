//! The web console is a few files at `/` that come with everything a browser should be told about
//! them, and that are not there where an operator turned them off. What the page does is tested in a
//! browser, by `node-server/console/test`.

mod cli_program;
mod server_fixture;

use cli_program::run;
use server_fixture::{
    any_port,
    http::{Answer, Http},
    memory_server, within_time,
};
use vectordoc::Result;
use vectordoc_server::{Catalog, Server};

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

/// The page as a browser asks for it.
async fn page(server: &Server) -> Result<Answer> {
    Http::to(server).with("accept", HTML).send("GET", "/", "").await
}

fn text(answer: &Answer) -> String {
    String::from_utf8_lossy(&answer.body).into_owned()
}

/// The paths of this server that a text of the page names.
fn named_in(text: &str) -> Vec<String> {
    let paths = text.split('"').filter(|part| part.starts_with("/console/"));
    paths.map(str::to_owned).collect()
}

/// The paths that a module at `path` imports.
fn imported_by(path: &str, text: &str) -> Vec<String> {
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let relative = text.split('"').filter(|part| part.starts_with('.') && part.ends_with(".js"));
    relative
        .map(|part| match part.strip_prefix("../") {
            Some(rest) => {
                format!("{}/{rest}", folder.rsplit_once('/').map_or("", |(above, _)| above))
            }
            None => format!("{folder}/{}", part.trim_start_matches("./")),
        })
        .collect()
}

#[tokio::test]
async fn a_browser_gets_the_page_and_all_that_it_is_made_of() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let found = page(&server).await?;
        assert_eq!(found.status, 200);
        assert_eq!(found.header("content-type"), "text/html; charset=utf-8");
        let html = text(&found);
        assert!(!html.contains("<style") && !html.contains("style="), "{html}");
        assert_eq!(html.matches("<script").count(), html.matches(" src=\"/console/").count());
        let mut paths = named_in(&html);
        let mut next = 0;
        while let Some(path) = paths.get(next).cloned() {
            let file = Http::to(&server).send("GET", &path, "").await?;
            let wanted = match path.rsplit_once('.') {
                Some((_, "js")) => "text/javascript; charset=utf-8",
                Some((_, "css")) => "text/css; charset=utf-8",
                _ => "image/svg+xml",
            };
            assert_eq!((file.status, file.header("content-type")), (200, wanted), "{path}");
            for import in imported_by(&path, &text(&file)) {
                if !paths.contains(&import) {
                    paths.push(import);
                }
            }
            next += 1;
        }
        assert!(paths.len() > 20, "{paths:?}");
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn every_file_comes_with_a_strict_policy_and_is_asked_for_once() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        for path in ["/", "/console/main.js", "/console/style/base.css", "/console/icon.svg"] {
            let asked = Http::to(&server).with("accept", HTML);
            let found = asked.send("GET", path, "").await?;
            let policy = found.header("content-security-policy");
            for part in [
                "default-src 'none'",
                "script-src 'self'",
                "connect-src 'self'",
                "frame-ancestors 'none'",
                "base-uri 'none'",
                "form-action 'none'",
                "require-trusted-types-for 'script'",
            ] {
                assert!(policy.contains(part), "{path}: {policy}");
            }
            assert!(!policy.contains("unsafe") && !policy.contains('*'), "{policy}");
            assert_eq!(found.header("x-content-type-options"), "nosniff", "{path}");
            assert_eq!(found.header("referrer-policy"), "no-referrer", "{path}");
            assert_eq!(found.header("cross-origin-opener-policy"), "same-origin", "{path}");
            assert_eq!(found.header("cross-origin-resource-policy"), "same-origin", "{path}");
            assert_eq!(found.header("cache-control"), "no-cache", "{path}");
            let etag = found.header("etag").to_owned();
            let known = asked.with("if-none-match", &format!("\"other\", {etag}"));
            let again = known.send("GET", path, "").await?;
            assert_eq!((again.status, again.body.len()), (304, 0), "{path}");
            assert_eq!(again.header("etag"), etag, "{path}");
            let other = asked.with("if-none-match", "W/\"other\"").send("GET", path, "").await?;
            assert_eq!(other.status, 200, "{path}");
            let zipped = asked.with("accept-encoding", "gzip").send("GET", path, "").await?;
            assert_eq!(zipped.header("content-encoding"), "gzip", "{path}");
            assert!(zipped.body.len() < found.body.len(), "{path}");
            assert_eq!(asked.send("HEAD", path, "").await?.body.len(), 0, "{path}");
            assert_eq!(asked.send("POST", path, "").await?.status, 405, "{path}");
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn who_wants_no_page_gets_none() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        for accept in ["*/*", "application/json", ""] {
            let answer = Http::to(&server).with("accept", accept).send("GET", "/", "").await?;
            assert_eq!(answer.status, 404, "{accept:?}");
            assert_eq!(answer.json()["code"], "not_found");
            assert!(answer.header("vary").contains("accept"), "{:?}", answer.headers);
        }
        for path in ["/console", "/console/", "/console/../Cargo.toml", "/console/test/x.mjs"] {
            let answer = Http::to(&server).with("accept", HTML).send("GET", path, "").await?;
            assert_eq!((answer.status, &answer.json()["code"]), (404, &"not_found".into()));
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn the_page_is_guarded_like_everything_else() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let asked = Http::to(&server).with("accept", HTML);
        for (header, value) in [("host", "rebound.example.com"), ("origin", "https://example.com")]
        {
            let answer = asked.with(header, value).send("GET", "/", "").await?;
            assert_eq!((answer.status, &answer.json()["code"]), (403, &"denied".into()));
        }
        server.shutdown().await
    })
    .await
}

#[tokio::test]
async fn a_console_that_is_turned_off_is_not_there() -> Result<()> {
    within_time(async {
        let off = any_port().console(false);
        let server = Server::start(Catalog::in_memory(1), &off).await?;
        assert_eq!(server.console_url(), None);
        for path in ["/", "/console/main.js"] {
            let answer = Http::to(&server).with("accept", HTML).send("GET", path, "").await?;
            assert_eq!((answer.status, &answer.json()["code"]), (404, &"not_found".into()));
        }
        assert_eq!(Http::to(&server).send("GET", "/v1/dbs", "").await?.status, 200);
        server.shutdown().await?;
        let server = memory_server().await?;
        let url = format!("http://{}/", server.addr());
        assert_eq!(server.console_url(), Some(url));
        server.shutdown().await
    })
    .await
}

#[test]
fn an_operator_turns_it_off_by_a_setting() {
    let printed = run(["config"]).succeeded();
    assert!(printed.contains("console = true  # default\n"), "{printed}");
    let printed = run(["config", "--console=false"]).succeeded();
    assert!(printed.contains("console = false  # --console\n"), "{printed}");
    assert!(run(["config", "--console=maybe"]).failed(2).contains("neither true nor false"));
    let help = run(["serve", "--help"]).succeeded();
    assert!(help.contains("--console[=<true|false>]"), "{help}");
}
