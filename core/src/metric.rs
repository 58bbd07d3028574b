//! What "near" means: the metrics, the distances they report and the scores made of them.

use crate::{Result, schema::find_named};

/// How the distance of two vectors is measured. Smaller is nearer for every metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Metric {
    /// `1 − cos(a, b)`, from 0 to 2. Zero vectors are refused.
    #[default]
    Cosine,
    /// Euclidean distance, `√Σ(aᵢ − bᵢ)²`.
    L2,
    /// `−Σ aᵢ·bᵢ`: the larger the product, the nearer.
    Dot,
}

impl Metric {
    /// Every metric with its name.
    pub const NAMES: [(&'static str, Metric); 3] =
        [("cosine", Self::Cosine), ("l2", Self::L2), ("dot", Self::Dot)];

    /// The name in schemas and attributes.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize].0
    }

    /// The metric of this name.
    pub fn parse(name: &str) -> Result<Self> {
        find_named(&Self::NAMES, name, "metric")
    }

    /// The score of a distance; bigger is better for every metric. Cosine: the cosine, −1 to 1.
    /// L2: `1 / (1 + distance)`, 0 to 1. Dot: the product.
    pub fn score(self, distance: f32) -> f32 {
        match self {
            Self::Cosine => 1.0 - distance,
            Self::L2 => 1.0 / (1.0 + distance),
            Self::Dot => -distance,
        }
    }
}
