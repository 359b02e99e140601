//! Weeks of people, and the plans they would agree with.

use super::super::{Budget, Ending, Plan, Problem, Task, plan, score};
use super::build::{task, week};

fn planned(problem: &Problem) -> Plan {
    let found = plan(problem, &Budget::iterations(3_000), 1, &mut |_| {}).unwrap();
    assert_eq!(score(problem, &found.solution).unwrap().total(), found.objective);
    found
}

#[test]
fn important_work_comes_first() {
    let mut problem = week();
    problem.tasks = (0..4).map(|id| task(id, 4)).collect();
    problem.tasks[2].prio = 3;
    problem.tasks[1].prio = 0;
    let plan = planned(&problem);
    assert_eq!(plan.solution.chunks[&2], vec![(36, 40)]);
    assert_eq!(plan.solution.chunks[&1], vec![(48, 52)]);
}

#[test]
fn two_things_keep_apart_and_nothing_else_needs_the_room() {
    let mut problem = week();
    problem.gap = 1;
    problem.busy = vec![(44, 48, 0, 0)];
    problem.days[0].2 = 11;
    problem.tasks = vec![task(1, 4), task(2, 3), task(3, 4)];
    for (task, prio) in problem.tasks.iter_mut().zip([3, 2, 1]) {
        task.prio = prio;
    }
    let plan = planned(&problem);
    assert_eq!(plan.solution.chunks[&1], vec![(36, 40)]);
    assert_eq!(plan.solution.chunks[&2], vec![(41, 44)], "up to the meeting");
    assert_eq!(
        plan.solution.chunks[&3],
        vec![(48, 52)],
        "right after the meeting, and the day's cap counts work only"
    );
}

#[test]
fn pieces_of_one_task_keep_apart_as_well() {
    let mut problem = week();
    problem.gap = 3;
    problem.tasks = vec![Task {
        min: 2,
        max: 4,
        ..task(1, 8)
    }];
    assert_eq!(planned(&problem).solution.chunks[&1], vec![(36, 40), (43, 47)]);
    // A meeting between them is room enough.
    problem.busy = vec![(40, 43, 0, 0)];
    assert_eq!(planned(&problem).solution.chunks[&1], vec![(36, 40), (43, 47)]);
    problem.busy = vec![(40, 41, 0, 0)];
    assert_eq!(planned(&problem).solution.chunks[&1], vec![(36, 40), (43, 47)]);
}

#[test]
fn a_worker_at_night_works_past_midnight() {
    let mut problem = week();
    problem.hours.insert(
        "work".into(),
        (0..5).map(|day| (day * 96 + 88, day * 96 + 112)).collect(),
    );
    problem.tasks = vec![task(1, 16)];
    let plan = planned(&problem);
    assert_eq!(plan.solution.chunks[&1], vec![(88, 104)]);
    assert_eq!(plan.ending, Ending::Optimal);
}

#[test]
fn a_day_holds_no_more_than_its_cap_on_both_sides_of_midnight() {
    let mut problem = week();
    problem.hours.insert("work".into(), vec![(88, 112), (184, 208)]);
    problem.days[0].2 = 4;
    problem.tasks = vec![task(1, 16), task(2, 4)];
    let plan = planned(&problem);
    assert!(plan.left_out.is_empty());
    assert!(plan.solution.chunks[&1][0].0 >= 92);
}

#[test]
fn a_half_day_between_meetings_is_used_in_pieces() {
    let mut problem = week();
    problem.busy = vec![(44, 48, 1, 1), (58, 68, 0, 0)];
    problem.tasks = vec![task(1, 12)];
    problem.tasks[0].min = 3;
    problem.tasks[0].deadline = Some(68);
    let plan = planned(&problem);
    let chunks = &plan.solution.chunks[&1];
    assert_eq!(chunks.iter().map(|(start, end)| end - start).sum::<i64>(), 12);
    assert_eq!(chunks.len(), 2, "{chunks:?}");
}

#[test]
fn a_chain_before_a_deadline_starts_in_time() {
    let mut problem = week();
    problem.tasks = (0..12).map(|id| task(id, 8)).collect();
    for id in 1..4 {
        problem.tasks[id].deps = vec![id as u32 - 1];
        problem.tasks[id - 1].prio = 0;
    }
    problem.tasks[3].prio = 0;
    problem.tasks[3].deadline = Some(3 * 96);
    let plan = planned(&problem);
    assert!(plan.left_out.is_empty());
    for id in 1..4_u32 {
        assert!(plan.solution.chunks[&id][0].0 >= plan.solution.chunks[&(id - 1)][0].1);
    }
}

#[test]
fn protected_mornings_stay_free_for_deep_work() {
    let mut problem = week();
    problem.focus = vec![(36, 44)];
    problem.tasks = vec![task(1, 8), task(2, 8)];
    problem.tasks[0].deep = true;
    let plan = planned(&problem);
    assert_eq!(plan.solution.chunks[&1], vec![(36, 44)]);
    assert_eq!(plan.solution.chunks[&2], vec![(44, 52)]);
}

#[test]
fn when_not_all_fits_the_least_important_is_left_out() {
    let mut problem = week();
    problem.hours.insert("work".into(), vec![(36, 52)]);
    problem.tasks = (0..4).map(|id| task(id, 8)).collect();
    problem.tasks[0].prio = 0;
    problem.tasks[3].prio = 0;
    assert_eq!(planned(&problem).left_out, vec![0, 3]);
}

#[test]
fn slots_of_five_minutes_work_as_well() {
    let mut problem = week();
    problem.slot_min = 5;
    problem.horizon = 2 * 288;
    problem.hours.insert("work".into(), vec![(108, 204), (396, 492)]);
    problem.days = vec![(0, 288, 72), (288, 576, 72)];
    problem.tasks = vec![task(1, 70), task(2, 66), task(3, 2)];
    let plan = planned(&problem);
    assert!(plan.left_out.is_empty());
    assert_eq!(plan.solution.chunks[&3].len(), 1);
}
