//! Any object by its global id. The id's prefix says which kind to look for; objects of one kind are read together.
//!
//! To add a kind: a variant of [`Node`], its line in [`node_in`] when it belongs to a workspace, and its table in `Loaders::places`.

use async_graphql::{Context, ID, Interface, Object, Result};
use entity::ids::{
    AccountId, ApiTokenId, AuditLogId, CalendarEventId, CalendarId, DataTransferId, FocusSessionId,
    IntegrationId, InvitationId, JobId, KINDS, MembershipId, NotificationId, ScheduleId, ScheduleSlotId,
    SessionId, SyncRunId, TaskId, TypedId, UserId, WorkspaceId,
};
use futures_util::future::join_all;
use uuid::Uuid;

use super::accounts::Account;
use super::audit::AuditLog;
use super::calendars::Calendar;
use super::credentials::{ApiToken, Session};
use super::data_transfers::DataTransfer;
use super::errors::expose;
use super::events::CalendarEvent;
use super::focus::FocusSession;
use super::integrations::Integration;
use super::invitations::WorkspaceInvitation;
use super::jobs::Job;
use super::loaders::{
    AccountKey, AcquaintedKey, AuditKey, CalendarKey, EventKey, FocusKey, IntegrationKey, InvitationKey,
    JobKey, MemberKey, NotificationKey, OwnTokenKey, PlaceKey, ScheduleKey, SessionKey, SlotKey, SyncRunKey,
    TaskKey, TransferKey, UserKey,
};
use super::members::WorkspaceMember;
use super::notifications::Notification;
use super::people::User;
use super::schedules::{Schedule, ScheduleSlot};
use super::syncs::SyncRun;
use super::tasks::Task;
use super::workspaces::{Workspace, workspace_of};
use super::{access, loader};
use crate::kernel::Error;

/// An object with a globally unique ID. Every node can be re-fetched with `Query.node`.
#[derive(Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "Globally unique, opaque, type-prefixed ID, for example `task_01jdb2k9x4e5vb4pex5vsknk08`."
))]
pub enum Node {
    Account(Account),
    ApiToken(ApiToken),
    AuditLog(AuditLog),
    Calendar(Calendar),
    CalendarEvent(CalendarEvent),
    DataTransfer(DataTransfer),
    FocusSession(FocusSession),
    Integration(Integration),
    Job(Job),
    Notification(Notification),
    Schedule(Schedule),
    ScheduleSlot(ScheduleSlot),
    Session(Session),
    SyncRun(SyncRun),
    Task(Task),
    User(User),
    Workspace(Workspace),
    WorkspaceInvitation(WorkspaceInvitation),
    WorkspaceMember(WorkspaceMember),
}

/// Most ids of one `nodes` query.
const MAX_NODES: usize = 100;

/// An object of a workspace that is already known, by the name of its GraphQL type. Null when it is gone or may not be seen.
pub async fn node_in(
    ctx: &Context<'_>,
    workspace: WorkspaceId,
    kind: &str,
    id: Uuid,
) -> Option<Result<Node>> {
    let loader = loader(ctx);
    let found = match kind {
        AuditLogId::TYPE => {
            let row = loader.load_one(AuditKey(workspace, AuditLogId(id))).await;
            row.map(|row| row.map(|row| Node::AuditLog(AuditLog(row))))
        }
        CalendarId::TYPE => {
            let row = loader.load_one(CalendarKey(workspace, CalendarId(id))).await;
            row.map(|row| row.map(|row| Node::Calendar(Calendar(row))))
        }
        CalendarEventId::TYPE => {
            let row = loader.load_one(EventKey(workspace, CalendarEventId(id))).await;
            row.map(|row| row.map(|event| Node::CalendarEvent(CalendarEvent(event))))
        }
        DataTransferId::TYPE => {
            let row = loader.load_one(TransferKey(workspace, DataTransferId(id))).await;
            row.map(|row| row.map(|row| Node::DataTransfer(DataTransfer(row))))
        }
        FocusSessionId::TYPE => {
            let row = loader.load_one(FocusKey(workspace, FocusSessionId(id))).await;
            row.map(|row| row.map(|row| Node::FocusSession(FocusSession(row))))
        }
        IntegrationId::TYPE => {
            let row = loader
                .load_one(IntegrationKey(workspace, IntegrationId(id)))
                .await;
            row.map(|row| row.map(|row| Node::Integration(Integration(row))))
        }
        SyncRunId::TYPE => {
            let row = loader.load_one(SyncRunKey(workspace, SyncRunId(id))).await;
            row.map(|row| row.map(|row| Node::SyncRun(SyncRun(row))))
        }
        ScheduleId::TYPE => {
            let row = loader.load_one(ScheduleKey(workspace, ScheduleId(id))).await;
            row.map(|row| row.map(|row| Node::Schedule(Schedule(row))))
        }
        ScheduleSlotId::TYPE => {
            let row = loader.load_one(SlotKey(workspace, ScheduleSlotId(id))).await;
            row.map(|row| row.map(|row| Node::ScheduleSlot(ScheduleSlot(row))))
        }
        MembershipId::TYPE => {
            let row = loader.load_one(MemberKey(workspace, MembershipId(id))).await;
            row.map(|row| row.map(|row| Node::WorkspaceMember(WorkspaceMember(row))))
        }
        TaskId::TYPE => {
            let row = loader.load_one(TaskKey(workspace, TaskId(id))).await;
            row.map(|row| row.map(|row| Node::Task(Task(row))))
        }
        WorkspaceId::TYPE => workspace_of(ctx, Some(WorkspaceId(id)))
            .await
            .transpose()
            .map(|found| found.map(Node::Workspace)),
        _ => Ok(None),
    };
    found.transpose()
}

/// An object that belongs to the caller or, a person, to nobody.
async fn personal_node(ctx: &Context<'_>, kind: &str, id: Uuid) -> Result<Option<Node>> {
    let loader = loader(ctx);
    Ok(match kind {
        AccountId::TYPE => {
            let row = loader.load_one(AccountKey(AccountId(id))).await?;
            row.map(|row| Node::Account(Account(row)))
        }
        ApiTokenId::TYPE => {
            let row = loader.load_one(OwnTokenKey(ApiTokenId(id))).await?;
            row.map(|row| Node::ApiToken(ApiToken(row)))
        }
        InvitationId::TYPE => {
            let row = loader.load_one(InvitationKey(InvitationId(id))).await?;
            row.map(|row| Node::WorkspaceInvitation(WorkspaceInvitation(row)))
        }
        NotificationId::TYPE => {
            let row = loader.load_one(NotificationKey(NotificationId(id))).await?;
            row.map(|row| Node::Notification(Notification(row)))
        }
        JobId::TYPE => {
            let row = loader.load_one(JobKey(JobId(id))).await?;
            row.map(|row| Node::Job(Job(row)))
        }
        SessionId::TYPE => {
            let row = loader.load_one(SessionKey(SessionId(id))).await?;
            row.map(|row| Node::Session(Session(row)))
        }
        UserId::TYPE => {
            let id = UserId(id);
            let is_self = access(ctx).caller().user_id() == Some(id);
            let known = is_self || loader.load_one(AcquaintedKey(id)).await?.is_some();
            let row = if known {
                loader.load_one(UserKey(id)).await?
            } else {
                None
            };
            row.map(|row| Node::User(User(row)))
        }
        _ => None,
    })
}

async fn find(ctx: &Context<'_>, id: &ID) -> Result<Option<Node>> {
    access(ctx).caller().require_user().map_err(expose)?;
    let Ok((prefix, uuid)) = entity::ids::split(id) else {
        return Ok(None);
    };
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == prefix) else {
        return Ok(None);
    };
    if let Some(node) = personal_node(ctx, kind, uuid).await? {
        return Ok(Some(node));
    }
    match loader(ctx).load_one(PlaceKey(kind, uuid)).await? {
        Some(workspace) => node_in(ctx, workspace, kind, uuid).await.transpose(),
        None => Ok(None),
    }
}

#[derive(Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// Any object by its global ID.
    async fn node(&self, ctx: &Context<'_>, #[graphql(desc = "Global ID.")] id: ID) -> Option<Result<Node>> {
        find(ctx, &id).await.transpose()
    }

    /// Several objects by their global IDs, in the same order; null for missing ones. At most 100.
    async fn nodes(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Global IDs.")] ids: Vec<ID>,
    ) -> Result<Vec<Option<Node>>> {
        if ids.len() > MAX_NODES {
            let message = format!(
                "`ids` has {} entries; at most {MAX_NODES} are allowed.",
                ids.len()
            );
            return Err(expose(Error::bad_input(message)));
        }
        // All at once, so that the loaders see them together.
        join_all(ids.iter().map(|id| find(ctx, id)))
            .await
            .into_iter()
            .collect()
    }
}
