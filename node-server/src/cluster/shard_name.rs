//! What a shard of a database is called, and what rests of it.

use crate::Name;
use std::fmt;

/// A shard of a database of the cluster, which is all of it where there is one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ShardName {
    pub(super) db: Name,
    /// From 0 on.
    pub(super) number: usize,
    /// How many shards the database has.
    pub(super) of: usize,
}

impl ShardName {
    /// Whether it is all of its database.
    pub(super) fn is_whole(&self) -> bool {
        self.of == 1
    }

    /// The name of its directory, which no database but this one has.
    pub(super) fn place(&self) -> String {
        match self.is_whole() {
            true => self.db.to_string(),
            false => format!("{}.{}-of-{}", self.db, self.number, self.of),
        }
    }

    /// The shard whose directory is called `place`.
    pub(super) fn of_place(place: &str) -> Option<Self> {
        let Some((db, shard)) = place.split_once('.') else {
            return Some(Self { db: Name::parse(place).ok()?, number: 0, of: 1 });
        };
        let (number, of) = shard.split_once("-of-")?;
        let (number, of) = (number.parse().ok()?, of.parse().ok()?);
        let name = Self { db: Name::parse(db).ok()?, number, of };
        (name.place() == place && number < of).then_some(name)
    }
}

impl fmt::Display for ShardName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_whole() {
            true => write!(f, "database {}", self.db),
            false => write!(f, "shard {} of {} of database {}", self.number, self.of, self.db),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_names_one_shard_and_no_other_database() {
        let db = Name::parse("a-of-2").expect("a name");
        for (number, of, place) in [(0, 1, "a-of-2"), (3, 4, "a-of-2.3-of-4")] {
            let name = ShardName { db: db.clone(), number, of };
            assert_eq!(name.place(), place);
            assert_eq!(ShardName::of_place(place), Some(name));
        }
        for wrong in ["a.4-of-4", "a.04-of-9", "a.b", ".importing-a", "A", "a.0-of-1", "a.1-of-4.x"]
        {
            assert_eq!(ShardName::of_place(wrong), None, "{wrong}");
        }
    }
}
