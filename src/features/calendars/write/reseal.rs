//! Sealing the secrets of published feeds again with the current key, after it was changed. Their addresses stay as they are.

use entity::calendar;
use entity::ids::CalendarId;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _, Set};

use crate::features::calendars::rules;
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::secrets::Resealed;

/// Rows of one transaction.
const PAGE: u64 = 100;

/// Seals the secret of every published feed with the current key, some in each transaction.
pub async fn reseal_feeds(platform: &Platform) -> Result<Resealed> {
    let mut all = Resealed::default();
    let mut after: Option<CalendarId> = None;
    loop {
        let body = |tx: Tx| async move { page(platform, &tx, after).await };
        let (page, last) = platform.write(Scope::System, Actor::system(), body).await?;
        all.done += page.done;
        all.lost += page.lost;
        match last {
            Some(last) => after = Some(last),
            None => return Ok(all),
        }
    }
}

async fn page(
    platform: &Platform,
    tx: &Tx,
    after: Option<CalendarId>,
) -> Result<(Resealed, Option<CalendarId>)> {
    use calendar::Column;
    let mut select = tx
        .find::<calendar::Entity>()
        .filter(Column::SealedFeedSecret.is_not_null());
    if let Some(after) = after {
        select = select.filter(Column::Id.gt(after));
    }
    let select = select.order_by_asc(Column::Id).limit(PAGE).lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    let last = rows.last().map(|row| row.id);
    let secrets = &platform.secrets;
    let mut resealed = Resealed::default();
    for row in rows {
        let Some(sealed) = row.sealed_feed_secret.as_deref() else {
            continue;
        };
        if secrets.is_current(sealed) {
            continue;
        }
        let place = rules::feed_place(row.workspace_id, row.id);
        let Ok(secret) = secrets.open(sealed, &place) else {
            resealed.lost += 1;
            continue;
        };
        let anew = calendar::ActiveModel {
            sealed_feed_secret: Set(Some(secrets.seal(&secret, &place)?)),
            ..Default::default()
        };
        // Nobody sees a difference, so neither version nor change log tells one.
        let update = tx.update_many::<calendar::Entity>().set(anew);
        update.filter(Column::Id.eq(row.id)).exec(tx.conn()).await?;
        resealed.done += 1;
    }
    Ok((resealed, last))
}
