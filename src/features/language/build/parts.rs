//! Claims sorted by what they are for: days joined with their times, and what speaks for a task or an event.

use entity::enums::{EnergyLevel, TaskPriority};
use jiff::civil::{Date, DateTime};

use crate::features::language::find::{Clock, Found, Meaning, Role};
use crate::features::language::token::{Kind, Token};
use crate::features::language::words::{Part, Word};

/// What was said about the time of a day.
#[derive(Clone, Copy, Debug)]
pub(super) enum Timing {
    At(Clock),
    Between(Clock, Clock),
    In(Part),
}

/// A day, a time, or both.
#[derive(Clone, Debug, Default)]
pub(super) struct Point {
    /// The day, and another that it might be.
    pub(super) day: Option<(Date, Option<Date>)>,
    pub(super) timing: Option<Timing>,
}

/// Everything that was claimed.
#[derive(Clone, Debug, Default)]
pub(super) struct Parts {
    /// When it takes place.
    pub(super) start: Option<Point>,
    /// Deadline.
    pub(super) due: Option<Point>,
    /// Not before.
    pub(super) after: Option<Point>,
    /// A time without a day.
    pub(super) loose: Option<Timing>,
    pub(super) days: Option<(Date, Date)>,
    pub(super) moment: Option<DateTime>,
    pub(super) minutes: Option<i32>,
    pub(super) span: Option<i32>,
    pub(super) rule: Option<String>,
    pub(super) count: Option<u32>,
    pub(super) until: Option<Date>,
    pub(super) is_hard: bool,
    pub(super) priority: Option<TaskPriority>,
    pub(super) energy: Option<EnergyLevel>,
    pub(super) chunk: Option<i32>,
    pub(super) labels: Vec<String>,
    pub(super) guests: Vec<String>,
    pub(super) place: Option<String>,
    pub(super) link: Option<String>,
    pub(super) is_short: bool,
    pub(super) is_late: bool,
    leaning: i32,
    forced: Option<bool>,
}

impl Parts {
    pub(super) fn of(tokens: &[Token<'_>], chosen: &[Found]) -> Self {
        let mut parts = Self::default();
        let repeats = chosen
            .iter()
            .any(|found| matches!(found.meaning, Meaning::Repeat(..)));
        let mut taken = vec![false; chosen.len()];
        for (index, found) in chosen.iter().enumerate() {
            if taken[index] {
                continue;
            }
            taken[index] = true;
            let neighbour = |is: fn(&Meaning) -> bool| {
                let next = chosen
                    .get(index + 1)
                    .filter(|next| is_beside(tokens, found.to, next.from));
                next.filter(|next| is(&next.meaning))
                    .map(|next| (index + 1, next))
            };
            match &found.meaning {
                Meaning::Day(role, day, other) => {
                    let mut point = Point {
                        day: Some((*day, *other)),
                        timing: None,
                    };
                    let mut role = *role;
                    if let Some((next, time)) = neighbour(is_time) {
                        taken[next] = true;
                        role = role_of(&time.meaning)
                            .filter(|_| role == Role::Plain)
                            .unwrap_or(role);
                        point.timing = timing(&time.meaning);
                        if let Some((part_at, part)) = chosen.get(next + 1).map(|part| (next + 1, part))
                            && is_beside(tokens, time.to, part.from)
                            && matches!(part.meaning, Meaning::Part(_))
                            && point.timing.is_none()
                        {
                            taken[part_at] = true;
                        }
                    }
                    parts.place_point(role, point, repeats);
                }
                meaning if is_time(meaning) => {
                    let mut point = Point {
                        day: None,
                        timing: timing(meaning),
                    };
                    let mut role = role_of(meaning).unwrap_or(Role::Plain);
                    if let Some((next, day)) = neighbour(|meaning| matches!(meaning, Meaning::Day(..)))
                        && let Meaning::Day(day_role, date, other) = &day.meaning
                        && (role == Role::Plain || *day_role == Role::Plain)
                        && !(repeats && *day_role == Role::Until)
                    {
                        taken[next] = true;
                        role = if role == Role::Plain { *day_role } else { role };
                        point.day = Some((*date, *other));
                    }
                    if point.day.is_none() && role == Role::Plain {
                        parts.add_loose(point.timing);
                    } else {
                        parts.place_point(role, point, repeats);
                    }
                }
                other => parts.take(other),
            }
        }
        parts.join_loose();
        parts.weigh(tokens, chosen);
        parts
    }

    /// A time without a day. An exact one says more than a part of the day.
    fn add_loose(&mut self, timing: Option<Timing>) {
        if self.loose.is_none() || (matches!(self.loose, Some(Timing::In(_))) && timing.is_some()) {
            self.loose = timing;
        }
    }

    fn place_point(&mut self, role: Role, point: Point, repeats: bool) {
        let target = match role {
            Role::Until if repeats => {
                self.until = self.until.or(point.day.map(|(day, _)| day));
                return;
            }
            Role::Plain => &mut self.start,
            Role::By | Role::Until => &mut self.due,
            Role::Hard => {
                self.is_hard = true;
                &mut self.due
            }
            Role::From => &mut self.after,
        };
        match target {
            None => *target = Some(point),
            // `tomorrow … at 3pm … ` with other words between: one day and one time are one point.
            Some(known) => {
                known.day = known.day.or(point.day);
                known.timing = known.timing.or(point.timing);
            }
        }
    }

    /// `by 5pm tomorrow` and `tomorrow: finish by 5pm`: a deadline without a day takes the day that was said.
    fn join_loose(&mut self) {
        if let Some(due) = &mut self.due
            && due.day.is_none()
            && let Some(start) = self.start.take_if(|start| start.timing.is_none())
        {
            due.day = start.day;
        }
        // A start that something repeats from, or an event begins at, is no wish to wait.
        if self.start.is_none() && self.due.is_none() && self.rule.is_some() {
            self.start = self.after.take();
        }
        if let Some(start) = &mut self.start
            && start.timing.is_none()
        {
            start.timing = self.loose.take();
        }
    }

    fn take(&mut self, meaning: &Meaning) {
        match meaning {
            Meaning::Days(first, last) => self.days = self.days.or(Some((*first, *last))),
            Meaning::Moment(_, moment) => self.moment = self.moment.or(Some(*moment)),
            Meaning::Minutes(minutes) => self.minutes = self.minutes.or(Some(*minutes)),
            Meaning::Span(days) => self.span = self.span.or(Some(*days)),
            Meaning::Repeat(rule, part) => {
                self.rule.get_or_insert_with(|| rule.clone());
                self.loose = self.loose.or(part.map(Timing::In));
            }
            Meaning::Count(count) => self.count = self.count.or(Some(*count)),
            Meaning::Priority(level) => self.priority = self.priority.or(Some(*level)),
            Meaning::Energy(level) => self.energy = self.energy.or(Some(*level)),
            Meaning::Chunk(minutes) => self.chunk = self.chunk.or(*minutes),
            Meaning::Label(label) if !self.labels.contains(label) => self.labels.push(label.clone()),
            Meaning::Guest(guest) if !self.guests.contains(guest) => self.guests.push(guest.clone()),
            Meaning::Place(place) => {
                self.place.get_or_insert_with(|| place.clone());
            }
            Meaning::Link(link) => {
                self.link.get_or_insert_with(|| link.clone());
            }
            Meaning::IsTask => self.forced = Some(false),
            Meaning::IsEvent => self.forced = Some(true),
            _ => {}
        }
    }

    /// Adds up what speaks for an event (more than zero) and for a task.
    fn weigh(&mut self, tokens: &[Token<'_>], chosen: &[Found]) {
        let mut words = tokens.iter().enumerate().filter(|(index, _)| {
            !chosen.iter().any(|found| {
                (found.from..found.to).contains(index)
                    && !matches!(found.meaning, Meaning::People | Meaning::Place(_))
            })
        });
        let has = |word: Word| move |(_, token): (usize, &Token<'_>)| token.is(word);
        let is_meeting = words.clone().any(has(Word::Meeting));
        let is_whole_day = words.clone().any(has(Word::WholeDay));
        self.is_short = words.clone().any(has(Word::Short));
        self.is_late = words.clone().any(has(Word::Late));
        let is_verb = words.next().is_some_and(has(Word::Verb)) && !is_meeting;
        let has_people =
            !self.guests.is_empty() || chosen.iter().any(|found| found.meaning == Meaning::People);
        let exact = |timing: &Timing| !matches!(timing, Timing::In(_));
        let timing = self.start.as_ref().and_then(|start| start.timing).or(self.loose);
        let is_exact = timing.as_ref().is_some_and(exact);
        let is_part = timing.is_some() && !is_exact;
        // A day alone makes no appointment of a call or a lunch.
        let has_time = timing.is_some() || self.moment.is_some();
        let is_range = matches!(timing, Some(Timing::Between(..)));
        let mut leaning = 0;
        let mut add = |is: bool, weight: i32| leaning += if is { weight } else { 0 };
        add(is_exact, 3);
        add(is_range, 2);
        add(self.moment.is_some(), 1);
        add(is_meeting && has_time, 2);
        add(is_meeting && is_part, 2);
        add(has_people && has_time, 1);
        add(self.place.is_some() && has_time, 1);
        add(is_whole_day && self.says_when(), 4);
        add(self.days.is_some(), 3);
        add(self.span.is_some() && self.rule.is_none(), 3);
        add(self.due.is_some(), -5);
        add(self.priority.is_some(), -2);
        add(!self.labels.is_empty(), -2);
        add(self.energy.is_some(), -2);
        add(self.chunk.is_some(), -4);
        add(is_verb, -2);
        add(self.after.is_some() && self.start.is_none(), -2);
        // Nothing says when: something to do, whatever it is.
        let without_when = self.start.is_none()
            && self.days.is_none()
            && self.moment.is_none()
            && self.loose.is_none()
            && self.rule.is_none();
        self.leaning = match self.forced {
            Some(true) => 9,
            Some(false) => -9,
            None if without_when => leaning.min(-3),
            None => leaning,
        };
    }

    pub(super) fn leaning(&self) -> i32 {
        self.leaning
    }

    pub(super) fn says_when(&self) -> bool {
        self.start.is_some()
            || self.days.is_some()
            || self.moment.is_some()
            || self.loose.is_some()
            || self.rule.is_some()
    }

    fn points(&self) -> impl Iterator<Item = &Point> {
        [&self.start, &self.due, &self.after].into_iter().flatten()
    }

    pub(super) fn has_open_time(&self) -> bool {
        let timings = self.points().filter_map(|point| point.timing).chain(self.loose);
        timings.into_iter().any(|timing| match timing {
            Timing::At(clock) | Timing::Between(clock, _) => clock.is_open,
            Timing::In(_) => true,
        })
    }

    pub(super) fn has_open_date(&self) -> bool {
        self.points()
            .any(|point| point.day.is_some_and(|(_, other)| other.is_some()))
    }
}

/// Whether nothing but a comma stands between two claims.
fn is_beside(tokens: &[Token<'_>], from: usize, to: usize) -> bool {
    from == to || (from + 1 == to && tokens.get(from).is_some_and(|token| token.is_mark(',')))
}

fn is_time(meaning: &Meaning) -> bool {
    matches!(meaning, Meaning::Time(..) | Meaning::Times(..) | Meaning::Part(_))
}

fn timing(meaning: &Meaning) -> Option<Timing> {
    match meaning {
        Meaning::Time(_, clock) => Some(Timing::At(*clock)),
        Meaning::Times(first, second) => Some(Timing::Between(*first, *second)),
        Meaning::Part(part) => Some(Timing::In(*part)),
        _ => None,
    }
}

fn role_of(meaning: &Meaning) -> Option<Role> {
    match meaning {
        Meaning::Time(role, _) if *role != Role::Plain => Some(*role),
        _ => None,
    }
}

/// Whether the text of a claim stays in the title of such a thing.
pub(super) fn stays_in_title(meaning: &Meaning, is_event: bool) -> bool {
    match meaning {
        Meaning::People => true,
        Meaning::Guest(_) | Meaning::Place(_) => !is_event,
        Meaning::Label(_) | Meaning::Priority(_) | Meaning::Energy(_) | Meaning::Chunk(_) => is_event,
        Meaning::Span(_) => false,
        _ => false,
    }
}

/// Whether a token says something about time.
pub(super) fn speaks_of_time(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Number(_) => true,
        Kind::Word => token.words.iter().any(|word| {
            matches!(
                word,
                Word::Weekday(_)
                    | Word::Weekdays(_)
                    | Word::Shift(_)
                    | Word::Every
                    | Word::Until
                    | Word::Due
                    | Word::Unit(_)
                    | Word::Tonight
            )
        }),
        _ => false,
    }
}
