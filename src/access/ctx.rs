//! A caller inside one workspace. Having one proves that the membership was checked.

use entity::enums::{ActorKind, ApiTokenScope, WorkspaceRole};
use entity::ids::{UserId, WorkspaceId};

use super::caller::{Caller, Identity};
use crate::kernel::actions::{self, Action, Resource};
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope, Tx};

/// Somebody, or the system, inside one workspace. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Ctx {
    platform: Platform,
    workspace_id: WorkspaceId,
    role: WorkspaceRole,
    token_scope: Option<ApiTokenScope>,
    /// The credentials reach no other workspace of their person.
    is_confined: bool,
    actor: Actor,
}

impl Ctx {
    pub(super) fn of_member(
        platform: &Platform,
        caller: &Caller,
        workspace_id: WorkspaceId,
        role: WorkspaceRole,
    ) -> Self {
        let token_scope = match caller.identity {
            Identity::Token { scope, .. } => Some(scope),
            Identity::Guest | Identity::Session { .. } => None,
        };
        Self {
            platform: platform.clone(),
            workspace_id,
            role,
            token_scope,
            is_confined: caller.workspace_limit().is_some(),
            actor: caller.actor(),
        }
    }

    /// Somebody who was invited to a workspace and may see nothing inside yet: a context of a workspace that nobody has, so that whatever
    /// is asked for in it is not there.
    pub fn outside(platform: &Platform, caller: &Caller) -> Self {
        let nowhere = WorkspaceId(uuid::Uuid::nil());
        Self::of_member(platform, caller, nowhere, WorkspaceRole::Viewer)
    }

    /// The server itself at work in a workspace: jobs and seeds.
    pub fn system(platform: &Platform, workspace_id: WorkspaceId) -> Self {
        Self {
            platform: platform.clone(),
            workspace_id,
            role: WorkspaceRole::Owner,
            token_scope: None,
            is_confined: false,
            actor: Actor::system(),
        }
    }

    /// A job that runs what a person asked for. What their token was allowed was checked when they asked.
    pub(super) fn of_errand(
        platform: &Platform,
        person: UserId,
        workspace_id: WorkspaceId,
        role: WorkspaceRole,
    ) -> Self {
        Self {
            platform: platform.clone(),
            workspace_id,
            role,
            token_scope: None,
            is_confined: false,
            actor: Actor {
                kind: ActorKind::User,
                user_id: Some(person),
                api_token_id: None,
                origin: Origin::default(),
            },
        }
    }

    /// The same context for a transaction that is not the last one of its request: after a crash between the two, the request that is sent
    /// again does the rest.
    pub fn in_part(mut self) -> Self {
        self.actor.origin.reply = None;
        self
    }

    /// The workspace.
    pub fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }

    /// The caller's role in it.
    pub fn role(&self) -> WorkspaceRole {
        self.role
    }

    /// Whether the caller's API token is limited to this workspace, so that nothing may be done elsewhere on its strength.
    pub fn is_confined(&self) -> bool {
        self.is_confined
    }

    /// The person; `None` for the system.
    pub fn user_id(&self) -> Option<UserId> {
        self.actor.user_id
    }

    /// The person; FORBIDDEN for the system, which has no preferences, calendars or tasks of its own.
    pub fn require_person(&self) -> Result<UserId> {
        self.user_id()
            .ok_or_else(|| Error::forbidden("Only a person may do this."))
    }

    /// The machines.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// Whether role and token allow it.
    pub fn may(&self, action: Action, resource: Resource) -> bool {
        let token_allows = self
            .token_scope
            .is_none_or(|scope| actions::scope_covers(scope, action, resource));
        token_allows && actions::allows(self.role, action, resource)
    }

    /// FORBIDDEN unless role and token allow it.
    pub fn require(&self, action: Action, resource: Resource) -> Result<()> {
        if self.may(action, resource) {
            return Ok(());
        }
        let message = if actions::allows(self.role, action, resource) {
            "The scopes of this API token do not allow this."
        } else {
            "Your role in this workspace does not allow this."
        };
        Err(Error::forbidden(message))
    }

    /// FORBIDDEN when the caller's API token does not allow it, whatever their role: for what people do to themselves.
    pub fn require_scope(&self, action: Action, resource: Resource) -> Result<()> {
        if self
            .token_scope
            .is_none_or(|scope| actions::scope_covers(scope, action, resource))
        {
            return Ok(());
        }
        Err(Error::forbidden(
            "The scopes of this API token do not allow this.",
        ))
    }

    /// Opens a read of this workspace.
    pub async fn read(&self) -> Result<Read> {
        self.platform.db.read(Scope::Workspace(self.workspace_id)).await
    }

    /// Runs one transaction in this workspace and announces its changes after the commit. The body may run more than once.
    pub async fn write<T, F, Fut>(&self, body: F) -> Result<T>
    where
        F: Fn(Tx) -> Fut + Send + Sync,
        Fut: Future<Output = Result<T>> + Send,
        T: Send,
    {
        self.platform
            .write(Scope::Workspace(self.workspace_id), self.actor.clone(), body)
            .await
    }
}
