//! The search: a first plan at once, then change after change, some of them for the worse while the search is hot.

use super::budget::Budget;
use super::construct::construct;
use super::habits::Habits;
use super::kept::Kept;
use super::ladder::climb;
use super::model::Model;
use super::plan::Ending;
use super::recreate::Bench;
use super::state::State;

/// Changes between two looks at whether anybody still wants the plan.
const BETWEEN_GLANCES: u64 = 4;
/// Changes between two looks at the clock.
const BETWEEN_LOOKS: u64 = 32;
/// Changes between two reports of a better plan.
const BETWEEN_REPORTS: u64 = 1024;
/// Changes after which the speed of the search is known.
const KNOWN_SPEED: u64 = 256;
/// Most tasks one change takes out on purpose.
const LARGEST: usize = 8;
/// How much worse a change may be at the beginning and at the end of a cooling, in costs of moving one task by one slot.
const HOT: f64 = 15.0;
const COLD: f64 = 0.4;
/// Changes per task in one cooling; a long search of a small problem cools several times.
const COOLING: f64 = 3000.0;

/// What a search found.
pub(super) struct Found {
    pub(super) best: Kept,
    pub(super) iterations: u64,
    pub(super) ending: Ending,
}

/// Improves plans until the budget ends. Reports the first plan and better ones.
pub(super) fn search(
    model: &Model,
    budget: &Budget<'_>,
    seed: u64,
    report: &mut dyn FnMut(&Kept, u64),
) -> Found {
    let mut bench = Bench::new(State::new(model), seed);
    let bound = bound(&mut bench);
    let mut best = construct(&mut bench, budget);
    if model.is_steady {
        climb(&mut bench, budget, &mut best);
    }
    report(&best, 0);
    let mut cooling = Cooling::new(model);
    let mut habits = Habits::new();
    let (mut iterations, mut reported) = (0, best.total);
    let ending = loop {
        if iterations % BETWEEN_LOOKS == 0 {
            if iterations % BETWEEN_REPORTS == 0 && best.total < reported {
                reported = best.total;
                report(&best, iterations);
            }
            if best.total <= bound {
                break Ending::Optimal;
            }
            let used = budget.used(iterations);
            if used >= 1.0 {
                break Ending::Budget;
            }
            cooling.cool(iterations, used);
        }
        if iterations % BETWEEN_GLANCES == 0 && budget.watch.is_cancelled() {
            break Ending::Cancelled;
        }
        iterations += 1;
        change(&mut bench, &mut habits, cooling.temperature, &mut best);
    };
    if best.total < reported {
        report(&best, iterations);
    }
    Found {
        best,
        iterations,
        ending,
    }
}

/// Takes some tasks out, puts them back, and decides whether that stays.
fn change(bench: &mut Bench<'_>, habits: &mut Habits, temperature: f64, best: &mut Kept) {
    let before = bench.state.total;
    bench.state.begin();
    let choice = habits.choose(&mut bench.random);
    let size = 1 + bench.random.below(LARGEST).min(bench.random.below(LARGEST));
    bench.ruin(choice, size);
    let effort = bench.waiting() as f64 + 1.0;
    bench.recreate(choice.order(), choice.blink(), || false);
    let after = bench.state.total;
    if after < best.total {
        bench.state.keep(best);
        habits.reward(choice, effort, 4.0);
    } else if after < before {
        habits.reward(choice, effort, 1.0);
    } else {
        habits.reward(choice, effort, 0.0);
        let slack = -temperature * bench.random.unit().max(1e-12).ln();
        if (after - before) as f64 > slack {
            bench.state.undo();
        }
    }
}

/// The course of the temperature.
struct Cooling {
    tasks: f64,
    scale: f64,
    cycles: f64,
    temperature: f64,
}

impl Cooling {
    fn new(model: &Model) -> Self {
        let tasks = model.works.len().max(1) as f64;
        let flow: i64 = model.works.iter().map(|work| work.flow).sum();
        let scale = f64::max(flow as f64 / tasks, 1.0);
        Self {
            tasks,
            scale,
            cycles: 1.0,
            temperature: 0.0,
        }
    }

    fn cool(&mut self, iterations: u64, used: f64) {
        if iterations == KNOWN_SPEED {
            let expected = iterations as f64 / used.max(1e-9);
            self.cycles = (expected / (self.tasks * COOLING)).floor().max(1.0);
        }
        let phase = (used * self.cycles).fract();
        self.temperature = self.scale * HOT * (COLD / HOT).powf(phase);
    }
}

/// No plan costs less than every task alone in the calendar, without its dependencies.
fn bound(bench: &mut Bench<'_>) -> i64 {
    let model = bench.state.model;
    let alone = |task: u32| {
        let work = &model.works[task as usize];
        let out = work.drop + work.move_all;
        let least = if work.parts {
            let saved: i64 = work.prior.iter().map(|(_, saved)| saved).sum();
            Some(Model::end_cost(work, work.clock_est + i64::from(work.dur)) + work.move_all - saved)
        } else if work.whole {
            bench
                .state
                .best_whole(task, (work.lo, work.hi), &mut bench.random, 0)
                .map(|(_, cost)| cost)
        } else {
            None
        };
        least.map_or(out, |least| least.min(out))
    };
    (0..model.works.len() as u32).map(alone).sum()
}
