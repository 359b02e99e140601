//! What a setting is, and the reader that turns text into values. Promises: every problem is kept, names its setting and says
//! what to write instead. Must not know which settings exist.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Stands in the name of a setting for a name that the operator chose, in capitals.
pub(super) const NAME: &str = "<NAME>";

/// One line of the table that drives parsing, `.env.example` and `meridian doctor`.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// What happens when it is not set.
    pub fallback: Fallback,
    /// What it does, for people.
    pub help: &'static str,
    /// Whether its value must never be shown.
    pub secret: bool,
}

/// What happens when a setting is not set.
#[derive(Clone, Copy, Debug)]
pub enum Fallback {
    /// This text is read instead.
    Text(&'static str),
    /// The value follows from other settings, as these words say.
    Derived(&'static str),
}

/// Settings that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// Heading in `.env.example`.
    pub title: &'static str,
    /// The settings, in reading order.
    pub settings: &'static [Setting],
}

impl Setting {
    pub(super) const fn new(name: &'static str, default: &'static str, help: &'static str) -> Self {
        Self {
            name,
            fallback: Fallback::Text(default),
            help,
            secret: false,
        }
    }

    pub(super) const fn derived(name: &'static str, words: &'static str, help: &'static str) -> Self {
        Self {
            name,
            fallback: Fallback::Derived(words),
            help,
            secret: false,
        }
    }

    pub(super) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

/// One thing to correct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Name of the setting.
    pub setting: String,
    /// What is wrong and what to write instead.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.setting, self.message)
    }
}

/// A whole number that a limit can be stored as.
pub(super) trait FromNumber {
    fn from_number(number: u64) -> Option<Self>
    where
        Self: Sized;
}

impl FromNumber for u32 {
    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl FromNumber for usize {
    fn from_number(number: u64) -> Option<Self> {
        number.try_into().ok()
    }
}

impl FromNumber for Duration {
    fn from_number(number: u64) -> Option<Self> {
        Some(Self::from_secs(number))
    }
}

/// Reads settings and collects what is wrong with them. A `None` always comes with a collected problem, or means "not set".
pub(super) struct Reader<'a> {
    values: &'a BTreeMap<String, String>,
    problems: Vec<Problem>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(values: &'a BTreeMap<String, String>) -> Self {
        Self {
            values,
            problems: Vec::new(),
        }
    }

    pub(super) fn finish(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn fail(&mut self, setting: &Setting, message: impl Into<String>) {
        self.problems.push(Problem {
            setting: setting.name.into(),
            message: message.into(),
        });
    }

    /// The text that was set; an empty one counts as not set, because many tools cannot unset a variable.
    pub(super) fn given(&self, setting: &Setting) -> Option<&'a str> {
        self.named(setting.name)
    }

    /// The text of a setting whose name the operator made.
    pub(super) fn named(&self, name: &str) -> Option<&'a str> {
        let text = self.values.get(name).map(|text| text.trim());
        text.filter(|text| !text.is_empty())
    }

    pub(super) fn fail_named(&mut self, setting: String, message: String) {
        self.problems.push(Problem { setting, message });
    }

    /// The text that was set, or the default of the table.
    pub(super) fn text(&self, setting: &Setting) -> Option<&'a str> {
        self.given(setting).or(match setting.fallback {
            Fallback::Text("") | Fallback::Derived(_) => None,
            Fallback::Text(text) => Some(text),
        })
    }

    /// Reads one value. `expected` completes the sentence "Write …".
    pub(super) fn read<T>(
        &mut self,
        setting: &Setting,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(setting)?;
        let value = parse(text);
        if value.is_none() {
            let shown = if setting.secret {
                "the value".into()
            } else {
                format!("`{}`", shorten(text))
            };
            self.fail(setting, format!("{shown} cannot be used. Write {expected}."));
        }
        value
    }

    /// A whole number within limits.
    pub(super) fn number<T: FromNumber>(
        &mut self,
        setting: &Setting,
        range: RangeInclusive<u64>,
    ) -> Option<T> {
        let expected = format!("a whole number from {} to {}", range.start(), range.end());
        self.read(setting, &expected, |text| {
            text.replace('_', "")
                .parse()
                .ok()
                .filter(|number| range.contains(number))
                .and_then(T::from_number)
        })
    }

    /// A switch; `derived` is its state when it is not set.
    pub(super) fn switch(&mut self, setting: &Setting, derived: bool) -> Option<bool> {
        if self.text(setting).is_none() {
            return Some(derived);
        }
        self.read(setting, "true or false", |text| {
            match text.to_ascii_lowercase().as_str() {
                "true" | "1" | "yes" | "on" => Some(true),
                "false" | "0" | "no" | "off" => Some(false),
                _ => None,
            }
        })
    }

    /// A list with commas between its items; each item that cannot be used is a problem of its own.
    pub(super) fn list<T>(
        &mut self,
        setting: &Setting,
        expected: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let mut items = Vec::new();
        for text in self.text(setting).unwrap_or_default().split(',').map(str::trim) {
            match parse(text) {
                Some(item) => items.push(item),
                None if text.is_empty() => {}
                None => self.fail(
                    setting,
                    format!("`{}` cannot be used. Write {expected}.", shorten(text)),
                ),
            }
        }
        items
    }
}

/// A number with a table line of its own: the documentation of the field is the help of the setting.
macro_rules! number_section {
    (
        $(#[$attribute:meta])*
        pub struct $Type:ident, $settings:ident, $read:ident {
            $( $(#[doc = $doc:literal])+ $field:ident: $kind:ty = $name:literal, $default:literal, $range:expr; )+
        }
    ) => {
        $(#[$attribute])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $Type { $( $(#[doc = $doc])+ pub $field: $kind, )+ }

        pub(super) const $settings: &[$crate::config::setting::Setting] = &[
            $( $crate::config::setting::Setting::new($name, $default, concat!($($doc),+)), )+
        ];

        pub(super) fn $read(reader: &mut $crate::config::setting::Reader<'_>) -> Option<$Type> {
            let mut lines = $settings.iter();
            $( let $field = lines.next().and_then(|line| reader.number(line, $range)); )+
            Some($Type { $( $field: $field?, )+ })
        }
    };
}
pub(super) use number_section;

fn shorten(text: &str) -> String {
    if text.chars().count() <= 80 {
        text.into()
    } else {
        text.chars().take(80).chain(['…']).collect()
    }
}
