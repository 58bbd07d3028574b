//! The cases names are written in.

/// How stored names are made of the names of fields and of variants; as serde does.
#[derive(Clone, Copy)]
pub(crate) enum Case {
    Lower,
    Upper,
    Camel,
    Snake,
    Kebab,
    Pascal,
    ScreamingSnake,
}

impl Case {
    /// Every case by its name, which is written in it.
    pub(crate) const NAMES: [(&'static str, Self); 7] = [
        ("camelCase", Self::Camel),
        ("snake_case", Self::Snake),
        ("kebab-case", Self::Kebab),
        ("PascalCase", Self::Pascal),
        ("SCREAMING_SNAKE_CASE", Self::ScreamingSnake),
        ("lowercase", Self::Lower),
        ("UPPERCASE", Self::Upper),
    ];

    /// The name of a field, which is in snake case, in this case.
    pub(crate) fn of_field(self, field: &str) -> String {
        match self {
            Self::Snake | Self::Lower => field.into(),
            Self::Kebab => field.replace('_', "-"),
            Self::ScreamingSnake | Self::Upper => field.to_uppercase(),
            Self::Pascal => words(field).map(capitalized).collect(),
            Self::Camel => {
                let first = words(field).take(1).map(String::from);
                first.chain(words(field).skip(1).map(capitalized)).collect()
            }
        }
    }

    /// The name of a variant, which is in Pascal case, in this case.
    pub(crate) fn of_variant(self, variant: &str) -> String {
        match self {
            Self::Lower => variant.to_lowercase(),
            Self::Upper => variant.to_uppercase(),
            _ => self.of_field(&snake_case_of_type(variant)),
        }
    }
}

fn words(field: &str) -> impl Iterator<Item = &str> {
    field.split('_').filter(|word| !word.is_empty())
}

fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// The name of a type in snake case: `HttpServer` and `HTTPServer` are `http_server`.
pub(crate) fn snake_case_of_type(name: &str) -> String {
    let letters: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (position, letter) in letters.iter().enumerate() {
        if begins_word(&letters, position) {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// Whether a word begins with the capital at `position`: after a letter or digit that is none, or
/// before one when it ends a run of capitals.
fn begins_word(letters: &[char], position: usize) -> bool {
    let is_small = |letter: &char| letter.is_lowercase() || letter.is_numeric();
    let Some(before) = position.checked_sub(1).map(|before| &letters[before]) else {
        return false;
    };
    letters[position].is_uppercase()
        && (is_small(before)
            || before.is_uppercase() && letters.get(position + 1).is_some_and(is_small))
}
