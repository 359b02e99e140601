//! Weights for mending: first as little as possible is left out, then as little as possible moves, and only then the objective counts.
//!
//! One number has to say all three, because the search adds and compares costs. So a move costs more than everything the objective can
//! lose in any plan, and leaving out the least important task costs more than moving every chunk there is.

use super::model::Model;
use super::problem::Problem;

impl Model {
    /// The same model with costs that hold on to the plan in force.
    ///
    /// Where the exact weights would not fit into a sum (many thousands of tasks with the heaviest weights allowed) they are as large as
    /// fits: then much delay can again outweigh a move.
    pub(super) fn steady(mut self, problem: &Problem) -> Self {
        let chunks: usize = problem
            .tasks
            .iter()
            .flat_map(|task| &task.prior)
            .map(Vec::len)
            .sum();
        let prio: i64 = self.works.iter().map(|work| work.prio).sum();
        let ranks = (chunks as i128 + 1) * (i128::from(prio) + 1);
        // Far from the largest number: costs are added, and spare costs are subtracted.
        let most = i128::from(i64::MAX / 8) / ranks;
        let step = (self.spread() + 1).min(most) as i64;
        for (work, task) in self.works.iter_mut().zip(&problem.tasks) {
            let own = task.prior.as_ref().map_or(0, Vec::len) as i64;
            work.move_all += step * own;
            for (_, saved) in &mut work.prior {
                *saved += step;
            }
            work.drop += step * (chunks as i64 + 1) * work.prio;
        }
        self.is_steady = true;
        self
    }

    /// More than the objectives of two plans can differ by.
    fn spread(&self) -> i128 {
        let steepest = |sums: &[i64]| sums.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or(0);
        let pref: Vec<i64> = self.pref.iter().map(|sums| steepest(sums)).collect();
        let focus = steepest(&self.focus);
        let last = self.clock.last().copied().unwrap_or(0);
        let worst = self.works.iter().map(|work| {
            let slots = (pref[work.profile] + focus) * i64::from(work.dur);
            let placed = Self::end_cost(work, last) + slots + self.frag * i64::from(work.room);
            i128::from(placed.max(work.drop)) + i128::from(work.move_all)
        });
        worst.sum()
    }
}
