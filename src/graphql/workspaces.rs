//! Workspaces: their own fields here, the fields of each feature in the feature's file.

use std::sync::Arc;

use async_graphql::{Context, ID, InputObject, MaybeUndefined, MergedObject, Object, Result, SimpleObject};
use entity::ids::WorkspaceId;
use entity::workspace;

use super::audit::WorkspaceAudit;
use super::calendars::WorkspaceCalendars;
use super::changes::WorkspaceChanges;
use super::enums::{WorkspaceRole, WorkspaceType};
use super::errors::{expose, lookup};
use super::events::{WorkspaceEvents, WorkspaceOccurrences};
use super::focus::WorkspaceFocus;
use super::ids::{global, parse, target};
use super::integrations::WorkspaceIntegrations;
use super::invitations::WorkspaceInvitations;
use super::loaders::WorkspaceKey;
use super::members::WorkspaceMembers;
use super::paging::payload;
use super::part::Part;
use super::presence::WorkspacePresence;
use super::scalars::{DateTime, TimeZone};
use super::schedules::WorkspaceSchedules;
use super::straight::{command, commands, shaped_payload};
use super::tasks::WorkspaceTasks;
use super::{access, loader, set};
use crate::access::{Access, Ctx};
use crate::features::workspaces::{self, NewWorkspace, WorkspacePatch};
use crate::kernel;
use crate::kernel::actions::{Action, Resource};

/// A tenant: all calendars, tasks, schedules and bookings belong to exactly one workspace.
#[derive(MergedObject)]
#[graphql(name = "Workspace")]
pub struct Workspace(
    WorkspaceFields,
    Part<WorkspaceMembers>,
    Part<WorkspaceInvitations>,
    Part<WorkspacePresence>,
    Part<WorkspaceCalendars>,
    Part<WorkspaceEvents>,
    Part<WorkspaceOccurrences>,
    Part<WorkspaceIntegrations>,
    Part<WorkspaceTasks>,
    Part<WorkspaceSchedules>,
    Part<WorkspaceFocus>,
    Part<WorkspaceAudit>,
    Part<WorkspaceChanges>,
);

impl Workspace {
    /// A workspace that the caller has entered.
    pub fn new(ctx: Ctx, row: Arc<workspace::Model>) -> Self {
        let ctx = Arc::new(ctx);
        Self(
            WorkspaceFields {
                ctx: ctx.clone(),
                row,
            },
            Part(WorkspaceMembers(ctx.clone())),
            Part(WorkspaceInvitations(ctx.clone())),
            Part(WorkspacePresence(ctx.clone())),
            Part(WorkspaceCalendars(ctx.clone())),
            Part(WorkspaceEvents(ctx.clone())),
            Part(WorkspaceOccurrences(ctx.clone())),
            Part(WorkspaceIntegrations(ctx.clone())),
            Part(WorkspaceTasks(ctx.clone())),
            Part(WorkspaceSchedules(ctx.clone())),
            Part(WorkspaceFocus(ctx.clone())),
            Part(WorkspaceAudit(ctx.clone())),
            Part(WorkspaceChanges(ctx)),
        )
    }

    /// Enters a workspace and reads it.
    pub async fn load(ctx: Ctx) -> kernel::Result<Self> {
        let row = workspaces::look_at(&ctx).await?;
        Ok(Self::new(ctx, row))
    }

    /// Enters workspaces that were read for this caller.
    pub async fn enter_all(access: &Access, rows: Vec<workspace::Model>) -> kernel::Result<Vec<Self>> {
        let mut entered = Vec::with_capacity(rows.len());
        for row in rows {
            entered.push(Self::new(access.ctx(row.id).await?, Arc::new(row)));
        }
        Ok(entered)
    }

    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.row.id))
    }
}

/// A workspace that a row refers to, read together with those of its neighbours; null when the viewer is not a member.
pub async fn workspace_of(ctx: &Context<'_>, id: Option<WorkspaceId>) -> Option<Result<Workspace>> {
    let row = match loader(ctx).load_one(WorkspaceKey(id?)).await {
        Ok(row) => row?,
        Err(error) => return Some(Err(error)),
    };
    let entered = access(ctx).ctx(row.id).await;
    Some(
        entered
            .map(|entered| Workspace::new(entered, row))
            .map_err(expose),
    )
}

/// The workspace that an object belongs to. Whoever sees the object has entered it.
pub async fn workspace_field(ctx: &Context<'_>, id: WorkspaceId) -> Result<Workspace> {
    let missing = || Err(expose(kernel::Error::not_found()));
    workspace_of(ctx, Some(id)).await.unwrap_or_else(missing)
}

/// A workspace's own fields.
pub struct WorkspaceFields {
    ctx: Arc<Ctx>,
    row: Arc<workspace::Model>,
}

#[Object]
impl WorkspaceFields {
    /// Globally unique ID.
    async fn id(&self) -> ID {
        global(self.row.id)
    }

    /// Display name.
    async fn name(&self) -> &str {
        &self.row.name
    }

    /// URL name, unique in the installation.
    async fn slug(&self) -> &str {
        &self.row.slug
    }

    /// Personal or team workspace.
    async fn r#type(&self) -> WorkspaceType {
        self.row.r#type.into()
    }

    /// Time zone for workspace-wide views and reports.
    async fn time_zone(&self) -> TimeZone {
        TimeZone(self.row.time_zone.clone())
    }

    /// When the workspace was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.row.created_at)
    }

    /// Role of the viewer in this workspace.
    async fn viewer_role(&self) -> WorkspaceRole {
        self.ctx.role().into()
    }

    /// What the viewer may do in this workspace.
    async fn viewer_permissions(&self) -> WorkspacePermissions {
        WorkspacePermissions {
            can_edit: self.ctx.may(Action::Edit, Resource::Task),
            can_manage_members: self.ctx.may(Action::Manage, Resource::Member),
            can_manage_integrations: self.ctx.may(Action::Manage, Resource::Integration),
            can_view_audit_log: self.ctx.may(Action::View, Resource::AuditLog),
            can_delete: self.ctx.may(Action::Destroy, Resource::Workspace),
        }
    }
}

/// What the viewer may do in a workspace.
#[derive(SimpleObject)]
pub struct WorkspacePermissions {
    /// May create and change events, tasks and schedules.
    can_edit: bool,
    /// May invite and remove members and change roles.
    can_manage_members: bool,
    /// May connect and disconnect integrations.
    can_manage_integrations: bool,
    /// May read the audit log.
    can_view_audit_log: bool,
    /// May delete the workspace.
    can_delete: bool,
}

#[derive(Default)]
pub struct WorkspaceQuery;

#[Object]
impl WorkspaceQuery {
    /// A workspace by ID. All lists of workspace data start here.
    async fn workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the workspace.")] id: ID,
    ) -> Option<Result<Workspace>> {
        let found = async {
            Workspace::load(
                access(ctx)
                    .ctx(parse(&id).ok_or_else(kernel::Error::not_found)?)
                    .await?,
            )
            .await
        };
        lookup(found.await)
    }

    /// A workspace by URL name.
    async fn workspace_by_slug(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "URL name.")] slug: String,
    ) -> Option<Result<Workspace>> {
        lookup(async { Workspace::load(workspaces::find_by_slug(access(ctx), &slug).await?).await }.await)
    }
}

/// A new team workspace.
#[derive(InputObject)]
pub struct CreateWorkspaceInput {
    /// Display name.
    name: String,
    /// URL name. Made from `name` when omitted.
    slug: Option<String>,
    /// Time zone. The viewer's when omitted.
    time_zone: Option<TimeZone>,
}

/// Changes to a workspace. Omitted fields stay as they are.
#[derive(InputObject)]
pub struct UpdateWorkspaceInput {
    /// Display name.
    name: MaybeUndefined<String>,
    /// URL name.
    slug: MaybeUndefined<String>,
    /// Time zone.
    time_zone: MaybeUndefined<TimeZone>,
}

payload!(
    CreateWorkspacePayload,
    "createWorkspace",
    /// The workspace after the change. Null when the mutation failed.
    workspace: Workspace
);
payload!(
    UpdateWorkspacePayload,
    "updateWorkspace",
    /// The workspace after the change. Null when the mutation failed.
    workspace: Workspace
);
shaped_payload!(
    DeleteWorkspacePayload,
    "deleteWorkspace",
    /// ID of the deleted object, to evict caches. Null when the mutation failed.
    value deleted_workspace_id: Option<ID>
);

commands! {
    DeleteWorkspace(id "id": ID, confirm_slug "confirmSlug": String) -> DeleteWorkspacePayload, |access| {
        let entered = enter(access, &id).await?;
        workspaces::delete(&entered, &confirm_slug).await?;
        access.refresh().await;
        Ok(DeleteWorkspacePayload::of(global(entered.workspace_id())))
    };
}

#[derive(Default)]
pub struct WorkspaceMutation;

#[Object]
impl WorkspaceMutation {
    /// Creates a team workspace owned by the viewer.
    async fn create_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: CreateWorkspaceInput,
    ) -> Result<CreateWorkspacePayload> {
        let result = async {
            let new = NewWorkspace {
                name: input.name,
                slug: input.slug,
                time_zone: input.time_zone.map(|zone| zone.0),
            };
            let id = workspaces::create(access(ctx), new).await?;
            Workspace::load(access(ctx).ctx(id).await?).await
        };
        CreateWorkspacePayload::new(result.await, |workspace| workspace)
    }

    /// Changes a workspace. Requires `ADMIN`.
    async fn update_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "Values to use.")] input: UpdateWorkspaceInput,
    ) -> Result<UpdateWorkspacePayload> {
        let result = async {
            let entered = enter(access(ctx), &id).await?;
            let patch = WorkspacePatch {
                name: set(input.name, "input.name")?,
                slug: set(input.slug, "input.slug")?,
                time_zone: set(input.time_zone, "input.timeZone")?.map(|zone| zone.0),
            };
            let row = workspaces::update(&entered, patch).await?;
            Ok(Workspace::new(entered, Arc::new(row)))
        };
        UpdateWorkspacePayload::new(result.await, |workspace| workspace)
    }

    /// Deletes a team workspace with all its data. Requires `OWNER`.
    async fn delete_workspace(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
        #[graphql(desc = "URL name of the workspace, to confirm.")] confirm_slug: String,
    ) -> Result<DeleteWorkspacePayload> {
        command::<DeleteWorkspace>(ctx, (id, confirm_slug)).await
    }
}

/// Enters the workspace that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<Ctx> {
    access.caller().require_user()?;
    access.ctx(target(id)?).await
}
