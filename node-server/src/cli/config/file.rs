//! The configuration file, in TOML.

use super::{
    kind::Kind,
    kind::Value,
    table::{SETTINGS, place_of},
};
use crate::limits::CONFIG_BYTES_MAX;
use std::{fs::File, io::Read, ops::Range, path::Path};
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};
use vectordoc::{Error, Result, schema::unknown_name};

/// A value of a file: which setting, what, and in which line.
pub(super) struct Line {
    pub(super) place: usize,
    pub(super) value: Value,
    pub(super) number: usize,
}

/// Reads the file at `path`; `invalid` names the line, the key, and the nearest name of one that is
/// none.
pub(super) fn read(path: &Path) -> Result<Vec<Line>> {
    let failed = |error: std::io::Error| crate::fault::os("cannot read", path.display(), &error);
    let file = File::open(path).map_err(failed)?;
    let mut text = String::new();
    file.take(CONFIG_BYTES_MAX + 1).read_to_string(&mut text).map_err(failed)?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > CONFIG_BYTES_MAX {
        return Err(Error::limit_exceeded(format!(
            "{} has over {CONFIG_BYTES_MAX} bytes, which no configuration has",
            path.display()
        )));
    }
    parse(&text)
        .map_err(|(line, message)| Error::invalid(format!("{}:{line}: {message}", path.display())))
}

/// What is wrong, and in which line.
type Mistake = (usize, String);

fn parse(text: &str) -> Result<Vec<Line>, Mistake> {
    let root = DeTable::parse(text).map_err(|error| {
        (line_of(text, error.span().unwrap_or_default()), error.message().to_owned())
    })?;
    let mut lines = Vec::new();
    read_table(text, "", root.get_ref(), &mut lines)?;
    Ok(lines)
}

/// Reads a table of a file, whose tables are one deep.
fn read_table(
    text: &str,
    prefix: &str,
    table: &DeTable<'_>,
    lines: &mut Vec<Line>,
) -> Result<(), Mistake> {
    for (name, value) in table {
        let key = format!("{prefix}{}", name.get_ref());
        let number = line_of(text, name.span());
        match (place_of(&key), value.get_ref()) {
            (Some(place), _) => {
                let value = read_value(SETTINGS[place].kind, value);
                let value = value.map_err(|wrong| (number, format!("{key}: {wrong}")))?;
                lines.push(Line { place, value, number });
            }
            (None, DeValue::Table(table)) if prefix.is_empty() && is_table(&key) => {
                read_table(text, &format!("{key}."), table, lines)?;
            }
            _ => {
                let known = SETTINGS.iter().map(|setting| setting.key);
                return Err((number, unknown_name("setting", &key, known).message().to_owned()));
            }
        }
    }
    Ok(())
}

fn is_table(name: &str) -> bool {
    SETTINGS
        .iter()
        .any(|setting| setting.key.split_once('.').is_some_and(|(table, _)| table == name))
}

fn read_value(kind: Kind, value: &Spanned<DeValue<'_>>) -> Result<Value, String> {
    match (kind, value.get_ref()) {
        (Kind::Count(..) | Kind::Bytes(..), DeValue::Integer(integer)) => {
            let number = u64::from_str_radix(integer.as_str(), integer.radix());
            kind.number(number.map_err(|_| kind.expected(&Shown(integer.as_str())))?)
        }
        (Kind::Count(..) | Kind::Switch | Kind::List, DeValue::String(text)) => {
            Err(format!("{}; write it without quotes", kind.expected(text)))
        }
        (_, DeValue::String(text)) => kind.read(text),
        (Kind::Switch, DeValue::Boolean(on)) => Ok(Value::Switch(*on)),
        (Kind::List, DeValue::Array(items)) => {
            let text = |item: &Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
            let items: Option<Vec<_>> = items.iter().map(text).collect();
            items.map(Value::List).ok_or_else(|| kind.expected(&Shown("what is there")))
        }
        (_, DeValue::Integer(integer)) => Err(kind.expected(&Shown(integer.as_str()))),
        (_, other) => Err(kind.expected(&Shown(other.type_str()))),
    }
}

/// Shown without quotes.
struct Shown<'a>(&'a str);

impl std::fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

/// The line that `span` of `text` begins in; the first is 1.
fn line_of(text: &str, span: Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    1 + before.bytes().filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::{super::settings::Settings, *};

    fn refused(text: &str, line: usize, parts: &[&str]) {
        let Err((number, message)) = parse(text) else {
            panic!("{text:?} is read");
        };
        assert_eq!(number, line, "{message}");
        assert!(parts.iter().all(|part| message.contains(part)), "{message}");
    }

    #[test]
    fn a_mistake_is_named_with_its_line() {
        refused("listen = \"127.0.0.1:1\"\n\nlissten = 1\n", 3, &["lissten", "\"listen\""]);
        refused(
            "[limits]\nconections_max = 5",
            2,
            &["limits.conections_max", "\"limits.connections_max\""],
        );
        refused("[limit]\nconnections_max = 5", 1, &["limit"]);
        refused(
            "[limits]\nconnections_max = 0",
            2,
            &["limits.connections_max", "0 is not", "1 to"],
        );
        refused("[limits]\nconnections_max = \"5\"", 2, &["without quotes"]);
        refused("[limits]\nconnections_max = -5", 2, &["-5 is not a number"]);
        refused("[limits]\nping_interval = 20", 2, &["20 is not a time", "20s"]);
        refused("[limits]\nping_interval = \"20 parsecs\"", 2, &["20 parsecs"]);
        refused("residence = \"dist\"", 1, &["\"disk\""]);
        refused("insecure = \"true\"", 1, &["without quotes"]);
        refused("allow_origins = [1]", 1, &["list of texts"]);
        refused("shards = 1\nshards = 2", 2, &["duplicate"]);
        refused("shards = \n", 1, &[]);
        refused("[log.filter]\nx = 1", 1, &["log.filter"]);
    }

    /// The lines that a setting of this kind takes, and those it does not.
    fn edges(kind: Kind) -> (Vec<String>, Vec<String>) {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let around = |min: u64, max: u64, write: &dyn Fn(u64) -> String, wrong: &[&str]| {
            let mut refused: Vec<_> = texts(wrong);
            refused.push(write(max + 1));
            refused.extend(min.checked_sub(1).map(write));
            (vec![write(min), write(max)], refused)
        };
        match kind {
            Kind::Count(min, max) => {
                let number = |number: u64| number.to_string();
                around(min, max, &number, &["\"1\"", "true", "1.5", "[1]", "-1"])
            }
            Kind::Bytes(min, max) => {
                let number = |number: u64| number.to_string();
                around(min, max, &number, &["\"many\"", "\"1XB\"", "true", "1.5", "-1"])
            }
            Kind::Duration(min, max) => {
                let millis = |millis: u64| format!("\"{millis}ms\"");
                around(min, max, &millis, &["1000", "\"1\"", "\"-1s\"", "true"])
            }
            Kind::Address => {
                let wrong = ["\"localhost\"", "\"127.0.0.1\"", "\"127.0.0.1:65536\"", "7700"];
                (texts(&["\"127.0.0.1:0\"", "\"[::1]:65535\""]), texts(&wrong))
            }
            Kind::HostIfAny => {
                let wrong = ["\"node\"", "\":7701\"", "\"node:65536\"", "7701"];
                (texts(&["\"\"", "\"node-1.example:7701\"", "\"[::1]:1\""]), texts(&wrong))
            }
            Kind::Path => (texts(&["\"./a\""]), texts(&["\"\"", "1", "true", "[\"a\"]"])),
            Kind::PathIfAny => (texts(&["\"\"", "\"./a\""]), texts(&["1", "true"])),
            Kind::Filter => {
                (texts(&["\"off\"", "\"info,a::b=debug\""]), texts(&["\"\"", "\"a=b=c\"", "1"]))
            }
            Kind::Choice(words) => {
                let right = words.iter().map(|word| format!("\"{word}\"")).collect();
                (right, texts(&["\"\"", "\"neither\"", "1", "true"]))
            }
            Kind::Collector => {
                let right = ["\"\"", "\"http://127.0.0.1:4317\""];
                let right = if cfg!(feature = "otel") { &right[..] } else { &right[..1] };
                let wrong = ["\"localhost\"", "\"https://a.example\"", "\"http://\"", "4317"];
                (texts(right), texts(&wrong))
            }
            Kind::Bucket => (
                texts(&["\"\"", "\"s3://a\"", "\"s3://a/b/c\""]),
                texts(&["\"a\"", "\"s3://\"", "\"file:///a\"", "1", "true"]),
            ),
            Kind::Endpoint => (
                texts(&["\"\"", "\"http://127.0.0.1:9000\"", "\"https://s3.example.org\""]),
                texts(&["\"127.0.0.1\"", "\"https://user:secret@host\"", "1", "true"]),
            ),
            Kind::Word => (texts(&["\"\"", "\"a-1\""]), texts(&["\"a b\"", "1", "true"])),
            Kind::Switch => (texts(&["true", "false"]), texts(&["\"true\"", "1", "\"\""])),
            Kind::List => (texts(&["[]", "[\"a\", \"b\"]"]), texts(&["\"a\"", "[1]", "1", "true"])),
        }
    }

    #[test]
    fn every_setting_is_taken_at_its_edges_and_refused_beyond_them_by_key_and_line() {
        for setting in SETTINGS {
            let (table, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
            let head = if table.is_empty() { String::new() } else { format!("[{table}]\n") };
            let number = 2 + head.lines().count();
            let (right, wrong) = edges(setting.kind);
            for value in right {
                let read = parse(&format!("\n{head}{name} = {value}\n"));
                let lines = read.unwrap_or_else(|(_, wrong)| panic!("{value}: {wrong}"));
                assert_eq!(lines.len(), 1);
                let mut settings = Settings::default();
                assert!((setting.set)(&mut settings, lines[0].value.clone()), "{}", setting.key);
                assert_eq!((setting.get)(&settings), lines[0].value, "{}", setting.key);
            }
            for value in wrong {
                refused(&format!("\n{head}{name} = {value}\n"), number, &[setting.key]);
            }
        }
    }

    #[test]
    fn what_is_right_is_read_with_its_line() {
        let text = "shards = 2\nallow_origins = [\"https://a.example\"]\n[limits]\nmessage_bytes_max = \"16MiB\"\nping_interval = \"5s\"\n[log]\nformat = \"json\"\n";
        let mut lines = parse(text).expect("it is right");
        lines.sort_by_key(|line| line.number);
        let seen: Vec<_> =
            lines.iter().map(|line| (SETTINGS[line.place].key, line.number)).collect();
        let expected = [
            ("shards", 1),
            ("allow_origins", 2),
            ("limits.message_bytes_max", 4),
            ("limits.ping_interval", 5),
            ("log.format", 7),
        ];
        assert_eq!(seen, expected);
        assert_eq!(lines[2].value, Value::Number(16 << 20));
    }
}
