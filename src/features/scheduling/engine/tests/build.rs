//! Problems for tests: the open instances, a week to fill by hand, and any problem by a seed.

use std::collections::BTreeMap;
use std::path::Path;

use super::super::random::Random;
use super::super::{Plan, Problem, Range, Task, Weights};

/// Reads a file of the benchmark.
pub(super) fn read<T: serde::de::DeserializeOwned>(name: &str) -> T {
    let file = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("benches/planner")
        .join(name);
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

pub(super) fn weights() -> Weights {
    Weights {
        prio: vec![1, 2, 4, 8],
        tard: 10,
        flow: 1,
        pref: 5,
        focus: 8,
        frag: 20,
        moved: 40,
        move_soon: 120,
        soon: 96,
        drop_base: 3000,
        drop_slot: 100,
    }
}

/// Five days of quarter hours from 9 to 17, at most 24 slots of work a day, nothing to do.
pub(super) fn week() -> Problem {
    let hours = (0..5).map(|day| (day * 96 + 36, day * 96 + 68)).collect();
    Problem {
        id: "week".into(),
        slot_min: 15,
        t0: "2026-01-05T00:00:00Z".into(),
        horizon: 7 * 96,
        hours: BTreeMap::from([("work".into(), hours)]),
        busy: Vec::new(),
        fixed: Vec::new(),
        gap: 0,
        focus: Vec::new(),
        days: (0..7).map(|day| (day * 96, day * 96 + 96, 24)).collect(),
        profiles: BTreeMap::from([("flat".into(), vec![0; 96])]),
        weights: weights(),
        tasks: Vec::new(),
    }
}

/// A task of one piece in working hours.
pub(super) fn task(id: u32, dur: i64) -> Task {
    Task {
        id,
        dur,
        min: dur,
        max: dur,
        est: 0,
        due: None,
        deadline: None,
        prio: 1,
        deps: Vec::new(),
        sched: "work".into(),
        profile: "flat".into(),
        deep: false,
        tag: String::new(),
        prior: None,
    }
}

/// Makes a plan the one in force.
pub(super) fn in_force(problem: &mut Problem, plan: &Plan) {
    for task in &mut problem.tasks {
        task.prior = plan.solution.chunks.get(&task.id).cloned();
    }
}

/// Any problem: all shapes that make sense, and many that leave little room.
pub(super) fn any(seed: u64) -> Problem {
    let mut random = Random::new(seed);
    let mut below = |bound: i64| random.below(bound.max(1) as usize) as i64;
    let per_day = [96, 288, 24][below(3) as usize];
    let days = 1 + below(9);
    let horizon = days * per_day;
    let hours = |below: &mut dyn FnMut(i64) -> i64| -> Vec<Range> {
        let ranges = (0..days).flat_map(|day| {
            // Some people work past midnight, some twice a day.
            let start = day * per_day + below(per_day);
            let first = (start, (start + below(per_day / 2)).min(horizon));
            let second = (first.1, (first.1 + below(per_day / 8)).min(horizon));
            if below(6) == 0 {
                vec![]
            } else {
                vec![first, second]
            }
        });
        ranges.collect()
    };
    let names = ["work", "personal"];
    let hours = names
        .iter()
        .map(|name| ((*name).to_owned(), hours(&mut below)))
        .collect();
    let busy = (0..below(12)).map(|_| (below(horizon), below(per_day / 4), below(3), below(3)));
    let busy = busy
        .map(|(start, length, pre, post)| (start, start + length, pre, post))
        .collect();
    let caps = (0..days)
        .map(|day| (day * per_day, (day + 1) * per_day, below(per_day / 2)))
        .collect();
    let profile = (0..per_day).map(|_| below(4)).collect();
    let tasks = (0..below(40)).map(|id| {
        let longest = [3, 12, per_day][below(3) as usize];
        let dur = 1 + below(longest);
        let (min, max) = match below(3) {
            0 => (1 + below(dur), dur + below(3)),
            1 => (1 + below(3), 2 + below(6) + 3),
            _ => (dur, dur),
        };
        let prior = match below(3) {
            0 => {
                let start = below(horizon);
                Some(vec![(start, start + dur)])
            }
            1 => Some(vec![(below(horizon), below(horizon)), (-5, 3)]),
            _ => None,
        };
        Task {
            est: below(horizon) * below(2) - below(2) * 10,
            due: (below(2) == 0).then(|| below(horizon + 20) - 10),
            deadline: (below(3) == 0).then(|| below(horizon + 20) - 10),
            prio: below(4) as usize,
            deps: (0..below(3))
                .map(|_| below(id) as u32)
                .filter(|dep| i64::from(*dep) < id)
                .collect(),
            sched: names[below(2) as usize].into(),
            profile: ["flat", "picky"][below(2) as usize].into(),
            deep: below(2) == 0,
            min,
            max: max.max(min),
            prior,
            ..task(id as u32, dur)
        }
    });
    let tasks = tasks.collect();
    Problem {
        id: "any".into(),
        slot_min: 1440 / per_day,
        horizon,
        hours,
        fixed: (0..below(3))
            .map(|_| below(horizon))
            .map(|start| (start, start + per_day / 8))
            .collect(),
        busy,
        // Most people want some room between two things.
        gap: below(4) * below(2) * below(4),
        focus: vec![(below(horizon), horizon)],
        days: caps,
        profiles: BTreeMap::from([("flat".into(), vec![0]), ("picky".into(), profile)]),
        tasks,
        ..week()
    }
}
