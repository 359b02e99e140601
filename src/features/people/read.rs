//! Questions about people. Whoever asks has decided that the answer may be seen.

use std::collections::HashSet;
use std::sync::Arc;

use entity::ids::{UserId, WorkspaceId};
use entity::{membership, notification_preference, user, user_preferences};
use sea_orm::{ColumnTrait as _, QueryFilter as _, QuerySelect as _};

use super::model::Delivery;
use super::rules;
use crate::kernel::{Error, Result};
use crate::platform::Platform;
use crate::platform::cache::{Group, Kept};
use crate::platform::db::{Read, Scope, among};

/// One person, if they exist.
pub async fn find(platform: &Platform, id: UserId) -> Result<Option<user::Model>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read.find_global::<user::Entity>().filter(user::Column::Id.eq(id));
    Ok(select.one(&read).await?)
}

/// The people that exist among these, for looking at only: they may be some seconds old.
pub async fn get_many(platform: &Platform, ids: &[UserId]) -> Result<Vec<Arc<user::Model>>> {
    let load = |ids: Vec<UserId>| async move {
        let read = platform.db.read(Scope::System).await?;
        let select = read
            .find_global::<user::Entity>()
            .filter(among(&read, user::Column::Id, ids));
        let rows = select.all(&read).await?;
        Ok(rows.into_iter().map(|row| (row.id, Arc::new(row))).collect())
    };
    let group = |id: &UserId| Group::Person(*id);
    let found = platform
        .cache
        .get_many::<People, _, _, _>(ids, group, load)
        .await?;
    Ok(found.into_iter().map(|(_, row)| row).collect())
}

struct People;

impl Kept for People {
    const NAME: &'static str = "people";
    type Key = UserId;
    type Value = Arc<user::Model>;
    const CAPACITY: u64 = 20_000;
    const TIME_TO_LIVE: std::time::Duration = std::time::Duration::from_secs(30);
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
    preferences_in(&platform.db.read(Scope::System).await?, id).await
}

/// As [`preferences`], for looking at only: they may be some seconds old.
pub async fn look_at_preferences(platform: &Platform, id: UserId) -> Result<Arc<user_preferences::Model>> {
    let load = async { Box::pin(preferences(platform, id)).await.map(Arc::new) };
    platform
        .cache
        .get::<PreferencesOf, _>(id, Group::Person(id), load)
        .await
}

struct PreferencesOf;

impl Kept for PreferencesOf {
    const NAME: &'static str = "preferences";
    type Key = UserId;
    type Value = Arc<user_preferences::Model>;
    const CAPACITY: u64 = 20_000;
    const TIME_TO_LIVE: std::time::Duration = std::time::Duration::from_secs(300);
}

/// [`preferences`] inside an open read or transaction.
pub async fn preferences_in(read: &Read, id: UserId) -> Result<user_preferences::Model> {
    let select = read
        .find_global::<user_preferences::Entity>()
        .filter(user_preferences::Column::UserId.eq(id));
    select.one(read).await?.ok_or_else(Error::not_found)
}

/// Those of `people` who are members of one of `workspaces`.
pub async fn sharing_workspace(
    platform: &Platform,
    workspaces: &[WorkspaceId],
    people: &[UserId],
) -> Result<HashSet<UserId>> {
    let mut known = HashSet::new();
    for workspace in workspaces {
        let members = members_of(platform, *workspace).await?;
        known.extend(people.iter().filter(|person| members.contains(person)));
        if known.len() == people.len() {
            break;
        }
    }
    Ok(known)
}

/// The members of a workspace, which may be some seconds old.
async fn members_of(platform: &Platform, workspace: WorkspaceId) -> Result<Arc<HashSet<UserId>>> {
    let load = async { Box::pin(load_members(platform, workspace)).await };
    platform
        .cache
        .get::<MembersOf, _>(workspace, Group::Memberships, load)
        .await
}

async fn load_members(platform: &Platform, workspace: WorkspaceId) -> Result<Arc<HashSet<UserId>>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<membership::Entity>()
        .select_only()
        .column(membership::Column::UserId)
        .filter(membership::Column::WorkspaceId.eq(workspace));
    let ids = select.into_tuple::<UserId>().all(&read).await?;
    Ok(Arc::new(ids.into_iter().collect()))
}

struct MembersOf;

impl Kept for MembersOf {
    const NAME: &'static str = "members";
    type Key = WorkspaceId;
    type Value = Arc<HashSet<UserId>>;
    const CAPACITY: u64 = 5_000;
    const TIME_TO_LIVE: std::time::Duration = std::time::Duration::from_secs(30);
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
