//! Workspaces: their own fields here, the fields of each feature in the feature's file.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, Result, SimpleObject};
use entity::workspace;

use super::enums::{WorkspaceRole, WorkspaceType};
use super::errors::lookup;
use super::ids::{global, parse};
use super::scalars::{DateTime, TimeZone};
use super::{access, calendars, integrations, tasks};
use crate::access::Ctx;
use crate::features::workspaces;
use crate::kernel;
use crate::kernel::actions::{Action, Resource};

/// A tenant: all calendars, tasks, schedules and bookings belong to exactly one workspace.
#[derive(MergedObject)]
#[graphql(name = "Workspace")]
pub struct Workspace(
    WorkspaceFields,
    calendars::WorkspaceCalendars,
    tasks::WorkspaceTasks,
);

impl Workspace {
    /// A workspace that the caller has entered.
    pub fn new(ctx: Ctx, row: workspace::Model) -> Self {
        let ctx = Arc::new(ctx);
        Self(
            WorkspaceFields {
                ctx: ctx.clone(),
                row,
            },
            calendars::WorkspaceCalendars(ctx.clone()),
            integrations::WorkspaceIntegrations(ctx.clone()),
            tasks::WorkspaceTasks(ctx),
        )
    }

    /// Enters a workspace and reads it.
    pub async fn load(ctx: Ctx) -> kernel::Result<Self> {
        let row = workspaces::get(&ctx).await?;
        Ok(Self::new(ctx, row))
    }

    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.row.id))
    }
}

/// A workspace's own fields.
pub struct WorkspaceFields {
    ctx: Arc<Ctx>,
    row: workspace::Model,
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
