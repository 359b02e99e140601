//! Any text that reads as a problem is planned without a panic, and the plan keeps the rules and costs what the search says.
//!
//! `cargo +nightly fuzz run problem`; `benches/planner` is a good corpus to start from.

#![no_main]

use libfuzzer_sys::fuzz_target;
use meridian::features::scheduling::engine::{Budget, Problem, explain, plan, repair, score};

fuzz_target!(|text: &[u8]| {
    let Ok(problem) = serde_json::from_slice::<Problem>(text) else {
        return;
    };
    let budget = Budget::iterations(64);
    let Ok(found) = plan(&problem, &budget, 1, &mut |_| {}) else {
        return;
    };
    let parts = score(&problem, &found.solution).expect("a plan keeps the rules");
    assert_eq!(parts.total(), found.objective);
    let mended = repair(&problem, &budget, 1, &mut |_| {}).expect("the problem makes sense");
    let parts = score(&problem, &mended.solution).expect("a plan keeps the rules");
    assert_eq!(parts.total(), mended.objective);
    if problem.tasks.len() <= 50 && problem.horizon <= 5_000 {
        explain(&problem, &found.solution, &budget).expect("the plan belongs to the problem");
    }
});
