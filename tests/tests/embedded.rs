//! Promise: the embedded database does what its contract says, in memory and in a directory.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};
use vectordoc::{
    Db, Error, ErrorKind, Filter, Include, Query, Result, VectorDoc, native::Residence,
};

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: String,
    #[vectordoc(vector(dim = 4, metric = "cosine"))]
    embedding: Vec<f32>,
    #[vectordoc(filter)]
    price: f64,
    #[vectordoc(filter)]
    tags: Vec<String>,
    #[vectordoc(filter)]
    maker: Option<Maker>,
    title: String,
}

#[derive(Clone, Debug, PartialEq, VectorDoc)]
struct Maker {
    name: String,
    #[vectordoc(filter)]
    country: String,
}

fn product(number: u16) -> Product {
    let angle = f32::from(number) * 0.1;
    let maker = Maker {
        name: format!("maker {number}"),
        country: ["NL", "DE", "FR"][usize::from(number % 3)].into(),
    };
    Product {
        id: format!("p{number:03}"),
        embedding: vec![angle.cos(), angle.sin(), 0.1, 0.0],
        price: f64::from(number),
        tags: if number.is_multiple_of(2) { vec!["even".into(), "new".into()] } else { vec![] },
        maker: (!number.is_multiple_of(5)).then_some(maker),
        title: format!("product {number}"),
    }
}

fn products(count: u16) -> Vec<Product> {
    (0..count).map(product).collect()
}

fn each_kind(mut judge: impl FnMut(Db<Product>) -> Result<()>) -> Result<()> {
    judge(Db::in_memory()?)?;
    judge(Db::builder().shards(3).in_memory()?)?;
    let directory = tempfile::tempdir().expect("a temporary directory");
    judge(Db::open(directory.path().join("one"))?)?;
    judge(Db::builder().shards(4).open(directory.path().join("four"))?)?;
    judge(Db::builder().residence(Residence::Disk).open(directory.path().join("resting"))?)
}

#[test]
fn the_contract_s_example_runs() -> Result<()> {
    each_kind(|db| {
        assert_eq!(db.index(products(40))?, 40);
        let query = product(7).embedding;
        let hits = db
            .search(&query)
            .limit(10)
            .filter(Product::price().lt(20.0) & Product::tags().contains("new"))
            .run()?;
        assert_eq!(hits.len(), 10);
        assert_eq!(hits[0].doc, product(6), "the nearest even one");
        assert!(hits.windows(2).all(|pair| pair[0].distance <= pair[1].distance));
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));

        let changed = Product { price: 1_000.0, ..product(3) };
        db.update(changed.clone())?;
        assert_eq!(db.get("p003")?, Some(changed));
        let deleted = db.delete(["p001", "p002", "nobody"])?;
        assert_eq!((deleted.deleted, deleted.missing), (2, vec!["nobody".into()]));
        assert_eq!(db.get("p001")?, None);
        assert_eq!(db.count(Filter::All)?, 38);
        assert_eq!(db.count(Product::price().gte(1_000.0))?, 1);
        assert_eq!(db.delete_where(Product::maker().country().is_in(["NL", "DE"]))?, 21);
        assert_eq!(db.count(Filter::All)?, 17);
        Ok(())
    })
}

#[test]
fn update_of_a_missing_document_is_not_found_and_changes_nothing() -> Result<()> {
    each_kind(|db| {
        let error = db.update(product(1)).expect_err("there is no such document");
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.message().contains("p001"), "{error}");
        assert_eq!(db.count(Filter::All)?, 0);
        Ok(())
    })
}

#[test]
fn one_bad_document_keeps_the_whole_batch_out() -> Result<()> {
    type Spoil = fn(&mut Product);
    let bad: [(&str, Spoil); 6] = [
        ("vector has 3 dimensions, field \"embedding\" needs 4", |p| p.embedding.truncate(3)),
        ("position 2; every component must be finite", |p| p.embedding[2] = f32::NAN),
        ("every component must be finite", |p| p.embedding[0] = f32::INFINITY),
        ("is zero, which has no direction", |p| p.embedding.fill(0.0)),
        ("the id is empty", |p| p.id.clear()),
        ("field \"price\" holds a finite number", |p| p.price = f64::NAN),
    ];
    each_kind(|db| {
        for (message, spoil) in bad {
            let mut batch = products(10);
            spoil(&mut batch[6]);
            let error = db.index(batch).expect_err(message);
            assert_eq!(error.kind(), ErrorKind::Invalid);
            assert!(error.message().contains(message), "{error}");
            assert!(message.contains("id is empty") || error.message().contains("p006"), "{error}");
            assert_eq!(db.count(Filter::All)?, 0);
        }
        Ok(())
    })
}

#[test]
fn a_search_refuses_what_it_cannot_mean() -> Result<()> {
    each_kind(|db| {
        db.index(products(10))?;
        let refused = |search: Result<Vec<_>>| search.expect_err("refused").kind();
        assert_eq!(refused(db.search(&[1.0; 5]).run()), ErrorKind::Invalid);
        assert_eq!(refused(db.search(&[0.0; 4]).run()), ErrorKind::Invalid);
        assert_eq!(refused(db.search(&[f32::NAN; 4]).run()), ErrorKind::Invalid);
        assert_eq!(refused(db.search(&[1.0; 4]).limit(10_001).run()), ErrorKind::LimitExceeded);
        assert_eq!(refused(db.search(&[1.0; 4]).field("embeding").run()), ErrorKind::Invalid);
        assert!(db.search(&[1.0; 4]).limit(0).run()?.is_empty());
        assert_eq!(db.search(&[1.0; 4]).limit(100).run()?.len(), 10, "as many as there are");
        assert_eq!(db.search(&[1.0; 4]).limit(5).offset(8).run()?.len(), 2);
        Ok(())
    })
}

#[test]
fn an_empty_database_answers() -> Result<()> {
    each_kind(|db| {
        assert!(db.search(&[1.0; 4]).run()?.is_empty());
        assert_eq!(db.count(Filter::All)?, 0);
        assert_eq!(db.index([])?, 0);
        assert_eq!(db.delete(Vec::<String>::new())?.deleted, 0);
        assert!(db.scroll(Filter::All, None, 10)?.docs.is_empty());
        Ok(())
    })
}

#[test]
fn scrolling_gives_every_document_once_in_order() -> Result<()> {
    each_kind(|db| {
        db.index(products(100))?;
        let filter = Product::price().lt(95.0);
        let (mut seen, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let page = db.scroll(filter.clone(), cursor.as_deref(), 10)?;
            assert!(page.docs.len() <= 10);
            seen.extend(page.docs);
            cursor = page.cursor;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, products(95));
        Ok(())
    })
}

#[test]
fn min_score_leaves_out_what_is_too_far() -> Result<()> {
    each_kind(|db| {
        db.index(products(30))?;
        let hits = db.search(&product(0).embedding).limit(30).min_score(0.9).run()?;
        assert!(!hits.is_empty() && hits.len() < 30);
        assert!(hits.iter().all(|hit| hit.score >= 0.9));
        Ok(())
    })
}

#[test]
fn a_batch_of_queries_answers_each() -> Result<()> {
    each_kind(|db| {
        db.index(products(30))?;
        let vectors = [product(3).embedding, product(9).embedding];
        let results = db.search_batch(&vectors).with(|search| search.limit(1)).run()?;
        let ids: Vec<_> = results.iter().map(|hits| hits[0].doc.id.as_str()).collect();
        assert_eq!(ids, ["p003", "p009"]);
        Ok(())
    })
}

#[test]
fn a_batch_answers_as_its_queries_do_one_by_one() -> Result<()> {
    each_kind(|db| {
        db.index(products(120))?;
        let filters = [Filter::All, Product::price().lt(9.0), Product::tags().contains("even")];
        let query = |number: u16| Query {
            limit: usize::from(number % 7),
            exact: number % 4 < 3,
            filter: filters[usize::from(number % 3)].clone(),
            include: Include::Everything,
            ..Query::new(product(number).embedding)
        };
        let queries: Vec<_> = (0..50).map(query).collect();
        let database = db.database();
        let alone: Vec<_> =
            queries.iter().map(|query| database.search(query)).collect::<Result<_>>()?;
        assert_eq!(database.search_batch(&queries)?, alone);
        Ok(())
    })
}

#[test]
fn everything_is_there_after_reopening() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for shards in [1, 4] {
        let path = directory.path().join(shards.to_string());
        let db = Db::<Product>::builder().shards(shards).open(&path)?;
        db.index(products(200))?;
        db.delete(["p010", "p011"])?;
        db.update(Product { title: "new".into(), ..product(12) })?;
        let before = db.search(&product(50).embedding).limit(50).run()?;
        db.close()?;
        assert_eq!(db.count(Filter::All).expect_err("closed").kind(), ErrorKind::Closed);

        for residence in [Residence::Disk, Residence::Memory] {
            let db = Db::<Product>::builder().residence(residence).open(&path)?;
            assert_eq!(db.search(&product(50).embedding).limit(50).run()?, before);
            assert_eq!(db.get("p010")?, None);
            assert_eq!(db.get("p012")?.map(|product| product.title).as_deref(), Some("new"));
            db.database().check()?;
        }
    }
    Ok(())
}

#[test]
fn another_schema_is_a_conflict_that_names_the_field() -> Result<()> {
    #[derive(VectorDoc)]
    struct Cheaper {
        #[vectordoc(id)]
        id: String,
        #[vectordoc(vector(dim = 8))]
        embedding: Vec<f32>,
    }
    let directory = tempfile::tempdir().expect("a temporary directory");
    Db::<Product>::open(directory.path())?.index(products(3))?;
    let error = Db::<Cheaper>::open(directory.path()).expect_err("another schema");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.message().contains("\"embedding\"") && error.message().contains('8'), "{error}");
    assert_eq!(Db::<Product>::open(directory.path())?.count(Filter::All)?, 3, "nothing was lost");
    let error = Db::<Product>::builder().shards(2).open(directory.path()).expect_err("1 shard");
    assert_eq!(error.kind(), ErrorKind::Conflict);
    Ok(())
}

#[test]
fn a_second_opener_is_refused_and_told_who_has_it() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let first = Db::<Product>::open(directory.path())?;
    let error = Db::<Product>::open(directory.path()).expect_err("it is open");
    assert_eq!(error.kind(), ErrorKind::Busy);
    assert!(error.message().contains(&std::process::id().to_string()), "{error}");
    drop(first);
    Db::<Product>::open(directory.path())?;
    Ok(())
}

#[test]
fn concurrent_writers_lose_nothing_and_share_commits() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let db = Db::<Product>::open(directory.path())?;
    std::thread::scope(|scope| {
        let write = |thread: u16| {
            let db = db.clone();
            move || (0..50).try_for_each(|n| db.index([product(thread * 50 + n)]).map(|_| ()))
        };
        let writers: Vec<_> = (0..8).map(|thread| scope.spawn(write(thread))).collect();
        writers.into_iter().try_for_each(|writer| writer.join().expect("no panic"))
    })?;
    assert_eq!(db.count(Filter::All)?, 400);
    db.database().check()
}

#[test]
fn a_search_sees_a_batch_whole_or_not_at_all_while_writers_run() -> Result<()> {
    const BATCHES: u16 = 200;
    // Every batch replaces all documents, by other vectors every other time.
    let batch = |number: u16| {
        products(20).into_iter().map(move |mut product| {
            product.embedding[3] = f32::from(number / 2 % 7);
            Product { price: f64::from(number), ..product }
        })
    };
    let directory = tempfile::tempdir().expect("a temporary directory");
    let at_rest = Db::builder().residence(Residence::Disk).open(directory.path())?;
    for db in [Db::in_memory()?, at_rest] {
        db.index(batch(0))?;
        let running = AtomicUsize::new(2);
        let write = |writer: u16| {
            let result =
                (1..=BATCHES).try_for_each(|n| db.index(batch(2 * n + writer)).map(|_| ()));
            running.fetch_sub(1, Ordering::Relaxed);
            result
        };
        let seen = std::thread::scope(|scope| {
            let writers = [0, 1].map(|writer| scope.spawn(move || write(writer)));
            let mut seen = BTreeSet::new();
            while running.load(Ordering::Relaxed) > 0 {
                let hits = db.search(&[1.0, 0.0, 0.0, 0.0]).limit(100).run()?;
                assert_eq!(hits.len(), 20);
                let price = hits[0].doc.price;
                assert!(hits.iter().all(|hit| hit.doc.price == price), "two batches in one answer");
                seen.insert(price.to_bits());
            }
            writers.into_iter().try_for_each(|writer| writer.join().expect("no panic"))?;
            Ok::<_, Error>(seen)
        })?;
        assert!(seen.len() > 1, "no search fell between two writes");
        db.database().check()?;
    }
    Ok(())
}

#[test]
fn a_search_of_several_shards_sees_what_each_wrote_whole_while_writers_run() -> Result<()> {
    const SHARDS: usize = 3;
    const BATCHES: u16 = 300;
    let batch = |number: u16| {
        let dearer = move |product| Product { price: f64::from(number), ..product };
        products(20).into_iter().map(dearer)
    };
    let db = Db::builder().shards(SHARDS).in_memory()?;
    db.index(batch(0))?;
    let is_over = AtomicBool::new(false);
    let seen = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let written = (1..=BATCHES).try_for_each(|n| db.index(batch(n)).map(|_| ()));
            is_over.store(true, Ordering::Relaxed);
            written
        });
        let mut seen = BTreeSet::new();
        while !is_over.load(Ordering::Relaxed) {
            let hits = db.search(&[1.0, 0.0, 0.0, 0.0]).limit(100).run()?;
            assert_eq!(hits.len(), 20);
            let mut prices = [const { None }; SHARDS];
            for hit in &hits {
                let price = prices[hit.id.shard(SHARDS)].get_or_insert(hit.doc.price);
                assert_eq!(*price, hit.doc.price, "two batches of one shard in one answer");
            }
            seen.insert(hits[0].doc.price.to_bits());
        }
        writer.join().expect("no panic")?;
        Ok::<_, Error>(seen)
    })?;
    assert!(seen.len() > 1, "no search fell between two writes");
    Ok(())
}

#[test]
fn of_several_changes_of_one_document_in_a_batch_the_last_counts() -> Result<()> {
    each_kind(|db| {
        db.index([product(1), product(2)])?;
        let dearer = |price| Product { price, ..product(1) };
        assert_eq!(
            db.index([
                dearer(5.0),
                product(3),
                Product { embedding: vec![0.5; 4], ..dearer(6.0) },
                dearer(7.0)
            ])?,
            4
        );
        assert_eq!(db.get("p001")?, Some(dearer(7.0)));
        assert_eq!(db.count(Filter::All)?, 3);
        assert_eq!(db.search(&product(1).embedding).limit(9).run()?.len(), 3);
        db.database().check()
    })
}

#[test]
fn an_update_that_keeps_the_vector_keeps_the_slot() -> Result<()> {
    let db = Db::<Product>::in_memory()?;
    db.index(products(100))?;
    db.database().checkpoint()?;
    let before = db.database().stats().memory_bytes;
    for round in 0..20 {
        db.index(
            products(100).into_iter().map(|product| Product { price: f64::from(round), ..product }),
        )?;
    }
    assert_eq!(db.database().stats().unindexed, 0, "no vector changed");
    assert!(db.database().stats().memory_bytes <= before * 11 / 10);
    Ok(())
}

#[test]
fn a_lost_shard_is_named_and_nothing_is_put_in_its_place() -> Result<()> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("db");
    Db::<Product>::builder().shards(3).open(&path)?.index(products(30))?;
    let (file, away) = (path.join("shard-1-of-3.redb"), directory.path().join("away"));
    std::fs::rename(&file, &away).expect("it can be moved");
    for _ in 0..2 {
        let error = Db::<Product>::open(&path).expect_err("a shard is missing");
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.message().contains("shard-1-of-3.redb is missing"), "{error}");
    }
    std::fs::rename(&away, &file).expect("it can be moved back");
    assert_eq!(Db::<Product>::open(&path)?.count(Filter::All)?, 30);
    Ok(())
}

#[test]
fn a_database_in_memory_has_no_disk_to_rest_on() {
    let error = Db::<Product>::builder().residence(Residence::Disk).in_memory();
    let error = error.expect_err("there is no disk");
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(error.message().contains("create it in a directory"), "{error}");
}
