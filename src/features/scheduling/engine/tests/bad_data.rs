//! Problems that make no sense are refused with a reason; those without a solution, and huge ones, end soon with an honest plan.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::super::{Budget, Ending, MissingCode, Problem, ProblemError, Task, Watch, explain, plan, score};
use super::build::{any, task, week};

fn refused(change: impl FnOnce(&mut Problem)) -> ProblemError {
    let mut problem = week();
    problem.tasks = vec![task(1, 4), task(2, 2)];
    change(&mut problem);
    plan(&problem, &Budget::iterations(10), 0, &mut |_| {}).unwrap_err()
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let unknown = |task, what| ProblemError::Unknown { task, what };
    assert_eq!(
        refused(|problem| problem.tasks[1].dur = 0),
        ProblemError::NoDuration(2)
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].id = 2),
        ProblemError::Duplicate(2)
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].min = 0),
        ProblemError::Sizes(1)
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].max = 2),
        ProblemError::Sizes(1)
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].deps = vec![9]),
        unknown(1, "task it waits for")
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].sched = "night".into()),
        unknown(1, "schedule")
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].profile = "odd".into()),
        unknown(1, "profile")
    );
    assert_eq!(
        refused(|problem| problem.tasks[0].prio = 4),
        unknown(1, "priority")
    );
    assert_eq!(refused(|problem| problem.horizon = 0), ProblemError::Horizon);
    assert_eq!(
        refused(|problem| problem.horizon = i64::MAX),
        ProblemError::Horizon
    );
    assert_eq!(refused(|problem| problem.weights.flow = -1), ProblemError::Weight);
    assert_eq!(
        refused(|problem| problem.weights.drop_base = i64::MAX),
        ProblemError::Weight
    );
    assert_eq!(
        refused(|problem| problem.busy = vec![(5, 4, 0, 0)]),
        ProblemError::Range("busy times")
    );
    assert_eq!(
        refused(|problem| problem.days.push((0, 10, 5))),
        ProblemError::Days
    );
    let circle = refused(|problem| {
        problem.tasks[0].deps = vec![2];
        problem.tasks[1].deps = vec![1];
    });
    assert!(matches!(circle, ProblemError::Cycle(_)));
    assert!(matches!(
        refused(|problem| problem.tasks[0].deps = vec![1]),
        ProblemError::Cycle(1)
    ));
}

#[test]
fn values_at_the_edge_of_numbers_do_no_harm() {
    let mut problem = week();
    problem.busy = vec![
        (i64::MIN, i64::MIN + 1, i64::MAX, 0),
        (600, i64::MAX, 0, i64::MAX),
    ];
    problem.focus = vec![(i64::MIN, i64::MAX)];
    let mut odd = task(1, 4);
    odd.est = i64::MIN;
    odd.due = Some(i64::MIN);
    odd.deadline = Some(i64::MAX);
    odd.max = i64::MAX;
    odd.prior = Some(vec![(i64::MIN, i64::MAX), (5, 5)]);
    problem.tasks = vec![odd];
    let found = plan(&problem, &Budget::iterations(50), 0, &mut |_| {}).unwrap();
    assert_eq!(found.solution.chunks[&1].len(), 1);
    assert_eq!(score(&problem, &found.solution).unwrap().total(), found.objective);
}

#[test]
fn without_working_hours_everything_is_left_out_with_a_reason() {
    let mut problem = week();
    problem.hours.insert("work".into(), Vec::new());
    problem.tasks = vec![task(1, 4), task(2, 2)];
    let found = plan(&problem, &Budget::iterations(100), 0, &mut |_| {}).unwrap();
    assert_eq!(
        (found.left_out.clone(), found.ending),
        (vec![1, 2], Ending::Optimal)
    );
    let explanation = explain(&problem, &found.solution, &Budget::iterations(1)).unwrap();
    assert!(
        explanation
            .missing
            .iter()
            .all(|missing| missing.code == MissingCode::NoCapacity)
    );
}

#[test]
fn no_tasks_make_an_empty_plan() {
    let found = plan(&week(), &Budget::iterations(100), 0, &mut |_| {}).unwrap();
    assert_eq!(
        (found.objective, found.ending, found.iterations),
        (0, Ending::Optimal, 0)
    );
}

/// A year of five-minute slots, five thousand tasks, long chains, many chunks.
fn huge() -> Problem {
    let mut problem = week();
    let days = 365;
    problem.slot_min = 5;
    problem.horizon = days * 288;
    problem.hours.insert(
        "work".into(),
        (0..days).map(|day| (day * 288 + 108, day * 288 + 204)).collect(),
    );
    problem.days = (0..days).map(|day| (day * 288, day * 288 + 288, 72)).collect();
    problem
        .profiles
        .insert("flat".into(), (0..288).map(|slot| slot % 4).collect());
    problem.tasks = (0..5000)
        .map(|id| Task {
            deps: if id % 50 == 0 { vec![] } else { vec![id - 1] },
            min: 3,
            max: 24,
            deadline: (id % 3 == 0).then_some(i64::from(id) * 20),
            ..task(id, 6 + i64::from(id % 40))
        })
        .collect();
    problem
}

/// A clock of its own, and somebody who loses patience after some looks.
struct Impatient {
    began: Instant,
    looks: Cell<u32>,
    patience: u32,
}

impl Watch for Impatient {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn is_cancelled(&self) -> bool {
        self.looks.set(self.looks.get() + 1);
        self.looks.get() > self.patience
    }
}

#[test]
fn a_year_with_five_thousand_tasks_ends_in_time_with_an_honest_plan() {
    let problem = huge();
    let watch = Impatient {
        began: Instant::now(),
        looks: Cell::new(0),
        patience: u32::MAX,
    };
    let budget = Budget::time(Duration::from_millis(300), &watch);
    let found = plan(&problem, &budget, 0, &mut |_| {}).unwrap();
    assert_eq!(score(&problem, &found.solution).unwrap().total(), found.objective);
    // The test runs without optimisation on a machine that may have other work.
    assert!(watch.elapsed() < Duration::from_secs(10), "{:?}", watch.elapsed());
}

#[test]
fn a_cancelled_search_ends_at_the_next_look_with_a_plan_that_keeps_the_rules() {
    let problem = huge();
    for patience in [0, 1, 20, 200] {
        let watch = Impatient {
            began: Instant::now(),
            looks: Cell::new(0),
            patience,
        };
        let budget = Budget {
            iterations: None,
            time: Some(Duration::from_secs(600)),
            watch: &watch,
        };
        let found = plan(&problem, &budget, 0, &mut |_| {}).unwrap();
        assert_eq!(found.ending, Ending::Cancelled);
        assert!(watch.looks.get() <= patience + 4, "{} looks", watch.looks.get());
        score(&problem, &found.solution).unwrap();
    }
    let problem = any(7);
    let watch = Impatient {
        began: Instant::now(),
        looks: Cell::new(0),
        patience: 0,
    };
    let budget = Budget {
        iterations: None,
        time: None,
        watch: &watch,
    };
    let found = plan(&problem, &budget, 0, &mut |_| {}).unwrap();
    assert!(matches!(found.ending, Ending::Cancelled | Ending::Optimal));
}

#[test]
fn after_the_wish_to_stop_hardly_a_change_is_tried() {
    for problem in [huge(), any(11), any(12)] {
        let changes = |patience: u32| {
            let watch = Impatient {
                began: Instant::now(),
                looks: Cell::new(0),
                patience,
            };
            let budget = Budget {
                iterations: Some(100_000),
                time: None,
                watch: &watch,
            };
            plan(&problem, &budget, 3, &mut |_| {}).unwrap()
        };
        // One look more is four changes more at most: with a tenth of a millisecond for a change of the largest plans, a wish is heard
        // long before 20 ms are over.
        for patience in [0, 50, 300, 301, 302] {
            let (sooner, later) = (changes(patience), changes(patience + 1));
            assert!(later.iterations <= sooner.iterations + 4, "{patience}");
            score(&problem, &sooner.solution).unwrap();
        }
    }
}
