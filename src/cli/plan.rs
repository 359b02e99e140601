//! `plan`: the planner's engine on an instance file. Needs no settings and no database.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::Outcome;
use crate::features::scheduling::engine::{self, Budget, Problem, Watch};

/// What to plan, and how long to think.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The instance.
    #[arg(value_name = "INSTANCE.json")]
    instance: PathBuf,
    /// How long to look for a better plan.
    #[arg(long, default_value_t = 1000)]
    millis: u64,
    /// Fixes what is left to chance.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Stop after this many changes; without a time limit, the plan is the same on every run.
    #[arg(long, conflicts_with = "millis")]
    iterations: Option<u64>,
    /// Say on standard error what every better plan is worth.
    #[arg(long)]
    verbose: bool,
}

/// Time since the command began.
struct Stopwatch(Instant);

impl Watch for Stopwatch {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

pub(super) fn run(arguments: &Arguments) -> Outcome {
    let watch = Stopwatch(Instant::now());
    let file = &arguments.instance;
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| named(&error))?;
    let problem: Problem = serde_json::from_str(&text).map_err(|error| named(&error))?;
    let budget = match arguments.iterations {
        Some(iterations) => Budget::iterations(iterations),
        None => Budget::time(Duration::from_millis(arguments.millis), &watch),
    };
    let plan = engine::plan(&problem, &budget, arguments.seed, &mut |plan| {
        if arguments.verbose {
            eprintln!("{:6} ms  {}", watch.elapsed().as_millis(), plan.objective);
        }
    })
    .map_err(|error| named(&error))?;
    if arguments.verbose {
        eprintln!("{} changes, {:?}", plan.iterations, plan.ending);
    }
    println!("{}", serde_json::to_string(&plan.solution)?);
    Ok(())
}
