//! Answering an invitation. Guests change their own answer and nothing else: no version, no SEQUENCE.

use entity::enums::{AttendeeResponse, ChangeAction};
use entity::ids::{CalendarEventId, UserId};
use entity::{attendee, calendar_event, user};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};

use super::{READ_ONLY, calendar_of, lock, own_guests, record};
use crate::access::Ctx;
use crate::features::calendars;
use crate::features::events::model::Event;
use crate::features::events::read::seen;
use crate::kernel::actions::{Action, Resource};
use crate::kernel::text::Checks;
use crate::kernel::{Error, Result, UserErrorCode};
use crate::platform::db::Tx;

/// Longest message to the organizer, in characters.
const MAX_COMMENT: usize = 2_000;

/// Answers for the viewer, who must be among the guests.
pub async fn respond(
    ctx: &Ctx,
    id: CalendarEventId,
    response: AttendeeResponse,
    comment: Option<String>,
) -> Result<Event> {
    ctx.require(Action::Edit, Resource::CalendarSetting)?;
    let viewer = ctx.require_person()?;
    let mut checks = Checks::default();
    let comment = comment.map(|text| checks.prose("comment", &text, MAX_COMMENT));
    checks.finish()?;
    let comment = comment.filter(|text| !text.is_empty());
    ctx.write(|tx| {
        let comment = comment.clone();
        async move {
            let row = lock(&tx, id).await?;
            let calendar = calendar_of(&tx, row.calendar_id)
                .await?
                .ok_or_else(Error::not_found)?;
            let guest = tx
                .find::<attendee::Entity>()
                .filter(attendee::Column::EventId.eq(id))
                .filter(seen::is_viewer(viewer))
                .one(tx.conn())
                .await?;
            let Some(guest) = guest else {
                let message = match is_guest_of_one(&tx, viewer, &row).await? {
                    true => {
                        "You are invited to single occurrences of this series, which cannot be answered here. Answer the organizer."
                    }
                    false => "You are not invited to this event.",
                };
                return Err(Error::user(UserErrorCode::InvalidState, "id", message));
            };
            if !calendars::accepts_events(&calendar) {
                return Err(Error::user(UserErrorCode::ReadOnly, "id", READ_ONLY));
            }
            let answered = attendee::Model {
                response,
                comment: comment.or_else(|| guest.comment.clone()),
                ..guest.clone()
            };
            if answered != guest {
                let answered = attendee::Model {
                    updated_at: tx.now(),
                    ..answered
                };
                let changes = serde_json::json!({ "response": { "from": guest.response, "to": response } });
                tx.update(answered.into_active_model().reset_all()).await?;
                own_guests::answer(&tx, &row, &guest.email, response).await?;
                let action = "calendar_event.responded";
                record(&tx, action, ChangeAction::Updated, &row, Some(changes));
            }
            let mut events = seen::mask(&tx, ctx.user_id(), vec![row]).await?;
            events.pop().ok_or_else(Error::not_found)
        }
    })
    .await
}

/// Whether the viewer comes to some occurrence, though not to the series.
async fn is_guest_of_one(tx: &Tx, viewer: UserId, row: &calendar_event::Model) -> Result<bool> {
    let select = tx
        .find_global::<user::Entity>()
        .filter(user::Column::Id.eq(viewer));
    let Some(viewer) = select.one(tx.conn()).await? else {
        return Ok(false);
    };
    own_guests::is_guest_of_one(tx, row, &viewer.email).await
}
