//! Focus sessions: the object and where it hangs; beside it the commands. Everybody sees their own ones only.

mod mutation;

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject};
use entity::focus_session;

use super::access;
use super::enums::FocusSessionStatus;
use super::errors::expose;
use super::ids::global;
use super::loaders::{TaskKey, UserKey};
use super::paging::{PageParts, page_args, page_request, shaped_connection};
use super::people::User;
use super::ranges::DateTimeRangeInput;
use super::scalars::{DateTime, LocalDate};
use super::shape::{PagePlan, object};
use super::straight::{Given, Listed};
use super::tasks::Task;
use crate::access::Ctx;
use crate::features::focus;
use crate::kernel;
use crate::kernel::page::PageArgs;

pub use mutation::FocusMutation;

/// A period of concentrated work.
#[derive(Clone, Description)]
pub struct FocusSession(pub Arc<focus_session::Model>);

impl From<focus_session::Model> for FocusSession {
    fn from(row: focus_session::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl FocusSession {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    FocusSession "FocusSession", focus_session::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |session| global(session.0.id) }
    /// Who focuses.
    must user [UserId] -> Result<User> { |session| UserKey(session.0.user_id) => User }
    /// Task that is worked on.
    one task [WorkspaceId TaskId] -> Option<Result<Task>> {
        |session| TaskKey(session.0.workspace_id, session.0.task_id?) => Task
    }
    /// State.
    value status [Status] -> FocusSessionStatus { |session| session.0.status.into() }
    /// Planned length.
    value planned_minutes [PlannedMinutes] -> i32 { |session| session.0.planned_minutes }
    /// Actual focused length so far, without pauses. A forgotten session counts 12 hours at most.
    value focused_minutes [FocusedSeconds RunningSince] -> i32 {
        |session, scene| focus::focused_minutes(&session.0, scene.now)
    }
    /// Number of interruptions the user recorded.
    value interruption_count [InterruptionCount] -> i32 { |session| session.0.interruption_count }
    /// When it started.
    value started_at [StartedAt] -> DateTime { |session| DateTime(session.0.started_at) }
    /// When it ended. Null while active.
    value ended_at [EndedAt] -> Option<DateTime> { |session| session.0.ended_at.map(DateTime) }
    /// Personal notes.
    value notes [Notes] -> Option<&str> { |session| session.0.notes.as_deref() }
}

shaped_connection!(
    /// A page of focus sessions.
    FocusSessionConnection "FocusSessionConnection", FocusSessionEdge "FocusSessionEdge", FocusSession, "focus sessions"
);

/// Focus totals over a period.
#[derive(SimpleObject)]
pub struct FocusStats {
    /// Focused minutes.
    total_minutes: i32,
    /// Sessions that ended as planned.
    completed_sessions: i32,
    /// Sessions that ended early.
    abandoned_sessions: i32,
    /// Days in a row with at least one completed session, up to the last day. When the last day is not over yet, having none on it does not
    /// end the row.
    streak_days: i32,
    /// Totals by day.
    days: Vec<FocusDay>,
}

/// Focus totals of a day.
#[derive(SimpleObject)]
pub struct FocusDay {
    /// The day.
    date: LocalDate,
    /// Focused minutes.
    minutes: i32,
    /// Number of sessions.
    sessions: i32,
}

impl From<focus::Stats> for FocusStats {
    fn from(stats: focus::Stats) -> Self {
        let day = |day: focus::Day| FocusDay {
            date: LocalDate(day.date),
            minutes: day.minutes,
            sessions: day.sessions,
        };
        Self {
            total_minutes: stats.total_minutes,
            completed_sessions: stats.completed_sessions,
            abandoned_sessions: stats.abandoned_sessions,
            streak_days: stats.streak_days,
            days: stats.days.into_iter().map(day).collect(),
        }
    }
}

/// The fields that focus sessions hang on a workspace.
pub struct WorkspaceFocus(pub Arc<Ctx>);

#[Object]
impl WorkspaceFocus {
    /// Focus sessions of the viewer, newest first.
    async fn focus_sessions(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Only sessions that started in this range.")] range: Option<DateTimeRangeInput>,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<FocusSessionConnection> {
        let page = PageArgs {
            first,
            after,
            last,
            before,
        };
        FocusSessionConnection::answer(ctx, &self.0, AskedSessions { range, page }).await
    }

    /// Focus totals of the viewer by day. The range may span at most 366 days.
    async fn focus_stats(
        &self,
        #[graphql(desc = "First day.")] from: LocalDate,
        #[graphql(desc = "Last day, included.")] to: LocalDate,
    ) -> Result<FocusStats> {
        let stats = focus::stats(&self.0, from.0, to.0).await;
        stats.map(FocusStats::from).map_err(expose)
    }
}

/// The arguments of `Workspace.focusSessions`.
struct AskedSessions {
    range: Option<DateTimeRangeInput>,
    page: PageArgs,
}

impl Listed for AskedSessions {
    type Node = FocusSession;

    fn given(given: &Given<'_>) -> Option<Self> {
        Some(Self {
            range: given.read("range")?,
            page: page_args(given)?,
        })
    }

    async fn page(
        self,
        ctx: &Ctx,
        plan: Option<&PagePlan<FocusSession>>,
        counts: bool,
    ) -> kernel::Result<PageParts<FocusSession>> {
        let request = page_request(self.page, plan, counts)?;
        let range = self.range.map(|range| range.span("range")).transpose()?;
        let page = focus::page(ctx, range, &request).await?;
        Ok(PageParts::new(page, FocusSession::from))
    }
}

/// The fields that focus sessions hang on the viewer.
#[derive(Clone)]
pub struct ViewerFocus;

#[Object]
impl ViewerFocus {
    /// Focus session that is running now, or paused. Null when there is none.
    async fn active_focus_session(&self, ctx: &Context<'_>) -> Option<Result<FocusSession>> {
        let found = focus::active(access(ctx)).await.map_err(expose).transpose()?;
        Some(found.map(FocusSession::from))
    }
}
