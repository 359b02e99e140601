//! From claims to a task or an event: which time belongs to which day, what kind of thing it is, and how sure that is.

mod parts;
mod title;

use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, Time};

use super::Scene;
use super::find::{Clock, Found};
use super::item::{Claim, Event, Item, Reading, Task, When};
use super::token::Token;
use super::words::Part;
use crate::features::events::recurrence::{Budget, Parts as SeriesParts, Rule, Series, Start};
use crate::kernel::zones;
use parts::{Parts, Point, Timing};

/// Minutes of an event when nothing says how long it is.
const USUAL: i32 = 60;
/// Minutes of a call or a stand-up.
const SHORT: i32 = 30;
/// The last minute of a day: the deadline of what is due on it.
const LAST: Time = Time::constant(23, 59, 0, 0);

/// Which of the possible meanings is wanted.
#[derive(Clone, Copy, Debug, Default)]
struct Choice {
    flip_time: bool,
    flip_date: bool,
    flip_kind: bool,
}

/// Makes a reading of what was chosen.
pub(super) fn reading(text: &str, tokens: &[Token<'_>], chosen: &[Found], scene: &Scene) -> Reading {
    let parts = Parts::of(tokens, chosen);
    let sight = Builder {
        text,
        tokens,
        chosen,
        parts: &parts,
        scene,
        now: scene.local(),
    };
    let item = sight.item(Choice::default());
    let mut alternatives = Vec::new();
    let mut offer = |choice: Choice| {
        let other = sight.item(choice);
        if other != item && !alternatives.contains(&other) {
            alternatives.push(other);
        }
    };
    if parts.has_open_time() {
        offer(Choice {
            flip_time: true,
            ..Choice::default()
        });
    }
    if parts.has_open_date() {
        offer(Choice {
            flip_date: true,
            ..Choice::default()
        });
    }
    if parts.leaning().abs() <= 2 {
        offer(Choice {
            flip_kind: true,
            ..Choice::default()
        });
    }
    let kept = sight.kept(matches!(item, Item::Event(_)));
    let claims = chosen
        .iter()
        .enumerate()
        .filter(|(index, _)| !kept.contains(index) || is_told(&chosen[*index]))
        .filter_map(|(_, found)| {
            Some(Claim {
                start: tokens.get(found.from)?.start,
                end: tokens.get(found.to.checked_sub(1)?)?.end,
                subject: found.meaning.subject(),
            })
        })
        .collect();
    let confidence = sight.confidence(&item);
    Reading {
        item,
        claims,
        confidence,
        alternatives,
    }
}

/// People are told although their names stay in the title.
fn is_told(found: &Found) -> bool {
    matches!(found.meaning, super::find::Meaning::People)
}

struct Builder<'a> {
    text: &'a str,
    tokens: &'a [Token<'a>],
    chosen: &'a [Found],
    parts: &'a Parts,
    scene: &'a Scene,
    now: DateTime,
}

impl Builder<'_> {
    fn item(&self, choice: Choice) -> Item {
        let is_event = (self.parts.leaning() > 0) != choice.flip_kind;
        if is_event && let Some(event) = self.event(choice) {
            return Item::Event(event);
        }
        Item::Task(self.task(choice))
    }

    /// Claims that a thing of this kind has no place for: their text stays in the title.
    fn kept(&self, is_event: bool) -> Vec<usize> {
        let stays = |found: &Found| parts::stays_in_title(&found.meaning, is_event);
        (0..self.chosen.len())
            .filter(|index| stays(&self.chosen[*index]))
            .collect()
    }

    fn title(&self, is_event: bool) -> String {
        title::of(self.text, self.tokens, self.chosen, &self.kept(is_event))
    }

    fn clock(&self, clock: Clock, choice: Choice) -> Time {
        let likely = clock.likely(self.parts.is_late);
        let clock = if choice.flip_time && clock.is_open {
            likely.flipped()
        } else {
            likely
        };
        Time::new(clock.hour, clock.minute, 0, 0).unwrap_or(Time::midnight())
    }

    fn day(&self, point: &Point, choice: Choice) -> Option<Date> {
        match point.day {
            Some((day, other)) if choice.flip_date => Some(other.unwrap_or(day)),
            Some((day, _)) => Some(day),
            None => None,
        }
    }

    /// The day of a time that stands alone: today, or tomorrow when it is over.
    fn soon(&self, time: Time) -> Date {
        let today = self.now.date();
        if time > self.now.time() {
            return today;
        }
        today.tomorrow().unwrap_or(today)
    }

    fn event(&self, choice: Choice) -> Option<Event> {
        let parts = self.parts;
        let rule = self.rule();
        let point = parts.start.as_ref().or(parts.due.as_ref());
        let day = point.and_then(|point| self.day(point, choice));
        let timing = point.and_then(|point| point.timing).or(parts.loose);
        let when = match (parts.days, parts.moment, timing) {
            (_, Some(moment), _) => When::Timed(moment, self.end_of(moment)),
            (Some((first, last)), None, None) => When::Days(first, last.tomorrow().ok()?),
            (days, None, Some(timing)) => {
                let (begin, end) = self.times(timing, choice);
                let first = days.map(|(first, _)| first).or(day);
                let date = first.unwrap_or_else(|| self.first_day(rule.as_ref(), begin));
                let start = date.to_datetime(begin);
                let stop = match (days, end) {
                    (Some((_, last)), Some(end)) => last.to_datetime(end),
                    (None, Some(end)) if end > begin => date.to_datetime(end),
                    // Over midnight.
                    (None, Some(end)) => date.tomorrow().ok()?.to_datetime(end),
                    (_, None) => self.end_of(start),
                };
                When::Timed(start, stop)
            }
            (None, None, None) => {
                let first = match day {
                    Some(day) => day,
                    None => self.first_day(Some(rule.as_ref()?), LAST),
                };
                let length = if rule.is_some() {
                    1
                } else {
                    parts.span.unwrap_or(1)
                };
                When::Days(first, first.checked_add(i64::from(length).days()).ok()?)
            }
        };
        let start = match when {
            When::Timed(start, _) => start,
            When::Days(first, _) => first.to_datetime(Time::midnight()),
        };
        Some(Event {
            title: self.title(true),
            when,
            place: parts.place.clone(),
            guests: parts.guests.clone(),
            rule: rule.map(|rule| self.bounded(rule, start.date())),
            link: parts.link.clone(),
        })
    }

    fn end_of(&self, start: DateTime) -> DateTime {
        let usual = if self.parts.is_short { SHORT } else { USUAL };
        let minutes = i64::from(self.parts.minutes.unwrap_or(usual));
        start.checked_add(minutes.minutes()).unwrap_or(start)
    }

    fn times(&self, timing: Timing, choice: Choice) -> (Time, Option<Time>) {
        match timing {
            Timing::At(clock) => (self.clock(clock, choice), None),
            Timing::Between(first, second) => (
                self.clock(first, choice),
                Some(self.clock(second, Choice::default())),
            ),
            Timing::In(part) => (begin_of(part), None),
        }
    }

    fn task(&self, choice: Choice) -> Task {
        let parts = self.parts;
        let rule = self.rule();
        let mut task = Task {
            title: self.title(false),
            is_hard: parts.is_hard,
            minutes: parts.minutes,
            chunk: parts.chunk,
            priority: parts.priority,
            energy: parts.energy,
            labels: parts.labels.clone(),
            link: parts.link.clone(),
            ..Task::default()
        };
        if let Some(point) = &parts.after {
            let time = point.timing.map(|timing| self.times(timing, choice).0);
            let day = self
                .day(point, choice)
                .unwrap_or_else(|| self.soon(time.unwrap_or(LAST)));
            task.start_after = Some(day.to_datetime(time.unwrap_or(Time::midnight())));
        }
        if let Some(point) = parts.due.as_ref().or(parts.start.as_ref()) {
            let timing = point.timing.or(parts.loose);
            self.due(&mut task, self.day(point, choice), timing, choice);
        } else if let Some(timing) = parts.loose {
            let begin = self.times(timing, choice).0;
            let day = self.first_day(rule.as_ref(), last_of(timing).unwrap_or(begin));
            self.due(&mut task, Some(day), Some(timing), choice);
        } else if let Some((first, last)) = parts.days {
            task.start_after = task.start_after.or(Some(first.to_datetime(Time::midnight())));
            task.due = Some(last.to_datetime(LAST));
        } else if let Some(moment) = parts.moment {
            task.due = Some(moment);
        } else if rule.is_some() {
            task.due = Some(self.first_day(rule.as_ref(), LAST).to_datetime(LAST));
        }
        if task
            .start_after
            .zip(task.due)
            .is_some_and(|(start, due)| start >= due)
        {
            task.start_after = None;
        }
        let start = task.due.map_or(self.now.date(), DateTime::date);
        task.rule = rule.map(|rule| self.bounded(rule, start));
        task
    }

    fn due(&self, task: &mut Task, day: Option<Date>, timing: Option<Timing>, choice: Choice) {
        let (time, begin) = match timing {
            None => (LAST, None),
            Some(Timing::At(clock)) => (self.clock(clock, choice), None),
            Some(Timing::Between(..)) => {
                let (begin, end) = timing.map_or((LAST, None), |timing| self.times(timing, choice));
                (end.unwrap_or(LAST), Some(begin))
            }
            Some(Timing::In(part)) => (last_of_part(part), Some(begin_of(part))),
        };
        let day = day.unwrap_or_else(|| self.soon(time));
        task.due = Some(day.to_datetime(time));
        if let Some(begin) = begin {
            task.start_after = task.start_after.or(Some(day.to_datetime(begin)));
        }
    }

    fn rule(&self) -> Option<Rule> {
        Rule::parse(self.parts.rule.as_deref()?).ok()
    }

    /// The first day of a repetition from now on; without one the day of a time that stands alone.
    fn first_day(&self, rule: Option<&Rule>, time: Time) -> Date {
        let soon = self.soon(time);
        let Some(rule) = rule else { return soon };
        // The interval begins with the first of them, so it is left out of the search.
        let text: String = rule
            .to_string()
            .split(';')
            .filter(|part| !part.starts_with("INTERVAL="))
            .collect::<Vec<_>>()
            .join(";");
        let Ok(rule) = Rule::parse(&text) else { return soon };
        let zone = &self.scene.zone;
        let start = soon.to_datetime(time);
        let series = Series::new(&SeriesParts {
            rule: Some(&rule),
            ..SeriesParts::new(Start::Zoned(start), zone)
        });
        match series
            .first(Budget {
                steps: 2_000,
                starts: 1,
            })
            .found()
        {
            Some(first) => zones::local_of(first.start, zone).date(),
            None => soon,
        }
    }

    /// The rule with its end.
    fn bounded(&self, rule: Rule, start: Date) -> String {
        let until = self.parts.until.or_else(|| {
            let days = i64::from(self.parts.span?) - 1;
            start.checked_add(days.days()).ok()
        });
        let text = rule.to_string();
        let text = match (self.parts.count, until) {
            (Some(count), _) => format!("{text};COUNT={count}"),
            (None, Some(until)) if until >= start => {
                format!(
                    "{text};UNTIL={:04}{:02}{:02}",
                    until.year(),
                    until.month(),
                    until.day()
                )
            }
            _ => text,
        };
        Rule::parse(&text).map_or(text, |rule| rule.to_string())
    }

    /// How sure a reading is: each guess takes something away.
    fn confidence(&self, item: &Item) -> u8 {
        let mut sure: i32 = 100;
        let mut doubt = |is_doubtful: bool, much: i32| {
            if is_doubtful {
                sure -= much;
            }
        };
        doubt(self.parts.has_open_time(), 10);
        doubt(self.parts.has_open_date(), 20);
        doubt(self.parts.leaning().abs() <= 1 && self.parts.says_when(), 10);
        doubt(
            title::is_empty(
                self.tokens,
                self.chosen,
                &self.kept(matches!(item, Item::Event(_))),
            ),
            50,
        );
        doubt(self.text.chars().count() > 200, 25);
        // Words of time that nothing claimed: something was not understood.
        let unclaimed = title::unclaimed(self.tokens, self.chosen);
        let odd = unclaimed.filter(|token| parts::speaks_of_time(token)).count();
        doubt(odd > 0, 25);
        doubt(odd > 1, 20);
        let past = match item {
            Item::Task(task) => task.due.is_some_and(|due| due < self.now),
            Item::Event(event) => match event.when {
                When::Timed(start, _) => start < self.now,
                When::Days(_, end) => end <= self.now.date(),
            },
        };
        doubt(past, 25);
        u8::try_from(sure.clamp(0, 100)).unwrap_or_default()
    }
}

/// When a part of the day begins, for things that take place.
fn begin_of(part: Part) -> Time {
    let hour = match part {
        Part::Morning => 9,
        Part::Noon => 12,
        Part::Afternoon => 14,
        Part::Evening => 18,
        Part::Night => 20,
        Part::Midnight => 0,
    };
    Time::constant(hour, 0, 0, 0)
}

/// When a part of the day is over, for things to do.
fn last_of_part(part: Part) -> Time {
    match part {
        Part::Morning | Part::Noon => Time::constant(12, 0, 0, 0),
        Part::Afternoon => Time::constant(17, 0, 0, 0),
        Part::Evening => Time::constant(21, 0, 0, 0),
        Part::Night | Part::Midnight => LAST,
    }
}

/// The hours of a part of the day, for wishes about plans.
pub(super) fn hours_of(part: Part) -> (Time, Time) {
    match part {
        Part::Morning => (Time::constant(8, 0, 0, 0), last_of_part(part)),
        Part::Noon => (Time::constant(12, 0, 0, 0), Time::constant(14, 0, 0, 0)),
        Part::Afternoon => (Time::constant(12, 0, 0, 0), last_of_part(part)),
        Part::Evening => (Time::constant(17, 0, 0, 0), last_of_part(part)),
        Part::Night | Part::Midnight => (Time::constant(20, 0, 0, 0), LAST),
    }
}

fn last_of(timing: Timing) -> Option<Time> {
    match timing {
        Timing::In(part) => Some(last_of_part(part)),
        Timing::At(_) | Timing::Between(..) => None,
    }
}
