//! What a person wishes of a plan, as changes to the question that the engine is asked. Pure.
//!
//! Promises: wishes only narrow or weigh; none of them touches what is locked, another person's plan or anything outside the plan. Of two
//! wishes that cannot both be, the later one counts. What was not understood, and what fits no task or day of the plan, is said.

use std::collections::BTreeMap;

use entity::enums::EnergyLevel;
use entity::ids::TaskId;
use entity::{schedule, user_preferences};
use jiff::civil::{DateTime, Time};

use super::engine::{Range, Task};
use super::question::{Question, Sources};
use super::window::Window;
use crate::features::language::{Heard, Wish};
use crate::features::people::WorkingHours;
use crate::kernel::time::{Instant, Span};
use crate::kernel::zones;

/// Weight of a task that comes before all others: those of priorities are 1 to 8.
const FIRST: i64 = 100;
/// Discomfort of work outside the hours that somebody wished for it, per slot; three is the most that energy alone gives.
const UNWISHED: i64 = 12;
/// Most different hours in one question: tasks that are wished onto a day have hours of their own.
const MOST_HOURS: usize = 62;

/// The wishes about one plan.
#[derive(Clone, Debug, Default)]
pub struct Wishes {
    heard: Heard,
}

impl Wishes {
    /// Those that are stored with a plan; none when a newer version stored some that this one does not know.
    pub fn of(row: &schedule::Model) -> Self {
        let read = |json: &serde_json::Value| serde_json::from_value(json.clone()).ok();
        Self {
            heard: row.wishes.as_ref().and_then(read).unwrap_or_default(),
        }
    }

    /// The settings with the limits that were wished for.
    pub fn narrow(&self, preferences: &mut user_preferences::Model) {
        let limit = self.heard.wishes.iter().rev().find_map(|wish| match wish {
            Wish::DailyLimit(minutes) => Some(*minutes),
            _ => None,
        });
        if let Some(limit) = limit {
            let usual = preferences.max_daily_task_minutes;
            preferences.max_daily_task_minutes = usual.min(limit.max(0));
        }
    }

    /// Working hours without what is too early or too late. A shift belongs to the day on which it begins, so that nothing before ten says
    /// nothing about the morning in which a night shift ends.
    pub fn week(&self, week: &[WorkingHours]) -> Vec<WorkingHours> {
        let (mut earliest, mut latest) = (None, None);
        for wish in &self.heard.wishes {
            match wish {
                Wish::NotBefore(time) => earliest = Some(clock(*time)),
                Wish::NotAfter(time) => latest = Some(clock(*time)),
                _ => {}
            }
        }
        let narrowed = |hours: &WorkingHours| {
            let mut hours = *hours;
            let is_overnight = |hours: &WorkingHours| hours.end <= hours.start;
            if let Some(earliest) = earliest.filter(|earliest| hours.start < *earliest) {
                if !is_overnight(&hours) && hours.end <= earliest {
                    return None;
                }
                hours.start = earliest;
            }
            match latest {
                // Later in the evening on which the shift begins.
                Some(latest) if latest > hours.start => {
                    hours.end = if is_overnight(&hours) {
                        latest
                    } else {
                        hours.end.min(latest)
                    };
                }
                // In the morning on which it ends.
                Some(latest) if is_overnight(&hours) && latest > chrono::NaiveTime::MIN => {
                    hours.end = hours.end.min(latest);
                }
                Some(_) => return None,
                None => {}
            }
            Some(hours)
        };
        week.iter().filter_map(narrowed).collect()
    }

    /// Puts the wishes into a question.
    pub fn bend(&self, question: &mut Question, sources: &Sources, window: &Window) {
        let breaks = self.heard.wishes.iter().rev().find_map(|wish| match wish {
            Wish::Breaks(minutes) => Some(window.slots(i64::from(*minutes))),
            _ => None,
        });
        if let Some(pause) = breaks.filter(|pause| *pause > 0) {
            add_breaks(question, pause);
        }
        for wish in &self.heard.wishes {
            match wish {
                Wish::KeepFree(start, end) => {
                    let range = span(*start, *end, window).and_then(|span| window.cover(span));
                    question.problem.fixed.extend(range);
                }
                Wish::Energy(level, start, end) => prefer(question, sources, window, *level, (*start, *end)),
                Wish::OnDay(words, day) => {
                    let date = zones::date_to_chrono(*day);
                    if let Some(day) = window.days.iter().find(|day| day.date == date) {
                        put_on(question, sources, words, (day.start, day.end));
                    }
                }
                Wish::First(words) => put_first(question, sources, words),
                Wish::NotBefore(_) | Wish::NotAfter(_) | Wish::Breaks(_) | Wish::DailyLimit(_) => {}
            }
        }
    }

    /// How the wishes were taken, for their person. `None` when there were none.
    pub fn sentence(&self, question: &Question, sources: &Sources, window: &Window) -> Option<String> {
        let mut followed = Vec::new();
        let mut in_vain = Vec::new();
        for wish in &self.heard.wishes {
            let names = |words: &str| question.tasks.iter().any(|id| is_called(sources, *id, words));
            match wish {
                Wish::OnDay(words, _) | Wish::First(words) if !names(words) => {
                    in_vain.push(format!("no task to plan is called “{words}”"));
                }
                Wish::OnDay(_, day)
                    if !window
                        .days
                        .iter()
                        .any(|one| one.date == zones::date_to_chrono(*day)) =>
                {
                    in_vain.push(format!(
                        "{} is not a day of this schedule",
                        day.strftime("%a %-d %b")
                    ));
                }
                wish => followed.push(words_of(wish)),
            }
        }
        let mut text = Vec::new();
        if !followed.is_empty() {
            text.push(format!("As you wished: {}.", followed.join("; ")));
        }
        if !in_vain.is_empty() {
            text.push(format!("Not possible: {}.", in_vain.join("; ")));
        }
        if !self.heard.rest.is_empty() {
            let rest: Vec<String> = self.heard.rest.iter().map(|one| format!("“{one}”")).collect();
            text.push(format!("Not understood: {}.", rest.join("; ")));
        }
        (!text.is_empty()).then(|| text.join(" "))
    }
}

fn clock(time: Time) -> chrono::NaiveTime {
    let midnight = jiff::civil::Date::constant(2000, 1, 1);
    zones::local_to_chrono(midnight.to_datetime(time)).time()
}

fn span(start: DateTime, end: DateTime, window: &Window) -> Option<Span> {
    let at = |local: DateTime| -> Instant { zones::to_chrono(zones::to_utc(local, &window.zone)) };
    Span::new(at(start), at(end))
}

/// Whether all these words are in the title of a task.
fn is_called(sources: &Sources, id: TaskId, words: &str) -> bool {
    let title = sources.tasks.iter().find(|task| task.id == id);
    let title = title.map(|task| task.title.to_lowercase()).unwrap_or_default();
    let mut words = words.split_whitespace().map(str::to_lowercase).peekable();
    words.peek().is_some() && words.all(|word| title.contains(&word))
}

/// The tasks of a question that these words name.
fn called<'a>(
    question: &'a mut Question,
    sources: &'a Sources,
    words: &'a str,
) -> impl Iterator<Item = &'a mut Task> {
    let ids = question.tasks.iter().copied();
    let named = ids.zip(&mut question.problem.tasks);
    named
        .filter(move |(id, _)| is_called(sources, *id, words))
        .map(|(_, task)| task)
}

fn put_on(question: &mut Question, sources: &Sources, words: &str, (start, end): Range) {
    let mut hours: BTreeMap<String, Vec<Range>> = BTreeMap::new();
    let own = question.problem.hours.clone();
    for task in called(question, sources, words) {
        if own.len() + hours.len() >= MOST_HOURS {
            break;
        }
        let name = format!("{} on {start}", task.sched);
        let inside = own[&task.sched]
            .iter()
            .map(|range| (range.0.max(start), range.1.min(end)))
            .filter(|range| range.0 < range.1);
        hours.insert(name.clone(), inside.collect());
        task.sched = name;
    }
    question.problem.hours.extend(hours);
}

fn put_first(question: &mut Question, sources: &Sources, words: &str) {
    let weights = &mut question.problem.weights.prio;
    if !weights.contains(&FIRST) {
        weights.push(FIRST);
    }
    let rank = weights.len() - 1;
    called(question, sources, words).for_each(|task| task.prio = rank);
}

fn prefer(
    question: &mut Question,
    sources: &Sources,
    window: &Window,
    level: EnergyLevel,
    hours: (Time, Time),
) {
    let (from, until) = (clock(hours.0), clock(hours.1));
    let name = format!("{level:?} as wished");
    let profile = window.by_clock(|time| {
        if (from..until).contains(&time) {
            0
        } else {
            UNWISHED
        }
    });
    question.problem.profiles.insert(name.clone(), profile);
    let Question { tasks, problem, .. } = question;
    for (id, task) in tasks.iter().zip(&mut problem.tasks) {
        let row = sources.tasks.iter().find(|row| row.id == *id);
        if row.is_some_and(|row| row.energy == level) {
            task.profile.clone_from(&name);
        }
    }
}

/// Every chunk gets a break behind it, which may lie after the end of work. What can be cut is cut evenly, because the number of breaks
/// must be known before.
fn add_breaks(question: &mut Question, pause: i64) {
    let problem = &mut question.problem;
    question.pause = pause;
    // A break is room as well: of both the longer one counts.
    let gap = problem.gap;
    problem.gap = (gap - pause).max(0);
    for task in &mut problem.tasks {
        if task.min < task.dur && task.max >= task.min {
            let most = task.max.min(task.dur);
            let even = (task.min..=most).rev().find(|size| task.dur % size == 0);
            let size = even.unwrap_or(most);
            let count = (task.dur + size - 1) / size;
            task.dur = count * (size + pause);
            (task.min, task.max) = (size + pause, size + pause);
        } else {
            task.dur += pause;
            (task.min, task.max) = (task.dur, task.dur);
        }
        task.due = task.due.map(|due| due + pause);
        task.deadline = task.deadline.map(|deadline| deadline + pause);
        for chunk in task.prior.iter_mut().flatten() {
            chunk.1 += pause;
        }
    }
    for ranges in problem.hours.values_mut() {
        let starts: Vec<i64> = ranges.iter().skip(1).map(|range| range.0).collect();
        for (at, range) in ranges.iter_mut().enumerate() {
            let limit = starts.get(at).map_or(problem.horizon, |next| next - 1);
            range.1 = range.1.max((range.1 + pause).min(limit));
        }
    }
    for (_, _, before, after) in &mut problem.busy {
        *before = (*before - pause).max(0);
        *after = (*after).max(pause);
    }
    for taken in &mut problem.fixed {
        // It has the gap around it already.
        taken.0 += gap.min(pause);
        taken.1 += (pause - gap).max(0);
    }
    for day in problem.days.iter_mut().filter(|day| day.2 > 0) {
        day.2 += pause;
    }
}

fn words_of(wish: &Wish) -> String {
    let at = |time: &Time| time.strftime("%H:%M").to_string();
    match wish {
        Wish::KeepFree(start, end) if start.date() == end.date() => {
            let day = start.strftime("%a %-d %b");
            format!("{day} {}–{} stays free", at(&start.time()), at(&end.time()))
        }
        Wish::KeepFree(start, end) => format!(
            "{} to {} stays free",
            start.strftime("%a %-d %b %H:%M"),
            end.strftime("%a %-d %b %H:%M")
        ),
        Wish::NotBefore(time) => format!("nothing before {}", at(time)),
        Wish::NotAfter(time) => format!("nothing after {}", at(time)),
        Wish::Breaks(minutes) => format!("breaks of at least {minutes} min"),
        Wish::DailyLimit(minutes) => format!("at most {minutes} min of tasks a day"),
        Wish::Energy(level, start, end) => {
            let level = match level {
                EnergyLevel::Low => "little",
                EnergyLevel::Medium => "some",
                EnergyLevel::High => "much",
            };
            format!("work that needs {level} energy from {} to {}", at(start), at(end))
        }
        Wish::OnDay(words, day) => format!("“{words}” on {}", day.strftime("%a %-d %b")),
        Wish::First(words) => format!("“{words}” first"),
    }
}

#[cfg(test)]
mod tests;
