//! Sessions and API tokens of the viewer. Secrets appear once, when a token is made.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, InputObject, Object, Result, SimpleObject};
use entity::{api_token, session};

use super::access;
use super::enums::ApiTokenScope;
use super::errors::{UserError, outcome};
use super::ids::{global, reference, target};
use super::paging::payload;
use super::scalars::DateTime;
use super::straight::{command, commands, shaped_payload};
use super::workspaces::{Workspace, workspace_of};
use crate::access::{self as door, NewToken};
use crate::kernel;

/// A signed-in browser or device.
#[derive(Description, Clone)]
pub struct Session(pub Arc<session::Model>);

#[Object(use_type_description)]
impl Session {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Whether this request uses this session.
    async fn is_current(&self, ctx: &Context<'_>) -> bool {
        access(ctx).caller().session_id() == Some(self.0.id)
    }

    /// User agent at sign-in.
    async fn user_agent(&self) -> Option<&str> {
        self.0.user_agent.as_deref()
    }

    /// IP address last seen.
    async fn ip_address(&self) -> Option<&str> {
        self.0.ip_address.as_deref()
    }

    /// When the user signed in.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the session was last used.
    async fn last_used_at(&self) -> DateTime {
        DateTime(self.0.last_used_at)
    }

    /// When the session expires.
    async fn expires_at(&self) -> DateTime {
        DateTime(self.0.expires_at)
    }
}

/// A bearer token for scripts, codegen and automation.
#[derive(Description, Clone)]
pub struct ApiToken(pub Arc<api_token::Model>);

#[Object(use_type_description)]
impl ApiToken {
    /// Globally unique ID.
    pub async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Label chosen by the user.
    async fn name(&self) -> &str {
        &self.0.name
    }

    /// First characters of the token, to recognise it.
    async fn prefix(&self) -> &str {
        &self.0.prefix
    }

    /// What the token may do.
    async fn scopes(&self) -> Vec<ApiTokenScope> {
        door::scopes_of(&self.0).into_iter().map(Into::into).collect()
    }

    /// Workspace the token is limited to. Null when it reaches all workspaces of its user.
    async fn workspace(&self, ctx: &Context<'_>) -> Option<Result<Workspace>> {
        workspace_of(ctx, self.0.workspace_id).await
    }

    /// When the token was created.
    async fn created_at(&self) -> DateTime {
        DateTime(self.0.created_at)
    }

    /// When the token was last used. Null when never.
    async fn last_used_at(&self) -> Option<DateTime> {
        self.0.last_used_at.map(DateTime)
    }

    /// When the token expires. Null when it does not.
    async fn expires_at(&self) -> Option<DateTime> {
        self.0.expires_at.map(DateTime)
    }
}

/// A new API token.
#[derive(InputObject)]
pub struct CreateApiTokenInput {
    /// Label.
    name: String,
    /// What the token may do.
    scopes: Vec<ApiTokenScope>,
    /// Limits the token to one workspace.
    workspace_id: Option<ID>,
    /// When the token expires. At most one year ahead.
    expires_at: Option<DateTime>,
}

impl CreateApiTokenInput {
    fn into_model(self) -> kernel::Result<NewToken> {
        let workspace = self.workspace_id.map(|id| reference(&id, "input.workspaceId"));
        Ok(NewToken {
            name: self.name,
            scopes: self.scopes.into_iter().map(Into::into).collect(),
            workspace_id: workspace.transpose()?,
            expires_at: self.expires_at.map(|at| at.0),
        })
    }
}

/// Result of `createApiToken`.
#[derive(SimpleObject)]
pub struct CreateApiTokenPayload {
    /// The api token after the change. Null when the mutation failed.
    api_token: Option<ApiToken>,
    /// The token. Shown only once; store it safely. Null when the mutation failed.
    secret: Option<String>,
    /// Expected failures. Empty on success.
    user_errors: Vec<UserError>,
}

shaped_payload!(
    RevokeApiTokenPayload,
    "revokeApiToken",
    /// ID of what was revoked. Null when the mutation failed.
    value revoked_api_token_id: Option<ID>
);
shaped_payload!(
    RevokeSessionPayload,
    "revokeSession",
    /// ID of what was revoked. Null when the mutation failed.
    value revoked_session_id: Option<ID>
);
payload!(
    RevokeOtherSessionsPayload,
    "revokeOtherSessions",
    /// Number of sessions signed out. Null when the mutation failed.
    revoked_count: i32
);

commands! {
    RevokeSession(id "id": ID) -> RevokeSessionPayload, |access| {
        let caller = access.caller();
        caller.require_user()?;
        let id = target(&id)?;
        door::revoke_other_session(access.platform(), caller, id).await?;
        Ok(RevokeSessionPayload::of(global(id)))
    };
    RevokeApiToken(id "id": ID) -> RevokeApiTokenPayload, |access| {
        let caller = access.caller();
        caller.require_user()?;
        let id = target(&id)?;
        door::revoke_token(access.platform(), caller, id).await?;
        Ok(RevokeApiTokenPayload::of(global(id)))
    };
}

#[derive(Default)]
pub struct CredentialMutation;

#[Object]
impl CredentialMutation {
    /// Signs out one other session.
    async fn revoke_session(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RevokeSessionPayload> {
        command::<RevokeSession>(ctx, (id,)).await
    }

    /// Signs out all sessions except this one.
    async fn revoke_other_sessions(&self, ctx: &Context<'_>) -> Result<RevokeOtherSessionsPayload> {
        let result = door::revoke_other_sessions(access(ctx).platform(), access(ctx).caller()).await;
        RevokeOtherSessionsPayload::new(result, |count| i32::try_from(count).unwrap_or(i32::MAX))
    }

    /// Creates an API token. The secret is returned only here.
    async fn create_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Values to use.")] input: CreateApiTokenInput,
    ) -> Result<CreateApiTokenPayload> {
        let result = async {
            access(ctx).caller().require_user()?;
            door::create_own_token(access(ctx), input.into_model()?).await
        };
        let (created, user_errors) = outcome(result.await)?;
        let (api_token, secret) = created
            .map(|new| (ApiToken(Arc::new(new.token)), new.secret))
            .unzip();
        Ok(CreateApiTokenPayload {
            api_token,
            secret,
            user_errors,
        })
    }

    /// Revokes an API token at once.
    async fn revoke_api_token(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "ID of the object.")] id: ID,
    ) -> Result<RevokeApiTokenPayload> {
        command::<RevokeApiToken>(ctx, (id,)).await
    }
}
