//! The commands on focus sessions and their payloads.

use async_graphql::{Context, ID, InputObject, Object, Result};
use entity::focus_session;
use entity::ids::FocusSessionId;

use super::FocusSession;
use crate::access::{Access, Ctx};
use crate::features::focus::{self, NewFocusSession};
use crate::graphql::ids::{reference, target, workspace_reference};
use crate::graphql::straight::{command, commands, shaped_payload};
use crate::kernel;

shaped_payload!(
    StartFocusSessionPayload,
    "startFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    one focus_session: Option<FocusSession>
);
shaped_payload!(
    PauseFocusSessionPayload,
    "pauseFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    one focus_session: Option<FocusSession>
);
shaped_payload!(
    ResumeFocusSessionPayload,
    "resumeFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    one focus_session: Option<FocusSession>
);
shaped_payload!(
    RecordInterruptionPayload,
    "recordInterruption",
    /// The focus session after the change. Null when the mutation failed.
    one focus_session: Option<FocusSession>
);
shaped_payload!(
    EndFocusSessionPayload,
    "endFocusSession",
    /// The focus session after the change. Null when the mutation failed.
    one focus_session: Option<FocusSession>
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
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, FocusSessionId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<focus_session::Entity>(id).await?, id))
}

commands! {
    StartFocusSession(input "input": StartFocusSessionInput) -> StartFocusSessionPayload, |access| {
        access.caller().require_user()?;
        let path = "input.workspaceId";
        let workspace = reference(&input.workspace_id, path)?;
        let entered = workspace_reference(access.ctx(workspace).await, path)?;
        let task_id = input.task_id.map(|id| reference(&id, "input.taskId"));
        let new = NewFocusSession {
            task_id: task_id.transpose()?,
            planned_minutes: input.planned_minutes,
        };
        let started = focus::start(&entered, new).await;
        started.map(FocusSession::from).map(StartFocusSessionPayload::of)
    };
    PauseFocusSession(id "id": ID) -> PauseFocusSessionPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let paused = focus::pause(&entered, id).await;
        paused.map(FocusSession::from).map(PauseFocusSessionPayload::of)
    };
    ResumeFocusSession(id "id": ID) -> ResumeFocusSessionPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let resumed = focus::resume(&entered, id).await;
        resumed.map(FocusSession::from).map(ResumeFocusSessionPayload::of)
    };
    RecordInterruption(id "id": ID) -> RecordInterruptionPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let interrupted = focus::interrupt(&entered, id).await;
        interrupted.map(FocusSession::from).map(RecordInterruptionPayload::of)
    };
    EndFocusSession(id "id": ID, notes "notes": Option<String>) -> EndFocusSessionPayload, |access| {
        let (entered, id) = enter(access, &id).await?;
        let ended = focus::end(&entered, id, notes).await;
        ended.map(FocusSession::from).map(EndFocusSessionPayload::of)
    };
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
        command::<StartFocusSession>(ctx, (input,)).await
    }

    /// Pauses the running focus session.
    async fn pause_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<PauseFocusSessionPayload> {
        command::<PauseFocusSession>(ctx, (id,)).await
    }

    /// Continues a paused focus session.
    async fn resume_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<ResumeFocusSessionPayload> {
        command::<ResumeFocusSession>(ctx, (id,)).await
    }

    /// Records an interruption.
    async fn record_interruption(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RecordInterruptionPayload> {
        command::<RecordInterruption>(ctx, (id,)).await
    }

    /// Ends a focus session and adds its minutes to the task.
    async fn end_focus_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Personal notes.")] notes: Option<String>,
    ) -> Result<EndFocusSessionPayload> {
        command::<EndFocusSession>(ctx, (id, notes)).await
    }
}
