//! What may be imported and how it is told.

use super::*;

fn code(format: DataFormat, beginning: &[u8]) -> Option<UserErrorCode> {
    match check_beginning(format, beginning, "input.content") {
        Ok(()) => None,
        Err(Error::User(errors)) => {
            assert_eq!(errors[0].field, ["input", "content"]);
            Some(errors[0].code)
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn what_cannot_be_the_format_is_refused_at_its_beginning() {
    use DataFormat::{Csv, Ics, Json};
    assert_eq!(code(Ics, b"\xef\xbb\xbf\r\nbegin:vcalendar\r\n"), None);
    assert_eq!(code(Json, b" {\"format\""), None);
    assert_eq!(code(Csv, b"Title;Due at\n"), None);
    for (format, wrong) in [
        (Ics, b"\x7fELF\x02\x01\0\0BEGIN".as_slice()),
        (Ics, b"<html>BEGIN:</html>"),
        (Ics, b"\xff\xfeB\0E\0G\0I\0N\0:\0"),
        (Json, b"[1]"),
        (Csv, b"a,b\n"),
        (Csv, b"\xff\xff\n"),
    ] {
        assert_eq!(code(format, wrong), Some(UserErrorCode::Invalid), "{wrong:?}");
    }
    assert_eq!(code(Ics, b""), Some(UserErrorCode::Required));
}
