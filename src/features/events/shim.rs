//! shim
use super::ical::{EventTime, ParsedObject, Problem};
use crate::kernel::{Result, zones};
use crate::platform::db::Tx;
use entity::enums::*;
use entity::ids::{CalendarEventId, TypedId as _, WorkspaceId};
use entity::{calendar, calendar_event};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, IntoActiveModel as _, QueryFilter as _};
use std::collections::HashMap;
#[derive(Default, Debug)]
pub struct Stored {
    pub created: u32,
    pub updated: u32,
    pub unchanged: u32,
    pub problems: Vec<Problem>,
}
pub async fn store_parsed(tx: &Tx, calendar: &calendar::Model, objects: Vec<ParsedObject>) -> Result<Stored> {
    let mut stored = Stored::default();
    if objects.is_empty() {
        return Ok(stored);
    }
    let uids: Vec<&str> = objects.iter().map(|o| o.uid.as_str()).collect();
    let have = tx
        .find::<calendar_event::Entity>()
        .filter(calendar_event::Column::CalendarId.eq(calendar.id))
        .filter(calendar_event::Column::Uid.is_in(uids))
        .all(tx.conn())
        .await?;
    let have: HashMap<String, (CalendarEventId, i32)> =
        have.into_iter().map(|r| (r.uid.clone(), (r.id, r.version))).collect();
    let mut rows = Vec::new();
    for object in objects {
        let Some(event) = object.master.as_ref().or(object.overrides.first().map(|o| &o.event)) else { continue };
        let (kind, a, b, au, bu, sd, ed, sz, ez) = match &event.time {
            EventTime::Timed { start, end } => (
                EventKind::Timed,
                Some(zones::local_to_chrono(start.local)),
                Some(zones::local_to_chrono(end.local)),
                zones::to_chrono(start.utc),
                zones::to_chrono(end.utc),
                None,
                None,
                Some(start.zone.stored_name().to_owned()),
                Some(end.zone.stored_name().to_owned()),
            ),
            EventTime::AllDay { start, end } => {
                let tz = jiff::tz::TimeZone::UTC;
                let m = jiff::civil::Time::midnight();
                (
                    EventKind::AllDay,
                    None,
                    None,
                    zones::to_chrono(zones::to_utc(start.to_datetime(m), &tz)),
                    zones::to_chrono(zones::to_utc(end.to_datetime(m), &tz)),
                    Some(zones::date_to_chrono(*start)),
                    Some(zones::date_to_chrono(*end)),
                    None,
                    None,
                )
            }
            EventTime::Floating { start, end } => {
                let tz = jiff::tz::TimeZone::UTC;
                (
                    EventKind::Floating,
                    Some(zones::local_to_chrono(*start)),
                    Some(zones::local_to_chrono(*end)),
                    zones::to_chrono(zones::to_utc(*start, &tz)),
                    zones::to_chrono(zones::to_utc(*end, &tz)),
                    None,
                    None,
                    None,
                    None,
                )
            }
        };
        let old = have.get(&object.uid).copied();
        let row = calendar_event::Model {
            id: old.map_or_else(|| tx.ids().next(), |o| o.0),
            workspace_id: WorkspaceId::from_uuid(uuid::Uuid::nil()),
            calendar_id: calendar.id,
            version: old.map_or(1, |o| o.1 + 1),
            uid: object.uid.clone(),
            title: event.summary.clone().unwrap_or_default(),
            description: None,
            location: None,
            conference_url: None,
            kind,
            start_local: a,
            end_local: b,
            start_zone: sz,
            end_zone: ez,
            start_date: sd,
            end_date: ed,
            start_utc: au,
            end_utc: bu,
            tzdata_version: None,
            time_zone: "UTC".into(),
            status: EventStatus::Confirmed,
            transparency: EventTransparency::Busy,
            visibility: EventVisibility::Default,
            rrule: event.rrule.clone(),
            rdates: serde_json::json!([]),
            exdates: serde_json::json!([]),
            series_end_utc: None,
            is_recurring: event.rrule.is_some(),
            split_from: None,
            sequence: event.sequence,
            recurrence_id: None,
            organizer_email: None,
            organizer_name: None,
            color: None,
            external_url: None,
            source_ics: Some(object.text.clone()),
            task_id: None,
            booking_id: None,
            created_by: None,
            created_at: tx.now(),
            updated_at: tx.now(),
        };
        if old.is_some() {
            stored.updated += 1;
            tx.event_change(ChangeAction::Updated, row.id.uuid(), calendar.id);
            tx.update(row.into_active_model().reset_all()).await?;
        } else {
            stored.created += 1;
            tx.event_change(ChangeAction::Created, row.id.uuid(), calendar.id);
            rows.push(row.into_active_model().reset_all());
        }
    }
    tx.insert_many::<calendar_event::ActiveModel>(rows).await?;
    Ok(stored)
}
