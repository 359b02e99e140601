//! How far the planner is from the best plans known, by size of the problem and time to think.
//!
//! `cargo bench --bench planner` prints one row per instance of `benches/planner` and the mean per size with what it has to reach: median of
//! three seeds, one thread, by the clock on the wall. The last column of the instances is the longest time from the wish to stop to the
//! end of the search; more than 20 ms fail. A quiet machine is needed for figures that mean something. A negative gap is a plan better
//! than the best known. `cargo bench --bench planner -- --check` fails when a size does not reach its figures.

#![allow(clippy::print_stdout, reason = "a benchmark talks to its terminal")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use meridian::features::scheduling::engine::{Budget, Problem, Watch, plan, score};

const BUDGETS: [u64; 3] = [100, 1000, 3000];
const SEEDS: u64 = 3;
/// The largest mean gap in per cent for each size and budget, from the design of the planner. Of a thousand tasks the first budget only
/// asks for a complete plan within it.
const GOALS: [(&str, [Option<f64>; 3]); 4] = [
    ("week20", [Some(1.0), Some(0.5), Some(0.2)]),
    ("fortnight60", [Some(3.0), Some(1.0), Some(0.5)]),
    ("month200", [Some(6.0), Some(2.0), Some(1.0)]),
    ("quarter1000", [None, Some(30.0), Some(15.0)]),
];
/// Milliseconds until the first plan, for every size.
const MOST_TO_FIRST: f64 = 100.0;
/// When searches are stopped that would go on for long.
const STOPPED_AFTER: [u64; 3] = [5, 60, 300];
/// How long stopping may take.
const MOST_TO_STOP: f64 = 20.0;

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

/// A clock, and somebody who may lose interest.
struct Patience {
    began: Instant,
    is_over: AtomicBool,
}

impl Watch for Patience {
    fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    fn is_cancelled(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

/// Milliseconds from the wish to stop until the search has ended.
fn stopping(problem: &Problem, millis: u64) -> f64 {
    let watch = Patience {
        began: Instant::now(),
        is_over: AtomicBool::new(false),
    };
    std::thread::scope(|scope| {
        let search = scope.spawn(|| {
            let budget = Budget::time(Duration::from_secs(30), &watch);
            plan(problem, &budget, 0, &mut |_| {}).expect("the instances make sense");
            Instant::now()
        });
        std::thread::sleep(Duration::from_millis(millis));
        let wished = Instant::now();
        watch.is_over.store(true, Ordering::Relaxed);
        let ended = search.join().expect("the search does not panic");
        ended.saturating_duration_since(wished).as_secs_f64() * 1000.0
    })
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
    let mut slowest: BTreeMap<String, f64> = BTreeMap::new();
    println!(
        "| instance | 100 ms | 1 s | 3 s | first plan | stopped in |\n| --- | --- | --- | --- | --- | --- |"
    );
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
        let stopped = STOPPED_AFTER
            .iter()
            .map(|millis| stopping(&problem, *millis))
            .fold(0.0, f64::max);
        println!(
            "| {name} | {:.2} % | {:.2} % | {:.2} % | {first:.1} ms | {stopped:.1} ms |",
            row[0], row[1], row[2]
        );
        assert!(
            cfg!(debug_assertions) || stopped <= MOST_TO_STOP,
            "a search must end within {MOST_TO_STOP} ms"
        );
        let size = name[..name.len() - 2].to_owned();
        let slow = slowest.entry(size.clone()).or_default();
        *slow = slow.max(first);
        sizes.entry(size).or_default().push(row);
    }
    println!("\n| size | 100 ms | 1 s | 3 s | first plan | reached |\n| --- | --- | --- | --- | --- | --- |");
    let mut missed = Vec::new();
    for (size, rows) in sizes {
        let mean = |column: usize| rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
        let means = [mean(0), mean(1), mean(2)];
        let first = slowest[&size];
        let goals = GOALS.iter().find(|(name, _)| *name == size);
        let goals = goals.map_or([None; 3], |(_, goals)| *goals);
        let near = means
            .iter()
            .zip(goals)
            .all(|(mean, goal)| goal.is_none_or(|goal| *mean <= goal));
        let is_reached = near && first <= MOST_TO_FIRST;
        println!(
            "| {size} | {:.2} % | {:.2} % | {:.2} % | {first:.1} ms | {} |",
            means[0],
            means[1],
            means[2],
            if is_reached { "yes" } else { "no" }
        );
        if !is_reached {
            missed.push(size);
        }
    }
    if !missed.is_empty() && std::env::args().any(|argument| argument == "--check") {
        println!("\nnot reached: {}", missed.join(", "));
        std::process::exit(1);
    }
}
