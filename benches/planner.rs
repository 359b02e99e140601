//! How far the planner is from the best plans known, by size of the problem and time to think.
//!
//! `cargo bench --bench planner` prints one row per instance of `benches/planner` and the mean per size: median of three seeds, one
//! thread. A quiet machine is needed for figures that mean something. A negative gap is a plan better than the best known.

#![allow(clippy::print_stdout, reason = "a benchmark talks to its terminal")]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use meridian::features::scheduling::engine::{Budget, Problem, Watch, plan, score};

const BUDGETS: [u64; 3] = [100, 1000, 3000];
const SEEDS: u64 = 3;

struct Stopwatch(Instant);

impl Watch for Stopwatch {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// One run: the gap in per cent and the milliseconds until the first plan.
fn run(problem: &Problem, millis: u64, seed: u64, best: f64) -> (f64, f64) {
    let watch = Stopwatch(Instant::now());
    let mut first = None;
    let budget = Budget::time(Duration::from_millis(millis), &watch);
    let plan = plan(problem, &budget, seed, &mut |_| {
        first.get_or_insert_with(|| watch.elapsed());
    })
    .expect("the instances make sense");
    let parts = score(problem, &plan.solution).expect("every plan keeps the rules");
    assert_eq!(
        parts.total(),
        plan.objective,
        "the search counts as the scorer does"
    );
    let first = first.unwrap_or_default().as_secs_f64() * 1000.0;
    ((plan.objective as f64 / best - 1.0) * 100.0, first)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() {
    // Test runners start benchmarks as well, to see whether they start.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/planner");
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).expect("the instances are there");
    let reference: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(&read("reference.json")).expect("a table of best plans");
    let mut sizes: BTreeMap<String, Vec<Vec<f64>>> = BTreeMap::new();
    println!("| instance | 100 ms | 1 s | 3 s | first plan |\n| --- | --- | --- | --- | --- |");
    for (name, known) in &reference {
        let problem: Problem = serde_json::from_str(&read(&format!("{name}.json"))).expect("an instance");
        let best = known["best_known"].as_f64().expect("a best plan");
        let mut row = Vec::new();
        let mut first = 0.0;
        for millis in BUDGETS {
            let runs: Vec<(f64, f64)> = (0..SEEDS).map(|seed| run(&problem, millis, seed, best)).collect();
            first = runs.iter().fold(first, |most: f64, run| most.max(run.1));
            row.push(median(runs.iter().map(|run| run.0).collect()));
        }
        println!(
            "| {name} | {:.2} % | {:.2} % | {:.2} % | {first:.1} ms |",
            row[0], row[1], row[2]
        );
        sizes
            .entry(name[..name.len() - 2].to_owned())
            .or_default()
            .push(row);
    }
    println!("\n| size | 100 ms | 1 s | 3 s |\n| --- | --- | --- | --- |");
    for (size, rows) in sizes {
        let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
        println!(
            "| {size} | {:.2} % | {:.2} % | {:.2} % |",
            mean(0),
            mean(1),
            mean(2)
        );
    }
}
