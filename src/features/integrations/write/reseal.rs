//! Sealing credentials again with the current key, after it was changed.

use entity::ids::IntegrationId;
use entity::integration;
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};

use super::super::credentials::Account;
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::secrets::Resealed;

/// Rows of one transaction.
const PAGE: u64 = 100;

/// Seals the credentials of every integration with the current key, some in each transaction. What recognises an account depends on the key
/// too, so it is made anew.
pub async fn reseal(platform: &Platform) -> Result<Resealed> {
    let mut all = Resealed::default();
    let mut after: Option<IntegrationId> = None;
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
    after: Option<IntegrationId>,
) -> Result<(Resealed, Option<IntegrationId>)> {
    use integration::Column;
    let mut select = tx
        .find::<integration::Entity>()
        .filter(Column::SealedCredentials.is_not_null());
    if let Some(after) = after {
        select = select.filter(Column::Id.gt(after));
    }
    let select = select.order_by_asc(Column::Id).limit(PAGE).lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    let last = rows.last().map(|row| row.id);
    let secrets = &platform.secrets;
    let mut resealed = Resealed::default();
    for mut row in rows {
        if row
            .sealed_credentials
            .as_deref()
            .is_none_or(|sealed| secrets.is_current(sealed))
        {
            continue;
        }
        let Ok(account) = Account::unseal(secrets, &row) else {
            resealed.lost += 1;
            continue;
        };
        row.sealed_credentials = Some(account.seal(secrets, row.workspace_id)?);
        row.settings["account"] = account.fingerprint(secrets)?.into();
        let id = row.id;
        // Nobody sees a difference, so neither version nor change log tells one.
        let update = tx
            .update_many::<integration::Entity>()
            .set(row.into_active_model().reset_all());
        update.filter(Column::Id.eq(id)).exec(tx.conn()).await?;
        resealed.done += 1;
    }
    Ok((resealed, last))
}
