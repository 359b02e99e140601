//! Disconnecting a service: its credentials go, and its calendars go or become local ones.

use entity::enums::ChangeAction;
use entity::ids::{IntegrationId, TypedId as _};
use entity::{calendar, calendar_sync, external_event_link, integration};
use sea_orm::{ColumnTrait as _, IntoActiveModel as _, QueryFilter as _, Set};

use super::{lock, mirror, record};
use crate::access::Ctx;
use crate::kernel::Result;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::changes::ObjectType;
use crate::platform::db::Tx;

/// Disconnects an integration. With `keep_events` its mirrored calendars become local ones that can be edited. A sync that runs notices
/// at its next step.
pub async fn disconnect(ctx: &Ctx, id: IntegrationId, keep_events: bool) -> Result<()> {
    ctx.require(Action::Manage, Resource::Integration)?;
    ctx.write(|tx| async move { disconnect_in(&tx, id, keep_events).await })
        .await
}

async fn disconnect_in(tx: &Tx, id: IntegrationId, keep_events: bool) -> Result<()> {
    let row = lock(tx, id).await?;
    for calendar in mirror::calendars(tx, &row).await? {
        let calendar_id = calendar.id;
        if keep_events && calendar.is_mirrored {
            let links = tx.delete_many::<external_event_link::Entity>();
            let links = links.filter(external_event_link::Column::CalendarId.eq(calendar_id));
            links.exec(tx.conn()).await?;
            let state = tx.delete_many::<calendar_sync::Entity>();
            let state = state.filter(calendar_sync::Column::CalendarId.eq(calendar_id));
            state.exec(tx.conn()).await?;
            let version = calendar.version + 1;
            let mut local = calendar.into_active_model();
            local.integration_id = Set(None);
            local.external_id = Set(None);
            local.is_mirrored = Set(false);
            local.is_read_only = Set(false);
            local.version = Set(version);
            local.updated_at = Set(tx.now());
            tx.update(local).await?;
            tx.change(ChangeAction::Updated, ObjectType::Calendar, calendar_id.uuid());
            continue;
        }
        mirror::empty(tx, calendar_id).await?;
        let rows = tx.delete_many::<calendar::Entity>();
        rows.filter(calendar::Column::Id.eq(calendar_id))
            .exec(tx.conn())
            .await?;
        if calendar.is_mirrored {
            tx.change(ChangeAction::Deleted, ObjectType::Calendar, calendar_id.uuid());
        }
    }
    let rows = tx.delete_many::<integration::Entity>();
    rows.filter(integration::Column::Id.eq(id))
        .exec(tx.conn())
        .await?;
    let changes = serde_json::json!({ "keepEvents": keep_events });
    record(
        tx,
        "integration.disconnected",
        ChangeAction::Deleted,
        id,
        Some(changes),
    );
    Ok(())
}
