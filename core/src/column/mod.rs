//! The filter indexes: one column per filterable path, from each distinct value to the slots that
//! have it.
//!
//! Data enters by [`Columns::insert`] and [`Columns::remove`] as documents come and go, and leaves
//! as the set of slots that pass a bound filter. Columns are derived state: they can always be
//! built again from the documents. They are stored by page, and a checkpoint writes those that
//! changed.

mod cells;
mod find;
mod key;
mod postings;
mod tree;
mod unserved;
mod walk;

use crate::{
    Result, Schema, Value,
    bitset::BitSet,
    index::Section,
    rest::ReadPage,
    schema::FieldType,
    text::{TEXT_SECTIONS, TextIndex},
};
use alloc::{borrow::Cow, boxed::Box, string::String, vec::Vec};
use postings::Postings;
use roaring::RoaringBitmap;

pub(crate) use key::{Key, TreeKey};
pub(crate) use tree::{Posting, Tree};
pub(crate) use unserved::{Reason, Unserved};
pub(crate) use walk::Direction;

/// A set of slots, compressed.
pub(crate) type Slots = RoaringBitmap;

/// Sections of one column: its keys, the lengths of its arrays, which slots have a value.
pub(crate) const COLUMN_SECTIONS: usize = 3;

const _: () = assert!(TEXT_SECTIONS <= COLUMN_SECTIONS);

/// All columns of an engine, its text indexes, and the slots that hold a document.
pub(crate) struct Columns {
    columns: Vec<Column>,
    /// In order of the text paths.
    texts: Vec<TextIndex>,
    live: BitSet,
}

/// The index of one filterable path.
struct Column {
    /// Where its values are: the number of the value field, then names into it.
    number: usize,
    names: Vec<String>,
    /// What a value is, or each in an array.
    ty: FieldType,
    keys: Keys,
    sizes: Tree<u64, Postings>,
    /// The only key of this tree has the slots that have a value.
    present: Tree<u64, Postings>,
}

/// From each distinct value to the slots that have it.
enum Keys {
    Numbers(Tree<u64, Postings>),
    Cells(Tree<u128, Postings>),
    Bytes(Tree<Box<[u8]>, Postings>),
}

/// The key of [`Column::present`].
const PRESENT: u64 = 0;

impl Columns {
    pub(crate) fn new(schema: &Schema) -> Self {
        let mut columns = Vec::new();
        for (number, field) in schema.values().iter().enumerate().filter(|(_, f)| f.filter) {
            add_columns(number, &field.ty, &mut Vec::new(), &mut columns);
        }
        Self { columns, texts: TextIndex::all(schema), live: BitSet::default() }
    }

    /// The index of the text path of this number.
    pub(crate) fn text(&self, number: usize) -> &TextIndex {
        &self.texts[number]
    }

    /// The slots that hold a document.
    pub(crate) fn live(&self) -> &BitSet {
        &self.live
    }

    pub(crate) fn insert(&mut self, slot: u32, values: &[Value]) {
        self.live.insert(slot);
        for column in &mut self.columns {
            column.change(slot, values, Change::Insert);
        }
        self.texts.iter_mut().for_each(|text| text.insert(slot, values));
    }

    pub(crate) fn remove(&mut self, slot: u32, values: &[Value]) {
        self.live.remove(slot);
        for column in &mut self.columns {
            column.change(slot, values, Change::Remove);
        }
        self.texts.iter_mut().for_each(|text| text.remove(slot, values));
    }

    /// The sections of every column, in order of the columns, then those of every text index.
    pub(crate) fn sections(&self) -> impl Iterator<Item = Vec<&dyn Section>> {
        let columns = self.columns.iter().map(|column| {
            let keys: &dyn Section = match &column.keys {
                Keys::Numbers(tree) => tree,
                Keys::Cells(tree) => tree,
                Keys::Bytes(tree) => tree,
            };
            alloc::vec![keys, &column.sizes, &column.present]
        });
        columns.chain(self.texts.iter().map(|text| text.sections().into()))
    }

    pub(crate) fn mark_clean(&mut self) {
        for column in &mut self.columns {
            match &mut column.keys {
                Keys::Numbers(tree) => tree.mark_clean(),
                Keys::Cells(tree) => tree.mark_clean(),
                Keys::Bytes(tree) => tree.mark_clean(),
            }
            column.sizes.mark_clean();
            column.present.mark_clean();
        }
        self.texts.iter_mut().for_each(TextIndex::mark_clean);
    }

    /// The columns of `schema` out of the pages of their sections: `pages` says what is in the
    /// header of the section that is this one of this column, `page` lends them. Text indexes count
    /// as columns after the last.
    pub(crate) fn open<R: ReadPage>(
        schema: &Schema,
        live: BitSet,
        pages: impl Fn(usize, usize) -> Result<usize>,
        page: impl Fn(usize, usize) -> R,
    ) -> Result<Self> {
        let mut columns = Self { live, ..Self::new(schema) };
        for (number, column) in columns.columns.iter_mut().enumerate() {
            let (count, read) = (pages(number, 0)?, page(number, 0));
            match &mut column.keys {
                Keys::Numbers(tree) => *tree = Tree::open(count, read)?,
                Keys::Cells(tree) => *tree = Tree::open(count, read)?,
                Keys::Bytes(tree) => *tree = Tree::open(count, read)?,
            }
            column.sizes = Tree::open(pages(number, 1)?, page(number, 1))?;
            column.present = Tree::open(pages(number, 2)?, page(number, 2))?;
        }
        for (number, text) in (columns.columns.len()..).zip(&mut columns.texts) {
            text.open(|section| pages(number, section), |section| page(number, section))?;
        }
        Ok(columns)
    }

    /// Bytes of memory held.
    pub(crate) fn memory_bytes(&self) -> usize {
        let column_bytes = |column: &Column| {
            let keys = match &column.keys {
                Keys::Numbers(tree) => tree.memory_bytes(),
                Keys::Cells(tree) => tree.memory_bytes(),
                Keys::Bytes(tree) => tree.memory_bytes(),
            };
            keys + column.sizes.memory_bytes() + column.present.memory_bytes()
        };
        let columns = self.columns.iter().map(column_bytes).sum::<usize>();
        let texts = self.texts.iter().map(TextIndex::memory_bytes).sum::<usize>();
        self.live.memory_bytes() + columns + texts
    }
}

#[derive(Clone, Copy)]
enum Change {
    Insert,
    Remove,
}

impl Change {
    fn apply<K: TreeKey>(self, tree: &mut Tree<K, Postings>, key: &K, slot: u32) {
        match self {
            Self::Insert => tree.insert(key, slot, ()),
            Self::Remove => tree.remove(key, slot),
        }
    }
}

impl Column {
    fn new(number: usize, names: Vec<String>, ty: FieldType) -> Self {
        let keys = match ty {
            FieldType::Text | FieldType::Enum(_) | FieldType::Uuid | FieldType::Bytes => {
                Keys::Bytes(Tree::default())
            }
            FieldType::Geo => Keys::Cells(Tree::default()),
            _ => Keys::Numbers(Tree::default()),
        };
        Self { number, names, ty, keys, sizes: Tree::default(), present: Tree::default() }
    }

    fn change(&mut self, slot: u32, values: &[Value], change: Change) {
        let Some(value) = self.value(values) else { return };
        change.apply(&mut self.present, &PRESENT, slot);
        match &*value {
            Value::Array(elements) => {
                change.apply(&mut self.sizes, &(elements.len() as u64), slot);
                elements.iter().for_each(|element| self.change_key(slot, element, change));
            }
            scalar => self.change_key(slot, scalar, change),
        }
    }

    fn change_key(&mut self, slot: u32, value: &Value, change: Change) {
        match (&mut self.keys, Key::of(&self.ty, value)) {
            (Keys::Numbers(tree), Some(Key::Number(key))) => change.apply(tree, &key, slot),
            (Keys::Cells(tree), Some(Key::Cell(key))) => change.apply(tree, &key, slot),
            (Keys::Bytes(tree), Some(Key::Bytes(key))) => change.apply(tree, &key, slot),
            _ => {}
        }
    }

    /// Its value in a document, unless that has none.
    fn value<'a>(&self, values: &'a [Value]) -> Option<Cow<'a, Value>> {
        value_at(values.get(self.number)?, &self.names)
    }
}

/// Adds a column for each filterable path in a field of this number and type.
fn add_columns(number: usize, ty: &FieldType, names: &mut Vec<String>, columns: &mut Vec<Column>) {
    if !matches!(ty.element(), FieldType::Object(_)) {
        columns.push(Column::new(number, names.clone(), ty.element().clone()));
        return;
    }
    for field in ty.fields().iter().filter(|field| field.filter) {
        names.push(field.name.clone());
        add_columns(number, &field.ty, names, columns);
        names.pop();
    }
}

/// The value that `names` lead to, unless one on the way is missing. A way through an array of
/// structs leads to an array of what is in each.
pub(crate) fn value_at<'a>(value: &'a Value, names: &[String]) -> Option<Cow<'a, Value>> {
    match (value, names.split_first()) {
        (Value::Null, _) => None,
        (value, None) => Some(Cow::Borrowed(value)),
        (Value::Object(fields), Some((name, rest))) => value_at(fields.get(name)?, rest),
        (Value::Array(elements), _) => {
            let mut values = Vec::new();
            for value in elements.iter().filter_map(|element| value_at(element, names)) {
                match value.into_owned() {
                    Value::Array(several) => values.extend(several),
                    one => values.push(one),
                }
            }
            Some(Cow::Owned(Value::Array(values)))
        }
        _ => None,
    }
}
