//! Questions about people. Whoever asks has decided that the answer may be seen.

use std::collections::HashSet;

use entity::ids::{UserId, WorkspaceId};
use entity::{membership, notification_preference, user, user_preferences};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::model::Delivery;
use super::rules;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::db::{Read, Scope};

/// One person, if they exist.
pub async fn find(platform: &Platform, id: UserId) -> Result<Option<user::Model>> {
    Ok(get_many(platform, &[id]).await?.pop())
}

/// The people that exist among these.
pub async fn get_many(platform: &Platform, ids: &[UserId]) -> Result<Vec<user::Model>> {
    let read = platform.db.read(Scope::System).await?;
    Ok(read
        .find_global::<user::Entity>()
        .filter(user::Column::Id.is_in(ids.iter().copied()))
        .all(&read)
        .await?)
}

/// The person with this address (lower case), if any.
pub async fn find_by_email(platform: &Platform, email: &str) -> Result<Option<user::Model>> {
    let read = platform.db.read(Scope::System).await?;
    Ok(read
        .find_global::<user::Entity>()
        .filter(user::Column::Email.eq(email))
        .one(&read)
        .await?)
}

/// Personal settings of a person.
pub async fn preferences(platform: &Platform, id: UserId) -> Result<user_preferences::Model> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find_global::<user_preferences::Entity>()
        .filter(user_preferences::Column::UserId.eq(id));
    select.one(&read).await?.ok_or_else(Error::not_found)
}

/// Those of `people` who are members of one of `workspaces`.
pub async fn sharing_workspace(
    platform: &Platform,
    workspaces: &[WorkspaceId],
    people: &[UserId],
) -> Result<HashSet<UserId>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<membership::Entity>()
        .select_only()
        .column(membership::Column::UserId)
        .filter(membership::Column::WorkspaceId.is_in(workspaces.iter().copied()))
        .filter(membership::Column::UserId.is_in(people.iter().copied()));
    Ok(select
        .into_tuple::<UserId>()
        .all(&read)
        .await?
        .into_iter()
        .collect())
}

/// Where each kind of notification of a person goes.
pub async fn deliveries(platform: &Platform, id: UserId) -> Result<Vec<Delivery>> {
    deliveries_in(&platform.db.read(Scope::System).await?, id).await
}

/// [`deliveries`] inside an open read or transaction.
pub async fn deliveries_in(read: &Read, id: UserId) -> Result<Vec<Delivery>> {
    let select = read
        .find_global::<notification_preference::Entity>()
        .filter(notification_preference::Column::UserId.eq(id));
    rules::deliveries(&select.all(read).await?)
}
