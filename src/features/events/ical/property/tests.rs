//! What property does with good and bad input.

use super::{super::line::lines, *};

fn read(text: &str) -> Property {
    let line = lines(text).next().expect("a line");
    Property::read_time(&line).expect("a property")
}

#[test]
fn escapes_are_undone_in_texts() {
    let property = read("SUMMARY;LANGUAGE=en:x\\, y\\; z\\nline\\\\end");
    assert_eq!(property.text().as_deref(), Some("x, y; z\nline\\end"));
    assert_eq!(read("X-WR-CALNAME:a;b\\,c").text().as_deref(), Some("a;b,c"));
    assert_eq!(
        read("DESCRIPTION;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:caf=C3=A9")
            .text()
            .as_deref(),
        Some("café")
    );
}

#[test]
fn zone_names_with_colons_and_commas_are_found() {
    for line in [
        "DTSTART;TZID=(UTC+01:00) Amsterdam, Berlin:20250310T090000",
        "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin\":20250310T090000",
        "DTSTART;VALUE=DATE-TIME;tzid=(UTC+01:00) Amsterdam\\, Berlin;X-A=1:20250310T090000",
    ] {
        let property = read(line);
        assert_eq!(
            property.zone().as_deref(),
            Some("(UTC+01:00) Amsterdam, Berlin"),
            "{line}"
        );
        assert_eq!(property.raw(), "20250310T090000");
    }
}

#[test]
fn parameters_are_found_in_any_letter_case() {
    let property = read("recurrence-id;Range=thisandfuture;value=date:20250310");
    assert!(property.is_this_and_future() && property.is_value("DATE"));
    assert!(!property.is_related_to_end());
}
