//! The commands on focus sessions and their payloads.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::focus_session;
use entity::ids::FocusSessionId;

use super::FocusSession;
use crate::access::Ctx;
use crate::features::focus::{self, NewFocusSession};
use crate::graphql::access;
use crate::graphql::ids::{reference, target, workspace_reference};
use crate::graphql::paging::payload;
use crate::kernel;

payload!(
    StartFocusSessionPayload,
    "startFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    focus_session: FocusSession
);
payload!(
    PauseFocusSessionPayload,
    "pauseFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    focus_session: FocusSession
);
payload!(
    ResumeFocusSessionPayload,
    "resumeFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    focus_session: FocusSession
);
payload!(
    RecordInterruptionPayload,
    "recordInterruption",
    /// The focus session after the change. Null when the mutation failed.
    focus_session: FocusSession
);
payload!(
    EndFocusSessionPayload,
    "endFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    focus_session: FocusSession
);

/// A focus session to start.
#[derive(InputObject)]
pub struct StartFocusSessionInput {
    /// Workspace of the session.
    workspace_id: ID,
    /// Task to work on.
    task_id: Option<ID>,
    /// Planned length, 5 to 240. The viewer's default when omitted.
    planned_minutes: Option<i32>,
}

/// Enters the workspace of a session that a mutation acts on.
async fn enter(ctx: &Context<'_>, id: &ID) -> kernel::Result<(Ctx, FocusSessionId)> {
    access(ctx).caller().require_user()?;
    let id = target(id)?;
    Ok((access(ctx).ctx_of::<focus_session::Entity>(id).await?, id))
}

#[derive(Default)]
pub struct FocusMutation;

#[Object]
impl FocusMutation {
    /// Starts a focus session. Ends the running one first.
    async fn start_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: StartFocusSessionInput,
    ) -> Result<StartFocusSessionPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let path = "input.workspaceId";
            let workspace = reference(&input.workspace_id, path)?;
            let entered = workspace_reference(access(ctx).ctx(workspace).await, path)?;
            let task_id = input.task_id.map(|id| reference(&id, "input.taskId"));
            let new = NewFocusSession {
                task_id: task_id.transpose()?,
                planned_minutes: input.planned_minutes,
            };
            focus::start(&entered, new).await
        };
        StartFocusSessionPayload::new(result.await, FocusSession::from)
    }

    /// Pauses the running focus session.
    async fn pause_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<PauseFocusSessionPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            focus::pause(&entered, id).await
        };
        PauseFocusSessionPayload::new(result.await, FocusSession::from)
    }

    /// Continues a paused focus session.
    async fn resume_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<ResumeFocusSessionPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            focus::resume(&entered, id).await
        };
        ResumeFocusSessionPayload::new(result.await, FocusSession::from)
    }

    /// Records an interruption.
    async fn record_interruption(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RecordInterruptionPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            focus::interrupt(&entered, id).await
        };
        RecordInterruptionPayload::new(result.await, FocusSession::from)
    }

    /// Ends a focus session and adds its minutes to the task.
    async fn end_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Personal notes.")] notes: Option<String>,
    ) -> Result<EndFocusSessionPayload> {
        let result = async {
            let (entered, id) = enter(ctx, &id).await?;
            focus::end(&entered, id, notes).await
        };
        EndFocusSessionPayload::new(result.await, FocusSession::from)
    }
}
