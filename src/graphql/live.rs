//! The one way in which subscriptions follow the change log of a workspace.

use std::sync::Arc;

use async_graphql::{Context, ID, Result};
use futures_util::Stream;
use futures_util::stream::try_unfold;

use super::access;
use super::errors::expose;
use super::ids::target;
use crate::access::{Access, Ctx};
use crate::features::changes::{self, Feed};
use crate::kernel;
use crate::kernel::changes::{Change, ObjectType};

/// Follows the changes of a workspace that `wanted` picks. Membership is checked again before each one is sent, so that a removed member
/// hears nothing more.
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
    let start = async {
        operation.caller().require_user()?;
        let entered = operation.ctx(target(workspace_id)?).await?;
        Feed::start(entered, after.as_deref()).await
    };
    let feed = start.await.map_err(expose)?;
    let shared = Arc::new((
        operation.platform().clone(),
        operation.caller().clone(),
        wanted,
        render,
    ));
    let next = move |mut feed: Feed| {
        let shared = shared.clone();
        async move {
            let (platform, caller, wanted, render) = &*shared;
            while let Some(change) = feed.next().await? {
                let wanted = wanted(&change);
                // A removed member's stream ends with the removal, not with the next change that they would have seen.
                if !wanted && change.object_type != ObjectType::WorkspaceMember {
                    continue;
                }
                let entered = Access::new(platform.clone(), caller.clone())
                    .ctx(feed.workspace_id())
                    .await?;
                if !wanted {
                    continue;
                }
                let cursor = changes::encode_cursor(&entered, change.seq);
                return Ok(Some((render(entered, cursor, change).await?, feed)));
            }
            Ok(None)
        }
    };
    Ok(futures_util::TryStreamExt::map_err(
        try_unfold(feed, next),
        expose,
    ))
}
