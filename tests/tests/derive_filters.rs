//! Typed filters: each is the filter its JSON says, and finds what a loop over the documents does.

use std::{
    collections::BTreeSet,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use vectordoc::{Db, Filter, GeoPoint, Result, Timestamp, Uuid, VectorDoc, filter::Comparison};

#[derive(Clone, Debug, VectorDoc)]
struct Product {
    #[vectordoc(id)]
    id: u64,
    #[vectordoc(filter)]
    price: f64,
    #[vectordoc(filter)]
    old_price: f64,
    #[vectordoc(filter)]
    tags: Vec<String>,
    #[vectordoc(filter)]
    maker: Maker,
    #[vectordoc(filter)]
    color: Color,
    #[vectordoc(filter)]
    colors: Option<BTreeSet<Color>>,
    #[vectordoc(filter)]
    made: Timestamp,
    #[vectordoc(filter)]
    sold: Option<SystemTime>,
    #[vectordoc(filter)]
    owner: Option<Uuid>,
    #[vectordoc(filter)]
    seen: Vec<Timestamp>,
    #[vectordoc(filter)]
    reviews: Vec<Review>,
    #[vectordoc(filter)]
    place: Option<GeoPoint>,
    #[vectordoc(filter)]
    places: Vec<GeoPoint>,
    #[vectordoc(filter, text)]
    name: Arc<str>,
    #[vectordoc(filter)]
    grade: char,
    #[vectordoc(filter)]
    sizes: [i32; 2],
}

#[derive(Clone, Debug, VectorDoc)]
struct Maker {
    #[vectordoc(filter)]
    country: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, VectorDoc)]
#[vectordoc(rename_all = "lowercase")]
enum Color {
    Red,
    Green,
}

#[derive(Clone, Debug, VectorDoc)]
struct Review {
    #[vectordoc(filter)]
    stars: u8,
    #[vectordoc(filter)]
    author: Option<String>,
    #[vectordoc(filter)]
    words: Vec<String>,
    #[vectordoc(filter)]
    mood: Color,
}

fn point(lat: f64, lon: f64) -> GeoPoint {
    GeoPoint { lat, lon }
}

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn time(seconds: u64) -> Timestamp {
    at(seconds).try_into().expect("it is in range")
}

fn product(id: u64) -> Product {
    let even = id.is_multiple_of(2);
    let color = if even { Color::Red } else { Color::Green };
    let review = |stars: u64| Review {
        stars: u8::try_from(stars).expect("few stars"),
        author: (stars > 2).then(|| format!("author {stars}")),
        words: vec![format!("word {stars}")],
        mood: if stars > 2 { Color::Green } else { Color::Red },
    };
    Product {
        id,
        price: id as f64,
        old_price: 10.0,
        tags: vec![format!("tag {}", id % 3), "all".into()],
        maker: Maker { country: ["NL", "DE", "FR"][(id % 3) as usize].into() },
        color,
        colors: even.then(|| [Color::Green, color].into()),
        made: time(id),
        sold: even.then(|| at(100 + id)),
        owner: (!even).then(|| Uuid::from_u128(id.into())),
        seen: vec![time(id), time(1000)],
        reviews: (0..id % 6).map(review).collect(),
        place: even.then(|| point(50.0, id as f64)),
        places: vec![point(0.0, 179.0 - id as f64), point(id as f64, -179.0)],
        name: format!("product {id}").into(),
        grade: if even { 'a' } else { 'b' },
        sizes: [1, i32::try_from(id).expect("few products")],
    }
}

const PRODUCTS: u64 = 24;

/// The filter is written as the JSON, and it passes exactly the documents that `passes` does, as
/// the one read from the JSON does.
fn finds(filter: Filter, json: &str, passes: impl Fn(&Product) -> bool) {
    let db = Db::<Product>::in_memory().expect("there is memory");
    db.index((0..PRODUCTS).map(product)).expect("they can be stored");
    let read: Filter = json.parse().expect("the filter is right");
    let written = serde_json::to_string(&filter).expect("filters can be written");
    assert_eq!(written.parse::<Filter>().expect("it can be read"), read, "{written}");
    let expected: Vec<u64> = (0..PRODUCTS).filter(|id| passes(&product(*id))).collect();
    assert!((1..24).contains(&expected.len()), "{json} has something to tell apart");
    for filter in [filter, read] {
        let page = db.scroll(filter, None, 100).expect("the filter can be asked");
        let mut found: Vec<u64> = page.docs.into_iter().map(|product| product.id).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{json}");
    }
}

#[test]
fn conditions_are_combined_as_written() {
    finds(
        Product::price().lt(20.0) & !Product::tags().contains("tag 1")
            | Product::maker().country().is_in(["NL", "DE"]),
        r#"{"$or": [{"$and": [{"price": {"$lt": 20.0}}, {"$not": {"tags": {"$contains": "tag 1"}}}]},
                    {"maker.country": {"$in": ["NL", "DE"]}}]}"#,
        |product| {
            product.price < 20.0 && !product.tags.contains(&"tag 1".to_string())
                || ["NL", "DE"].contains(&product.maker.country.as_str())
        },
    );
}

#[test]
fn enums_are_compared_with_their_variants() {
    finds(Product::color().eq(Color::Red), r#"{"color": "red"}"#, |product| {
        product.color == Color::Red
    });
    finds(Product::color().ne(Color::Red), r#"{"color": {"$ne": "red"}}"#, |product| {
        product.color != Color::Red
    });
    finds(
        Product::color().is_in([Color::Green]) & Product::price().gt(3.0),
        r#"{"$and": [{"color": {"$in": ["green"]}}, {"price": {"$gt": 3.0}}]}"#,
        |product| product.color == Color::Green && product.price > 3.0,
    );
    finds(
        Product::colors().contains_all([Color::Green, Color::Red]),
        r#"{"colors": {"$all": ["green", "red"]}}"#,
        |product| product.colors.is_some(),
    );
    finds(Product::colors().is_missing(), r#"{"colors": {"$exists": false}}"#, |product| {
        product.colors.is_none()
    });
}

#[test]
fn timestamps_are_ordered_and_compared_with_the_times_of_other_libraries() {
    finds(
        Product::made().between(time(3), time(5)),
        r#"{"$and": [{"made": {"$gte": "1970-01-01T00:00:03Z"}},
                     {"made": {"$lte": "1970-01-01T00:00:05Z"}}]}"#,
        |product| (time(3)..=time(5)).contains(&product.made),
    );
    let before_seven = r#"{"made": {"$lt": "1970-01-01T00:00:07Z"}}"#;
    let is_before_seven = |product: &Product| product.made < time(7);
    finds(Product::made().lt(at(7)), before_seven, is_before_seven);
    let chrono = chrono::DateTime::from_timestamp(7, 999).expect("in range");
    finds(Product::made().lt(chrono), before_seven, is_before_seven);
    let local = chrono.with_timezone(&chrono::FixedOffset::east_opt(3600).expect("in range"));
    finds(Product::made().lt(local), before_seven, is_before_seven);
    let offset = time::OffsetDateTime::from_unix_timestamp(7).expect("in range");
    finds(Product::made().lt(offset), before_seven, is_before_seven);
    let jiff = jiff::Timestamp::from_second(7).expect("in range");
    finds(Product::made().lt(jiff), before_seven, is_before_seven);
    finds(
        Product::sold().is_in([at(102), at(104)]),
        r#"{"sold": {"$in": ["1970-01-01T00:01:42Z", "1970-01-01T00:01:44Z"]}}"#,
        |product| product.id == 2 || product.id == 4,
    );
    finds(
        Product::seen().contains(time(4)),
        r#"{"seen": {"$contains": "1970-01-01T00:00:04Z"}}"#,
        |product| product.seen.contains(&time(4)),
    );
}

#[test]
fn a_time_no_document_can_have_is_refused_by_name() -> Result<()> {
    let db = Db::<Product>::in_memory()?;
    let far = UNIX_EPOCH + Duration::from_secs(300_000_000_000);
    let error = db.count(Product::made().lt(far)).expect_err("it is too far away").to_string();
    assert!(error.contains("\"made\"") && error.contains("300000000000"), "{error}");
    Ok(())
}

#[test]
fn texts_are_looked_into() {
    let ends_in_3 = |product: &Product| product.name.ends_with('3');
    finds(Product::name().ends_with("3"), r#"{"name": {"$endsWith": "3"}}"#, ends_in_3);
    finds(Product::name().matches("t \\d*3$"), r#"{"name": {"$regex": "t \\d*3$"}}"#, ends_in_3);
    finds(
        Product::name().ends_with_ignore_case("T 3") | Product::name().has_words("PRODUCT 4"),
        r#"{"$or": [{"name": {"$iendsWith": "T 3"}}, {"name": {"$text": "PRODUCT 4"}}]}"#,
        |product| [3, 4].contains(&product.id),
    );
    finds(
        Product::name().starts_with_ignore_case("PRODUCT 2"),
        r#"{"name": {"$istartsWith": "PRODUCT 2"}}"#,
        |product| product.name.starts_with("product 2"),
    );
    finds(
        Product::name().contains_ignore_case("CT 1"),
        r#"{"name": {"$icontains": "CT 1"}}"#,
        |product| product.name.contains("ct 1"),
    );
}

#[test]
fn a_field_is_compared_with_another() {
    finds(
        Product::price().compares(Comparison::Gt, Product::old_price()),
        r#"{"price": {"$gt": {"$field": "old_price"}}}"#,
        |product| product.price > product.old_price,
    );
}

#[test]
fn uuids_are_compared() {
    let (one, three) = (Uuid::from_u128(1), Uuid::from_u128(3));
    finds(
        Product::owner().eq(one) | Product::owner().is_in([three]),
        r#"{"$or": [{"owner": {"$eq": "00000000-0000-0000-0000-000000000001"}},
                    {"owner": {"$in": ["00000000-0000-0000-0000-000000000003"]}}]}"#,
        |product| product.owner == Some(one) || product.owner == Some(three),
    );
    finds(Product::owner().exists(), r#"{"owner": {"$exists": true}}"#, |product| {
        product.owner.is_some()
    });
}

#[test]
fn points_are_found_in_circles_and_boxes() {
    let center = point(50.0, 4.0);
    let is_near =
        |product: &Product| product.place.is_some_and(|place| place.distance(&center) <= 200_000.0);
    finds(
        Product::place().within_radius(center, 200_000.0),
        r#"{"place": {"$geoRadius": {"center": {"lat": 50, "lon": 4}, "radius": 200000}}}"#,
        is_near,
    );
    finds(
        Product::places().within_box(point(1.0, 178.0), point(5.0, -178.0)),
        r#"{"places": {"$geoBox": {"south_west": {"lat": 1, "lon": 178},
                                   "north_east": {"lat": 5, "lon": -178}}}}"#,
        |product| (1..=5).contains(&product.id),
    );
    finds(Product::place().is_missing(), r#"{"place": {"$exists": false}}"#, |product| {
        product.place.is_none()
    });
}

#[test]
fn paths_go_through_lists_of_structs() {
    finds(Product::reviews().stars().gte(4), r#"{"reviews.stars": {"$gte": 4}}"#, |product| {
        product.reviews.iter().any(|review| review.stars >= 4)
    });
    finds(
        Product::reviews().author().eq("author 3"),
        r#"{"reviews.author": "author 3"}"#,
        |product| product.reviews.iter().any(|review| review.author == Some("author 3".into())),
    );
    finds(
        Product::reviews().author().starts_with("author"),
        r#"{"reviews.author": {"$startsWith": "author"}}"#,
        |product| product.reviews.iter().any(|review| review.author.is_some()),
    );
    finds(
        Product::reviews().words().contains_any(["word 4", "word 3"]),
        r#"{"reviews.words": {"$in": ["word 4", "word 3"]}}"#,
        |product| product.reviews.len() > 3,
    );
    finds(
        Product::reviews().mood().eq(Color::Green),
        r#"{"reviews.mood": {"$eq": "green"}}"#,
        |product| product.reviews.iter().any(|review| review.mood == Color::Green),
    );
}

#[test]
fn of_two_conditions_on_a_list_one_may_hold_for_one_struct_and_one_for_another() {
    finds(
        Product::reviews().stars().between(1, 3) & Product::reviews().mood().eq(Color::Green),
        r#"{"$and": [{"reviews.stars": {"$gte": 1}}, {"reviews.stars": {"$lte": 3}},
                     {"reviews.mood": "green"}]}"#,
        |product| product.reviews.len() > 3,
    );
}

#[test]
fn other_types_of_text_and_lists_are_asked_as_strings_and_vectors_are() {
    finds(Product::name().contains("duct 1"), r#"{"name": {"$contains": "duct 1"}}"#, |product| {
        product.name.contains("duct 1")
    });
    finds(Product::grade().eq('a'), r#"{"grade": "a"}"#, |product| product.grade == 'a');
    finds(Product::sizes().contains(5), r#"{"sizes": {"$contains": 5}}"#, |product| {
        product.sizes.contains(&5)
    });
}
