//! What callers hand to the room of calendars.

use crate::kernel::patch::Patch;

/// A local calendar to create.
#[derive(Clone, Debug)]
pub struct NewCalendar {
    /// Display name.
    pub name: String,
    /// Description.
    pub description: Option<String>,
    /// Colour as `#rrggbb`; one that is rare in the workspace when `None`.
    pub color: Option<String>,
    /// Time zone for new events; the creator's when `None`.
    pub time_zone: Option<String>,
}

/// Changes to a calendar.
#[derive(Clone, Debug, Default)]
pub struct CalendarPatch {
    /// Display name.
    pub name: Option<String>,
    /// Description.
    pub description: Patch<String>,
    /// Colour as `#rrggbb`.
    pub color: Option<String>,
    /// Time zone for new events.
    pub time_zone: Option<String>,
    /// Whether new events go here when no calendar is chosen.
    pub is_default: Option<bool>,
    /// Whether the viewer's calendar view shows it. Personal: it changes nothing for others.
    pub is_visible: Option<bool>,
    /// Whether events make their owner busy.
    pub counts_as_busy: Option<bool>,
}

impl CalendarPatch {
    /// Whether the calendar itself changes, not only how the viewer sees it.
    pub fn touches_calendar(&self) -> bool {
        let Self {
            name,
            description,
            color,
            time_zone,
            is_default,
            is_visible: _,
            counts_as_busy,
        } = self;
        name.is_some()
            || !description.is_keep()
            || color.is_some()
            || time_zone.is_some()
            || is_default.is_some()
            || counts_as_busy.is_some()
    }
}
