//! Presence of members: the list, the sign of life, and the live stream.

use std::sync::Arc;

use async_graphql::{Context, Description, Enum, ID, Object, Result, Subscription};
use futures_util::stream::{BoxStream, try_unfold};
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};

use super::access;
use super::errors::expose;
use super::ids::target;
use super::live::{Crowd, Source};
use super::loader;
use super::loaders::UserKey;
use super::paging::payload;
use super::people::User;
use super::scalars::DateTime;
use crate::access::Ctx;
use crate::features::presence::{self, Here};
use crate::kernel::presence as words;
use crate::kernel::{self, Error};

/// Online state.
#[derive(Enum, Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[graphql(remote = "words::Status")]
pub enum PresenceStatus {
    /// Active in the last minute.
    Online,
    /// Connected but idle.
    Away,
    /// In a focus session; do not disturb.
    Focusing,
    /// Not connected.
    Offline,
}

/// Online state of a member.
#[derive(Description)]
pub struct Presence(words::Seen);

#[Object(use_type_description)]
impl Presence {
    /// The member.
    async fn user(&self, ctx: &Context<'_>) -> Result<User> {
        let row = loader(ctx).load_one(UserKey(self.0.user_id)).await?;
        row.map(User).ok_or_else(|| expose(Error::not_found()))
    }

    /// Online state.
    async fn status(&self) -> PresenceStatus {
        self.0.status.into()
    }

    /// What the member is looking at, for example `task:task_01jd…`.
    async fn location(&self) -> Option<&str> {
        self.0.location.as_deref()
    }

    /// When the member was last seen.
    async fn last_seen_at(&self) -> DateTime {
        DateTime(self.0.seen_at)
    }
}

/// The fields that presence hangs on a workspace.
pub struct WorkspacePresence(pub Arc<Ctx>);

#[Object]
impl WorkspacePresence {
    /// Members online now.
    async fn presence(&self) -> Result<Vec<Presence>> {
        let all = presence::list(&self.0).await.map_err(expose)?;
        Ok(all.into_iter().map(Presence).collect())
    }
}

payload!(
    UpdatePresencePayload,
    "updatePresence",
    /// The presence after the change. Null when the mutation failed.
    presence: Presence
);

#[derive(Default)]
pub struct PresenceMutation;

#[Object]
impl PresenceMutation {
    /// Tells other members where the viewer is. Call on navigation and every 30 seconds.
    async fn update_presence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Workspace.")] workspace_id: ID,
        #[graphql(desc = "New state.")] status: PresenceStatus,
        #[graphql(desc = "What the viewer looks at, for example `task:task_01jd…`.")] location: Option<
            String,
        >,
    ) -> Result<UpdatePresencePayload> {
        let result = async {
            let operation = access(ctx);
            operation.caller().require_user()?;
            let entered = operation.ctx(target(&workspace_id)?).await?;
            presence::update(&entered, operation.caller(), status.into(), location.as_deref())
        };
        UpdatePresencePayload::new(result.await, Presence)
    }
}

#[derive(Default)]
pub struct PresenceSubscription;

#[Subscription]
impl PresenceSubscription {
    /// Online state of members of a workspace. Being subscribed marks the viewer as online.
    async fn presence_changed(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Workspace to watch.")] workspace_id: ID,
    ) -> Result<impl Stream<Item = Result<Presence>> + use<>> {
        let operation = access(ctx);
        let start = async {
            operation.caller().require_user()?;
            let entered = operation.ctx(target(&workspace_id)?).await?;
            let seen: BoxStream<'static, kernel::Result<Presence>> = match ctx.data_opt::<Source>() {
                Some(Source::Shared(Some(crowd))) => {
                    let next = async |(entered, crowd): (Ctx, Crowd)| {
                        let seen = presence::next_of(&entered, &crowd).await?;
                        kernel::Result::Ok(seen.map(|seen| (Presence(seen), (entered, crowd))))
                    };
                    try_unfold((entered, crowd.clone()), next).boxed()
                }
                _ => {
                    let next = async |mut here: Here| {
                        kernel::Result::Ok(here.next().await?.map(|seen| (Presence(seen), here)))
                    };
                    try_unfold(Here::enter(entered, operation.caller())?, next).boxed()
                }
            };
            Ok(seen)
        };
        let seen = start.await.map_err(expose)?;
        Ok(seen.map_err(expose))
    }
}
