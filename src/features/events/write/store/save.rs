//! Writing rows with all that hangs on them, a few statements for each page.

use std::collections::{HashMap, HashSet};

use entity::enums::ChangeAction;
use entity::ids::{CalendarEventId, TypedId as _, UserId};
use entity::{attendee, calendar, calendar_event, event_override, reminder};
use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, Iterable as _, QueryFilter as _, Set,
};

use super::CHUNK;
use super::draft::Draft;
use crate::features::events::read::members_by_email;
use crate::features::events::remote::{RemoteException, RemotePerson};
use crate::features::events::write::{people, reminders};
use crate::kernel::Result;
use crate::platform::db::Tx;

/// Stores rows with their exceptions, guests and reminders.
pub(super) async fn save(tx: &Tx, calendar: &calendar::Model, drafts: Vec<Draft>) -> Result<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let old: Vec<CalendarEventId> = drafts
        .iter()
        .filter(|draft| !draft.is_new)
        .map(|draft| draft.row.id)
        .collect();
    let members = members_of(tx, &drafts).await?;
    let (mut rows, mut overrides, mut attendees, mut alarms) = (vec![], vec![], vec![], vec![]);
    for draft in drafts {
        let action = if draft.is_new {
            ChangeAction::Created
        } else {
            ChangeAction::Updated
        };
        tx.event_change(action, draft.row.id.uuid(), calendar.id);
        overrides.extend(
            draft
                .exceptions
                .into_iter()
                .map(|exception| override_row(tx, &draft.row, exception)),
        );
        attendees.extend(
            draft
                .people
                .into_iter()
                .map(|person| attendee_row(tx, &draft.row, person, &members)),
        );
        if let Some(owner) = calendar.owner_id {
            let new = draft.reminders.into_iter();
            alarms.extend(new.map(|reminder| reminders::fresh(tx, &draft.row, owner, reminder)));
        }
        rows.push(draft.row.into_active_model().reset_all());
    }
    for chunk in old.chunks(CHUNK) {
        let delete = tx.delete_many::<event_override::Entity>();
        delete
            .filter(event_override::Column::EventId.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
        let delete = tx.delete_many::<attendee::Entity>();
        delete
            .filter(attendee::Column::EventId.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    let mut replace = OnConflict::column(calendar_event::Column::Id);
    let is_kept = |column: &calendar_event::Column| {
        use calendar_event::Column::{CalendarId, CreatedAt, Id, WorkspaceId};
        matches!(column, Id | WorkspaceId | CalendarId | CreatedAt)
    };
    replace.update_columns(calendar_event::Column::iter().filter(|column| !is_kept(column)));
    tx.upsert_many::<calendar_event::ActiveModel>(rows, replace)
        .await?;
    tx.insert_many::<event_override::ActiveModel>(overrides).await?;
    tx.insert_many::<attendee::ActiveModel>(attendees).await?;
    tx.insert_many::<reminder::ActiveModel>(alarms).await?;
    renew_reminders(tx, &old).await
}

/// Ties reminders to the new versions of their events.
async fn renew_reminders(tx: &Tx, ids: &[CalendarEventId]) -> Result<()> {
    for chunk in ids.chunks(CHUNK) {
        let version = Query::select()
            .column((calendar_event::Entity, calendar_event::Column::Version))
            .from(calendar_event::Entity)
            .and_where(
                Expr::col((calendar_event::Entity, calendar_event::Column::Id))
                    .equals((reminder::Entity, reminder::Column::EventId)),
            )
            .take();
        tx.update_many::<reminder::Entity>()
            .col_expr(
                reminder::Column::EventVersion,
                Expr::SubQuery(None, Box::new(version.into())),
            )
            .filter(reminder::Column::EventId.is_in(chunk.iter().copied()))
            .exec(tx.conn())
            .await?;
    }
    Ok(())
}

async fn members_of(tx: &Tx, drafts: &[Draft]) -> Result<HashMap<String, UserId>> {
    let emails: HashSet<&String> = drafts
        .iter()
        .flat_map(|draft| &draft.people)
        .map(|person| &person.email)
        .collect();
    let emails: Vec<String> = emails.into_iter().cloned().collect();
    let mut members = HashMap::new();
    for chunk in emails.chunks(CHUNK) {
        members.extend(members_by_email(tx, chunk.to_vec()).await?);
    }
    Ok(members)
}

fn attendee_row(
    tx: &Tx,
    row: &calendar_event::Model,
    person: RemotePerson,
    members: &HashMap<String, UserId>,
) -> attendee::ActiveModel {
    let attendee = attendee::Model {
        name: person.name,
        user_id: members.get(&person.email).copied(),
        response: person.response,
        is_optional: person.is_optional,
        is_organizer: person.is_organizer,
        ..people::blank(tx, row.id, &person.email)
    };
    attendee.into_active_model().reset_all()
}

fn override_row(
    tx: &Tx,
    row: &calendar_event::Model,
    exception: RemoteException,
) -> event_override::ActiveModel {
    event_override::ActiveModel {
        id: Set(tx.ids().next()),
        event_id: Set(row.id),
        original_start_utc: Set(exception.original_start_utc),
        original_start: Set(exception.original_start),
        cancelled: Set(exception.cancelled),
        patch: Set(exception.patch),
        start_utc: Set(exception.moved.map(|(start, _)| start)),
        end_utc: Set(exception.moved.map(|(_, end)| end)),
        version: Set(1),
        created_at: Set(tx.now()),
        updated_at: Set(tx.now()),
        ..Default::default()
    }
}
