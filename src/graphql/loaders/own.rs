//! Loaders of what belongs to people instead of workspaces: sessions, API tokens, notifications.

use std::collections::HashMap;
use std::sync::Arc;

use async_graphql::Error;
use async_graphql::dataloader::Loader;
use entity::ids::{AccountId, ApiTokenId, InvitationId, JobId, NotificationId, SessionId, WorkspaceId};
use entity::{account, api_token, invitation, job, notification, session, workspace};

use super::Loaders;
use crate::access as door;
use crate::features::{accounts, invitations, jobs, notifications};
use crate::graphql::errors::expose;

/// A sign-in account of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AccountKey(pub AccountId);

impl Loader<AccountKey> for Loaders {
    type Value = Arc<account::Model>;
    type Error = Error;

    async fn load(&self, keys: &[AccountKey]) -> Result<HashMap<AccountKey, Self::Value>, Error> {
        let ids: Vec<AccountId> = keys.iter().map(|key| key.0).collect();
        let rows = accounts::get_many(&self.access, &ids).await.map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (AccountKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// An open invitation that the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvitationKey(pub InvitationId);

impl Loader<InvitationKey> for Loaders {
    type Value = Arc<invitation::Model>;
    type Error = Error;

    async fn load(&self, keys: &[InvitationKey]) -> Result<HashMap<InvitationKey, Self::Value>, Error> {
        let ids: Vec<InvitationId> = keys.iter().map(|key| key.0).collect();
        let rows = invitations::get_many(&self.access, &ids).await.map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (InvitationKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// The workspace that an invitation of the caller leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct InvitingKey(pub InvitationId, pub WorkspaceId);

impl Loader<InvitingKey> for Loaders {
    type Value = Arc<workspace::Model>;
    type Error = Error;

    async fn load(&self, keys: &[InvitingKey]) -> Result<HashMap<InvitingKey, Self::Value>, Error> {
        let ids: Vec<InvitationId> = keys.iter().map(|key| key.0).collect();
        let rows = invitations::workspaces_of(&self.access, &ids)
            .await
            .map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|(id, row)| (InvitingKey(id, row.id), Arc::new(row)))
            .collect())
    }
}

/// A session of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SessionKey(pub SessionId);

impl Loader<SessionKey> for Loaders {
    type Value = Arc<session::Model>;
    type Error = Error;

    async fn load(&self, _: &[SessionKey]) -> Result<HashMap<SessionKey, Self::Value>, Error> {
        // A person has a handful of them.
        let rows = door::list_sessions(self.access.platform(), self.access.caller())
            .await
            .map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (SessionKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// An API token of the caller that is not revoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OwnTokenKey(pub ApiTokenId);

impl Loader<OwnTokenKey> for Loaders {
    type Value = Arc<api_token::Model>;
    type Error = Error;

    async fn load(&self, _: &[OwnTokenKey]) -> Result<HashMap<OwnTokenKey, Self::Value>, Error> {
        let rows = door::list_tokens(self.access.platform(), self.access.caller())
            .await
            .map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (OwnTokenKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// An API token that an audit entry names, whoever's it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TokenKey(pub ApiTokenId);

impl Loader<TokenKey> for Loaders {
    type Value = Arc<api_token::Model>;
    type Error = Error;

    async fn load(&self, keys: &[TokenKey]) -> Result<HashMap<TokenKey, Self::Value>, Error> {
        let ids: Vec<ApiTokenId> = keys.iter().map(|key| key.0).collect();
        let rows = door::get_tokens(self.access.platform(), &ids)
            .await
            .map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (TokenKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// A job that the caller may see.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobKey(pub JobId);

impl Loader<JobKey> for Loaders {
    type Value = Arc<job::Model>;
    type Error = Error;

    async fn load(&self, keys: &[JobKey]) -> Result<HashMap<JobKey, Self::Value>, Error> {
        let ids: Vec<JobId> = keys.iter().map(|key| key.0).collect();
        let rows = jobs::get_many(&self.access, &ids).await.map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (JobKey(row.id), Arc::new(row)))
            .collect())
    }
}

/// A notification of the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct NotificationKey(pub NotificationId);

impl Loader<NotificationKey> for Loaders {
    type Value = Arc<notification::Model>;
    type Error = Error;

    async fn load(&self, keys: &[NotificationKey]) -> Result<HashMap<NotificationKey, Self::Value>, Error> {
        let ids: Vec<NotificationId> = keys.iter().map(|key| key.0).collect();
        let rows = notifications::find_many(&self.access, &ids)
            .await
            .map_err(expose)?;
        Ok(rows
            .into_iter()
            .map(|row| (NotificationKey(row.id), Arc::new(row)))
            .collect())
    }
}
