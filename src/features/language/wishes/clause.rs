//! What a clause says: about which days and hours, how long, and in which other words. Must not know what is wished for.
//!
//! Promises: nothing of a clause is lost. What is neither claimed nor a mark is among its words; what cannot be told apart makes no clause.

use entity::enums::{EnergyLevel, Weekday};
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};

use super::super::build::hours_of;
use super::super::cover;
use super::super::find::{self, Clock, Found, Meaning, Role};
use super::super::token::{self, Kind, Token};
use super::super::words::{Lexicon, Part, Unit, Word};
use super::days::{named, weekdays};

/// The days that a clause is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::features::language) enum Scope {
    /// None is named.
    Always,
    /// From a date to just before another.
    Dates(Vec<(Date, Date)>),
    /// Every week on these; every day when there are none.
    Each(Vec<Weekday>),
}

/// The hours that a clause is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::features::language) enum Hours {
    Any,
    Between(Clock, Clock),
    Part(Part),
    At(Clock),
    Before(Clock),
    After(Clock),
    /// `not before`, which says that something is after.
    NotBefore(Clock),
    NotAfter(Clock),
}

/// A clause, taken apart.
#[derive(Debug)]
pub(in crate::features::language) struct Clause<'t> {
    pub(in crate::features::language) scope: Scope,
    pub(in crate::features::language) hours: Hours,
    pub(in crate::features::language) minutes: Option<i32>,
    pub(in crate::features::language) energy: Option<EnergyLevel>,
    /// What nothing was made of, in lower case.
    pub(in crate::features::language) words: Vec<String>,
    /// What may be the name of a task: all but the day.
    pub(super) names: Vec<&'t str>,
    /// Whether people or places are named.
    pub(super) has_names: bool,
    /// Whether more is said than a wish can hold: that something is urgent, say, or that it is a question.
    pub(super) has_more: bool,
    /// Whether several things are said one after the other.
    pub(super) is_list: bool,
}

/// In lower case, with one kind of apostrophe.
fn plain(token: &Token<'_>) -> String {
    token.lower.replace('’', "'")
}

impl<'t> Clause<'t> {
    /// `None` when what is found does not go together.
    pub(in crate::features::language) fn read(
        text: &'t str,
        lexicon: &'static Lexicon,
        now: DateTime,
    ) -> Option<Self> {
        let tokens = token::cut(text, lexicon);
        let mut found = find::all(&tokens, lexicon, now);
        found.extend(find::in_wishes(&tokens, lexicon, now));
        let chosen = cover::best(found, tokens.len());
        let mut reader = Reader {
            tokens: &tokens,
            today: now.date(),
            claimed: vec![false; tokens.len()],
            is_day: vec![false; tokens.len()],
            dates: Vec::new(),
            each: None,
            hours: Hours::Any,
            minutes: None,
            energy: None,
            has_names: false,
            has_more: tokens.iter().any(|token| token.is_mark('?')),
        };
        for one in &chosen {
            reader.take(one)?;
        }
        reader.bare_hour()?;
        reader.plural()?;
        reader.clause()
    }
}

struct Reader<'a, 't> {
    tokens: &'a [Token<'t>],
    today: Date,
    claimed: Vec<bool>,
    is_day: Vec<bool>,
    dates: Vec<(Date, Date)>,
    each: Option<Vec<Weekday>>,
    hours: Hours,
    minutes: Option<i32>,
    energy: Option<EnergyLevel>,
    has_names: bool,
    has_more: bool,
}

impl<'t> Reader<'_, 't> {
    fn take(&mut self, found: &Found) -> Option<()> {
        let range = found.from..found.to;
        let has = |word: Word| self.tokens[range.clone()].iter().any(|token| token.is(word));
        let is_denied = has(Word::Not) || has(Word::No);
        match &found.meaning {
            // `end the day at 4` is no day.
            Meaning::Day(..) if has(Word::End) && has(Word::Unit(Unit::Day)) && !has(Word::Of) => {
                return Some(());
            }
            Meaning::Day(Role::Plain, day, other) => {
                self.is_day[range.clone()].fill(true);
                self.day(range.clone(), *day, *other)?;
            }
            Meaning::Days(first, last) => self.dates.push((*first, last.tomorrow().ok()?)),
            Meaning::Time(role, clock) => {
                let clock = *clock;
                let hours = match (role, is_denied) {
                    (Role::From, false) => Hours::After(clock),
                    (Role::From, true) => Hours::NotBefore(clock),
                    (Role::By, true) => Hours::NotAfter(clock),
                    (Role::By | Role::Until, false) if !has(Word::Due) => Hours::Before(clock),
                    (Role::Plain, _) => self.led(found.from, clock),
                    _ => return None,
                };
                self.set_hours(hours)?;
            }
            Meaning::Times(first, last) => self.set_hours(Hours::Between(*first, *last))?,
            Meaning::Part(part) => {
                let is_today = has(Word::This) || has(Word::Tonight);
                if is_today {
                    self.dates.push((self.today, self.today.tomorrow().ok()?));
                }
                self.set_hours(Hours::Part(*part))?;
            }
            Meaning::Minutes(minutes) => {
                self.minutes.is_none().then_some(())?;
                self.minutes = Some(*minutes);
            }
            Meaning::Energy(level) => {
                self.energy.is_none().then_some(())?;
                self.energy = Some(*level);
            }
            Meaning::Repeat(rule, part) => {
                self.add_each(weekdays(rule)?)?;
                if let Some(part) = part {
                    self.set_hours(Hours::Part(*part))?;
                }
            }
            Meaning::People | Meaning::Place(_) => {
                self.has_names = true;
                return Some(());
            }
            Meaning::Priority(_)
            | Meaning::Label(_)
            | Meaning::Guest(_)
            | Meaning::Link(_)
            | Meaning::Chunk(_)
            | Meaning::IsTask
            | Meaning::IsEvent => {
                self.has_more = true;
                return Some(());
            }
            // A day or a time in a way that no wish can hold: a deadline, `in 3 hours`, `for 2 weeks`.
            _ => return None,
        }
        for at in range {
            // `starts at 9` says what the time is for.
            self.claimed[at] = !self.tokens[at].is(Word::Starting);
        }
        Some(())
    }

    fn set_hours(&mut self, hours: Hours) -> Option<()> {
        (self.hours == Hours::Any).then(|| self.hours = hours)
    }

    fn add_each(&mut self, days: Vec<Weekday>) -> Option<()> {
        self.each.is_none().then(|| self.each = Some(days))
    }

    /// A time whose meaning is in the words before it: `past 6pm`, `later than 6pm`.
    fn led(&mut self, at: usize, clock: Clock) -> Hours {
        let word = |back: usize| {
            at.checked_sub(back)
                .map(|index| self.tokens[index].lower.as_str())
        };
        let (length, hours) = match (word(1), word(2)) {
            (Some("past" | "beyond"), _) => (1, Hours::After(clock)),
            (Some("until" | "till"), _) => (1, Hours::Before(clock)),
            (Some("than"), Some("later")) => (2, Hours::After(clock)),
            (Some("than"), Some("earlier")) => (2, Hours::Before(clock)),
            _ => (0, Hours::At(clock)),
        };
        self.claimed[at - length..at].fill(true);
        hours
    }

    /// A number alone is an hour behind these words: `past 6`.
    fn bare_hour(&mut self) -> Option<()> {
        for at in 1..self.tokens.len() {
            let leads = matches!(
                self.tokens[at - 1].lower.as_str(),
                "past" | "beyond" | "until" | "till" | "than"
            );
            if self.claimed[at] || !leads || self.tokens.get(at + 1).is_some_and(|next| !next.is_spaced) {
                continue;
            }
            let Some(hour) = self.tokens[at].digits().filter(|hour| (1..24).contains(hour)) else {
                continue;
            };
            let clock = Clock {
                hour: i8::try_from(hour).ok()?,
                minute: 0,
                is_open: hour <= 12 && !self.tokens[at].text.starts_with('0'),
            };
            let hours = self.led(at, clock);
            // `more than 6` leads to no time.
            if !matches!(hours, Hours::At(_)) {
                self.set_hours(hours)?;
                self.claimed[at] = true;
            }
        }
        Some(())
    }

    /// `mornings`, `friday afternoons`: every day, or every week.
    fn plural(&mut self) -> Option<()> {
        for at in 0..self.tokens.len() {
            let part = match self.tokens[at].lower.as_str() {
                "mornings" => Part::Morning,
                "afternoons" => Part::Afternoon,
                "evenings" => Part::Evening,
                "nights" => Part::Night,
                _ => continue,
            };
            self.set_hours(Hours::Part(part))?;
            self.claimed[at] = true;
            if self.each.is_some() {
                continue;
            }
            let day = at.checked_sub(1).and_then(|before| {
                self.tokens[before].pick(|word| match word {
                    Word::Weekday(day) => Some(*day),
                    _ => None,
                })
            });
            match (day, self.dates.len()) {
                (Some(day), 1) => {
                    self.dates.clear();
                    self.each = Some(vec![named(day)]);
                }
                (None, 0) => self.each = Some(Vec::new()),
                _ => return None,
            }
        }
        Some(())
    }

    /// A day, or the days of a week: a finder only says with which it begins.
    fn day(&mut self, range: std::ops::Range<usize>, day: Date, other: Option<Date>) -> Option<()> {
        let tokens = &self.tokens[range];
        let has = |word: Word| tokens.iter().any(|token| token.is(word));
        let is_named = tokens.iter().any(|token| {
            let named = token.pick(|word| matches!(word, Word::Weekday(_) | Word::Shift(_)).then_some(()));
            named.is_some()
        });
        let has_number = tokens.iter().any(|token| matches!(token.kind, Kind::Number(_)));
        if is_named {
            self.dates.push((day, day.tomorrow().ok()?));
        } else if tokens.iter().any(|token| token.lower == "weekends") {
            self.add_each(vec![Weekday::Saturday, Weekday::Sunday])?;
        } else if has(Word::Weekend) {
            let monday = day.nth_weekday(1, jiff::civil::Weekday::Monday).ok()?;
            self.dates.push((day, monday));
        } else if has(Word::Unit(Unit::Week)) && has(Word::Next) && !has_number {
            self.dates.push((day, day.checked_add(1.week()).ok()?));
        } else if has(Word::Unit(Unit::Week)) && has(Word::This) {
            let monday = self.today.nth_weekday(1, jiff::civil::Weekday::Monday).ok()?;
            self.dates.push((self.today, monday));
        } else if has_number
            && ![Unit::Week, Unit::Month, Unit::Quarter, Unit::Year]
                .map(Word::Unit)
                .map(has)
                .contains(&true)
        {
            // `5/6` may be another day.
            other.is_none().then_some(())?;
            self.dates.push((day, day.tomorrow().ok()?));
        } else {
            return None;
        }
        Some(())
    }

    fn clause(self) -> Option<Clause<'t>> {
        let is_text = |token: &Token<'_>| matches!(token.kind, Kind::Word | Kind::Number(_));
        let scope = match (self.dates.is_empty(), self.each) {
            (true, None) => Scope::Always,
            (true, Some(days)) => Scope::Each(days),
            (false, None) => Scope::Dates(self.dates),
            (false, Some(_)) => return None,
        };
        let all = self.tokens.iter().zip(&self.claimed);
        let words = all.filter(|(token, is_claimed)| is_text(token) && !**is_claimed);
        let names = self.tokens.iter().zip(&self.is_day);
        let names = names.filter(|(token, is_day)| is_text(token) && !**is_day);
        Some(Clause {
            scope,
            hours: self.hours,
            minutes: self.minutes,
            energy: self.energy,
            words: words.map(|(token, _)| plain(token)).collect(),
            names: names.map(|(token, _)| token.text).collect(),
            has_names: self.has_names,
            has_more: self.has_more,
            is_list: self.tokens.iter().any(|token| {
                token.is_mark(',') || token.is_mark('.') || token.is(Word::And) || token.lower == "but"
            }),
        })
    }
}

/// The hours that stay free in a part of the day. They begin before and end after those in which people usually work.
pub(in crate::features::language) fn free_hours(part: Part) -> (Time, Time) {
    match part {
        Part::Morning => (Time::constant(5, 0, 0, 0), hours_of(part).1),
        Part::Evening | Part::Night => (hours_of(part).0, Time::midnight()),
        Part::Noon | Part::Afternoon | Part::Midnight => hours_of(part),
    }
}

/// A time, in both halves of the day when it does not say which.
pub(in crate::features::language) fn in_either_half(clock: Clock) -> impl Iterator<Item = Time> {
    let other = clock.is_open.then(|| clock.flipped());
    let all = std::iter::once(clock).chain(other);
    all.filter_map(|clock| Time::new(clock.hour, clock.minute, 0, 0).ok())
}
