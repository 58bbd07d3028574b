//! Generated code passes the lints a careful crate turns on.

#![deny(warnings, missing_docs, missing_debug_implementations, unreachable_pub)]
#![deny(unused_qualifications, unused_results, unused_lifetimes, single_use_lifetimes)]
#![deny(elided_lifetimes_in_paths, trivial_casts, non_ascii_idents, unsafe_code)]
#![deny(clippy::all)]

/// What is for sale.
pub mod catalog {
    use vectordoc::VectorDoc;

    /// A product.
    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    pub struct Product {
        /// Its number.
        #[vectordoc(id)]
        pub number: u64,
        /// What it looks like.
        #[vectordoc(vector(index = "hnsw", m = 8, ef_construction = 50, ef = 20))]
        pub image: [f32; 4],
        /// What is said about it.
        #[vectordoc(vector(dim = 8, quantization = "binary"))]
        pub text: Option<Vec<f32>>,
        /// What it costs.
        #[vectordoc(filter)]
        pub price: f64,
        /// Who made it.
        #[vectordoc(filter)]
        pub maker: Option<Maker<String>>,
        /// No longer used.
        #[deprecated]
        #[vectordoc(filter)]
        pub color: String,
        /// Its state.
        #[vectordoc(filter, default)]
        pub state: State,
        /// What is said about it.
        #[vectordoc(filter)]
        pub reviews: Vec<Review>,
        /// Its name in full.
        #[vectordoc(text, filter)]
        pub name: String,
        /// Whatever else there is.
        #[vectordoc(json, default = "nothing")]
        pub extra: (u8, Option<String>),
        /// How often it was looked at.
        #[vectordoc(skip)]
        pub views: usize,
        /// When it was made.
        #[vectordoc(filter)]
        pub made: vectordoc::Timestamp,
        #[vectordoc(filter)]
        secret: Secret,
    }

    fn nothing() -> (u8, Option<String>) {
        (0, None)
    }

    /// The states of a product.
    #[derive(Clone, Copy, Debug, Default, PartialEq, VectorDoc)]
    #[vectordoc(rename_all = "kebab-case")]
    pub enum State {
        /// It can be bought.
        #[default]
        ForSale,
        /// It cannot.
        #[deprecated]
        SoldOut,
    }

    /// What somebody says.
    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    pub struct Review {
        /// How good.
        #[vectordoc(filter)]
        pub stars: u8,
        /// In words.
        #[vectordoc(text, default)]
        pub words: Vec<String>,
    }

    /// Who makes products.
    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    pub struct Maker<T> {
        /// Its name.
        #[vectordoc(filter)]
        pub name: T,
    }

    #[derive(Clone, Debug, PartialEq, VectorDoc)]
    struct Secret {
        #[vectordoc(filter)]
        word: String,
        #[vectordoc(filter)]
        number: u64,
    }
}

/// There is nothing to run.
pub fn main() {}
