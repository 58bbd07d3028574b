//! The filter language in JSON, MongoDB's and DocArray's, in both directions.

use super::{Comparison, Filter, Test};
use crate::{
    Error, Result, Value,
    document::coerce,
    limits,
    schema::{FieldType, Integer, unknown_name},
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::str::FromStr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Every operator on a field.
const OPERATORS: [&str; 26] = [
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
    "$icontains",
    "$startsWith",
    "$istartsWith",
    "$endsWith",
    "$iendsWith",
    "$regex",
    "$text",
    "$size",
    "$exists",
    "$not",
    "$geoRadius",
    "$geoBox",
    "$field",
    "$literal",
];
/// Operators on filters.
const CONNECTIVES: [&str; 4] = ["$and", "$or", "$nor", "$not"];

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
        "$nor" => Ok(!Filter::Or(read_list(name, value, budget)?)),
        "$not" => Ok(!read_filter(value, budget)?),
        operator if operator.starts_with('$') => Err(unknown_operator(
            operator,
            &CONNECTIVES,
            "; at the top of a filter stand field names, $and, $or, $nor and $not",
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
        return Ok(Filter::field(path, compared(Comparison::Eq, value)?));
    };
    if operators.contains_key("$field") || operators.contains_key("$literal") {
        return Ok(Filter::field(path, compared(Comparison::Eq, value)?));
    }
    if is_point(operators) {
        return Ok(Filter::field(path, Test::Eq(value.clone())));
    }
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
    let text = || match value {
        Value::Text(text) => Ok(text.clone()),
        _ => Err(wrong("text")),
    };
    let point = |name: &str| match member(value, name).map(|at| coerce(&FieldType::Geo, at)) {
        Some(Value::Geo(point)) => Ok(point),
        _ => Err(wrong(&format!("{{\"{name}\": {{\"lat\": …, \"lon\": …}}, …}}"))),
    };
    if let Some((_, comparison)) = COMPARISONS.iter().find(|(name, _)| *name == operator) {
        return compared(*comparison, value);
    }
    Ok(match operator {
        "$in" | "$any" => Test::In(values()?),
        "$nin" => Test::Nin(values()?),
        "$all" => Test::All(values()?),
        "$contains" => Test::Contains(value.clone()),
        "$icontains" => Test::ContainsIgnoreCase(text()?),
        "$startsWith" => Test::StartsWith(text()?),
        "$istartsWith" => Test::StartsWithIgnoreCase(text()?),
        "$endsWith" => Test::EndsWith(text()?),
        "$iendsWith" => Test::EndsWithIgnoreCase(text()?),
        "$regex" => Test::Regex(text()?),
        "$text" => Test::Text(text()?),
        "$size" => match coerce(&FieldType::Integer(Integer::U64), value.clone()) {
            Value::Int(size) if let Ok(size) = u64::try_from(size) => Test::Size(size),
            _ => return Err(wrong("a whole number")),
        },
        "$exists" => match value {
            Value::Bool(exists) => Test::Exists(*exists),
            _ => return Err(wrong("true or false")),
        },
        "$geoRadius" => {
            expect_members(operator, value, ["center", "radius"])?;
            let metres = member(value, "radius").map(|at| coerce(&FieldType::Float64, at));
            let Some(Value::Float(metres)) = metres else {
                return Err(wrong("a \"radius\" in metres"));
            };
            Test::GeoRadius { center: point("center")?, metres }
        }
        "$geoBox" => {
            expect_members(operator, value, ["south_west", "north_east"])?;
            Test::GeoBox { south_west: point("south_west")?, north_east: point("north_east")? }
        }
        other => return Err(unknown_operator(other, &OPERATORS, "")),
    })
}

/// The comparisons by the names they have; the first name of one is the one written.
const COMPARISONS: [(&str, Comparison); 7] = [
    ("$eq", Comparison::Eq),
    ("$ne", Comparison::Ne),
    ("$neq", Comparison::Ne),
    ("$lt", Comparison::Lt),
    ("$lte", Comparison::Lte),
    ("$gt", Comparison::Gt),
    ("$gte", Comparison::Gte),
];

/// A comparison with a value, or with the field that the value stands for.
fn compared(comparison: Comparison, value: &Value) -> Result<Test> {
    if let Some(Value::Text(path)) = member(value, "$field") {
        return Ok(Test::Field(comparison, path.replace("__", ".")));
    }
    if let Some(path) = placeholder(value) {
        return Ok(Test::Field(comparison, path.replace("__", ".")));
    }
    let value = member(value, "$literal").unwrap_or_else(|| value.clone());
    Ok(match (comparison, value) {
        (_, Value::Object(fields)) if !is_point(&fields) => {
            return Err(Error::invalid(
                "a field is compared with a plain value, with {\"$field\": \"…\"} or with \
                 {\"$literal\": \"…\"}, not with an object",
            ));
        }
        (Comparison::Eq, value) => Test::Eq(value),
        (Comparison::Ne, value) => Test::Ne(value),
        (Comparison::Lt, value) => Test::Lt(value),
        (Comparison::Lte, value) => Test::Lte(value),
        (Comparison::Gt, value) => Test::Gt(value),
        (Comparison::Gte, value) => Test::Gte(value),
    })
}

/// The field that DocArray's `"{price}"` stands for.
fn placeholder(value: &Value) -> Option<&str> {
    let Value::Text(text) = value else { return None };
    let path = text.strip_prefix('{')?.strip_suffix('}')?;
    let is_name = |letter: char| letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-');
    (!path.is_empty() && path.chars().all(is_name)).then_some(path)
}

fn member(value: &Value, name: &str) -> Option<Value> {
    match value {
        Value::Object(fields) => fields.get(name).cloned(),
        _ => None,
    }
}

fn expect_members(operator: &str, value: &Value, known: [&'static str; 2]) -> Result<()> {
    let Value::Object(fields) = value else { return Ok(()) };
    match fields.keys().find(|name| !known.contains(&name.as_str())) {
        Some(name) => Err(unknown_name(&format!("part of {operator}"), name, known.into_iter())),
        None => Ok(()),
    }
}

/// Whether an object is a point, `{"lat": …, "lon": …}`, and no conditions.
fn is_point(fields: &BTreeMap<String, Value>) -> bool {
    fields.len() == 2 && fields.contains_key("lat") && fields.contains_key("lon")
}

fn unknown_operator(operator: &str, known: &[&'static str], hint: &str) -> Error {
    let error = unknown_name("operator", operator, known.iter().copied());
    Error::invalid(format!("{}{hint}", error.message()))
}

fn object(name: &str, value: Value) -> Value {
    Value::Object(BTreeMap::from([(name.to_string(), value)]))
}

fn write_test(test: &Test) -> Value {
    let text = |text: &String| Value::Text(text.clone());
    let objects = |members: [(&str, Value); 2]| {
        Value::Object(members.map(|(name, value)| (name.to_string(), value)).into())
    };
    let (operator, value) = match test {
        Test::Eq(value) => ("$eq", literal(value)),
        Test::Ne(value) => ("$ne", literal(value)),
        Test::Lt(value) => ("$lt", literal(value)),
        Test::Lte(value) => ("$lte", literal(value)),
        Test::Gt(value) => ("$gt", literal(value)),
        Test::Gte(value) => ("$gte", literal(value)),
        Test::In(values) => ("$in", Value::Array(values.clone())),
        Test::Nin(values) => ("$nin", Value::Array(values.clone())),
        Test::All(values) => ("$all", Value::Array(values.clone())),
        Test::Contains(value) => ("$contains", value.clone()),
        Test::ContainsIgnoreCase(part) => ("$icontains", text(part)),
        Test::StartsWith(start) => ("$startsWith", text(start)),
        Test::StartsWithIgnoreCase(start) => ("$istartsWith", text(start)),
        Test::EndsWith(end) => ("$endsWith", text(end)),
        Test::EndsWithIgnoreCase(end) => ("$iendsWith", text(end)),
        Test::Regex(pattern) => ("$regex", text(pattern)),
        Test::Text(words) => ("$text", text(words)),
        Test::Size(size) => ("$size", Value::Int((*size).into())),
        Test::Exists(exists) => ("$exists", Value::Bool(*exists)),
        Test::GeoRadius { center, metres } => (
            "$geoRadius",
            objects([("center", Value::Geo(*center)), ("radius", Value::Float(*metres))]),
        ),
        Test::GeoBox { south_west, north_east } => {
            let corners = [("south_west", *south_west), ("north_east", *north_east)];
            ("$geoBox", objects(corners.map(|(name, corner)| (name, Value::Geo(corner)))))
        }
        Test::Field(comparison, path) => {
            let known = COMPARISONS.iter().find(|(_, known)| known == comparison);
            let name = known.map_or("$eq", |(name, _)| name);
            (name, object("$field", Value::Text(path.clone())))
        }
    };
    object(operator, value)
}

/// The value, marked where it would be read as the name of a field.
fn literal(value: &Value) -> Value {
    match placeholder(value) {
        Some(_) => object("$literal", value.clone()),
        None => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CONNECTIVES, OPERATORS};
    use alloc::collections::BTreeSet;

    /// The operators in a text.
    fn operators(text: &str) -> BTreeSet<&str> {
        let parts = text.split('$').skip(1).map(|part| {
            let end = part.find(|letter: char| !letter.is_ascii_alphabetic());
            &part[..end.unwrap_or(part.len())]
        });
        parts.filter(|name| !name.is_empty()).collect()
    }

    #[test]
    fn the_documented_table_has_every_operator_and_no_other() {
        let source = include_str!("mod.rs");
        let (documentation, _) = source.split_once("\nmod ").expect("modules follow");
        let known = OPERATORS.iter().chain(&CONNECTIVES).map(|name| name.trim_start_matches('$'));
        let known: BTreeSet<&str> = known.collect();
        assert_eq!(operators(documentation), known);
    }
}
