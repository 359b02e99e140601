//! The kinds of wishes and the words in which people put them. A kind is recognised only when every word of the clause is one of its
//! words: a word more may mean the opposite.

use entity::enums::EnergyLevel;
use jiff::civil::{Date, Time};

use super::super::build::hours_of;
use super::super::find::Clock;
use super::clause::{Clause, Hours, Scope, free_hours};
use super::vocabulary::*;
use super::{Wish, names};

/// Minutes between things for somebody who wants more breaks and does not say how long.
const MORE_BREAKS: i32 = 15;
/// Longest break, in minutes.
const LONGEST_BREAK: i32 = 120;
/// Fewest minutes of work on a day that anybody can mean.
const LEAST_WORK: i32 = 15;

/// Whether one of these words says no, or less.
pub(in crate::features::language) fn is_negated(words: &[String]) -> bool {
    let has = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
    has(NEGATIONS) || has(LESSENINGS)
}

/// Whether one of these words is about the beginning of work.
pub(in crate::features::language) fn is_start(words: &[String]) -> bool {
    words.iter().any(|word| START.contains(&word.as_str()))
}

/// Whether one of these words is about the end of work.
pub(in crate::features::language) fn is_stop(words: &[String]) -> bool {
    words.iter().any(|word| STOP.contains(&word.as_str()))
}

/// One end of the hours of work.
#[derive(Clone, Copy)]
enum Bound {
    Earliest(Clock),
    Latest(Clock),
}

impl Clause<'_> {
    /// What is wished for; `None` when it is not understood to the last word.
    pub(super) fn wishes(&self) -> Option<Vec<Wish>> {
        if self.has_more {
            return None;
        }
        if !self.has_names {
            let one = |wish: Option<Wish>| wish.map(|wish| vec![wish]);
            let found = one(self.breaks())
                .or_else(|| one(self.limit()))
                .or_else(|| one(self.energy()))
                .or_else(|| self.bound())
                .or_else(|| self.free())
                .or_else(|| self.work_hours());
            if found.is_some() {
                return found;
            }
        }
        names::wish(self).map(|wish| vec![wish])
    }

    fn count(&self, known: &[&str]) -> usize {
        self.words
            .iter()
            .filter(|word| known.contains(&word.as_str()))
            .count()
    }

    fn has(&self, known: &[&str]) -> bool {
        self.count(known) > 0
    }

    /// Whether all words are among these and the polite ones.
    fn is_only(&self, known: &[&[&str]]) -> bool {
        let is_known = |word: &str| POLITE.contains(&word) || known.iter().any(|list| list.contains(&word));
        self.words.iter().all(|word| is_known(word))
    }

    fn is_daily(&self) -> bool {
        matches!(&self.scope, Scope::Always) || matches!(&self.scope, Scope::Each(days) if days.is_empty())
    }

    fn breaks(&self) -> Option<Wish> {
        if !self.is_daily() || self.hours != Hours::Any || self.energy.is_some() {
            return None;
        }
        // `10 minutes between tasks`
        let is_between = self.has(&["between"]) && self.minutes.is_some();
        if !self.has(BREAKS) && !is_between {
            return None;
        }
        if self.is_only(&[BREAKS, &["no", "without", "any", "skip", "between", "tasks"]])
            && self.minutes.is_none()
        {
            let denials = self.count(&["no", "without", "skip"]);
            return (denials == 1).then_some(Wish::Breaks(0));
        }
        if !self.is_only(&[BREAKS, BREAKING, MORE]) {
            return None;
        }
        match self.minutes {
            // `longer than 10 minutes` is no length.
            Some(minutes) => (1..=LONGEST_BREAK)
                .contains(&minutes)
                .then_some(Wish::Breaks(minutes)),
            None => (self.has(MORE) || self.has(&["between"])).then_some(Wish::Breaks(MORE_BREAKS)),
        }
    }

    fn limit(&self) -> Option<Wish> {
        let minutes = self
            .minutes
            .filter(|minutes| (LEAST_WORK..=1_440).contains(minutes))?;
        let is_each_day = self.scope == Scope::Each(Vec::new()) || self.has(&["day", "daily"]);
        if !is_each_day || !self.is_daily() || self.hours != Hours::Any || self.energy.is_some() {
            return None;
        }
        // `more than` is the opposite of `no more than`, and `no less than` that of `less than`.
        let comparison = match (self.has(&["more", "longer"]), self.has(&["less", "fewer"])) {
            (true, false) => self.count(NEGATIONS) == 1,
            (false, true) => self.count(NEGATIONS) == 0,
            (false, false) => self.count(NEGATIONS) == 0 && !self.has(&["than"]),
            (true, true) => false,
        };
        let known = [LIMIT, LIMITING, NEGATIONS, &["more", "longer", "less", "fewer"]];
        (comparison && self.has(LIMIT) && self.is_only(&known)).then_some(Wish::DailyLimit(minutes))
    }

    fn energy(&self) -> Option<Wish> {
        if !self.is_daily() || self.minutes.is_some() || !self.is_only(&[DEMANDING, EASY, PLACING]) {
            return None;
        }
        let is_about_work = self.has(&["work", "task", "tasks", "time", "stuff", "things"]);
        let (is_hard, is_easy) = (self.has(DEMANDING), self.has(EASY));
        let level = match (self.energy, is_hard, is_easy) {
            (Some(level), false, false) => level,
            (None, true, false) if is_about_work => EnergyLevel::High,
            (None, false, true) if is_about_work => EnergyLevel::Low,
            _ => return None,
        };
        let (start, end) = match self.hours {
            Hours::Between(start, end) => (likely(start)?, likely(end)?),
            Hours::Part(part) => hours_of(part),
            Hours::Before(clock) => (Time::midnight(), earliest(clock)?),
            Hours::After(clock) => (latest(clock, true)?, Time::constant(23, 59, 0, 0)),
            _ => return None,
        };
        (start < end).then_some(Wish::Energy(level, start, end))
    }

    /// `nothing before 10`, `start after 10`, `finish by 5pm`, `not after 6`.
    fn bound(&self) -> Option<Vec<Wish>> {
        if self.energy.is_some() || self.minutes.is_some() {
            return None;
        }
        let (starts, stops) = (is_start(&self.words), is_stop(&self.words));
        let denials = self.count(NEGATIONS);
        let only = self.has(&["only"]);
        if !self.is_only(&[NEGATIONS, START, STOP, WORK, &["only", "by", "up"]]) || (starts && stops) {
            return None;
        }
        let bound = match (self.hours, denials) {
            (Hours::Before(clock), 1) if !stops => Bound::Earliest(clock),
            (Hours::After(clock), 1) if !starts => Bound::Latest(clock),
            (Hours::NotBefore(clock), 0) if !stops => Bound::Earliest(clock),
            (Hours::NotAfter(clock), 0) if !starts => Bound::Latest(clock),
            (Hours::At(clock) | Hours::After(clock), 0) if starts => Bound::Earliest(clock),
            (Hours::At(clock) | Hours::Before(clock), 0) if stops => Bound::Latest(clock),
            // `after 10` alone may be what is wanted or what is not.
            (Hours::After(clock), 0) if (only || self.has(&["work"])) && !stops => Bound::Earliest(clock),
            (Hours::Before(clock), 0) if (only || self.has(&["work"])) && !starts => Bound::Latest(clock),
            _ => return None,
        };
        // `no task only after 10`
        if denials == 1 && only {
            return None;
        }
        if self.is_daily() {
            return Some(vec![match bound {
                Bound::Earliest(clock) => Wish::NotBefore(earliest(clock)?),
                Bound::Latest(clock) => Wish::NotAfter(latest(clock, false)?),
            }]);
        }
        self.keep_free(Some(match bound {
            Bound::Earliest(clock) => (Time::midnight(), earliest(clock)?),
            Bound::Latest(clock) => (latest(clock, true)?, Time::midnight()),
        }))
    }

    /// `keep friday free`, `nothing on friday`, `i'm off on mondays`, `lunch 12-1 every day`.
    fn free(&self) -> Option<Vec<Wish>> {
        if self.energy.is_some() || self.minutes.is_some() {
            return None;
        }
        let is_meal = self.has(&["lunch", "lunchtime", "break"]) && matches!(self.hours, Hours::Between(..));
        let is_free = self.is_only(&[FREE, KEEPING]) && (self.has(FREE) || is_meal);
        let is_away = self.is_only(&[AWAY, ABSENT]) && self.has(AWAY);
        let is_nothing = self.is_only(&[NEGATIONS, WORK, ABSENT]) && self.count(NEGATIONS) == 1;
        if !is_free && !is_away && !is_nothing {
            return None;
        }
        let hours = match self.hours {
            Hours::Any => None,
            Hours::Between(start, end) => Some((likely(start)?, likely(end)?)),
            Hours::Part(part) => Some(free_hours(part)),
            Hours::Before(clock) => Some((Time::midnight(), earliest(clock)?)),
            Hours::After(clock) => Some((latest(clock, true)?, Time::midnight())),
            // From then on, or only then?
            Hours::At(_) | Hours::NotBefore(_) | Hours::NotAfter(_) => return None,
        };
        self.keep_free(hours)
    }

    /// `only work 10-16`, `working hours from 9 to 5`.
    fn work_hours(&self) -> Option<Vec<Wish>> {
        let Hours::Between(start, end) = self.hours else {
            return None;
        };
        let is_work = self.has(&["work", "working", "only"]);
        let known = self.is_only(&[WORK, &["only", "hours"]]);
        if !is_work || !known || !self.is_daily() || self.energy.is_some() || self.minutes.is_some() {
            return None;
        }
        let (start, end) = (likely(start)?, likely(end)?);
        (start < end).then(|| vec![Wish::NotBefore(start), Wish::NotAfter(end)])
    }

    /// Nothing in these hours of the days that are named, or on all of these days. An end at midnight is that of the day.
    fn keep_free(&self, hours: Option<(Time, Time)>) -> Option<Vec<Wish>> {
        let midnight = Time::midnight();
        let (start, end) = hours.unwrap_or((midnight, midnight));
        if hours.is_some() && end != midnight && end <= start {
            return None;
        }
        match &self.scope {
            Scope::Dates(dates) => dates.iter().map(|days| between(*days, hours)).collect(),
            // All of every day is no plan at all.
            Scope::Always | Scope::Each(_) if self.is_daily() && hours.is_none() => None,
            Scope::Always => Some(vec![Wish::KeepFreeEach(Vec::new(), start, end)]),
            Scope::Each(days) => Some(vec![Wish::KeepFreeEach(days.clone(), start, end)]),
        }
    }
}

fn between((first, behind): (Date, Date), hours: Option<(Time, Time)>) -> Option<Wish> {
    let midnight = Time::midnight();
    let Some((start, end)) = hours else {
        return Some(Wish::KeepFree(
            first.to_datetime(midnight),
            behind.to_datetime(midnight),
        ));
    };
    let next = first.tomorrow().ok()?;
    // Hours of several days are several wishes, and nobody puts them like this.
    (behind == next).then_some(())?;
    let last = if end == midnight { next } else { first };
    Some(Wish::KeepFree(first.to_datetime(start), last.to_datetime(end)))
}

fn time(clock: Clock) -> Option<Time> {
    Time::new(clock.hour, clock.minute, 0, 0).ok()
}

/// The ends of a range, which tell about each other.
fn likely(clock: Clock) -> Option<Time> {
    time(clock.likely(false))
}

/// When work begins. Five and six may be those of early birds or of the evening.
fn earliest(clock: Clock) -> Option<Time> {
    if clock.is_open && (5..=6).contains(&clock.hour) {
        return None;
    }
    likely(clock)
}

/// When work ends. Seven to eleven are those of the evening, when they are not those of one day's morning.
fn latest(clock: Clock, is_one_day: bool) -> Option<Time> {
    if !clock.is_open || clock.hour == 12 {
        return time(clock);
    }
    let is_doubtful = clock.hour > if is_one_day { 6 } else { 9 };
    if is_doubtful { None } else { time(clock.flipped()) }
}
