//! Memberships: who belongs to a workspace, in which role.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result};
use entity::ids::MembershipId;
use entity::membership;

use super::enums::WorkspaceRole;
use super::ids::{global, target};
use super::loaders::UserKey;
use super::paging::{PageParts, page_args, page_request, shaped_connection};
use super::people::User;
use super::scalars::DateTime;
use super::shape::{PagePlan, object};
use super::straight::{Given, Listed, command, commands, shaped_payload};
use crate::access::{Access, Ctx};
use crate::features::workspaces;
use crate::kernel;
use crate::kernel::page::PageArgs;

/// Membership of a user in a workspace.
#[derive(Description, Clone)]
pub struct WorkspaceMember(pub Arc<membership::Model>);

impl From<membership::Model> for WorkspaceMember {
    fn from(row: membership::Model) -> Self {
        Self(Arc::new(row))
    }
}

impl WorkspaceMember {
    /// For the `Node` interface.
    pub async fn id(&self, _: &Context<'_>) -> Result<ID> {
        Ok(global(self.0.id))
    }
}

object! {
    WorkspaceMember "WorkspaceMember", membership::Column;

    /// Globally unique ID.
    value id [Id] -> ID { |member| global(member.0.id) }
    /// The member.
    must user [UserId] -> Result<User> { |member| UserKey(member.0.user_id) => User }
    /// Role of the member.
    value role [Role] -> WorkspaceRole { |member| member.0.role.into() }
    /// When the user joined.
    value joined_at [JoinedAt] -> DateTime { |member| DateTime(member.0.joined_at) }
}

shaped_connection!(
    /// A page of members.
    WorkspaceMemberConnection "WorkspaceMemberConnection", WorkspaceMemberEdge "WorkspaceMemberEdge", WorkspaceMember, "members"
);

/// The fields that memberships hang on a workspace.
pub struct WorkspaceMembers(pub Arc<Ctx>);

#[Object]
impl WorkspaceMembers {
    /// Members by name.
    async fn members(
        &self,
        ctx: &Context<'_>,
        #[graphql(
            desc = "Page size from the start, at most 100. 50 when neither `first` nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Continue after this cursor.")] after: Option<String>,
        #[graphql(desc = "Page size from the end, at most 100.")] last: Option<i32>,
        #[graphql(desc = "Continue before this cursor.")] before: Option<String>,
    ) -> Result<WorkspaceMemberConnection> {
        let page = PageArgs {
            first,
            after,
            last,
            before,
        };
        WorkspaceMemberConnection::answer(ctx, &self.0, AskedMembers { page }).await
    }
}

/// The arguments of `Workspace.members`.
struct AskedMembers {
    page: PageArgs,
}

impl Listed for AskedMembers {
    type Node = WorkspaceMember;

    fn given(given: &Given<'_>) -> Option<Self> {
        Some(Self {
            page: page_args(given)?,
        })
    }

    async fn page(
        self,
        ctx: &Ctx,
        plan: Option<&PagePlan<WorkspaceMember>>,
        counts: bool,
    ) -> kernel::Result<PageParts<WorkspaceMember>> {
        let request = page_request(self.page, plan, counts)?;
        let page = workspaces::members(ctx, &request).await?;
        Ok(PageParts::new(page, WorkspaceMember::from))
    }
}

shaped_payload!(
    UpdateMemberRolePayload,
    "updateMemberRole",
    /// The member after the change. Null when the mutation failed.
    one member: Option<WorkspaceMember>
);
shaped_payload!(
    RemoveMemberPayload,
    "removeMember",
    /// ID of the removed membership. Null when the mutation failed.
    value removed_member_id: Option<ID>
);

/// Enters the workspace of a membership that a mutation acts on.
async fn enter(access: &Access, id: &ID) -> kernel::Result<(Ctx, MembershipId)> {
    access.caller().require_user()?;
    let id = target(id)?;
    Ok((access.ctx_of::<membership::Entity>(id).await?, id))
}

commands! {
    UpdateMemberRole(member_id "memberId": ID, role "role": WorkspaceRole) -> UpdateMemberRolePayload, |access| {
        let (entered, id) = enter(access, &member_id).await?;
        let member = workspaces::update_role(&entered, id, role.into()).await;
        access.refresh().await;
        member.map(WorkspaceMember::from).map(UpdateMemberRolePayload::of)
    };
    RemoveMember(member_id "memberId": ID) -> RemoveMemberPayload, |access| {
        let (entered, id) = enter(access, &member_id).await?;
        workspaces::remove_member(&entered, id).await?;
        access.refresh().await;
        Ok(RemoveMemberPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct MemberMutation;

#[Object]
impl MemberMutation {
    /// Changes the role of a member. Requires `ADMIN`; only owners make owners.
    async fn update_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Membership to change.")] member_id: ID,
        #[graphql(desc = "New role.")] role: WorkspaceRole,
    ) -> Result<UpdateMemberRolePayload> {
        command::<UpdateMemberRole>(ctx, (member_id, role)).await
    }

    /// Removes a member. Requires `ADMIN`, or leaves the workspace when it is the viewer's own membership.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Membership to change.")] member_id: ID,
    ) -> Result<RemoveMemberPayload> {
        command::<RemoveMember>(ctx, (member_id,)).await
    }
}
