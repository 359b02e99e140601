//! Occurrences: what a calendar draws, and how a rule is understood.

use std::sync::Arc;

use async_graphql::{Context, Description, ID, Object, Result, SimpleObject};
use entity::calendar_event;

use super::object::{CalendarEvent, EventAttendee, EventReminder};
use super::occurrence_id::OccurrenceId;
use crate::access::Ctx;
use crate::features::events::{self, Among, Occurrence};
use crate::features::people;
use crate::graphql::enums::EventStatus;
use crate::graphql::errors::expose;
use crate::graphql::ids::parse;
use crate::graphql::loaders::{EventOwnMembersKey, EventPeopleKey, EventRemindersKey};
use crate::graphql::ranges::DateTimeRangeInput;
use crate::graphql::scalars::{DateTime, RRule, TimeZone};
use crate::graphql::shape::{Many, object};
use crate::graphql::straight::{self, Given, Whole};
use crate::graphql::{access, loader};
use crate::kernel;

/// One concrete occurrence of an event, ready to draw.
#[derive(Description, Clone)]
pub struct EventOccurrence(pub Occurrence);

object! {
    EventOccurrence "EventOccurrence", calendar_event::Column;

    /// Stable ID: event ID plus original start. Not a node; use it as a cache key and list key.
    value id [Id] -> OccurrenceId {
        |one| OccurrenceId { event: one.0.event.row.id, original_start: one.0.original_start }
    }
    /// Event or series the occurrence belongs to.
    within event [Id] -> CalendarEvent {
        |one| one.0.event.row.id => CalendarEvent(one.0.event.clone())
    }
    /// Original start from the rule. Send it as `occurrenceStart` to edit only this occurrence.
    value original_start [] -> DateTime { |one| DateTime(one.0.original_start) }
    /// First instant. Of whole days: midnight where the viewer is.
    value start [] -> DateTime { |one| DateTime(one.0.start) }
    /// Instant just after the occurrence.
    value end [] -> DateTime { |one| DateTime(one.0.end) }
    /// Title, after overrides.
    value title [Title] -> &str { |one| one.0.title() }
    /// Location, after overrides.
    value location [Location] -> Option<&str> { |one| one.0.location() }
    /// Whether the event covers whole days.
    value is_all_day [] -> bool { |one| one.0.is_all_day }
    /// Whether this occurrence belongs to a recurring series.
    value is_recurring [IsRecurring] -> bool { |one| one.0.event.row.is_recurring }
    /// Whether this occurrence was changed individually.
    value is_exception [] -> bool { |one| one.0.is_exception }
    /// Whether its series has so many occurrences in the range that not all are returned. Ask for a smaller range then.
    value is_truncated [] -> bool { |one| one.0.is_truncated }
    /// Status, after overrides. Cancelled occurrences are left out of results.
    value status [Status] -> EventStatus { |one| one.0.status().into() }
    /// Guests, after overrides.
    plain attendees [] -> Result<Vec<EventAttendee>> {
        |one, ctx| {
            let row = &one.0.event.row;
            let people = loader(ctx).load_one(EventPeopleKey(row.workspace_id, row.id)).await?.unwrap_or_default();
            let members = match events::has_own_guests(&one.0) {
                true => loader(ctx).load_one(EventOwnMembersKey(row.workspace_id, row.id)).await?.unwrap_or_default(),
                false => Arc::default(),
            };
            Ok(events::guests_at(&one.0, &people, &members).into_iter().map(EventAttendee).collect())
        }
    }
    /// Reminders of the viewer for this occurrence.
    plain reminders [] -> Result<Vec<EventReminder>> {
        |one, ctx| {
            let row = &one.0.event.row;
            let rows = loader(ctx).load_one(EventRemindersKey(row.workspace_id, row.id)).await?;
            let rows = rows.as_deref().map(Vec::as_slice).unwrap_or_default();
            Ok(events::reminders_at(rows, &one.0).into_iter().map(EventReminder::from).collect())
        }
    }
}

/// The occurrence fields of a workspace.
pub struct WorkspaceOccurrences(pub Arc<Ctx>);

#[Object]
impl WorkspaceOccurrences {
    /// Concrete occurrences that overlap a range, recurring series expanded, by start. The range may span at most 366 days.
    async fn event_occurrences(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Visible range.")] range: DateTimeRangeInput,
        #[graphql(desc = "Only these calendars. All visible calendars when omitted.")] calendar_ids: Option<
            Vec<ID>,
        >,
    ) -> Result<Many<EventOccurrence>> {
        let asked = AskedOccurrences { range, calendar_ids };
        straight::list(ctx, &self.0, asked).await
    }
}

/// The arguments of `Workspace.eventOccurrences`.
struct AskedOccurrences {
    range: DateTimeRangeInput,
    calendar_ids: Option<Vec<ID>>,
}

impl Whole for AskedOccurrences {
    type Item = EventOccurrence;

    fn given(given: &Given<'_>) -> Option<Self> {
        Some(Self {
            range: given.read("range")?,
            calendar_ids: given.read("calendarIds")?,
        })
    }

    async fn list(self, ctx: &Ctx, columns: Option<u64>) -> kernel::Result<Vec<EventOccurrence>> {
        let window = self.range.short_span("range")?;
        // Ids that nobody has match nothing.
        let ids: Option<Vec<_>> = self
            .calendar_ids
            .map(|ids| ids.iter().filter_map(parse).collect());
        let among = ids.as_deref().map_or(Among::Visible, Among::Calendars);
        let expanded = events::in_window_in_part(ctx, among, window, columns).await?;
        let occurrences = expanded.occurrences.into_iter();
        Ok(occurrences.map(EventOccurrence).collect())
    }
}

/// How a recurrence rule is understood.
#[derive(SimpleObject)]
pub struct RecurrencePreview {
    /// Rule in words of the viewer's `locale`, in English where that language has none; the rule itself when it has no simple words.
    summary: String,
    /// First starts.
    starts: Vec<DateTime>,
    /// Whether the series never ends.
    is_infinite: bool,
}

#[derive(Default)]
pub struct PreviewQuery;

#[Object]
impl PreviewQuery {
    /// How a recurrence rule is understood: its summary and first starts. Useful in forms.
    async fn preview_recurrence(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "Rule to preview.")] rule: RRule,
        #[graphql(desc = "First start.")] start: DateTime,
        #[graphql(desc = "Time zone of the expansion.")] time_zone: TimeZone,
        #[graphql(desc = "Number of starts, at most 50.", default_with = "Some(5)")] first: Option<i32>,
    ) -> Result<RecurrencePreview> {
        let found = async {
            let viewer = access(ctx).caller().require_user()?;
            let preview = events::preview(&rule.0, start.0, &time_zone.0, first.unwrap_or(5))?;
            let preferences = people::look_at_preferences(access(ctx).platform(), viewer).await?;
            Ok::<_, kernel::Error>((preview.summary(&preferences.locale), preview))
        };
        let (summary, preview) = found.await.map_err(expose)?;
        Ok(RecurrencePreview {
            summary,
            starts: preview.starts.into_iter().map(DateTime).collect(),
            is_infinite: preview.is_infinite,
        })
    }
}
