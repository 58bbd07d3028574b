//! The filter language in JSON, MongoDB's and DocArray's, in both directions.

use super::{Filter, Test};
use crate::{Error, Result, Value, limits, schema::unknown_name};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const OPERATORS: [&str; 16] = [
    "$eq",
    "$ne",
    "$neq",
    "$lt",
    "$lte",
    "$gt",
    "$gte",
    "$in",
    "$nin",
    "$all",
    "$any",
    "$contains",
    "$startsWith",
    "$size",
    "$exists",
    "$not",
];
/// Operators of the contract that this build does not have yet.
const PLANNED: [&str; 4] = ["$regex", "$text", "$geoRadius", "$geoBox"];

impl FromStr for Filter {
    type Err = Error;

    /// Reads a filter from JSON text.
    fn from_str(text: &str) -> Result<Self> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| Error::invalid(format!("the filter is not JSON: {error}")))?;
        Self::from_value(&value)
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(input)?;
        Self::from_value(&value).map_err(serde::de::Error::custom)
    }
}

impl Serialize for Filter {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(output)
    }
}

impl Filter {
    /// Reads a filter from an object as in JSON, or from a text that holds the JSON.
    pub fn from_value(value: &Value) -> Result<Self> {
        if let Value::Text(text) = value {
            let value: Value = serde_json::from_str(text)
                .map_err(|error| Error::invalid(format!("the filter is not JSON: {error}")))?;
            return read_filter(&value, &mut Budget::default());
        }
        read_filter(value, &mut Budget::default())
    }

    /// The filter as an object that [`from_value`](Self::from_value) reads back.
    pub fn to_value(&self) -> Value {
        let list = |filters: &[Filter]| filters.iter().map(Filter::to_value).collect();
        match self {
            Self::All => Value::Object(BTreeMap::new()),
            Self::And(filters) => object("$and", Value::Array(list(filters))),
            Self::Or(filters) => object("$or", Value::Array(list(filters))),
            Self::Not(filter) => object("$not", filter.to_value()),
            Self::Field { path, test } => object(path, write_test(test)),
        }
    }
}

/// What is left of the bounds on a filter's size while it is read.
struct Budget {
    nodes: usize,
    depth: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { nodes: limits::FILTER_NODES_MAX, depth: limits::FILTER_DEPTH_MAX }
    }
}

impl Budget {
    /// Counts one condition, `inner` one level deeper.
    fn enter<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let exceeded = |what: &str, max: usize| {
            Error::limit_exceeded(format!("the filter has more than {max} {what}"))
        };
        self.nodes = self
            .nodes
            .checked_sub(1)
            .ok_or_else(|| exceeded("conditions", limits::FILTER_NODES_MAX))?;
        self.depth = self
            .depth
            .checked_sub(1)
            .ok_or_else(|| exceeded("levels of nesting", limits::FILTER_DEPTH_MAX))?;
        let result = inner(self);
        self.depth += 1;
        result
    }
}

fn read_filter(value: &Value, budget: &mut Budget) -> Result<Filter> {
    let Value::Object(fields) = value else {
        return Err(Error::invalid(format!(
            "a filter is an object such as {{\"price\": {{\"$lt\": 20}}}}, not {}",
            value.describe()
        )));
    };
    let read =
        |(name, value): (&String, &Value)| budget.enter(|budget| read_entry(name, value, budget));
    let filters = fields.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(conjunction(filters))
}

fn read_entry(name: &str, value: &Value, budget: &mut Budget) -> Result<Filter> {
    match name {
        "$and" => Ok(Filter::And(read_list(name, value, budget)?)),
        "$or" => Ok(Filter::Or(read_list(name, value, budget)?)),
        "$not" => Ok(!read_filter(value, budget)?),
        operator if operator.starts_with('$') => Err(unknown_operator(
            operator,
            &["$and", "$or", "$not"],
            "; at the top of a filter stand field names, $and, $or and $not",
        )),
        path => read_condition(&path.replace("__", "."), value, budget),
    }
}

/// The operands of `$and` and `$or`: a list of filters, or one object of several conditions.
fn read_list(name: &str, value: &Value, budget: &mut Budget) -> Result<Vec<Filter>> {
    match value {
        Value::Array(values) => {
            values.iter().map(|value| budget.enter(|budget| read_filter(value, budget))).collect()
        }
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| budget.enter(|budget| read_entry(name, value, budget)))
            .collect(),
        other => Err(Error::invalid(format!(
            "{name} takes a list of filters or an object, not {}",
            other.describe()
        ))),
    }
}

/// The conditions on one field: operators in an object, or a plain value that it equals.
fn read_condition(path: &str, value: &Value, budget: &mut Budget) -> Result<Filter> {
    let Value::Object(operators) = value else {
        return Ok(Filter::field(path, Test::Eq(value.clone())));
    };
    if let Some(name) = operators.keys().find(|name| !name.starts_with('$')) {
        return Err(Error::invalid(format!(
            "field {path:?} is asked about {name:?}, which is no operator; a nested field is \
             written \"{path}.{name}\""
        )));
    }
    let read = |(operator, value): (&String, &Value)| {
        budget.enter(|budget| {
            if operator == "$not" {
                return Ok(!read_condition(path, value, budget)?);
            }
            let test = read_test(operator, value);
            test.map(|test| Filter::field(path, test))
                .map_err(|error| error.within(format!("filter on {path:?}")))
        })
    };
    let filters = operators.iter().map(read).collect::<Result<Vec<_>>>()?;
    Ok(conjunction(filters))
}

fn conjunction(mut filters: Vec<Filter>) -> Filter {
    match filters.len() {
        0 => Filter::All,
        1 => filters.remove(0),
        _ => Filter::And(filters),
    }
}

fn read_test(operator: &str, value: &Value) -> Result<Test> {
    let wrong = |wanted: &str| {
        Error::invalid(format!("{operator} takes {wanted}, not {}", value.describe()))
    };
    let values = || match value {
        Value::Array(values) => {
            let what = format!("number of values in {operator}");
            limits::at_most(values.len(), limits::FILTER_VALUES_MAX, &what)?;
            Ok(values.clone())
        }
        _ => Err(wrong("a list")),
    };
    Ok(match operator {
        "$eq" => Test::Eq(value.clone()),
        "$ne" | "$neq" => Test::Ne(value.clone()),
        "$lt" => Test::Lt(value.clone()),
        "$lte" => Test::Lte(value.clone()),
        "$gt" => Test::Gt(value.clone()),
        "$gte" => Test::Gte(value.clone()),
        "$in" | "$any" => Test::In(values()?),
        "$nin" => Test::Nin(values()?),
        "$all" => Test::All(values()?),
        "$contains" => Test::Contains(value.clone()),
        "$startsWith" => match value {
            Value::Text(prefix) => Test::StartsWith(prefix.clone()),
            _ => return Err(wrong("text")),
        },
        "$size" => match value {
            Value::Int(size) if let Ok(size) = u64::try_from(*size) => Test::Size(size),
            _ => return Err(wrong("a whole number")),
        },
        "$exists" => match value {
            Value::Bool(exists) => Test::Exists(*exists),
            _ => return Err(wrong("true or false")),
        },
        other => return Err(unknown_operator(other, &OPERATORS, "")),
    })
}

fn unknown_operator(operator: &str, known: &[&'static str], hint: &str) -> Error {
    if PLANNED.contains(&operator) {
        return Error::unsupported(format!("this build has no {operator} yet{hint}"));
    }
    let error = unknown_name("operator", operator, known.iter().copied());
    Error::invalid(format!("{}{hint}", error.message()))
}

fn object(name: &str, value: Value) -> Value {
    Value::Object(BTreeMap::from([(name.to_string(), value)]))
}

fn write_test(test: &Test) -> Value {
    let (operator, value) = match test {
        Test::Eq(value) => ("$eq", value.clone()),
        Test::Ne(value) => ("$ne", value.clone()),
        Test::Lt(value) => ("$lt", value.clone()),
        Test::Lte(value) => ("$lte", value.clone()),
        Test::Gt(value) => ("$gt", value.clone()),
        Test::Gte(value) => ("$gte", value.clone()),
        Test::In(values) => ("$in", Value::Array(values.clone())),
        Test::Nin(values) => ("$nin", Value::Array(values.clone())),
        Test::All(values) => ("$all", Value::Array(values.clone())),
        Test::Contains(value) => ("$contains", value.clone()),
        Test::StartsWith(prefix) => ("$startsWith", Value::Text(prefix.clone())),
        Test::Size(size) => ("$size", Value::Int((*size).into())),
        Test::Exists(exists) => ("$exists", Value::Bool(*exists)),
    };
    object(operator, value)
}
