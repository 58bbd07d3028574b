//! Promise: a program written for an embedded database runs with a served one: every verb of `Db` is
//! one of `Client`, takes the same and answers the same.

mod server_fixture;

use server_fixture::{Product, client_of, direction, kind, memory_server, product, within_time};
use std::time::Duration;
use vectordoc::{
    Change, ChangePage, ChangeQuery, Client, Db, ErrorKind, Filter, Order, Patch, Result, Scroll,
};

/// Verbs of `Db` that are about this process: how it is opened, and what is below it.
const EMBEDDED_ONLY: [&str; 4] = ["open", "in_memory", "builder", "database"];

macro_rules! now {
    ($done:expr) => {
        $done
    };
}

macro_rules! later {
    ($done:expr) => {
        $done.await
    };
}

/// Uses every verb of `$db`; `$wait` takes the result of one. What is asserted is what both are.
macro_rules! use_every_verb {
    ($db:expr, $wait:ident) => {{
        let db = $db;
        let start = $wait!(db.changes(ChangeQuery::from_now()))?;
        assert_eq!($wait!(db.index((0..60).map(product)))?, 60);
        assert_eq!($wait!(db.get("p7"))?, Some(product(7)));
        assert_eq!($wait!(db.get("nobody"))?, None);
        $wait!(db.update(Product { title: "new".into(), ..product(7) }))?;
        let missing = $wait!(db.update(Product { id: "nobody".into(), ..product(7) }));
        assert_eq!(kind(missing), Some(ErrorKind::NotFound));

        let (doc, version) = $wait!(db.get_versioned("p7"))?.expect("it is there");
        assert_eq!(doc.title, "new");
        let next = $wait!(db.index_if(product(7), version))?;
        assert_eq!(kind($wait!(db.index_if(product(7), version))), Some(ErrorKind::Conflict));
        let patched = $wait!(db.patch_if("p7", Patch::new().set("title", "seven"), next))?;
        assert!(patched > next);
        assert!($wait!(db.patch("p7", Patch::new().increment("price", 0.5)))? > patched);
        assert_eq!($wait!(db.get("p7"))?.map(|doc| doc.price), Some(7.5));
        let cheap = || Product::price().lt(3.0);
        assert_eq!($wait!(db.patch_where(cheap(), Patch::new().set("title", "cheap")))?, 3);
        assert_eq!(kind($wait!(db.delete_if("p2", 0))), Some(ErrorKind::Conflict));
        let (_, version) = $wait!(db.get_versioned("p2"))?.expect("it is there");
        $wait!(db.delete_if("p2", version))?;
        assert_eq!($wait!(db.delete_where(cheap()))?, 2);
        let deleted = $wait!(db.delete(["p3", "p0"]))?;
        assert_eq!((deleted.deleted, deleted.missing), (1, vec!["p0".into()]));

        assert_eq!($wait!(db.count(Filter::All))?, 56);
        assert_eq!($wait!(db.count(Product::tags().contains("odd")))?, 28);
        let page = $wait!(db.scroll(Filter::All, None, 50))?;
        assert_eq!(page.docs.len(), 50);
        let rest = $wait!(db.scroll(Filter::All, page.cursor.as_deref(), 50))?;
        assert_eq!((rest.docs.len(), rest.cursor), (6, None));
        let order = Some(Order { field: "price".into(), descending: true });
        let page = $wait!(db.scroll_by(Scroll { order, ..Scroll::new(2) }))?;
        assert_eq!(page.docs, [product(59), product(58)]);
        let counts = $wait!(db.facet("tags", Filter::All, 10))?;
        assert_eq!(counts, [("even".into(), 28), ("odd".into(), 28)]);

        let hits = $wait!(db.search(&direction(20)).limit(2).filter(!cheap()).run())?;
        assert_eq!(hits[0].doc, product(20));
        assert_eq!($wait!(db.search(&direction(20)).limit(1).ids())?, ["p20".into()]);
        let groups = $wait!(db.search(&direction(20)).limit(2).groups("tags", 1));
        assert_eq!(kind(groups), Some(ErrorKind::Invalid));
        assert_eq!(kind($wait!(db.search_text("seven").run())), Some(ErrorKind::Invalid));
        let like = $wait!(db.search_like(["p30"]).with(|search| search.limit(2)).run())?;
        assert!(like.iter().all(|hit| ["p29", "p31"].contains(&hit.doc.id.as_str())), "{like:?}");
        let queries = [direction(40), direction(9)];
        let results = $wait!(db.search_batch(&queries).with(|search| search.limit(1)).run())?;
        assert_eq!(
            results.iter().map(|hits| &hits[0].doc).collect::<Vec<_>>(),
            [&product(40), &product(9)]
        );

        let mut seen: Vec<(&str, String)> = Vec::new();
        let mut cursor = start.cursor;
        loop {
            let page = $wait!(db.changes(ChangeQuery::since(cursor)))?;
            seen.extend(told(&page));
            cursor = page.cursor;
            if !page.has_more {
                break;
            }
        }
        assert_eq!(seen.iter().filter(|(what, _)| *what == "delete").count(), 4, "{seen:?}");
        assert!(seen.contains(&("index", "p59".into())), "{seen:?}");
        let end = || ChangeQuery::since(cursor.clone());
        let nothing = $wait!(db.changes_within(end(), Duration::ZERO))?;
        assert_eq!(nothing.changes, []);
        $wait!(db.index([product(100)]))?;
        let page = $wait!(db.changes_within(end(), Duration::from_secs(60)))?;
        assert_eq!(told(&page), [("index", "p100".into())]);
        $wait!(db.close())?;
        assert_eq!(kind($wait!(db.count(Filter::All))), Some(ErrorKind::Closed));
        Ok(())
    }};
}

fn told(page: &ChangePage<Product>) -> Vec<(&'static str, String)> {
    let told = |change: &Change<Product>| match change {
        Change::Index { doc, .. } => ("index", doc.id.clone()),
        Change::Delete { id, .. } => ("delete", id.to_string()),
        Change::Leave { id, .. } => ("leave", id.to_string()),
    };
    page.changes.iter().map(told).collect()
}

#[test]
fn an_embedded_database_does_every_verb() -> Result<()> {
    use_every_verb!(Db::<Product>::builder().shards(3).in_memory()?, now)
}

#[tokio::test]
async fn a_served_database_does_every_verb() -> Result<()> {
    within_time(async {
        let server = memory_server().await?;
        let client: Client<Product> = client_of(&server, 3).await?;
        use_every_verb!(client, later)
    })
    .await
}

/// The public functions of `impl … T<…>` blocks in a source file, each as one line without what
/// makes it asynchronous.
fn verbs(source: &str, block: &str) -> Vec<String> {
    let start = source.find(block).unwrap_or_else(|| panic!("{block} is gone"));
    let body = source[start..].split("\n}\n").next().expect("a block");
    let functions = body.split("\n    pub ").skip(1).map(|function| {
        let signature = function.split(" {\n").next().expect("a signature");
        let words = signature.trim_start_matches("async ").split_whitespace();
        let line = words.collect::<Vec<_>>().join(" ");
        line.replace("( ", "(").replace(", )", ")")
    });
    functions.filter(|function| function.starts_with("fn ")).collect()
}

#[test]
fn the_client_has_the_verbs_of_an_embedded_database_with_the_same_signatures() {
    let embedded = verbs(include_str!("../../core/src/native/typed.rs"), "> Db<T> {\n    fn of(");
    let served = verbs(include_str!("../../core/src/client/typed.rs"), "> Client<T> {");
    let name = |verb: &str| verb["fn ".len()..].split(['(', '<']).next().map(str::to_owned);
    assert!(embedded.len() > 20, "the source is read: {embedded:?}");
    for verb in embedded {
        if EMBEDDED_ONLY.map(Some).contains(&name(&verb).as_deref()) {
            continue;
        }
        assert!(served.contains(&verb), "the client has no `{verb}`: {served:#?}");
    }
}
