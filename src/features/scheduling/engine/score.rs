//! The objective and the rules, straight from the problem: slow, simple, and independent of everything the search uses.
//!
//! A plan that comes from the search is held against this in tests, and a plan that comes from elsewhere is checked by it.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::check::{ProblemError, check};
use super::plan::Solution;
use super::problem::{Problem, Range, Task};

/// The parts of the objective.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// For tasks that are left out.
    pub drop: i64,
    /// For work after soft deadlines.
    pub tard: i64,
    /// For work that is not done as soon as possible.
    pub flow: i64,
    /// For times of day the person likes less.
    pub pref: i64,
    /// For other work inside protected windows.
    pub focus: i64,
    /// For work in several chunks.
    pub frag: i64,
    /// For chunks that did not stay.
    #[serde(rename = "move")]
    pub moved: i64,
}

impl Parts {
    /// The objective.
    pub fn total(&self) -> i64 {
        self.drop + self.tard + self.flow + self.pref + self.focus + self.frag + self.moved
    }
}

/// Why a plan cannot be scored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The problem makes no sense.
    #[error(transparent)]
    Problem(#[from] ProblemError),
    /// The plan breaks a rule.
    #[error("task {task}: {rule}")]
    Broken {
        /// The task.
        task: u32,
        /// What is wrong with it.
        rule: &'static str,
    },
}

/// Checks every rule and adds up the objective.
pub fn score(problem: &Problem, solution: &Solution) -> Result<Parts, Fault> {
    check(problem)?;
    let day = Day::new(problem);
    let tasks: HashMap<u32, &Task> = problem.tasks.iter().map(|task| (task.id, task)).collect();
    let mut placed: BTreeMap<u32, Vec<Range>> = BTreeMap::new();
    let mut taken = vec![false; problem.horizon as usize];
    for (id, chunks) in solution.chunks.iter().filter(|(_, chunks)| !chunks.is_empty()) {
        let task = tasks.get(id).ok_or(Fault::Broken {
            task: *id,
            rule: "is not in the problem",
        })?;
        let mut chunks = chunks.clone();
        chunks.sort_unstable();
        day.check(task, &chunks, &mut taken)
            .map_err(|rule| Fault::Broken { task: *id, rule })?;
        placed.insert(*id, chunks);
    }
    for task in &problem.tasks {
        let Some(chunks) = placed.get(&task.id) else {
            continue;
        };
        for dep in &task.deps {
            let end = placed
                .get(dep)
                .and_then(|chunks| chunks.last())
                .map(|last| last.1);
            if end.is_none_or(|end| end > chunks[0].0) {
                return Err(Fault::Broken {
                    task: task.id,
                    rule: "starts before what it waits for ends",
                });
            }
        }
    }
    let mut all: Vec<(Range, u32)> = Vec::new();
    for (task, chunks) in &placed {
        all.extend(chunks.iter().map(|chunk| (*chunk, *task)));
    }
    all.sort_unstable();
    if let Some(pair) = all
        .windows(2)
        .find(|pair| pair[1].0.0 - pair[0].0.1 < problem.gap)
    {
        return Err(Fault::Broken {
            task: pair[1].1,
            rule: "starts too soon after other work",
        });
    }
    for &(start, end, cap) in &problem.days {
        let slots = start.clamp(0, problem.horizon) as usize..end.clamp(0, problem.horizon) as usize;
        if taken[slots.clone()].iter().filter(|taken| **taken).count() as i64 > cap {
            let within = |chunks: &Vec<Range>| chunks.iter().any(|chunk| slots.contains(&(chunk.0 as usize)));
            let task = placed
                .iter()
                .find(|(_, chunks)| within(chunks))
                .map_or(0, |(id, _)| *id);
            return Err(Fault::Broken {
                task,
                rule: "its day holds more than its cap",
            });
        }
    }
    let mut parts = Parts::default();
    for task in &problem.tasks {
        day.add(task, placed.get(&task.id), &mut parts);
    }
    Ok(parts)
}

/// The calendar, slot by slot.
struct Day<'a> {
    problem: &'a Problem,
    open: HashMap<&'a str, Vec<bool>>,
    blocked: Vec<bool>,
    focus: Vec<bool>,
    clock: Vec<i64>,
}

impl<'a> Day<'a> {
    fn new(problem: &'a Problem) -> Self {
        let slots = problem.horizon;
        let mark = |ranges: &mut dyn Iterator<Item = Range>| {
            let mut marks = vec![false; slots as usize];
            for (start, end) in ranges {
                let (start, end) = (start.clamp(0, slots), end.clamp(0, slots));
                marks[start as usize..end.max(start) as usize].fill(true);
            }
            marks
        };
        let mut clock = vec![0];
        for open in mark(&mut problem.hours.values().flatten().copied()) {
            clock.push(clock[clock.len() - 1] + i64::from(open));
        }
        let open =
            |(name, ranges): (&'a String, &'a Vec<Range>)| (name.as_str(), mark(&mut ranges.iter().copied()));
        Self {
            problem,
            open: problem.hours.iter().map(open).collect(),
            blocked: mark(&mut problem.taken()),
            focus: mark(&mut problem.focus.iter().copied()),
            clock,
        }
    }

    fn at(&self, slot: i64) -> i64 {
        self.clock[slot.clamp(0, self.problem.horizon) as usize]
    }

    fn check(&self, task: &Task, chunks: &[Range], taken: &mut [bool]) -> Result<(), &'static str> {
        let open = &self.open[task.sched.as_str()];
        let mut before: Option<i64> = None;
        let mut sum = 0;
        for &(start, end) in chunks {
            if start < task.est.max(0) || end > self.problem.horizon || start >= end {
                return Err("lies before its earliest start or outside the horizon");
            }
            if !(task.min..=task.max).contains(&(end - start)) {
                return Err("has a chunk of a forbidden length");
            }
            if task.deadline.is_some_and(|deadline| end > deadline) {
                return Err("ends after its hard deadline");
            }
            if before.is_some_and(|before| start <= before) {
                return Err("has chunks that touch");
            }
            for slot in start as usize..end as usize {
                if self.blocked[slot] || !open[slot] || taken[slot] {
                    return Err("lies in time that is busy, closed or taken");
                }
                taken[slot] = true;
            }
            before = Some(end);
            sum += end - start;
        }
        if sum == task.dur {
            Ok(())
        } else {
            Err("is not placed wholly")
        }
    }

    fn add(&self, task: &Task, chunks: Option<&Vec<Range>>, parts: &mut Parts) {
        let weights = &self.problem.weights;
        let prio = weights.prio[task.prio];
        for chunk in task.prior.iter().flatten() {
            if chunks.is_none_or(|chunks| !chunks.contains(chunk)) {
                parts.moved += if chunk.0 < weights.soon {
                    weights.move_soon
                } else {
                    weights.moved
                };
            }
        }
        let Some((chunks, last)) = chunks.and_then(|chunks| Some((chunks, chunks.last()?))) else {
            parts.drop += prio * (weights.drop_base + weights.drop_slot * task.dur);
            return;
        };
        let end = self.at(last.1);
        parts.flow += weights.flow * prio * (end - self.at(task.est)).max(0);
        if let Some(due) = task.due {
            parts.tard += weights.tard * prio * (end - self.at(due)).max(0);
        }
        let profile = &self.problem.profiles[&task.profile];
        for slot in chunks
            .iter()
            .flat_map(|(start, end)| *start as usize..*end as usize)
        {
            parts.pref += weights.pref * profile[slot % profile.len()];
            if self.focus[slot] && !task.deep {
                parts.focus += weights.focus;
            }
        }
        parts.frag += weights.frag * (chunks.len() as i64 - 1);
    }
}
