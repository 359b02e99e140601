//! Who waits for whom, and who waits in vain: also circles that older versions wrote. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use entity::enums::UnscheduledReason;
use entity::ids::TaskId;
use entity::task;

use super::{LeftOut, Piece, Sources};
use crate::features::scheduling::engine;
use crate::kernel::time::Instant;

/// Who waits for whom, and who waits in vain.
pub(super) struct Waits<'a> {
    edges: &'a [(TaskId, TaskId)],
    /// What waits for work outside the question, and when that ends.
    pub(super) after: Vec<(TaskId, Instant)>,
    /// Tasks that cannot be planned: what they wait for, and whether that is themselves.
    pub(super) stuck: HashMap<TaskId, (Vec<TaskId>, bool)>,
}

impl<'a> Waits<'a> {
    pub(super) fn new(
        sources: &'a Sources,
        open: &HashMap<TaskId, &task::Model>,
        asked: &HashSet<TaskId>,
        in_force: &[Piece],
        done: &HashMap<TaskId, (i64, Instant)>,
        rest: &dyn Fn(&task::Model) -> i64,
    ) -> Self {
        let mut waits = Self {
            edges: &sources.waits,
            after: Vec::new(),
            stuck: HashMap::new(),
        };
        for (waiting, dep) in sources
            .waits
            .iter()
            .filter(|(waiting, _)| asked.contains(waiting))
        {
            if asked.contains(dep) {
                continue;
            }
            let planned: Vec<&Piece> = in_force.iter().filter(|piece| piece.task_id == *dep).collect();
            let minutes: i64 = planned
                .iter()
                .map(|piece| (piece.span.end - piece.span.start).num_minutes())
                .sum();
            let is_covered = open
                .get(dep)
                .is_some_and(|task| rest(task) <= 0 || minutes >= rest(task));
            let end = planned.iter().map(|piece| piece.span.end).max();
            if is_covered {
                waits.after.extend(
                    end.or(done.get(dep).map(|(_, end)| *end))
                        .map(|end| (*waiting, end)),
                );
            } else {
                let (because, _) = waits.stuck.entry(*waiting).or_default();
                because.push(*dep);
            }
        }
        waits.spread(asked);
        waits
    }

    pub(super) fn of(&self, task: TaskId) -> impl Iterator<Item = TaskId> + '_ {
        self.edges
            .iter()
            .filter(move |(waiting, _)| *waiting == task)
            .map(|(_, dep)| *dep)
    }

    /// What waits for a task that is stuck is stuck, and so is a circle with all that waits for it.
    fn spread(&mut self, asked: &HashSet<TaskId>) {
        let mut deps: BTreeMap<uuid::Uuid, (TaskId, Vec<TaskId>)> = BTreeMap::new();
        for (waiting, dep) in self.edges {
            if asked.contains(waiting) && asked.contains(dep) {
                use entity::ids::TypedId as _;
                deps.entry(waiting.uuid())
                    .or_insert((*waiting, Vec::new()))
                    .1
                    .push(*dep);
            }
        }
        let mut ready: HashSet<TaskId> = asked.iter().copied().collect();
        for (task, _) in deps.values() {
            ready.remove(task);
        }
        loop {
            let mut moved = false;
            deps.retain(|_, (task, of)| {
                of.retain(|dep| !ready.contains(dep) || self.stuck.contains_key(dep));
                if let Some(stuck) = of.iter().find(|dep| self.stuck.contains_key(dep)) {
                    self.stuck.entry(*task).or_insert((vec![*stuck], false));
                    ready.insert(*task);
                } else if of.is_empty() {
                    ready.insert(*task);
                } else {
                    return true;
                }
                moved = true;
                false
            });
            if !moved {
                break;
            }
        }
        for (task, of) in deps.into_values() {
            self.stuck.entry(task).or_insert((of, true));
        }
    }

    pub(super) fn left_out(&self, task_id: TaskId, minutes: i64, alone: engine::Task) -> Option<LeftOut> {
        let (because_of, in_circle) = self.stuck.get(&task_id)?;
        let is_in_vain = |dep: &TaskId| self.stuck.contains_key(dep) || because_of.contains(dep);
        Some(LeftOut {
            task_id,
            reason: UnscheduledReason::Blocked,
            minutes,
            because_of: self.of(task_id).filter(is_in_vain).collect(),
            in_circle: *in_circle,
            alone,
        })
    }
}

/// For tasks that others wait for which stay where they are and have not begun: the first of those, and when it begins.
pub(super) fn limits(
    edges: &[(TaskId, TaskId)],
    fixed: &[Piece],
    now: Instant,
) -> HashMap<TaskId, (TaskId, Instant)> {
    let mut starts: HashMap<TaskId, Instant> = HashMap::new();
    for piece in fixed {
        let start = starts.entry(piece.task_id).or_insert(piece.span.start);
        *start = (*start).min(piece.span.start);
    }
    let mut limits: HashMap<TaskId, (TaskId, Instant)> = HashMap::new();
    for (waiting, dep) in edges {
        let Some(start) = starts.get(waiting).copied().filter(|start| *start > now) else {
            continue;
        };
        let first = limits.entry(*dep).or_insert((*waiting, start));
        if start < first.1 {
            *first = (*waiting, start);
        }
    }
    limits
}
