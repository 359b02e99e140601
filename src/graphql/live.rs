//! The one way in which subscriptions follow the change log of a workspace: alone, or driven for many subscribers at once.

mod about;
mod audience;
mod plan;
mod source;

use std::sync::Arc;

use async_graphql::{Context, ID, Result};
use futures_util::Stream;
use futures_util::stream::try_unfold;

use super::access;
use super::errors::expose;
use super::ids::target;
use crate::access::{Access, Caller, Ctx};
use crate::features::changes::{self, Feed};
use crate::kernel;
use crate::kernel::changes::{Change, ObjectType};
use crate::platform::Platform;

pub use about::{About, Home};
pub use audience::Audience;
pub use plan::{GroupKey, Plan, access_of};
pub use source::{Crowd, Handover, Source};

/// Follows the changes of a workspace that `wanted` picks. A stream of its own checks membership again before each one is sent, so that a
/// removed member hears nothing more; whoever drives a stream for many checks for it.
pub async fn follow<T, W, R, Fut>(
    ctx: &Context<'_>,
    workspace_id: &ID,
    after: Option<String>,
    wanted: W,
    render: R,
) -> Result<impl Stream<Item = Result<T>> + use<T, W, R, Fut>>
where
    W: Fn(&Change) -> bool + Send + Sync + 'static,
    R: Fn(Ctx, String, Change) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = kernel::Result<T>> + Send,
    T: Send,
{
    let operation = access(ctx);
    let source = ctx.data_opt::<Source>();
    let origin = async {
        if let Some(Source::Handed(handover)) = source {
            return Ok(Origin::Handed(handover.clone()));
        }
        operation.caller().require_user()?;
        let entered = operation.ctx(target(workspace_id)?).await?;
        let feed = match source {
            Some(Source::Stretch { after, until }) => Feed::stretch(entered, *after, *until),
            Some(Source::From(position)) => Feed::at(entered, *position),
            _ => Feed::start(entered, after.as_deref()).await?,
        };
        Ok(Origin::Own {
            feed,
            platform: operation.platform().clone(),
            caller: operation.caller().clone(),
        })
    };
    let origin = origin.await.map_err(expose)?;
    let shared = Arc::new((wanted, render));
    let next = move |mut origin: Origin| {
        let shared = shared.clone();
        async move {
            let (wanted, render) = &*shared;
            let Some((entered, change)) = origin.next(wanted).await? else {
                return Ok(None);
            };
            let cursor = changes::encode_cursor(&entered, change.seq);
            Ok(Some((render(entered, cursor, change).await?, origin)))
        }
    };
    Ok(futures_util::TryStreamExt::map_err(
        try_unfold(origin, next),
        expose,
    ))
}

/// Where a running stream gets its changes from.
#[expect(
    clippy::large_enum_variant,
    reason = "there is one for each stream, which is boxed as a whole"
)]
enum Origin {
    /// The change log, read for this subscriber alone.
    Own {
        feed: Feed,
        platform: Platform,
        caller: Caller,
    },
    /// Whoever drives it.
    Handed(Arc<Handover>),
}

impl Origin {
    /// The next change that is wanted, and the right to read what it is about.
    async fn next(&mut self, wanted: &impl Fn(&Change) -> bool) -> kernel::Result<Option<(Ctx, Change)>> {
        match self {
            Self::Handed(handover) => loop {
                match handover.take().await? {
                    Some((_, change)) if !wanted(&change) => {}
                    handed => return Ok(handed),
                }
            },
            Self::Own {
                feed,
                platform,
                caller,
            } => {
                while let Some(change) = feed.next().await? {
                    let wanted = wanted(&change);
                    // A removed member's stream ends with the removal, not with the next change that they would have seen.
                    if !wanted && change.object_type != ObjectType::WorkspaceMember {
                        continue;
                    }
                    let entered = Access::new(platform.clone(), caller.clone())
                        .ctx(feed.workspace_id())
                        .await?;
                    if wanted {
                        return Ok(Some((entered, change)));
                    }
                }
                Ok(None)
            }
        }
    }
}
