//! Schedules: the plans of the planner. Here are the objects; beside them slots, lists and inputs, the mutations and the stream.

mod input;
mod live;
mod mutation;
mod slot;

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result};
use entity::schedule;

use super::enums::{PlannerEngine, ScheduleStatus};
use super::errors::{expose, lookup};
use super::ids::{global, target};
use super::jobs::{Job, job_of};
use super::loaders::{SlotKey, SlotsKey, UnscheduledKey, UserKey};
use super::people::User;
use super::scalars::{DateTime, LocalDate};
use super::workspaces::{Workspace, workspace_field};
use super::{access, loader};
use crate::features::scheduling::{self, Diff, Stats};
use crate::kernel::Error;

pub use input::WorkspaceSchedules;
pub use live::ScheduleSubscription;
pub use mutation::ScheduleMutation;
pub use slot::{ScheduleSlot, UnscheduledTask};

/// A plan the AI planner made: a proposal until it is applied.
#[derive(Clone, Description)]
pub struct Schedule(pub Arc<schedule::Model>);

impl From<schedule::Model> for Schedule {
    fn from(row: schedule::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl Schedule {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Workspace of the schedule.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        workspace_field(ctx, self.0.workspace_id).await
    }

    /// User it was made for.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        let row = loader(ctx).load_one(UserKey(self.0.user_id)).await?;
        row.map(User).ok_or_else(|| expose(Error::not_found()))
    }

    /// State.
    async fn status(&self) -> ScheduleStatus {
        self.0.status.into()
    }

    /// First day.
    async fn start_date(&self) -> LocalDate {
        LocalDate(self.0.start_date)
    }

    /// Last day, included.
    async fn end_date(&self) -> LocalDate {
        LocalDate(self.0.end_date)
    }

    /// Planned slots by start.
    async fn slots(&self, ctx: &Context<'_>) -> Result<Vec<ScheduleSlot>> {
        let key = SlotsKey(self.0.workspace_id, self.0.id);
        let rows = loader(ctx).load_one(key).await?.unwrap_or_default();
        Ok(rows.into_iter().map(ScheduleSlot).collect())
    }

    /// Tasks that did not fit, with the reason.
    async fn unscheduled_tasks(&self, ctx: &Context<'_>) -> Result<Vec<UnscheduledTask>> {
        let key = UnscheduledKey(self.0.workspace_id, self.0.id);
        let rows = loader(ctx).load_one(key).await?.unwrap_or_default();
        Ok(rows.into_iter().map(UnscheduledTask).collect())
    }

    /// Quality from 0 (poor) to 100 (ideal). Null until generated.
    async fn score(&self) -> Option<i32> {
        self.0.score
    }

    /// Explanation by the planner. Null when it gave none.
    async fn explanation(&self) -> Option<&str> {
        self.0.explanation.as_deref()
    }

    /// What made the plan.
    async fn engine(&self) -> PlannerEngine {
        self.0.engine.into()
    }

    /// Job that generates it. Null once the job is pruned.
    async fn job(&self, ctx: &Context<'_>) -> Option<Result<Job>> {
        job_of(ctx, self.0.job_id).await
    }

    /// Explanation of a failure. Null unless `FAILED`.
    async fn error(&self) -> Option<&str> {
        self.0.error.as_deref()
    }

    /// When generation was requested.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When generation ended. Null while running.
    async fn generated_at(&self) -> Option<DateTime> {
        self.0.generated_at.map(DateTime)
    }

    /// When it was applied. Null when it was not.
    async fn applied_at(&self) -> Option<DateTime> {
        self.0.applied_at.map(DateTime)
    }

    /// How it differs from the applied schedule. Null until generated.
    async fn diff(&self) -> Option<ScheduleDiff> {
        let diff = scheduling::diff_of(&self.0)?;
        Some(ScheduleDiff {
            of: self.0.clone(),
            diff,
        })
    }

    /// Figures of the planner run. Null until generated.
    async fn stats(&self) -> Option<ScheduleStats> {
        scheduling::stats_of(&self.0).map(ScheduleStats)
    }
}

/// How a proposed schedule differs from the one that is applied.
#[derive(Description)]
pub struct ScheduleDiff {
    of: Arc<schedule::Model>,
    diff: Diff,
}

impl ScheduleDiff {
    /// Slots that are gone since are left out.
    async fn load(
        &self,
        ctx: &Context<'_>,
        ids: &[entity::ids::ScheduleSlotId],
    ) -> Result<Vec<ScheduleSlot>> {
        let keys = ids.iter().map(|id| SlotKey(self.of.workspace_id, *id));
        let mut found = loader(ctx).load_many(keys).await?;
        let slots = ids
            .iter()
            .filter_map(|id| found.remove(&SlotKey(self.of.workspace_id, *id)));
        Ok(slots.map(ScheduleSlot).collect())
    }
}

#[Object(use_type_description)]
impl ScheduleDiff {
    /// Slots that are new.
    async fn added(&self, ctx: &Context<'_>) -> Result<Vec<ScheduleSlot>> {
        self.load(ctx, &self.diff.added).await
    }

    /// Slots at another time than before.
    async fn moved(&self, ctx: &Context<'_>) -> Result<Vec<ScheduleSlot>> {
        self.load(ctx, &self.diff.moved).await
    }

    /// Slots of the applied schedule that would disappear.
    async fn removed(&self, ctx: &Context<'_>) -> Result<Vec<ScheduleSlot>> {
        self.load(ctx, &self.diff.removed).await
    }

    /// Number of slots that stay as they are.
    async fn unchanged_count(&self) -> i32 {
        self.diff.unchanged
    }
}

/// Figures of a planner run.
#[derive(Description)]
pub struct ScheduleStats(Stats);

#[Object(use_type_description)]
impl ScheduleStats {
    /// Value of the objective; lower is better.
    async fn objective(&self) -> f64 {
        self.0.objective
    }

    /// Milliseconds until the first complete plan.
    async fn first_plan_milliseconds(&self) -> i32 {
        self.0.first_plan_ms
    }

    /// Milliseconds in all.
    async fn total_milliseconds(&self) -> i32 {
        self.0.total_ms
    }

    /// Minutes of work placed.
    async fn placed_minutes(&self) -> i32 {
        self.0.placed_minutes
    }

    /// Slots that were moved against the applied schedule.
    async fn move_count(&self) -> i32 {
        self.0.move_count
    }

    /// Seed that reproduces the plan.
    async fn seed(&self) -> String {
        self.0.seed.to_string()
    }
}

#[derive(Default)]
pub struct ScheduleQuery;

#[Object]
impl ScheduleQuery {
    /// A schedule by ID.
    async fn schedule(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the schedule.")] id: ID,
    ) -> Option<Result<Schedule>> {
        let found = async {
            access(ctx).caller().require_user()?;
            let (_, row) = scheduling::find(access(ctx), target(&id)?).await?;
            Ok(Schedule::from(row))
        };
        lookup(found.await)
    }
}
