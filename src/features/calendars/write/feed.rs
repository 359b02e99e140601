//! Publishing a calendar under a secret address, and withdrawing it.
//!
//! Promises: an address is as strong as a password and stored as a hash; publishing again makes the old one useless at once.

use entity::calendar;
use entity::enums::ChangeAction;
use entity::ids::CalendarId;
use sea_orm::{ActiveModelTrait as _, IntoActiveModel as _};

use super::{lock, record, require_manage};
use crate::access::{Ctx, secret, token_hash};
use crate::features::calendars::rules;
use crate::kernel::Result;
use crate::kernel::actions::{Action, Resource};

/// Publishes the feed of a calendar under a new address.
pub async fn publish_feed(ctx: &Ctx, id: CalendarId) -> Result<calendar::Model> {
    let secret = secret()?;
    let place = rules::feed_place(ctx.workspace_id(), id);
    let sealed = ctx.platform().secrets.seal(secret.as_bytes(), &place)?;
    store(ctx, id, Some((token_hash(&secret), sealed))).await
}

/// Withdraws the feed of a calendar. One that is not published stays as it is.
pub async fn unpublish_feed(ctx: &Ctx, id: CalendarId) -> Result<calendar::Model> {
    store(ctx, id, None).await
}

async fn store(ctx: &Ctx, id: CalendarId, feed: Option<(Vec<u8>, Vec<u8>)>) -> Result<calendar::Model> {
    ctx.require(Action::Edit, Resource::Calendar)?;
    ctx.write(|tx| {
        let feed = feed.clone();
        async move {
            let before = lock(&tx, id).await?;
            require_manage(ctx, &before)?;
            if feed.is_none() && before.feed_secret_hash.is_none() {
                return Ok(before);
            }
            let action = match feed {
                Some(_) => "calendar.feed_published",
                None => "calendar.feed_withdrawn",
            };
            let mut row = before;
            (row.feed_secret_hash, row.sealed_feed_secret) = feed.unzip();
            row.version += 1;
            row.updated_at = tx.now();
            let stored = tx.update(row.into_active_model().reset_all()).await?;
            record(&tx, action, ChangeAction::Updated, id, None);
            Ok(stored)
        }
    })
    .await
}
