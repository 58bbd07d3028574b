//! Settings on the command line.

use super::{
    kind::{Kind, Value},
    setting::Setting,
    settings::Settings,
    table::SETTINGS,
};
use clap::{Arg, ArgAction, ArgMatches, Command, FromArgMatches, builder::TypedValueParser};
use std::path::PathBuf;

const FILE: &str = "config";
const LIMITS: &str = "Limits";

/// A flag for every setting, and one for the file of the others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flags {
    /// The file, if one is named.
    pub(super) file: Option<PathBuf>,
    /// The settings given, by their place in the table.
    pub(super) given: Vec<(usize, Value)>,
}

impl FromArgMatches for Flags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let file = matches.get_one::<PathBuf>(FILE).cloned();
        let value = |(place, setting): (usize, &Setting)| {
            Some((place, matches.get_one::<Value>(setting.key)?.clone()))
        };
        Ok(Self { file, given: SETTINGS.iter().enumerate().filter_map(value).collect() })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl clap::Args for Flags {
    fn augment_args(command: Command) -> Command {
        let file = Arg::new(FILE)
            .long(FILE)
            .value_name("FILE")
            .value_parser(clap::value_parser!(PathBuf))
            .help("TOML file of settings; `vectordoc config` prints one with all of them");
        command.arg(file).args(SETTINGS.iter().map(argument))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

fn argument(setting: &'static Setting) -> Arg {
    let default = (setting.get)(&Settings::default());
    let default = match (setting.kind, &default) {
        (Kind::Switch, Value::Switch(false)) | (Kind::List, _) => String::new(),
        (kind, default) => {
            format!(" [default: {}]", kind.to_toml(default).trim_matches(['"', '\'']))
        }
    };
    let read = clap::builder::StringValueParser::new().try_map(|text| setting.kind.read(&text));
    let argument = Arg::new(setting.key)
        .long(setting.flag())
        .value_name(setting.kind.placeholder())
        .help(format!("{}{default}", setting.about))
        .action(ArgAction::Set)
        .value_parser(read);
    let argument = match setting.kind {
        Kind::Switch => argument.num_args(0..=1).require_equals(true).default_missing_value("true"),
        _ => argument,
    };
    if setting.is_limit() { argument.help_heading(LIMITS).hide_short_help(true) } else { argument }
}
