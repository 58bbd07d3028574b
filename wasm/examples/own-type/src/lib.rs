//! A catalogue of recipes in a WASM module of its own: the type, its schema, its filters and the
//! engine are compiled together, and JavaScript sees only what this crate exports.
//!
//! Every change comes out as the bytes of a record, to be kept wherever the page likes; given back in
//! order to [`Recipes::replay`], they make the same catalogue again.

use vectordoc::{
    Batch, Engine, Error, Query, Record, Result, VectorDoc, document::Include, index::Indexes,
};
use wasm_bindgen::prelude::*;

#[derive(VectorDoc)]
struct Recipe {
    #[vectordoc(id)]
    name: String,
    #[vectordoc(vector(dim = 3, metric = "cosine"))]
    taste: [f32; 3],
    #[vectordoc(filter)]
    minutes: u32,
    #[vectordoc(filter)]
    course: Course,
}

#[derive(Clone, Copy, PartialEq, VectorDoc)]
enum Course {
    Main,
    Dessert,
}

/// A recipe that was found.
#[wasm_bindgen(getter_with_clone)]
pub struct Found {
    /// What it is called.
    pub name: String,
    /// How long it takes.
    pub minutes: u32,
    /// How near its taste is: 1 is the same, -1 the opposite.
    pub score: f32,
}

/// Recipes in memory.
#[wasm_bindgen]
pub struct Recipes {
    engine: Engine,
}

#[wasm_bindgen]
impl Recipes {
    /// No recipes.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Result<Recipes, JsError> {
        Ok(Self { engine: Engine::new(Recipe::schema(), &Indexes::default()).map_err(thrown)? })
    }

    /// Adds a recipe or replaces the one of this name; returns the record to keep. `taste` is sweet,
    /// sour and hot.
    pub fn add(
        &mut self,
        name: String,
        taste: &[f32],
        minutes: u32,
        is_dessert: bool,
    ) -> Result<Vec<u8>, JsError> {
        let taste = taste.try_into().map_err(|_| JsError::new("a taste is three numbers"))?;
        let course = if is_dessert { Course::Dessert } else { Course::Main };
        let recipe = Recipe { name, taste, minutes, course };
        let batch = recipe.to_document().map(|document| Batch::index(vec![document]));
        self.write(batch.map_err(thrown)?).map_err(thrown)
    }

    /// Removes a recipe; returns the record to keep.
    pub fn remove(&mut self, name: String) -> Result<Vec<u8>, JsError> {
        self.write(Batch::delete(vec![name.into()])).map_err(thrown)
    }

    /// Applies a record that was kept.
    pub fn replay(&mut self, record: &[u8]) -> Result<(), JsError> {
        let record = Record::from_bytes(record, self.engine.schema());
        record.and_then(|record| self.engine.apply(&record)).map_err(thrown)
    }

    /// The desserts of at most so many minutes whose taste is nearest, best first.
    #[wasm_bindgen(js_name = quickDesserts)]
    pub fn quick_desserts(&self, taste: Vec<f32>, minutes: u32) -> Result<Vec<Found>, JsError> {
        let filter = Recipe::course().eq(Course::Dessert) & Recipe::minutes().lte(minutes);
        let query = Query { filter, include: Include::Everything, limit: 3, ..Query::new(taste) };
        let found = self.engine.search(&query).map_err(thrown)?.into_iter().map(|hit| {
            let Recipe { name, minutes, .. } = Recipe::from_document(hit.doc)?;
            Ok(Found { name, minutes, score: hit.score })
        });
        found.collect::<Result<_>>().map_err(thrown)
    }
}

impl Recipes {
    fn write(&mut self, batch: Batch) -> Result<Vec<u8>> {
        let (record, _) = self.engine.prepare(batch)?;
        self.engine.apply(&record)?;
        Ok(record.to_bytes())
    }
}

fn thrown(error: Error) -> JsError {
    JsError::new(error.message())
}
