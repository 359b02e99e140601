//! The planning problem as data: what the planner is asked. Its serde form is the instance format of the solver's scorer.
//!
//! Times are slots of `slot_min` minutes counted from `t0`; zones, recurrence and daylight saving were dealt with before. Nothing here
//! searches or checks; `check` says whether a problem makes sense.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A half-open range of slots, `[start, end)`.
pub type Range = (i64, i64);

/// Tasks to place into the free time of one person, and what a good plan is worth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Problem {
    /// Name of the problem, repeated in the solution.
    #[serde(default)]
    pub id: String,
    /// Length of a slot in minutes.
    pub slot_min: i64,
    /// Instant of slot 0, for people who read the file.
    #[serde(default)]
    pub t0: String,
    /// Number of slots.
    pub horizon: i64,
    /// Named schedules, each with the ranges in which it is open.
    pub hours: BTreeMap<String, Vec<Range>>,
    /// Time that is taken: start, end, and the buffers before and after.
    #[serde(default)]
    pub busy: Vec<(i64, i64, i64, i64)>,
    /// Time that is taken and that nobody can be asked to free: work that stays where it is, and what its person wants to keep.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<Range>,
    /// Slots that stay free between two chunks of work. Whatever lies between them counts, so that it is not needed beside a meeting or at
    /// the end of a day; it is no work, and no cap counts it.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gap: i64,
    /// Protected windows, meant for deep work.
    #[serde(default)]
    pub focus: Vec<Range>,
    /// Days: start, end, and how many slots may be planned in it. Days must not overlap; slots outside all days are not limited.
    #[serde(default)]
    pub days: Vec<(i64, i64, i64)>,
    /// Named preference profiles: discomfort by slot of the day, repeated over the horizon.
    pub profiles: BTreeMap<String, Vec<i64>>,
    /// What the parts of the objective weigh.
    pub weights: Weights,
    /// What to place.
    pub tasks: Vec<Task>,
}

/// Files of problems without a gap do not name it.
fn is_zero(gap: &i64) -> bool {
    *gap == 0
}

impl Problem {
    /// Slots in which nothing can be planned, buffers included. Ranges may overlap.
    pub(super) fn taken(&self) -> impl Iterator<Item = Range> + '_ {
        let inflated = self
            .busy
            .iter()
            .map(|(start, end, before, after)| (start.saturating_sub(*before), end.saturating_add(*after)));
        inflated.chain(self.fixed.iter().copied())
    }
}

/// Weights of the objective; the plan with the least sum wins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Weights {
    /// Weight of each priority, lowest first.
    pub prio: Vec<i64>,
    /// Per working slot after the soft deadline, times the priority's weight.
    pub tard: i64,
    /// Per working slot from the earliest start to the end, times the priority's weight.
    pub flow: i64,
    /// Per point of discomfort and slot.
    pub pref: i64,
    /// Per slot of other work inside a protected window.
    pub focus: i64,
    /// Per chunk after the first.
    pub frag: i64,
    /// Per earlier chunk that does not stay.
    #[serde(rename = "move")]
    pub moved: i64,
    /// The same for an earlier chunk that starts before slot `soon`.
    pub move_soon: i64,
    /// Where "soon" ends.
    pub soon: i64,
    /// For a task that is left out, times the priority's weight.
    pub drop_base: i64,
    /// The same per slot of the task.
    pub drop_slot: i64,
}

/// One piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    /// Number of the task, unique in the problem.
    pub id: u32,
    /// Slots of work.
    pub dur: i64,
    /// Shortest chunk.
    pub min: i64,
    /// Longest chunk.
    pub max: i64,
    /// First slot in which work may start.
    pub est: i64,
    /// Soft deadline: later costs.
    #[serde(default)]
    pub due: Option<i64>,
    /// Hard deadline: later is impossible.
    #[serde(default)]
    pub deadline: Option<i64>,
    /// Index into the weights of priorities.
    pub prio: usize,
    /// Tasks that must be finished first.
    #[serde(default)]
    pub deps: Vec<u32>,
    /// Name of the schedule in whose hours the work is done.
    pub sched: String,
    /// Name of the preference profile.
    pub profile: String,
    /// Whether this is deep work, which protected windows welcome.
    #[serde(default)]
    pub deep: bool,
    /// What kind of work it is.
    #[serde(default)]
    pub tag: String,
    /// Chunks of the plan that is in force.
    #[serde(default)]
    pub prior: Option<Vec<Range>>,
}
