//! The settings that hold, and where each comes from.

use super::{environment, file, flags::Flags, kind::Value, settings::Settings, table::SETTINGS};
use std::{
    ffi::OsString,
    fmt,
    path::{Path, PathBuf},
};
use vectordoc::{Error, Result};

/// Where a value comes from; a later one overrules an earlier one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Nobody said anything.
    Default,
    /// A line of a file.
    File(PathBuf, usize),
    /// An environment variable.
    Variable(String),
    /// The command line.
    Flag(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path, line) => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// All settings, and the source of each in the order of the table.
pub(crate) struct Effective {
    pub(crate) settings: Settings,
    pub(super) sources: Vec<Source>,
}

impl Effective {
    /// Takes `flags`, the process's environment, and the file that one of them names.
    pub(crate) fn of(flags: &Flags) -> Result<Self> {
        Self::from_all(flags, std::env::vars_os())
    }

    fn from_all(
        flags: &Flags,
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self> {
        let variables: Vec<_> = variables.into_iter().collect();
        let named = variables.iter().find(|(name, _)| name == "VECTORDOC_CONFIG");
        let named = named.map(|(_, path)| PathBuf::from(path));
        let mut effective =
            Self { settings: Settings::default(), sources: vec![Source::Default; SETTINGS.len()] };
        if let Some(path) = flags.file.clone().or(named) {
            effective.take_file(&path)?;
        }
        for variable in environment::read(variables)? {
            effective.take(variable.place, variable.value, Source::Variable(variable.name))?;
        }
        for (place, value) in &flags.given {
            effective.take(*place, value.clone(), Source::Flag(SETTINGS[*place].flag()))?;
        }
        Ok(effective)
    }

    fn take_file(&mut self, path: &Path) -> Result<()> {
        for line in file::read(path)? {
            self.take(line.place, line.value, Source::File(path.into(), line.number))?;
        }
        Ok(())
    }

    fn take(&mut self, place: usize, value: Value, source: Source) -> Result<()> {
        let setting = &SETTINGS[place];
        if !(setting.set)(&mut self.settings, value) {
            let key = setting.key;
            return Err(Error::internal(format!("{source}: the value of {key} has no place")));
        }
        self.sources[place] = source;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_overrule_variables_which_overrule_the_file() -> Result<()> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vectordoc.toml");
        std::fs::write(&path, "shards = 2\nresidence = \"disk\"\n[limits]\nin_flight_max = 7\n")
            .expect("written");
        let shards = super::super::table::place_of("shards").expect("a setting");
        let flags = Flags { file: Some(path.clone()), given: vec![(shards, Value::Number(4))] };
        let variables = [
            ("VECTORDOC_SHARDS".into(), "3".into()),
            ("VECTORDOC_LIMITS_IN_FLIGHT_MAX".into(), "9".into()),
        ];
        let effective = Effective::from_all(&flags, variables)?;
        assert_eq!(effective.settings.shards, 4);
        assert_eq!(effective.settings.limits.in_flight_max, 9);
        assert_eq!(effective.sources[shards], Source::Flag("shards".into()));
        let file = effective.sources.iter().filter(|source| matches!(source, Source::File(..)));
        assert_eq!(file.collect::<Vec<_>>(), [&Source::File(path, 2)]);
        Ok(())
    }
}
