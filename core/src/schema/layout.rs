//! Where the fields of one schema are in another that has them too, among others.

use super::Schema;
use crate::Document;
use alloc::vec::Vec;

/// The way of documents from a schema to one that has all of its fields, and back.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    vectors: Places,
    values: Places,
}

/// Where the fields of the narrower schema are among those of the wider.
#[derive(Clone, Debug)]
struct Places {
    numbers: Vec<usize>,
    wider: usize,
}

impl Layout {
    /// The layout of documents of `narrow` in `wide`, which has each of its fields.
    pub(crate) fn new(narrow: &Schema, wide: &Schema) -> Self {
        let narrow_vectors = narrow.vectors().iter().map(|field| field.name.as_str());
        let wide_vectors = wide.vectors().iter().map(|field| field.name.as_str());
        let narrow_values = narrow.values().iter().map(|field| field.name.as_str());
        let wide_values = wide.values().iter().map(|field| field.name.as_str());
        Self {
            vectors: Places::new(narrow_vectors, wide_vectors),
            values: Places::new(narrow_values, wide_values),
        }
    }

    /// The document laid out for the wider schema. One without vectors stays without.
    pub(crate) fn forward(&self, document: Document) -> Document {
        let Document { id, vectors, values } = document;
        let vectors = if vectors.is_empty() { vectors } else { self.vectors.widen(vectors) };
        Document { id, vectors, values: self.values.widen(values) }
    }

    /// The document laid out for the narrower schema, what it does not have left out.
    #[cfg(feature = "native")]
    pub(crate) fn back(&self, document: Document) -> Document {
        let Document { id, vectors, values } = document;
        Document { id, vectors: self.vectors.narrow(vectors), values: self.values.narrow(values) }
    }
}

impl Places {
    fn new<'a>(
        narrow: impl Iterator<Item = &'a str>,
        wide: impl ExactSizeIterator<Item = &'a str> + Clone,
    ) -> Self {
        let wider = wide.len();
        let number = |name| wide.clone().position(|other| other == name);
        Self { numbers: narrow.filter_map(number).collect(), wider }
    }

    fn widen<T: Default>(&self, cells: Vec<T>) -> Vec<T> {
        let mut wide: Vec<T> = core::iter::repeat_with(T::default).take(self.wider).collect();
        for (number, cell) in self.numbers.iter().zip(cells) {
            wide[*number] = cell;
        }
        wide
    }

    #[cfg(feature = "native")]
    fn narrow<T: Default>(&self, mut cells: Vec<T>) -> Vec<T> {
        self.numbers.iter().map(|number| core::mem::take(&mut cells[*number])).collect()
    }
}
