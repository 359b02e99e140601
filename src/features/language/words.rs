//! What words mean. A language is a table of words; the finders only know the meanings, so that a new language is a new table.

mod de;
mod en;
mod ru;

use std::collections::HashMap;
use std::sync::LazyLock;

use entity::enums::TaskPriority;
use jiff::civil::Weekday;

/// One thing that a word can mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    Weekday(Weekday),
    /// All of a weekday: `mondays`.
    Weekdays(Weekday),
    Month(i8),
    Unit(Unit),
    Number(u32),
    /// First, second … last (-1).
    Ordinal(i8),
    /// Days from today: `tomorrow` is 1.
    Shift(i8),
    Part(Part),
    /// An evening of today: `tonight`.
    Tonight,
    Am,
    Pm,
    /// `o'clock`: the hour may be of either half of the day.
    Oclock,
    /// `Uhr`: the hour is one of 24.
    Hour24,
    Half,
    Quarter,
    Past,
    To,
    By,
    Until,
    Due,
    Deadline,
    From,
    After,
    Starting,
    Between,
    Not,
    No,
    Later,
    Than,
    On,
    At,
    In,
    For,
    Of,
    The,
    A,
    And,
    With,
    This,
    Next,
    Now,
    Every,
    Other,
    /// Repeats every so many of these: `biweekly`.
    Repeats(Unit, u32),
    Workdays,
    Weekend,
    End,
    EndOf(Unit),
    /// What follows the number of a day: `5th`.
    Suffix,
    Times,
    Priority,
    Level(TaskPriority),
    /// `urgent` says so alone; other levels need the word priority beside them.
    Alone(TaskPriority),
    Energy,
    Deep,
    Work,
    Block,
    Split,
    Takes,
    Remind,
    Me,
    Task,
    Event,
    /// Takes whole days: a birthday.
    WholeDay,
    /// Takes place with others or at a place.
    Meeting,
    /// A meeting that is usually short.
    Short,
    /// Takes place late in the day.
    Late,
    /// Something to do.
    Verb,
    Place,
    Room,
    /// Says of hours that nothing is planned in them: `tuesday 11-12 free`.
    Free,
}

/// Units of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Minute,
    Hour,
    Day,
    Week,
    Month,
    Quarter,
    Year,
}

/// Parts of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Noon,
    Afternoon,
    Evening,
    Night,
    Midnight,
}

/// The words of a language.
pub(super) struct Lexicon {
    words: HashMap<&'static str, Vec<Word>>,
    /// Whether `5/6` is the fifth of June.
    pub(super) is_day_first: bool,
}

impl Lexicon {
    fn new(tables: &[&'static [(Word, &'static str)]], is_day_first: bool) -> Self {
        let mut words: HashMap<&'static str, Vec<Word>> = HashMap::new();
        for (meaning, list) in tables.iter().flat_map(|table| table.iter()) {
            for word in list.split_whitespace() {
                words.entry(word).or_default().push(*meaning);
            }
        }
        Self { words, is_day_first }
    }

    /// What a word in lower case can mean.
    pub(super) fn find(&self, lower: &str) -> &[Word] {
        self.words.get(lower).map_or(&[], Vec::as_slice)
    }

    /// The words of a language tag; English for languages without a table. Those of other languages also know the English words for
    /// what people type in any language.
    pub(super) fn of(locale: &str) -> &'static Self {
        static US: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(&[en::WORDS, en::ENGLISH], false));
        static EN: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(&[en::WORDS, en::ENGLISH], true));
        static DE: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(&[en::WORDS, de::WORDS], true));
        static RU: LazyLock<Lexicon> = LazyLock::new(|| Lexicon::new(&[en::WORDS, ru::WORDS], true));
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        match language.to_ascii_lowercase().as_str() {
            "de" => &DE,
            "ru" => &RU,
            "en" if locale.eq_ignore_ascii_case("en") || locale.eq_ignore_ascii_case("en-us") => &US,
            _ => &EN,
        }
    }
}
