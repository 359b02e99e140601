//! Presence: which members of a workspace are here, and what they are looking at.
//!
//! Invariants: only members see and are seen; being connected is enough to be here; nothing of it is stored beyond the moment.

mod rules;
mod watch;

use crate::access::{Caller, Ctx};
use crate::features::people;
use crate::kernel::Result;
use crate::kernel::presence::{Seen, Sign, Status};
use crate::platform::presence::{Sitting, Watch};
use entity::enums::ApiTokenScope;
use tokio::sync::Mutex;

pub use watch::Here;

/// The members who are here now, the most lively first.
pub async fn list(ctx: &Ctx) -> Result<Vec<Seen>> {
    let platform = ctx.platform();
    let mut all = platform.presence.look(ctx.workspace_id()).await;
    let people: Vec<_> = all.iter().map(|seen| seen.user_id).collect();
    // Somebody who was removed a moment ago may not be gone yet.
    let members = people::sharing_workspace(platform, &[ctx.workspace_id()], &people).await?;
    all.retain(|seen| members.contains(&seen.user_id));
    all.sort_by_key(|seen| (std::cmp::Reverse(seen.status), seen.user_id));
    Ok(all)
}

/// Listens for many, who are here by themselves: whoever drives them looks after their membership.
pub fn watch(ctx: &Ctx) -> Watch {
    ctx.platform().presence.watch(ctx.workspace_id())
}

/// What others see of a member who listens through somebody else: they are here until the value is dropped.
pub fn sit(ctx: &Ctx, caller: &Caller) -> Result<Sitting> {
    let client = rules::client(caller)?;
    Ok(ctx.platform().presence.sit(ctx.workspace_id(), client))
}

/// The next change that members may see; `None` when the server stops.
pub async fn next_of(ctx: &Ctx, watch: &Mutex<Watch>) -> Result<Option<Seen>> {
    loop {
        let Some(seen) = watch.lock().await.next().await else {
            return Ok(None);
        };
        if is_shown(ctx, &seen).await? {
            return Ok(Some(seen));
        }
    }
}

/// Whether members are told. That somebody left is also told of those who were removed.
async fn is_shown(ctx: &Ctx, seen: &Seen) -> Result<bool> {
    if seen.status == Status::Offline {
        return Ok(true);
    }
    let found = people::sharing_workspace(ctx.platform(), &[ctx.workspace_id()], &[seen.user_id]).await?;
    Ok(found.contains(&seen.user_id))
}

/// Tells the other members what the caller is doing; what they see of the caller now.
pub fn update(ctx: &Ctx, caller: &Caller, status: Status, location: Option<&str>) -> Result<Seen> {
    caller.require_scope(ApiTokenScope::Write)?;
    let client = rules::client(caller)?;
    let sign = Sign {
        status,
        location: rules::location(location)?,
        seen_at: ctx.platform().clock.now(),
    };
    Ok(ctx.platform().presence.declare(ctx.workspace_id(), client, sign))
}
