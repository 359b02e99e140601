//! Letters about notifications: one for each, or one for many that are due together. Promises: what its person has read in the meantime,
//! or is about a workspace that they left, is not sent; a notification becomes at most one letter.

use std::collections::HashMap;

use entity::enums::NotificationType;
use entity::ids::{NotificationId, TypedId as _, UserId, WorkspaceId};
use entity::notification::{self, Column, Entity};
use entity::{membership, user, workspace};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::rules;
use crate::features::letters::{self, Item, Letter, Post};
use crate::features::people;
use crate::kernel::Result;
use crate::kernel::actor::Actor;
use crate::kernel::jobs::Payload;
use crate::platform::Platform;
use crate::platform::db::{Scope, Tx};
use crate::platform::jobs::{JobError, RunningJob};

/// Notifications of one transaction, and of one letter.
const PAGE: u64 = 100;
/// So many that are due together are one letter, also for somebody who asked for no digest.
const CROWD: usize = 4;

/// Writes the letters of a person that are due: the job of [`Payload::MailNotifications`].
pub async fn mail(platform: &Platform, job: &RunningJob) -> std::result::Result<(), JobError> {
    let Payload::MailNotifications { user_id } = job.payload else {
        return Err(JobError::Fatal("This is about no notifications.".into()));
    };
    loop {
        if job.cancel.is_cancelled() {
            return Err(JobError::Cancelled);
        }
        let body = |tx: Tx| async move { page_in(&tx, platform, user_id).await };
        let read = platform.write(Scope::System, Actor::system(), body).await?;
        if read < PAGE {
            return Ok(());
        }
    }
}

/// Writes the letters of the oldest notifications that are due; returns how many there were.
async fn page_in(tx: &Tx, platform: &Platform, user_id: UserId) -> Result<u64> {
    let select = tx
        .find_global::<Entity>()
        .filter(Column::UserId.eq(user_id))
        .filter(Column::MailDueAt.lte(tx.now()))
        .order_by_asc(Column::MailDueAt)
        .order_by_asc(Column::Id)
        .limit(PAGE)
        .lock_exclusive();
    let rows = select.all(tx.conn()).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let ids: Vec<NotificationId> = rows.iter().map(|row| row.id).collect();
    let count = rows.len() as u64;
    let person = tx
        .find_global::<user::Entity>()
        .filter(user::Column::Id.eq(user_id));
    // An address that nobody proved may be a stranger's.
    let person = person.one(tx.conn()).await?;
    let person = person.filter(|person| person.email_verified_at.is_some() && letters::can_send(platform));
    let mut mailed = Vec::new();
    if let Some(person) = person {
        let places = places(tx, user_id, &rows).await?;
        let news: Vec<notification::Model> = rows.into_iter().filter(|row| is_news(row, &places)).collect();
        mailed.extend(news.iter().map(|row| row.id));
        for (key, kind, letter) in letters_of(tx, platform, user_id, &news, &places).await? {
            let post = Post {
                to: person.email.clone(),
                name: Some(person.name.clone()),
                letter,
                unsubscribe: match kind {
                    // Cannot be switched off.
                    Some(NotificationType::Security) => None,
                    kind => Some(rules::unsubscribe_link(platform, user_id, kind)?),
                },
            };
            let sealed = letters::seal_post(platform, &post)?;
            letters::enqueue_once_in(tx, &sealed, None, key).await?;
        }
    }
    let update = tx
        .update_global::<Entity>()
        .col_expr(
            Column::MailDueAt,
            Expr::val(None::<chrono::DateTime<chrono::Utc>>),
        )
        .filter(Column::Id.is_in(ids));
    update.exec(tx.conn()).await?;
    let update = tx
        .update_global::<Entity>()
        .col_expr(Column::MailedAt, Expr::val(tx.now()))
        .filter(Column::Id.is_in(mailed));
    update.exec(tx.conn()).await?;
    Ok(count)
}

/// Names of those workspaces of the notifications that the person is a member of.
async fn places(
    tx: &Tx,
    user_id: UserId,
    rows: &[notification::Model],
) -> Result<HashMap<WorkspaceId, String>> {
    let mut ids: Vec<WorkspaceId> = rows.iter().filter_map(|row| row.workspace_id).collect();
    ids.sort();
    ids.dedup();
    let select = tx
        .find::<membership::Entity>()
        .select_only()
        .column(membership::Column::WorkspaceId)
        .filter(membership::Column::UserId.eq(user_id))
        .filter(membership::Column::WorkspaceId.is_in(ids));
    let member: Vec<WorkspaceId> = select.into_tuple().all(tx.conn()).await?;
    let select = tx
        .find::<workspace::Entity>()
        .select_only()
        .column(workspace::Column::Id)
        .column(workspace::Column::Name)
        .filter(workspace::Column::Id.is_in(member));
    let named: Vec<(WorkspaceId, String)> = select.into_tuple().all(tx.conn()).await?;
    Ok(named.into_iter().collect())
}

fn is_news(row: &notification::Model, places: &HashMap<WorkspaceId, String>) -> bool {
    let is_unread = row.read_at.is_none() || row.r#type == NotificationType::Security;
    is_unread && row.workspace_id.is_none_or(|id| places.contains_key(&id))
}

/// A letter to write: its key, the kind that it is about (`None` for several), and what it says.
type Draft = (String, Option<NotificationType>, Letter);

async fn letters_of(
    tx: &Tx,
    platform: &Platform,
    user_id: UserId,
    news: &[notification::Model],
    places: &HashMap<WorkspaceId, String>,
) -> Result<Vec<Draft>> {
    let link = rules::list_link(platform);
    let item = |row: &notification::Model| Item {
        title: row.title.clone(),
        body: row.body.clone(),
        workspace: row.workspace_id.and_then(|id| places.get(&id).cloned()),
        link: link.clone(),
    };
    let wants_digest = people::preferences_in(tx, user_id).await?.digest_at.is_some();
    let least = if wants_digest { 2 } else { CROWD };
    // What somebody waits for stands for itself.
    let waits = |row: &notification::Model| {
        matches!(
            row.r#type,
            NotificationType::Security | NotificationType::EventReminder | NotificationType::TaskDue
        )
    };
    let (alone, together): (Vec<_>, Vec<_>) = news.iter().partition(|row| waits(row));
    let mut drafts = Vec::new();
    let mut single = |row: &notification::Model| {
        let key = format!("notification-{}", row.id.uuid().simple());
        drafts.push((key, Some(row.r#type), Letter::Notification(item(row))));
    };
    alone.into_iter().for_each(&mut single);
    match together.as_slice() {
        [first, ..] if together.len() >= least => {
            let key = format!("digest-{}", first.id.uuid().simple());
            let letter = Letter::Digest {
                items: together.iter().map(|row| item(row)).collect(),
                link: link.clone(),
            };
            drafts.push((key, None, letter));
        }
        few => few.iter().for_each(|row| single(row)),
    }
    Ok(drafts)
}
