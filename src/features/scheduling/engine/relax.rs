//! What would let a task in that was left out. Every answer was tried: the change is made to a small problem in which all other tasks
//! stand still, and the task found a place in it.

use super::budget::Budget;
use super::explain::{Change, Relaxation};
use super::model::Model;
use super::plan::Solution;
use super::problem::{Problem, Range, Task};
use super::recreate::{Bench, Order};
use super::state::State;

/// Most relaxations per task.
const BEST: usize = 3;
/// Most other tasks and events that are tried.
const TRIED: usize = 8;
/// How far hours are extended, in minutes on each side.
const EXTENSION: i64 = 120;

/// The cheapest changes that let a task in.
pub(super) fn relaxations(
    problem: &Problem,
    solution: &Solution,
    task: &Task,
    budget: &Budget<'_>,
) -> Vec<Relaxation> {
    let room = Room {
        problem,
        solution,
        task,
    };
    let mut found = Vec::new();
    found.extend(room.later_deadline());
    found.extend(room.smaller_chunks());
    found.extend(room.longer_hours());
    found.extend(room.no_dependency());
    room.other_tasks(budget, &mut found);
    room.events(budget, &mut found);
    found.sort_by_key(|relaxation| relaxation.cost);
    found.truncate(BEST);
    found
}

/// A plan in which one task looks for room.
struct Room<'a> {
    problem: &'a Problem,
    solution: &'a Solution,
    task: &'a Task,
}

impl Room<'_> {
    fn chunks(&self, task: u32) -> &[Range] {
        self.solution.chunks.get(&task).map_or(&[], Vec::as_slice)
    }

    fn weight(&self) -> i64 {
        self.problem.weights.tard.max(1) * self.problem.weights.prio[self.task.prio].max(1)
    }

    /// A problem with one task only, in which all others but `without` stand still. What the task waits for becomes its earliest
    /// start; nothing when that is not planned.
    fn local(&self, task: &Task, without: Option<u32>, extra: &[Range]) -> Option<Problem> {
        let mut task = task.clone();
        for dep in std::mem::take(&mut task.deps) {
            task.est = task.est.max(self.chunks(dep).last()?.1);
        }
        for other in self
            .problem
            .tasks
            .iter()
            .filter(|other| other.deps.contains(&task.id))
        {
            if let Some(first) = self.chunks(other.id).first() {
                task.deadline = Some(task.deadline.map_or(first.0, |deadline| deadline.min(first.0)));
            }
        }
        let mut local = Problem {
            tasks: Vec::new(),
            ..self.problem.clone()
        };
        let still = self
            .solution
            .chunks
            .iter()
            .filter(|(id, _)| Some(**id) != without && **id != task.id);
        for &(start, end) in still.flat_map(|(_, chunks)| chunks).chain(extra) {
            local.fixed.push((start - local.gap, end + local.gap));
            for day in &mut local.days {
                day.2 = (day.2 - (end.min(day.1) - start.max(day.0)).max(0)).max(0);
            }
        }
        local.tasks.push(task);
        Some(local)
    }

    fn found(&self, change: Change, nuisance: i64, local: &Problem) -> Option<Relaxation> {
        let (chunks, cost) = solve(local)?;
        Some(Relaxation {
            change,
            chunks,
            gained: self.task.dur,
            cost: cost + nuisance,
        })
    }

    fn later_deadline(&self) -> Option<Relaxation> {
        let deadline = self.task.deadline?;
        let task = Task {
            deadline: None,
            ..self.task.clone()
        };
        let (chunks, cost) = solve(&self.local(&task, None, &[])?)?;
        let until = chunks.last()?.1;
        let late = (until - deadline.max(0)).max(1);
        let cost = cost + self.weight() * late;
        Some(Relaxation {
            change: Change::ExtendDeadline { until },
            chunks,
            gained: self.task.dur,
            cost,
        })
    }

    fn smaller_chunks(&self) -> Option<Relaxation> {
        let largest = self.task.min.min((self.task.dur / 2).max(1));
        [largest, largest.div_euclid(2).max(1), 1]
            .into_iter()
            .find_map(|min| {
                if min >= self.task.min
                    && self.task.max >= self.task.dur
                    && self.task.min <= self.task.dur / 2
                {
                    return None;
                }
                let task = Task {
                    min,
                    ..self.task.clone()
                };
                self.found(
                    Change::SmallerChunks { min },
                    self.weight(),
                    &self.local(&task, None, &[])?,
                )
            })
    }

    fn longer_hours(&self) -> Option<Relaxation> {
        let mut local = self.local(self.task, None, &[])?;
        let slots = EXTENSION / local.slot_min;
        for day in &mut local.days {
            day.2 += slots;
        }
        // More work in the same hours is less to ask for than longer hours.
        if let Some((chunks, cost)) = solve(&local) {
            let change = Change::ExtendWorkingHours { outside: 0 };
            let cost = cost + self.weight() * self.task.dur;
            return Some(Relaxation {
                change,
                chunks,
                gained: self.task.dur,
                cost,
            });
        }
        let hours = local.hours.get(&self.task.sched)?.clone();
        let extended = hours
            .iter()
            .map(|(start, end)| ((start - slots).max(0), (end + slots).min(local.horizon)));
        local.hours.insert(self.task.sched.clone(), extended.collect());
        let (chunks, cost) = solve(&local)?;
        let inside = |slot: i64| hours.iter().any(|(start, end)| (*start..*end).contains(&slot));
        let outside = chunks
            .iter()
            .flat_map(|(start, end)| *start..*end)
            .filter(|slot| !inside(*slot))
            .count() as i64;
        let cost = cost + self.weight() * (self.task.dur + 2 * outside);
        Some(Relaxation {
            change: Change::ExtendWorkingHours { outside },
            chunks,
            gained: self.task.dur,
            cost,
        })
    }

    fn no_dependency(&self) -> Option<Relaxation> {
        let dropped = |dep: u32| {
            let deps = self.task.deps.iter().copied().filter(|other| *other != dep);
            let task = Task {
                deps: deps.collect(),
                ..self.task.clone()
            };
            let nuisance = self.weight() * 20;
            self.found(
                Change::DropDependency { task: dep },
                nuisance,
                &self.local(&task, None, &[])?,
            )
        };
        self.task.deps.iter().find_map(|dep| dropped(*dep))
    }

    /// Whether a chunk lies in the time that the task could use.
    fn is_in_window(&self, start: i64, end: i64) -> bool {
        end > self.task.est && self.task.deadline.is_none_or(|deadline| start < deadline)
    }

    fn other_tasks(&self, budget: &Budget<'_>, found: &mut Vec<Relaxation>) {
        let weights = &self.problem.weights;
        let weight = |task: &Task| weights.prio[task.prio];
        let in_window = |other: &&Task| {
            self.chunks(other.id)
                .iter()
                .any(|chunk| self.is_in_window(chunk.0, chunk.1))
        };
        let enough = |other: &&Task| other.dur >= self.task.min && weight(other) <= weight(self.task);
        let mut others: Vec<&Task> = self
            .problem
            .tasks
            .iter()
            .filter(in_window)
            .filter(enough)
            .collect();
        others.sort_by_key(|other| {
            (
                weight(other),
                other.deadline.is_some(),
                (other.dur - self.task.dur).abs(),
            )
        });
        for other in others.into_iter().take(TRIED) {
            if budget.is_over() {
                return;
            }
            let local = self.local(self.task, Some(other.id), &[]);
            let Some((chunks, cost)) = local.and_then(|local| solve(&local)) else {
                continue;
            };
            let moved = self
                .local(other, Some(other.id), &chunks)
                .and_then(|local| solve(&local));
            let followed = self
                .problem
                .tasks
                .iter()
                .any(|task| task.deps.contains(&other.id));
            let (to, more) = match moved {
                Some((to, cost)) => (Some(to), cost),
                None if followed || weight(other) >= weight(self.task) => continue,
                None => (
                    None,
                    weight(other) * (weights.drop_base + weights.drop_slot * other.dur),
                ),
            };
            let change = Change::MoveOtherTask { task: other.id, to };
            found.push(Relaxation {
                change,
                chunks,
                gained: self.task.dur,
                cost: cost + more,
            });
        }
    }

    fn events(&self, budget: &Budget<'_>, found: &mut Vec<Relaxation>) {
        let Some(local) = self.local(self.task, None, &[]) else {
            return;
        };
        let mut events: Vec<usize> = (0..self.problem.busy.len()).collect();
        events.retain(|at| {
            let (start, end, pre, post) = self.problem.busy[*at];
            end > start && self.is_in_window(start.saturating_sub(pre), end.saturating_add(post))
        });
        events.sort_by_key(|at| self.problem.busy[*at].1 - self.problem.busy[*at].0);
        for busy in events.into_iter().take(TRIED) {
            if budget.is_over() {
                return;
            }
            let mut local = local.clone();
            local.busy.remove(busy);
            let (start, end, ..) = self.problem.busy[busy];
            let nuisance = self.weight() * 4 * (end - start).min(self.problem.horizon);
            found.extend(self.found(Change::MoveEvent { busy }, nuisance, &local));
        }
    }
}

/// Where the only task of a problem goes, and what that costs.
fn solve(local: &Problem) -> Option<(Vec<Range>, i64)> {
    let model = Model::new(local).ok()?;
    let mut bench = Bench::new(State::new(&model), 0);
    bench.take(0);
    bench.recreate(Order::Urgent, 0, || false);
    let chunks: Vec<Range> = bench
        .state
        .chunks(0)
        .iter()
        .map(|span| model.slots(*span))
        .collect();
    (!chunks.is_empty()).then(|| (chunks, bench.state.cost(0)))
}
