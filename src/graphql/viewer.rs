//! The viewer: the signed-in person with everything only they may see.

use std::sync::Arc;

use async_graphql::{Context, ID, MergedObject, Object, Result};
use entity::user;

use super::access;
use super::accounts::ViewerAccounts;
use super::credentials::{ApiToken, Session};
use super::errors::expose;
use super::focus::ViewerFocus;
use super::ids::global;
use super::invitations::ViewerInvitations;
use super::notifications::ViewerNotifications;
use super::people::User;
use super::preferences::{NotificationPreference, UserPreferences};
use super::workspaces::Workspace;
use crate::access::{self as door, Access};
use crate::features::{people, workspaces};
use crate::kernel::{Error, Result as KernelResult};

/// The signed-in user with everything only they may see.
#[derive(Clone, MergedObject)]
#[graphql(name = "Viewer")]
pub struct Viewer(
    ViewerFields,
    ViewerAccounts,
    ViewerNotifications,
    ViewerInvitations,
    ViewerFocus,
);

/// The viewer's own fields.
#[derive(Clone)]
pub struct ViewerFields(Arc<user::Model>);

impl Viewer {
    /// The person behind the running operation; UNAUTHENTICATED for guests.
    pub async fn load(access: &Access) -> KernelResult<Self> {
        let id = access.caller().require_user()?;
        let row = people::find(access.platform(), id).await?;
        row.map(|row| {
            Self(
                ViewerFields(Arc::new(row)),
                ViewerAccounts,
                ViewerNotifications,
                ViewerInvitations,
                ViewerFocus,
            )
        })
        .ok_or_else(Error::unauthenticated)
    }
}

#[Object]
impl ViewerFields {
    /// Globally unique ID of the viewer. Equals `user.id`.
    async fn id(&self) -> ID {
        global(self.0.id)
    }

    /// Public profile of the viewer.
    async fn user(&self) -> User {
        User(self.0.clone())
    }

    /// Whether the viewer may inspect jobs of the whole installation.
    async fn is_admin(&self, ctx: &Context<'_>) -> bool {
        access(ctx).caller().is_admin()
    }

    /// Personal settings.
    async fn preferences(&self, ctx: &Context<'_>) -> Result<UserPreferences> {
        people::look_at_preferences(access(ctx).platform(), self.0.id)
            .await
            .map(|row| UserPreferences((*row).clone()))
            .map_err(expose)
    }

    /// Delivery settings, one entry for each notification type.
    async fn notification_preferences(&self, ctx: &Context<'_>) -> Result<Vec<NotificationPreference>> {
        let all = people::deliveries(access(ctx).platform(), self.0.id)
            .await
            .map_err(expose)?;
        Ok(all.into_iter().map(Into::into).collect())
    }

    /// Workspaces the viewer belongs to, personal workspace first.
    async fn workspaces(&self, ctx: &Context<'_>) -> Result<Vec<Workspace>> {
        let all = async { Workspace::enter_all(access(ctx), workspaces::all(access(ctx)).await?).await };
        all.await.map_err(expose)
    }

    /// Active sign-in sessions, most recently used first.
    async fn sessions(&self, ctx: &Context<'_>) -> Result<Vec<Session>> {
        let rows = door::list_sessions(access(ctx).platform(), access(ctx).caller())
            .await
            .map_err(expose)?;
        Ok(rows.into_iter().map(|row| Session(Arc::new(row))).collect())
    }

    /// API tokens of the viewer, newest first. Secrets are never returned here.
    async fn api_tokens(&self, ctx: &Context<'_>) -> Result<Vec<ApiToken>> {
        let rows = door::list_tokens(access(ctx).platform(), access(ctx).caller())
            .await
            .map_err(expose)?;
        Ok(rows.into_iter().map(|row| ApiToken(Arc::new(row))).collect())
    }
}

#[derive(Default)]
pub struct ViewerQuery;

#[Object]
impl ViewerQuery {
    /// The signed-in user. Null for anonymous requests.
    async fn viewer(&self, ctx: &Context<'_>) -> Option<Result<Viewer>> {
        access(ctx).caller().user_id()?;
        Some(Viewer::load(access(ctx)).await.map_err(expose))
    }
}
