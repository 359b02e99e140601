//! What the planner answers: where every task goes, and what the plan is worth.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::kept::Kept;
use super::model::Model;
use super::problem::{Problem, Range};

/// Where tasks go, in the form the scorer reads.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Solution {
    /// Name of the problem.
    pub id: String,
    /// Chunks by the number of the task, in order. A task left out has none.
    pub chunks: BTreeMap<u32, Vec<Range>>,
}

/// Why a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It is under way; the plan is the best so far.
    Searching,
    /// The budget is used up.
    Budget,
    /// Nobody wants the plan any more.
    Cancelled,
    /// No plan can be better.
    Optimal,
}

/// A plan that keeps every rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Where tasks go.
    pub solution: Solution,
    /// Tasks that are left out, in the order of the problem.
    pub left_out: Vec<u32>,
    /// Value of the objective; lower is better.
    pub objective: i64,
    /// How many changes were tried until then.
    pub iterations: u64,
    /// Why the search ended.
    pub ending: Ending,
}

impl Plan {
    pub(super) fn of(problem: &Problem, model: &Model, kept: &Kept, iterations: u64, ending: Ending) -> Self {
        let mut chunks = BTreeMap::new();
        let mut left_out = Vec::new();
        for (at, task) in problem.tasks.iter().enumerate() {
            let spans = kept.spans(model, at as u32);
            if spans.is_empty() {
                left_out.push(task.id);
            } else {
                chunks.insert(task.id, spans.iter().map(|span| model.slots(*span)).collect());
            }
        }
        let id = problem.id.clone();
        Self {
            solution: Solution { id, chunks },
            left_out,
            objective: kept.total,
            iterations,
            ending,
        }
    }
}
