//! The options in `#[vectordoc(…)]`: which there may be in which place, each at most once.

use crate::{mistakes::Mistakes, nearest};
use quote::ToTokens;
use syn::{
    Attribute, Error, Meta, Path, Result, Token, parse::ParseStream, punctuated::Punctuated,
};

/// Where options stand.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// On the struct.
    Struct,
    /// On the enum.
    Enum,
    /// On one of its fields.
    Field,
    /// On a variant of the enum.
    Variant,
    /// In the parentheses of `vector`.
    Vector,
}

impl Place {
    const ALL: [Self; 5] = [Self::Struct, Self::Enum, Self::Field, Self::Variant, Self::Vector];

    fn known(self) -> &'static [&'static str] {
        match self {
            Self::Struct | Self::Enum => &["rename_all", "crate"],
            Self::Field => &["id", "vector", "filter", "text", "json", "default", "skip", "rename"],
            Self::Variant => &["rename"],
            Self::Vector => &[
                "dim",
                "metric",
                "precision",
                "index",
                "m",
                "ef_construction",
                "ef",
                "quantization",
            ],
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::Struct => "the struct",
            Self::Enum => "the enum",
            Self::Field => "a field",
            Self::Variant => "a variant",
            Self::Vector => "`vector(…)`",
        }
    }
}

/// The options of one place: all of them known there, none twice.
pub(crate) struct Options<'a> {
    place: Place,
    list: Vec<Meta>,
    understood: bool,
    mistakes: &'a Mistakes,
}

impl<'a> Options<'a> {
    /// Those in each `#[vectordoc(…)]` among `attributes`.
    pub(crate) fn of(attributes: &[Attribute], place: Place, mistakes: &'a Mistakes) -> Self {
        let mut options = Self::none(place, mistakes);
        for attribute in attributes {
            if attribute.path().is_ident("vectordoc") {
                options.add(attribute.parse_args_with(separated));
            }
        }
        options
    }

    /// Those in the parentheses of `option`; none if it has no parentheses.
    pub(crate) fn within(option: &Meta, place: Place, mistakes: &'a Mistakes) -> Self {
        let mut options = Self::none(place, mistakes);
        match option {
            Meta::Path(_) => {}
            Meta::List(option) => options.add(option.parse_args_with(separated)),
            Meta::NameValue(_) => options.add(Err(Error::new_spanned(
                option,
                format!("options of a vector stand in parentheses: {}", place.describe()),
            ))),
        }
        options
    }

    fn none(place: Place, mistakes: &'a Mistakes) -> Self {
        Self { place, list: Vec::new(), understood: true, mistakes }
    }

    /// Whether everything written there is among the options. Where it is not, one that seems to
    /// be missing may only be misspelt.
    pub(crate) fn understood(&self) -> bool {
        self.understood
    }

    /// The option called `name`, if it is there.
    pub(crate) fn find(&self, name: &str) -> Option<&Meta> {
        self.list.iter().find(|option| option.path().is_ident(name))
    }

    /// What `read` makes of the option called `name`, if it is there and right.
    pub(crate) fn read<T>(&self, name: &str, read: fn(&Meta) -> Result<T>) -> Option<T> {
        self.find(name).and_then(|option| self.mistakes.ok(read(option)))
    }

    fn add(&mut self, parsed: Result<Punctuated<Meta, Token![,]>>) {
        self.understood &= parsed.is_ok();
        for option in self.mistakes.ok(parsed).into_iter().flatten() {
            let name = name_of(option.path());
            if !self.place.known().contains(&name.as_str()) {
                self.understood = false;
                self.mistakes.add(option.path(), unknown(&name, self.place));
            } else if self.find(&name).is_some() {
                self.mistakes.add(option.path(), format!("`{name}` is given twice; keep one"));
            } else {
                self.list.push(option);
            }
        }
    }
}

fn separated(input: ParseStream<'_>) -> Result<Punctuated<Meta, Token![,]>> {
    Punctuated::parse_terminated(input)
}

/// The name as it is written, whatever path it is.
fn name_of(path: &Path) -> String {
    path.to_token_stream().to_string().replace(' ', "")
}

/// Why there is no option `name` in `place`, and what there is instead.
fn unknown(name: &str, place: Place) -> String {
    let (here, home) =
        (place.describe(), Place::ALL.into_iter().find(|place| place.known().contains(&name)));
    match home {
        Some(home) => format!("`{name}` is an option of {}, not of {here}", home.describe()),
        None => {
            format!("unknown option `{name}` of {here}; {}", nearest::hint(name, place.known()))
        }
    }
}
