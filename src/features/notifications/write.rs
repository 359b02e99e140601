//! Commands on notifications: writing one as part of another change, and what its person does with it.

use std::collections::HashSet;

use entity::enums::{ApiTokenScope, NotificationChannel, NotificationType};
use entity::ids::NotificationId;
use entity::notification::{self, Column, Entity};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ColumnTrait as _, Condition, EntityTrait as _, QueryFilter as _, QuerySelect as _, Set, TryInsertResult,
};

use super::model::NewNotification;
use super::read::{find_many, own};
use crate::access::Access;
use crate::features::people;
use crate::kernel::changes::Topic;
use crate::kernel::jobs::{NewJob, Payload};
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::{Scope, Tx};

/// Longest title, in characters.
const MAX_TITLE: usize = 300;
/// Longest body, in characters.
const MAX_BODY: usize = 5_000;
/// Most notifications that are marked by their ids at once.
const MAX_MARKED: usize = 100;

/// Writes a notification as part of a transaction and announces it after the commit; its letter follows when its person wants one.
/// `None` when they do not want this kind at all, or were told already.
pub async fn notify_in(tx: &Tx, new: NewNotification) -> Result<Option<NotificationId>> {
    let deliveries = people::deliveries_in(tx, new.user_id).await?;
    let wanted = deliveries.into_iter().find(|one| one.r#type == new.r#type);
    let mut channels = wanted.map(|one| one.channels).unwrap_or_default();
    if new.r#type == NotificationType::Security && !channels.contains(&NotificationChannel::InApp) {
        channels.push(NotificationChannel::InApp);
    }
    deliver_in(tx, new, &channels).await
}

/// [`notify_in`] over the channel that somebody chose for this one thing, unless they switched the kind off altogether.
pub async fn notify_over_in(
    tx: &Tx,
    new: NewNotification,
    channel: NotificationChannel,
) -> Result<Option<NotificationId>> {
    let deliveries = people::deliveries_in(tx, new.user_id).await?;
    let wanted = deliveries.iter().find(|one| one.r#type == new.r#type);
    if wanted.is_none_or(|one| one.channels.is_empty()) {
        return Ok(None);
    }
    deliver_in(tx, new, &[channel]).await
}

async fn deliver_in(
    tx: &Tx,
    new: NewNotification,
    channels: &[NotificationChannel],
) -> Result<Option<NotificationId>> {
    if channels.is_empty() {
        return Ok(None);
    }
    let is_shown = channels.contains(&NotificationChannel::InApp);
    let mail_due_at = if channels.contains(&NotificationChannel::Email) {
        let preferences = people::preferences_in(tx, new.user_id).await?;
        Some(people::mail_time(&preferences, new.r#type, tx.now()))
    } else {
        None
    };
    let id: NotificationId = tx.ids().next();
    let row = notification::ActiveModel {
        id: Set(id),
        user_id: Set(new.user_id),
        workspace_id: Set(new.workspace_id),
        r#type: Set(new.r#type),
        title: Set(new.title.chars().take(MAX_TITLE).collect()),
        body: Set(new.body.map(|text| text.chars().take(MAX_BODY).collect())),
        subject_type: Set(new.subject.map(|(kind, _)| kind.as_str().to_owned())),
        subject_id: Set(new.subject.map(|(_, id)| id)),
        read_at: Set(None),
        actor_id: Set(tx.actor().user_id.filter(|id| *id != new.user_id)),
        // Keys are unique in the whole table, causes only for their person.
        dedup_key: Set(new.dedup_key.map(|key| format!("{}:{key}", new.user_id))),
        mail_due_at: Set(mail_due_at),
        mailed_at: Set(None),
        mail_only_since: Set((!is_shown).then_some(tx.now())),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
    };
    let insert = Entity::insert(row)
        .on_conflict(OnConflict::new().do_nothing().to_owned())
        .try_insert();
    match insert.exec_without_returning(tx.conn()).await? {
        TryInsertResult::Inserted(1..) => {}
        _ => return Ok(None),
    }
    if is_shown {
        tx.announce(Topic::Notifications(new.user_id), &id)?;
    }
    if let Some(due) = mail_due_at {
        // All that is due at the same moment, such as the mail of a day, is one job of each workspace.
        let moment = format!("mail-notifications:{}:{}", new.user_id, due.timestamp_micros());
        let payload = Payload::MailNotifications { user_id: new.user_id };
        let job = match tx.scope() {
            Scope::Workspace(id) => NewJob::for_workspace(id, payload).unique(format!("{moment}:{id}")),
            Scope::System => NewJob::for_system(payload).unique(moment),
        };
        tx.enqueue(job.at(due)).await?;
    }
    Ok(Some(id))
}

/// Marks all notifications of the caller as read; returns how many were unread.
pub async fn mark_all_read(access: &Access) -> Result<u64> {
    access.caller().require_scope(ApiTokenScope::Write)?;
    mark(access, own(access.caller())?.add(Column::ReadAt.is_null()), true).await
}

/// Marks these notifications as read, all or none; returns how many were unread.
pub async fn mark_read(access: &Access, ids: &[NotificationId]) -> Result<u64> {
    access.caller().require_scope(ApiTokenScope::Write)?;
    if ids.len() > MAX_MARKED {
        let message = format!("Give at most {MAX_MARKED} notifications.");
        return Err(Error::user(UserErrorCode::OutOfRange, "ids", message));
    }
    let found: HashSet<NotificationId> = find_many(access, ids).await?.iter().map(|row| row.id).collect();
    if let Some(index) = ids.iter().position(|id| !found.contains(id)) {
        let message = "You have no such notification.";
        return Err(Error::user(
            UserErrorCode::ReferenceNotFound,
            &format!("ids.{index}"),
            message,
        ));
    }
    let these = own(access.caller())?
        .add(Column::Id.is_in(ids.iter().copied()))
        .add(Column::ReadAt.is_null());
    mark(access, these, true).await
}

/// Marks a notification as unread.
pub async fn mark_unread(access: &Access, id: NotificationId) -> Result<notification::Model> {
    access.caller().require_scope(ApiTokenScope::Write)?;
    mark(access, own(access.caller())?.add(Column::Id.eq(id)), false).await?;
    find_many(access, &[id]).await?.pop().ok_or_else(Error::not_found)
}

async fn mark(access: &Access, which: Condition, read: bool) -> Result<u64> {
    let body = |tx: Tx| {
        let which = which.clone();
        async move {
            let update = tx
                .update_global::<Entity>()
                .col_expr(Column::ReadAt, Expr::val(read.then_some(tx.now())))
                .col_expr(Column::UpdatedAt, Expr::val(tx.now()))
                .filter(which);
            Ok(update.exec(tx.conn()).await?.rows_affected)
        }
    };
    access
        .platform()
        .write(Scope::System, access.caller().actor(), body)
        .await
}

/// Deletes a notification of the caller.
pub async fn delete(access: &Access, id: NotificationId) -> Result<()> {
    access.caller().require_scope(ApiTokenScope::Write)?;
    let own = own(access.caller())?.add(Column::Id.eq(id));
    let body = |tx: Tx| {
        let own = own.clone();
        async move {
            let found = tx
                .find_global::<Entity>()
                .filter(own)
                .lock_exclusive()
                .one(tx.conn())
                .await?;
            let row = found.ok_or_else(Error::not_found)?;
            tx.delete_global::<Entity>()
                .filter(Column::Id.eq(row.id))
                .exec(tx.conn())
                .await?;
            Ok(())
        }
    };
    access
        .platform()
        .write(Scope::System, access.caller().actor(), body)
        .await
}
