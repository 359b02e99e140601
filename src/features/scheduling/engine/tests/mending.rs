//! After a small change little moves.

use super::super::{Budget, Plan, Problem, Range, Task, plan, repair, score};
use super::build::{in_force, read, task, week};

#[test]
fn one_new_meeting_moves_at_most_two_chunks() {
    for name in ["week20-a.json", "week20-b.json"] {
        let mut problem: Problem = read(name);
        let first = plan(&problem, &Budget::iterations(2_000), 5, &mut |_| {}).unwrap();
        in_force(&mut problem, &first);
        // A meeting of half an hour over each chunk in turn.
        let chunks: Vec<_> = first.solution.chunks.values().flatten().copied().collect();
        for (start, end) in chunks.into_iter().step_by(3) {
            let mut changed = problem.clone();
            changed.busy.push((start, (start + 2).min(end), 0, 0));
            let mended = repair(&changed, &Budget::iterations(300), 5, &mut |_| {}).unwrap();
            score(&changed, &mended.solution).unwrap();
            let stays = |task: &u32, chunk| {
                mended
                    .solution
                    .chunks
                    .get(task)
                    .is_some_and(|now| now.contains(chunk))
            };
            let moved: usize = first
                .solution
                .chunks
                .iter()
                .map(|(task, chunks)| chunks.iter().filter(|chunk| !stays(task, chunk)).count())
                .sum();
            let unavoidable = 1 + followers(&problem, &first, (start, end));
            assert!(
                moved <= unavoidable.max(2),
                "{name}: {moved} moved for a meeting at {start}"
            );
            if !mended.left_out.is_empty() {
                let anew = plan(&changed, &Budget::iterations(1_000), 5, &mut |_| {}).unwrap();
                assert!(mended.left_out.len() <= anew.left_out.len(), "{name}: {start}");
            }
        }
    }
}

/// How many chunks wait for the one at a place: what is pushed later pushes them.
fn followers(problem: &Problem, plan: &Plan, chunk: Range) -> usize {
    let holds = |task: &Task| {
        plan.solution
            .chunks
            .get(&task.id)
            .is_some_and(|chunks| chunks.contains(&chunk))
    };
    let mut waiting: Vec<u32> = problem
        .tasks
        .iter()
        .filter(|task| holds(task))
        .map(|task| task.id)
        .collect();
    let mut at = 0;
    let mut chunks = 0;
    while let Some(&next) = waiting.get(at) {
        at += 1;
        for task in problem.tasks.iter().filter(|task| task.deps.contains(&next)) {
            if !waiting.contains(&task.id) {
                waiting.push(task.id);
                chunks += plan.solution.chunks.get(&task.id).map_or(0, Vec::len);
            }
        }
    }
    chunks
}

#[test]
fn nothing_moves_when_nothing_changed() {
    let mut problem: Problem = read("fortnight60-a.json");
    let first = plan(&problem, &Budget::iterations(500), 5, &mut |_| {}).unwrap();
    in_force(&mut problem, &first);
    let mended = repair(&problem, &Budget::iterations(500), 5, &mut |_| {}).unwrap();
    assert_eq!(mended.solution, first.solution);
}

#[test]
fn a_new_urgent_task_pushes_as_little_as_it_must() {
    let mut problem = week();
    problem.tasks = (0..5).map(|id| task(id, 4)).collect();
    let first = plan(&problem, &Budget::iterations(500), 5, &mut |_| {}).unwrap();
    in_force(&mut problem, &first);
    let mut urgent = task(9, 4);
    urgent.prio = 3;
    urgent.deadline = Some(44);
    problem.tasks.push(urgent);
    let mended = repair(&problem, &Budget::iterations(500), 5, &mut |_| {}).unwrap();
    let kept = first
        .solution
        .chunks
        .iter()
        .filter(|(task, chunks)| mended.solution.chunks[*task] == **chunks);
    assert_eq!(kept.count(), 4);
    assert!(mended.left_out.is_empty());
}
