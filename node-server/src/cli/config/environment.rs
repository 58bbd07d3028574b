//! Settings in environment variables.

use super::{kind::Value, table::SETTINGS};
use std::ffi::OsString;
use vectordoc::{Error, Result, schema::unknown_name};

const LOG_FILTER: &str = "VECTORDOC_LOG_FILTER";
const PREFIX: &str = "VECTORDOC_";
/// What all commands log, and so a short name of a server's `log.filter`.
pub(crate) const LOG: &str = "VECTORDOC_LOG";
/// Variables that are not settings of a server: the file they are in, what clients send as their
/// key and where to, and what tests and benchmarks of vectordoc measure on, and how.
const OTHERS: [&str; 7] = [
    "VECTORDOC_CONFIG",
    "VECTORDOC_KEY",
    "VECTORDOC_URL",
    "VECTORDOC_DATASET",
    "VECTORDOC_BROWSER_HARNESS",
    "VECTORDOC_BIN",
    "VECTORDOC_PROTO",
];
/// What Kubernetes sets in every container beside a service called `vectordoc`.
const SERVICE_LINKS: [&str; 2] = ["VECTORDOC_PORT", "VECTORDOC_SERVICE_"];

/// A value of a variable: which setting, what, and the variable's name.
pub(super) struct Variable {
    pub(super) place: usize,
    pub(super) value: Value,
    pub(super) name: String,
}

/// Reads `variables`; `invalid` names one that is no setting, or whose value is wrong.
pub(super) fn read(
    variables: impl IntoIterator<Item = (OsString, OsString)>,
) -> Result<Vec<Variable>> {
    let mut read = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str().filter(|name| is_ours(name)) else {
            continue;
        };
        let names: Vec<_> = SETTINGS.iter().map(super::setting::Setting::variable).collect();
        let named = |known: &String| known == name || (name == LOG && known == LOG_FILTER);
        let Some(place) = names.iter().position(named) else {
            return Err(unknown_name("variable", name, names.iter().map(String::as_str)));
        };
        if name == LOG && value.is_empty() {
            continue;
        }
        let value = value.to_str().ok_or_else(|| Error::invalid(format!("{name} is not UTF-8")))?;
        let value = SETTINGS[place].kind.read(value);
        let value = value.map_err(|wrong| Error::invalid(format!("{name}: {wrong}")))?;
        read.push(Variable { place, value, name: name.to_owned() });
    }
    // Of the two names of one setting, the one that other commands know too is the last word.
    read.sort_by_key(|variable| variable.name == LOG);
    Ok(read)
}

fn is_ours(name: &str) -> bool {
    name.starts_with(PREFIX)
        && !OTHERS.contains(&name)
        && !SERVICE_LINKS.iter().any(|link| name.starts_with(link))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(name: &str, value: &str) -> Result<Vec<Variable>> {
        read([(name.into(), value.into())])
    }

    #[test]
    fn a_variable_is_named_after_its_setting() -> Result<()> {
        let read = given("VECTORDOC_LIMITS_PING_INTERVAL", "5s")?;
        assert_eq!(SETTINGS[read[0].place].key, "limits.ping_interval");
        Ok(())
    }

    #[test]
    fn a_mistyped_variable_is_refused_and_those_of_others_are_not() -> Result<()> {
        let refused = given("VECTORDOC_LISSTEN", "127.0.0.1:1").map(drop).expect_err("it is none");
        assert!(refused.message().contains("VECTORDOC_LISTEN"), "{refused}");
        let refused = given("VECTORDOC_SHARDS", "many").map(drop).expect_err("it is no number");
        assert!(refused.message().contains("VECTORDOC_SHARDS: \"many\""), "{refused}");
        let logged = read([(LOG.into(), "debug".into()), (LOG_FILTER.into(), "info".into())])?;
        assert_eq!(logged.last().map(|variable| variable.name.as_str()), Some(LOG));
        assert!(logged.iter().all(|variable| SETTINGS[variable.place].key == "log.filter"));
        for other in ["VECTORDOC_KEY", "VECTORDOC_PORT_7700_TCP", "PATH"] {
            assert!(given(other, "x")?.is_empty());
        }
        Ok(())
    }
}
