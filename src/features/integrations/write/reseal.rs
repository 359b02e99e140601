//! Sealing credentials again with the current key, after it was changed.

use entity::integration::{Column, Entity, Model};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::super::credentials::Account;
use crate::kernel::Result;
use crate::platform::Platform;
use crate::platform::db::{self, Tx};
use crate::platform::secrets::{Resealed, Secrets};

/// Seals the credentials of every integration with the current key. What recognises an account depends on the key too, so it is made anew.
pub async fn reseal(platform: &Platform) -> Result<Resealed> {
    let anew = |tx: Tx, row: Model| async move { seal(&platform.secrets, &tx, row).await };
    db::reseal::<Entity, _, _>(platform, (Column::Id, Column::SealedCredentials), anew).await
}

async fn seal(secrets: &Secrets, tx: &Tx, mut row: Model) -> Result<bool> {
    let Ok(account) = Account::unseal(secrets, &row) else {
        return Ok(false);
    };
    row.sealed_credentials = Some(account.seal(secrets, row.workspace_id)?);
    row.settings["account"] = account.fingerprint(secrets)?.into();
    let id = row.id;
    // Nobody sees a difference, so neither version nor change log tells one.
    let update = tx
        .update_many::<Entity>()
        .set(row.into_active_model().reset_all());
    update.filter(Column::Id.eq(id)).exec(tx.conn()).await?;
    Ok(true)
}
