//! Presence: which members of a workspace are here, and what they are looking at.
//!
//! Invariants: only members see and are seen; being connected is enough to be here; nothing of it is stored beyond the moment.

mod rules;
mod watch;

use crate::access::{Caller, Ctx};
use crate::features::people;
use crate::kernel::Result;
use crate::kernel::presence::{Seen, Sign, Status};
use entity::enums::ApiTokenScope;

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
