//! Reasons and relaxations that a person would agree with.

use super::super::{
    Budget, Change, Explanation, Missing, MissingCode, Placed, Problem, ReasonCode, explain, plan,
};
use super::build::{in_force, task, week};

fn explained(problem: &Problem) -> Explanation {
    let found = plan(problem, &Budget::iterations(2_000), 1, &mut |_| {}).unwrap();
    explain(problem, &found.solution, &Budget::iterations(1)).unwrap()
}

fn placed(explanation: &Explanation, task: u32) -> &Placed {
    explanation
        .placed
        .iter()
        .find(|placed| placed.task == task)
        .unwrap()
}

fn main_reason(explanation: &Explanation, task: u32) -> ReasonCode {
    placed(explanation, task).reasons[0].code
}

fn missing(explanation: &Explanation, task: u32) -> &Missing {
    explanation
        .missing
        .iter()
        .find(|missing| missing.task == task)
        .unwrap()
}

#[test]
fn the_main_reason_is_what_the_next_best_place_would_cost_more() {
    let mut problem = week();
    problem.profiles.insert(
        "afternoon".into(),
        (0..96).map(|slot| if slot < 52 { 3 } else { 0 }).collect(),
    );
    let mut late = task(1, 4);
    late.due = Some(40);
    let mut picky = task(2, 2);
    picky.profile = "afternoon".into();
    picky.est = 96;
    picky.prio = 0;
    let mut follower = task(4, 2);
    follower.deps = vec![3];
    follower.est = 300;
    follower.prio = 3;
    let mut first = task(3, 2);
    first.est = 330;
    problem.tasks = vec![late, picky, first, follower];
    let explanation = explained(&problem);
    assert_eq!(main_reason(&explanation, 1), ReasonCode::Deadline);
    assert_eq!(placed(&explanation, 1).next_best, Some(((37, 41), 22)));
    assert_eq!(main_reason(&explanation, 4), ReasonCode::Dependency);
    // In the afternoon for the energy alone: two slots with three points each are saved.
    assert_eq!(placed(&explanation, 2).chunk, (148, 150));
    assert_eq!(main_reason(&explanation, 2), ReasonCode::Energy);
}

#[test]
fn what_stays_says_so_and_the_only_gap_says_so() {
    let mut problem = week();
    problem.hours.insert("work".into(), vec![(36, 40), (132, 136)]);
    problem.tasks = vec![task(1, 4), task(2, 4)];
    let explanation = explained(&problem);
    assert_eq!(main_reason(&explanation, 1), ReasonCode::OnlyGap);

    let mut problem = week();
    problem.tasks = vec![task(1, 4)];
    problem.tasks[0].prior = Some(vec![(40, 44)]);
    let explanation = explained(&problem);
    assert_eq!(placed(&explanation, 1).chunk, (40, 44));
    assert_eq!(main_reason(&explanation, 1), ReasonCode::Stability);
}

#[test]
fn a_deadline_in_the_past_is_named() {
    let mut problem = week();
    problem.tasks = vec![task(1, 4)];
    problem.tasks[0].deadline = Some(-3);
    let explanation = explained(&problem);
    let missing = missing(&explanation, 1);
    assert_eq!(missing.code, MissingCode::DeadlinePassed);
    assert_eq!(
        missing.relaxations[0].change,
        Change::ExtendDeadline { until: 40 }
    );
}

#[test]
fn no_room_before_a_deadline_names_who_holds_it_and_what_would_help() {
    let mut problem = week();
    let mut important = task(1, 24);
    important.deadline = Some(68);
    important.prio = 3;
    let mut other = task(2, 8);
    other.deadline = Some(68);
    problem.tasks = vec![important, other];
    let explanation = explained(&problem);
    let missing = missing(&explanation, 2);
    assert_eq!((missing.code, missing.slots), (MissingCode::NoCapacity, 8));
    assert_eq!(missing.because_of, vec![1]);
    let changes: Vec<_> = missing
        .relaxations
        .iter()
        .map(|relaxation| &relaxation.change)
        .collect();
    assert!(
        changes.contains(&&Change::ExtendDeadline { until: 140 }),
        "{changes:?}"
    );
    assert!(
        changes.contains(&&Change::ExtendWorkingHours { outside: 0 }),
        "{changes:?}"
    );
}

#[test]
fn gaps_that_are_too_short_ask_for_smaller_chunks() {
    let mut problem = week();
    // Half an hour free between meetings, all week.
    problem.busy = (0..7 * 24)
        .map(|hour| (hour * 4 + 2, hour * 4 + 4, 0, 0))
        .collect();
    problem.tasks = vec![task(1, 6)];
    let explanation = explained(&problem);
    let missing = missing(&explanation, 1);
    assert_eq!(missing.code, MissingCode::Fragmented);
    let smaller = |change: &Change| matches!(change, Change::SmallerChunks { min } if *min <= 2);
    assert!(
        missing
            .relaxations
            .iter()
            .any(|relaxation| smaller(&relaxation.change)),
        "{missing:?}"
    );
}

#[test]
fn what_waits_for_a_task_that_is_out_is_blocked() {
    let mut problem = week();
    let mut first = task(1, 4);
    first.deadline = Some(20);
    let mut second = task(2, 2);
    second.deps = vec![1];
    problem.tasks = vec![first, second];
    let explanation = explained(&problem);
    assert_eq!(missing(&explanation, 1).code, MissingCode::NoCapacity);
    let blocked = missing(&explanation, 2);
    assert_eq!(
        (blocked.code, blocked.because_of.clone()),
        (MissingCode::Blocked, vec![1])
    );
    assert_eq!(blocked.relaxations[0].change, Change::DropDependency { task: 1 });
}

#[test]
fn a_less_important_task_can_make_room() {
    let mut problem = week();
    problem.hours.insert("work".into(), vec![(36, 44), (132, 140)]);
    let mut small = task(1, 8);
    small.prio = 2;
    small.deadline = Some(68);
    problem.tasks = vec![small];
    let first = plan(&problem, &Budget::iterations(100), 1, &mut |_| {}).unwrap();
    in_force(&mut problem, &first);
    let mut late = task(2, 8);
    late.prio = 2;
    late.deadline = Some(68);
    problem.tasks[0].deadline = None;
    problem.tasks.push(late);
    let explanation = explain(&problem, &first.solution, &Budget::iterations(1)).unwrap();
    let change = &missing(&explanation, 2).relaxations[0].change;
    assert_eq!(
        *change,
        Change::MoveOtherTask {
            task: 1,
            to: Some(vec![(132, 140)])
        }
    );
}

#[test]
fn nobody_is_told_to_move_what_is_not_theirs_to_move() {
    let mut problem = week();
    problem.hours.insert("work".into(), vec![(36, 44)]);
    problem.tasks = vec![task(1, 8)];
    let moved = |problem: &Problem| {
        let explanation = explained(problem);
        let changes = missing(&explanation, 1).relaxations.iter();
        changes
            .filter(|one| matches!(one.change, Change::MoveEvent { .. }))
            .count()
    };
    problem.fixed = vec![(38, 40)];
    assert_eq!(moved(&problem), 0, "work that stays is no event");
    problem.busy = std::mem::take(&mut problem.fixed)
        .into_iter()
        .map(|(start, end)| (start, end, 0, 0))
        .collect();
    assert_eq!(moved(&problem), 1, "a meeting is");
}
