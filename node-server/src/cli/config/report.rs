//! The settings that hold, as a file that would set them.

use super::{setting::Setting, sources::Effective, table::SETTINGS};
use std::fmt::Write;

impl Effective {
    /// TOML with a comment in each line that says where the value comes from.
    pub(crate) fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Every setting of `vectordoc serve`, with its value and where that comes from.\n\
             # A flag overrules a variable, a variable this file, this file the default.\n",
        );
        let mut table = "";
        for (setting, source) in SETTINGS.iter().zip(&self.sources) {
            let (its_table, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
            if its_table != table {
                table = its_table;
                let _ = write!(text, "\n[{table}]");
            }
            let value = setting.kind.to_toml(&(setting.get)(&self.settings));
            let _ = write!(text, "\n# {}\n{name} = {value}  # {source}\n", about(setting));
        }
        text
    }
}

fn about(setting: &Setting) -> String {
    format!("{}. --{}, {}", setting.about, setting.flag(), setting.variable())
}
