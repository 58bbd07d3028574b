//! Documents around centres, as real embeddings lie.

use vectordoc::VectorDoc;

pub(crate) const DIM: usize = 384;
/// The name of the database.
pub(crate) const DB: &str = "row";
const CENTRES: u64 = 500;
/// How far a document lies from its centre, which is one long.
const SPREAD: f32 = 2.2;

#[derive(Clone, Debug, VectorDoc)]
pub(crate) struct Row {
    #[vectordoc(id)]
    pub(crate) id: u64,
    #[vectordoc(vector(dim = 384, metric = "cosine"))]
    pub(crate) embedding: Vec<f32>,
    #[vectordoc(filter)]
    pub(crate) price: f64,
    pub(crate) title: String,
}

/// A direction that only `seed` decides, about as long as `length`.
fn direction(seed: u64, length: f32) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    // The sum of four is near enough to a normal distribution, of variance 1/3.
    let mut normal = || (0..4).map(|_| rng.f32() - 0.5).sum::<f32>();
    let scale = length * (3.0 / 384.0_f32).sqrt();
    (0..DIM).map(|_| normal() * scale).collect()
}

/// The vector of the document or query `number`.
pub(crate) fn vector(number: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(number);
    let centre = direction(1_000_000_007 + rng.u64(..CENTRES), 1.0);
    let noise = direction(2_000_000_011 + number, SPREAD);
    centre.iter().zip(noise).map(|(centre, noise)| centre + noise).collect()
}

/// The document `id`.
pub(crate) fn row(id: u64) -> Row {
    let price = f64::from(u32::try_from(id % 1000).unwrap_or_default());
    Row { id, embedding: vector(id), price, title: format!("Title of row {id}") }
}

/// What is searched for; none of it is a document.
pub(crate) fn queries() -> Vec<Vec<f32>> {
    (0..256).map(|number| vector(1 << 40 | number)).collect()
}
