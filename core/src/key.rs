//! The keys under which every host stores an engine: `meta`, one per record, one per page.
//!
//! Keys are bytes whose order is the order of what they name, so that an ordered store lists
//! records by number.

/// What a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// The description of the last checkpoint.
    Meta,
    /// The record with this number.
    Record(u64),
    /// A page of a checkpoint.
    Page(PageKey),
}

/// A page: a run of one section, as of one checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageKey {
    /// Which part of the engine.
    pub section: u32,
    /// Which run of it.
    pub page: u32,
    /// The checkpoint that wrote it.
    pub generation: u64,
}

const META: u8 = b'm';
const PAGE: u8 = b'p';
const RECORD: u8 = b'r';
/// Bytes of the longest key.
pub(crate) const KEY_BYTES: usize = 17;

impl Key {
    /// The bytes of the key.
    pub fn to_bytes(self) -> alloc::vec::Vec<u8> {
        let mut bytes = alloc::vec::Vec::with_capacity(KEY_BYTES);
        match self {
            Self::Meta => bytes.push(META),
            Self::Record(number) => {
                bytes.push(RECORD);
                bytes.extend(number.to_be_bytes());
            }
            Self::Page(key) => {
                bytes.push(PAGE);
                bytes.extend(key.section.to_be_bytes());
                bytes.extend(key.page.to_be_bytes());
                bytes.extend(key.generation.to_be_bytes());
            }
        }
        bytes
    }

    /// The key of these bytes, if they are one.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        match bytes.split_first()? {
            (&META, []) => Some(Self::Meta),
            (&RECORD, number) => Some(Self::Record(u64::from_be_bytes(number.try_into().ok()?))),
            (&PAGE, rest) => {
                let (section, rest) = rest.split_first_chunk()?;
                let (page, rest) = rest.split_first_chunk()?;
                Some(Self::Page(PageKey {
                    section: u32::from_be_bytes(*section),
                    page: u32::from_be_bytes(*page),
                    generation: u64::from_be_bytes(rest.try_into().ok()?),
                }))
            }
            _ => None,
        }
    }
}
