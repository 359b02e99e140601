//! Deleting events, whole series, or some occurrences of one.

use entity::calendar_event;
use entity::enums::{ChangeAction, EventStatus};
use entity::ids::CalendarEventId;
use sea_orm::{ColumnTrait as _, QueryFilter as _};

use super::edit::{Target, target};
use super::exceptions::Exception;
use super::{Also, exceptions, lock, organize, record, require_edit, save, tell};
use crate::access::Ctx;
use crate::features::events::model::{Event, Occurrences};
use crate::features::events::{halves, placed, remake};
use crate::kernel::Result;
use crate::kernel::actions::{Action, Resource};
use crate::platform::db::Tx;

/// Deletes an event, a whole series or some of its occurrences. Returns what is left of the series; `None` when nothing is.
pub async fn delete(ctx: &Ctx, id: CalendarEventId, occurrences: Occurrences) -> Result<Option<Event>> {
    ctx.require(Action::Edit, Resource::CalendarEvent)?;
    ctx.write(|tx| async move {
        let row = lock(&tx, id).await?;
        require_edit(&tx, ctx, &row).await?;
        // Guests take an event off their own calendar: nobody hears of it from them, and it takes place for everybody else.
        let is_own_copy = organize::other_organizer(&tx, ctx, &row).await?.is_some();
        let mut also = Also {
            is_own_copy,
            ..Also::default()
        };
        let mut missed = None;
        let mut gone: Vec<Exception> = Vec::new();
        let left = match target(&tx, &row, as_deleted(occurrences)).await? {
            Target::All(_) => None,
            Target::One(at, local) => {
                also.occurrence = Some((at, !is_own_copy));
                let changes = exceptions::of(&tx, id).await?;
                let mut occurrence = placed::as_shown(&row, &changes, at, local);
                occurrence.status = EventStatus::Cancelled;
                let own: Vec<Exception> = changes
                    .iter()
                    .filter(|change| change.original_start_utc == at)
                    .cloned()
                    .collect();
                missed = (!is_own_copy).then_some((occurrence, at, own));
                let mut left = row.clone();
                remake::exclude(&mut left, at, &changes);
                exceptions::remove(&tx, id, at).await?;
                Some(left)
            }
            Target::From(at, local) => {
                let mut earlier = halves::cut(&row, at, local)?.earlier;
                gone = exceptions::of(&tx, id).await?;
                gone.retain(|change| change.original_start_utc >= at && !is_own_copy);
                exceptions::remove_from(&tx, id, at).await?;
                earlier.series_end_utc = remake::series_end_with(&earlier, &exceptions::of(&tx, id).await?);
                Some(earlier)
            }
        };
        match left {
            Some(left) if !is_over(&tx, &left).await? => {
                let row = save(&tx, &row, left, also).await?;
                if let Some((occurrence, at, own)) = &missed {
                    tell::missed(&tx, ctx, (&row, occurrence), *at, own).await?;
                }
                let lost = tell::Lost::deleted(gone);
                lost.tell(&tx, ctx, (&row, row.sequence), &row).await?;
                Ok(Some(Event {
                    row,
                    is_masked: false,
                }))
            }
            _ => {
                // It ends with a version of its own: what was told of the one before is told already.
                let row = calendar_event::Model {
                    version: row.version + 1,
                    ..row
                };
                if !is_own_copy {
                    let last = missed.map(|(_, _, own)| own).unwrap_or_default();
                    gone.extend(last.iter().cloned());
                    let lost = tell::Lost::deleted(gone);
                    lost.tell(&tx, ctx, (&row, row.sequence), &row).await?;
                    tell::deleted(&tx, ctx, &row, &last).await?;
                }
                delete_whole(&tx, &row).await?;
                Ok(None)
            }
        }
    })
    .await
}

/// The occurrence beside the scope of everything does not matter here.
fn as_deleted(occurrences: Occurrences) -> Occurrences {
    match occurrences {
        Occurrences::All(_) => Occurrences::All(None),
        some => some,
    }
}

/// Whether no occurrence is left, not even one that only its exception tells of.
async fn is_over(tx: &Tx, row: &calendar_event::Model) -> Result<bool> {
    Ok(remake::is_empty(row)
        && exceptions::of(tx, row.id)
            .await?
            .iter()
            .all(|change| change.cancelled))
}

async fn delete_whole(tx: &Tx, row: &calendar_event::Model) -> Result<()> {
    let delete = tx.delete_many::<calendar_event::Entity>();
    delete
        .filter(calendar_event::Column::Id.eq(row.id))
        .exec(tx.conn())
        .await?;
    record(tx, "calendar_event.deleted", ChangeAction::Deleted, row, None);
    Ok(())
}
