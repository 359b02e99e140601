//! What holds for every plan of every problem.

use proptest::prelude::*;

use super::super::{Budget, Ending, Plan, Problem, explain, plan, repair, score};
use super::build::{any as problem, in_force};

fn planned(problem: &Problem, iterations: u64, seed: u64) -> (Plan, Vec<Plan>) {
    let mut seen = Vec::new();
    let found = plan(problem, &Budget::iterations(iterations), seed, &mut |plan| {
        seen.push(plan.clone())
    })
    .unwrap();
    (found, seen)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_plan_on_the_way_keeps_the_rules_and_costs_what_the_search_says(shape in any::<u64>(), seed in any::<u64>()) {
        let problem = problem(shape);
        let (found, seen) = planned(&problem, 300, seed);
        for plan in seen.iter().chain([&found]) {
            let parts = score(&problem, &plan.solution).map_err(|fault| TestCaseError::fail(fault.to_string()))?;
            prop_assert_eq!(parts.total(), plan.objective);
            prop_assert_eq!(plan.solution.chunks.len() + plan.left_out.len(), problem.tasks.len());
        }
        prop_assert!(seen.windows(2).all(|pair| pair[1].objective < pair[0].objective), "each report is better");
        prop_assert_eq!(&seen.last().unwrap().solution, &found.solution);
    }

    #[test]
    fn the_same_seed_and_iterations_make_the_same_plan(shape in any::<u64>(), seed in any::<u64>()) {
        let problem = problem(shape);
        prop_assert_eq!(planned(&problem, 200, seed), planned(&problem, 200, seed));
    }

    #[test]
    fn a_plan_in_force_is_never_made_worse(shape in any::<u64>(), seed in any::<u64>()) {
        let mut problem = problem(shape);
        let (first, _) = planned(&problem, 50, seed);
        in_force(&mut problem, &first);
        let before = score(&problem, &first.solution).unwrap().total();
        let (second, _) = planned(&problem, 200, seed);
        prop_assert!(second.objective <= before);
        let mended = repair(&problem, &Budget::iterations(200), seed, &mut |_| {}).unwrap();
        prop_assert_eq!(score(&problem, &mended.solution).unwrap().total(), mended.objective);
        // Mending may pay with the objective only for a place for what had none.
        let weight = |plan: &Plan| -> i64 {
            let out = problem.tasks.iter().filter(|task| plan.left_out.contains(&task.id));
            out.map(|task| problem.weights.prio[task.prio]).sum()
        };
        prop_assert!(mended.objective <= before || weight(&mended) < weight(&first));
    }

    #[test]
    fn locked_chunks_are_never_touched(shape in any::<u64>(), seed in any::<u64>()) {
        let mut problem = problem(shape);
        let (first, _) = planned(&problem, 50, seed);
        // Half of the tasks are locked: their time is taken, and nothing is left to plan.
        let locked: Vec<_> = first.solution.chunks.iter().filter(|(task, _)| *task % 2 == 0).collect();
        for (task, chunks) in &locked {
            problem.fixed.extend(chunks.iter().copied());
            problem.tasks.retain(|other| other.id != **task);
            problem.tasks.iter_mut().for_each(|other| other.deps.retain(|dep| dep != *task));
        }
        let (second, _) = planned(&problem, 200, seed);
        for (_, chunks) in &locked {
            for (start, end) in *chunks {
                let apart = |chunk: &(i64, i64)| chunk.1 <= *start || chunk.0 >= *end;
                prop_assert!(second.solution.chunks.values().flatten().all(apart));
            }
        }
    }

    #[test]
    fn every_plan_can_be_explained_and_relaxations_hold(shape in any::<u64>()) {
        let problem = problem(shape);
        let (found, _) = planned(&problem, 100, 3);
        let explanation = explain(&problem, &found.solution, &Budget::iterations(1)).unwrap();
        prop_assert!(explanation.placed.iter().all(|placed| !placed.reasons.is_empty()));
        let missing: Vec<u32> = explanation.missing.iter().map(|missing| missing.task).collect();
        prop_assert_eq!(&missing, &found.left_out);
        for relaxation in explanation.missing.iter().flat_map(|missing| &missing.relaxations) {
            let placed: i64 = relaxation.chunks.iter().map(|(start, end)| end - start).sum();
            prop_assert_eq!(placed, relaxation.gained);
        }
    }

    #[test]
    fn a_plan_called_best_is_not_beaten(shape in any::<u64>()) {
        let problem = problem(shape);
        let (found, _) = planned(&problem, 100, 1);
        if found.ending == Ending::Optimal {
            // The search goes on from the plan in force when moving costs nothing.
            let mut free = problem.clone();
            free.weights.frag += 1;
            let (other, _) = planned(&free, 300, 2);
            let again = score(&problem, &other.solution).unwrap().total();
            prop_assert!(again >= found.objective);
        }
    }
}
