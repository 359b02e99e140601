//! Commands on people and their settings. Their rows belong to no workspace, so nothing here is in a change log; what changed is in the
//! audit log of the person's own workspace.

pub mod admin;

use entity::enums::{
    ApiTokenScope, EnergyPeriod, NotificationChannel, NotificationType, ReplanPolicy, Weekday,
};
use entity::ids::{TypedId as _, UserId, WorkspaceId};
use entity::{notification_preference, user, user_preferences};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, EntityTrait as _, IntoActiveModel as _, QueryFilter as _,
    QuerySelect as _, Set,
};
use serde_json::{Map, Value};

use super::model::{Delivery, NewPerson, PreferencesPatch, ProfilePatch};
use super::{read, rules};
use crate::access::{self, Access};
use crate::kernel::actor::{Actor, Origin};
use crate::kernel::changes::Topic;
use crate::kernel::patch::Patch;
use crate::kernel::text::{self, Checks};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::Platform;
use crate::platform::db::{Audit, Hold as _, Scope, Tx};

/// Stores a person with their settings. `home` is their personal workspace, which exists already. A taken e-mail address fails as a
/// broken unique key; see `workspaces::create_personal`.
pub async fn create_in(tx: &Tx, id: UserId, new: &NewPerson, home: WorkspaceId) -> Result<user::Model> {
    let stored = tx.insert_global(person(tx, id, new)).await?;
    tx.insert_global(usual_preferences(tx, id, new, home)?).await?;
    Ok(stored)
}

/// Checks and cleans a person who is to be stored.
pub fn check(mut new: NewPerson) -> Result<NewPerson> {
    let mut checks = Checks::default();
    new.name = checks.title("name", &new.name, rules::MAX_NAME);
    match text::email(&new.email) {
        Some(email) => new.email = email,
        None => checks.fail(UserErrorCode::Invalid, "email", "This is not an e-mail address."),
    }
    checks.require(
        rules::is_language_tag(&new.locale),
        UserErrorCode::Invalid,
        "locale",
        "Use a language tag such as `en-GB`.",
    );
    checks.finish().map(|()| new)
}

fn person(tx: &Tx, id: UserId, new: &NewPerson) -> user::ActiveModel {
    user::ActiveModel {
        id: Set(id),
        name: Set(new.name.clone()),
        email: Set(new.email.clone()),
        avatar_url: Set(None),
        email_verified_at: Set(new.is_email_verified.then_some(tx.now())),
        is_admin: Set(new.is_admin),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    }
}

fn usual_preferences(
    tx: &Tx,
    id: UserId,
    new: &NewPerson,
    home: WorkspaceId,
) -> Result<user_preferences::ActiveModel> {
    Ok(user_preferences::ActiveModel {
        user_id: Set(id),
        time_zone: Set(new.time_zone.clone()),
        locale: Set(new.locale.clone()),
        week_starts_on: Set(Weekday::Monday),
        working_hours: Set(serde_json::to_value(rules::usual_hours()).map_err(Error::internal)?),
        default_task_duration_minutes: Set(30),
        default_focus_minutes: Set(50),
        buffer_minutes: Set(5),
        max_daily_task_minutes: Set(360),
        peak_energy: Set(EnergyPeriod::Morning),
        replan_policy: Set(ReplanPolicy::Off),
        default_workspace_id: Set(Some(home)),
        quiet_from: Set(None),
        quiet_until: Set(None),
        digest_at: Set(None),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    })
}

/// Changes what others see of the caller.
pub async fn update_profile(access: &Access, patch: ProfilePatch) -> Result<user::Model> {
    let id = access.caller().require_personal(ApiTokenScope::Write)?;
    let mut checks = Checks::default();
    let name = patch
        .name
        .as_deref()
        .map(|name| checks.title("input.name", name, rules::MAX_NAME));
    checks.finish()?;
    write(access, |tx| {
        let (name, avatar_url) = (name.clone(), patch.avatar_url.clone());
        async move {
            let select = tx
                .find_global::<user::Entity>()
                .filter(user::Column::Id.eq(id))
                .hold();
            let before = select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
            let mut row = before.clone();
            row.name = name.unwrap_or(row.name);
            row.avatar_url = avatar_url.apply(row.avatar_url);
            if row == before {
                return Ok(row);
            }
            row.version += 1;
            row.updated_at = tx.now();
            record(&tx, id, "user.updated", rules::profile_diff(&before, &row)).await?;
            tx.announce(Topic::Revoked(id), &())?;
            tx.update_global_row(row.into_active_model().reset_all()).await
        }
    })
    .await
}

/// Changes personal settings of the caller.
pub async fn update_preferences(access: &Access, patch: PreferencesPatch) -> Result<user_preferences::Model> {
    let id = access.caller().require_personal(ApiTokenScope::Write)?;
    let mut checks = Checks::default();
    if let Some(workspace) = patch.default_workspace_id.value() {
        let known = access
            .memberships()
            .await?
            .iter()
            .any(|membership| membership.workspace_id == *workspace);
        let message = "There is no such workspace, or you are not a member.";
        checks.require(
            known,
            UserErrorCode::ReferenceNotFound,
            "input.defaultWorkspaceId",
            message,
        );
    }
    let hours = patch
        .working_hours
        .as_deref()
        .map(|hours| rules::check_hours(&mut checks, "input.workingHours", hours));
    let hours = hours
        .map(serde_json::to_value)
        .transpose()
        .map_err(Error::internal)?;
    let before = read::preferences(access.platform(), id).await?;
    rules::check(&mut checks, &changed(before, &patch, hours.clone()));
    if let Patch::Set(hours) = &patch.quiet_hours {
        let message = "These hours end where they begin. Send null to have none.";
        checks.require(
            hours.from != hours.until,
            UserErrorCode::InvalidTimeRange,
            "input.quietHours.until",
            message,
        );
    }
    checks.finish()?;
    write(access, |tx| {
        let (patch, hours) = (patch.clone(), hours.clone());
        async move {
            let select = tx
                .find_global::<user_preferences::Entity>()
                .filter(user_preferences::Column::UserId.eq(id))
                .lock_exclusive();
            let before = select.one(tx.conn()).await?.ok_or_else(Error::not_found)?;
            let mut row = changed(before.clone(), &patch, hours);
            if row == before {
                return Ok(row);
            }
            row.version += 1;
            row.updated_at = tx.now();
            let changes = rules::preferences_diff(&before, &row);
            record(&tx, id, "preferences.updated", changes).await?;
            // What is kept of the person becomes old.
            tx.announce(Topic::Revoked(id), &())?;
            tx.update_global_row(row.into_active_model().reset_all()).await
        }
    })
    .await
}

fn changed(
    mut row: user_preferences::Model,
    patch: &PreferencesPatch,
    hours: Option<serde_json::Value>,
) -> user_preferences::Model {
    row.time_zone = patch.time_zone.clone().unwrap_or(row.time_zone);
    row.locale = patch.locale.clone().unwrap_or(row.locale);
    row.week_starts_on = patch.week_starts_on.unwrap_or(row.week_starts_on);
    row.working_hours = hours.unwrap_or(row.working_hours);
    row.default_task_duration_minutes = patch
        .default_task_duration_minutes
        .unwrap_or(row.default_task_duration_minutes);
    row.default_focus_minutes = patch.default_focus_minutes.unwrap_or(row.default_focus_minutes);
    row.buffer_minutes = patch.buffer_minutes.unwrap_or(row.buffer_minutes);
    row.max_daily_task_minutes = patch.max_daily_task_minutes.unwrap_or(row.max_daily_task_minutes);
    row.peak_energy = patch.peak_energy.unwrap_or(row.peak_energy);
    row.replan_policy = patch.replan_policy.unwrap_or(row.replan_policy);
    row.default_workspace_id = patch.default_workspace_id.clone().apply(row.default_workspace_id);
    match &patch.quiet_hours {
        Patch::Keep => {}
        Patch::Clear => (row.quiet_from, row.quiet_until) = (None, None),
        Patch::Set(hours) => {
            row.quiet_from = Some(rules::clock_text(hours.from));
            row.quiet_until = Some(rules::clock_text(hours.until));
        }
    }
    row.digest_at = match &patch.digest_at {
        Patch::Keep => row.digest_at,
        Patch::Clear => None,
        Patch::Set(time) => Some(rules::clock_text(*time)),
    };
    row
}

/// Sets the channels of some kinds of notifications of the caller; the others stay as they are.
pub async fn update_deliveries(access: &Access, wanted: Vec<Delivery>) -> Result<Vec<Delivery>> {
    let id = access.caller().require_personal(ApiTokenScope::Write)?;
    rules::check_deliveries(&wanted)?;
    write(access, |tx| {
        let wanted = wanted.clone();
        async move {
            store_deliveries(&tx, id, wanted).await?;
            read::deliveries_in(&tx, id).await
        }
    })
    .await
}

/// Stores the channels of some kinds and records those that are new.
async fn store_deliveries(tx: &Tx, id: UserId, wanted: Vec<Delivery>) -> Result<()> {
    let before = read::deliveries_in(tx, id).await?;
    let changes = rules::deliveries_diff(&before, &wanted);
    for one in wanted {
        store_delivery(tx, id, one).await?;
    }
    if changes == Value::Object(Map::new()) {
        return Ok(());
    }
    record(tx, id, "notification_preferences.updated", changes).await
}

async fn store_delivery(tx: &Tx, id: UserId, one: Delivery) -> Result<()> {
    use notification_preference::{ActiveModel, Column, Entity};
    let mut channels = one.channels;
    channels.sort_by_key(|channel| *channel as u8);
    channels.dedup();
    let row = ActiveModel {
        user_id: Set(id),
        r#type: Set(one.r#type),
        channels: Set(serde_json::to_value(channels).map_err(Error::internal)?),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    let key = [Column::UserId, Column::Type];
    let update = [Column::Channels, Column::UpdatedAt];
    let insert = Entity::insert(row).on_conflict(
        sea_orm::sea_query::OnConflict::columns(key)
            .update_columns(update)
            .to_owned(),
    );
    insert.exec_without_returning(tx.conn()).await?;
    Ok(())
}

/// Stops e-mail of one kind, or of all that can be stopped, for the person of a signed link: whoever has the link needs no session.
pub async fn stop_mail(
    platform: &Platform,
    id: UserId,
    kind: Option<NotificationType>,
    origin: Origin,
) -> Result<()> {
    let body = |tx: Tx| async move {
        // A person who was erased has nothing to stop.
        let person = tx.find_global::<user::Entity>().filter(user::Column::Id.eq(id));
        if person.one(tx.conn()).await?.is_none() {
            return Ok(());
        }
        let wanted = read::deliveries_in(&tx, id).await?.into_iter().filter(|one| {
            kind.is_none_or(|kind| kind == one.r#type) && one.channels.contains(&NotificationChannel::Email)
        });
        let stopped = wanted.map(|mut one| {
            one.channels
                .retain(|channel| *channel != NotificationChannel::Email);
            one
        });
        store_deliveries(&tx, id, stopped.collect()).await
    };
    platform
        .write(Scope::System, Actor::person(id, origin), body)
        .await
}

/// Notes in the log of the person's own workspace what was done to them or their settings.
async fn record(tx: &Tx, id: UserId, action: &'static str, changes: Value) -> Result<()> {
    let entry = Audit {
        action,
        entity_type: "User",
        entity_id: id.uuid(),
        changes: Some(changes),
    };
    tx.audit_in(access::home_in(tx, id).await?, entry);
    Ok(())
}

/// One transaction on rows of the caller that belong to no workspace.
async fn write<T, F, Fut>(access: &Access, body: F) -> Result<T>
where
    F: Fn(Tx) -> Fut + Send + Sync,
    Fut: Future<Output = Result<T>> + Send,
    T: Send,
{
    access
        .platform()
        .write(Scope::System, access.caller().actor(), body)
        .await
}
