//! Table `calendar_events`: events: single ones and masters of series.
//!
//! For timed events wall time plus zone is the truth; `start_utc` and `end_utc` are derived for indexes, with the version
//! of the zone rules that gave them. All-day events have dates with an exclusive end.

use sea_orm::entity::prelude::*;

use serde::{Deserialize, Serialize};

use crate::enums::{EventKind, EventStatus, EventTransparency, EventVisibility};
use crate::ids::{BookingId, CalendarEventId, CalendarId, TaskId, UserId, WorkspaceId};

/// One row. It is written down whole where a change of plans has to be taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DeriveEntityModel)]
#[sea_orm(table_name = "calendar_events")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: CalendarEventId,
    pub workspace_id: WorkspaceId,
    pub calendar_id: CalendarId,
    pub version: i32,
    /// UID of iCalendar.
    pub uid: String,
    pub title: String,
    pub description: Option<String>,
    pub location: Option<String>,
    pub conference_url: Option<String>,
    pub kind: EventKind,
    pub start_local: Option<DateTime>,
    pub end_local: Option<DateTime>,
    pub start_zone: Option<String>,
    pub end_zone: Option<String>,
    pub start_date: Option<Date>,
    /// Day after the last one.
    pub end_date: Option<Date>,
    pub start_utc: DateTimeUtc,
    pub end_utc: DateTimeUtc,
    pub tzdata_version: Option<String>,
    /// Zone in which the recurrence is expanded.
    pub time_zone: String,
    pub status: EventStatus,
    pub transparency: EventTransparency,
    pub visibility: EventVisibility,
    pub rrule: Option<String>,
    /// Array of local starts.
    pub rdates: Json,
    /// Array of local starts.
    pub exdates: Json,
    /// End of the last occurrence; null when endless or not a series.
    pub series_end_utc: Option<DateTimeUtc>,
    pub is_recurring: bool,
    /// Series this one was split off by an edit of "this and following".
    pub split_from: Option<CalendarEventId>,
    /// SEQUENCE of iCalendar.
    pub sequence: i32,
    /// Set for an override whose master is unknown.
    pub recurrence_id: Option<String>,
    pub organizer_email: Option<String>,
    pub organizer_name: Option<String>,
    pub color: Option<String>,
    pub external_url: Option<String>,
    /// Original text, so that unknown properties survive a round trip.
    pub source_ics: Option<String>,
    pub task_id: Option<TaskId>,
    pub booking_id: Option<BookingId>,
    pub created_by: Option<UserId>,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

/// No relations: rows are joined by hand inside a tenant scope.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
