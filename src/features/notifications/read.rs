//! Questions about the caller's notifications. A token that is limited to one workspace is told only of that one.

mod inbox;

use entity::ids::NotificationId;
use entity::notification::{self, Column, Entity};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait as _, Condition, PaginatorTrait as _, QueryFilter as _, Value};

use super::model::NotificationFilter;
use crate::access::{Access, Caller};
use crate::kernel::Result;
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::platform::db::{Key, Scope, keyset};

pub use inbox::Inbox;

/// What the caller may see and touch.
pub(super) fn own(caller: &Caller) -> Result<Condition> {
    let mine = Condition::all()
        .add(Column::UserId.eq(caller.require_user()?))
        .add(Column::MailOnlySince.is_null());
    Ok(mine.add_option(
        caller
            .workspace_limit()
            .map(|limit| Column::WorkspaceId.eq(limit)),
    ))
}

/// One page of the caller's notifications, newest first.
pub async fn page(
    access: &Access,
    filter: &NotificationFilter,
    request: &PageRequest,
) -> Result<Page<notification::Model>> {
    let read = access.platform().db.read(Scope::System).await?;
    let unread = |yes| {
        if yes {
            Column::ReadAt.is_null()
        } else {
            Column::ReadAt.is_not_null()
        }
    };
    let wanted = own(access.caller())?
        .add_option(filter.is_unread.map(unread))
        .add_option(filter.types.as_ref().map(|any| Column::Type.is_in(any.clone())))
        .add_option(filter.workspace_id.map(|id| Column::WorkspaceId.eq(id)));
    let select = read.find_global::<Entity>().filter(wanted);
    let total = if request.count {
        Some(select.clone().count(&read).await?)
    } else {
        None
    };
    let rows = keyset(select, &keys(), request)?.all(&read).await?;
    Ok(Page::from_rows(request, rows, total, |row| {
        Cursor(vec![
            row.created_at.to_rfc3339().into(),
            row.id.to_string().into(),
        ])
    }))
}

fn keys() -> [Key; 2] {
    let instant: fn(&serde_json::Value) -> Option<Value> = |json| {
        Some(
            chrono::DateTime::parse_from_rfc3339(json.as_str()?)
                .ok()?
                .to_utc()
                .into(),
        )
    };
    let id: fn(&serde_json::Value) -> Option<Value> =
        |json| Some(json.as_str()?.parse::<NotificationId>().ok()?.into());
    let key = |column, value| Key {
        expr: Expr::col((Entity, column)),
        descending: true,
        value,
        nullable: false,
    };
    [key(Column::CreatedAt, instant), key(Column::Id, id)]
}

/// Number of notifications that the caller has not read.
pub async fn unread_count(access: &Access) -> Result<u64> {
    let read = access.platform().db.read(Scope::System).await?;
    let unread = read
        .find_global::<Entity>()
        .filter(own(access.caller())?.add(Column::ReadAt.is_null()));
    Ok(unread.count(&read).await?)
}

/// Those among these that are the caller's.
pub async fn find_many(access: &Access, ids: &[NotificationId]) -> Result<Vec<notification::Model>> {
    let read = access.platform().db.read(Scope::System).await?;
    let these = own(access.caller())?.add(Column::Id.is_in(ids.iter().copied()));
    Ok(read.find_global::<Entity>().filter(these).all(&read).await?)
}
