//! Invitations to workspaces.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, Object, Result};
use entity::ids::InvitationId;
use entity::invitation;

use super::access;
use super::enums::WorkspaceRole;
use super::errors::expose;
use super::ids::{global, reference, target, workspace_reference};
use super::loader;
use super::loaders::InvitingKey;
use super::paging::payload;
use super::people::{User, user_of};
use super::scalars::{DateTime, EmailAddress};
use super::straight::{command, commands, shaped_payload};
use super::workspaces::{Workspace, workspace_of};
use crate::access::Ctx;
use crate::features::invitations;
use crate::kernel::Error;

/// An open invitation to a workspace.
#[derive(Description, Clone)]
pub struct WorkspaceInvitation(pub Arc<invitation::Model>);

impl From<invitation::Model> for WorkspaceInvitation {
    fn from(row: invitation::Model) -> Self {
        Self(Arc::new(row))
    }
}

#[Object(use_type_description)]
impl WorkspaceInvitation {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Workspace to join. Until then only its own fields are there; its lists are empty.
    async fn workspace(&self, ctx: &Context<'_>) -> Result<Workspace> {
        if let Some(member) = workspace_of(ctx, Some(self.0.workspace_id)).await {
            return member;
        }
        let row = loader(ctx)
            .load_one(InvitingKey(self.0.id, self.0.workspace_id))
            .await?;
        let row = row.ok_or_else(|| expose(Error::not_found()))?;
        let outside = Ctx::outside(access(ctx).platform(), access(ctx).caller());
        Ok(Workspace::new(outside, row))
    }

    /// Invited e-mail address.
    async fn email(&self) -> EmailAddress {
        EmailAddress(self.0.email.clone())
    }

    /// Role after joining.
    async fn role(&self) -> WorkspaceRole {
        self.0.role.into()
    }

    /// Who invited. Null when that user was deleted.
    async fn invited_by(&self, ctx: &Context<'_>) -> Option<Result<User>> {
        user_of(ctx, self.0.invited_by).await
    }

    /// When the invitation was sent.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the invitation expires.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }
}

fn wrapped(rows: Vec<invitation::Model>) -> Vec<WorkspaceInvitation> {
    rows.into_iter().map(WorkspaceInvitation::from).collect()
}

/// The fields that invitations hang on a workspace.
pub struct WorkspaceInvitations(pub Arc<Ctx>);

#[Object]
impl WorkspaceInvitations {
    /// Open invitations. Requires `ADMIN`.
    async fn invitations(&self) -> Result<Vec<WorkspaceInvitation>> {
        invitations::open(&self.0).await.map(wrapped).map_err(expose)
    }
}

/// The fields that invitations hang on the viewer.
#[derive(Clone)]
pub struct ViewerInvitations;

#[Object]
impl ViewerInvitations {
    /// Open invitations addressed to the viewer's e-mail address.
    async fn invitations(&self, ctx: &Context<'_>) -> Result<Vec<WorkspaceInvitation>> {
        invitations::of_viewer(access(ctx))
            .await
            .map(wrapped)
            .map_err(expose)
    }
}

/// Invitations to a workspace.
#[derive(InputObject)]
pub struct InviteMembersInput {
    /// Workspace to join.
    workspace_id: ID,
    /// Addresses to invite, at most 50.
    emails: Vec<EmailAddress>,
    /// Role after joining.
    #[graphql(default_with = "WorkspaceRole::Member")]
    role: WorkspaceRole,
}

payload!(
    InviteMembersPayload,
    "inviteMembers",
    /// The invitations after the change. Null when the mutation failed.
    invitations: Vec<WorkspaceInvitation>
);
shaped_payload!(
    RevokeInvitationPayload,
    "revokeInvitation",
    /// ID of what was revoked. Null when the mutation failed.
    value revoked_invitation_id: Option<ID>
);
payload!(
    AcceptInvitationPayload,
    "acceptInvitation",
    /// The workspace after the change. Null when the mutation failed.
    workspace: Workspace
);
shaped_payload!(
    DeclineInvitationPayload,
    "declineInvitation",
    /// ID of the declined invitation. Null when the mutation failed.
    value declined_invitation_id: Option<ID>
);

commands! {
    RevokeInvitation(id "id": ID) -> RevokeInvitationPayload, |access| {
        access.caller().require_user()?;
        let id: InvitationId = target(&id)?;
        let entered = access.ctx_of::<invitation::Entity>(id).await?;
        invitations::revoke(&entered, id).await?;
        Ok(RevokeInvitationPayload::of(global(id)))
    };
    DeclineInvitation(token "token": String) -> DeclineInvitationPayload, |access| {
        let id = invitations::decline(access, &token).await?;
        Ok(DeclineInvitationPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct InvitationMutation;

#[Object]
impl InvitationMutation {
    /// Invites people by e-mail. Requires `ADMIN`.
    async fn invite_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: InviteMembersInput,
    ) -> Result<InviteMembersPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            let path = "input.workspaceId";
            let id = reference(&input.workspace_id, path)?;
            let entered = workspace_reference(access(ctx).ctx(id).await, path)?;
            let emails: Vec<String> = input.emails.into_iter().map(|email| email.0).collect();
            invitations::invite(&entered, &emails, input.role.into()).await
        };
        InviteMembersPayload::new(result.await, wrapped)
    }

    /// Withdraws an invitation. Requires `ADMIN`.
    async fn revoke_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RevokeInvitationPayload> {
        command::<RevokeInvitation>(ctx, (id,)).await
    }

    /// Accepts an invitation with the token of the link.
    async fn accept_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Secret token of the link.")] token: String,
    ) -> Result<AcceptInvitationPayload> {
        let result = async {
            let id = invitations::accept(access(ctx), &token).await?;
            Workspace::load(access(ctx).ctx(id).await?).await
        };
        AcceptInvitationPayload::new(result.await, |workspace| workspace)
    }

    /// Declines an invitation with the token of the link.
    async fn decline_invitation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Secret token of the link.")] token: String,
    ) -> Result<DeclineInvitationPayload> {
        command::<DeclineInvitation>(ctx, (token,)).await
    }
}
