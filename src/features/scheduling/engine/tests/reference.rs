//! The engine and the scorer's reference: the same numbers, and plans near the best known.

use serde_json::Value;

use super::super::{Budget, Parts, Problem, Solution, plan, score};
use super::build::read;

#[test]
fn the_best_known_plans_are_worth_what_the_reference_says() {
    let reference: Value = read("reference.json");
    for (name, known) in reference.as_object().unwrap() {
        let problem: Problem = read(&format!("{name}.json"));
        let best: Solution = read(&format!("{name}.best.json"));
        let parts = score(&problem, &best).unwrap();
        let expected: Parts = serde_json::from_value(known["best_parts"].clone()).unwrap();
        assert_eq!(parts, expected, "{name}");
        assert_eq!(parts.total(), known["best_known"].as_i64().unwrap(), "{name}");
    }
}

#[test]
fn a_broken_plan_is_not_scored() {
    let problem: Problem = read("week20-a.json");
    let best: Solution = read("week20-a.best.json");
    for change in 0..4 {
        let mut broken = best.clone();
        let chunk = &mut broken.chunks.get_mut(&10).unwrap()[0];
        match change {
            0 => *chunk = (0, 1),
            1 => *chunk = (33, 34),
            2 => *chunk = (35, 36),
            _ => *chunk = (32, 34),
        }
        assert!(score(&problem, &broken).is_err(), "change {change}");
    }
}

#[test]
fn short_searches_come_near_the_best_known_plans() {
    let reference: Value = read("reference.json");
    for (name, iterations, per_cent) in [
        ("week20-a", 3_000, 10.0),
        ("week20-b", 3_000, 10.0),
        ("fortnight60-a", 3_000, 10.0),
        ("month200-b", 3_000, 10.0),
    ] {
        let problem: Problem = read(&format!("{name}.json"));
        let found = plan(&problem, &Budget::iterations(iterations), 1, &mut |_| {}).unwrap();
        let gap = found.objective as f64 / reference[name]["best_known"].as_f64().unwrap() * 100.0 - 100.0;
        assert!(gap < per_cent, "{name}: {gap:.1} %");
        assert_eq!(
            score(&problem, &found.solution).unwrap().total(),
            found.objective,
            "{name}"
        );
    }
}
