//! What CalDAV servers say of their calendars.

use super::super::multistatus;
use super::*;

fn read_one(properties: &str) -> Option<RemoteCalendar> {
    let xml = format!(
        "<multistatus xmlns='DAV:' xmlns:C='urn:ietf:params:xml:ns:caldav' xmlns:A='http://apple.com/ns/ical/'>
         <response><href>/u/my%20cal/</href><propstat><prop>{properties}</prop><status>HTTP/1.1 200 OK</status>
         </propstat></response></multistatus>"
    );
    let url = Url::parse("https://example.com/u/").unwrap();
    let document = multistatus::parse(&xml).unwrap();
    let response = multistatus::responses(&document).next().unwrap();
    read(response, &url, &url)
}

const IS_CALENDAR: &str = "<resourcetype><collection/><C:calendar/></resourcetype>";

#[test]
fn a_bare_calendar_is_read_with_what_it_has() {
    let bare = read_one(IS_CALENDAR).unwrap();
    let expected = RemoteCalendar {
        id: "/u/my%20cal/".into(),
        name: "my cal".into(),
        ..RemoteCalendar::default()
    };
    assert_eq!(bare, expected);
}

#[test]
fn collections_without_events_are_left_out() {
    let with = |more: &str| read_one(&format!("{IS_CALENDAR}{more}")).is_some();
    assert!(read_one("<resourcetype><collection/></resourcetype>").is_none());
    assert!(!with(
        "<C:supported-calendar-component-set><C:comp name='VTODO'/></C:supported-calendar-component-set>"
    ));
    assert!(with(
        "<C:supported-calendar-component-set><C:comp name='VTODO'/><C:comp name='VEVENT'/></C:supported-calendar-component-set>"
    ));
    assert!(with("<C:supported-calendar-component-set/>"));
}

#[test]
fn details_are_read_in_their_dialects() {
    let rich = read_one(&format!(
        "{IS_CALENDAR}<displayname>Work</displayname><A:calendar-color>#FF8800FF</A:calendar-color>
         <C:calendar-timezone>BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:Europe/Rome\nEND:VTIMEZONE</C:calendar-timezone>
         <current-user-privilege-set><privilege><read/></privilege></current-user-privilege-set>"
    ))
    .unwrap();
    assert_eq!(rich.name, "Work");
    assert_eq!(rich.color.as_deref(), Some("#ff8800"));
    assert_eq!(rich.time_zone.as_deref(), Some("Europe/Rome"));
    assert!(rich.is_read_only);
}

#[test]
fn colours_come_out_in_one_form() {
    assert_eq!(color("#ABC").as_deref(), Some("#aabbcc"));
    assert_eq!(color(" #a1B2c3 ").as_deref(), Some("#a1b2c3"));
    for bad in ["red", "#12", "#12345g", "", "#ééé"] {
        assert_eq!(color(bad), None, "{bad}");
    }
}
