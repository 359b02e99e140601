//! The words of rules: one file for each language, chosen by the language tag of whoever reads. `None` where there is no good word.

mod english;
mod german;

use jiff::civil::{Date, Weekday};

use super::rule::{Day, Frequency};

/// More items than this in a list help nobody.
const LONGEST_LIST: usize = 7;

/// The tables, each with the subtag of its language (ISO 639-1).
static LANGUAGES: [(&str, &dyn Words); 2] = [("en", &english::English), ("de", &german::German)];

/// The days of a rule, whatever they are called.
pub(super) enum Days<'a> {
    /// The start says which.
    Open,
    /// One day of the month, of the rule's own months or of the one that the start says.
    Date(i16),
    /// Days of the month, counted from its end when negative.
    OfMonth(&'a [i16]),
    /// Days of the year, likewise.
    OfYear(&'a [i16]),
    /// Weekdays.
    Plain(&'a [Day]),
    /// Weekdays of the month, or of the year, of which some may be numbered.
    Numbered { days: &'a [Day], of_year: bool },
    /// Positions among days of one kind within the month.
    Chosen { positions: &'a [i16], kind: Kind },
    /// A day of the month, when it is one of these weekdays.
    DateIf { day: i16, weekdays: &'a [Day] },
    /// Weekdays of the week with this number.
    OfWeek { days: &'a [Day], week: i16 },
}

/// Kinds of days that BYSETPOS chooses from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Any,
    Working,
    Weekend,
    One(Weekday),
}

/// What a language has to know. Whole phrases, since languages put them together in ways of their own.
pub(super) trait Words: Sync {
    /// `Every 2 weeks`.
    fn every(&self, unit: Frequency, interval: u64) -> String;

    /// Every day from Monday to Friday.
    fn every_weekday(&self) -> &'static str;

    /// Starts that no rule gives.
    fn chosen_dates(&self) -> &'static str;

    /// `on the first Monday of March`, in the months, if any are said; `is_coarse` for rules of months and years.
    fn when(&self, days: &Days<'_>, months: &[i16], is_coarse: bool) -> Option<String>;

    /// `at 09:00 and 17:00`.
    fn at(&self, times: &[String]) -> Option<String>;

    /// `5 times`.
    fn times(&self, count: u32) -> String;

    /// `until 5 March 2027`.
    fn until(&self, day: Date) -> Option<String>;
}

/// The words of a language tag such as `de-AT`; English for languages without a table.
pub(super) fn words_of(locale: &str) -> &'static dyn Words {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    let mut known = LANGUAGES.iter();
    match known.find(|(tag, _)| tag.eq_ignore_ascii_case(language)) {
        Some((_, words)) => *words,
        None => &english::English,
    }
}

/// What is said of a series that only lists its starts, in the language of this tag.
pub fn chosen_dates(locale: &str) -> &'static str {
    words_of(locale).chosen_dates()
}

/// The name of something with a number that begins with one.
fn numbered_name(names: &[&'static str; 12], number: i16) -> Option<&'static str> {
    names.get(usize::try_from(number).ok()?.checked_sub(1)?).copied()
}

/// `a`, `a and b`, `a, b and c`.
fn list(items: &[impl AsRef<str>], and: &str) -> Option<String> {
    if items.len() > LONGEST_LIST {
        return None;
    }
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    let (last, most) = items.split_last()?;
    Some(if most.is_empty() {
        (*last).to_owned()
    } else {
        format!("{} {and} {last}", most.join(", "))
    })
}

/// A list of things, each in words.
fn list_of<T: Copy>(items: &[T], and: &str, words: impl Fn(T) -> Option<String>) -> Option<String> {
    let items = items.iter().map(|&item| words(item));
    list(&items.collect::<Option<Vec<_>>>()?, and)
}
