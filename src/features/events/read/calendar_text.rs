//! Calendars as iCalendar texts, read page by page.

use std::collections::HashMap;

use entity::enums::EventVisibility;
use entity::ids::CalendarEventId;
use entity::{attendee, calendar, calendar_event, event_override};
use sea_orm::{ColumnTrait as _, Condition, QueryFilter as _, QueryOrder as _, QuerySelect as _};

use super::{range, seen};
use crate::access::Ctx;
use crate::features::events::ical::{Outgoing, Writer};
use crate::features::events::outgoing::{self, Written};
use crate::features::events::remote::GUESTS;
use crate::features::events::rules;
use crate::kernel::Result;
use crate::kernel::time::Span;
use crate::platform::db::Read;

/// Events of one page.
const PAGE: u64 = 500;

/// Who will read the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The caller: private events of others are busy blocks, all else is whole.
    Caller,
    /// Whoever has the address: private events are busy blocks, and guests, alarms and unknown properties stay here.
    Anybody,
}

/// A calendar as text.
#[derive(Clone, Debug)]
pub struct CalendarText {
    /// The iCalendar text.
    pub text: String,
    /// Events and series in it.
    pub events: u32,
}

/// Writes calendars into one text. `range` leaves out what lies wholly outside of it.
pub async fn calendar_text(
    ctx: &Ctx,
    calendars: &[calendar::Model],
    range: Option<Span>,
    audience: Audience,
) -> Result<CalendarText> {
    let (name, description, zone) = match calendars {
        [only] => (
            only.name.as_str(),
            only.description.as_deref(),
            only.time_zone.as_str(),
        ),
        several => (
            "Meridian",
            None,
            several.first().map_or("UTC", |first| first.time_zone.as_str()),
        ),
    };
    let mut writer = Writer::new(name, description, zone);
    let mut events = 0;
    for calendar in calendars {
        let mut after = None;
        while let Some(page) = text_page(ctx, calendar, range, audience, after).await? {
            after = Some(page.last);
            events += u32::try_from(page.objects.len()).unwrap_or(u32::MAX);
            page.objects.iter().for_each(|object| object.add_to(&mut writer));
        }
    }
    Ok(CalendarText {
        text: writer.finish(),
        events,
    })
}

/// Some events of a calendar, ready to be written.
pub struct TextPage {
    /// The last of them; the next page comes after it.
    pub last: CalendarEventId,
    /// The events, in the order of their ids.
    pub objects: Vec<TextObject>,
}

/// An event with its exceptions and guests, as its reader may see it.
pub struct TextObject {
    written: Written,
    source: Option<String>,
}

impl TextObject {
    /// Adds the event to a text.
    pub fn add_to(&self, writer: &mut Writer) {
        writer.add(&Outgoing {
            uid: &self.written.uid,
            master: self.written.master.as_ref(),
            overrides: &self.written.overrides,
            source: self.source.as_deref(),
            changed: self.written.changed,
        });
    }
}

/// The next events of a calendar; `None` when there are no more.
pub async fn text_page(
    ctx: &Ctx,
    calendar: &calendar::Model,
    range: Option<Span>,
    audience: Audience,
    after: Option<CalendarEventId>,
) -> Result<Option<TextPage>> {
    let read = ctx.read().await?;
    let rows = page(&read, calendar, range, after).await?;
    let Some(last) = rows.last().map(|row| row.id) else {
        return Ok(None);
    };
    let objects = objects(ctx, &read, calendar, audience, rows).await?;
    Ok(Some(TextPage { last, objects }))
}

async fn page(
    read: &Read,
    calendar: &calendar::Model,
    range: Option<Span>,
    after: Option<CalendarEventId>,
) -> Result<Vec<calendar_event::Model>> {
    use calendar_event::Column;
    let mut wanted = Condition::all().add(Column::CalendarId.eq(calendar.id));
    if let Some(after) = after {
        wanted = wanted.add(Column::Id.gt(after));
    }
    if let Some(span) = range {
        wanted = wanted.add(range::lies_in(read, span));
    }
    let select = read.find::<calendar_event::Entity>().filter(wanted);
    Ok(select.order_by_asc(Column::Id).limit(PAGE).all(read).await?)
}

async fn objects(
    ctx: &Ctx,
    read: &Read,
    calendar: &calendar::Model,
    audience: Audience,
    rows: Vec<calendar_event::Model>,
) -> Result<Vec<TextObject>> {
    let ids: Vec<CalendarEventId> = rows.iter().map(|row| row.id).collect();
    let mut exceptions: HashMap<CalendarEventId, Vec<event_override::Model>> = HashMap::new();
    let select = read
        .find::<event_override::Entity>()
        .filter(event_override::Column::EventId.is_in(ids.iter().copied()))
        .order_by_asc(event_override::Column::OriginalStartUtc);
    for row in select.all(read).await? {
        exceptions.entry(row.event_id).or_default().push(row);
    }
    let seen: Vec<(calendar_event::Model, bool)> = match audience {
        Audience::Caller => seen::mask(read, ctx.user_id(), rows)
            .await?
            .into_iter()
            .map(|event| (event.row, event.is_masked))
            .collect(),
        Audience::Anybody => rows.into_iter().map(for_anybody).collect(),
    };
    let mut people: HashMap<CalendarEventId, Vec<attendee::Model>> = HashMap::new();
    if audience == Audience::Caller {
        let open = seen.iter().filter(|(_, is_masked)| !is_masked);
        let select = read
            .find::<attendee::Entity>()
            .filter(attendee::Column::EventId.is_in(open.map(|(row, _)| row.id)))
            .order_by_asc(attendee::Column::Id);
        for row in select.all(read).await? {
            people.entry(row.event_id).or_default().push(row);
        }
    }
    let mut objects = Vec::with_capacity(seen.len());
    for (row, is_masked) in seen {
        let mut exceptions = exceptions.remove(&row.id).unwrap_or_default();
        let is_own = audience == Audience::Caller
            && ctx
                .user_id()
                .is_none_or(|viewer| calendar.owner_id == Some(viewer) || row.created_by == Some(viewer));
        for exception in &mut exceptions {
            if audience == Audience::Anybody
                && let Some(patch) = exception.patch.as_object_mut()
            {
                patch.remove(GUESTS);
            }
            if is_masked {
                only_times(exception);
            } else if !is_own && exception.patch["visibility"] == "private" {
                mask_words(exception);
            }
        }
        let people = people.remove(&row.id).unwrap_or_default();
        objects.push(TextObject {
            written: outgoing::written(&row, &exceptions, &people),
            source: row.source_ics,
        });
    }
    Ok(objects)
}

/// Without what is nobody's business but the members'.
fn for_anybody(mut row: calendar_event::Model) -> (calendar_event::Model, bool) {
    let is_masked = row.visibility == EventVisibility::Private;
    if is_masked {
        rules::mask(&mut row);
    }
    (row.organizer_email, row.organizer_name, row.source_ics) = (None, None, None);
    (row, is_masked)
}

/// Of a masked occurrence only when it takes place is told.
fn only_times(exception: &mut event_override::Model) {
    let times: serde_json::Map<String, serde_json::Value> = ["time", "thisAndFuture", "transparency"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), exception.patch.get(*name)?.clone())))
        .collect();
    exception.patch = times.into();
}

/// A private occurrence of an open series.
fn mask_words(exception: &mut event_override::Model) {
    only_times(exception);
    if let Some(patch) = exception.patch.as_object_mut() {
        patch.insert("title".into(), rules::MASKED_TITLE.into());
        patch.insert("visibility".into(), "private".into());
        for name in ["description", "location", "conferenceUrl", "color"] {
            patch.insert(name.into(), serde_json::Value::Null);
        }
    }
}
