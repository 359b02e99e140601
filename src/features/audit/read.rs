//! Questions about the audit log.

mod verify;

use entity::audit_log::{self, Column, Entity};
use entity::ids::{AuditLogId, UserId, WorkspaceId};
use entity::workspace;
use sea_orm::sea_query::{Expr, ExprTrait as _, LikeExpr};
use sea_orm::{
    ColumnTrait as _, Condition, PaginatorTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    Value,
};
use uuid::Uuid;

use crate::access::Ctx;
use crate::kernel::Result;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::page::{Cursor, Page, PageRequest};
use crate::kernel::time::Span;
use crate::platform::Platform;
use crate::platform::db::{Key, Scope, keyset};

pub use verify::{Verified, verify};

/// Which entries to list; all conditions must hold.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// By any of these people.
    pub actor_ids: Option<Vec<UserId>>,
    /// Any of these actions; a trailing `*` matches a prefix.
    pub actions: Option<Vec<String>>,
    /// About this object: its GraphQL type and id.
    pub entity: Option<(String, Uuid)>,
    /// In this range.
    pub range: Option<Span>,
}

/// Every workspace, oldest first: each has an audit log of its own.
pub async fn workspaces(platform: &Platform) -> Result<Vec<WorkspaceId>> {
    let read = platform.db.read(Scope::System).await?;
    let select = read
        .find::<workspace::Entity>()
        .select_only()
        .column(workspace::Column::Id)
        .order_by_asc(workspace::Column::Id);
    Ok(select.into_tuple().all(&read).await?)
}

/// One page of the audit log, newest first.
pub async fn page(ctx: &Ctx, filter: &AuditFilter, request: &PageRequest) -> Result<Page<audit_log::Model>> {
    ctx.require(Action::View, Resource::AuditLog)?;
    let read = ctx.read().await?;
    let select = read.find::<Entity>().filter(condition(filter));
    let total = if request.count {
        Some(select.clone().count(&read).await?)
    } else {
        None
    };
    let seq = Key {
        expr: Expr::col((Entity, Column::Seq)),
        descending: true,
        value: |json| json.as_i64().map(Value::from),
        nullable: false,
    };
    let rows = keyset(select, &[seq], request)?.all(&read).await?;
    Ok(Page::from_rows(request, rows, total, |row| {
        Cursor(vec![row.seq.into()])
    }))
}

/// The entries that exist among these.
pub async fn get_many(ctx: &Ctx, ids: &[AuditLogId]) -> Result<Vec<audit_log::Model>> {
    ctx.require(Action::View, Resource::AuditLog)?;
    let read = ctx.read().await?;
    Ok(read
        .find::<Entity>()
        .filter(Column::Id.is_in(ids.iter().copied()))
        .all(&read)
        .await?)
}

fn condition(filter: &AuditFilter) -> Condition {
    let about = |(kind, id): &(String, Uuid)| {
        Condition::all()
            .add(Column::EntityId.eq(*id))
            .add(Column::EntityType.eq(kind.as_str()))
    };
    let within = |span: Span| {
        Condition::all()
            .add(Column::CreatedAt.gte(span.start))
            .add(Column::CreatedAt.lt(span.end))
    };
    Condition::all()
        .add_option(
            filter
                .actor_ids
                .as_ref()
                .map(|any| Column::ActorId.is_in(any.iter().copied())),
        )
        .add_option(filter.actions.as_deref().map(actions))
        .add_option(filter.entity.as_ref().map(about))
        .add_option(filter.range.map(within))
}

/// Any of the actions; none of them when the list is empty.
fn actions(any: &[String]) -> Condition {
    if any.is_empty() {
        return Condition::all().add(Expr::cust("1 = 0"));
    }
    any.iter()
        .fold(Condition::any(), |all, action| match action.strip_suffix('*') {
            Some(prefix) => {
                let escaped = prefix
                    .replace('\\', "\\\\")
                    .replace('%', "\\%")
                    .replace('_', "\\_");
                let pattern = LikeExpr::new(format!("{escaped}%")).escape('\\');
                all.add(Expr::col((Entity, Column::Action)).like(pattern))
            }
            None => all.add(Column::Action.eq(action.as_str())),
        })
}
