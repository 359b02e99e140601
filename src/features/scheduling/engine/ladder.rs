//! The first steps of mending, before any search and whatever the clock says: everything that can stay is where it was, and what was hit
//! goes into gaps; when that does not do, one neighbour at a time makes room.
//!
//! Most changes hit one or two tasks, and the plan that moves least is then among these few. A search finds it by luck and in time it
//! may not have; here a busy machine finds the same as an idle one.

use super::budget::Budget;
use super::kept::Kept;
use super::recreate::{Bench, Order};

/// Most tasks that were hit for which neighbours are tried: with more, few of the plans tried would be right for all of them.
const MOST_HIT: usize = 16;
/// Neighbours tried, the nearest first.
const NEAR: usize = 24;
/// In which order what waits goes back; ties between the hit tasks are broken both ways.
const ORDERS: [Order; 2] = [Order::Taken, Order::Long];

/// Improves on the best plan known, and leaves the bench with the better one.
pub(super) fn climb(bench: &mut Bench<'_>, budget: &Budget<'_>, best: &mut Kept) {
    let tasks = bench.state.model.works.len() as u32;
    bench.state.begin();
    for task in 0..tasks {
        bench.take(task);
    }
    bench.stay_loosely();
    let hit = bench.leave();
    // What stays may wait for what was hit, so this alone is no plan yet.
    let stayed = Kept::of(&bench.state);
    if !hit.is_empty() {
        let few = hit.len() <= MOST_HIT;
        let mut enough = false;
        for order in ORDERS {
            enough |= attempt(bench, &hit, order, best, || !few && budget.is_over(), &stayed);
        }
        if few && !enough {
            for near in bench.nearest(&hit) {
                if budget.watch.is_cancelled() {
                    break;
                }
                let mut lifted = hit.clone();
                lifted.push(near);
                for order in ORDERS {
                    attempt(bench, &lifted, order, best, || false, &stayed);
                }
            }
        }
    }
    bench.state.restore(best);
}

/// Puts tasks back into what stays and keeps the plan when it is better. Answers whether all have a place and nothing else moved, which
/// no other plan can beat but by its objective.
fn attempt(
    bench: &mut Bench<'_>,
    lifted: &[u32],
    order: Order,
    best: &mut Kept,
    stop: impl FnMut() -> bool,
    stayed: &Kept,
) -> bool {
    let model = bench.state.model;
    bench.state.begin();
    for &task in lifted {
        bench.take(task);
    }
    bench.recreate(order, 0, stop);
    if bench.state.total < best.total {
        bench.state.keep(best);
    }
    let mut others = (0..model.works.len() as u32).filter(|task| !lifted.contains(task));
    let stay = others.all(|task| bench.state.chunks(task) == stayed.spans(model, task));
    let enough = stay && bench.state.out.is_empty();
    bench.state.undo();
    enough
}

impl Bench<'_> {
    /// Placed tasks by their distance from where the tasks were that were hit.
    fn nearest(&self, hit: &[u32]) -> Vec<u32> {
        let works = &self.state.model.works;
        let mut near: Vec<(u32, u32)> = (0..works.len() as u32)
            .filter_map(|task| {
                let first = self.state.chunks(task).first()?.0;
                let gaps = hit.iter().map(|hit| works[*hit as usize].was_at.abs_diff(first));
                Some((gaps.min()?, task))
            })
            .collect();
        near.sort_unstable();
        near.truncate(NEAR);
        near.into_iter().map(|(_, task)| task).collect()
    }
}
