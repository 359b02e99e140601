//! Finding the link to join a meeting.
//!
//! Order: CONFERENCE (video before others), the properties of Google and Microsoft, then a link to a known meeting
//! service in the place, the link or the description.

use calcard::icalendar::ICalendarParameterName as Param;

use super::{component::Component, property::Property, words};

/// Properties whose value is a meeting link.
const PROPERTIES: [&str; 6] = [
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "X-MICROSOFT-ONLINEMEETINGCONFLINK",
    "X-MICROSOFT-ONLINEMEETINGEXTERNALLINK",
    "X-APPLE-CONFERENCE-URL",
    "X-ZOOM-MEETING-URL",
];

/// Hosts (and the beginning of the path) of meeting services.
const SERVICES: [&str; 14] = [
    "meet.google.com/",
    "teams.microsoft.com/l/meetup-join/",
    "teams.microsoft.com/meet/",
    "teams.live.com/meet/",
    "zoom.us/j/",
    "zoom.us/my/",
    "zoom.us/w/",
    "webex.com/",
    "whereby.com/",
    "meet.jit.si/",
    "gotomeet.me/",
    "meet.goto.com/",
    "facetime.apple.com/join",
    "bluejeans.com/",
];

/// Only this much of a long description is searched.
const SEARCH_LIMIT: usize = 16 * 1024;

/// The link to join the meeting.
pub(super) fn conference(component: &Component<'_>, texts: [Option<&str>; 3]) -> Option<String> {
    let mut conferences: Vec<Property> = component
        .all("CONFERENCE")
        .filter_map(Property::read)
        .take(20)
        .collect();
    let is_video = |property: &Property| {
        property
            .param(&Param::Feature)
            .is_some_and(|features| features.to_ascii_uppercase().contains("VIDEO"))
    };
    conferences.sort_by_key(|property| !is_video(property));
    let named = PROPERTIES
        .iter()
        .filter_map(|name| words::web_link(component.first(name)?.value()?));
    conferences
        .iter()
        .find_map(|property| words::web_link(property.raw()))
        .or_else(|| named.into_iter().next())
        .or_else(|| texts.into_iter().flatten().find_map(known_service))
}

/// The first link to a known meeting service in a text.
fn known_service(text: &str) -> Option<String> {
    let text = &text[..text.floor_char_boundary(SEARCH_LIMIT)];
    if !text.contains("://") {
        return None;
    }
    text.split(|letter: char| {
        letter.is_whitespace() || matches!(letter, '<' | '>' | '"' | '\'' | '(' | ')' | ',')
    })
    .filter_map(words::web_link)
    .find(|link| {
        let rest = link
            .split_once("//")
            .map_or("", |(_, rest)| rest)
            .to_ascii_lowercase();
        SERVICES.iter().any(|service| {
            let (host, path) = service.split_once('/').unwrap_or((service, ""));
            let (link_host, link_path) = rest.split_once('/').unwrap_or((&rest, ""));
            let is_host =
                link_host == host || link_host.strip_suffix(host).is_some_and(|sub| sub.ends_with('.'));
            is_host && link_path.starts_with(path)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meeting_services_are_found_in_texts() {
        let text = "Join (https://us02web.zoom.us/j/123?pwd=x), notes at https://example.com/zoom.us/j/1";
        assert_eq!(
            known_service(text).as_deref(),
            Some("https://us02web.zoom.us/j/123?pwd=x")
        );
        assert_eq!(
            known_service("https://evilzoom.us/j/1 https://zoom.us/pricing http://x"),
            None
        );
        assert_eq!(
            known_service("<https://meet.google.com/abc>").as_deref(),
            Some("https://meet.google.com/abc")
        );
    }
}
