//! The caller of one request, and the door to workspaces.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use entity::enums::{ActorKind, ApiTokenScope, WorkspaceRole};
use entity::ids::{ApiTokenId, MembershipId, SessionId, TypedId, UserId, WorkspaceId};
use entity::membership;
use sea_orm::{
    ColumnTrait as _, EntityTrait, PrimaryKeyTrait, QueryFilter as _, QueryOrder as _, QuerySelect as _,
};
use tokio::sync::Mutex;

use super::ctx::Ctx;
use crate::kernel::actor::{Actor, Origin, ReplyKey};
use crate::kernel::time::Instant;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::cache::{Group, Kept};
use crate::platform::db::{Partial, Scope, WorkspaceOwned, among};
use crate::platform::limits::{Charge, Key, Limit};

/// Who a request comes from.
#[derive(Clone, Debug)]
pub struct Caller {
    /// How they proved it.
    pub identity: Identity,
    /// Where the request came from.
    pub origin: Origin,
    /// When the proof ends by itself.
    pub ends_at: Option<Instant>,
}

/// How a caller proved who they are.
#[derive(Clone, Debug)]
pub enum Identity {
    /// No credentials.
    Guest,
    /// A browser session.
    Session {
        /// The person.
        user_id: UserId,
        /// The session.
        session_id: SessionId,
        /// May look after jobs of the whole installation.
        is_admin: bool,
    },
    /// An API token.
    Token {
        /// The person the token acts for.
        user_id: UserId,
        /// The token.
        token_id: ApiTokenId,
        /// The strongest scope of the token.
        scope: ApiTokenScope,
        /// Workspace the token is limited to.
        workspace_id: Option<WorkspaceId>,
        /// May look after jobs of the whole installation.
        is_admin: bool,
    },
}

impl Caller {
    /// Somebody without credentials.
    pub fn guest(origin: Origin) -> Self {
        Self {
            identity: Identity::Guest,
            origin,
            ends_at: None,
        }
    }

    /// Whether the proof has ended by itself since it was looked at: for whatever outlives the request that brought it.
    pub fn is_over(&self, now: Instant) -> bool {
        self.ends_at.is_some_and(|end| end <= now)
    }

    /// The person, unless a guest.
    pub fn user_id(&self) -> Option<UserId> {
        match self.identity {
            Identity::Guest => None,
            Identity::Session { user_id, .. } | Identity::Token { user_id, .. } => Some(user_id),
        }
    }

    /// The person; UNAUTHENTICATED for guests.
    pub fn require_user(&self) -> Result<UserId> {
        self.user_id().ok_or_else(Error::unauthenticated)
    }

    /// The person, to read or change what is theirs in all workspaces: FORBIDDEN for tokens that are limited to one workspace or lack
    /// the scope.
    pub fn require_personal(&self, least: ApiTokenScope) -> Result<UserId> {
        let user_id = self.require_scope(least)?;
        if self.workspace_limit().is_some() {
            return Err(Error::forbidden("This API token is limited to one workspace."));
        }
        Ok(user_id)
    }

    /// The person; FORBIDDEN for tokens without the scope or one that includes it.
    pub fn require_scope(&self, least: ApiTokenScope) -> Result<UserId> {
        let user_id = self.require_user()?;
        let strength = |scope| match scope {
            ApiTokenScope::Read => 0,
            ApiTokenScope::Write => 1,
            ApiTokenScope::Admin => 2,
        };
        match self.identity {
            Identity::Token { scope, .. } if strength(scope) < strength(least) => Err(Error::forbidden(
                "The scopes of this API token do not allow this.",
            )),
            _ => Ok(user_id),
        }
    }

    /// The only workspace that a token reaches, when it is limited to one.
    pub fn workspace_limit(&self) -> Option<WorkspaceId> {
        match self.identity {
            Identity::Token { workspace_id, .. } => workspace_id,
            Identity::Guest | Identity::Session { .. } => None,
        }
    }

    /// The session of this request, when it came with one.
    pub fn session_id(&self) -> Option<SessionId> {
        match self.identity {
            Identity::Session { session_id, .. } => Some(session_id),
            Identity::Guest | Identity::Token { .. } => None,
        }
    }

    /// Whether the caller looks after the whole installation. Tokens do so only with the `ADMIN` scope and without a workspace limit.
    pub fn is_admin(&self) -> bool {
        match self.identity {
            Identity::Guest => false,
            Identity::Session { is_admin, .. } => is_admin,
            Identity::Token {
                is_admin,
                scope,
                workspace_id,
                ..
            } => is_admin && scope == ApiTokenScope::Admin && workspace_id.is_none(),
        }
    }

    /// FORBIDDEN unless [`Self::is_admin`].
    pub fn require_admin(&self) -> Result<()> {
        self.require_user()?;
        if self.is_admin() {
            Ok(())
        } else {
            Err(Error::forbidden(
                "Only an administrator of the installation may do this.",
            ))
        }
    }

    /// What this key is recognised by when the request comes again; `None` for guests, whom nobody could tell apart. It begins with the
    /// person, by whom the record is found when they are erased. What one token was answered is not for another, which may do less;
    /// sessions may all do the same, and whoever sends again may have signed in again.
    pub fn reply_key(&self, key: &str) -> Option<ReplyKey> {
        let caller = match self.identity {
            Identity::Guest => return None,
            Identity::Session { user_id, .. } => format!("{user_id}/session"),
            Identity::Token {
                user_id, token_id, ..
            } => format!("{user_id}/{token_id}"),
        };
        Some(ReplyKey {
            caller,
            key: key.to_owned(),
        })
    }

    /// The same caller with a request that must not be carried out twice.
    pub fn once(mut self, reply: ReplyKey) -> Self {
        self.origin.reply = Some(reply);
        self
    }

    /// The caller as the audit log records them.
    pub fn actor(&self) -> Actor {
        let (kind, api_token_id) = match self.identity {
            Identity::Token { token_id, .. } => (ActorKind::Token, Some(token_id)),
            Identity::Guest | Identity::Session { .. } => (ActorKind::User, None),
        };
        Actor {
            kind,
            user_id: self.user_id(),
            api_token_id,
            origin: self.origin.clone(),
        }
    }
}

/// A membership of the caller.
#[derive(Clone, Copy, Debug)]
pub struct Membership {
    /// The membership itself.
    pub id: MembershipId,
    /// The workspace.
    pub workspace_id: WorkspaceId,
    /// Role in it.
    pub role: WorkspaceRole,
}

/// The memberships of a person.
struct MembershipsOf;

impl Kept for MembershipsOf {
    const NAME: &'static str = "memberships";
    type Key = UserId;
    type Value = Arc<[Membership]>;
    const CAPACITY: u64 = 50_000;
    const TIME_TO_LIVE: std::time::Duration = super::withdrawals::KEPT;
    const WATCHED: bool = true;
}

async fn load_memberships(platform: &Platform, user_id: UserId) -> Result<Arc<[Membership]>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<membership::Entity>()
        .filter(membership::Column::UserId.eq(user_id))
        .order_by_asc(membership::Column::Id);
    let rows = select.all(&read).await?;
    let rows = rows.iter().map(|row| Membership {
        id: row.id,
        workspace_id: row.workspace_id,
        role: row.role,
    });
    Ok(rows.collect())
}

/// The caller of one operation together with their memberships, read once.
#[derive(Debug)]
pub struct Access {
    platform: Platform,
    caller: Caller,
    memberships: Mutex<Option<Arc<[Membership]>>>,
    /// Points that each entered workspace bears.
    points: u32,
    charged: Mutex<Vec<WorkspaceId>>,
}

impl Access {
    /// Access for one event of a subscription, or for whatever else costs nobody points.
    pub fn new(platform: Platform, caller: Caller) -> Self {
        Self::paying(platform, caller, 0)
    }

    /// Access for one operation, whose points are taken from the budget of each workspace that it enters.
    pub fn paying(platform: Platform, caller: Caller, points: u32) -> Self {
        Self {
            platform,
            caller,
            memberships: Mutex::default(),
            points,
            charged: Mutex::default(),
        }
    }

    /// The caller.
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The machines.
    pub fn platform(&self) -> &Platform {
        &self.platform
    }

    /// The caller's memberships, oldest first; a token's workspace limit is applied. Read once for each operation.
    pub async fn memberships(&self) -> Result<Arc<[Membership]>> {
        let user_id = self.caller.require_user()?;
        // Held while loading, so that all who ask at once wait for one statement.
        let mut known = self.memberships.lock().await;
        if let Some(memberships) = &*known {
            return Ok(memberships.clone());
        }
        // Boxed when it is needed: what is moved with every request stays small.
        let load = async { Box::pin(load_memberships(&self.platform, user_id)).await };
        let cache = &self.platform.cache;
        let mut all = cache
            .get::<MembershipsOf, _>(user_id, Group::MembershipsOf(user_id), load)
            .await?;
        if let Some(limit) = self.caller.workspace_limit() {
            all = all
                .iter()
                .filter(|membership| membership.workspace_id == limit)
                .copied()
                .collect();
        }
        Ok(known.insert(all).clone())
    }

    /// Forgets the memberships, after a command that changed the caller's own.
    pub async fn refresh(&self) {
        *self.memberships.lock().await = None;
    }

    /// Enters a workspace. NOT_FOUND for strangers, exactly as for a workspace that does not exist.
    pub async fn ctx(&self, workspace_id: WorkspaceId) -> Result<Ctx> {
        let memberships = self.memberships().await?;
        let membership = memberships
            .iter()
            .find(|membership| membership.workspace_id == workspace_id);
        let role = membership.ok_or_else(Error::not_found)?.role;
        self.charge(workspace_id).await?;
        Ok(Ctx::of_member(&self.platform, &self.caller, workspace_id, role))
    }

    /// Takes the operation's points from the workspace's budget, once.
    async fn charge(&self, workspace_id: WorkspaceId) -> Result<()> {
        if self.points == 0 {
            return Ok(());
        }
        // Held while paying, so that nobody enters for free meanwhile.
        let mut charged = self.charged.lock().await;
        if !charged.contains(&workspace_id) {
            let key = Key::Id(workspace_id.uuid());
            let charge = |kind, cost| Charge { kind, key, cost };
            let charges = [
                charge(Limit::WorkspaceRequests, 1),
                charge(Limit::WorkspacePoints, self.points),
            ];
            for decision in self.platform.limits.spend(charges).await {
                decision.into_result()?;
            }
            charged.push(workspace_id);
        }
        Ok(())
    }

    /// Enters the workspace of an object that is known only by its id. NOT_FOUND when it does not exist or is foreign.
    pub async fn ctx_of<E>(&self, id: <E::PrimaryKey as PrimaryKeyTrait>::ValueType) -> Result<Ctx>
    where
        E: WorkspaceOwned,
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType: ObjectId,
    {
        let places = self.places::<E>(&[id]).await?;
        let place = places.get(&id).copied();
        self.ctx(place.ok_or_else(Error::not_found)?).await
    }

    /// An object that is known only by its id, in whichever workspace of the caller it is; NOT_FOUND when it does not exist or is foreign.
    /// One statement, whose row the caller may see. `columns` are bits of what is needed of the row, `None` for all; `always` is read too.
    pub async fn find<E>(
        &self,
        id: <E::PrimaryKey as PrimaryKeyTrait>::ValueType,
        columns: Option<u64>,
        always: &[E::Column],
    ) -> Result<(Ctx, E::Model)>
    where
        E: WorkspaceOwned + Partial,
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType: ObjectId,
        E::Model: InWorkspace,
    {
        let memberships = self.memberships().await?;
        let workspaces: Vec<WorkspaceId> = memberships
            .iter()
            .map(|membership| membership.workspace_id)
            .collect();
        let found = self
            .platform
            .db
            .find_in::<E>(&workspaces, id.into(), columns, always)
            .await?;
        let row = found.ok_or_else(Error::not_found)?;
        Ok((self.ctx(row.workspace_id()).await?, row))
    }

    /// Workspaces of objects that are known only by their ids, also of foreign ones: enter before you look. Guests are told to sign in
    /// before anything is looked up. Memberships are read first, whatever is found: else an id that somebody has would cost a statement
    /// more than one that nobody has.
    pub async fn places<E>(
        &self,
        ids: &[<E::PrimaryKey as PrimaryKeyTrait>::ValueType],
    ) -> Result<HashMap<<E::PrimaryKey as PrimaryKeyTrait>::ValueType, WorkspaceId>>
    where
        E: WorkspaceOwned,
        <E::PrimaryKey as PrimaryKeyTrait>::ValueType: ObjectId,
    {
        use sea_orm::Iterable as _;
        self.memberships().await?;
        let read = self.platform.db.read(Scope::System).await?;
        let key = <E as EntityTrait>::PrimaryKey::iter()
            .next()
            .ok_or_else(|| Error::internal("a table without a key"))?;
        let key = sea_orm::PrimaryKeyToColumn::into_column(key);
        let select = read
            .find::<E>()
            .filter(among(&read, key, ids.iter().copied()))
            .select_only()
            .column(key)
            .column(E::WORKSPACE);
        Ok(select.into_tuple().all(&read).await?.into_iter().collect())
    }
}

/// A row that knows its workspace.
pub trait InWorkspace {
    /// The workspace of the row.
    fn workspace_id(&self) -> WorkspaceId;
}

impl InWorkspace for entity::task::Model {
    fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }
}

impl InWorkspace for entity::calendar_event::Model {
    fn workspace_id(&self) -> WorkspaceId {
        self.workspace_id
    }
}

/// The id of an object that has a row of its own.
pub trait ObjectId: TypedId + Eq + Hash + Into<sea_orm::Value> + sea_orm::TryGetable + Send + Sync {}

impl<T: TypedId + Eq + Hash + Into<sea_orm::Value> + sea_orm::TryGetable + Send + Sync> ObjectId for T {}
