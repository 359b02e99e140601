//! Whether a problem makes sense, before any work is put into it.
//!
//! Refused is what has no meaning: unknown names, empty work, circular dependencies, sizes beyond what a plan can be made for. What has a
//! meaning but no solution (a deadline in the past, no working hours) is not refused: such tasks are left out of the plan with a reason.

use std::collections::HashMap;

use super::problem::{Problem, Task};

/// Most slots of a problem: more than a year of 5-minute slots.
pub const MAX_HORIZON: i64 = 120_000;
/// Most tasks of a problem.
pub const MAX_TASKS: usize = 20_000;
/// Most dependencies of all tasks together.
const MAX_DEPENDENCIES: usize = 100_000;
/// Most chunks that all tasks together could be cut into.
const MAX_CHUNKS: i64 = 1_000_000;
/// Most ranges in a list of hours, busy times, focus windows or days.
const MAX_RANGES: usize = 100_000;
/// Largest weight, so that no sum can overflow.
pub(super) const MAX_WEIGHT: i64 = 10_000_000;
/// Longest gap: the sums over what lies in it stay small.
const MAX_GAP: i64 = 200;
/// Largest discomfort of one slot.
const MAX_DISCOMFORT: i64 = 1_000;

/// Why no plan can be made for a problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProblemError {
    /// The horizon is empty, too long, or its slots have no length.
    #[error("the horizon must have 1 to {MAX_HORIZON} slots of at least one minute")]
    Horizon,
    /// There are more tasks, dependencies or ranges than a plan is made for.
    #[error("too many {0} for one plan")]
    TooMany(&'static str),
    /// A weight is negative or would overflow sums.
    #[error("a weight or a discomfort is negative or too large")]
    Weight,
    /// A range ends before it starts, or a buffer is negative.
    #[error("a range of {0} ends before it starts")]
    Range(&'static str),
    /// The gap between chunks is negative or longer than anybody asks for.
    #[error("the gap between two chunks must be 0 to {MAX_GAP} slots")]
    Gap,
    /// Two days share slots, or a day's cap is negative.
    #[error("days must not overlap, nor have a negative cap")]
    Days,
    /// Two tasks have one number.
    #[error("two tasks have the number {0}")]
    Duplicate(u32),
    /// A task has no duration.
    #[error("task {0} has no duration")]
    NoDuration(u32),
    /// A task's chunk sizes contradict each other, or its duration is beyond the horizon's limit.
    #[error("task {0} has impossible sizes")]
    Sizes(u32),
    /// A task names a schedule, profile, priority or task that does not exist.
    #[error("task {task} names an unknown {what}")]
    Unknown {
        /// The task.
        task: u32,
        /// What it names.
        what: &'static str,
    },
    /// Tasks wait for each other in a circle.
    #[error("tasks wait for each other in a circle, among them task {0}")]
    Cycle(u32),
}

/// The index of every task by its number, and the indices in an order in which dependencies come first.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) index: HashMap<u32, u32>,
    pub(super) order: Vec<u32>,
}

/// Checks everything the engine relies on.
pub(super) fn check(problem: &Problem) -> Result<Checked, ProblemError> {
    if !(1..=MAX_HORIZON).contains(&problem.horizon) || !(1..=1440).contains(&problem.slot_min) {
        return Err(ProblemError::Horizon);
    }
    if !(0..=MAX_GAP).contains(&problem.gap) {
        return Err(ProblemError::Gap);
    }
    check_weights(problem)?;
    check_ranges(problem)?;
    if problem.tasks.len() > MAX_TASKS {
        return Err(ProblemError::TooMany("tasks"));
    }
    let mut index = HashMap::with_capacity(problem.tasks.len());
    for (at, task) in problem.tasks.iter().enumerate() {
        if index.insert(task.id, at as u32).is_some() {
            return Err(ProblemError::Duplicate(task.id));
        }
        check_task(problem, task)?;
    }
    let chunks: i64 = problem
        .tasks
        .iter()
        .map(|task| (task.dur / task.min).min(problem.horizon))
        .sum();
    if chunks > MAX_CHUNKS {
        return Err(ProblemError::TooMany("chunks"));
    }
    let order = in_order(problem, &index)?;
    Ok(Checked { index, order })
}

fn check_weights(problem: &Problem) -> Result<(), ProblemError> {
    let w = &problem.weights;
    let mut all = vec![
        w.tard,
        w.flow,
        w.pref,
        w.focus,
        w.frag,
        w.moved,
        w.move_soon,
        w.drop_base,
        w.drop_slot,
    ];
    all.extend(&w.prio);
    let discomfort = problem.profiles.values().flatten();
    if all.iter().any(|weight| !(0..=MAX_WEIGHT).contains(weight))
        || w.prio.iter().any(|weight| *weight > 10_000)
        || discomfort
            .into_iter()
            .any(|value| !(0..=MAX_DISCOMFORT).contains(value))
    {
        return Err(ProblemError::Weight);
    }
    Ok(())
}

fn check_ranges(problem: &Problem) -> Result<(), ProblemError> {
    let hours: usize = problem.hours.values().map(Vec::len).sum();
    for (what, count) in [
        ("working hours", hours),
        ("busy times", problem.busy.len() + problem.fixed.len()),
        ("focus windows", problem.focus.len()),
        ("days", problem.days.len()),
        ("schedules", problem.hours.len() * (MAX_RANGES / 64)),
        ("profiles", problem.profiles.len() * (MAX_RANGES / 32)),
    ] {
        if count > MAX_RANGES {
            return Err(ProblemError::TooMany(what));
        }
    }
    if problem.hours.values().flatten().any(|(start, end)| start > end) {
        return Err(ProblemError::Range("working hours"));
    }
    if problem
        .busy
        .iter()
        .any(|(start, end, pre, post)| start > end || *pre < 0 || *post < 0)
    {
        return Err(ProblemError::Range("busy times"));
    }
    if problem.fixed.iter().any(|(start, end)| start > end) {
        return Err(ProblemError::Range("busy times"));
    }
    if problem.focus.iter().any(|(start, end)| start > end) {
        return Err(ProblemError::Range("focus windows"));
    }
    let mut days = problem.days.clone();
    days.sort_unstable();
    let overlap = days.windows(2).any(|pair| pair[0].1 > pair[1].0);
    if overlap || days.iter().any(|(start, end, cap)| start > end || *cap < 0) {
        return Err(ProblemError::Days);
    }
    Ok(())
}

fn check_task(problem: &Problem, task: &Task) -> Result<(), ProblemError> {
    if task.dur <= 0 {
        return Err(ProblemError::NoDuration(task.id));
    }
    if task.dur > MAX_HORIZON || task.min < 1 || task.min > task.max {
        return Err(ProblemError::Sizes(task.id));
    }
    let unknown = |what| Err(ProblemError::Unknown { task: task.id, what });
    if task.prio >= problem.weights.prio.len() {
        return unknown("priority");
    }
    if !problem.hours.contains_key(&task.sched) {
        return unknown("schedule");
    }
    if problem.profiles.get(&task.profile).is_none_or(Vec::is_empty) {
        return unknown("profile");
    }
    if task.prior.as_ref().is_some_and(|prior| prior.len() > MAX_RANGES) {
        return Err(ProblemError::TooMany("earlier chunks"));
    }
    Ok(())
}

/// Indices of the tasks so that each comes after what it waits for.
fn in_order(problem: &Problem, index: &HashMap<u32, u32>) -> Result<Vec<u32>, ProblemError> {
    let total: usize = problem.tasks.iter().map(|task| task.deps.len()).sum();
    if total > MAX_DEPENDENCIES {
        return Err(ProblemError::TooMany("dependencies"));
    }
    let mut waiting: Vec<usize> = Vec::with_capacity(problem.tasks.len());
    let mut followers = vec![Vec::new(); problem.tasks.len()];
    for (at, task) in problem.tasks.iter().enumerate() {
        waiting.push(task.deps.len());
        for dep in &task.deps {
            let Some(dep) = index.get(dep) else {
                return Err(ProblemError::Unknown {
                    task: task.id,
                    what: "task it waits for",
                });
            };
            followers[*dep as usize].push(at as u32);
        }
    }
    let ready = |(at, count): (usize, &usize)| (*count == 0).then_some(at as u32);
    let mut order: Vec<u32> = waiting.iter().enumerate().filter_map(ready).collect();
    let mut done = 0;
    while done < order.len() {
        for &follower in &followers[order[done] as usize] {
            waiting[follower as usize] -= 1;
            if waiting[follower as usize] == 0 {
                order.push(follower);
            }
        }
        done += 1;
    }
    match waiting.iter().position(|count| *count > 0) {
        Some(stuck) => Err(ProblemError::Cycle(problem.tasks[stuck].id)),
        None => Ok(order),
    }
}
