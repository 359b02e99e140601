//! Who looks after the installation. Only its operator decides, from the command line.

use entity::ids::{TypedId as _, UserId};
use entity::user;
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use crate::access;
use crate::kernel::actor::Actor;
use crate::kernel::changes::Topic;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Audit, Hold as _, Scope, Tx};

/// Makes a person an administrator of the installation, or no longer. Returns whether that was new.
pub async fn set_admin(platform: &Platform, id: UserId, is_admin: bool) -> Result<bool> {
    let body = |tx: Tx| async move {
        let select = tx
            .find_global::<user::Entity>()
            .filter(user::Column::Id.eq(id))
            .hold();
        let mut row = select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
        if row.is_admin == is_admin {
            return Ok(false);
        }
        row.is_admin = is_admin;
        let entry = Audit {
            action: "user.admin_changed",
            entity_type: "User",
            entity_id: id.uuid(),
            changes: Some(serde_json::json!({ "isAdmin": { "from": !is_admin, "to": is_admin } })),
        };
        tx.audit_in(access::home_in(&tx, id).await?, entry);
        row.version += 1;
        row.updated_at = tx.now();
        // What is kept of the person says otherwise.
        tx.announce(Topic::Revoked(id), &())?;
        tx.update_global_row(row.into_active_model().reset_all()).await?;
        Ok(true)
    };
    platform.write(Scope::System, Actor::system(), body).await
}
