//! Being here and seeing who else is, for as long as one is a member.

use crate::access::{Access, Caller, Ctx, still_valid};
use crate::kernel::Result;
use crate::kernel::changes::Topic;
use crate::kernel::presence::Seen;
use crate::platform::presence::{Sitting, Watch};
use crate::platform::pubsub::{Signal, Subscription};

use super::{is_shown, rules};

/// Somebody who watches and is seen.
pub struct Here {
    ctx: Ctx,
    caller: Caller,
    watch: Watch,
    /// Rung when something was taken away from the caller.
    revoked: Subscription,
    _sitting: Sitting,
}

impl Here {
    /// Enters: from now on the caller is seen, and sees what changes.
    pub fn enter(ctx: Ctx, caller: &Caller) -> Result<Self> {
        let (platform, workspace) = (ctx.platform().clone(), ctx.workspace_id());
        let client = rules::client(caller)?;
        // Listening comes first, so that nobody misses how they came in themselves.
        let watch = platform.presence.watch(workspace);
        Ok(Self {
            revoked: platform.pubsub.subscribe(Topic::Revoked(client.user_id)),
            _sitting: platform.presence.sit(workspace, client),
            watch,
            caller: caller.clone(),
            ctx,
        })
    }

    /// The next change of a member; `None` when the server stops. Fails when the caller may not watch any more.
    pub async fn next(&mut self) -> Result<Option<Seen>> {
        loop {
            let seen = tokio::select! {
                seen = self.watch.next() => match seen {
                    Some(seen) => Some(seen),
                    None => return Ok(None),
                },
                signal = self.revoked.recv() => match signal {
                    Signal::Closed => return Ok(None),
                    Signal::Message(_) | Signal::Resync => None,
                },
            };
            self.check().await?;
            let Some(seen) = seen else { continue };
            if is_shown(&self.ctx, &seen).await? {
                return Ok(Some(seen));
            }
        }
    }

    /// Asked again each time, so that a removed member sees nothing more.
    async fn check(&self) -> Result<()> {
        let platform = self.ctx.platform();
        still_valid(platform, &self.caller).await?;
        let access = Access::new(platform.clone(), self.caller.clone());
        access.ctx(self.ctx.workspace_id()).await.map(drop)
    }
}
