//! What a client asks of schedules: lists, filters, and plans to make.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::ids::UserId;

use super::Schedule;
use crate::access::Ctx;
use crate::features::scheduling::{self, NewSchedule};
use crate::graphql::enums::{PlannerEngine, ScheduleStatus};
use crate::graphql::errors::expose;
use crate::graphql::ids::{parse, references};
use crate::graphql::paging::{connection, wants_total};
use crate::graphql::scalars::LocalDate;
use crate::kernel;
use crate::kernel::page::PageArgs;

connection!(
    /// A page of schedules.
    ScheduleConnection, ScheduleEdge, Schedule, "schedules"
);
/// A schedule to generate.
#[derive(InputObject)]
pub struct GenerateScheduleInput {
    /// Workspace to plan for.
    pub(super) workspace_id: ID,
    /// First day.
    start_date: LocalDate,
    /// Last day, included. At most 30 days after `startDate`.
    end_date: LocalDate,
    /// Only these tasks. All open auto-scheduled tasks of the viewer when omitted.
    task_ids: Option<Vec<ID>>,
    /// Wishes in plain language, for example `keep Friday afternoon free`.
    instructions: Option<String>,
    /// What makes the plan. `AI` when configured, else `SOLVER`.
    engine: Option<PlannerEngine>,
    /// Apply without review when all tasks fit.
    #[graphql(default = false)]
    auto_apply: bool,
}

impl GenerateScheduleInput {
    pub(super) fn into_model(self) -> kernel::Result<NewSchedule> {
        let tasks = self.task_ids.map(|ids| references(&ids, "input.taskIds"));
        Ok(NewSchedule {
            start_date: self.start_date.0,
            end_date: self.end_date.0,
            task_ids: tasks.transpose()?,
            instructions: self.instructions,
            engine: self.engine.map(Into::into),
            auto_apply: self.auto_apply,
        })
    }
}

/// Filter for schedules. All given conditions must hold.
#[derive(InputObject)]
pub struct ScheduleFilter {
    /// Only schedules with these states.
    statuses: Option<Vec<ScheduleStatus>>,
    /// Only schedules of this user.
    user_id: Option<ID>,
    /// Only schedules that touch this day.
    date: Option<LocalDate>,
}

impl ScheduleFilter {
    /// An id that nobody has matches nothing.
    fn into_model(self) -> scheduling::ScheduleFilter {
        let nobody = || UserId(Default::default());
        scheduling::ScheduleFilter {
            statuses: self.statuses.map(|any| any.into_iter().map(Into::into).collect()),
            user_id: self.user_id.map(|id| parse(&id).unwrap_or_else(nobody)),
            date: self.date.map(|date| date.0),
        }
    }
}

/// The fields that schedules hang on a workspace.
pub struct WorkspaceSchedules(pub Arc<Ctx>);

#[Object]
impl WorkspaceSchedules {
    /// Schedules, newest first.
    async fn schedules(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only schedules that match.")] filter: Option<ScheduleFilter>,
        #[graphql(
            desc = "Page size from the start, at most 100. 20 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<ScheduleConnection> {
        let page = async {
            let args = PageArgs {
                first,
                after,
                last,
                before,
            };
            let request = args.check(20, wants_total(ctx))?;
            let filter = filter.map(ScheduleFilter::into_model).unwrap_or_default();
            scheduling::page(&self.0, &filter, &request).await
        };
        Ok(ScheduleConnection::new(
            page.await.map_err(expose)?,
            Schedule::from,
        ))
    }

    /// Schedule that is applied now for the viewer. Null when none is.
    async fn active_schedule(&self) -> Option<Result<Schedule>> {
        let found = scheduling::active(&self.0).await.map_err(expose);
        found.map(|row| row.map(Schedule::from)).transpose()
    }
}
