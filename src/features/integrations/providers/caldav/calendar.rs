//! What a server tells about one calendar collection.
//!
//! Promises: reads what the various dialects offer and leaves out what they do not; colours come out as `#rrggbb`. The id
//! is the path on the connected server, or the whole URL when the calendar lives on another host.

use libdav::{PropertyName, names};
use url::Url;

use super::href;
use super::multistatus::Response;
use crate::features::integrations::providers::RemoteCalendar;

pub(super) const GETCTAG: PropertyName<'_, '_> = PropertyName::new(names::CALENDAR_SERVER, "getctag");
const TIME_ZONE: PropertyName<'_, '_> = PropertyName::new(names::CALDAV, "calendar-timezone");
const TIME_ZONE_ID: PropertyName<'_, '_> = PropertyName::new(names::CALDAV, "calendar-timezone-id");
const PRIVILEGES: PropertyName<'_, '_> = PropertyName::new(names::DAV, "current-user-privilege-set");
/// Any of these lets a person change events.
const WRITE_PRIVILEGES: [PropertyName<'_, '_>; 3] = [
    PropertyName::new(names::DAV, "all"),
    PropertyName::new(names::DAV, "write"),
    PropertyName::new(names::DAV, "write-content"),
];

/// What [`read`] wants to know. Nothing that a server answers only after reading every object of the calendar.
pub(super) const PROPERTIES: [&PropertyName<'_, '_>; 8] = [
    &names::RESOURCETYPE,
    &names::DISPLAY_NAME,
    &names::CALENDAR_DESCRIPTION,
    &names::CALENDAR_COLOUR,
    &names::SUPPORTED_CALENDAR_COMPONENT_SET,
    &TIME_ZONE,
    &TIME_ZONE_ID,
    &PRIVILEGES,
];

/// What tells how a calendar can be synchronised.
pub(super) const STATE: [&PropertyName<'_, '_>; 4] = [
    &names::RESOURCETYPE,
    &names::SUPPORTED_REPORT_SET,
    &names::SYNC_TOKEN,
    &GETCTAG,
];

/// The calendar a response describes; `None` when it is not one that holds events.
pub(super) fn read(response: Response<'_, '_>, base: &Url, answered_by: &Url) -> Option<RemoteCalendar> {
    if !response.property_has(&names::RESOURCETYPE, &names::CALENDAR) || !holds_events(response) {
        return None;
    }
    let url = href::resolve(answered_by, &response.hrefs().next()?)?;
    let zone = response.property_text(&TIME_ZONE_ID);
    Some(RemoteCalendar {
        name: response
            .property_text(&names::DISPLAY_NAME)
            .unwrap_or_else(|| last_part(&url)),
        description: response.property_text(&names::CALENDAR_DESCRIPTION),
        color: response
            .property_text(&names::CALENDAR_COLOUR)
            .and_then(|text| color(&text)),
        time_zone: zone.or_else(|| {
            response
                .property_text(&TIME_ZONE)
                .and_then(|text| zone_name(&text))
        }),
        is_read_only: is_read_only(response),
        id: if url.origin() == base.origin() {
            url.path().to_owned()
        } else {
            url.into()
        },
    })
}

/// Whether the collection announces `sync-collection`.
pub(super) fn supports_sync(response: Response<'_, '_>) -> bool {
    response.property_has(&names::SUPPORTED_REPORT_SET, &names::SYNC_COLLECTION)
        || response.property(&names::SYNC_TOKEN).is_some()
}

fn holds_events(response: Response<'_, '_>) -> bool {
    let Some(set) = response.property(&names::SUPPORTED_CALENDAR_COMPONENT_SET) else {
        return true;
    };
    let mut kinds = set
        .descendants()
        .filter(|node| node.tag_name() == names::COMP)
        .peekable();
    let is_event = |name: &str| name.eq_ignore_ascii_case("VEVENT");
    kinds.peek().is_none() || kinds.any(|node| node.attribute("name").is_some_and(is_event))
}

fn is_read_only(response: Response<'_, '_>) -> bool {
    let known = response.property(&PRIVILEGES).is_some();
    known
        && !WRITE_PRIVILEGES
            .iter()
            .any(|privilege| response.property_has(&PRIVILEGES, privilege))
}

fn last_part(url: &Url) -> String {
    let part = url
        .path()
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    crate::platform::http::percent_decode(part)
}

/// `#rgb`, `#rrggbb` and Apple's `#rrggbbaa`, as `#rrggbb`.
pub(in super::super) fn color(text: &str) -> Option<String> {
    let digits = text.trim().strip_prefix('#')?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let six = match digits.len() {
        6 | 8 => digits[..6].to_owned(),
        3 | 4 => digits.chars().take(3).flat_map(|digit| [digit, digit]).collect(),
        _ => return None,
    };
    Some(format!("#{}", six.to_ascii_lowercase()))
}

/// The name of the zone that a VTIMEZONE text defines.
fn zone_name(text: &str) -> Option<String> {
    let name = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("TZID:"))?
        .trim();
    (!name.is_empty()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests;
