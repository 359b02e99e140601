//! Sealing the secrets of published feeds again with the current key, after it was changed. Their addresses stay as they are.

use entity::calendar::{ActiveModel, Column, Entity, Model};
use sea_orm::{ColumnTrait as _, QueryFilter as _, Set};

use crate::features::calendars::rules;
use crate::kernel::Result;
use crate::platform::Platform;
use crate::platform::db::{Tx, reseal};
use crate::platform::secrets::{Resealed, Secrets};

/// Seals the secret of every published feed with the current key.
pub async fn reseal_feeds(platform: &Platform) -> Result<Resealed> {
    let anew = |tx: Tx, row: Model| async move { seal(&platform.secrets, &tx, row).await };
    reseal::<Entity, _, _>(platform, (Column::Id, Column::SealedFeedSecret), anew).await
}

async fn seal(secrets: &Secrets, tx: &Tx, row: Model) -> Result<bool> {
    let place = rules::feed_place(row.workspace_id, row.id);
    let sealed = row.sealed_feed_secret.unwrap_or_default();
    let Ok(secret) = secrets.open(&sealed, &place) else {
        return Ok(false);
    };
    let anew = ActiveModel {
        sealed_feed_secret: Set(Some(secrets.seal(&secret, &place)?)),
        ..Default::default()
    };
    // Nobody sees a difference, so neither version nor change log tells one.
    let update = tx.update_many::<Entity>().set(anew);
    update.filter(Column::Id.eq(row.id)).exec(tx.conn()).await?;
    Ok(true)
}
