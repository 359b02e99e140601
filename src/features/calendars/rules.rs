//! Decisions about calendars that need no database.

use std::collections::BTreeMap;

use entity::calendar;
use entity::ids::{CalendarId, UserId, WorkspaceId};
use serde_json::{Value, json};

use crate::kernel::Result;
use crate::kernel::text::Checks;

/// Longest name, in characters.
const MAX_NAME: usize = 100;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 2_000;
/// Most local calendars of one workspace.
pub(super) const MAX_CALENDARS: usize = 200;

/// Colours that are told apart on light and dark backgrounds.
const PALETTE: [&str; 10] = [
    "#3366cc", "#2e8b57", "#c0392b", "#8e44ad", "#d35400", "#16808c", "#b7950b", "#ad1457", "#5d6d7e",
    "#6d4c41",
];

/// Whether anybody sees it: every member sees all calendars of the workspace but external ones that were not chosen for mirroring.
pub fn is_shown(row: &calendar::Model) -> bool {
    row.integration_id.is_none() || row.is_mirrored
}

/// Whether the viewer may change its events: calendars of the workspace belong to all members, others to their owner. `None` is the
/// system, which acts for everybody.
pub fn is_own(row: &calendar::Model, viewer: Option<UserId>) -> bool {
    viewer.is_none() || row.owner_id.is_none() || row.owner_id == viewer
}

/// Whether events can be changed here. Mirrors follow their provider: what was changed here would not reach it.
pub fn accepts_events(row: &calendar::Model) -> bool {
    !row.is_read_only && row.integration_id.is_none()
}

/// Where the secret of a feed is stored; it can be opened nowhere else.
pub(super) fn feed_place(workspace: WorkspaceId, calendar: CalendarId) -> Vec<u8> {
    format!("{workspace}/{calendar}/calendars.sealed_feed_secret").into_bytes()
}

/// The rarest colour of the palette; the first of equals.
pub(super) fn free_color<'a>(used: impl Iterator<Item = &'a str>) -> &'static str {
    let mut uses = [0; PALETTE.len()];
    for color in used {
        if let Some(index) = PALETTE
            .iter()
            .position(|choice| choice.eq_ignore_ascii_case(color))
        {
            uses[index] += 1;
        }
    }
    let rarest = (0..PALETTE.len()).min_by_key(|&index| uses[index]);
    PALETTE[rarest.unwrap_or(0)]
}

/// Checks a calendar as it would be stored. Paths begin with `input`.
pub(super) fn check(row: &mut calendar::Model) -> Result<()> {
    let mut checks = Checks::default();
    row.name = checks.title("input.name", &row.name, MAX_NAME);
    let description = row.description.take();
    row.description = description.map(|text| checks.prose("input.description", &text, MAX_DESCRIPTION));
    checks.finish()
}

/// Changed fields for the audit log; of texts only the fact.
pub(super) fn audit_diff(before: &calendar::Model, after: &calendar::Model) -> Value {
    let mut changes = BTreeMap::new();
    let mut note = |field: &'static str, from: Value, to: Value| {
        if from != to {
            changes.insert(field, json!({ "from": from, "to": to }));
        }
    };
    note("color", json!(before.color), json!(after.color));
    note("timeZone", json!(before.time_zone), json!(after.time_zone));
    note("isDefault", json!(before.is_default), json!(after.is_default));
    note(
        "countsAsBusy",
        json!(before.counts_as_busy),
        json!(after.counts_as_busy),
    );
    let mut touched = |field: &'static str, differs: bool| {
        if differs {
            changes.insert(field, json!({ "changed": true }));
        }
    };
    touched("name", before.name != after.name);
    touched("description", before.description != after.description);
    json!(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_calendars_get_the_rarest_colour() {
        assert_eq!(free_color(std::iter::empty()), PALETTE[0]);
        assert_eq!(free_color([PALETTE[0], "#000000"].into_iter()), PALETTE[1]);
        assert_eq!(free_color(PALETTE.iter().copied()), PALETTE[0]);
    }
}
