//! Two ranked lists as one: what is near to a vector, and what answers a text.

use crate::{
    Error, Result, Value,
    document::coerce,
    schema::{FieldType, Integer},
};
use alloc::{collections::BTreeMap, format, string::String};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How a search by vector and text makes one list of two. In JSON: `"rrf"`, `{"rrf": 20}` or
/// `{"weighted": 0.3}`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fusion {
    /// By ranks: a document scores `1 / (k + rank)` in each list it is in, ranks beginning at 1
    /// (G. Cormack, C. Clarke & S. Büttcher, "Reciprocal Rank Fusion", 2009).
    Rrf {
        /// How little the first ranks matter; 60 unless set.
        k: u32,
    },
    /// By scores: those of each list are stretched to reach from 0, the last, to 1, the first, and
    /// weighted; a document that is not in a list has 0 there.
    Weighted {
        /// The weight of the text, from 0 to 1; the vector has the rest.
        text: f32,
    },
}

/// The `k` of the paper.
const K_DEFAULT: u32 = 60;

impl Default for Fusion {
    fn default() -> Self {
        Self::Rrf { k: K_DEFAULT }
    }
}

impl Fusion {
    /// Reads what [`to_value`](Self::to_value) writes.
    pub fn from_value(value: &Value) -> Result<Self> {
        let wrong = || {
            Error::invalid(format!(
                "a fusion is \"rrf\", {{\"rrf\": k}} or {{\"weighted\": weight of the text}}, not \
                 {}",
                value.describe()
            ))
        };
        let entry = match value {
            Value::Text(name) if name == "rrf" => return Ok(Self::default()),
            Value::Object(fields) if fields.len() == 1 => fields.first_key_value(),
            _ => None,
        };
        let (name, operand) = entry.ok_or_else(wrong)?;
        let fusion = match name.as_str() {
            "rrf" => match coerce(&FieldType::Integer(Integer::U32), operand.clone()) {
                Value::Int(k) => Self::Rrf { k: u32::try_from(k).map_err(|_| wrong())? },
                _ => return Err(wrong()),
            },
            "weighted" => match coerce(&FieldType::Float32, operand.clone()) {
                #[expect(clippy::cast_possible_truncation, reason = "a weight is a single float")]
                Value::Float(text) => Self::Weighted { text: text as f32 },
                _ => return Err(wrong()),
            },
            _ => return Err(wrong()),
        };
        fusion.check().map(|()| fusion)
    }

    /// The fusion as in JSON.
    pub fn to_value(&self) -> Value {
        let object = |name: &str, value| Value::Object([(String::from(name), value)].into());
        match self {
            Self::Rrf { k: K_DEFAULT } => Value::from("rrf"),
            Self::Rrf { k } => object("rrf", Value::Int((*k).into())),
            Self::Weighted { text } => object("weighted", Value::Float((*text).into())),
        }
    }

    /// Refuses weights that are none.
    pub(crate) fn check(&self) -> Result<()> {
        match self {
            Self::Weighted { text } if !(0.0..=1.0).contains(text) => {
                Err(Error::invalid(format!("the weight of the text is {text}, it is from 0 to 1")))
            }
            _ => Ok(()),
        }
    }

    /// The scores of what is in either list, out of both, which have the best first.
    pub(crate) fn fuse<K: Copy + Ord>(
        &self,
        vector: &[(K, f32)],
        text: &[(K, f32)],
    ) -> BTreeMap<K, f32> {
        let mut fused = BTreeMap::new();
        let mut add = |key: K, score: f32| *fused.entry(key).or_insert(0.0) += score;
        match self {
            Self::Rrf { k } => {
                for list in [vector, text] {
                    for (rank, (key, _)) in (1u16..).zip(list) {
                        add(*key, 1.0 / (*k as f32 + f32::from(rank)));
                    }
                }
            }
            Self::Weighted { text: weight } => {
                for (list, weight) in [(vector, 1.0 - weight), (text, *weight)] {
                    for (key, score) in list {
                        add(*key, weight * stretched(*score, list));
                    }
                }
            }
        }
        fused
    }
}

/// Where `score` is between the last score of `list`, 0, and the first, 1.
fn stretched<K>(score: f32, list: &[(K, f32)]) -> f32 {
    match (list.first(), list.last()) {
        (Some((_, first)), Some((_, last))) if first > last => (score - last) / (first - last),
        _ => 1.0,
    }
}

impl Serialize for Fusion {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(output)
    }
}

impl<'de> Deserialize<'de> for Fusion {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(input)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Fusion;
    use crate::Value;
    use alloc::{collections::BTreeMap, string::ToString};

    #[test]
    fn ranks_of_both_lists_add_up() {
        let fused = Fusion::default().fuse(&[('a', 0.9), ('b', 0.8)], &[('b', 7.0), ('c', 1.0)]);
        let expected = [('a', 1.0 / 61.0), ('b', 1.0 / 62.0 + 1.0 / 61.0), ('c', 1.0 / 62.0)];
        assert_eq!(fused, BTreeMap::from(expected));
    }

    #[test]
    fn weighted_scores_are_stretched_first() {
        let vector = [('a', 0.5), ('b', 0.25), ('c', 0.0)];
        let fused = Fusion::Weighted { text: 0.25 }.fuse(&vector, &[('c', 3.0)]);
        assert_eq!(fused, BTreeMap::from([('a', 0.75), ('b', 0.375), ('c', 0.25)]));
    }

    #[test]
    fn a_fusion_survives_json_and_what_is_none_is_refused() {
        for fusion in [Fusion::default(), Fusion::Rrf { k: 7 }, Fusion::Weighted { text: 0.5 }] {
            assert_eq!(Fusion::from_value(&fusion.to_value()), Ok(fusion));
        }
        for wrong in [
            Value::Null,
            Value::from("rank"),
            Value::Object([("rrf".to_string(), Value::Int(-1))].into()),
            Value::Object([("weighted".to_string(), Value::Float(1.5))].into()),
            Value::Object([("weighted".to_string(), Value::from("a"))].into()),
        ] {
            assert!(Fusion::from_value(&wrong).is_err(), "{wrong:?}");
        }
    }
}
