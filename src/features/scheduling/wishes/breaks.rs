//! Breaks in the question that the engine is asked: it knows none, so they are work at the end of every chunk. Pure.

use crate::features::scheduling::engine::Task;
use crate::features::scheduling::question::Question;

/// Every chunk gets a break behind it, which may lie after the end of work. The number of breaks must be known before, so what can be cut
/// is cut into the fewest pieces.
pub(super) fn add_breaks(question: &mut Question, pause: i64) {
    let problem = &mut question.problem;
    question.pause = pause;
    // A break is room as well: of both the longer one counts.
    let gap = problem.gap;
    problem.gap = (gap - pause).max(0);
    for task in &mut problem.tasks {
        if task.min < task.dur && task.max >= task.min {
            cut(task, pause);
        } else {
            task.dur += pause;
            (task.min, task.max) = (task.dur, task.dur);
            lengthen(task, pause);
        }
        task.due = task.due.map(|due| due + pause);
        task.deadline = task.deadline.map(|deadline| deadline + pause);
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

/// Sizes of the pieces of a task with the breaks behind them, of which only one number adds up to its work.
fn cut(task: &mut Task, pause: i64) {
    let most = task.max.min(task.dur);
    let count = (task.dur + most - 1) / most;
    let whole = task.dur + count * pause;
    // One piece more would have to be smaller than this.
    let least = (whole / (count + 1) + 1).max(task.min + pause);
    if least * count <= whole {
        task.dur = whole;
        (task.min, task.max) = (least, most + pause);
        lengthen(task, pause);
        return;
    }
    // Many small pieces: all are equal, and what is too much is taken off the last one when the plan is read.
    let even = (task.min..=most).rev().find(|size| task.dur % size == 0);
    let size = even.unwrap_or(most);
    let work = task.dur;
    let count = (work + size - 1) / size;
    task.dur = count * (size + pause);
    (task.min, task.max) = (size + pause, size + pause);
    lengthen(task, pause);
    // A plan that was read like this fits the question again.
    let prior = task.prior.as_deref_mut().unwrap_or_default();
    let planned: i64 = prior.iter().map(|(start, end)| end - start - pause).sum();
    if planned == work
        && let Some(last) = prior.last_mut()
    {
        last.1 = last.1.max(last.0 + size + pause);
    }
}

/// Where a task was before, with the breaks.
fn lengthen(task: &mut Task, pause: i64) {
    for chunk in task.prior.iter_mut().flatten() {
        chunk.1 += pause;
    }
}
