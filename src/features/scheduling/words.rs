//! What the planner says to people: sentences for reasons, for tasks left out, and for changes that would help. Facts come from the
//! engine; here they get words. Pure; knows no titles of events, which may be private.

use entity::enums::UnscheduledReason;
use entity::ids::TaskId;
use serde::{Deserialize, Serialize};

use super::engine::{Change, Missing, MissingCode, Placed, Range, ReasonCode, Relaxation};
use super::question::{LeftOut, Question};
use super::window::Window;
use crate::kernel::time::{Instant, Span};
use crate::kernel::zones;

/// Why a slot is where it is, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredReason {
    /// Kind of reason.
    pub code: PlacementCode,
    /// Sentence.
    pub message: String,
}

/// Kinds of reasons for a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacementCode {
    /// Needed here to meet the deadline.
    Deadline,
    /// More important than what else could stand here.
    Priority,
    /// In the hours that suit the energy the task needs.
    Energy,
    /// As soon as what it depends on is finished.
    Dependency,
    /// Stays where it was before.
    Stability,
    /// Fixed by the person.
    Locked,
    /// Keeps a long stretch of time free elsewhere.
    Focus,
    /// The only time that is free.
    OnlyGap,
}

/// A change that makes room, as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredRelaxation {
    /// Kind of change.
    pub code: RelaxationCode,
    /// Sentence.
    pub message: String,
    /// Minutes that it makes room for.
    pub gained_minutes: i32,
}

/// Kinds of changes that make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelaxationCode {
    /// Move the deadline.
    ExtendDeadline,
    /// Work outside the working hours, or more on a day.
    ExtendWorkingHours,
    /// Allow smaller pieces.
    SmallerChunks,
    /// Move or drop a less important task.
    MoveOtherTask,
    /// Move or decline an event.
    MoveEvent,
    /// Finish or drop a dependency.
    DropDependency,
}

/// A task that found no place, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unplaced {
    /// The task.
    pub task_id: TaskId,
    /// Why.
    pub reason: UnscheduledReason,
    /// Minutes that found no place.
    pub missing_minutes: i32,
    /// Sentence.
    pub message: String,
    /// Cheapest first.
    pub relaxations: Vec<StoredRelaxation>,
}

/// Says things about one plan.
pub struct Words<'a> {
    /// The question that was asked.
    pub question: &'a Question,
    /// Its time.
    pub window: &'a Window,
    /// Title of each task.
    pub title: &'a dyn Fn(TaskId) -> String,
    /// When it is said.
    pub now: Instant,
}

/// The reason of a slot that somebody fixed.
pub fn locked() -> StoredReason {
    StoredReason {
        code: PlacementCode::Locked,
        message: "You fixed it here.".into(),
    }
}

/// The reason of a slot that stays although nobody locked it.
pub fn started() -> StoredReason {
    StoredReason {
        code: PlacementCode::Stability,
        message: "It stays as it is in the schedule that is applied.".into(),
    }
}

impl Words<'_> {
    /// Why a chunk is where it is.
    pub fn reasons(&self, placed: &Placed) -> Vec<StoredReason> {
        let task = &self.question.problem.tasks[placed.task as usize];
        // What is due sooner than that is late by its own deadline.
        let held = self.held(placed.task);
        let held = held.filter(|_| {
            task.due
                .is_none_or(|due| task.deadline.is_some_and(|last| due >= last))
        });
        let instead = placed.next_best.map(|(range, _)| self.when(self.between(range)));
        let reason = |code: ReasonCode| {
            let due = task
                .deadline
                .or(task.due)
                .map(|slot| self.at(self.window.instant(slot - self.question.pause)));
            let (code, message) = match code {
                ReasonCode::Deadline => (
                    PlacementCode::Deadline,
                    match (&held, due) {
                        (Some((by, _)), _) => {
                            format!("Any later, {by}, which waits for it, would have to move.")
                        }
                        (None, Some(due)) => format!("Any later it would miss its deadline, {due}."),
                        (None, None) => "Any later, work that waits for it would miss a deadline.".into(),
                    },
                ),
                ReasonCode::Priority => (
                    PlacementCode::Priority,
                    match &instead {
                        Some(instead) => format!(
                            "As soon as possible for its importance; the next best time is {instead}."
                        ),
                        None => "As soon as possible for its importance.".into(),
                    },
                ),
                ReasonCode::Energy => (
                    PlacementCode::Energy,
                    "At a time of day that suits the energy it needs.".into(),
                ),
                ReasonCode::Dependency => (PlacementCode::Dependency, self.after(&task.deps)),
                ReasonCode::Stability => (
                    PlacementCode::Stability,
                    "It stays where it was, because moving it would gain less than it disturbs.".into(),
                ),
                ReasonCode::Focus => (
                    PlacementCode::Focus,
                    "Elsewhere it would break into time that is kept for deep work.".into(),
                ),
                ReasonCode::OnlyGap => (
                    PlacementCode::OnlyGap,
                    "There is no other free time that is long enough for it.".into(),
                ),
            };
            StoredReason { code, message }
        };
        placed.reasons.iter().map(|one| reason(one.code)).collect()
    }

    fn after(&self, deps: &[u32]) -> String {
        match deps.first().map(|dep| self.named(*dep)) {
            Some(name) if deps.len() == 1 => format!("As soon as {name} is finished."),
            Some(name) => format!("As soon as {name} and the other tasks it waits for are finished."),
            None => "As soon as what it waits for is finished.".into(),
        }
    }

    /// Why a task found no place.
    pub fn missing(&self, missing: &Missing) -> Unplaced {
        let task_id = self.question.tasks[missing.task as usize];
        let task = &self.question.problem.tasks[missing.task as usize];
        let names: Vec<String> = missing.because_of.iter().map(|task| self.named(*task)).collect();
        let work = self.question.work[missing.task as usize];
        let minutes = missing.slots.min(work) * self.window.slot_minutes;
        let held = self.held(missing.task);
        let deadline = task
            .deadline
            .map(|slot| self.window.instant(slot - self.question.pause));
        let until = match (deadline, &held) {
            (Some(deadline), Some((by, _))) => {
                format!("before {by}, which waits for it, begins {}", self.at(deadline))
            }
            (Some(deadline), None) => format!("before its deadline, {}", self.at(deadline)),
            (None, _) => "in the days of this plan".into(),
        };
        let holders = if names.is_empty() {
            String::new()
        } else {
            format!(" The time is used by {}.", list(&names))
        };
        let (reason, message) = match missing.code {
            MissingCode::NoCapacity if self.window.hours.is_empty() => (
                UnscheduledReason::NoCapacity,
                "There are no working hours on these days.".into(),
            ),
            MissingCode::NoCapacity => (
                UnscheduledReason::NoCapacity,
                format!("{} of it find no free time {until}.{holders}", duration(minutes)),
            ),
            MissingCode::Blocked => (
                UnscheduledReason::Blocked,
                if names.is_empty() {
                    "What it waits for is not finished in time.".into()
                } else {
                    format!("It waits for {}, which is not finished in time.", list(&names))
                },
            ),
            MissingCode::Fragmented => {
                let least = duration((task.min - self.question.pause) * self.window.slot_minutes);
                let message =
                    format!("No free gap {until} is as long as its smallest piece of {least}.{holders}");
                (UnscheduledReason::Fragmented, message)
            }
            MissingCode::DeadlinePassed => match (&held, deadline) {
                (Some((by, _)), _) => (
                    UnscheduledReason::NoCapacity,
                    format!("{by}, which waits for it, begins before there is time for it."),
                ),
                (None, Some(deadline)) if deadline > self.now => (
                    UnscheduledReason::NoCapacity,
                    format!(
                        "Its deadline, {}, is before the days of this plan.",
                        self.at(deadline)
                    ),
                ),
                _ => (
                    UnscheduledReason::DeadlinePassed,
                    "Its deadline is already over.".into(),
                ),
            },
        };
        Unplaced {
            task_id,
            reason,
            missing_minutes: whole(minutes),
            message,
            relaxations: missing
                .relaxations
                .iter()
                .filter_map(|one| {
                    let relaxation = match (&one.change, &held) {
                        (Change::ExtendDeadline { until }, Some((by, own))) => {
                            self.later(by, *own, *until, one)?
                        }
                        _ => self.relaxation(one),
                    };
                    Some(StoredRelaxation {
                        gained_minutes: relaxation
                            .gained_minutes
                            .min(whole(work * self.window.slot_minutes)),
                        ..relaxation
                    })
                })
                .collect(),
        }
    }

    /// Who waits for a task and stays where it is, and the deadline that the task has by itself.
    fn held(&self, task: u32) -> Option<(String, Option<i64>)> {
        let id = self.question.tasks.get(task as usize)?;
        let held = self.question.held.get(id)?;
        Some((format!("“{}”", (self.title)(held.by)), held.own))
    }

    /// More time for a task whose end is the begin of another; nothing when its own deadline would still be in the way.
    fn later(&self, by: &str, own: Option<i64>, until: i64, one: &Relaxation) -> Option<StoredRelaxation> {
        let until = until - self.question.pause;
        if own.is_some_and(|own| until > own) {
            return None;
        }
        Some(StoredRelaxation {
            code: RelaxationCode::MoveOtherTask,
            message: format!(
                "Move {by}, which waits for it, to {} or later.{}",
                self.at(self.window.instant(until)),
                self.then(&one.chunks)
            ),
            gained_minutes: whole(one.gained * self.window.slot_minutes),
        })
    }

    /// Why the engine was not asked about a task, and where it would go if it did not wait.
    pub fn left_out(&self, left_out: &LeftOut, place: Option<&[Range]>) -> Unplaced {
        let names: Vec<String> = left_out
            .because_of
            .iter()
            .map(|task| format!("“{}”", (self.title)(*task)))
            .collect();
        let message = if left_out.in_circle {
            format!(
                "It waits for {}, which waits for it in turn. Remove one of these dependencies.",
                list(&names)
            )
        } else {
            let state = if names.len() > 1 {
                "which are not finished and have no place in this plan"
            } else {
                "which is not finished and has no place in this plan"
            };
            format!("It waits for {}, {state}.", list(&names))
        };
        let relaxation = place.map(|chunks| StoredRelaxation {
            code: RelaxationCode::DropDependency,
            message: format!(
                "Finish {}, or do not wait for {}.{}",
                list(&names),
                if names.len() > 1 { "them" } else { "it" },
                self.then(chunks)
            ),
            gained_minutes: whole(left_out.minutes),
        });
        Unplaced {
            task_id: left_out.task_id,
            reason: left_out.reason,
            missing_minutes: whole(left_out.minutes),
            message,
            relaxations: relaxation.into_iter().collect(),
        }
    }

    fn relaxation(&self, one: &Relaxation) -> StoredRelaxation {
        let minutes = |slots: i64| duration(slots * self.window.slot_minutes);
        let then = self.then(&one.chunks);
        let (code, message) = match &one.change {
            Change::ExtendDeadline { until } => (
                RelaxationCode::ExtendDeadline,
                format!(
                    "Move its deadline to {} or later.",
                    self.at(self.window.instant(*until - self.question.pause))
                ),
            ),
            Change::ExtendWorkingHours { outside: 0 } => (
                RelaxationCode::ExtendWorkingHours,
                format!("Allow more work on one day.{then}"),
            ),
            Change::ExtendWorkingHours { outside } => (
                RelaxationCode::ExtendWorkingHours,
                format!("Work {} outside your working hours.{then}", minutes(*outside)),
            ),
            Change::SmallerChunks { min } => (
                RelaxationCode::SmallerChunks,
                format!(
                    "Allow pieces of {}.{then}",
                    minutes((*min - self.question.pause).max(1))
                ),
            ),
            Change::MoveOtherTask { task, to: Some(to) } => {
                let to = to.first().map(|range| self.when(self.between(*range)));
                let to = to.map_or(String::new(), |to| format!(" to {to}"));
                (
                    RelaxationCode::MoveOtherTask,
                    format!("Move {}{to}.{then}", self.named(*task)),
                )
            }
            Change::MoveOtherTask { task, to: None } => (
                RelaxationCode::MoveOtherTask,
                format!("Leave out {}, which matters less.{then}", self.named(*task)),
            ),
            Change::MoveEvent { busy } => {
                let event = self.question.busy.get(*busy).map(|span| self.when(*span));
                let event = event.map_or(String::new(), |event| format!(" {event}"));
                (
                    RelaxationCode::MoveEvent,
                    format!("Move or decline what is on the calendar{event}.{then}"),
                )
            }
            Change::DropDependency { task } => (
                RelaxationCode::DropDependency,
                format!("Do not wait for {}.{then}", self.named(*task)),
            ),
        };
        StoredRelaxation {
            code,
            message,
            gained_minutes: whole(one.gained * self.window.slot_minutes),
        }
    }

    /// Where a task would go.
    fn then(&self, chunks: &[Range]) -> String {
        match (chunks.first(), chunks.len()) {
            (Some(first), 1) => format!(" It would be done {}.", self.when(self.between(*first))),
            (Some(first), pieces) => format!(
                " It would be done in {pieces} pieces, the first {}.",
                self.when(self.between(*first))
            ),
            (None, _) => String::new(),
        }
    }

    /// The time of the work in a chunk.
    fn between(&self, chunk: super::engine::Range) -> Span {
        self.window.between(self.question.work_in(chunk))
    }

    fn named(&self, task: u32) -> String {
        let id = self.question.tasks.get(task as usize);
        id.map_or_else(|| "another task".into(), |id| format!("“{}”", (self.title)(*id)))
    }

    fn at(&self, at: Instant) -> String {
        let local = zones::local_of(zones::from_chrono(at), &self.window.zone);
        zones::local_to_chrono(local)
            .format("%a %-d %b %H:%M")
            .to_string()
    }

    fn when(&self, span: Span) -> String {
        let end = zones::local_of(zones::from_chrono(span.end), &self.window.zone);
        format!(
            "on {}–{}",
            self.at(span.start),
            zones::local_to_chrono(end).format("%H:%M")
        )
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => "other tasks".into(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn whole(minutes: i64) -> i32 {
    i32::try_from(minutes).unwrap_or(i32::MAX)
}

/// `90` as `1 h 30 min`.
fn duration(minutes: i64) -> String {
    match (minutes / 60, minutes % 60) {
        (0, rest) => format!("{rest} min"),
        (hours, 0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}
